//! One connection to the server that takes writes: confirm that it is the one, find the cursors, write.

use super::group::Group;
use super::plan::Batch;
use super::routes::Routes;
use super::write::Tables;
use super::{Settings, heartbeat};
use crate::database::{Cell, DbError, Row, Session};
use crate::event::Event;
use crate::origin::Origins;
use crate::term_row;
use crate::topology::ahead::ahead;
use crate::topology::probe::{identity, read_only};
use crate::topology::{Term, TermStep, View, term_step};
use config::ServerAddress;
use queue::StreamId;
use std::borrow::Cow;
use std::collections::BTreeMap;
use tracing::{error, info};

/// Cursors are asked for so many streams at a time.
const CURSORS_A_QUESTION: usize = 200;

/// The connection, and the cursors as this server has them.
pub struct Source {
    name: String,
    identity: String,
    term: Option<Term>,
    is_failover: bool,
    tables: Tables,
    cursors: BTreeMap<StreamId, u64>,
    again: BTreeMap<StreamId, u64>,
    /// Streams whose row belongs to another gateway than the one that should have made them.
    refused: BTreeMap<StreamId, String>,
}

/// What was written.
pub struct Wrote<'b> {
    /// As much of the batch as was dealt with.
    pub batch: Cow<'b, Batch>,
    /// Nothing was: it may still come from the other gateway.
    pub is_waiting: bool,
    /// Readings that another source had before.
    pub again: u64,
    /// Numbers that were left out, since the other gateway's rows are there.
    pub left_out: u64,
}

impl<'b> Wrote<'b> {
    fn nothing_of(batch: &'b Batch) -> Self {
        Self { batch: Cow::Borrowed(batch), is_waiting: true, again: 0, left_out: 0 }
    }
}

impl Source {
    /// Connects and makes sure that this is the server that was chosen, and that it takes writes: an address may have
    /// moved, and a choice is up to a probe period old.
    pub async fn open(
        server: &ServerAddress,
        settings: &Settings,
        views: &[View],
        index: usize,
    ) -> Result<Self, DbError> {
        let mut session = Session::open(server, &settings.account, settings.deadlines).await?;
        let name = server.to_string();
        if read_only(&mut session).await? {
            return Err(DbError::not_source(&name, "the server has become read-only".to_owned()));
        }
        let (identity, _, _) = identity(&mut session).await?;
        let chosen = views.get(index).and_then(View::facts).map(|facts| facts.identity.as_str());
        if chosen != Some(identity.as_str()) {
            return Err(DbError::not_source(
                &name,
                format!(
                    "another server ({identity}) answers at this address than was chosen; if it stays so, the address is \
                     that of a proxy that spreads connections: name the servers themselves"
                ),
            ));
        }
        let tables = Tables::open(session, &settings.site, Routes::new(&settings.routes, &settings.gateway)).await?;
        Ok(Self {
            name,
            identity,
            term: None,
            is_failover: false,
            tables,
            cursors: BTreeMap::new(),
            again: BTreeMap::new(),
            refused: BTreeMap::new(),
        })
    }

    /// Reads the term row and raises it when this server is new in its place. Returns the term that now holds.
    pub async fn confirm_term(&mut self, settings: &Settings, highest_seen: u64, now_us: i64) -> Result<u64, DbError> {
        let row = term_row::read(self.tables.session()).await?;
        let number = match term_step(row.as_ref(), &self.identity, highest_seen) {
            TermStep::Keep(term) => term,
            TermStep::LeftBehind(term) => {
                let words = format!(
                    "its term {term} is below {highest_seen}, the highest seen: it was left behind by a failover"
                );
                return Err(DbError::not_source(&self.name, words));
            }
            TermStep::Adopt(term) => self.adopt(settings, row.as_ref(), term, now_us).await?,
        };
        self.term = Some(Term { number, server: self.identity.clone() });
        Ok(number)
    }

    /// Names this server in the term row. Another gateway may do the same at this moment; then we look again.
    async fn adopt(
        &mut self,
        settings: &Settings,
        before: Option<&Term>,
        term: u64,
        now_us: i64,
    ) -> Result<u64, DbError> {
        let (site, gateway) = (settings.site.as_str(), settings.gateway.as_str());
        let text = format!("{} is the source in term {term}", self.name);
        info!("{text}");
        let kind = if before.is_some() { "failover" } else { "source" };
        let event = Event { at_us: now_us, site, gateway, kind, text: &text, count: None };
        let after = Term { number: term, server: self.identity.clone() };
        term_row::raise(self.tables.session(), before, &after, &event).await?;
        self.is_failover = before.is_some();
        Ok(term)
    }

    /// Writes a row of `events`.
    pub async fn event(
        &mut self,
        settings: &Settings,
        kind: &str,
        text: &str,
        count: Option<u64>,
        now_us: i64,
    ) -> Result<(), DbError> {
        let (site, gateway) = (settings.site.as_str(), settings.gateway.as_str());
        Event { at_us: now_us, site, gateway, kind, text, count }.write(self.tables.session()).await
    }

    /// Finds the cursor of every stream here; a stream that this server has never met gets a row that says 0.
    pub async fn locate(
        &mut self,
        settings: &Settings,
        origins: &Origins,
        streams: &[StreamId],
        now_us: i64,
    ) -> Result<(), DbError> {
        for some in streams.chunks(CURSORS_A_QUESTION) {
            let marks = vec!["?"; some.len()].join(", ");
            let sql = format!("SELECT stream, last_seq, gateway FROM streams WHERE stream IN ({marks})");
            let numbers = some.iter().map(|stream| Cell::UInt(stream.as_u64())).collect();
            let rows = self.tables.session().ask_with(&sql, numbers).await?;
            let found: BTreeMap<u64, (u64, String)> = rows
                .iter()
                .filter_map(|row| match row.as_slice() {
                    [stream, last, gateway] => Some((stream.as_u64()?, (last.as_u64()?, gateway.as_text()?))),
                    _ => None,
                })
                .collect();
            for stream in some {
                let made_by = origins.gateway_of(*stream);
                self.tables.note_maker(stream.as_u64(), made_by);
                match found.get(&stream.as_u64()) {
                    Some((last, gateway)) if gateway == made_by => {
                        self.cursors.insert(*stream, *last);
                    }
                    Some((_, gateway)) => {
                        error!(%stream, "this stream belongs to the gateway {gateway} in the database, and to {made_by} here; it is not drained. Set gateway.id back to {gateway} until it has been, or import it again with --gateway {gateway}");
                        self.refused.insert(*stream, made_by.to_owned());
                    }
                    None => self.begin(settings, made_by, *stream, now_us).await?,
                }
            }
        }
        Ok(())
    }

    async fn begin(
        &mut self,
        settings: &Settings,
        made_by: &str,
        stream: StreamId,
        now_us: i64,
    ) -> Result<(), DbError> {
        let sql =
            "INSERT INTO streams (stream, site, gateway, last_seq, started_at, updated_at) VALUES (?, ?, ?, 0, ?, ?)";
        let parameters = vec![
            Cell::UInt(stream.as_u64()),
            Cell::text(&settings.site),
            Cell::text(made_by),
            Cell::TimeUs(now_us),
            Cell::TimeUs(now_us),
        ];
        self.tables.session().change(sql, parameters).await?;
        self.cursors.insert(stream, 0);
        Ok(())
    }

    /// A replica of the same term that has more than the source means that the source forgot commits. Sending again
    /// would double them there, or skip them, so the drain holds.
    pub fn refuse_if_behind(&self, views: &[View], index: usize) -> Result<(), DbError> {
        let cursors = self.cursors.iter().map(|(stream, cursor)| (stream.as_u64(), *cursor)).collect();
        let Some(ahead) = ahead(views, index, self.term.as_ref(), &cursors) else { return Ok(()) };
        let words = format!(
            "{0} has stream {1:016x} up to {2}, but {3} only up to {4}: the source has forgotten commits. \
             Make {0} the source, and set sync_binlog = 1 and innodb_flush_log_at_trx_commit = 1",
            ahead.replica, ahead.stream, ahead.there, self.name, ahead.here
        );
        Err(DbError::protocol(&self.name, words))
    }

    /// Notes what other sources had already; the sum of what this one lacks of it.
    pub fn expect_again(&mut self, delivered: impl Fn(StreamId) -> u64) -> u64 {
        self.again = self
            .cursors
            .iter()
            .map(|(stream, cursor)| (*stream, *cursor, delivered(*stream)))
            .filter(|(_, cursor, delivered)| delivered > cursor)
            .map(|(stream, _, delivered)| (stream, delivered))
            .collect();
        self.again
            .iter()
            .map(|(stream, until)| until.saturating_sub(self.cursors.get(stream).copied().unwrap_or(0)))
            .sum()
    }

    /// The cursor of a stream; none when it must not be drained.
    pub fn cursor(&self, stream: StreamId) -> Option<u64> {
        self.cursors.get(&stream).copied()
    }

    /// Whether this connection has looked for a stream of that gateway, and has its cursor or refused it.
    pub fn is_located(&self, stream: StreamId, made_by: &str) -> bool {
        self.cursors.contains_key(&stream) || self.refused.get(&stream).is_some_and(|name| name == made_by)
    }

    /// All cursors.
    pub fn cursors(&self) -> impl Iterator<Item = (StreamId, u64)> + '_ {
        self.cursors.iter().map(|(stream, cursor)| (*stream, *cursor))
    }

    /// Whether this connection raised the term, because the server took the place of another.
    pub fn is_failover(&self) -> bool {
        self.is_failover
    }

    /// Asks a question with parameters.
    pub async fn ask(&mut self, sql: &str, parameters: Vec<Cell>) -> Result<Vec<Row>, DbError> {
        self.tables.session().ask_with(sql, parameters).await
    }

    /// The connection itself, for what is asked and told apart from the cursors.
    pub fn session(&mut self) -> &mut Session {
        self.tables.session()
    }

    /// Whether more can be asked of this connection.
    pub fn is_open(&mut self) -> bool {
        self.tables.session().is_open()
    }

    /// Tells this server from others, also behind one address.
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// The server, as configured.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Writes one batch and moves the cursor with it; a gateway of two as much of it as has not to wait.
    pub async fn write<'b>(
        &mut self,
        batch: &'b Batch,
        group: Option<&mut Group>,
        now_us: i64,
    ) -> Result<Wrote<'b>, DbError> {
        let (batch, left_out) = match group {
            None => {
                self.tables.write(batch, now_us).await?;
                (Cow::Borrowed(batch), 0)
            }
            Some(group) => match self.tables.deal(group, batch, now_us).await? {
                None => return Ok(Wrote::nothing_of(batch)),
                Some(part) => {
                    (Cow::Owned(part.batch), part.left_out.iter().map(|(first, last)| last - first + 1).sum())
                }
            },
        };
        self.cursors.insert(batch.stream, batch.last);
        let until = self.again.get(&batch.stream).copied().unwrap_or(0);
        let again = batch.readings.iter().filter(|(seq, _)| *seq <= until).count();
        Ok(Wrote { is_waiting: false, again: u64::try_from(again).unwrap_or(0), left_out, batch })
    }

    /// Writes the time into the row of a stream whose cursor is known, and no reading; a gateway of two also whose turn it is, and
    /// until when it has heard its sources.
    pub async fn beat(
        &mut self,
        stream: StreamId,
        group: Option<&mut Group>,
        through_us: Option<i64>,
        now_us: i64,
    ) -> Result<(), DbError> {
        let Some(cursor) = self.cursor(stream) else { return Ok(()) };
        match group {
            None => heartbeat::write(self.tables.session(), stream, cursor, now_us).await,
            Some(group) => self.tables.tell_group(group, (stream, cursor), through_us, now_us).await,
        }
    }

    /// Prepares the connection of a gateway of two.
    pub async fn join(&mut self, group: &Group) -> Result<(), DbError> {
        group.begin(self.tables.session()).await
    }

    /// Says goodbye.
    pub async fn close(self) {
        self.tables.close().await;
    }
}
