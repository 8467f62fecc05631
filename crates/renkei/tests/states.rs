//! States of a register from the command line, over mutual TLS: who was in it on a day, and what becomes of those states
//! that are in use no more.

mod support;

use support::Sheet;
use support::broker::Broker;

/// An agreement under which the benefits office may have extracts in these fields.
fn agree(broker: &Broker, register: &str, fields: &str) {
    #[rustfmt::skip]
    let propose = [
        "agreement", "propose", "--consumer", "131016/benefits", "--dataset", register,
        "--legal-basis", "KOJOHO_69_2_2", "--purpose", "base-date", "--fields", fields,
        "--operations", "extract", "--valid-from", "2026-01-01", "--valid-until", "2090-03-31",
        "--daily-records-max", "1000", "--retention-days", "30",
    ];
    let proposed = broker.done("operator-1", &propose);
    let id = proposed["agreement_id"].as_str().expect("an id");
    broker.done("residents-operator", &["agreement", "approve", id]);
    broker.done("operator-2", &["agreement", "activate", id]);
}

#[test]
fn who_was_there_on_a_base_date_is_written_in_the_fields_of_the_agreement() {
    let broker = Broker::start();
    let register = broker.register();
    let output = broker.folder.path("there.csv");
    let place = output.to_str().expect("a path");
    #[rustfmt::skip]
    let ask = [
        "dataset", "state", &register, "--purpose", "base-date", "--on", "2026-11-21", "--output",
        place,
    ];
    broker.as_client("payments", &ask).exits(3).says(&["NO_AGREEMENT"]);
    assert!(!output.exists(), "a refusal leaves no file");
    agree(&broker, &register, "resident_id,name_kana,birth_date,address");
    let told = broker.done("payments", &ask);
    let sheet = Sheet::read(&output);
    assert_eq!(told["records"].as_u64(), Some(sheet.rows.len() as u64));
    assert_eq!(sheet.rows.len(), 400);
    let mut fields = sheet.header.clone();
    fields.sort();
    assert_eq!(fields, ["address", "birth_date", "name_kana", "register_id"]);
    assert!(told["receipt"]["leaf_index"].is_u64());
    // What is handed out stands in the log with its count.
    let log = broker.as_client("auditor-1", &["audit", "query", "--operations", "EXPORT"]).exits(0);
    assert!(log.stdout.contains("400"), "{}", log.stdout);
    // Those whom the register names, as it names them, in another order.
    let residents = Sheet::read(&broker.town("files/residents.csv"));
    let born = |sheet: &Sheet, id: &str, date: &str| {
        let dates = sheet.cells(date).into_iter().map(str::to_owned);
        let ids = sheet.cells(id).into_iter().map(str::to_owned);
        let mut born: Vec<(String, String)> = ids.zip(dates).collect();
        born.sort();
        born
    };
    assert_eq!(born(&sheet, "register_id", "birth_date"), born(&residents, "宛名番号", "生年月日"));
}

#[test]
fn a_superseded_state_is_shown_with_its_term_and_not_destroyed_before() {
    let broker = Broker::start();
    let register = broker.register();
    let show = ["dataset", "retention", &register];
    let shown = broker.done("residents-operator", &show);
    assert_eq!(shown["snapshots"].as_array().expect("states").len(), 0);
    let file = broker.town("files/residents.csv");
    let upload = ["dataset", "upload", &register, file.to_str().expect("a path")];
    broker.done("register", &upload);
    let shown = broker.done("residents-operator", &show);
    let state = &shown["snapshots"][0];
    assert_eq!((&state["kept"], &state["due"]), (&"TERM".into(), &false.into()));
    assert!(
        state["needed_until"].as_str().expect("a day")
            > state["superseded_on"].as_str().expect("a day")
    );
    let done = broker.done("residents-operator", &[&show[..], &["--yes"]].concat());
    assert_eq!(done["destroyed"].as_array().expect("none").len(), 0);
    // Operators of others are told nothing.
    broker.as_client("operator-1", &show).exits(3).says(&["NO_AGREEMENT"]);
}
