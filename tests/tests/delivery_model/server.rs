//! A database server: the transactions that it has, and what it does.

use super::world::channel_of;

/// What a reading becomes in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Row {
    /// Which reading, from 0.
    pub reading: u8,
    /// The channel id that was written with it.
    pub channel_id: u8,
    /// The same transaction made the channel.
    pub makes_channel: bool,
}

/// What one transaction did. A server's rows, cursors, channels and term are what its transactions left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transaction {
    /// The term row names this server.
    Term { number: u8, server: u8 },
    /// Numbers of a stream, written to the server `origin`: a row, or a gap that names them; the cursor moves where
    /// `cursor` is true.
    Batch { origin: u8, stream: u8, first: u8, last: u8, row: Option<Row>, cursor: bool },
    /// The cursor alone: only with a defect.
    Cursor { stream: u8, last: u8 },
}

/// A database server.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Server {
    /// Applied transactions, and behind them those that were received only.
    pub log: Vec<Transaction>,
    /// How many of them are applied.
    pub applied: usize,
    /// Takes writes.
    pub writable: bool,
    /// Receives from and applies what comes of this server.
    pub follows: Option<u8>,
    /// Answers; otherwise it is frozen or dead, and may come back as it was.
    pub up: bool,
    /// A transaction of a connection that was given up: it holds the lock of the cursor's row until it ends.
    pub pending: Option<Transaction>,
    /// A promotion has stopped it from receiving.
    pub stopped: bool,
    /// The gateway that holds its promotion lock.
    pub lock: Option<u8>,
    /// It has started again since it was open, and is closed by that.
    pub restarted: bool,
    /// It has failed at some time.
    pub has_failed: bool,
    /// It stopped following before it had applied all that it had received.
    pub threw_away: bool,
}

impl Server {
    pub fn new(writable: bool, follows: Option<u8>) -> Self {
        Self {
            log: vec![Transaction::Term { number: 1, server: 0 }],
            applied: 1,
            writable,
            follows,
            up: true,
            pending: None,
            stopped: false,
            lock: None,
            restarted: false,
            has_failed: false,
            threw_away: false,
        }
    }

    /// What was received and not applied is thrown away.
    pub fn forget_received(&mut self) {
        self.log.truncate(self.applied);
    }

    pub fn done(&self) -> &[Transaction] {
        &self.log[..self.applied]
    }

    pub fn term(&self) -> Option<(u8, u8)> {
        self.done().iter().rev().find_map(|done| match done {
            Transaction::Term { number, server } => Some((*number, *server)),
            _ => None,
        })
    }

    pub fn cursor(&self, of: u8) -> u8 {
        let moved = self.done().iter().rev().find_map(|done| match *done {
            Transaction::Batch { stream, last, cursor: true, .. } | Transaction::Cursor { stream, last } => {
                (stream == of).then_some(last)
            }
            _ => None,
        });
        moved.unwrap_or(0)
    }

    pub fn rows(&self) -> impl Iterator<Item = Row> + '_ {
        self.done().iter().filter_map(|done| if let Transaction::Batch { row, .. } = done { *row } else { None })
    }

    pub fn has_gap_for(&self, of: u8, number: u8) -> bool {
        self.done().iter().any(|done| {
            matches!(done, Transaction::Batch { stream, first, last, row: None, .. }
                if *stream == of && (*first..=*last).contains(&number))
        })
    }

    /// The id of each channel; 0 where there is none yet.
    pub fn channel_ids(&self) -> [u8; 2] {
        let mut ids = [0; 2];
        self.rows().filter(|row| row.makes_channel).for_each(|row| ids[channel_of(row.reading)] = row.channel_id);
        ids
    }

    /// Commits a transaction of a client.
    pub fn commit(&mut self, transaction: Transaction) {
        self.log.insert(self.applied, transaction);
        self.applied += 1;
    }
}
