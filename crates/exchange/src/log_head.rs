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
//! Invariant: a head is replaced only where it still is what this broker knows, so of two brokers on copies of one store
//! only one signs on.

use std::io;
use std::path::{Path, PathBuf};

use renkei_tlog::proof::root_at;
use renkei_tlog::{Checkpoint, LogError, LogFolder, SignedCheckpoint, TreeHead, VerifierKey};

use crate::store::{OpenError, StorePaths};

/// What was signed last.
#[derive(Debug)]
pub(crate) struct LogHead {
    path: PathBuf,
    /// The note as it must still stand in the file.
    note: Option<String>,
}

/// A head that the log does not begin with, accepted by an operator.
#[derive(Debug)]
pub(crate) struct LostHead {
    accepted: PathBuf,
    pub(crate) checkpoint: Checkpoint,
}

impl LostHead {
    /// Puts the head away once the log tells of it.
    pub(crate) fn put_away(self) -> Result<(), OpenError> {
        let kept = self.accepted.with_extension(format!("lost-{}", self.checkpoint.size));
        Ok(fs_err::rename(&self.accepted, kept)?)
    }
}

impl LogHead {
    /// Reads the head and holds the log against it.
    pub(crate) fn open(
        paths: &StorePaths,
        keys: &[VerifierKey],
        log: &LogFolder,
    ) -> Result<(Self, Option<LostHead>), OpenError> {
        let path = paths.log_head();
        let wrong = |path: &Path| {
            let path = path.to_owned();
            move |source| OpenError::Log { path, source }
        };
        let head = read(&path, keys).map_err(wrong(&path))?;
        if let Some(known) = &head {
            let Checkpoint { size, root, .. } = *known.checkpoint();
            let continues = size <= log.size() && root_at(log, size).map_err(wrong(&path))? == root;
            if !continues {
                let signed = TreeHead { size, root };
                return Err(OpenError::RolledBack { path, signed, found: log.head() });
            }
        }
        let accepted = path.with_extension("head.accepted");
        let lost = read(&accepted, keys).map_err(wrong(&accepted))?;
        let lost = lost.map(|lost| LostHead { accepted, checkpoint: lost.checkpoint().clone() });
        let note = head.map(|head| head.note().to_owned());
        Ok((Self { path, note }, lost))
    }

    /// Replaces the head by what is about to be published; durable on return.
    pub(crate) fn advance(&mut self, signed: &SignedCheckpoint) -> Result<(), LogError> {
        let found = match fs_err::read_to_string(&self.path) {
            Ok(note) => Some(note),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error.into()),
        };
        if found != self.note {
            return Err(LogError::Overtaken);
        }
        let note = signed.note();
        if self.note.as_deref() == Some(note) {
            return Ok(());
        }
        let unfinished = self.path.with_extension("head.part");
        let mut file = fs_err::File::create(&unfinished)?;
        io::Write::write_all(&mut file, note.as_bytes())?;
        file.sync_all()?;
        fs_err::rename(&unfinished, &self.path)?;
        if let Some(folder) = self.path.parent() {
            fs_err::File::open(folder)?.sync_all()?;
        }
        self.note = Some(note.to_owned());
        Ok(())
    }
}

/// A head file, which must be signed by a key of the log; nothing where there is none.
fn read(path: &Path, keys: &[VerifierKey]) -> Result<Option<SignedCheckpoint>, LogError> {
    match fs_err::read(path) {
        Ok(note) => Ok(Some(SignedCheckpoint::open(&note, keys)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}
