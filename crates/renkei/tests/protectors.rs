//! Protection as its people see it: over mutual TLS, with the commands of the guide.

mod support;

use serde_json::Value;
use support::broker::Broker;

/// A resident whose line is paid into an account of the family: the line's id and the resident's.
fn paid_into_a_family_account(broker: &Broker, batch: &str) -> (String, String) {
    let accounts = broker.done("certifier-1", &["list", "accounts", "--batch", batch]);
    let is_family = |line: &&Value| line["findings"].to_string().contains("FAMILY_ACCOUNT");
    let lines = accounts["lines"].as_array().expect("lines");
    let line = lines.iter().find(is_family).expect("a child")["line_id"].as_str().expect("an id");
    let truth = fs_err::read_to_string(broker.town("files/truth.csv")).expect("the truth");
    let pair = truth.lines().find_map(|pair| pair.split_once(',').filter(|(id, _)| *id == line));
    (line.to_owned(), pair.expect("the truth knows it").1.trim().to_owned())
}

fn find<'a>(held: &'a Value, line: &str) -> &'a Value {
    let lines = held["lines"].as_array().expect("lines");
    lines.iter().find(|one| one["line_id"] == line).expect("the line")
}

/// Held in `Permit::check` by the role, and in `ClearHousehold::decide` by the second person.
#[test]
fn a_line_beside_somebody_protected_is_shown_to_protectors_alone_and_cleared_by_two() {
    let broker = Broker::start();
    let id_of = |noun: &str| broker.named(noun)[0].clone();
    let (programme, list, batch) = (id_of("programme"), id_of("list"), id_of("batch"));
    let (line, resident) = paid_into_a_family_account(&broker, &batch);
    let register = broker.register();
    let report = format!("宛名番号,支援措置,支援措置期限\n{resident},1,2020-03-31\n");
    let report = broker.folder.write("protected.csv", report);
    let report = report.to_str().expect("a path");
    broker.done("register", &["dataset", "protect", &register, report, "--number", "2"]);

    let protection = ["dataset", "protection", &register];
    broker.as_client("payments", &protection).exits(3);
    let told = broker.as_client("residents-operator", &protection).exits(0);
    assert!(!told.stdout.contains(&resident) && told.stderr.contains("1 persons has ended"));
    let told = told.json();
    assert_eq!((&told["persons"], &told["overdue"]), (&1.into(), &1.into()));

    let households = ["list", "households", &list];
    for client in ["certifier-1", "clerk-1", "payments", "operator-1"] {
        let refused = broker.as_client(client, &households).exits(3);
        assert!(!refused.stderr.contains(&line), "{client}");
    }
    let held = broker.done("protector-1", &households);
    let found = find(&held, &line);
    assert_eq!(found["findings"], serde_json::json!(["HOLDER_IS_OTHER"]));
    assert_eq!((&found["state"], &found["batch_id"]), (&"OPEN".into(), &batch.as_str().into()));
    let clear = ["list", "clear-household", &list, &line];
    broker.as_client("certifier-1", &clear).exits(3);
    assert_eq!(broker.done("protector-1", &clear)["cleared"], false);
    let alone = broker.as_client("protector-1", &clear).exits(3);
    assert!(alone.stderr.contains("SAME_PERSON"), "{}", alone.stderr);
    assert_eq!(broker.done("protector-2", &clear)["cleared"], true);
    let held = broker.done("protector-2", &households);
    assert_eq!(find(&held, &line)["state"], "CLEARED");
    // The log knows that they have looked, not at whom or why.
    let log = broker.as_client("auditor-1", &["audit", "query"]).exits(0).stdout;
    assert!(log.contains("protector-1") && !log.contains(&line) && !log.contains("HOLDER"));

    let wrong = broker.folder.write("l7.csv", "氏名\n若葉 花子\n");
    let divide = |file: &std::path::Path, client: &str| {
        let file = file.to_str().expect("a path").to_owned();
        let command = ["programme", "divide", &programme, &file, "--kind", "dv-separate"];
        broker.as_client(client, &command)
    };
    divide(&wrong, "protector-1").exits(2);
    let l7 = broker.folder.write("l7.csv", format!("宛名番号,世帯番号\n{resident},\n"));
    divide(&l7, "payments").exits(3);
    let divided = divide(&l7, "protector-1").exits(0).json();
    assert_eq!(
        divided,
        serde_json::json!({
            "persons": 1, "already_certified": 1, "compared": true, "receipt": divided["receipt"],
        })
    );
}
