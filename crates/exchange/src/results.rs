//! Results: handing out what became of a list's lines.

use renkei_tlog::leaf::{Counter, Operation};
use renkei_types::ListId;

use crate::command::{Command, Decision, Desk};
use crate::mark::Mark;
use crate::permit::{Link, Permit};
use crate::refusal::Refusal;

/// Notes that the results of a list are handed out, before they are.
#[derive(Debug)]
pub struct ReadResults {
    /// That the caller may.
    pub permit: Permit<Link>,
    /// The list.
    pub list: ListId,
    /// How many lines.
    pub lines: u64,
}

impl Command for ReadResults {
    type Reply = ();
    const METHOD: &'static str = "Results";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        let mark = Mark::ok(Operation::Export).about(self.list).under(&self.permit);
        Ok(Decision::new((), mark.count(Counter::Out, self.lines)))
    }
}
