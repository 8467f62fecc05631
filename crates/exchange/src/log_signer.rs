//! Who signs the log, and where a signature must end: with a fiscal year, and with the announcement of another key.
//!
//! ```text
//! leaves      … SHARD_CLOSE │ SHARD_OPEN … KEY_ROTATE │ …
//! signed by   the older key │    the older key alone, │ the newer key
//!             keys/log-2026.checkpoint                └ keys/log-<id>.checkpoint
//! ```
//! An auditor takes nothing that a key signs behind the leaf that announces its successor: whoever has found an older key would
//! go on with it. And a year is handed over as it was when it ended. Both ends may lie within the log before anybody may sign:
//! the process died there, a witness was silent, or other leaves were made durable together with them. So whatever is due is
//! kept here, and signed as the log was then before anything later is.
//!
//! Invariant: behind the announcement of the next key the older one signs nothing, and behind a year that has ended nothing is
//! signed before its end is signed and kept, wherever the process dies.

use std::path::{Path, PathBuf};

use renkei_tlog::checkpoint::claimed;
use renkei_tlog::leaf::Operation;
use renkei_tlog::{Hash, Leaf, LogError, LogFolder, SignedCheckpoint, VerifierKey};
use renkei_types::Digest;

use crate::kept_file;
use crate::key_standing::KeyStanding;
use crate::log_head::LogHead;
use crate::log_key::KeptLogKey;
use crate::store::OpenError;

/// A year that has ended, and whose end is not signed yet.
#[derive(Clone, Debug)]
pub(crate) struct EndedYear {
    /// Leaves with the one that ends it.
    pub(crate) size: u64,
    /// The root over them, as the first leaf of the next year names it.
    pub(crate) root: Hash,
    /// Where its final checkpoint is kept.
    pub(crate) place: PathBuf,
}

/// A key that two have agreed on, and that does not sign yet.
#[derive(Clone, Copy, Debug)]
struct Announced {
    key: Digest,
    /// Leaves with the one that says so; nothing where the older key has signed them.
    size: Option<u64>,
}

/// What signs the log.
pub(crate) struct Signer {
    log: PathBuf,
    key: KeptLogKey,
    head: LogHead,
    ended: Option<EndedYear>,
    /// The key that was decided on last.
    decided: Option<Digest>,
    announced: Option<Announced>,
}

impl Signer {
    /// Looks for what was due when the process ended: the key that was decided on last, the end of the year that ended last.
    pub(crate) fn begin(
        log: PathBuf,
        key: KeptLogKey,
        head: LogHead,
        folder: &LogFolder,
        (decided, ended): (Option<Digest>, Option<EndedYear>),
    ) -> Result<Self, OpenError> {
        let published = folder.published().map_or(0, |published| published.size);
        let signed = head.size().max(published);
        let mut signer = Self { log, key, head, ended: None, decided, announced: None };
        if let Some(year) = ended
            && !is_kept(&year)?
        {
            // Whoever takes the file of an old year away does not have it signed anew, by a key that came later.
            signer.ended = Some(year).filter(|year| signed <= year.size);
        }
        if let Some(decided) = decided
            && signer.key.standing() == KeyStanding::Leaving
        {
            for (at, leaf) in (signed..).zip(folder.leaves(signed..folder.size())) {
                signer.notice(at, &leaf.map_err(|error| signer.failed(error))?);
            }
            signer.announced.get_or_insert(Announced { key: decided, size: None });
        }
        Ok(signer)
    }

    /// The public half of the key that signs, and those of the older ones.
    pub(crate) fn verifiers(&self) -> Result<Vec<VerifierKey>, OpenError> {
        self.key.verifiers()
    }

    /// Notes which key was decided on last, before the leaves that say so join the log.
    pub(crate) fn decide(&mut self, decided: Option<Digest>) {
        self.decided = decided;
    }

    /// Looks at a leaf before it joins the log: it may announce the next key. One of the root key announces none, and whether a next
    /// key lies there, or can be read, does not matter before it is taken into use.
    pub(crate) fn notice(&mut self, at: u64, leaf: &[u8]) {
        let word = Operation::KeyRotate.as_str().as_bytes();
        let Some(decided) = self.decided.filter(|decided| !self.key.is_of(*decided)) else {
            return;
        };
        if self.announced.is_some() || !leaf.windows(word.len()).any(|part| part == word) {
            return;
        }
        let leaf = Leaf::parse(leaf).ok().filter(|leaf| leaf.op == Operation::KeyRotate);
        if leaf.and_then(|leaf| leaf.cfg) == Some(decided) {
            self.announced = Some(Announced { key: decided, size: Some(at + 1) });
        }
    }

    /// Notes that a year has ended: its end is signed and kept before anything later is signed.
    pub(crate) fn end_year(&mut self, year: EndedYear) {
        self.ended = Some(year);
    }

    /// Writes the head of a log that has no leaf yet.
    pub(crate) fn begin_head(&mut self) -> Result<(), OpenError> {
        self.head.begin(self.key.key()).map_err(|error| self.failed(error))
    }

    /// Signs what is due, and then the log as it is.
    pub(crate) fn sign(&mut self, folder: &mut LogFolder) -> Result<SignedCheckpoint, OpenError> {
        let ended = self.ended.as_ref().map(|year| year.size);
        let announced = self.announced.and_then(|announced| announced.size);
        if ended.zip(announced).is_some_and(|(ended, announced)| ended < announced) {
            self.sign_years_end(folder)?;
        }
        self.take_next_key(folder)?;
        self.sign_years_end(folder)?;
        self.publish(folder)
    }

    fn take_next_key(&mut self, folder: &mut LogFolder) -> Result<(), OpenError> {
        let Some(Announced { key, size }) = self.announced else { return Ok(()) };
        if let Some(size) = size.filter(|size| *size > self.head.size()) {
            self.sign_as_of(folder, size)?;
        }
        self.key.replace(key, self.head.note())?;
        self.announced = None;
        Ok(())
    }

    fn sign_years_end(&mut self, folder: &mut LogFolder) -> Result<(), OpenError> {
        let Some(year) = self.ended.clone() else { return Ok(()) };
        let last = self.sign_as_of(folder, year.size)?;
        if !is_kept(&year)? {
            kept_file::keep(&year.place, last.note())?;
        }
        self.ended = None;
        Ok(())
    }

    /// Signs the log as it was with so many leaves.
    fn sign_as_of(
        &mut self,
        folder: &mut LogFolder,
        size: u64,
    ) -> Result<SignedCheckpoint, OpenError> {
        if folder.size() == size {
            return self.publish(folder);
        }
        let signed = folder.sign_beginning(self.key.key(), size);
        let signed = signed.map_err(|error| self.failed(error))?;
        self.head.advance(&signed).map_err(|error| self.failed(error))?;
        Ok(signed)
    }

    fn publish(&mut self, folder: &mut LogFolder) -> Result<SignedCheckpoint, OpenError> {
        let head = &mut self.head;
        let signed = folder.publish_after(self.key.key(), |signed| head.advance(signed));
        signed.map_err(|error| self.failed(error))
    }

    /// The log's folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.log
    }

    /// What the log's folder says, as what a broker cannot go on from.
    pub(crate) fn failed(&self, source: LogError) -> OpenError {
        OpenError::Log { path: self.log.clone(), source }
    }
}

/// Whether the end of a year is kept already. What lies in its place and is of a past that was lost is put away as evidence, so that
/// nobody is handed it as the year's. The journal says which root it has: of tiles that may be old none is read.
fn is_kept(year: &EndedYear) -> Result<bool, OpenError> {
    let EndedYear { size, root, place } = year;
    let note = match fs_err::read(place) {
        Ok(note) => note,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    let kept = claimed(&note).ok();
    if kept.as_ref().is_some_and(|kept| kept.size == *size && kept.root == *root) {
        return Ok(true);
    }
    let of = kept.map_or("unknown".to_owned(), |kept| kept.size.to_string());
    let lost = place.with_extension(format!("checkpoint.lost-{of}"));
    tracing::warn!(file = %lost.display(), "a final checkpoint of another past of the log is put away");
    fs_err::rename(place, lost)?;
    Ok(kept_file::sync_folder_of(place).map(|()| false)?)
}
