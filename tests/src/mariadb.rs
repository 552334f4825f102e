//! The database rigs: MariaDB servers, or MySQL servers where a test asks for them: one source and its replicas, each on a
//! loopback address of its own.

mod client;
mod cluster;
mod dump;
mod family;
mod launch;
mod replication;
mod server;
mod template;

use std::time::Duration;

pub use client::Row;
pub use cluster::Cluster;
pub use dump::Position;
pub use family::Family;
pub(crate) use launch::{copy, server_command};
pub use replication::RelayLog;
pub use server::Server;
pub use template::template;
pub(crate) use template::{as_root, find_or_make, run_to_its_end};

/// The port of every server of the rigs.
pub const PORT: u16 = 3306;

/// An account that may do everything, from any loopback address; its password is the same word.
pub const ADMIN: &str = "admin";

/// The account that replicas log in with; its password is the same word.
pub const REPLICATION: &str = "repl";

/// For `Server::start_with` and `Server::restart`: every server is read-only by its own settings, as it should be at
/// a site where servers are promoted, so the one that takes writes is told so.
pub const WRITABLE: &[&str] = &["--read-only=0"];

/// Nothing here takes longer than this on a busy small machine.
const DEADLINE: Duration = Duration::from_secs(60);
