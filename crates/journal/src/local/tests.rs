use proptest::prelude::*;
use renkei_types::{Classify as _, Entropy as _, Kind, Language, Localised as _, SeededEntropy};

use super::*;
use crate::lock::LockError;
use crate::simulated_disk::{Fault, Operation, SimulatedDisk};

const ENOSPC: i32 = 28;
const EIO: i32 = 5;

fn frame(number: u64, bytes: usize) -> Frame {
    Frame {
        leaf: format!("leaf {number}").into_bytes(),
        facts: format!("facts {number}").into_bytes(),
        sealed: vec![b'x'; bytes],
    }
}

fn frames(numbers: std::ops::RangeInclusive<u64>) -> Vec<Frame> {
    numbers.map(|number| frame(number, 20)).collect()
}

fn small() -> Options {
    Options { segment_bytes: 2_000, ..Options::default() }
}

fn open(disk: &SimulatedDisk, options: Options) -> Opened {
    LocalJournal::open_on(Arc::new(disk.clone()), options).expect("a journal")
}

fn refused(disk: &SimulatedDisk) -> OpenError {
    LocalJournal::open_on(Arc::new(disk.clone()), small()).expect_err("it is refused")
}

fn all(journal: &LocalJournal) -> Vec<Frame> {
    let frames = journal.read(Seq(0)).expect("frames").map(|frame| frame.expect("a frame"));
    frames.zip(1..).map(|((seq, frame), number)| (assert_eq!(seq.0, number), frame).1).collect()
}

fn only_segment(disk: &SimulatedDisk) -> (String, Vec<u8>) {
    let name = segment_name(Seq(1));
    let bytes = disk.contents(&name).expect("the first segment");
    (name, bytes)
}

/// A journal of three frames that were each synced alone, and where each of them begins.
fn three_frames() -> (SimulatedDisk, Vec<usize>) {
    let disk = SimulatedDisk::new();
    let mut journal = open(&disk, small()).journal;
    let mut starts = Vec::new();
    for number in 1..=3 {
        starts.push(only_segment(&disk).1.len());
        journal.append(Seq(number - 1), &[frame(number, 20)]).expect("an append");
    }
    (disk, starts)
}

#[test]
fn frames_are_read_back_from_any_number_over_many_segments() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = Options { segment_bytes: 30_000, ..Options::default() };
    let mut journal = LocalJournal::open(folder.path(), options).expect("a journal").journal;
    let mut last = Seq(0);
    for start in (1..=2_000).step_by(100) {
        last = journal.append(last, &frames(start..=start + 99)).expect("an append");
    }
    drop(journal);
    for verify in [Verify::Everything, Verify::LastSegment] {
        let options = Options { verify, ..options };
        let opened = LocalJournal::open(folder.path(), options).expect("the journal");
        let journal = opened.journal;
        assert_eq!((opened.cut_bytes, journal.last()), (0, Seq(2_000)));
        assert!(journal.segments.len() > 3);
        for from in [1, 2, 255, 256, 257, 258, 999, 1_000, 2_000] {
            let read: Vec<_> = journal.read(Seq(from)).expect("frames").collect();
            assert_eq!(read.len() as u64, 2_001 - from);
            let expected = frame(from, 20);
            assert_eq!(read[0].as_ref().expect("a frame"), &(Seq(from), expected.clone()));
            assert_eq!(journal.get(Seq(from)).expect("a frame"), Some(expected));
        }
        assert_eq!(journal.get(Seq(0)).expect("no frame"), None);
        assert_eq!(journal.get(Seq(2_001)).expect("no frame"), None);
        assert_eq!(journal.read(Seq(2_001)).expect("no frames").count(), 0);
        assert_eq!(all(&journal), frames(1..=2_000));
    }
}

#[test]
fn a_second_open_in_the_same_process_is_refused_and_says_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = LocalJournal::open(folder.path(), Options::default()).expect("a journal");
    let error = LocalJournal::open(folder.path(), Options::default()).expect_err("it is locked");
    assert!(matches!(error, OpenError::Locked(LockError::Held { .. })));
    assert_eq!(error.kind(), Kind::Conflict);
    assert!(error.to_string().contains("stop that one"), "{error}");
    assert!(error.localised(Language::Japanese).contains("使用中"));
    drop(first);
    LocalJournal::open(folder.path(), Options::default()).expect("the lock is free again");
}

#[test]
fn a_torn_tail_is_cut_at_every_byte_length_of_the_last_frame() {
    let (whole, starts) = three_frames();
    let (name, bytes) = only_segment(&whole);
    for end in starts[2] + 1..bytes.len() {
        for zeros in [0, 700] {
            let disk = SimulatedDisk::new();
            let mut torn = bytes[..end].to_vec();
            torn.resize(end + zeros, 0);
            disk.set_contents(&name, &torn);
            let opened = open(&disk, small());
            assert_eq!(opened.cut_bytes as usize, end + zeros - starts[2]);
            let mut journal = opened.journal;
            assert_eq!(all(&journal), frames(1..=2));
            journal.append(Seq(2), &frames(3..=3)).expect("it goes on");
            drop(journal);
            let opened = open(&disk, small());
            assert_eq!((opened.cut_bytes, opened.journal.last()), (0, Seq(3)));
        }
    }
}

#[test]
fn a_bit_flip_in_the_middle_is_refused_with_its_place_and_nothing_is_cut() {
    let (whole, starts) = three_frames();
    let (name, bytes) = only_segment(&whole);
    for at in starts[0]..starts[2] {
        for bit in [0, 7] {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << bit;
            let disk = SimulatedDisk::new();
            disk.set_contents(&name, &flipped);
            let bad = starts[usize::from(at >= starts[1])] as u64;
            let error = refused(&disk);
            assert!(
                matches!(&error, OpenError::Damaged { file, offset } if *file == name && *offset == bad),
                "{at}: {error}"
            );
            assert_eq!(disk.contents(&name).expect("the file"), flipped);
        }
    }
}

#[test]
fn a_bit_flip_inside_the_last_group_is_damage_but_a_missing_block_is_a_torn_tail() {
    let disk = SimulatedDisk::new();
    let mut journal = open(&disk, Options::default()).journal;
    journal.append(Seq(0), &frames(1..=40)).expect("an append");
    let (name, bytes) = only_segment(&disk);
    let mut flipped = bytes.clone();
    flipped[1_500] ^= 4;
    disk.set_contents(&name, &flipped);
    assert!(matches!(refused(&disk), OpenError::Damaged { .. }));
    let mut holed = bytes;
    holed[1_024..1_536].fill(0);
    disk.set_contents(&name, &holed);
    let opened = open(&disk, Options::default());
    assert!(opened.cut_bytes > 0);
    let found = all(&opened.journal);
    assert!(!found.is_empty() && found[..] == frames(1..=40)[..found.len()]);
}

#[test]
fn damage_in_an_older_segment_is_refused_at_open_or_found_by_the_scrub() {
    let disk = SimulatedDisk::new();
    let mut journal = open(&disk, small()).journal;
    for number in 1..=60 {
        journal.append(Seq(number - 1), &[frame(number, 20)]).expect("an append");
    }
    let (name, bytes) = only_segment(&disk);
    for cut in [1, 100] {
        disk.set_contents(&name, &bytes[..bytes.len() - cut]);
        assert!(matches!(refused(&disk), OpenError::Damaged { .. }), "a lost tail is no torn tail");
    }
    let mut flipped = bytes.clone();
    flipped[500] ^= 1;
    disk.set_contents(&name, &flipped);
    assert!(matches!(refused(&disk), OpenError::Damaged { .. }));
    let options = Options { verify: Verify::LastSegment, ..small() };
    let lazy = open(&disk, options).journal;
    assert!(matches!(lazy.verify(), Err(ReadError::Damaged { .. })));
    assert_eq!(all_after_damage(&lazy), 1, "one error ends the reading");
    disk.set_contents(&name, &bytes);
    let second = disk.names().expect("names").into_iter().nth(1).expect("a second segment");
    disk.remove(&second).expect("the second segment");
    assert!(matches!(refused(&disk), OpenError::Missing { file } if file == second));
    disk.remove(&name).expect("the first segment");
    assert!(matches!(refused(&disk), OpenError::Missing { .. }));
}

fn all_after_damage(journal: &LocalJournal) -> usize {
    journal.read(Seq(0)).expect("frames").skip_while(Result::is_ok).count()
}

#[test]
fn a_newer_format_is_refused_and_named() {
    let (disk, _) = three_frames();
    let (name, mut bytes) = only_segment(&disk);
    bytes[8] = 2;
    disk.set_contents(&name, &bytes);
    let error = refused(&disk);
    assert!(matches!(error, OpenError::NewerFormat { found: 2, known: 1, .. }));
    assert_eq!(error.kind(), Kind::Refused);
}

#[test]
fn a_rival_append_gives_conflict_and_nothing_is_written() {
    let (disk, _) = three_frames();
    let mut journal = open(&disk, small()).journal;
    let before = only_segment(&disk).1;
    for after in [Seq(2), Seq(4), Seq(0)] {
        let error = journal.append(after, &frames(4..=4)).expect_err("a conflict");
        assert!(matches!(error, AppendError::Conflict { last: Seq(3) }));
    }
    assert_eq!(only_segment(&disk).1, before);
}

#[test]
fn a_writer_that_was_overtaken_past_the_lock_is_fenced_off() {
    let disk = SimulatedDisk::new();
    let mut stale = open(&disk, small()).journal;
    stale.append(Seq(0), &frames(1..=1)).expect("an append");
    let mut current = open(&disk, small()).journal;
    assert_eq!((stale.incarnation(), current.incarnation()), (1, 2));
    let error = stale.append(Seq(1), &frames(2..=2)).expect_err("it is fenced off");
    assert!(matches!(error, AppendError::Superseded { ours: 1, theirs: 2 }));
    current.append(Seq(1), &frames(2..=2)).expect("an append");
    drop(current);
    disk.remove("incarnation").expect("a backup without the file");
    assert_eq!(open(&disk, small()).journal.incarnation(), 3);
}

#[test]
fn too_large_a_frame_is_refused_and_the_limit_itself_is_not() {
    let disk = SimulatedDisk::new();
    let mut journal = open(&disk, small()).journal;
    let sealed = |bytes| Frame { sealed: vec![1; bytes], ..Frame::default() };
    let error = journal
        .append(Seq(0), &[sealed(1), sealed(FRAME_BYTES_MAX + 1)])
        .expect_err("it is too large");
    assert!(matches!(error, AppendError::TooLarge { .. }));
    assert_eq!(journal.last(), Seq(0));
    journal.append(Seq(0), &[sealed(FRAME_BYTES_MAX), Frame::default()]).expect("an append");
    assert_eq!(all(&open(&disk, small()).journal)[0].bytes(), FRAME_BYTES_MAX);
}

#[test]
fn a_full_disk_leaves_no_half_state_and_the_next_append_works() {
    for errno in [ENOSPC, 122, 27] {
        for written in [0, 1, 50, 200] {
            let (disk, _) = three_frames();
            let mut journal = open(&disk, small()).journal;
            let before = only_segment(&disk).1;
            disk.fail(Fault { operation: Operation::Write, after: 0, errno, written });
            let error = journal.append(Seq(3), &frames(4..=9)).expect_err("the disk is full");
            assert!(matches!(error, AppendError::StorageFull), "{errno}: {error}");
            assert_eq!((journal.last(), only_segment(&disk).1), (Seq(3), before));
            journal.append(Seq(3), &frames(4..=9)).expect("space was freed");
            assert_eq!(all(&open(&disk, small()).journal), frames(1..=9));
        }
    }
}

#[test]
fn a_disk_that_fills_at_any_byte_loses_nothing() {
    for spare in (0..2_500).step_by(37) {
        let (disk, _) = three_frames();
        let mut journal = open(&disk, Options { segment_bytes: 600, ..small() }).journal;
        let used: usize = disk
            .names()
            .expect("names")
            .iter()
            .filter_map(|name| disk.contents(name))
            .map(|bytes| bytes.len())
            .sum();
        disk.set_capacity(Some(used + spare));
        let mut last = Seq(3);
        while let Ok(next) = journal.append(last, &frames(last.0 + 1..=last.0 + 2)) {
            last = next;
        }
        disk.set_capacity(None);
        last = journal.append(last, &frames(last.0 + 1..=last.0 + 2)).expect("space was freed");
        assert_eq!(all(&journal), frames(1..=last.0));
        assert_eq!(all(&open(&disk, small()).journal), frames(1..=last.0));
    }
}

#[test]
fn a_failed_sync_poisons_the_journal_until_it_is_reopened() {
    let (disk, _) = three_frames();
    let mut journal = open(&disk, small()).journal;
    disk.fail(Fault { operation: Operation::Sync, after: 0, errno: EIO, written: 0 });
    for _ in 0..2 {
        let error = journal.append(Seq(3), &frames(4..=4)).expect_err("it is poisoned");
        assert!(matches!(error, AppendError::Poisoned { operation: "fdatasync" }));
    }
    assert_eq!(all(&journal), frames(1..=3), "what was acknowledged can still be read");
    drop(journal);
    disk.lose_power(None);
    assert_eq!(all(&open(&disk, small()).journal), frames(1..=3));
}

#[test]
fn a_failed_repair_after_a_failed_write_poisons_the_journal() {
    let (disk, _) = three_frames();
    let mut journal = open(&disk, small()).journal;
    disk.fail(Fault { operation: Operation::Write, after: 0, errno: ENOSPC, written: 60 });
    disk.fail(Fault { operation: Operation::SetSize, after: 0, errno: EIO, written: 0 });
    let error = journal.append(Seq(3), &frames(4..=4)).expect_err("it is poisoned");
    assert!(matches!(error, AppendError::Poisoned { .. }));
    assert!(journal.append(Seq(3), &frames(4..=4)).is_err());
    assert_eq!(all(&open(&disk, small()).journal), frames(1..=3));
}

#[test]
fn a_rotation_that_fails_at_any_step_can_be_repeated() {
    let steps = [Operation::Create, Operation::Write, Operation::Sync, Operation::SyncNames];
    for operation in steps {
        let disk = SimulatedDisk::new();
        let options = Options { segment_bytes: 100, ..Options::default() };
        let mut journal = open(&disk, options).journal;
        journal.append(Seq(0), &frames(1..=3)).expect("an append");
        disk.fail(Fault { operation, after: 0, errno: ENOSPC, written: 7 });
        let error = journal.append(Seq(3), &frames(4..=4)).expect_err("the disk is full");
        assert!(matches!(error, AppendError::StorageFull), "{operation:?}: {error}");
        assert_eq!(journal.append(Seq(3), &frames(4..=4)).expect("an append"), Seq(4));
        drop(journal);
        disk.lose_power(None);
        assert_eq!(all(&open(&disk, options).journal), frames(1..=4));
    }
}

#[test]
fn an_unfinished_segment_is_taken_away_when_the_journal_is_opened() {
    for size in [0, 1, 39] {
        let (disk, _) = three_frames();
        let name = segment_name(Seq(4));
        let header = SegmentHeader { first: Seq(4), previous_first: Seq(1), previous_size: 0 };
        disk.set_contents(&name, &header.encode()[..size]);
        let mut journal = open(&disk, small()).journal;
        assert!(disk.contents(&name).is_none());
        journal.append(Seq(3), &frames(4..=4)).expect("it goes on");
        assert_eq!(all(&journal), frames(1..=4));
    }
}

#[test]
fn ballast_takes_space_and_gives_it_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = Options { ballast_bytes: 1 << 20, ..Options::default() };
    let journal = LocalJournal::open(folder.path(), options).expect("a journal").journal;
    let ballast = folder.path().join("ballast");
    assert_eq!(fs_err::metadata(&ballast).expect("the ballast").len(), 1 << 20);
    assert!(journal.has_ballast());
    assert!(journal.release_ballast().expect("released"));
    assert!(!journal.has_ballast() && !ballast.exists());
    assert!(!journal.release_ballast().expect("nothing left"));
    let disk = SimulatedDisk::new();
    disk.set_capacity(Some(1_000));
    let journal = open(&disk, Options { ballast_bytes: 800, ..small() }).journal;
    assert!(!journal.has_ballast(), "it does not take the last space");
}

#[test]
fn frames_found_after_a_crash_are_synced_before_they_are_believed() {
    let (disk, _) = three_frames();
    let mut journal = open(&disk, small()).journal;
    disk.fail(Fault { operation: Operation::Sync, after: 0, errno: EIO, written: 0 });
    journal.append(Seq(3), &frames(4..=4)).expect_err("killed before the sync");
    drop(journal);
    let journal = open(&disk, small()).journal;
    assert_eq!(journal.last(), Seq(4));
    drop(journal);
    disk.lose_power(None);
    assert_eq!(all(&open(&disk, small()).journal), frames(1..=4));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn acknowledged_frames_survive_power_loss_and_nothing_torn_is_read(
        groups in prop::collection::vec((1_u64..12, 0_usize..900), 1..8),
        segment_bytes in 200_u64..6_000,
        dying in (0_usize..5, 0_usize..4_000, any::<bool>()),
        losses in prop::collection::vec(prop::option::of(any::<u64>()), 1..4),
    ) {
        let disk = SimulatedDisk::new();
        let options = Options { segment_bytes, ..Options::default() };
        let mut written = Vec::new();
        for loss in losses {
            let mut journal = open(&disk, options).journal;
            // What was found is acknowledged by opening, so it must be a beginning of what was written.
            let found = all(&journal);
            prop_assert!(written.starts_with(&found));
            written = found;
            let mut acknowledged = written.len();
            let (after, bytes, at_sync) = dying;
            let operation = if at_sync { Operation::Sync } else { Operation::Write };
            disk.fail(Fault { operation, after, errno: EIO, written: bytes });
            disk.fail(Fault { operation: Operation::SetSize, after: 0, errno: EIO, written: 0 });
            for &(count, size) in &groups {
                let first = written.len() as u64 + 1;
                let group: Vec<Frame> =
                    (first..first + count).map(|number| varied(number, size)).collect();
                let after = Seq(first - 1);
                written.extend_from_slice(&group);
                if journal.append(after, &group).is_err() {
                    break;
                }
                acknowledged = written.len();
            }
            drop(journal);
            let seeded = loss.map(SeededEntropy::new);
            disk.lose_power(seeded.as_ref().map(|seeded| seeded as &dyn renkei_types::Entropy));
            let found = all(&open(&disk, options).journal);
            prop_assert!(found.len() >= acknowledged, "{} of {acknowledged}", found.len());
            prop_assert!(written.starts_with(&found));
        }
    }
}

/// Sealed bytes look like chance, so no block of them is zero.
fn varied(number: u64, bytes: usize) -> Frame {
    let mut frame = frame(number, bytes);
    SeededEntropy::new(number).fill(&mut frame.sealed);
    frame
}
