//! Tries to break the reading of the folding of widths and variants.
#![no_main]

#[allow(dead_code)]
#[path = "../../crates/japanese/tests/any_text/properties.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|text: &str| properties::folding(text));
