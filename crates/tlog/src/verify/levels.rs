//! The tree above the entries, recomputed as they pass by: at most 256 hashes of each level are held.

use crate::hash::Hash;
use crate::tile::{TILE_HEIGHT, TILE_LEVELS, TILE_WIDTH, TileKind, TilePath, row_count};
use crate::tree::{root_of_rows, tree_root};

/// The unfinished tiles of each level.
#[derive(Debug)]
pub(crate) struct Levels {
    rows: Vec<Vec<Hash>>,
}

impl Levels {
    pub(crate) fn new() -> Self {
        Self { rows: vec![Vec::new(); usize::from(TILE_LEVELS)] }
    }

    /// Takes the hashes of tile `index` of level 0, and gives the upper tiles that it fills.
    pub(crate) fn append(&mut self, index: u64, hashes: Vec<Hash>) -> Vec<(TilePath, Vec<Hash>)> {
        let mut filled = Vec::new();
        if let Some(lowest) = self.rows.first_mut() {
            *lowest = hashes;
        }
        for level in 0..TILE_LEVELS - 1 {
            let row = &mut self.rows[usize::from(level)];
            if (row.len() as u64) < TILE_WIDTH {
                break;
            }
            let root = tree_root(row);
            let full = std::mem::take(row);
            if level > 0 {
                let index = index >> (u32::from(level) * TILE_HEIGHT);
                filled.push((TilePath::full(TileKind::Hashes(level), index), full));
            }
            self.rows[usize::from(level) + 1].push(root);
        }
        filled
    }

    /// The unfinished tiles above level 0 of the tree of `size` leaves.
    pub(crate) fn last_tiles(&self, size: u64) -> Vec<(TilePath, Vec<Hash>)> {
        let rows = (0..TILE_LEVELS).zip(&self.rows).skip(1);
        rows.filter_map(|(level, row)| {
            let kind = TileKind::Hashes(level);
            let count = row_count(kind, size);
            let tile = TilePath::in_row(kind, count / TILE_WIDTH, count)?;
            Some((tile, row.clone()))
        })
        .collect()
    }

    /// The root over all that was appended.
    pub(crate) fn root(&self) -> Hash {
        root_of_rows(&self.rows)
    }
}
