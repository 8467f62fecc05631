//! Fiscal years of the log: each ends with a leaf and a checkpoint of its own, and the next one says how.

mod town;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use renkei_exchange::command::Call;
use renkei_exchange::denial::NoteDenials;
use renkei_exchange::{Exchange, Refusal};
use renkei_journal::{Frame, Journal as _, MemoryJournal, Seq};
use renkei_tlog::leaf::Operation;
use renkei_tlog::tile::files_of;
use renkei_tlog::{Leaf, LogFolder, SignedCheckpoint, VerifierKey, verify_folder};
use renkei_types::{Clock, Reason};
use town::caller;
use town::ledger::{equipment, open_with};

/// A clock that a test sets.
struct SetClock(AtomicI64);

impl SetClock {
    fn at(time: &str) -> Arc<Self> {
        let clock = Self(AtomicI64::new(0));
        clock.set(time);
        Arc::new(clock)
    }

    fn set(&self, time: &str) {
        let time: Timestamp = time.parse().expect("a time");
        self.0.store(time.as_second(), Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::SeqCst)).expect("a time")
    }

    fn monotonic(&self) -> Duration {
        // As far as the wall clock goes, so that turning a year is no jump.
        Duration::from_secs(self.0.load(Ordering::SeqCst).unsigned_abs())
    }
}

/// Leaves a leaf that says nothing else.
fn work(exchange: &Exchange) {
    let denials =
        NoteDenials { reason: Reason::NoAgreement, count: 1, unknown: false, certificate: None };
    exchange.execute_now(Call::read(caller("payments")), denials).expect("a leaf");
}

fn leaves(exchange: &Exchange) -> Vec<Leaf> {
    exchange.checkpoint_now().expect("a checkpoint");
    let all = |log: &LogFolder| log.leaves(0..log.size()).collect::<Result<Vec<_>, _>>();
    let all = exchange.read_log_now(all).expect("leaves");
    all.iter().map(|leaf| Leaf::parse(leaf).expect("a leaf")).collect()
}

fn operations(leaves: &[Leaf]) -> Vec<Operation> {
    leaves.iter().map(|leaf| leaf.op).collect()
}

fn key(folder: &Path) -> VerifierKey {
    let line = fs_err::read_to_string(folder.join("keys/log.vkey")).expect("a key");
    line.parse().expect("a key")
}

/// The log as it was when a year ended, in a folder of its own.
fn bundle_of(exchange: &Exchange, year: u32) -> tempfile::TempDir {
    let note = exchange.final_checkpoint(year).expect("a year that has ended");
    let folder = tempfile::tempdir().expect("a folder");
    let size = renkei_tlog::checkpoint::claimed(note.as_bytes()).expect("a checkpoint").size;
    let files = move |log: &LogFolder| {
        let file = |tile| log.tile_as_of(tile).map(|bytes| (tile.to_string(), bytes));
        files_of(size).map(file).collect::<Result<Vec<_>, _>>()
    };
    for (name, bytes) in exchange.read_log_now(files).expect("files") {
        let place = folder.path().join(name);
        fs_err::create_dir_all(place.parent().expect("a folder")).expect("a folder");
        fs_err::write(place, bytes).expect("written");
    }
    fs_err::write(folder.path().join("checkpoint"), note).expect("written");
    folder
}

#[test]
fn a_year_ends_while_the_broker_serves_and_the_next_one_names_its_final_checkpoint() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = SetClock::at("2027-03-31T14:59:59Z");
    let (exchange, threads) = open_with(folder.path(), None, clock.clone(), equipment("usual"));
    work(&exchange);
    let before = leaves(&exchange);
    assert!(!operations(&before).contains(&Operation::ShardClose), "it is still March in Japan");
    assert_eq!(exchange.final_checkpoint(2026), Err(Refusal::field("fiscal_year")));
    clock.set("2027-03-31T15:00:00Z");
    work(&exchange);
    work(&exchange);
    let after = leaves(&exchange);
    let (close, denied) = (Operation::ShardClose, Operation::AuthzDenied);
    let turned = [close, Operation::ShardOpen, denied, denied];
    assert_eq!(operations(&after[before.len()..]), turned);

    let note = exchange.final_checkpoint(2026).expect("the year has ended");
    let keys = [key(folder.path())];
    let last = SignedCheckpoint::open(note.as_bytes(), &keys).expect("signed by the log's key");
    let last = last.checkpoint();
    assert_eq!(last.size, before.len() as u64 + 1, "with the leaf that ends the year");
    let seen = after[before.len() + 1].seen.expect("a checkpoint");
    assert_eq!((seen.size, seen.root), (last.size, last.root.into()));

    // Many more leaves, so that the files of then are no longer those of now.
    (0..300).for_each(|_| work(&exchange));
    leaves(&exchange);
    let year = bundle_of(&exchange, 2026);
    let found = verify_folder(year.path(), &keys[0]).expect("a folder");
    assert!(found.ok && found.size == last.size, "{found:?}");
    drop(exchange);
    threads.join();
    let whole = verify_folder(&folder.path().join("store/log"), &keys[0]).expect("a folder");
    assert!(whole.ok, "{whole:?}");
}

#[test]
fn a_broker_that_slept_over_the_turn_ends_the_year_before_it_starts() {
    let folder = tempfile::tempdir().expect("a folder");
    let open = |time: &str| open_with(folder.path(), None, SetClock::at(time), equipment("usual"));
    let (exchange, threads) = open("2026-11-21T03:00:00Z");
    let before = leaves(&exchange).len();
    drop(exchange);
    threads.join();
    // Two turns passed: one year ends, and the present one begins.
    let (exchange, threads) = open("2028-06-01T03:00:00Z");
    let after = operations(&leaves(&exchange));
    let turned = [Operation::ShardClose, Operation::ShardOpen, Operation::Start];
    assert_eq!(after[before..], turned);
    assert!(exchange.final_checkpoint(2026).is_ok());
    assert!(exchange.final_checkpoint(2027).is_err(), "nothing was done in it");
    work(&exchange);
    assert_eq!(leaves(&exchange).len(), before + 4, "the year does not turn again");
    drop(exchange);
    threads.join();
}

#[test]
fn a_broker_that_died_between_the_two_leaves_goes_on_where_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = MemoryJournal::new();
    let clock = SetClock::at("2027-03-31T03:00:00Z");
    let open = |journal: &MemoryJournal| {
        open_with(folder.path(), Some(journal), clock.clone(), equipment("usual"))
    };
    let (exchange, threads) = open(&journal);
    // What was signed before the turn; the process dies before anything else is.
    leaves(&exchange);
    let head = folder.path().join("keys/log.head");
    let signed = fs_err::read(&head).expect("a head file");
    clock.set("2027-04-01T03:00:00Z");
    work(&exchange);
    drop(exchange);
    threads.join();
    let frames: Vec<Frame> =
        journal.read(Seq(1)).expect("frames").map(|frame| frame.expect("a frame").1).collect();
    let operation = |frame: &Frame| Leaf::parse(&frame.leaf).expect("a leaf").op;
    let close = frames.iter().position(|frame| operation(frame) == Operation::ShardClose);
    let ended = close.expect("the year ended") + 1;
    let mut cut = MemoryJournal::new();
    cut.append(Seq(0), &frames[..ended]).expect("appended");
    for gone in ["store/log", "store/cache"] {
        fs_err::remove_dir_all(folder.path().join(gone)).expect("removed");
    }
    fs_err::remove_file(folder.path().join("keys/log-2026.checkpoint")).expect("removed");
    fs_err::write(&head, signed).expect("put back");
    let (exchange, threads) = open(&cut);
    let after = leaves(&exchange);
    assert_eq!(operations(&after[ended..]), [Operation::ShardOpen, Operation::Start]);
    assert_eq!(after[ended].seen.expect("a checkpoint").size, ended as u64);
    assert!(exchange.final_checkpoint(2026).is_ok());
    drop(exchange);
    threads.join();
}
