//! Directory messages.

use std::collections::BTreeSet;

use renkei_api::v1;
use renkei_exchange::agreement::{Agreement, AgreementState, Telling, Terms, fiscal_year_end};
use renkei_exchange::directory::{Content, Dataset, Party};
use renkei_exchange::snapshot::Snapshot;
use renkei_exchange::{Operation, Refusal, Role, State, united_roles};
use renkei_types::{AgreementId, DatasetId, Identity, IdentityKind};

use super::{bytes, date, parse};

pub(crate) fn role(code: i32, field: &'static str) -> Result<Role, Refusal> {
    match v1::Role::try_from(code) {
        Ok(v1::Role::Submitter) => Ok(Role::Submitter),
        Ok(v1::Role::Clerk) => Ok(Role::Clerk),
        Ok(v1::Role::Reviewer) => Ok(Role::Reviewer),
        Ok(v1::Role::Adjudicator) => Ok(Role::Adjudicator),
        Ok(v1::Role::Certifier) => Ok(Role::Certifier),
        Ok(v1::Role::Operator) => Ok(Role::Operator),
        Ok(v1::Role::Auditor) => Ok(Role::Auditor),
        Ok(v1::Role::Consumer) => Ok(Role::Consumer),
        Ok(v1::Role::Protector) => Ok(Role::Protector),
        Ok(v1::Role::Discloser) => Ok(Role::Discloser),
        Ok(v1::Role::Unspecified) | Err(_) => Err(Refusal::field(field)),
    }
}

fn role_message(role: Role) -> v1::Role {
    match role {
        Role::Submitter => v1::Role::Submitter,
        Role::Clerk => v1::Role::Clerk,
        Role::Reviewer => v1::Role::Reviewer,
        Role::Adjudicator => v1::Role::Adjudicator,
        Role::Certifier => v1::Role::Certifier,
        Role::Operator => v1::Role::Operator,
        Role::Auditor => v1::Role::Auditor,
        Role::Consumer => v1::Role::Consumer,
        Role::Protector => v1::Role::Protector,
        Role::Discloser => v1::Role::Discloser,
    }
}

fn operation(code: i32) -> Result<Operation, Refusal> {
    match v1::Operation::try_from(code) {
        Ok(v1::Operation::Link) => Ok(Operation::Link),
        Ok(v1::Operation::Identify) => Ok(Operation::Identify),
        Ok(v1::Operation::Review) => Ok(Operation::Review),
        Ok(v1::Operation::Deliver) => Ok(Operation::Deliver),
        Ok(v1::Operation::Extract) => Ok(Operation::Extract),
        Ok(v1::Operation::Unspecified) | Err(_) => Err(Refusal::field("terms.operations")),
    }
}

fn operation_message(operation: Operation) -> v1::Operation {
    match operation {
        Operation::Link => v1::Operation::Link,
        Operation::Identify => v1::Operation::Identify,
        Operation::Review => v1::Operation::Review,
        Operation::Deliver => v1::Operation::Deliver,
        Operation::Extract => v1::Operation::Extract,
    }
}

pub(crate) fn terms(message: Option<v1::AgreementTerms>) -> Result<Terms, Refusal> {
    let terms = message.ok_or(Refusal::field("terms"))?;
    let valid_from = date(&terms.valid_from, "terms.valid_from")?;
    let valid_until = match terms.valid_until.as_str() {
        "" => fiscal_year_end(valid_from),
        day => date(day, "terms.valid_until")?,
    };
    Ok(Terms {
        consumer: parse(&terms.consumer, "terms.consumer")?,
        dataset: parse(&terms.dataset_id, "terms.dataset_id")?,
        basis: parse(&terms.legal_basis, "terms.legal_basis")?,
        purpose: parse(&terms.purpose, "terms.purpose")?,
        fields: terms.fields.into_iter().collect(),
        operations: terms
            .operations
            .into_iter()
            .map(operation)
            .collect::<Result<BTreeSet<_>, _>>()?,
        valid_from,
        valid_until,
        daily_records_max: terms.daily_records_max,
        retention_days: terms.retention_days,
        told: match terms.told_from.as_str() {
            "" => Telling::AtOnce,
            NEVER => Telling::Never,
            day => Telling::From(date(day, "terms.told_from")?),
        },
    })
}

/// In the place of a day: not at all.
const NEVER: &str = "NEVER";

fn agreement(id: AgreementId, agreement: &Agreement) -> v1::Agreement {
    let terms = &agreement.terms;
    let named = |who: &Option<renkei_types::Identity>| {
        who.as_ref().map(ToString::to_string).unwrap_or_default()
    };
    let state = match agreement.state {
        AgreementState::Proposed => v1::AgreementState::Proposed,
        AgreementState::Approved => v1::AgreementState::Approved,
        AgreementState::Active => v1::AgreementState::Active,
        AgreementState::Suspended => v1::AgreementState::Suspended,
        AgreementState::Ended => v1::AgreementState::Ended,
    };
    v1::Agreement {
        agreement_id: id.to_string(),
        terms: Some(v1::AgreementTerms {
            consumer: terms.consumer.to_string(),
            dataset_id: terms.dataset.to_string(),
            legal_basis: terms.basis.as_str().to_owned(),
            purpose: terms.purpose.to_string(),
            fields: terms.fields.iter().cloned().collect(),
            operations: terms.operations.iter().map(|&one| operation_message(one).into()).collect(),
            valid_from: terms.valid_from.to_string(),
            valid_until: terms.valid_until.to_string(),
            daily_records_max: terms.daily_records_max,
            retention_days: terms.retention_days,
            told_from: match terms.told {
                Telling::AtOnce => String::new(),
                Telling::From(day) => day.to_string(),
                Telling::Never => NEVER.to_owned(),
            },
        }),
        state: state.into(),
        proposed_by: agreement.proposed_by.to_string(),
        approved_by: named(&agreement.approved_by),
        activated_by: named(&agreement.activated_by),
        digest: bytes(agreement.digest),
        suspended_by: named(&agreement.suspended_by),
        ended_by: agreement.ended.as_ref().map(|(who, _)| who.to_string()).unwrap_or_default(),
        ended_on: agreement.ended.as_ref().map(|(_, day)| day.to_string()).unwrap_or_default(),
        destroy_by: agreement.destroy_by().to_string(),
    }
}

fn dataset(state: &State, id: DatasetId, dataset: &Dataset) -> v1::Dataset {
    let snapshot = match dataset.content {
        Content::Register(snapshot) => snapshot,
        Content::Deliveries(_) => None,
    };
    let records = snapshot.and_then(|id| state.snapshots.get(&id)).map_or(0, Snapshot::records);
    v1::Dataset {
        dataset_id: id.to_string(),
        provider: dataset.provider.to_string(),
        name: dataset.name.to_string(),
        title: dataset.title.clone(),
        fields: dataset.fields.iter().cloned().collect(),
        snapshot_id: snapshot.map(|id| id.to_string()).unwrap_or_default(),
        records,
        deltas: dataset.deltas,
    }
}

/// Roles that one person should not hold together. Systems are no persons, and who is shut out holds none.
fn united(identity: &Identity, party: &Party) -> Vec<v1::RolePair> {
    if identity.kind() != IdentityKind::Person || party.revoked {
        return Vec::new();
    }
    let pair = |(one, other): (Role, Role)| v1::RolePair {
        one: role_message(one).into(),
        other: role_message(other).into(),
    };
    united_roles(&party.roles).into_iter().map(pair).collect()
}

/// The same of somebody who may be known.
pub(crate) fn united_by(state: &State, identity: &str) -> Vec<v1::RolePair> {
    let identity: Option<Identity> = identity.parse().ok();
    let known = identity
        .and_then(|identity| state.parties.get(&identity).map(|party| united(&identity, party)));
    known.unwrap_or_default()
}

pub(crate) fn directory(state: &State) -> v1::ShowResponse {
    let party = |(identity, party): (&Identity, &Party)| v1::Party {
        identity: identity.to_string(),
        roles: party.roles.iter().map(|&role| role_message(role).into()).collect(),
        revoked: party.revoked,
        united: united(identity, party),
    };
    v1::ShowResponse {
        agencies: state
            .agencies
            .iter()
            .map(|(id, agency)| v1::Agency { agency: id.to_string(), title: agency.title.clone() })
            .collect(),
        parties: state.parties.iter().map(party).collect(),
        datasets: state.datasets.iter().map(|(id, known)| dataset(state, *id, known)).collect(),
        agreements: state.agreements.iter().map(|(id, known)| agreement(*id, known)).collect(),
    }
}
