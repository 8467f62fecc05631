//! Reconciling: lines and yen of a list at every step.

use std::collections::BTreeMap;

use renkei_linkage::Outcome;
use renkei_tlog::leaf::{Counter, Operation};
use renkei_types::{ListId, Reason};

use crate::batch::BatchState;
use crate::command::{Call, Command, Decision, Desk, Done};
use crate::ledger::Exchange;
use crate::list::Totals;
use crate::mark::Mark;
use crate::permit::{Permit, SeeTotals};
use crate::refusal::Refusal;
use crate::role::closed_list;

closed_list! {
    /// What has become of lines since they were sealed. Every line is at one of them.
    Step {
        /// Not linked yet, or a clerk must decide.
        Open = "OPEN",
        /// Payable, in no batch.
        Payable = "PAYABLE",
        /// In a batch that one person has certified.
        Proposed = "PROPOSED",
        /// In a batch that two have certified.
        Certified = "CERTIFIED",
        /// In the delivery feed.
        Released = "RELEASED",
        /// Acknowledged by the receiver.
        Acknowledged = "ACKNOWLEDGED",
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
}

impl Reconciliation {
    /// Whether both ways of counting give what was declared.
    pub fn is_balanced(&self) -> bool {
        let outcomes: Totals = self.outcomes.values().copied().sum();
        let steps: Totals = self.steps.values().copied().sum();
        steps == self.declared && (self.outcomes.is_empty() || outcomes == self.declared)
    }
}

/// Counts a list.
pub fn reconcile(desk: &mut Desk<'_>, list_id: ListId) -> Result<Reconciliation, Refusal> {
    let (list, sealed) = desk.state.sealed_list(list_id)?;
    let declared = sealed.declared;
    if list.linked.is_none() {
        let steps = BTreeMap::from([(Step::Open, declared)]);
        return Ok(Reconciliation { declared, outcomes: BTreeMap::new(), steps });
    }
    let book = desk.book(list_id)?;
    let mut steps = BTreeMap::<Step, Totals>::new();
    for (row, line) in book.lines() {
        let step = match (line.outcome, book.batch_of(row)) {
            (_, Some(batch)) => {
                match desk.state.batches.get(&batch).ok_or(Reason::Internal)?.state {
                    // A fallen proposal has no lines.
                    BatchState::Proposed | BatchState::Withdrawn => Step::Proposed,
                    BatchState::Certified => Step::Certified,
                    BatchState::Released => Step::Released,
                    BatchState::Acknowledged => Step::Acknowledged,
                }
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
        steps.entry(step).or_default().add(line.yen);
    }
    Ok(Reconciliation { declared, outcomes: book.totals(), steps })
}

/// Notes that somebody has looked at the totals.
struct Looked {
    permit: Permit<SeeTotals>,
    list: ListId,
    lines: u64,
}

impl Command for Looked {
    type Reply = ();
    const METHOD: &'static str = "Reconcile";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        let mark = Mark::ok(Operation::AuditRead).about(self.list).count(Counter::Out, self.lines);
        Ok(Decision::new((), mark))
    }
}

/// Counts a list for somebody.
pub async fn look(
    exchange: &Exchange,
    permit: Permit<SeeTotals>,
    list: ListId,
) -> Result<Done<Reconciliation>, Refusal> {
    let counted = exchange.ask(move |desk| reconcile(desk, list)).await?;
    let call = Call::read(permit.caller().clone());
    let looked = Looked { permit, list, lines: counted.declared.lines };
    let done = exchange.execute(call, looked).await?;
    Ok(Done { reply: counted, receipt: done.receipt })
}
