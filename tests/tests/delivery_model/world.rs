//! One state of everything that delivery is made of, small enough to be compared and kept by the hundred thousand.

use gateway::topology::{Facts, Replication, Term, View};

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
}

impl Server {
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

/// Readings take turns in two channels.
pub fn channel_of(reading: u8) -> usize {
    usize::from(reading % 2)
}

/// A stream of the queue. Its numbers count from 1.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Stream {
    /// The reading of each number, perhaps in the page cache only.
    pub readings: Vec<u8>,
    /// How many survive a power cut.
    pub durable: u8,
    /// How many the drain and the book of receipts see.
    pub visible: u8,
    /// How many have left.
    pub trimmed: u8,
    /// The highest number known of it, in a file of its own.
    pub end: u8,
}

/// The drain's connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Connection {
    pub server: u8,
    pub term: u8,
    pub cursors: [u8; STREAMS],
    pub channel_ids: [u8; 2],
}

pub const SERVERS: usize = 3;
pub const STREAMS: usize = 3;

/// The whole.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct World {
    pub servers: [Server; SERVERS],
    /// The server that people hold for the source: the one promoted last.
    pub official: u8,
    pub streams: [Stream; STREAMS],
    /// The stream that is being written.
    pub current: u8,
    /// Which readings were acknowledged to their node.
    pub acknowledged: [bool; 3],
    /// The highest term ever seen, in a file.
    pub highest_term: u8,
    pub connection: Option<Connection>,
    /// Only with the defect that keeps them.
    pub old_channel_ids: [u8; 2],
    pub failures: u8,
    /// Everything was restored from a backup: only then may an acknowledged reading be a gap.
    pub restored: bool,
}

impl World {
    /// A source that two replicas follow, and nothing sent.
    pub fn new() -> Self {
        let server = |writable, follows| Server {
            log: vec![Transaction::Term { number: 1, server: 0 }],
            applied: 1,
            writable,
            follows,
            up: true,
            pending: None,
        };
        Self {
            servers: [server(true, None), server(false, Some(0)), server(false, Some(0))],
            official: 0,
            streams: Default::default(),
            current: 0,
            acknowledged: [false; 3],
            highest_term: 1,
            connection: None,
            old_channel_ids: [0; 2],
            failures: 0,
            restored: false,
        }
    }

    /// Where the queue has, or had, a reading: stream and number.
    pub fn place(&self, reading: u8) -> Option<(u8, u8)> {
        (0u8..).zip(&self.streams).find_map(|(stream, kept)| {
            let (number, _) = (1..).zip(&kept.readings).find(|(_, other)| **other == reading)?;
            Some((stream, number))
        })
    }

    pub fn disconnect_from(&mut self, index: usize) {
        self.connection.take_if(|connection| usize::from(connection.server) == index);
    }

    /// What the probes say: of a server that does not answer, what it said last.
    pub fn views(&self) -> Vec<View> {
        (0..).zip(&self.servers).map(|(index, server)| self.view(index, server)).collect()
    }

    fn view(&self, index: u8, server: &Server) -> View {
        let replication = server.follows.map(|upstream| Replication {
            upstream: name(upstream),
            upstream_id: u64::from(upstream),
            receiving: true,
            applying: true,
            applied_all: server.applied == server.log.len(),
            ..Replication::default()
        });
        let mut view = View::unasked(name(index));
        view.answered(Facts {
            identity: name(index),
            server_id: u64::from(index),
            read_only: !server.writable,
            replication: replication.into_iter().collect(),
            crash_safe: true,
            term: server.term().map(|(number, server)| Term { number: number.into(), server: name(server) }),
            cursors: (0..).zip(&self.streams).map(|(of, _)| (u64::from(of), server.cursor(of).into())).collect(),
            ..Facts::default()
        });
        if !server.up {
            view.failed("no answer".to_owned());
        }
        view
    }
}

/// What a server is called in the traces.
pub fn name(server: u8) -> String {
    char::from(b'a' + server).to_string()
}
