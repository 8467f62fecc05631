//! A register kept up to date from the command line, over mutual TLS: deltas, a report of protected persons, a kill in
//! between, and the end of it.

mod support;

use support::broker::Broker;

#[test]
fn deltas_and_reports_go_on_over_a_kill_and_a_withdrawn_register_answers_nobody() {
    let mut broker = Broker::start();
    let register = broker.register();
    let residents = broker.town("files/residents.csv");
    let residents = fs_err::read_to_string(residents).expect("the register");
    let mut lines = residents.trim_start_matches('\u{feff}').lines();
    let (header, someone) = (lines.next().expect("a header"), lines.next().expect("a record"));
    let id = |cells: &str| cells.split(',').next().expect("an id").to_owned();
    let file = |name: &str, text: String| {
        let path = broker.folder.path(name);
        fs_err::write(&path, text).expect("a file");
        path.to_str().expect("a path").to_owned()
    };
    let leaves = file("leaves.csv", format!("異動区分,{header}\n削除,{someone}\n"));
    let joins = file("joins.csv", format!("異動区分,{header}\n追加,{someone}\n"));
    let protected = file("protected.csv", format!("宛名番号,支援措置\n{},1\n", id(someone)));

    let apply = |file: &str, number: &str| -> Vec<String> {
        let arguments = ["dataset", "apply", &register, file, "--number", number];
        arguments.map(str::to_owned).to_vec()
    };
    let text =
        |arguments: &[String]| arguments.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
    let run = |broker: &Broker, client: &str, arguments: &[String]| {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        broker.as_client(client, &arguments)
    };
    let gap = run(&broker, "register", &apply(&leaves, "2")).exits(3);
    assert!(gap.stderr.contains("expected: 1"), "{}: {}", text(&apply(&leaves, "2")), gap.stderr);
    let first = run(&broker, "register", &apply(&leaves, "1")).exits(0);
    assert!(first.stdout.contains("\"removed\":1"), "{}", first.stdout);
    // What was acknowledged is there after a kill, and its repetition is answered as before.
    broker.kill();
    broker.restart();
    let again = run(&broker, "register", &apply(&leaves, "1")).exits(0);
    let snapshot = |run: &support::Run| -> String {
        let value: serde_json::Value = serde_json::from_str(&run.stdout).expect("an object");
        value["snapshot_id"].as_str().expect("a snapshot").to_owned()
    };
    assert_eq!(snapshot(&again), snapshot(&first));
    run(&broker, "register", &apply(&joins, "2")).exits(0);
    // The demo has sent the first report.
    let protect = ["dataset", "protect", &register, &protected, "--number", "2"];
    assert_eq!(broker.done("register", &protect)["persons"], 1);

    let withdraw = ["dataset", "withdraw", &register];
    broker.as_client("residents-operator", &withdraw).exits(0);
    let listed = broker.done("operator-1", &["dataset", "list"]);
    assert!(listed.to_string().contains("\"deltas\":2"), "a dry run changes nothing: {listed}");
    broker.as_client("residents-operator", &[&withdraw[..], &["--yes"]].concat()).exits(0);
    let late = run(&broker, "register", &apply(&joins, "3")).exits(3);
    assert!(
        late.stderr.contains("WITHDRAWN") || late.stderr.contains("withdrawn"),
        "{}",
        late.stderr
    );
}
