//! Entries in their order, each checked against its hash.

use std::ops::Range;

use super::error::LogError;
use super::files::Files;
use super::read::{damaged, read_bundle, read_tile};
use crate::hash::leaf_hash;
use crate::tile::{TILE_WIDTH, TileKind, TilePath};

/// Reads leaves one after the other, a bundle at a time.
#[derive(Debug)]
pub struct Leaves<'a> {
    files: &'a Files,
    size: u64,
    next: u64,
    end: u64,
    read: std::vec::IntoIter<Vec<u8>>,
}

impl<'a> Leaves<'a> {
    pub(super) fn of(files: &'a Files, size: u64, range: Range<u64>) -> Self {
        Self { files, size, next: range.start, end: range.end, read: Vec::new().into_iter() }
    }

    fn read_bundle(&mut self) -> Result<(), LogError> {
        let (files, size) = (self.files, self.size);
        let index = self.next / TILE_WIDTH;
        let mut entries = read_bundle(files, index, size)?;
        let hashes = read_tile(files, 0, index, size)?;
        if !entries.iter().map(|entry| leaf_hash(entry)).eq(hashes) {
            return Err(damaged(TilePath::in_row(TileKind::Entries, index, size)));
        }
        // Below 256.
        entries.drain(..(self.next % TILE_WIDTH) as usize);
        self.read = entries.into_iter();
        Ok(())
    }
}

impl Iterator for Leaves<'_> {
    type Item = Result<Vec<u8>, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next >= self.end {
            return None;
        }
        if self.read.len() == 0
            && let Err(error) = self.read_bundle()
        {
            self.next = self.end;
            return Some(Err(error));
        }
        self.next += 1;
        self.read.next().map(Ok)
    }
}
