//! A payment after the bank, as its people see it: over mutual TLS, with the commands of the guide.

mod support;

use std::path::{Path, PathBuf};

use serde_json::Value;
use support::broker::Broker;

fn place(path: &Path) -> &str {
    path.to_str().expect("a path")
}

/// Lines and yen at a step of a sheet.
fn at(sheet: &Value, step: &str) -> (u64, u64) {
    let steps = sheet["steps"].as_array().expect("steps");
    let found = steps.iter().find(|one| one["step"] == step);
    found.map_or((0, 0), |one| {
        (one["lines"].as_u64().expect("lines"), one["yen"].as_u64().expect("yen"))
    })
}

/// What the treasury has received: id of the line and amount.
fn received(broker: &Broker, programme: &str, after: &str) -> (PathBuf, Vec<(String, u64)>) {
    let output = broker.folder.path(&format!("paid-{after}.csv"));
    let mut read =
        vec!["delivery", "read", programme, "--after", after, "--output", place(&output)];
    // The demo has acknowledged the first entry.
    if after != "0" {
        read.push("--ack");
    }
    broker.as_client("transfers", &read).exits(0);
    let text = fs_err::read_to_string(&output).expect("what was received");
    let mut lines = text.trim_start_matches('\u{feff}').lines();
    let header: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let column = |name| header.iter().position(|known| *known == name).expect("a column");
    let (id, amount) = (column("list_id"), column("amount"));
    let paid = lines.map(|line| {
        let cells: Vec<&str> = line.split(',').collect();
        (cells[id].to_owned(), cells[amount].parse().expect("an amount"))
    });
    (output, paid.collect())
}

#[test]
fn what_came_back_from_the_bank_is_paid_once_more_and_every_yen_is_in_the_sheet() {
    let broker = Broker::start();
    let (programme, list) = (&broker.named("programme")[0], &broker.named("list")[0]);
    let sheet = |options: &[&str]| {
        let reconcile = [&["programme", "reconcile", programme], options].concat();
        broker.done("payments", &reconcile)
    };
    let (_, paid) = received(&broker, programme, "0");
    let before = sheet(&[]);
    let all = paid.iter().map(|(_, yen)| yen).sum::<u64>();
    assert_eq!(at(&before, "ACKNOWLEDGED"), (paid.len() as u64, all));

    // The bank's report; first one with a row that nobody knows.
    let report = broker.folder.path("returned.csv");
    let back = &paid[3..5];
    let of = |rows: &[(String, u64)]| {
        let rows = rows.iter().map(|(id, yen)| format!("{id},{yen}\n"));
        let text = "申請番号,支給額\n".to_owned() + &rows.collect::<String>();
        fs_err::write(&report, text).expect("the report");
    };
    of(&[back[0].clone(), ("B999999999".to_owned(), 1)]);
    let returns = ["list", "returns", list, place(&report)];
    let refused = broker.as_client("transfers", &returns).exits(3);
    assert!(refused.stderr.contains("line 3"), "{}", refused.stderr);
    assert_eq!(at(&sheet(&[]), "RETURNED"), (0, 0), "nothing of it was taken");
    of(back);
    broker.as_client("payments", &returns).exits(3);
    let returned = broker.done("transfers", &returns);
    let yen = back.iter().map(|(_, yen)| yen).sum::<u64>();
    assert_eq!(
        (returned["returned"]["lines"].as_u64(), &returned["batch"]["state"]),
        (Some(2), &"PAID".into())
    );
    assert_eq!(at(&sheet(&[]), "RETURNED"), (2, yen));

    // Both lines with another account.
    let file = fs_err::read(broker.town("files/payments.csv")).expect("the list");
    let lines: Vec<&[u8]> = file.split_inclusive(|byte| *byte == b'\n').collect();
    let wanted = |line: &&&[u8]| back.iter().any(|(id, _)| line.starts_with(id.as_bytes()));
    let mut corrected = lines[0].to_vec();
    for line in lines.iter().filter(wanted) {
        // Bank, branch, type and number are the last four cells.
        let mut commas = line.iter().enumerate().filter(|(_, byte)| **byte == b',').rev();
        let (end, _) = commas.nth(3).expect("an account");
        corrected.extend_from_slice(&line[..end]);
        corrected.extend_from_slice(b",9001,101,1,7654321\r\n");
    }
    let corrected_file = broker.folder.path("corrected.csv");
    fs_err::write(&corrected_file, corrected).expect("the corrected lines");
    let open =
        ["list", "open", programme, "--name", "resend", "--supersedes", list, "--lines-only"];
    let opened = broker.done("payments", &open);
    let text = |value: &Value, key: &str| value[key].as_str().expect("a text").to_owned();
    let (resend, upload) = (text(&opened, "list_id"), text(&opened, "upload_id"));
    broker.done("payments", &["list", "upload", &upload, place(&corrected_file)]);
    broker.done("payments", &["list", "seal", &upload, place(&corrected_file)]);
    let register = broker.register();
    let create = ["job", "create", "--list", &resend, "--dataset", &register];
    let job = text(&broker.done("payments", &create), "job_id");
    broker.as_client("payments", &["job", "watch", &job]).exits(0);
    let link = |task: &str, version: &str, id: &str| {
        broker.done("clerk-1", &["review", "decide", task, "--version", version, "--link", id]);
    };
    let truth = fs_err::read_to_string(broker.town("files/truth.csv")).expect("the truth");
    loop {
        let task = broker.as_client("clerk-1", &["review", "next", &resend]).exits(0).json();
        let Some(id) = task["task_id"].as_str() else { break };
        let line = task.to_string();
        let means = truth.lines().find(|pair| {
            pair.split(',').next().is_some_and(|id| line.contains(&format!("\"{id}\"")))
        });
        let means = means.and_then(|pair| pair.split(',').nth(1)).expect("the truth knows it");
        link(id, &task["version"].to_string(), means);
    }
    let batch = text(&broker.done("certifier-1", &["list", "certify", &resend]), "batch_id");
    let accounts = broker.done("certifier-2", &["list", "accounts", "--batch", &batch]);
    assert_eq!(accounts["lines"].as_array().map(Vec::len), Some(2), "one account for both");
    broker.done("certifier-2", &["list", "certify", &resend, "--batch", &batch]);
    let (_, again) = received(&broker, programme, "1");
    assert_eq!(again.iter().map(|(_, yen)| yen).sum::<u64>(), yen);
    let transfer = broker.folder.path("resend.txt");
    let export = ["list", "export", "--batch", &batch, "--output", place(&transfer)];
    let exported = broker.done("transfers", &export);
    assert_eq!(exported["totals"]["lines"], 2);

    // A payee gives money back; the sheets say where every yen is.
    let refund = ["list", "refund", list, &paid[0].0, "--yen", "1000"];
    broker.done("transfers", &refund);
    for name in ["sheet.html", "sheet.xlsx", "sheet.csv", "sheet.json"] {
        let output = broker.folder.path(name);
        sheet(&["--output", place(&output)]);
        assert!(fs_err::metadata(&output).expect("a sheet").len() > 500, "{name}");
    }
    let end = sheet(&[]);
    assert_eq!(end["balanced"], true);
    assert_eq!(at(&end, "REPLACED"), (2, yen));
    assert_eq!(at(&end, "ACKNOWLEDGED"), (2, yen));
    assert_eq!(at(&end, "REFUNDED"), (0, 1000));
    assert_eq!(at(&end, "PAID"), (paid.len() as u64 - 2, all - yen - 1000));
    let page = fs_err::read_to_string(broker.folder.path("sheet.html")).expect("a page");
    assert!(paid.iter().all(|(id, _)| !page.contains(id)), "a sheet is about nobody");
    assert_eq!(broker.audit("bundle")["ok"], true);
}

/// Without `ExactArgument::create` what a list says is run by whoever opens its results; without `is_usable_id` in `RowsWriter::push` the
/// results hold a control character, and no workbook holds the longest id.
#[test]
fn ids_that_a_spreadsheet_would_run_are_shown_in_results_and_ids_that_are_none_are_left_out() {
    let broker = Broker::start();
    let register = broker.register();
    let programme = broker.programme("spreadsheet");
    let file = fs_err::read(broker.town("files/payments.csv")).expect("the list");
    let lines: Vec<&[u8]> = file.split_inclusive(|byte| *byte == b'\n').take(6).collect();
    let ids = ["=1+1", "B\u{7}1", &"9".repeat(40_000), "+81-90", "B-1"];
    let mut text = lines[0].to_vec();
    for (line, id) in lines[1..].iter().zip(ids) {
        let comma = line.iter().position(|byte| *byte == b',').expect("cells");
        text.extend_from_slice(id.as_bytes());
        text.extend_from_slice(&line[comma..]);
    }
    let file = broker.folder.path("ids.csv");
    fs_err::write(&file, text).expect("a list");
    let opened = broker.done("payments", &["list", "open", &programme, "--name", "ids"]);
    let text = |value: &Value, key: &str| value[key].as_str().expect("a text").to_owned();
    let (list, upload) = (text(&opened, "list_id"), text(&opened, "upload_id"));
    broker.done("payments", &["list", "upload", &upload, place(&file)]);
    let sealed = broker.as_client("payments", &["list", "seal", &upload, place(&file)]).exits(0);
    assert_eq!(sealed.json()["rejected"]["lines"], 2, "{}", sealed.stderr);
    assert_eq!(sealed.json()["counted"]["lines"], 5);
    let create = ["job", "create", "--list", &list, "--dataset", &register];
    let job = text(&broker.done("payments", &create), "job_id");
    broker.as_client("payments", &["job", "watch", &job]).exits(0);

    let results = |name: &str, more: &[&str]| {
        let output = broker.folder.path(name);
        let results = ["job", "results", &list, "--output", place(&output)];
        let run = broker.as_client("payments", &[&results, more].concat()).exits(0);
        (output, run)
    };
    let (output, told) = results("results.csv", &[]);
    let sheet = support::Sheet::read(&output);
    assert_eq!(sheet.cells("list_id"), ["'=1+1", "", "", "'+81-90", "B-1"]);
    assert_eq!(sheet.cells("reason")[1..3], ["ID_UNUSABLE", "ID_UNUSABLE"]);
    assert_eq!(sheet.cells("outcome")[1..3], ["REJECTED_INPUT", "REJECTED_INPUT"]);
    told.says(&["2 cells", "--exact"]).hides(&["+81", "=1"]);
    let (exact, _) = results("exact.csv", &["--exact"]);
    let sheet = support::Sheet::read(&exact);
    assert_eq!(sheet.cells("list_id"), ["=1+1", "", "", "+81-90", "B-1"]);
    results("results.xlsx", &[]);
}

#[test]
fn payees_who_decline_are_left_out_and_a_hold_on_one_of_them_takes_two_to_lift() {
    let broker = Broker::start();
    let programme = &broker.named("programme")[0];
    let declined = broker.folder.path("declined.csv");
    fs_err::write(&declined, "宛名番号\n000005443934678\n").expect("a table");
    let exclude = ["programme", "exclude", programme, place(&declined), "--reason", "declined"];
    let excluded = broker.done("payments", &exclude);
    assert_eq!(excluded["payees"], 1);
    fs_err::write(&declined, "氏名\n山田\n").expect("a table");
    broker.as_client("payments", &exclude).exits(2);

    let hold = |verb: &'static str, who: &str| {
        broker.as_client(who, &["programme", verb, programme, "--payee", "000005443934678"])
    };
    assert_eq!(hold("hold", "certifier-1").exits(0).json()["on_hold"], true);
    hold("hold", "certifier-2").exits(3);
    let first = hold("release-hold", "certifier-1").exits(0);
    assert_eq!(first.json()["on_hold"], true, "another person must lift it too");
    hold("release-hold", "certifier-1").exits(3);
    assert_eq!(hold("release-hold", "certifier-2").exits(0).json()["on_hold"], false);
    let shown = broker.done("certifier-1", &["programme", "show", programme]);
    assert_eq!(shown["exclusions"][0]["reason"], "DECLINED");
    assert_eq!(shown["change_limits"]["vanished_percent"], 10);
}
