//! The journeys of `docs/journeys`, as they stand there: every command is run against a broker, over mutual TLS, and every
//! answer is compared. A document that no longer tells the truth fails here.
//!
//! Ids and hashes differ from run to run and count as equal, and so do the lines about the log that follow every change.
//! `RENKEI_BLESS=1` writes down what was answered instead, in both languages.

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use support::Sheet;
use support::broker::Broker;

/// What a reader does before the session, and [`Broker::start`] instead of them.
const PREPARATION: [&str; 2] = [
    "cargo build --release\n\
     export PATH=\"$PWD/target/release:$PATH\"\n\
     renkei demo --residents 400 --lines 120 --dir town\n\
     renkei serve --config town/broker.toml\n",
    "export PATH=\"$PWD/target/release:$PATH\" JOURNEYS=\"$PWD/docs/journeys\"\n\
     cd town\n",
];

/// The same where somebody joins who has no certificate yet.
const PREPARATION_TO_ENROL: [&str; 2] = [
    "cargo build --release\n\
     export PATH=\"$PWD/target/release:$PATH\"\n\
     renkei demo --residents 400 --lines 120 --dir town\n\
     sed -i '1i enrolment_listen = \"127.0.0.1:7445\"' town/broker.toml\n\
     renkei serve --config town/broker.toml\n",
    "export PATH=\"$PWD/target/release:$PATH\" ENROLMENT=https://localhost:7445\n\
     cd town\n",
];

/// Whether a page is about those who join.
fn enrols(name: &str) -> bool {
    name.starts_with("keys.")
}

fn journeys() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/journeys")
}

/// A fenced block of a document: its language, its first line and its last, without the fences, and its text.
struct Block {
    language: String,
    lines: std::ops::Range<usize>,
    text: String,
}

fn blocks(document: &str) -> Vec<Block> {
    let mut found: Vec<Block> = Vec::new();
    let mut open: Option<Block> = None;
    for (number, line) in document.lines().enumerate() {
        match (line.strip_prefix("```"), open.take()) {
            (Some(_), Some(block)) => {
                found.push(Block { lines: block.lines.start..number, ..block });
            }
            (Some(language), None) => {
                let lines = number + 1..number + 1;
                let language = language.to_owned();
                open = Some(Block { language, lines, text: String::new() });
            }
            (None, Some(mut block)) => {
                block.text.push_str(line);
                block.text.push('\n');
                open = Some(block);
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block does not end");
    found
}

/// Commands, and what they answer where the document shows it.
struct Step {
    line: usize,
    commands: String,
    answer: Option<Block>,
}

/// The session of a page, without its preparation.
fn session(name: &str, document: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for block in blocks(document) {
        match (block.language.as_str(), steps.last_mut()) {
            ("sh", _) => {
                let (line, commands) = (block.lines.start, block.text);
                steps.push(Step { line, commands, answer: None });
            }
            ("text", Some(step)) if step.answer.is_none() => step.answer = Some(block),
            (language, _) => panic!("line {}: what is a block of {language}?", block.lines.start),
        }
    }
    let expected = if enrols(name) { PREPARATION_TO_ENROL } else { PREPARATION };
    let session = steps.split_off(expected.len());
    let preparation: Vec<&str> = steps.iter().map(|step| step.commands.as_str()).collect();
    assert_eq!(preparation, expected);
    session
}

/// Text without what differs from run to run.
fn masked(text: &str) -> String {
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let mut masked = String::new();
    for line in text
        .lines()
        .filter(|line| !["in the log: ", "記録: "].iter().any(|log| line.starts_with(log)))
    {
        let mut rest = line.trim_end();
        while !rest.is_empty() {
            let end = rest.find(|letter| !is_word(letter)).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            let noun = word.rsplit_once('_').filter(|(_, letters)| letters.len() == 26);
            match noun {
                // Cells of a table keep their width.
                Some((noun, _)) if after.starts_with("  ") => {
                    masked.push_str(&format!("{noun}_…{:25}", ""));
                }
                Some((noun, _)) => masked.extend([noun, "_…"]),
                None if word.len() == 64 => masked.push('…'),
                None => masked.push_str(word),
            }
            let between = after.find(is_word).unwrap_or(after.len());
            masked.push_str(&after[..between]);
            rest = &after[between..];
        }
        masked.push('\n');
    }
    masked
}

/// A journey that has been made.
struct Journey {
    broker: Broker,
}

/// Runs a document in a shell of one language, and compares.
fn run(name: &str, locale: &str) -> Journey {
    let path = journeys().join(name);
    let document = fs_err::read_to_string(&path).expect("a document");
    let steps = session(name, &document);
    let (broker, enrolment) =
        if enrols(name) { Broker::start_enrolling() } else { (Broker::start(), String::new()) };
    let answers = broker.folder.path("answers");
    fs_err::create_dir_all(&answers).expect("a folder");
    let answer = |number: usize| answers.join(number.to_string());
    let mut script = "set -eu -o pipefail\n".to_owned();
    for (number, step) in steps.iter().enumerate() {
        let (commands, file) = (&step.commands, answer(number).display().to_string());
        script.push_str(&format!("{{\n{commands}}} > '{file}' 2>&1\n: > '{file}.done'\n"));
    }
    let binary = assert_cmd::cargo::cargo_bin!("renkei");
    let mut places = vec![binary.parent().expect("a folder").to_owned()];
    places.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    let status = Command::new("bash")
        .args(["-c", &script])
        .current_dir(broker.town("."))
        .env("PATH", std::env::join_paths(places).expect("a search path"))
        .env("JOURNEYS", journeys())
        .env("ENROLMENT", enrolment)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONUTF8", "1")
        .env_remove("LC_ALL")
        .env_remove("LC_MESSAGES")
        .env("LANG", locale)
        .stdin(Stdio::null())
        .status()
        .expect("a shell");
    let done = |number: usize| answers.join(format!("{number}.done")).exists();
    let said = |number: usize| fs_err::read_to_string(answer(number)).unwrap_or_default();
    if let Some((number, step)) = steps.iter().enumerate().find(|(number, _)| !done(*number)) {
        let Step { line, commands, .. } = step;
        panic!("{name}, line {line}: {status}\n{commands}\n{}\n{}", said(number), broker.log());
    }
    let shown = steps.iter().enumerate().filter_map(|(number, step)| {
        let block = step.answer.as_ref()?;
        Some((block, masked(&said(number))))
    });
    if std::env::var_os("RENKEI_BLESS").is_some() {
        bless(&path, &document, shown);
    } else {
        for (block, said) in shown {
            assert_eq!(said, masked(&block.text), "{name}, line {}", block.lines.start);
        }
    }
    Journey { broker }
}

/// Writes down what was answered.
fn bless<'a>(path: &Path, document: &str, shown: impl Iterator<Item = (&'a Block, String)>) {
    let mut lines: Vec<String> = document.lines().map(|line| format!("{line}\n")).collect();
    let shown: Vec<_> = shown.collect();
    // From the end, so that numbers of lines stay true.
    for (block, said) in shown.into_iter().rev() {
        lines.splice(block.lines.clone(), [said]);
    }
    fs_err::write(path, lines.concat()).expect("the document is written");
}

impl Journey {
    fn json(&self, name: &str) -> Value {
        let text = fs_err::read_to_string(self.broker.town(name)).expect("a file");
        serde_json::from_str(&text).expect("JSON")
    }

    fn table(&self, name: &str) -> Sheet {
        Sheet::read(&self.broker.town(name))
    }
}

/// Lines and yen of some steps.
fn sum(steps: &Value, wanted: impl Fn(&str) -> bool) -> (u64, u64) {
    let steps = steps.as_array().expect("steps");
    let wanted = steps.iter().filter(|step| wanted(step["step"].as_str().expect("a step")));
    let number = |step: &Value, key: &str| step[key].as_u64().expect("a number");
    wanted.fold((0, 0), |(lines, yen), step| {
        (lines + number(step, "lines"), yen + number(step, "yen"))
    })
}

/// Lines that were received, with the resident whom each pays, and its yen.
fn received(journey: &Journey, names: &[&str]) -> Vec<(String, String, u64)> {
    let tables = names.iter().map(|name| journey.table(name));
    let rows = tables.flat_map(|table| {
        let of = |row, column| table.cell(row, column).to_owned();
        let row = |row| {
            (of(row, "list_id"), of(row, "register_id"), of(row, "amount").parse().expect("yen"))
        };
        (0..table.rows.len()).map(row).collect::<Vec<_>>()
    });
    rows.collect()
}

/// Held against the files alone: nothing here asks the broker who was paid.
fn every_yen_is_accounted_for_and_no_household_is_paid_twice(journey: &Journey) {
    let sheet = journey.json("benefit/sheet.json");
    assert_eq!(sheet["balanced"], true);
    let lists = sheet["lists"].as_array().expect("lists");
    assert_eq!(lists.len(), 4);
    for list in lists.iter().chain([&sheet]) {
        let declared = &list["declared"];
        let declared = (declared["lines"].as_u64(), declared["yen"].as_u64());
        let (lines, yen) = sum(&list["steps"], |_| true);
        assert_eq!((Some(lines), Some(yen)), declared, "{}", list["name"]);
    }
    let paid =
        received(journey, &["benefit/paid-1.csv", "benefit/paid-2.csv", "benefit/paid-3.csv"]);
    let returned = journey.table("benefit/returned.csv");
    let returned: BTreeMap<&str, u64> = returned
        .map("申請番号", "支給額")
        .into_iter()
        .map(|(line, yen)| (line, yen.parse().expect("yen")))
        .collect();
    let yen: u64 = paid.iter().map(|(_, _, yen)| yen).sum();
    let (_, still) = sum(&sheet["steps"], |step| step == "PAID" || step == "REFUNDED");
    assert_eq!(yen - returned.values().sum::<u64>(), still);
    // Households of the base date: the register, and what was said later about days up to then.
    let register = journey.table("benefit/residents.csv");
    let mut household: BTreeMap<String, String> = BTreeMap::new();
    let moved = journey.table("benefit/movers.csv");
    for table in [&register, &moved] {
        for row in 0..table.rows.len() {
            if table.cell(row, "異動日") <= "2026-06-01" {
                let cell = |name| table.cell(row, name).to_owned();
                household.insert(cell("宛名番号"), cell("世帯番号"));
            }
        }
    }
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    let mut came_back = returned.len();
    for (line, person, _) in &paid {
        if came_back > 0 && returned.contains_key(line.as_str()) {
            came_back -= 1;
            continue;
        }
        *times.entry(&household[person]).or_default() += 1;
    }
    assert!(times.len() > 1_000, "{} households", times.len());
    assert!(times.values().all(|&times| times == 1), "a household is paid twice");
    let page = fs_err::read_to_string(journey.broker.town("benefit/sheet.html")).expect("a page");
    assert!(paid.iter().all(|(line, _, _)| !page.contains(line)), "a sheet is about nobody");
}

#[test]
fn a_household_benefit_goes_as_its_page_says() {
    let journey = run("household-benefit.en.md", "C.UTF-8");
    every_yen_is_accounted_for_and_no_household_is_paid_twice(&journey);
}

#[test]
fn a_household_benefit_goes_as_its_japanese_page_says() {
    let journey = run("household-benefit.ja.md", "ja_JP.UTF-8");
    every_yen_is_accounted_for_and_no_household_is_paid_twice(&journey);
}

/// What reached the treasury is one payment for each household, whatever was tried.
fn nobody_was_paid_twice(journey: &Journey) {
    let register = journey.table("files/residents.csv");
    let household = register.map("宛名番号", "世帯番号");
    let paid = received(journey, &["attempts/paid.csv"]);
    let mut payees: Vec<&str> =
        paid.iter().map(|(_, person, _)| household[person.as_str()]).collect();
    payees.sort_unstable();
    payees.dedup();
    assert_eq!((payees.len(), paid.len()), (53, 53));
    assert!(paid.iter().all(|(_, _, yen)| *yen == 100_000));
}

#[test]
fn the_double_payments_of_the_past_are_stopped_as_their_page_says() {
    nobody_was_paid_twice(&run("double-payment.en.md", "C.UTF-8"));
}

#[test]
fn the_double_payments_of_the_past_are_stopped_as_their_japanese_page_says() {
    nobody_was_paid_twice(&run("double-payment.ja.md", "ja_JP.UTF-8"));
}

/// Held against the folders alone.
fn the_newcomer_is_shut_out_and_the_destroyed_key_is_gone(journey: &Journey) {
    let names = |folder: &str| -> Vec<String> {
        let entries = fs_err::read_dir(journey.broker.town(folder)).expect("a folder");
        let name = |entry: std::io::Result<fs_err::DirEntry>| {
            entry.expect("an entry").file_name().to_string_lossy().into_owned()
        };
        entries.map(name).collect()
    };
    let keys = names("keys/data");
    let tombs: Vec<&str> = keys.iter().filter_map(|name| name.strip_suffix(".destroyed")).collect();
    assert!(!tombs.is_empty(), "{keys:?}");
    assert!(tombs.iter().all(|id| !keys.contains(&format!("{id}.key"))), "{keys:?}");
    let older = names("keys").into_iter().filter(|name| name.starts_with("log-"));
    assert_eq!(older.count(), 2, "the older public half, and the last note that it signed");
}

#[test]
fn certificates_and_keys_go_as_their_page_says() {
    let journey = run("keys.en.md", "C.UTF-8");
    the_newcomer_is_shut_out_and_the_destroyed_key_is_gone(&journey);
}

#[test]
fn certificates_and_keys_go_as_their_japanese_page_says() {
    let journey = run("keys.ja.md", "ja_JP.UTF-8");
    the_newcomer_is_shut_out_and_the_destroyed_key_is_gone(&journey);
}

#[test]
fn both_pages_of_a_journey_have_the_same_commands() {
    for name in ["household-benefit", "double-payment", "keys"] {
        let commands = |language: &str| -> Vec<String> {
            let name = format!("{name}.{language}.md");
            let path = journeys().join(&name);
            let document = fs_err::read_to_string(path).expect("a document");
            session(&name, &document).into_iter().map(|step| step.commands).collect()
        };
        assert_eq!(commands("en"), commands("ja"), "{name}");
        assert!(commands("en").len() > 10);
    }
}
