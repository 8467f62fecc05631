//! The head file: the checkpoint that was signed last, kept with the keys and so apart from the store.
//!
//! A store that was put back from a backup is in itself without fault: journal, log and checkpoint fit together, they are
//! only older. Signing on from there would give the log a second past. So what was signed last is also written where no
//! backup of the store reaches, before it is published, and a start that does not find it in the log goes no further.
//!
//! ```text
//! keys/log.head              must be a beginning of the log
//! keys/log.head.accepted     its new name, by the hand of an operator who knows what was lost: the start notes
//!                            ROLLBACK_SUSPECTED with size and root of what was signed, and goes on
//! keys/log.head.lost-SIZE    kept afterwards: it proves what the log once had
//! ```
//! Whoever puts an older store back can take the head away with it, so a log that has leaves and no head is refused like one
//! that is older than its head: a head is written before the first leaf is, of a log without any. An operator who cannot put it
//! back makes an empty `log.head.accepted`, and the log tells that somebody did.
//!
//! Invariant: a head is replaced only where it still is what this broker knows, or is about to write, so of two brokers on copies of one
//! store only one signs on: whatever the other one does has a leaf of its own.

use std::io;
use std::path::{Path, PathBuf};

use renkei_tlog::checkpoint::{CheckpointError, claimed};
use renkei_tlog::hash::empty_root;
use renkei_tlog::{Checkpoint, LogError, LogKey, SignedCheckpoint, VerifierKey};

use crate::kept_file;
use crate::store::{OpenError, StorePaths};

/// What was signed last.
#[derive(Debug)]
pub(crate) struct LogHead {
    path: PathBuf,
    /// The note as it must still stand in the file.
    note: Option<String>,
}

/// A head that the log does not begin with, or that is gone, accepted by an operator.
#[derive(Debug)]
pub(crate) struct LostHead {
    accepted: PathBuf,
    /// What it said; nothing where it is gone.
    pub(crate) checkpoint: Option<Checkpoint>,
}

impl LostHead {
    /// Puts the head away once the log tells of it.
    pub(crate) fn put_away(self) -> Result<(), OpenError> {
        let size = self.checkpoint.map_or("unknown".to_owned(), |lost| lost.size.to_string());
        let kept = self.accepted.with_extension(format!("lost-{size}"));
        Ok(fs_err::rename(&self.accepted, kept)?)
    }
}

impl LogHead {
    /// The head as it was found.
    pub(crate) fn at(path: PathBuf, found: Option<SignedCheckpoint>) -> Self {
        Self { path, note: found.map(|head| head.note().to_owned()) }
    }

    /// The note that was signed last; nothing where it is lost.
    pub(crate) fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// Up to where was signed; 0 where that is lost.
    pub(crate) fn size(&self) -> u64 {
        let known = self.note.as_ref().and_then(|note| claimed(note.as_bytes()).ok());
        known.map_or(0, |known| known.size)
    }

    /// Writes the head of a log that has no leaf yet, where there is none: from here on a head that is gone was taken away.
    pub(crate) fn begin(&mut self, key: &LogKey) -> Result<(), LogError> {
        match self.note {
            Some(_) => Ok(()),
            None => self.advance(&SignedCheckpoint::sign(key, 0, empty_root())),
        }
    }

    /// Replaces the head by what is about to be published; durable on return.
    pub(crate) fn advance(&mut self, signed: &SignedCheckpoint) -> Result<(), LogError> {
        let found = match fs_err::read_to_string(&self.path) {
            Ok(note) => Some(note),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error.into()),
        };
        let note = signed.note();
        // What stands there may be this one, from a try that failed behind it.
        if found != self.note && found.as_deref() != Some(note) {
            return Err(LogError::Overtaken);
        }
        if self.note.as_deref() == Some(note) {
            return Ok(());
        }
        kept_file::keep(&self.path, note)?;
        self.note = Some(note.to_owned());
        Ok(())
    }
}

/// How a start would find what was signed last.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum HeadFound {
    /// In the log's folder.
    InLog,
    /// In the journal: what the folder lacks is built again.
    InJournal,
    /// Nothing was signed yet, or an operator has accepted that it is lost.
    Nowhere,
}

impl StorePaths {
    /// The heads that an operator has accepted as lost, where they lie before the log tells of it and behind that.
    pub(crate) fn lost_heads(&self) -> io::Result<Vec<PathBuf>> {
        let mut lost = Vec::new();
        if !self.keys.is_dir() {
            return Ok(lost);
        }
        for entry in fs_err::read_dir(&self.keys)? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name == "log.head.accepted" || name.starts_with("log.head.lost-") {
                lost.push(path);
            }
        }
        Ok(lost)
    }
}

fn wrong(path: &Path) -> impl FnOnce(LogError) -> OpenError {
    let path = path.to_owned();
    move |source| OpenError::Log { path, source }
}

/// What an operator has accepted as lost, if anything is.
pub(crate) fn accepted(
    paths: &StorePaths,
    keys: &[VerifierKey],
) -> Result<Option<LostHead>, OpenError> {
    let accepted = paths.log_head().with_extension("head.accepted");
    // Made by hand in the place of a head that is gone.
    if fs_err::metadata(&accepted).is_ok_and(|file| file.len() == 0) {
        return Ok(Some(LostHead { accepted, checkpoint: None }));
    }
    let lost = read(&accepted, keys)?;
    Ok(lost.map(|lost| LostHead { accepted, checkpoint: Some(lost.checkpoint().clone()) }))
}

/// A head file, which must be signed by a key of the log; nothing where there is none.
pub(crate) fn read(
    path: &Path,
    keys: &[VerifierKey],
) -> Result<Option<SignedCheckpoint>, OpenError> {
    let refused = |error| match error {
        CheckpointError::UnknownKey => OpenError::HeadKeyUnknown { path: path.to_owned() },
        CheckpointError::NotANote | CheckpointError::NotACheckpoint => {
            OpenError::HeadDamaged { path: path.to_owned() }
        }
        CheckpointError::WrongSignature | CheckpointError::OtherOrigin => wrong(path)(error.into()),
    };
    match fs_err::read(path) {
        Ok(note) => SignedCheckpoint::open(&note, keys).map(Some).map_err(refused),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(wrong(path)(error.into())),
    }
}

#[cfg(test)]
mod tests {
    use renkei_types::SeededEntropy;

    use super::*;

    #[test]
    fn a_head_that_was_written_and_not_made_durable_is_written_again_and_one_of_somebody_else_is_not()
     {
        let folder = tempfile::tempdir().expect("a folder");
        let origin = "kita.example/renkei-audit/131016".parse().expect("an origin");
        let key = LogKey::generate(origin, &SeededEntropy::new(1));
        let note =
            |leaf: &[u8]| SignedCheckpoint::sign(&key, 1, renkei_tlog::hash::leaf_hash(leaf));
        let path = folder.path().join("log.head");
        let mut head = LogHead::at(path.clone(), None);
        head.begin(&key).expect("begun");
        // As where the folder could not be opened behind the change, since the process had no file descriptor left.
        fs_err::write(&path, note(b"ours").note()).expect("written");
        assert!(matches!(head.advance(&note(b"another")), Err(LogError::Overtaken)));
        head.advance(&note(b"ours")).expect("written again");
        assert_eq!(head.size(), 1);
    }
}
