//! Clients that mean no good, against a broker that serves twenty good ones meanwhile.
//!
//! The attackers are other people's programs (openssl, the scanner sslyze) and frames written in Python, in
//! `benchmarks/hostile`; they share nothing with ours. Each comes with a good certificate where it needs one: what a
//! stranger could do ends with the handshake. Held here is that the attack ends as it should, that no good client notices
//! more than a wait, and that the broker's memory stays where it was. How long that wait is, a benchmark measures.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use support::broker::Broker;
use support::load::Load;
use support::python::python_with;

/// Times that a test can wait for. What they bound is bounded alike with the defaults, only later.
const LIMITS: &str = "\n[limits]\nhandshake_timeout = \"2s\"\npreface_timeout = \"2s\"\nstream_idle_timeout = \"2s\"\n\
                      keepalive_interval = \"1s\"\nkeepalive_timeout = \"3s\"\n\
                      header_bytes_max = 8_192\n";
/// The good clients.
const GOOD: usize = 20;
/// What an attack may make a broker hold at its worst.
const GROWTH_BYTES_MAX: u64 = 64 << 20;

/// A broker with its good clients, and an attacker.
struct Siege {
    broker: Broker,
    python: PathBuf,
    load: Load,
    before: u64,
}

fn programs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../benchmarks/hostile")
}

impl Siege {
    fn begin() -> Self {
        let python = python_with("hostile-clients", &programs().join("requirements.txt"));
        let broker = Broker::start_with(|config| config + LIMITS);
        let load = Load::of(&broker.town("clients/auditor-1.toml"), GOOD);
        load.goes_on();
        let before = bytes(&broker, "VmRSS:");
        Self { broker, python, load, before }
    }

    /// Attacks, while the good clients go on; answers what the attacker saw.
    #[track_caller]
    fn attack(&self, name: &str) -> Value {
        self.attack_as("operator-1", name, &["--seconds", "30"])
    }

    #[track_caller]
    fn attack_as(&self, client: &str, name: &str, options: &[&str]) -> Value {
        let output = Command::new(&self.python)
            .arg(programs().join("hostile.py"))
            .arg(self.broker.town("clients").join(format!("{client}.toml")))
            .arg(name)
            .args(options)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .output()
            .expect("Python runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name}: {said}\n{}", self.broker.log());
        let seen: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        eprintln!("{name}: {seen}");
        self.load.goes_on();
        seen
    }

    /// Ends: nothing failed for anybody good, and nothing was piled up.
    #[track_caller]
    fn end(self) {
        let growth = bytes(&self.broker, "VmHWM:").saturating_sub(self.before);
        self.load.stop_without_a_failure();
        assert!(growth < GROWTH_BYTES_MAX, "{growth} bytes more");
    }
}

/// A line of what the system says of the broker's memory.
fn bytes(broker: &Broker, name: &str) -> u64 {
    let status =
        fs_err::read_to_string(format!("/proc/{}/status", broker.id())).expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a line");
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kibibytes << 10
}

fn is_closed(seen: &Value) -> bool {
    seen["closed"].is_string()
}

/// T1, T2, T7, T8, T9 and T15, with openssl: the number is that of the alert of RFC 8446.
#[test]
fn openssl_is_served_with_a_good_certificate_alone_and_told_what_is_wrong_with_another() {
    let siege = Siege::begin();
    let seen = siege.attack("handshakes");
    for good in ["good", "good_rsa", "p256_only", "aes_128_only"] {
        assert_eq!(seen[good]["served"], true, "{good}");
    }
    for (bad, alert) in [
        ("no_certificate", Some(116)),
        ("expired", Some(45)),
        ("not_yet_valid", Some(45)),
        ("other_authority", Some(51)),
        ("common_name_only", Some(49)),
        ("server_only", Some(43)),
        ("tls_1_2", Some(70)),
        ("tls_1_1", Some(40)),
        ("weak_suite", Some(40)),
        ("chain_of_100", Some(49)),
        // More than a handshake may have: the connection ends without a word.
        ("extension_of_64_kib", None),
    ] {
        assert_eq!(seen[bad]["served"], false, "{bad}");
        assert_eq!(seen[bad]["alert"].as_u64(), alert, "{bad}");
        assert_eq!(seen[bad]["timed_out"], false, "{bad}");
    }
    siege.end();
}

/// T8 and T14.
#[test]
fn a_scanner_finds_tls_1_3_alone_and_none_of_the_weaknesses_it_knows() {
    let siege = Siege::begin();
    let seen = siege.attack("scan");
    assert_eq!(seen["completed"], true, "{seen}");
    for old in ["SSL 2.0", "SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2"] {
        assert_eq!(seen["suites"][old], Value::Array(Vec::new()), "{old}");
    }
    let suites = seen["suites"]["TLS 1.3"].as_array().expect("suites");
    let is_strong = |suite: &Value| suite.as_str().is_some_and(|name| !name.contains("CCM"));
    assert!(suites.len() == 3 && suites.iter().all(is_strong), "{suites:?}");
    for (weakness, key) in [
        ("compression", "supports_compression"),
        ("ccs_injection", "is_vulnerable_to_ccs_injection"),
        ("heartbleed", "is_vulnerable_to_heartbleed"),
        ("renegotiation", "is_vulnerable_to_client_renegotiation_dos"),
    ] {
        assert_eq!(seen[weakness][key], "False", "{weakness}");
    }
    let robot = seen["robot"]["robot_result"].as_str().expect("a result");
    assert!(robot.contains("NOT_VULNERABLE"), "{robot}");
    for kind in ["session_id_resumption_result", "tls_ticket_resumption_result"] {
        let resumption = seen["resumption"][kind].as_str().expect("a result");
        assert!(resumption.contains("SERVER_IS_TLS_1_3_ONLY"), "{resumption}");
    }
    siege.end();
}

/// T14: there is nothing to resume, so no handshake goes by without a look at the certificate.
#[test]
fn openssl_is_given_no_session_to_resume_and_cannot_negotiate_again() {
    let siege = Siege::begin();
    let seen = siege.attack("resumption");
    assert_eq!((&seen["served"], &seen["session"]), (&true.into(), &false.into()));
    let again = siege.attack("renegotiation");
    assert_eq!(again["served"][1], false, "where renegotiation exists there is no connection");
    // A new key with every record is no use to anybody.
    let updates = siege.attack("key_update_flood");
    assert!(updates["updates"].as_u64().is_some_and(|updates| updates < 3_000), "{updates}");
    siege.end();
}

/// T12.
#[test]
fn a_thousand_half_open_handshakes_hold_the_places_of_one_address_for_the_time_of_a_handshake() {
    let siege = Siege::begin();
    let seen = siege.attack("half_open_handshakes");
    assert_eq!((&seen["attempts"], &seen["still_open"]), (&1_000.into(), &0.into()), "{seen}");
    let number = |key: &str| seen[key].as_f64().expect("a number");
    assert!(number("longest") < 10.0, "{seen}");
    assert!(number("turned_away_at_once") > 0.0, "{seen}");
    let metrics = siege.broker.metrics();
    for code in ["HANDSHAKE_TIMEOUT", "TOO_MANY_FROM_ADDRESS"] {
        assert!(metrics.contains(code), "{code} in {metrics}");
    }
    siege.end();
}

/// G6 and G7.
#[test]
fn a_connection_that_opens_resets_or_begins_without_an_end_is_cut() {
    let siege = Siege::begin();
    for attack in ["ten_thousand_streams", "rapid_reset", "made_you_reset"] {
        assert!(is_closed(&siege.attack_as("payments", attack, &[])), "{attack}");
    }
    // More than could lie in buffers on the way: the broker did not read to the end.
    for (attack, most) in [
        ("endless_headers", 4_000),
        ("empty_continuations", 3_000_000),
        ("empty_data_flood", 3_000_000),
    ] {
        let seen = siege.attack_as("payments", attack, &[]);
        assert!(is_closed(&seen), "{attack}");
        assert!(seen["sent"].as_u64().is_some_and(|sent| sent < most), "{attack}");
    }
    siege.end();
}

/// G8.
#[test]
fn headers_beyond_the_limit_are_refused_whatever_they_are_folded_into() {
    let siege = Siege::begin();
    let beyond = ["--header-bytes", "10000"];
    let beyond = siege.attack_as("operator-1", "headers_beyond_the_limit", &beyond);
    assert_eq!(beyond["http"]["431"], 1, "{beyond}");
    for attack in ["megabyte_of_headers", "header_table_bomb"] {
        let seen = siege.attack(attack);
        assert!(is_closed(&seen) && seen["status"] == serde_json::json!({}), "{attack}");
    }
    siege.end();
}

/// G5.
#[test]
fn who_does_not_read_is_held_against_a_bound_and_not_for_long() {
    let siege = Siege::begin();
    for attack in ["ping_flood", "settings_flood"] {
        let seen = siege.attack(attack);
        // What the system's own buffers hold, and not what the attacker would have sent.
        assert!(seen["taken_bytes"].as_u64().is_some_and(|bytes| bytes < 16_000_000), "{attack}");
    }
    siege.attack("priority_flood");
    siege.attack_as("operator-1", "never_reads", &["--seconds", "6"]);
    // 8 connections of 100 streams each. Some may have been read by the time of the look.
    let dropped = siege.broker.metrics();
    let dropped =
        dropped.lines().find_map(|line| line.strip_prefix("renkei_unread_answers_total "));
    let dropped: u64 = dropped.and_then(|number| number.parse().ok()).unwrap_or_default();
    assert!(dropped > 600, "{dropped} answers were dropped");
    siege.attack_as("operator-1", "drip_window", &["--seconds", "5"]);
    siege.end();
}

/// G3.
#[test]
fn who_sends_a_byte_a_second_is_cut_and_its_place_is_free_again() {
    let siege = Siege::begin();
    for attack in ["slow_preface", "slow_headers"] {
        let seen = siege.attack(attack);
        assert!(is_closed(&seen), "{attack}");
    }
    let programme = siege.broker.programme("slow");
    let opened = siege.broker.done("payments", &["list", "open", &programme, "--name", "one"]);
    let upload = opened["upload_id"].as_str().expect("an upload");
    for (client, attack) in
        [("auditor-1", "slow_question"), ("payments", "slow_upload"), ("payments", "slow_chunks")]
    {
        let seen = siege.attack_as(client, attack, &["--seconds", "30", "--upload", upload]);
        // Code 14, UNAVAILABLE: an upload may go on.
        assert_eq!(seen["first_call"], 14, "{attack}");
        assert!(seen["ended_after"].as_f64().is_some_and(|seconds| seconds < 15.0), "{attack}");
        assert!(seen["next_call"].is_u64() && !is_closed(&seen), "{attack}");
    }
    siege.end();
}

/// G4: the upload is where it was.
#[test]
fn a_client_that_is_gone_is_noticed_whether_it_said_so_or_not() {
    let siege = Siege::begin();
    let programme = siege.broker.programme("gone");
    let opened = siege.broker.done("payments", &["list", "open", &programme, "--name", "one"]);
    for attack in ["half_closed", "vanished"] {
        let seen = siege.attack_as("payments", attack, &["--seconds", "7"]);
        assert!(is_closed(&seen), "{attack}");
    }
    let upload = opened["upload_id"].as_str().expect("an upload");
    let file = siege.broker.town("files/payments.csv");
    let file = file.to_str().expect("a path");
    siege.broker.done("payments", &["list", "seal", upload, file]);
    siege.end();
}

/// G1, G2 and G18.
#[test]
fn what_is_no_call_of_the_contract_is_refused_before_anybody_reads_it() {
    let siege = Siege::begin();
    for attack in ["garbage", "http_1", "plain_http"] {
        let seen = siege.attack(attack);
        assert!(is_closed(&seen) && seen["http_1"] != true, "{attack}");
        assert!(seen["answer_bytes"].as_u64().is_some_and(|bytes| bytes < 100), "{attack}");
    }
    assert_eq!(siege.attack("http_1_by_alpn")["handshake"], false);
    // 12 is UNIMPLEMENTED, 11 OUT_OF_RANGE.
    assert_eq!(siege.attack("reflection")["status"], serde_json::json!([["12"], ["12"]]));
    for (attack, status) in
        [("unknown_method", "12"), ("compressed_message", "12"), ("message_too_large", "11")]
    {
        assert_eq!(siege.attack(attack)["status"][status], 1, "{attack}");
    }
    siege.end();
}
