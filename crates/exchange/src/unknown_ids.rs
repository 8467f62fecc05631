//! Ids of a call that no register has (台帳にない番号): what they name is neither stopped, excluded nor protected.
//!
//! Files lose the zeros that ids begin with, and people mistype them. An id that means nobody does no harm where it stands,
//! and what it was meant for goes on. So every call that names residents by id says how many of its ids the register does not
//! have, and of how many only the leading zeros are wrong; a call that means one resident, or something about each, is
//! refused (`UNKNOWN_PERSON`).
//!
//! A record that has gone or changed since is known: the register had it. Where no register can be read, nothing is said.

use std::collections::{BTreeMap, HashSet};

pub(crate) use renkei_types::without_zeros;
use renkei_types::{DatasetId, ProgrammeId, SnapshotId};
use serde::{Deserialize, Serialize};

use crate::division::Divisions;
use crate::refusal::Refusal;
use crate::snapshot::{Snapshot, each};
use crate::state::State;
use crate::store::Vault;

/// How many ids of a call mean nobody. Not said where no register could be read.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct UnknownIds {
    /// Ids that the register does not have, and never had since it was last sent whole.
    pub ids: u64,
    /// Of these, those it has with more or fewer zeros in front.
    pub zeros_differ: u64,
}

/// The ids of a call that mean nobody, and whether only the zeros in front are wrong.
pub(crate) struct Unknown<'a>(BTreeMap<&'a str, bool>);

impl Unknown<'_> {
    /// How many there are.
    pub(crate) fn count(&self) -> UnknownIds {
        let zeros = self.0.values().filter(|zeros_differ| **zeros_differ).count();
        UnknownIds { ids: self.0.len() as u64, zeros_differ: zeros as u64 }
    }

    /// Whether an id means somebody, be it without its zeros.
    pub(crate) fn means(&self, id: &str) -> bool {
        self.0.get(id).is_none_or(|zeros_differ| *zeros_differ)
    }

    /// Whether an id is one of them.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.0.contains_key(id)
    }
}

impl State {
    /// Which ids neither the registers of a programme's linked lists nor its divisions have, as a person's or a household's.
    /// Nothing where no list is linked, or no register can be read any more. Blocks: for threads that may wait.
    pub(crate) fn unknown_to_programme<'a>(
        &self,
        vault: &Vault,
        programme: ProgrammeId,
        ids: impl IntoIterator<Item = &'a str>,
    ) -> Result<Option<Unknown<'a>>, Refusal> {
        let lists = self.programmes.get(&programme).map_or(&[][..], |known| &known.lists);
        let linked = lists.iter().filter_map(|list| Some(self.linked_list(*list).ok()?.1.snapshot));
        let registers = linked.flat_map(|linked| {
            let dataset = self.snapshots.get(&linked).map(|snapshot| snapshot.dataset);
            // A register that is withdrawn is not read again.
            let dataset = dataset.filter(|dataset| self.check_provided(*dataset).is_ok());
            let in_use = dataset.and_then(|dataset| self.snapshot_in_use(dataset).ok());
            [dataset.map(|_| linked), in_use]
        });
        let mut unknown = self.unknown(vault, registers.flatten(), ids)?;
        if let Some((unknown, programme)) = unknown.as_mut().zip(self.programmes.get(&programme)) {
            // A household of its own has a number that no register needs to have.
            let divisions = Divisions::of(vault, programme)?;
            let named: HashSet<&str> = divisions.told().map(|(.., household)| household).collect();
            unknown.0.retain(|id, _| !named.contains(id));
        }
        Ok(unknown)
    }

    /// Which ids a register does not have. Nothing where it cannot be read. Blocks: for threads that may wait.
    pub(crate) fn unknown_to_register<'a>(
        &self,
        vault: &Vault,
        dataset: DatasetId,
        ids: impl IntoIterator<Item = &'a str>,
    ) -> Result<Option<Unknown<'a>>, Refusal> {
        self.unknown(vault, self.snapshot_in_use(dataset).into_iter(), ids)
    }

    fn unknown<'a>(
        &self,
        vault: &Vault,
        registers: impl Iterator<Item = SnapshotId>,
        ids: impl IntoIterator<Item = &'a str>,
    ) -> Result<Option<Unknown<'a>>, Refusal> {
        let segments = self.segments_of_all(registers);
        if segments.is_empty() {
            return Ok(None);
        }
        let mut unknown: BTreeMap<&str, bool> = ids.into_iter().map(|id| (id, false)).collect();
        let mut near: HashSet<&str> = unknown.keys().map(|id| without_zeros(id)).collect();
        let mut seen_near = HashSet::new();
        for segment in segments {
            let household = segment.rows.column("household_id");
            each(vault, segment, |_, chunk, at| {
                let household = household.map_or("", |column| chunk.cell(column, at));
                for id in [chunk.cell(0, at), household] {
                    if let Some(bare) = near.get(without_zeros(id)).copied() {
                        unknown.remove(id);
                        seen_near.insert(bare);
                    }
                }
            })?;
        }
        near.retain(|bare| seen_near.contains(bare));
        for (id, zeros_differ) in &mut unknown {
            *zeros_differ = near.contains(without_zeros(id));
        }
        Ok(Some(Unknown(unknown)))
    }

    /// The segments of some registers, each once. Registers that are withdrawn or destroyed have none.
    fn segments_of_all(&self, registers: impl Iterator<Item = SnapshotId>) -> Vec<&Snapshot> {
        let (mut segments, mut seen) = (Vec::new(), HashSet::new());
        for register in registers {
            let mut next = Some(register);
            while let Some(id) = next.filter(|id| seen.insert(*id)) {
                let known = self.snapshots.get(&id).filter(|snapshot| !snapshot.destroyed);
                next = known.and_then(|snapshot| snapshot.follows.map(|follows| follows.previous));
                segments.extend(known);
            }
        }
        segments
    }
}
