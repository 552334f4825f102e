//! What a server said, sorted by who acts.

mod codes;

use codes::CODES;
use std::time::Duration;
use thiserror::Error;

/// Who acts on an error, and how. The outcome of what was being done is unknown and the connection is closed; the cursor
/// says what happened. Only where a row
/// was refused ([`DbError::is_about_a_row`]) the connection stays open: that can be taken back.
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
    /// What was sent at once is more than the server takes: send less at once.
    TooLarge,
    /// It refuses the data of a row: find the row, keep it as a dead letter, and go on with the others.
    Data,
    /// Our own rules were broken; stop writing, loudly.
    Protocol,
    /// A code that the table does not know: treated like `Away`, and told. If it comes back again and again while the same
    /// rows are written, it is treated like `Data`.
    Unknown,
}

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
    /// The route whose table it was about; none for our own tables.
    pub route: Option<String>,
}

/// The server's code for a key that is there already.
const DUPLICATE_KEY: u16 = 1062;
/// The server's code for a statement that is too long.
const PACKET_TOO_LARGE: u16 = 1153;

fn remedy_text(remedy: &str) -> String {
    if remedy.is_empty() { String::new() } else { format!(" ({remedy})") }
}

impl DbError {
    fn new(server: &str, class: Class, words: String) -> Self {
        Self { server: server.to_owned(), class, code: None, words, remedy: String::new(), route: None }
    }

    /// The connection was closed by an earlier error.
    pub fn closed(server: &str) -> Self {
        Self::new(server, Class::Away, "the connection is closed".to_owned())
    }

    /// A row that is longer than the server takes, which would only close the connection.
    pub fn too_large(server: &str, bytes: usize, max_packet_bytes: usize) -> Self {
        let (class, remedy) = sort(PACKET_TOO_LARGE);
        let words = format!("a row takes {bytes} bytes, and max_allowed_packet is {max_packet_bytes}");
        Self { remedy: remedy.to_owned(), ..Self::new(server, class, words) }
    }

    /// The server has refused the statement for a row of it, and the transaction can be rolled back.
    pub fn is_about_a_row(&self) -> bool {
        self.class == Class::Data || self.code == Some(DUPLICATE_KEY)
    }

    /// It was about the table of a route, where a key that is there already is the user's matter, and not our protocol's.
    pub fn of_route(mut self, route: &str, table: &str) -> Self {
        if self.code == Some(DUPLICATE_KEY) {
            self.class = Class::Data;
        }
        if matches!(self.class, Class::Data | Class::Setup) {
            self.remedy = "`fieldgate check --connect` says what does not fit".to_owned();
        }
        self.words = format!("route {route} into {table}: {}", self.words);
        Self { route: Some(route.to_owned()), ..self }
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
mod tests;
