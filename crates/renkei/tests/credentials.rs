//! Keys that a service manager hands over, in the place of files in the folder of keys.

mod support;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use support::broker::Broker;

const ROOT: &str = "renkei.root.key";
const LOG: &str = "renkei.log.key";

/// Moves both keys out of the folder of keys, as an operator does who gives them to the service manager.
fn hand_over(broker: &Broker) {
    let credentials = broker.town("credentials");
    fs_err::create_dir(&credentials).expect("a folder");
    for (file, name) in [("keys/root.key", ROOT), ("keys/log.key", LOG)] {
        let (from, to) = (broker.town(file), credentials.join(name));
        fs_err::rename(from, &to).expect("moved");
        // As systemd shows a file to which it has given one user access by a list.
        fs_err::set_permissions(&to, std::fs::Permissions::from_mode(0o440)).expect("a mode");
    }
    let config = broker.town("broker.toml");
    let text = fs_err::read_to_string(&config).expect("the configuration");
    let lines = format!(
        "root_key = \"$CREDENTIALS_DIRECTORY/{ROOT}\"\nlog_key = \"$CREDENTIALS_DIRECTORY/{LOG}\"\n"
    );
    fs_err::write(config, lines + &text).expect("written");
}

/// The broker as a service that is given what is in a folder.
fn service(broker: &Broker) -> Command {
    let mut command = broker.command();
    command.env("CREDENTIALS_DIRECTORY", broker.town("credentials"));
    command
}

/// How a broker ends that does not start.
fn refuses_to_start(mut command: Command, words: &[&str]) {
    let ended = command.output().expect("the broker ends");
    assert_ne!(ended.status.code(), Some(0));
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(words.iter().all(|word| said.contains(word)), "{said}");
}

#[test]
fn a_broker_whose_keys_are_handed_over_serves_signs_and_has_none_in_its_folder() {
    let mut broker = Broker::start();
    broker.stop();
    hand_over(&broker);
    refuses_to_start(broker.command(), &["root_key", "CREDENTIALS_DIRECTORY"]);
    broker.restart_with(service(&broker));
    let programme = broker.programme("handed-over");
    assert!(programme.starts_with("programme_"));
    let verdict = broker.audit("signed");
    assert_eq!(verdict["ok"], true, "{verdict}");
    for file in ["keys/root.key", "keys/log.key"] {
        assert!(!broker.town(file).exists(), "{file}");
    }
    let checked = selfcheck(&broker);
    assert_eq!(checked["ok"], true, "{checked}");
    // What it holds it cannot replace: after the next start the older one would be back.
    for key in ["root", "log"] {
        let rotate = ["key", "rotate", key, "--yes"];
        broker.as_client("operator-1", &rotate).exits(3).says(&["WRONG_STATE"]);
    }
}

#[test]
fn two_root_keys_or_a_wrong_one_are_no_reason_to_guess() {
    let mut broker = Broker::start();
    broker.stop();
    hand_over(&broker);
    let (root, own) = (broker.town("credentials").join(ROOT), broker.town("keys/root.key"));
    write_for_me(&own, &fs_err::read(&root).expect("the key"));
    refuses_to_start(service(&broker), &["root.key", "another one"]);
    fs_err::remove_file(&own).expect("removed");
    let right = fs_err::read(&root).expect("the key");
    for wrong in [&right[..31], b"not a key at all"] {
        fs_err::remove_file(&root).expect("removed");
        write_for_me(&root, wrong);
        refuses_to_start(service(&broker), &[ROOT]);
    }
    fs_err::remove_file(&root).expect("removed");
    refuses_to_start(service(&broker), &[ROOT]);
    write_for_me(&root, &right);
    broker.restart_with(service(&broker));
    assert_eq!(broker.audit("again")["ok"], true);
}

fn write_for_me(path: &Path, bytes: &[u8]) {
    fs_err::write(path, bytes).expect("written");
    fs_err::set_permissions(path, std::fs::Permissions::from_mode(0o600)).expect("a mode");
}

fn selfcheck(broker: &Broker) -> Value {
    let output = Command::new(assert_cmd::cargo::cargo_bin!("renkei"))
        .args(["selfcheck", "--json", "--config"])
        .arg(broker.town("broker.toml"))
        .env("CREDENTIALS_DIRECTORY", broker.town("credentials"))
        .output()
        .expect("the program runs");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// The unit and the sample configuration speak of the same credentials, and the unit is one that systemd can read.
#[test]
fn the_unit_loads_the_credentials_that_the_sample_configuration_names() {
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy");
    let unit = fs_err::read_to_string(deploy.join("renkei.service")).expect("the unit");
    let config = fs_err::read_to_string(deploy.join("broker.toml")).expect("the sample");
    for name in [ROOT, LOG] {
        assert!(config.contains(&format!("\"$CREDENTIALS_DIRECTORY/{name}\"")), "{name}");
        for load in ["LoadCredential", "LoadCredentialEncrypted"] {
            assert!(unit.lines().any(|line| line == format!("{load}={name}")), "{load} {name}");
        }
    }
}
