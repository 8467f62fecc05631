//! Entries in their order, each checked against its hash.

use std::ops::Range;

use super::error::LogError;
use super::files::Files;
use super::read::checked_bundle;
use crate::tile::TILE_WIDTH;

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
        let mut entries = checked_bundle(files, self.next / TILE_WIDTH, size)?;
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
