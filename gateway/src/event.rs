//! Rows of `events`: what happened to the gateways and the servers of a site.

use crate::database::{Cell, DbError, Session};

/// One row.
#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    /// When, by the gateway's own clock, microseconds since 1970.
    pub at_us: i64,
    /// The site.
    pub site: &'a str,
    /// The gateway that tells it.
    pub gateway: &'a str,
    /// What kind of event, at most 32 characters.
    pub kind: &'a str,
    /// In words, at most 1024 characters.
    pub text: &'a str,
    /// How many it is about, where there is something to count.
    pub count: Option<u64>,
}

impl Event<'_> {
    /// Writes the row.
    ///
    /// # Errors
    /// [`DbError`]; the outcome is then unknown.
    pub async fn write(&self, session: &mut Session) -> Result<(), DbError> {
        let sql = "INSERT INTO events (at, site, gateway, kind, text, count) VALUES (?, ?, ?, ?, ?, ?)";
        let values = vec![
            Cell::TimeUs(self.at_us),
            Cell::text(self.site),
            Cell::text(self.gateway),
            Cell::text(self.kind),
            Cell::text(self.text),
            Cell::optional(self.count, Cell::UInt),
        ];
        session.change(sql, values).await.map(drop)
    }
}
