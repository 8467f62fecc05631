//! Enrolment: how a system or a person comes by a certificate, and by the next one.
//!
//! ```text
//! Invite (operator) --> invited --Join, with the token--> waiting --GrantCertificate (another operator)--> granted
//!                       RequestCertificate (the owner) -----^                                                  |
//!                                                           the owner asks again and is given the certificate <+
//! ```
//! The broker signs nothing: whoever could make it sign could be anybody. It carries a request out to whoever has the
//! authority's key, and takes back only the certificate that the request asked for. Inviting and granting take two people,
//! or one operator could invite a certifier who does not exist and be both signatures.
//!
//! Invariant: a token is never known here before it is used, only its digest; it is good for one identity and one key, and
//! an identity has one enrolment at most. Whether a certificate is good is left to the caller, who knows the authorities.

use jiff::Timestamp;
use renkei_tlog::leaf::Operation;
use renkei_types::{Digest, Identity, Reason};
use serde::{Deserialize, Serialize};

use crate::command::{Command, Decision, Desk};
use crate::mark::Mark;
use crate::permit::{KeepCertificate, Operate, Permit};
use crate::refusal::Refusal;
use crate::state::State;

/// The most days for which an invitation holds.
pub const INVITATION_DAYS_MAX: u32 = 30;

/// The days for which a request of an owner waits to be granted, and a granted certificate to be fetched.
pub const REQUEST_DAYS: u32 = 30;

/// The longest request or certificate, in PEM form: an entry of the state has its bounds.
pub const PEM_BYTES_MAX: usize = 6 * 1024;

/// A request for a certificate, its signature checked.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Requested {
    /// The request in PEM form.
    pub pem: String,
    /// SHA-256 of the public key.
    pub key: Digest,
}

/// How far an enrolment is.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Stage {
    /// Nothing was handed in yet.
    Invited,
    /// A request waits.
    Waiting(Requested),
    /// The certificate is there, in PEM form.
    Granted(Requested, String),
}

/// An invitation, or a request.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Enrolment {
    /// The operator who invited; nobody where the owner asks for a further certificate.
    pub invited_by: Option<Identity>,
    /// SHA-256 of the one-time token.
    token: Option<Digest>,
    /// The last moment at which it is worth anything.
    pub until: Timestamp,
    /// How far it is.
    pub stage: Stage,
}

impl Enrolment {
    /// Whether a request for this key may use it: the first one may, then that one alone.
    pub fn accepts(&self, key: Digest) -> Result<(), Refusal> {
        match self.requested() {
            Some(known) if known.key != key => Err(Reason::InvitationRefused.into()),
            Some(_) | None => Ok(()),
        }
    }

    /// The request, once there is one.
    pub fn requested(&self) -> Option<&Requested> {
        match &self.stage {
            Stage::Invited => None,
            Stage::Waiting(requested) | Stage::Granted(requested, _) => Some(requested),
        }
    }
}

impl State {
    /// The enrolment of an identity, unless it has ended.
    pub fn enrolment(&self, identity: &Identity, now: Timestamp) -> Option<&Enrolment> {
        self.enrolments.get(identity).filter(|enrolment| now <= enrolment.until)
    }

    /// Every enrolment that has not ended, in the order of identities.
    pub fn open_enrolments(&self, now: Timestamp) -> impl Iterator<Item = (&Identity, &Enrolment)> {
        self.enrolments.iter().filter(move |(_, enrolment)| now <= enrolment.until)
    }

    /// Whom a token invites. One that is unknown and one that is over are refused alike.
    pub fn invited(
        &self,
        token: Digest,
        now: Timestamp,
    ) -> Result<(&Identity, &Enrolment), Refusal> {
        let mut invited = self.open_enrolments(now);
        let found = invited.find(|(_, enrolment)| enrolment.token == Some(token));
        found.ok_or(Reason::InvitationRefused.into())
    }

    /// Refuses those who are not in the directory or shut out of it.
    fn registered(&self, identity: &Identity) -> Result<(), Refusal> {
        let party = self.parties.get(identity).ok_or(Refusal::field("identity"))?;
        if party.revoked { Err(Reason::PartyRevoked.into()) } else { Ok(()) }
    }
}

fn mark(identity: &Identity) -> Mark {
    Mark::ok(Operation::CertChange).about_party(identity)
}

fn after_days(now: Timestamp, days: u32) -> Result<Timestamp, Refusal> {
    let hours = jiff::SignedDuration::from_hours(24 * i64::from(days));
    now.checked_add(hours).map_err(|_| Refusal::field("days"))
}

/// Invites a party to ask for a certificate.
#[derive(Debug)]
pub struct Invite {
    /// That the caller may.
    pub permit: Permit<Operate>,
    /// Who is invited.
    pub identity: Identity,
    /// SHA-256 of the one-time token.
    pub token: Digest,
    /// For how many days.
    pub days: u32,
}

impl Command for Invite {
    /// When the invitation ends.
    type Reply = Timestamp;
    const METHOD: &'static str = "Invite";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<Timestamp>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        desk.state.registered(&self.identity)?;
        if !(1..=INVITATION_DAYS_MAX).contains(&self.days) {
            return Err(Refusal::field("days"));
        }
        let taken = |(who, known): (&Identity, &Enrolment)| {
            *who != self.identity && known.token == Some(self.token)
        };
        if desk.state.enrolments.iter().any(taken) {
            // Chance does not do this; a token that is used again would mean two people.
            return Err(Refusal::field("token_sha256"));
        }
        let until = after_days(desk.now, self.days)?;
        let invited_by = Some(self.permit.caller().identity.clone());
        let enrolment =
            Enrolment { invited_by, token: Some(self.token), until, stage: Stage::Invited };
        desk.state.enrolments.put(self.identity.clone(), enrolment);
        Ok(Decision::new(until, mark(&self.identity)))
    }
}

/// Binds a token to the key of a request. The token is the permit.
#[derive(Debug)]
pub struct Join {
    /// SHA-256 of the token that was presented.
    pub token: Digest,
    /// The request.
    pub request: Requested,
}

impl Command for Join {
    type Reply = ();
    const METHOD: &'static str = "Join";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        desk.witnessed.check_change()?;
        let (identity, enrolment) = desk.state.invited(self.token, desk.now)?;
        enrolment.accepts(self.request.key)?;
        let identity = identity.clone();
        if enrolment.requested().is_some() {
            return Ok(Decision::nothing(()));
        }
        desk.state.registered(&identity)?;
        let stage = Stage::Waiting(self.request.clone());
        desk.state.enrolments.change(&identity, |enrolment| enrolment.stage = stage);
        Ok(Decision::new((), mark(&identity)))
    }
}

/// Asks for a further certificate of one's own.
#[derive(Debug)]
pub struct RequestCertificate {
    /// That the caller may.
    pub permit: Permit<KeepCertificate>,
    /// The request.
    pub request: Requested,
}

impl Command for RequestCertificate {
    /// When the request ends.
    type Reply = Timestamp;
    const METHOD: &'static str = "RequestCertificate";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<Timestamp>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        let identity = &self.permit.caller().identity;
        let until = after_days(desk.now, REQUEST_DAYS)?;
        let stage = Stage::Waiting(self.request.clone());
        let enrolment = Enrolment { invited_by: None, token: None, until, stage };
        desk.state.enrolments.put(identity.clone(), enrolment);
        Ok(Decision::new(until, mark(identity)))
    }
}

/// Brings the certificate for a request.
#[derive(Debug)]
pub struct GrantCertificate {
    /// That the caller may.
    pub permit: Permit<Operate>,
    /// Whose request is granted.
    pub identity: Identity,
    /// The certificate in PEM form, of this identity and an authority that the broker trusts.
    pub certificate_pem: String,
    /// SHA-256 of the public key that it certifies.
    pub key: Digest,
}

impl Command for GrantCertificate {
    type Reply = ();
    const METHOD: &'static str = "GrantCertificate";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        desk.state.registered(&self.identity)?;
        let enrolment = desk.state.enrolment(&self.identity, desk.now).ok_or(Reason::WrongState)?;
        let Stage::Waiting(requested) = &enrolment.stage else {
            return Err(Reason::WrongState.into());
        };
        let caller = &self.permit.caller().identity;
        if enrolment.invited_by.as_ref().unwrap_or(&self.identity) == caller {
            return Err(Reason::SamePerson.into());
        }
        if requested.key != self.key || self.certificate_pem.len() > PEM_BYTES_MAX {
            return Err(Refusal::field("certificate_pem"));
        }
        let stage = Stage::Granted(requested.clone(), self.certificate_pem.clone());
        desk.state.enrolments.change(&self.identity, |enrolment| enrolment.stage = stage);
        Ok(Decision::new((), mark(&self.identity)))
    }
}

/// Ends an invitation or a request.
#[derive(Debug)]
pub struct EndEnrolment {
    /// That the caller may.
    pub permit: Permit<Operate>,
    /// Whose.
    pub identity: Identity,
}

impl Command for EndEnrolment {
    type Reply = ();
    const METHOD: &'static str = "EndEnrolment";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        if !desk.state.enrolments.contains(&self.identity) {
            return Err(Reason::WrongState.into());
        }
        desk.state.enrolments.remove(&self.identity);
        Ok(Decision::new((), mark(&self.identity)))
    }
}
