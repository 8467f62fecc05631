//! A dispute: a witness knows another past of this log than this log has.
//!
//! Either the store was put back from a backup, keys and all, or somebody has signed another history with the log's key.
//! Whichever it is, signing on would make the second past final. So what the witness knows is kept with the keys, the log
//! tells of it, and until an operator has looked nothing is changed and nothing is signed; what can be read stays readable.
//!
//! ```text
//! keys/log.dispute                 who knows what; while it is there the broker only reads
//! keys/log.dispute.accepted        its new name, by the hand of an operator: the next start says so in the log and goes on
//! keys/log.dispute.settled-SIZE    kept afterwards
//! ```

use std::io;
use std::path::{Path, PathBuf};

use renkei_tlog::SignedCheckpoint;
use renkei_tlog::checkpoint::claimed;
use renkei_tlog::leaf::{LeafResult, Operation, SeenCheckpoint};
use renkei_types::Reason;
use serde::{Deserialize, Serialize};

use crate::command::{Command, Decision, Desk};
use crate::kept_file;
use crate::mark::Mark;
use crate::refusal::Refusal;
use crate::store::{OpenError, StorePaths};

/// What a witness knows that this log does not.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Dispute {
    /// The witness, by its name in the policy.
    pub witness: String,
    /// The size that it has cosigned last, where it said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cosigned_size: Option<u64>,
    /// The checkpoint that it was shown.
    pub ours: String,
    /// The checkpoint that it has cosigned, where it showed it: with the log's own signature it is the proof.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub theirs: Option<String>,
}

impl Dispute {
    /// Keeps it with the keys; durable on return. The first one stays: it is nearest to what happened.
    pub fn keep(&self, paths: &StorePaths) -> io::Result<()> {
        let path = paths.log_dispute();
        if path.exists() {
            return Ok(());
        }
        let text = serde_json::to_string_pretty(self)?;
        kept_file::keep(&path, &text)
    }

    /// The checkpoint that tells most: the witness's, else ours.
    fn seen(&self) -> Option<SeenCheckpoint> {
        let theirs = self.theirs.as_ref().and_then(|note| claimed(note.as_bytes()).ok());
        let known = theirs.or_else(|| claimed(self.ours.as_bytes()).ok());
        known.map(|known| SeenCheckpoint::from(&known))
    }
}

/// What a log has signed last, before anybody has opened it: what a witness is asked about before anything new is signed. As a
/// rule that is the head; an operator who has lost it may have put an older checkpoint in its place. Where there is neither a
/// head nor a checkpoint in the log's folder, it is what an operator has accepted as lost.
pub fn signed_last(paths: &StorePaths) -> io::Result<Option<String>> {
    let present = newest(paths, &[paths.log_head(), paths.log().join("checkpoint")], |_| true)?;
    if present.is_some() {
        return Ok(present);
    }
    newest(paths, &paths.lost_heads()?, |note| is_own_note(paths, note))
}

/// The note of the largest log among files that may be there. The first that fits is taken as it is, another where a key of the
/// log has signed it.
fn newest(
    paths: &StorePaths,
    files: &[PathBuf],
    fits: impl Fn(&str) -> bool,
) -> io::Result<Option<String>> {
    let mut last: Option<(u64, String)> = None;
    for path in files {
        let note = match fs_err::read_to_string(path) {
            Ok(note) if fits(&note) => note,
            Ok(_) => continue,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        let size = claimed(note.as_bytes()).map_or(0, |known| known.size);
        match &last {
            Some((known, _)) if size <= *known || !is_own_note(paths, &note) => {}
            _ => last = Some((size, note)),
        }
    }
    Ok(last.map(|(_, note)| note))
}

/// Whether a note is signed by a key of the log whose keys these are.
pub fn is_own_note(paths: &StorePaths, note: &str) -> bool {
    let keys = paths.log_verifiers().unwrap_or_default();
    SignedCheckpoint::open(note.as_bytes(), &keys).is_ok()
}

/// The disputes of a broker that starts.
pub(crate) struct Disputes {
    /// One that is open.
    pub(crate) open: Option<Dispute>,
    /// One that an operator has accepted.
    pub(crate) accepted: Option<AcceptedDispute>,
}

/// A dispute that an operator has accepted, and where it is kept until the log says so.
pub(crate) struct AcceptedDispute {
    pub(crate) dispute: Dispute,
    path: PathBuf,
}

impl Disputes {
    pub(crate) fn read(paths: &StorePaths) -> Result<Self, OpenError> {
        let path = paths.log_dispute().with_extension("dispute.accepted");
        let accepted = read(&path)?.map(|dispute| AcceptedDispute { dispute, path });
        Ok(Self { open: read(&paths.log_dispute())?, accepted })
    }
}

impl AcceptedDispute {
    /// Puts it away once the log tells of it.
    pub(crate) fn put_away(self) -> Result<(), OpenError> {
        let size = self.dispute.seen().map_or(0, |seen| seen.size);
        let kept = self.path.with_extension(format!("settled-{size}"));
        Ok(fs_err::rename(&self.path, kept)?)
    }
}

fn read(path: &Path) -> Result<Option<Dispute>, OpenError> {
    match fs_err::read(path) {
        Ok(text) => {
            let read = serde_json::from_slice(&text).map_err(io::Error::from)?;
            Ok(Some(read))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Notes that a witness knows another past, or that an operator goes on in spite of it.
pub(crate) struct NoteDispute {
    pub(crate) dispute: Dispute,
    pub(crate) accepted: bool,
}

impl Command for NoteDispute {
    type Reply = ();
    const METHOD: &'static str = "NoteDispute";

    fn decide(&self, _: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        let operation = Operation::RollbackSuspected;
        let mark = match self.accepted {
            true => Mark::ok(operation),
            false => Mark::ended(operation, LeafResult::Failed, Reason::LogDisputed),
        };
        Ok(Decision::new(
            (),
            match self.dispute.seen() {
                Some(seen) => mark.seen(seen),
                None => mark,
            },
        ))
    }
}
