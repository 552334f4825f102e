//! The numbers of transactions as servers write them.

use super::server::{Server, Transaction};
use super::world::SERVERS;

/// Whose way of numbering.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Gtids {
    /// None are told.
    None,
    /// Of one domain, one after the other, whoever writes them.
    MariaDb,
    /// Those of each server by themselves.
    MySql,
}

impl Gtids {
    /// What a server's own begin with.
    pub fn origin(self, index: u8) -> String {
        match self {
            Self::None => String::new(),
            Self::MariaDb => (index + 1).to_string(),
            Self::MySql => uuid(index),
        }
    }

    /// What a server has applied.
    pub fn executed(self, server: &Server) -> String {
        self.among(server.done())
    }

    /// What a server has received: on MariaDB the last only.
    pub fn received(self, server: &Server) -> String {
        match (self, server.log.last()) {
            (Self::MariaDb, Some(last)) => one_of_domain(origin(last), server.log.len()),
            _ => self.among(&server.log),
        }
    }

    fn among(self, transactions: &[Transaction]) -> String {
        let (mut count, mut last) = ([0; SERVERS], [0; SERVERS]);
        for (number, of) in (1..).zip(transactions.iter().map(|one| usize::from(origin(one)))) {
            (count[of], last[of]) = (count[of] + 1, number);
        }
        let of_each = (0..).zip(count.into_iter().zip(last)).filter(|(_, (count, _))| *count > 0);
        let words = of_each.map(|(index, (count, last))| match self {
            Self::MySql => format!("{}:1-{count}", uuid(index)),
            _ => one_of_domain(index, last),
        });
        if self == Self::None { String::new() } else { words.collect::<Vec<_>>().join(",") }
    }
}

fn one_of_domain(origin: u8, number: usize) -> String {
    format!("0-{}-{number}", origin + 1)
}

fn uuid(index: u8) -> String {
    format!("{index:08}-0000-0000-0000-000000000000")
}

fn origin(transaction: &Transaction) -> u8 {
    match transaction {
        Transaction::Term { server, .. } => *server,
        Transaction::Batch { origin, .. } => *origin,
        Transaction::Cursor { .. } => 0,
    }
}
