//! Whether a proposal still stands when it is signed for the second time.
//!
//! Days may lie between the two signatures, and the register goes on: a late notice can make one household of two, each of which waits
//! in a proposal of its own. So where the register in use is another than the one that the proposal was drawn up with, it is
//! asked again whom each line pays, whether they are paid already by what two people have certified, and whether a new proposal would
//! leave the line out: a stop may reach somebody by the late notice only. A register that changes every few minutes hinders nobody by
//! that: only a proposal falls to whose own payees something has happened.
//!
//! Proposals of others do not count here. Two that pay one household would else hinder each other for ever; the one that is signed
//! first stands.

use std::collections::HashSet;
use std::sync::Arc;

use rayon::prelude::*;
use renkei_types::{ListId, Reason, SnapshotId};

use crate::already_paid::PaidHouseholds;
use crate::batch::{Batch, BatchState, is_proposal, payments};
use crate::book::Book;
use crate::books::Payees;
use crate::exclusion;
use crate::hold::HeldPayees;
use crate::ledger::Exchange;
use crate::payee::PayeeRule;
use crate::programme_homes::ProgrammeHomes;
use crate::reach::Reach;
use crate::refusal::Refusal;
use crate::state::State;
use crate::unknown_ids::without_zeros;

/// What a proposal was looked at with. It counts as long as both are the same.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct SeenWith {
    register: Option<SnapshotId>,
    /// How many batches of the programme two people have certified.
    certified: usize,
}

impl SeenWith {
    /// What there is now for a batch.
    pub(crate) fn of(state: &State, batch: &Batch) -> Self {
        let programme = state.programmes.get(&batch.programme);
        let batches = programme.into_iter().flat_map(|programme| state.batches_of(programme));
        let certified = batches.filter(|(_, batch)| batch.state != BatchState::Proposed).count();
        Self { register: register_in_use(state, batch.list), certified }
    }
}

/// The register in use to which a list is linked; nothing where it is withdrawn.
pub(crate) fn register_in_use(state: &State, list: ListId) -> Option<SnapshotId> {
    let (_, linked) = state.linked_list(list).ok()?;
    let dataset = state.snapshots.get(&linked.snapshot)?.dataset;
    state.snapshot_in_use(dataset).ok()
}

/// Looks at a proposal: `VERSION_OLD` where it is to be drawn up again. Blocks: for threads that may wait.
pub(crate) fn look(exchange: &Exchange, state: &State, batch: &Batch) -> Result<SeenWith, Refusal> {
    let seen = SeenWith::of(state, batch);
    // A batch of a release that did not note the register is looked at in any case.
    let is_asked = batch.register != seen.register && seen.register.is_some();
    if !is_asked || batch.state != BatchState::Proposed {
        return Ok(seen);
    }
    let (vault, list, of_programme) = (exchange.vault(), batch.list, batch.programme);
    // All of one moment.
    let (state, book, payees): (State, Arc<Book>, Arc<Payees>) = exchange.ask_now(move |desk| {
        Ok((desk.state.clone(), desk.book(list)?, desk.payees(of_programme)?))
    })?;
    let (state, seen) = (&state, SeenWith::of(&state, batch));
    let programme = state.programmes.get(&of_programme).ok_or(Reason::NoAgreement)?;
    let mut proposed: HashSet<(ListId, u32)> = HashSet::new();
    for (_, other) in state.batches_of(programme) {
        if other.state == BatchState::Proposed && other.list != list {
            let rows = payments(vault, other)?;
            proposed.extend(rows.into_iter().map(|payment| (other.list, payment.row)));
        }
    }
    let is_certified = |row| book.batch_of(row).is_some_and(|batch| !is_proposal(state, batch));
    let counts = |(of_list, row): (ListId, u32)| match of_list == list {
        true => is_certified(row),
        false => !proposed.contains(&(of_list, row)),
    };
    let today = exchange.clock().today();
    let (homes, residents) = ProgrammeHomes::with_residents(vault, state, today, &book, list)?;
    let rule = PayeeRule::read(vault, programme, &homes, list)?;
    let paid = PaidHouseholds::of(&homes, &payees, rule.divisions()).paid(&payees, counts);
    let excluded = exclusion::excluded(vault, programme)?;
    let not_paid = Reach::of(vault, programme, &homes, excluded.iter().map(String::as_str))?;
    let on_hold = HeldPayees::of(vault, state, of_programme)?;
    let held_up = Reach::of_holds(vault, programme, &homes, &on_hold)?;
    let unit = programme.rules.unit;
    payments(vault, batch)?.par_iter().try_for_each(|payment| {
        let line = book.line(payment.row).ok_or(Reason::Internal)?;
        let resident = line.register_row.and_then(|row| residents.get(row));
        let resident = resident.ok_or(Reason::Internal)?;
        let payee = rule.payee(resident);
        let is_same = without_zeros(payee) == without_zeros(&payment.payee);
        let is_left_out = paid.has(payee, &payment.person)
            || rule.is_doubtful(&payment.person)
            || [&not_paid, &held_up].iter().any(|reach| reach.has_line(unit, payee, resident));
        if !is_same || is_left_out {
            return Err(Refusal::new(Reason::VersionOld).in_field("batch_id"));
        }
        Ok(())
    })?;
    Ok(seen)
}
