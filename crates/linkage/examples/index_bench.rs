//! How long a register index takes to build, what memory it needs, and how fast it answers queries.
//!
//! `cargo run --release -p renkei-linkage --example index_bench -- residents.csv payments.csv`, the files as
//! `renkei generate` writes them, the list converted to UTF-8. The lines are asked one by one with the prior model.
#![allow(clippy::disallowed_methods, reason = "a measurement needs the real clock and opens files")]

use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader, Lines};
use std::time::{Duration, Instant};

use renkei_linkage::{Costs, RegisterIntake, Serves, Unwatched};
use renkei_types::FixedClock;

mod residents;
use residents::{Batch, Cells, fields};

fn next_rows(lines: &mut Lines<BufReader<File>>) -> Result<Vec<Cells>, Box<dyn Error>> {
    let split = |line: String| line.split(',').map(str::to_owned).collect();
    Ok(lines.take(4_096).map(|line| line.map(split)).collect::<Result<_, _>>()?)
}

fn open(path: &str) -> Result<Lines<BufReader<File>>, Box<dyn Error>> {
    let mut lines = BufReader::new(File::open(path)?).lines();
    lines.next();
    Ok(lines)
}

/// Memory of the process now and at its peak, where the system tells.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let lines =
        status.lines().filter(|line| line.starts_with("VmRSS") || line.starts_with("VmHWM"));
    lines.collect::<Vec<_>>().join(", ")
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (register, list) = arguments.next().zip(arguments.next()).ok_or("two files are needed")?;
    let mut intake = RegisterIntake::new(fields());
    let (start, mut lines, mut taking) = (Instant::now(), open(&register)?, Duration::ZERO);
    loop {
        let rows = next_rows(&mut lines)?;
        if rows.is_empty() {
            break;
        }
        let before = Instant::now();
        intake.extend(&Batch { rows: &rows, of_list: false });
        taking += before.elapsed();
    }
    println!("read {:?}, of which the intake {taking:?}; {}", start.elapsed(), memory());
    let start = Instant::now();
    let index =
        intake.seal(&[], Serves::AnyLists, &FixedClock(jiff::Timestamp::UNIX_EPOCH), &Unwatched);
    println!("sealed {} records in {:?}; {}", index.records(), start.elapsed(), memory());
    let start = Instant::now();
    let model = index.prepare(index.prior_model(Costs::default()))?;
    println!("prepared in {:?}", start.elapsed());
    let mut lines = open(&list)?;
    let mut times = Vec::new();
    let mut found = 0;
    for _ in 0..5 {
        for row in next_rows(&mut lines)? {
            let query = Batch { rows: &[row], of_list: true };
            let start = Instant::now();
            found += index.identify(&query, &model, 5).len();
            times.push(start.elapsed());
        }
    }
    times.sort_unstable();
    let share = |of: usize| times.get(times.len() * of / 1_000).copied().unwrap_or_default();
    println!(
        "{} queries, {found} candidates: p50 {:?}, p90 {:?}, p99 {:?}, p99.9 {:?}; {}",
        times.len(),
        share(500),
        share(900),
        share(990),
        share(999),
        memory()
    );
    Ok(())
}
