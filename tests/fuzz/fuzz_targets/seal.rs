//! What a complete generation says of itself is read.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = queue::fuzzing::seal(bytes);
});
