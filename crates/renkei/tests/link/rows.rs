//! What stands in the rows of a link, and what they add up to.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::linking::{COLUMNS, has_decimals, link, linked};
use crate::support::sample::{self, payments, residents};
use crate::support::{Folder, Sheet, assert_keys, assert_sums, keys};

#[test]
fn every_line_of_the_sample_is_in_one_row_in_list_order() {
    let links = &linked().links;
    assert_eq!(links.header, COLUMNS);
    assert_eq!(links.cells("list_id"), Sheet::read(&payments()).cells("申請番号"));
    assert_eq!(links.map("list_id", "outcome").len(), 6_000);
}

#[test]
fn lines_and_yen_of_the_outcomes_add_up_to_those_of_the_list() {
    let json = linked().run.json();
    assert_sums(&json, sample::LINES, sample::YEN);
    assert_eq!(json["yen_unreadable"], 0);
    assert_eq!(json["register_records"], 20_000);
    let mut counted: BTreeMap<&str, u64> = BTreeMap::new();
    for outcome in linked().links.cells("outcome") {
        *counted.entry(outcome).or_default() += 1;
    }
    for (outcome, total) in json["outcomes"].as_object().expect("outcomes") {
        let rows = counted.get(outcome.as_str()).copied().unwrap_or(0);
        assert_eq!(total["lines"], rows, "{outcome}");
    }
}

#[test]
fn the_json_of_a_link_has_the_keys_of_the_contract() {
    let json = linked().run.json();
    assert_keys(
        &json,
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
        ],
    );
    let stages = ["read", "normalise", "index", "train", "compare", "assign", "write", "total"];
    assert_keys(&json["seconds"], &stages);
    for stage in stages {
        assert!(json["seconds"][stage].as_f64().is_some_and(|seconds| seconds >= 0.0), "{stage}");
    }
    let names = [
        "AMBIGUOUS",
        "DUPLICATE",
        "LINKED",
        "LINKED_BY_CLERK",
        "NOT_FOUND",
        "REJECTED_INPUT",
        "REVIEW",
        "UNLINKABLE",
    ];
    assert_eq!(keys(&json["outcomes"]), names);
    for name in names {
        assert_keys(&json["outcomes"][name], &["lines", "yen"]);
    }
    for number in ["candidate_pairs", "peak_rss_bytes"] {
        assert!(json[number].as_u64().is_some_and(|number| number > 0), "{number}");
    }
    assert!(json["cpu_seconds"].as_f64().is_some_and(|seconds| seconds > 0.0));
    for digest in ["model_digest", "result_digest"] {
        assert!(json[digest].as_str().is_some_and(|digest| digest.len() >= 64), "{digest}");
    }
}

#[test]
fn numbers_have_the_decimals_of_the_contract_and_stand_where_a_person_is_named() {
    let links = &linked().links;
    for row in 0..links.rows.len() {
        let cells =
            ["register_id", "probability", "match_weight"].map(|name| links.cell(row, name));
        match links.cell(row, "outcome") {
            "NOT_FOUND" | "UNLINKABLE" | "REJECTED_INPUT" => assert_eq!(cells, [""; 3], "{row}"),
            _ => {
                assert_eq!(cells[0].len(), 15, "{row}");
                assert!(has_decimals(cells[1], 9) && has_decimals(cells[2], 3), "{cells:?}");
                let probability: f64 = cells[1].parse().expect("a number");
                let weight: f64 = cells[2].parse().expect("a number");
                let odds = weight.exp2();
                assert!((probability - odds / (1.0 + odds)).abs() < 0.001, "{cells:?}");
            }
        }
    }
}

#[test]
fn reasons_are_codes_and_name_a_line_only_where_one_is_meant() {
    let links = &linked().links;
    let ids = links.map("list_id", "outcome");
    let persons = links.map("list_id", "register_id");
    for row in 0..links.rows.len() {
        let (code, other) = match links.cell(row, "reason").split_once(':') {
            Some((code, other)) => (code, Some(other)),
            None => (links.cell(row, "reason"), None),
        };
        assert!(code.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'), "{code}");
        if links.cell(row, "outcome") == "DUPLICATE" {
            let holder = other.expect("the holder is named");
            assert_eq!(code, "HELD_BY_LINE");
            assert_eq!(ids[holder], "LINKED", "{holder}");
            assert_eq!(persons[holder], links.cell(row, "register_id"), "{holder}");
        } else {
            assert_eq!(other, None, "{code}");
        }
    }
}

#[test]
fn nobody_is_held_by_two_lines() {
    let links = &linked().links;
    let mut held: BTreeMap<&str, usize> = BTreeMap::new();
    for (row, outcome) in links.cells("outcome").into_iter().enumerate() {
        if outcome == "LINKED" {
            let earlier = held.insert(links.cell(row, "register_id"), row);
            assert_eq!(earlier, None, "row {row}");
        }
    }
}

#[test]
fn many_lines_may_have_one_person_if_asked_for() {
    let folder = Folder::new();
    let run = link(&folder.path(""), "links.csv", &residents(), &payments(), |run| {
        run.option("--model", linked().file("model.toml"));
        run.flag("--many-to-one");
    })
    .exits(0);
    let outcomes = &run.json()["outcomes"];
    assert_sums(&run.json(), sample::LINES, sample::YEN);
    assert_eq!(outcomes["DUPLICATE"]["lines"], 0);
    let of_one_to_one = &linked().run.json()["outcomes"];
    let linked_lines = |outcomes: &Value| outcomes["LINKED"]["lines"].as_u64().expect("a number");
    assert!(of_one_to_one["DUPLICATE"]["lines"].as_u64().is_some_and(|lines| lines > 100));
    assert!(linked_lines(outcomes) > linked_lines(of_one_to_one) + 100);
    let links = Sheet::read(&folder.path("links.csv"));
    assert!(!links.cells("outcome").contains(&"DUPLICATE"));
}
