//! Whatever is wrong with what the gateway is given: it says what and what to do, goes on if it can, and loses nothing.

mod broker;
mod configuration;
mod damage;
mod database;
mod payloads;
mod state_folder;
