//! What a start finds of the log: its folder, the journal and what was signed last, held against each other before anything is
//! written.
//!
//! ```text
//! keys/log.head   must be a beginning of   store/log   must be a beginning of   store/journal
//! ```
//! A start goes on from what it finds; `selfcheck` looks at the same beside a broker that serves, so neither says what the other
//! does not. Where the folder is shorter than what was signed, the journal has the rest, and the start builds it again. Where a
//! root differs, the journal also tells whether the store is another one or a file of the folder was altered.
//!
//! Invariant: nothing is changed, and a log that is answered goes on from what was signed last, or an operator has accepted that
//! this is lost.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use renkei_journal::{Journal, Seq, frames_beside, last_frame_beside};
use renkei_tlog::hash::leaf_hash;
use renkei_tlog::proof::root_at;
use renkei_tlog::tree::Frontier;
use renkei_tlog::{Checkpoint, Hash, LogError, LogLook, Origin, SignedCheckpoint, VerifierKey};

use crate::log_fault::LogDifference;
use crate::log_head::{self, HeadFound, LostHead};
use crate::mark::time_of;
use crate::store::{OpenError, StorePaths};

/// Where frames are read from.
pub(crate) enum JournalFrames<'a> {
    /// A journal that is open here.
    Open(&'a dyn Journal),
    /// The folder of one that another process may be writing.
    Beside(PathBuf),
}

impl JournalFrames<'_> {
    pub(crate) fn last(&self) -> Result<u64, OpenError> {
        let Seq(last) = match self {
            Self::Open(journal) => journal.last(),
            Self::Beside(folder) => last_frame_beside(folder)?,
        };
        Ok(last)
    }

    pub(crate) fn read(&self, from: u64) -> Result<renkei_journal::Frames, OpenError> {
        Ok(match self {
            Self::Open(journal) => journal.read(Seq(from))?,
            Self::Beside(folder) => frames_beside(folder, Seq(from))?,
        })
    }

    /// A tree gone on with, as far as so many leaves or to the end of the journal.
    fn grown(&self, mut tree: Frontier, size: u64) -> Result<Frontier, OpenError> {
        for frame in self.read(tree.size() + 1)? {
            if tree.size() >= size {
                break;
            }
            tree.append(leaf_hash(&frame?.1.leaf));
        }
        Ok(tree)
    }

    /// The root over so many leaves; nothing where the journal ends before that.
    pub(crate) fn root_at(&self, size: u64) -> Result<Option<Hash>, OpenError> {
        let tree = self.grown(Frontier::new(), size)?;
        Ok((tree.size() == size).then(|| tree.root()))
    }
}

/// A log that can be gone on with.
pub(crate) struct FoundLog {
    path: PathBuf,
    look: LogLook,
    /// What was signed last; nothing where nothing was, or where it is lost.
    pub(crate) head: Option<SignedCheckpoint>,
    /// What an operator has accepted as lost.
    pub(crate) lost: Option<LostHead>,
    /// Where what was signed last was found.
    pub(crate) place: HeadFound,
    /// When the first entry came that is not signed yet; nothing where all are.
    pub(crate) unsigned_since: Option<Timestamp>,
}

impl FoundLog {
    /// Looks at everything; `keys` are those that may have signed.
    pub(crate) fn look(
        paths: &StorePaths,
        keys: &[VerifierKey],
        journal: &JournalFrames<'_>,
    ) -> Result<Self, OpenError> {
        let path = paths.log();
        // In this order: the journal has a leaf before the log has, and the log before it is signed.
        let head = log_head::read(&paths.log_head(), keys);
        let look = LogLook::at(&path).map_err(of_log(&path))?;
        let last = journal.last()?;
        let log = LogToBe { path: &path, look: &look, journal, last };
        log.check_folder()?;
        let head = head?;
        let place = match &head {
            Some(head) => log.find(head, paths)?,
            None => HeadFound::Nowhere,
        };
        let lost = log_head::accepted(paths, keys)?;
        if head.is_none() && lost.is_none() && last > 0 {
            return Err(OpenError::HeadMissing { path: paths.log_head(), found: last });
        }
        let signed = head.as_ref().map_or(0, |head| head.checkpoint().size);
        let unsigned = journal.read(signed + 1)?.next().transpose()?;
        let unsigned_since = unsigned.and_then(|(_, frame)| time_of(&frame.leaf));
        Ok(Self { path, look, head, lost, place, unsigned_since })
    }

    /// Refuses a folder in which nothing more would be signed.
    pub(crate) fn check_signable(&self, origin: &Origin) -> Result<(), OpenError> {
        self.look.check_signable(origin).map_err(of_log(&self.path))
    }
}

/// The log as it is once it has caught up with the journal.
struct LogToBe<'a> {
    path: &'a Path,
    look: &'a LogLook,
    journal: &'a JournalFrames<'a>,
    /// Frames of the journal.
    last: u64,
}

impl LogToBe<'_> {
    /// A folder that knows more than the journal, or something else, is refused: somebody has put an old journal back.
    fn check_folder(&self) -> Result<(), OpenError> {
        let differs = |what| Err(OpenError::LogDiffers { path: self.path.to_owned(), what });
        let size = self.look.size();
        if size > self.last {
            return differs(LogDifference::TooLong);
        }
        if size > 0 {
            let known = self.look.read_leaf(size - 1).map_err(of_log(self.path))?;
            let frame = self.journal.read(size)?.next().transpose()?;
            if frame.is_none_or(|(_, frame)| frame.leaf != known) {
                return differs(LogDifference::LastLeaf);
            }
        }
        Ok(())
    }

    /// Where the log has what was signed last.
    fn find(&self, head: &SignedCheckpoint, paths: &StorePaths) -> Result<HeadFound, OpenError> {
        let Checkpoint { size, root, .. } = *head.checkpoint();
        let rolled_back =
            OpenError::RolledBack { path: paths.log_head(), signed: size, found: self.last };
        if size > self.last {
            return Err(rolled_back);
        }
        let (found, place) = if size <= self.look.size() {
            (root_at(self.look, size).map_err(of_log(self.path))?, HeadFound::InLog)
        } else {
            (self.journal.grown(self.look.tree(), size)?.root(), HeadFound::InJournal)
        };
        if found == root {
            Ok(place)
        } else {
            Err(self.altered(size, root)?.unwrap_or(rolled_back))
        }
    }

    /// What to say of a root that differs though the journal has what was signed: then a file of the folder was altered. Reads the
    /// whole journal.
    fn altered(&self, size: u64, root: Hash) -> Result<Option<OpenError>, OpenError> {
        let mut tree = Frontier::new();
        let hashes = self.journal.read(1)?.map(|frame| {
            let hash = leaf_hash(&frame?.1.leaf);
            if tree.size() < size {
                tree.append(hash);
            }
            Ok::<_, OpenError>(hash)
        });
        let tile = self.look.altered_tile(hashes)?;
        let tree = self.journal.grown(tree, size)?;
        let has_it = tree.size() == size && tree.root() == root;
        let altered = |file| OpenError::TileAltered { path: self.path.to_owned(), file };
        Ok(tile.filter(|_| has_it).map(|tile| altered(tile.to_string())))
    }
}

fn of_log(path: &Path) -> impl Fn(LogError) -> OpenError + use<> {
    let path = path.to_owned();
    move |source| OpenError::Log { path: path.clone(), source }
}
