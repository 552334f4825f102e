//! Which of the sources both gateways hear, and when each of them heard nothing. Pure.

use crate::drain::plan::Batch;
use crate::standby::span::{BROKERS, Break, published_since};
use crate::standby::verdict::{CATCH_UP_US, Heard, SETTLED_US};
use sensors::{Reading, SourceState};
use std::collections::BTreeMap;

/// Breaks that are remembered of a source.
const BREAKS: usize = 64;

/// Sources may be heard again so long before it is found that the process stood still; less than for what it must stand still.
const FOUND_WITHIN_US: i64 = 500_000;

/// What a beat says may be so old when it is heard.
const ON_ITS_WAY_MS: i64 = 500;

/// Clocks that differ by no more are taken for synchronised.
const SYNCHRONISED_MS: i64 = 2000;

/// Brokers that have not been heard for so long are not waited for.
const DEAF_US: i64 = 30_000_000;

/// What is known of the clocks of two gateways.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Clocks {
    /// The other gateway's minus ours, in microseconds.
    pub offset_us: i64,
    /// By how much that may be off, in microseconds.
    pub doubt_us: i64,
}

impl Clocks {
    /// The beats say that the other one's is ahead by so much. That is known to about a second: less than two are taken for none,
    /// as most clocks are synchronised, but not for certain where they are more than what a beat takes on its way, nor before
    /// the first beats of a start.
    pub fn told(ahead_ms: Option<i64>) -> Self {
        let us = |ms: i64| ms.saturating_mul(1000);
        let ahead_ms = ahead_ms.unwrap_or(SYNCHRONISED_MS);
        match ahead_ms.saturating_abs() {
            0..=ON_ITS_WAY_MS => Self::default(),
            off_ms @ ..=SYNCHRONISED_MS => Self { offset_us: 0, doubt_us: us(off_ms) },
            _ => Self { offset_us: us(ahead_ms), doubt_us: us(ON_ITS_WAY_MS) },
        }
    }
}

/// Which node is heard over which wire; all others over brokers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// What both gateways hear, by the name of the source's meter: the nodes on a wire; none for a broker.
    pub nodes: BTreeMap<String, Vec<String>>,
    /// Every wire with its nodes, also one that this gateway alone hears now: what waits may be of when both did.
    pub wires: BTreeMap<String, Vec<String>>,
}

impl Sources {
    /// The source of what this node says, or this port brought.
    fn of<'s>(&'s self, node: &'s str) -> &'s str {
        let is_wired = self.wires.values().flatten().any(|name| name == node);
        if is_wired { node } else { BROKERS }
    }

    /// The source of a dead letter from here: a port with one node, or a topic.
    fn of_origin(&self, origin: &str) -> &str {
        self.wires.get(origin).and_then(|nodes| nodes.first()).map_or(BROKERS, String::as_str)
    }

    fn of_meter(&self, meter: &str) -> Vec<String> {
        let wired = self.nodes.get(meter).filter(|nodes| !nodes.is_empty());
        wired.cloned().unwrap_or_else(|| vec![BROKERS.to_owned()])
    }
}

/// A source at the last look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Seen {
    connected_since_us: Option<i64>,
    /// Since when it hears nothing; none while it does.
    lost_since_us: Option<i64>,
}

/// What is known of the sources.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listening {
    sources: Sources,
    seen: BTreeMap<String, Seen>,
    breaks: BTreeMap<String, Vec<Break>>,
    /// Until when readings of earlier runs were made durable.
    ran_until_us: i64,
}

impl Listening {
    /// At the start: `breaks` are those of earlier runs, the last of which made something durable at `ran_until_us`.
    pub fn new(sources: Sources, breaks: BTreeMap<String, Vec<Break>>, ran_until_us: i64) -> Self {
        Self { sources, seen: BTreeMap::new(), breaks, ran_until_us }
    }

    /// The breaks, for the next start.
    pub fn breaks(&self) -> &BTreeMap<String, Vec<Break>> {
        &self.breaks
    }

    /// Looks at the meters of the sources that both gateways hear. True when a break ended.
    pub fn look(&mut self, meters: &[SourceState], now_us: i64) -> bool {
        let mut is_new = false;
        for meter in meters {
            is_new |= self.sources.nodes.contains_key(&meter.name) && self.look_at(meter, now_us);
        }
        is_new
    }

    fn look_at(&mut self, meter: &SourceState, now_us: i64) -> bool {
        let ran_until_us = self.ran_until_us;
        let first = || Seen { connected_since_us: None, lost_since_us: Some(ran_until_us) };
        let seen = self.seen.entry(meter.name.clone()).or_insert_with(first);
        let since_us = seen.connected_since_us.unwrap_or(i64::MIN);
        let found_lost_us = meter.found_lost_us.filter(|at_us| *at_us >= since_us);
        let Some(connected_us) = meter.connected_since_us else {
            seen.lost_since_us = seen.lost_since_us.or(found_lost_us).or(Some(now_us));
            return false;
        };
        if seen.connected_since_us == Some(connected_us) && seen.lost_since_us.is_none() {
            return false;
        }
        let from_us = seen.lost_since_us.or(found_lost_us).or(seen.connected_since_us).unwrap_or(connected_us);
        *seen = Seen { connected_since_us: Some(connected_us), lost_since_us: None };
        let pause = Break { from_us: from_us.min(connected_us), to_us: connected_us, is_resumed: meter.session_kept };
        for source in self.sources.of_meter(&meter.name) {
            self.add(source, pause);
        }
        true
    }

    /// This process stood still from a look on, which was found at `now_us`, soon after it went on: what brokers were given meanwhile
    /// came afterwards, with a later stamp; of what wires said only as much as the system keeps.
    pub fn stood_still(&mut self, from_us: i64, now_us: i64) {
        let to_us = now_us.saturating_sub(FOUND_WITHIN_US).max(from_us);
        let sources: Vec<String> = self.sources.nodes.keys().flat_map(|meter| self.sources.of_meter(meter)).collect();
        for source in sources {
            let is_resumed = source == BROKERS;
            self.add(source, Break { from_us, to_us, is_resumed });
        }
    }

    fn add(&mut self, source: String, pause: Break) {
        let breaks = self.breaks.entry(source).or_default();
        breaks.push(pause);
        let surplus = breaks.len().saturating_sub(BREAKS);
        breaks.drain(..surplus);
    }

    /// The breaks of a source; one that has not ended has no end yet.
    pub fn breaks_of(&self, source: &str) -> Vec<Break> {
        let mut breaks = self.ended(source).to_vec();
        let lost = self.lost_since(source).into_iter();
        breaks.extend(lost.map(|from_us| Break { from_us, to_us: i64::MAX, is_resumed: false }));
        breaks
    }

    fn ended(&self, source: &str) -> &[Break] {
        self.breaks.get(source).map_or(&[], Vec::as_slice)
    }

    /// Since when each meter of a source that is not heard has not been.
    fn lost_since(&self, source: &str) -> Vec<i64> {
        let is_its = |meter: &str| self.sources.of_meter(meter).iter().any(|name| name == source);
        let lost = self.seen.iter().filter(|(meter, _)| is_its(meter));
        lost.filter_map(|(_, seen)| seen.lost_since_us).collect()
    }

    /// Brokers of which one has not been heard for long by then: who waits for what they keep may wait for ever.
    pub fn are_brokers_deaf(&self, by_us: i64) -> bool {
        self.lost_since(BROKERS).iter().any(|since_us| since_us.saturating_add(DEAF_US) <= by_us)
    }

    /// The sources that hear everything that is said at this moment.
    pub fn connected(&self) -> Vec<String> {
        let mut connected: BTreeMap<String, bool> = BTreeMap::new();
        for meter in self.sources.nodes.keys() {
            let is_heard = self.seen.get(meter).is_some_and(|seen| seen.lost_since_us.is_none());
            for source in self.sources.of_meter(meter) {
                *connected.entry(source).or_insert(true) &= is_heard;
            }
        }
        connected.into_iter().filter(|(_, is_heard)| *is_heard).map(|(source, _)| source).collect()
    }

    /// The nodes on wires that have not been heard since then or before: nobody keeps what they say meanwhile.
    pub fn wires_lost(&self, by_us: i64) -> Vec<String> {
        let is_lost = |meter: &str| {
            let lost_since_us = self.seen.get(meter).and_then(|seen| seen.lost_since_us);
            lost_since_us.is_some_and(|since_us| since_us <= by_us)
        };
        let lost = self.sources.nodes.iter().filter(|(meter, _)| is_lost(meter));
        lost.flat_map(|(_, nodes)| nodes.clone()).collect()
    }

    /// What of a batch the other gateway may have heard too, by number.
    pub fn heard(&self, batch: &Batch, clocks: Clocks) -> HeardBatch {
        let shared = |seq: &u64| batch.shared.contains(seq);
        let mut heard = HeardBatch::default();
        for (seq, reading) in batch.readings.iter().filter(|(seq, _)| shared(seq)) {
            let source = self.sources.of(reading.node.as_str());
            heard.put(*seq, self.once(source, reading.stamp.wall_us, reading.has_identity(), clocks));
        }
        for row in batch.dead_letters.iter().filter(|row| shared(&row.seq)) {
            let at_us = row.arrived_us.unwrap_or(i64::MAX);
            heard.put(row.seq, self.once(self.sources.of_origin(&row.origin), at_us, false, clocks));
        }
        for row in batch.gaps.iter().filter(|row| shared(&row.seq)) {
            let source = row.gap.node.as_ref().map_or(BROKERS, |node| self.sources.of(node.as_str()));
            let ends = [row.gap.from_us, row.gap.to_us].into_iter().flatten();
            let ends = ends.map(|at_us| self.once(source, at_us, false, clocks).heard.first().copied());
            let ends: Vec<Heard> = ends.flatten().collect();
            heard.put(
                row.seq,
                Item {
                    source: source.to_owned(),
                    own_us: row.gap.from_us.unwrap_or(i64::MAX),
                    heard: ends,
                    is_gap: true,
                },
            );
        }
        heard
    }

    fn once(&self, source: &str, at_us: i64, has_identity: bool, clocks: Clocks) -> Item {
        // An identity is looked for as far as it may be; without one, doubt about every reading for so long would mark them all.
        let catch_up_us = if has_identity { CATCH_UP_US } else { SETTLED_US };
        let since_us = published_since(self.ended(source), at_us, catch_up_us);
        let heard = Heard {
            at_us: at_us.saturating_add(clocks.offset_us),
            since_us: since_us.saturating_add(clocks.offset_us),
            doubt_us: clocks.doubt_us,
            has_identity,
        };
        Item { source: source.to_owned(), own_us: at_us, heard: vec![heard], is_gap: false }
    }
}

/// Something in a batch that the other gateway may have heard too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The source that brought it.
    pub source: String,
    /// When, by our clock, microseconds since 1970.
    pub own_us: i64,
    /// The same for the other gateway; of a gap both ends, as far as they are known.
    pub heard: Vec<Heard>,
    /// It says that something is missing.
    pub is_gap: bool,
}

/// The parts of a batch that the other gateway may have heard too, by number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeardBatch {
    /// Each of them.
    pub items: BTreeMap<u64, Item>,
}

impl HeardBatch {
    fn put(&mut self, seq: u64, item: Item) {
        self.items.insert(seq, item);
    }

    /// The time of the first, by the other gateway's clock; none where nothing is shared.
    pub fn first_us(&self) -> Option<i64> {
        self.items.values().flat_map(|item| &item.heard).map(Heard::first_us).min()
    }
}

/// What makes a reading the same reading, whoever heard it: what the node itself said of it, and the value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    node: String,
    channel: String,
    node_seq: Option<i64>,
    node_time_us: Option<i64>,
    value: String,
}

impl Identity {
    /// Of a reading.
    pub fn of(reading: &Reading) -> Self {
        let (value, value_int, value_text, no_data) = crate::drain::rows::value_cells(reading);
        let names = (reading.node.to_string(), reading.channel.to_string());
        Self::from_cells(names, reading.node_seq, reading.node_time_us, [&value, &value_int, &value_text, &no_data])
    }

    /// The node.
    pub fn node(&self) -> &str {
        &self.node
    }

    /// Of a row of this node and channel: its value, value_int, value_text and no_data.
    pub fn from_cells(
        (node, channel): (String, String),
        node_seq: Option<i64>,
        node_time_us: Option<i64>,
        value: [&crate::database::Cell; 4],
    ) -> Self {
        use crate::database::Cell;
        let [float, int, text, no_data] = value;
        let bits = |cell: &Cell| if let Cell::Double(value) = cell { Some(value.to_bits()) } else { None };
        let value = match (int.as_i64(), text.as_text(), no_data.as_i64()) {
            (Some(int), ..) => format!("i{int}"),
            (_, Some(text), _) => format!("t{text}"),
            (_, _, Some(reason)) => format!("n{reason}"),
            _ => format!("f{:?}", bits(float)),
        };
        Self { node, channel, node_seq, node_time_us, value }
    }
}

#[cfg(test)]
mod tests;
