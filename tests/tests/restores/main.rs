//! Databases restored from backups, and two losses at once: what the queue still keeps is sent again, and what is nowhere
//! any more is named.

mod dumps;
mod losses;
mod mistakes;

use fieldgate_tests::site;
