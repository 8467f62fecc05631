//! Fiscal years of the log: each ends with a leaf and a checkpoint of its own, and the next one says how.

mod town;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use renkei_exchange::dispute::Dispute;
use renkei_exchange::ledger::Threads;
use renkei_exchange::{Exchange, Refusal, WitnessRule};
use renkei_journal::{Frame, MemoryJournal};
use renkei_tlog::leaf::Operation;
use renkei_tlog::tile::files_of;
use renkei_tlog::{Leaf, LogFolder, SignedCheckpoint, VerifierKey, verify_folder};
use renkei_types::{Clock, Reason};
use town::ledger::{equipment, frames, memory, open_with, open_witnessed, silent_witness, work};

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

/// A broker that died when a year had ended and the next one had not begun.
struct BetweenTheLeaves {
    folder: tempfile::TempDir,
    clock: Arc<SetClock>,
    journal: MemoryJournal,
    /// Leaves with the one that ends the year.
    ended: usize,
    /// What was signed before.
    signed: String,
}

impl BetweenTheLeaves {
    fn died() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let journal = MemoryJournal::new();
        let clock = SetClock::at("2027-03-31T03:00:00Z");
        let usual = equipment("usual");
        let (exchange, threads) = open_with(folder.path(), Some(&journal), clock.clone(), usual);
        // What was signed before the turn; the process dies before anything else is.
        leaves(&exchange);
        let head = folder.path().join("keys/log.head");
        let signed = fs_err::read_to_string(&head).expect("a head file");
        clock.set("2027-04-01T03:00:00Z");
        work(&exchange);
        drop(exchange);
        threads.join();
        let frames = frames(&journal);
        let operation = |frame: &Frame| Leaf::parse(&frame.leaf).expect("a leaf").op;
        let close = frames.iter().position(|frame| operation(frame) == Operation::ShardClose);
        let ended = close.expect("the year ended") + 1;
        let journal = memory(&frames[..ended]);
        for gone in ["store/log", "store/cache"] {
            fs_err::remove_dir_all(folder.path().join(gone)).expect("removed");
        }
        fs_err::remove_file(folder.path().join("keys/log-2026.checkpoint")).expect("removed");
        fs_err::write(&head, &signed).expect("put back");
        Self { folder, clock, journal, ended, signed }
    }

    fn file(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn start(&self, witnesses: Option<WitnessRule>) -> (Exchange, Threads) {
        let (clock, usual) = (self.clock.clone(), equipment("usual"));
        open_witnessed(self.folder.path(), Some(&self.journal), clock, usual, witnesses)
    }

    fn leaves(&self) -> Vec<Leaf> {
        let frames = frames(&self.journal);
        frames.iter().map(|frame| Leaf::parse(&frame.leaf).expect("a leaf")).collect()
    }

    /// The final checkpoint of the year is signed, kept, and what the next year's first leaf says.
    fn has_turned(&self, exchange: &Exchange) {
        let all = leaves(exchange);
        let note = exchange.final_checkpoint(2026).expect("the year has ended");
        let last = SignedCheckpoint::open(note.as_bytes(), &[key(self.folder.path())]);
        let last = last.expect("signed by the log's key");
        let (last, seen) = (last.checkpoint(), all[self.ended].seen.expect("a checkpoint"));
        assert_eq!((last.size, last.root.into()), (self.ended as u64, seen.root));
        assert_eq!(seen.size, last.size);
        let year = bundle_of(exchange, 2026);
        let found = verify_folder(year.path(), &key(self.folder.path())).expect("a folder");
        assert!(found.ok && found.size == last.size, "{found:?}");
    }
}

fn refused<T: std::fmt::Debug>(result: Result<T, Refusal>) -> Reason {
    result.expect_err("a refusal").reason
}

#[test]
fn a_broker_that_died_between_the_two_leaves_goes_on_where_it_was() {
    let broker = BetweenTheLeaves::died();
    let (exchange, threads) = broker.start(None);
    let after = leaves(&exchange);
    assert_eq!(operations(&after[broker.ended..]), [Operation::ShardOpen, Operation::Start]);
    broker.has_turned(&exchange);
    drop(exchange);
    threads.join();
}

#[test]
fn a_broker_that_died_between_the_two_leaves_serves_while_its_witness_is_silent_and_signs_the_years_end_first()
 {
    let broker = BetweenTheLeaves::died();
    for starts in 1..=2 {
        let (exchange, threads) = broker.start(Some(silent_witness()));
        work(&exchange);
        let after = operations(&broker.leaves()[broker.ended..]);
        assert_eq!(after[0], Operation::ShardOpen, "nothing stands between the two leaves");
        assert_eq!(after.iter().filter(|op| **op == Operation::Start).count(), starts);
        // Nothing is signed, not the year either, and whoever asks for it is told why.
        assert_eq!(refused(exchange.checkpoint_now()), Reason::NotWitnessed);
        assert_eq!(refused(exchange.final_checkpoint(2026)), Reason::NotWitnessed);
        assert_eq!(exchange.year_to_cosign(), Ok(None));
        let head = fs_err::read_to_string(broker.file("keys/log.head")).expect("a head");
        assert_eq!(head, broker.signed);
        if starts == 2 {
            // The witness is heard. Its first question is about the year's end, which was signed before what came later.
            exchange.witnessed().release_signing();
            broker.has_turned(&exchange);
            let final_note = exchange.final_checkpoint(2026);
            assert_eq!(exchange.year_to_cosign(), final_note.map(Some));
        }
        drop(exchange);
        threads.join();
    }
    let whole = verify_folder(&broker.file("store/log"), &key(broker.folder.path()));
    let whole = whole.expect("a folder");
    assert!(whole.ok, "{whole:?}");
    let (exchange, threads) = broker.start(None);
    broker.has_turned(&exchange);
    drop(exchange);
    threads.join();
}

#[test]
fn a_broker_that_died_between_the_two_leaves_reads_while_its_log_is_disputed() {
    let broker = BetweenTheLeaves::died();
    let dispute = Dispute {
        witness: "w1".to_owned(),
        cosigned_size: Some(9_999),
        ours: broker.signed.clone(),
        theirs: None,
    };
    let text = serde_json::to_string(&dispute).expect("JSON");
    fs_err::write(broker.file("keys/log.dispute"), text).expect("written");
    let (exchange, threads) = broker.start(None);
    work(&exchange);
    let told = [Operation::ShardOpen, Operation::Start, Operation::RollbackSuspected];
    assert_eq!(operations(&broker.leaves()[broker.ended..])[..3], told);
    assert_eq!(refused(exchange.final_checkpoint(2026)), Reason::LogDisputed);
    let head = fs_err::read_to_string(broker.file("keys/log.head")).expect("a head");
    assert_eq!(head, broker.signed, "nothing is signed");
    drop(exchange);
    threads.join();
    let accepted = broker.file("keys/log.dispute.accepted");
    fs_err::rename(broker.file("keys/log.dispute"), accepted).expect("renamed");
    let (exchange, threads) = broker.start(None);
    broker.has_turned(&exchange);
    drop(exchange);
    threads.join();
}

/// Held by `is_kept` in `log_signer`.
#[test]
fn a_final_checkpoint_of_a_lost_past_is_put_away_and_the_years_own_is_kept() {
    for silent in [false, true] {
        let broker = BetweenTheLeaves::died();
        // Of another size, signed by the log's key.
        let place = broker.file("keys/log-2026.checkpoint");
        fs_err::write(&place, &broker.signed).expect("written");
        for rule in [silent.then(silent_witness), None] {
            let (exchange, threads) = broker.start(rule.clone());
            work(&exchange);
            if rule.is_none() {
                broker.has_turned(&exchange);
            }
            drop(exchange);
            threads.join();
        }
        let size = broker.signed.lines().nth(1).expect("a size");
        let lost = broker.file(&format!("keys/log-2026.checkpoint.lost-{size}"));
        assert_eq!(fs_err::read_to_string(lost).expect("evidence"), broker.signed);
    }
}

/// The file is held against what the journal says of the year, not against tiles of then: of those no start reads any. Held by `is_kept`
/// in `log_signer`.
#[test]
fn a_final_checkpoint_is_not_put_away_because_a_tile_of_its_year_was_altered() {
    let (folder, journal) = (tempfile::tempdir().expect("a folder"), MemoryJournal::new());
    let clock = SetClock::at("2027-03-31T03:00:00Z");
    let start = || open_with(folder.path(), Some(&journal), clock.clone(), equipment("usual"));
    let (exchange, threads) = start();
    work(&exchange);
    clock.set("2027-04-01T03:00:00Z");
    (0..600).for_each(|_| work(&exchange));
    let note = exchange.final_checkpoint(2026).expect("the year has ended");
    leaves(&exchange);
    drop(exchange);
    threads.join();
    let tile = folder.path().join("store/log/tile/0/000");
    let mut bytes = fs_err::read(&tile).expect("a tile");
    bytes[0] ^= 1;
    fs_err::write(&tile, bytes).expect("written");
    let (exchange, threads) = start();
    assert_eq!(exchange.final_checkpoint(2026), Ok(note));
    drop(exchange);
    threads.join();
    let names = fs_err::read_dir(folder.path().join("keys")).expect("a folder");
    let names = names.map(|entry| entry.expect("an entry").file_name());
    let lost: Vec<_> = names.filter(|name| name.to_string_lossy().contains("lost")).collect();
    assert!(lost.is_empty(), "{lost:?}");
}
