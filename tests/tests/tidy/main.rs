//! The house rules that a machine can hold. Each breach is a sentence that names the file and the rule.

mod arrows;
mod files;
mod libraries;
mod map;
mod standby;
mod words;
