//! The sample: 20,000 residents, 6,000 lines, and who they are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Sheet;

/// What the list adds up to.
pub(crate) const LINES: u64 = 6_000;
pub(crate) const YEN: u64 = 403_520_000;

pub(crate) fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

pub(crate) fn residents() -> PathBuf {
    data("residents.csv")
}

pub(crate) fn payments() -> PathBuf {
    data("payments.csv")
}

pub(crate) fn truth() -> PathBuf {
    data("truth.csv")
}

/// The resident of each line; empty for nobody.
pub(crate) fn persons() -> BTreeMap<String, String> {
    let truth = Sheet::read(&truth());
    truth.rows.into_iter().map(|row| (row[0].clone(), row[1].clone())).collect()
}
