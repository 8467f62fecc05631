//! Tries to break the reading of transfer files.
#![no_main]

#[allow(dead_code)]
#[path = "../../crates/japanese/tests/any_text/properties.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| properties::zengin_records(bytes));
