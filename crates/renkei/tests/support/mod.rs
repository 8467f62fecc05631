//! What the journeys share: the program, its files, its answers.
//!
//! The program runs as its users run it: a process, files, an exit code. Nothing here knows how it works inside, except
//! that tables are read and written with `renkei-tables`, which knows every format.

#![allow(dead_code, reason = "every journey uses a part of it")]

pub(crate) mod broker;
pub(crate) mod load;
pub(crate) mod pages;
pub(crate) mod people;
pub(crate) mod python;
pub(crate) mod sample;
pub(crate) mod witness_host;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use renkei_tables::{Column, ReadOptions, TableReader, TableWriter};
use serde_json::Value;
use tempfile::TempDir;

/// How a run of the program ended and what it said.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs the program with an English locale.
pub(crate) fn renkei<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Run {
    renkei_in("C.UTF-8", arguments)
}

/// Runs the program with this `LANG`.
pub(crate) fn renkei_in<A: AsRef<OsStr>>(
    lang: &str,
    arguments: impl IntoIterator<Item = A>,
) -> Run {
    let output = assert_cmd::cargo::cargo_bin_cmd!("renkei")
        .env_remove("LC_ALL")
        .env_remove("LC_MESSAGES")
        .env("LANG", lang)
        .args(arguments)
        .output()
        .expect("the program runs");
    let text = |bytes| String::from_utf8(bytes).expect("the program writes UTF-8");
    Run {
        code: output.status.code().expect("the program ends by itself"),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

impl Run {
    /// Expects an exit code.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// The one JSON object on standard output.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).expect("standard output is one JSON object")
    }

    /// Expects every one of these in the words on standard error.
    #[track_caller]
    pub(crate) fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.stderr.contains(word), "`{word}` is not in: {}", self.stderr);
        }
        self
    }

    /// Expects none of these values in anything that was said.
    #[track_caller]
    pub(crate) fn hides(self, values: &[&str]) -> Self {
        for value in values {
            assert!(!self.stderr.contains(value), "{value} stands in: {}", self.stderr);
            assert!(!self.stdout.contains(value), "{value} stands in: {}", self.stdout);
        }
        self
    }
}

/// A folder that goes away with its test.
#[derive(Debug)]
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs_err::write(&path, bytes).expect("a file is written");
        path
    }

    /// The names of all files in it.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs_err::read_dir(self.0.path()).expect("the folder is there");
        let name = |entry: std::io::Result<fs_err::DirEntry>| {
            entry.expect("an entry").file_name().to_string_lossy().into_owned()
        };
        let mut names: Vec<String> = entries.map(name).collect();
        names.sort();
        names
    }
}

/// A folder that stays for a whole test binary: what is in it is made once and shared.
pub(crate) fn shared_folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs_err::create_dir_all(&path).expect("a folder");
    path
}

/// A table: what goes in, and what comes out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Sheet {
    pub(crate) header: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Sheet {
    pub(crate) fn new(header: &[&str], rows: Vec<Vec<String>>) -> Self {
        Self { header: header.iter().map(|&name| name.to_owned()).collect(), rows }
    }

    /// Reads a table of any format.
    #[track_caller]
    pub(crate) fn read(path: &Path) -> Self {
        let mut reader = TableReader::open(path, &ReadOptions::default()).expect("a table");
        let header = reader.header().to_vec();
        let mut rows = Vec::new();
        while let Some(batch) = reader.next_batch().expect("rows") {
            assert!(batch.faults.is_empty(), "{}: {:?}", path.display(), batch.faults);
            for row in 0..batch.rows() {
                let cells = (0..header.len()).map(|column| batch.cell(column, row).to_owned());
                rows.push(cells.collect());
            }
        }
        Self { header, rows }
    }

    /// The number of a column.
    #[track_caller]
    pub(crate) fn column(&self, name: &str) -> usize {
        let found = self.header.iter().position(|column| column == name);
        found.unwrap_or_else(|| panic!("no column {name} in {:?}", self.header))
    }

    #[track_caller]
    pub(crate) fn cell(&self, row: usize, column: &str) -> &str {
        &self.rows[row][self.column(column)]
    }

    #[track_caller]
    pub(crate) fn set(&mut self, row: usize, column: &str, value: &str) {
        let column = self.column(column);
        self.rows[row][column] = value.to_owned();
    }

    /// The cells of one column.
    #[track_caller]
    pub(crate) fn cells(&self, column: &str) -> Vec<&str> {
        let column = self.column(column);
        self.rows.iter().map(|row| row[column].as_str()).collect()
    }

    /// From one column to another, each row once.
    #[track_caller]
    pub(crate) fn map(&self, from: &str, to: &str) -> BTreeMap<&str, &str> {
        let map: BTreeMap<&str, &str> = self.cells(from).into_iter().zip(self.cells(to)).collect();
        assert_eq!(map.len(), self.rows.len(), "{from} is not unique");
        map
    }

    /// Some of the rows.
    pub(crate) fn some(&self, rows: impl IntoIterator<Item = usize>) -> Self {
        let rows = rows.into_iter().map(|row| self.rows[row].clone()).collect();
        Self { header: self.header.clone(), rows }
    }

    /// As CSV.
    pub(crate) fn csv(&self) -> String {
        self.csv_ending("\n")
    }

    /// As CSV with these line ends.
    pub(crate) fn csv_ending(&self, line_end: &str) -> String {
        std::iter::once(&self.header)
            .chain(&self.rows)
            .map(|cells| cells.join(",") + line_end)
            .collect()
    }

    /// Writes a table of text in the format of the name's ending.
    pub(crate) fn write(&self, path: &Path) {
        let columns: Vec<Column> = self.header.iter().map(Column::text).collect();
        let mut writer = TableWriter::create(path, &columns).expect("a table is started");
        for row in &self.rows {
            writer.row(row.iter().map(String::as_str)).expect("a row is written");
        }
        writer.finish().expect("a table is finished");
    }
}

/// Text in the encoding of Japanese Windows.
pub(crate) fn cp932(text: &str) -> Vec<u8> {
    let (bytes, _, lost) = encoding_rs::SHIFT_JIS.encode(text);
    assert!(!lost, "a letter is not in CP932");
    bytes.into_owned()
}

/// Puts a byte order mark in front.
pub(crate) fn with_bom(text: &str) -> Vec<u8> {
    [b"\xEF\xBB\xBF".as_slice(), text.as_bytes()].concat()
}

/// Expects the lines and yen of the outcomes to add up.
#[track_caller]
pub(crate) fn assert_sums(json: &Value, lines: u64, yen: u64) {
    let sum = |what: &str| -> u64 {
        let outcomes = json["outcomes"].as_object().expect("outcomes");
        outcomes.values().map(|total| total[what].as_u64().expect("a number")).sum()
    };
    assert_eq!(json["list_lines"], lines);
    assert_eq!((sum("lines"), sum("yen")), (lines, yen));
}

/// The keys of an object, sorted.
#[track_caller]
pub(crate) fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> =
        value.as_object().expect("an object").keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

/// Expects these keys; others may be there too.
#[track_caller]
pub(crate) fn assert_keys(value: &Value, wanted: &[&str]) {
    let keys = keys(value);
    for key in wanted {
        assert!(keys.contains(key), "{key} is not among {keys:?}");
    }
}

/// A number of twelve digits whose last is the check digit of a My Number.
pub(crate) fn my_number(first_eleven: u64) -> String {
    let base = format!("{first_eleven:011}");
    // From the right, the weights are 2 to 7 and then 2 to 6.
    let sum: u32 = base
        .bytes()
        .rev()
        .zip((2..=7).chain(2..=6))
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    let check = match sum % 11 {
        0 | 1 => 0,
        rest => 11 - rest,
    };
    format!("{base}{check}")
}
