//! How well the sample is linked.

use crate::linking::{cut_from, evaluate, link_some, linked};
use crate::support::Sheet;
use crate::support::sample::{self};

#[test]
fn the_sample_is_linked_nearly_without_error() {
    let links = &linked().links;
    let persons = sample::persons();
    let (mut right, mut wrong) = (0, Vec::new());
    for row in 0..links.rows.len() {
        if links.cell(row, "outcome") == "LINKED" {
            let line = links.cell(row, "list_id");
            if persons[line] == links.cell(row, "register_id") {
                right += 1;
            } else {
                wrong.push(line);
            }
        }
    }
    assert!(right + wrong.len() >= 5_000, "{right} right, {wrong:?} wrong");
    assert!(wrong.len() <= 10, "{wrong:?}");
}

#[test]
fn evaluate_says_how_well_the_sample_is_linked() {
    let json = evaluate(&linked().file("links.csv"));
    assert_eq!(json["lines"], 6_000);
    assert!(json["best"]["f1"].as_f64().is_some_and(|f1| f1 >= 0.98), "{json}");
    assert!(json["linked"]["precision"].as_f64().is_some_and(|p| p >= 0.998), "{json}");
    assert!(json["review_share"].as_f64().is_some_and(|share| share < 0.1), "{json}");
}

#[test]
fn a_candidates_file_is_evaluated_without_outcomes() {
    let links = evaluate(&linked().file("links.csv"));
    let candidates = evaluate(&linked().file("candidates.csv"));
    for figure in ["linked", "with_review", "review_share"] {
        assert!(candidates[figure].is_null(), "{figure}");
        assert!(!links[figure].is_null(), "{figure}");
    }
    assert_eq!(candidates["best"], links["best"]);
    assert_eq!(candidates["recall_at_precision"], links["recall_at_precision"]);
}

#[test]
fn a_few_lines_are_judged_as_they_are_among_thousands() {
    let persons = sample::persons();
    let among = linked().links.map("list_id", "outcome");
    for (first, lines) in [(0, 10), (77, 10), (1_234, 10), (0, 1), (2_500, 1), (5_999, 1)] {
        let lines = cut_from(first, 419, lines);
        let (folder, run) = link_some(&lines, |_, _| {});
        run.exits(0);
        let few = Sheet::read(&folder.path("links.csv"));
        let mut other = Vec::new();
        for row in 0..few.rows.len() {
            let (line, outcome) = (few.cell(row, "list_id"), few.cell(row, "outcome"));
            if outcome != among[line] {
                other.push((line, outcome, among[line]));
            }
            if outcome == "LINKED" {
                assert_eq!(few.cell(row, "register_id"), persons[line], "{line}");
            }
        }
        assert_eq!(few.rows.len(), lines.rows.len());
        assert!(other.len() <= lines.rows.len() / 10, "from row {first}: {other:?}");
    }
}
