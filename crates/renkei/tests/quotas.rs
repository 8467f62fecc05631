//! What one caller may do to all others by calling: too often, with a clock of its own, or only to fill the log.

mod support;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use renkei_api::v1::{AddAgencyRequest, Agency, ShowRequest};
use renkei_api::{ClientFile, Connection, Rejection};
use renkei_types::{FixedClock, Reason, SeededEntropy};
use serde_json::Value;
use support::broker::Broker;
use support::renkei;
use tokio::runtime::Runtime;

fn connection(broker: &Broker, client: &str) -> Connection {
    let file = broker.town("clients").join(format!("{client}.toml"));
    let file = ClientFile::read(&file).expect("a client file");
    Connection::open(&file, Arc::new(SeededEntropy::new(1))).expect("a connection")
}

/// A call that changes something.
fn add_agency(number: usize) -> AddAgencyRequest {
    let slug = format!("131016/office-{number}");
    let agency = Agency { agency: slug, title: "窓口".to_owned() };
    let request_id = format!("request_06bpj3w4q8v1s9c2d5f7g0{:0>4}", number);
    AddAgencyRequest { request_id, agency: Some(agency) }
}

/// Entries of the log about refusals for a reason, oldest first.
fn denials(broker: &Broker, reason: Reason) -> Vec<Value> {
    let told = broker.as_client("auditor-1", &["audit", "query", "--results", "DENIED"]).exits(0);
    let entries = told.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON"));
    let leaves = entries.map(|entry: Value| entry["leaf"].clone());
    leaves.filter(|leaf| leaf["code"] == reason.as_str()).collect()
}

fn count(leaf: &Value) -> u64 {
    leaf["cnt"]["denied"].as_u64().unwrap_or_else(|| panic!("no count in {leaf}"))
}

/// What fails without `quotas.admit` in `Gate::admit`.
#[test]
fn who_calls_more_often_than_its_quota_waits_and_others_do_not() {
    let quota = "\n[limits]\ncalls_per_minute_max = 40\n";
    let broker = Broker::start_with(|config| config + quota);
    let runtime = Runtime::new().expect("a runtime");
    let (answered, refused) = runtime.block_on(async {
        let loud = connection(&broker, "operator-1");
        let mut answered = 0;
        let refused: Rejection = loop {
            match loud.call(ShowRequest {}).await {
                Ok(_) => answered += 1,
                Err(rejection) => break rejection,
            }
        };
        connection(&broker, "operator-2").call(ShowRequest {}).await.expect("another's quota");
        (answered, refused)
    });
    assert!((40..80).contains(&answered), "{answered}");
    assert_eq!(refused.reason(), Some(Reason::TooManyCalls));
    let noted = denials(&broker, Reason::TooManyCalls);
    let actor = noted.first().expect("a leaf")["actor"].to_string();
    assert!(actor.contains("operator-1"), "{actor}");
}

/// What fails without the look at `[quotas]` in `Quotas::admit`.
#[test]
fn a_caller_may_have_a_quota_of_its_own_and_one_of_another_domain_is_no_configuration() {
    let own = |domain: &str| {
        let identity = format!("spiffe://{domain}/131016/operations/person/operator-1");
        move |config: String| format!("{config}\n[quotas]\n\"{identity}\" = 1\n")
    };
    let broker = Broker::start_with(own("renkei.example"));
    let runtime = Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let small = connection(&broker, "operator-1");
        small.call(ShowRequest {}).await.expect("the first");
        let rejection = small.call(ShowRequest {}).await.expect_err("the second");
        assert_eq!(rejection.reason(), Some(Reason::TooManyCalls));
        for _ in 0..5 {
            connection(&broker, "operator-2").call(ShowRequest {}).await.expect("no quota");
        }
    });
    let config = broker.town("broker.toml");
    let text = fs_err::read_to_string(&config).expect("the configuration");
    let foreign = broker.town("foreign.toml");
    fs_err::write(
        &foreign,
        text.replace(
            "\"spiffe://renkei.example/131016/operations/person/operator-1\" = 1",
            "\"spiffe://other.example/131016/operations/person/operator-1\" = 1",
        ),
    )
    .expect("written");
    renkei(["check-config", foreign.to_str().expect("a path")])
        .exits(2)
        .says(&["quotas", "trust_domain"]);
}

/// G17. What fails without `told?` in `Gate::mutate`.
#[test]
fn a_caller_whose_clock_is_off_by_more_than_ten_minutes_changes_nothing_and_may_ask() {
    let broker = Broker::start();
    let runtime = Runtime::new().expect("a runtime");
    let _inside = runtime.enter();
    let at = |minutes: i64| {
        let time = Timestamp::now() + SignedDuration::from_mins(minutes);
        connection(&broker, "operator-1").with_clock(Arc::new(FixedClock(time)))
    };
    for (number, minutes) in [11, -11, 60 * 24 * 365].into_iter().enumerate() {
        runtime.block_on(async {
            let wrong = at(minutes);
            let rejection = wrong.call(add_agency(number)).await.expect_err("a wrong clock");
            assert_eq!(rejection.reason(), Some(Reason::ClockSkew), "{minutes}");
            wrong.call(ShowRequest {}).await.expect("a question changes nothing");
        });
    }
    let there = broker.done("operator-1", &["agency", "list"]).to_string();
    assert!(!there.contains("office-"), "{there}");
    for (number, minutes) in [9, -9].into_iter().enumerate() {
        runtime.block_on(at(minutes).call(add_agency(number))).expect("near enough");
    }
    let silent = connection(&broker, "operator-1");
    runtime.block_on(silent.call(add_agency(7))).expect("who says nothing is not asked");
    let noted = denials(&broker, Reason::ClockSkew);
    assert_eq!(noted.first().map(count), Some(1), "{noted:?}");
}

/// A7. What fails without the count in `Gate::collect`.
#[test]
fn a_flood_of_refusals_is_an_entry_a_minute_with_a_count_and_buries_nothing() {
    const FLOOD: usize = 400;
    let mut broker = Broker::start();
    let runtime = Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let flooding = connection(&broker, "clerk-1");
        for number in 0..FLOOD {
            let rejection = flooding.call(add_agency(number)).await.expect_err("no clerk may");
            assert_eq!(rejection.reason(), Some(Reason::RoleMissing));
            if number == FLOOD / 2 {
                let operator = connection(&broker, "operator-1");
                operator.call(add_agency(9_999)).await.expect("an event in the middle of it");
            }
        }
    });
    assert!(
        broker
            .metrics()
            .contains(&format!("renkei_denials_total{{reason=\"ROLE_MISSING\"}} {FLOOD}"))
    );
    // What was counted since the first is written when the minute, or the broker, ends.
    broker.stop();
    broker.restart();
    let noted = denials(&broker, Reason::RoleMissing);
    let counts: Vec<u64> = noted.iter().map(count).collect();
    assert!(counts.len() <= 3, "the first, and each minute of what followed: {counts:?}");
    assert_eq!(counts.iter().sum::<u64>(), FLOOD as u64);
    assert!(noted.iter().all(|leaf| leaf["actor"].to_string().contains("clerk-1")));
    let about = broker.as_client("auditor-1", &["audit", "query"]).exits(0).stdout;
    assert!(about.lines().count() < FLOOD, "the log is not filled");
    assert!(broker.log().contains("many refusals of one kind"), "{}", broker.log());
}

/// T1 and T2: whoever it was has shown a certificate, and its fingerprint is what remains.
#[test]
fn a_certificate_of_another_authority_leaves_its_fingerprint_in_the_log() {
    let broker = Broker::start();
    let place = |name: &str| broker.town(name).to_str().expect("a path").to_owned();
    let (pki, out, file) =
        (place("elsewhere"), place("elsewhere/out"), place("elsewhere/stranger.toml"));
    renkei(["pki", "init", "--dir", &pki, "--trust-domain", "renkei.example"]).exits(0);
    let identity = "spiffe://renkei.example/131016/operations/person/operator-1";
    #[rustfmt::skip]
    let issue = [
        "pki", "issue", "--dir", &pki, "--identity", identity, "--out", &out, "--client-file", &file,
        "--address", &broker.address,
    ];
    renkei(issue).exits(0);
    let text = fs_err::read_to_string(&file).expect("a client file");
    let lines = text.lines().map(|line| match line.split_once(" = ") {
        Some(("ca", _)) => format!("ca = \"{}\"", place("pki/ca.crt")),
        _ => line.to_owned(),
    });
    fs_err::write(&file, lines.collect::<Vec<_>>().join("\n")).expect("written");
    let refused = renkei(["agency", "list", "--as", &file]);
    assert_ne!(refused.code, 0);
    let noted = denials(&broker, Reason::CertificateRefused);
    let leaf = noted.first().unwrap_or_else(|| panic!("no leaf: {}", broker.log()));
    assert_eq!(leaf["op"], "AUTH_DENIED", "{leaf}");
    let shown = leaf["actor"]["cert"].as_str().expect("a fingerprint");
    let certificate = fs_err::read(broker.town("elsewhere/out/operator-1.crt")).expect("it");
    let known = renkei_api::hex(renkei_types::Digest::of(&der(&certificate)).as_bytes());
    assert!(shown.ends_with(&known), "{shown} {known}");
    assert!(leaf["actor"]["sys"].is_null(), "what it says of itself is nobody's word: {leaf}");
}

/// The bytes of the first certificate in a PEM file.
fn der(pem: &[u8]) -> Vec<u8> {
    use base64::Engine as _;
    let text = std::str::from_utf8(pem).expect("text");
    let body: String = text.lines().skip(1).take_while(|line| !line.starts_with('-')).collect();
    base64::engine::general_purpose::STANDARD.decode(body).expect("base64")
}
