//! Certificates as operators and owners go through them: enrolment with a one-time token, renewal under load, revocation.
//!
//! Nobody stands beside anybody here: what one tells the other by telephone, a fingerprint or a token, is what the test
//! takes from one command and gives to the next.

mod support;

use std::path::Path;
use std::sync::Arc;

use renkei_api::{ClientFile, Connection, rpcs};
use renkei_types::{Classify as _, Kind, SeededEntropy};
use serde_json::Value;
use support::broker::Broker;
use support::load::{Load, until};
use support::{Run, renkei};

const NEWCOMER: &str = "spiffe://renkei.example/131016/benefits/person/c-77";

fn text(path: &Path) -> String {
    path.to_str().expect("a path").to_owned()
}

fn pki(broker: &Broker, arguments: &[&str]) -> Run {
    let dir = text(&broker.town("pki"));
    let (command, rest) = arguments.split_first().expect("a command");
    renkei(["pki", command, "--dir", &dir, "--json"].iter().chain(rest))
}

fn join(broker: &Broker, enrolment: &str, token: &str, name: &str) -> Run {
    let (ca, file) = (text(&broker.town("pki/ca.crt")), text(&broker.folder.path(name)));
    renkei([
        "join",
        "--json",
        "--broker",
        enrolment,
        "--ca",
        &ca,
        "--token",
        token,
        "--client-file",
        &file,
    ])
}

fn said(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_else(|| panic!("{key} is not in {value}")).to_owned()
}

/// Asks for the directory with a client file, until it is answered or refused.
fn directory(file: &str) -> Run {
    renkei(["person", "list", "--json", "--as", file])
}

/// Takes a request to the authority and its certificate back, as two operators do.
fn sign(broker: &Broker, identity: &str, fingerprint: &str, command: &[&str]) -> Run {
    let (csr, out) =
        (text(&broker.folder.path("request.csr")), text(&broker.folder.path("signed")));
    broker.done("operator-2", &["enrolment", "export", identity, "--output", &csr]);
    let rest = ["--csr", &csr, "--fingerprint", fingerprint, "--out", &out];
    let signed = pki(broker, &[command, &rest].concat());
    if signed.code != 0 {
        return signed;
    }
    let certificate = said(&signed.json(), "certificate");
    broker.as_client("operator-2", &["enrolment", "grant", identity, "--certificate", &certificate])
}

#[test]
fn a_newcomer_joins_with_a_one_time_token_and_two_operators_and_the_key_stays_where_it_was_made() {
    let (broker, enrolment) = Broker::start_enrolling();
    let added =
        broker.done("operator-1", &["person", "add", NEWCOMER, "--role", "auditor", "--token"]);
    let token = said(&added["invitation"], "token");
    assert!(!broker.log().contains(&token));

    // A token that nobody has made, and one of which a letter was lost.
    for wrong in ["join_00", &token[..token.len() - 1]] {
        join(&broker, &enrolment, wrong, "wrong.toml").exits(3).says(&["token"]);
    }
    let waiting = join(&broker, &enrolment, &token, "new/c-77.toml").exits(4).json();
    assert_eq!(said(&waiting, "state"), "WAITING");
    let fingerprint = said(&waiting, "fingerprint");
    // Asked again it is the same key; somebody else with the token has another key and is refused.
    let again = join(&broker, &enrolment, &token, "new/c-77.toml").exits(4).json();
    assert_eq!(said(&again, "fingerprint"), fingerprint);
    join(&broker, &enrolment, &token, "thief.toml").exits(3).says(&["token"]);

    // Whoever signs compares the fingerprint that the owner told.
    let csr = text(&broker.folder.path("c-77.csr"));
    broker.done("operator-2", &["enrolment", "export", NEWCOMER, "--output", &csr]);
    let other = format!("sha256:{}", "0".repeat(64));
    let issue = ["issue", "--identity", NEWCOMER, "--csr", &csr, "--fingerprint"];
    pki(&broker, &[&issue[..], &[&other]].concat()).exits(3).says(&["another key"]);
    let signed = pki(&broker, &[&issue[..], &[&fingerprint]].concat()).exits(0).json();
    assert_eq!(signed["key"], Value::Null);
    let certificate = said(&signed, "certificate");
    let grant = ["enrolment", "grant", NEWCOMER, "--certificate", &certificate];
    broker.as_client("operator-1", &grant).exits(3).says(&["another person"]);
    let foreign = text(&broker.town("clients/clerk-1.crt"));
    let wrong = ["enrolment", "grant", NEWCOMER, "--certificate", &foreign];
    broker.as_client("operator-2", &wrong).exits(2).says(&["certificate_pem"]);
    broker.done("operator-2", &grant);

    let joined = join(&broker, &enrolment, &token, "new/c-77.toml").exits(0).json();
    assert_eq!(
        (said(&joined, "state"), said(&joined, "identity")),
        ("GRANTED".into(), NEWCOMER.into())
    );
    let file = text(&broker.folder.path("new/c-77.toml"));
    directory(&file).exits(0);
    join(&broker, &enrolment, &token, "new/c-77.toml").exits(3).says(&["already"]);
    // The log knows that it happened, and about whom; the token it never had.
    let leaves = broker.as_client("auditor-1", &["audit", "query", "--operations", "CERT_CHANGE"]);
    let leaves = leaves.exits(0);
    assert!(leaves.stdout.contains(NEWCOMER) && !leaves.stdout.contains(&token));
    let names = walk(&broker.town("store"));
    assert!(
        !names.iter().any(|file| contains(file, token.as_bytes())),
        "the token is in the store"
    );
}

/// Every file below a folder.
fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs_err::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { files.extend(walk(&path)) } else { files.push(path) }
    }
    files
}

fn contains(file: &Path, needle: &[u8]) -> bool {
    let bytes = fs_err::read(file).unwrap_or_default();
    bytes.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn the_port_for_enrolment_answers_nothing_but_enrolment() {
    let (broker, enrolment) = Broker::start_enrolling();
    let ca = broker.town("pki/ca.crt");
    let file = ClientFile::without_certificate(&enrolment, &ca).expect("a place");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let connection = Connection::open(&file, Arc::new(SeededEntropy::new(1))).expect("it");
        for rpc in rpcs() {
            let rejection = connection.raw(&rpc.path, Vec::new()).await.expect_err("refused");
            let unknown = rejection.reason().is_none() && rejection.kind() == Kind::InvalidArgument;
            assert_eq!(unknown, rpc.service != "Enrolment", "{}: {rejection}", rpc.path);
        }
        // And the port for everything else answers nothing at all to somebody without a certificate.
        let file = ClientFile::without_certificate(&broker.address, &ca).expect("a place");
        let connection = Connection::open(&file, Arc::new(SeededEntropy::new(1))).expect("it");
        for rpc in rpcs() {
            let rejection = connection.raw(&rpc.path, Vec::new()).await.expect_err("refused");
            // The alert, or the end of the connection if that is seen first.
            let at_the_door = matches!(rejection.kind(), Kind::Refused | Kind::Unavailable);
            assert!(at_the_door && rejection.reason().is_none(), "{}: {rejection}", rpc.path);
        }
    });
}

/// How often new TLS files were taken into use.
fn reloads(broker: &Broker) -> u64 {
    let metrics = broker.metrics();
    let line = metrics
        .lines()
        .find_map(|line| line.strip_prefix("renkei_tls_reloads_total{result=\"replaced\"} "));
    line.and_then(|count| count.trim().parse().ok()).unwrap_or_default()
}

#[test]
fn everybodys_certificate_is_renewed_and_the_old_ones_revoked_under_load_without_a_failed_call() {
    let broker = Broker::start_with(|config| {
        config.replace("[tls]\n", "[tls]\nreload_interval = \"50ms\"\n")
    });
    let file = broker.town("clients/auditor-1.toml");
    let load = Load::start(&file);
    load.goes_on();

    // The client asks for a new certificate with its present one, and is given it.
    let renew = || renkei(["renew", "--json", "--as", &text(&file)]);
    let waiting = renew().exits(4).json();
    let fingerprint = said(&waiting, "fingerprint");
    assert_eq!(said(&renew().exits(4).json(), "fingerprint"), fingerprint);
    let identity = "spiffe://renkei.example/131016/audit/person/auditor-1";
    let before = pki(&broker, &["status"]).exits(0).json();
    let older = serial_of(&before, "auditor-1");
    sign(&broker, identity, &fingerprint, &["renew", "auditor-1"]).exits(0);
    load.goes_on();
    let renewed = renew().exits(0).json();
    assert_eq!(
        (said(&renewed, "state"), said(&renewed, "identity")),
        ("GRANTED".into(), identity.into())
    );
    load.goes_on();

    // The broker's own certificate, too.
    let known = reloads(&broker);
    pki(&broker, &["renew", "broker"]).exits(0);
    until("the broker's new certificate", || reloads(&broker) > known);
    load.goes_on();

    // From now on the older certificate is worth nothing, also on connections that are open.
    let known = reloads(&broker);
    pki(&broker, &["revoke", &older, "--yes"]).exits(0);
    until("the new revocation list", || reloads(&broker) > known);
    load.goes_on();
    load.stop_without_a_failure();
    let old = text(&broker.town("clients/auditor-1.old.toml"));
    let ca = "../pki/ca.crt";
    let names = "certificate = \"auditor-1.crt\"\nkey = \"auditor-1.key\"\n";
    let text = format!("address = \"{}\"\nca = \"{ca}\"\n{names}", broker.address);
    fs_err::write(&old, text).expect("written");
    directory(&old).exits(3);
}

/// The serial number of the newest certificate of a name.
fn serial_of(status: &Value, name: &str) -> String {
    let all = status["certificates"].as_array().expect("certificates");
    let found = all.iter().rfind(|entry| entry["name"] == name).expect("a certificate");
    said(found, "serial")
}
