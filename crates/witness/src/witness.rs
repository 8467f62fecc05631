//! A witness: what it remembers of each log, and when it cosigns.
//!
//! ```text
//! STATE/<SHA-256 of the log's name>/checkpoint     the largest that was cosigned, with the log's line and ours
//! STATE/.turn                                      one request at a time, whichever process asks
//! ```
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

/// Cosigns checkpoints of the logs that it was set up for.
pub struct Witness {
    folder: PathBuf,
    key: WitnessKey,
    logs: Vec<VerifierKey>,
    clock: Arc<dyn Clock + Send + Sync>,
}

/// By what name a log is asked for: SHA-256 of its origin, in lower-case hexadecimal digits.
pub fn origin_name(origin: &Origin) -> String {
    let digest = Digest::of(origin.as_str().as_bytes()).to_string();
    digest.trim_start_matches("sha256:").to_owned()
}

impl Witness {
    /// A witness with its folder, which is made where there is none, its key, and the keys of the logs it cosigns.
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

    fn place(&self, origin: &Origin) -> PathBuf {
        self.folder.join(origin_name(origin))
    }

    fn remembered(&self, origin: &Origin) -> Result<Option<SignedCheckpoint>, WitnessError> {
        let path = self.place(origin).join(CHECKPOINT);
        let note = match fs_err::read(&path) {
            Ok(note) => note,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
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
        let unfinished = place.join(".unfinished");
        let mut file = fs_err::File::create(&unfinished)?;
        file.write_all(signed.note().as_bytes())?;
        file.sync_all()?;
        fs_err::rename(&unfinished, place.join(CHECKPOINT))?;
        fs_err::File::open(&place)?.sync_all()?;
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
