//! Passwords: read from a file or a systemd credential, never from the configuration itself.

use config::{Config, Problem};
use std::path::{Path, PathBuf};

/// The password of the database account; none when neither a file nor a credential is given.
///
/// # Errors
/// A [`Problem`] that names the file and the line that asks for it.
pub fn mysql_password(config: &Config) -> Result<Option<String>, Problem> {
    file_or_credential(config, "mysql", "password_file", config.mysql.password_file.as_deref(), "mysql-password")
}

/// The password of the account that promotes; none without such an account, a file or a credential.
///
/// # Errors
/// A [`Problem`] that names the file and the line that asks for it.
pub fn promote_password(config: &Config) -> Result<Option<String>, Problem> {
    let Some(promote) = &config.mysql.promote else { return Ok(None) };
    file_or_credential(config, "mysql.promote", "password_file", promote.password_file.as_deref(), "promote-password")
}

/// The password of the account that replicas log in with; none without such an account, a file or a credential.
///
/// # Errors
/// A [`Problem`] that names the file and the line that asks for it.
pub fn replication_password(config: &Config) -> Result<Option<String>, Problem> {
    let replication = config.mysql.promote.as_ref().and_then(|promote| promote.replication.as_ref());
    let Some(replication) = replication else { return Ok(None) };
    let (key, file) = ("replication_password_file", replication.password_file.as_deref());
    file_or_credential(config, "mysql.promote", key, file, "replication-password")
}

/// From the file that the key of a section names, else from the credential that systemd hands over.
fn file_or_credential(
    config: &Config,
    section: &str,
    key: &str,
    file: Option<&Path>,
    credential: &str,
) -> Result<Option<String>, Problem> {
    if let Some(file) = file {
        return read(config, &format!("{section}.{key}"), file).map(Some);
    }
    let folder = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
    match folder.map(|folder| folder.join(format!("fieldgate.{credential}"))) {
        Some(file) if file.exists() => read(config, section, &file).map(Some),
        _ => Ok(None),
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
