//! A log's folder as opening would find it: how many leaves it holds, what its tree is, and what nothing would be signed on.
//! Nothing is written.
//!
//! [`super::LogFolder`] is this with the means to go on. So whoever looks beside a writer, and whoever is about to write, find the
//! same. A writer that signs meanwhile takes files of the older tree away: then the folder seems damaged, and is looked at again.
//!
//! Invariant: a root that is answered for signing was found twice, and goes on from what was published.

use std::io;
use std::ops::Range;
use std::path::Path;

use super::edge::{Edge, integrated_size};
use super::error::{LogError, TreeHead};
use super::files::Files;
use super::leaves::Leaves;
use super::read::{damaged, read_bundle, read_tile};
use super::{CHECKPOINT, COSIGNED};
use crate::checkpoint::{Checkpoint, CheckpointError, NOTE_BYTES_MAX, Origin, claimed};
use crate::hash::{Hash, leaf_hash};
use crate::proof::{HashReader, root_at};
use crate::tile::{
    Entries, TILE_LEVELS, TILE_WIDTH, TileKind, TilePath, push_entry, row_count, tile_bytes,
    tile_hashes,
};
use crate::tree::{Frontier, root_of_rows, tree_root};
use crate::verify::levels::Levels;

/// A log's folder, read.
#[derive(Debug)]
pub struct LogLook {
    pub(super) files: Files,
    pub(super) edge: Edge,
    pub(super) published: Option<Checkpoint>,
}

impl LogLook {
    /// Looks at a folder. Where there is none, it is that of a log without leaves.
    pub fn at(folder: &Path) -> Result<Self, LogError> {
        Self::of(Files::in_folder(folder))
    }

    /// Refuses a folder that holds less than its own checkpoint says.
    pub(super) fn of(mut files: Files) -> Result<Self, LogError> {
        // In this order: a leaf is there before it is signed.
        let published = published(&files)?;
        let size = integrated_size(&files)?;
        let expected = published.as_ref().filter(|published| published.size > size);
        let edge = Edge::read(&mut files, size);
        if let Some(published) = expected {
            // What looks unfinished may be what is left of the lost leaves.
            let root = edge.map(|edge| edge.root()).unwrap_or_else(|_| tree_root(&[]));
            let expected = TreeHead { size: published.size, root: published.root };
            return Err(LogError::Inconsistent { expected, found: TreeHead { size, root } });
        }
        Ok(Self { files, edge: edge?, published })
    }

    /// Leaves that the folder holds.
    pub fn size(&self) -> u64 {
        self.edge.size()
    }

    /// Size and root of all that was appended, signed or not.
    pub fn head(&self) -> TreeHead {
        TreeHead { size: self.size(), root: self.edge.root() }
    }

    /// The tree over all leaves, which can be gone on with.
    pub fn tree(&self) -> Frontier {
        self.edge.tree().clone()
    }

    /// What the folder's checkpoint says, if there is one.
    pub fn published(&self) -> Option<&Checkpoint> {
        self.published.as_ref()
    }

    /// The note of the `checkpoint` file, with what witnesses have added to it.
    pub fn note(&self) -> Result<Option<Vec<u8>>, LogError> {
        Ok(self.files.read_at_most(CHECKPOINT, NOTE_BYTES_MAX)?)
    }

    /// The note that was kept last by [`super::LogFolder::keep_cosigned`], unchecked.
    pub fn cosigned(&self) -> Result<Option<Vec<u8>>, LogError> {
        Ok(self.files.read_at_most(COSIGNED, NOTE_BYTES_MAX)?)
    }

    /// The bytes of one leaf, checked against its hash.
    pub fn read_leaf(&self, index: u64) -> Result<Vec<u8>, LogError> {
        let no_entry = LogError::NoEntry { index, size: self.size() };
        self.leaves(index..index.saturating_add(1)).next().unwrap_or(Err(no_entry))
    }

    /// The bytes of leaves in their order, each checked against its hash. What lies beyond the log's end is left out.
    pub fn leaves(&self, range: Range<u64>) -> Leaves<'_> {
        let end = range.end.min(self.size());
        Leaves::of(&self.files, self.size(), range.start..end)
    }

    /// The bytes of a tile or bundle as it was in this tree or a smaller one: what joined since is cut off.
    pub fn tile_as_of(&self, tile: TilePath) -> Result<Vec<u8>, LogError> {
        let (kind, index) = (tile.kind(), tile.index());
        let present = TilePath::in_row(kind, index, row_count(kind, self.size()));
        let present = present.filter(|present| present.width() >= tile.width());
        let present = present.ok_or_else(|| damaged(Some(tile)))?;
        let bytes = self.files.read(&present.to_string())?;
        let bytes = bytes.ok_or_else(|| damaged(Some(present)))?;
        let width = usize::from(tile.width());
        if present == tile {
            return Ok(bytes);
        }
        match kind {
            TileKind::Hashes(_) => bytes.get(..width * Hash::BYTES).map(<[u8]>::to_vec),
            TileKind::Entries => {
                let entries: Vec<_> = Entries::of(&bytes).take(width).flatten().collect();
                let mut cut = Vec::new();
                entries.iter().try_for_each(|entry| push_entry(&mut cut, entry))?;
                (entries.len() == width).then_some(cut)
            }
        }
        .ok_or_else(|| damaged(Some(present)))
    }

    /// Refuses a folder that nothing more would be signed in under this name: it does not begin with its own checkpoint, or two
    /// ways to its root do not meet.
    pub fn check_signable(&self, origin: &Origin) -> Result<(), LogError> {
        self.root_to_sign(self.size(), self.published(), origin).map(drop)
    }

    /// The root over the first `size` leaves, where two ways lead to it and it goes on from what was signed before.
    pub(super) fn root_to_sign(
        &self,
        size: u64,
        previous: Option<&Checkpoint>,
        origin: &Origin,
    ) -> Result<Hash, LogError> {
        let root = if size == self.size() { self.edge.root() } else { root_at(self, size)? };
        let head = TreeHead { size, root };
        if let Some(previous) = previous {
            self.check_continues(previous, head, origin)?;
        }
        let since = previous.map_or(0, |previous| previous.size);
        let root = self.root_from_files(since, size)?;
        if root != head.root {
            let found = TreeHead { size, root };
            return Err(LogError::Inconsistent { expected: head, found });
        }
        Ok(root)
    }

    /// Refuses to sign what does not begin with a checkpoint that was signed before.
    fn check_continues(
        &self,
        previous: &Checkpoint,
        head: TreeHead,
        origin: &Origin,
    ) -> Result<(), LogError> {
        if previous.origin != *origin {
            return Err(CheckpointError::OtherOrigin.into());
        }
        let expected = TreeHead { size: previous.size, root: previous.root };
        let found = if previous.size > head.size {
            head
        } else {
            TreeHead { size: previous.size, root: root_at(self, previous.size)? }
        };
        if expected == found { Ok(()) } else { Err(LogError::Inconsistent { expected, found }) }
    }

    /// The root over the first `size` leaves by the second way: from the files alone. Files written since the tree had `since`
    /// leaves are checked against the level below, down to the bytes of the entries; those before were checked when that tree
    /// was signed.
    fn root_from_files(&self, since: u64, size: u64) -> Result<Hash, LogError> {
        let mut rows = Vec::new();
        for level in 0..TILE_LEVELS {
            let kind = TileKind::Hashes(level);
            let (old, count) = (row_count(kind, since), row_count(kind, size));
            let mut last = Vec::new();
            for index in old / TILE_WIDTH..count.div_ceil(TILE_WIDTH) {
                let hashes = self.hashes_of(level, index, count)?;
                let first = index * TILE_WIDTH;
                let below = if level == 0 {
                    self.entry_hashes_of(index, size)?
                } else {
                    let children = old.max(first)..first + hashes.len() as u64;
                    let below = row_count(TileKind::Hashes(level - 1), size);
                    children
                        .map(|child| self.hashes_of(level - 1, child, below))
                        .map(|tile| tile.map(|tile| tree_root(&tile)))
                        .collect::<Result<Vec<_>, _>>()?
                };
                if !hashes.ends_with(&below) {
                    return Err(damaged(self.present(kind, index)));
                }
                last = hashes;
            }
            if count.is_multiple_of(TILE_WIDTH) {
                last.clear();
            } else if last.is_empty() {
                last = self.hashes_of(level, count / TILE_WIDTH, count)?;
            }
            rows.push(last);
        }
        Ok(root_of_rows(&rows))
    }

    /// The file of a tile or bundle as it is now.
    fn present(&self, kind: TileKind, index: u64) -> Option<TilePath> {
        TilePath::in_row(kind, index, row_count(kind, self.size()))
    }

    /// The hashes of a tile as it was when its row had `count` of them.
    fn hashes_of(&self, level: u8, index: u64, count: u64) -> Result<Vec<Hash>, LogError> {
        let present = row_count(TileKind::Hashes(level), self.size());
        let mut hashes = read_tile(&self.files, level, index, present)?;
        hashes.truncate(width_of(index, count));
        Ok(hashes)
    }

    /// The hashes of the entries of a bundle as it was in a log of `size` leaves.
    fn entry_hashes_of(&self, index: u64, size: u64) -> Result<Vec<Hash>, LogError> {
        let entries = read_bundle(&self.files, index, self.size())?;
        Ok(entries.iter().take(width_of(index, size)).map(|entry| leaf_hash(entry)).collect())
    }

    /// The first file of the tree that is not what the hashes of its leaves make of it, from the first leaf on; nothing where all
    /// are, or as far as hashes come. Every file of the tree is read.
    pub fn altered_tile<E: From<io::Error>>(
        &self,
        mut leaf_hashes: impl Iterator<Item = Result<Hash, E>>,
    ) -> Result<Option<TilePath>, E> {
        let (size, mut levels) = (self.size(), Levels::new());
        for index in 0..size.div_ceil(TILE_WIDTH) {
            let width = width_of(index, size);
            let hashes: Vec<Hash> = leaf_hashes.by_ref().take(width).collect::<Result<_, E>>()?;
            if hashes.len() < width {
                return Ok(None);
            }
            let lowest = TilePath::in_row(TileKind::Hashes(0), index, size);
            let mut made: Vec<_> = lowest.into_iter().map(|tile| (tile, hashes.clone())).collect();
            made.extend(levels.append(index, hashes));
            if let Some(altered) = self.first_other(made)? {
                return Ok(Some(altered));
            }
        }
        Ok(self.first_other(levels.last_tiles(size))?)
    }

    /// The first of these tiles whose file holds something else.
    fn first_other(&self, tiles: Vec<(TilePath, Vec<Hash>)>) -> io::Result<Option<TilePath>> {
        for (tile, hashes) in tiles {
            if self.files.read(&tile.to_string())?.is_none_or(|bytes| bytes != tile_bytes(&hashes))
            {
                return Ok(Some(tile));
            }
        }
        Ok(None)
    }
}

/// How many hashes or entries the tile or bundle of this index has, where its row has `count`.
fn width_of(index: u64, count: u64) -> usize {
    // At most 256.
    count.saturating_sub(index * TILE_WIDTH).min(TILE_WIDTH) as usize
}

/// What the checkpoint of a folder says, if there is one.
fn published(files: &Files) -> Result<Option<Checkpoint>, LogError> {
    let note = files.read_at_most(CHECKPOINT, NOTE_BYTES_MAX)?;
    Ok(note.as_deref().map(claimed).transpose()?)
}

impl HashReader for LogLook {
    type Error = LogError;

    fn hashes(&self, level: u8, range: Range<u64>) -> Result<Vec<Hash>, LogError> {
        let kind = TileKind::Hashes(level);
        let count = row_count(kind, self.size());
        let tile = TilePath::in_row(kind, range.start / TILE_WIDTH, count);
        let tile = tile.filter(|_| range.end <= count);
        let tile = tile.ok_or(LogError::NoEntry { index: range.start, size: self.size() })?;
        // Below 256.
        let place = (range.start % TILE_WIDTH) as usize;
        let length = usize::try_from(range.end - range.start).unwrap_or_default();
        if !tile.is_full() {
            let hashes = self.edge.row(level).get(place..place + length);
            return hashes.map(<[Hash]>::to_vec).ok_or_else(|| damaged(Some(tile)));
        }
        let offset = (place * Hash::BYTES) as u64;
        let bytes = self.files.read_part(&tile.to_string(), offset, length * Hash::BYTES)?;
        bytes.and_then(|bytes| tile_hashes(&bytes)).ok_or_else(|| damaged(Some(tile)))
    }
}
