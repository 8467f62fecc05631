//! Agencies, parties with their roles, and datasets.

use std::collections::BTreeSet;

use renkei_tlog::leaf::Operation;
use renkei_types::{AgencyId, DatasetId, Identity, ProgrammeId, Reason, Slug, SnapshotId};
use serde::{Deserialize, Serialize};

use crate::command::{Command, Decision, Desk};
use crate::mark::Mark;
use crate::permit::{Operate, Permit};
use crate::refusal::Refusal;
use crate::role::Role;

/// Longest title of anything, in letters.
pub const TITLE_LETTERS_MAX: usize = 100;

/// A legal body.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Agency {
    /// Its name for people.
    pub title: String,
}

/// A system or a person.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Party {
    /// What it may be asked to do.
    pub roles: BTreeSet<Role>,
    /// Whether it is shut out.
    pub revoked: bool,
}

/// What is published under agreements.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Dataset {
    /// Who provides it.
    pub provider: AgencyId,
    /// Its short name.
    pub name: Slug,
    /// Its name for people.
    pub title: String,
    /// The fields it may have.
    pub fields: BTreeSet<String>,
    /// What it is.
    pub content: Content,
    /// Number of the last delta that was applied; deltas are counted from 1, across snapshots.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub deltas: u64,
    /// Whether its provider has withdrawn it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub withdrawn: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What a dataset is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Content {
    /// Says who exists. The snapshot in use is nothing before the first upload.
    Register(Option<SnapshotId>),
    /// What a programme delivers.
    Deliveries(ProgrammeId),
}

/// A title that can be shown: not empty, not too long, without control characters.
pub(crate) fn title(text: &str, field: &'static str) -> Result<String, Refusal> {
    let text = text.trim();
    let length = text.chars().count();
    if length == 0 || length > TITLE_LETTERS_MAX || text.chars().any(char::is_control) {
        return Err(Refusal::field(field));
    }
    Ok(text.to_owned())
}

/// Registers an agency.
#[derive(Debug)]
pub struct AddAgency {
    /// That the caller may.
    pub permit: Permit<Operate>,
    /// The agency.
    pub agency: AgencyId,
    /// Its name for people.
    pub title: String,
}

impl Command for AddAgency {
    type Reply = ();
    const METHOD: &'static str = "AddAgency";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        let title = title(&self.title, "agency.title")?;
        if desk.state.agencies.contains(&self.agency) {
            return Err(Reason::AlreadyExists.into());
        }
        desk.state.agencies.put(self.agency.clone(), Agency { title });
        Ok(Decision::new((), Mark::ok(Operation::AdminAction).about_agency(&self.agency)))
    }
}

/// Registers a party.
#[derive(Debug)]
pub struct AddParty {
    /// That the caller may.
    pub permit: Permit<Operate>,
    /// Who.
    pub identity: Identity,
    /// What it may be asked to do.
    pub roles: BTreeSet<Role>,
}

impl Command for AddParty {
    type Reply = ();
    const METHOD: &'static str = "AddParty";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        if self.roles.is_empty() {
            return Err(Refusal::field("roles"));
        }
        if !desk.state.agencies.contains(self.identity.agency()) {
            return Err(Refusal::field("identity"));
        }
        if desk.state.parties.contains(&self.identity) {
            return Err(Reason::AlreadyExists.into());
        }
        let party = Party { roles: self.roles.clone(), revoked: false };
        desk.state.parties.put(self.identity.clone(), party);
        Ok(Decision::new((), Mark::ok(Operation::AdminAction).about_party(&self.identity)))
    }
}

/// What is changed about a party.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PartyChange {
    /// Gives a role.
    Grant(Role),
    /// Takes a role away.
    Withdraw(Role),
    /// Shuts it out.
    ShutOut,
}

/// Changes a party.
#[derive(Debug)]
pub struct ChangeParty {
    /// That the caller may.
    pub permit: Permit<Operate>,
    /// Who.
    pub identity: Identity,
    /// What.
    pub change: PartyChange,
}

impl Command for ChangeParty {
    type Reply = ();
    const METHOD: &'static str = "ChangeParty";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        let party = desk.state.parties.get(&self.identity).ok_or(Refusal::field("identity"))?;
        let mut party = party.clone();
        let changed = match self.change {
            PartyChange::Grant(role) => party.roles.insert(role),
            PartyChange::Withdraw(role) => party.roles.remove(&role),
            PartyChange::ShutOut => !std::mem::replace(&mut party.revoked, true),
        };
        if !changed {
            return Err(Reason::WrongState.into());
        }
        if party.revoked {
            // Whoever is shut out is not let in again by an invitation that lies about.
            desk.state.enrolments.remove(&self.identity);
        }
        desk.state.parties.put(self.identity.clone(), party);
        if !desk.state.parties.iter().any(|(_, party)| is_operator(party)) {
            // Without an operator nobody could ever appoint one.
            return Err(Reason::WrongState.into());
        }
        Ok(Decision::new((), Mark::ok(Operation::AdminAction).about_party(&self.identity)))
    }
}

fn is_operator(party: &Party) -> bool {
    !party.revoked && party.roles.contains(&Role::Operator)
}

/// Announces a register.
#[derive(Debug)]
pub struct CreateDataset {
    /// That the caller may.
    pub permit: Permit<Operate>,
    /// Who will provide it.
    pub provider: AgencyId,
    /// Its short name.
    pub name: Slug,
    /// Its name for people.
    pub title: String,
    /// The fields it may have.
    pub fields: BTreeSet<String>,
}

impl Command for CreateDataset {
    type Reply = DatasetId;
    const METHOD: &'static str = "CreateDataset";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<DatasetId>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        let title = title(&self.title, "title")?;
        if !desk.state.agencies.contains(&self.provider) {
            return Err(Refusal::field("provider"));
        }
        let known = |field: &String| crate::rows::REGISTER_FIELDS.contains(&field.as_str());
        if self.fields.is_empty() || !self.fields.iter().all(known) {
            return Err(Refusal::field("fields"));
        }
        let taken =
            |dataset: &Dataset| dataset.provider == self.provider && dataset.name == self.name;
        if desk.state.datasets.iter().any(|(_, dataset)| taken(dataset)) {
            return Err(Reason::AlreadyExists.into());
        }
        let id = desk.new_dataset();
        let dataset = Dataset {
            provider: self.provider.clone(),
            name: self.name.clone(),
            title,
            fields: self.fields.clone(),
            content: Content::Register(None),
            deltas: 0,
            withdrawn: false,
        };
        desk.state.datasets.put(id, dataset);
        Ok(Decision::new(id, Mark::ok(Operation::AdminAction).of_dataset(id)))
    }
}
