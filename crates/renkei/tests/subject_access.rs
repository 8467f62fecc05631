//! "Who used my data?" at the counter, over mutual TLS: the hazards of telling somebody what was done with their data.

mod support;

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use support::Sheet;
use support::broker::Broker;
use support::python::python_with;

/// A broker with somebody at the counter of the register's agency, and a protector there.
fn broker() -> Broker {
    let broker = Broker::start();
    broker.newcomer("131016/residents", "discloser-1", "discloser");
    broker.newcomer("131016/residents", "guardian-1", "protector");
    broker
}

/// Line and resident, as the demo's truth knows them.
fn persons(broker: &Broker) -> Vec<(String, String)> {
    let truth = fs_err::read_to_string(broker.town("files/truth.csv")).expect("the truth");
    let pairs = truth.lines().skip(1).filter_map(|pair| pair.split_once(','));
    let named = pairs.filter(|(_, resident)| !resident.trim().is_empty());
    named.map(|(line, resident)| (line.to_owned(), resident.trim().to_owned())).collect()
}

/// A resident whom the demo's list names, and one whom it does not.
fn linked_and_not(broker: &Broker) -> (String, String) {
    let persons = persons(broker);
    let residents = Sheet::read(&broker.town("files/residents.csv"));
    let is_named = |id: &str| persons.iter().any(|(_, resident)| resident == id);
    let mut others = residents.cells("宛名番号").into_iter().filter(|id| !is_named(id));
    let other = others.find(|id| told(broker, &[id]).is_empty()).expect("somebody").to_owned();
    let linked = persons.iter().map(|(_, resident)| resident);
    let linked = linked.clone().find(|id| uses(&told(broker, &[id])).contains(&"LINKED".into()));
    (linked.expect("somebody").clone(), other)
}

fn ask<'a>(register: &'a str, ids: &[&'a str]) -> Vec<&'a str> {
    let ids = ids.iter().flat_map(|id| ["--id", id]);
    ["audit", "subject", register].into_iter().chain(ids).collect()
}

fn told(broker: &Broker, ids: &[&str]) -> Vec<Value> {
    let answer = broker.done("discloser-1", &ask(&broker.register(), ids));
    answer["entries"].as_array().expect("entries").clone()
}

fn uses(entries: &[Value]) -> Vec<String> {
    entries.iter().map(|entry| entry["use"].as_str().expect("a use").to_owned()).collect()
}

/// The counter asks about somebody by all that the register says of them.
fn identify(broker: &Broker, resident: &str, purpose: &str) -> Value {
    let residents = Sheet::read(&broker.town("files/residents.csv"));
    let row = residents.cells("宛名番号").into_iter().position(|id| id == resident);
    let row = row.expect("a resident");
    let cell = |name: &str, column: &str| format!("{name}={}", residents.cell(row, column));
    let cells = [
        cell("name_kanji", "氏名"),
        cell("name_kana", "氏名カナ"),
        cell("birth_date", "生年月日"),
        cell("address", "住所"),
    ];
    let register = broker.register();
    let mut command = vec!["identify", &register, "--purpose", purpose, "--candidates", "1"];
    command.extend(cells.iter().map(String::as_str));
    broker.done("counter", &command)
}

/// Reports who is protected.
fn protect(broker: &Broker, number: &str, resident: &str) {
    let file = broker.folder.write("protected.csv", format!("宛名番号,支援措置\n{resident},1\n"));
    let file = file.to_str().expect("a path").to_owned();
    broker.done("register", &["dataset", "protect", &broker.register(), &file, "--number", number]);
}

fn script(folder: &Path, key: &Path) -> Option<i32> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/auditor/verify_entry.py");
    let python = python_with("python-auditor", &script.with_file_name("requirements.txt"));
    let mut command = Command::new(python);
    let output = command.arg(&script).args([folder, key]).env("PYTHONUTF8", "1").output();
    output.expect("Python runs").status.code()
}

/// Every text of a proof, changed in one letter of its middle.
fn changed(value: &Value, path: &mut Vec<String>, found: &mut Vec<(String, Vec<String>)>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                path.push(name.clone());
                changed(value, path, found);
                path.pop();
            }
        }
        Value::Array(items) => {
            if let Some(first) = items.first() {
                path.push("0".to_owned());
                changed(first, path, found);
                path.pop();
            }
        }
        Value::String(_) | Value::Number(_) => found.push((path.join("/"), path.clone())),
        Value::Null | Value::Bool(_) => {}
    }
}

fn change(value: &mut Value, path: &[String]) {
    let pointer: String = path.iter().map(|name| format!("/{name}")).collect();
    let place = value.pointer_mut(&pointer).expect("a place");
    *place = if let Some(number) = place.as_i64() {
        (number + 1).into()
    } else {
        let mut text = place.as_str().expect("a text").to_owned();
        let middle = text.len() / 2;
        let other = if text.as_bytes()[middle] == b'1' { "2" } else { "1" };
        text.replace_range(middle..=middle, other);
        text.into()
    };
}

#[test]
fn what_a_person_is_told_is_proven_by_two_verifiers_and_nothing_that_was_changed_is() {
    let broker = broker();
    let (linked, _) = linked_and_not(&broker);
    identify(&broker, &linked, "benefit-2026");
    let proofs = broker.folder.path("proofs");
    let place = proofs.to_str().expect("a path");
    let register = broker.register();
    let command = [&ask(&register, &[&linked])[..], &["--proofs", place]].concat();
    let answer = broker.done("discloser-1", &command);
    let entries = answer["entries"].as_array().expect("entries");
    assert!(uses(entries).contains(&"ANSWERED".to_owned()), "{answer}");
    assert!(uses(entries).contains(&"LINKED".to_owned()), "{answer}");
    for entry in entries {
        assert_eq!(entry["provider"], "131016/residents");
        assert_eq!(entry["requester"], "131016/benefits");
        assert_eq!(entry["purpose"], "benefit-2026");
        assert!(entry["legal_basis"].as_str().is_some_and(|code| !code.is_empty()));
        assert!(entry["fields"].as_array().is_some_and(|fields| !fields.is_empty()));
    }
    // No id and no line of anybody, the asker's own among them.
    let text = answer.to_string();
    for (line, resident) in persons(&broker) {
        assert!(!text.contains(&line) && !text.contains(&resident));
    }
    let key = broker.town("log.vkey");
    let verify = |folder: &str| {
        let key = key.to_str().expect("a path");
        support::renkei(["audit", "verify-entries", folder, "--key", key, "--json"])
    };
    let proven = verify(place).exits(0).json();
    assert_eq!(proven["entries"].as_array().map(Vec::len), Some(entries.len()));
    assert_eq!(script(&proofs, &key), Some(0));
    // A folder that is not empty is not written into, and an empty one proves nothing.
    broker.as_client("discloser-1", &command).exits(2);
    let nothing = broker.folder.path("nothing");
    fs_err::create_dir(&nothing).expect("a folder");
    verify(nothing.to_str().expect("a path")).exits(2);
    assert_eq!(script(&nothing, &key), Some(1));

    let of_job = fs_err::read_dir(&proofs).expect("proofs").find_map(|file| {
        let text = fs_err::read(file.expect("a file").path()).expect("a proof");
        let proof: Value = serde_json::from_slice(&text).expect("JSON");
        proof.get("decision").is_some().then_some(proof)
    });
    let whole = of_job.expect("a proof of a line");
    let mut places = Vec::new();
    changed(&whole, &mut Vec::new(), &mut places);
    assert!(places.len() >= 17, "{places:?}");
    for (number, (name, path)) in places.iter().enumerate() {
        let mut proof = whole.clone();
        change(&mut proof, path);
        let folder = broker.folder.path(&format!("changed-{number}"));
        fs_err::create_dir(&folder).expect("a folder");
        fs_err::write(folder.join("entry.json"), proof.to_string()).expect("written");
        verify(folder.to_str().expect("a path")).exits(1);
        assert_eq!(script(&folder, &key), Some(1), "{name}");
    }
}

/// A4. What was done is held for somebody who is protected and for agents; both look like a person of whom nothing is known.
#[test]
fn protected_persons_agents_and_strangers_get_one_answer_and_a_protector_tells_what_is_held() {
    let broker = broker();
    let register = broker.register();
    let (linked, other) = linked_and_not(&broker);
    protect(&broker, "2", &linked);
    let of = |ids: &[&str], options: &[&str]| {
        let command = [&ask(&register, ids)[..], options].concat();
        let run = broker.as_client("discloser-1", &command).exits(0);
        let mut answer = run.json();
        let access = answer["event_id"].as_str().expect("an id").to_owned();
        assert!(answer["receipt"]["leaf_index"].is_u64());
        let fields = answer.as_object_mut().expect("an object");
        fields.remove("event_id");
        fields.remove("receipt");
        // What is said of the receipt is of its own number.
        let said = run.stderr.lines().next().unwrap_or_default().to_owned();
        (access, answer.to_string(), said)
    };
    let (access, protected, words) = of(&[&linked], &[]);
    let (by_proxy, ..) = of(&[&other], &["--proxy"]);
    for (ids, options) in [
        (vec![other.as_str()], vec![]),
        (vec!["1"], vec![]),
        (vec![other.as_str()], vec!["--proxy"]),
    ] {
        let (_, answer, said) = of(&ids, &options);
        assert_eq!((&answer, &said), (&protected, &words));
    }
    let held = broker.done("guardian-1", &["audit", "subject-held", &register]);
    let held = held["held"].as_array().expect("questions");
    let known: Vec<_> = held.iter().map(|one| one["event_id"].as_str().expect("an id")).collect();
    assert_eq!(held.len(), 3);
    assert!(known.contains(&access.as_str()) && known.contains(&by_proxy.as_str()));
    assert!(!held.iter().any(|one| one.to_string().contains(&linked)));
    // Neither the counter nor protectors of other agencies.
    broker.as_client("discloser-1", &["audit", "subject-held", &register]).exits(3);
    broker.as_client("protector-1", &["audit", "subject-held", &register]).exits(3);
    let release = ["audit", "subject-release", &register, &access, "--id"];
    let another = [&release[..], &[&other]].concat();
    broker.as_client("guardian-1", &another).exits(2);
    let own = [&release[..], &[&linked]].concat();
    broker.as_client("discloser-1", &own).exits(3);
    let released = broker.done("guardian-1", &own);
    assert!(uses(released["entries"].as_array().expect("entries")).contains(&"LINKED".to_owned()));
    broker.as_client("guardian-1", &own).exits(3).says(&["WRONG_STATE"]);
    // The log has every question, of nobody.
    let query = ["audit", "query", "--operations", "SUBJECT_ACCESS"];
    let log = broker.as_client("auditor-1", &query).exits(0).stdout;
    assert!(log.lines().count() >= 6 && !log.contains(&linked));
    assert!(log.lines().all(|line| line.contains("\"disc\":2")));
    // And the broker finds the same after a start.
    let mut broker = broker;
    assert_eq!(broker.stop(), 0);
    broker.restart();
    assert!(told(&broker, &[&linked]).is_empty());
}

/// A4. Two of one family on the list; and one person whom the register has known by two ids.
#[test]
fn members_of_a_household_are_told_of_themselves_and_a_person_of_two_ids_of_both() {
    let broker = broker();
    let persons = persons(&broker);
    let residents = Sheet::read(&broker.town("files/residents.csv"));
    let homes = residents.map("宛名番号", "世帯番号");
    let pair = persons.iter().enumerate().find_map(|(at, (_, one))| {
        let others = persons[at + 1..].iter().map(|(_, other)| other);
        let family =
            |other: &&String| *other != one && homes.get(one.as_str()) == homes.get(other.as_str());
        others.clone().find(family).map(|other| (one.clone(), other.clone()))
    });
    let (one, other) = pair.expect("a family with two lines");
    let (of_one, of_other) = (told(&broker, &[&one]), told(&broker, &[&other]));
    assert!(!of_one.is_empty() && !of_other.is_empty());
    // If both ids were of one person: both, in order, none twice.
    let both = told(&broker, &[&one, &other]);
    assert_eq!(both.len(), of_one.len() + of_other.len());
    let times: Vec<_> = both.iter().map(|entry| entry["time"].to_string()).collect();
    assert!(times.is_sorted());
    assert_eq!(told(&broker, &[&one, &one]).len(), of_one.len());
    // Agencies that merely use the register tell nobody.
    broker.newcomer("131016/benefits", "discloser-2", "discloser");
    let command = ask(&broker.register(), &[&one]).join(" ");
    let command: Vec<&str> = command.split(' ').collect();
    broker.as_client("discloser-2", &command).exits(3).says(&["NO_AGREEMENT"]);
    broker.as_client("auditor-1", &command).exits(3);
}

/// A4. `disc` 1 and 2: an agreement under which persons are told later, and one under which they never are.
#[test]
fn what_is_done_under_an_agreement_that_is_not_told_is_left_out() {
    let broker = broker();
    let register = broker.register();
    let (_, person) = linked_and_not(&broker);
    for (purpose, told_from) in [("later", "2090-01-01"), ("never", "never")] {
        #[rustfmt::skip]
        let propose = [
            "agreement", "propose", "--consumer", "131016/benefits", "--dataset", &register,
            "--legal-basis", "KOJOHO_69_2_2", "--purpose", purpose, "--fields", "name_kanji",
            "--operations", "identify", "--valid-from", "2026-01-01", "--valid-until", "2090-03-31",
            "--daily-records-max", "1000", "--retention-days", "30", "--told-from", told_from,
        ];
        let proposed = broker.done("operator-1", &propose);
        let id = proposed["agreement_id"].as_str().expect("an id");
        broker.done("residents-operator", &["agreement", "approve", id]);
        broker.done("operator-2", &["agreement", "activate", id]);
        identify(&broker, &person, purpose);
    }
    assert_eq!(told(&broker, &[&person]), Vec::<Value>::new());
    let shown = broker.as_client("operator-1", &["agreement", "list"]).exits(0).stdout;
    assert!(shown.contains("NEVER") && shown.contains("2090-01-01"));
    identify(&broker, &person, "benefit-2026");
    assert_eq!(uses(&told(&broker, &[&person])), ["ANSWERED"]);
    let query = ["audit", "query", "--operations", "QUERY_SINGLE"];
    let log = broker.as_client("auditor-1", &query).exits(0).stdout;
    assert!(log.contains("\"disc\":1") && log.contains("\"disc\":2"));
}

/// The leaves that `audit query --subject` shows, and the question that it puts into the log.
fn queried(broker: &Broker, resident: &str, more: &[&str]) -> (Vec<Value>, Value, String) {
    let register = broker.register();
    let query = ["audit", "query", "--subject", resident, "--dataset", &register];
    let run = broker.as_client("discloser-1", &[&query[..], more].concat()).exits(0);
    let lines = run.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON"));
    let mut leaves: Vec<Value> = lines.collect();
    let question = leaves.pop().expect("the question");
    (leaves, question, run.stderr.lines().next().unwrap_or_default().to_owned())
}

/// Held by `Wanted::fits`, and by the permit of `SubjectReport`.
#[test]
fn the_leaves_of_a_person_are_those_that_the_person_is_told_of_and_auditors_cannot_ask_for_them() {
    let broker = broker();
    let (linked, other) = linked_and_not(&broker);
    identify(&broker, &linked, "benefit-2026");
    let indexes = |leaves: &[Value]| -> Vec<u64> {
        leaves.iter().map(|leaf| leaf["leaf_index"].as_u64().expect("an index")).collect()
    };
    let (all, question, _) = queried(&broker, &linked, &[]);
    let mut known = indexes(&told(&broker, &[&linked]));
    known.dedup();
    assert_eq!(indexes(&all), known);
    assert!(question["receipt"]["leaf_index"].is_u64(), "{question}");
    // What is asked for beside the person must fit at once.
    let (answered, ..) = queried(&broker, &linked, &["--operations", "QUERY_SINGLE"]);
    assert!(!answered.is_empty() && answered.len() < all.len(), "{answered:?}");
    assert!(answered.iter().all(|leaf| leaf["leaf"]["op"] == "QUERY_SINGLE"));
    let before = answered[0]["leaf_index"].as_u64().expect("an index");
    for (filter, expected) in [
        (vec!["--agency", "131016/benefits"], all.len()),
        (vec!["--agency", "131016/treasury"], 0),
        (vec!["--purpose", "another"], 0),
        (vec!["--results", "FAILED"], 0),
        (vec!["--until", "2020-01-01T00:00:00Z"], 0),
        (vec!["--from", "2020-01-01T00:00:00Z", "--results", "OK"], all.len()),
        (vec!["--max", "1"], 1),
    ] {
        assert_eq!(queried(&broker, &linked, &filter).0.len(), expected, "{filter:?}");
    }
    let later = (before + 1).to_string();
    let (rest, ..) = queried(&broker, &linked, &["--from-leaf", &later]);
    assert!(indexes(&rest).iter().all(|index| *index > before));

    // Nothing fits, nothing is known, and nothing may be told: one answer.
    let register = broker.register();
    let (_, mut filtered, words) = queried(&broker, &linked, &["--purpose", "another"]);
    let (none, mut unknown, same) = queried(&broker, &other, &[]);
    protect(&broker, "2", &linked);
    let (held, mut protected, still) = queried(&broker, &linked, &[]);
    assert_eq!((none.len(), held.len()), (0, 0));
    for answer in [&mut filtered, &mut unknown, &mut protected] {
        let fields = answer.as_object_mut().expect("an object");
        assert!(fields.remove("event_id").is_some() && fields.remove("receipt").is_some());
    }
    assert_eq!((&filtered, &words), (&unknown, &same));
    assert_eq!((&protected, &still), (&unknown, &same));

    let query = ["audit", "query", "--subject", &linked, "--dataset", &register];
    broker.as_client("auditor-1", &query).exits(3).says(&["ROLE_MISSING"]);
    let unknown_word = [&query[..], &["--operations", "GOSSIP"]].concat();
    broker.as_client("discloser-1", &unknown_word).exits(2).says(&["--operations"]);
}
