//! The blocking report: what each rule cost, what it brought, and what was cut.

mod support;

use serde_json::Value;

use support::people::{Pair, lines, list, register, town};
use support::{Sheet, keys};

const COLUMNS: [&str; 10] = [
    "rule",
    "pairs",
    "new_pairs",
    "largest_block",
    "largest_block_share",
    "blocks_left_out",
    "pairs_left_out",
    "expected_matches_first",
    "expected_matches_only",
    "marginal_recall",
];

fn linked(report: &str) -> (Pair, Value) {
    let people = town(300);
    let pair = Pair::of(&register(&people), &list(&lines(&people[..100], 1)));
    let file = pair.folder.path(report).display().to_string();
    let json = pair.link(&["--blocking-report", &file]).exits(0).json();
    (pair, json)
}

#[test]
fn a_json_report_adds_up_to_the_job() {
    let (pair, job) = linked("blocking.json");
    let text = fs_err::read_to_string(pair.folder.path("blocking.json")).expect("a report");
    let report: Value = serde_json::from_str(&text).expect("JSON");
    for key in ["register_records", "list_lines", "candidate_pairs"] {
        assert_eq!(report[key], job[key], "{key}");
    }
    let rules = report["rules"].as_array().expect("rules");
    let mut wanted = COLUMNS;
    wanted.sort_unstable();
    assert!(!rules.is_empty() && rules.iter().all(|rule| keys(rule) == wanted));
    let sum =
        |key: &str| -> f64 { rules.iter().map(|rule| rule[key].as_f64().expect("a number")).sum() };
    assert_eq!(Some(sum("new_pairs")), job["candidate_pairs"].as_f64(), "each pair has one rule");
    // Each of the hundred lines means one resident.
    let all = report["expected_matches"].as_f64().expect("a number");
    assert!((95.0..=100.5).contains(&all), "{all}");
    assert!((sum("expected_matches_first") - all).abs() < 0.001);
    for rule in rules {
        let number = |key: &str| rule[key].as_f64().expect("a number");
        assert!(number("pairs") >= number("new_pairs"), "{rule}");
        assert!(number("expected_matches_first") >= number("expected_matches_only"), "{rule}");
        assert!((number("marginal_recall") - number("expected_matches_only") / all).abs() < 1e-5);
        assert!((number("largest_block_share") - number("largest_block") / 300.0).abs() < 1e-5);
    }
}

#[test]
fn a_table_says_the_same() {
    let (json, _) = linked("blocking.json");
    let text = fs_err::read_to_string(json.folder.path("blocking.json")).expect("a report");
    let wanted: Value = serde_json::from_str(&text).expect("JSON");
    for file in ["blocking.csv", "blocking.parquet"] {
        let (pair, _) = linked(file);
        let table = Sheet::read(&pair.folder.path(file));
        assert_eq!(table.header, COLUMNS);
        let rules = wanted["rules"].as_array().expect("rules");
        assert_eq!(table.rows.len(), rules.len());
        for (row, rule) in rules.iter().enumerate() {
            assert_eq!(table.cell(row, "rule"), rule["rule"].as_str().expect("words"));
            for column in &COLUMNS[1..] {
                let cell: f64 = table.cell(row, column).parse().expect("a number");
                assert_eq!(Some(cell), rule[column].as_f64(), "{column}");
            }
        }
    }
}

#[test]
fn a_rule_without_which_persons_would_be_lost_says_so() {
    // Of twenty lines only the given name, the birthday and the sex are right, and no reading is given.
    let people = town(300);
    let mut asking = lines(&people[..100], 1);
    for line in &mut asking[..20] {
        let given = line.kanji.split('　').nth(1).expect("a given name");
        line.kanji = format!("鷹匠　{given}");
        for nothing in [&mut line.kana, &mut line.postal, &mut line.address, &mut line.holder] {
            nothing.clear();
        }
    }
    let pair = Pair::of(&register(&people), &list(&asking));
    let file = pair.folder.path("blocking.csv");
    pair.link(&["--blocking-report", &file.display().to_string()]).exits(0);
    let table = Sheet::read(&file);
    let only = |words: &str| -> f64 {
        let rows = 0..table.rows.len();
        let rows = rows.filter(|&row| table.cell(row, "rule").contains(words));
        rows.map(|row| table.cell(row, "expected_matches_only").parse::<f64>().expect("a number"))
            .sum()
    };
    assert_eq!(only("family name"), 0.0);
    assert!(only("birth_date + given name as written") > 1.0);
}

#[test]
fn a_report_of_an_unknown_ending_is_refused() {
    let people = town(20);
    let pair = Pair::of(&register(&people), &list(&lines(&people, 1)));
    let file = pair.folder.path("blocking.docx").display().to_string();
    pair.link(&["--blocking-report", &file]).exits(2).says(&["blocking.docx", ".csv"]);
}
