//! A shadow run: two results side by side, payee by payee, without telling what anybody is paid.

mod support;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use support::{Folder, Run, Sheet, my_number, renkei, renkei_in};

/// By resident, as an office keeps it. A3 is paid twice, A5's amount is no number, one line names nobody.
const OLD: &str = "宛名番号,氏名,支給額\n\
    A1,山田 一,10000\n\
    A2,山田 二,\"20,000\"\n\
    A3,山田 三,30000\n\
    A3,山田 三,30000\n\
    A4,山田 四,40000\n\
    A5,山田 五,五万\n\
    ,誰か,1\n";

/// A result of ours: A2 gets more, A4 waits for a clerk, A6 is new, A7 is nobody's.
const NEW: &str = "list_id,register_id,outcome,probability,match_weight,reason,amount\n\
    B1,A1,LINKED,0.999000000,9.964,ABOVE_LINK_THRESHOLD,10000\n\
    B2,A2,LINKED_BY_CLERK,0.990000000,6.629,BETWEEN_THRESHOLDS,25000\n\
    B3,A3,LINKED,0.999000000,9.964,ABOVE_LINK_THRESHOLD,60000\n\
    B4,A4,REVIEW,0.600000000,0.585,BETWEEN_THRESHOLDS,40000\n\
    B5,A5,LINKED,0.999000000,9.964,ABOVE_LINK_THRESHOLD,50000\n\
    B6,A6,LINKED,0.999000000,9.964,ABOVE_LINK_THRESHOLD,7000\n\
    B7,,NOT_FOUND,,,NO_CANDIDATE,9000\n";

fn compare(old: &Path, new: &Path, more: &[&str]) -> Run {
    let arguments = ["compare".as_ref(), "--old".as_ref(), old.as_os_str(), "--new".as_ref()];
    let more = more.iter().map(std::ffi::OsStr::new);
    renkei(arguments.into_iter().chain([new.as_os_str()]).chain(more))
}

fn files() -> (Folder, PathBuf, PathBuf) {
    let folder = Folder::new();
    let old = folder.write("old.csv", OLD);
    let new = folder.write("new.csv", NEW);
    (folder, old, new)
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no number"))
}

const GROUPS: [&str; 5] = ["same", "only_old", "only_new", "other_amount", "amount_unreadable"];

/// The groups are the results, split: no payee and no yen is lost.
#[track_caller]
fn assert_adds_up(json: &Value) {
    let sum = |groups: &[&str], what: &str| -> u64 {
        groups.iter().map(|group| number(&json[*group][what])).sum()
    };
    assert_eq!(sum(&GROUPS, "yen_old"), number(&json["old"]["yen"]));
    assert_eq!(sum(&GROUPS, "yen_new"), number(&json["new"]["yen"]));
    let both = ["same", "other_amount", "amount_unreadable"];
    let (old, new) = (number(&json["old"]["payees"]), number(&json["new"]["payees"]));
    assert_eq!(sum(&both, "payees") + number(&json["only_old"]["payees"]), old);
    assert_eq!(sum(&both, "payees") + number(&json["only_new"]["payees"]), new);
}

#[test]
fn only_here_only_there_other_amount_and_twice_are_those_of_a_count_by_hand() {
    let (_folder, old, new) = files();
    let json = compare(&old, &new, &["--json"]).exits(0).json();
    assert_eq!(json["key"], "resident_id");
    assert_eq!(json["equal"], false);
    assert_eq!(json["same"], json!({"payees": 2, "yen_old": 70_000, "yen_new": 70_000}));
    assert_eq!(json["only_old"]["ids"], json!(["A4"]));
    assert_eq!(json["only_old"]["by_outcome"], json!({"REVIEW": 1}));
    assert_eq!(json["only_new"]["ids"], json!(["A6"]));
    assert_eq!(json["only_new"]["by_outcome"], json!({"ABSENT": 1}));
    assert_eq!(json["other_amount"]["ids"], json!(["A2"]));
    assert_eq!(json["other_amount"]["yen_old"], 20_000);
    assert_eq!(json["other_amount"]["yen_new"], 25_000);
    assert_eq!(json["amount_unreadable"]["ids"], json!(["A5"]));
    assert_eq!(json["twice"]["old"], json!({"payees": 1, "lines": 2, "ids": ["A3"]}));
    assert_eq!(json["twice"]["new"]["payees"], 0);
    assert_eq!(json["old"]["without_id"], 1);
    assert_eq!(json["old"]["amounts_unreadable"], 1);
    assert_eq!(json["new"]["not_paid"], json!({"REVIEW": 1, "NOT_FOUND": 1}));
    assert_adds_up(&json);
}

#[test]
fn what_a_person_is_paid_is_told_only_where_it_is_asked_for() {
    let (folder, old, new) = files();
    let hidden = ["20,000", "20000", "25,000", "25000"];
    let output = folder.path("differences.csv");
    let place = output.to_str().expect("a path");
    // Sums of a group of one would be its amount: two such payees, so that sums are not told either.
    let old_two = folder.write("old-2.csv", OLD.to_owned() + "A8,山田 八,1111\n");
    let new_two = folder.write(
        "new-2.csv",
        NEW.to_owned() + "B8,A8,LINKED,0.999000000,9.964,ABOVE_LINK_THRESHOLD,2222\n",
    );
    compare(&old_two, &new_two, &[]).exits(0).hides(&hidden).hides(&["山田", "誰か"]);
    compare(&old_two, &new_two, &["--json", "--output", place]).exits(0).hides(&hidden);
    let sheet = Sheet::read(&output);
    assert!(!sheet.header.iter().any(|name| name.contains("amount")), "{:?}", sheet.header);
    let asked = ["--json", "--with-records", "--output", place];
    let json = compare(&old, &new, &asked).exits(0).json();
    let records = json!([{"id": "A2", "old": 20_000, "new": 25_000}]);
    assert_eq!(json["other_amount"]["records"], records);
    let sheet = Sheet::read(&output);
    assert_eq!(sheet.cells("id"), ["A2", "A3", "A4", "A5", "A6"]);
    assert_eq!(
        sheet.cells("difference"),
        ["other_amount", "same", "only_old", "amount_unreadable", "only_new"]
    );
    assert_eq!(sheet.map("id", "old_lines")["A3"], "2");
    assert_eq!(sheet.map("id", "outcome")["A4"], "REVIEW");
    assert_eq!(sheet.map("id", "new_amount")["A2"], "25000");
}

#[test]
fn every_format_gives_the_same_comparison() {
    let (folder, old, new) = files();
    let strip = |mut json: Value| {
        for side in ["old", "new"] {
            json[side]["file"] = Value::Null;
        }
        json
    };
    let csv = strip(compare(&old, &new, &["--json"]).exits(0).json());
    for ending in ["xlsx", "parquet"] {
        let (other_old, other_new) =
            (folder.path(&format!("old.{ending}")), folder.path(&format!("new.{ending}")));
        Sheet::read(&old).write(&other_old);
        Sheet::read(&new).write(&other_new);
        let json = strip(compare(&other_old, &other_new, &["--json"]).exits(0).json());
        assert_eq!(json, csv, "{ending}");
    }
}

#[test]
fn applications_tell_payees_apart_where_one_file_knows_no_residents() {
    let folder = Folder::new();
    let old = folder.write("old.csv", "申請番号,支給額\nB1,10000\nB4,40000\nB9,5\n");
    let new = folder.write("new.csv", NEW);
    let json = compare(&old, &new, &["--json"]).exits(0).json();
    assert_eq!(json["key"], "benefit_id");
    assert_eq!(json["same"]["payees"], 1);
    // B4 is there and waits for a clerk, B9 was never there.
    assert_eq!(json["only_old"]["by_outcome"], json!({"REVIEW": 1, "ABSENT": 1}));
    assert_adds_up(&json);
    let refused = compare(&old, &new, &["--key", "household"]).exits(2);
    assert!(refused.stderr.contains("household_id"), "{}", refused.stderr);
    let names = folder.write("names.csv", "氏名,支給額\n山田,1\n");
    compare(&names, &new, &[]).exits(2).says(&["no column in common"]);
}

#[test]
fn what_a_spreadsheet_took_is_noticed_and_never_guessed() {
    let folder = Folder::new();
    let old = folder.write("old.csv", "宛名番号,支給額\n12,100\n34,100\n");
    let new = folder.write("new.csv", "宛名番号,支給額\n0012,100\n0034,100\n");
    let run = compare(&old, &new, &["--json"]).exits(0);
    assert_eq!(run.json()["same"]["payees"], 0);
    run.says(&["2 ids differ by leading zeros", "no id stands in both files"]);
    let without = folder.write("without.csv", "宛名番号\n12\n34\n");
    let json = compare(&old, &without, &["--json"]).exits(0).says(&["amounts were not compared"]);
    assert_eq!(json.json()["equal"], true);
    assert_eq!(json.json()["new"]["yen"], Value::Null);
    let arguments = ["compare", "--old", old.to_str().expect("a path"), "--new"];
    let japanese =
        renkei_in("ja_JP.UTF-8", arguments.into_iter().chain([new.to_str().expect("a path")]));
    let japanese = japanese.exits(0).says(&["先頭の0"]);
    assert!(japanese.stdout.contains("旧のみ"), "{}", japanese.stdout);
}

#[test]
fn my_numbers_refuse_the_file_or_leave_their_line_out() {
    let (folder, old, new) = files();
    let named = folder.write("named.csv", OLD.replacen("氏名", "個人番号", 1));
    compare(&named, &new, &[]).exits(3).says(&["My Numbers"]);
    let number = my_number(12_345_678_901);
    let remark = OLD.replacen("山田 一", &format!("個人番号 {number}"), 1);
    let single = folder.write("single.csv", remark);
    let run = compare(&single, &new, &["--json"]).exits(0).hides(&[&number]);
    let json = run.says(&["left out"]).json();
    assert_eq!(json["old"]["left_out"], 1);
    assert_eq!(json["only_new"]["ids"], json!(["A1", "A6"]));
    let itself = compare(&old, &old, &["--output", old.to_str().expect("a path")]);
    itself.exits(3);
}

#[test]
fn a_result_beside_its_list_differs_by_the_lines_that_were_not_linked() {
    let folder = Folder::new();
    let place = |name: &str| folder.path(name).to_str().expect("a path").to_owned();
    let dir = place("town");
    #[rustfmt::skip]
    renkei([
        "generate", "--residents", "600", "--lines", "200", "--mix", "typical", "--seed", "5",
        "--dir", &dir,
    ]).exits(0);
    let (residents, payments) = (format!("{dir}/residents.csv"), format!("{dir}/payments.csv"));
    let links = place("links.csv");
    #[rustfmt::skip]
    let linked = renkei([
        "link", "--register", &residents, "--list", &payments, "--output", &links, "--json",
        "--keep-columns",
    ]).exits(0).json();
    let (payments, links) = (Path::new(&payments), Path::new(&links));
    let itself = compare(links, links, &["--json"]).exits(0).json();
    assert_eq!(itself["equal"], true);
    let json = compare(payments, links, &["--json", "--key", "benefit"]).exits(0).json();
    assert_adds_up(&json);
    assert_eq!(json["only_new"]["payees"], 0);
    assert_eq!(json["other_amount"]["payees"], 0);
    assert_eq!(json["same"]["payees"], linked["outcomes"]["LINKED"]["lines"]);
    assert_eq!(json["same"]["yen_new"], linked["outcomes"]["LINKED"]["yen"]);
    for outcome in ["REVIEW", "AMBIGUOUS", "NOT_FOUND", "DUPLICATE", "UNLINKABLE"] {
        let told = json["only_old"]["by_outcome"].get(outcome).map_or(0, number);
        assert_eq!(told, number(&linked["outcomes"][outcome]["lines"]), "{outcome}");
    }
}
