//! Balance: no line and no yen of a list is lost or counted twice, whatever a command does.
//!
//! ```text
//! declared = open + payable + proposed + certified + released + paid + returned + refunded + replaced + sent back
//!            \____ lines in no batch ____/ \___________ lines in batches _____________/
//! ```
//! The ledger holds every command that changes a book or moves a batch against this, in release builds too, before its
//! frame is written. A rule with a mistake in it is then refused and heard of; it never becomes a wrong payment.
//!
//! What is compared was counted on different ways: the state has what people signed and banks reported, the book adds up
//! its lines one by one.

use renkei_linkage::Outcome;
use renkei_types::{ListId, Reason};

use crate::batch::BatchState;
use crate::book::{BatchSums, Book};
use crate::list::{OutcomeCode, Totals};
use crate::refusal::Refusal;
use crate::state::State;

/// Whether a list adds up to what was declared; refused, and told to the operator, where it does not.
pub(crate) fn check(state: &State, id: ListId, book: &Book) -> Result<(), Refusal> {
    match flaw(state, id, book) {
        None => Ok(()),
        Some(what) => {
            tracing::error!(list = %id, what, "a list does not add up; nothing was changed");
            Err(Reason::Unbalanced.into())
        }
    }
}

/// The first thing that does not add up.
pub(crate) fn flaw(state: &State, id: ListId, book: &Book) -> Option<&'static str> {
    let Ok((list, sealed)) = state.sealed_list(id) else { return Some("it is not sealed") };
    let Ok((_, linked)) = state.linked_list(id) else { return Some("it is not linked") };
    let sums = book.sums();
    if sums.outcomes.values().copied().sum::<Totals>() != sealed.declared {
        return Some("its outcomes are not what was declared");
    }
    let told = |outcome| linked.lines.get(&OutcomeCode(outcome)).copied().unwrap_or_default();
    let counted = |outcome| sums.outcomes.get(&outcome).copied().unwrap_or_default();
    if Outcome::ALL.iter().any(|&outcome| told(outcome) != counted(outcome).lines) {
        return Some("the state tells other outcomes than the book");
    }
    let mut gathered = 0;
    let mut in_batches = Totals::default();
    for id in &list.batches {
        let Some(batch) = state.batches.get(id) else { return Some("it lacks a batch") };
        if batch.state == BatchState::Withdrawn {
            continue;
        }
        gathered += 1;
        let of_book = sums.batches.get(id).copied().unwrap_or_default();
        let of_state =
            BatchSums { all: batch.totals, returned: batch.returned, refunded: batch.refunded };
        if of_book != of_state {
            return Some("a batch is not what its lines add up to");
        }
        let gone = batch.returned.yen.checked_add(batch.refunded.yen);
        if gone.is_none_or(|yen| yen > batch.totals.yen)
            || batch.returned.lines + batch.refunded.lines > batch.totals.lines
        {
            return Some("more came back of a batch than it paid");
        }
        in_batches += batch.totals;
    }
    if sums.batches.len() != gathered {
        return Some("the book has a batch that the list does not have");
    }
    let (linked, by_clerk) = (counted(Outcome::Linked), counted(Outcome::LinkedByClerk));
    let payable = [linked, by_clerk].into_iter().sum::<Totals>();
    if in_batches.lines > payable.lines || in_batches.yen > payable.yen {
        return Some("its batches hold more than is payable");
    }
    None
}
