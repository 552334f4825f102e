//! A raw file is searched for frames, and what is found is put into order.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = queue::fuzzing::search(bytes);
});
