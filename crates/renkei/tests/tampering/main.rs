//! Eighty and more ways to tamper with an exported log, each tried against three verifiers that share no code.
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
use renkei_tlog::leaf::{Leaf, Operation};
use renkei_types::Digest;
use support::{Folder, renkei, witness_host};

/// What our verifier says of a bundle: whether it is intact, and what is wrong first.
fn ours(folder: &Folder, bundle: &Bundle, key: &str) -> (bool, String) {
    ours_by(folder, bundle, &[key.to_owned()], &[])
}

/// The same with all keys that the log had, the oldest first, and with more options.
fn ours_by(folder: &Folder, bundle: &Bundle, keys: &[String], more: &[&str]) -> (bool, String) {
    let (place, keys) = written(folder, bundle, keys);
    let keys = keys.iter().flat_map(|key| ["--key", key]);
    let command = ["audit", "verify", &place, "--json"].into_iter().chain(keys);
    let run = renkei(command.chain(more.iter().copied()));
    let found = run.json();
    assert_eq!(run.code, if found["ok"] == true { 0 } else { 1 }, "{run:?}");
    let what = found["first_bad"]["what"].as_str().unwrap_or_default().to_owned();
    (found["ok"] == true, what)
}

/// Writes a bundle and keys; answers where they are.
fn written(folder: &Folder, bundle: &Bundle, keys: &[String]) -> (String, Vec<String>) {
    let place = folder.path("bundle");
    bundle.write(&place);
    let write = |(number, key): (usize, &String)| {
        let key = folder.write(&format!("{number}.vkey"), format!("{key}\n"));
        key.display().to_string()
    };
    (place.display().to_string(), keys.iter().enumerate().map(write).collect())
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

/// It was not signed, so neither says anything about it but its name.
#[test]
fn what_lies_beside_the_log_is_not_looked_at_whatever_it_is() {
    let log = Log::ours();
    type Put = fn(&mut Bundle);
    let beside: [(&str, Put); 4] = [
        ("a file", |bundle| bundle.put("notes.txt", "anything")),
        ("a link to nothing", |bundle| bundle.link("notes.txt", "gone")),
        ("a link to a folder", |bundle| bundle.link("notes.txt", "tile")),
        ("a pipe", |bundle| bundle.pipe("notes.txt")),
    ];
    for (what, put) in beside {
        let mut bundle = log.bundle(600);
        put(&mut bundle);
        let folder = Folder::new();
        let (intact, said) = ours(&folder, &bundle, &log.key());
        assert!(intact, "{what}: {said}");
        script::verdict(&folder, &bundle, &log.key()).expect(what);
        published::verdict(&bundle, &log.key()).expect(what);
    }
}

/// A word that a later release knows: whoever checks is told that the checks may be too old.
#[test]
fn an_entry_with_an_unknown_word_is_refused_with_a_hint_at_newer_releases() {
    let log = Log::ours();
    let words = [("\"id\"", "\"code\":\"BECAUSE\",\"id\""), ("\"QUERY_SINGLE\"", "\"GOSSIP\"")];
    for (letters, others) in words {
        let bundle = mutations::with_third_spelt(letters, others);
        let folder = Folder::new();
        let (intact, said) = ours(&folder, &bundle, &log.key());
        assert!(!intact && said.contains("broker is newer, verify with its release"), "{said}");
        let said = script::verdict(&folder, &bundle, &log.key()).expect_err("refused");
        assert!(
            said.contains("broker is newer, take verify_log.py and leaf.schema.json"),
            "{said}"
        );
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
    let policy = folder.write("witness.policy", policy).display().to_string();
    ours_by(folder, bundle, &[key.to_owned()], &["--policy", &policy])
}

/// Ten entries, the fifth of which announces something as a key to come, signed by a key that came later.
fn announcing(operation: Operation, announced: &str) -> Bundle {
    let digest = Digest::of(announced.as_bytes());
    let mut entries: Vec<Vec<u8>> = (0..10).map(|index| Log::ours().leaf(index)).collect();
    entries[4] = Log::ours().leaf_with(4, |leaf| (leaf.op, leaf.cfg) = (operation, Some(digest)));
    Log::signed_by_a_stranger().bundle_of(&entries)
}

/// Whoever has stolen a key that was replaced can sign with it, but not go on behind its end.
#[test]
fn a_replaced_key_signs_nothing_behind_the_entry_that_replaces_it() {
    let keys = [Log::ours().key(), Log::signed_by_a_stranger().key()];
    let digest = Digest::of(keys[1].as_bytes());
    let mut entries: Vec<Vec<u8>> = (0..10).map(|index| Log::ours().leaf(index)).collect();
    let replaced = |leaf: &mut Leaf| (leaf.op, leaf.cfg) = (Operation::KeyRotate, Some(digest));
    entries[4] = Log::ours().leaf_with(4, replaced);
    let folder = Folder::new();
    // The last thing that it signs is that another takes its place.
    let last = Log::ours().bundle_of(&entries[..5]);
    let (intact, what) = ours_by(&folder, &last, &keys, &[]);
    assert!(intact, "{what}");
    script::verdict_by(&folder, &last, &keys).expect("the script accepts it");
    // Nor where the later key is announced once more, at the end.
    for last in [Log::ours().leaf(9), Log::ours().leaf_with(9, replaced)] {
        entries[9] = last;
        let behind = Log::ours().bundle_of(&entries);
        let (intact, told) = ours_by(&folder, &behind, &keys, &[]);
        assert!(!intact && told.contains("replaced key"), "{told}");
        let told = script::verdict_by(&folder, &behind, &keys).expect_err("the script refuses it");
        assert!(told.contains("replaced key"), "{told}");
    }
}

#[test]
fn a_later_key_must_be_announced_by_an_entry_before_ours_and_the_script() {
    let (older, newer) = (Log::ours().key(), Log::signed_by_a_stranger().key());
    let both = [older.clone(), newer.clone()];
    let folder = Folder::new();
    let announced = announcing(Operation::KeyRotate, &newer);
    for keys in [&both[..], &both[1..]] {
        let (intact, what) = ours_by(&folder, &announced, keys, &[]);
        assert!(intact, "{what}");
        script::verdict_by(&folder, &announced, keys).expect("the script accepts it");
    }
    for (bundle, keys, what) in [
        (&announced, &both[..1], "not signed by"),
        (&announcing(Operation::KeyRotate, &older), &both[..], "announces"),
        (&announcing(Operation::ConfigChange, &newer), &both[..], "announces"),
        (&Log::signed_by_a_stranger().bundle(10), &both[..], "announces"),
    ] {
        let (intact, told) = ours_by(&folder, bundle, keys, &[]);
        assert!(!intact && told.contains(what), "{told}");
        let told = script::verdict_by(&folder, bundle, keys).expect_err("the script refuses it");
        assert!(told.starts_with("damaged") && told.contains(what), "{told}");
    }
}

#[test]
fn a_year_that_says_how_the_one_before_ended_is_accepted_by_all_three() {
    let (folder, log) = (Folder::new(), Log::ours());
    let bundle = mutations::with_a_turn_of_the_year(|_| {});
    let (intact, what) = ours(&folder, &bundle, &log.key());
    assert!(intact, "{what}");
    script::verdict(&folder, &bundle, &log.key()).expect("the script accepts it");
    published::verdict(&bundle, &log.key()).expect("the published crates accept it");
}

#[test]
fn the_script_says_how_it_is_used_to_whoever_names_nothing() {
    let told = script::without_arguments();
    assert!(told.contains("verify_log.py FOLDER") && !told.contains("Traceback"), "{told}");
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
    assert!(MUTATIONS.len() >= 80, "{} tamperings", MUTATIONS.len());
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
