//! Measuring predictions: figures that can be checked by hand.

mod support;

use std::path::PathBuf;

use serde_json::Value;
use support::{Folder, Run, keys, renkei};

const TRUTH: &str = "番号,誰\nB1,a\nB2,b\nB3,c\nB4,\nB5,e\nB6,f\n";

/// Two links right, one to a stranger for a nobody, one with a clerk, one not found, one second application.
const LINKS: &str = "list_id,register_id,outcome,probability,match_weight,reason\n\
    B1,a,LINKED,0.999000000,9.964,ABOVE_LINK_THRESHOLD\n\
    B2,b,LINKED,0.990000000,6.629,ABOVE_LINK_THRESHOLD\n\
    B3,c,REVIEW,0.600000000,0.585,BETWEEN_THRESHOLDS\n\
    B4,x,LINKED,0.980000000,5.615,ABOVE_LINK_THRESHOLD\n\
    B5,,NOT_FOUND,,,NO_CANDIDATE\n\
    B6,a,DUPLICATE,0.900000000,3.170,HELD_BY_LINE:B1\n";

struct Files {
    folder: Folder,
    links: PathBuf,
    truth: PathBuf,
}

fn files() -> Files {
    let folder = Folder::new();
    let links = folder.write("links.csv", LINKS);
    let truth = folder.write("truth.csv", TRUTH);
    Files { folder, links, truth }
}

fn evaluate(files: &Files, more: &[&str]) -> Run {
    let arguments = [
        "evaluate".as_ref(),
        "--json".as_ref(),
        "--predictions".as_ref(),
        files.links.as_os_str(),
        "--truth".as_ref(),
        files.truth.as_os_str(),
    ];
    renkei(arguments.into_iter().chain(more.iter().map(std::ffi::OsStr::new)))
}

#[track_caller]
fn assert_near(value: &Value, wanted: f64) {
    let found = value.as_f64().expect("a number");
    assert!((found - wanted).abs() < 1e-6, "{found} is not {wanted}");
}

#[test]
fn figures_are_those_of_a_count_by_hand() {
    let json = evaluate(&files(), &[]).exits(0).json();
    assert_eq!(json["lines"], 6);
    // Four links (B1 B2 B4 B6), two right; five lines have a person.
    assert_near(&json["linked"]["precision"], 0.5);
    assert_near(&json["linked"]["recall"], 0.4);
    assert_near(&json["linked"]["f1"], 4.0 / 9.0);
    // The clerk adds B3.
    assert_near(&json["with_review"]["precision"], 0.6);
    assert_near(&json["with_review"]["recall"], 0.6);
    assert_near(&json["with_review"]["f1"], 0.6);
    assert_near(&json["review_share"], 1.0 / 6.0);
    // The cuts: B1 | B2 | B4 | B6 | B3; the best is behind B3 with 3 of 5, or behind B2 with 2 of 2.
    let behind_b2 = 2.0 * 1.0 * 0.4 / 1.4;
    let behind_b3: f64 = 0.6;
    assert_near(&json["best"]["f1"], behind_b3.max(behind_b2));
    assert_near(&json["best"]["at"], 0.6);
    assert_near(&json["recall_at_precision"]["0.999"], 0.4);
}

#[test]
fn the_json_has_the_keys_of_the_contract() {
    let json = evaluate(&files(), &[]).exits(0).json();
    let wanted = [
        "best",
        "expected",
        "intervals",
        "lines",
        "linked",
        "recall_at_precision",
        "review_share",
        "with_review",
    ];
    assert_eq!(keys(&json), wanted);
    for accuracy in ["linked", "with_review"] {
        support::assert_keys(&json[accuracy], &["precision", "recall", "f1"]);
    }
    support::assert_keys(&json["best"], &["f1", "at"]);
}

/// Wilson's interval of 2 of 4 and of 2 of 5, by hand.
#[test]
fn intervals_stand_beside_precision_and_recall() {
    let json = evaluate(&files(), &[]).exits(0).json();
    let linked = &json["intervals"]["linked"];
    for (figure, ends) in
        [("precision", [0.150_039, 0.849_961]), ("recall", [0.117_621, 0.769_276])]
    {
        for (at, wanted) in ends.into_iter().enumerate() {
            assert_near(&linked[figure][at], wanted);
        }
    }
    assert_eq!(keys(&json["intervals"]), ["linked", "with_review"]);
}

#[test]
fn without_a_truth_only_what_is_expected_is_told() {
    let files = files();
    let ask = |more: &[&str]| {
        let arguments = ["evaluate", "--predictions"].map(std::ffi::OsStr::new);
        let arguments = arguments.into_iter().chain([files.links.as_os_str()]);
        renkei(arguments.chain(more.iter().map(std::ffi::OsStr::new)))
    };
    let json = ask(&["--json"]).exits(0).json();
    assert!(json["linked"].is_null() && json["best"].is_null());
    assert_near(&json["review_share"], 1.0 / 6.0);
    let expected = &json["expected"];
    // Four links of 0.999, 0.99, 0.98 and 0.9, and a line for review of 0.6.
    assert_eq!(expected["links"], 4);
    assert_near(&expected["false_links"]["value"], 0.131);
    assert_near(&expected["precision"]["value"], 3.869 / 4.0);
    assert_near(&expected["recall"]["value"], 3.869 / 4.469);
    for figure in ["false_links", "precision", "recall"] {
        let end = |end: &str| expected[figure][end].as_f64().expect("a number");
        assert!(end("low") <= end("value") && end("value") <= end("high"), "{figure}: {expected}");
    }
    let table = ask(&["--lang", "ja"]).exits(0);
    assert!(table.stdout.contains("見込み") && table.stdout.contains("95％"), "{}", table.stdout);
    // Nothing can be required of a figure that needs a truth.
    ask(&["--require", "linked.precision=0.1"]).exits(2);
    ask(&["--require", "review_share=0.2"]).exits(0);
}

#[test]
fn a_candidates_file_counts_by_rank_one() {
    let mut files = files();
    files.links = files.folder.write(
        "candidates.csv",
        "list_id,register_id,rank,probability,match_weight\n\
         B1,a,1,0.999000000,9.964\n\
         B1,b,2,0.700000000,1.222\n\
         B2,x,1,0.980000000,5.615\n\
         B2,b,2,0.970000000,5.015\n",
    );
    let json = evaluate(&files, &[]).exits(0).json();
    for figure in ["linked", "with_review", "review_share"] {
        assert!(json[figure].is_null(), "{figure}");
    }
    // One right of one, of five persons.
    assert_near(&json["best"]["f1"], 2.0 * 0.2 / 1.2);
    assert_near(&json["best"]["at"], 0.999);
}

#[test]
fn a_requirement_that_holds_is_silent_and_one_that_does_not_exits_with_one() {
    let files = files();
    evaluate(&files, &["--require", "linked.precision=0.5,best.f1=0.59"]).exits(0);
    evaluate(&files, &["--require", "review_share=0.2"]).exits(0);
    evaluate(&files, &["--require", "recall_at_precision.0.999=0.4"]).exits(0);
    evaluate(&files, &["--require", "linked.precision=0.51"]).exits(1).says(&["linked.precision"]);
    evaluate(&files, &["--require", "best.f1=0.5,with_review.recall=0.61"])
        .exits(1)
        .says(&["with_review.recall"]);
    // A share of reviews must not exceed its value.
    evaluate(&files, &["--require", "review_share=0.1"]).exits(1).says(&["review_share"]);
    evaluate(&files, &["--require", "recall_at_precision.0.999=0.41"]).exits(1);
    // Where nothing is linked no link is wrong, and nothing is shown by that.
    let links = "list_id,register_id,outcome,probability,match_weight,reason\nB1,,NOT_FOUND,,,NO_CANDIDATE\n";
    files.folder.write("links.csv", links);
    evaluate(&files, &["--require", "linked.precision=0.5"]).exits(1).says(&["nothing is linked"]);
}

#[test]
fn a_requirement_that_cannot_be_understood_is_no_requirement() {
    let files = files();
    for given in ["precision=0.9", "linked.accuracy=0.9", "linked.precision", "linked.precision=x"]
    {
        evaluate(&files, &["--require", given]).exits(2);
    }
}

#[test]
fn a_candidates_file_has_no_outcomes_even_if_it_has_no_pairs() {
    let mut files = files();
    let header = "list_id,register_id,rank,probability,match_weight\n";
    for pairs in ["B1,a,1,0.999000000,9.964\n", ""] {
        files.links = files.folder.write("candidates.csv", format!("{header}{pairs}"));
        evaluate(&files, &["--require", "linked.precision=0.1"]).exits(2);
        let json = evaluate(&files, &[]).exits(0).json();
        for figure in ["linked", "with_review", "review_share"] {
            assert!(json[figure].is_null(), "{figure}: {json}");
        }
    }
}

#[test]
fn figures_are_told_by_class_of_error() {
    let files = files();
    let classes = files.folder.write(
        "classes.csv",
        "id,classes\nB1,kana_typo\nB2,kana_typo moved\nB3,moved\nB4,nonresident\n",
    );
    let classes = classes.into_os_string().into_string().expect("a name in UTF-8");
    let json = evaluate(&files, &["--classes", &classes]).exits(0).json();
    let by_class = &json["by_class"];
    assert_eq!(keys(by_class), ["kana_typo", "moved", "none", "nonresident"]);
    let figures = |class: &str| {
        ["lines", "missed", "false_links"].map(|figure| by_class[class][figure].as_u64())
    };
    assert_eq!(figures("kana_typo"), [Some(2), Some(0), Some(0)]);
    assert_eq!(figures("moved"), [Some(2), Some(1), Some(0)]);
    assert_eq!(figures("nonresident"), [Some(1), Some(0), Some(1)]);
    assert_eq!(figures("none"), [Some(2), Some(2), Some(1)]);
}

#[test]
fn files_that_do_not_fit_are_named() {
    let files = files();
    let with = |links: &str, truth: &str| Files {
        folder: Folder::new(),
        links: files.folder.write("other-links.csv", links),
        truth: files.folder.write("other-truth.csv", truth),
    };
    let run = evaluate(&with("list_id,outcome\nB1,LINKED\n", TRUTH), &[]);
    run.exits(2).says(&["other-links.csv", "register_id"]);
    let run = evaluate(&with(LINKS, "only\nB1\n"), &[]);
    run.exits(2).says(&["other-truth.csv"]);
    let run = evaluate(&with(LINKS, "id,who\nB1,a\nB1,b\n"), &[]);
    run.exits(2).says(&["other-truth.csv", "3"]);
    let run = evaluate(&with(&LINKS.replace("0.980000000", "9.8"), TRUTH), &[]);
    run.exits(2).says(&["other-links.csv", "5", "probability"]).hides(&["9.8"]);
}
