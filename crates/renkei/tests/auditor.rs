//! What an auditor does with the log beyond verifying it: a random sample, at the broker, offline, and drawn again by what the
//! auditor's page says; questions page by page.

mod support;

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use support::broker::Broker;
use support::{Folder, renkei};

/// The code on a page of docs/auditor.
fn code_of(page: &str) -> String {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/auditor").join(page);
    let text = fs_err::read_to_string(place).expect("a page");
    let (_, code) = text.split_once("```python\n").expect("code");
    code.split_once("```").expect("an end").0.to_owned()
}

fn indexes(lines: &str) -> Vec<u64> {
    let index = |line: &str| {
        let leaf: Value = serde_json::from_str(line).expect("an object");
        leaf["leaf_index"].as_u64().expect("an index")
    };
    lines.lines().map(index).collect()
}

/// Drawn by the page, of the checkpoint in a text.
fn drawn_by_the_page(code: &str, checkpoint: &str, wanted: u64, dice: &str) -> Vec<u64> {
    let mut lines = checkpoint.lines().skip(1);
    let (size, root) = (lines.next().expect("a size"), lines.next().expect("a root"));
    let folder = Folder::new();
    let script = folder.write("draw.py", code.to_owned());
    let mut python = Command::new("python3");
    let run = python.arg(script).args([root, size, &wanted.to_string(), dice]).output();
    let run = run.expect("Python runs");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let text = String::from_utf8(run.stdout).expect("UTF-8");
    text.split_whitespace().map(|index| index.parse().expect("an index")).collect()
}

#[test]
fn a_sample_can_be_drawn_again_by_anybody_and_what_was_changed_is_not_believed() {
    let broker = Broker::start();
    let code = code_of("sampling.en.md");
    assert_eq!(code, code_of("sampling.ja.md"), "both pages show the same code");
    assert!(code.lines().count() <= 5);
    let key = broker.town("log.vkey").display().to_string();

    let ask = ["audit", "sample", "--size", "12", "--key", &key];
    let answered = broker.as_client("auditor-1", &ask).exits(0).stdout;
    let first: Value =
        serde_json::from_str(answered.lines().next().expect("a leaf")).expect("JSON");
    let proof = first["proof"].as_str().expect("a proof");
    let (_, note) = proof.split_once("\n\n").expect("a checkpoint");
    assert_eq!(indexes(&answered), drawn_by_the_page(&code, note, 12, ""));
    assert_eq!(first["leaf"]["v"], 1, "the leaf itself is shown");
    let read = ["audit", "query", "--operations", "AUDIT_READ"];
    let read = broker.as_client("auditor-1", &read).exits(0).stdout;
    assert!(read.contains(r#""out":12"#), "the draw is in the log: {read}");
    broker.as_client("operator-1", &["audit", "sample", "--key", &key]).exits(3);

    broker.audit("exported");
    let bundle = broker.folder.path("exported");
    let place = bundle.display().to_string();
    let offline =
        ["audit", "sample", &place, "--size", "9", "--key", &key, "--dice", "4-1-6", "--json"];
    let drawn = renkei(offline).exits(0).stdout;
    let note = fs_err::read_to_string(bundle.join("checkpoint")).expect("a checkpoint");
    assert_eq!(indexes(&drawn), drawn_by_the_page(&code, &note, 9, "4-1-6"));
    let table = renkei(["audit", "sample", &place, "--key", &key]).exits(0);
    assert!(table.stdout.contains("AUDIT_READ") || table.stdout.contains("START"), "{table:?}");
    renkei(["audit", "sample", &place]).exits(2).says(&["--key is needed"]);

    // Another log under the same name, signed by somebody else.
    let changed = note.replacen(note.lines().nth(1).expect("a size"), "7", 1);
    fs_err::write(bundle.join("checkpoint"), changed).expect("written");
    renkei(["audit", "sample", &place, "--key", &key]).exits(3).says(&["signature"]);
}

#[test]
fn pages_follow_each_other_without_a_gap_and_each_question_narrows_as_it_says() {
    let broker = Broker::start();
    let ask = |more: &[&str]| {
        let words: Vec<&str> = ["audit", "query"].iter().chain(more).copied().collect();
        broker.as_client("auditor-1", &words).exits(0).stdout
    };
    let all = indexes(&ask(&["--max", "10000"]));
    let mut paged = Vec::new();
    while paged.len() < all.len() {
        let next = paged.last().map_or(0, |last: &u64| last + 1).to_string();
        paged.extend(indexes(&ask(&["--from-leaf", &next, "--max", "7"])));
    }
    // Each page is a leaf of its own, so there are more by now.
    assert_eq!(paged[..all.len()], all[..]);
    assert!(all.iter().copied().eq(0..all.len() as u64), "none is left out");
    let leaves: Vec<Value> = ask(&["--operations", "REVIEW_DECISION"])
        .lines()
        .map(|line| serde_json::from_str(line).expect("an object"))
        .collect();
    let text = |leaf: &Value, pointer: &str| {
        leaf.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let decided = leaves.first().expect("a clerk has decided");
    for (option, pointer) in [
        ("--person", "/leaf/actor/user"),
        ("--system", "/leaf/actor/sys"),
        ("--agency", "/leaf/actor/agency"),
        ("--agreement", "/leaf/agr/id"),
        ("--purpose", "/leaf/purpose"),
        ("--about", "/leaf/job"),
    ] {
        let wanted = text(decided, pointer);
        assert!(!wanted.is_empty(), "{pointer}: {decided}");
        let found = ask(&["--operations", "REVIEW_DECISION", option, &wanted]);
        let expected: Vec<u64> = leaves
            .iter()
            .filter(|leaf| text(leaf, pointer) == wanted)
            .filter_map(|leaf| leaf["leaf_index"].as_u64())
            .collect();
        assert_eq!(indexes(&found), expected, "{option} {wanted}");
    }
    let known = ask(&["--codes", "NO_AGREEMENT,ROLE_MISSING"]);
    broker.as_client("clerk-1", &["audit", "query"]).exits(3);
    let refused = ask(&["--codes", "NO_AGREEMENT,ROLE_MISSING"]);
    assert_eq!(indexes(&refused).len(), indexes(&known).len() + 1);
}
