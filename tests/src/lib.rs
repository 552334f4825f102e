//! Rigs: real servers, a real broker and real nodes, each its own process in a folder and on a loopback address of
//! its own, ended and cleaned up when the rig is dropped. Tests, demo and benches use the same ones.
//!
//! A rig panics, with a sentence that says what to do, when something it needs is missing or does not come in time.

pub mod address;
pub mod artifacts;
pub mod audit;
pub mod compiler;
pub mod crossed_line;
pub mod firmware;
pub mod forwarder;
pub mod galera;
pub mod gateway;
pub mod journal;
pub mod mailbox;
pub mod mariadb;
pub mod mosquitto;
pub mod mysql;
pub mod node;
pub mod pace;
pub mod pair;
pub mod payload;
pub mod plain_node;
pub mod powercut;
pub mod process;
pub mod scenario;
pub mod serial_node;
pub mod site;
pub mod storage;
pub mod sync_shim;
