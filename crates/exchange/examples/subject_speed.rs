//! How long a person waits who asks what was done with their data: `TMPDIR=/dev/shm cargo run --release -p renkei-exchange
//! --example subject_speed -- 10000 30 200`, jobs, lines of each, and questions.
//!
//! It links that many lists over seven fiscal years, a quarter after the other by the clock that it passes in, lets entries be
//! gathered as the broker does, and then asks about residents at random. Each list is another cut of one payment file of twenty
//! times its lines, so whoever is in the file is in one list of twenty: in 500 of 10,000, however short they are. Every third
//! resident is. It prints one JSON object: what a manifest of 300,000 lines costs, which runs beside writing the decisions of a job
//! down, how many entries were told, and how long questions take, all of them and those that were told something. These times
//! are those of all that the broker does below the network, the leaf of the question made durable included. Floor: 99 of 100 below
//! 2 s; aim: below 200 ms. Building takes many small syncs, so the folder is best in memory.

#![allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]

#[path = "../tests/town/mod.rs"]
mod town;

use std::time::{Duration, Instant};

use renkei_exchange::Operation;
use renkei_exchange::agreement::{LegalBasis, Telling, Terms};
use renkei_exchange::command::Call;
use renkei_exchange::manifest::{self, DecidedOn};
use renkei_exchange::permit::TellSubject;
use renkei_exchange::programme::{CreateProgramme, Rules};
use renkei_exchange::subject::Handles;
use renkei_exchange::subject_index::gather_due;
use renkei_exchange::subject_report::Question;
use renkei_linkage::Outcome;
use renkei_types::Reason;
use town::records::{column, table};
use town::{Town, caller};

const YEARS: usize = 7;
/// The year after the one in which the town is founded.
const FIRST_YEAR: usize = 2027;
/// Lines of the payment file for each line of a list.
const PAYMENTS_PER_LINE: usize = 20;
/// Days on which jobs run, each with the years that it lies behind the beginning of its fiscal year.
const QUARTERS: [(&str, usize); 4] = [("05-01", 0), ("08-01", 0), ("11-01", 0), ("02-01", 1)];
const LISTS_OF_PROGRAMME: usize = 40;
const MANIFEST_LINES: usize = 300_000;
const TELLER: &str = "discloser-1";

/// The agreement that lets lists be linked for as long as the town stands here.
fn agree_for_years(town: &Town) {
    let terms = Terms {
        consumer: "131016/benefits".parse().expect("an agency"),
        dataset: town.register,
        basis: LegalBasis::OwnDuties,
        purpose: "benefit-2026".parse().expect("a code"),
        fields: ["resident_id".to_owned(), "name_kanji".to_owned()].into(),
        operations: [Operation::Link].into(),
        valid_from: "2026-01-01".parse().expect("a day"),
        valid_until: "2040-03-31".parse().expect("a day"),
        daily_records_max: 1_000_000,
        retention_days: 365,
        told: Telling::AtOnce,
    };
    town.agree_on(terms, "residents-operator").expect("an agreement");
}

/// Another benefit like the town's own: none has hundreds of lists.
fn begin_programme(town: &mut Town, number: usize) {
    let state = town.exchange.state();
    let known = state.programmes.get(&town.programme).expect("a programme");
    let name = format!("benefit-{number}").parse().expect("a name");
    let key = town.exchange.vault().create_key(town.exchange.clock().now()).expect("a key");
    let command = CreateProgramme {
        permit: town.permit("operator-1"),
        agency: known.agency.clone(),
        rules: Rules { name, ..known.rules.clone() },
        key,
    };
    let made = town.exchange.execute_now(Call::read(caller("operator-1")), command);
    town.programme = made.expect("a programme").reply.0;
}

/// So many lines of the payment file from a place on, around its end.
fn cut(header: &str, lines: &[&str], from: usize, count: usize) -> String {
    let mut cut = header.to_owned();
    let places = (0..count).map(|more| lines[(from + more) % lines.len()]);
    places.for_each(|line| cut.push_str(line));
    cut
}

fn question(town: &Town, resident: &str, with_proofs: bool) -> (Duration, usize) {
    let question = Question {
        dataset: town.register,
        ids: vec![resident.to_owned()],
        by_proxy: false,
        with_proofs,
    };
    let state = town.exchange.state();
    let owner = state.datasets.get(&town.register).map(|dataset| dataset.provider.clone());
    let permit = state.permit_own::<TellSubject>(&caller(TELLER), owner.as_ref());
    let started = Instant::now();
    let call = Call::read(caller(TELLER));
    let told = question.ask(&town.exchange, &town.indexes, call, permit.expect("a permit"));
    (started.elapsed(), told.expect("an answer").rows.len())
}

/// Seconds that it takes to hash, seal and keep the decisions on 300,000 lines.
fn manifest_seconds(town: &Town, residents: &[&str]) -> f64 {
    let handles = Handles::of_today(&town.exchange, town.register).expect("handles");
    let lines: Vec<String> = (0..MANIFEST_LINES).map(|line| format!("B{line:07}")).collect();
    let decided = lines.iter().enumerate().map(|(at, line)| DecidedOn {
        line,
        person: Some(residents[at % residents.len()]),
        outcome: Outcome::Linked,
        weight: 23_456,
        reason: Reason::AboveLinkThreshold,
    });
    let started = Instant::now();
    let written = manifest::write(town.exchange.vault(), &handles, decided).expect("a manifest");
    assert_eq!(written.lines, MANIFEST_LINES as u64);
    started.elapsed().as_secs_f64()
}

/// Half, 99 of 100, and the longest, in milliseconds.
fn spread(mut taken: Vec<Duration>) -> String {
    taken.sort_unstable();
    let quantile = |of: usize| {
        let place = (taken.len() * of / 1000).min(taken.len().saturating_sub(1));
        taken.get(place).map_or(0.0, |it| it.as_secs_f64() * 1000.0)
    };
    let (half, most, all) = (quantile(500), quantile(990), quantile(1000));
    format!("{{\"p50_ms\": {half:.2}, \"p99_ms\": {most:.2}, \"max_ms\": {all:.2}}}")
}

fn main() {
    let mut sizes = std::env::args().skip(1).map(|size| size.parse().expect("a number"));
    let jobs: usize = sizes.next().unwrap_or(10_000);
    let lines: usize = sizes.next().unwrap_or(300);
    let questions: usize = sizes.next().unwrap_or(200);
    let file_lines = lines * PAYMENTS_PER_LINE;
    let mut town = Town::of_size(file_lines * 10 / 3, file_lines);
    let started = Instant::now();
    let payments = town.payments(file_lines);
    let mut rows = payments.split_inclusive('\n');
    let header = rows.next().expect("a header").to_owned();
    let rows: Vec<String> = rows.map(str::to_owned).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let mut gathered = 0;
    let days = YEARS * QUARTERS.len();
    for day in 0..days {
        let (date, later) = QUARTERS[day % QUARTERS.len()];
        town.restart_on(&format!("{}-{date}", FIRST_YEAR + day / QUARTERS.len() + later));
        if day == 0 {
            agree_for_years(&town);
        }
        town.follow();
        for job in (day..jobs).step_by(days) {
            if (job / days).is_multiple_of(LISTS_OF_PROGRAMME) {
                begin_programme(&mut town, job);
            }
            // Steps without a common divisor with the file's lines: no two cuts are equal before all places have been.
            let list = cut(&header, &rows, job * 41, lines + job / rows.len());
            town.linked_list_of(&format!("wave-{job}"), &list);
            gathered += usize::from(gather_due(&town.exchange).expect("runs"));
        }
    }
    // Until the last day nobody reported for years who is protected, and every answer would be held.
    town.report(2, "宛名番号,支援措置\n").expect("nobody is protected");
    let built = started.elapsed().as_secs_f64();
    let state = town.exchange.state();
    let entries: u64 = state.subject_runs.iter().map(|(_, run)| run.entries).sum();
    let runs = state.subject_runs.len();

    let (header, records) = table(&town);
    let id = column(&header, "宛名番号");
    let step = (records.len() / questions).max(1);
    let asked = || records.iter().step_by(step).take(questions).map(|cells| cells[id].as_str());
    let plain: Vec<_> = asked().map(|id| question(&town, id, false)).collect();
    let proven: Vec<_> = asked().map(|id| question(&town, id, true)).collect();
    let most = plain.iter().map(|(_, rows)| *rows).max().unwrap_or_default();
    let all: usize = plain.iter().map(|(_, rows)| *rows).sum();
    let times = |asked: &[(Duration, usize)]| spread(asked.iter().map(|one| one.0).collect());
    let told: Vec<_> = plain.iter().filter(|(_, rows)| *rows > 0).copied().collect();
    let residents: Vec<&str> = records.iter().map(|cells| cells[id].as_str()).collect();
    let manifest = manifest_seconds(&town, &residents);
    println!(
        "{{\"manifest_seconds\": {manifest:.3}, \"jobs\": {jobs}, \"lines\": {lines}, \"entries\": {entries}, \"runs\": {runs}, \"gathered\": {gathered}, \"built_seconds\": {built:.0}, \"questions\": {}, \"told_something\": {}, \"entries_told\": {all}, \"most_told\": {most}, \"report\": {}, \"report_of_entries\": {}, \"with_proofs\": {}}}",
        plain.len(),
        told.len(),
        times(&plain),
        times(&told),
        times(&proven),
    );
}
