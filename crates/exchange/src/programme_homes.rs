//! The registers of a programme's lists, each read once: where everybody lives, for whoever asks whom the programme pays, has paid,
//! stops or excludes.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use renkei_types::{BatchId, DatasetId, ListId, ProgrammeId, Reason, SnapshotId};

use crate::book::Book;
use crate::homes::{Homes, Standpoint, StateAt};
use crate::payee::Residents;
use crate::programme::{PayeeUnit, Programme};
use crate::refusal::Refusal;
use crate::state::State;
use crate::store::Vault;

/// The registers to which the lists of a programme are linked. Those that are withdrawn are not read again.
#[derive(Debug, Default)]
pub(crate) struct ProgrammeHomes(Vec<Register>);

/// One of them.
#[derive(Debug)]
pub(crate) struct Register {
    pub(crate) homes: Homes,
    pub(crate) in_use: SnapshotId,
    /// The lists, and the states that they were linked to.
    lists: BTreeMap<ListId, SnapshotId>,
    /// What decided which households the batches of these lists pay.
    batches: BTreeMap<BatchId, PaidWith>,
}

/// The states of a register that decided which households a batch pays.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct PaidWith {
    /// The one in use when it was signed, or drawn up where it is not signed yet.
    in_use: SnapshotId,
    /// The one that its list was linked to.
    linked: SnapshotId,
}

impl ProgrammeHomes {
    /// Reads what is needed to say whom lines pay: nothing where persons are paid, and nobody is stopped or excluded. Blocks: for
    /// threads that may wait.
    pub(crate) fn for_lines(
        vault: &Vault,
        state: &State,
        today: Date,
        id: ProgrammeId,
    ) -> Result<Self, Refusal> {
        let programme = state.programmes.get(&id).ok_or(Reason::NoAgreement)?;
        let names_nobody =
            programme.exclusions.is_empty() && state.held_payees(id).next().is_none();
        match programme.rules.unit {
            PayeeUnit::Person if names_nobody => Ok(Self::default()),
            PayeeUnit::Person | PayeeUnit::Household => Self::read(vault, state, today, programme),
        }
    }

    /// The same of the programme of a list, and the residents whom its lines mean. Blocks: for threads that may wait.
    pub(crate) fn with_residents(
        vault: &Vault,
        state: &State,
        today: Date,
        book: &Book,
        list: ListId,
    ) -> Result<(Self, Residents), Refusal> {
        let programme = state.linked_list(list)?.0.programme;
        // Both read through a register, and a part of either is work for one thread.
        let (homes, residents) = rayon::join(
            || Self::for_lines(vault, state, today, programme),
            || Residents::read(vault, state, book, list),
        );
        Ok((homes?, residents?))
    }

    /// Reads what is needed to say whom ids mean. Blocks: for threads that may wait.
    pub(crate) fn read(
        vault: &Vault,
        state: &State,
        today: Date,
        programme: &Programme,
    ) -> Result<Self, Refusal> {
        let mut registers: BTreeMap<DatasetId, BTreeMap<ListId, SnapshotId>> = BTreeMap::new();
        for &list in &programme.lists {
            let Ok((_, linked)) = state.linked_list(list) else { continue };
            if let Some(known) = state.snapshots.get(&linked.snapshot) {
                let lists = registers.entry(known.dataset).or_default();
                lists.insert(list, linked.snapshot);
            }
        }
        let base = StateAt { on: programme.rules.base_date, known: today };
        let mut read = Vec::new();
        for (dataset, lists) in registers {
            let in_use =
                state.check_provided(dataset).and_then(|()| state.snapshot_in_use(dataset));
            let Ok(in_use) = in_use else { continue };
            let batches: BTreeMap<BatchId, PaidWith> = state
                .batches_of(programme)
                .filter_map(|(id, batch)| {
                    let linked = *lists.get(&batch.list)?;
                    let in_use = batch.counts_with().unwrap_or(linked);
                    Some((id, PaidWith { in_use, linked }))
                })
                .collect();
            let with = batches.values().map(|with| with.in_use);
            let states = lists.values().copied().chain([in_use]).chain(with);
            let homes = Homes::read(vault, state, dataset, base, states)?;
            read.push(Register { homes, in_use, lists, batches });
        }
        Ok(Self(read))
    }

    /// All registers that could be read.
    pub(crate) fn registers(&self) -> &[Register] {
        &self.0
    }

    /// What decides which household a line of a list pays: that of the base date, as the register in use knows it; of whomever it says
    /// nothing, the one that the list was linked to.
    pub(crate) fn of_list(&self, list: ListId) -> Option<Standpoint<'_>> {
        let register = self.0.iter().find(|register| register.lists.contains_key(&list))?;
        register.seen_with(register.in_use, *register.lists.get(&list)?)
    }

    /// The homes as the register in use has them to which a list is linked.
    pub(crate) fn now(&self, list: ListId) -> Option<Standpoint<'_>> {
        self.0.iter().find(|register| register.lists.contains_key(&list))?.now()
    }
}

impl Register {
    /// As it is now.
    pub(crate) fn now(&self) -> Option<Standpoint<'_>> {
        self.homes.seen_from(self.in_use)
    }

    /// As it decides which households the lines of its lists pay now: once for those that were linked to the same state.
    pub(crate) fn of_lists(&self) -> impl Iterator<Item = Standpoint<'_>> {
        let linked: BTreeSet<SnapshotId> = self.lists.values().copied().collect();
        linked.into_iter().filter_map(|linked| self.seen_with(self.in_use, linked))
    }

    /// With some state in use, of a list that was linked to one that may be destroyed since.
    fn seen_with(&self, in_use: SnapshotId, linked: SnapshotId) -> Option<Standpoint<'_>> {
        self.homes.seen_beside(in_use, linked).or_else(|| self.homes.seen_from(in_use))
    }

    /// As lists were linked to it, and as it is now: whoever names somebody may know the number of then or of today.
    pub(crate) fn states(&self) -> impl Iterator<Item = Standpoint<'_>> {
        let states: BTreeSet<SnapshotId> =
            self.lists.values().copied().chain([self.in_use]).collect();
        states.into_iter().filter_map(|state| self.homes.seen_from(state))
    }

    /// What decided which households a batch pays; nothing where its list was linked to another register.
    pub(crate) fn paid_with(&self, batch: BatchId) -> Option<PaidWith> {
        self.batches.get(&batch).copied()
    }

    /// As it was then; where that state in use is destroyed, as the one had it that the list was linked to.
    pub(crate) fn then(&self, with: PaidWith) -> Option<Standpoint<'_>> {
        let PaidWith { in_use, linked } = with;
        self.seen_with(in_use, linked).or_else(|| self.homes.seen_from(linked))
    }

    /// As it decided which households are paid by the batches that there are.
    pub(crate) fn of_batches(&self) -> impl Iterator<Item = Standpoint<'_>> {
        let with: BTreeSet<PaidWith> = self.batches.values().copied().collect();
        with.into_iter().filter_map(|with| self.then(with))
    }
}
