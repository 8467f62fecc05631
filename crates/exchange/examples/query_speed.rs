//! How long an auditor waits for an answer of the log: `cargo run --release -p renkei-exchange --example query_speed --
//! 1000000`, leaves.
//!
//! It writes a journal of seven years, opens it as a broker does, and asks it: for a person, for refusals of a day, for
//! everything about one list, and so on, each many times with other values. It prints one JSON object: the wait for each
//! kind of question, a page of at most a thousand leaves read and checked, alone and with the leaf that the question leaves.

#![allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]

#[path = "../tests/town/mod.rs"]
mod town;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use renkei_exchange::Exchange;
use renkei_exchange::audit::LeafFilter;
use renkei_exchange::command::Call;
use renkei_exchange::denial::NoteDenials;
use renkei_journal::{Frame, Journal as _, LocalJournal, Options};
use renkei_tlog::Leaf;
use renkei_tlog::leaf::{Actor, AgreementRef, DatasetRef, LeafResult, Operation, UtcMillis};
use renkei_types::{
    AgreementId, DatasetId, Digest, Entropy as _, EventId, FixedClock, ListId, Reason,
    SeededEntropy, TaskId,
};
use town::caller;
use town::ledger::{equipment, open_with};

const YEARS: u64 = 7;
const SECONDS: u64 = YEARS * 365 * 24 * 60 * 60;
const STAFF: u64 = 400;
const AGREEMENTS: u64 = 60;
const LISTS: u64 = 2_000;
/// Most leaves of a page, and questions of each kind.
const PAGE: usize = 1_000;
const QUESTIONS: u64 = 60;

/// Chance, seeded.
struct Dice(SeededEntropy);

impl Dice {
    fn below(&self, end: u64) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_be_bytes(bytes) % end
    }

    /// A number of 16 bytes from which ids are made.
    fn bytes(kind: u8, number: u64) -> [u8; 16] {
        let mut bytes = [kind; 16];
        bytes[8..].copy_from_slice(&number.to_be_bytes());
        bytes
    }
}

fn start() -> Timestamp {
    "2019-04-01T00:00:00+09:00".parse().expect("a time")
}

fn at(second: u64) -> Timestamp {
    Timestamp::from_second(start().as_second() + second.cast_signed()).expect("a time")
}

fn clerk(number: u64) -> renkei_types::Identity {
    let name = format!("spiffe://renkei.example/131016/benefits/person/c-{number}");
    name.parse().expect("an identity")
}

fn agreement(number: u64) -> AgreementId {
    AgreementId::from_bytes(Dice::bytes(1, number))
}

fn list(number: u64) -> ListId {
    ListId::from_bytes(Dice::bytes(2, number))
}

/// A leaf as a busy city leaves them: mostly look-ups and decisions, a few refusals.
fn leaf(number: u64, leaves: u64, dice: &Dice) -> Vec<u8> {
    let time = at(number * SECONDS / leaves);
    let (operation, result) = match dice.below(100) {
        0..60 => (Operation::QuerySingle, LeafResult::Ok),
        60..85 => (Operation::ReviewDecision, LeafResult::Ok),
        85..90 => (Operation::AuthzDenied, LeafResult::Denied),
        90..95 => (Operation::Deliver, LeafResult::Ok),
        _ => (Operation::UploadSeal, LeafResult::Ok),
    };
    let id = EventId::new(time, &dice.0);
    let mut leaf = Leaf::new(id, UtcMillis::from(time), operation, result);
    let digest = Digest::of(&number.to_be_bytes());
    leaf.actor =
        Actor { cert: Some(digest), ca: Some(digest), ..Actor::of(&clerk(dice.below(STAFF))) };
    let digest = Digest::of(b"terms");
    leaf.agr = Some(AgreementRef { digest, id: agreement(dice.below(AGREEMENTS)), ver: 1 });
    leaf.ds = Some(DatasetRef { id: DatasetId::from_bytes(Dice::bytes(3, 1)), layout: 1 });
    leaf.purpose = Some(format!("purpose-{}", dice.below(20)).parse().expect("a name"));
    leaf.code = (result == LeafResult::Denied).then(|| Reason::NoAgreement.into());
    leaf.job = Some(if operation == Operation::ReviewDecision {
        TaskId::from_bytes(Dice::bytes(4, number)).into()
    } else {
        list(dice.below(LISTS)).into()
    });
    leaf.to_bytes().expect("a leaf")
}

/// A kind of question, by a number that chooses its values.
type Ask = fn(u64) -> LeafFilter;

fn day(number: u64) -> (Option<Timestamp>, Option<Timestamp>) {
    let first = number % (YEARS * 365) * 24 * 60 * 60;
    (Some(at(first)), Some(at(first + 24 * 60 * 60)))
}

const KINDS: &[(&str, Ask)] = &[
    ("person", |n| LeafFilter { actors: [clerk(n % STAFF)].into(), ..LeafFilter::default() }),
    ("agreement", |n| LeafFilter {
        agreements: [agreement(n % AGREEMENTS)].into(),
        ..LeafFilter::default()
    }),
    ("list", |n| LeafFilter {
        about: Some([list(n % LISTS).to_string()].into()),
        ..LeafFilter::default()
    }),
    ("day", |n| {
        let (from, until) = day(n);
        LeafFilter { from, until, ..LeafFilter::default() }
    }),
    ("refusals_of_a_person", |n| LeafFilter {
        actors: [clerk(n % STAFF)].into(),
        results: [LeafResult::Denied].into(),
        ..LeafFilter::default()
    }),
    ("refusals_of_a_day_by_code", |n| {
        let (from, until) = day(n);
        let codes = [Reason::NoAgreement.into()].into();
        LeafFilter { from, until, codes, ..LeafFilter::default() }
    }),
    ("person_agreement_purpose_operation", |n| LeafFilter {
        actors: [clerk(n % STAFF)].into(),
        agreements: [agreement(n % AGREEMENTS)].into(),
        purposes: [format!("purpose-{}", n % 20).parse().expect("a name")].into(),
        operations: [Operation::QuerySingle].into(),
        ..LeafFilter::default()
    }),
    ("nobody", |n| LeafFilter { actors: [clerk(STAFF + n)].into(), ..LeafFilter::default() }),
];

fn main() {
    let leaves: u64 =
        std::env::args().nth(1).map_or(50_000, |text| text.parse().expect("a number"));
    let folder = tempfile::tempdir().expect("a folder");
    write_journal(folder.path(), leaves);
    let started = Instant::now();
    let clock = FixedClock(at(SECONDS + 60));
    let (exchange, threads) =
        open_with(folder.path(), None, Arc::new(clock), equipment("measured"));
    let opened = started.elapsed();
    let runtime = tokio::runtime::Builder::new_multi_thread().build().expect("a runtime");
    runtime.block_on(exchange.index_log()).expect("an index");
    let indexed = started.elapsed();
    let mut measured = serde_json::Map::new();
    let (mut alone, mut with_leaf) = (Vec::new(), Vec::new());
    for (name, ask) in KINDS {
        let waits: Vec<_> =
            (0..QUESTIONS).map(|n| answer(&exchange, &runtime, &ask(n * 7_919))).collect();
        let found = waits.iter().map(|(_, _, found)| found).sum::<usize>();
        let own: Vec<Duration> = waits.iter().map(|(own, _, _)| *own).collect();
        let mut object = quantiles(own.clone());
        object.insert("leaves", found as f64 / QUESTIONS as f64);
        measured.insert((*name).to_owned(), serde_json::json!(object));
        alone.extend(own);
        with_leaf.extend(waits.iter().map(|(_, all, _)| *all));
    }
    println!(
        "{}",
        serde_json::json!({
            "leaves": leaves,
            "seconds": {
                "opened_log_rebuilt": opened.as_secs_f64(),
                "until_all_is_indexed": indexed.as_secs_f64(),
            },
            "milliseconds": measured,
            "all_questions": quantiles(alone),
            "all_questions_with_a_durable_leaf": quantiles(with_leaf),
        })
    );
    drop(exchange);
    threads.join();
}

/// A question: how long the answer took, how long until its own leaf was durable, and how many leaves it has.
fn answer(
    exchange: &Exchange,
    runtime: &tokio::runtime::Runtime,
    filter: &LeafFilter,
) -> (Duration, Duration, usize) {
    let started = Instant::now();
    runtime.block_on(exchange.index_log()).expect("an index");
    let found = exchange.find_leaves(filter, 0, PAGE).expect("leaves");
    let own = started.elapsed();
    let mark =
        NoteDenials { reason: Reason::NoAgreement, count: 1, unknown: false, certificate: None };
    exchange.execute_now(Call::read(caller("payments")), mark).expect("a durable leaf");
    (own, started.elapsed(), found.len())
}

fn quantiles(mut waits: Vec<Duration>) -> BTreeMap<&'static str, f64> {
    waits.sort();
    let at = |per_hundred: usize| {
        let wait = waits[(waits.len() * per_hundred / 100).min(waits.len() - 1)];
        (wait.as_secs_f64() * 1e5).round() / 1e2
    };
    [("p50", at(50)), ("p99", at(99))].into()
}

/// A journal of so many leaves that change nothing. No broker has signed them, which an operator has to accept.
fn write_journal(folder: &std::path::Path, leaves: u64) {
    let dice = Dice(SeededEntropy::new(1));
    let keys = folder.join("keys");
    fs_err::create_dir_all(&keys).expect("a folder");
    fs_err::write(keys.join("log.head.accepted"), "").expect("a file");
    let folder = folder.join("store/journal");
    fs_err::create_dir_all(&folder).expect("a folder");
    let mut journal = LocalJournal::open(&folder, Options::default()).expect("a journal").journal;
    let mut number = 0;
    while number < leaves {
        let group = number..leaves.min(number + 4096);
        number = group.end;
        let frame = |number| Frame {
            leaf: leaf(number, leaves, &dice),
            facts: b"[]".to_vec(),
            sealed: Vec::new(),
        };
        let frames: Vec<Frame> = group.map(frame).collect();
        let last = journal.last();
        journal.append(last, &frames).expect("appended");
    }
}
