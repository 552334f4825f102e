//! Two gateways of one site: one is active, the other one stands by. The link says who lives, the database whose rows count.
//!
//! - [`role`], [`rank`]: what a gateway is, what changes it, and which of two goes first
//! - [`beat`], [`link`]: what they say to each other, and the ways on which they do
//! - [`life`], [`ends`], [`reach`], [`strange`]: what comes of what is heard, and of what works
//! - [`claim`], [`span`], [`verdict`]: whose rows count, and what becomes of what both have heard; [`book`]: what is remembered
//! - [`situation`]: all of it together; [`watch`]: the loop around it, with [`inputs`], [`requests`] and [`state`]

pub mod beat;
pub mod book;
pub mod claim;
pub mod differences;
pub mod ends;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
pub mod inputs;
pub mod life;
pub mod link;
pub mod offset;
pub mod rank;
pub mod reach;
pub mod requests;
pub mod role;
pub mod said;
pub mod situation;
pub mod span;
pub mod state;
pub mod strange;
pub mod turns;
pub mod verdict;
pub mod watch;
