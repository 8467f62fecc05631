//! Suspending an agreement, lifting the suspension, and ending an agreement.
//!
//! ```text
//! proposed > approved > active <──> suspended
//!     └──────────┴─────────┴────────────┴──> ended
//! ```
//! Stopping must be quick, starting again must not: one operator of the provider, of the consumer or of the agency that
//! runs the broker suspends at once; another person lifts it. What the provider has stopped, the consumer cannot lift.
//! Each command that uses the agreement checks it when it is decided, so a suspension cuts streams and jobs that run.
//! Ending is final; whoever needs the data again proposes anew, and three people look at it again.

use jiff::civil::Date;
use renkei_types::{AgreementId, Identity, Reason};

use crate::agreement::{Agreement, AgreementState, mark};
use crate::command::{Command, Decision, Desk};
use crate::permit::{Operate, Permit};
use crate::refusal::Refusal;
use crate::state::State;

/// Whose operator somebody is, seen from an agreement.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Side {
    provider: bool,
    consumer: bool,
    broker: bool,
}

/// The agreement, and on which side the caller stands; refused where on none.
pub(crate) fn of_caller<'a>(
    state: &'a State,
    id: &AgreementId,
    caller: &Identity,
) -> Result<(&'a Agreement, Side), Refusal> {
    let agreement = state.agreements.get(id).ok_or(Reason::NoAgreement)?;
    let dataset = state.datasets.get(&agreement.terms.dataset).ok_or(Reason::NoAgreement)?;
    let agency = caller.agency();
    let side = Side {
        provider: dataset.provider == *agency,
        consumer: agreement.terms.consumer == *agency,
        broker: state.runs_the_broker(agency),
    };
    if side.provider || side.consumer || side.broker {
        Ok((agreement, side))
    } else {
        Err(Reason::NoAgreement.into())
    }
}

/// Stops an agreement at once.
#[derive(Debug)]
pub struct SuspendAgreement {
    /// That the caller may.
    pub permit: Permit<Operate>,
    /// The agreement.
    pub agreement: AgreementId,
}

impl Command for SuspendAgreement {
    type Reply = ();
    const METHOD: &'static str = "SuspendAgreement";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        let caller = self.permit.caller().identity.clone();
        let (agreement, _) = of_caller(desk.state, &self.agreement, &caller)?;
        if agreement.state != AgreementState::Active {
            return Err(Reason::WrongState.into());
        }
        let digest = agreement.digest;
        desk.state.agreements.change(&self.agreement, |agreement| {
            agreement.state = AgreementState::Suspended;
            agreement.suspended_by = Some(caller);
        });
        Ok(Decision::new((), mark(self.agreement, digest)))
    }
}

/// Lifts a suspension.
#[derive(Debug)]
pub struct ResumeAgreement {
    /// That the caller may.
    pub permit: Permit<Operate>,
    /// The agreement.
    pub agreement: AgreementId,
}

impl Command for ResumeAgreement {
    type Reply = ();
    const METHOD: &'static str = "ResumeAgreement";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        let caller = &self.permit.caller().identity;
        let (agreement, side) = of_caller(desk.state, &self.agreement, caller)?;
        let suspended_by = agreement.suspended_by.as_ref().ok_or(Reason::WrongState)?;
        if agreement.state != AgreementState::Suspended || agreement.terms.valid_until < desk.today
        {
            return Err(Reason::WrongState.into());
        }
        if suspended_by == caller {
            return Err(Reason::SamePerson.into());
        }
        // Whoever only receives the data lifts no more than what its own agency has stopped.
        if !side.provider && !side.broker && suspended_by.agency() != caller.agency() {
            return Err(Reason::NoAgreement.into());
        }
        let digest = agreement.digest;
        desk.state.agreements.change(&self.agreement, |agreement| {
            agreement.state = AgreementState::Active;
            agreement.suspended_by = None;
        });
        Ok(Decision::new((), mark(self.agreement, digest)))
    }
}

/// Ends an agreement for good, or withdraws a proposal.
#[derive(Debug)]
pub struct EndAgreement {
    /// That the caller may.
    pub permit: Permit<Operate>,
    /// The agreement.
    pub agreement: AgreementId,
}

impl Command for EndAgreement {
    /// The day by which what was received under it must be destroyed.
    type Reply = Date;
    const METHOD: &'static str = "EndAgreement";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<Date>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        let caller = self.permit.caller().identity.clone();
        let (agreement, _) = of_caller(desk.state, &self.agreement, &caller)?;
        if agreement.state == AgreementState::Ended {
            return Err(Reason::WrongState.into());
        }
        let digest = agreement.digest;
        let today = desk.today;
        desk.state.agreements.change(&self.agreement, |agreement| {
            agreement.state = AgreementState::Ended;
            agreement.ended = Some((caller, today));
        });
        let ended = desk.state.agreements.get(&self.agreement).ok_or(Reason::Internal)?;
        Ok(Decision::new(ended.destroy_by(), mark(self.agreement, digest)))
    }
}

impl Agreement {
    /// The last day on which it was or will be in force.
    pub fn last_day(&self) -> Date {
        let until = self.terms.valid_until;
        self.ended.as_ref().map_or(until, |(_, day)| until.min(*day))
    }

    /// The day by which everything that was received under it must be destroyed.
    pub fn destroy_by(&self) -> Date {
        self.retained_until(self.last_day())
    }

    /// The day by which what was received on this day must be destroyed.
    pub(crate) fn retained_until(&self, received: Date) -> Date {
        let days = jiff::Span::new().days(i64::from(self.terms.retention_days).min(3_000_000));
        received.checked_add(days).unwrap_or(Date::MAX)
    }
}
