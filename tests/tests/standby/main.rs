//! Two real gateways with real links, a broker and a wire that both hear, a bus that only one may ask, and servers that
//! replicate: broken in every way. At the end of each story every reading of a node with an identity is a row exactly once,
//! and of a node without one nothing is missing and only what is marked stands twice.

mod brokers;
mod cut;
mod database;
mod former;
mod frozen;
mod history;
mod killed;
mod letters;
mod numbers;
mod odd;
mod power;
mod restarts;
mod seldom;
mod slow;
mod takeover;
mod told;
mod town;
