//! Agreements: who may use whose data, for what, which fields, how long and how much.

use std::collections::BTreeSet;

use jiff::civil::Date;
use renkei_tlog::leaf::{Disclosure, Operation, holds_personal_number};
pub use renkei_types::LegalBasis;
use renkei_types::{
    AgencyId, AgreementId, DatasetId, Digest, DigestBuilder, Identity, Reason, Slug,
};
use serde::{Deserialize, Serialize};

use crate::caller::Caller;
use crate::command::{Command, Decision, Desk};
use crate::mark::Mark;
use crate::permit::{Operate, Permit, Right};
use crate::refusal::Refusal;
use crate::role;
use crate::state::State;
use crate::suspension::of_caller;

/// What was agreed.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Terms {
    /// Who may use the dataset.
    pub consumer: AgencyId,
    /// The dataset.
    pub dataset: DatasetId,
    /// The law it rests on.
    pub basis: LegalBasis,
    /// Code of the purpose (事務).
    pub purpose: Slug,
    /// The fields that may be shown.
    pub fields: BTreeSet<String>,
    /// What is allowed.
    pub operations: BTreeSet<role::Operation>,
    /// First day.
    pub valid_from: Date,
    /// Last day.
    pub valid_until: Date,
    /// Most records that may be shown to people or sent in answers on one day.
    pub daily_records_max: u64,
    /// Days after which what was received must be destroyed.
    pub retention_days: u32,
    /// Whether persons are told that their data was used under it.
    #[serde(default, skip_serializing_if = "Telling::is_at_once")]
    pub told: Telling,
}

/// Whether persons who ask are told of what was done with their data under an agreement.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub enum Telling {
    /// As soon as they ask.
    #[default]
    AtOnce,
    /// From this day on.
    From(Date),
    /// Never: what the law keeps from them (番号法23条2項), an investigation.
    Never,
}

impl Telling {
    fn is_at_once(&self) -> bool {
        *self == Self::AtOnce
    }

    /// Whether they are told today.
    pub fn allows(self, today: Date) -> bool {
        match self {
            Self::AtOnce => true,
            Self::From(day) => day <= today,
            Self::Never => false,
        }
    }

    /// As leaves say it; a leaf that says nothing is shown.
    pub(crate) fn in_leaf(self) -> Option<Disclosure> {
        match self {
            Self::AtOnce => None,
            Self::From(_) => Some(Disclosure::ShowLater),
            Self::Never => Some(Disclosure::Withhold),
        }
    }
}

/// Where an agreement stands.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum AgreementState {
    /// Waits for the provider.
    Proposed,
    /// Waits for another operator.
    Approved,
    /// In force between its dates.
    Active,
    /// Stopped by one person until another lifts the stop. See [`crate::suspension`].
    Suspended,
    /// Over for good.
    Ended,
}

/// An agreement.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Agreement {
    /// What was agreed.
    pub terms: Terms,
    /// Digest of the terms.
    pub digest: Digest,
    /// Where it stands.
    pub state: AgreementState,
    /// Who proposed it.
    pub proposed_by: Identity,
    /// Who approved it for the provider.
    pub approved_by: Option<Identity>,
    /// Who put it in force.
    pub activated_by: Option<Identity>,
    /// Who stopped it, where it is stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended_by: Option<Identity>,
    /// Who ended it, and on which day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<(Identity, Date)>,
}

/// How much of its daily volume an agreement has used.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Usage {
    /// The day.
    pub day: Date,
    /// Records so far.
    pub records: u64,
}

impl Agreement {
    /// Whether the caller may use the dataset for `R` on this day.
    pub(crate) fn allows<R: Right>(
        &self,
        caller: &Caller,
        dataset: DatasetId,
        today: Date,
    ) -> bool {
        self.terms.consumer == *caller.identity.agency()
            && R::OPERATIONS.iter().any(|&operation| self.is_in_force(dataset, operation, today))
    }

    /// Whether the dataset may be used for this on this day.
    pub(crate) fn is_in_force(
        &self,
        dataset: DatasetId,
        operation: role::Operation,
        today: Date,
    ) -> bool {
        self.state == AgreementState::Active
            && self.terms.dataset == dataset
            && self.terms.operations.contains(&operation)
            && (self.terms.valid_from..=self.terms.valid_until).contains(&today)
    }
}

/// The last day of the fiscal year (年度) in which a day lies: the 31st of March that follows.
///
/// It is when an agreement ends that names no last day: rights are given for a year's budget, and nobody remembers to
/// take back those that were given for ever.
pub fn fiscal_year_end(day: Date) -> Date {
    let year = if day.month() <= 3 { day.year() } else { day.year().saturating_add(1) };
    Date::new(year, 3, 31).unwrap_or(Date::MAX)
}

/// Counts records against the agreement's daily volume; refused where it is used up.
pub(crate) fn use_volume<R: Right>(
    desk: &mut Desk<'_>,
    permit: &Permit<R>,
    records: u64,
) -> Result<(), Refusal> {
    let Some((id, _)) = permit.agreement() else { return Ok(()) };
    let agreement = desk.state.agreements.get(&id).ok_or(Reason::NoAgreement)?;
    let used = desk.state.usage.get(&id).filter(|usage| usage.day == desk.today);
    let records = used.map_or(0, |usage| usage.records).saturating_add(records);
    if records > agreement.terms.daily_records_max {
        return Err(Reason::DailyLimit.into());
    }
    desk.state.usage.put(id, Usage { day: desk.today, records });
    Ok(())
}

/// Drafts an agreement.
#[derive(Debug)]
pub struct ProposeAgreement {
    /// That the caller may.
    pub permit: Permit<Operate>,
    /// What shall be agreed.
    pub terms: Terms,
}

impl Command for ProposeAgreement {
    type Reply = AgreementId;
    const METHOD: &'static str = "ProposeAgreement";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<AgreementId>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        self.terms.check(desk.state, desk.today)?;
        let id = desk.new_agreement();
        let digest = self.terms.digest().map_err(|error| Refusal::internal(&error))?;
        let agreement = Agreement {
            terms: self.terms.clone(),
            digest,
            state: AgreementState::Proposed,
            proposed_by: self.permit.caller().identity.clone(),
            approved_by: None,
            activated_by: None,
            suspended_by: None,
            ended: None,
        };
        desk.state.agreements.put(id, agreement);
        Ok(Decision::new(id, mark(id, digest)))
    }
}

pub(crate) fn mark(id: AgreementId, digest: Digest) -> Mark {
    Mark::ok(Operation::AgreementChange).with_agreement(id, digest)
}

impl Terms {
    fn check(&self, state: &State, today: Date) -> Result<(), Refusal> {
        let dataset =
            state.datasets.get(&self.dataset).ok_or(Refusal::field("terms.dataset_id"))?;
        if !state.agencies.contains(&self.consumer) {
            return Err(Refusal::field("terms.consumer"));
        }
        if !self.fields.is_subset(&dataset.fields) {
            return Err(Refusal::field("terms.fields"));
        }
        let same_municipality = self.consumer.municipality() == dataset.provider.municipality();
        if self.basis.is_within_municipality() && !same_municipality {
            return Err(Refusal::field("terms.legal_basis"));
        }
        // It stands in the log, which takes no number that could be a person's.
        if holds_personal_number(self.purpose.as_str()) {
            return Err(Refusal::field("terms.purpose"));
        }
        if self.operations.is_empty() {
            return Err(Refusal::field("terms.operations"));
        }
        if self.valid_from > self.valid_until || self.valid_until < today {
            return Err(Refusal::field("terms.valid_until"));
        }
        if self.daily_records_max == 0 {
            return Err(Refusal::field("terms.daily_records_max"));
        }
        if self.retention_days == 0 {
            return Err(Refusal::field("terms.retention_days"));
        }
        Ok(())
    }

    fn digest(&self) -> Result<Digest, serde_json::Error> {
        let mut digest = DigestBuilder::new();
        digest.field(b"renkei agreement").field(&serde_json::to_vec(self)?);
        Ok(digest.finish())
    }
}

/// The provider agrees.
#[derive(Debug)]
pub struct ApproveAgreement {
    /// That the caller may.
    pub permit: Permit<Operate>,
    /// The agreement.
    pub agreement: AgreementId,
}

impl Command for ApproveAgreement {
    type Reply = ();
    const METHOD: &'static str = "ApproveAgreement";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        let agreement = desk.state.agreements.get(&self.agreement).ok_or(Reason::NoAgreement)?;
        let dataset =
            desk.state.datasets.get(&agreement.terms.dataset).ok_or(Reason::NoAgreement)?;
        let caller = &self.permit.caller().identity;
        if dataset.provider != *caller.agency() {
            return Err(Reason::NoAgreement.into());
        }
        if agreement.state != AgreementState::Proposed {
            return Err(Reason::WrongState.into());
        }
        let digest = agreement.digest;
        desk.state.agreements.change(&self.agreement, |agreement| {
            agreement.state = AgreementState::Approved;
            agreement.approved_by = Some(caller.clone());
        });
        Ok(Decision::new((), mark(self.agreement, digest)))
    }
}

/// Puts an approved agreement in force.
#[derive(Debug)]
pub struct ActivateAgreement {
    /// That the caller may.
    pub permit: Permit<Operate>,
    /// The agreement.
    pub agreement: AgreementId,
}

impl Command for ActivateAgreement {
    type Reply = ();
    const METHOD: &'static str = "ActivateAgreement";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        let caller = &self.permit.caller().identity;
        let (agreement, _) = of_caller(desk.state, &self.agreement, caller)?;
        if agreement.state != AgreementState::Approved {
            return Err(Reason::WrongState.into());
        }
        if agreement.proposed_by == *caller {
            return Err(Reason::SamePerson.into());
        }
        // A feed has one cursor, so it has one receiver. One that is suspended may come back.
        let rival = |other: &Agreement| {
            matches!(other.state, AgreementState::Active | AgreementState::Suspended)
                && other.terms.dataset == agreement.terms.dataset
                && other.terms.consumer != agreement.terms.consumer
                && other.terms.operations.contains(&role::Operation::Deliver)
                && other.terms.valid_until >= agreement.terms.valid_from
        };
        if agreement.terms.operations.contains(&role::Operation::Deliver)
            && desk.state.agreements.iter().any(|(_, other)| rival(other))
        {
            return Err(Refusal::new(Reason::AlreadyExists).in_field("terms.operations"));
        }
        let digest = agreement.digest;
        desk.state.agreements.change(&self.agreement, |agreement| {
            agreement.state = AgreementState::Active;
            agreement.activated_by = Some(caller.clone());
        });
        Ok(Decision::new((), mark(self.agreement, digest)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fiscal_year_ends_on_the_31st_of_march_that_follows() {
        for (day, end) in [
            ("2026-04-01", "2027-03-31"),
            ("2026-12-31", "2027-03-31"),
            ("2027-01-01", "2027-03-31"),
            ("2027-03-31", "2027-03-31"),
            ("9999-12-31", "9999-12-31"),
        ] {
            let day: Date = day.parse().expect("a day");
            assert_eq!(fiscal_year_end(day).to_string(), end);
        }
    }
}
