//! One state of everything that delivery is made of, small enough to be compared and kept by the hundred thousand.

use super::gtids::Gtids;
use super::server::Server;
use gateway::topology::promote::{Way, steps};

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

/// A promotion by a gateway: the step that it has done last, and for whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Promotion {
    pub done: steps::Step,
    pub candidate: u8,
    pub way: Way,
}

/// The way from a gateway to a server is broken; what the server said last.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Cut {
    pub server: u8,
    pub last: Server,
}

pub const SERVERS: usize = 3;
/// The second gateway only promotes.
pub const GATEWAYS: usize = 2;
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
    /// How many gateways promote servers by themselves: the first, or both. People do so where none does.
    pub promoters: u8,
    /// People promote also what GTIDs would rule out, so what counts for them must not be ruled out: then there are none.
    pub gtids: Gtids,
    pub promotions: [Option<Promotion>; GATEWAYS],
    pub cuts: [Option<Cut>; GATEWAYS],
}

impl World {
    /// A source that two replicas follow, and nothing sent.
    pub fn new(promoters: u8, gtids: Gtids) -> Self {
        Self {
            servers: [Server::new(true, None), Server::new(false, Some(0)), Server::new(false, Some(0))],
            official: 0,
            streams: Default::default(),
            current: 0,
            acknowledged: [false; 3],
            highest_term: 1,
            connection: None,
            old_channel_ids: [0; 2],
            failures: 0,
            restored: false,
            promoters,
            gtids,
            promotions: [None; GATEWAYS],
            cuts: [None, None],
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

    /// Whether a server answers a gateway.
    pub fn answers(&self, gateway: usize, index: usize) -> bool {
        let is_cut = self.cuts[gateway].as_ref().is_some_and(|cut| usize::from(cut.server) == index);
        self.servers[index].up && !is_cut
    }

    /// A promotion is given up, or its gateway is killed: its locks are gone.
    pub fn give_up(&mut self, gateway: usize) {
        self.promotions[gateway] = None;
        self.servers.iter_mut().for_each(|server| server.lock = server.lock.filter(|by| usize::from(*by) != gateway));
    }
}

/// What a server is called in the traces.
pub fn name(server: u8) -> String {
    char::from(b'a' + server).to_string()
}

/// The same of a place.
pub fn letter(index: usize) -> String {
    name(u8::try_from(index).unwrap())
}
