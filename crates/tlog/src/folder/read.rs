//! Reading one tile or bundle as it must be in a log of a known size. Anything else is damage, and named.

use super::error::LogError;
use super::files::Files;
use crate::hash::{Hash, leaf_hash};
use crate::tile::{Entries, TileKind, TilePath, tile_hashes};

pub(super) fn damaged(tile: Option<TilePath>) -> LogError {
    LogError::Damaged { file: tile.map_or_else(|| "tile".to_owned(), |tile| tile.to_string()) }
}

/// The hashes of a tile in a row of `count` hashes.
pub(super) fn read_tile(
    files: &Files,
    level: u8,
    index: u64,
    count: u64,
) -> Result<Vec<Hash>, LogError> {
    let tile = TilePath::in_row(TileKind::Hashes(level), index, count);
    let bytes = match tile {
        Some(tile) => files.read(&tile.to_string())?,
        None => None,
    };
    let hashes = bytes.and_then(|bytes| tile_hashes(&bytes));
    let hashes =
        hashes.filter(|hashes| tile.is_some_and(|t| usize::from(t.width()) == hashes.len()));
    hashes.ok_or_else(|| damaged(tile))
}

/// The entries of a bundle in a log of `size` leaves.
pub(super) fn read_bundle(files: &Files, index: u64, size: u64) -> Result<Vec<Vec<u8>>, LogError> {
    let tile = TilePath::in_row(TileKind::Entries, index, size);
    let bytes = match tile {
        Some(tile) => files.read(&tile.to_string())?,
        None => None,
    };
    let entries: Option<Vec<Vec<u8>>> = bytes.and_then(|bytes| {
        Entries::of(&bytes).map(|entry| entry.map(<[u8]>::to_vec).ok()).collect()
    });
    let entries = entries.filter(|e| tile.is_some_and(|t| usize::from(t.width()) == e.len()));
    entries.ok_or_else(|| damaged(tile))
}

/// The same, each entry checked against its hash.
pub(super) fn checked_bundle(
    files: &Files,
    index: u64,
    size: u64,
) -> Result<Vec<Vec<u8>>, LogError> {
    let entries = read_bundle(files, index, size)?;
    let hashes = read_tile(files, 0, index, size)?;
    if entries.iter().map(|entry| leaf_hash(entry)).eq(hashes) {
        Ok(entries)
    } else {
        Err(damaged(TilePath::in_row(TileKind::Entries, index, size)))
    }
}
