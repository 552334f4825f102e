//! Every value arrives exactly as it was sent: all kinds in every order within a batch, extremes, texts and names.

mod kinds;
mod names;
mod orders;
mod stored;
