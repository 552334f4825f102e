//! Two gateways of one site: one is active, the other one stands by. The link says who lives, the database whose rows count.

pub mod claim;
pub mod differences;
pub mod rank;
pub mod role;
pub mod said;
pub mod span;
pub mod verdict;
