//! What an auditor does with the log beyond verifying it: a random sample, at the broker, offline, and drawn again by what the
//! auditor's page says; questions page by page; a month in figures;
//! a year in a folder.

mod support;

use std::path::Path;
use std::process::Command;

use renkei_tlog::LogKey;
use renkei_types::SeededEntropy;
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
    let script = folder.write("draw.py", code);
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
    let sample = ["audit", "sample", &place, "--key", &key];
    renkei(sample).exits(1).says(&["damaged", "signature"]);
    fs_err::write(bundle.join("checkpoint"), &note).expect("written");
    // A log of somebody else is one that cannot be believed, for `audit verify` and here.
    let other =
        LogKey::generate("kita.example/log".parse().expect("a name"), &SeededEntropy::new(7));
    let other = broker.folder.write("other.vkey", format!("{}\n", other.verifier()));
    let other = other.display().to_string();
    renkei(["audit", "sample", &place, "--key", &other]).exits(1).says(&["damaged", "not signed"]);
    renkei(["audit", "verify", &place, "--key", &other]).exits(1);
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
    // What no list has would be found nowhere, and an empty answer looks like one.
    for (option, wrong, closest) in [
        ("--codes", "NO_AGREMENT", "NO_AGREEMENT"),
        ("--operations", "CERTIFI", "CERTIFY"),
        ("--results", "DENYED", "DENIED"),
    ] {
        let refused = broker.as_client("auditor-1", &["audit", "query", option, wrong]).exits(2);
        assert!(refused.stderr.contains(closest), "{option}: {}", refused.stderr);
    }
    // Nothing named would be no question at all, and so the whole log.
    broker.as_client("auditor-1", &["audit", "query", "--about", ""]).exits(2).says(&["--about"]);
    let client = broker.town("clients/auditor-1.toml").display().to_string();
    let asked = ["audit", "query", "--operations", "REVIEW_DECISION", "--as", &client];
    let table = renkei(["--lang", "ja"].iter().chain(&asked)).exits(0).stdout;
    assert!(table.contains("審査の判断（REVIEW_DECISION）"), "{table}");
}

#[test]
fn a_month_is_counted_alike_by_the_broker_and_from_the_exported_log() {
    let broker = Broker::start();
    let month = today(&broker).strftime("%Y-%m").to_string();
    broker.audit("exported");
    let (bundle, key) = (broker.folder.path("exported"), broker.town("log.vkey"));
    let (bundle, key) = (bundle.display().to_string(), key.display().to_string());
    let page = broker.folder.path("month.html");
    let written = page.display().to_string();
    let offline =
        ["audit", "report", &bundle, "--key", &key, "--month", &month, "--exact", "--json"];
    let offline = renkei(offline.iter().chain(&["--output", &written])).exits(0).json();
    let asked = ["audit", "report", "--month", &month, "--exact"];
    let asked = broker.as_client("auditor-1", &asked).exits(0).json();
    assert!(offline["look_ups"].as_u64().is_some_and(|count| count > 0), "{offline}");
    // The export itself left leaves, and none of them is a look-up.
    for key in ["look_ups", "off_hours", "refusals", "by_day", "by_hour", "by_code", "actors"] {
        assert_eq!(offline[key], asked[key], "{key}");
    }
    let sum = |key: &str, part: &str| -> u64 {
        let parts = offline[key].as_array().expect("parts");
        parts.iter().map(|one| one[part].as_u64().expect("a count")).sum()
    };
    for (table, part, whole) in [
        ("by_day", "look_ups", "look_ups"),
        ("by_hour", "look_ups", "look_ups"),
        ("actors", "look_ups", "look_ups"),
        ("actors", "off_hours", "off_hours"),
        ("actors", "refusals", "refusals"),
        ("by_code", "refusals", "refusals"),
    ] {
        assert_eq!(sum(table, part), offline[whole].as_u64().expect("a total"), "{table}");
    }
    let page = fs_err::read_to_string(&page).expect("a page");
    assert_eq!(page.matches("<figure>").count() + page.matches("Nothing was refused").count(), 3);
    let other = renkei(["audit", "report", &bundle, "--key", &key, "--month", "1999-12", "--json"]);
    assert_eq!(other.exits(0).json()["leaves"], 0);
    // What was changed is not counted.
    let entries = broker.folder.path("exported/tile/entries/000");
    let entries = if entries.exists() { entries } else { first_file(&entries.with_extension("p")) };
    let mut bytes = fs_err::read(&entries).expect("entries");
    bytes[100] ^= 1;
    fs_err::write(&entries, bytes).expect("written");
    renkei(["audit", "report", &bundle, "--key", &key, "--month", &month])
        .exits(1)
        .says(&["damaged"]);
}

#[test]
fn a_year_is_handed_over_in_a_folder_that_three_programs_accept() {
    let broker = Broker::start();
    let key = broker.town("log.vkey").display().to_string();
    let day = today(&broker);
    let year = if day.month() < 4 { day.year() - 1 } else { day.year() };
    let (year, next) = (year.to_string(), (year + 1).to_string());
    let folder = broker.folder.path("year");
    let place = folder.display().to_string();
    let hand_over = ["audit", "hand-over", "--year", &year, "--output", &place, "--key", &key];
    let done = broker.as_client("auditor-1", &hand_over).exits(0);
    let done = done.says(&["the fiscal year goes on"]).json();
    assert_eq!(done["ended"], false);
    let later = ["audit", "hand-over", "--year", &next, "--output", "never", "--key", &key];
    broker.as_client("auditor-1", &later).exits(2).says(&["has not begun"]);
    // Which has no final checkpoint yet.
    let elsewhere = broker.folder.path("ended").display().to_string();
    let bundle = ["audit", "bundle", "--year", &year, "--output", &elsewhere];
    broker.as_client("auditor-1", &bundle).exits(2);
    broker.as_client("auditor-1", &hand_over).exits(3).says(&["not empty"]);
    broker
        .as_client(
            "operator-1",
            &["audit", "hand-over", "--year", &year, "--output", "never", "--key", &key],
        )
        .exits(3);

    let check = |words: &[&str]| {
        let run = Command::new(words[0]).args(&words[1..]).current_dir(&folder).output();
        let run = run.expect("the program runs");
        let said = [run.stdout, run.stderr].concat();
        (run.status.success(), String::from_utf8_lossy(&said).into_owned())
    };
    let (ok, said) = check(&["sha256sum", "--strict", "-c", "SHA256SUMS"]);
    assert!(ok, "{said}");
    assert_eq!(said.lines().count() as u64 + 1, done["files"].as_u64().expect("files"));
    for name in [
        "README.en.md",
        "README.ja.md",
        "policy",
        "verify_log.py",
        "leaf.schema.json",
        "log/checkpoint",
    ] {
        assert!(said.contains(&format!("{name}: OK")), "{name}: {said}");
    }
    let months = done["months"].as_u64().expect("months");
    for ending in [".json: OK", ".en.html: OK", ".ja.html: OK"] {
        let reports = said.lines().filter(|line| {
            line.starts_with(&format!("reports/{year}-"))
                || line.starts_with(&format!("reports/{next}-"))
        });
        assert_eq!(reports.filter(|line| line.ends_with(ending)).count() as u64, months);
    }
    let log = folder.join("log").display().to_string();
    let verified = renkei(["audit", "verify", &log, "--key", &key, "--json"]).exits(0).json();
    assert_eq!((&verified["size"], &verified["root"]), (&done["size"], &done["root"]));
    let requirements = folder.join("requirements.txt");
    let python = support::python::python_with("python-auditor", &requirements);
    let python = python.display().to_string();
    let script = [python.as_str(), "verify_log.py", "log", "log.vkey"];
    let (ok, said) = check(&script);
    assert!(ok && said.starts_with("intact"), "{said}");

    let checkpoint = folder.join("log/checkpoint");
    let note = fs_err::read_to_string(&checkpoint).expect("a checkpoint");
    let size = note.lines().nth(1).expect("a size").to_owned();
    fs_err::write(&checkpoint, note.replacen(&size, &format!("{size}0"), 1)).expect("written");
    assert!(!check(&["sha256sum", "--strict", "-c", "SHA256SUMS"]).0);
    assert!(!check(&script).0);
    renkei(["audit", "verify", &log, "--key", &key]).exits(1);
}

/// The day in Japan of the last look-up.
fn today(broker: &Broker) -> jiff::civil::Date {
    let looked_up = ["audit", "query", "--operations", "QUERY_SINGLE"];
    let looked_up = broker.as_client("auditor-1", &looked_up).exits(0).stdout;
    let last = looked_up.lines().last().expect("a leaf");
    let last: Value = serde_json::from_str(last).expect("an object");
    let time = last["leaf"]["t"].as_i64().expect("a time");
    let japan = jiff::tz::TimeZone::fixed(jiff::tz::offset(9));
    jiff::Timestamp::from_millisecond(time).expect("a time").to_zoned(japan).date()
}

/// The only file of a folder.
fn first_file(folder: &Path) -> std::path::PathBuf {
    let mut entries = fs_err::read_dir(folder).expect("a folder");
    entries.next().expect("a file").expect("an entry").path()
}
