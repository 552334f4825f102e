//! The gateway: everything between a source of readings and the database.
//!
//! A reading's way: [`sensors`] stamp and decode it, [`intake`] puts it into the [`queue`] and makes it durable, then lets the
//! node know; [`drain`] asks [`topology`] which server takes writes and brings it there, exactly once.
//!
//! - [`supervisor`]: builds the parts, starts them, stops them in order
//! - [`intake`]: the one writer of the queue
//! - [`drain`]: batches, the cursor, one transaction each
//! - [`topology`]: what each server said, which one takes writes, and why
//! - [`promotion`]: lets another server become the source, where that is ours to do
//! - [`standby`]: two gateways of one site, of which one is active
//! - [`database`]: the MySQL client behind a small type
//! - [`memory`]: what is remembered of the servers
//! - [`disk`]: how large the queue's disk is, and what follows for the queue
//! - [`origin`]: which gateway made what is in the queue
//! - [`local`]: lets other commands look into the queue of a running gateway
//! - [`pulse`], [`status`], [`systemd`]: what people and the service manager see
//! - [`led`]: the LED that shows how it is getting on
//! - [`reconcile`]: the auditor, which believes none of the above
//! - [`command`]: one file a verb of the command line

pub mod cli;
pub mod command;
pub mod database;
pub mod disk;
pub mod drain;
pub mod event;
pub mod exit;
pub mod intake;
pub mod led;
pub mod local;
pub mod log;
pub mod memory;
pub mod notify;
pub mod origin;
pub mod promotion;
pub mod pulse;
pub mod reconcile;
pub mod secret;
pub mod standby;
mod state_file;
pub mod status;
pub mod supervisor;
pub mod systemd;
mod term_row;
pub mod together;
pub mod topology;
