//! Lists of which nothing can be certified, because every payable line is left out.
//!
//! Certifying such a list is refused, and a refusal changes nothing: the sheet would go on calling its lines payable, though
//! nobody can have them paid. So what each line is left out for is noted beside the refusal, once.

use renkei_tlog::leaf::{LeafResult, Operation};
use renkei_types::{BatchId, ListId, Reason};

use crate::batch::dissolve;
use crate::book::{BookChange, runs};
use crate::command::{Command, Decision, Desk};
use crate::mark::Mark;
use crate::permit::{Certify, Permit};
use crate::refusal::Refusal;

/// Why there is nothing to certify, and which lines of the list are left out for good.
#[derive(Debug)]
pub(crate) struct LeftOut {
    pub(crate) why: Reason,
    pub(crate) already_paid: Vec<u32>,
    pub(crate) excluded: Vec<u32>,
    /// Proposals of the list, none of whose lines may be paid any more.
    pub(crate) dissolved: Vec<BatchId>,
    /// The version of the list, and how many batches the programme had, when it was looked through.
    pub(crate) seen: (u64, u64),
}

/// Notes which lines are left out.
#[derive(Debug)]
pub(crate) struct NoteLeftOut {
    pub(crate) permit: Permit<Certify>,
    pub(crate) list: ListId,
    pub(crate) left_out: LeftOut,
}

impl Command for NoteLeftOut {
    type Reply = ();
    const METHOD: &'static str = "NoteLeftOut";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        desk.witnessed.check_change()?;
        let LeftOut { why, already_paid, excluded, dissolved, seen } = &self.left_out;
        let (list, linked) = desk.state.linked_list(self.list)?;
        let key = list.key;
        let batches = desk.state.programmes.get(&list.programme).map_or(0, |known| known.batches);
        if (linked.version, batches) != *seen {
            return Err(Reason::VersionOld.into());
        }
        let is_noted = desk.book(self.list)?.left_out(already_paid, excluded);
        if is_noted && dissolved.is_empty() {
            return Ok(Decision::nothing(()));
        }
        // Whoever waits for one of them would wait for ever, and whom it would have paid would count as paid.
        dissolved.iter().for_each(|&batch| dissolve(desk.state, batch));
        let (already_paid, excluded) = (runs(already_paid), runs(excluded));
        let mark = Mark::ended(Operation::Certify, LeafResult::Rejected, *why).about(self.list);
        let dissolved = dissolved.clone();
        let change = BookChange::NothingLeft { already_paid, excluded, dissolved };
        Ok(Decision::new((), mark).with_book(self.list, key, change))
    }
}
