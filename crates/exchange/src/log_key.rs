//! The log's key in its folder, and the next one.
//!
//! ```text
//! log.key          signs; log.vkey is its public half, for auditors. It may come from a service manager instead
//! log.key.next     will sign, once two people have agreed
//! log-<id>.vkey    an older public half, and log-<id>.checkpoint the last note that it signed: it ends with the leaf that
//!                  announces the next key
//! ```
//! Whether the key that lies there may sign, [`crate::key_standing`] decides; when one takes the place of the other,
//! [`crate::log_signer`]. Invariant: each step is durable before the next one is made, and can be made again. No key is made in the
//! place of one that has signed, and no public half is lost.

use std::io;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use renkei_journal::{SecretFileError, read_credential, read_secret};
use renkei_tlog::checkpoint::InvalidKey;
use renkei_tlog::{LogKey, Origin, VerifierKey};
use renkei_types::{Digest, Entropy};

use crate::kept_file;
use crate::key_standing::{KeyStanding, standing};
use crate::log_fault::LogKeyFault;
use crate::public_half::{PublicHalves, beside, fingerprint, verifier_line};
use crate::store::{OpenError, StorePaths};

fn wrong(fault: impl Into<LogKeyFault>) -> OpenError {
    OpenError::LogKey(fault.into())
}

fn key_of(pem: &[u8], origin: &Origin) -> Result<LogKey, OpenError> {
    let pem = std::str::from_utf8(pem).map_err(|_| wrong(InvalidKey::Private))?;
    LogKey::from_pem(origin.clone(), pem).map_err(wrong)
}

/// Where the log's key lies.
#[derive(Clone, Debug)]
pub(crate) enum KeyPlace {
    /// In the folder of keys.
    File(PathBuf),
    /// Where a service manager hands it over.
    Handed(PathBuf),
    /// Nowhere: nothing was ever signed, and a start makes it there.
    ToBeMade(PathBuf),
}

impl KeyPlace {
    /// Finds it; `has_begun` says whether there is an entry, which a key has signed or was to sign.
    pub(crate) fn find(paths: &StorePaths, has_begun: bool) -> Result<Self, OpenError> {
        let path = paths.log_key();
        match &paths.handed.log {
            None if path.exists() => Ok(Self::File(path)),
            None if has_begun || paths.has_signed() => Err(OpenError::LogKeyGone { path }),
            None => Ok(Self::ToBeMade(path)),
            Some(handed) if path.exists() => {
                Err(wrong(LogKeyFault::Two { handed: handed.clone(), path }))
            }
            Some(handed) => Ok(Self::Handed(handed.clone())),
        }
    }

    fn pem(&self) -> Result<impl Deref<Target = Vec<u8>> + use<>, SecretFileError> {
        match self {
            Self::File(path) | Self::ToBeMade(path) => read_secret(path),
            Self::Handed(path) => read_credential(path),
        }
    }

    /// Reads it.
    pub(crate) fn read(&self, origin: &Origin) -> Result<LogKey, OpenError> {
        key_of(&self.pem().map_err(wrong)?, origin)
    }

    /// Its public half; nothing where whoever asks may not read it, or is not handed it: that is no fault of the key.
    pub(crate) fn public_half(&self, origin: &Origin) -> Result<Option<VerifierKey>, OpenError> {
        match (self.pem(), self) {
            (Ok(pem), _) => key_of(&pem, origin).map(|key| Some(key.verifier())),
            (Err(SecretFileError::Io { source, .. }), Self::Handed(_))
                if source.kind() == io::ErrorKind::NotFound =>
            {
                Ok(None)
            }
            (Err(SecretFileError::Io { source, .. }), _)
                if source.kind() == io::ErrorKind::PermissionDenied =>
            {
                Ok(None)
            }
            (Err(error), _) => Err(wrong(error)),
        }
    }
}

/// What the journal says of the log's key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyHistory {
    /// The key that was decided on last, which may not be in use yet; nothing for the first one.
    pub(crate) decided: Option<Digest>,
    /// Whether there is an entry, which a key has signed or was to sign.
    pub(crate) has_begun: bool,
}

/// The log's key, and where it is kept.
pub(crate) struct KeptLogKey {
    path: PathBuf,
    key: LogKey,
    standing: KeyStanding,
}

impl KeptLogKey {
    /// Reads the key; makes it where nothing was ever signed. Refuses a key that was replaced, and one that is not this log's.
    /// Nothing that is there is changed.
    pub(crate) fn open(
        paths: &StorePaths,
        origin: &str,
        entropy: &dyn Entropy,
        KeyHistory { decided, has_begun }: KeyHistory,
    ) -> Result<Self, OpenError> {
        let path = paths.log_key();
        let origin: Origin = origin.parse().map_err(wrong)?;
        let key = match KeyPlace::find(paths, has_begun)? {
            KeyPlace::ToBeMade(path) => make(&path, &origin, entropy)?,
            place @ (KeyPlace::File(_) | KeyPlace::Handed(_)) => place.read(&origin)?,
        };
        let halves = PublicHalves::in_folder(&paths.keys)?;
        let next = || next_fingerprint(&path, &origin);
        let standing = standing(&path, &key.verifier(), &halves, decided, next)?;
        Ok(Self { path, key, standing })
    }

    /// How it stands to what was decided before the start.
    pub(crate) fn standing(&self) -> KeyStanding {
        self.standing
    }

    /// Warns of a key that the log does not announce, where the store is the one to go on with.
    pub(crate) fn warn_if_unannounced(&self) {
        if self.standing == KeyStanding::Unannounced {
            tracing::warn!(
                "the log's key has taken the place of another one, and the journal does not say so: it was rolled back past that. Replace the key at once \
                 (renkei key rotate log), and give auditors the public halves of all keys"
            );
        }
    }

    /// The key that signs.
    pub(crate) fn key(&self) -> &LogKey {
        &self.key
    }

    /// Whether this is the fingerprint of the key that signs.
    pub(crate) fn is_of(&self, decided: Digest) -> bool {
        fingerprint(&self.key.verifier()) == decided
    }

    fn halves(&self) -> Result<PublicHalves, OpenError> {
        PublicHalves::in_folder(self.path.parent().unwrap_or(Path::new(".")))
    }

    /// The public half of the key that signs, and those of the older ones: what was signed last may be by one of these.
    pub(crate) fn verifiers(&self) -> Result<Vec<VerifierKey>, OpenError> {
        Ok(self.halves()?.with(self.key.verifier()))
    }

    /// Writes the public half beside the key. One that lies there is put with the older ones.
    pub(crate) fn write_verifier(&self) -> Result<(), OpenError> {
        match self.halves()?.written {
            Some(written) if written == self.key.verifier() => return Ok(()),
            Some(written) => self.keep_older(&written)?,
            None => {}
        }
        let file = self.path.with_extension("vkey");
        Ok(kept_file::keep(&file, &verifier_line(&self.key.verifier()))?)
    }

    /// Keeps the public half of a key that signs no more: without it nothing that it has signed could be checked.
    fn keep_older(&self, older: &VerifierKey) -> Result<(), OpenError> {
        Ok(kept_file::keep(&beside(&self.path, older, "vkey"), &verifier_line(older))?)
    }

    /// Takes the next key into use, if it is the one that was decided on; what came to an end before that is done again. `last` is
    /// the last note that the older one has signed, which is kept with its public half.
    pub(crate) fn replace(&mut self, decided: Digest, last: Option<&str>) -> Result<(), OpenError> {
        let older = self.key.verifier();
        if !self.is_of(decided) {
            let replaced = || OpenError::LogKeyReplaced { path: self.path.clone(), decided };
            let key = next_key(&self.path, self.key.origin())?.ok_or_else(replaced)?;
            if fingerprint(&key.verifier()) != decided {
                return Err(replaced());
            }
            // Before the key is replaced.
            self.keep_older(&older)?;
            if let Some(last) = last {
                kept_file::keep(&beside(&self.path, &older, "checkpoint"), last)?;
            }
            fs_err::rename(next_file(&self.path), &self.path)?;
            self.key = key;
        }
        kept_file::sync_folder_of(&self.path)?;
        self.write_verifier()
    }
}

impl StorePaths {
    /// Whether a key has signed here, or was about to.
    pub fn has_signed(&self) -> bool {
        self.log_head().exists() || self.log_key().with_extension("vkey").exists()
    }
}

fn next_file(path: &Path) -> PathBuf {
    path.with_extension("key.next")
}

/// The next key, where one lies there. What is wrong with it is not wrong with the one that signs.
fn next_key(path: &Path, origin: &Origin) -> Result<Option<LogKey>, OpenError> {
    let next = next_file(path);
    if !next.exists() {
        return Ok(None);
    }
    let read = KeyPlace::File(next.clone()).read(origin);
    read.map(Some).map_err(|_| wrong(LogKeyFault::Next { path: next }))
}

/// Whether a next key lies beside this one, whatever it is.
pub(crate) fn has_next(path: &Path) -> bool {
    next_file(path).exists()
}

/// The fingerprint of the next key, where one lies there.
pub(crate) fn next_fingerprint(path: &Path, origin: &Origin) -> Result<Option<Digest>, OpenError> {
    Ok(next_key(path, origin)?.map(|next| fingerprint(&next.verifier())))
}

fn make(path: &Path, origin: &Origin, entropy: &dyn Entropy) -> Result<LogKey, OpenError> {
    let key = LogKey::generate(origin.clone(), entropy);
    let pem = key.to_pem();
    renkei_journal::write_secret(path, pem.as_bytes()).map_err(wrong)?;
    Ok(key)
}

/// Makes the next key, unless one was made before, and answers its fingerprint.
pub(crate) fn prepare(
    paths: &StorePaths,
    origin: &str,
    entropy: &dyn Entropy,
) -> Result<Digest, OpenError> {
    let origin: Origin = origin.parse().map_err(wrong)?;
    let path = paths.log_key();
    let next = match next_key(&path, &origin)? {
        Some(next) => next,
        None => make(&next_file(&path), &origin, entropy)?,
    };
    Ok(fingerprint(&next.verifier()))
}
