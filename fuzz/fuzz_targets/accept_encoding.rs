#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::fileserver::accept_encoding(data));
