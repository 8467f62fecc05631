//! CPU seconds of the stages of a job, beside the digest of its result.
//!
//! `cargo run --release -p renkei-linkage --example job_bench -- residents.csv payments.csv`, the files as
//! `renkei generate` writes them, the list converted to UTF-8. With one file alone its records are linked to each other.
//! Set `RAYON_NUM_THREADS`.
#![allow(clippy::disallowed_methods, reason = "a measurement needs the real clock and opens files")]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader, Lines};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use renkei_linkage::{
    DedupeOptions, ListIntake, Options, RegisterIntake, Serves, Unwatched, dedupe, link,
};
use renkei_types::Clock;

mod residents;
use residents::{Batch, Cells, fields};

/// Time that the process has computed, where the system tells; others on the machine do not count.
#[derive(Debug)]
struct CpuClock;

impl Clock for CpuClock {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn monotonic(&self) -> Duration {
        let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
        let ran = threads.filter_map(|thread| {
            let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
            text.split(' ').next()?.parse::<u64>().ok()
        });
        Duration::from_nanos(ran.sum())
    }
}

fn next_rows(lines: &mut Lines<BufReader<File>>) -> Result<Vec<Cells>, Box<dyn Error>> {
    let split = |line: String| line.split(',').map(str::to_owned).collect();
    Ok(lines.take(8_192).map(|line| line.map(split)).collect::<Result<_, _>>()?)
}

/// Gives all rows of a file to `take`; how long that took.
fn take_in(path: &str, mut take: impl FnMut(&[Cells])) -> Result<Duration, Box<dyn Error>> {
    let mut lines = BufReader::new(File::open(path)?).lines();
    lines.next();
    let mut taking = Duration::ZERO;
    loop {
        let rows = next_rows(&mut lines)?;
        if rows.is_empty() {
            return Ok(taking);
        }
        let before = CpuClock.monotonic();
        take(&rows);
        taking += CpuClock.monotonic() - before;
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let register = arguments.next().ok_or("a file is needed, or two")?;
    let mut intake = RegisterIntake::new(fields());
    let taken = take_in(&register, |rows| intake.extend(&Batch { rows, of_list: false }))?;
    let Some(list) = arguments.next() else { return link_to_each_other(intake, taken) };
    let index = Arc::new(intake.seal(&[], Serves::OneList, &CpuClock, &Unwatched));
    let of_register = index.times();
    let mut intake = ListIntake::new(Arc::clone(&index));
    let list_taken = take_in(&list, |rows| intake.extend(&Batch { rows, of_list: true }))?;
    let (linkable, of_list) = intake.seal_learning(&CpuClock);
    let linkage = link(&linkable, &BTreeMap::new(), Options::default(), &CpuClock, &Unwatched)?;
    let before = CpuClock.monotonic();
    let digest = linkage.result_digest(&linkable);
    println!(
        "intake {:.2?}, normalise {:.2?}, index {:.2?}, compare {:.2?}, train {:.2?}, assign {:.2?}, digest {:.2?}",
        taken + list_taken,
        of_register.normalise + of_list.normalise,
        of_register.index + of_list.index,
        linkage.times.compare,
        linkage.times.train,
        linkage.times.assign,
        CpuClock.monotonic() - before,
    );
    println!("{} pairs, {digest}", linkage.candidate_pairs);
    Ok(())
}

fn link_to_each_other(intake: RegisterIntake, taken: Duration) -> Result<(), Box<dyn Error>> {
    let records = intake.seal_for_dedupe(&[], None, &CpuClock, &Unwatched);
    let made = records.index().times();
    let found = dedupe(records, DedupeOptions::default(), &CpuClock, &Unwatched)?;
    println!(
        "intake {taken:.2?}, normalise {:.2?}, index {:.2?}, compare {:.2?}, train {:.2?}, assign {:.2?}",
        made.normalise, made.index, found.times.compare, found.times.train, found.times.assign,
    );
    println!("{} pairs, {}", found.candidate_pairs, found.result_digest());
    Ok(())
}
