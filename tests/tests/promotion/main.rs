//! The gateway lets another server become the source: what it promises, on real servers, while nodes publish all the time.

mod commands;
mod gates;
mod killed;
mod lagging;
mod races;
mod rig;
mod steps;
