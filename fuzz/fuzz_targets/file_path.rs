#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::fileserver::file_path(data));
