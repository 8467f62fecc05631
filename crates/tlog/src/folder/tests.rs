use std::collections::BTreeMap;
use std::fs;

use renkei_types::SeededEntropy;

use super::*;
use crate::hash::leaf_hash;
use crate::proof::{consistency_proof, inclusion_proof, root_at};
use crate::verify::verify_folder;

fn key() -> LogKey {
    let origin = "kita.example/renkei-audit/131016/2026".parse().expect("an origin");
    LogKey::generate(origin, &SeededEntropy::new(1))
}

fn leaves(range: std::ops::Range<u64>) -> Vec<Vec<u8>> {
    range.map(crate::verify::synthetic_leaf).collect()
}

/// Every file of a folder with its bytes.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("below").to_string_lossy().into_owned();
                found.insert(name, fs_err::read(path).expect("a file"));
            }
        }
    }
    found
}

fn put(folder: &Path, files: &BTreeMap<String, Vec<u8>>) {
    for (name, bytes) in files {
        let path = folder.join(name);
        fs_err::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs_err::write(path, bytes).expect("a file");
    }
}

#[test]
fn leaves_read_back_after_appending_and_after_opening_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut log, size) = LogFolder::open(folder.path()).expect("a log");
    assert_eq!(size, 0);
    let all = leaves(0..700);
    for batch in all.chunks(97) {
        log.append(batch).expect("appended");
    }
    let (again, size) = LogFolder::open(folder.path()).expect("a log");
    assert_eq!((size, again.head()), (700, log.head()));
    let read: Vec<Vec<u8>> = again.leaves(3..u64::MAX).collect::<Result<_, _>>().expect("leaves");
    assert_eq!(read, all[3..]);
    assert_eq!(again.read_leaf(699).expect("a leaf"), all[699]);
    assert!(matches!(again.read_leaf(700), Err(LogError::NoEntry { index: 700, size: 700 })));
}

#[test]
fn a_published_log_proves_its_leaves_and_its_past() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut log, _) = LogFolder::open(folder.path()).expect("a log");
    log.append(&leaves(0..300)).expect("appended");
    let old = log.publish(&key()).expect("signed");
    log.append(&leaves(300..1030)).expect("appended");
    let new = log.publish(&key()).expect("signed");
    let (old, new) = (old.checkpoint(), new.checkpoint());
    let proof = consistency_proof(&log, old.size, new.size).expect("read").expect("in range");
    assert_eq!(proof.verify(&old.root, &new.root), Ok(()));
    for index in [0, 255, 256, 1023, 1029] {
        let leaf = leaf_hash(&log.read_leaf(index).expect("a leaf"));
        let proof = inclusion_proof(&log, index, new.size).expect("read").expect("in range");
        assert_eq!(proof.verify(&leaf, &new.root), Ok(()));
    }
    let verified = verify_folder(folder.path(), &key().verifier()).expect("readable");
    assert!(verified.ok, "{verified:?}");
}

#[test]
fn the_empty_log_can_be_published() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut log, _) = LogFolder::open(folder.path()).expect("a log");
    log.publish(&key()).expect("signed");
    assert!(verify_folder(folder.path(), &key().verifier()).expect("readable").ok);
}

/// Sizes before and after a batch: within a tile, up to its border, over several, over one of the level above.
const BATCHES: &[(u64, u64)] =
    &[(0, 1), (3, 200), (200, 256), (250, 600), (512, 513), (65_400, 65_700)];

#[test]
fn a_batch_cut_off_after_any_file_is_repaired_and_can_be_appended_again() {
    for &(before, after) in BATCHES {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut log, _) = LogFolder::open(folder.path()).expect("a log");
        log.append(&leaves(0..before)).expect("appended");
        log.publish(&key()).expect("signed");
        let old = contents(folder.path());
        log.append(&leaves(before..after)).expect("appended");
        let head = log.head();
        let mut new: Vec<(String, Vec<u8>)> = contents(folder.path())
            .into_iter()
            .filter(|(name, bytes)| old.get(name) != Some(bytes))
            .collect();
        // Stages as they are written; within a stage any file may be the one that is lost.
        let is_last = |name: &str| name.starts_with("tile/0/");
        new.sort_by_key(|(name, _)| is_last(name));
        let first_stage = new.iter().filter(|(name, _)| !is_last(name)).count();
        let mut cuts: Vec<Vec<usize>> = (0..=new.len()).map(|cut| (0..cut).collect()).collect();
        cuts.extend(
            (first_stage..new.len())
                .map(|lost| (0..new.len()).filter(|&kept| kept != lost).collect()),
        );
        for kept in cuts {
            let crashed = tempfile::tempdir().expect("a folder");
            put(crashed.path(), &old);
            put(crashed.path(), &kept.iter().map(|&at| new[at].clone()).collect());
            fs_err::write(crashed.path().join(".unfinished"), b"torn").expect("a file");
            let (mut log, size) = LogFolder::open(crashed.path()).expect("a log");
            assert!((before..=after).contains(&size), "{size} of {before}..{after}");
            log.append(&leaves(size..after)).expect("appended");
            assert_eq!(log.head(), head);
            log.publish(&key()).expect("signed");
            if after > 1000 && kept.len() > 1 {
                // A long log is read in full only once; publishing has read what is new.
                continue;
            }
            let verified = verify_folder(crashed.path(), &key().verifier()).expect("readable");
            assert!(verified.ok, "{before}..{after}, {kept:?}: {verified:?}");
        }
    }
}

#[test]
fn a_folder_put_back_to_an_older_state_is_not_signed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut log, _) = LogFolder::open(folder.path()).expect("a log");
    log.append(&leaves(0..300)).expect("appended");
    log.publish(&key()).expect("signed");
    let old = contents(folder.path());
    log.append(&leaves(300..310)).expect("appended");
    log.publish(&key()).expect("signed");
    let newest = fs_err::read(folder.path().join(CHECKPOINT)).expect("a checkpoint");

    let rolled_back = tempfile::tempdir().expect("a folder");
    put(rolled_back.path(), &old);
    fs_err::write(rolled_back.path().join(CHECKPOINT), newest).expect("a file");
    let before = contents(rolled_back.path());
    let Err(LogError::Inconsistent { expected, found }) = LogFolder::open(rolled_back.path())
    else {
        panic!("a rollback was not noticed");
    };
    assert_eq!((expected.size, found.size), (310, 300));
    assert_eq!(contents(rolled_back.path()), before, "nothing is touched");
}

#[test]
fn a_checkpoint_with_another_past_is_not_extended() {
    let (ours, theirs) =
        (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let (mut log, _) = LogFolder::open(ours.path()).expect("a log");
    log.append(&leaves(0..10)).expect("appended");
    let (mut other, _) = LogFolder::open(theirs.path()).expect("a log");
    other.append(&leaves(1..8)).expect("appended");
    let foreign = other.publish(&key()).expect("signed");
    fs_err::write(ours.path().join(CHECKPOINT), foreign.note()).expect("a file");
    let Err(LogError::Inconsistent { expected, found }) = log.publish(&key()) else {
        panic!("another past was signed");
    };
    assert_eq!((expected.size, expected.root), (7, foreign.checkpoint().root));
    assert_ne!(found.root, expected.root);
    assert_eq!(
        fs_err::read_to_string(ours.path().join(CHECKPOINT)).expect("a file"),
        foreign.note()
    );
}

#[test]
fn bytes_that_changed_on_the_disk_before_signing_are_not_signed() {
    for file in [
        "tile/entries/001.p/44",
        "tile/entries/000",
        "tile/0/000",
        "tile/0/001.p/44",
        "tile/1/000.p/1",
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut log, _) = LogFolder::open(folder.path()).expect("a log");
        log.append(&leaves(0..300)).expect("appended");
        let path = folder.path().join(file);
        let mut bytes = fs_err::read(&path).expect("a file");
        bytes[20] ^= 1;
        fs_err::write(&path, bytes).expect("a file");
        assert!(matches!(log.publish(&key()), Err(LogError::Damaged { .. })), "{file}");
        assert!(!folder.path().join(CHECKPOINT).exists());
    }
}

#[test]
fn a_tree_that_went_wrong_in_memory_is_not_signed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut log, _) = LogFolder::open(folder.path()).expect("a log");
    log.append(&leaves(0..300)).expect("appended");
    let elsewhere = tempfile::tempdir().expect("a folder");
    let (mut other, _) = LogFolder::open(elsewhere.path()).expect("a log");
    other.append(&leaves(1..301)).expect("appended");
    // The way by appending now leads elsewhere than the way by the bytes on the disk.
    log.look.edge = other.look.edge.clone();
    let Err(LogError::Inconsistent { expected, found }) = log.publish(&key()) else {
        panic!("a root was signed that only one of two ways leads to");
    };
    assert_eq!(expected, other.head());
    assert_eq!(found.size, 300);
    assert_ne!(found.root, expected.root);
    assert!(!folder.path().join(CHECKPOINT).exists());
}

#[test]
fn a_changed_leaf_is_not_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut log, _) = LogFolder::open(folder.path()).expect("a log");
    log.append(&leaves(0..3)).expect("appended");
    let path = folder.path().join("tile/entries/000.p/3");
    let mut bytes = fs_err::read(&path).expect("a file");
    *bytes.last_mut().expect("bytes") ^= 1;
    fs_err::write(&path, bytes).expect("a file");
    assert!(matches!(log.read_leaf(0), Err(LogError::Damaged { .. })));
}

#[test]
fn an_entry_that_is_too_long_leaves_the_log_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut log, _) = LogFolder::open(folder.path()).expect("a log");
    let batch = [vec![1; 10], vec![2; 70_000]];
    assert!(matches!(log.append(&batch), Err(LogError::Entry(_))));
    assert_eq!(log.size(), 0);
    log.append(&leaves(0..1)).expect("appended");
    assert_eq!(log.size(), 1);
}

fn cosigned(signed: &SignedCheckpoint, seconds: u64) -> SignedCheckpoint {
    let name = "pref.example/w".parse().expect("a name");
    let witness = crate::WitnessKey::generate(name, &SeededEntropy::new(2));
    signed.with_cosignatures(&[witness.cosign(signed.checkpoint(), seconds)])
}

#[test]
fn cosignatures_stay_with_their_checkpoint_until_the_log_grows() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut log, _) = LogFolder::open(folder.path()).expect("a log");
    log.append(&leaves(0..3)).expect("appended");
    let plain = log.publish(&key()).expect("signed");
    let note = cosigned(&plain, 9);
    assert!(log.cosign(&note).expect("written"));
    log.keep_cosigned(&note).expect("kept");
    // Publishing the same again takes nothing away, nor does opening again.
    assert_eq!(log.publish(&key()).expect("signed"), note);
    let (mut log, _) = LogFolder::open(folder.path()).expect("a log");
    assert_eq!(log.publish(&key()).expect("signed"), note);
    log.append(&leaves(3..4)).expect("appended");
    let next = log.publish(&key()).expect("signed");
    assert!(!next.note().contains("pref.example/w"));
    assert!(!log.cosign(&note).expect("asked"), "a line of an older checkpoint has no place there");
    assert_eq!(log.cosigned().expect("read"), Some(note.note().as_bytes().to_vec()));
}

#[test]
fn files_as_of_a_smaller_tree_are_those_that_were_published_then() {
    let (early, late) = (tempfile::tempdir().expect("a"), tempfile::tempdir().expect("b"));
    for (then, now) in [(1, 2), (255, 256), (256, 300), (300, 700), (700, 701), (5, 66_000)] {
        for folder in [early.path(), late.path()] {
            fs_err::remove_dir_all(folder).expect("removed");
        }
        let (mut log, _) = LogFolder::open(early.path()).expect("a log");
        log.append(&leaves(0..then)).expect("appended");
        let (mut grown, _) = LogFolder::open(late.path()).expect("a log");
        grown.append(&leaves(0..now)).expect("appended");
        for tile in crate::tile::files_of(then) {
            let published = fs_err::read(early.path().join(tile.to_string())).expect("a file");
            assert_eq!(grown.tile_as_of(tile).expect("cut"), published, "{then} {now} {tile}");
        }
        let beyond = TilePath::in_row(TileKind::Entries, now / TILE_WIDTH, now + 1);
        assert!(grown.tile_as_of(beyond.expect("a tile")).is_err(), "{now}");
    }
}

#[test]
fn the_log_as_it_was_is_signed_like_then_and_never_behind_what_is_published() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut log, _) = LogFolder::open(folder.path()).expect("a log");
    log.append(&leaves(0..300)).expect("appended");
    let then = log.publish(&key()).expect("signed");
    log.append(&leaves(300..512)).expect("appended");
    let whole = SignedCheckpoint::sign(&key(), 512, log.head().root);
    log.append(&leaves(512..1030)).expect("appended");
    assert_eq!(log.sign_beginning(&key(), 300).expect("signed"), then);
    assert_eq!(log.sign_beginning(&key(), 512).expect("signed"), whole);
    let earlier = log.sign_beginning(&key(), 299);
    assert!(matches!(earlier, Err(LogError::Inconsistent { .. })), "{earlier:?}");
    let beyond = log.sign_beginning(&key(), 1031);
    assert!(matches!(beyond, Err(LogError::NoEntry { .. })), "{beyond:?}");
    // A leaf, or a hash, that changed on the disk since is not signed for.
    for file in ["tile/entries/001", "tile/0/001"] {
        let file = folder.path().join(file);
        let whole = fs_err::read(&file).expect("a file");
        let mut bytes = whole.clone();
        bytes[9] ^= 1;
        fs_err::write(&file, bytes).expect("written");
        assert!(log.sign_beginning(&key(), 512).is_err(), "{}", file.display());
        fs_err::write(&file, whole).expect("put back");
    }
    // What was there when the last one was signed is not read again: a start signs as fast whatever the log has grown to.
    fs_err::remove_file(folder.path().join("tile/entries/000")).expect("removed");
    assert_eq!(log.sign_beginning(&key(), 512).expect("signed"), whole);
}

#[test]
fn who_only_looks_finds_what_opening_finds_and_touches_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let none = LogLook::at(&folder.path().join("none")).expect("a log without leaves");
    assert_eq!((none.size(), none.published()), (0, None));
    let (mut log, _) = LogFolder::open(folder.path()).expect("a log");
    log.append(&leaves(0..66_000)).expect("appended");
    log.publish(&key()).expect("signed");
    let origin = key().verifier().origin().clone();
    // A tile that a batch has not written, and what was left of another one.
    fs_err::remove_file(folder.path().join("tile/1/000")).expect("removed");
    fs_err::create_dir_all(folder.path().join("tile/0/300.p")).expect("a folder");
    fs_err::write(folder.path().join("tile/0/300.p/7"), b"left behind").expect("a file");
    let before = contents(folder.path());
    let look = LogLook::at(folder.path()).expect("a log");
    assert_eq!((look.size(), look.head()), (66_000, log.head()));
    assert_eq!(look.published(), log.published());
    assert_eq!((look.tree().size(), look.tree().root()), (66_000, log.head().root));
    assert_eq!(root_at(&look, 65_700).expect("read"), root_at(&log, 65_700).expect("read"));
    look.check_signable(&origin).expect("it would be signed");
    assert_eq!(contents(folder.path()), before, "nothing is touched");
    let (opened, _) = LogFolder::open(folder.path()).expect("a log");
    assert_eq!(opened.head(), look.head());
    assert!(folder.path().join("tile/1/000").exists(), "opening writes what was missing");
}

#[test]
fn a_tile_that_was_altered_is_named_by_the_hashes_of_the_leaves() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut log, _) = LogFolder::open(folder.path()).expect("a log");
    let all = leaves(0..700);
    log.append(&all).expect("appended");
    log.publish(&key()).expect("signed");
    let altered = |count: usize| {
        let look = LogLook::at(folder.path()).expect("a log");
        let hashes = all[..count].iter().map(|leaf| Ok::<_, std::io::Error>(leaf_hash(leaf)));
        look.altered_tile(hashes).expect("read").map(|tile| tile.to_string())
    };
    assert_eq!(altered(700), None);
    for file in ["tile/0/000", "tile/0/001", "tile/1/000.p/2"] {
        let path = folder.path().join(file);
        let whole = fs_err::read(&path).expect("a file");
        let mut bytes = whole.clone();
        bytes[33] ^= 1;
        fs_err::write(&path, bytes).expect("written");
        assert_eq!(altered(700).as_deref(), Some(file));
        fs_err::write(&path, whole).expect("put back");
    }
    assert_eq!(altered(300), None, "as far as leaves are known");
}

#[test]
fn a_write_that_failed_once_is_done_again_where_nothing_else_has_changed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut log, _) = LogFolder::open(folder.path()).expect("a log");
    log.append(&leaves(0..300)).expect("appended");
    log.publish(&key()).expect("signed");
    // No file can be written while a folder stands where each of them begins.
    let hindrance = folder.path().join(".unfinished");
    fs_err::create_dir(&hindrance).expect("made");
    assert!(log.append(&leaves(300..310)).is_err());
    assert_eq!(log.recover().expect("what there is can be read"), 300);
    assert!(log.append(&leaves(300..310)).is_err(), "it is hindered still");
    fs_err::remove_dir(&hindrance).expect("removed");
    assert_eq!(log.recover().expect("opened again"), 300);
    log.append(&leaves(300..310)).expect("appended");
    fs_err::create_dir(&hindrance).expect("made");
    assert!(log.publish(&key()).is_err());
    fs_err::remove_dir(&hindrance).expect("removed");
    assert_eq!(log.recover().expect("opened again"), 310);
    log.publish(&key()).expect("signed");
    assert!(verify_folder(folder.path(), &key().verifier()).expect("a folder").ok);

    // What somebody else has written meanwhile is not taken over.
    fs_err::create_dir(&hindrance).expect("made");
    assert!(log.append(&leaves(310..320)).is_err());
    fs_err::remove_dir_all(folder.path()).expect("removed");
    let (mut other, _) = LogFolder::open(folder.path()).expect("a log");
    other.append(&leaves(1..400)).expect("appended");
    assert!(matches!(log.recover(), Err(LogError::Inconsistent { .. })));
}
