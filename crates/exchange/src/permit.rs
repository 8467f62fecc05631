//! Permits: proof that somebody may do something, as a value that commands ask for.
//!
//! A handler cannot reach a command without a [`Permit`], and only the state makes one. It is checked again when the
//! command is decided, so that an agreement which ended in between wins. What is unknown and what is not permitted are
//! refused alike.

use std::marker::PhantomData;

use jiff::civil::Date;
use renkei_types::{AgencyId, AgreementId, DatasetId, Digest, LegalBasis, Reason, Slug};

use crate::agreement::{Agreement, Telling};
use crate::caller::Caller;
use crate::refusal::Refusal;
use crate::role::{Operation, Role};
use crate::state::State;

/// A kind of doing: who may do it, and what an agreement must allow for it.
pub trait Right: Send + Sync + 'static {
    /// One of these roles is needed.
    const ROLES: &'static [Role];
    /// The agreement must allow one of these, where one is needed.
    const OPERATIONS: &'static [Operation];
}

macro_rules! rights {
    ($($(#[$doc:meta])* $name:ident: [$($role:ident),+] $(under $($operation:ident)|+)?;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub enum $name {}

        impl Right for $name {
            const ROLES: &'static [Role] = &[$(Role::$role),+];
            const OPERATIONS: &'static [Operation] = &[$($(Operation::$operation),+)?];
        }
    )+};
}

rights! {
    /// Keeping the directory and the programmes.
    Operate: [Operator];
    /// Reading the directory.
    ReadDirectory: [Operator, Auditor];
    /// Uploading and sealing files of one's own agency.
    Submit: [Submitter];
    /// Linking a list of one's own agency to a register.
    Link: [Submitter] under Link;
    /// Taking models into use for a register of one's own agency.
    Promote: [Operator];
    /// Asking about one person.
    AskIdentity: [Consumer] under Identify;
    /// Deciding doubtful lines of one's own agency.
    DecideLines: [Clerk] under Review;
    /// Seeing a programme of one's own agency.
    SeeProgramme: [Submitter, Certifier, Operator];
    /// Certifying batches of one's own agency.
    Certify: [Certifier];
    /// Stopping releases of one's own agency.
    StopReleases: [Certifier, Operator, Protector];
    /// Taking payees of one's own agency off the exclusions again.
    Readmit: [Certifier, Operator];
    /// Naming persons who fled and apply by themselves to a programme of one's own agency.
    SeparateProtected: [Protector];
    /// Saying who is counted to another household than the register does: submitters, or protectors of those who fled.
    Divide: [Submitter, Protector];
    /// Seeing how the protection of persons in a register of one's own agency stands, without their names.
    SeeProtection: [Submitter, Operator, Protector];
    /// Seeing and clearing the lines of one's own agency that are held back to protect somebody.
    SeeProtected: [Protector] under Review;
    /// Seeing how lines and yen of one's own agency add up.
    SeeTotals: [Submitter, Certifier, Operator];
    /// Receiving what a programme pays.
    Receive: [Consumer] under Deliver;
    /// Receiving who was in a register on a day.
    ReadState: [Submitter, Consumer] under Extract;
    /// Having last year's link codes translated.
    TranslateCodes: [Submitter, Consumer] under Link | Identify | Deliver | Extract;
    /// Renewing one's own certificate.
    KeepCertificate: [
        Submitter, Clerk, Reviewer, Adjudicator, Certifier, Operator, Auditor, Consumer, Protector,
        Discloser
    ];
    /// Reading the log.
    ReadLog: [Auditor];
    /// Telling persons what was done with their data in a register of one's own agency.
    TellSubject: [Discloser];
    /// Telling what was held back of such an answer.
    ReleaseSubject: [Protector];
    /// Seeing how far the log is signed, and carrying checkpoints to witnesses and back.
    SeeCheckpoints: [Operator, Auditor];
    /// Having a receipt of one's own proven.
    ProveReceipt: [
        Submitter, Clerk, Reviewer, Adjudicator, Certifier, Operator, Auditor, Consumer, Protector,
        Discloser
    ];
}

/// That the caller may do `R`.
#[derive(Clone, Debug)]
pub struct Permit<R> {
    caller: Caller,
    /// The agency whose thing it is, where it must be the caller's own.
    own: Option<AgencyId>,
    agreement: Option<Grant>,
    right: PhantomData<R>,
}

/// The agreement that a permit rests on.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(crate) id: AgreementId,
    pub(crate) digest: Digest,
    pub(crate) purpose: Slug,
    pub(crate) basis: LegalBasis,
    pub(crate) told: Telling,
    dataset: DatasetId,
    fields: Vec<String>,
}

impl<R: Right> Permit<R> {
    /// Who may.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The agreement and the digest of its terms, where the right rests on one.
    pub fn agreement(&self) -> Option<(AgreementId, Digest)> {
        self.agreement.as_ref().map(|grant| (grant.id, grant.digest))
    }

    /// The purpose of the agreement.
    pub fn purpose(&self) -> Option<&Slug> {
        self.agreement.as_ref().map(|grant| &grant.purpose)
    }

    /// The law that the agreement rests on.
    pub fn basis(&self) -> Option<LegalBasis> {
        self.agreement.as_ref().map(|grant| grant.basis)
    }

    /// Whether persons are told of what is done under the agreement; without one, they are.
    pub(crate) fn telling(&self) -> Telling {
        self.agreement.as_ref().map_or(Telling::AtOnce, |grant| grant.told)
    }

    /// Whether a field of the dataset may be shown.
    pub fn allows_field(&self, field: &str) -> bool {
        self.agreement.as_ref().is_some_and(|grant| grant.fields.iter().any(|known| known == field))
    }

    /// Checks again, when a command is decided.
    pub(crate) fn check(&self, state: &State, today: Date) -> Result<(), Refusal> {
        state.role::<R>(&self.caller)?;
        if let Some(grant) = &self.agreement {
            let agreement = state.agreements.get(&grant.id).ok_or(Reason::NoAgreement)?;
            let same = agreement.digest == grant.digest;
            if !same || !agreement.allows::<R>(&self.caller, grant.dataset, today) {
                return Err(Reason::NoAgreement.into());
            }
            state.check_provided(grant.dataset)?;
        }
        Ok(())
    }
}

impl State {
    /// May the caller do this anywhere?
    pub fn permit<R: Right>(&self, caller: &Caller) -> Result<Permit<R>, Refusal> {
        self.role::<R>(caller)?;
        Ok(Permit { caller: caller.clone(), own: None, agreement: None, right: PhantomData })
    }

    /// May the caller do this to a thing of this agency? `owner` is nothing where there is no such thing.
    pub fn permit_own<R: Right>(
        &self,
        caller: &Caller,
        owner: Option<&AgencyId>,
    ) -> Result<Permit<R>, Refusal> {
        self.role::<R>(caller)?;
        let own = owner.filter(|owner| *owner == caller.identity.agency());
        let own = own.ok_or(Reason::NoAgreement)?.clone();
        Ok(Permit { caller: caller.clone(), own: Some(own), agreement: None, right: PhantomData })
    }

    /// May the caller use this dataset for this? A purpose that is given must be the agreement's.
    pub fn permit_dataset<R: Right>(
        &self,
        caller: &Caller,
        dataset: Option<DatasetId>,
        purpose: Option<&Slug>,
        today: Date,
    ) -> Result<Permit<R>, Refusal> {
        self.role::<R>(caller)?;
        let dataset = dataset.ok_or(Reason::NoAgreement)?;
        let fits = |agreement: &Agreement| {
            agreement.allows::<R>(caller, dataset, today)
                && purpose.is_none_or(|purpose| *purpose == agreement.terms.purpose)
        };
        // Ids sort by time: the newest that fits is what was agreed last.
        let (id, agreement) = self
            .agreements
            .iter()
            .filter(|(_, agreement)| fits(agreement))
            .last()
            .ok_or(Reason::NoAgreement)?;
        // Only to whom an agreement would let use it.
        self.check_provided(dataset)?;
        let grant = Grant {
            id: *id,
            digest: agreement.digest,
            purpose: agreement.terms.purpose.clone(),
            basis: agreement.terms.basis,
            told: agreement.terms.told,
            dataset,
            fields: agreement.terms.fields.iter().cloned().collect(),
        };
        let agreement = Some(grant);
        Ok(Permit { caller: caller.clone(), own: None, agreement, right: PhantomData })
    }

    /// The same for a thing of one's own agency that is set beside the dataset.
    pub fn permit_own_with_dataset<R: Right>(
        &self,
        caller: &Caller,
        owner: Option<&AgencyId>,
        dataset: Option<DatasetId>,
        today: Date,
    ) -> Result<Permit<R>, Refusal> {
        let own = self.permit_own::<R>(caller, owner)?.own;
        let permit = self.permit_dataset::<R>(caller, dataset, None, today)?;
        Ok(Permit { own, ..permit })
    }

    /// Refuses a register that its provider has withdrawn.
    pub(crate) fn check_provided(&self, dataset: DatasetId) -> Result<(), Refusal> {
        match self.datasets.get(&dataset) {
            Some(known) if known.withdrawn => Err(Reason::Withdrawn.into()),
            Some(_) | None => Ok(()),
        }
    }

    fn role<R: Right>(&self, caller: &Caller) -> Result<(), Refusal> {
        let party = self.parties.get(&caller.identity).ok_or(Reason::NotRegistered)?;
        if party.revoked {
            return Err(Reason::PartyRevoked.into());
        }
        if !R::ROLES.iter().any(|role| party.roles.contains(role)) {
            return Err(Reason::RoleMissing.into());
        }
        Ok(())
    }
}
