//! A copy of a log that was handed over: opened by its signature, read, and never written.

use std::ops::Range;
use std::path::Path;

use super::CHECKPOINT;
use super::error::LogError;
use super::files::Files;
use super::leaves::Leaves;
use super::read::{damaged, read_tile};
use crate::checkpoint::{CheckpointError, NOTE_BYTES_MAX, SignedCheckpoint, VerifierKey};
use crate::hash::Hash;
use crate::proof::{HashReader, inclusion_proof};
use crate::receipt::Receipt;
use crate::tile::{TILE_WIDTH, TileKind, row_count};

/// An exported log. What is read from it is held against the hashes beside it; that these lead to the signed root, only a
/// proof or the check of the whole folder shows.
#[derive(Debug)]
pub struct LogCopy {
    files: Files,
    signed: SignedCheckpoint,
}

impl LogCopy {
    /// Opens a folder whose checkpoint one of these keys has signed.
    pub fn open(folder: &Path, keys: &[VerifierKey]) -> Result<Self, LogError> {
        let files = Files::in_folder(folder);
        let note = files.read_at_most(CHECKPOINT, NOTE_BYTES_MAX)?;
        let missing = LogError::Damaged { file: CHECKPOINT.to_owned() };
        let note = note.ok_or(missing)?;
        if note.len() > NOTE_BYTES_MAX {
            return Err(CheckpointError::NotANote.into());
        }
        Ok(Self { files, signed: SignedCheckpoint::open(&note, keys)? })
    }

    /// A folder as it was when this was signed, whatever its own checkpoint says by now.
    pub fn as_of(folder: &Path, signed: SignedCheckpoint) -> Self {
        Self::of(Files::in_folder(folder), signed)
    }

    /// A copy whose checkpoint was opened already.
    pub(crate) fn of(files: Files, signed: SignedCheckpoint) -> Self {
        Self { files, signed }
    }

    /// What was signed.
    pub fn signed(&self) -> &SignedCheckpoint {
        &self.signed
    }

    /// Leaves of the log.
    pub fn size(&self) -> u64 {
        self.signed.checkpoint().size
    }

    /// Every leaf, in their order.
    pub fn leaves(&self) -> Leaves<'_> {
        Leaves::of(&self.files, self.size(), 0..self.size())
    }

    /// A leaf and the proof that it is in the log that was signed. The proof is to be verified like any other.
    pub fn proven(&self, index: u64) -> Result<(Vec<u8>, Receipt), LogError> {
        let size = self.size();
        let none = || LogError::NoEntry { index, size };
        let leaf = Leaves::of(&self.files, size, index..size).next().ok_or_else(none)??;
        let proof = inclusion_proof(self, index, size)?.ok_or_else(none)?;
        Ok((leaf, Receipt::new(&proof, &self.signed)))
    }
}

impl HashReader for LogCopy {
    type Error = LogError;

    fn hashes(&self, level: u8, range: Range<u64>) -> Result<Vec<Hash>, LogError> {
        let count = row_count(TileKind::Hashes(level), self.size());
        let tile = range.start / TILE_WIDTH;
        let hashes = read_tile(&self.files, level, tile, count)?;
        let place = |index: u64| usize::try_from(index - tile * TILE_WIDTH).unwrap_or(usize::MAX);
        let wanted = hashes.get(place(range.start)..place(range.end));
        wanted.map(<[Hash]>::to_vec).ok_or_else(|| damaged(None))
    }
}

#[cfg(test)]
mod tests {
    use renkei_types::SeededEntropy;

    use super::*;
    use crate::checkpoint::LogKey;
    use crate::folder::LogFolder;

    #[test]
    fn every_leaf_of_a_copy_has_a_proof_that_holds_and_a_changed_one_has_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let origin = "kita.example/log".parse().expect("an origin");
        let key = LogKey::generate(origin, &SeededEntropy::new(1));
        let keys = [key.verifier()];
        let leaves: Vec<String> = (0..700).map(|n| format!("leaf {n}")).collect();
        let (mut log, _) = LogFolder::open(folder.path()).expect("a log");
        log.append(&leaves).expect("appended");
        log.publish(&key).expect("published");
        let copy = LogCopy::open(folder.path(), &keys).expect("a copy");
        assert_eq!(copy.leaves().count(), 700);
        for (index, leaf) in (0..).zip(&leaves).step_by(13) {
            let (bytes, receipt) = copy.proven(index).expect("a leaf");
            assert_eq!(bytes, leaf.as_bytes());
            assert!(receipt.verify(&bytes, &keys).is_ok(), "{index}");
        }
        assert!(copy.proven(700).is_err());
        let tile = folder.path().join("tile/0/001");
        let mut bytes = fs_err::read(&tile).expect("a tile");
        bytes[7] ^= 1;
        fs_err::write(&tile, bytes).expect("written");
        assert!(copy.proven(256).is_err(), "its hash was changed");
        let (bytes, receipt) = copy.proven(0).expect("a leaf");
        assert!(receipt.verify(&bytes, &keys).is_ok(), "the upper tiles still lead to the root");
        assert!(LogCopy::open(folder.path(), &[]).is_err(), "signed by nobody known");
    }
}
