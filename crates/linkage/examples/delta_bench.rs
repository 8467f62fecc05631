//! How fast deltas are applied to a register's index, and how fast it answers with them.
//!
//! `cargo run --release -p renkei-linkage --example delta_bench -- residents.csv payments.csv 100000 1000`: files as
//! `renkei generate` writes them, the list converted to UTF-8; how many residents the index is built of, and how many
//! entries a delta has. Deltas follow until one resident in twenty is touched: of ten entries eight change a resident to
//! the values of another one, one adds, one removes.
#![allow(clippy::disallowed_methods, reason = "a measurement needs the real clock and opens files")]

use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::time::{Duration, Instant};

use renkei_linkage::{Costs, PreparedModel, RegisterIndex, RegisterIntake, Serves, Unwatched};
use renkei_types::FixedClock;

mod residents;
use residents::{Batch, Cells, fields};

fn of_register(rows: &[Cells]) -> Batch<'_> {
    Batch { rows, of_list: false }
}

fn read(path: &str, most: usize) -> Result<Vec<Cells>, Box<dyn Error>> {
    let lines = BufReader::new(File::open(path)?).lines().skip(1).take(most);
    let split = |line: std::io::Result<String>| Ok(line?.split(',').map(str::to_owned).collect());
    lines.map(split).collect()
}

/// The middle and the last hundredth of some durations.
fn spread(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let share = |of: usize| times.get(times.len() * of / 100).copied().unwrap_or_default();
    format!("p50 {:?}, p99 {:?}", share(50), share(99))
}

fn ask(index: &RegisterIndex, model: &PreparedModel, lines: &[Cells]) -> (String, usize) {
    let (mut times, mut found) = (Vec::new(), 0);
    for line in lines {
        let query = Batch { rows: std::slice::from_ref(line), of_list: true };
        let start = Instant::now();
        found += index.identify(&query, model, 5).len();
        times.push(start.elapsed());
    }
    (spread(times), found)
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [register, list, people, entries] = &arguments[..] else {
        return Err("wanted: residents.csv payments.csv, residents of the index, entries".into());
    };
    let (people, entries): (usize, usize) = (people.parse()?, entries.parse()?);
    let (all, lines) = (read(register, people * 2)?, read(list, 20_000)?);
    let (first, others) = all.split_at(people.min(all.len() / 2));
    let mut intake = RegisterIntake::new(fields());
    let start = Instant::now();
    intake.extend(&of_register(first));
    let clock = FixedClock(jiff::Timestamp::UNIX_EPOCH);
    let mut index = intake.seal(&[], Serves::AnyLists, &clock, &Unwatched);
    println!("built of {} residents in {:?}", index.records(), start.elapsed());
    let model = index.prepare(index.prior_model(Costs::default()))?;
    let (times, found) = ask(&index, &model, &lines);
    println!("{} queries before, {found} candidates: {times}", lines.len());

    let (mut applied, mut times, mut at) = (Duration::ZERO, Vec::new(), 0);
    while index.touched() * 20 < first.len() {
        let start = Instant::now();
        let mut delta = index.delta();
        for entry in 0..entries {
            let other = &others[at % others.len()];
            match entry % 10 {
                0 => delta.add(&of_register(std::slice::from_ref(other))),
                1 => delta.remove(&first[at * 7 % first.len()][0]),
                _ => {
                    let mut changed = other.clone();
                    changed[0].clone_from(&first[at * 7 % first.len()][0]);
                    delta.change(&of_register(&[changed]));
                }
            }
            at += 1;
        }
        index = index.apply(delta)?;
        times.push(start.elapsed());
        applied += start.elapsed();
    }
    #[expect(clippy::cast_precision_loss, reason = "entries are few")]
    let rate = index.touched() as f64 / applied.as_secs_f64();
    let (deltas, touched) = (times.len(), index.touched());
    println!("{deltas} deltas, {touched} entries: {rate:.0} a second; a delta {}", spread(times));
    let (times, found) = ask(&index, &model, &lines);
    println!("{} queries after, {found} candidates: {times}", lines.len());
    Ok(())
}
