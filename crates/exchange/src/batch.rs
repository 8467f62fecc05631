//! Batches: payable lines that two people certify together.
//!
//! The first certifier gathers every payable line that is in no batch yet; the batch's rows are written, sealed and
//! digested. The second, another person, names that digest. Neither may have decided a line of the batch. A payee is in
//! one batch of the programme at most: whoever is paid already is left out and told as such.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use jiff::civil::Date;
use rayon::prelude::*;
use renkei_journal::BlobRef;
use renkei_tlog::leaf::{Counter, DecidedBy, Decision as LeafDecision, DecisionKind, Operation};
use renkei_types::{BatchId, Digest, DigestBuilder, Identity, ListId, ProgrammeId, Reason};
use serde::{Deserialize, Serialize};

use crate::accounts::{AccountCounts, Examination};
use crate::book::{Book, BookChange, runs};
use crate::books::Payees;
use crate::command::{Call, Command, Decision, Desk, Done};
use crate::hold::HeldPayees;
use crate::household_case::{self, Watch, WatchedColumns};
use crate::index::Indexes;
use crate::ledger::Exchange;
use crate::list::Totals;
use crate::mark::Mark;
use crate::payee::{PayeeRule, Resident, residents};
use crate::permit::{Certify, Permit};
use crate::programme::ListKind;
use crate::protection::Protected;
use crate::refusal::Refusal;
use crate::review::TaskState;
use crate::role::Role;
use crate::state::State;
use crate::store::{Vault, blob_refusal};
use crate::{exclusion, rows, supersede, transfer};

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

/// A batch that is written but not yet decided about.
#[derive(Debug)]
struct Draft {
    batch: Batch,
    rows: Vec<u32>,
    /// The version of the list on which it was drawn up.
    version: u64,
    /// How many batches the programme had: who is paid already depends on them.
    batches: u64,
    already_paid: Vec<u32>,
    excluded: Vec<u32>,
    held: u64,
    incomplete: u64,
    /// Proposals of the list that it takes the place of.
    dissolved: Vec<BatchId>,
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
}

/// First signature: gathers the payable lines and proposes them as a batch. Blocks: for threads that may wait.
pub fn propose(
    exchange: &Exchange,
    indexes: &Indexes,
    call: Call,
    permit: Permit<Certify>,
    list: ListId,
) -> Result<Done<Proposed>, Refusal> {
    let read = exchange.ask_now(move |desk| {
        let programme = desk.state.linked_list(list)?.0.programme;
        let earlier = supersede::earlier(desk, list)?;
        let (book, payees) = (desk.book(list)?, desk.payees(programme)?);
        Ok(Read { state: desk.state.clone(), today: desk.today, book, payees, earlier })
    })?;
    // A repetition of a call that was answered finds nothing left, or another state of things; the stored answer tells.
    let draft = Watch::over(exchange, indexes, &read.state, list)
        .and_then(|watch| draw_up(exchange.vault(), &read, &watch, &permit, list));
    exchange.execute_now(call, Propose { permit, list, draft })
}

/// What a batch is drawn up from.
struct Read {
    state: State,
    today: Date,
    book: Arc<Book>,
    payees: Arc<Payees>,
    /// The lists whose place this one has taken, with their books.
    earlier: Vec<(ListId, Arc<Book>)>,
}

fn draw_up(
    vault: &Vault,
    read: &Read,
    watch: &Watch,
    permit: &Permit<Certify>,
    list_id: ListId,
) -> Result<Draft, Refusal> {
    let Read { state, today, book, payees, earlier } = read;
    let (list, linked) = state.linked_list(list_id)?;
    let (_, sealed) = state.sealed_list(list_id)?;
    if list.superseded_by.is_some() {
        return Err(Reason::Superseded.into());
    }
    let programme = state.programmes.get(&list.programme).ok_or(Reason::NoAgreement)?;
    let register = state.register_rows(linked.snapshot)?;
    let on_hold = HeldPayees::of(vault, state, list.programme)?;
    let held_up = state.reach_of_holds(vault, *today, list.programme)?;
    let out = exclusion::excluded(vault, programme)?;
    let out = out.iter().map(String::as_str);
    let not_paid = state.reach(vault, *today, list.programme, out)?;
    let residents = residents(vault, state, book, list_id)?;
    let rule = PayeeRule::read(vault, state, *today, list_id, residents.values())?;
    // A corrected line may mean somebody else than the line that was paid: its id must not be paid again either.
    let lines_out = supersede::lines_out(vault, state, earlier)?;
    let reader = sealed.rows.open(vault)?;
    let line_column = sealed.rows.column("benefit_id");
    let columns = WatchedColumns::of(&sealed.rows);
    let key = vault.key(programme.key)?;
    let mut writer = vault.blob_writer(&key, programme.key)?;
    let mut digest = key.keyed_digest_of_parts("renkei batch");
    // A list without accounts is not meant for a transfer file.
    let for_a_bank =
        programme.rules.consignor.is_some() && sealed.rows.column("account_number").is_some();
    // A new proposal takes the place of those of this list that nobody has certified.
    let dissolved: Vec<BatchId> =
        list.batches.iter().copied().filter(|&batch| is_proposal(state, batch)).collect();
    let free = |row| book.batch_of(row).is_none_or(|batch| dissolved.contains(&batch));
    let other = |place: Option<(ListId, u32)>| {
        place.is_some_and(|(of_list, row)| of_list != list_id || !free(row))
    };
    // Whom a paid line names is paid, whatever household that was then.
    let paid = |payee: &str, person: &str| {
        other(payees.line(payee)) || other(payees.line_of_person(person))
    };
    let mut totals = Totals::default();
    let (mut taken, mut already_paid, mut excluded) = (Vec::new(), Vec::new(), Vec::new());
    let (mut incomplete, mut held, mut separate_households) = (0, 0, 0);
    let mut seen = HashSet::new();
    let mut waiting: Vec<(Payment, &Resident)> = Vec::new();
    let mut accounts = Examination::default();
    for number in 0..sealed.rows.chunks() {
        let chunk = rows::chunk(&reader, number)?;
        let first = number * rows::CHUNK_ROWS as u32;
        let fits = |at: usize| {
            let yen = book.line(first + at as u32).map_or(0, |line| line.yen);
            !for_a_bank || transfer::record(&columns.account(&chunk, at), yen).is_ok()
        };
        let fit_a_bank: Vec<bool> = (0..chunk.rows()).into_par_iter().map(fits).collect();
        for at in 0..chunk.rows() {
            let row = first + at as u32;
            let line = book.line(row).ok_or(Reason::Internal)?;
            if !line.is_payable() || !free(row) || book.is_replaced(row) {
                continue;
            }
            let resident =
                line.register_row.and_then(|row| residents.get(&row)).ok_or(Reason::Internal)?;
            let payee = rule.payee(resident);
            // Whoever names a payee may know the household of today or that of the base date.
            let names = [payee, &resident.person, &resident.household];
            if payee.is_empty() {
                incomplete += 1;
                continue;
            }
            let cell = |column: &Option<usize>| {
                column.map_or("", |column| chunk.cell(column, at)).to_owned()
            };
            let id = cell(&line_column);
            if paid(payee, &resident.person) || seen.contains(payee) || lines_out.contains(&id) {
                already_paid.push(row);
                continue;
            }
            if not_paid.has(&names) {
                excluded.push(row);
                continue;
            }
            // A household that a division has made is in no register.
            if held_up.has(&names) || on_hold.has(payee) {
                held += 1;
                continue;
            }
            let payment = Payment {
                row,
                line: id,
                person: resident.person.clone(),
                payee: payee.to_owned(),
                yen: line.yen,
                cells: columns.account(&chunk, at),
            };
            if watch.holds(
                state,
                &columns.paid(&chunk, at, resident, (payee, line.yen)),
                &payment.cells,
            ) {
                held += 1;
                continue;
            }
            // One line that the bank would refuse must not hold up the file of all others.
            if !fit_a_bank.get(at).is_some_and(|fits| *fits) {
                incomplete += 1;
                continue;
            }
            seen.insert(payment.payee.clone());
            totals.add(payment.yen);
            separate_households += u64::from(rule.names_separate(&resident.person));
            taken.push(row);
            waiting.push((payment, resident));
            if waiting.len() == CHUNK_PAYMENTS {
                write(&mut writer, &mut digest, &mut accounts, &mut waiting)?;
            }
        }
    }
    if taken.is_empty() {
        let all_paid = !already_paid.is_empty() && excluded.is_empty() && held + incomplete == 0;
        let nothing = if all_paid { Reason::AlreadyPaid } else { Reason::NothingToCertify };
        return Err(nothing.into());
    }
    if !waiting.is_empty() {
        write(&mut writer, &mut digest, &mut accounts, &mut waiting)?;
    }
    let payments = writer.finish().map_err(|error| blob_refusal(&error))?;
    let accounts = accounts.finish(vault, &register)?.counts();
    // What certifiers sign names the list's decisions too, so each step carries the digest of the one before.
    let mut signed = DigestBuilder::new();
    signed.field(b"renkei batch").field(linked.result_digest.as_bytes());
    signed.field(digest.finish().as_bytes()).number(totals.lines).number(totals.yen);
    let AccountCounts { holder_differs, family_account, shared_account } = accounts;
    signed.number(holder_differs).number(family_account).number(shared_account);
    signed.number(separate_households);
    let batch = Batch {
        programme: list.programme,
        list: list_id,
        state: BatchState::Proposed,
        totals,
        digest: signed.finish(),
        payments,
        proposed_by: permit.caller().identity.clone(),
        certified_by: None,
        feed_number: None,
        delivered: false,
        returned: Totals::default(),
        refunded: Totals::default(),
        accounts,
        separate_households,
        exclusions: programme.exclusions.len(),
        divisions: programme.divisions.len(),
        protected: Some(watch.protected),
    };
    Ok(Draft {
        batch,
        rows: taken,
        version: linked.version,
        batches: programme.batches,
        already_paid,
        excluded,
        held,
        incomplete,
        dissolved,
    })
}

/// Writes a chunk down, adds it to what is signed, and looks at its accounts.
fn write(
    writer: &mut renkei_journal::BlobWriter,
    digest: &mut renkei_journal::KeyedDigest,
    accounts: &mut Examination,
    waiting: &mut Vec<(Payment, &Resident)>,
) -> Result<(), Refusal> {
    let seen: Vec<(&Payment, &str, &str)> = waiting
        .iter()
        .map(|(payment, resident)| (payment, resident.household.as_str(), resident.kana.as_str()))
        .collect();
    accounts.see(&seen);
    let payments: Vec<Payment> = waiting.drain(..).map(|(payment, _)| payment).collect();
    let bytes = postcard::to_stdvec(&payments).map_err(|error| Refusal::internal(&error))?;
    digest.update(&bytes);
    writer.chunk(&bytes).map_err(|error| blob_refusal(&error))
}

#[derive(Debug)]
struct Propose {
    permit: Permit<Certify>,
    list: ListId,
    draft: Result<Draft, Refusal>,
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
    let state = exchange.state();
    let list = state.lists.get(&signed.list).ok_or(Reason::NoAgreement)?;
    let protected = household_case::protected(exchange, indexes, &state, signed.list)
        .and_then(|protected| known_digest(exchange.vault(), &state, list.programme, &protected));
    exchange.execute_now(call, CertifyBatch { permit, signed, protected })
}

/// Keyed digest of everybody who is protected.
fn known_digest(
    vault: &Vault,
    state: &State,
    programme: ProgrammeId,
    protected: &Protected,
) -> Result<Digest, Refusal> {
    let programme = state.programmes.get(&programme).ok_or(Reason::NoAgreement)?;
    Ok(protected.digest(&vault.key(programme.key)?))
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
    /// Keyed digest of everybody who is protected now, where it is known.
    protected: Result<Digest, Refusal>,
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
        if batch.protected != Some(self.protected?) {
            // Somebody in it may live with somebody who is protected since.
            return Err(Refusal::new(Reason::VersionOld).in_field("batch_id"));
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
        });
        crate::hold::release_what_may_go(desk.state, batch.programme);
        let mark = mark(desk, id, &batch);
        Ok(Decision::new(id, mark))
    }
}
