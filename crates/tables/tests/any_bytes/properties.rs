//! What holds for any bytes: a file is read or refused with words, never with a panic, and
//! nothing comes after an error.
//!
//! Tests try random and damaged files with these, and the fuzzer (`fuzz/`) tries to break them: both read this file.

use renkei_tables::layout::Layout;
use renkei_tables::{CheckOptions, ReadOptions, Schema, Side, TableReader, check};

/// A layout for fixed-length records of any bytes.
const LAYOUT: &str = r#"
encoding = "cp932"
record_length = 12
[[column]]
name = "id"
start = 1
length = 4
[[column]]
name = "name"
start = 5
length = 8
"#;

/// Reads a file to its end; rows are numbered upwards and every cell can be asked for.
fn read_all(bytes: &[u8], options: &ReadOptions) {
    let mut reader = match TableReader::from_bytes(bytes.to_vec(), "file", options) {
        Ok(reader) => reader,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let columns = reader.header().len();
    let _ = reader.bind(&Schema::resident_payment(), Side::Register);
    loop {
        match reader.next_batch() {
            Ok(Some(batch)) => {
                for row in 0..batch.rows() {
                    for column in 0..columns {
                        let _ = batch.cell(column, row).len();
                    }
                }
            }
            Ok(None) => break,
            Err(error) => {
                assert!(!error.to_string().is_empty());
                assert!(matches!(reader.next_batch(), Ok(None)), "nothing comes after an error");
                break;
            }
        }
    }
}

/// Delimited text in any encoding.
pub(crate) fn delimited(bytes: &[u8]) {
    read_all(bytes, &ReadOptions::default());
    let small = ReadOptions { cell_bytes_max: 8, ..ReadOptions::default() };
    read_all(bytes, &small);
    let read = ReadOptions::default();
    let open = || TableReader::from_bytes(bytes.to_vec(), "file", &read);
    let today = jiff::civil::date(2026, 4, 1);
    let options = CheckOptions { read: read.clone(), schema: None, side: None, today };
    if let Err(error) = check(&open, &options, None) {
        assert!(!error.to_string().is_empty());
    }
}

/// A workbook, and bytes behind the signature of one.
pub(crate) fn xlsx(bytes: &[u8]) {
    read_all(bytes, &ReadOptions::default());
    read_all(&[b"PK\x03\x04", bytes].concat(), &ReadOptions::default());
}

/// A Parquet file, and bytes between the signatures of one.
pub(crate) fn parquet(bytes: &[u8]) {
    read_all(bytes, &ReadOptions::default());
    read_all(&[b"PAR1", bytes, b"PAR1"].concat(), &ReadOptions::default());
}

/// Fixed-length records.
pub(crate) fn fixed_length(bytes: &[u8]) {
    let layout = Layout::parse(LAYOUT, "layout.toml").expect("a layout");
    read_all(bytes, &ReadOptions { layout: Some(layout), ..ReadOptions::default() });
}

/// A layout file.
pub(crate) fn layout(text: &str) {
    if let Err(error) = Layout::parse(text, "layout.toml") {
        assert!(error.to_string().contains("layout.toml"));
    }
}

/// A schema file.
pub(crate) fn schema(text: &str) {
    if let Err(error) = Schema::parse(text, "schema.toml") {
        assert!(error.to_string().contains("schema.toml"));
    }
}
