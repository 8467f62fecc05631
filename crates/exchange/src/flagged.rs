//! Residents whom the register itself flags as protected (支援措置対象者), by id.
//!
//! Zeros in front of an id make no difference: a register that comes without them must not lay anybody open who was protected
//! when a list was linked. Where two records differ in nothing but zeros, either is protected as long as one is flagged.

use std::collections::{BTreeSet, HashMap};

use crate::delta::Behind;
use crate::refusal::Refusal;
use crate::rows::{self, Chunk, Rows};
use crate::shown::{PROTECTED, is_protected};
use crate::snapshot::Snapshot;
use crate::store::Vault;
use crate::unknown_ids::without_zeros;

/// Ids of the records that are flagged, by what is left of them without zeros.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flagged(HashMap<Box<str>, BTreeSet<Box<str>>>);

impl Flagged {
    /// Whether a resident is flagged.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.0.contains_key(without_zeros(id))
    }

    /// Whether nobody is.
    pub(crate) fn is_nobody(&self) -> bool {
        self.0.is_empty()
    }

    /// The ids as the register writes them.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.values().flatten().map(AsRef::as_ref)
    }

    /// Takes the flags of a segment's records.
    pub(crate) fn take(
        &mut self,
        vault: &Vault,
        segment: &Snapshot,
        behind: &Behind,
    ) -> Result<(), Refusal> {
        let reader = segment.rows.open(vault)?;
        for number in 0..segment.rows.chunks() {
            self.take_chunk(&segment.rows, &rows::chunk(&reader, number)?);
        }
        self.forget_removed(behind);
        Ok(())
    }

    /// The same of some rows.
    pub(crate) fn take_chunk(&mut self, rows: &Rows, chunk: &Chunk) {
        let Some(column) = rows.column(PROTECTED) else { return };
        for row in 0..chunk.rows() {
            let id = chunk.cell(0, row);
            if is_protected(chunk.cell(column, row)) {
                self.0.entry(without_zeros(id).into()).or_default().insert(id.into());
            } else if !self.0.is_empty() {
                self.forget(id);
            }
        }
    }

    /// Forgets the records that a delta has removed.
    pub(crate) fn forget_removed(&mut self, behind: &Behind) {
        behind.removed.iter().for_each(|gone| self.forget(&gone.id));
    }

    fn forget(&mut self, id: &str) {
        let bare = without_zeros(id);
        if let Some(ids) = self.0.get_mut(bare) {
            ids.remove(id);
            if ids.is_empty() {
                self.0.remove(bare);
            }
        }
    }
}
