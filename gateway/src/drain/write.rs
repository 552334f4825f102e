//! One batch, one transaction: the cursor first, then rows, then commit.

mod of_group;

use super::plan::{Batch, DeadLetterRow, GapRow};
use super::routes::Routes;
use super::rows::{READING_COLUMNS, reading_row, without_empty_columns};
use crate::database::{Cell, DbError, Row, Session};
use crate::standby::span::OwnSpans;
use queue::StreamId;
use sensors::Reading;
use std::collections::{BTreeMap, HashMap};

/// A channel as the database knows it.
struct ChannelRow {
    id: u64,
    unit: Option<String>,
}

/// The tables of one server over one connection. Channel ids live and die with it: after the promotion of a replica
/// that lacked the last channels, an id remembered from before would put readings into another channel.
pub struct Tables {
    session: Session,
    site: String,
    channels: Channels,
    routes: Routes,
    /// Which gateway made each stream.
    makers: BTreeMap<u64, String>,
    /// What this gateway has collected of each source, where it is one of two.
    spans: BTreeMap<StreamId, OwnSpans>,
}

impl Tables {
    /// Reads the channels of `site`.
    ///
    /// # Errors
    /// [`DbError`].
    pub async fn open(mut session: Session, site: &str, routes: Routes) -> Result<Self, DbError> {
        let channels = channels_of(&mut session, site).await?;
        Ok(Self { session, site: site.to_owned(), channels, routes, makers: BTreeMap::new(), spans: BTreeMap::new() })
    }

    /// The connection.
    pub fn session(&mut self) -> &mut Session {
        &mut self.session
    }

    /// Says goodbye.
    pub async fn close(self) {
        self.session.close().await;
    }

    /// Writes one batch. `now_us` is the gateway's own clock. Where the connection is still open after an error, nothing of
    /// the batch was written: the transaction was rolled back, as the next one would otherwise commit the moved cursor.
    ///
    /// # Errors
    /// [`DbError`]; the outcome is unknown when the connection is closed.
    pub async fn write(&mut self, batch: &Batch, now_us: i64) -> Result<(), DbError> {
        let written = self.transact(batch, now_us).await;
        if written.is_err() && self.session.is_open() {
            self.roll_back().await?;
        }
        written
    }

    async fn transact(&mut self, batch: &Batch, now_us: i64) -> Result<(), DbError> {
        self.begin(batch, now_us).await?;
        self.write_rows(batch).await?;
        self.write_routes(batch).await?;
        self.session.run("COMMIT").await
    }

    /// Writes the rows that the batch has in the user's own tables, in a transaction of the caller's.
    ///
    /// # Errors
    /// As [`Tables::write`], with the name of the route.
    async fn write_routes(&mut self, batch: &Batch) -> Result<(), DbError> {
        for (route, sql, rows) in self.routes.rows(&self.site, batch) {
            let written = self.session.insert_many(&sql, rows).await;
            written.map_err(|error| error.of_route(&route.name, &route.table.to_string()))?;
        }
        Ok(())
    }

    /// Writes the rows of a batch, in a transaction of the caller's that holds the lock of the cursor's row.
    ///
    /// # Errors
    /// As [`Tables::write`].
    pub async fn write_rows(&mut self, batch: &Batch) -> Result<(), DbError> {
        let mut rows = Vec::with_capacity(batch.readings.len());
        for (seq, reading) in &batch.readings {
            let channel_id = self.channel_id(reading).await?;
            let maybe_twice = batch.marked.contains(seq);
            rows.push(reading_row(batch.stream.as_u64(), *seq, channel_id, reading, maybe_twice));
        }
        let (columns, rows) = without_empty_columns(READING_COLUMNS, rows);
        self.session.insert_many(&insert("readings", &columns), rows).await?;
        let gaps = batch.gaps.iter().map(|row| self.gap_row(batch, row)).collect();
        self.session.insert_many(&insert("gaps", GAP_COLUMNS), gaps).await?;
        let letters = batch.dead_letters.iter().map(|row| dead_letter_row(batch, row)).collect();
        self.session.insert_many(&insert("dead_letters", DEAD_LETTER_COLUMNS), letters).await
    }

    /// Takes back a batch that was refused. A channel that it added is then not there any more.
    ///
    /// # Errors
    /// [`DbError`]; the outcome is then unknown.
    pub async fn roll_back(&mut self) -> Result<(), DbError> {
        self.session.run("ROLLBACK").await?;
        self.spans.clear();
        self.channels = channels_of(&mut self.session, &self.site).await?;
        Ok(())
    }

    /// Inserts a single reading that was refused, into `readings` and where its routes lead, in a transaction of the
    /// caller's. With the name of a route, only there: the reading itself is stored already.
    ///
    /// # Errors
    /// [`DbError`]; of class `Setup` when there is no such route.
    pub async fn insert_refused(&mut self, batch: &Batch, route: &str) -> Result<(), DbError> {
        if route.is_empty() {
            self.write_rows(batch).await?;
            return self.write_routes(batch).await;
        }
        let missing = || DbError::setup(self.session.server(), format!("no route of the name {route} is configured"));
        let all = self.routes.clone();
        self.routes = all.only(route).ok_or_else(missing)?;
        let written = self.write_routes(batch).await;
        self.routes = all;
        written
    }

    /// Which gateway made a stream.
    pub fn note_maker(&mut self, stream: u64, gateway: &str) {
        self.makers.insert(stream, gateway.to_owned());
        self.routes.note_maker(stream, gateway);
    }

    /// Compare and set, and first in the transaction: it takes the row lock, so that a transaction of ours that timed out
    /// and still runs on the server is waited for, and then found to have happened.
    async fn begin(&mut self, batch: &Batch, now_us: i64) -> Result<(), DbError> {
        let changed = self.session.begin_with(&move_cursor(batch, now_us)).await?;
        self.require_moved(batch, changed).await
    }

    async fn require_moved(&mut self, batch: &Batch, changed: u64) -> Result<(), DbError> {
        if changed == 1 {
            return Ok(());
        }
        self.session.run("ROLLBACK").await?;
        let before = batch.first.saturating_sub(1);
        let words = format!("the cursor of stream {} is not at {before} any more; reading it again", batch.stream);
        Err(DbError::cursor_moved(self.session.server(), words))
    }

    async fn channel_id(&mut self, reading: &Reading) -> Result<u64, DbError> {
        let of_node = self.channels.get(reading.node.as_str());
        match of_node.and_then(|channels| channels.get(reading.channel.as_str())) {
            Some(known) if known.unit.is_some() || reading.unit.is_none() => Ok(known.id),
            _ => self.add_channel(reading).await,
        }
    }

    /// Adds a channel, or a unit to a channel that had none. Another gateway of the site may have been faster.
    async fn add_channel(&mut self, reading: &Reading) -> Result<u64, DbError> {
        let sql = "INSERT INTO channels (site, node, channel, unit) VALUES (?, ?, ?, ?) \
                   ON DUPLICATE KEY UPDATE channel_id = LAST_INSERT_ID(channel_id), unit = COALESCE(unit, VALUES(unit))";
        let (node, channel) = (reading.node.as_str().to_owned(), reading.channel.as_str().to_owned());
        let unit = reading.unit.as_ref().map(|unit| unit.as_str().to_owned());
        let parameters = vec![
            Cell::text(&self.site),
            Cell::text(&node),
            Cell::text(&channel),
            Cell::optional(unit.clone(), Cell::text),
        ];
        self.session.change(sql, parameters).await?;
        let id = self.session.last_insert_id().filter(|id| *id != 0);
        let id = id.ok_or_else(|| DbError::unexpected(self.session.server(), "INSERT INTO channels"))?;
        self.channels.entry(node).or_default().insert(channel, ChannelRow { id, unit });
        Ok(id)
    }

    fn gap_row(&self, batch: &Batch, row: &GapRow) -> Row {
        let gap = &row.gap;
        vec![
            Cell::UInt(batch.stream.as_u64()),
            Cell::UInt(row.seq),
            Cell::UInt(row.last_seq),
            Cell::text(&self.site),
            Cell::optional(gap.node.as_ref(), |node| Cell::text(node.as_str())),
            Cell::optional(gap.channel.as_ref(), |channel| Cell::text(channel.as_str())),
            Cell::text(&gap.reason),
            Cell::optional(gap.from_us, Cell::TimeUs),
            Cell::optional(gap.to_us, Cell::TimeUs),
            Cell::optional(gap.count, Cell::UInt),
        ]
    }
}

/// The statement that moves the cursor over a batch, if it still is where the batch begins.
fn move_cursor(batch: &Batch, now_us: i64) -> String {
    let (stream, before) = (batch.stream.as_u64(), batch.first.saturating_sub(1));
    format!(
        "UPDATE streams SET last_seq = {}, updated_at = TIMESTAMP'1970-01-01 00:00:00' + INTERVAL {now_us} MICROSECOND \
         WHERE stream = {stream} AND last_seq = {before}",
        batch.last
    )
}

/// By node and channel, so that neither name is copied to look for them.
type Channels = HashMap<String, HashMap<String, ChannelRow>>;

async fn channels_of(session: &mut Session, site: &str) -> Result<Channels, DbError> {
    let sql = "SELECT node, channel, channel_id, unit FROM channels WHERE site = ?";
    let rows = session.ask_with(sql, vec![Cell::text(site)]).await?;
    let mut channels = Channels::new();
    for (node, channel, found) in rows.iter().filter_map(channel_row) {
        channels.entry(node).or_default().insert(channel, found);
    }
    Ok(channels)
}

/// Node, channel, and what the database has of them.
fn channel_row(row: &Row) -> Option<(String, String, ChannelRow)> {
    let [node, channel, id, unit] = row.as_slice() else { return None };
    Some((node.as_text()?, channel.as_text()?, ChannelRow { id: id.as_u64()?, unit: unit.as_text() }))
}

/// The columns of `gaps` that are written.
pub const GAP_COLUMNS: &[&str] =
    &["stream", "seq", "last_seq", "site", "node", "channel", "reason", "from_time", "to_time", "count"];
/// The columns of `dead_letters` that are written.
pub const DEAD_LETTER_COLUMNS: &[&str] =
    &["stream", "seq", "origin", "reason", "server_words", "bytes", "length", "hash", "arrived_at", "state", "route"];

fn dead_letter_row(batch: &Batch, row: &DeadLetterRow) -> Row {
    vec![
        Cell::UInt(batch.stream.as_u64()),
        Cell::UInt(row.seq),
        Cell::text(&row.origin),
        Cell::text(&row.reason),
        Cell::optional(row.server_words.as_deref(), Cell::text),
        Cell::Bytes(row.bytes.clone()),
        Cell::UInt(row.length),
        Cell::optional(row.hash, Cell::UInt),
        Cell::optional(row.arrived_us, Cell::TimeUs),
        Cell::text("new"),
        Cell::text(&row.route),
    ]
}

fn insert(table: &str, columns: &[&str]) -> String {
    let names: Vec<String> = columns.iter().map(|name| format!("`{name}`")).collect();
    let marks = vec!["?"; columns.len()];
    format!("INSERT INTO {table} ({}) VALUES ({})", names.join(", "), marks.join(", "))
}
