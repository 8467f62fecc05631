//! Entries of full bundles, read beside the writer: files of full tiles never change.
//!
//! A question about a log of a million entries may be answered by a thousand that stand in as many bundles. Reading each of
//! these whole, and hashing its 256 entries, would be a hundred times the work of reading the one that is wanted. So
//! whoever keeps an index keeps where each entry begins, and only that entry is read and held against its hash.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use super::error::LogError;
use super::files::Files;
use super::read::{checked_bundle, damaged, read_tile};
use crate::hash::{Hash, leaf_hash};
use crate::tile::{TILE_WIDTH, TileKind, TilePath};

/// Bytes that a bundle gives the length of each entry.
const LENGTH_BYTES: u32 = 2;

/// Reads entries of full bundles.
#[derive(Debug)]
pub struct PlacedLeaves {
    files: Files,
    /// What was read from last: answers often follow each other.
    opened: Option<OpenBundle>,
}

#[derive(Debug)]
struct OpenBundle {
    index: u64,
    file: fs_err::File,
    hashes: Vec<Hash>,
}

impl PlacedLeaves {
    /// Entries in each bundle.
    pub const BUNDLE: u64 = TILE_WIDTH;

    /// Reads from a log's folder.
    pub fn in_folder(folder: &Path) -> Self {
        Self { files: Files::in_folder(folder), opened: None }
    }

    /// Where in its bundle the entry begins that follows another.
    pub fn offset_behind(offset: u32, entry: &[u8]) -> u32 {
        let length = u32::try_from(entry.len()).unwrap_or(u32::MAX);
        offset.saturating_add(LENGTH_BYTES).saturating_add(length)
    }

    /// The entries of a full bundle, each checked against its hash.
    pub fn bundle(&self, index: u64) -> Result<Vec<Vec<u8>>, LogError> {
        checked_bundle(&self.files, index, (index + 1) * TILE_WIDTH)
    }

    /// One entry, which begins at this byte of its bundle, checked against its hash.
    pub fn read(&mut self, index: u64, offset: u32) -> Result<Vec<u8>, LogError> {
        let bundle = index / TILE_WIDTH;
        let opened = match self.opened.take() {
            Some(opened) if opened.index == bundle => opened,
            Some(_) | None => self.open(bundle)?,
        };
        let opened = self.opened.insert(opened);
        let entry = opened.entry(offset)?;
        // Below 256.
        if opened.hashes.get((index % TILE_WIDTH) as usize) != Some(&leaf_hash(&entry)) {
            return Err(damaged(Some(TilePath::full(TileKind::Entries, bundle))));
        }
        Ok(entry)
    }

    fn open(&self, index: u64) -> Result<OpenBundle, LogError> {
        let tile = TilePath::full(TileKind::Entries, index);
        let file = self.files.open(&tile.to_string())?.ok_or_else(|| damaged(Some(tile)))?;
        let hashes = read_tile(&self.files, 0, index, (index + 1) * TILE_WIDTH)?;
        Ok(OpenBundle { index, file, hashes })
    }
}

impl OpenBundle {
    fn entry(&mut self, offset: u32) -> Result<Vec<u8>, LogError> {
        self.file.seek(SeekFrom::Start(offset.into()))?;
        let mut length = [0; LENGTH_BYTES as usize];
        self.file.read_exact(&mut length)?;
        let mut entry = vec![0; usize::from(u16::from_be_bytes(length))];
        self.file.read_exact(&mut entry)?;
        Ok(entry)
    }
}

#[cfg(test)]
mod tests {
    use super::super::LogFolder;
    use super::*;

    fn log(entries: u32) -> (tempfile::TempDir, Vec<Vec<u8>>) {
        let folder = tempfile::tempdir().expect("a folder");
        let entries: Vec<Vec<u8>> =
            (0..entries).map(|n| format!("entry {}", u64::from(n).pow(3)).into_bytes()).collect();
        let (mut log, _) = LogFolder::open(folder.path()).expect("a log");
        log.append(&entries).expect("appended");
        (folder, entries)
    }

    #[test]
    fn every_entry_of_a_full_bundle_is_found_by_where_it_begins() {
        let (folder, entries) = log(600);
        let mut placed = PlacedLeaves::in_folder(folder.path());
        for bundle in 0..2 {
            let first = bundle * PlacedLeaves::BUNDLE;
            let mut offset = 0;
            for (index, entry) in (first..).zip(placed.bundle(bundle).expect("a bundle")) {
                assert_eq!(placed.read(index, offset).expect("an entry"), entry);
                assert_eq!(entry, entries[usize::try_from(index).expect("small")]);
                offset = PlacedLeaves::offset_behind(offset, &entry);
            }
        }
        assert!(placed.bundle(2).is_err(), "not full");
        assert!(placed.read(512, 0).is_err(), "not full");
    }

    #[test]
    fn an_entry_that_was_changed_or_begins_elsewhere_is_refused() {
        let (folder, entries) = log(256);
        let mut placed = PlacedLeaves::in_folder(folder.path());
        let second = PlacedLeaves::offset_behind(0, &entries[0]);
        assert!(placed.read(0, second).is_err(), "another entry");
        assert!(placed.read(1, second).is_ok());
        let file = folder.path().join("tile/entries/000");
        let mut bytes = fs_err::read(&file).expect("a bundle");
        bytes[second as usize + 3] ^= 1;
        fs_err::write(&file, bytes).expect("written");
        assert!(placed.read(1, second).is_err(), "changed");
        assert!(placed.read(0, 0).is_ok());
    }
}
