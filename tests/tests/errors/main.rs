//! What servers refuse, provoked on real ones while a node publishes: each error is named with what to do, and once it is
//! mended every reading is there once. A server that is killed, frozen, or closed for writes is in `tests/tests/faults` too.

mod broken;
mod clock;
mod letters;
mod room;
mod site;
mod slow;
mod troubles;
mod views;
