//! Synthetic towns: repeatable, of the size asked for, and linked nearly without error.

mod support;

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use support::{Folder, Run, Sheet, renkei};

const FILES: [&str; 4] = ["classes.csv", "payments.csv", "residents.csv", "truth.csv"];

fn generate(folder: &Folder, residents: usize, lines: usize, mix: &str, seed: u64) -> Run {
    let (residents, lines, seed) = (residents.to_string(), lines.to_string(), seed.to_string());
    let place = folder.path("");
    renkei([
        "generate".as_ref(),
        "--json".as_ref(),
        "--residents".as_ref(),
        residents.as_ref(),
        "--lines".as_ref(),
        lines.as_ref(),
        "--mix".as_ref(),
        mix.as_ref(),
        "--seed".as_ref(),
        seed.as_ref(),
        "--dir".as_ref(),
        place.as_os_str(),
    ])
}

fn contents(folder: &Folder) -> Vec<Vec<u8>> {
    FILES.iter().map(|name| fs_err::read(folder.path(name)).expect("a file")).collect()
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let folders = [Folder::new(), Folder::new(), Folder::new()];
    for (folder, seed) in folders.iter().zip([7, 7, 8]) {
        generate(folder, 600, 200, "nasty", seed).exits(0);
    }
    let [one, same, other] = folders.each_ref().map(contents);
    assert!(one == same);
    for ((name, one), other) in FILES.iter().zip(&one).zip(&other) {
        assert!(one != other, "{name}");
    }
}

#[test]
fn files_have_the_rows_that_were_asked_for_and_agree_with_one_another() {
    for mix in ["typical", "nasty"] {
        let folder = Folder::new();
        generate(&folder, 900, 300, mix, 3).exits(0);
        assert_eq!(folder.names(), FILES);
        let [classes, payments, residents, truth] =
            FILES.map(|name| Sheet::read(&folder.path(name)));
        assert_eq!(residents.rows.len(), 900);
        for sheet in [&classes, &payments, &truth] {
            assert_eq!(sheet.rows.len(), 300);
        }
        let ids = |sheet: &Sheet| -> BTreeSet<String> {
            let ids: BTreeSet<String> = sheet.rows.iter().map(|row| row[0].clone()).collect();
            assert_eq!(ids.len(), sheet.rows.len(), "an id stands twice");
            ids
        };
        let (of_residents, of_lines) = (ids(&residents), ids(&payments));
        assert_eq!(ids(&truth), of_lines);
        assert_eq!(ids(&classes), of_lines);
        let persons: Vec<&str> = truth.rows.iter().map(|row| row[1].as_str()).collect();
        assert!(persons.iter().all(|person| person.is_empty() || of_residents.contains(*person)));
        assert!(persons.iter().any(|person| person.is_empty()));
    }
}

#[test]
fn files_are_sound_for_the_checker() {
    let folder = Folder::new();
    generate(&folder, 500, 100, "typical", 5).exits(0);
    for (name, rows) in [("residents.csv", 500), ("payments.csv", 100)] {
        let path = folder.path(name);
        let json = renkei(["check".as_ref(), "--json".as_ref(), path.as_os_str()]).json();
        assert_eq!(json["rows"], rows);
        let findings = json["findings"].as_array().expect("findings");
        assert!(findings.iter().all(|finding| finding["severity"] != "error"), "{json}");
    }
}

#[test]
fn more_lines_than_residents_cannot_be_drawn() {
    let folder = Folder::new();
    generate(&folder, 100, 101, "typical", 1).exits(2).says(&["100", "101"]);
    generate(&folder, 0, 0, "typical", 1).exits(2);
    generate(&folder, 100, 10, "worst", 1).exits(2);
    assert!(folder.names().is_empty(), "{:?}", folder.names());
}

/// Links a town of 5,000 and measures it.
fn measured(mix: &str) -> Value {
    let folder = Folder::new();
    generate(&folder, 5_000, 1_500, mix, 11).exits(0);
    let file = |name: &str| folder.path(name);
    let argument = |path: &Path| path.as_os_str().to_owned();
    renkei([
        "link".into(),
        "--register".into(),
        argument(&file("residents.csv")),
        "--list".into(),
        argument(&file("payments.csv")),
        "--output".into(),
        argument(&file("links.csv")),
    ])
    .exits(0);
    renkei([
        "evaluate".into(),
        "--json".into(),
        "--predictions".into(),
        argument(&file("links.csv")),
        "--truth".into(),
        argument(&file("truth.csv")),
        "--classes".into(),
        argument(&file("classes.csv")),
    ])
    .exits(0)
    .json()
}

#[test]
fn a_typical_list_is_linked_with_an_f1_of_099() {
    let json = measured("typical");
    assert!(json["best"]["f1"].as_f64().is_some_and(|f1| f1 >= 0.99), "{json}");
    assert!(json["linked"]["precision"].as_f64().is_some_and(|share| share >= 0.995), "{json}");
}

#[test]
fn a_nasty_list_is_linked_with_an_f1_of_097() {
    let json = measured("nasty");
    assert!(json["best"]["f1"].as_f64().is_some_and(|f1| f1 >= 0.97), "{json}");
    assert!(json["linked"]["precision"].as_f64().is_some_and(|share| share >= 0.99), "{json}");
}
