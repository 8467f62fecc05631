//! A log in a folder: `checkpoint`, and the tiles and entry bundles below `tile/`.
//!
//! The folder is the bundle that auditors get, and a projection of the journal: whatever is not yet in it is appended
//! again. A batch of 256 leaves touches about five files, so it costs about ten syncs, however the leaves are spread.
//!
//! Order makes it safe to stop at any point. Of each batch the bundles and upper tiles become durable first, the tiles of
//! level 0 last; the size of the log is what the tiles of level 0 say without a gap. Opening completes upper tiles from
//! lower ones and removes what a batch that did not finish has left behind. What opening would find, [`LogLook`] tells.
//!
//! Invariant: nothing is signed whose root was not found twice, by appending and by reading the bytes back from the disk,
//! and nothing that does not begin with the last checkpoint. One writer at a time is the caller's business.

mod copy;
mod edge;
mod error;
pub(crate) mod files;
mod leaves;
mod look;
mod placed;
mod read;

use std::ops::{Deref, Range};
use std::path::Path;

pub use self::copy::LogCopy;
use self::edge::GROUP_TILES;
pub use self::error::{LogError, TreeHead};
use self::files::Files;
pub use self::leaves::Leaves;
pub use self::look::LogLook;
pub use self::placed::PlacedLeaves;
use crate::checkpoint::{LogKey, NOTE_BYTES_MAX, SignedCheckpoint, claimed};
use crate::hash::Hash;
use crate::proof::{HashReader, root_at};
use crate::tile::{TILE_WIDTH, TileKind, TilePath, push_entry, row_count, tile_kinds};

/// The name of the checkpoint's file.
pub(crate) const CHECKPOINT: &str = "checkpoint";

/// The name of the file that keeps the last checkpoint which enough witnesses have cosigned. The log has grown since, as a
/// rule.
pub(crate) const COSIGNED: &str = "cosigned";

/// A log in a folder, with what is needed to extend it.
#[derive(Debug)]
pub struct LogFolder {
    look: LogLook,
    usable: bool,
}

impl Deref for LogFolder {
    type Target = LogLook;

    fn deref(&self) -> &LogLook {
        &self.look
    }
}

impl LogFolder {
    /// Opens a log, or begins one where there is none; with it, how many leaves it holds. The caller goes on from there.
    pub fn open(folder: &Path) -> Result<(Self, u64), LogError> {
        let mut look = LogLook::of(Files::create(folder)?)?;
        look.files.write_mended()?;
        let log = Self { look, usable: true };
        let (since, size) = (log.published().map_or(0, |published| published.size), log.size());
        log.sweep(since, &[since, size], 2 * GROUP_TILES)?;
        Ok((log, size))
    }

    /// Opens the log again where a write failed before, so that what went wrong for a moment does not last. Answers how many leaves it
    /// holds: some of those that could not be appended may be among them.
    pub fn recover(&mut self) -> Result<u64, LogError> {
        if !self.usable {
            let known = self.head();
            let (log, size) = Self::open(self.look.files.folder())?;
            let has_all = size >= known.size && root_at(&log, known.size)? == known.root;
            if !has_all {
                return Err(LogError::Inconsistent { expected: known, found: log.head() });
            }
            *self = log;
        }
        Ok(self.size())
    }

    /// Appends leaves. On return they are durable. After an error the log has to be opened again, or [recovered](Self::recover).
    pub fn append(&mut self, leaves: &[impl AsRef<[u8]>]) -> Result<(), LogError> {
        self.check_usable()?;
        for leaf in leaves {
            // Asked before anything is written: a refused leaf leaves the log as it is.
            push_entry(&mut Vec::new(), leaf.as_ref())?;
        }
        for group in leaves.chunks(usize::try_from(GROUP_TILES * TILE_WIDTH).unwrap_or(1)) {
            let since = self.size();
            let mut edge = self.look.edge.clone();
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
            self.look.edge = edge;
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
            && let Some(published) = self.published()
        {
            let expected = TreeHead { size: published.size, root: published.root };
            return Err(LogError::Inconsistent { expected, found: head });
        }
        let since = previous.as_ref().map_or(0, |previous| previous.size);
        let root = self.root_to_sign(head.size, previous.as_ref(), key.origin())?;
        let signed = SignedCheckpoint::sign(key, head.size, root);
        first(&signed)?;
        // What witnesses have said of this size and root stays said.
        let signed = note.map_or_else(|| signed.clone(), |note| signed.keeping_others_lines(&note));
        self.write_note(CHECKPOINT, &signed)?;
        self.look.published = Some(signed.checkpoint().clone());
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
        let root = self.root_to_sign(size, self.published(), key.origin())?;
        Ok(SignedCheckpoint::sign(key, size, root))
    }

    /// Puts the cosignatures of a checkpoint beside it, where it is the one that is published. Answers whether it is.
    pub fn cosign(&mut self, cosigned: &SignedCheckpoint) -> Result<bool, LogError> {
        self.check_usable()?;
        if self.published() != Some(cosigned.checkpoint()) {
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

    fn write_note(&mut self, name: &str, signed: &SignedCheckpoint) -> Result<(), LogError> {
        self.usable = false;
        self.files.write(&[(name.to_owned(), signed.note().as_bytes().to_vec())])?;
        self.usable = true;
        Ok(())
    }

    fn check_usable(&self) -> Result<(), LogError> {
        if self.usable { Ok(()) } else { Err(LogError::WriteFailedBefore) }
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

impl HashReader for LogFolder {
    type Error = LogError;

    fn hashes(&self, level: u8, range: Range<u64>) -> Result<Vec<Hash>, LogError> {
        self.look.hashes(level, range)
    }
}

#[cfg(test)]
mod tests;
