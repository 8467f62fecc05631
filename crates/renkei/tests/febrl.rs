//! FEBRL data set 4: another country, another language, and nothing but a schema file.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use support::sample::data;
use support::{Folder, Sheet, renkei, shared_folder};

/// The folder with the data, fetched unless it is there.
fn febrl() -> PathBuf {
    let folder = shared_folder("febrl");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/fetch-febrl.sh");
    let status = Command::new("bash").arg(&script).arg(&folder).status().expect("bash runs");
    assert!(status.success(), "the data cannot be had: {status}");
    folder
}

#[test]
fn febrl_is_linked_with_an_f1_of_099_by_a_schema_file_alone() {
    let febrl = febrl();
    let folder = Folder::new();
    let (links, truth) = (folder.path("links.csv"), folder.path("truth.csv"));
    let (register, list) = (febrl.join("dataset4a.csv"), febrl.join("dataset4b.csv"));
    let run = renkei([
        "link".as_ref(),
        "--json".as_ref(),
        "--schema".as_ref(),
        data("febrl4.toml").as_os_str(),
        "--register".as_ref(),
        register.as_os_str(),
        "--list".as_ref(),
        list.as_os_str(),
        "--output".as_ref(),
        links.as_os_str(),
    ])
    .exits(0);
    assert_eq!(
        (&run.json()["register_records"], &run.json()["list_lines"]),
        (&5_000.into(), &5_000.into())
    );
    // The damaged copy of rec-7-org is rec-7-dup-0.
    let lines = Sheet::read(&list);
    let ids = lines.cells("rec_id");
    let row = |id: &&str| vec![(*id).to_owned(), id.replace("-dup-0", "-org")];
    Sheet::new(&["list_id", "register_id"], ids.iter().map(row).collect()).write(&truth);
    let json = renkei([
        "evaluate".as_ref(),
        "--json".as_ref(),
        "--predictions".as_ref(),
        links.as_os_str(),
        "--truth".as_ref(),
        truth.as_os_str(),
    ])
    .exits(0)
    .json();
    assert_eq!(json["lines"], 5_000);
    assert!(json["best"]["f1"].as_f64().is_some_and(|f1| f1 >= 0.99), "{json}");
}
