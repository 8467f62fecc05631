//! Reconciling: lines and yen of a list at every step, and of all lists of a programme at one moment.

use std::collections::BTreeMap;
use std::sync::Arc;

use renkei_linkage::Outcome;
use renkei_tlog::leaf::{Counter, Operation};
use renkei_types::{ListId, ProgrammeId, Reason};

use crate::batch::BatchState;
use crate::book::Book;
use crate::command::{Call, Command, Decision, Desk, Done};
use crate::ledger::Exchange;
use crate::list::Totals;
use crate::mark::Mark;
use crate::permit::{Permit, SeeTotals};
use crate::refusal::Refusal;
use crate::role::closed_list;
use crate::state::State;

closed_list! {
    /// What has become of lines since they were sealed. Every line is at one of them; of a line that was given back in part
    /// the yen that were given back are `REFUNDED`, and the line and the rest are `PAID`.
    Step {
        /// Not linked yet, or a clerk must decide.
        Open = "OPEN",
        /// Payable, in no batch.
        Payable = "PAYABLE",
        /// Payable, and left out of the last proposal because the payee is paid by another line.
        AlreadyPaid = "ALREADY_PAID",
        /// Payable, and left out of the last proposal because the programme excludes the payee.
        Excluded = "EXCLUDED",
        /// In a batch that one person has certified.
        Proposed = "PROPOSED",
        /// In a batch that two have certified.
        Certified = "CERTIFIED",
        /// In the delivery feed.
        Released = "RELEASED",
        /// Acknowledged by the receiver; the bank's result is not known.
        Acknowledged = "ACKNOWLEDGED",
        /// The bank's result is known, and it did not come back.
        Paid = "PAID",
        /// It came back from the bank.
        Returned = "RETURNED",
        /// The payee gave it back.
        Refunded = "REFUNDED",
        /// A corrected list has taken its place.
        Replaced = "REPLACED",
        /// Back to the owner.
        SentBack = "SENT_BACK",
    }
}

/// Lines and yen of a list.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reconciliation {
    /// What was declared.
    pub declared: Totals,
    /// By outcome; nothing before the list is linked.
    pub outcomes: BTreeMap<Outcome, Totals>,
    /// By step.
    pub steps: BTreeMap<Step, Totals>,
    /// Whether the state and the book, which were kept apart, say the same.
    pub agrees: bool,
}

impl Reconciliation {
    /// Whether every way of counting gives what was declared.
    pub fn is_balanced(&self) -> bool {
        let outcomes: Totals = self.outcomes.values().copied().sum();
        let steps: Totals = self.steps.values().copied().sum();
        let linked = self.outcomes.is_empty() || outcomes == self.declared;
        self.agrees && linked && steps == self.declared
    }
}

/// Counts a list.
pub fn reconcile(desk: &mut Desk<'_>, list: ListId) -> Result<Reconciliation, Refusal> {
    let book = open(desk, list)?;
    count(desk.state, list, book.as_deref())
}

/// The book of a list; nothing before it is linked.
fn open(desk: &mut Desk<'_>, list: ListId) -> Result<Option<Arc<Book>>, Refusal> {
    let (known, _) = desk.state.sealed_list(list)?;
    if known.linked.is_none() { Ok(None) } else { desk.book(list).map(Some) }
}

/// Counts every line anew, whatever the book has added up before.
fn count(state: &State, id: ListId, book: Option<&Book>) -> Result<Reconciliation, Refusal> {
    let (list, sealed) = state.sealed_list(id)?;
    let declared = sealed.declared;
    let replaced = list.superseded_by.is_some();
    let Some(book) = book else {
        let step = if replaced { Step::Replaced } else { Step::Open };
        let steps = BTreeMap::from([(step, declared)]);
        return Ok(Reconciliation { declared, outcomes: BTreeMap::new(), steps, agrees: true });
    };
    let mut steps = BTreeMap::<Step, Totals>::new();
    for (row, line) in book.lines() {
        let replaced = replaced || book.is_replaced(row);
        let step = match (line.outcome, book.batch_of(row)) {
            (_, Some(_)) if book.is_returned(row) => {
                if replaced {
                    Step::Replaced
                } else {
                    Step::Returned
                }
            }
            (_, Some(batch)) => {
                match state.batches.get(&batch).ok_or(Reason::Internal)?.state {
                    // A fallen proposal has no lines.
                    BatchState::Proposed | BatchState::Withdrawn => Step::Proposed,
                    BatchState::Certified => Step::Certified,
                    BatchState::Released => Step::Released,
                    BatchState::Acknowledged => Step::Acknowledged,
                    BatchState::Paid => Step::Paid,
                }
            }
            (_, None) if replaced => Step::Replaced,
            (Outcome::Linked | Outcome::LinkedByClerk, None) if book.is_already_paid(row) => {
                Step::AlreadyPaid
            }
            (Outcome::Linked | Outcome::LinkedByClerk, None) if book.is_excluded(row) => {
                Step::Excluded
            }
            (Outcome::Linked | Outcome::LinkedByClerk, None) => Step::Payable,
            (Outcome::Review | Outcome::Ambiguous, None) => Step::Open,
            (
                Outcome::Duplicate
                | Outcome::NotFound
                | Outcome::Unlinkable
                | Outcome::RejectedInput,
                None,
            ) => Step::SentBack,
        };
        match book.refunded(row) {
            0 => steps.entry(step).or_default().add(line.yen),
            given_back if given_back >= line.yen => {
                steps.entry(Step::Refunded).or_default().add(line.yen);
            }
            given_back => {
                steps.entry(step).or_default().add(line.yen - given_back);
                steps.entry(Step::Refunded).or_default().yen += given_back;
            }
        }
    }
    let outcomes = book.totals();
    let agrees = crate::balance::flaw(state, id, book).is_none() && outcomes == nonzero(book);
    Ok(Reconciliation { declared, outcomes, steps, agrees })
}

/// What the book has added up while it changed.
fn nonzero(book: &Book) -> BTreeMap<Outcome, Totals> {
    let sums = book.sums().outcomes.iter().filter(|(_, totals)| totals.lines > 0);
    sums.map(|(outcome, totals)| (*outcome, *totals)).collect()
}

/// Notes that somebody has looked at the totals.
struct Looked {
    permit: Permit<SeeTotals>,
    what: Sheet,
    lines: u64,
}

impl Command for Looked {
    type Reply = ();
    const METHOD: &'static str = "Reconcile";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        let mark = Mark::ok(Operation::AuditRead).count(Counter::Out, self.lines);
        let mark = match self.what {
            Sheet::List(list) => mark.about(list),
            Sheet::Programme(programme) => mark.about(programme),
        };
        Ok(Decision::new((), mark))
    }
}

/// A programme's lists that are sealed, each counted, and how many lines that are.
pub type Sheets = Vec<(ListId, Reconciliation)>;

/// Counts one list for somebody, or every sealed list of a programme.
pub async fn look(
    exchange: &Exchange,
    permit: Permit<SeeTotals>,
    what: Sheet,
) -> Result<Done<Sheets>, Refusal> {
    // All of one moment; counted on this thread, for the ledger has other things to do.
    let (state, books) = exchange
        .ask(move |desk| {
            let lists = match what {
                Sheet::List(list) => vec![list],
                Sheet::Programme(programme) => {
                    let known = desk.state.programmes.get(&programme).ok_or(Reason::NoAgreement)?;
                    let sealed = |list: &&ListId| desk.state.sealed_list(**list).is_ok();
                    known.lists.iter().filter(sealed).copied().collect()
                }
            };
            let books = lists.into_iter().map(|list| Ok((list, open(desk, list)?)));
            let books = books.collect::<Result<Vec<_>, Refusal>>()?;
            Ok((desk.state.clone(), books))
        })
        .await?;
    let counted = books.into_iter().map(|(list, book)| {
        let counted = count(&state, list, book.as_deref())?;
        if !counted.is_balanced() {
            tracing::error!(%list, "a list does not add up");
        }
        Ok((list, counted))
    });
    let sheets = counted.collect::<Result<Sheets, Refusal>>()?;
    let lines = sheets.iter().map(|(_, sheet)| sheet.declared.lines).sum();
    let call = Call::read(permit.caller().clone());
    let done = exchange.execute(call, Looked { permit, what, lines }).await?;
    Ok(Done { reply: sheets, receipt: done.receipt })
}

/// What is to be counted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sheet {
    /// One list.
    List(ListId),
    /// Every sealed list of a programme.
    Programme(ProgrammeId),
}
