//! The row of `server_term`: read, and raised in one transaction with the row of `events` that says why.

use crate::database::{Cell, DbError, Session};
use crate::event::Event;
use crate::topology::Term;

/// The row; none where there is none yet.
///
/// # Errors
/// [`DbError`].
pub async fn read(session: &mut Session) -> Result<Option<Term>, DbError> {
    let rows = session.ask("SELECT term, server FROM server_term WHERE id = 1").await?;
    Ok(rows.first().and_then(|row| match row.as_slice() {
        [number, server] => Some(Term { number: number.as_u64()?, server: server.as_text()? }),
        _ => None,
    }))
}

/// Raises the row from what it was to `after`, if it still is what it was.
///
/// # Errors
/// [`DbError`], also when somebody else has raised it at the same moment; the outcome is then unknown.
pub async fn raise(
    session: &mut Session,
    before: Option<&Term>,
    after: &Term,
    event: &Event<'_>,
) -> Result<(), DbError> {
    session.run("START TRANSACTION").await?;
    let values = vec![
        Cell::UInt(after.number),
        Cell::text(after.server.as_str()),
        Cell::TimeUs(event.at_us),
        Cell::text(event.gateway),
    ];
    let (sql, extra) = match before {
        None => ("INSERT INTO server_term (id, term, server, adopted_at, adopted_by) VALUES (1, ?, ?, ?, ?)", vec![]),
        Some(before) => (
            "UPDATE server_term SET term = ?, server = ?, adopted_at = ?, adopted_by = ? \
             WHERE id = 1 AND term = ? AND server = ?",
            vec![Cell::UInt(before.number), Cell::text(before.server.as_str())],
        ),
    };
    if session.change(sql, values.into_iter().chain(extra).collect()).await? != 1 {
        let words = "the term was raised by somebody else at the same moment; look again".to_owned();
        return Err(DbError::cursor_moved(session.server(), words));
    }
    event.write(session).await?;
    session.run("COMMIT").await
}

/// Tries whether this account may write the row and its event, on a server that is closed for others; nothing stays.
///
/// # Errors
/// [`DbError`].
pub async fn rehearse(session: &mut Session, event: &Event<'_>) -> Result<(), DbError> {
    session.run("START TRANSACTION").await?;
    session.change("UPDATE server_term SET term = term WHERE id = 1", Vec::new()).await?;
    event.write(session).await?;
    session.run("ROLLBACK").await
}
