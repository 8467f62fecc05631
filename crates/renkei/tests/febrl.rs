//! FEBRL data sets 3 and 4: another country, another language, and nothing but a schema file.

mod support;

use std::collections::BTreeMap;
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

/// The pairs of so many records that are all one person.
fn pairs_of(records: u64) -> u64 {
    records * (records - 1) / 2
}

fn f1(right: u64, found: u64, wanted: u64) -> f64 {
    let count = |number: u64| f64::from(u32::try_from(number).expect("a few thousand"));
    2.0 * count(right) / count(found + wanted)
}

#[test]
fn febrl_is_deduplicated_with_an_f1_of_099_by_a_schema_file_alone() {
    let input = febrl().join("dataset3.csv");
    let folder = Folder::new();
    let (output, pairs) = (folder.path("people.csv"), folder.path("pairs.csv"));
    let run = renkei([
        "dedupe".as_ref(),
        "--json".as_ref(),
        "--schema".as_ref(),
        data("febrl3.toml").as_os_str(),
        "--input".as_ref(),
        input.as_os_str(),
        "--output".as_ref(),
        output.as_os_str(),
        "--pairs".as_ref(),
        pairs.as_os_str(),
    ])
    .exits(0);
    assert_eq!(run.json()["records"], 5_000);

    // The person of rec-7-org and rec-7-dup-2 is 7.
    let person = |id: &str| id.split('-').nth(1).expect("an id of FEBRL").to_owned();
    let clusters = Sheet::read(&output);
    let mut people: BTreeMap<String, u64> = BTreeMap::new();
    let mut found: BTreeMap<&str, BTreeMap<String, u64>> = BTreeMap::new();
    for (id, cluster) in clusters.map("record_id", "cluster_id") {
        *people.entry(person(id)).or_default() += 1;
        *found.entry(cluster).or_default().entry(person(id)).or_default() += 1;
    }
    let wanted: u64 = people.values().copied().map(pairs_of).sum();
    assert_eq!((people.len(), wanted), (2_000, 6_538));
    let together: u64 = found.values().map(|members| pairs_of(members.values().sum())).sum();
    let right: u64 = found.values().flat_map(BTreeMap::values).copied().map(pairs_of).sum();
    let of_clusters = f1(right, together, wanted);
    assert!(of_clusters >= 0.99, "clusters: {of_clusters}");

    let sheet = Sheet::read(&pairs);
    let weight = |row: &usize| -> f64 { sheet.cell(*row, "match_weight").parse().expect("bits") };
    let mut rows: Vec<usize> = (0..sheet.rows.len()).collect();
    rows.sort_by(|a, b| weight(b).total_cmp(&weight(a)));
    let (mut right, mut best) = (0, 0.0f64);
    for (found, row) in (1u64..).zip(rows) {
        right += u64::from(person(sheet.cell(row, "id_a")) == person(sheet.cell(row, "id_b")));
        best = best.max(f1(right, found, wanted));
    }
    assert!(best >= 0.99, "pairs: {best}");
}
