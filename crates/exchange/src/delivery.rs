//! Deliveries: a programme's numbered feed, and what the receiver says of it.
//!
//! An entry is delivered at least once, and logged before its first byte leaves. An acknowledgement repeats the lines and
//! yen that the receiver counted; a wrong sum is refused, so that nobody closes what did not arrive.

use renkei_tlog::leaf::{Counter, Operation};
use renkei_types::{BatchId, ProgrammeId, Reason};

use crate::batch::{self, Batch, BatchState, PAYMENT_FIELDS};
use crate::command::{Command, Decision, Desk};
use crate::disclosed::Disclosed;
use crate::link_code::Naming;
use crate::list::Totals;
use crate::mark::Mark;
use crate::permit::{Permit, Receive};
use crate::refusal::Refusal;
use crate::store::Vault;

/// One payment as its receiver may see it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Delivered {
    /// Id of the line in its list.
    pub line: String,
    /// Who is paid: the id in the register where the agreement names it, else a link code.
    pub person: String,
    /// The amount.
    pub yen: u64,
    /// The fields that the agreement names.
    pub cells: Vec<Disclosed>,
}

/// One chunk of an entry. Blocks: for threads that may wait.
pub fn entry_chunk(
    vault: &Vault,
    permit: &Permit<Receive>,
    naming: &Naming,
    batch: &Batch,
    chunk: u32,
) -> Result<Vec<Delivered>, Refusal> {
    let delivered = |payment: batch::Payment| {
        let cells = PAYMENT_FIELDS.iter().zip(payment.cells);
        Delivered {
            line: payment.line,
            person: naming.name(&payment.person),
            yen: payment.yen,
            cells: cells.filter_map(|(field, value)| permit.disclose(field, value)).collect(),
        }
    };
    Ok(batch::payments_chunk(vault, batch, chunk)?.into_iter().map(delivered).collect())
}

/// Notes that an entry is about to be sent.
#[derive(Debug)]
pub struct Deliver {
    /// That the caller may.
    pub permit: Permit<Receive>,
    /// The programme.
    pub programme: ProgrammeId,
    /// The entry.
    pub number: u64,
}

impl Command for Deliver {
    type Reply = BatchId;
    const METHOD: &'static str = "Deliver";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<BatchId>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        let id = *desk.state.feed.get(&(self.programme, self.number)).ok_or(Reason::NoAgreement)?;
        let batch = desk.state.batches.get(&id).ok_or(Reason::Internal)?;
        crate::hold::check(desk.state, id, batch)?;
        // What was released while the log was cosigned may be handed out later, unless it is in doubt since.
        desk.witnessed.check_change()?;
        let Totals { lines, yen } = batch.totals;
        desk.state.batches.change(&id, |batch| batch.delivered = true);
        let mark = Mark::ok(Operation::Deliver)
            .about(id)
            .under(&self.permit)
            .count(Counter::Delivered, lines)
            .yen_out(yen, lines, &desk.chance());
        Ok(Decision::new(id, mark))
    }
}

/// The receiver has an entry.
#[derive(Debug)]
pub struct Acknowledge {
    /// That the caller may.
    pub permit: Permit<Receive>,
    /// The programme.
    pub programme: ProgrammeId,
    /// The entry.
    pub number: u64,
    /// What the receiver counted.
    pub totals: Totals,
}

impl Command for Acknowledge {
    type Reply = ();
    const METHOD: &'static str = "Ack";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        let programme = desk.state.programmes.get(&self.programme).ok_or(Reason::NoAgreement)?;
        // In order and each once: the sums of what is acknowledged and of what is delivered are then comparable.
        if self.number != programme.acknowledged + 1 {
            return Err(Refusal::new(Reason::WrongState).in_field("number"));
        }
        let id = *desk
            .state
            .feed
            .get(&(self.programme, self.number))
            .ok_or(Refusal::new(Reason::WrongState).in_field("number"))?;
        let batch = desk.state.batches.get(&id).ok_or(Reason::Internal)?;
        if !batch.delivered {
            return Err(Refusal::new(Reason::NotDelivered).in_field("number"));
        }
        if batch.totals != self.totals {
            return Err(Refusal::new(Reason::TotalsDiffer).in_field("totals"));
        }
        let lines = self.totals.lines;
        desk.state.batches.change(&id, |batch| batch.state = BatchState::Acknowledged);
        desk.state.programmes.change(&self.programme, |programme| programme.acknowledged += 1);
        let mark = Mark::ok(Operation::Ack)
            .about(id)
            .under(&self.permit)
            .count(Counter::Acked, lines)
            .yen_out(self.totals.yen, lines, &desk.chance());
        Ok(Decision::new((), mark))
    }
}
