//! What a server said, sorted by who acts.

use std::time::Duration;
use thiserror::Error;

/// Who acts on an error, and how. Whatever the class, the outcome of what was being done is unknown and the
/// connection is closed; the cursor says what happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The server is away or the connection broke: try again.
    Away,
    /// This server does not take writes: look for the source again.
    NotSource,
    /// It has too much to do, or a lock was held: try again later.
    Busy,
    /// Its disk or table is full: try again later and tell.
    Full,
    /// Account, database or tables are not as they must be: the operator acts; collecting goes on.
    Setup,
    /// Our own rules were broken; stop writing, loudly.
    Protocol,
    /// A code this table does not know: treated like `Away`, and told.
    Unknown,
}

/// MySQL's and MariaDB's error codes, sorted, with what the operator can do.
const CODES: &[(u16, Class, &str)] = &[
    (1021, Class::Full, "free space on the server's disk"),
    (1040, Class::Busy, "raise max_connections on the server if this lasts"),
    (1044, Class::Setup, "grant the account its rights: `fieldgate db schema` prints the statements"),
    (1045, Class::Setup, "check mysql.user and the password (password_file or credential fieldgate.mysql-password)"),
    (1049, Class::Setup, "create the database: `fieldgate db schema --apply --admin-user NAME`"),
    (1053, Class::Away, "the server is shutting down"),
    (1054, Class::Setup, "the tables are not of this version: compare with `fieldgate db schema`"),
    (1062, Class::Protocol, "two writers share one stream; stop the other gateway and run `fieldgate db reconcile`"),
    (1114, Class::Full, "free space on the server's disk"),
    (1142, Class::Setup, "grant the account its rights: `fieldgate db schema` prints the statements"),
    (1143, Class::Setup, "grant the account its rights: `fieldgate db schema` prints the statements"),
    (1146, Class::Setup, "create the tables: `fieldgate db schema --apply --admin-user NAME`"),
    (1153, Class::Away, "raise max_allowed_packet on the server if this lasts"),
    (1158, Class::Away, ""),
    (1159, Class::Away, ""),
    (1160, Class::Away, ""),
    (1161, Class::Away, ""),
    (1203, Class::Busy, "raise max_user_connections on the server if this lasts"),
    (1205, Class::Busy, ""),
    (1213, Class::Busy, ""),
    (1227, Class::Setup, "grant the account its rights: `fieldgate db schema` prints the statements"),
    (1290, Class::NotSource, ""),
    (1317, Class::Away, ""),
    (1370, Class::Setup, "grant the account its rights: `fieldgate db schema` prints the statements"),
    (1698, Class::Setup, "check mysql.user and the password (password_file or credential fieldgate.mysql-password)"),
    (1792, Class::NotSource, ""),
    (1836, Class::NotSource, ""),
    (1927, Class::Away, "somebody killed our connection"),
    (3100, Class::NotSource, ""),
    (
        3159,
        Class::Setup,
        "the server takes only protected connections: set mysql.tls = \"verify\", with your root in ca_file",
    ),
];

/// Something went wrong at a server.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{server}: {words}{}", remedy_text(.remedy))]
pub struct DbError {
    /// The server, as configured.
    pub server: String,
    /// Who acts.
    pub class: Class,
    /// The server's error code, where it gave one.
    pub code: Option<u16>,
    /// What it said.
    pub words: String,
    /// What to do; empty when waiting is all.
    pub remedy: String,
}

fn remedy_text(remedy: &str) -> String {
    if remedy.is_empty() { String::new() } else { format!(" ({remedy})") }
}

impl DbError {
    fn new(server: &str, class: Class, words: String) -> Self {
        Self { server: server.to_owned(), class, code: None, words, remedy: String::new() }
    }

    /// The connection was closed by an earlier error.
    pub fn closed(server: &str) -> Self {
        Self::new(server, Class::Away, "the connection is closed".to_owned())
    }

    /// No answer within the deadline.
    pub fn too_late(server: &str, what: &str, deadline: Duration) -> Self {
        Self::new(server, Class::Away, format!("no answer to {what} within {deadline:?}"))
    }

    /// Our own rules were broken.
    pub fn protocol(server: &str, words: String) -> Self {
        Self::new(server, Class::Protocol, words)
    }

    /// The server is not as it must be.
    pub fn setup(server: &str, words: String) -> Self {
        Self::new(server, Class::Setup, words)
    }

    /// The server's answer is not of the form we know.
    pub fn unexpected(server: &str, what: &str) -> Self {
        Self::new(server, Class::Unknown, format!("the answer to {what} is not understood"))
    }

    /// Not the server we were told to write to.
    pub fn not_source(server: &str, words: String) -> Self {
        Self::new(server, Class::NotSource, words)
    }

    /// What it said and what to do, without the server's name.
    pub fn explained(&self) -> String {
        format!("{}{}", self.words, remedy_text(&self.remedy))
    }

    /// Another transaction moved the cursor: ask for it again.
    pub fn cursor_moved(server: &str, words: String) -> Self {
        Self::new(server, Class::Away, words)
    }

    /// Sorts what the client library reports.
    pub fn from_client(server: &str, error: mysql_async::Error) -> Self {
        let said = match error {
            mysql_async::Error::Server(said) => said,
            mysql_async::Error::Io(mysql_async::IoError::Io(error)) => {
                return Self::new(server, Class::Away, error.to_string());
            }
            other => return Self::new(server, Class::Away, other.to_string()),
        };
        let (class, remedy) = sort(said.code);
        let words = format!("{} (error {})", said.message, said.code);
        Self { code: Some(said.code), remedy: remedy.to_owned(), ..Self::new(server, class, words) }
    }
}

fn sort(code: u16) -> (Class, &'static str) {
    CODES.iter().find(|row| row.0 == code).map_or((Class::Unknown, ""), |row| (row.1, row.2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_stand_once_and_in_order_and_an_unknown_one_is_unknown() {
        assert!(CODES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert_eq!(sort(1290).0, Class::NotSource);
        assert_eq!(sort(1146).0, Class::Setup);
        assert_eq!(sort(64999), (Class::Unknown, ""));
    }

    #[test]
    fn a_message_says_where_what_and_what_to_do() {
        let said =
            mysql_async::ServerError { code: 1049, message: "Unknown database 'field'".into(), state: "42000".into() };
        let error = DbError::from_client("db1:3306", mysql_async::Error::Server(said));
        assert_eq!(
            error.to_string(),
            "db1:3306: Unknown database 'field' (error 1049) (create the database: `fieldgate db schema --apply --admin-user NAME`)"
        );
    }
}
