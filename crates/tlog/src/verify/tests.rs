use std::fs;
use std::path::PathBuf;

use renkei_types::{EventId, SeededEntropy};

use super::*;
use crate::checkpoint::LogKey;
use crate::folder::LogFolder;
use crate::leaf::{Leaf, LeafResult, Operation, SeenCheckpoint, UtcMillis};

/// A leaf whose bytes and time follow from its index.
pub(crate) fn synthetic_leaf(index: u64) -> Vec<u8> {
    let mut id = [0; 16];
    id[8..].copy_from_slice(&index.to_be_bytes());
    let time = UtcMillis(1_795_219_200_000 + index);
    let mut leaf = Leaf::new(EventId::from_bytes(id), time, Operation::QuerySingle, LeafResult::Ok);
    leaf.purpose = Some("counter".parse().expect("a slug"));
    leaf.to_bytes().expect("a leaf")
}

fn key() -> LogKey {
    let origin = "kita.example/renkei-audit/131016/2026".parse().expect("an origin");
    LogKey::generate(origin, &SeededEntropy::new(1))
}

fn published(leaves: &[Vec<u8>]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut log, _) = LogFolder::open(folder.path()).expect("a log");
    log.append(leaves).expect("appended");
    log.publish(&key()).expect("signed");
    folder
}

fn published_range(count: u64) -> tempfile::TempDir {
    published(&(0..count).map(synthetic_leaf).collect::<Vec<_>>())
}

fn verified(folder: &Path) -> Verification {
    verify_folder(folder, &key().verifier()).expect("readable")
}

fn first_bad(folder: &Path) -> FirstBad {
    let verification = verified(folder);
    assert!(!verification.ok);
    verification.first_bad.expect("a flaw")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

#[test]
fn the_folder_as_published_is_the_log() {
    for count in [0, 1, 255, 256, 257, 600] {
        let folder = published_range(count);
        let verification = verified(folder.path());
        assert!(verification.ok && verification.size == count, "{count}: {verification:?}");
        assert!(verification.root.is_some());
    }
}

/// Leaves in which a fiscal year ends with the third and the next one begins with the fourth, which says this of the tree.
fn two_years(seen: Option<(u64, crate::hash::Hash)>, last: Operation) -> Vec<Vec<u8>> {
    let leaf = |index: u64, operation: Operation| {
        let mut leaf = Leaf::parse(&synthetic_leaf(index)).expect("a leaf");
        leaf.op = operation;
        leaf
    };
    let mut leaves: Vec<Vec<u8>> = (0..2).map(synthetic_leaf).collect();
    leaves.push(leaf(2, last).to_bytes().expect("a leaf"));
    let mut open = leaf(3, Operation::ShardOpen);
    open.seen = seen.map(|(size, root)| SeenCheckpoint { size, root: root.into() });
    leaves.push(open.to_bytes().expect("a leaf"));
    leaves.push(synthetic_leaf(4));
    leaves
}

#[test]
fn a_fiscal_year_that_begins_must_say_how_the_one_before_ended() {
    let close = Operation::ShardClose;
    let hashes = |leaves: &[Vec<u8>]| leaves.iter().map(|leaf| leaf_hash(leaf)).collect::<Vec<_>>();
    let before = |last| crate::tree::tree_root(&hashes(&two_years(None, last)[..3]));
    let flaw = |seen, last| {
        let folder = published(&two_years(seen, last));
        verified(folder.path()).first_bad.map(|bad| bad.flaw)
    };
    let broken = Some(Flaw::YearNotContinued { entry: 3 });
    assert_eq!(flaw(Some((3, before(close))), close), None);
    assert_eq!(flaw(None, close), broken, "it says nothing");
    assert_eq!(flaw(Some((2, before(close))), close), broken, "another size");
    assert_eq!(flaw(Some((3, leaf_hash(b"other"))), close), broken, "another root");
    let other = Operation::QuerySingle;
    assert_eq!(flaw(Some((3, before(other))), other), broken, "the year before did not end");
}

/// The first of ten entries that is wrong, where the fourth is changed.
fn flaw_of_fourth(change: impl FnOnce(&mut Leaf)) -> Option<FirstBad> {
    let mut leaves: Vec<Vec<u8>> = (0..10).map(synthetic_leaf).collect();
    let mut fourth = Leaf::parse(&leaves[3]).expect("a leaf");
    change(&mut fourth);
    leaves[3] = fourth.to_bytes().expect("a leaf");
    verified(published(&leaves).path()).first_bad
}

#[test]
fn what_no_broker_writes_is_no_log_though_its_key_has_signed_it() {
    assert_eq!(flaw_of_fourth(|_| {}), None);
    let at = |entry, flaw| Some(FirstBad { index: Some(entry), flaw });
    // The sixth entry has the id of the fourth, which stands first.
    let id = Leaf::parse(&synthetic_leaf(5)).expect("a leaf").id;
    assert_eq!(flaw_of_fourth(|leaf| leaf.id = id), at(5, Flaw::RepeatedId { entry: 5 }));
    let ended = flaw_of_fourth(|leaf| leaf.op = Operation::ShardClose);
    assert_eq!(ended, at(4, Flaw::YearNotFollowed { entry: 4 }));
    let word = |field| at(3, Flaw::UnknownWord { entry: 3, field });
    let code = flaw_of_fourth(|leaf| leaf.code = Some("BECAUSE".parse().expect("a code")));
    assert_eq!(code, word("code"));
    let basis =
        |text: &str| flaw_of_fourth(|leaf| leaf.basis = Some(text.parse().expect("a slug")));
    assert_eq!(basis("habit"), word("basis"));
    assert_eq!(basis("kojoho_61_1"), None);
    let known = Some(renkei_types::Reason::NoAgreement.into());
    assert_eq!(flaw_of_fourth(|leaf| leaf.code = known), None);
    // A log may end with its year.
    let mut leaves: Vec<Vec<u8>> = (0..3).map(synthetic_leaf).collect();
    leaves.push(two_years(None, Operation::ShardClose).swap_remove(2));
    leaves.remove(2);
    assert!(verified(published(&leaves).path()).ok);
}

#[test]
fn a_pipe_in_the_place_of_a_file_is_named_and_never_waited_for() {
    let folder = published_range(600);
    for name in ["checkpoint", "tile/entries/001", "tile/1/000.p/2"] {
        let (path, aside) = (folder.path().join(name), folder.path().join("aside"));
        fs_err::rename(&path, &aside).expect("put aside");
        let made = std::process::Command::new("mkfifo").arg(&path).status().expect("it runs");
        assert!(made.success());
        let flaw = first_bad(folder.path()).flaw;
        assert_eq!(flaw, Flaw::NotAFile { file: name.to_owned() });
        fs_err::rename(&aside, &path).expect("put back");
    }
    assert!(verified(folder.path()).ok);
}

#[test]
fn changing_any_byte_of_any_file_is_found_and_blamed_on_the_entry_or_the_file() {
    let folder = published_range(600);
    let all = files(folder.path());
    assert_eq!(all.len(), 8, "a checkpoint, three bundles, three tiles, one tile above");
    for path in &all {
        let name = path.strip_prefix(folder.path()).expect("below").to_string_lossy().into_owned();
        let bytes = fs_err::read(path).expect("a file");
        // Every byte of the checkpoint; of the others those a prime apart, and the first length and the last byte.
        let step = match name.as_str() {
            "checkpoint" => 1,
            bundle if bundle.starts_with("tile/entries") => 251,
            _ => 67,
        };
        for at in (0..bytes.len()).step_by(step).chain([1, bytes.len() - 1]) {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << (at % 8);
            fs_err::write(path, &changed).expect("a file");
            let bad = first_bad(folder.path());
            let what = bad.localised(Language::English);
            assert!(what.contains(&name), "byte {at} of {name}: {what}");
            if name.starts_with("tile/entries") {
                let entry = entry_of_byte(&name, &bytes, at);
                assert_eq!(bad.index, Some(entry), "byte {at} of {name}: {what}");
            } else {
                assert_eq!(bad.index, None, "byte {at} of {name}: {what}");
            }
        }
        fs_err::write(path, &bytes).expect("a file");
    }
    assert!(verified(folder.path()).ok);
}

/// The index of the entry to which a byte of a bundle belongs, its length included.
fn entry_of_byte(name: &str, bundle: &[u8], at: usize) -> u64 {
    let first = name.parse::<TilePath>().expect("a path").index() * TILE_WIDTH;
    let mut end = 0;
    for (index, entry) in (first..).zip(Entries::of(bundle)) {
        end += 2 + entry.expect("an entry").len();
        if at < end {
            return index;
        }
    }
    panic!("byte {at} lies beyond the bundle");
}

#[test]
fn a_missing_a_longer_and_a_shorter_file_are_named() {
    let folder = published_range(600);
    for path in files(folder.path()) {
        let name = path.strip_prefix(folder.path()).expect("below").to_string_lossy().into_owned();
        let bytes = fs_err::read(&path).expect("a file");
        let mut longer = bytes.clone();
        longer.push(0);
        for changed in
            [None, Some(&longer[..]), Some(&bytes[..bytes.len() - 1]), Some(&bytes[..32])]
        {
            match changed {
                Some(changed) => fs_err::write(&path, changed).expect("a file"),
                None => fs_err::remove_file(&path).expect("a file"),
            }
            let what = first_bad(folder.path()).localised(Language::English);
            assert!(what.contains(&name), "{name}: {what}");
        }
        fs_err::write(&path, bytes).expect("a file");
    }
}

#[test]
fn a_file_that_is_no_part_of_the_tree_is_named_and_a_key_in_the_folder_ignored() {
    let folder = published_range(600);
    let stranger = LogKey::generate(key().origin().clone(), &SeededEntropy::new(2));
    fs_err::write(folder.path().join("log.vkey"), stranger.verifier().to_string()).expect("a file");
    assert!(verified(folder.path()).ok);
    assert!(!verify_folder(folder.path(), &stranger.verifier()).expect("readable").ok);
    for name in
        ["tile/0/003", "tile/0/002.p/87", "tile/2/000.p/1", "tile/notes.txt", "tile/0/000.bak"]
    {
        let path = folder.path().join(name);
        fs_err::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs_err::write(&path, b"x").expect("a file");
        let bad = first_bad(folder.path());
        assert_eq!(
            bad,
            FirstBad { index: None, flaw: Flaw::Superfluous { file: name.to_owned() } }
        );
        fs_err::remove_file(&path).expect("a file");
    }
    assert!(verified(folder.path()).ok);
}

#[test]
fn entries_changed_together_with_their_tile_are_found_by_what_is_above() {
    let folder = published_range(600);
    let other = published(&(0..600).map(|index| synthetic_leaf(index + 1)).collect::<Vec<_>>());
    for (names, what) in [
        (vec!["tile/entries/000", "tile/0/000"], "below tile/1/000.p/2"),
        (vec!["tile/entries/002.p/88", "tile/0/002.p/88"], "checkpoint"),
    ] {
        let restore: Vec<_> = names
            .iter()
            .map(|name| {
                (folder.path().join(name), fs_err::read(folder.path().join(name)).expect("a file"))
            })
            .collect();
        for name in &names {
            fs_err::copy(other.path().join(name), folder.path().join(name)).expect("a copy");
        }
        let bad = first_bad(folder.path());
        assert!(bad.localised(Language::English).contains(what), "{bad:?}");
        restore.into_iter().for_each(|(path, bytes)| fs_err::write(path, bytes).expect("a file"));
    }
    assert!(verified(folder.path()).ok);
}

#[test]
fn a_signed_entry_that_is_no_leaf_or_goes_back_in_time_is_damage() {
    let mut leaves: Vec<_> = (0..5).map(synthetic_leaf).collect();
    leaves[3] = b"{}".to_vec();
    let bad = first_bad(published(&leaves).path());
    assert!(matches!(bad.flaw, Flaw::NotALeaf { entry: 3, .. }), "{bad:?}");
    assert_eq!(bad.index, Some(3));
    leaves[3] = synthetic_leaf(1);
    let bad = first_bad(published(&leaves).path());
    assert_eq!(bad, FirstBad { index: Some(3), flaw: Flaw::TimeGoesBack { entry: 3 } });
}

#[test]
fn flaws_are_told_in_both_languages_and_a_folder_that_is_not_there_is_an_error() {
    let folder = published_range(3);
    fs_err::remove_file(folder.path().join("tile/0/000.p/3")).expect("a file");
    let bad = first_bad(folder.path());
    assert_eq!(bad.localised(Language::English), "tile/0/000.p/3 is missing");
    assert_eq!(bad.localised(Language::Japanese), "tile/0/000.p/3がありません");
    let nowhere = verify_folder(&folder.path().join("nowhere"), &key().verifier());
    assert!(matches!(nowhere, Err(VerifyError::NoFolder { .. })));
}
