use std::io::Read as _;

use renkei_types::{Entropy as _, SeededEntropy};

use super::*;
use crate::simulated_disk::{Fault, Operation, SimulatedDisk};

fn id() -> UploadId {
    UploadId::from_bytes([5; 16])
}

fn key() -> DataKey {
    DataKey::from_bytes([9; 32])
}

fn contents(bytes: usize) -> Vec<u8> {
    let mut contents = vec![0; bytes];
    SeededEntropy::new(3).fill(&mut contents);
    contents
}

fn read(spool: &Spool) -> Vec<u8> {
    let mut bytes = Vec::new();
    spool.reader().read_to_end(&mut bytes).expect("the upload");
    bytes
}

/// Three windows of 700 bytes, each synced.
fn three_windows(disk: &SimulatedDisk) -> Spool {
    let entropy = SeededEntropy::new(1);
    let mut spool = Spool::create_on(Arc::new(disk.clone()), id(), &key()).expect("a spool");
    for (offset, window) in (0..).step_by(700).zip(contents(2_100).chunks(700)) {
        spool.append(offset, window, &entropy).expect("a window");
        spool.sync().expect("a sync");
    }
    spool
}

fn reopen(disk: &SimulatedDisk) -> Result<ReopenedSpool, SpoolError> {
    Spool::reopen_on(Arc::new(disk.clone()), id(), &key())
}

#[test]
fn an_upload_resumes_after_a_cut_and_reads_back_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let (entropy, contents) = (SeededEntropy::new(1), contents(50_000));
    let mut spool = Spool::create(folder.path(), id(), &key()).expect("a spool");
    spool.append(0, &contents[..20_000], &entropy).expect("a window");
    assert_eq!((spool.received_through(), spool.durable_through()), (20_000, 0));
    assert_eq!(spool.sync().expect("a sync"), 20_000);
    drop(spool);
    let mut spool = Spool::reopen(folder.path(), id(), &key()).expect("the spool").spool;
    assert_eq!(spool.durable_through(), 20_000);
    spool.append(20_000, &contents[20_000..], &entropy).expect("a window");
    assert_eq!(read(&spool), contents);
    let file = folder.path().join(file_name(id()));
    let on_disk = fs_err::read(&file).expect("the file");
    assert!(!on_disk.windows(16).any(|window| window == &contents[..16]), "it is sealed");
    spool.discard().expect("discarded");
    assert!(!file.exists());
}

#[test]
fn a_gap_or_an_overlap_is_refused_with_the_place_to_resume() {
    let disk = SimulatedDisk::new();
    let mut spool = three_windows(&disk);
    for offset in [0, 2_099, 2_101] {
        let error = spool.append(offset, b"more", &SeededEntropy::new(2)).expect_err("refused");
        assert!(matches!(error, SpoolError::OutOfOrder { durable_through: 2_100, .. }));
    }
    assert_eq!(read(&spool), contents(2_100));
}

#[test]
fn a_torn_tail_is_cut_at_every_byte_and_the_spool_goes_on() {
    let whole = SimulatedDisk::new();
    three_windows(&whole);
    let bytes = whole.contents(&file_name(id())).expect("the file");
    let third = bytes.len() - (700 + 40 + 24);
    for end in third + 1..bytes.len() {
        let disk = SimulatedDisk::new();
        disk.set_contents(&file_name(id()), &bytes[..end]);
        let ReopenedSpool { mut spool, cut_bytes } = reopen(&disk).expect("the spool");
        assert_eq!((cut_bytes as usize, spool.durable_through()), (end - third, 1_400));
        spool.append(1_400, &contents(2_100)[1_400..], &SeededEntropy::new(2)).expect("a window");
        assert_eq!(read(&spool), contents(2_100));
    }
}

#[test]
fn damage_before_a_later_window_is_refused_and_not_cut() {
    let whole = SimulatedDisk::new();
    three_windows(&whole);
    let bytes = whole.contents(&file_name(id())).expect("the file");
    let (first, second, third) = (32, 32 + 764, 32 + 2 * 764);
    for at in (0..third).step_by(7) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 8;
        let disk = SimulatedDisk::new();
        disk.set_contents(&file_name(id()), &flipped);
        let bad = if at < first {
            0
        } else if at < second {
            first
        } else {
            second
        };
        let error = reopen(&disk).expect_err("it is damaged");
        assert!(
            matches!(error, SpoolError::Damaged { offset, .. } if offset == bad as u64),
            "{at}"
        );
    }
}

#[test]
fn windows_that_were_never_synced_may_vanish_in_any_pattern() {
    for seed in 0..200 {
        let disk = SimulatedDisk::new();
        let entropy = SeededEntropy::new(seed);
        let mut spool = three_windows(&disk);
        for offset in [2_100, 2_900, 3_700] {
            spool.append(offset, &[1; 800], &entropy).expect("a window");
        }
        drop(spool);
        disk.lose_power(Some(&entropy));
        let spool = reopen(&disk).expect("the spool").spool;
        assert!(spool.durable_through() >= 2_100);
        let expected = [contents(2_100), vec![1; 2_400]].concat();
        assert!(expected.starts_with(&read(&spool)));
    }
}

#[test]
fn a_full_disk_leaves_no_half_window() {
    let disk = SimulatedDisk::new();
    let entropy = SeededEntropy::new(2);
    let mut spool = three_windows(&disk);
    disk.fail(Fault { operation: Operation::Write, after: 0, errno: 28, written: 99 });
    let error = spool.append(2_100, b"more", &entropy).expect_err("the disk is full");
    assert!(matches!(error, SpoolError::StorageFull { .. }));
    spool.append(2_100, b"more", &entropy).expect("space was freed");
    assert_eq!(spool.sync().expect("a sync"), 2_104);
    assert_eq!(reopen(&disk).expect("the spool").spool.durable_through(), 2_104);
}

#[test]
fn a_failed_sync_poisons_the_spool() {
    let disk = SimulatedDisk::new();
    let entropy = SeededEntropy::new(2);
    let mut spool = three_windows(&disk);
    spool.append(2_100, b"more", &entropy).expect("a window");
    disk.fail(Fault { operation: Operation::Sync, after: 0, errno: 5, written: 0 });
    assert!(matches!(spool.sync(), Err(SpoolError::Poisoned { .. })));
    assert!(matches!(spool.sync(), Err(SpoolError::Poisoned { .. })));
    assert!(matches!(spool.append(2_104, b"x", &entropy), Err(SpoolError::Poisoned { .. })));
    assert_eq!(spool.durable_through(), 2_100);
}

#[test]
fn another_key_reads_nothing() {
    let disk = SimulatedDisk::new();
    drop(three_windows(&disk));
    let other = DataKey::from_bytes([1; 32]);
    let spool = Spool::reopen_on(Arc::new(disk), id(), &other).expect("the spool").spool;
    let mut bytes = Vec::new();
    assert!(spool.reader().read_to_end(&mut bytes).is_err());
    assert!(bytes.is_empty());
}
