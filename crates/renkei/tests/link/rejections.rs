//! Lines and files that are not taken.

use crate::linking::{cut, link, link_some, linked};
use crate::support::sample::{data, payments};
use crate::support::{Folder, Sheet};

#[test]
fn a_rejected_line_is_a_failure_only_under_strict() {
    let mut lines = cut(600, 10);
    lines.set(3, "支給額", "五万");
    let model = linked().file("model.toml");
    let (_folder, lenient) = link_some(&lines, |run, _| run.option("--model", &model));
    let lenient = lenient.exits(0).says(&["warning", "some.csv", "AMOUNT_UNREADABLE"]);
    assert_eq!(lenient.json()["outcomes"]["REJECTED_INPUT"]["lines"], 1);
    let (folder, strict) = link_some(&lines, |run, _| {
        run.option("--model", &model);
        run.flag("--strict");
    });
    let strict = strict.exits(1);
    assert_eq!(strict.json()["result_digest"], lenient.json()["result_digest"]);
    assert_eq!(Sheet::read(&folder.path("links.csv")).rows.len(), 10);
    let (_folder, sound) = link_some(&cut(600, 10), |run, _| {
        run.option("--model", &model);
        run.flag("--strict");
    });
    sound.exits(0);
}

#[test]
fn a_file_without_names_is_no_register() {
    let folder = Folder::new();
    let run = link(&folder.path(""), "links.csv", &data("truth.csv"), &payments(), |_| {});
    run.exits(2).says(&["truth.csv"]);
    assert!(folder.names().is_empty());
}
