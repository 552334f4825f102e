//! What a queue has to keep, whatever happens to its process, its disk or its files: a program that appends until it is
//! ended, another opening that says what it found, and the count of what was acknowledged and is not there.

pub mod appender;
pub mod content;
pub mod found;
pub mod ledger;
pub mod opening;
pub mod seed;
pub mod table;
