//! The log's key in its folder, and the next one.
//!
//! ```text
//! log.key          signs; log.vkey is its public half, for auditors. It may come from a service manager instead
//! log.key.next     will sign, once two people have agreed
//! log-<id>.vkey    an older public half, and log-<id>.checkpoint the last note that it signed: it ends with the leaf that
//!                  announces the next key
//! ```
//! When one takes the place of the other, [`crate::log_signer`] decides. Invariant: each step is durable before the next one is
//! made, and can be made again.

use std::path::{Path, PathBuf};

use renkei_tlog::{LogKey, Origin, VerifierKey};
use renkei_types::{Digest, Entropy};

use crate::kept_file;
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
fn verifier_line(key: &LogKey) -> String {
    format!("{}\n", key.verifier())
}

/// The log's key, and where it is kept.
pub(crate) struct KeptLogKey {
    path: PathBuf,
    key: LogKey,
}

impl KeptLogKey {
    /// Reads the key, or makes it; writes its public half beside it.
    pub(crate) fn open(
        paths: &StorePaths,
        origin: &str,
        entropy: &dyn Entropy,
    ) -> Result<Self, OpenError> {
        let path = paths.log_key();
        let origin: Origin = origin.parse().map_err(|error| wrong(&error))?;
        let key = match &paths.handed.log {
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
        kept.write_verifier()?;
        Ok(kept)
    }

    /// The key that signs.
    pub(crate) fn key(&self) -> &LogKey {
        &self.key
    }

    /// The public half of the key that signs, and those of the older ones: what was signed last may be by one of these.
    pub(crate) fn verifiers(&self) -> Result<Vec<VerifierKey>, OpenError> {
        let mut all = vec![self.key.verifier()];
        if let Some(folder) = self.path.parent() {
            all.extend(older_verifiers(folder)?);
        }
        Ok(all)
    }

    fn write_verifier(&self) -> Result<(), OpenError> {
        let (file, line) = (self.path.with_extension("vkey"), verifier_line(&self.key));
        if fs_err::read_to_string(&file).is_ok_and(|written| written == line) {
            return Ok(());
        }
        Ok(kept_file::keep(&file, &line)?)
    }

    /// Whether the next key is the one of this fingerprint. There may be none, or one that nobody has agreed to.
    pub(crate) fn is_next(&self, decided: Digest) -> Result<bool, OpenError> {
        let next = next_file(&self.path);
        Ok(next.exists() && fingerprint(&read(&next, self.key.origin())?) == decided)
    }

    /// Takes the next key into use; what came to an end before that is done again. `last` is the last note that the older one
    /// has signed, which is kept with its public half.
    pub(crate) fn replace(&mut self, decided: Digest, last: Option<&str>) -> Result<(), OpenError> {
        if fingerprint(&self.key) != decided {
            let next = next_file(&self.path);
            let key = read(&next, self.key.origin())?;
            let older = self.key.verifier().to_string();
            let id = older.split('+').nth(1).unwrap_or_default();
            let beside = |ending: &str| self.path.with_file_name(format!("log-{id}.{ending}"));
            // Before the key is: without its public half nothing that the older one has signed could be checked.
            kept_file::keep(&beside("vkey"), &verifier_line(&self.key))?;
            if let Some(last) = last {
                kept_file::keep(&beside("checkpoint"), last)?;
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
}

fn next_file(path: &Path) -> PathBuf {
    path.with_extension("key.next")
}

/// By what a log's key is announced: SHA-256 of its public half, as `log.vkey` has it without the end of the line.
fn fingerprint(key: &LogKey) -> Digest {
    Digest::of(key.verifier().to_string().as_bytes())
}

/// Makes the next key, unless one was made before, and answers its fingerprint.
pub(crate) fn prepare(
    paths: &StorePaths,
    origin: &str,
    entropy: &dyn Entropy,
) -> Result<Digest, OpenError> {
    let origin: Origin = origin.parse().map_err(|error| wrong(&error))?;
    Ok(fingerprint(&read_or_make(&next_file(&paths.log_key()), &origin, entropy)?))
}
