//! What happens in a broker and becomes a leaf: every operation of the log with the command that makes it.
//!
//! Held in both directions: an operation that is said to come about here must be in the log at the end of this story, and
//! one that is in the log must be said to. A new operation without a line in the table fails the test.

mod support;

use std::collections::BTreeSet;

use renkei_tlog::leaf::Operation;
use support::broker::Broker;
use support::renkei;

use Made::{Elsewhere, Here, NotYet};

/// How an operation comes about.
#[derive(Clone, Copy, Debug)]
enum Made {
    /// By this command, in the story below or in the demo that it begins with.
    Here(&'static str),
    /// By this, which another test shows.
    Elsewhere(&'static str, &'static str),
    /// By nothing that there is.
    NotYet(&'static str),
}

const TABLE: &[(Operation, Made)] = &[
    (Operation::AuthDenied, Here("any call with a certificate that nobody registered")),
    (Operation::AuthzDenied, Here("agency add, by an auditor")),
    (Operation::UploadOpen, Here("dataset upload, list open")),
    (Operation::UploadSeal, Here("dataset seal, list seal")),
    (Operation::DeltaApply, Here("dataset apply")),
    (Operation::ProtectionReport, Here("dataset protect")),
    (Operation::Validate, Here("job create")),
    (Operation::LinkRun, Here("job create, model train")),
    (Operation::ReviewDecision, Here("review decide, review park")),
    (Operation::Certify, Here("list certify; the second signature releases what is not on hold")),
    (
        Operation::Release,
        Elsewhere(
            "programme release-hold, where it releases what was signed meanwhile",
            "crates/exchange/tests/programmes.rs",
        ),
    ),
    (Operation::Deliver, Here("delivery read")),
    (Operation::Ack, Here("delivery ack")),
    (Operation::Return, Here("list returns")),
    (Operation::Refund, Here("list refund")),
    (Operation::Withdraw, Here("dataset withdraw")),
    (Operation::QuerySingle, Here("identify, review next, review search, job explain")),
    (Operation::Export, Here("list export, job results, list accounts, dataset state")),
    (Operation::SubjectAccess, Here("audit subject, audit subject-release")),
    (Operation::AuditRead, Here("audit query, audit bundle, list reconcile")),
    (Operation::Delete, Here("dataset withdraw --destroy, dataset retention, and a day's end")),
    (Operation::AgreementChange, Here("agreement propose, approve, activate, suspend, end")),
    (
        Operation::CertChange,
        Here(
            "pki issue or pki revoke, when the broker reads the files; person invite, enrolment grant",
        ),
    ),
    (Operation::KeyRotate, Here("the first link code of a consumer in a fiscal year; key rotate")),
    (Operation::ConfigChange, Here("serve with another configuration, model promote")),
    (Operation::AdminAction, Here("agency add, person add, programme create, programme hold")),
    (Operation::Start, Here("serve")),
    (Operation::Stop, Here("the end of serve, when it was asked to stop")),
    (
        Operation::ClockJump,
        Elsewhere("somebody sets the clock", "crates/exchange/tests/running.rs"),
    ),
    (Operation::Backup, NotYet("a backup is a copy of the folder so far")),
    (Operation::Restore, NotYet("as for backups")),
    (
        Operation::RollbackSuspected,
        Elsewhere(
            "serve, on a store older than what was signed",
            "crates/renkei/tests/receipts.rs",
        ),
    ),
    (
        Operation::ShardClose,
        Elsewhere("the fiscal year ends", "crates/exchange/tests/log_years.rs"),
    ),
    (Operation::ShardOpen, Elsewhere("the next one begins", "crates/exchange/tests/log_years.rs")),
];

/// Every operation that stands in the log of a broker.
fn in_the_log(broker: &Broker) -> BTreeSet<String> {
    let log = broker.as_client("auditor-1", &["audit", "query", "--max", "10000"]).exits(0).stdout;
    let operation = |line: &str| {
        let leaf: serde_json::Value = serde_json::from_str(line).expect("an object");
        leaf["leaf"]["op"].as_str().expect("an operation").to_owned()
    };
    log.lines().map(operation).collect()
}

/// The first id of a kind that the log names.
fn first(broker: &Broker, noun: &str) -> String {
    let log = broker.as_client("auditor-1", &["audit", "query"]).exits(0).stdout;
    let named = |word: &&str| word.strip_prefix(noun).is_some_and(|rest| rest.starts_with('_'));
    log.split('"').filter(named).min().expect("an id").to_owned()
}

#[test]
fn every_operation_of_the_log_has_a_line_that_says_how_it_comes_about() {
    let listed: Vec<Operation> = TABLE.iter().map(|(operation, _)| *operation).collect();
    assert_eq!(listed, Operation::ALL);
    for (operation, made) in TABLE {
        let (Here(how) | Elsewhere(how, _) | NotYet(how)) = made;
        assert!(!how.is_empty(), "{operation}");
        if let Elsewhere(_, file) = made {
            let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file);
            let text = fs_err::read_to_string(file).expect("a test");
            let names = [format!("{operation:?}"), operation.to_string()];
            let named = names.iter().any(|name| text.contains(name));
            assert!(named, "the test says nothing of {operation}");
        }
    }
}

#[test]
fn what_is_said_to_leave_a_leaf_leaves_one() {
    let mut broker = Broker::start();
    refused_calls(&broker);
    money_after_the_bank(&broker);
    question_of_a_person(&broker);
    other_certificates(&broker);
    // In good order, and again with another configuration.
    assert_eq!(broker.stop(), 0, "{}", broker.log());
    let config = broker.town("broker.toml");
    let text = fs_err::read_to_string(&config).expect("the configuration");
    fs_err::write(&config, text + "\nlog_level = \"warn\"\n").expect("written");
    broker.restart();
    end_of_a_register(&broker);

    let said: BTreeSet<String> = TABLE
        .iter()
        .filter(|(_, made)| matches!(made, Here(_)))
        .map(|(operation, _)| operation.to_string())
        .collect();
    let found = in_the_log(&broker);
    let missing: Vec<_> = said.difference(&found).collect();
    let unsaid: Vec<_> = found.difference(&said).collect();
    assert!(missing.is_empty() && unsaid.is_empty(), "missing {missing:?}, unsaid {unsaid:?}");
}

/// Somebody without the role, and somebody whom nobody registered.
fn refused_calls(broker: &Broker) {
    let add = ["agency", "add", "131016/elsewhere", "--title", "elsewhere"];
    broker.as_client("auditor-1", &add).exits(3);
    let (pki, clients) = (broker.town("pki"), broker.town("clients"));
    let file = clients.join("nobody.toml");
    let place = |path: &std::path::Path| path.to_str().expect("a path").to_owned();
    let identity = "spiffe://renkei.example/131016/elsewhere/system/nobody";
    let (pki, out, file) = (place(&pki), place(&clients), place(&file));
    let issue = ["pki", "issue", "--dir", &pki, "--identity", identity, "--out", &out];
    renkei(issue.iter().chain(&["--client-file", &file, "--address", &broker.address])).exits(0);
    broker.as_client("nobody", &["dataset", "list"]).exits(3);
}

/// A transfer that came back, and money that was given back.
fn money_after_the_bank(broker: &Broker) {
    let (programme, list) = (first(broker, "programme"), first(broker, "list"));
    let paid = broker.folder.path("paid.csv");
    let place = paid.to_str().expect("a path");
    let read = ["delivery", "read", &programme, "--after", "0", "--output", place];
    broker.as_client("transfers", &read).exits(0);
    let sheet = support::Sheet::read(&paid);
    let row = |row: usize| (sheet.cell(row, "list_id"), sheet.cell(row, "amount"));
    let ((back, yen), (other, _)) = (row(0), row(1));
    let report = broker.folder.write("returned.csv", format!("申請番号,支給額\n{back},{yen}\n"));
    let report = report.to_str().expect("a path");
    broker.done("transfers", &["list", "returns", &list, report]);
    broker.done("transfers", &["list", "refund", &list, other, "--yen", "1"]);
}

/// Somebody asks what was done with their data.
fn question_of_a_person(broker: &Broker) {
    broker.newcomer("131016/residents", "discloser-1", "discloser");
    broker.done("discloser-1", &["audit", "subject", &broker.register(), "--id", "1"]);
}

/// A certificate is revoked, and the broker reads the new list by itself.
fn other_certificates(broker: &Broker) {
    let pki = broker.town("pki");
    let pki = pki.to_str().expect("a path");
    renkei(["pki", "revoke", "--dir", pki, "nobody", "--yes"]).exits(0);
    let change = Operation::CertChange.as_str();
    // Each look is a process of its own; the broker looks at its files every few seconds.
    let came = (0..2_000).any(|_| in_the_log(broker).contains(change));
    assert!(came, "{change} never came: {}", broker.log());
}

/// A delta, a report of protected persons, and the end of the register.
fn end_of_a_register(broker: &Broker) {
    let register = broker.register();
    let residents = fs_err::read_to_string(broker.town("files/residents.csv")).expect("a file");
    let mut lines = residents.trim_start_matches('\u{feff}').lines();
    let (header, someone) = (lines.next().expect("a header"), lines.next().expect("a record"));
    let id = someone.split(',').next().expect("an id");
    let delta = broker.folder.write("delta.csv", format!("異動区分,{header}\n削除,{someone}\n"));
    let protected = broker.folder.write("protected.csv", format!("宛名番号,支援措置\n{id},1\n"));
    let place = |path: &std::path::Path| path.to_str().expect("a path").to_owned();
    let (delta, protected) = (place(&delta), place(&protected));
    broker.done("register", &["dataset", "apply", &register, &delta, "--number", "1"]);
    broker.done("register", &["dataset", "protect", &register, &protected, "--number", "2"]);
    let withdraw = ["dataset", "withdraw", &register, "--yes"];
    broker.as_client("residents-operator", &withdraw).exits(0);
    let destroy = ["dataset", "withdraw", &register, "--destroy", "--yes"];
    broker.as_client("residents-operator", &destroy).exits(3).says(&["another person"]);
    broker.newcomer("131016/residents", "second-operator", "operator");
    broker.as_client("second-operator", &destroy).exits(0);
}
