//! Passwords: read from a file or a systemd credential, never from the configuration itself.

use config::{Config, Problem};
use std::path::{Path, PathBuf};

/// The credential that systemd hands over when the configuration names no file.
const CREDENTIAL: &str = "fieldgate.mysql-password";

/// The password of the database account; none when neither a file nor a credential is given.
///
/// # Errors
/// A [`Problem`] that names the file and the line that asks for it.
pub fn mysql_password(config: &Config) -> Result<Option<String>, Problem> {
    match &config.mysql.password_file {
        Some(file) => read(config, "mysql.password_file", file).map(Some),
        None => match std::env::var_os("CREDENTIALS_DIRECTORY").map(|folder| PathBuf::from(folder).join(CREDENTIAL)) {
            Some(file) if file.exists() => read(config, "mysql", &file).map(Some),
            _ => Ok(None),
        },
    }
}

/// The password for one broker.
///
/// # Errors
/// A [`Problem`] that names the file and the line that asks for it.
pub fn mqtt_password(config: &Config, index: usize) -> Result<Option<String>, Problem> {
    let file = config.mqtt.get(index).and_then(|mqtt| mqtt.password_file.as_ref());
    file.map(|file| read(config, &format!("mqtt[{index}].password_file"), file)).transpose()
}

fn read(config: &Config, path: &str, file: &Path) -> Result<String, Problem> {
    read_password(file).map_err(|what| {
        config.problem(path, &what, "put the password on one line into that file and let the gateway's user read it")
    })
}

/// The first line of a file.
///
/// # Errors
/// A sentence that says what is wrong with the file.
pub fn read_password(file: &Path) -> Result<String, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
    match text.lines().next() {
        Some(line) if !line.is_empty() => Ok(line.to_owned()),
        _ => Err(format!("{} is empty", file.display())),
    }
}
