//! Hostile clients: what twenty good ones notice while a bad one attacks.
//!
//! Each good client has a connection of its own and asks at its own times, whether the last answer was slow or not; how long
//! an answer took counts from when it should have been asked for, so that a broker that stands still is not spared the
//! questions of that time. Every attack is measured beside a quiet time just before it, as a ratio. The attacker runs on
//! the same machine, at the lowest priority: what it takes of the processor by itself is no fault of the broker's.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use renkei_api::v1::ShowRequest;
use renkei_api::{ClientFile, Connection};
use serde_json::{Value, json};

use crate::identify::{SystemEntropy, percentile};
use crate::process::resident_bytes;
use crate::town::Town;

/// The good clients, and how often each asks.
const CLIENTS: u32 = 20;
const EVERY: Duration = Duration::from_millis(50);

/// Quiet and attack take turns so often, and of each the median counts: something else on the machine may take part once.
const ROUNDS: usize = 3;

/// Attacks a broker in every way that is known, or in one; each for so long.
pub(crate) fn measure(town: &Town, only: Option<&str>, seconds: u64) -> Result<Value> {
    let python = python()?;
    let upload = upload(town)?;
    let lasting = Duration::from_secs(seconds);
    let mut measured = Vec::new();
    for name in attacks(&python, town)? {
        if only.is_some_and(|only| only != name) {
            continue;
        }
        let before = resident_bytes(town.process_id()?)?;
        let (mut quiet, mut attacked) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            quiet.push(answers_while(town, || {
                std::thread::sleep(lasting);
                Ok(0)
            })?);
            attacked.push(answers_while(town, || {
                let (began, mut times) = (Instant::now(), 0_u64);
                while began.elapsed() < lasting {
                    attack(&python, town, &name, &upload, seconds)?;
                    times += 1;
                }
                Ok(times)
            })?);
        }
        let after = resident_bytes(town.process_id()?)?;
        let [quiet_p50, quiet_p99] = [|one: &Noticed| one.p50_ms, |one: &Noticed| one.p99_ms]
            .map(|figure| median(&quiet, figure));
        let [attacked_p50, attacked_p99] = [|one: &Noticed| one.p50_ms, |one: &Noticed| one.p99_ms]
            .map(|figure| median(&attacked, figure));
        let ratio = attacked_p99 / quiet_p99;
        eprintln!(
            "{name}: p99 {quiet_p99:.2} ms quiet, {attacked_p99:.2} ms attacked, {ratio:.2}x"
        );
        let all = || quiet.iter().chain(&attacked);
        measured.push(json!({
            "attack": name,
            "times": attacked.iter().map(|one| one.times).sum::<u64>(),
            "quiet_p50_ms": quiet_p50,
            "quiet_p99_ms": quiet_p99,
            "attacked_p50_ms": attacked_p50,
            "attacked_p99_ms": attacked_p99,
            "p99_ratio": ratio,
            "answers": all().map(|one| one.answers).sum::<usize>(),
            "failed": all().map(|one| one.failed).sum::<usize>(),
            "resident_bytes": { "before": before, "after": after },
        }));
    }
    let ratios = measured.iter().filter_map(|one| one["p99_ratio"].as_f64());
    let worst = ratios.fold(0.0, f64::max);
    Ok(json!({ "good_clients": CLIENTS, "worst_p99_ratio": worst, "attacks": measured }))
}

/// What good clients noticed.
struct Noticed {
    times: u64,
    p50_ms: f64,
    p99_ms: f64,
    answers: usize,
    failed: usize,
}

fn median(rounds: &[Noticed], figure: fn(&Noticed) -> f64) -> f64 {
    let mut figures: Vec<f64> = rounds.iter().map(figure).collect();
    figures.sort_unstable_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Has the good clients ask while something goes on.
fn answers_while(town: &Town, going_on: impl FnOnce() -> Result<u64>) -> Result<Noticed> {
    let stop = Arc::new(AtomicBool::new(false));
    let file = ClientFile::read(&town.client("auditor-1"))?;
    let asking = {
        let stop = Arc::clone(&stop);
        std::thread::spawn(move || -> Result<(Vec<Duration>, usize)> {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let lanes = tokio::task::LocalSet::new();
                let mut clients = Vec::new();
                for number in 0..CLIENTS {
                    let connection = Connection::open(&file, Arc::new(SystemEntropy))?;
                    // It connects before it counts, and not all ask at one moment.
                    connection.call(ShowRequest {}).await?;
                    let (stop, offset) = (Arc::clone(&stop), EVERY / CLIENTS * number);
                    clients.push(lanes.spawn_local(async move {
                        let (mut took, mut failed) = (Vec::new(), 0);
                        let first = tokio::time::Instant::now() + offset;
                        let mut times = tokio::time::interval_at(first, EVERY);
                        times.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
                        while !stop.load(Ordering::Relaxed) {
                            let due = times.tick().await;
                            match connection.call(ShowRequest {}).await {
                                Ok(_) => took.push(due.elapsed()),
                                Err(_) => failed += 1,
                            }
                        }
                        (took, failed)
                    }));
                }
                lanes.await;
                let (mut all, mut failures) = (Vec::new(), 0);
                for client in clients {
                    let (took, failed) = client.await?;
                    all.extend(took);
                    failures += failed;
                }
                all.sort_unstable();
                Ok((all, failures))
            })
        })
    };
    let times = going_on();
    stop.store(true, Ordering::Relaxed);
    let Ok(asked) = asking.join() else { bail!("the good clients came to an end") };
    let ((took, failed), times) = (asked?, times?);
    if took.is_empty() {
        bail!("nobody was answered");
    }
    let (p50_ms, p99_ms) = (percentile(&took, 0.5), percentile(&took, 0.99));
    Ok(Noticed { times, p50_ms, p99_ms, answers: took.len(), failed })
}

fn programs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("hostile")
}

/// A Python with the libraries of the attackers, beside the program.
fn python() -> Result<PathBuf> {
    let folder = std::env::current_exe()?.with_file_name("hostile-clients");
    let python = folder.join("bin/python3");
    if !python.exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    }
    let requirements = programs().join("requirements.txt");
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "-r"]).arg(requirements))?;
    Ok(python)
}

fn run(command: &mut Command) -> Result<String> {
    let output = command.env("PYTHONDONTWRITEBYTECODE", "1").output()?;
    if !output.status.success() {
        bail!("{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?)
}

fn attacks(python: &Path, town: &Town) -> Result<Vec<String>> {
    let mut list = Command::new(python);
    list.arg(programs().join("hostile.py")).arg(town.client("operator-1")).arg("--list");
    let told = run(&mut list)?;
    Ok(told.lines().filter_map(|line| line.split('\t').next()).map(str::to_owned).collect())
}

fn attack(python: &Path, town: &Town, name: &str, upload: &str, seconds: u64) -> Result<()> {
    // Uploads need somebody who may send one.
    let client =
        if name.contains("upload") || name.contains("chunks") { "payments" } else { "operator-1" };
    let mut attacker = Command::new("nice");
    attacker.args(["-n", "19"]).arg(python).arg(programs().join("hostile.py"));
    attacker.arg(town.client(client)).arg(name);
    attacker.args(["--seconds", &seconds.to_string(), "--upload", upload]);
    run(&mut attacker).map(drop)
}

/// An upload that stays open.
fn upload(town: &Town) -> Result<String> {
    #[rustfmt::skip]
    let create = [
        "programme", "create", "--agency", "131016/benefits", "--name", "hostile", "--title", "hostile",
        "--base-date", "2026-10-01", "--unit", "person", "--line-yen-max", "10000000",
        "--transfer-date", "2026-12-20",
    ];
    let created = town.command("operator-1", &create)?;
    let programme = created["programme_id"].as_str().context("a programme")?;
    let opened = town.command("payments", &["list", "open", programme, "--name", "open"])?;
    opened["upload_id"].as_str().map(str::to_owned).context("an upload")
}
