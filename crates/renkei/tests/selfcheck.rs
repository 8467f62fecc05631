//! `renkei selfcheck`: what will stop a broker is found before it does.

mod support;

use serde_json::Value;
use support::broker::Broker;
use support::{Run, renkei};

fn selfcheck(broker: &Broker) -> Run {
    let config = broker.town("broker.toml");
    renkei(["selfcheck", "--json", "--config", config.to_str().expect("a path")])
}

fn pki(broker: &Broker, arguments: &[&str]) {
    let dir = broker.town("pki").to_str().expect("a path").to_owned();
    let (command, rest) = arguments.split_first().expect("a command");
    renkei(["pki", command, "--dir", &dir].iter().chain(rest)).exits(0);
}

/// What is found wrong, by what it is about.
fn wrong(found: &Value) -> Vec<String> {
    let findings = found["findings"].as_array().expect("findings").iter();
    let wrong = findings.filter(|finding| finding["ok"] == false);
    wrong.map(|finding| finding["about"].as_str().expect("a subject").to_owned()).collect()
}

#[test]
fn what_ends_soon_is_missing_or_open_to_others_is_found_beside_a_running_broker() {
    let broker = Broker::start();
    let good = selfcheck(&broker).exits(0).json();
    assert_eq!((&good["ok"], wrong(&good)), (&true.into(), Vec::new()));

    pki(&broker, &["renew", "broker", "--days", "6"]);
    let soon = selfcheck(&broker).exits(1).json();
    assert_eq!(wrong(&soon), ["tls.certificate"]);
    pki(&broker, &["renew", "broker"]);
    pki(&broker, &["crl", "--days", "13"]);
    assert_eq!(wrong(&selfcheck(&broker).exits(1).json()), ["tls.crl"]);
    fs_err::remove_file(broker.town("pki/crl.pem")).expect("removed");
    assert_eq!(wrong(&selfcheck(&broker).exits(1).json()), ["tls.crl"]);
    pki(&broker, &["crl"]);
    selfcheck(&broker).exits(0);

    use std::os::unix::fs::PermissionsExt as _;
    let root = broker.town("keys/root.key");
    fs_err::set_permissions(&root, std::fs::Permissions::from_mode(0o644)).expect("a mode");
    let open = selfcheck(&broker).exits(1).json();
    assert_eq!(wrong(&open), ["root.key"]);
}

/// Held by `PARTED_ROLES` and `united_roles`.
#[test]
fn a_person_who_is_given_both_of_two_peoples_roles_is_warned_of_and_found() {
    let broker = Broker::start();
    let config = broker.town("broker.toml");
    let config = config.to_str().expect("a path").to_owned();
    let look = || broker.as_client("operator-1", &["selfcheck", "--config", &config]);
    assert!(wrong(&look().exits(0).json()).is_empty());

    let person = "spiffe://renkei.example/131016/benefits/person/protector-1";
    let auditor = "spiffe://renkei.example/131016/audit/person/auditor-1";
    let grant_to = |person: &str, role: &str| {
        let arguments = ["person", "grant", person, "--role", role];
        broker.as_client("operator-1", &arguments).exits(0)
    };
    let grant = |role: &str| grant_to(person, role);
    // Not a pair that any rule parts.
    let harmless = grant("reviewer");
    assert_eq!(harmless.json()["united"], serde_json::json!([]));
    assert!(!harmless.stderr.contains("warning"), "{}", harmless.stderr);
    let given = grant("certifier");
    assert_eq!(given.json()["united"], serde_json::json!([["PROTECTOR", "CERTIFIER"]]));
    assert!(given.stderr.contains("PROTECTOR and CERTIFIER"), "{}", given.stderr);

    let listed = broker.done("operator-1", &["person", "list"]);
    let all = listed["persons"].as_array().expect("persons").iter();
    let united: Vec<&Value> = all
        .filter(|one| one["united"] != serde_json::json!([]))
        .map(|one| &one["identity"])
        .collect();
    assert_eq!(united, [person]);
    let found = look().exits(1).json();
    assert_eq!(wrong(&found), ["roles"]);
    assert!(found.to_string().contains(person), "{found}");

    broker.done("operator-1", &["person", "revoke", person, "--role", "certifier", "--yes"]);
    let given = grant_to(auditor, "discloser");
    assert_eq!(given.json()["united"], serde_json::json!([["AUDITOR", "DISCLOSER"]]));
    broker.done("operator-1", &["person", "revoke", auditor, "--role", "discloser", "--yes"]);
    assert!(wrong(&look().exits(0).json()).is_empty());
}
