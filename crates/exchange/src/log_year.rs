//! Years of the log: how a fiscal year (年度) ends, and the next one goes on from it.
//!
//! An audit office keeps a log by fiscal years. The tree of hashes goes on through all of them, so that receipts, proofs and
//! what clients remember stay as they are; a year is a part of it that ends with a leaf and a checkpoint of its own:
//!
//! ```text
//! … last work of March · SHARD_CLOSE │ SHARD_OPEN (size and root up to the line) · first work of April …
//!                                    └ keys/log-2026.checkpoint: the final checkpoint of fiscal year 2026
//! ```
//! Where witnesses have to cosign, their lines join the final checkpoint as well: what is handed over of a year carries them.
//! Invariant: no leaf stands between the two, and nothing of the new year is signed before the final checkpoint of the old one is
//! signed and kept. The year turns with the first command after it by the clock that was passed in, or at the next start; while
//! nothing is signed it stays open. Where signing ends just between the two, the new year begins with the root alone, and the
//! final checkpoint is signed as soon as anything is.

use std::path::PathBuf;

use jiff::Timestamp;
use jiff::tz::{TimeZone, offset};
use renkei_tlog::SignedCheckpoint;
use renkei_tlog::leaf::{Operation, SeenCheckpoint};
use renkei_types::Digest;
use serde::{Deserialize, Serialize};

use crate::command::{Command, Decision, Desk};
use crate::ledger::Exchange;
use crate::log_signer::EndedYear;
use crate::mark::Mark;
use crate::refusal::Refusal;
use crate::state::State;
use crate::store::StorePaths;
use crate::year_key::FiscalYear;

/// A year that has ended.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct LogYear {
    /// Leaves of the log with the last one of the year.
    pub size: u64,
    /// The root over them; nothing until the next year has begun.
    pub root: Option<Digest>,
}

impl FiscalYear {
    /// The one in which a moment lies in Japan.
    pub(crate) fn at(moment: Timestamp) -> Self {
        Self::of(moment.to_zoned(TimeZone::fixed(offset(9))).date())
    }
}

impl State {
    /// A year that has ended and whose successor has not begun.
    pub(crate) fn year_to_follow(&self) -> Option<(FiscalYear, u64)> {
        let (year, ended) = self.log_years.iter().last()?;
        ended.root.is_none().then_some((*year, ended.size))
    }
}

/// Ends a year, as the last leaf of it. Decided alone, so that its place in the log is known.
pub(crate) struct CloseYear(pub(crate) FiscalYear);

impl Command for CloseYear {
    type Reply = ();
    const METHOD: &'static str = "CloseYear";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        if desk.state.log_years.contains(&self.0) {
            // Another writer was first.
            return Ok(Decision::nothing(()));
        }
        let size = desk.journal.last().0 + 1;
        desk.state.log_years.put(self.0, LogYear { size, root: None });
        Ok(Decision::new((), Mark::ok(Operation::ShardClose)))
    }
}

/// Begins the next year, as its first leaf, which names the final checkpoint of the one before.
pub(crate) struct OpenYear {
    pub(crate) ended: FiscalYear,
    pub(crate) last: SeenCheckpoint,
}

impl Command for OpenYear {
    type Reply = ();
    const METHOD: &'static str = "OpenYear";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        if desk.state.year_to_follow().is_none() {
            return Ok(Decision::nothing(()));
        }
        let SeenCheckpoint { root, size } = self.last;
        desk.state.log_years.put(self.ended, LogYear { size, root: Some(root) });
        Ok(Decision::new((), Mark::ok(Operation::ShardOpen).seen(self.last)))
    }
}

impl State {
    /// The year that ended last and has a successor, and where its final checkpoint is kept.
    pub(crate) fn year_ended_last(&self, paths: &StorePaths) -> Option<EndedYear> {
        let (year, ended) = self.log_years.iter().last()?;
        let (size, root) = (ended.size, ended.root?.into());
        Some(EndedYear { size, root, place: paths.year_checkpoint(*year) })
    }
}

impl Exchange {
    /// The final checkpoint of a fiscal year, by the year in which it began; refused where it has not ended, and while it is not
    /// signed yet.
    pub fn final_checkpoint(&self, begins_in: u32) -> Result<String, Refusal> {
        let year = u16::try_from(begins_in).ok().and_then(FiscalYear::beginning_in);
        let state = self.state();
        let has_ended =
            |year: &FiscalYear| state.log_years.get(year).is_some_and(|year| year.root.is_some());
        let year = year.filter(has_ended).ok_or(Refusal::field("fiscal_year"))?;
        self.kept_checkpoint(year)?.ok_or_else(|| {
            let unsigned = self.witnessed().check_signing().err();
            let gone = || {
                let place = self.paths().year_checkpoint(year);
                let place = place.display();
                Refusal::internal(&format_args!(
                    "{place} is gone, and it is not signed anew: put it back, from the safe or from an auditor (the checkpoint of that year's bundle)"
                ))
            };
            unsigned.unwrap_or_else(gone)
        })
    }

    /// The final checkpoint of a year that has ended; nothing where it is not signed yet.
    fn kept_checkpoint(&self, year: FiscalYear) -> Result<Option<String>, Refusal> {
        match fs_err::read_to_string(self.paths().year_checkpoint(year)) {
            Ok(note) => Ok(Some(note)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Refusal::internal(&error)),
        }
    }

    /// The final checkpoint of the year that ended last, where the policy asks for more cosignatures than it has. Witnesses are
    /// shown it before any later one, since none of them goes back.
    pub fn year_to_cosign(&self) -> Result<Option<String>, Refusal> {
        let rule = self.witnessed().rule().filter(|rule| rule.policy.needs_witnesses());
        let state = self.state();
        let ended = state.log_years.iter().last().filter(|(_, ended)| ended.root.is_some());
        let (Some(rule), Some((year, _))) = (rule, ended) else { return Ok(None) };
        let Some(note) = self.kept_checkpoint(*year)? else { return Ok(None) };
        let keys = self.paths().log_verifiers().map_err(|error| Refusal::internal(&error))?;
        let standing = SignedCheckpoint::open(note.as_bytes(), &keys)
            .and_then(|signed| rule.policy.standing(&signed, None));
        let standing = standing.map_err(|error| Refusal::internal(&error))?;
        Ok((!standing.met).then_some(note))
    }

    /// Where the final checkpoint of a year that ended with this size is kept, if one did.
    pub(crate) fn year_of_size(&self, size: u64) -> Option<PathBuf> {
        let state = self.state();
        let mut years = state.log_years.iter();
        let (year, _) = years.find(|(_, ended)| ended.root.is_some() && ended.size == size)?;
        Some(self.paths().year_checkpoint(*year))
    }
}

impl StorePaths {
    /// The final checkpoint of a year, kept with the keys and so apart from the store.
    pub(crate) fn year_checkpoint(&self, year: FiscalYear) -> PathBuf {
        self.keys.join(format!("log-{}.checkpoint", year.begins_in()))
    }
}
