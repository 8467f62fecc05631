//! How many records a second deltas bring, durable, while the register serves questions.
//!
//! ```sh
//! cargo run --release -p renkei-exchange --example deltas -- 100000 50 2000
//! ```
//! Residents, deltas, and lines of each. Prints one JSON object: `records_per_second` from the first byte sent to the last
//! reply, each delta sent, sealed and applied before the next; and how long a question took meanwhile. A second figure is
//! that of one delta which has all lines of these.

#![allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use renkei_exchange::command::Call;
use renkei_exchange::delta;
use renkei_exchange::directory::{AddAgency, AddParty, CreateDataset};
use renkei_exchange::identify::Query;
use renkei_exchange::index::Indexes;
use renkei_exchange::list::Totals;
use renkei_exchange::permit::{Operate, Submit};
use renkei_exchange::seal::{Declaration, seal};
use renkei_exchange::store::Vault;
use renkei_exchange::upload::{Brings, FileEncoding, FileShape, OpenUpload, Spools};
use renkei_exchange::{Caller, Charter, Equipment, Exchange, HandedKeys, Role, Store, StorePaths};
use renkei_journal::{LocalJournal, Options};
use renkei_testkit::{Files, Mix, Recipe, generate};
use renkei_types::{DatasetId, Digest, FixedClock, SeededEntropy, UploadId};
use sha2::{Digest as _, Sha256};

const SPOOL_CHUNK: usize = 1 << 20;

struct Bench {
    exchange: Exchange,
    spools: Spools,
    indexes: Indexes,
    register: DatasetId,
}

fn caller(name: &str, kind: &str) -> Caller {
    let body = if kind == "person" { "operations" } else { "residents" };
    let identity = format!("spiffe://renkei.example/131016/{body}/{kind}/{name}");
    let identity = identity.parse().expect("an identity");
    Caller {
        identity,
        certificate: Digest::of(b"certificate"),
        authority: Digest::of(b"authority"),
    }
}

impl Bench {
    fn call() -> Call {
        Call::read(caller("register", "system"))
    }

    fn permit(&self) -> renkei_exchange::Permit<Submit> {
        let agency = "131016/residents".parse().expect("an agency");
        let state = self.exchange.state();
        state.permit_own(&caller("register", "system"), Some(&agency)).expect("a permit")
    }

    fn send(&self, delta: Option<u64>, text: &str) -> (UploadId, Declaration) {
        let key = self.exchange.vault().create_key(self.exchange.clock().now()).expect("a key");
        let shape = FileShape { encoding: FileEncoding::Utf8, layout: None };
        let dataset = self.register;
        let brings = delta.map_or(Brings::Snapshot, Brings::Delta);
        let open = OpenUpload { permit: self.permit(), dataset, brings, shape, key };
        let upload = self.exchange.execute_now(Self::call(), open).expect("an upload").reply;
        let state = self.exchange.state();
        let known = state.uploads.get(&upload).expect("the upload");
        let spool = self.spools.of(self.exchange.vault(), upload, known).expect("a spool");
        for (at, chunk) in text.as_bytes().chunks(SPOOL_CHUNK).enumerate() {
            let entropy = self.exchange.vault().entropy();
            let mut spool = spool.lock();
            let spool = spool.as_mut().expect("an open spool");
            spool.append((at * SPOOL_CHUNK) as u64, chunk, entropy).expect("bytes are taken");
        }
        let lines = text.lines().count() as u64 - 1;
        let sha256 = Sha256::digest(text.as_bytes()).into();
        let totals = Totals { lines, yen: 0 };
        (upload, Declaration { bytes: text.len() as u64, sha256, totals })
    }

    fn apply(&self, number: u64, text: &str) {
        let (upload, declared) = self.send(Some(number), text);
        let Self { exchange, spools, indexes, .. } = self;
        delta::apply(exchange, spools, indexes, &Self::call(), &self.permit(), upload, declared)
            .expect("a delta");
    }
}

fn open(folder: &std::path::Path) -> (Exchange, renkei_exchange::ledger::Threads) {
    let paths = StorePaths {
        store: folder.join("store"),
        keys: folder.join("keys"),
        handed: HandedKeys::default(),
    };
    let clock = Arc::new(FixedClock("2026-11-21T01:00:00Z".parse().expect("a time")));
    let entropy = Arc::new(SeededEntropy::new(1));
    let vault = Arc::new(Vault::open(&paths, entropy.clone()).expect("a vault"));
    let journal = paths.store.join("journal");
    fs_err::create_dir_all(&journal).expect("a folder");
    let journal = LocalJournal::open(&journal, Options::default()).expect("a journal").journal;
    let store = Store { journal: Box::new(journal), vault, paths, clock, entropy };
    let charter = Charter {
        founders: vec![caller("operator", "person").identity],
        log_origin: "renkei.example/renkei-audit/131016".to_owned(),
        checkpoint_interval: std::time::Duration::from_secs(1),
        equipment: Equipment { config: Digest::of(b""), credentials: Digest::of(b"") },
        witnesses: None,
    };
    Exchange::open(store, &charter).expect("an exchange")
}

fn settle(exchange: &Exchange, header: &str) -> DatasetId {
    let operator = caller("operator", "person");
    let permit = || exchange.state().permit::<Operate>(&operator).expect("a permit");
    let call = || Call::read(operator.clone());
    let agency: renkei_types::AgencyId = "131016/residents".parse().expect("an agency");
    let title = "residents".to_owned();
    let add = AddAgency { permit: permit(), agency: agency.clone(), title: title.clone() };
    exchange.execute_now(call(), add).expect("an agency");
    let (identity, roles) = (caller("register", "system").identity, [Role::Submitter].into());
    exchange.execute_now(call(), AddParty { permit: permit(), identity, roles }).expect("a party");
    let header: Vec<String> = header.split(',').map(str::to_owned).collect();
    let known = renkei_exchange::rows::REGISTER_FIELDS.iter();
    let fields = known.filter(|field| renkei_tables::built_in_column(&header, field).is_some());
    let fields = fields.map(|&field| field.to_owned()).collect();
    let name = "residents".parse().expect("a name");
    let create = CreateDataset { permit: permit(), provider: agency, name, title, fields };
    exchange.execute_now(call(), create).expect("a register").reply
}

fn main() {
    let numbers: Vec<usize> =
        std::env::args().skip(1).map(|text| text.parse().expect("a number")).collect();
    let [residents, deltas, lines] = numbers[..] else {
        panic!("give the numbers of residents, of deltas, and of lines of each");
    };
    let recipe = Recipe { residents, lines: 1, mix: Mix::Typical, seed: 11 };
    let (mut register, mut payments, mut truth, mut classes) =
        <(Vec<u8>, Vec<u8>, Vec<u8>, Vec<u8>)>::default();
    let files = Files {
        residents: &mut register,
        payments: &mut payments,
        truth: &mut truth,
        classes: &mut classes,
    };
    generate(&recipe, files, &mut |_, _, _| {}).expect("a town");
    let register = String::from_utf8(register).expect("text");
    let register = register.trim_start_matches('\u{feff}');
    let (header, records) = register.split_once('\n').expect("a header");
    let header = header.trim();

    let folder = tempfile::tempdir().expect("a folder");
    let (exchange, threads) = open(folder.path());
    let dataset = settle(&exchange, header);
    let (spools, indexes) = (Spools::default(), Indexes::default());
    let bench = Bench { exchange, spools, indexes, register: dataset };
    let (upload, declared) = bench.send(None, register);
    let (exchange, permit) = (&bench.exchange, bench.permit());
    seal(exchange, &bench.spools, Bench::call(), permit, upload, declared).expect("a snapshot");
    let clock = exchange.clock();
    bench.indexes.follow(&exchange.state(), exchange.vault(), clock.as_ref()).expect("an index");

    // Each delta changes other records, so that nothing is counted anew as long as they are few.
    let records: Vec<&str> = records.lines().collect();
    let text = |from: usize, lines: usize| {
        let changed = records.iter().cycle().skip(from).take(lines);
        let changed: String = changed.map(|record| format!("change,{record}\n")).collect();
        format!("operation,{header}\n{changed}")
    };
    let small: Vec<String> = (0..deltas).map(|delta| text(delta * lines, lines)).collect();
    let large = text(0, (deltas * lines).min(records.len()));
    let large_lines = large.lines().count() - 1;

    let stop = AtomicBool::new(false);
    let (seconds, large_seconds, mut waits) = std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let mut waits = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let query = Query::new([("name_kanji", "佐藤 花子"), ("birth_date", "1980-01-01")]);
                let query = query.expect("a question");
                let begin = Instant::now();
                let snapshot = bench.exchange.state().snapshot_in_use(dataset).expect("a register");
                // Somebody who has read the state before the last switch finds no index; a caller would ask again.
                if let Ok(indexed) = bench.indexes.get(snapshot) {
                    std::hint::black_box(query.ask(&indexed));
                }
                waits.push(begin.elapsed());
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
            waits
        });
        let begin = Instant::now();
        for (number, text) in (1..).zip(&small) {
            bench.apply(number, text);
        }
        let seconds = begin.elapsed().as_secs_f64();
        let begin = Instant::now();
        bench.apply(deltas as u64 + 1, &large);
        let large_seconds = begin.elapsed().as_secs_f64();
        stop.store(true, Ordering::Relaxed);
        (seconds, large_seconds, asking.join().expect("questions"))
    });
    waits.sort_unstable();
    let percentile = |share: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a small length"
        )]
        let at = (waits.len() as f64 * share) as usize;
        waits.get(at.min(waits.len().saturating_sub(1))).map_or(0, std::time::Duration::as_micros)
    };
    println!(
        "{}",
        serde_json::json!({
            "residents": records.len(),
            "deltas": deltas,
            "lines": deltas * lines,
            "seconds": seconds,
            "records_per_second": (deltas * lines) as f64 / seconds,
            "one_delta": {
                "lines": large_lines,
                "seconds": large_seconds,
                "records_per_second": large_lines as f64 / large_seconds,
            },
            "questions": {
                "asked": waits.len(),
                "p50_microseconds": percentile(0.5),
                "p99_microseconds": percentile(0.99),
            },
        })
    );
    let Bench { exchange, .. } = bench;
    drop(exchange);
    threads.join();
}
