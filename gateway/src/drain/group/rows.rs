//! The rows of a group: whose turn it is, what each gateway has collected, and what was left out.

use super::GroupRow;
use super::alike::OtherRow;
use super::listening::Identity;
use super::part::{Given, Question};
use crate::database::{Cell, DbError, Family, Row, Session};
use crate::event::Event;
use crate::standby::claim::Holder;
use crate::standby::span::{OwnSpans, Span};
use crate::standby::verdict::{EDGE_US, Other};
use queue::StreamId;
use sensors::Reading;
use std::collections::{BTreeMap, BTreeSet};

/// A gateway that stands still in a transaction keeps its lock for no longer than this, in seconds.
const MOST_IDLE_S: u32 = 30;
/// The same inside of a transaction, where the server knows the difference.
const MOST_IDLE_IN_TRANSACTION_S: u32 = 5;

/// The span before a break matters for what was said in it; brokers keep nothing for longer than the week that a session lasts.
const LONGEST_BREAK_US: i64 = 8 * 24 * 3600 * 1_000_000;
/// A reading that was refused is looked for so long before and after: a broker may have kept it for one of the two.
const KEPT_BY_A_BROKER_US: i64 = 24 * 3600 * 1_000_000;

/// A connection, and who asks.
pub struct Rows<'s> {
    /// The connection.
    pub session: &'s mut Session,
    /// The site.
    pub site: &'s str,
    /// This gateway.
    pub gateway: &'s str,
}

impl Rows<'_> {
    /// The group has a row from now on, with no holder while nobody has claimed it.
    pub async fn begin(&mut self) -> Result<(), DbError> {
        let idle = match self.session.family() {
            Family::MariaDb => format!(
                "SET SESSION wait_timeout = {MOST_IDLE_S}, idle_transaction_timeout = {MOST_IDLE_IN_TRANSACTION_S}"
            ),
            Family::MySql => format!("SET SESSION wait_timeout = {MOST_IDLE_S}"),
        };
        self.session.run(&idle).await?;
        self.make().await
    }

    /// The same, and no more.
    pub async fn make(&mut self) -> Result<(), DbError> {
        let sql =
            "INSERT INTO standby_groups (site, term, holder) VALUES (?, 0, '') ON DUPLICATE KEY UPDATE site = site";
        self.session.change(sql, vec![Cell::text(self.site)]).await.map(drop)
    }

    /// Locks the row until the end of the transaction, and reads it.
    pub async fn lock(&mut self) -> Result<GroupRow, DbError> {
        let sql = "SELECT term, holder, updated_at FROM standby_groups WHERE site = ? FOR UPDATE";
        let rows = self.session.ask_with(sql, vec![Cell::text(self.site)]).await?;
        let row = rows.first().map(Vec::as_slice);
        let missing = || DbError::unexpected(self.session.server(), sql);
        let Some([term, holder, updated_at]) = row else { return Err(missing()) };
        let (term, gateway) = (term.as_u64().ok_or_else(missing)?, holder.as_text().ok_or_else(missing)?);
        let holder = (!gateway.is_empty()).then_some(Holder { term, gateway });
        Ok(GroupRow { holder, moved_us: updated_at.as_time_us() })
    }

    /// Writes this gateway into the locked row, with a row of events.
    pub async fn claim(&mut self, term: u64, before: Option<&Holder>, now_us: i64) -> Result<(), DbError> {
        let sql = "UPDATE standby_groups SET term = ?, holder = ?, claimed_at = ?, updated_at = ? WHERE site = ?";
        let (now, site) = (Cell::TimeUs(now_us), Cell::text(self.site));
        let values = vec![Cell::UInt(term), Cell::text(self.gateway), now.clone(), now, site];
        self.session.change(sql, values).await?;
        let text = match before {
            Some(before) if before.gateway != self.gateway => {
                format!("{} takes over from {} in term {term}", self.gateway, before.gateway)
            }
            _ => format!("{} is active in term {term}", self.gateway),
        };
        let (at_us, site, gateway) = (now_us, self.site, self.gateway);
        Event { at_us, site, gateway, kind: "takeover", text: &text, count: None }.write(self.session).await
    }

    /// The other gateways with their spans, as far as they matter for what was published since then.
    pub async fn others(&mut self, since_us: i64) -> Result<Vec<Other>, DbError> {
        let sql = "SELECT s.gateway, g.holder, p.source, p.from_time, p.to_time, p.written_from, p.written_to, p.filled_to, \
                          p.is_open, p.is_resumed, p.is_partial, p.stream, s.started_at \
                   FROM standby_spans p JOIN streams s ON s.stream = p.stream JOIN standby_groups g ON g.site = s.site \
                   WHERE s.site = ? AND s.gateway <> ? AND p.to_time >= ? ORDER BY p.from_time";
        let from_us = since_us.saturating_sub(LONGEST_BREAK_US);
        let values = vec![Cell::text(self.site), Cell::text(self.gateway), Cell::TimeUs(from_us)];
        let rows = self.session.ask_with(sql, values).await?;
        let told: Vec<Told> = rows.iter().filter_map(told).collect();
        Ok(others(&told))
    }

    /// Until when another gateway brought what it read, by source.
    pub async fn positions(&mut self, gateway: &str) -> Result<BTreeMap<String, i64>, DbError> {
        let sql = "SELECT p.source, MAX(p.to_time) FROM standby_spans p JOIN streams s ON s.stream = p.stream \
                   WHERE s.site = ? AND s.gateway = ? GROUP BY p.source";
        let rows = self.session.ask_with(sql, vec![Cell::text(self.site), Cell::text(gateway)]).await?;
        let positions = rows.iter().filter_map(|row| match row.as_slice() {
            [source, to] => Some((source.as_text()?, to.as_time_us()?)),
            _ => None,
        });
        Ok(positions.collect())
    }

    /// The newest span of each source in a stream of ours.
    pub async fn own(&mut self, stream: StreamId) -> Result<OwnSpans, DbError> {
        let sql = "SELECT source, from_time, to_time, written_from, written_to, filled_to, is_open, is_resumed, is_partial \
                   FROM standby_spans WHERE stream = ? ORDER BY from_time";
        let rows = self.session.ask_with(sql, vec![Cell::UInt(stream.as_u64())]).await?;
        let newest = rows.iter().filter_map(|row| {
            let (source, rest) = row.split_first()?;
            Some((source.as_text()?, span(rest)?))
        });
        Ok(OwnSpans::new(newest.collect()))
    }

    /// The numbers whose readings another gateway has written.
    pub async fn find(&mut self, question: &Question) -> Result<BTreeSet<u64>, DbError> {
        let channels = self.channels_of(question.nodes.keys()).await?;
        let condition = conditions(&question.nodes, &channels);
        let rows = self.look(&channels, (question.from_us, question.to_us), condition).await?;
        Ok(rows.iter().filter_map(|row| question.wanted.get(&row.identity)).flatten().copied().collect())
    }

    /// The other gateway's rows of these nodes without an identity, in the order of their stamps.
    pub async fn alike(&mut self, nodes: &BTreeSet<String>, times_us: (i64, i64)) -> Result<Vec<OtherRow>, DbError> {
        let channels = self.channels_of(nodes.iter()).await?;
        let condition = "r.node_seq IS NULL AND r.node_time IS NULL".to_owned();
        let mut rows = self.look(&channels, times_us, (condition, Vec::new())).await?;
        rows.sort_unstable_by_key(|row| (row.at_us, row.key));
        Ok(rows)
    }

    /// The other gateway's rows of these channels and times, as far as they meet a condition with its parameters.
    ///
    /// By the index of channels and times: the servers would rather go through all that the other gateway has ever written.
    async fn look(
        &mut self,
        channels: &Channels,
        (from_us, to_us): (i64, i64),
        (condition, parameters): (String, Vec<Cell>),
    ) -> Result<Vec<OtherRow>, DbError> {
        if channels.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT r.stream, r.seq, r.sampled_at, r.channel_id, r.node_seq, r.node_time, r.value, r.value_int, r.value_text, r.no_data \
             FROM readings r FORCE INDEX (by_channel_and_time) STRAIGHT_JOIN streams s ON s.stream = r.stream \
             WHERE r.channel_id IN ({}) AND r.sampled_at BETWEEN ? AND ? AND s.gateway <> ? AND ({condition})",
            listed(channels.keys())
        );
        let mut values = vec![Cell::TimeUs(from_us), Cell::TimeUs(to_us), Cell::text(self.gateway)];
        values.extend(parameters);
        let rows = self.session.ask_with(&sql, values).await?;
        Ok(rows.iter().filter_map(|row| other_row(row, channels)).collect())
    }

    /// What another gateway has of a reading that the database refused. The row of the group is locked from here on.
    pub async fn twin(&mut self, reading: &Reading) -> Result<Twin, DbError> {
        self.make().await?;
        self.lock().await?;
        if reading.has_identity() {
            let found = self.find(&Question::of(reading, KEPT_BY_A_BROKER_US)).await?;
            return Ok(if found.is_empty() { Twin::None } else { Twin::There });
        }
        let (at_us, identity) = (reading.stamp.wall_us, Identity::of(reading));
        let times_us = (at_us.saturating_sub(2 * EDGE_US), at_us.saturating_add(2 * EDGE_US));
        let rows = self.alike(&[identity.node().to_owned()].into(), times_us).await?;
        let is_alike = rows.iter().any(|row| row.identity == identity);
        Ok(if is_alike { Twin::MayBe(times_us) } else { Twin::None })
    }

    /// The channels of these nodes, by their ids.
    async fn channels_of(&mut self, nodes: impl Iterator<Item = &String>) -> Result<Channels, DbError> {
        let nodes: Vec<Cell> = nodes.map(Cell::text).collect();
        let marks = vec!["?"; nodes.len()].join(", ");
        let sql = format!("SELECT channel_id, node, channel FROM channels WHERE site = ? AND node IN ({marks})");
        let rows = self.session.ask_with(&sql, [vec![Cell::text(self.site)], nodes].concat()).await?;
        let channels = rows.iter().filter_map(|row| match row.as_slice() {
            [id, node, channel] => Some((id.as_u64()?, (node.as_text()?, channel.as_text()?))),
            _ => None,
        });
        Ok(channels.collect())
    }

    /// Marks the other gateway's readings of these channels and times: they may stand twice.
    pub async fn mark(&mut self, channels: &BTreeSet<u64>, (from_us, to_us): (i64, i64)) -> Result<(), DbError> {
        let sql = format!(
            "UPDATE readings r FORCE INDEX (by_channel_and_time) STRAIGHT_JOIN streams s ON s.stream = r.stream \
             SET r.maybe_twice = 1 \
             WHERE r.channel_id IN ({}) AND r.sampled_at BETWEEN ? AND ? AND s.site = ? AND s.gateway <> ? \
               AND r.node_seq IS NULL AND r.node_time IS NULL",
            listed(channels.iter())
        );
        let values = vec![Cell::TimeUs(from_us), Cell::TimeUs(to_us), Cell::text(self.site), Cell::text(self.gateway)];
        self.session.change(&sql, values).await.map(drop)
    }

    /// Writes the spans that have changed; as the holder, also that it lives.
    pub async fn write_spans(
        &mut self,
        own: &OwnSpans,
        stream: StreamId,
        holds_at_us: Option<i64>,
    ) -> Result<(), DbError> {
        if let Some(now_us) = holds_at_us {
            let sql = "UPDATE standby_groups SET updated_at = ? WHERE site = ?";
            self.session.change(sql, vec![Cell::TimeUs(now_us), Cell::text(self.site)]).await?;
        }
        for (source, span) in own.changed() {
            let sql = "INSERT INTO standby_spans \
                         (stream, source, from_time, to_time, written_from, written_to, filled_to, is_open, is_resumed, is_partial) \
                       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
                       ON DUPLICATE KEY UPDATE to_time = VALUES(to_time), written_from = VALUES(written_from), \
                         written_to = VALUES(written_to), filled_to = VALUES(filled_to), is_open = VALUES(is_open), \
                         is_resumed = VALUES(is_resumed), is_partial = VALUES(is_partial)";
            let (written_from, written_to) = span.written_us.unzip();
            let values = vec![
                Cell::UInt(stream.as_u64()),
                Cell::text(source),
                Cell::TimeUs(span.from_us),
                Cell::TimeUs(span.to_us),
                Cell::optional(written_from, Cell::TimeUs),
                Cell::optional(written_to, Cell::TimeUs),
                Cell::optional(span.filled_to_us, Cell::TimeUs),
                Cell::Int(i64::from(span.is_open)),
                Cell::Int(i64::from(span.is_resumed)),
                Cell::Int(i64::from(span.is_partial)),
            ];
            self.session.change(sql, values).await?;
        }
        Ok(())
    }
}

/// Names numbers for which there are no rows, since those of the other gateway are there.
///
/// # Errors
/// [`DbError`].
pub async fn leave_out(session: &mut Session, stream: StreamId, spans: &[(u64, u64)]) -> Result<(), DbError> {
    let Some(((first, last), rest)) = spans.split_first() else { return Ok(()) };
    // What goes on where the last span ended is one span with it; only the first can.
    let sql = "UPDATE left_out SET last_seq = ? WHERE stream = ? AND last_seq = ?";
    let values = vec![Cell::UInt(*last), Cell::UInt(stream.as_u64()), Cell::UInt(first.saturating_sub(1))];
    let new = if session.change(sql, values).await? == 0 { spans } else { rest };
    let row = |(first, last): &(u64, u64)| vec![Cell::UInt(stream.as_u64()), Cell::UInt(*first), Cell::UInt(*last)];
    let sql = "INSERT INTO left_out (stream, seq, last_seq) VALUES (?, ?, ?)";
    session.insert_many(sql, new.iter().map(row).collect()).await
}

/// What another gateway has of a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Twin {
    /// Nothing.
    None,
    /// A row of it.
    There,
    /// A row that is alike, between these times: nobody can tell.
    MayBe((i64, i64)),
}

/// A span of another gateway.
struct Told {
    gateway: String,
    is_holder: bool,
    source: String,
    span: Span,
    stream: u64,
    started_us: i64,
}

fn told(row: &Row) -> Option<Told> {
    let [gateway, holder, source, rest @ .., stream, started_at] = row.as_slice() else { return None };
    let gateway = gateway.as_text()?;
    Some(Told {
        is_holder: holder.as_text()? == gateway,
        gateway,
        source: source.as_text()?,
        span: span(rest)?,
        stream: stream.as_u64()?,
        started_us: started_at.as_time_us()?,
    })
}

/// By gateway and source, in order of time. The last span of a source goes on only in the newest stream of its gateway.
fn others(told: &[Told]) -> Vec<Other> {
    let mut newest: BTreeMap<&str, (i64, u64)> = BTreeMap::new();
    for span in told {
        let last = newest.entry(&span.gateway).or_insert((span.started_us, span.stream));
        *last = (span.started_us, span.stream).max(*last);
    }
    let mut others: BTreeMap<&str, Other> = BTreeMap::new();
    let mut last: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for span in told {
        let other = others.entry(&span.gateway).or_default();
        other.is_holder |= span.is_holder;
        other.spans.entry(span.source.clone()).or_default().push(span.span);
        last.insert((&span.gateway, &span.source), span.stream);
    }
    for ((gateway, source), stream) in last {
        let is_over = newest.get(gateway).is_some_and(|(_, newest)| *newest != stream);
        let span = others.get_mut(gateway).and_then(|other| other.spans.get_mut(source)?.last_mut());
        if let Some(span) = span.filter(|_| is_over) {
            span.is_open = false;
        }
    }
    others.into_values().collect()
}

fn span(cells: &[Cell]) -> Option<Span> {
    let [from, to, written_from, written_to, filled_to, is_open, is_resumed, is_partial] = cells else { return None };
    Some(Span {
        from_us: from.as_time_us()?,
        to_us: to.as_time_us()?,
        written_us: written_from.as_time_us().zip(written_to.as_time_us()),
        filled_to_us: filled_to.as_time_us(),
        is_open: is_open.as_i64()? != 0,
        is_resumed: is_resumed.as_i64()? != 0,
        is_partial: is_partial.as_i64()? != 0,
    })
}

/// Node and channel, by the id of the channel.
type Channels = BTreeMap<u64, (String, String)>;

/// Ids as a statement lists them.
fn listed<'i>(ids: impl Iterator<Item = &'i u64>) -> String {
    ids.map(u64::to_string).collect::<Vec<_>>().join(", ")
}

/// For each node the numbers or times to look at, so that the answer is no longer than the question; with their parameters.
fn conditions(nodes: &BTreeMap<String, Given>, channels: &Channels) -> (String, Vec<Cell>) {
    let (mut conditions, mut values) = (vec!["FALSE".to_owned()], Vec::new());
    for (node, given) in nodes {
        let ids = listed(channels.iter().filter(|(_, (name, _))| name == node).map(|(id, _)| id));
        let seqs = given.seqs.map(|(least, most)| ("node_seq", [Cell::Int(least), Cell::Int(most)]));
        let times = given.times_us.map(|(least, most)| ("node_time", [Cell::TimeUs(least), Cell::TimeUs(most)]));
        for (column, bounds) in seqs.into_iter().chain(times).filter(|_| !ids.is_empty()) {
            conditions.push(format!("(r.channel_id IN ({ids}) AND r.{column} BETWEEN ? AND ?)"));
            values.extend(bounds);
        }
    }
    (conditions.join(" OR "), values)
}

fn other_row(row: &Row, channels: &Channels) -> Option<OtherRow> {
    let [stream, seq, sampled_at, channel_id, node_seq, node_time, value, value_int, value_text, no_data] =
        row.as_slice()
    else {
        return None;
    };
    let (names, values) = (channels.get(&channel_id.as_u64()?)?.clone(), [value, value_int, value_text, no_data]);
    let identity = Identity::from_cells(names, node_seq.as_i64(), node_time.as_time_us(), values);
    Some(OtherRow { key: (stream.as_u64()?, seq.as_u64()?), at_us: sampled_at.as_time_us()?, identity })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(source: &str, stream: u64, from_us: i64) -> Told {
        let span = Span { from_us, to_us: from_us, is_open: true, ..Span::default() };
        let started_us = i64::try_from(stream).unwrap();
        Told { gateway: "a".into(), is_holder: true, source: source.into(), span, stream, started_us }
    }

    /// What was heard after the last time of a former run may have gone with a card, so its spans stay open in the middle.
    #[test]
    fn only_the_last_span_of_a_source_ends_with_the_run_of_its_gateway() {
        let found = others(&[told("silo", 1, 10), told("", 1, 20), told("silo", 2, 30)]);
        let open = |source: &str| found[0].spans[source].iter().map(|span| span.is_open).collect::<Vec<_>>();
        assert_eq!((open("silo"), open(""), found[0].is_holder), (vec![true, true], vec![false], true));
    }

    #[test]
    fn the_look_names_each_node_with_what_it_gave() {
        let given = |seqs, times_us| Given { seqs, times_us };
        let nodes = [("a".to_owned(), given(Some((1, 5)), None)), ("b".to_owned(), given(Some((7, 7)), Some((8, 9))))];
        let names = |node: &str, channel: &str| (node.to_owned(), channel.to_owned());
        let channels = [(3, names("a", "t")), (4, names("b", "t")), (5, names("a", "h"))].into();
        let (sql, values) = conditions(&nodes.into(), &channels);
        let of = |ids: &str, column: &str| format!(" OR (r.channel_id IN ({ids}) AND r.{column} BETWEEN ? AND ?)");
        assert_eq!(sql, "FALSE".to_owned() + &of("3, 5", "node_seq") + &of("4", "node_seq") + &of("4", "node_time"));
        assert_eq!(values.len(), 6);
        assert_eq!(conditions(&[("c".to_owned(), given(Some((1, 5)), None))].into(), &channels).0, "FALSE");
    }
}
