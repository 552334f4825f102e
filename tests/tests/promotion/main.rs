//! The gateway lets another server become the source: what it promises, on real servers, while nodes publish all the time.

mod commands;
mod gates;
mod half_done;
mod killed;
mod lagging;
mod odd;
mod races;
mod random;
mod rig;
mod steps;
