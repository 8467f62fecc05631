//! A client that has its receipts proven, and what it says of a broker that was set back.

mod support;

use std::path::{Path, PathBuf};

use renkei_tlog::Receipt;
use support::broker::{Broker, copy};
use support::renkei;

/// Gives a client the log's public key.
fn knowing_the_log(broker: &Broker, client: &str) -> PathBuf {
    let file = broker.town("clients").join(format!("{client}.toml"));
    let text = fs_err::read_to_string(&file).expect("a client file");
    fs_err::write(&file, text + "\nlog_key = \"../log.vkey\"\n").expect("written");
    broker.town("clients").join(format!("{client}.log"))
}

fn note(memory: &std::path::Path) -> String {
    fs_err::read_to_string(memory.join("checkpoint")).expect("a checkpoint is kept")
}

#[test]
fn receipts_are_proven_and_kept_and_the_proof_of_an_earlier_one_can_be_had_again() {
    let broker = Broker::start();
    let memory = knowing_the_log(&broker, "operator-1");
    let made = broker.as_client("operator-1", &Broker::create_programme("one")).exits(0);
    let receipt = made.json()["receipt"].clone();
    let (index, hash) = (receipt["leaf_index"].to_string(), receipt["leaf_hash"].as_str());
    let hash = hash.expect("a hash").to_owned();
    assert!(made.stderr.contains("proven"), "{}", made.stderr);
    let first = note(&memory);
    broker.programme("two");
    assert_ne!(note(&memory), first, "a later checkpoint that continues the first");

    let key = fs_err::read_to_string(broker.town("log.vkey")).expect("a key");
    let keys = [key.trim().parse().expect("a key")];
    let kept = memory.join(format!("{:06}.tlog-proof", receipt["leaf_index"].as_u64().expect("n")));
    let kept = fs_err::read_to_string(kept).expect("a proof is kept");
    let digest: renkei_types::Digest = format!("sha256:{hash}").parse().expect("a hash");
    let proven = Receipt::parse(&kept).expect("a proof").verify_hash(&digest.into(), &keys);
    proven.expect("it holds");

    // Whoever has the receipt may ask again, whoever made it; a receipt of nothing is answered as one of others.
    let again = broker.done("payments", &["audit", "receipt", &index, &hash]);
    let again = Receipt::parse(again["proof"].as_str().expect("a text")).expect("a proof");
    again.verify_hash(&digest.into(), &keys).expect("it holds");
    let refused = |index: &str, hash: &str| {
        broker.as_client("payments", &["audit", "receipt", index, hash]).exits(3).stderr
    };
    let other = "0a".repeat(32);
    assert_eq!(refused(&index, &other), refused("999999", &hash));
}

/// The file in which the broker keeps what it has signed last, apart from its store.
fn head(broker: &Broker) -> PathBuf {
    broker.town("keys/log.head")
}

/// A backup of the store, and beside it the head file of that moment.
struct Older {
    store: PathBuf,
    head: PathBuf,
}

impl Older {
    fn of(broker: &Broker) -> Self {
        let older = Self { store: broker.folder.path("older"), head: broker.folder.path("head") };
        copy(&broker.town("store"), &older.store);
        fs_err::copy(head(broker), &older.head).expect("a head file");
        older
    }

    fn put_back(&self, broker: &Broker) {
        let store = broker.town("store");
        fs_err::remove_dir_all(&store).expect("removed");
        copy(&self.store, &store);
    }
}

/// A broker that has stopped, and its store before it did its last work.
fn with_an_older_store() -> (Broker, Older) {
    let mut broker = Broker::start();
    assert_eq!(broker.stop(), 0);
    let older = Older::of(&broker);
    broker.restart();
    broker.programme("one");
    assert_eq!(broker.stop(), 0);
    (broker, older)
}

#[test]
fn a_store_that_was_put_back_is_not_signed_on_until_an_operator_accepts_what_is_lost() {
    let (mut broker, older) = with_an_older_store();
    let signed = fs_err::read_to_string(head(&broker)).expect("a head file");
    older.put_back(&broker);
    let refused = broker.command().output().expect("it runs");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(3), "{said}");
    assert!(said.contains("log.head.accepted"), "{said}");
    assert_eq!(fs_err::read_to_string(head(&broker)).expect("a head file"), signed);

    fs_err::rename(head(&broker), broker.town("keys/log.head.accepted")).expect("renamed");
    broker.restart();
    let query = ["audit", "query", "--operations", "ROLLBACK_SUSPECTED"];
    let leaf = broker.as_client("auditor-1", &query).exits(0).json();
    let size = signed.lines().nth(1).expect("a size");
    assert_eq!(leaf["leaf"]["seen"]["size"].to_string(), size);
    let lost = fs_err::read_to_string(broker.town(&format!("keys/log.head.lost-{size}")));
    assert_eq!(lost.expect("the evidence is kept"), signed);
    // Once, and no more.
    assert_eq!(broker.stop(), 0);
    broker.restart();
    broker.as_client("auditor-1", &query).exits(0).json();
}

/// Held by `HeadMissing` in `FoundLog::look`, `LogHead::begin` and `check_log_head`.
#[test]
fn a_store_without_what_was_signed_last_is_not_signed_on_until_an_operator_accepts_it() {
    let mut broker = Broker::start();
    let config = broker.town("broker.toml");
    let selfcheck = ["selfcheck", "--json", "--config", config.to_str().expect("a path")];
    // What `selfcheck` says of it, and that it says it where the broker says it.
    let found = |as_serve: Option<&str>| {
        let told = renkei(selfcheck).json();
        let mut findings = told["findings"].as_array().expect("findings").iter();
        let one = findings.find(|finding| finding["about"] == "log.head").expect("a finding");
        assert_eq!(one["ok"], as_serve.is_none(), "{one}");
        let what = one["what"].as_str().expect("words");
        assert!(as_serve.is_none_or(|said| said.contains(what)), "{what}");
    };
    let refused = |broker: &Broker| {
        let refused = broker.command().output().expect("it runs");
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(3), "{said}");
        assert!(said.contains("log.head.accepted"), "{said}");
        said
    };
    found(None);
    assert_eq!(broker.stop(), 0);
    let older = Older::of(&broker);
    broker.restart();
    broker.programme("one");
    assert_eq!(broker.stop(), 0);
    found(None);
    let signed = fs_err::read_to_string(head(&broker)).expect("a head file");
    older.put_back(&broker);
    found(Some(&refused(&broker)));
    // As the page on restoring says: without the log, which is built again. The journal alone is too short.
    fs_err::remove_dir_all(broker.town("store/log")).expect("removed");
    found(Some(&refused(&broker)));
    // A start that is refused builds nothing.
    assert!(!broker.town("store/log").exists());
    fs_err::create_dir(broker.town("store/log")).expect("made");
    found(Some(&refused(&broker)));
    fs_err::remove_file(head(&broker)).expect("removed");
    found(Some(&refused(&broker)));

    fs_err::write(broker.town("keys/log.head.accepted"), "").expect("made");
    found(None);
    broker.restart();
    let query = ["audit", "query", "--operations", "ROLLBACK_SUSPECTED"];
    let leaf = broker.as_client("auditor-1", &query).exits(0).json();
    assert_eq!(leaf["leaf"].get("seen"), None, "{leaf}");
    assert!(broker.town("keys/log.head.lost-unknown").exists());
    assert!(!broker.town("keys/log.head.accepted").exists());
    // Once, and no more; and what was signed before is still not what this log has.
    assert_eq!(broker.stop(), 0);
    broker.restart();
    broker.as_client("auditor-1", &query).exits(0).json();
    assert_eq!(broker.stop(), 0);
    fs_err::write(head(&broker), signed).expect("written");
    found(Some(&refused(&broker)));
}

/// Held by `LogToBe::find` and `LogLook::at`.
#[test]
fn a_log_folder_that_is_empty_or_too_short_is_no_alarm_where_the_journal_has_the_rest() {
    let (mut broker, older) = with_an_older_store();
    let config = broker.town("broker.toml");
    let log_head = || {
        let selfcheck = ["selfcheck", "--json", "--config", config.to_str().expect("a path")];
        let told = renkei(selfcheck).json();
        let mut findings = told["findings"].as_array().expect("findings").iter();
        let one = findings.find(|finding| finding["about"] == "log.head").expect("a finding");
        (one["ok"] == true, one["what"].as_str().expect("words").to_owned())
    };
    let log = broker.town("store/log");
    let empty = |log: &Path| fs_err::create_dir(log).expect("made");
    let shorter = |log: &Path| copy(&older.store.join("log"), log);
    let gone = |_: &Path| ();
    let cases: [&dyn Fn(&Path); 3] = [&empty, &shorter, &gone];
    for put in cases {
        let (ok, what) = log_head();
        assert!(ok && what.contains("goes on"), "{what}");
        fs_err::remove_dir_all(&log).expect("removed");
        put(&log);
        let (ok, what) = log_head();
        assert!(ok && what.contains("the next start builds it again"), "{what}");
        broker.restart();
        assert_eq!(broker.stop(), 0);
    }
    // A folder that has lost what its own checkpoint has is not built again, and both say so.
    fs_err::remove_dir_all(log.join("tile")).expect("removed");
    let refused = broker.command().output().expect("it runs");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_ne!(refused.status.code(), Some(0), "{said}");
    let (ok, what) = log_head();
    assert!(!ok && said.contains(&what), "{what} and {said}");
}

#[test]
fn a_broker_that_was_set_back_is_noticed_by_a_client_that_remembers_its_log() {
    let mut broker = Broker::start();
    let memory = knowing_the_log(&broker, "operator-1");
    assert_eq!(broker.stop(), 0);
    let older = Older::of(&broker);
    broker.restart();
    broker.programme("one");
    let kept = note(&memory);
    assert_eq!(broker.stop(), 0);
    older.put_back(&broker);
    // Whoever runs the broker can put back the head file too: nothing there tells that the log was longer once.
    fs_err::copy(&older.head, head(&broker)).expect("put back");
    broker.restart();
    let run = broker.as_client("operator-1", &Broker::create_programme("other")).exits(3);
    assert!(run.stderr.contains("tell the auditor"), "{}", run.stderr);
    assert_eq!(note(&memory), kept, "what was proven stays");
    assert!(memory.join("contradiction").exists(), "both sides of the contradiction are kept");
}
