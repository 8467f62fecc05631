//! The log's key in its folder, and the next one.
//!
//! ```text
//! log.key          signs; log.vkey is its public half, for auditors. It may come from a service manager instead
//! log.key.next     will sign, once two people have agreed
//! log-<id>.vkey    an older public half, and log-<id>.checkpoint the last note that it signed: it ends with the leaf that
//!                  announces the next key
//! ```
//! When one takes the place of the other, [`crate::log_signer`] decides. Invariant: each step is durable before the next one is
//! made, and can be made again. A key that was replaced never signs again, whoever puts it back; no key is made in the place of
//! one that has signed, and no public half is lost.

use std::path::{Path, PathBuf};

use renkei_journal::{Seq, frames_beside};
use renkei_tlog::leaf::Operation;
use renkei_tlog::{LogKey, Origin, VerifierKey};
use renkei_types::{Digest, Entropy};

use crate::kept_file;
use crate::rotation::BrokerKey;
use crate::state::{Change, State};
use crate::store::{OpenError, StorePaths};

fn wrong(error: &dyn std::fmt::Display) -> OpenError {
    OpenError::LogKey(error.to_string())
}

fn read(path: &Path, origin: &Origin) -> Result<LogKey, OpenError> {
    key_of(&renkei_journal::read_secret(path).map_err(|error| wrong(&error))?, origin)
}

fn key_of(pem: &[u8], origin: &Origin) -> Result<LogKey, OpenError> {
    let pem = String::from_utf8(pem.to_vec()).map_err(|error| wrong(&error))?;
    LogKey::from_pem(origin.clone(), &pem).map_err(|error| wrong(&error))
}

/// Reads the next key. What is wrong with it is not wrong with the one that signs.
fn read_next(path: &Path, origin: &Origin) -> Result<LogKey, OpenError> {
    read(path, origin).map_err(|_| {
        let path = path.display();
        OpenError::LogKey(format!(
            "{path} cannot be read as a key; put it back, or, where two have not agreed on it, remove it and propose another one"
        ))
    })
}

fn read_or_make(path: &Path, origin: &Origin, entropy: &dyn Entropy) -> Result<LogKey, OpenError> {
    if path.exists() {
        return read(path, origin);
    }
    let key = LogKey::generate(origin.clone(), entropy);
    let pem = key.to_pem();
    renkei_journal::write_secret(path, pem.as_bytes()).map_err(|error| wrong(&error))?;
    Ok(key)
}

/// What an auditor is given; anybody may have it.
fn verifier_line(key: &VerifierKey) -> String {
    format!("{key}\n")
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
        let origin: Origin = origin.parse().map_err(|error| wrong(&error))?;
        let key = match &paths.handed.log {
            None if path.exists() => read(&path, &origin)?,
            None if has_begun || paths.has_signed() => {
                return Err(OpenError::LogKeyGone { path });
            }
            None => read_or_make(&path, &origin, entropy)?,
            Some(handed) if path.exists() => {
                let (handed, path) = (handed.display(), path.display());
                return Err(OpenError::LogKey(format!(
                    "{handed} is handed over by the service manager, and {path} is another one; \
                     bring that into the safe, and remove it"
                )));
            }
            Some(handed) => {
                let pem = renkei_journal::read_credential(handed);
                key_of(&pem.map_err(|error| wrong(&error))?, &origin)?
            }
        };
        let kept = Self { path, key };
        kept.check(decided)?;
        if kept.is_unannounced(decided)? {
            tracing::warn!(
                "the log's key has taken the place of another one, and the journal does not say so: it was rolled back past that. Replace the key at once \
                 (renkei key rotate log), and give auditors the public halves of all keys"
            );
        }
        Ok(kept)
    }

    /// That this is the key that is to sign: the one that was decided on last, or the one before it, which that follows.
    fn check(&self, decided: Option<Digest>) -> Result<(), OpenError> {
        let own = fingerprint(&self.key.verifier());
        match decided {
            Some(decided) if decided == own => return Ok(()),
            Some(decided) if !self.is_next(decided)? && !self.has_followed(decided)? => {
                return Err(OpenError::LogKeyReplaced { path: self.path.clone(), decided });
            }
            Some(_) | None => {}
        }
        match self.written() {
            Some(written) if written != self.key.verifier() => {
                Err(OpenError::LogKeyOther { path: self.path.clone() })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Whether this key has followed another one, of which the journal knows nothing.
    fn is_unannounced(&self, decided: Option<Digest>) -> Result<bool, OpenError> {
        let Some(folder) = self.path.parent().filter(|folder| folder.is_dir()) else {
            return Ok(false);
        };
        match decided {
            Some(decided) if decided == fingerprint(&self.key.verifier()) => Ok(false),
            Some(decided) => self.has_followed(decided),
            None => Ok(!older_verifiers(folder)?.is_empty()),
        }
    }

    /// Whether this key has taken the place of another one in a later rotation than the journal knows: that was rolled back past it, and
    /// the other one is no more.
    fn has_followed(&self, older: Digest) -> Result<bool, OpenError> {
        let Some(folder) = self.path.parent() else { return Ok(false) };
        let own = self.key.verifier();
        let is_last =
            self.written().as_ref() == Some(&own) && !is_older(folder, fingerprint(&own))?;
        Ok(is_last && is_older(folder, older)?)
    }

    /// The key that signs.
    pub(crate) fn key(&self) -> &LogKey {
        &self.key
    }

    /// The public half of the key that signs, and those of the older ones: what was signed last may be by one of these.
    pub(crate) fn verifiers(&self) -> Result<Vec<VerifierKey>, OpenError> {
        let mut all = vec![self.key.verifier()];
        all.extend(self.written().filter(|written| *written != self.key.verifier()));
        if let Some(folder) = self.path.parent() {
            all.extend(older_verifiers(folder)?);
        }
        Ok(all)
    }

    /// The public half that lies beside the key. It may be of the key before.
    fn written(&self) -> Option<VerifierKey> {
        read_verifier(&self.path.with_extension("vkey")).ok()
    }

    /// Writes the public half beside the key. One that lies there is put with the older ones.
    pub(crate) fn write_verifier(&self) -> Result<(), OpenError> {
        match self.written() {
            Some(written) if written == self.key.verifier() => return Ok(()),
            Some(written) => self.keep_older(&written)?,
            None => {}
        }
        let file = self.path.with_extension("vkey");
        Ok(kept_file::keep(&file, &verifier_line(&self.key.verifier()))?)
    }

    /// Keeps the public half of a key that signs no more: without it nothing that it has signed could be checked.
    fn keep_older(&self, older: &VerifierKey) -> Result<(), OpenError> {
        Ok(kept_file::keep(&self.beside(older, "vkey"), &verifier_line(older))?)
    }

    /// A file that is named for an older key.
    fn beside(&self, older: &VerifierKey, ending: &str) -> PathBuf {
        let older = older.to_string();
        let id = older.split('+').nth(1).unwrap_or_default();
        self.path.with_file_name(format!("log-{id}.{ending}"))
    }

    /// Whether the next key is the one of this fingerprint. There may be none, or one that nobody has agreed to.
    pub(crate) fn is_next(&self, decided: Digest) -> Result<bool, OpenError> {
        let next = next_file(&self.path);
        Ok(next.exists()
            && fingerprint(&read_next(&next, self.key.origin())?.verifier()) == decided)
    }

    /// Takes the next key into use; what came to an end before that is done again. `last` is the last note that the older one
    /// has signed, which is kept with its public half.
    pub(crate) fn replace(&mut self, decided: Digest, last: Option<&str>) -> Result<(), OpenError> {
        let older = self.key.verifier();
        if fingerprint(&older) != decided {
            let next = next_file(&self.path);
            let key = read_next(&next, self.key.origin())?;
            // Before the key is replaced.
            self.keep_older(&older)?;
            if let Some(last) = last {
                kept_file::keep(&self.beside(&older, "checkpoint"), last)?;
            }
            fs_err::rename(&next, &self.path)?;
            self.key = key;
        }
        kept_file::sync_folder_of(&self.path)?;
        self.write_verifier()
    }
}

/// The public halves of the keys that have signed before.
fn older_verifiers(folder: &Path) -> Result<Vec<VerifierKey>, OpenError> {
    let mut all = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with("log-") && name.ends_with(".vkey") {
            all.push(read_verifier(&path)?);
        }
    }
    Ok(all)
}

/// Whether the public half of this key lies with the older ones.
fn is_older(folder: &Path, key: Digest) -> Result<bool, OpenError> {
    Ok(older_verifiers(folder)?.iter().any(|older| fingerprint(older) == key))
}

fn read_verifier(path: &Path) -> Result<VerifierKey, OpenError> {
    fs_err::read_to_string(path)?.parse().map_err(|error| wrong(&error))
}

impl StorePaths {
    /// The public halves of all keys that have ever signed the log, the present one first; nothing before the first start.
    pub fn log_verifiers(&self) -> Result<Vec<VerifierKey>, OpenError> {
        let present = self.log_key().with_extension("vkey");
        if !present.exists() {
            return Ok(Vec::new());
        }
        let mut all = vec![read_verifier(&present)?];
        all.extend(older_verifiers(&self.keys)?);
        Ok(all)
    }

    /// Whether a key has signed here, or was about to.
    pub fn has_signed(&self) -> bool {
        self.log_head().exists() || self.log_key().with_extension("vkey").exists()
    }

    /// Whether a start would take the log's key, as far as its public half tells: where the next key lies there, the start decides.
    /// Nothing is opened, so a broker may be serving.
    pub(crate) fn check_log_key(&self) -> Result<(), OpenError> {
        let path = self.log_key();
        if self.handed.log.is_none() && !path.exists() && self.has_signed() {
            return Err(OpenError::LogKeyGone { path });
        }
        let written = path.with_extension("vkey");
        if next_file(&path).exists() || !written.exists() {
            return Ok(());
        }
        // Before the journal is read: a key is decided on before it is in use.
        let own = fingerprint(&read_verifier(&written)?);
        match self.decided_beside()? {
            Some(decided) if is_older(&self.keys, decided)? && !is_older(&self.keys, own)? => {
                Ok(())
            }
            Some(decided) if decided != own && !next_file(&path).exists() => {
                // A broker that serves may have taken it into use meanwhile.
                if fingerprint(&read_verifier(&written)?) == decided {
                    return Ok(());
                }
                Err(OpenError::LogKeyReplaced { path, decided })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The log's key that was decided on last, as the journal has it.
    fn decided_beside(&self) -> Result<Option<Digest>, OpenError> {
        let word = Operation::KeyRotate.as_str().as_bytes();
        let mut state = State::default();
        for frame in frames_beside(&self.journal(), Seq(1))? {
            let (Seq(seq), frame) = frame?;
            if !frame.leaf.windows(word.len()).any(|part| part == word) {
                continue;
            }
            let unreadable = |source| OpenError::Facts { seq, source };
            let changes: Vec<Change> =
                serde_json::from_slice(&frame.facts).map_err(|error| unreadable(error.into()))?;
            for change in &changes {
                state.apply(change).map_err(unreadable)?;
            }
        }
        Ok(state.keys_in_use.get(&BrokerKey::Log).copied())
    }
}

fn next_file(path: &Path) -> PathBuf {
    path.with_extension("key.next")
}

/// By what a log's key is announced: SHA-256 of its public half, as `log.vkey` has it without the end of the line.
fn fingerprint(key: &VerifierKey) -> Digest {
    Digest::of(key.to_string().as_bytes())
}

/// Makes the next key, unless one was made before, and answers its fingerprint.
pub(crate) fn prepare(
    paths: &StorePaths,
    origin: &str,
    entropy: &dyn Entropy,
) -> Result<Digest, OpenError> {
    let origin: Origin = origin.parse().map_err(|error| wrong(&error))?;
    let next = read_or_make(&next_file(&paths.log_key()), &origin, entropy)?;
    Ok(fingerprint(&next.verifier()))
}
