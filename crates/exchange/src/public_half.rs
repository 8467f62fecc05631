//! The public halves of the log's keys, as they lie beside the secret one.
//!
//! Without them nothing that was signed can be checked, and what a witness knows could not be told from what a stranger has
//! signed. So where `log.vkey` is gone or damaged, its place is taken by what the key that lies there has: it is derived, and
//! written only once what was signed last has shown that this is the key.

use std::path::{Path, PathBuf};

use renkei_tlog::checkpoint::claimed;
use renkei_tlog::{Checkpoint, Origin, VerifierKey};
use renkei_types::Digest;

use crate::log_fault::LogKeyFault;
use crate::log_key::KeyPlace;
use crate::store::{OpenError, StorePaths};

/// By what a log's key is announced: SHA-256 of its public half, as `log.vkey` has it without the end of the line.
pub(crate) fn fingerprint(key: &VerifierKey) -> Digest {
    Digest::of(key.to_string().as_bytes())
}

/// What an auditor is given; anybody may have it.
pub(crate) fn verifier_line(key: &VerifierKey) -> String {
    format!("{key}\n")
}

/// The public halves in a folder of keys.
#[derive(Clone, Debug)]
pub(crate) struct PublicHalves {
    /// `log.vkey`, where it can be read. It may be of the key before.
    pub(crate) written: Option<VerifierKey>,
    /// `log-<id>.vkey`: those of keys that sign no more.
    pub(crate) older: Vec<VerifierKey>,
}

impl PublicHalves {
    pub(crate) fn in_folder(keys: &Path) -> Result<Self, OpenError> {
        let written = fs_err::read_to_string(keys.join("log.vkey")).ok();
        let written = written.and_then(|line| line.parse().ok());
        let mut older = Vec::new();
        if keys.is_dir() {
            for entry in fs_err::read_dir(keys)? {
                let path = entry?.path();
                let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                if name.starts_with("log-") && name.ends_with(".vkey") {
                    older.push(read_older(&path)?);
                }
            }
        }
        Ok(Self { written, older })
    }

    /// Whether this is the public half of a key that signs no more.
    pub(crate) fn is_older(&self, key: Digest) -> bool {
        self.older.iter().any(|older| fingerprint(older) == key)
    }

    /// All of them, that of `own` first: what was signed last may be by any.
    pub(crate) fn with(&self, own: VerifierKey) -> Vec<VerifierKey> {
        let written = self.written.iter().filter(|written| **written != own);
        let others: Vec<_> = written.chain(&self.older).cloned().collect();
        std::iter::once(own).chain(others).collect()
    }
}

fn read_older(path: &Path) -> Result<VerifierKey, OpenError> {
    let half = fs_err::read_to_string(path)?.parse();
    half.map_err(|_| OpenError::LogKey(LogKeyFault::OlderHalf { path: path.to_owned() }))
}

/// A file that is named for an older key.
pub(crate) fn beside(key: &Path, older: &VerifierKey, ending: &str) -> PathBuf {
    let older = older.to_string();
    let id = older.split('+').nth(1).unwrap_or_default();
    key.with_file_name(format!("log-{id}.{ending}"))
}

/// What the last notes say that lie beside older keys: each ends with the leaf that announces the next one. Finals of years are among
/// them, whose names look alike.
pub(crate) fn last_notes(keys: &Path) -> Result<Vec<Checkpoint>, OpenError> {
    let mut notes = Vec::new();
    for entry in fs_err::read_dir(keys)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with("log-") && name.ends_with(".checkpoint") {
            notes.extend(claimed(&fs_err::read(path)?));
        }
    }
    Ok(notes)
}

impl StorePaths {
    /// The public halves of all keys that have ever signed the log, the present one first; nothing before the first start.
    pub fn log_verifiers(&self) -> Result<Vec<VerifierKey>, OpenError> {
        let halves = PublicHalves::in_folder(&self.keys)?;
        let own = match halves.written.clone() {
            Some(written) => Some(written),
            None => self.derived()?,
        };
        Ok(own.map_or_else(|| halves.older.clone(), |own| halves.with(own)))
    }

    /// The public half of the key that lies there; nothing where there is none, or nothing that says whose log it is.
    fn derived(&self) -> Result<Option<VerifierKey>, OpenError> {
        let place = KeyPlace::find(self, false).ok();
        let place = place.filter(|place| !matches!(place, KeyPlace::ToBeMade(_)));
        let Some((place, origin)) = place.zip(self.log_origin()?) else { return Ok(None) };
        place.public_half(&origin)
    }

    /// The name of the log, as anything tells that was kept of it.
    pub(crate) fn log_origin(&self) -> Result<Option<Origin>, OpenError> {
        let halves = PublicHalves::in_folder(&self.keys)?;
        if let Some(known) = halves.written.iter().chain(&halves.older).next() {
            return Ok(Some(known.origin().clone()));
        }
        let mut notes = vec![self.log_head(), self.log().join("checkpoint")];
        notes.extend(self.lost_heads()?);
        let told = |path: &PathBuf| Some(claimed(&fs_err::read(path).ok()?).ok()?.origin);
        Ok(notes.iter().find_map(told))
    }
}
