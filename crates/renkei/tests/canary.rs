//! Nothing personal where it must not be: journal, tiles, cache, logs, metrics, errors.
//!
//! Every name, reading, address, birthday and account of the town's files is a canary, and a number that could be a My
//! Number. The broker is used, killed and started again; then every byte it has written is searched for all of them.

mod support;

use std::collections::BTreeSet;
use std::path::Path;

use memchr::memmem::Finder;
use support::Sheet;
use support::broker::Broker;

/// Shorter texts stand in random bytes by accident.
const CANARY_BYTES_MIN: usize = 9;
/// Its check digit fits; it is nobody's.
const MY_NUMBER: &str = "123456789018";

/// What must not be found: in the letters of the files, and in those that the broker works with.
fn canaries(broker: &Broker) -> Vec<(String, Vec<u8>)> {
    let mut texts = BTreeSet::new();
    for file in ["files/residents.csv", "files/payments.csv"] {
        let sheet = Sheet::read(&broker.town(file));
        for row in &sheet.rows {
            texts.extend(row.iter().filter(|cell| !cell.is_ascii()).cloned());
            // Accounts are short numbers: they are looked for with their bank.
        }
    }
    texts.insert(MY_NUMBER.to_owned());
    let mut all = Vec::new();
    for text in texts {
        let (japanese, _, lost) = encoding_rs::SHIFT_JIS.encode(&text);
        if !lost && japanese.len() >= CANARY_BYTES_MIN {
            all.push((text.clone(), japanese.into_owned()));
        }
        if text.len() >= CANARY_BYTES_MIN {
            all.push((text.clone(), text.into_bytes()));
        }
    }
    all
}

fn search(
    place: &Path,
    canaries: &[(Finder<'_>, usize)],
    found: &mut Vec<String>,
    bytes: &mut u64,
) {
    for entry in fs_err::read_dir(place).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            search(&path, canaries, found, bytes);
            continue;
        }
        let content = fs_err::read(&path).expect("a file");
        *bytes += content.len() as u64;
        // Which canary it is must not be told either.
        found.extend(
            canaries
                .iter()
                .filter(|(finder, _)| finder.find(&content).is_some())
                .map(|(_, number)| format!("canary {number} in {}", path.display())),
        );
    }
}

/// Links a list, explains lines of it, and trains a model on it that is taken into use.
fn explain_and_train(broker: &Broker, list: &str) {
    let register = broker.register();
    let both = ["--list", list, "--dataset", &register];
    let payments = |command: &[&str]| broker.done("payments", &[command, &both].concat());
    payments(&["job", "estimate"]);
    let job = payments(&["job", "create"]);
    let job = job["job_id"].as_str().expect("a job");
    broker.as_client("payments", &["job", "watch", job]).exits(0);
    let results = broker.folder.path("results.csv");
    let place = results.to_str().expect("a path");
    broker.as_client("payments", &["job", "results", list, "--output", place]).exits(0);
    let results = support::Sheet::read(&results);
    for line in results.cells("list_id").iter().take(5) {
        broker.done("payments", &["job", "explain", job, line]);
        broker.done("payments", &["job", "why-not", job, line]);
    }
    let trained = payments(&["model", "train"]);
    let model = trained["model_digest"].as_str().expect("a model");
    broker.done("residents-operator", &["model", "promote", &register, model]);
    payments(&["model", "evaluate"]);
}

#[test]
fn nothing_personal_is_found_in_anything_the_broker_writes() {
    let mut broker = Broker::start();
    let payments = broker.town("files/payments.csv");
    let place = payments.to_str().expect("a path");
    let programme = broker.programme("canary");
    let open = |broker: &Broker, name: &str| {
        let opened = broker.done("payments", &["list", "open", &programme, "--name", name]);
        opened["upload_id"].as_str().expect("an upload").to_owned()
    };
    let upload = open(&broker, "one");
    broker.done_through_a_kill(20, "payments", &["list", "seal", &upload, place]);
    let list = broker.done("payments", &["list", "open", &programme, "--name", "taught"]);
    let (upload, list) = (&list["upload_id"], list["list_id"].as_str().expect("a list").to_owned());
    let upload = upload.as_str().expect("an upload").to_owned();
    // Other bytes than those of the list before, the same people.
    let mut again = fs_err::read(&payments).expect("the list");
    again.extend_from_slice(b"\r\n");
    let again = broker.folder.write("again.csv", again);
    let again = again.to_str().expect("a path").to_owned();
    broker.done("payments", &["list", "seal", &upload, &again]);
    explain_and_train(&broker, &list);
    // A file that is refused, and one with a My Number in it.
    let mut bad = fs_err::read(&payments).expect("the list");
    bad.extend_from_slice(b"\xff\xff,broken line\r\n");
    let bad = broker.folder.write("bad.csv", bad);
    let upload = open(&broker, "bad");
    let refused = broker.as_client(
        "payments",
        &["list", "seal", &upload, bad.to_str().expect("a path"), "--lines", "1", "--yen", "1"],
    );
    assert_ne!(refused.code, 0);
    let text = format!("申請番号,氏名,支給額\r\nX1,見本　花子 {MY_NUMBER},1000\r\n");
    let secret = broker.folder.write("secret.csv", text);
    let upload = open(&broker, "secret");
    let refused = broker.as_client(
        "payments",
        &[
            "list",
            "seal",
            &upload,
            secret.to_str().expect("a path"),
            "--lines",
            "1",
            "--yen",
            "1000",
        ],
    );
    assert_ne!(refused.code, 0);
    assert!(refused.stderr.contains("My Number"), "{}", refused.stderr);
    let question = [
        "identify",
        "dataset_06bpj3w4q8v1s9c2d5f7g0h1j2",
        "--purpose",
        "x",
        "name_kana=ミホン ハナコ",
    ];
    assert_ne!(broker.as_client("counter", &question).code, 0);
    broker.kill();
    broker.restart();

    let canaries = canaries(&broker);
    assert!(canaries.len() > 1_000, "{} canaries are too few", canaries.len());
    let finders: Vec<(Finder<'_>, usize)> =
        canaries.iter().enumerate().map(|(at, (_, bytes))| (Finder::new(bytes), at)).collect();
    let (mut found, mut bytes) = (Vec::new(), 0);
    search(&broker.town("files"), &finders, &mut found, &mut bytes);
    assert!(found.len() > 1_000, "the search finds nothing where everything is: {}", found.len());
    (found, bytes) = (Vec::new(), 0);
    for place in ["store", "keys", "bundle"] {
        search(&broker.town(place), &finders, &mut found, &mut bytes);
    }
    let said = [broker.metrics(), broker.log(), refused.stderr.clone()].join("\n");
    found.extend(
        finders
            .iter()
            .filter(|(finder, _)| finder.find(said.as_bytes()).is_some())
            .map(|(_, number)| format!("canary {number} in what was said")),
    );
    assert!(found.is_empty(), "{found:?}");
    assert!(bytes > 100_000, "only {bytes} bytes were searched");
}
