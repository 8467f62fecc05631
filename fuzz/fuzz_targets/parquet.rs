//! Tries to break the reading of Parquet files.
#![no_main]

#[allow(dead_code)]
#[path = "../../crates/tables/tests/any_bytes/properties.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| properties::parquet(bytes));
