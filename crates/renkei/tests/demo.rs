//! The demo, as somebody who has just built the program runs it.

mod support;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::Value;
use support::{Folder, Run, Sheet, assert_keys, assert_sums, renkei, renkei_in, shared_folder};

const RESIDENTS: u64 = 300;
const LINES: u64 = 90;

fn run_demo(dir: &Path, more: &[&str]) -> Run {
    let (residents, lines) = (RESIDENTS.to_string(), LINES.to_string());
    let dir = dir.display().to_string();
    let fixed = ["demo", "--residents", &residents, "--lines", &lines, "--dir", &dir];
    renkei(fixed.iter().chain(more))
}

/// One demo for all tests, and what it said. It is the second one in its folder.
fn demo() -> &'static (PathBuf, Value) {
    static DEMO: OnceLock<(PathBuf, Value)> = OnceLock::new();
    DEMO.get_or_init(|| {
        let dir = shared_folder("demo").join("city");
        // What an earlier run of the tests left is an earlier demo; without one, a demo is made to be replaced.
        if !dir.join("report.html").is_file() {
            run_demo(&dir, &[]).exits(0);
        }
        fs_err::write(dir.join("files/results.csv"), "of the demo before").expect("written");
        let json = run_demo(&dir, &["--json"]).exits(0).json();
        (dir, json)
    })
}

/// Lines and yen of a step of the reconciliation.
fn step(json: &Value, name: &str) -> (u64, u64) {
    let steps = json["reconcile"].as_array().expect("steps");
    let found = steps.iter().find(|step| step["step"] == name);
    let part = |key: &str| found.map_or(0, |step| step[key].as_u64().expect("a number"));
    (part("lines"), part("yen"))
}

fn plus(one: (u64, u64), other: (u64, u64)) -> (u64, u64) {
    (one.0 + other.0, one.1 + other.1)
}

#[test]
fn a_demo_says_what_the_machine_contract_names() {
    let (_, json) = demo();
    assert_keys(
        json,
        &[
            "register_records",
            "list_lines",
            "candidate_pairs",
            "seconds",
            "cpu_seconds",
            "peak_rss_bytes",
            "outcomes",
            "yen_unreadable",
            "model_digest",
            "result_digest",
            "verified",
            "log",
            "reconcile",
            "evaluation",
        ],
    );
    assert_eq!(json["register_records"], RESIDENTS);
    assert_eq!(json["verified"], true);
    assert!(json["log"]["leaves"].as_u64().expect("a number") > 20);
    assert!(json["log"]["root"].is_string());
    assert!(json["seconds"]["total"].is_number());
    assert_keys(&json["evaluation"], &["lines", "linked", "with_review", "best", "review_share"]);
}

#[test]
fn no_line_and_no_yen_is_lost_on_the_way_to_the_bank() {
    let (_, json) = demo();
    let declared = step(json, "DECLARED");
    assert_eq!(declared.0, LINES);
    assert_eq!(step(json, "RECEIVED"), declared);
    assert_sums(json, declared.0, declared.1);
    let after = ["LINKED", "LINKED_BY_CLERK", "REVIEW", "AMBIGUOUS", "DUPLICATE", "NOT_FOUND"]
        .into_iter()
        .chain(["UNLINKABLE", "REJECTED_INPUT"]);
    assert_eq!(after.map(|name| step(json, name)).fold((0, 0), plus), declared);
    let became =
        ["OPEN", "PAYABLE", "PROPOSED", "CERTIFIED", "RELEASED", "ACKNOWLEDGED", "SENT_BACK"];
    assert_eq!(became.map(|name| step(json, name)).into_iter().fold((0, 0), plus), declared);
    let paid = (json["transferred"]["lines"].as_u64(), json["transferred"]["yen"].as_u64());
    let acknowledged = step(json, "ACKNOWLEDGED");
    assert_eq!(paid, (Some(acknowledged.0), Some(acknowledged.1)));
    assert!(acknowledged.0 > LINES / 2, "{acknowledged:?}");
}

#[test]
fn a_demo_leaves_the_folder_of_the_machine_contract_in_place_of_an_earlier_one() {
    let (dir, _) = demo();
    for file in [
        "broker.toml",
        "pki/ca.crt",
        "pki/broker.crt",
        "keys/root.key",
        "keys/log.key",
        "clients/payments.toml",
        "clients/auditor-1.toml",
        "clients/auditor-1.key",
        "files/residents.csv",
        "files/payments.csv",
        "files/transfer.txt",
        "bundle/checkpoint",
        "log.vkey",
        "report.html",
    ] {
        assert!(dir.join(file).is_file(), "{file}");
    }
    for folder in ["store/journal", "store/blobs", "bundle/tile"] {
        assert!(dir.join(folder).is_dir(), "{folder}");
    }
    let results = Sheet::read(&dir.join("files/results.csv"));
    let header = ["list_id", "register_id", "outcome", "probability", "match_weight", "reason"];
    assert_eq!(results.header, header);
    assert_eq!(results.rows.len() as u64, LINES);
}

#[test]
fn the_evaluation_is_that_of_the_results_it_leaves() {
    let (dir, json) = demo();
    let (predictions, truth) = (dir.join("files/results.csv"), dir.join("files/truth.csv"));
    let arguments = ["evaluate".as_ref(), "--predictions".as_ref(), predictions.as_os_str()];
    let arguments = arguments.into_iter().chain(["--truth".as_ref(), truth.as_os_str()]);
    let evaluated = renkei(arguments.chain(["--json".as_ref()])).exits(0).json();
    assert_eq!(evaluated, json["evaluation"]);
}

#[test]
fn the_report_needs_nothing_else_and_names_nobody() {
    let (dir, _) = demo();
    let page = fs_err::read_to_string(dir.join("report.html")).expect("a report");
    for wanted in ["<svg", "ACKNOWLEDGED", "Precision"] {
        assert!(page.contains(wanted), "{wanted}");
    }
    for other_place in ["<script", "http://", "https://", "src=", "<link"] {
        assert!(!page.contains(other_place), "{other_place}");
    }
    let residents = Sheet::read(&dir.join("files/residents.csv"));
    for row in &residents.rows {
        for value in [&row[0], &row[2], &row[3]] {
            assert!(!page.contains(value.as_str()), "somebody stands in the report");
        }
    }
}

#[test]
fn a_broker_would_accept_the_configuration_that_a_demo_leaves() {
    let (dir, _) = demo();
    let file = dir.join("broker.toml").display().to_string();
    let found = renkei(["check-config", &file, "--json"]).exits(0).json();
    assert_eq!(found["ok"], true);
    assert_eq!(found["founders"].as_array().expect("founders").len(), 2);
    for named in found["files"].as_array().expect("files") {
        assert_eq!(named["present"], true, "{named}");
    }
}

#[test]
fn a_configuration_with_a_typo_is_refused_with_its_line_and_key() {
    let (dir, _) = demo();
    let text = fs_err::read_to_string(dir.join("broker.toml")).expect("a configuration");
    let folder = Folder::new();
    let file = folder.write("broker.toml", text.replacen("trust_domain", "trust_domian", 1));
    let file = file.display().to_string();
    renkei(["check-config", &file]).exits(2).says(&["broker.toml", "line", "trust_domian"]);
    renkei(["serve", "--config", &file]).exits(2).says(&["trust_domian"]);
    renkei(["check-config", &folder.path("none.toml").display().to_string()]).exits(2);
}

#[test]
fn a_folder_with_something_else_in_it_is_refused_and_stays_as_it_is() {
    let folder = Folder::new();
    folder.write("thesis.txt", "years of work");
    let dir = folder.path(".");
    run_demo(&dir, &[]).exits(3).says(&["--dir"]);
    let dir = dir.display().to_string();
    renkei_in("ja_JP.UTF-8", ["demo", "--dir", &dir]).exits(3).says(&["デモ"]);
    assert_eq!(folder.names(), ["thesis.txt"]);
}
