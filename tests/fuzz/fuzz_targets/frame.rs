//! One frame is decoded.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = queue::fuzzing::frame(bytes);
});
