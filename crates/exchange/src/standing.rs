//! Whether a proposal still stands when it is signed for the second time.
//!
//! Days may lie between the two signatures, and the register goes on: a late notice can make one household of two, each of which waits
//! in a proposal of its own. So where the register in use is another than the one that the proposal was drawn up with, it is
//! asked again of each line what is asked when a batch is drawn up: whom it pays, whether they are paid already by what two people have
//! certified, and whether anything is against it, such as a stop that reaches somebody by the late notice only, or somebody protected
//! who has come to the household. So it is where others are protected than before, and where another batch was signed with a later
//! register than it was drawn up with, since that one counts for it from then on. A register that changes every few minutes, and
//! reports of protection that come every day, hinder nobody by that: only a proposal falls to whose own payees something has happened.
//!
//! Proposals of others do not count here. Two that pay one household would else hinder each other for ever; the one that is signed
//! first stands.

use std::collections::{HashMap, HashSet};

use rayon::prelude::*;
use renkei_types::{ListId, Reason, SnapshotId};

use crate::already_paid::PaidHouseholds;
use crate::batch::{Batch, BatchState, Payment, is_proposal, payments};
use crate::books::payees_ahead;
use crate::household_case::{self, Watch};
use crate::index::Indexes;
use crate::ledger::Exchange;
use crate::payee::{PayeeRule, Residents};
use crate::programme::Programme;
use crate::programme_homes::ProgrammeHomes;
use crate::refusal::Refusal;
use crate::rows;
use crate::sieve::{Candidate, Read, Sieve};
use crate::state::State;
use crate::store::Vault;
use crate::unknown_ids::without_zeros;

/// What a proposal was looked at with. It counts as long as all are the same.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct SeenWith {
    pub(crate) register: Option<SnapshotId>,
    /// How many reports of protected persons there were.
    reports: Option<u64>,
    /// How many batches of the programme two people have certified.
    certified: usize,
}

impl SeenWith {
    /// What there is now for a batch.
    pub(crate) fn of(state: &State, batch: &Batch) -> Self {
        let programme = state.programmes.get(&batch.programme);
        let batches = programme.into_iter().flat_map(|programme| state.batches_of(programme));
        let certified = batches.filter(|(_, batch)| batch.state != BatchState::Proposed).count();
        let register = register_in_use(state, batch.list);
        let dataset = register.and_then(|id| state.snapshots.get(&id)).map(|known| known.dataset);
        let feed = dataset.and_then(|dataset| state.protections.get(&dataset));
        Self { register, reports: feed.map(|feed| feed.number), certified }
    }
}

/// The register in use to which a list is linked; nothing where it is withdrawn.
pub(crate) fn register_in_use(state: &State, list: ListId) -> Option<SnapshotId> {
    let (_, linked) = state.linked_list(list).ok()?;
    let dataset = state.snapshots.get(&linked.snapshot)?.dataset;
    state.snapshot_in_use(dataset).ok()
}

/// Looks at a proposal: `VERSION_OLD` where it is to be drawn up again, `PROTECTION_STALE` where nobody knows who is protected. Blocks:
/// for threads that may wait.
pub(crate) fn look(
    exchange: &Exchange,
    indexes: &Indexes,
    state: &State,
    batch: &Batch,
) -> Result<SeenWith, Refusal> {
    let seen = SeenWith::of(state, batch);
    let programme = state.programmes.get(&batch.programme).ok_or(Reason::NoAgreement)?;
    let protected = household_case::protected(exchange, indexes, state, batch.list)?;
    let protected = protected.digest(&exchange.vault().key(programme.key)?);
    // A batch of a release that did not note the register is looked at in any case.
    let has_gone_on = batch.register != seen.register && seen.register.is_some();
    let has_others = || was_signed_with_another(state, programme, batch);
    let is_asked = has_gone_on || batch.protected != Some(protected) || has_others();
    if !is_asked || batch.state != BatchState::Proposed {
        return Ok(seen);
    }
    let (vault, list, of_programme) = (exchange.vault(), batch.list, batch.programme);
    let ahead = payees_ahead(exchange, list)?;
    // All of one moment.
    let read = exchange.ask_now(move |desk| {
        desk.books.take_payees(desk.state, ahead.as_ref());
        let (book, payees) = (desk.book(list)?, desk.payees(of_programme)?);
        Ok(Read { state: desk.state.clone(), today: desk.today, book, payees, earlier: Vec::new() })
    })?;
    let (state, seen) = (&read.state, SeenWith::of(&read.state, batch));
    let programme = state.programmes.get(&of_programme).ok_or(Reason::NoAgreement)?;
    let mut proposed: HashSet<(ListId, u32)> = HashSet::new();
    for (_, other) in state.batches_of(programme) {
        if other.state == BatchState::Proposed && other.list != list {
            let rows = payments(vault, other)?;
            proposed.extend(rows.into_iter().map(|payment| (other.list, payment.row)));
        }
    }
    let is_certified =
        |row| read.book.batch_of(row).is_some_and(|batch| !is_proposal(state, batch));
    let counts = |(of_list, row): (ListId, u32)| match of_list == list {
        true => is_certified(row),
        false => !proposed.contains(&(of_list, row)),
    };
    let (homes, residents) =
        ProgrammeHomes::with_residents(vault, state, read.today, &read.book, list)?;
    let watch = Watch::over(exchange, indexes, state, &homes, list)?;
    match would_pay_again(vault, &read, &homes, (&watch, &residents), batch, counts)? {
        true => Ok(seen),
        false => Err(Refusal::new(Reason::VersionOld).in_field("batch_id")),
    }
}

/// Whether another batch was signed with the register that a proposal was drawn up with, and was itself drawn up with an earlier one: that
/// batch counts since then for those whom the later one has together, which the proposal was not held against.
fn was_signed_with_another(state: &State, programme: &Programme, batch: &Batch) -> bool {
    let is_signed_with = |other: &Batch| {
        other.signed_with.is_some()
            && other.signed_with == batch.register
            && other.signed_with != other.register
    };
    state.batches_of(programme).any(|(_, other)| is_signed_with(other))
}

/// Whether each payment of a proposal would be made again, to the same payee, if it were drawn up now. `counts` says which lines of
/// others have paid their payees. Blocks: for threads that may wait.
fn would_pay_again(
    vault: &Vault,
    read: &Read,
    homes: &ProgrammeHomes,
    (watch, residents): (&Watch, &Residents),
    batch: &Batch,
    counts: impl Fn((ListId, u32)) -> bool + Sync,
) -> Result<bool, Refusal> {
    let Read { state, payees, .. } = read;
    let (list, sealed) = state.sealed_list(batch.list)?;
    let programme = state.programmes.get(&list.programme).ok_or(Reason::NoAgreement)?;
    let rule = PayeeRule::read(vault, programme, homes, batch.list)?;
    let sieve = Sieve::of(vault, read, homes, &rule, (watch, residents), batch.list)?;
    let households = PaidHouseholds::of(homes, batch.list, payees, rule.divisions());
    let paid = households.paid(payees, counts);
    let proposed: HashMap<u32, String> =
        payments(vault, batch)?.into_iter().map(|one| (one.row, one.payee)).collect();
    let reader = sealed.rows.open(vault)?;
    let stands = |candidate: &Candidate<'_>| {
        let Payment { row, payee, person, .. } = &candidate.payment;
        let is_same = |known: &String| without_zeros(known) == without_zeros(payee);
        let is_clear = candidate.obstacle.is_none() && !paid.has(payee, person);
        is_clear && proposed.get(row).is_some_and(is_same)
    };
    let numbers: Vec<u32> = (0..sealed.rows.chunks()).collect();
    let of_chunk = |&number: &u32| {
        let first = number * rows::CHUNK_ROWS as u32;
        let candidates = sieve.candidates(first, &rows::chunk(&reader, number)?)?;
        Ok(candidates.iter().filter(|candidate| stands(candidate)).count())
    };
    let standing: Vec<usize> = numbers.par_iter().map(of_chunk).collect::<Result<_, Refusal>>()?;
    Ok(standing.into_iter().sum::<usize>() == proposed.len())
}
