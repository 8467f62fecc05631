//! Refunds (返還): a payee gives back what was paid, all of it or a part.
//!
//! The line stays paid: whoever gave money back is not paid again by the same programme. What was given back counts in the
//! sheet, and is never more than was paid.

use renkei_tlog::leaf::{Counter, Operation};
use renkei_types::{BatchId, ListId, Reason};

use crate::batch::payments;
use crate::book::BookChange;
use crate::command::{Call, Command, Decision, Desk, Done};
use crate::ledger::Exchange;
use crate::list::Totals;
use crate::mark::Mark;
use crate::permit::{Permit, Receive};
use crate::refusal::Refusal;
use crate::returns::{changed, sent};

/// Notes that a payee has given money back. Blocks: for threads that may wait.
pub fn refund(
    exchange: &Exchange,
    call: Call,
    permit: Permit<Receive>,
    list: ListId,
    line: &str,
    yen: u64,
) -> Result<Done<()>, Refusal> {
    let state = exchange.state();
    let known = state.lists.get(&list).ok_or(Reason::NoAgreement)?;
    let mut place = None;
    for id in &known.batches {
        if sent(&state, *id).is_ok()
            && let Some(batch) = state.batches.get(id)
        {
            let payments = payments(exchange.vault(), batch)?;
            let paid = payments.iter().find(|payment| payment.line == line);
            place = place.or(paid.map(|payment| (*id, payment.row)));
        }
    }
    let (batch, row) = place.ok_or(Refusal::new(Reason::UnknownLine).in_field("line_id"))?;
    exchange.execute_now(call, Refund { permit, batch, row, yen })
}

struct Refund {
    permit: Permit<Receive>,
    batch: BatchId,
    row: u32,
    yen: u64,
}

impl Command for Refund {
    type Reply = ();
    const METHOD: &'static str = "Refund";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        let batch = sent(desk.state, self.batch)?;
        let (list, _) = desk.state.linked_list(batch.list)?;
        let key = list.key;
        let book = desk.book(batch.list)?;
        let line = book.line(self.row).ok_or(Reason::Internal)?;
        if book.batch_of(self.row) != Some(self.batch) || book.is_returned(self.row) {
            return Err(Reason::WrongState.into());
        }
        let before = book.refunded(self.row);
        if self.yen == 0 || self.yen > line.yen - before {
            return Err(Refusal::new(Reason::RefundAbovePaid).in_field("yen"));
        }
        let whole = before + self.yen == line.yen;
        let refunded = Totals { lines: u64::from(whole), yen: self.yen };
        desk.state.batches.change(&self.batch, |batch| batch.refunded += refunded);
        changed(desk, &batch);
        let mark = Mark::ok(Operation::Refund)
            .about(self.batch)
            .under(&self.permit)
            .count(Counter::Refunded, 1)
            .yen_in(self.yen, 1, &desk.chance());
        let change = BookChange::Refunded { batch: self.batch, row: self.row, yen: self.yen };
        Ok(Decision::new((), mark).with_book(batch.list, key, change))
    }
}
