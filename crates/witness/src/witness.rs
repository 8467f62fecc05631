//! A witness: what it remembers of each log, and when it cosigns.
//!
//! ```text
//! STATE/<SHA-256 of the log's name>/checkpoint     the largest that was cosigned, with the log's line and ours
//! STATE/replaced                                   public keys of logs that a newer one has taken the place of
//! STATE/.turn                                      one request at a time, whichever process asks
//! ```
//! A log's key may be replaced, and whoever finds the older one could have another past cosigned with it. No entry is seen
//! here, so what is newer is told by the order of the keys that the witness was given, and by what it has cosigned: behind a
//! checkpoint of one key no older one is accepted, and one that was replaced never again, in whatever order it is given later.
//! It is noted before the newer key's first checkpoint is, and apart from it: after a dispute the log's folder is put away.
//!
//! Invariant: between comparing the size that is remembered and replacing it nobody else does either. Otherwise a request
//! of N entries that was checked before one of N + K could be written after it, and the witness would have forgotten K
//! entries that it has vouched for.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use renkei_tlog::checkpoint::{CheckpointError, claimed};
use renkei_tlog::hash::empty_root;
use renkei_tlog::proof::ConsistencyProof;
use renkei_tlog::{CosignerKey, Origin, SignedCheckpoint, VerifierKey, WitnessKey};
use renkei_types::{Clock, Digest};

use crate::error::{Refused, WitnessError};
use crate::submission::Submission;

const CHECKPOINT: &str = "checkpoint";
const REPLACED: &str = "replaced";

/// Cosigns checkpoints of the logs that it was set up for.
pub struct Witness {
    folder: PathBuf,
    key: WitnessKey,
    /// Of one log the older before the newer.
    logs: Vec<VerifierKey>,
    clock: Arc<dyn Clock + Send + Sync>,
}

/// By what name a log is asked for: SHA-256 of its origin, in lower-case hexadecimal digits.
pub fn origin_name(origin: &Origin) -> String {
    let digest = Digest::of(origin.as_str().as_bytes()).to_string();
    digest.trim_start_matches("sha256:").to_owned()
}

impl Witness {
    /// A witness with its folder, which is made where there is none, its key, and the keys of the logs it cosigns: of
    /// one log in the order in which they came into use.
    pub fn open(
        folder: &Path,
        key: WitnessKey,
        logs: Vec<VerifierKey>,
        clock: Arc<dyn Clock + Send + Sync>,
    ) -> io::Result<Self> {
        fs_err::create_dir_all(folder)?;
        Ok(Self { folder: folder.to_owned(), key, logs, clock })
    }

    /// By what others check what this witness says.
    pub fn cosigner(&self) -> CosignerKey {
        self.key.cosigner()
    }

    /// Decides on a request. The answer is the witness's line, with its end; what was cosigned is durable.
    pub fn add_checkpoint(&self, request: &[u8]) -> Result<String, WitnessError> {
        let submission = Submission::parse(request).map_err(|_| Refused::Malformed)?;
        let signed = self.opened(&submission.note)?;
        let new = signed.checkpoint();
        if submission.old_size > new.size {
            return Err(Refused::Malformed.into());
        }
        let _turn = self.turn()?;
        let known = self.remembered(&new.origin)?;
        let ended = self.ended_key(&signed, known.as_ref())?;
        let size = known.as_ref().map_or(0, |known| known.checkpoint().size);
        if submission.old_size != size {
            return Err(Refused::OtherSize { size }.into());
        }
        let old_root = known.map_or_else(empty_root, |known| known.checkpoint().root);
        let hashes = submission.proof;
        let proof = ConsistencyProof { old_size: size, new_size: new.size, hashes };
        if proof.verify(&old_root, &new.root).is_err() {
            return Err(Refused::Inconsistent { size }.into());
        }
        let seconds = u64::try_from(self.clock.now().as_second()).unwrap_or_default();
        let cosignature = self.key.cosign(new, seconds);
        if let Some(ended) = ended {
            self.note_replaced(ended)?;
        }
        self.remember(&signed.with_cosignatures(std::slice::from_ref(&cosignature)))?;
        Ok(format!("{cosignature}\n"))
    }

    /// What is remembered of a log, asked for by [`origin_name`]; nothing where nothing was cosigned.
    pub fn checkpoint(&self, name: &str) -> Result<Option<String>, WitnessError> {
        let known = self.logs.iter().find(|log| origin_name(log.origin()) == name);
        let Some(log) = known else { return Ok(None) };
        Ok(self.remembered(log.origin())?.map(|signed| signed.note().to_owned()))
    }

    /// The checkpoint of a request, if it is signed by the key of a log that is known.
    fn opened(&self, note: &str) -> Result<SignedCheckpoint, Refused> {
        let claims = claimed(note.as_bytes()).map_err(|_| Refused::Malformed)?;
        let keys = self.logs.iter().filter(|log| *log.origin() == claims.origin);
        let keys: Vec<VerifierKey> = keys.cloned().collect();
        if keys.is_empty() {
            return Err(Refused::UnknownLog);
        }
        SignedCheckpoint::open(note.as_bytes(), &keys).map_err(|error| match error {
            CheckpointError::NotANote | CheckpointError::NotACheckpoint => Refused::Malformed,
            CheckpointError::UnknownKey
            | CheckpointError::WrongSignature
            | CheckpointError::OtherOrigin => Refused::WrongSignature,
        })
    }

    /// The key whose time ends with this checkpoint, if one's does. A key whose time has ended is refused.
    fn ended_key(
        &self,
        new: &SignedCheckpoint,
        known: Option<&SignedCheckpoint>,
    ) -> Result<Option<&VerifierKey>, WitnessError> {
        let newest =
            |signed: &SignedCheckpoint| self.logs.iter().rposition(|key| signed.is_signed_by(key));
        let (signer, before) = (newest(new), known.and_then(newest));
        let replaced = self.replaced()?;
        let is_replaced = |place: usize| replaced.contains(&self.logs[place]);
        if signer < before || signer.is_some_and(is_replaced) {
            return Err(Refused::ReplacedKey.into());
        }
        Ok(before.filter(|_| signer != before).and_then(|place| self.logs.get(place)))
    }

    /// The keys that others have taken the place of.
    fn replaced(&self) -> Result<Vec<VerifierKey>, WitnessError> {
        let path = self.folder.join(REPLACED);
        let Some(lines) = read_if_there(&path)? else { return Ok(Vec::new()) };
        let lines = String::from_utf8(lines).ok();
        let keys = lines.and_then(|lines| lines.lines().map(|line| line.parse().ok()).collect());
        keys.ok_or_else(|| WitnessError::Damaged { file: path.display().to_string() })
    }

    /// Notes that another key has taken the place of this one; durable on return.
    fn note_replaced(&self, key: &VerifierKey) -> Result<(), WitnessError> {
        let mut all = self.replaced()?;
        all.push(key.clone());
        let lines: String = all.iter().map(|key| format!("{key}\n")).collect();
        Ok(write_durably(&self.folder, REPLACED, &lines)?)
    }

    fn place(&self, origin: &Origin) -> PathBuf {
        self.folder.join(origin_name(origin))
    }

    fn remembered(&self, origin: &Origin) -> Result<Option<SignedCheckpoint>, WitnessError> {
        let path = self.place(origin).join(CHECKPOINT);
        let Some(note) = read_if_there(&path)? else { return Ok(None) };
        let damaged = || WitnessError::Damaged { file: path.display().to_string() };
        let signed = SignedCheckpoint::open(&note, &self.logs).map_err(|_| damaged())?;
        // A line of ours must hold, or somebody else has written it.
        let own = signed.cosignatures(&[self.cosigner()]).map_err(|_| damaged())?;
        if own.is_empty() || signed.checkpoint().origin != *origin {
            return Err(damaged());
        }
        Ok(Some(signed))
    }

    /// Replaces what is remembered; durable on return.
    fn remember(&self, signed: &SignedCheckpoint) -> io::Result<()> {
        let place = self.place(&signed.checkpoint().origin);
        fs_err::create_dir_all(&place)?;
        write_durably(&place, CHECKPOINT, signed.note())?;
        fs_err::File::open(&self.folder)?.sync_all()
    }

    /// The right to compare and replace; it is given back when the file is closed.
    fn turn(&self) -> io::Result<std::fs::File> {
        let path = self.folder.join(".turn");
        let file = fs_err::OpenOptions::new().create(true).append(true).open(path)?.into_file();
        file.lock()?;
        Ok(file)
    }
}

/// A file, or nothing where there is none.
fn read_if_there(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs_err::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Replaces a file whole; durable on return.
fn write_durably(folder: &Path, name: &str, text: &str) -> io::Result<()> {
    let unfinished = folder.join(".unfinished");
    let mut file = fs_err::File::create(&unfinished)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs_err::rename(&unfinished, folder.join(name))?;
    fs_err::File::open(folder)?.sync_all()
}
