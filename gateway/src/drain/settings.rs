//! Who we are and where to write.

use crate::database::{Account, Deadlines};
use config::{KeepUntil, Route, ServerAddress};

/// Values of the configuration.
pub struct Settings {
    /// The configured servers, in order.
    pub servers: Vec<ServerAddress>,
    /// The account, with the database.
    pub account: Account,
    /// Deadlines for connecting and for each statement.
    pub deadlines: Deadlines,
    /// The site that rows are keyed by.
    pub site: String,
    /// This gateway.
    pub gateway: String,
    /// How many replicas must have a reading before it may leave the queue.
    pub keep_until: KeepUntil,
    /// The user's own tables that readings go to as well.
    pub routes: Vec<Route>,
}
