//! A journal folder as an earlier renkei wrote it: whoever changes the format finds out here.
//!
//! The folder is kept in version control and never written again. A new format gets a folder of its own beside it,
//! because journals in the old one have to be read for as long as their records must be kept.

use std::path::{Path, PathBuf};

use renkei_journal::{Frame, Journal as _, LocalJournal, Options, Seq};
use renkei_types::DigestBuilder;

const DIGEST: &str = "sha256:fc79f7cdb502cb051ed9d56b85e2b31d526d57564a4cc1b47a0488d17aba153e";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/golden")
}

fn options() -> Options {
    Options { segment_bytes: 300, ..Options::default() }
}

fn frames(first: u64, last: u64) -> Vec<Frame> {
    let part = |name: &str, number: u64| name.repeat(number as usize % 5).into_bytes();
    (first..=last)
        .map(|number| Frame {
            leaf: part("leaf", number),
            facts: part("facts", number + 1),
            sealed: part("sealed", number + 2),
        })
        .collect()
}

fn append(dir: &Path, first: u64, last: u64) {
    let mut journal = LocalJournal::open(dir, options()).expect("the journal").journal;
    journal.append(Seq(first - 1), &frames(first, last)).expect("an append");
}

/// Four incarnations, groups of several sizes, three segments.
fn make(dir: &Path) {
    append(dir, 1, 1);
    append(dir, 2, 9);
    append(dir, 10, 20);
    append(dir, 21, 21);
}

fn copy(from: &Path, to: &Path) {
    for entry in fs_err::read_dir(from).expect("the folder") {
        let path = entry.expect("a file").path();
        fs_err::copy(&path, to.join(path.file_name().expect("a name"))).expect("a copy");
    }
}

#[test]
fn the_golden_journal_replays_to_its_digest() {
    let scratch = tempfile::tempdir().expect("a folder");
    copy(&folder(), scratch.path());
    let opened = LocalJournal::open(scratch.path(), options()).expect("the golden journal");
    assert_eq!(opened.cut_bytes, 0);
    assert_eq!(opened.journal.last(), Seq(21));
    let mut digest = DigestBuilder::new();
    for frame in opened.journal.read(Seq(1)).expect("frames") {
        let (seq, frame) = frame.expect("a frame");
        digest.number(seq.0).field(&frame.leaf).field(&frame.facts).field(&frame.sealed);
    }
    assert_eq!(digest.finish().to_string(), DIGEST);
}

#[test]
fn the_same_frames_give_the_same_bytes_as_then() {
    let scratch = tempfile::tempdir().expect("a folder");
    make(scratch.path());
    let mut segments = 0;
    for entry in fs_err::read_dir(folder()).expect("the golden folder") {
        let path = entry.expect("a file").path();
        let now = scratch.path().join(path.file_name().expect("a name"));
        assert!(fs_err::read(&path).expect("then") == fs_err::read(&now).expect("now"), "{now:?}");
        segments += usize::from(path.extension().is_some_and(|ending| ending == "seg"));
    }
    assert_eq!(segments, 3);
}

#[test]
#[ignore = "writes the golden folder; only for a new format, into a new folder"]
fn make_the_golden_journal() {
    let scratch = tempfile::tempdir().expect("a folder");
    make(scratch.path());
    fs_err::remove_file(scratch.path().join("LOCK")).expect("the lock file");
    copy(scratch.path(), &folder());
}
