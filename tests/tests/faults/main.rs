//! The main path under faults: nodes publish all the time while servers, broker and gateway are killed, frozen, closed
//! for writes and promoted. At the end of each story every reading that the broker acknowledged to a node is a row
//! exactly once on the server that takes writes.

mod away;
mod failover;
mod kills;
mod plain;
mod strays;

use fieldgate_tests::site;
