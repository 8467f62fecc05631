//! A log in a folder: `checkpoint`, and the tiles and entry bundles below `tile/`.
//!
//! The folder is the bundle that auditors get, and a projection of the journal: whatever is not yet in it is appended
//! again. A batch of 256 leaves touches about five files, so it costs about ten syncs, however the leaves are spread.
//!
//! Order makes it safe to stop at any point. Of each batch the bundles and upper tiles become durable first, the tiles of
//! level 0 last; the size of the log is what the tiles of level 0 say without a gap. Opening completes upper tiles from
//! lower ones and removes what a batch that did not finish has left behind.
//!
//! Invariant: nothing is signed whose root was not found twice, by appending and by reading the bytes back from the disk,
//! and nothing that does not begin with the last checkpoint. One writer at a time is the caller's business.

mod copy;
mod edge;
mod error;
pub(crate) mod files;
mod leaves;
mod placed;
mod read;

use std::ops::Range;
use std::path::Path;

pub use self::copy::LogCopy;
use self::edge::{Edge, GROUP_TILES, integrated_size};
pub use self::error::{LogError, TreeHead};
use self::files::Files;
pub use self::leaves::Leaves;
pub use self::placed::PlacedLeaves;
use self::read::{damaged, read_bundle, read_tile};
use crate::checkpoint::{
    Checkpoint, CheckpointError, LogKey, NOTE_BYTES_MAX, SignedCheckpoint, claimed,
};
use crate::hash::{Hash, leaf_hash};
use crate::proof::{HashReader, root_at};
use crate::tile::{
    Entries, TILE_LEVELS, TILE_WIDTH, TileKind, TilePath, push_entry, row_count, tile_hashes,
    tile_kinds,
};
use crate::tree::{Frontier, root_of_rows, tree_root};
use crate::verify::levels::Levels;

/// The name of the checkpoint's file.
pub(crate) const CHECKPOINT: &str = "checkpoint";

/// The name of the file that keeps the last checkpoint which enough witnesses have cosigned. The log has grown since, as a
/// rule.
pub(crate) const COSIGNED: &str = "cosigned";

/// A log in a folder, with what is needed to extend it.
#[derive(Debug)]
pub struct LogFolder {
    files: Files,
    edge: Edge,
    published: Option<Checkpoint>,
    usable: bool,
}

impl LogFolder {
    /// What opening a folder would find there, as the tree of its first leaves, so many at most, which can be gone on with, and
    /// the hash of the last one of these. Nothing is touched.
    pub fn look(folder: &Path, most: u64) -> Result<(Frontier, Option<Hash>), LogError> {
        let files = Files::in_folder(folder);
        let (published, size) = (published(&files)?, integrated_size(&files)?);
        let (mut tree, mut last) = (Frontier::new(), None);
        for index in 0..size.min(most).div_ceil(TILE_WIDTH) {
            // As wide as the folder has it: the tile of a smaller tree is taken away when a larger one is signed.
            for hash in read_tile(&files, 0, index, size)? {
                if tree.size() < most {
                    last = Some(hash);
                    tree.append(hash);
                }
            }
        }
        match published.filter(|published| published.size > size) {
            Some(published) => {
                let expected = TreeHead { size: published.size, root: published.root };
                let found = TreeHead { size, root: tree.root() };
                Err(LogError::Inconsistent { expected, found })
            }
            None => Ok((tree, last)),
        }
    }

    /// Opens a log, or begins one where there is none; with it, how many leaves it holds. The caller goes on from there.
    pub fn open(folder: &Path) -> Result<(Self, u64), LogError> {
        let files = Files::create(folder)?;
        let published = published(&files)?;
        let size = integrated_size(&files)?;
        let expected = published.as_ref().filter(|published| published.size > size);
        let edge = Edge::read(&files, size, expected.is_none());
        if let Some(published) = expected {
            // Nothing is touched: what looks unfinished may be what is left of the lost leaves.
            let root = edge.map(|edge| edge.root()).unwrap_or_else(|_| tree_root(&[]));
            let expected = TreeHead { size: published.size, root: published.root };
            return Err(LogError::Inconsistent { expected, found: TreeHead { size, root } });
        }
        let log = Self { files, edge: edge?, published, usable: true };
        let since = log.published.as_ref().map_or(0, |published| published.size);
        log.sweep(since, &[since, size], 2 * GROUP_TILES)?;
        Ok((log, size))
    }

    /// Leaves that the folder holds.
    pub fn size(&self) -> u64 {
        self.edge.size()
    }

    /// Size and root of all that was appended, signed or not.
    pub fn head(&self) -> TreeHead {
        TreeHead { size: self.size(), root: self.edge.root() }
    }

    /// What the folder's checkpoint says, if there is one.
    pub fn published(&self) -> Option<&Checkpoint> {
        self.published.as_ref()
    }

    /// Appends leaves. On return they are durable. After an error the log has to be opened again.
    pub fn append(&mut self, leaves: &[impl AsRef<[u8]>]) -> Result<(), LogError> {
        self.check_usable()?;
        for leaf in leaves {
            // Asked before anything is written: a refused leaf leaves the log as it is.
            push_entry(&mut Vec::new(), leaf.as_ref())?;
        }
        for group in leaves.chunks(usize::try_from(GROUP_TILES * TILE_WIDTH).unwrap_or(1)) {
            let since = self.size();
            let mut edge = self.edge.clone();
            let mut files = Vec::new();
            for leaf in group {
                edge.append(leaf.as_ref(), &mut files)?;
            }
            files.extend(edge.partial_files(since));
            self.usable = false;
            let (last, first): (Vec<_>, Vec<_>) =
                files.into_iter().partition(|(tile, _)| tile.kind() == TileKind::Hashes(0));
            for stage in [first, last] {
                let named: Vec<_> =
                    stage.into_iter().map(|(tile, bytes)| (tile.to_string(), bytes)).collect();
                self.files.write(&named)?;
            }
            self.edge = edge;
            self.usable = true;
        }
        Ok(())
    }

    /// Signs the log as it is and writes its checkpoint.
    pub fn publish(&mut self, key: &LogKey) -> Result<SignedCheckpoint, LogError> {
        self.publish_after(key, |_| Ok(()))
    }

    /// The same; what was signed is shown to somebody else first, who may object.
    pub fn publish_after(
        &mut self,
        key: &LogKey,
        first: impl FnOnce(&SignedCheckpoint) -> Result<(), LogError>,
    ) -> Result<SignedCheckpoint, LogError> {
        self.check_usable()?;
        let head = self.head();
        let note = self.files.read_at_most(CHECKPOINT, NOTE_BYTES_MAX)?;
        let previous = note.as_deref().map(claimed).transpose()?;
        if previous.is_none()
            && let Some(published) = &self.published
        {
            let expected = TreeHead { size: published.size, root: published.root };
            return Err(LogError::Inconsistent { expected, found: head });
        }
        let since = previous.as_ref().map_or(0, |previous| previous.size);
        if let Some(previous) = previous {
            self.check_continues(&previous, head, key)?;
        }
        let root = self.root_from_files(since)?;
        if root != head.root {
            let found = TreeHead { size: head.size, root };
            return Err(LogError::Inconsistent { expected: head, found });
        }
        let signed = SignedCheckpoint::sign(key, head.size, root);
        first(&signed)?;
        // What witnesses have said of this size and root stays said.
        let signed = note.map_or_else(|| signed.clone(), |note| signed.keeping_others_lines(&note));
        self.write_note(CHECKPOINT, &signed)?;
        self.published = Some(signed.checkpoint().clone());
        self.sweep(since, &[head.size], 0)?;
        Ok(signed)
    }

    /// Signs the log as it was with its first `size` leaves, behind what is published: what must be signed by itself may have
    /// grown before it was. Nothing is written.
    pub fn sign_beginning(&self, key: &LogKey, size: u64) -> Result<SignedCheckpoint, LogError> {
        self.check_usable()?;
        if size > self.size() {
            return Err(LogError::NoEntry { index: size - 1, size: self.size() });
        }
        let head = TreeHead { size, root: root_at(self, size)? };
        if let Some(published) = &self.published {
            self.check_continues(published, head, key)?;
        }
        let mut levels = Levels::new();
        for index in 0..size.div_ceil(TILE_WIDTH) {
            let bundle = index * TILE_WIDTH..size.min((index + 1) * TILE_WIDTH);
            let hashes = self.leaves(bundle).map(|leaf| leaf.map(|leaf| leaf_hash(&leaf)));
            levels.append(index, hashes.collect::<Result<_, _>>()?);
        }
        if levels.root() != head.root {
            let found = TreeHead { size, root: levels.root() };
            return Err(LogError::Inconsistent { expected: head, found });
        }
        Ok(SignedCheckpoint::sign(key, size, head.root))
    }

    /// Puts the cosignatures of a checkpoint beside it, where it is the one that is published. Answers whether it is.
    pub fn cosign(&mut self, cosigned: &SignedCheckpoint) -> Result<bool, LogError> {
        self.check_usable()?;
        if self.published.as_ref() != Some(cosigned.checkpoint()) {
            return Ok(false);
        }
        self.write_note(CHECKPOINT, cosigned)?;
        Ok(true)
    }

    /// Keeps a checkpoint that enough witnesses have cosigned, whatever is published later.
    pub fn keep_cosigned(&mut self, cosigned: &SignedCheckpoint) -> Result<(), LogError> {
        self.check_usable()?;
        self.write_note(COSIGNED, cosigned)
    }

    /// The note of the `checkpoint` file, with what witnesses have added to it.
    pub fn note(&self) -> Result<Option<Vec<u8>>, LogError> {
        Ok(self.files.read_at_most(CHECKPOINT, NOTE_BYTES_MAX)?)
    }

    /// The note that was kept last by [`LogFolder::keep_cosigned`], unchecked.
    pub fn cosigned(&self) -> Result<Option<Vec<u8>>, LogError> {
        Ok(self.files.read_at_most(COSIGNED, NOTE_BYTES_MAX)?)
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

    fn write_note(&mut self, name: &str, signed: &SignedCheckpoint) -> Result<(), LogError> {
        self.usable = false;
        self.files.write(&[(name.to_owned(), signed.note().as_bytes().to_vec())])?;
        self.usable = true;
        Ok(())
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

    /// Refuses to sign what does not begin with a checkpoint that was signed before.
    fn check_continues(
        &self,
        previous: &Checkpoint,
        head: TreeHead,
        key: &LogKey,
    ) -> Result<(), LogError> {
        if previous.origin != *key.origin() {
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

    fn check_usable(&self) -> Result<(), LogError> {
        if self.usable { Ok(()) } else { Err(LogError::WriteFailedBefore) }
    }

    /// The root by the second way: from the files alone. Files written since the tree had `since` leaves are checked
    /// against the level below, down to the bytes of the entries; those before were checked when that tree was signed.
    fn root_from_files(&self, since: u64) -> Result<Hash, LogError> {
        let size = self.size();
        let mut rows = Vec::new();
        for level in 0..TILE_LEVELS {
            let kind = TileKind::Hashes(level);
            let (old, count) = (row_count(kind, since), row_count(kind, size));
            let mut last = Vec::new();
            for index in old / TILE_WIDTH..count.div_ceil(TILE_WIDTH) {
                let hashes = read_tile(&self.files, level, index, count)?;
                let first = index * TILE_WIDTH;
                let below = if level == 0 {
                    read_bundle(&self.files, index, size)?.iter().map(|e| leaf_hash(e)).collect()
                } else {
                    let children = old.max(first)..first + hashes.len() as u64;
                    let below = row_count(TileKind::Hashes(level - 1), size);
                    children
                        .map(|child| read_tile(&self.files, level - 1, child, below))
                        .map(|tile| tile.map(|tile| tree_root(&tile)))
                        .collect::<Result<Vec<_>, _>>()?
                };
                if !hashes.ends_with(&below) {
                    return Err(damaged(TilePath::in_row(kind, index, count)));
                }
                last = hashes;
            }
            if count.is_multiple_of(TILE_WIDTH) {
                last.clear();
            } else if last.is_empty() {
                last = read_tile(&self.files, level, count / TILE_WIDTH, count)?;
            }
            rows.push(last);
        }
        Ok(root_of_rows(&rows))
    }

    /// Removes partial files between the tree of `since` leaves and the present one that belong to none of `keep`, and
    /// anything up to `beyond` tiles past the end.
    fn sweep(&self, since: u64, keep: &[u64], beyond: u64) -> Result<(), LogError> {
        for kind in tile_kinds() {
            let full = row_count(kind, self.size()) / TILE_WIDTH;
            for index in row_count(kind, since) / TILE_WIDTH..=full.saturating_add(beyond) {
                let tile = TilePath::full(kind, index);
                for (width, _) in self.files.list(&format!("{tile}.p"))? {
                    let name = format!("{tile}.p/{width}");
                    let partial = name.parse::<TilePath>();
                    if !partial.is_ok_and(|tile| keep.iter().any(|&size| tile.belongs_to(size))) {
                        self.files.remove(&name)?;
                    }
                }
                if index >= full && beyond > 0 {
                    self.files.remove(&tile.to_string())?;
                }
            }
        }
        Ok(())
    }
}

/// What the checkpoint of a folder says, if there is one.
fn published(files: &Files) -> Result<Option<Checkpoint>, LogError> {
    let note = files.read_at_most(CHECKPOINT, NOTE_BYTES_MAX)?;
    Ok(note.as_deref().map(claimed).transpose()?)
}

impl HashReader for LogFolder {
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

#[cfg(test)]
mod tests;
