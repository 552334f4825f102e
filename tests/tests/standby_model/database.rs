//! The source, and one replica that follows it by whole transactions.

use gateway::standby::span::Span;
use std::collections::VecDeque;

/// A reading in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Row {
    pub reading: u8,
    pub gateway: usize,
    pub at_us: i64,
    pub is_marked: bool,
}

/// What one transaction of a gateway did.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Transaction {
    pub gateway: usize,
    /// It wrote without waiting.
    pub as_holder: bool,
    /// The term with which it wrote itself into the group's row.
    pub claims: Option<u64>,
    pub cursor: u32,
    /// The time of the last reading that it dealt with.
    pub drained_us: Option<i64>,
    pub spans: Vec<(u8, Span)>,
    pub rows: Vec<Row>,
    /// The other gateway's rows for which readings were left out by their value.
    pub taken: Vec<u8>,
}

/// What a server has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Server {
    /// The group's row: term and holder.
    pub holder: Option<(u64, usize)>,
    pub cursors: [u32; 2],
    /// Of each gateway: stream and span, in order of time.
    pub spans: [Vec<(u8, Span)>; 2],
    pub rows: Vec<Row>,
}

impl Server {
    pub fn apply(&mut self, done: &Transaction) {
        let by = done.gateway;
        self.holder = done.claims.map(|term| (term, by)).or(self.holder);
        self.cursors[by] = done.cursor;
        for (stream, span) in &done.spans {
            self.spans[by].retain(|(other, old)| (*other, old.from_us) != (*stream, span.from_us));
            self.spans[by].push((*stream, *span));
        }
        self.spans[by].sort_by_key(|(stream, span)| (span.from_us, *stream));
        self.rows.extend(&done.rows);
    }
}

/// Both servers, and what is on its way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Database {
    pub source: Server,
    pub replica: Server,
    pub unreplicated: VecDeque<Transaction>,
    /// A transaction of each gateway that has not ended: it holds the lock of the group's row.
    pub open: [Option<Transaction>; 2],
    pub is_away: bool,
    /// When each gateway last wrote.
    pub moved_us: [i64; 2],
}

impl Database {
    pub fn commit(&mut self, done: Transaction, now_us: i64) {
        self.moved_us[done.gateway] = now_us;
        self.source.apply(&done);
        self.unreplicated.push_back(done);
    }

    /// The replica gets the next transaction.
    pub fn replicate(&mut self) -> bool {
        let next = self.unreplicated.pop_front();
        next.iter().for_each(|done| self.replica.apply(done));
        next.is_some()
    }

    /// The replica becomes the source with what it has.
    pub fn fail_over(&mut self) {
        self.source = self.replica.clone();
        self.unreplicated.clear();
        self.open = [None, None];
    }
}
