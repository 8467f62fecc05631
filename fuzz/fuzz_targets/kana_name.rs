//! Tries to break the reading of names in a kana field.
#![no_main]

#[allow(dead_code)]
#[path = "../../crates/japanese/tests/any_text/properties.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|text: &str| properties::kana_name(text));
