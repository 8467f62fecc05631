//! One process per folder.
//!
//! Two writers on one journal would each acknowledge what the other overwrites, so a folder is opened under a lock that
//! the system drops with its holder, even after kill -9. Invariant: at most one [`Lock`] on a folder is held, within a
//! process as well as between processes. Where the lock cannot reach (a network file system, a cloned machine), the
//! incarnation takes over; see `local`.

use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use fs_err::OpenOptions;
use renkei_types::{Classify, Kind, Language, Localised};
use rustix::fs::{FlockOperation, flock};

use crate::error::kind_of;

/// The folder could not be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody else holds the lock.
    #[error(
        "{folder}: in use by another renkei process; stop that one or name another folder (`fuser -v {folder}/LOCK` \
         shows it)"
    )]
    Held {
        /// The folder.
        folder: String,
    },
    /// The lock file could not be opened or locked.
    #[error("cannot lock {folder}: {source}; check that the folder is local and can be written")]
    Io {
        /// The folder.
        folder: String,
        /// Why.
        source: io::Error,
    },
}

impl Classify for LockError {
    fn kind(&self) -> Kind {
        match self {
            Self::Held { .. } => Kind::Conflict,
            Self::Io { source, .. } => kind_of(source),
        }
    }
}

impl Localised for LockError {
    fn localised(&self, language: Language) -> String {
        if language == Language::English {
            return self.to_string();
        }
        match self {
            Self::Held { folder } => format!(
                "{folder}: 別の renkei プロセスが使用中です。そのプロセスを止めるか、別のフォルダを指定してください\
                 （`fuser -v {folder}/LOCK` で確認できます）"
            ),
            Self::Io { folder, source } => format!(
                "{folder}: ロックできません: {}。ローカルの書き込み可能なフォルダか確認してください",
                source.localised(language)
            ),
        }
    }
}

/// The exclusive right to a folder, until it is dropped or the process ends.
#[derive(Debug)]
pub struct Lock {
    _file: fs_err::File,
}

impl Lock {
    /// Takes the lock of a folder that exists, through its file `LOCK`; does not wait.
    pub fn take(folder: &Path) -> Result<Self, LockError> {
        let named = || folder.display().to_string();
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true);
        options.options_mut().mode(0o600);
        let file = options
            .open(folder.join("LOCK"))
            .map_err(|source| LockError::Io { folder: named(), source })?;
        match flock(file.file(), FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { _file: file }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(LockError::Held { folder: named() }),
            Err(errno) => Err(LockError::Io { folder: named(), source: errno.into() }),
        }
    }
}
