//! Keys of the broker's own, replaced by two operators while everybody goes on calling.

mod support;

use std::path::Path;

use renkei_tlog::{LogFolder, LogKey};
use renkei_types::SeededEntropy;
use support::broker::Broker;
use support::load::Load;
use support::{Run, renkei};

fn rotate(broker: &Broker, operator: &str, key: &str, more: &[&str]) -> Run {
    broker.as_client(operator, &[&["key", "rotate", key], more].concat())
}

fn verify(folder: &Path, keys: &[&Path]) -> Run {
    let keys = keys.iter().flat_map(|key| ["--key".as_ref(), key.as_os_str()]);
    let command = ["audit".as_ref(), "verify".as_ref(), folder.as_os_str(), "--json".as_ref()];
    renkei(command.into_iter().chain(keys))
}

fn bundle(broker: &Broker, name: &str) -> std::path::PathBuf {
    let folder = broker.folder.path(name);
    broker.done("auditor-1", &["audit", "bundle", "--output", folder.to_str().expect("a path")]);
    folder
}

/// Held by `SamePerson` in `RotateTo::decide`, `Signer::take_next_key`, and `unannounced` in the verifier.
#[test]
fn the_logs_key_is_replaced_by_two_under_load_and_who_has_only_the_older_one_is_told_what_to_do() {
    let mut broker = Broker::start();
    let (older, newer) = (broker.town("log.vkey"), broker.folder.path("newer.vkey"));
    let load = Load::start(&broker.town("clients/auditor-1.toml"));
    load.goes_on();
    let dry = rotate(&broker, "operator-1", "log", &[]).exits(0).says(&["--yes"]).json();
    assert_eq!(dry["done"], false);
    rotate(&broker, "auditor-1", "log", &["--yes"]).exits(3);
    let proposed = rotate(&broker, "operator-1", "log", &["--yes"]).exits(0).json();
    assert_eq!(proposed["decided"], false);
    rotate(&broker, "operator-1", "log", &["--yes"]).exits(3).says(&["another person"]);
    verify(&bundle(&broker, "proposed"), &[&older]).exits(0);
    load.goes_on();
    let place = newer.to_str().expect("a path").to_owned();
    let decided =
        rotate(&broker, "operator-2", "log", &["--yes", "--vkey", &place]).exits(0).json();
    assert_eq!(decided["decided"], true);
    load.goes_on();
    load.stop_without_a_failure();

    let after = bundle(&broker, "after");
    // Who watches, and who keeps receipts, is told where the newer key is missing.
    let watch = |state: &str, keys: &[&Path]| {
        let (state, folder) = (broker.folder.path(state), after.as_os_str());
        let keys = keys.iter().flat_map(|key| ["--key".as_ref(), key.as_os_str()]);
        let command = ["audit", "watch", "--once", "--json", "--state"].map(AsRef::as_ref);
        let places = [state.as_os_str(), "--folder".as_ref(), folder];
        renkei(command.into_iter().chain(places).chain(keys))
    };
    let alarm = watch("watch", &[&older]).exits(1).says(&["log.vkey", "below the older one"]);
    assert_eq!(alarm.json()["alarm"], "UNSIGNED");
    watch("watch", &[&older, &newer]).exits(0);
    watch("watch", &[&newer]).exits(0);
    let told = verify(&after, &[&older]).exits(1).json();
    let what = told["first_bad"]["what"].as_str().expect("what is wrong").to_owned();
    assert!(what.contains("--key OLD --key NEW"), "{what}");
    verify(&after, &[&older, &newer]).exits(0);
    verify(&after, &[&newer]).exits(0);
    // The last thing that the older key signed has the leaf that announces the newer one.
    let leaves = broker.as_client("auditor-1", &["audit", "query", "--operations", "KEY_ROTATE"]);
    let leaves = leaves.exits(0).stdout;
    let leaf: serde_json::Value = leaves
        .lines()
        .last()
        .map(|leaf| serde_json::from_str(leaf).expect("JSON"))
        .expect("a leaf");
    assert!(leaf["leaf"]["cfg"].is_string(), "{leaf}");
    let announced = leaf["leaf_index"].as_u64().expect("an index");
    let older_text = fs_err::read_to_string(&older).expect("a key");
    let id = older_text.split('+').nth(1).expect("the key's id");
    let note = broker.town("keys").join(format!("log-{id}.checkpoint"));
    let note = fs_err::read_to_string(note).expect("the last note");
    let size: u64 = note.lines().nth(1).expect("a size").parse().expect("a number");
    assert_eq!(size, announced + 1, "whatever was made durable together with it");

    broker.stop();
    broker.restart();
    verify(&bundle(&broker, "restarted"), &[&older, &newer]).exits(0);
    // No other key is made in the place of one that is gone, whatever is accepted.
    let silent = bundle(&broker, "silent");
    broker.stop();
    for file in ["keys/log.key", "keys/log.head"] {
        fs_err::remove_file(broker.town(file)).expect("removed");
    }
    fs_err::write(broker.town("keys/log.head.accepted"), "").expect("made");
    let refused = broker.command().output().expect("the broker ends");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("log.key is gone"), "{said}");
    // A key that nobody has announced: somebody signs on without the broker.
    let origin = older_text.split('+').next().expect("a name").parse().expect("an origin");
    let other = LogKey::generate(origin, &SeededEntropy::new(1));
    let unannounced = broker.town("unannounced.vkey");
    fs_err::write(&unannounced, format!("{}\n", other.verifier())).expect("written");
    fs_err::remove_file(silent.join("checkpoint")).expect("removed");
    LogFolder::open(&silent).expect("a log").0.publish(&other).expect("signed");
    let told = verify(&silent, &[&older, &newer, &unannounced]).exits(1).json();
    let what = told["first_bad"]["what"].as_str().expect("what is wrong").to_owned();
    assert!(what.contains("announces"), "{what}");
}

/// Held by `KeyFolder::complete_root`.
#[test]
fn the_root_key_is_replaced_by_two_under_load_and_the_older_one_opens_nothing_any_more() {
    let mut broker = Broker::start();
    let root = broker.town("keys/root.key");
    let older = fs_err::read(&root).expect("the root key");
    let load = Load::start(&broker.town("clients/auditor-1.toml"));
    load.goes_on();
    for (operator, decided) in [("operator-1", false), ("operator-2", true)] {
        let said = rotate(&broker, operator, "root", &["--yes"]).exits(0).json();
        assert_eq!(said["decided"], decided, "{operator}");
        assert_eq!(fs_err::read(&root).expect("the root key") != older, decided, "{operator}");
        load.goes_on();
    }
    load.stop_without_a_failure();
    broker.stop();
    broker.restart();
    let programme = broker.programme("after-the-rotation");
    assert!(programme.starts_with("programme_"));

    broker.stop();
    fs_err::write(&root, older).expect("the older one is put back");
    let ended = broker.command().output().expect("the broker ends");
    assert_ne!(ended.status.code(), Some(0));
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(said.contains("root key"), "{said}");
}
