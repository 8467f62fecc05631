//! Batches: payable lines that two people certify together.
//!
//! The first certifier gathers every payable line that is in no batch yet; the batch's rows are written, sealed and
//! digested. The second, another person, names that digest. Neither may have decided a line of the batch. A payee is in
//! one batch of the programme at most: whoever is paid already is left out and told as such.

use std::collections::BTreeSet;

use jiff::civil::Date;
use renkei_journal::BlobRef;
use renkei_tlog::leaf::{Counter, DecidedBy, Decision as LeafDecision, DecisionKind, Operation};
use renkei_types::{BatchId, Digest, Identity, ListId, ProgrammeId, Reason, SnapshotId};
use serde::{Deserialize, Serialize};

use crate::accounts::AccountCounts;
use crate::book::{Book, BookChange, runs};
use crate::books::{Beginning, payees_ahead};
use crate::command::{Call, Command, Decision, Desk, Done, until_undisturbed};
use crate::draft::{Draft, Drawn, draw_up};
use crate::household_case::Watch;
use crate::index::Indexes;
use crate::ledger::Exchange;
use crate::left_out::NoteLeftOut;
use crate::list::Totals;
use crate::mark::Mark;
use crate::permit::{Certify, Permit};
use crate::programme::ListKind;
use crate::programme_homes::ProgrammeHomes;
use crate::reach::Unmet;
use crate::refusal::Refusal;
use crate::review::TaskState;
use crate::role::Role;
use crate::sieve::Read;
use crate::standing::{self, SeenWith};
use crate::state::State;
use crate::store::Vault;
use crate::supersede;

/// Most payments in a chunk of a batch.
pub const CHUNK_PAYMENTS: usize = 1024;

/// The columns of a list that a payment carries.
pub const PAYMENT_FIELDS: &[&str] =
    &["account_holder_kana", "bank_code", "branch_code", "account_type", "account_number"];

/// Where a batch stands.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum BatchState {
    /// One person has certified it.
    Proposed,
    /// Two have; it waits for a hold to be lifted.
    Certified,
    /// It stands in the delivery feed.
    Released,
    /// The receiver has acknowledged it.
    Acknowledged,
    /// It was proposed, and fell before anybody certified it.
    Withdrawn,
    /// The bank's result is known: what did not come back is paid.
    Paid,
}

/// Whether a batch waits for its second signature.
pub(crate) fn is_proposal(state: &State, batch: BatchId) -> bool {
    state.batches.get(&batch).is_some_and(|batch| batch.state == BatchState::Proposed)
}

/// Lets a proposal fall; its lines are free again.
pub(crate) fn dissolve(state: &mut State, batch: BatchId) {
    let programme = state.batches.get(&batch).map(|batch| batch.programme);
    state.batches.change(&batch, |batch| batch.state = BatchState::Withdrawn);
    if let Some(programme) = programme {
        // Who is paid already is to be read again by those who are drawing up a batch.
        state.programmes.change(&programme, |programme| programme.batches += 1);
    }
}

/// Lines that are certified together.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Batch {
    /// The programme.
    pub programme: ProgrammeId,
    /// The list.
    pub list: ListId,
    /// Where it stands.
    pub state: BatchState,
    /// What it pays.
    pub totals: Totals,
    /// Digest of its rows.
    pub digest: Digest,
    /// The payments, sealed with the programme's key.
    pub payments: BlobRef,
    /// First certifier.
    pub proposed_by: Identity,
    /// Second certifier.
    pub certified_by: Option<Identity>,
    /// Number in the delivery feed.
    pub feed_number: Option<u64>,
    /// Whether it has been sent to the receiver.
    pub delivered: bool,
    /// Transfers that came back from the bank.
    #[serde(default)]
    pub returned: Totals,
    /// Lines that were given back as a whole, and all yen that were given back.
    #[serde(default)]
    pub refunded: Totals,
    /// Lines whose account a certifier should look at.
    #[serde(default)]
    pub accounts: AccountCounts,
    /// Lines paid to a household of their own because a division says so, those who fled left out.
    #[serde(default)]
    pub separate_households: u64,
    /// How many exclusions the programme had when it was drawn up.
    #[serde(default)]
    pub exclusions: usize,
    /// How many divisions the programme had then.
    #[serde(default)]
    pub divisions: usize,
    /// Keyed digest of everybody who was protected when it was drawn up: lines around them were left out.
    #[serde(default)]
    pub protected: Option<Digest>,
    /// The register in use with which it was drawn up: whom it pays depends on that too.
    #[serde(default)]
    pub register: Option<SnapshotId>,
    /// The register in use with which the second certifier signed. It says who was together in the households that are paid, whatever
    /// the first signature was given with.
    #[serde(default)]
    pub signed_with: Option<SnapshotId>,
}

impl Batch {
    /// The register in use that counts for whom it pays; nothing where no release has noted one.
    pub(crate) fn counts_with(&self) -> Option<SnapshotId> {
        self.signed_with.or(self.register)
    }
}

/// One payment of a batch.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Payment {
    /// Row in the list.
    pub row: u32,
    /// Id of the line.
    pub line: String,
    /// Id of the person in the register.
    pub person: String,
    /// Payee key: the person or the household.
    pub payee: String,
    /// The amount.
    pub yen: u64,
    /// One for each of [`PAYMENT_FIELDS`].
    pub cells: Vec<String>,
}

/// Reads the payments of a batch.
pub fn payments(vault: &Vault, batch: &Batch) -> Result<Vec<Payment>, Refusal> {
    let reader = vault.open_blob(&batch.payments)?;
    let mut payments = Vec::new();
    for chunk in 0..batch.payments.chunks {
        let bytes = reader.chunk(chunk).map_err(|error| Refusal::internal(&error))?;
        let chunk: Vec<Payment> =
            postcard::from_bytes(&bytes).map_err(|error| Refusal::internal(&error))?;
        payments.extend(chunk);
    }
    Ok(payments)
}

/// Reads one chunk of a batch's payments.
pub(crate) fn payments_chunk(
    vault: &Vault,
    batch: &Batch,
    chunk: u32,
) -> Result<Vec<Payment>, Refusal> {
    let reader = vault.open_blob(&batch.payments)?;
    let bytes = reader.chunk(chunk).map_err(|error| Refusal::internal(&error))?;
    postcard::from_bytes(&bytes).map_err(|error| Refusal::internal(&error))
}

/// What a certifier is told.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Proposed {
    /// The batch.
    pub batch: BatchId,
    /// Payable lines that are left out because their payee is paid by another line of the programme.
    pub already_paid: u64,
    /// Payable lines that are left out because a bank detail or the household is missing.
    pub incomplete: u64,
    /// Payable lines that are left out because the programme excludes the payee.
    #[serde(default)]
    pub excluded: u64,
    /// Payable lines that are left out because the payee is on hold, whoever holds it.
    #[serde(default)]
    pub held: u64,
    /// Stops, and payees whom the programme excludes, that mean nobody in any register to which its lists are linked.
    #[serde(default)]
    pub unmet: Unmet,
}

/// First signature: gathers the payable lines and proposes them as a batch. Blocks: for threads that may wait.
pub fn propose(
    exchange: &Exchange,
    indexes: &Indexes,
    call: &Call,
    permit: &Permit<Certify>,
    list: ListId,
) -> Result<Done<Proposed>, Refusal> {
    // Another list of the programme may be certified at the same time.
    until_undisturbed(|| propose_once(exchange, indexes, call.clone(), permit.clone(), list))
}

fn propose_once(
    exchange: &Exchange,
    indexes: &Indexes,
    call: Call,
    permit: Permit<Certify>,
    list: ListId,
) -> Result<Done<Proposed>, Refusal> {
    // Of a list whose book nobody has opened only what came since its job is left for the turn.
    let beginning = match exchange.ask_now(move |desk| Ok(desk.books.is_open(list)))? {
        true => None,
        false => Some(Beginning::read(exchange.vault(), &exchange.state(), list)?),
    };
    let ahead = payees_ahead(exchange, list)?;
    let read = exchange.ask_now(move |desk| {
        let programme = desk.state.linked_list(list)?.0.programme;
        let earlier = supersede::earlier(desk, list)?;
        let books = &mut desk.books;
        books.take_payees(desk.state, ahead.as_ref());
        let book = books.of_list_from(desk.state, desk.journal, list, beginning.as_ref())?;
        let payees = desk.payees(programme)?;
        Ok(Read { state: desk.state.clone(), today: desk.today, book, payees, earlier })
    })?;
    // A repetition of a call that was answered finds nothing left, or another state of things; the stored answer tells.
    let draft = match drawn(exchange, indexes, &read, &permit, list) {
        Ok(Drawn::Batch(draft)) => Ok(draft),
        Ok(Drawn::Nothing(left_out)) => {
            let refusal = Refusal::from(left_out.why);
            let note = NoteLeftOut { permit: permit.clone(), list, left_out };
            // Whatever hinders the note hinders the proposal too, and is told there.
            let _ = exchange.execute_now(Call { request: None, ..call.clone() }, note);
            Err(refusal)
        }
        Err(refusal) => Err(refusal),
    };
    exchange.execute_now(call, Propose { permit, list, draft })
}

fn drawn(
    exchange: &Exchange,
    indexes: &Indexes,
    read: &Read,
    permit: &Permit<Certify>,
    list: ListId,
) -> Result<Drawn, Refusal> {
    let vault = exchange.vault();
    let (homes, residents) =
        ProgrammeHomes::with_residents(vault, &read.state, read.today, &read.book, list)?;
    let watch = Watch::over(exchange, indexes, &read.state, &homes, list)?;
    draw_up(vault, read, &homes, (&watch, &residents), permit, list)
}

#[derive(Debug)]
struct Propose {
    permit: Permit<Certify>,
    list: ListId,
    draft: Result<Box<Draft>, Refusal>,
}

impl Command for Propose {
    type Reply = Proposed;
    const METHOD: &'static str = "Certify";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<Proposed>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        desk.state.check_register_agreed(self.list, desk.today)?;
        not_too_early(desk.state, self.list, desk.today)?;
        let draft = self.draft.as_ref().map_err(|refusal| *refusal)?;
        let (list, linked) = desk.state.linked_list(self.list)?;
        let (programme, key) = (list.programme, list.key);
        let batches = desk.state.programmes.get(&programme).map_or(0, |known| known.batches);
        // Two lists of one programme may be certified at once: only one of them may count on what it has read.
        if linked.version != draft.version || batches != draft.batches {
            return Err(Reason::VersionOld.into());
        }
        let book = desk.book(self.list)?;
        not_a_decider(desk.state, &book, self.list, &draft.rows, &self.permit.caller().identity)?;
        draft.dissolved.iter().for_each(|&batch| dissolve(desk.state, batch));
        let id = desk.new_batch();
        desk.state.batches.put(id, draft.batch.clone());
        desk.state.lists.change(&self.list, |list| {
            list.batches.push(id);
            if let Some(linked) = &mut list.linked {
                linked.version += 1;
            }
        });
        desk.state.programmes.change(&programme, |programme| programme.batches += 1);
        let dissolved = draft.dissolved.clone();
        let change = BookChange::Gathered {
            batch: id,
            runs: runs(&draft.rows),
            dissolved,
            already_paid: runs(&draft.already_paid),
            excluded: runs(&draft.excluded),
        };
        let mark = mark(desk, id, &draft.batch);
        let proposed = Proposed {
            batch: id,
            already_paid: draft.already_paid.len() as u64,
            incomplete: draft.incomplete,
            excluded: draft.excluded.len() as u64,
            held: draft.held,
            unmet: draft.unmet,
        };
        Ok(Decision::new(proposed, mark).with_book(self.list, key, change))
    }
}

fn mark(desk: &Desk<'_>, id: BatchId, batch: &Batch) -> Mark {
    let signed = LeafDecision { act: DecisionKind::Approve, by: DecidedBy::Human, rule: None };
    let Totals { lines, yen } = batch.totals;
    Mark::ok(Operation::Certify)
        .about(id)
        .count(Counter::Certified, lines)
        .yen_out(yen, lines, &desk.chance())
        .decided(signed)
}

/// Payees of a push list may decline until a day; nothing of it is signed before that day is over.
fn not_too_early(state: &State, list: ListId, today: Date) -> Result<(), Refusal> {
    let list = state.lists.get(&list).ok_or(Reason::NoAgreement)?;
    let programme = state.programmes.get(&list.programme).ok_or(Reason::NoAgreement)?;
    let until = programme.rules.decline_until.filter(|_| list.kind == Some(ListKind::Push));
    if until.is_some_and(|until| today <= until) { Err(Reason::TooEarly.into()) } else { Ok(()) }
}

/// Who decided a line cannot certify it.
fn not_a_decider(
    state: &State,
    book: &Book,
    list: ListId,
    rows: &[u32],
    certifier: &Identity,
) -> Result<(), Refusal> {
    let rows: BTreeSet<u32> = rows.iter().copied().collect();
    let decided = state.tasks(list).any(|(place, task)| {
        task.state == TaskState::Decided
            && task.deciders.contains(certifier)
            && book.task_rows().get(place.number as usize).is_some_and(|row| rows.contains(row))
    });
    if decided { Err(Reason::OwnDecision.into()) } else { Ok(()) }
}

/// Second signature: certifies a batch, and releases it unless something is on hold. Blocks: for threads that may wait.
pub fn certify(
    exchange: &Exchange,
    indexes: &Indexes,
    call: Call,
    permit: Permit<Certify>,
    signed: Signed,
) -> Result<Done<BatchId>, Refusal> {
    // Others of the programme may be signed, and the register may go on, while this one is looked at. What was signed for and is not so
    // any more is told at once.
    let certified = until_undisturbed(|| {
        let done = certify_once(exchange, indexes, call.clone(), permit.clone(), signed);
        match done {
            Err(refusal) if refusal.field.is_some() => Ok(Err(refusal)),
            done => done.map(Ok),
        }
    });
    certified?
}

fn certify_once(
    exchange: &Exchange,
    indexes: &Indexes,
    call: Call,
    permit: Permit<Certify>,
    signed: Signed,
) -> Result<Done<BatchId>, Refusal> {
    let state = exchange.state();
    let batch = state.batches.get(&signed.batch).filter(|batch| batch.list == signed.list);
    let seen = batch.ok_or(Refusal::from(Reason::NoAgreement));
    let seen = seen.and_then(|batch| standing::look(exchange, indexes, &state, batch));
    exchange.execute_now(call, CertifyBatch { permit, signed, seen })
}

/// What the second certifier puts their name to.
#[derive(Clone, Copy, Debug)]
pub struct Signed {
    /// The list.
    pub list: ListId,
    /// The batch.
    pub batch: BatchId,
    /// Its digest as the certifier has seen it.
    pub digest: Digest,
}

#[derive(Debug)]
struct CertifyBatch {
    permit: Permit<Certify>,
    signed: Signed,
    /// What it was looked at with, where it still stands.
    seen: Result<SeenWith, Refusal>,
}

impl Command for CertifyBatch {
    type Reply = BatchId;
    const METHOD: &'static str = "CertifyBatch";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<BatchId>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        let Signed { list, batch: id, digest } = self.signed;
        let batch = desk.state.batches.get_shared(&id).ok_or(Reason::NoAgreement)?;
        if batch.list != list {
            return Err(Reason::NoAgreement.into());
        }
        if desk.state.lists.get(&list).is_some_and(|list| list.superseded_by.is_some()) {
            return Err(Reason::Superseded.into());
        }
        if batch.state != BatchState::Proposed {
            return Err(Reason::WrongState.into());
        }
        desk.state.check_register_agreed(list, desk.today)?;
        not_too_early(desk.state, list, desk.today)?;
        let programme = desk.state.programmes.get(&batch.programme).ok_or(Reason::NoAgreement)?;
        if batch.exclusions != programme.exclusions.len()
            || batch.divisions != programme.divisions.len()
        {
            // Somebody in it may be excluded since, or of another household: it is to be drawn up again.
            return Err(Refusal::new(Reason::VersionOld).in_field("batch_id"));
        }
        let seen = self.seen?;
        if seen != SeenWith::of(desk.state, &batch) {
            // Between the look and this turn: to be looked at again.
            return Err(Reason::VersionOld.into());
        }
        if batch.digest != digest {
            return Err(Refusal::new(Reason::DigestDiffers).in_field("digest"));
        }
        let caller = self.permit.caller().identity.clone();
        if batch.proposed_by == caller {
            return Err(Reason::SamePerson.into());
        }
        // A signature counts only as long as its owner may still give it.
        let proposer = desk.state.parties.get(&batch.proposed_by);
        if !proposer.is_some_and(|party| !party.revoked && party.roles.contains(&Role::Certifier)) {
            return Err(Refusal::new(Reason::RoleMissing).in_field("batch_id"));
        }
        let book = desk.book(list)?;
        // No line and no yen is lost: the batch is exactly the lines that the book has in it, counted anew.
        let (rows, yen): (Vec<u32>, Vec<u64>) =
            book.lines_of(id).map(|(row, line)| (row, line.yen)).unzip();
        let totals = Totals { lines: rows.len() as u64, yen: yen.iter().sum() };
        if totals != batch.totals {
            tracing::error!(batch = %id, "a batch does not add up to its lines");
            return Err(Reason::Unbalanced.into());
        }
        not_a_decider(desk.state, &book, list, &rows, &caller)?;
        desk.witnessed.check_release(desk.now)?;
        desk.state.batches.change(&id, |batch| {
            batch.state = BatchState::Certified;
            batch.certified_by = Some(caller);
            batch.signed_with = seen.register;
        });
        crate::hold::release_what_may_go(desk.state, batch.programme);
        let mark = mark(desk, id, &batch);
        Ok(Decision::new(id, mark))
    }
}
