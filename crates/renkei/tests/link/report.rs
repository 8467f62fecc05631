//! The report for people.

use std::path::Path;

use crate::linking::{cut, link_some, linked};
use crate::support::Sheet;
use crate::support::sample::{payments, residents};

#[test]
fn a_report_is_one_file_that_needs_nothing_else() {
    let report = fs_err::read_to_string(linked().file("report.html")).expect("a report");
    assert!(report.contains("<html") && report.contains("<svg"));
    for outside in ["http", "src=", "url(", "@import", "<script", "<link"] {
        assert!(!report.contains(outside), "{outside}");
    }
}

#[test]
fn a_report_shows_nobody() {
    let report = fs_err::read_to_string(linked().file("report.html")).expect("a report");
    assert!(report.contains("＊"), "no value is masked");
    for value in values(&residents()).into_iter().chain(values(&payments())) {
        assert!(!report.contains(&value), "{value}");
    }
}

#[test]
fn a_report_shows_values_if_asked_for() {
    let (folder, run) = link_some(&cut(60, 90), |run, folder| {
        run.option("--report", folder.path("report.html"));
        run.flag("--with-records");
    });
    run.exits(0);
    let report = fs_err::read_to_string(folder.path("report.html")).expect("a report");
    let shown = |path: &Path| values(path).iter().any(|value| report.contains(value.as_str()));
    assert!(shown(&residents()) && shown(&folder.path("some.csv")));
}

/// Names and kana that stand in a file.
fn values(path: &Path) -> Vec<String> {
    let sheet = Sheet::read(path);
    let columns = ["氏名", "氏名カナ"].map(|name| sheet.column(name));
    let cells = sheet.rows.iter().flat_map(|row| columns.map(|column| row[column].as_str()));
    let mut values: Vec<String> =
        cells.filter(|cell| cell.chars().count() > 3).map(str::to_owned).collect();
    values.sort_unstable();
    values.dedup();
    assert!(values.len() > 50, "{}", path.display());
    values
}
