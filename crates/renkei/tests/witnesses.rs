//! A broker and its witnesses: what is cosigned, what stops without them, and what they notice.

mod support;

use std::path::{Path, PathBuf};

use renkei_tlog::leaf::{LeafResult, Operation, UtcMillis};
use renkei_tlog::{Leaf, LogFolder, LogKey, VerifierKey};
use renkei_types::EventId;
use serde_json::Value;
use support::broker::{Broker, copy};
use support::witness_host::{WitnessHost, keep_policy};
use support::{Run, renkei};

fn place(path: &Path) -> &str {
    path.to_str().expect("a path")
}

/// A broker that has stopped, its log's key, and the configuration that it had.
fn stopped() -> (Broker, VerifierKey) {
    let mut broker = Broker::start();
    assert_eq!(broker.stop(), 0);
    let key = fs_err::read_to_string(broker.town("log.vkey")).expect("a key");
    (broker, key.parse().expect("a key"))
}

/// Looks again until it is so. Between two looks something is asked of the broker by a process of its own, and the broker asks
/// its witnesses every moment.
#[track_caller]
fn until(broker: &Broker, mut look: impl FnMut() -> bool) {
    let came = (0..500).any(|_| {
        broker.as_client("auditor-1", &["audit", "checkpoint"]);
        look()
    });
    assert!(came, "it never came: {}", broker.log());
}

fn export(broker: &Broker) -> Run {
    let (batch, file) = (broker.named("batch").remove(0), broker.folder.path("transfer.txt"));
    let export = ["list", "export", "--batch", &batch, "--output", place(&file)];
    broker.as_client("transfers", &export)
}

/// The size as of which a broker's log is cosigned; nothing where it is not.
fn cosigned_size(broker: &Broker) -> Option<u64> {
    let note = fs_err::read_to_string(broker.town("store/log/cosigned")).ok()?;
    note.lines().nth(1)?.parse().ok()
}

fn verify(bundle: &Path, broker: &Broker, policy: &Path) -> Run {
    let key = broker.town("log.vkey");
    let verify = ["audit", "verify", place(bundle), "--key", place(&key), "--json"];
    renkei(verify.into_iter().chain(["--policy", place(policy)]))
}

fn selfcheck(broker: &Broker) -> Value {
    let found = renkei(["selfcheck", "--json", "--config", place(&broker.town("broker.toml"))]);
    let found = found.json();
    let findings = found["findings"].as_array().expect("findings");
    findings.iter().find(|it| it["about"] == "witness").expect("a finding").clone()
}

/// A1 over the network: held by `check_release` in `ExportTransfer`, `Asked::ask`, `LogFolder::keep_cosigned`.
#[test]
fn nothing_leaves_before_two_of_three_have_cosigned_and_then_the_bundle_verifies_with_the_policy() {
    let (mut broker, key) = stopped();
    let mut hosts: Vec<_> = (1..=3).map(|n| WitnessHost::new(n, key.clone())).collect();
    let lines: String = hosts.iter().map(WitnessHost::line).collect();
    let without = selfcheck(&broker);
    assert!(without["what"].as_str().expect("words").contains("none is configured"), "{without}");
    let policy = keep_policy(&broker, &lines, "group g 2 w1 w2 w3\nquorum g\n");
    hosts[0].start();
    broker.restart();
    // One is not enough. What does not leave goes on.
    until(&broker, || fs_err::metadata(hosts[0].memory().join(".turn")).is_ok());
    export(&broker).exits(3).says(&["NOT_WITNESSED"]);
    assert_eq!(selfcheck(&broker)["ok"], false);
    broker.programme("while-witnesses-are-away");
    let bundle = broker.folder.path("too-early");
    let cosigned = ["audit", "bundle", "--cosigned", "--output", place(&bundle)];
    broker.as_client("auditor-1", &cosigned).exits(3).says(&["NOT_WITNESSED"]);

    hosts[1].start();
    until(&broker, || cosigned_size(&broker).is_some());
    export(&broker).exits(0);
    assert_eq!(selfcheck(&broker)["ok"], true);
    let bundle = broker.folder.path("cosigned");
    broker.done("auditor-1", &["audit", "bundle", "--cosigned", "--output", place(&bundle)]);
    let verified = verify(&bundle, &broker, &policy).exits(0).json();
    assert_eq!(verified["cosigned"]["by"], serde_json::json!(["w1", "w2"]));
    assert_eq!(verified["cosigned"]["met"], true);

    // Without one of the two lines it is still the log, and no longer what the policy asks for.
    let note = fs_err::read_to_string(bundle.join("checkpoint")).expect("a note");
    let lines: Vec<&str> = note.lines().filter(|line| !line.contains("pref.example/w2")).collect();
    fs_err::write(bundle.join("checkpoint"), lines.join("\n") + "\n").expect("written");
    let refused = verify(&bundle, &broker, &policy).exits(1).json();
    assert!(refused["first_bad"]["what"].as_str().expect("words").contains("(w1)"), "{refused}");
    let log_key = broker.town("log.vkey");
    renkei(["audit", "verify", place(&bundle), "--key", place(&log_key)]).exits(0);

    // The witnesses go; within the grace everything goes on, also after a restart.
    hosts.iter_mut().for_each(WitnessHost::stop);
    assert_eq!(broker.stop(), 0);
    broker.restart();
    export(&broker).exits(0);
}

/// What is put back from a backup together with its keys is in itself without fault.
struct Backup(PathBuf);

impl Backup {
    const FOLDERS: [&'static str; 2] = ["store", "keys"];

    fn of(broker: &Broker) -> Self {
        let place = broker.folder.path("backup");
        for name in Self::FOLDERS {
            copy(&broker.town(name), &place.join(name));
        }
        Self(place)
    }

    fn put_back(&self, broker: &Broker) {
        for name in Self::FOLDERS {
            fs_err::remove_dir_all(broker.town(name)).expect("removed");
            copy(&self.0.join(name), &broker.town(name));
        }
    }
}

/// A broker that a witness has cosigned, stopped, and the witness, which goes on.
fn witnessed() -> (Broker, WitnessHost) {
    let (mut broker, key) = stopped();
    let mut host = WitnessHost::new(1, key);
    host.start();
    keep_policy(&broker, &host.line(), "quorum w1\n");
    broker.restart();
    until(&broker, || cosigned_size(&broker).is_some());
    assert_eq!(broker.stop(), 0);
    (broker, host)
}

/// O4, A2: held by `Witnesses::compare`, `Witnessed::check_change`, `is_disputed` in the log.
#[test]
fn a_store_that_was_put_back_with_its_keys_is_noticed_before_anything_is_signed() {
    let (mut broker, mut host) = witnessed();
    let backup = Backup::of(&broker);
    // Asked for before anything is done: the witness may be faster than the next line.
    let before = cosigned_size(&broker);
    broker.restart();
    broker.programme("one");
    until(&broker, || cosigned_size(&broker) > before);
    assert_eq!(broker.stop(), 0);
    backup.put_back(&broker);
    let signed = fs_err::read_to_string(broker.town("store/log/checkpoint")).expect("a note");

    broker.restart();
    let two = broker.as_client("operator-1", &Broker::create_programme("two"));
    two.exits(3).says(&["LOG_DISPUTED"]);
    export(&broker).exits(3).says(&["LOG_DISPUTED"]);
    let query = ["audit", "query", "--operations", "ROLLBACK_SUSPECTED"];
    let leaf = broker.as_client("auditor-1", &query).exits(0).json();
    assert_eq!(
        (&leaf["leaf"]["res"], &leaf["leaf"]["code"]),
        (&"FAILED".into(), &"LOG_DISPUTED".into())
    );
    assert_eq!(selfcheck(&broker)["ok"], false);
    let bundle = broker.folder.path("disputed");
    broker.done("auditor-1", &["audit", "bundle", "--output", place(&bundle)]);
    let log_key = broker.town("log.vkey");
    renkei(["audit", "verify", place(&bundle), "--key", place(&log_key)]).exits(0);
    let now = fs_err::read_to_string(broker.town("store/log/checkpoint")).expect("a note");
    assert_eq!(now, signed, "nothing was signed");
    watches_a_disputed_log(&broker);
    // The proof is the log's own signature under the longer log.
    let dispute = fs_err::read_to_string(broker.town("keys/log.dispute")).expect("kept");
    let dispute: Value = serde_json::from_str(&dispute).expect("JSON");
    let theirs = dispute["theirs"].as_str().expect("the witness showed what it has");
    let size = |note: &str| note.lines().nth(1).expect("a size").parse::<u64>().expect("a number");
    assert!(size(theirs) > size(&signed), "{theirs}");

    // The operator accepts what is lost, and the witness's operator puts its memory away.
    assert_eq!(broker.stop(), 0);
    host.stop();
    fs_err::rename(host.memory(), host.memory().with_extension("kept")).expect("put away");
    host.start();
    let accepted = broker.town("keys/log.dispute.accepted");
    fs_err::rename(broker.town("keys/log.dispute"), accepted).expect("renamed");
    broker.restart();
    broker.programme("two");
    until(&broker, || cosigned_size(&broker) > Some(size(&signed)));
    export(&broker).exits(0);
}

/// O4 with a witness that is silent at the start: held by `hold_unless_heard`, `check_signing` and `wait_to_be_heard`.
#[test]
fn a_store_that_was_put_back_signs_nothing_before_its_witness_is_heard() {
    let (mut broker, key) = stopped();
    let backup = Backup::of(&broker);
    let mut host = WitnessHost::new(1, key);
    host.start();
    keep_policy(&broker, &host.line(), "quorum w1\n");
    broker.restart();
    broker.programme("lost");
    until(&broker, || cosigned_size(&broker).is_some());
    assert_eq!(broker.stop(), 0);
    host.stop();
    backup.put_back(&broker);
    let checkpoint = broker.town("store/log/checkpoint");
    let signed = fs_err::read_to_string(&checkpoint).expect("a note");

    broker.restart();
    let client = broker.town("clients/operator-1.toml");
    let file = fs_err::read_to_string(&client).expect("a client file");
    fs_err::write(&client, format!("{file}\nlog_key = \"../log.vkey\"\n")).expect("written");
    // Work goes on, and is not proven to anybody.
    let done = broker.as_client("operator-1", &Broker::create_programme("meanwhile"));
    done.exits(0).says(&["not proven yet", "audit receipt"]);
    broker.as_client("auditor-1", &["audit", "checkpoint"]).exits(3).says(&["NOT_WITNESSED"]);
    let rotate = ["key", "rotate", "log", "--yes"];
    broker.as_client("operator-2", &rotate).exits(3).says(&["NOT_WITNESSED"]);
    broker.done("auditor-1", &["audit", "proof", "--old-size", "1"]);
    host.start();
    until(&broker, || broker.town("keys/log.dispute").exists());
    let refused = broker.as_client("operator-2", &Broker::create_programme("after"));
    refused.exits(3).says(&["LOG_DISPUTED"]);
    assert_eq!(fs_err::read_to_string(&checkpoint).expect("a note"), signed, "nothing was signed");
}

/// Whoever watches a log that is disputed is told so, and has what the broker signed last as evidence.
fn watches_a_disputed_log(broker: &Broker) {
    let key = broker.town("log.vkey");
    let watch = |state: &Path| {
        let common = ["audit", "watch", "--once", "--state", place(state), "--key", place(&key)];
        let told = broker.as_client("auditor-1", &common).exits(1).says(&["ALARM"]).json();
        let evidence = fs_err::read_to_string(state.join("contradiction")).expect("kept");
        assert_eq!(told["checkpoint"], Value::String(evidence));
        told
    };
    // Somebody who has seen nothing before, and whose memory stays empty.
    let first = broker.folder.path("watched-first");
    assert_eq!(watch(&first)["alarm"], "DISPUTED");
    assert!(!first.join("checkpoint").exists());
    // Somebody who has seen what was lost.
    let dispute = fs_err::read_to_string(broker.town("keys/log.dispute")).expect("kept");
    let dispute: Value = serde_json::from_str(&dispute).expect("JSON");
    let before = broker.folder.path("watched-before");
    fs_err::create_dir_all(&before).expect("a folder");
    let lost = dispute["theirs"].as_str().expect("a note");
    fs_err::write(before.join("checkpoint"), lost).expect("written");
    assert_eq!(watch(&before)["alarm"], "ROLLED_BACK");
    assert_eq!(fs_err::read_to_string(before.join("checkpoint")).expect("kept"), lost);
}

/// A log of somebody who has the broker's key: another history of a size.
fn forged(broker: &Broker, name: &str, size: u64) -> PathBuf {
    let pem = fs_err::read_to_string(broker.town("keys/log.key")).expect("the key");
    let line = fs_err::read_to_string(broker.town("log.vkey")).expect("a key");
    let origin = line.split('+').next().expect("a name").parse().expect("an origin");
    let key = LogKey::from_pem(origin, &pem).expect("the key");
    let folder = broker.folder.path(name);
    let (mut log, _) = LogFolder::open(&folder).expect("a log");
    let leaf = |index: u64| {
        let id = EventId::from_bytes([9; 16]);
        let time = UtcMillis(1_795_219_200_000 + index);
        Leaf::new(id, time, Operation::Start, LeafResult::Ok).to_bytes().expect("a leaf")
    };
    log.append(&(0..size).map(leaf).collect::<Vec<_>>()).expect("appended");
    log.publish(&key).expect("signed");
    folder
}

/// A witness without a network, and the files that are carried to it and back.
struct Courier {
    /// Its line in a policy.
    line: String,
    log: String,
    key: String,
    state: String,
    request: String,
    answer: String,
}

impl Courier {
    fn of(broker: &Broker) -> Self {
        let file = |name: &str| broker.folder.path(name).to_str().expect("a path").to_owned();
        let key = file("w.key");
        let made = ["audit", "witness", "key", "--name", "pref.example/w", "--key", &key];
        let told = renkei(made.into_iter().chain(["--json"])).exits(0).json();
        renkei(made).exits(3);
        let line = format!("witness w {}\n", told["vkey"].as_str().expect("a line"));
        let (log, state) = (file("town/log.vkey"), file("w"));
        Self { line, log, key, state, request: file("request"), answer: file("answer") }
    }

    /// Writes a request from the size that the witness has cosigned last; answers for which size.
    fn ask(&self, broker: &Broker, old: u64) -> u64 {
        let old = old.to_string();
        let make = ["audit", "witness", "request", "--old", &old, "--output", &self.request];
        broker.done("operator-1", &make)["size"].as_u64().expect("a size")
    }

    /// The witness answers.
    fn sign(&self) -> Run {
        let own = ["--state", &self.state, "--key", &self.key, "--log", &self.log];
        let files = [self.request.as_str(), &self.answer];
        renkei(["audit", "witness", "sign"].into_iter().chain(own).chain(files))
    }

    fn accept(&self, broker: &Broker) -> Run {
        let accept = ["audit", "witness", "accept", &self.request, &self.answer];
        broker.as_client("operator-1", &accept)
    }
}

/// Held by `sign` and `accept` of the courier; O7 by `root_at` in `Witnessed::accept`.
#[test]
fn a_courier_carries_requests_and_answers_and_brings_another_history_to_light() {
    let (mut broker, _) = stopped();
    let courier = Courier::of(&broker);
    let policy = keep_policy(&broker, &courier.line, "quorum w\n");
    broker.restart();
    export(&broker).exits(3).says(&["NOT_WITNESSED"]);
    let first = courier.ask(&broker, 0);
    courier.sign().exits(0);
    let told = courier.accept(&broker).exits(0).json();
    assert_eq!((&told["met"], &told["by"][0]), (&true.into(), &"w".into()));
    export(&broker).exits(0);
    let bundle = broker.folder.path("bundle");
    broker.done("auditor-1", &["audit", "bundle", "--cosigned", "--output", place(&bundle)]);
    let verified = verify(&bundle, &broker, &policy).exits(0).json();
    assert_eq!(verified["size"].as_u64(), Some(first), "as far as was cosigned");

    // The operator has forgotten where the witness is; its answer says so.
    broker.programme("one");
    courier.ask(&broker, 0);
    courier.sign().exits(3).says(&[&format!("--old {first}")]);
    courier.accept(&broker).exits(1).says(&[&format!("--old {first}")]);
    courier.ask(&broker, first);
    courier.sign().exits(0);
    courier.accept(&broker).exits(0);
    fs_err::write(&courier.answer, "nothing\n").expect("written");
    courier.accept(&broker).exits(2);

    // The witness has been shown another log under the same key: its memory is the proof.
    let other = forged(&broker, "forged", 5_000);
    fs_err::copy(other.join("checkpoint"), &courier.answer).expect("copied");
    courier.accept(&broker).exits(3).says(&["LOG_DISPUTED"]);
    let refused = broker.as_client("operator-1", &Broker::create_programme("two"));
    refused.exits(3).says(&["LOG_DISPUTED"]);
}

/// Held by `NoRule` in the log.
#[test]
fn who_brings_cosignatures_to_a_broker_without_a_policy_is_told_what_to_do() {
    let broker = Broker::start();
    let courier = Courier::of(&broker);
    courier.ask(&broker, 0);
    courier.sign().exits(0);
    let told = courier.accept(&broker).exits(3);
    told.says(&["NO_WITNESS_POLICY", "[witness]", "restart it"]);
}

/// Held by `log_verifiers` in `selfcheck` and `without_others_lines` in `Witnessed::accept`.
#[test]
fn what_was_cosigned_before_the_logs_key_was_replaced_counts_until_its_grace_is_over() {
    let (mut broker, _) = stopped();
    let courier = Courier::of(&broker);
    let policy = keep_policy(&broker, &courier.line, "quorum w\n");
    broker.restart();
    let first = courier.ask(&broker, 0);
    courier.sign().exits(0);
    courier.accept(&broker).exits(0);
    // One more answer is on its way while two operators replace the key.
    broker.programme("on-its-way");
    let second = courier.ask(&broker, first);
    courier.sign().exits(0);
    for operator in ["operator-1", "operator-2"] {
        broker.done(operator, &["key", "rotate", "log", "--yes"]);
    }
    assert_eq!(selfcheck(&broker)["ok"], true);
    assert_eq!(courier.accept(&broker).exits(0).json()["met"], true);
    assert_eq!(selfcheck(&broker)["ok"], true);
    export(&broker).exits(0);
    let bundle = broker.folder.path("bundle");
    broker.done("auditor-1", &["audit", "bundle", "--cosigned", "--output", place(&bundle)]);
    let newer = broker.town("keys/log.vkey");
    let keys = ["--key", &courier.log, "--key", place(&newer), "--policy", place(&policy)];
    let verify = ["audit", "verify", place(&bundle), "--json"].into_iter().chain(keys);
    assert_eq!(renkei(verify).exits(0).json()["size"].as_u64(), Some(second));
    assert_eq!(broker.stop(), 0);
    broker.restart();
    export(&broker).exits(0);
}

/// Held by `refused_key`, `holds` and `signed_last`.
#[test]
fn a_witness_that_refuses_the_key_of_what_was_signed_last_is_not_taken_for_a_silent_one() {
    let (mut broker, older) = stopped();
    let mut host = WitnessHost::new(1, older);
    host.start();
    keep_policy(&broker, &host.line(), "quorum w1\n");
    broker.restart();
    until(&broker, || cosigned_size(&broker).is_some());
    assert_eq!(broker.stop(), 0);
    let backup = Backup::of(&broker);
    let head = broker.town("keys/log.head");
    let before = fs_err::read_to_string(&head).expect("a head file");
    broker.restart();
    for operator in ["operator-1", "operator-2"] {
        broker.done(operator, &["key", "rotate", "log", "--yes"]);
    }
    // It has not been given the newer key yet: it remembers less, and nothing that this log does not have.
    until(&broker, || broker.log().contains("the newer one last"));
    broker.programme("before-the-witness-knows-the-newer-key");
    let newer = fs_err::read_to_string(broker.town("keys/log.vkey")).expect("a key");
    host.stop();
    let size = cosigned_size(&broker);
    host.learn(newer.parse().expect("a key"));
    host.start();
    until(&broker, || cosigned_size(&broker) > size);

    // An operator has lost the head and puts an older checkpoint in its place, with the log or without it.
    for gone in ["store/log/cosigned", "store/log"] {
        assert_eq!(broker.stop(), 0);
        fs_err::write(&head, &before).expect("written");
        let gone = broker.town(gone);
        let is_folder = gone.is_dir();
        if is_folder { fs_err::remove_dir_all(gone) } else { fs_err::remove_file(gone) }
            .expect("removed");
        broker.restart();
        until(&broker, || cosigned_size(&broker).is_some());
        broker.programme(if is_folder { "without-the-log" } else { "with-the-log" });
        assert!(!broker.town("keys/log.dispute").exists());
    }

    // Store and keys of before the change: the key that the witness has cosigned under is unknown here.
    assert_eq!(broker.stop(), 0);
    backup.put_back(&broker);
    broker.restart();
    let refused = broker.as_client("operator-1", &Broker::create_programme("after"));
    refused.exits(3).says(&["LOG_DISPUTED"]);
    assert_eq!(fs_err::read_to_string(&head).expect("a head file"), before, "nothing was signed");
}

#[test]
fn a_watcher_tells_of_each_checkpoint_and_ends_where_the_past_is_another() {
    let broker = Broker::start();
    let (state, key) = (broker.folder.path("watch"), broker.town("log.vkey"));
    let common = ["audit", "watch", "--once", "--state", place(&state), "--key", place(&key)];
    let watch = || broker.as_client("auditor-1", &common);
    let watch_folder =
        |folder: &Path| renkei(common.into_iter().chain(["--json", "--folder", place(folder)]));
    let first = watch().exits(0).json();
    assert_eq!(first["continues"], Value::Null);
    broker.programme("one");
    let second = watch().exits(0).json();
    assert_eq!(second["continues"], first["size"]);
    assert!(second["size"].as_u64() > first["size"].as_u64());
    // The folder of a broker that goes on writing is watched as well, and nothing in it changes.
    broker.programme("two");
    let third = watch_folder(&broker.town("store/log")).exits(0).json();
    assert!(third["size"].as_u64() >= second["size"].as_u64(), "{third}");
    let kept = fs_err::read_to_string(state.join("checkpoint")).expect("kept");

    for (name, size, alarm) in [("longer", 5_000, "FORKED"), ("shorter", 3, "ROLLED_BACK")] {
        let other = forged(&broker, name, size);
        let told = watch_folder(&other).exits(1).says(&["ALARM"]).json();
        assert_eq!((&told["alarm"], &told["kept_size"]), (&alarm.into(), &third["size"]));
        let evidence = fs_err::read_to_string(state.join("contradiction")).expect("kept");
        assert_eq!(told["checkpoint"], Value::String(evidence));
        assert_eq!(fs_err::read_to_string(state.join("checkpoint")).expect("kept"), kept);
    }
    let unsigned = broker.folder.path("longer");
    let note = fs_err::read_to_string(unsigned.join("checkpoint")).expect("a note");
    fs_err::write(unsigned.join("checkpoint"), note.replacen("5000", "5001", 1)).expect("written");
    let told = watch_folder(&unsigned).exits(1).json();
    assert_eq!(told["alarm"], "UNSIGNED");
    let evidence = fs_err::read_to_string(state.join("contradiction")).expect("kept");
    assert_eq!(told["checkpoint"], Value::String(evidence));
    // Both that were signed are still there: they prove more.
    for (number, size) in [("1", 5_000), ("2", 3)] {
        let kept = state.join(format!("contradiction.{number}"));
        let kept = fs_err::read_to_string(kept).expect("kept");
        assert_eq!(kept.lines().nth(1), Some(size.to_string().as_str()));
    }
}

/// A store of before the log's key was replaced is put back and the loss accepted, with or without its folder of the log; a witness
/// knows more. Held by `Witnesses::hear` and `signed_last`.
fn is_disputed_before_anything_is_signed(rotates: bool, with_log: bool) {
    let (mut broker, older) = stopped();
    let mut host = WitnessHost::new(1, older);
    host.start();
    keep_policy(&broker, &host.line(), "quorum w1\n");
    broker.restart();
    until(&broker, || cosigned_size(&broker).is_some());
    assert_eq!(broker.stop(), 0);
    let backup = broker.folder.path("backup-store");
    copy(&broker.town("store"), &backup);
    broker.restart();
    if rotates {
        for operator in ["operator-1", "operator-2"] {
            broker.done(operator, &["key", "rotate", "log", "--yes"]);
        }
        let newer = fs_err::read_to_string(broker.town("keys/log.vkey")).expect("a key");
        host.stop();
        host.learn(newer.parse().expect("a key"));
        host.start();
    }
    broker.programme("lost");
    let size = cosigned_size(&broker);
    until(&broker, || cosigned_size(&broker) > size);
    assert_eq!(broker.stop(), 0);
    fs_err::remove_dir_all(broker.town("store")).expect("removed");
    copy(&backup, &broker.town("store"));
    if !with_log {
        fs_err::remove_dir_all(broker.town("store/log")).expect("removed");
    }
    let (head, accepted) = (broker.town("keys/log.head"), broker.town("keys/log.head.accepted"));
    fs_err::rename(&head, &accepted).expect("accepted");
    broker.restart();
    assert!(broker.town("keys/log.dispute").exists(), "the witness knows more");
    assert!(!head.exists(), "nothing was signed");
}

#[test]
fn an_older_store_behind_a_new_key_signs_nothing_where_a_witness_knows_more() {
    is_disputed_before_anything_is_signed(true, true);
}

#[test]
fn an_older_store_behind_a_new_key_and_without_its_log_signs_nothing_where_a_witness_knows_more() {
    is_disputed_before_anything_is_signed(true, false);
}

#[test]
fn an_older_store_without_its_log_signs_nothing_where_a_witness_knows_more() {
    is_disputed_before_anything_is_signed(false, false);
}

/// The head was lost and an older checkpoint put in its place, the store restored without its folder of the log; the witness is
/// silent at the start and heard later. Held by `StorePaths::holds`.
#[test]
fn what_a_witness_remembers_and_the_journal_has_is_no_dispute() {
    let (mut broker, key) = stopped();
    let head = broker.town("keys/log.head");
    let before = fs_err::read_to_string(&head).expect("a head file");
    let mut host = WitnessHost::new(1, key);
    host.start();
    keep_policy(&broker, &host.line(), "quorum w1\n");
    broker.restart();
    broker.programme("cosigned");
    until(&broker, || cosigned_size(&broker).is_some());
    host.stop();
    broker.programme("later");
    broker.programme("later-still");
    assert_eq!(broker.stop(), 0);
    fs_err::write(&head, &before).expect("an older checkpoint, of an auditor");
    fs_err::remove_dir_all(broker.town("store/log")).expect("restored without the log");
    broker.restart();
    broker.programme("while-the-witness-is-silent");
    host.start();
    let dispute = broker.town("keys/log.dispute");
    until(&broker, || cosigned_size(&broker).is_some() || dispute.exists());
    assert!(!dispute.exists(), "a dispute over a past that the journal has");
}

/// Held by `log_verifiers`, and by `check_log` before `compare`.
#[test]
fn a_public_half_that_is_gone_and_a_key_that_is_not_the_logs_make_no_dispute() {
    let (mut broker, _host) = witnessed();
    let (vkey, dispute) = (broker.town("keys/log.vkey"), broker.town("keys/log.dispute"));
    let written = fs_err::read_to_string(&vkey).expect("a key");
    fs_err::remove_file(&vkey).expect("removed");
    // Another key in its place: the start is refused, and nobody was asked.
    let place = broker.town("keys/log.key");
    let own = fs_err::read_to_string(&place).expect("a key");
    let origin = written.split('+').next().expect("a name").parse().expect("an origin");
    let other = LogKey::generate(origin, &renkei_types::SeededEntropy::new(1));
    fs_err::write(&place, other.to_pem().as_bytes()).expect("written");
    let refused = broker.command().output().expect("the broker ends");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("is signed by a key that is not"), "{said}");
    assert!(!dispute.exists(), "{said}");
    assert!(!vkey.exists(), "nobody is handed the wrong one");

    fs_err::write(&place, own).expect("put back");
    let size = cosigned_size(&broker);
    broker.restart();
    until(&broker, || cosigned_size(&broker) > size);
    assert!(!dispute.exists(), "a dispute over the log's own past");
    assert_eq!(fs_err::read_to_string(&vkey).expect("written again"), written);
}
