//! The rows of a database, as the auditor sees them.

use crate::mariadb::{Row, Server};

/// Readings that a node numbered. A row that says why there is no value is not one: it has no number of a node.
const SQL: &str = "SELECT c.node, r.node_seq, c.channel, r.value, r.value_int, r.value_text, r.no_data \
                   FROM field.readings r JOIN field.channels c USING (channel_id) WHERE r.node_seq IS NOT NULL";

/// One row of `readings` with its channel's names; the values as the database client prints them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredReading {
    /// The node's name.
    pub node: String,
    /// The node's own number of the message.
    pub node_seq: u64,
    /// The channel's name.
    pub channel: String,
    /// The columns `value`, `value_int`, `value_text` and `no_data`.
    pub columns: [String; 4],
}

impl StoredReading {
    /// All of them on this server.
    ///
    /// # Panics
    /// When the tables are not there or look otherwise.
    pub fn all_on(server: &Server) -> Vec<Self> {
        server.query(SQL).into_iter().map(Self::from_row).collect()
    }

    fn from_row(row: Row) -> Self {
        let [node, seq, channel, value, value_int, value_text, no_data] =
            <[String; 7]>::try_from(row).unwrap_or_else(|row| panic!("seven columns expected, found {row:?}"));
        let node_seq = seq.parse().unwrap_or_else(|e| panic!("node_seq {seq:?} of node {node}: {e}"));
        Self { node, node_seq, channel, columns: [value, value_int, value_text, no_data] }
    }
}
