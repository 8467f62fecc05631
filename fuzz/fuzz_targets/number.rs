//! Tries to break the reading of numbers and check digits.
#![no_main]

#[allow(dead_code)]
#[path = "../../crates/japanese/tests/any_text/properties.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|text: &str| properties::any_number(text));
