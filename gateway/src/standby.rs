//! Two gateways of one site: one is active, the other one stands by. The link says who lives, the database whose rows count.

pub mod book;
pub mod claim;
pub mod rank;
pub mod role;
pub mod span;
pub mod verdict;
