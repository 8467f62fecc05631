//! What was begun goes on: after a cut, after a deadline, under the same request id.

mod support;

use std::process::{Command, Stdio};

use serde_json::Value;
use support::broker::Broker;
use support::{Folder, renkei};

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("no {key} in {value}"))
}

#[test]
fn a_call_past_its_deadline_is_done_once_when_it_is_repeated() {
    let mut broker =
        Broker::start_with(|config| format!("{config}\n[limits]\nrequest_timeout = \"1ms\"\n"));
    let missed = |broker: &Broker| {
        broker.metrics().lines().any(|line| {
            line.contains("method=\"CreateProgramme\"") && line.contains("kind=\"Unavailable\"")
        })
    };
    // Some call will take longer than a millisecond, also on a fast disk. The client repeats it by itself, and may be
    // answered from what is stored.
    let mut at = 0;
    let (name, request) = loop {
        let name = format!("late-{at}");
        let request = format!("request_06bpj3w4q8v1s9c2d5f7g0h{at:03}");
        let create = [&Broker::create_programme(&name)[..], &["--request-id", &request]].concat();
        let late = broker.as_client("operator-1", &create);
        assert!([0, 4].contains(&late.code), "{}", late.stderr);
        if missed(&broker) {
            break (name, request);
        }
        at += 1;
        assert!(at < 200, "no call has missed its deadline");
    };
    let request = ["--request-id", &request];
    let create = [&Broker::create_programme(&name)[..], &request].concat();
    let config = broker.town("broker.toml");
    let patient = fs_err::read_to_string(&config).expect("the configuration");
    let patient = patient.replace("request_timeout = \"1ms\"", "request_timeout = \"30s\"");
    fs_err::write(&config, patient).expect("the configuration is written");
    broker.restart();
    let first = broker.done("operator-1", &create);
    let second = broker.done("operator-1", &create);
    assert_eq!(first["receipt"], second["receipt"]);
    let other = [&Broker::create_programme("other")[..], &request].concat();
    let refused = broker.as_client("operator-1", &other).exits(3);
    assert!(refused.stderr.contains("request id"), "{}", refused.stderr);
    let logged = broker.as_client("auditor-1", &["audit", "query", "--results", "DENIED"]).exits(0);
    assert!(logged.stdout.contains("REQUEST_REUSED"), "{}", logged.stdout);
}

#[test]
fn an_upload_whose_sender_is_killed_goes_on_where_the_durable_bytes_end() {
    let broker = Broker::start();
    let folder = Folder::new();
    let place = folder.path("large");
    let options = ["generate", "--residents", "40000", "--lines", "40000", "--mix", "typical"];
    let options = options.map(std::ffi::OsString::from).into_iter();
    renkei(options.chain(["--seed".into(), "3".into(), "--dir".into(), place.clone().into()]))
        .exits(0);
    let payments = place.join("payments.csv");
    let file = payments.to_str().expect("a path");
    let programme = broker.programme("cut");
    let opened = broker.done("payments", &["list", "open", &programme, "--name", "one"]);
    let upload = text(&opened, "upload_id").to_owned();
    for _ in 0..3 {
        let client = broker.town("clients/payments.toml");
        let mut sending = Command::new(assert_cmd::cargo::cargo_bin!("renkei"))
            .args(["list", "upload", &upload, file, "--as"])
            .arg(client)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the command starts");
        // The kill must fall into the middle of the upload; where exactly does not matter.
        std::thread::sleep(std::time::Duration::from_millis(60));
        sending.kill().expect("the sender is killed");
        sending.wait().expect("the sender is gone");
    }
    let sealed = broker.done("payments", &["list", "seal", &upload, file]);
    assert_eq!(sealed["counted"]["lines"], 40_000);
    let repeated = broker.as_client("payments", &["list", "upload", &upload, file]);
    assert_eq!(repeated.code, 0, "{}", repeated.stderr);
    assert_eq!(repeated.json()["sha256"], sealed["sha256"], "a sealed upload is what was sent");
}
