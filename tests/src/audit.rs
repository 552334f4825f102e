//! The auditor: compares what the broker acknowledged to the nodes with the rows of a database. It shares no code with
//! the product, only the pattern of the values with the nodes.

mod node_log;
mod polled;
mod report;
mod rows;

pub use node_log::NodeLog;
pub use polled::{PolledAudit, Watched};
pub use report::{Audit, ReadingId};
pub use rows::StoredReading;

use crate::mariadb::Server;

impl Audit {
    /// Audits the rows of these nodes on this server, of one site; readings without a node's number are not looked at.
    pub fn take(server: &Server, nodes: &[NodeLog]) -> Self {
        Self::compare(nodes, &StoredReading::all_on(server))
    }
}
