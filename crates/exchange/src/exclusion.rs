//! Exclusions (除外): payees whom a programme does not pay, whatever its lists say.
//!
//! Somebody has declined (辞退), or is paid elsewhere (既受給). They are named by ids of the register and kept sealed with
//! the programme's key. An exclusion only ever prevents payments, so one person adds it. A proposal that was drawn up
//! before it cannot be certified any more; what two people have certified stands, and is told as a number. Taking somebody off
//! again takes two people: see the module `readmission`.

use std::collections::HashSet;

use renkei_japanese::text::fold;
use renkei_journal::BlobRef;
use renkei_tlog::leaf::{Counter, Operation};
use renkei_types::{DataKeyId, ProgrammeId, Reason};
use serde::{Deserialize, Serialize};

use crate::batch::{BatchState, Payment, payments};
use crate::command::{Call, Command, Decision, Desk, Done, until_undisturbed};
use crate::ledger::Exchange;
use crate::mark::Mark;
use crate::permit::{Permit, Submit};
use crate::programme::Programme;
use crate::programme_homes::ProgrammeHomes;
use crate::reach::Reach;
use crate::refusal::Refusal;
use crate::role::closed_list;
use crate::store::{Vault, blob_refusal};
use crate::unknown_ids::{UnknownIds, without_zeros};

/// Most payees of one call.
pub const PAYEES_MAX: usize = 100_000;
/// Most exclusions of a programme.
pub const EXCLUSIONS_MAX: usize = 32;

closed_list! {
    /// Why somebody is not paid.
    ExclusionReason {
        /// Another municipality, employer or programme pays (既受給).
        PaidElsewhere = "PAID_ELSEWHERE",
        /// The payee declines (辞退).
        Declined = "DECLINED",
        /// The payee is not entitled, such as by living in an institution (施設).
        NotEntitled = "NOT_ENTITLED",
    }
}

/// Some payees whom a programme does not pay.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Exclusion {
    /// Why.
    pub reason: ExclusionReason,
    /// How many.
    pub payees: u64,
    /// How many of them the programme did not pay already, for an earlier exclusion.
    #[serde(default)]
    pub known_before: u64,
    /// Their ids in the register, sealed.
    pub ids: BlobRef,
}

/// What an exclusion came to.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Excluded {
    /// How many payees it names.
    pub payees: u64,
    /// How many of them an earlier exclusion names already.
    #[serde(default)]
    pub known_before: u64,
    /// Payments to them that two people have certified already: they stand.
    pub already_certified: u64,
    /// How many of the ids mean nobody.
    #[serde(default)]
    pub unknown: Option<UnknownIds>,
}

/// The ids of all whom a programme does not pay, without their leading zeros.
pub(crate) fn excluded(vault: &Vault, programme: &Programme) -> Result<HashSet<String>, Refusal> {
    let mut excluded = HashSet::new();
    for (after, exclusion) in (1..).zip(&programme.exclusions) {
        let ids = read_ids(vault, &exclusion.ids)?;
        excluded.extend(ids.iter().map(|id| without_zeros(id).to_owned()));
        let readmissions = programme.readmissions.iter().filter(|one| one.second.is_some());
        for readmission in readmissions.filter(|one| one.after == after) {
            for id in read_ids(vault, &readmission.ids)? {
                excluded.remove(without_zeros(&id));
            }
        }
    }
    Ok(excluded)
}

fn read_ids(vault: &Vault, sealed: &BlobRef) -> Result<Vec<String>, Refusal> {
    let reader = vault.open_blob(sealed)?;
    let mut ids = Vec::new();
    for chunk in 0..sealed.chunks {
        let bytes = reader.chunk(chunk).map_err(|error| Refusal::internal(&error))?;
        let chunk: Vec<String> =
            postcard::from_bytes(&bytes).map_err(|error| Refusal::internal(&error))?;
        ids.extend(chunk);
    }
    Ok(ids)
}

/// The ids of a call as a register writes them, sorted, each once.
pub(crate) fn distinct(ids: &[String]) -> Result<Vec<String>, Refusal> {
    let ids = ids.iter().map(|id| fold(id).trim().to_owned());
    let mut ids: Vec<String> = ids.filter(|id| !id.is_empty()).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Err(Refusal::field("payees"));
    }
    if ids.len() > PAYEES_MAX {
        return Err(Refusal::new(Reason::TooLarge).in_field("payees"));
    }
    Ok(ids)
}

/// Keeps ids under a programme's key.
pub(crate) fn seal_ids(vault: &Vault, key: DataKeyId, ids: &[&str]) -> Result<BlobRef, Refusal> {
    const CHUNK_IDS: usize = 4096;
    let mut writer = vault.blob_writer(&vault.key(key)?, key)?;
    for chunk in ids.chunks(CHUNK_IDS) {
        let bytes = postcard::to_stdvec(chunk).map_err(|error| Refusal::internal(&error))?;
        writer.chunk(&bytes).map_err(|error| blob_refusal(&error))?;
    }
    writer.finish().map_err(|error| blob_refusal(&error))
}

/// Excludes payees, by ids of persons or households in the register. Blocks: for threads that may wait.
pub fn exclude(
    exchange: &Exchange,
    call: &Call,
    permit: &Permit<Submit>,
    programme: ProgrammeId,
    reason: ExclusionReason,
    ids: &[String],
) -> Result<Done<Excluded>, Refusal> {
    let sorted = distinct(ids)?;
    let sorted: Vec<&str> = sorted.iter().map(String::as_str).collect();
    until_undisturbed(|| {
        exclude_once(exchange, call.clone(), permit.clone(), programme, reason, &sorted)
    })
}

fn exclude_once(
    exchange: &Exchange,
    call: Call,
    permit: Permit<Submit>,
    programme: ProgrammeId,
    reason: ExclusionReason,
    sorted: &[&str],
) -> Result<Done<Excluded>, Refusal> {
    let (vault, state) = (exchange.vault(), exchange.state());
    let known = state.programmes.get(&programme).ok_or(Reason::NoAgreement)?;
    let today = exchange.clock().today();
    let homes = ProgrammeHomes::read(vault, &state, today, known)?;
    let reach = Reach::of_exclusions(vault, known, &homes, sorted.iter().copied())?;
    let mut already_certified = 0;
    for (_, batch) in state.batches_of(known) {
        if batch.state == BatchState::Proposed {
            continue;
        }
        let payments = payments(vault, batch)?;
        let hit = |payment: &&Payment| reach.has_payment(&payment.payee, &payment.person);
        let paid = payments.iter().filter(hit);
        already_certified += paid.count() as u64;
    }
    let blob = seal_ids(vault, known.key, sorted)?;
    let payees = sorted.len() as u64;
    let before = excluded(vault, known)?;
    let known_before = sorted.iter().filter(|id| before.contains(without_zeros(id))).count() as u64;
    let unknown = state.unknown_to_programme(vault, programme, sorted.iter().copied())?;
    let unknown = unknown.map(|unknown| unknown.count());
    let excluded = Excluded { payees, known_before, already_certified, unknown };
    let exclusion = Exclusion { reason, payees, known_before, ids: blob };
    let seen = changes(known);
    exchange.execute_now(call, Exclude { permit, programme, exclusion, excluded, seen })
}

/// How often it was said whom a programme does not pay.
fn changes(programme: &Programme) -> (usize, usize) {
    let readmitted = programme.readmissions.iter().filter(|one| one.second.is_some());
    (programme.exclusions.len(), readmitted.count())
}

struct Exclude {
    permit: Permit<Submit>,
    programme: ProgrammeId,
    exclusion: Exclusion,
    excluded: Excluded,
    /// How often that had been said when the earlier exclusions were read.
    seen: (usize, usize),
}

impl Command for Exclude {
    type Reply = Excluded;
    const METHOD: &'static str = "Exclude";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<Excluded>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        let known = desk.state.programmes.get(&self.programme).ok_or(Reason::NoAgreement)?;
        if known.exclusions.len() >= EXCLUSIONS_MAX {
            return Err(Refusal::new(Reason::TooLarge).in_field("payees"));
        }
        if changes(known) != self.seen {
            // What is new about it would be counted wrongly.
            return Err(Reason::VersionOld.into());
        }
        desk.state.programmes.change(&self.programme, |known| {
            known.exclusions.push(self.exclusion.clone());
            // A batch that somebody is drawing up must not have them.
            known.batches += 1;
        });
        let mark = Mark::ok(Operation::AdminAction).about(self.programme);
        let mark = mark.count(Counter::In, self.exclusion.payees);
        Ok(Decision::new(self.excluded, mark))
    }
}
