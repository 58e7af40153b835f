#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| domain::fuzz::key_ring(data));
