//! How many leaves a second become durable, alone and with 256 in flight, and how many an auditor verifies: `cargo run
//! --release -p renkei-exchange --example log_speed -- 200000`, leaves.
//!
//! It prints one JSON object. Beside the leaves stands what the disk allows: 4 KiB appended and synced, one after the other.
//! Verification runs on one thread, over the folder that an auditor gets.

#![allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]

#[path = "../tests/town/mod.rs"]
mod town;

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use renkei_exchange::Exchange;
use renkei_exchange::command::Call;
use renkei_exchange::denial::NoteDenials;
use renkei_tlog::verify_folder;
use renkei_types::{FixedClock, Reason};
use town::caller;
use town::ledger::{equipment, open_with};

const IN_FLIGHT: u64 = 256;
const SYNCS: u32 = 200;

fn main() {
    let leaves: u64 =
        std::env::args().nth(1).map_or(20_000, |text| text.parse().expect("a number"));
    let folder = tempfile::tempdir().expect("a folder");
    let appends = synced_appends(folder.path());
    let clock = FixedClock("2026-11-21T01:00:00Z".parse().expect("a time"));
    let (exchange, threads) =
        open_with(folder.path(), None, Arc::new(clock), equipment("measured"));
    let alone = durable(&exchange, 1, leaves.div_ceil(IN_FLIGHT));
    let together = durable(&exchange, IN_FLIGHT, leaves);
    drop(exchange);
    threads.join();
    let (entries, verified) = verified(folder.path());
    println!(
        "{}",
        serde_json::json!({
            "leaves": entries,
            "synced_appends_per_second": appends.round(),
            "durable_per_second": {"alone": alone.round(), "in_flight_256": together.round()},
            "verified_per_second_and_core": verified.round(),
        })
    );
}

/// So many leaves, by so many callers of whom each waits for an answer before asking again.
fn durable(exchange: &Exchange, callers: u64, leaves: u64) -> f64 {
    let runtime = tokio::runtime::Builder::new_multi_thread().build().expect("a runtime");
    let started = Instant::now();
    runtime.block_on(async {
        let work = |_| {
            let exchange = exchange.clone();
            tokio::spawn(async move {
                for _ in 0..leaves.div_ceil(callers) {
                    let denials = NoteDenials {
                        reason: Reason::NoAgreement,
                        count: 1,
                        unknown: false,
                        certificate: None,
                    };
                    let call = Call::read(caller("payments"));
                    exchange.execute(call, denials).await.expect("a durable leaf");
                }
            })
        };
        for task in (0..callers).map(work).collect::<Vec<_>>() {
            task.await.expect("a caller");
        }
    });
    (leaves.div_ceil(callers) * callers) as f64 / started.elapsed().as_secs_f64()
}

/// 4 KiB appended and synced, times a second.
fn synced_appends(folder: &Path) -> f64 {
    let mut file = fs_err::File::create(folder.join("appended")).expect("a file");
    let started = Instant::now();
    for _ in 0..SYNCS {
        file.write_all(&[0; 4096]).and_then(|()| file.sync_data()).expect("a synced append");
    }
    f64::from(SYNCS) / started.elapsed().as_secs_f64()
}

/// Entries of the log, and how many were verified a second.
fn verified(folder: &Path) -> (u64, f64) {
    let key = fs_err::read_to_string(folder.join("keys/log.vkey")).expect("a key");
    let key = key.parse().expect("a key");
    let started = Instant::now();
    let found = verify_folder(&folder.join("store/log"), &key).expect("a folder");
    assert!(found.ok, "{found:?}");
    (found.size, found.size as f64 / started.elapsed().as_secs_f64())
}
