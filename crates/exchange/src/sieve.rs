//! What each payable line of a list is held against by itself: whom it pays, and what hinders that, whatever the other lines are.
//!
//! The first signature asks it of all lines that are free, the second of those of its proposal where the register has gone on.

use std::sync::Arc;

use jiff::civil::Date;
use renkei_types::{BatchId, ListId, Reason};

use crate::batch::{Payment, is_proposal};
use crate::book::Book;
use crate::books::Payees;
use crate::exclusion;
use crate::hold::HeldPayees;
use crate::household_case::{Watch, WatchedColumns};
use crate::payee::{PayeeRule, Resident, Residents};
use crate::programme::PayeeUnit;
use crate::programme_homes::ProgrammeHomes;
use crate::reach::{Reach, Unmet};
use crate::refusal::Refusal;
use crate::rows::Chunk;
use crate::state::State;
use crate::store::Vault;
use crate::transfer;

/// What a batch is drawn up from.
pub(crate) struct Read {
    pub(crate) state: State,
    pub(crate) today: Date,
    pub(crate) book: Arc<Book>,
    pub(crate) payees: Arc<Payees>,
    /// The lists whose place this one has taken, with their books.
    pub(crate) earlier: Vec<(ListId, Arc<Book>)>,
}

/// What every line is held against by itself.
pub(crate) struct Sieve<'a> {
    state: &'a State,
    book: &'a Book,
    residents: &'a Residents,
    rule: &'a PayeeRule<'a>,
    unit: PayeeUnit,
    not_paid: Reach,
    held_up: Reach,
    on_hold: HeldPayees,
    watch: &'a Watch,
    columns: WatchedColumns,
    id: Option<usize>,
    for_a_bank: bool,
    /// Proposals that the new one takes the place of: nobody has certified them, so their lines are free.
    pub(crate) dissolved: Vec<BatchId>,
    pub(crate) unmet: Unmet,
}

/// A free payable line.
pub(crate) struct Candidate<'a> {
    pub(crate) payment: Payment,
    pub(crate) resident: &'a Resident,
    pub(crate) obstacle: Option<Obstacle>,
}

/// Why a line is not paid, whatever the other lines are.
pub(crate) enum Obstacle {
    Excluded,
    Held,
    /// One line that the bank would refuse must not hold up the file of all others; nor is nobody paid.
    Incomplete,
}

impl<'a> Sieve<'a> {
    /// What there is to hold the lines of a list against.
    pub(crate) fn of(
        vault: &Vault,
        read: &'a Read,
        homes: &ProgrammeHomes,
        rule: &'a PayeeRule<'a>,
        (watch, residents): (&'a Watch, &'a Residents),
        list_id: ListId,
    ) -> Result<Self, Refusal> {
        let Read { state, book, .. } = read;
        let (list, sealed) = state.sealed_list(list_id)?;
        let programme = state.programmes.get(&list.programme).ok_or(Reason::NoAgreement)?;
        let excluded = exclusion::excluded(vault, programme)?;
        let on_hold = HeldPayees::of(vault, state, list.programme)?;
        let ids = excluded.iter().map(String::as_str);
        let not_paid = Reach::of_exclusions(vault, programme, homes, ids)?;
        let held_up = Reach::of_holds(vault, programme, homes, &on_hold)?;
        let unmet = Unmet::of((&on_hold, &held_up), (&excluded, &not_paid));
        let account = sealed.rows.column("account_number");
        let proposals = list.batches.iter().copied().filter(|&batch| is_proposal(state, batch));
        Ok(Self {
            state,
            book,
            residents,
            rule,
            unit: programme.rules.unit,
            not_paid,
            held_up,
            on_hold,
            watch,
            columns: WatchedColumns::of(&sealed.rows),
            id: sealed.rows.column("benefit_id"),
            // A list without accounts is not meant for a transfer file.
            for_a_bank: programme.rules.consignor.is_some() && account.is_some(),
            dissolved: proposals.collect(),
            unmet,
        })
    }

    /// Whether a line is in no batch, or in one that falls.
    pub(crate) fn is_free(&self, row: u32) -> bool {
        self.book.batch_of(row).is_none_or(|batch| self.dissolved.contains(&batch))
    }

    /// The free payable lines of a chunk that starts with a row.
    pub(crate) fn candidates(
        &self,
        first: u32,
        chunk: &Chunk,
    ) -> Result<Vec<Candidate<'a>>, Refusal> {
        let mut candidates = Vec::with_capacity(chunk.rows());
        for at in 0..chunk.rows() {
            let row = first + at as u32;
            let line = self.book.line(row).ok_or(Reason::Internal)?;
            if !line.is_payable() || !self.is_free(row) || self.book.is_replaced(row) {
                continue;
            }
            let resident = line.register_row.and_then(|row| self.residents.get(row));
            let resident = resident.ok_or(Reason::Internal)?;
            let payment = Payment {
                row,
                line: self.id.map_or("", |column| chunk.cell(column, at)).to_owned(),
                person: resident.person.clone(),
                payee: self.rule.payee(resident).to_owned(),
                yen: line.yen,
                cells: self.columns.account(chunk, at),
            };
            let obstacle = self.obstacle(&payment, resident, chunk, at);
            candidates.push(Candidate { payment, resident, obstacle });
        }
        Ok(candidates)
    }

    fn obstacle(
        &self,
        payment: &Payment,
        resident: &Resident,
        chunk: &Chunk,
        at: usize,
    ) -> Option<Obstacle> {
        let payee = payment.payee.as_str();
        let paid = || self.columns.paid(chunk, at, resident, (payee, payment.yen));
        if payee.is_empty() {
            Some(Obstacle::Incomplete)
        } else if self.not_paid.has_line(self.unit, payee, resident) {
            Some(Obstacle::Excluded)
        } else if self.held_up.has_line(self.unit, payee, resident)
            // Of who fled: no reach tells of a division that is a secret.
            || (self.rule.names(&resident.person) && self.on_hold.has(payee))
            || self.rule.is_doubtful(&resident.person)
            || self.watch.holds(self.state, &paid(), &payment.cells)
        {
            Some(Obstacle::Held)
        } else if self.for_a_bank && transfer::record(&payment.cells, payment.yen).is_err() {
            Some(Obstacle::Incomplete)
        } else {
            None
        }
    }
}
