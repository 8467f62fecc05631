//! What a start finds of the log, and what whoever looks from outside says of it: the same.

mod town;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use renkei_exchange::dispute::Dispute;
use renkei_exchange::ledger::Threads;
use renkei_exchange::log_head::HeadFound;
use renkei_exchange::{Exchange, WitnessRule};
use renkei_journal::{Frame, Journal as _, LocalJournal, MemoryJournal, Options};
use renkei_tlog::hash::leaf_hash;
use renkei_tlog::leaf::Operation;
use renkei_tlog::{Leaf, LogKey, SignedCheckpoint, verify_folder};
use renkei_types::{Clock as _, FixedClock};
use town::ledger::{
    copy, equipment, frames, keep_journal, memory, open_with, open_witnessed, paths,
    silent_witness, try_open, work,
};

fn clock() -> Arc<FixedClock> {
    Arc::new(FixedClock("2026-11-21T03:00:00Z".parse().expect("a time")))
}

fn read(file: impl AsRef<Path>) -> String {
    fs_err::read_to_string(file.as_ref()).expect("a file")
}

/// Every file below a folder, with its bytes.
fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs_err::read_dir(next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push((path.clone(), fs_err::read(path).expect("a file")));
            }
        }
    }
    found.sort();
    found
}

/// A broker with some hundred leaves, that has stopped.
struct Stopped {
    folder: tempfile::TempDir,
    frames: Vec<Frame>,
}

impl Stopped {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let journal = MemoryJournal::new();
        let place = folder.path().join("broker");
        fs_err::create_dir(&place).expect("a folder");
        let (exchange, threads) = open_with(&place, Some(&journal), clock(), equipment("usual"));
        work(&exchange);
        exchange.checkpoint_now().expect("signed");
        (0..600).for_each(|_| work(&exchange));
        exchange.checkpoint_now().expect("signed");
        drop(exchange);
        threads.join();
        Self { folder, frames: frames(&journal) }
    }

    /// A copy of its folders.
    fn copied(&self, name: &str) -> PathBuf {
        let place = self.folder.path().join(name);
        copy(&self.folder.path().join("broker"), &place);
        place
    }

    fn key(&self) -> LogKey {
        let origin = "renkei.example/renkei-audit/131016".parse().expect("an origin");
        let pem = read(self.folder.path().join("broker/keys/log.key"));
        LogKey::from_pem(origin, &pem).expect("a key")
    }

    /// The one file in a folder of the log.
    fn only_file(place: &Path, folder: &str) -> PathBuf {
        let folder = place.join("store/log").join(folder);
        let mut files = fs_err::read_dir(folder).expect("a folder");
        files.next().expect("a file").expect("an entry").path()
    }
}

fn flip(file: &Path, at: usize) {
    let mut bytes = fs_err::read(file).expect("a file");
    bytes[at] ^= 1;
    fs_err::write(file, bytes).expect("written");
}

/// Why a broker with this journal does not start, which whoever looks from outside says too; and neither changes log and keys.
fn refused(place: &Path, frames: &[Frame]) -> String {
    keep_journal(place, frames);
    let before = ["store/log", "keys"].map(|folder| contents(&place.join(folder)));
    let said = paths(place).check_log_head().expect_err("something is wrong").to_string();
    let started = try_open(place, Some(&memory(frames)), clock(), equipment("usual"), None);
    let why = started.err().expect("it does not start").to_string();
    assert_eq!(said, why);
    assert_eq!(["store/log", "keys"].map(|folder| contents(&place.join(folder))), before);
    why
}

fn starts(place: &Path, frames: &[Frame]) -> HeadFound {
    keep_journal(place, frames);
    let found = paths(place).check_log_head().expect("all is well").place;
    let (exchange, threads) = open_with(place, Some(&memory(frames)), clock(), equipment("usual"));
    exchange.checkpoint_now().expect("signed");
    drop(exchange);
    threads.join();
    found
}

/// Held by `FoundLog::look`, which both ask.
#[test]
fn what_a_start_refuses_of_a_damaged_log_is_said_by_who_looks_from_outside() {
    let broker = Stopped::new();
    let whole = &broker.frames;
    assert_eq!(starts(&broker.copied("whole"), whole), HeadFound::InLog);

    let place = broker.copied("checkpoint-garbled");
    fs_err::write(place.join("store/log/checkpoint"), "nothing").expect("written");
    assert!(refused(&place, whole).contains("not a signed note"));

    let place = broker.copied("checkpoint-of-another-past");
    let other = SignedCheckpoint::sign(&broker.key(), 7, leaf_hash(b"another past"));
    fs_err::write(place.join("store/log/checkpoint"), other.note()).expect("written");
    assert!(refused(&place, whole).contains("contradicts itself"));
    // While a dispute is open nothing is signed, and what there is can be read.
    dispute(&place.join("keys"), other.note());
    keep_journal(&place, whole);
    assert_eq!(paths(&place).check_log_head().expect("it starts").place, HeadFound::InLog);
    let (exchange, threads) = open_with(&place, Some(&memory(whole)), clock(), equipment("usual"));
    assert!(exchange.checkpoint_now().is_err(), "nothing is signed");
    drop(exchange);
    threads.join();

    let place = broker.copied("last-bundle");
    flip(&Stopped::only_file(&place, "tile/entries/002.p"), 9);
    assert!(refused(&place, whole).contains("tile/entries/002.p/"));

    // Of the journal the end is lost, and an operator has accepted that the head is.
    let place = broker.copied("more-than-the-journal");
    fs_err::remove_file(place.join("keys/log.head")).expect("removed");
    fs_err::write(place.join("keys/log.head.accepted"), "").expect("made");
    assert!(refused(&place, &whole[..300]).contains("more leaves than the journal"));

    let place = broker.copied("another-last-leaf");
    let mut other = whole.clone();
    let last = other.len() - 1;
    other[last].leaf = other[last - 1].leaf.clone();
    assert!(refused(&place, &other).contains("its last leaf is not that of the journal"));

    // An upper tile that is missing is made again.
    let place = broker.copied("upper-tile-missing");
    fs_err::remove_file(Stopped::only_file(&place, "tile/1/000.p")).expect("removed");
    assert_eq!(starts(&place, whole), HeadFound::InLog);
}

/// A look every morning must not read seven years. Held by `decided` in `log_beside`.
#[test]
fn who_looks_from_outside_reads_the_end_of_the_journal_alone() {
    let broker = Stopped::new();
    let place = broker.copied("long");
    let journal = place.join("store/journal");
    fs_err::create_dir_all(&journal).expect("a folder");
    let options = Options { segment_bytes: 16 << 10, ..Options::default() };
    let mut opened = LocalJournal::open(&journal, options).expect("a journal").journal;
    for frames in broker.frames.chunks(50) {
        let last = opened.last();
        opened.append(last, frames).expect("appended");
    }
    drop(opened);
    let mut segments = contents(&journal);
    segments.retain(|(_, bytes)| bytes.len() > 16 << 10);
    assert!(segments.len() > 2, "a journal of several files");
    let (first, bytes) = &segments[0];
    flip(first, bytes.len() / 2);
    assert_eq!(paths(&place).check_log_head().expect("all is well").place, HeadFound::InLog);
}

/// Held by `LogToBe::altered`.
#[test]
fn a_tile_that_was_altered_in_place_is_named_and_not_taken_for_an_older_store() {
    let broker = Stopped::new();
    let place = broker.copied("altered");
    flip(&Stopped::only_file(&place, "tile/1/000.p"), 33);
    let why = refused(&place, &broker.frames);
    assert!(why.contains("tile/1/000.p/2 in ") && why.contains("altered"), "{why}");
    // As it says.
    fs_err::remove_dir_all(place.join("store/log")).expect("removed");
    assert_eq!(starts(&place, &broker.frames), HeadFound::InJournal);

    // Where the journal has another past as well, it is the store that is another one.
    let place = broker.copied("another-store");
    let other = SignedCheckpoint::sign(&broker.key(), 600, leaf_hash(b"another past"));
    fs_err::write(place.join("keys/log.head"), other.note()).expect("written");
    assert!(refused(&place, &broker.frames).contains("does not begin with the 600"));
}

/// Leaves a dispute that is open in a folder of keys.
fn dispute(keys: &Path, ours: &str) {
    let ours = ours.to_owned();
    let dispute =
        Dispute { witness: "w1".to_owned(), cosigned_size: Some(9_999), ours, theirs: None };
    let text = serde_json::to_string(&dispute).expect("JSON");
    fs_err::write(keys.join("log.dispute"), text).expect("written");
}

/// A broker whose store was put back from before its last work, and whose loss an operator has accepted.
struct Accepted {
    folder: tempfile::TempDir,
    journal: MemoryJournal,
}

impl Accepted {
    fn new() -> Self {
        let broker = Stopped::new();
        let journal = memory(&broker.frames[..300]);
        let keys = broker.folder.path().join("broker/keys");
        fs_err::rename(keys.join("log.head"), keys.join("log.head.accepted")).expect("renamed");
        for gone in ["store/log", "store/cache"] {
            let gone = broker.folder.path().join("broker").join(gone);
            fs_err::remove_dir_all(gone).expect("removed");
        }
        Self { folder: broker.folder, journal }
    }

    fn place(&self) -> PathBuf {
        self.folder.path().join("broker")
    }

    fn key(&self, name: &str) -> PathBuf {
        self.place().join("keys").join(name)
    }

    fn start(&self, witnesses: Option<WitnessRule>) -> (Exchange, Threads) {
        let usual = equipment("usual");
        open_witnessed(&self.place(), Some(&self.journal), clock(), usual, witnesses)
    }

    fn suspicions(&self) -> usize {
        let frames = frames(&self.journal);
        let leaves = frames.iter().map(|frame| Leaf::parse(&frame.leaf).expect("a leaf"));
        leaves.filter(|leaf| leaf.op == Operation::RollbackSuspected).count()
    }

    /// Starts where nothing is signed, as often as it likes, and then where all is signed again.
    fn keeps_what_was_accepted_until_it_signs(&self, unsigned: impl Fn() -> (Exchange, Threads)) {
        let lost = read(self.key("log.head.accepted"));
        for starts in 1..=2 {
            let (exchange, threads) = unsigned();
            assert!(exchange.checkpoint_now().is_err(), "nothing is signed");
            drop(exchange);
            threads.join();
            assert!(!self.key("log.head").exists(), "nothing was signed");
            assert_eq!(read(self.key("log.head.accepted")), lost, "after {starts} starts");
            assert!(self.suspicions() >= starts, "each start tells of it");
        }
    }

    fn signs_again(&self) {
        let lost = read(self.key("log.head.accepted"));
        let size = lost.lines().nth(1).expect("a size").to_owned();
        let (exchange, threads) = self.start(None);
        exchange.checkpoint_now().expect("signed again");
        drop(exchange);
        threads.join();
        assert!(!self.key("log.head.accepted").exists());
        assert_eq!(read(self.key(&format!("log.head.lost-{size}"))), lost, "the evidence is kept");
    }
}

/// Held by `Exchange::note_beginning`.
#[test]
fn a_loss_that_was_accepted_stays_accepted_while_the_witness_is_silent() {
    let broker = Accepted::new();
    broker.keeps_what_was_accepted_until_it_signs(|| broker.start(Some(silent_witness())));
    broker.signs_again();
}

/// Held by `Exchange::note_beginning`.
#[test]
fn a_loss_that_was_accepted_stays_accepted_while_the_log_is_disputed() {
    let broker = Accepted::new();
    dispute(&broker.place().join("keys"), &read(broker.key("log.head.accepted")));
    broker.keeps_what_was_accepted_until_it_signs(|| broker.start(None));
    fs_err::rename(broker.key("log.dispute"), broker.key("log.dispute.accepted")).expect("renamed");
    broker.signs_again();
}

/// Held by `Integrator::recover`.
#[test]
fn a_log_that_could_not_be_written_for_a_moment_is_signed_again_without_a_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let (exchange, threads) = open_with(folder.path(), None, clock(), equipment("usual"));
    exchange.checkpoint_now().expect("signed");
    // Where each file begins; as a disk that is full.
    let hindrance = folder.path().join("store/log/.unfinished");
    fs_err::create_dir(&hindrance).expect("made");
    (0..3).for_each(|_| work(&exchange));
    assert!(exchange.checkpoint_now().is_err(), "it cannot be written");
    work(&exchange);
    let unsigned = || paths(folder.path()).check_log_head().expect("it goes on").unsigned_since;
    assert!(unsigned().is_some_and(|since| since >= clock().now()), "who looks is told");
    fs_err::remove_dir(&hindrance).expect("space again");
    let note = exchange.checkpoint_now().expect("signed again");
    let size = exchange.read_log_now(|log| Ok(log.size())).expect("a size");
    assert_eq!(note.lines().nth(1), Some(size.to_string().as_str()));
    exchange.ask_now(|_| Ok(())).expect("an answer");
    assert_eq!(size, *exchange.durable().borrow(), "nothing is missing");
    assert_eq!(unsigned(), None);
    drop(exchange);
    threads.join();
    let key = read(folder.path().join("keys/log.vkey")).parse().expect("a key");
    let found = verify_folder(&folder.path().join("store/log"), &key).expect("a folder");
    assert!(found.ok, "{found:?}");
}
