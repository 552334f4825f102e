//! `fieldgate db schema`: the SQL for tables and accounts, printed or applied.

mod accounts;

use crate::command::{block_on, deadlines, refuse};
use crate::database::{Account, DbError, Family, Session};
use crate::exit::Exit;
use crate::memory::look_and_choose;
use crate::secret::read_password;
use accounts::{Made, Passwords, accounts, passwords};
use config::Config;
use std::path::PathBuf;
use thiserror::Error;

const TABLES: &str = include_str!("../../../packaging/schema/tables.sql");
const VIEWS: &str = include_str!("../../../packaging/schema/views.sql");

/// Whom the printed SQL is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum For {
    /// MariaDB
    Mariadb,
    /// MySQL
    Mysql,
}

/// How to make the tables.
#[derive(Debug, clap::Args)]
pub struct SchemaArguments {
    /// The configuration file
    #[arg(long, short, default_value = crate::command::DEFAULT_CONFIG)]
    pub config: PathBuf,
    /// Which family of servers the printed SQL is for; with --apply the server is asked
    #[arg(long, value_enum, default_value = "mariadb", conflicts_with = "apply")]
    family: For,
    /// Apply it on the server that takes writes, instead of printing it
    #[arg(long, requires = "admin_user")]
    pub apply: bool,
    /// An administrator's account, which may create databases, tables and accounts
    #[arg(long)]
    pub admin_user: Option<String>,
    /// A file with the administrator's password
    #[arg(long)]
    pub admin_password_file: Option<PathBuf>,
}

/// Prints, or applies with an administrator's account.
pub fn schema(config: &Config, arguments: &SchemaArguments) -> Exit {
    if !arguments.apply {
        println!("{}", script(config, arguments.family));
        return Exit::Ok;
    }
    let passwords = match passwords(config) {
        Ok(passwords) => passwords,
        Err(problems) => return refuse(&arguments.config, &problems),
    };
    let admin_password = match arguments.admin_password_file.as_deref().map(read_password).transpose() {
        Ok(password) => password,
        Err(what) => {
            eprintln!("--admin-password-file: {what}");
            return Exit::Usage;
        }
    };
    let admin = Account::named(config, arguments.admin_user.as_deref().unwrap_or_default(), admin_password);
    let accounts = accounts(config, passwords);
    match block_on(apply(config, &admin, &accounts)) {
        Ok(Ok(server)) => {
            println!("{}; replicas get them by replication", ready(&accounts, &server));
            Exit::Ok
        }
        Ok(Err(error)) => {
            eprintln!("{error}");
            Exit::Unavailable
        }
        Err(exit) => exit,
    }
}

fn ready(accounts: &[Made<'_>], server: &str) -> String {
    let users: Vec<&str> = accounts.iter().map(|account| account.user).collect();
    let what = if users.len() == 1 { "account" } else { "accounts" };
    format!("the tables and the {what} {} are ready on {server}", users.join(", "))
}

/// The SQL that is printed.
fn script(config: &Config, made_for: For) -> String {
    let (family, hint) = match made_for {
        For::Mariadb => {
            (Family::MariaDb, "-- For MariaDB; `fieldgate db schema --family mysql` prints it for MySQL.\n")
        }
        For::Mysql => (Family::MySql, "-- For MySQL.\n"),
    };
    let accounts = accounts(config, Passwords::default());
    let accounts: Vec<String> = accounts.iter().map(|account| account.sql(config, family)).collect();
    format!(
        "{hint}CREATE DATABASE IF NOT EXISTS `{0}`;\nUSE `{0}`;\n\n{TABLES}\n{VIEWS}\n{1}",
        config.mysql.database,
        accounts.join("\n")
    )
}

/// Applies on the server that takes writes, by the same choice that the gateway makes.
async fn apply(config: &Config, admin: &Account, accounts: &[Made<'_>]) -> Result<String, ApplyError> {
    let (_, choice) = look_and_choose(config, admin).await;
    let server =
        choice.source.and_then(|index| config.mysql.servers.get(index)).ok_or(ApplyError::NoSource(choice.why))?;
    let mut session = Session::open(server, admin, deadlines(config)).await?;
    session.run(&format!("CREATE DATABASE IF NOT EXISTS `{0}`", config.mysql.database)).await?;
    session.run(&format!("USE `{}`", config.mysql.database)).await?;
    let family = session.family();
    let accounts = accounts.iter().map(|account| account.sql(config, family));
    for script in [TABLES.to_owned(), VIEWS.to_owned()].into_iter().chain(accounts) {
        for statement in statements(&script) {
            session.run(&statement).await?;
        }
    }
    session.close().await;
    Ok(server.to_string())
}

/// Why the tables could not be made.
#[derive(Debug, Error)]
enum ApplyError {
    #[error("{0}")]
    NoSource(String),
    #[error(transparent)]
    Database(#[from] DbError),
}

/// The statements of a script of ours: no semicolons within strings, comments on lines of their own.
fn statements(script: &str) -> impl Iterator<Item = String> {
    let plain: Vec<&str> = script.lines().filter(|line| !line.trim_start().starts_with("--")).collect();
    let plain = plain.join("\n");
    let all: Vec<String> = split_outside_strings(&plain)
        .into_iter()
        .map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty())
        .collect();
    all.into_iter()
}

fn split_outside_strings(script: &str) -> Vec<String> {
    let (mut parts, mut part, mut quoted) = (Vec::new(), String::new(), false);
    for letter in script.chars() {
        match letter {
            '\'' => quoted = !quoted,
            ';' if !quoted => {
                parts.push(std::mem::take(&mut part));
                continue;
            }
            _ => {}
        }
        part.push(letter);
    }
    parts.push(part);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::quoted;

    #[test]
    fn a_password_with_quotes_and_semicolons_stays_one_literal() {
        let literal = quoted(r"a'b;c\d");
        assert_eq!(literal, r"'a''b;c\\d'");
        let script = format!("CREATE USER x IDENTIFIED BY {literal};\n-- a; comment\nGRANT y;\n");
        let found: Vec<String> = statements(&script).collect();
        assert_eq!(found, [format!("CREATE USER x IDENTIFIED BY {literal}"), "GRANT y".to_owned()]);
    }

    #[test]
    fn no_account_is_made_without_a_password() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("fieldgate.toml");
        std::fs::write(&file, include_str!("../../../packaging/fieldgate.toml")).unwrap();
        let config = Config::load(&file, "host").unwrap();
        let arguments = SchemaArguments {
            config: file,
            family: For::Mariadb,
            apply: true,
            admin_user: Some("root".to_owned()),
            admin_password_file: None,
        };
        assert_eq!(schema(&config, &arguments), Exit::Configuration);
    }

    #[test]
    fn the_printed_script_names_its_family_and_leaves_nothing_to_fill_in_but_the_password() {
        let text = include_str!("../../../packaging/fieldgate.toml");
        let config = Config::from_text(text, "f.toml".as_ref(), "host").unwrap();
        let printed = |family| script(&config, family);
        assert!(printed(For::Mariadb).contains("SLAVE MONITOR") && printed(For::Mariadb).contains("--family mysql"));
        assert!(
            printed(For::Mysql).contains("caching_sha2_password") && printed(For::Mysql).contains("REPLICATION CLIENT")
        );
        for family in [For::Mariadb, For::Mysql] {
            assert!(!printed(family).contains('{'), "{}", printed(family));
        }
    }

    #[test]
    fn the_shipped_script_makes_every_table() {
        let made = statements(TABLES).filter(|statement| statement.starts_with("CREATE TABLE IF NOT EXISTS")).count();
        assert_eq!(made, 13);
    }
}
