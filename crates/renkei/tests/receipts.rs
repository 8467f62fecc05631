//! A client that has its receipts proven, and what it says of a broker that was set back.

mod support;

use std::path::PathBuf;

use renkei_tlog::Receipt;
use support::broker::{Broker, copy};

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

#[test]
fn a_broker_that_was_set_back_is_noticed_by_a_client_that_remembers_its_log() {
    let mut broker = Broker::start();
    let memory = knowing_the_log(&broker, "operator-1");
    assert_eq!(broker.stop(), 0);
    let (store, older) = (broker.town("store"), broker.folder.path("older"));
    copy(&store, &older);
    broker.restart();
    broker.programme("one");
    let kept = note(&memory);
    assert_eq!(broker.stop(), 0);
    fs_err::remove_dir_all(&store).expect("removed");
    copy(&older, &store);
    // Nothing in the store tells that it was newer once.
    broker.restart();
    let run = broker.as_client("operator-1", &Broker::create_programme("other")).exits(3);
    assert!(run.stderr.contains("tell the auditor"), "{}", run.stderr);
    assert_eq!(note(&memory), kept, "what was proven stays");
    assert!(memory.join("contradiction").exists(), "both sides of the contradiction are kept");
}
