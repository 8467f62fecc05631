//! Forty and more ways to tamper with an exported log, each tried against three verifiers that share no code.
//!
//! Ours (`renkei audit verify`), the script that auditors get (`docs/auditor/verify_log.py`), and what others have published
//! (`signed_note`, `tlog_tiles`). Invariant: nobody refuses what was signed; ours and the script refuse whatever differs
//! from it; the crates refuse all that is theirs to know.

#[path = "../support/mod.rs"]
mod support;

mod bundle;
mod mutations;
mod published;
mod script;

use bundle::{Bundle, Log};
use mutations::MUTATIONS;
use support::{Folder, renkei, witness_host};

/// What our verifier says of a bundle: whether it is intact, and what is wrong first.
fn ours(folder: &Folder, bundle: &Bundle, key: &str) -> (bool, String) {
    let (place, key) = written(folder, bundle, key);
    let run = renkei(["audit", "verify", &place, "--key", &key, "--json"]);
    let found = run.json();
    assert_eq!(run.code, if found["ok"] == true { 0 } else { 1 }, "{run:?}");
    let what = found["first_bad"]["what"].as_str().unwrap_or_default().to_owned();
    (found["ok"] == true, what)
}

/// Writes a bundle and a key; answers where they are.
fn written(folder: &Folder, bundle: &Bundle, key: &str) -> (String, String) {
    let place = folder.path("bundle");
    bundle.write(&place);
    let key = folder.write("log.vkey", format!("{key}\n"));
    (place.display().to_string(), key.display().to_string())
}

#[test]
fn what_was_signed_is_accepted_by_all_three() {
    // A bundle that fills no tile, one that ends with a tile, one of two levels, one of three.
    for entries in [1, 256, 600, 65_900] {
        let log = Log::ours();
        let bundle = log.bundle(entries);
        let folder = Folder::new();
        let (intact, what) = ours(&folder, &bundle, &log.key());
        assert!(intact, "{entries}: {what}");
        script::verdict(&folder, &bundle, &log.key()).expect("the script accepts it");
        published::verdict(&bundle, &log.key()).expect("the published crates accept it");
    }
}

#[test]
fn the_bundle_that_a_broker_exports_is_accepted_by_all_three() {
    let broker = support::broker::Broker::start();
    broker.audit("exported");
    let key = fs_err::read_to_string(broker.town("log.vkey")).expect("a key");
    let bundle = Bundle::read(&broker.folder.path("exported"));
    script::verdict(&Folder::new(), &bundle, key.trim()).expect("the script accepts it");
    published::verdict(&bundle, key.trim()).expect("the published crates accept it");
}

/// What our verifier says of a bundle that must be cosigned as a policy asks for.
fn ours_with_policy(folder: &Folder, bundle: &Bundle, key: &str, policy: &str) -> (bool, String) {
    let (place, key) = written(folder, bundle, key);
    let policy = folder.write("witness.policy", policy).display().to_string();
    let run = renkei(["audit", "verify", &place, "--key", &key, "--policy", &policy, "--json"]);
    let found = run.json();
    assert_eq!(run.code, if found["ok"] == true { 0 } else { 1 }, "{run:?}");
    let what = found["first_bad"]["what"].as_str().unwrap_or_default().to_owned();
    (found["ok"] == true, what)
}

#[test]
fn lines_of_witnesses_are_passed_over_by_all_three_and_must_hold_where_a_policy_asks_for_them() {
    let log = Log::ours();
    let (first, second) = (witness_host::key(1), witness_host::key(2));
    let witnesses = format!("witness a {}\nwitness b {}\n", first.cosigner(), second.cosigner());
    let policy = format!("log {}\n{witnesses}group both all a b\nquorum both\n", log.key());
    let plain = log.bundle(600);
    let lines = [&first, &second].map(|witness| log.cosignature(&plain, witness));
    let of_another_past = Log::of_another_past();
    let other = of_another_past.cosignature(&of_another_past.bundle(600), &second);
    let swapped = lines[1].replacen("pref.example/w2 ", "pref.example/w1 ", 1);
    let mut bit = lines[1].clone().into_bytes();
    // A letter of the signature itself, behind name, key id and time.
    let at = bit.len() - 30;
    bit[at] = if bit[at] == b'A' { b'B' } else { b'A' };
    let bit = String::from_utf8(bit).expect("letters");
    for (what, added, wanted) in [
        ("both", lines.concat(), ""),
        ("both, the other way round", lines[1].clone() + &lines[0], ""),
        ("one removed", lines[0].clone(), "(a)"),
        ("none", String::new(), "by 0 witnesses"),
        ("one twice", lines[0].repeat(2), "(a)"),
        ("one changed", lines[0].clone() + &bit, "was changed after it was signed"),
        ("one under another past", lines[0].clone() + &other, "was changed after it was signed"),
        ("one under another name", lines[0].clone() + &swapped, "(a)"),
    ] {
        let mut bundle = plain.clone();
        bundle.note(|note| note + &added);
        let folder = Folder::new();
        let (intact, told) = ours_with_policy(&folder, &bundle, &log.key(), &policy);
        assert_eq!(intact, wanted.is_empty(), "{what}: {told}");
        assert!(told.contains(wanted), "{what}: {told}");
        let (intact, told) = ours(&folder, &bundle, &log.key());
        assert!(intact, "{what}, without the policy: {told}");
        script::verdict(&folder, &bundle, &log.key()).expect(what);
        published::verdict(&bundle, &log.key()).expect(what);
    }
    let stranger = policy.replace(&log.key(), &Log::signed_by_a_stranger().key());
    let mut bundle = plain;
    bundle.note(|note| note + &lines.concat());
    let (intact, told) = ours_with_policy(&Folder::new(), &bundle, &log.key(), &stranger);
    assert!(!intact && told.contains("policy does not name"), "{told}");
}

#[test]
fn every_tampering_is_refused_by_ours_and_the_script_and_by_published_crates_where_they_apply() {
    assert!(MUTATIONS.len() >= 40);
    let mut wrong = Vec::new();
    for mutation in MUTATIONS {
        let log = Log::ours();
        let mut bundle = log.bundle(600);
        let before = bundle.clone();
        (mutation.apply)(&mut bundle);
        assert_ne!(bundle, before, "{} changes nothing", mutation.name);
        let folder = Folder::new();
        let (intact, what) = ours(&folder, &bundle, &log.key());
        if intact || !what.contains(mutation.names) {
            wrong.push(format!("{}: ours says `{what}`", mutation.name));
        }
        match script::verdict(&folder, &bundle, &log.key()) {
            Err(said) if said.starts_with("damaged") => {}
            said => wrong.push(format!("{}: the script says {said:?}", mutation.name)),
        }
        let theirs = published::verdict(&bundle, &log.key());
        if theirs.is_err() != mutation.concerns_published_formats {
            wrong.push(format!("{}: the published crates say {theirs:?}", mutation.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
