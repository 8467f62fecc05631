//! Files that a link writes, and those it may not write.

use std::path::PathBuf;

use renkei_tables::{ReadOptions, TableReader};

use crate::linking::{Arguments, COLUMNS, cut, link, link_some, linked};
use crate::support::sample::residents;
use crate::support::{Folder, Sheet, cp932, renkei};

#[test]
fn workbooks_and_parquet_hold_the_rows_of_the_csv_with_ids_as_text() {
    let lines = cut(20, 300);
    let links: Vec<(Folder, PathBuf)> = ["links.csv", "links.xlsx", "links.parquet"]
        .into_iter()
        .map(|name| {
            let folder = Folder::new();
            let list = folder.write("some.csv", cp932(&lines.csv()));
            let place = folder.path("");
            link(&place, name, &residents(), &list, |run| {
                run.option("--model", linked().file("model.toml"));
            })
            .exits(0);
            let path = folder.path(name);
            (folder, path)
        })
        .collect();
    let csv = Sheet::read(&links[0].1);
    assert_eq!(csv.rows.len(), lines.rows.len());
    let number = |text: &str| (!text.is_empty()).then(|| text.parse::<f64>().expect("a number"));
    for (_, path) in &links[1..] {
        let other = Sheet::read(path);
        assert_eq!(other.header, csv.header);
        assert_eq!(other.rows.len(), csv.rows.len());
        for (row, (left, right)) in csv.rows.iter().zip(&other.rows).enumerate() {
            for column in ["list_id", "register_id", "outcome", "reason"] {
                let column = csv.column(column);
                assert_eq!(left[column], right[column], "{} row {row}", path.display());
            }
            for column in ["probability", "match_weight"] {
                let column = csv.column(column);
                assert_eq!(number(&left[column]), number(&right[column]), "{}", path.display());
            }
        }
        let reader = TableReader::open(path, &ReadOptions::default()).expect("a table");
        let format = reader.report().format.as_str();
        assert_eq!(path.extension().and_then(|ending| ending.to_str()), Some(format));
    }
    // With their zeros: fifteen digits.
    assert!(csv.cells("register_id").iter().any(|id| id.starts_with("000000")));
}

#[test]
fn the_lists_own_columns_stand_behind_the_links_if_asked_for() {
    let lines = cut(150, 40);
    let (folder, run) = link_some(&lines, |run, _| {
        run.option("--model", linked().file("model.toml"));
        run.flag("--keep-columns");
    });
    run.exits(0);
    let links = Sheet::read(&folder.path("links.csv"));
    assert_eq!(links.header[..6], COLUMNS);
    assert_eq!(links.header[6..], lines.header);
    for (link, line) in links.rows.iter().zip(&lines.rows) {
        assert_eq!(link[6..], *line);
        assert_eq!(link[0], line[0]);
    }
    assert_eq!(links.rows.len(), lines.rows.len());
}

#[test]
fn an_output_that_is_an_input_is_refused_and_the_input_stays() {
    let folder = Folder::new();
    let lines = folder.write("some.csv", cp932(&cut(600, 10).csv()));
    let bytes = fs_err::read(&lines).expect("written");
    let place = folder.path("");
    for option in ["--output", "--candidates", "--save-model", "--report", "--blocking-report"] {
        let mut arguments = Arguments(vec!["link".into()]);
        arguments.option("--register", residents());
        arguments.option("--list", &lines);
        if option != "--output" {
            arguments.option("--output", place.join("links.csv"));
        }
        // The same file under another name.
        arguments.option(option, place.join(".").join("some.csv"));
        renkei(arguments.0).exits(3).says(&["some.csv"]);
        assert_eq!(fs_err::read(&lines).expect("still there"), bytes, "{option}");
        assert_eq!(folder.names(), ["some.csv"], "{option}");
    }
}

#[test]
fn two_outputs_of_one_name_are_refused() {
    let folder = Folder::new();
    let list = folder.write("some.csv", cp932(&cut(600, 10).csv()));
    fs_err::create_dir_all(folder.path("sub")).expect("a folder");
    // Neither is there yet, and a file has many names.
    for other in ["links.csv", "./links.csv", "sub/../links.csv"] {
        let run = link(&folder.path(""), "links.csv", &residents(), &list, |run| {
            run.option("--candidates", folder.path(other));
        });
        run.exits(3).says(&["links.csv"]);
        assert_eq!(folder.names(), ["some.csv", "sub"], "{other}");
    }
}
