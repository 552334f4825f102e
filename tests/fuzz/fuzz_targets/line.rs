//! Bytes come over a serial line between two gateways.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = gateway::standby::fuzzing::line(bytes);
});
