//! `fieldgate queue`, on gateways that run, on gateways that do not, and on another machine's card.

mod carried;
mod looks;
mod rig;
