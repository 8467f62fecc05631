//! Drawing up a batch: which payable lines of a list are paid together, and why the others are not.
//!
//! ```text
//! chunks of the list ──all threads──> candidates ──in order──> taken | already paid | excluded | held | incomplete
//!                     what each line is by itself   who comes first of those with one payee
//! ```
//! A million lines are drawn up in seconds because nearly all that is asked of a line, its account and what a protected person
//! has to do with it, depends on no other line. Nothing here decides: the command that puts the draft to the books asks
//! whether what was read still stands.

use std::collections::HashSet;

use rayon::prelude::*;
use renkei_journal::{BlobWriter, KeyedDigest};
use renkei_types::{BatchId, DigestBuilder, ListId, Reason};

use crate::accounts::{AccountCounts, Examination};
use crate::already_paid::PaidHouseholds;
use crate::batch::{Batch, BatchState, CHUNK_PAYMENTS, Payment};
use crate::household_case::Watch;
use crate::left_out::LeftOut;
use crate::list::Totals;
use crate::payee::{PayeeRule, Resident, Residents};
use crate::permit::{Certify, Permit};
use crate::programme_homes::ProgrammeHomes;
use crate::reach::Unmet;
use crate::refusal::Refusal;
use crate::rows;
use crate::sieve::{Candidate, Obstacle, Read, Sieve};
use crate::standing::register_in_use;
use crate::store::{Vault, blob_refusal};
use crate::supersede;

/// A batch that is written but not yet decided about.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) batch: Batch,
    pub(crate) rows: Vec<u32>,
    /// The version of the list on which it was drawn up.
    pub(crate) version: u64,
    /// How many batches the programme had: who is paid already depends on them.
    pub(crate) batches: u64,
    pub(crate) already_paid: Vec<u32>,
    pub(crate) excluded: Vec<u32>,
    pub(crate) held: u64,
    pub(crate) incomplete: u64,
    pub(crate) unmet: Unmet,
    /// Proposals of the list that it takes the place of.
    pub(crate) dissolved: Vec<BatchId>,
}

/// What came of drawing a batch up.
#[derive(Debug)]
pub(crate) enum Drawn {
    /// It is written.
    Batch(Box<Draft>),
    /// Every payable line is left out.
    Nothing(LeftOut),
}

/// Draws a batch up. Blocks: for threads that may wait.
pub(crate) fn draw_up(
    vault: &Vault,
    read: &Read,
    homes: &ProgrammeHomes,
    (watch, residents): (&Watch, &Residents),
    permit: &Permit<Certify>,
    list_id: ListId,
) -> Result<Drawn, Refusal> {
    let Read { state, payees, earlier, .. } = read;
    let (list, linked) = state.linked_list(list_id)?;
    let (_, sealed) = state.sealed_list(list_id)?;
    if list.superseded_by.is_some() {
        return Err(Reason::Superseded.into());
    }
    let programme = state.programmes.get(&list.programme).ok_or(Reason::NoAgreement)?;
    let register = state.register_rows(linked.snapshot)?;
    let rule = PayeeRule::read(vault, programme, homes, list_id)?;
    let sieve = Sieve::of(vault, read, homes, &rule, (watch, residents), list_id)?;
    // A corrected line may mean somebody else than the line that was paid: its id must not be paid again either.
    let lines_out = supersede::lines_out(vault, state, earlier)?;
    let households = PaidHouseholds::of(homes, list_id, payees, rule.divisions());
    let paid = households.paid(payees, |(of_list, row)| of_list != list_id || !sieve.is_free(row));
    let reader = sealed.rows.open(vault)?;
    let judge = |numbers: &[u32]| -> Result<Vec<Vec<Candidate<'_>>>, Refusal> {
        let of_chunk = |&number: &u32| {
            let first = number * rows::CHUNK_ROWS as u32;
            sieve.candidates(first, &rows::chunk(&reader, number)?)
        };
        numbers.par_iter().map(of_chunk).collect()
    };
    let mut taking = Taking::new(Pages::new(vault, programme.key)?);
    let numbers: Vec<u32> = (0..sealed.rows.chunks()).collect();
    let mut groups = numbers.chunks(CHUNKS_AHEAD);
    let mut judged = groups.next().map(judge);
    // Which lines of some chunks are taken is decided in their order, while the next ones are judged.
    while let Some(candidates) = judged {
        let mut candidates = candidates?.into_iter().flatten();
        let take_in_order = || {
            candidates.try_for_each(|candidate| {
                let Payment { payee, person, line, .. } = &candidate.payment;
                let is_paid =
                    !payee.is_empty() && (paid.has(payee, person) || lines_out.contains(line));
                taking.take(candidate, is_paid, &households, &rule)
            })
        };
        let (taken, next) = rayon::join(take_in_order, || groups.next().map(judge));
        taken?;
        judged = next;
    }
    let separate_households = taking.separate_households;
    let Taking { pages, totals, rows: taken, already_paid, excluded, held, incomplete, .. } =
        taking;
    if taken.is_empty() {
        let all_paid = !already_paid.is_empty() && excluded.is_empty() && held + incomplete == 0;
        let why = if all_paid { Reason::AlreadyPaid } else { Reason::NothingToCertify };
        let seen = (linked.version, programme.batches);
        let dissolved = sieve.dissolved;
        return Ok(Drawn::Nothing(LeftOut { why, already_paid, excluded, dissolved, seen }));
    }
    let (payments, digest, accounts) = pages.finish()?;
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
        register: register_in_use(state, list_id),
        signed_with: None,
    };
    let Sieve { dissolved, unmet, .. } = sieve;
    Ok(Drawn::Batch(Box::new(Draft {
        batch,
        rows: taken,
        version: linked.version,
        batches: programme.batches,
        already_paid,
        excluded,
        held,
        incomplete,
        unmet,
        dissolved,
    })))
}

/// How many chunks of a list are judged at a time.
const CHUNKS_AHEAD: usize = 8;

/// The lines that have been gone through, in the order of the list: of those with one payee the first is taken.
struct Taking<'a> {
    pages: Pages<'a>,
    totals: Totals,
    rows: Vec<u32>,
    /// The keys under which those count whom these lines pay.
    payees: HashSet<String>,
    already_paid: Vec<u32>,
    excluded: Vec<u32>,
    held: u64,
    incomplete: u64,
    separate_households: u64,
}

impl<'a> Taking<'a> {
    fn new(pages: Pages<'a>) -> Self {
        Self {
            pages,
            totals: Totals::default(),
            rows: Vec::new(),
            payees: HashSet::new(),
            already_paid: Vec::new(),
            excluded: Vec::new(),
            held: 0,
            incomplete: 0,
            separate_households: 0,
        }
    }

    /// Goes on to the next line, whose payee may be paid by another list already.
    fn take(
        &mut self,
        candidate: Candidate<'a>,
        is_paid: bool,
        households: &PaidHouseholds,
        rule: &PayeeRule<'_>,
    ) -> Result<(), Refusal> {
        let Candidate { payment, resident, obstacle } = candidate;
        let row = payment.row;
        if is_paid || households.keys(&payment.payee).any(|key| self.payees.contains(key)) {
            self.already_paid.push(row);
            return Ok(());
        }
        match obstacle {
            Some(Obstacle::Excluded) => self.excluded.push(row),
            Some(Obstacle::Held) => self.held += 1,
            Some(Obstacle::Incomplete) => self.incomplete += 1,
            None => {
                self.payees.extend(households.keys(&payment.payee).map(str::to_owned));
                self.totals.add(payment.yen);
                self.separate_households += u64::from(rule.names_separate(&payment.person));
                self.rows.push(row);
                self.pages.add(payment, resident)?;
            }
        }
        Ok(())
    }
}

/// The payments of a draft, as they are written.
struct Pages<'a> {
    writer: BlobWriter,
    digest: KeyedDigest,
    accounts: Examination,
    waiting: Vec<(Payment, &'a Resident)>,
}

impl<'a> Pages<'a> {
    /// Starts with a blob that a programme's key seals.
    fn new(vault: &Vault, id: renkei_types::DataKeyId) -> Result<Self, Refusal> {
        let key = vault.key(id)?;
        let (writer, digest) =
            (vault.blob_writer(&key, id)?, key.keyed_digest_of_parts("renkei batch"));
        let accounts = Examination::default();
        Ok(Self { writer, digest, accounts, waiting: Vec::with_capacity(CHUNK_PAYMENTS) })
    }

    fn add(&mut self, payment: Payment, resident: &'a Resident) -> Result<(), Refusal> {
        self.waiting.push((payment, resident));
        if self.waiting.len() == CHUNK_PAYMENTS { self.write() } else { Ok(()) }
    }

    /// Writes a chunk down, adds it to what is signed, and looks at its accounts.
    fn write(&mut self) -> Result<(), Refusal> {
        let seen: Vec<(&Payment, &str, &str)> = self
            .waiting
            .iter()
            .map(|(payment, resident)| {
                (payment, resident.household.as_str(), resident.kana.as_str())
            })
            .collect();
        self.accounts.see(&seen);
        let payments: Vec<Payment> = self.waiting.drain(..).map(|(payment, _)| payment).collect();
        let bytes = postcard::to_stdvec(&payments).map_err(|error| Refusal::internal(&error))?;
        self.digest.update(&bytes);
        self.writer.chunk(&bytes).map_err(|error| blob_refusal(&error))
    }

    fn finish(mut self) -> Result<(renkei_journal::BlobRef, KeyedDigest, Examination), Refusal> {
        if !self.waiting.is_empty() {
            self.write()?;
        }
        let payments = self.writer.finish().map_err(|error| blob_refusal(&error))?;
        Ok((payments, self.digest, self.accounts))
    }
}
