//! The gateway lets another server become the source: what it promises, on real servers.

mod killed;
mod rig;
