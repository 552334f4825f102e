//! An exported file is read, as an import does.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = gateway::command::queue::fuzzing::export(bytes);
});
