//! `cargo run --release -p renkei-benchmarks -- [--residents N] [--lines N]`: a broker as a process, measured from
//! outside, over mutual TLS.
//!
//! `cargo run --release -p renkei-benchmarks -- hostile [--seconds N] [--attack NAME]`: what good clients notice while others
//! attack; see `benchmarks/hostile`.
//!
//! Figures of one machine say little, so each stands beside what the machine itself can do, measured in turn in the same
//! run: a call that commits beside a plain append with fdatasync. Build the program first (`cargo build --release`).

#![allow(clippy::disallowed_methods, reason = "measuring is reading the clock")]

mod hostile;
mod identify;
mod process;
mod slow_readers;
mod town;

use std::time::Instant;

use anyhow::{Context as _, Result};
use process::resident_bytes;
use serde_json::{Value, json};
use town::Town;

fn number(name: &str, default: usize) -> usize {
    let mut arguments = std::env::args().skip_while(|argument| argument != name).skip(1);
    arguments.next().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn main() -> Result<()> {
    let (residents, lines) = (number("--residents", 1_000_000), number("--lines", 300_000));
    let folder = tempfile::tempdir()?;
    let mut town = Town::found(folder.path())?;
    town.start()?;
    let empty_bytes = resident_bytes(town.process_id()?)?;
    eprintln!("broker with 1,000 residents: {} MB", empty_bytes / 1_000_000);

    if std::env::args().nth(1).as_deref() == Some("hostile") {
        let only = std::env::args().skip_while(|argument| argument != "--attack").nth(1);
        let seconds = number("--seconds", 10).try_into().context("some seconds")?;
        let report = hostile::measure(&town, only.as_deref(), seconds)?;
        println!("{}", serde_json::to_string_pretty(&report).context("a report")?);
        return town.stop();
    }

    eprintln!("generating {residents} residents and {lines} lines");
    let files = town.generate(residents, lines)?;
    let sealed = |seconds: f64, lines: usize| (lines as f64 / seconds).round();

    let started = Instant::now();
    town.upload_register(&files.residents)?;
    let register_seconds = started.elapsed().as_secs_f64();
    eprintln!("register uploaded and sealed in {register_seconds:.1} s");
    let indexed = town.wait_for_index()?;
    eprintln!("its index was there {indexed:.1} s later");

    let (list, upload) = town.open_list(&files)?;
    let started = Instant::now();
    town.seal_list(&upload, &files)?;
    let list_seconds = started.elapsed().as_secs_f64();
    eprintln!("list uploaded and sealed in {list_seconds:.2} s");

    let before = town.leaves()?;
    let started = Instant::now();
    let job = town.link(&list)?;
    let job_seconds = started.elapsed().as_secs_f64();
    let job_leaves = town.leaves()? - before;
    eprintln!("list linked in {job_seconds:.1} s");

    let full_bytes = resident_bytes(town.process_id()?)?;
    let identify = identify::measure(&town)?;
    let busy = identify::measure_busy(&town)?;

    let slow = slow_readers::measure(&town, &list)?;

    town.stop()?;
    let started = Instant::now();
    town.start()?;
    let listening = started.elapsed().as_secs_f64();
    town.wait_for_index()?;
    let serving = started.elapsed().as_secs_f64();
    let restarted_bytes = resident_bytes(town.process_id()?)?;

    // A leaf costs less than a whole call that commits one and nothing else.
    let leaf_seconds = identify["p50_ms"].as_f64().unwrap_or_default() / 1e3;
    let report = json!({
        "residents": residents,
        "lines": lines,
        "register": {
            "seconds": register_seconds,
            "records_per_second": sealed(register_seconds, residents),
            "index_seconds_after_seal": indexed,
        },
        "list": {
            "seconds": list_seconds,
            "lines_per_second": sealed(list_seconds, lines),
        },
        "job": {
            "seconds": job_seconds,
            "leaves": job_leaves,
            "log_share_at_most": job_leaves as f64 * leaf_seconds / job_seconds,
            "outcomes": job["outcomes"],
        },
        "identify": identify,
        "identify_256_in_flight": busy,
        "slow_readers": slow,
        "restart": { "listening_seconds": listening, "serving_seconds": serving },
        "resident_bytes": {
            "thousand_residents": empty_bytes,
            "after_job": full_bytes,
            "after_restart": restarted_bytes,
        },
    });
    let report: Value = report;
    println!("{}", serde_json::to_string_pretty(&report).context("a report")?);
    town.stop()
}
