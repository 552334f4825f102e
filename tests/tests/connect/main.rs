//! `fieldgate check --connect` against real servers: what is broken is found, and the SQL that it prints mends it.

mod promotion;
mod routes;
mod setup;
mod site;
mod upgrade;
