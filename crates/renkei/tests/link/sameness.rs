//! What may not change a result: threads, and the order of records.

use std::path::{Path, PathBuf};

use crate::linking::{cut, link, link_some, linked};
use crate::support::sample::{payments, residents};
use crate::support::{Folder, Sheet};

#[test]
fn one_thread_and_four_give_the_same_bytes() {
    let folder = Folder::new();
    let run = link(&folder.path(""), "links.csv", &residents(), &payments(), |run| {
        run.option("--candidates", folder.path("candidates.csv"));
        run.option("--threads", "1");
    })
    .exits(0);
    assert_eq!(run.json()["result_digest"], linked().digest());
    for name in ["links.csv", "candidates.csv"] {
        let (one, four) = (fs_err::read(folder.path(name)), fs_err::read(linked().file(name)));
        assert!(one.expect("written") == four.expect("written"), "{name} differs");
    }
}

/// Writes the rows of a table in another order.
fn shuffled(folder: &Folder, path: &Path, step: usize) -> PathBuf {
    let sheet = Sheet::read(path);
    let rows = sheet.rows.len();
    // A step that shares no factor with the rows visits every one.
    let other = sheet.some((0..rows).map(|row| (row * step + 17) % rows));
    let (id, name) = (&other.header[0], other.column("氏名"));
    assert_eq!(other.map(id, &other.header[name]).len(), rows);
    folder.write("shuffled.csv", other.csv())
}

#[test]
fn the_order_of_lines_changes_nothing() {
    let folder = Folder::new();
    let list = shuffled(&folder, &payments(), 1_237);
    let run = link(&folder.path(""), "links.csv", &residents(), &list, |_| {}).exits(0);
    assert_eq!(run.json()["result_digest"], linked().digest());
    assert_eq!(run.json()["model_digest"], linked().run.json()["model_digest"]);
    let links = Sheet::read(&folder.path("links.csv"));
    assert_eq!(links.cells("list_id"), Sheet::read(&list).cells("申請番号"));
    let mut rows = [links.rows, linked().links.rows.clone()];
    rows.iter_mut().for_each(|rows| rows.sort_unstable());
    assert!(rows[0] == rows[1]);
}

#[test]
fn the_order_of_residents_changes_neither_links_nor_model() {
    let folder = Folder::new();
    let register = shuffled(&folder, &residents(), 7_919);
    let run = link(&folder.path(""), "links.csv", &register, &payments(), |_| {}).exits(0);
    assert_eq!(run.json()["result_digest"], linked().digest());
    assert_eq!(run.json()["model_digest"], linked().run.json()["model_digest"]);
}

#[test]
fn a_column_that_the_list_lacks_is_a_column_without_values() {
    for name in ["住所", "氏名"] {
        let (mut lacking, mut empty) = (cut(4, 1_000), cut(4, 1_000));
        let at = lacking.header.iter().position(|column| column == name).expect("a column");
        lacking.header.remove(at);
        lacking.rows.iter_mut().for_each(|row| {
            row.remove(at);
        });
        empty.rows.iter_mut().for_each(|row| row[at].clear());
        let digest = |list| link_some(list, |_, _| {}).1.exits(0).json()["result_digest"].clone();
        assert_eq!(digest(&lacking), digest(&empty), "{name}");
    }
}
