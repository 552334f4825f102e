//! What a transaction does with the readings that wait: the decisions are the product's own.

use super::database::{Row, Transaction};
use super::defect::Defect;
use super::world::{Queued, World};
use gateway::standby::span::{Break, Dealt, OwnSpans, Span, published_since};
use gateway::standby::verdict::{CATCH_UP_US, EDGE_US, Heard, Other, SETTLED_US, Verdict, verdict};

/// Readings being dealt with.
struct Dealing<'a> {
    world: &'a World,
    gateway: usize,
    others: Vec<Other>,
    defect: Option<Defect>,
    /// The stream whose breaks and spans these are.
    stream: Option<u8>,
    breaks: Vec<Break>,
    own: OwnSpans,
    done: Transaction,
}

impl World {
    /// What it would do, by what the source shows now.
    pub fn transaction(
        &self,
        gateway: usize,
        as_holder: bool,
        claims: Option<u64>,
        defect: Option<Defect>,
    ) -> Transaction {
        let source = &self.database.source;
        let spans = self.spans_of_other(1 - gateway);
        let is_holder = !as_holder && self.row().0 == Some(1 - gateway);
        let cursor = source.cursors[gateway];
        let (drained_us, spans_done, rows, taken) = (None, Vec::new(), Vec::new(), Vec::new());
        let done = Transaction { gateway, as_holder, claims, cursor, drained_us, spans: spans_done, rows, taken };
        let others = vec![Other { is_holder, spans: [(self.site.source().to_owned(), spans)].into() }];
        let (stream, breaks, own) = (None, Vec::new(), OwnSpans::default());
        let mut dealing = Dealing { world: self, gateway, others, defect, stream, breaks, own, done };
        dealing.all();
        dealing.keep_spans();
        dealing.done
    }

    fn spans_of_other(&self, other: usize) -> Vec<Span> {
        self.database.source.spans[other].iter().map(|(_, span)| *span).collect()
    }

    /// All that are known; of those after a reading nothing comes of it.
    fn breaks(&self, gateway: usize, stream: u8, defect: Option<Defect>) -> Vec<Break> {
        let own = &self.gateways[gateway];
        let is_forgotten = |of: u8| match defect {
            Some(Defect::SpansWithoutBreaks) => true,
            Some(Defect::ForgetsBreaksAtStart) => stream != own.stream && of != own.stream,
            _ => false,
        };
        let ended = own.breaks.iter().filter(|(other, _)| !is_forgotten(*other)).map(|(_, pause)| *pause);
        let lasting = Break { from_us: own.deaf_us, to_us: i64::MAX, is_resumed: false };
        ended.chain((!own.hears && !is_forgotten(own.stream)).then_some(lasting)).collect()
    }

    /// As the database has them.
    fn own_spans(&self, gateway: usize, stream: u8) -> OwnSpans {
        let spans = self.database.source.spans[gateway].iter().filter(|(other, _)| *other == stream);
        OwnSpans::new(spans.map(|(_, span)| (self.site.source().to_owned(), *span)).collect())
    }
}

impl Dealing<'_> {
    /// In order, up to the first that has to wait; then the spans reach as far as nothing was to be heard.
    fn all(&mut self) {
        let world = self.world;
        let (own, source) = (&world.gateways[self.gateway], world.site.source());
        let before = self.done.cursor;
        for queued in own.queue.iter().filter(|queued| queued.number > before) {
            self.of_stream(queued.stream);
            let Some(dealt) = self.deal(queued) else { return };
            self.own.extend(source, queued.at_us, dealt, &self.breaks);
            (self.done.cursor, self.done.drained_us) = (queued.number, Some(queued.at_us));
        }
        self.of_stream(own.stream);
        if self.defect == Some(Defect::SpansStandStill) {
            return;
        }
        if own.hears || self.defect == Some(Defect::SpansWithoutBreaks) {
            self.own.reach(source, self.world.clock_us(self.gateway), &self.breaks);
        } else if !self.world.site.is_kept {
            self.own.end(source, own.deaf_us);
        } else {
            // What a broker gives comes at least so long after it was last seen to be lost.
            self.own.pass(source, self.world.clock_us(self.gateway) - EDGE_US, &self.breaks);
        }
    }

    fn deal(&mut self, queued: &Queued) -> Option<Dealt> {
        let has_identity = self.world.site.has_identity;
        // By time alone ten minutes in which everything might be old would be too many doubles.
        let catch_up_us = if has_identity { CATCH_UP_US } else { SETTLED_US };
        let since_us = published_since(&self.breaks, queued.at_us, catch_up_us);
        let heard = Heard { at_us: queued.at_us, since_us, doubt_us: 0, has_identity };
        let is_marked = match self.verdict(&heard) {
            Verdict::Wait => return None,
            Verdict::LeaveOut => return Some(Dealt::LeftOut),
            Verdict::Ask(from_us, to_us) if self.has_other(queued.reading, from_us, to_us) => {
                return Some(Dealt::LeftOut);
            }
            Verdict::AskAlike(from_us, to_us) if self.takes_other(from_us, to_us) => return Some(Dealt::LeftOut),
            Verdict::Ask(..) | Verdict::Write => false,
            Verdict::AskAlike(..) | Verdict::WriteMarked(..) => self.defect != Some(Defect::DoublesAreNotMarked),
        };
        let (reading, at_us) = (queued.reading, queued.at_us);
        self.done.rows.push(Row { reading, gateway: self.gateway, at_us, is_marked });
        Some(if self.done.as_holder { Dealt::Written } else { Dealt::Filled })
    }

    fn verdict(&self, heard: &Heard) -> Verdict {
        let is_holder = self.done.as_holder || self.defect == Some(Defect::StandbyDoesNotWait);
        let said = self.world.gateways[self.gateway].heard.map_or(0, |(_, beat)| beat.drained_us);
        let is_said = self.defect == Some(Defect::PositionFromTheBeat) && heard.at_us <= said.saturating_add(EDGE_US);
        if is_said && self.done.as_holder {
            return Verdict::LeaveOut;
        }
        verdict(heard, self.world.site.source(), &self.others, is_holder)
    }

    /// The other gateway's row of the same reading.
    fn has_other(&self, reading: u8, from_us: i64, to_us: i64) -> bool {
        let is_it = |row: &Row| row.gateway != self.gateway && row.reading == reading;
        let is_there = |row: &Row| is_it(row) && (from_us..=to_us).contains(&row.at_us);
        let mut rows = self.world.database.source.rows.iter();
        self.defect == Some(Defect::LeavesOutWithoutLooking) || rows.any(is_there)
    }

    /// A row of the other gateway that no reading was left out for: all have the same value.
    fn takes_other(&mut self, from_us: i64, to_us: i64) -> bool {
        let (known, done) = (&self.world.gateways[self.gateway].taken, &self.done.taken);
        let is_free = |row: &&Row| !known.contains(&row.reading) && !done.contains(&row.reading);
        let others = self.world.database.source.rows.iter().filter(|row| row.gateway != self.gateway);
        let row = others.filter(|row| (from_us..=to_us).contains(&row.at_us)).find(is_free);
        let reading = row.map(|row| row.reading);
        self.done.taken.extend(reading);
        reading.is_some()
    }

    /// Each stream has spans of its own.
    fn of_stream(&mut self, stream: u8) {
        if self.stream != Some(stream) {
            self.keep_spans();
            self.stream = Some(stream);
            self.own = self.world.own_spans(self.gateway, stream);
            self.breaks = self.world.breaks(self.gateway, stream, self.defect);
        }
    }

    fn keep_spans(&mut self) {
        let Some(stream) = self.stream else { return };
        let spans: Vec<Span> = self.own.changed().map(|(_, span)| *span).collect();
        self.done.spans.extend(spans.into_iter().map(|span| (stream, span)));
        self.own.written();
    }
}
