//! Files of a recipe in memory, read back as tables.

#![allow(dead_code, reason = "each test file takes what it needs")]

use std::collections::BTreeMap;

use encoding_rs::SHIFT_JIS;
use renkei_testkit::{Files, Mix, Recipe, Totals, generate};

/// The four files as bytes.
#[derive(Default, PartialEq)]
pub(crate) struct Generated {
    pub(crate) residents: Vec<u8>,
    pub(crate) payments: Vec<u8>,
    pub(crate) truth: Vec<u8>,
    pub(crate) classes: Vec<u8>,
}

/// Follows a recipe in memory.
pub(crate) fn generated(
    residents: usize,
    lines: usize,
    mix: Mix,
    seed: u64,
) -> (Generated, Totals) {
    let mut files = Generated::default();
    let totals = generate(
        &Recipe { residents, lines, mix, seed },
        Files {
            residents: &mut files.residents,
            payments: &mut files.payments,
            truth: &mut files.truth,
            classes: &mut files.classes,
        },
        &mut |_, _, _| {},
    );
    (files, totals.expect("a good recipe"))
}

/// Rows of a CRLF file without quotes, header first.
pub(crate) fn table(text: &str) -> Vec<Vec<&str>> {
    assert!(text.ends_with("\r\n") && !text.contains('"'));
    let rows: Vec<&str> = text.split("\r\n").collect();
    rows[..rows.len() - 1].iter().map(|row| row.split(',').collect()).collect()
}

impl Generated {
    /// The register as text, after its BOM.
    pub(crate) fn register(&self) -> &str {
        let text = std::str::from_utf8(&self.residents).expect("UTF-8");
        text.strip_prefix('\u{feff}').expect("a BOM")
    }

    /// The list as text.
    pub(crate) fn list(&self) -> String {
        let (text, _, malformed) = SHIFT_JIS.decode(&self.payments);
        assert!(!malformed, "every byte of the list is CP932");
        text.into_owned()
    }

    /// Resident of each line; empty for nobody.
    pub(crate) fn truth(&self) -> BTreeMap<String, String> {
        let text = std::str::from_utf8(&self.truth).expect("ASCII");
        let rows = table(text);
        rows.iter().skip(1).map(|row| (row[0].to_owned(), row[1].to_owned())).collect()
    }
}
