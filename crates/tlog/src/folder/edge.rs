//! The unfinished right edge of the tree: how it grows, and how it is found again.
//!
//! At most 255 hashes of each level and one bundle are kept, whatever the size of the log, and opening reads no more than
//! that. What the last group of files has left incomplete is made whole from the level below.

use super::error::LogError;
use super::files::Files;
use super::read::{damaged, read_bundle, read_tile};
use crate::hash::{Hash, leaf_hash};
use crate::tile::{
    TILE_HEIGHT, TILE_LEVELS, TILE_WIDTH, TileKind, TilePath, push_entry, row_count, tile_bytes,
    tile_kinds,
};
use crate::tree::{Frontier, tree_root};

/// Bundles of one group of files that becomes durable together. A crash leaves gaps only within the last group.
pub(super) const GROUP_TILES: u64 = 64;

/// The unfinished right edge of the tree: all that appending needs.
#[derive(Clone, Debug)]
pub(super) struct Edge {
    frontier: Frontier,
    /// The hashes of the last tile of each level, fewer than 256.
    rows: Vec<Vec<Hash>>,
    /// The bytes of the last entry bundle.
    bundle: Vec<u8>,
}

impl Edge {
    /// Reads the right edge of the tree; upper tiles that are missing are mended with those below.
    pub(super) fn read(files: &mut Files, size: u64) -> Result<Self, LogError> {
        let mut rows = Vec::new();
        let mut last = Vec::new();
        for level in 0..TILE_LEVELS {
            let count = row_count(TileKind::Hashes(level), size);
            let full = count / TILE_WIDTH;
            // One group of leaves fills at most one tile of an upper level, so no other can be missing.
            let unsure = if level == 0 { full..full } else { full.saturating_sub(1)..full };
            for index in unsure.chain((!count.is_multiple_of(TILE_WIDTH)).then_some(full)) {
                let hashes = match read_tile(files, level, index, count) {
                    Err(LogError::Damaged { .. }) if level > 0 => {
                        let hashes = combine_tiles(files, level, index, count)?;
                        if let Some(tile) = TilePath::in_row(TileKind::Hashes(level), index, count)
                        {
                            files.mend(tile.to_string(), tile_bytes(&hashes));
                        }
                        hashes
                    }
                    read => read?,
                };
                if index == full {
                    last = hashes;
                }
            }
            rows.push(std::mem::take(&mut last));
        }
        let mut bundle = Vec::new();
        if !size.is_multiple_of(TILE_WIDTH) {
            let entries = read_bundle(files, size / TILE_WIDTH, size)?;
            if !entries.iter().map(|entry| leaf_hash(entry)).eq(rows[0].iter().copied()) {
                return Err(damaged(last_partial(TileKind::Entries, size)));
            }
            entries.iter().try_for_each(|entry| push_entry(&mut bundle, entry))?;
        }
        Ok(Self { frontier: Frontier::of_rows(&rows), rows, bundle })
    }

    /// The tree, as appending has it.
    pub(super) fn tree(&self) -> &Frontier {
        &self.frontier
    }

    /// The root, as appending has it.
    pub(super) fn root(&self) -> Hash {
        self.frontier.root()
    }

    /// The hashes of the last tile of a level, if that is not full.
    pub(super) fn row(&self, level: u8) -> &[Hash] {
        &self.rows[usize::from(level)]
    }

    /// Leaves of the tree.
    pub(super) fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// Adds a leaf, and to `filled` the files that it fills.
    pub(super) fn append(
        &mut self,
        leaf: &[u8],
        filled: &mut Vec<(TilePath, Vec<u8>)>,
    ) -> Result<(), LogError> {
        push_entry(&mut self.bundle, leaf)?;
        let index = self.size() / TILE_WIDTH;
        let mut hash = leaf_hash(leaf);
        self.frontier.append(hash);
        for (level, row) in (0..TILE_LEVELS).zip(&mut self.rows) {
            row.push(hash);
            if (row.len() as u64) < TILE_WIDTH {
                return Ok(());
            }
            if level == 0 {
                let bundle = std::mem::take(&mut self.bundle);
                filled.push((TilePath::full(TileKind::Entries, index), bundle));
            }
            let kind = TileKind::Hashes(level);
            let tile = TilePath::full(kind, index >> (u32::from(level) * TILE_HEIGHT));
            filled.push((tile, tile_bytes(row)));
            hash = tree_root(row);
            row.clear();
        }
        Ok(())
    }

    /// The partial files of the edge, as far as they differ from those of a smaller tree.
    pub(super) fn partial_files(&self, since: u64) -> Vec<(TilePath, Vec<u8>)> {
        let size = self.size();
        let mut partial = Vec::new();
        for kind in tile_kinds() {
            let Some(tile) = last_partial(kind, size) else { continue };
            if last_partial(kind, since) == Some(tile) {
                continue;
            }
            let bytes = match kind {
                TileKind::Entries => self.bundle.clone(),
                TileKind::Hashes(level) => tile_bytes(&self.rows[usize::from(level)]),
            };
            partial.push((tile, bytes));
        }
        partial
    }
}

/// The partial tile or bundle at the end of a row, if the last one is not full.
fn last_partial(kind: TileKind, size: u64) -> Option<TilePath> {
    let count = row_count(kind, size);
    TilePath::in_row(kind, count / TILE_WIDTH, count)
}

/// How many leaves the tiles of level 0 hold without a gap.
pub(super) fn integrated_size(files: &Files) -> Result<u64, LogError> {
    let exists = |index| files.exists(&TilePath::full(TileKind::Hashes(0), index).to_string());
    // Doubling, then halving: forty look-ups find the end of any log.
    let (mut present, mut absent) = (0, 1);
    while absent < u64::MAX / TILE_WIDTH / 2 && exists(absent - 1)? {
        (present, absent) = (absent, absent * 2);
    }
    while absent - present > 1 {
        let middle = present + (absent - present) / 2;
        if exists(middle - 1)? { present = middle } else { absent = middle }
    }
    // That end may lie behind a gap of the last group.
    let mut full = present;
    for index in (present.saturating_sub(2 * GROUP_TILES)..present).rev() {
        if !exists(index)? {
            full = index;
        }
    }
    let widths = files.list(&format!("{}.p", TilePath::full(TileKind::Hashes(0), full)))?;
    let widths = widths.iter().filter_map(|(name, _)| name.parse::<u64>().ok());
    let width = widths.filter(|width| (1..TILE_WIDTH).contains(width)).max();
    Ok(full * TILE_WIDTH + width.unwrap_or_default())
}

/// A tile made from the full tiles of the level below.
fn combine_tiles(files: &Files, level: u8, index: u64, count: u64) -> Result<Vec<Hash>, LogError> {
    let children = index * TILE_WIDTH..count.min((index + 1) * TILE_WIDTH);
    children
        .map(|child| read_tile(files, level - 1, child, (child + 1) * TILE_WIDTH))
        .map(|tile| tile.map(|tile| tree_root(&tile)))
        .collect()
}
