//! Denials: what was refused to whom, in the log.
//!
//! Somebody who is refused a thousand times a minute leaves one leaf a minute with a count, for a flood of refusals
//! could bury an event. Collecting them is left to the gate.

use renkei_tlog::leaf::{Counter, LeafResult, Operation};
use renkei_types::{Digest, Reason};

use crate::command::{Command, Decision, Desk};
use crate::mark::Mark;
use crate::refusal::Refusal;

/// Notes refusals of one kind to one caller, who is named by the call.
#[derive(Clone, Copy, Debug)]
pub struct NoteDenials {
    /// Why.
    pub reason: Reason,
    /// How often.
    pub count: u64,
    /// Whether the caller was not even known.
    pub unknown: bool,
    /// The certificate that was shown, where nobody could be named by it; of several refusals that of the first.
    pub certificate: Option<Digest>,
}

impl Command for NoteDenials {
    type Reply = ();
    const METHOD: &'static str = "NoteDenials";

    fn decide(&self, _: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        let operation = if self.unknown { Operation::AuthDenied } else { Operation::AuthzDenied };
        let mark = Mark::ended(operation, LeafResult::Denied, self.reason);
        let mark = mark.count(Counter::Denied, self.count);
        Ok(Decision::new((), self.certificate.into_iter().fold(mark, Mark::showing)))
    }
}
