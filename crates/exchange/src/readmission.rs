//! Readmissions: taking payees off the exclusions of a programme again.
//!
//! An exclusion prevents payments, so one person adds it; taking it back makes payments, so it takes two. The first names the
//! payees and is told what would be open again; the second, another person, names the same payees. If somebody excludes
//! anybody in between, the first signature is void: what was signed for is not what there is any more.

use std::collections::HashSet;

use renkei_journal::BlobRef;
use renkei_tlog::leaf::{Counter, DecidedBy, Decision as LeafDecision, DecisionKind, Operation};
use renkei_types::{Digest, Identity, ProgrammeId, Reason};
use serde::{Deserialize, Serialize};

use crate::already_paid::PaidHouseholds;
use crate::batch::is_proposal;
use crate::command::{Call, Command, Decision, Desk, Done};
use crate::exclusion::{self, excluded};
use crate::ledger::Exchange;
use crate::list::Totals;
use crate::mark::Mark;
use crate::payee::{PayeeRule, Residents};
use crate::permit::{Permit, Readmit};
use crate::programme_homes::ProgrammeHomes;
use crate::reach::Reach;
use crate::refusal::Refusal;
use crate::state::State;
use crate::unknown_ids::without_zeros;

/// Most readmissions of a programme.
pub const READMISSIONS_MAX: usize = 32;

/// Payees who are no longer excluded, or shall not be.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Readmission {
    /// Of how many exclusions they are taken off: later ones count again.
    pub after: usize,
    /// How many they are.
    pub payees: u64,
    /// Their ids in the register, sealed.
    pub ids: BlobRef,
    /// Keyed digest of the ids, by which the second signature is known to mean the same payees.
    pub digest: Digest,
    /// The first of two people.
    pub first: Identity,
    /// The second; nothing before.
    pub second: Option<Identity>,
}

/// What became of a wish to readmit payees.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Readmitted {
    /// Whether they are readmitted; otherwise another person must readmit them too.
    pub readmitted: bool,
    /// How many of them were excluded.
    pub payees: u64,
    /// Payable lines of the programme that are open again by it.
    pub open_again: Totals,
}

/// Takes payees off the exclusions of a programme, by ids of persons or households in the register. Blocks: for threads that
/// may wait.
pub fn readmit(
    exchange: &Exchange,
    call: Call,
    permit: Permit<Readmit>,
    programme: ProgrammeId,
    ids: &[String],
) -> Result<Done<Readmitted>, Refusal> {
    let ids = exclusion::distinct(ids)?;
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let (vault, state) = (exchange.vault(), exchange.state());
    let known = state.programmes.get(&programme).ok_or(Reason::NoAgreement)?;
    let out = excluded(vault, known)?;
    let payees = ids.iter().filter(|id| out.contains(without_zeros(id))).count() as u64;
    let open_again = open_again(exchange, &state, programme, &ids, &out)?;
    let key = vault.key(known.key)?;
    let mut digest = key.keyed_digest_of_parts("renkei readmission");
    for id in &ids {
        digest.update(&(id.len() as u64).to_be_bytes());
        digest.update(id.as_bytes());
    }
    let readmission = Readmission {
        after: known.exclusions.len(),
        payees,
        ids: exclusion::seal_ids(vault, known.key, &ids)?,
        digest: digest.finish(),
        first: permit.caller().identity.clone(),
        second: None,
    };
    exchange.execute_now(call, ReadmitPayees { permit, programme, readmission, open_again })
}

/// Payable lines that are in no certified batch, and that would pay somebody but for the exclusion of these payees. What is on hold
/// counts: it is paid when the stop ends. So does what the bank would refuse, for it is paid once it is put right.
fn open_again(
    exchange: &Exchange,
    state: &State,
    programme: ProgrammeId,
    ids: &[&str],
    out: &HashSet<String>,
) -> Result<Totals, Refusal> {
    let known = state.programmes.get(&programme).ok_or(Reason::NoAgreement)?;
    let ids: HashSet<&str> = ids.iter().map(|id| without_zeros(id)).collect();
    let today = exchange.clock().today();
    let (vault, out) = (exchange.vault(), || out.iter().map(String::as_str));
    let homes = ProgrammeHomes::read(vault, state, today, known)?;
    let before = Reach::of_exclusions(vault, known, &homes, out())?;
    let left = out().filter(|id| !ids.contains(id));
    let after = Reach::of_exclusions(vault, known, &homes, left)?;
    let (mut totals, mut seen) = (Totals::default(), HashSet::new());
    for &id in &known.lists {
        let Ok((list, _)) = state.linked_list(id) else { continue };
        if list.superseded_by.is_some() {
            continue;
        }
        let (book, payees) =
            exchange.ask_now(move |desk| Ok((desk.book(id)?, desk.payees(programme)?)))?;
        let residents = Residents::read(vault, state, &book, id)?;
        let rule = PayeeRule::read(vault, known, &homes, id)?;
        let households = PaidHouseholds::of(&homes, id, &payees, rule.divisions());
        // A proposal from before the exclusion has its lines still, and can no longer be certified.
        let in_batch = |row| book.batch_of(row).is_some_and(|batch| !is_proposal(state, batch));
        let paid = households.paid(&payees, |(of_list, row)| of_list != id || in_batch(row));
        for (row, line) in book.lines() {
            let free = line.is_payable() && !in_batch(row) && !book.is_replaced(row);
            let resident = line.register_row.and_then(|row| residents.get(row));
            let Some(resident) = resident.filter(|_| free) else { continue };
            let payee = rule.payee(resident);
            let has = |reach: &Reach| reach.has_line(known.rules.unit, payee, resident);
            let (comes, stays) = (has(&before), has(&after));
            // Without a household nobody is paid, excluded or not.
            let pays = !payee.is_empty();
            let is_open = pays && comes && !stays && !paid.has(payee, &resident.person);
            // Of several lines that pay one payee, one will.
            if is_open && !households.keys(payee).any(|key| seen.contains(key)) {
                seen.extend(households.keys(payee).map(str::to_owned));
                totals.add(line.yen);
            }
        }
    }
    Ok(totals)
}

struct ReadmitPayees {
    permit: Permit<Readmit>,
    programme: ProgrammeId,
    readmission: Readmission,
    open_again: Totals,
}

impl Command for ReadmitPayees {
    type Reply = Readmitted;
    const METHOD: &'static str = "Readmit";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<Readmitted>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        let known = desk.state.programmes.get(&self.programme).ok_or(Reason::NoAgreement)?;
        let wish = &self.readmission;
        if known.exclusions.len() != wish.after {
            return Err(Reason::VersionOld.into());
        }
        if wish.payees == 0 {
            // They are not excluded, or two people have readmitted them already.
            return Err(Refusal::new(Reason::WrongState).in_field("payees"));
        }
        let same = |other: &Readmission| other.digest == wish.digest && other.second.is_none();
        let place = known.readmissions.iter().position(same);
        let signed = place.filter(|&at| known.readmissions[at].after == wish.after);
        let readmitted = signed.is_some();
        if let Some(at) = signed {
            if known.readmissions[at].first == wish.first {
                return Err(Reason::SamePerson.into());
            }
        } else if place.is_none() && known.readmissions.len() >= READMISSIONS_MAX {
            return Err(Refusal::new(Reason::TooLarge).in_field("payees"));
        }
        desk.state.programmes.change(&self.programme, |known| match (signed, place) {
            (Some(at), _) => {
                if let Some(first) = known.readmissions.get_mut(at) {
                    first.second = Some(wish.first.clone());
                }
            }
            // What was signed before somebody was excluded is void.
            (None, Some(at)) => {
                known.readmissions.remove(at);
                known.readmissions.push(wish.clone());
            }
            (None, None) => known.readmissions.push(wish.clone()),
        });
        let decided = LeafDecision { act: DecisionKind::Approve, by: DecidedBy::Human, rule: None };
        let mark = Mark::ok(Operation::AdminAction)
            .about(self.programme)
            .count(Counter::In, wish.payees)
            .decided(decided);
        let open_again = self.open_again;
        Ok(Decision::new(Readmitted { readmitted, payees: wish.payees, open_again }, mark))
    }
}
