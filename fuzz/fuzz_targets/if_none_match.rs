#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::fileserver::if_none_match(data));
