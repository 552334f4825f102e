//! Real servers in every arrangement that the choice of the source knows, under load: what is said, which server is
//! written to, and that every reading is there once at the end.

mod address;
mod channels;
mod heartbeat;
mod pairs;
mod replicas;
mod rig;
mod stopped;
