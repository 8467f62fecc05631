//! Files in, rows with line numbers out: nothing lost, nothing silently changed.
//!
//! ```text
//! bytes -> encoding -> read (CSV, XLSX, Parquet, fixed-length) -> batches of text -> admission -> verdicts and totals
//!                                                                        \-> check -> findings, repaired copy
//! ```
//!
//! * [`read`] opens a file, says what it is, and hands out batches of rows as text with their line numbers;
//! * [`schema`] says which columns mean what and finds them in a header;
//! * [`admission`] is the one place that decides what rejects a line, and sums lines and yen;
//! * [`my_number`] keeps My Numbers out;
//! * [`damage`] and [`mod@check`] find what spreadsheets did to a file, and repair what can be repaired without guessing;
//! * [`mod@write`] writes tables.
//!
//! Everything is text: types are never guessed, leading zeros stay. What a name, a date or an address means is left to
//! `renkei-japanese` and `renkei-linkage`.

pub mod admission;
pub mod check;
pub mod damage;
pub mod encoding;
pub mod layout;
pub mod my_number;
pub mod read;
pub mod schema;
pub mod write;

mod admission_error;
mod batch;
mod binding;
mod cell_damage;
mod columns;
mod csv_rows;
mod delimited;
mod fixed_rows;
mod japanese;
mod number_text;
mod parquet_rows;
mod read_error;
mod schema_error;
mod spreadsheet_cell;
mod write_error;
mod write_parquet;
mod write_xlsx;
mod xlsx_rows;

pub use admission::{Admission, AdmissionError, Admitted, Rejection};
pub use binding::{ID_BYTES_MAX, is_usable_id};
pub use check::{CheckError, CheckOptions, CheckReport, Finding, Repair, check, check_file};
pub use columns::{built_in_column, japanese_name};
pub use damage::{Class, Severity};
pub use read::{Batch, FileReport, ReadError, ReadOptions, TableReader, TextColumn};
pub use schema::{Binding, BoundField, Field, IdColumns, Schema, SchemaError, Side};
pub use write::{Column, ColumnKind, TableWriter, WriteError};
