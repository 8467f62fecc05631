//! The log looked at beside the broker that serves it, or before one starts: what a start would say.
//!
//! It is decided by what a start asks, [`FoundLog`] and [`crate::key_standing`]. Nothing is opened that a broker holds; of the log's key
//! the public half is derived, as a start does, where whoever asks may read it, and where not, the half that lies beside it is
//! believed. What a start knows of the key that was decided on from the state, the frames since the last signature tell: behind the
//! leaf that announces its successor a key signs nothing. Whether a key was announced itself, the last notes of older keys tell, each of
//! which ends with such a leaf. Only where nothing tells what was signed last, or which leaf announces the key, is the whole journal
//! read.
//!
//! Invariant: nothing is written, and what is told as wrong was so while nothing changed.

use jiff::Timestamp;
use renkei_tlog::leaf::Operation;
use renkei_tlog::{
    Checkpoint, Leaf, LogError, LogLook, Origin, SignedCheckpoint, VerifierKey, proof,
};
use renkei_types::Digest;

use crate::found_log::{FoundLog, JournalFrames};
use crate::key_standing::{KeyStanding, standing};
use crate::log_head::HeadFound;
use crate::log_key::{KeyPlace, has_next, next_fingerprint};
use crate::public_half::{PublicHalves, fingerprint, last_notes};
use crate::rotation::BrokerKey;
use crate::state::State;
use crate::store::{OpenError, StorePaths};

/// How often everything is read again at most while its broker goes on signing.
const READINGS_MAX: usize = 16;

/// A log that a start would go on with, as whoever looks from outside sees it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LogBeside {
    /// Where what was signed last was found.
    pub place: HeadFound,
    /// Whether the log announces the key that signs it, or that is its first one. Where not, auditors refuse what it signs.
    pub is_key_announced: bool,
    /// When the first entry came that is not signed yet; nothing where all are. A broker that serves signs within seconds.
    pub unsigned_since: Option<Timestamp>,
}

impl StorePaths {
    /// Whether a start would take the log's key and find in the log what was signed last. Nothing is opened, so a broker may be
    /// serving.
    pub fn check_log_head(&self) -> Result<LogBeside, OpenError> {
        for _ in 1..READINGS_MAX {
            let before = Signs::of(self);
            let checked = self.look_at_log();
            // A broker that works meanwhile takes files of the older tree away, and replaces keys.
            if checked.is_ok() || Signs::of(self) == before {
                return checked;
            }
        }
        self.look_at_log()
    }

    fn look_at_log(&self) -> Result<LogBeside, OpenError> {
        let journal = JournalFrames::Beside(self.journal());
        let halves = PublicHalves::in_folder(&self.keys)?;
        let key = KeyBeside::look(self, halves, journal.last()? > 0)?;
        let keys = key.as_ref().map(KeyBeside::verifiers).unwrap_or_default();
        let found = FoundLog::look(self, &keys, &journal);
        let Some(key) = key else {
            let FoundLog { place, unsigned_since, .. } = found?;
            return Ok(LogBeside { place, is_key_announced: true, unsigned_since });
        };
        let head = found.as_ref().ok().and_then(|found| found.head.as_ref());
        let standing = key.standing(self, decided(self, &journal, head, &key)?)?;
        let found = found?;
        // A start signs nothing while a dispute is open, and reads what there is.
        if !self.log_dispute().exists() {
            found.check_signable(key.origin())?;
        }
        let is_key_announced = standing != KeyStanding::Unannounced;
        let FoundLog { place, unsigned_since, .. } = found;
        Ok(LogBeside { place, is_key_announced, unsigned_since })
    }

    /// Whether the store goes on from a checkpoint that a key of the log has signed. Where the log's folder does not tell, since it
    /// is damaged or written meanwhile, the journal does.
    pub fn holds(&self, note: &str) -> bool {
        let checked = || {
            let keys = self.log_verifiers()?;
            let failed = |source: LogError| OpenError::Log { path: self.log_head(), source };
            let signed = SignedCheckpoint::open(note.as_bytes(), &keys);
            let signed = signed.map_err(|error| failed(error.into()))?;
            let Checkpoint { size, root, .. } = *signed.checkpoint();
            let journal = JournalFrames::Beside(self.journal());
            if size > journal.last()? {
                return Ok(false);
            }
            let look = LogLook::at(&self.log()).ok().filter(|look| size <= look.size());
            let known = look.and_then(|look| proof::root_at(&look, size).ok());
            Ok(known == Some(root) || journal.root_at(size)? == Some(root))
        };
        let checked: Result<bool, OpenError> = checked();
        checked.unwrap_or_default()
    }
}

/// By what it is seen that a broker has worked meanwhile.
#[derive(Eq, PartialEq)]
struct Signs {
    files: Vec<Option<Vec<u8>>>,
    frames: Option<u64>,
    has_next: bool,
}

impl Signs {
    fn of(paths: &StorePaths) -> Self {
        let files = [
            paths.log_head(),
            paths.log_key().with_extension("vkey"),
            paths.log().join("checkpoint"),
        ];
        Self {
            files: files.iter().map(|file| fs_err::read(file).ok()).collect(),
            frames: JournalFrames::Beside(paths.journal()).last().ok(),
            has_next: has_next(&paths.log_key()),
        }
    }
}

/// The log's key as it is seen from outside.
enum KeyBeside {
    /// Its public half was derived from it.
    Read(VerifierKey, PublicHalves),
    /// It may not be read; this is the public half that lies beside it.
    Believed(VerifierKey, PublicHalves),
}

impl KeyBeside {
    /// Nothing where there is no key yet, or nothing says whose log it is: nothing was signed then, or all of it is lost.
    fn look(
        paths: &StorePaths,
        halves: PublicHalves,
        has_begun: bool,
    ) -> Result<Option<Self>, OpenError> {
        let place = KeyPlace::find(paths, has_begun)?;
        let Some(origin) = paths.log_origin()? else { return Ok(None) };
        if matches!(place, KeyPlace::ToBeMade(_)) {
            return Ok(None);
        }
        Ok(match place.public_half(&origin)? {
            Some(own) => Some(Self::Read(own, halves)),
            None => halves.written.clone().map(|written| Self::Believed(written, halves)),
        })
    }

    fn parts(&self) -> (&VerifierKey, &PublicHalves) {
        match self {
            Self::Read(own, halves) | Self::Believed(own, halves) => (own, halves),
        }
    }

    fn origin(&self) -> &Origin {
        self.parts().0.origin()
    }

    fn verifiers(&self) -> Vec<VerifierKey> {
        let (own, halves) = self.parts();
        halves.with(own.clone())
    }

    fn standing(
        &self,
        paths: &StorePaths,
        decided: Option<Digest>,
    ) -> Result<KeyStanding, OpenError> {
        let (path, (own, halves)) = (paths.log_key(), self.parts());
        let next = || match self {
            Self::Read(own, _) => next_fingerprint(&path, own.origin()),
            // Nor may the next one be read.
            Self::Believed(..) => Ok(decided.filter(|_| has_next(&path))),
        };
        standing(&path, own, halves, decided, next)
    }
}

/// The log's key that was decided on last; nothing for the first one, and for one that nobody has announced. `head` is what was signed
/// last, where the journal has it.
fn decided(
    paths: &StorePaths,
    journal: &JournalFrames<'_>,
    head: Option<&SignedCheckpoint>,
    key: &KeyBeside,
) -> Result<Option<Digest>, OpenError> {
    // With the last leaf that was signed, which may be the announcement.
    let from = head.map_or(1, |head| head.checkpoint().size.max(1));
    let mut state = State::default();
    for frame in journal.read(from)? {
        let (seq, frame) = frame?;
        if may_rotate(&frame.leaf) {
            let unreadable = |source| OpenError::Facts { seq: seq.0, source };
            state.apply_facts(&frame.facts).map_err(unreadable)?;
        }
    }
    let since = state.keys_in_use.get(&BrokerKey::Log).copied();
    let (own, halves) = key.parts();
    let Some(head) = head.filter(|_| since.is_none() && !halves.older.is_empty()) else {
        return Ok(since);
    };
    // Whoever has signed what nobody has announced another key since is the one that was decided on, unless it is the first.
    let signer = key.verifiers().into_iter().find(|key| head.is_signed_by(key));
    let signer = match signer {
        Some(signer) if signer == *own && !is_announced(paths, journal, own)? => None,
        signer => signer,
    };
    Ok(signer.as_ref().map(fingerprint))
}

/// Whether a leaf of the journal announces a key. Where the last note of an older key says at which leaf, no other is read.
fn is_announced(
    paths: &StorePaths,
    journal: &JournalFrames<'_>,
    key: &VerifierKey,
) -> Result<bool, OpenError> {
    let announces = |leaf: &[u8]| {
        let leaf = Some(leaf).filter(|leaf| may_rotate(leaf)).map(Leaf::parse);
        let leaf = leaf.and_then(Result::ok).filter(|leaf| leaf.op == Operation::KeyRotate);
        leaf.and_then(|leaf| leaf.cfg) == Some(fingerprint(key))
    };
    for note in last_notes(&paths.keys)? {
        let frame = journal.read(note.size.max(1))?.next().transpose()?;
        if frame.is_some_and(|(_, frame)| announces(&frame.leaf)) {
            return Ok(true);
        }
    }
    for frame in journal.read(1)? {
        if announces(&frame?.1.leaf) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a leaf may say that a key is replaced; most do not, and are not read any further.
fn may_rotate(leaf: &[u8]) -> bool {
    let word = Operation::KeyRotate.as_str().as_bytes();
    leaf.windows(word.len()).any(|part| part == word)
}
