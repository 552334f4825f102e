//! Two gateways of one site: one is active, the other one stands by. The link says who lives, the database whose rows count.

pub mod rank;
pub mod role;
