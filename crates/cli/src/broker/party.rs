//! `renkei person` and `renkei system`: who takes part, in which role.
//!
//! Persons and systems are the same thing to the directory; the command's noun must be that of the identity, so that
//! nobody shuts out a system when a person is meant. Shutting out is a dry run until `--yes`.

use clap::Subcommand;
use renkei_api::v1::{
    AddPartyRequest, GrantRoleRequest, Party, RevokePartyRequest, RevokeRoleRequest, Role,
    ShowRequest,
};
use renkei_types::{Identity, IdentityKind, Language};
use serde_json::{Value, json};

use super::code_words::{all_told, told};
use super::error::BrokerError;
use super::invitation::{self, Invitation, InviteArgument};
use super::names::{RoleArgument, short};
use super::session::{self, ConfirmArgument, RequestArgument, Session, plain};
use super::united_roles;
use crate::environment::Environment;
use crate::failure::{Exit, Failure};
use crate::json;
use crate::text_table::text_table;

#[derive(Debug, Subcommand)]
pub(crate) enum PersonCommand {
    /// Register a person with roles
    Add {
        /// spiffe://DOMAIN/CODE/BODY/person/STAFF-ID
        identity: Identity,
        /// A role; may be given several times, or with commas
        #[arg(long = "role", value_name = "ROLE", required = true, value_delimiter = ',')]
        roles: Vec<RoleArgument>,
        #[command(flatten)]
        invite: InviteArgument,
        #[command(flatten)]
        request: RequestArgument,
    },
    /// Give a person a role
    Grant {
        /// spiffe://DOMAIN/CODE/BODY/person/STAFF-ID
        identity: Identity,
        /// The role
        #[arg(long, value_name = "ROLE")]
        role: RoleArgument,
        #[command(flatten)]
        request: RequestArgument,
    },
    /// Take a role from a person, or shut the person out
    Revoke {
        /// spiffe://DOMAIN/CODE/BODY/person/STAFF-ID
        identity: Identity,
        /// Only take this role
        #[arg(long, value_name = "ROLE")]
        role: Option<RoleArgument>,
        #[command(flatten)]
        confirm: ConfirmArgument,
        #[command(flatten)]
        request: RequestArgument,
    },
    /// Make a one-time token with which a person asks for a certificate; an earlier one ends
    Invite {
        /// spiffe://DOMAIN/CODE/BODY/person/STAFF-ID
        identity: Identity,
        /// Days for which the token holds, 1 to 30
        #[arg(long, value_name = "N", default_value_t = 7,
              value_parser = clap::value_parser!(u32).range(1..=30))]
        days: u32,
    },
    /// Show every person
    List,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SystemCommand {
    /// Register a system with roles
    Add {
        /// spiffe://DOMAIN/CODE/BODY/system/NAME
        identity: Identity,
        /// A role; may be given several times, or with commas
        #[arg(long = "role", value_name = "ROLE", required = true, value_delimiter = ',')]
        roles: Vec<RoleArgument>,
        #[command(flatten)]
        invite: InviteArgument,
        #[command(flatten)]
        request: RequestArgument,
    },
    /// Make a one-time token with which a system asks for a certificate; an earlier one ends
    Invite {
        /// spiffe://DOMAIN/CODE/BODY/system/NAME
        identity: Identity,
        /// Days for which the token holds, 1 to 30
        #[arg(long, value_name = "N", default_value_t = 7,
              value_parser = clap::value_parser!(u32).range(1..=30))]
        days: u32,
    },
    /// Show every system
    List,
    /// Shut a system out, or take one role from it
    Revoke {
        /// spiffe://DOMAIN/CODE/BODY/system/NAME
        identity: Identity,
        /// Only take this role
        #[arg(long, value_name = "ROLE")]
        role: Option<RoleArgument>,
        #[command(flatten)]
        confirm: ConfirmArgument,
        #[command(flatten)]
        request: RequestArgument,
    },
}

pub(super) fn run_person(
    command: &PersonCommand,
    environment: &Environment,
) -> Result<Exit, Failure> {
    let kind = IdentityKind::Person;
    match command {
        PersonCommand::Add { identity, .. }
        | PersonCommand::Grant { identity, .. }
        | PersonCommand::Invite { identity, .. }
        | PersonCommand::Revoke { identity, .. } => require_kind(identity, kind)?,
        PersonCommand::List => {}
    }
    if let PersonCommand::Revoke { identity, role, confirm, .. } = command
        && !confirm.yes
    {
        return Ok(say_what_would_be_revoked(identity, *role, environment));
    }
    session::with(environment, async |session| match command {
        PersonCommand::Add { identity, roles, invite, request } => {
            add(session, identity, roles, *invite, *request).await
        }
        PersonCommand::Invite { identity, days } => {
            let invitation = invitation::invite(session, identity, *days).await?;
            Ok(show(session, identity, &invitation))
        }
        PersonCommand::Grant { identity, role, request } => {
            let id = session.request_id(*request);
            let identity = identity.to_string();
            let role = Role::from(*role);
            let call = GrantRoleRequest {
                request_id: id.to_string(),
                identity: identity.clone(),
                role: role.into(),
            };
            let answer = session.change(&id, call).await?;
            united_roles::warn(environment, &identity, &answer.united);
            let united = united_roles::to_json(&answer.united);
            let object = json!({"identity": identity, "role": role_name(role), "united": united});
            Ok(session.done(object, &identity, answer.receipt.as_ref()))
        }
        PersonCommand::Revoke { identity, role, request, .. } => {
            revoke(session, identity, *role, *request).await
        }
        PersonCommand::List => list(session, kind).await,
    })
}

pub(super) fn run_system(
    command: &SystemCommand,
    environment: &Environment,
) -> Result<Exit, Failure> {
    let kind = IdentityKind::System;
    match command {
        SystemCommand::Add { identity, .. }
        | SystemCommand::Invite { identity, .. }
        | SystemCommand::Revoke { identity, .. } => require_kind(identity, kind)?,
        SystemCommand::List => {}
    }
    if let SystemCommand::Revoke { identity, role, confirm, .. } = command
        && !confirm.yes
    {
        return Ok(say_what_would_be_revoked(identity, *role, environment));
    }
    session::with(environment, async |session| match command {
        SystemCommand::Add { identity, roles, invite, request } => {
            add(session, identity, roles, *invite, *request).await
        }
        SystemCommand::Invite { identity, days } => {
            let invitation = invitation::invite(session, identity, *days).await?;
            Ok(show(session, identity, &invitation))
        }
        SystemCommand::Revoke { identity, role, request, .. } => {
            revoke(session, identity, *role, *request).await
        }
        SystemCommand::List => list(session, kind).await,
    })
}

fn require_kind(identity: &Identity, kind: IdentityKind) -> Result<(), BrokerError> {
    if identity.kind() == kind {
        return Ok(());
    }
    let wanted = match kind {
        IdentityKind::Person => "person",
        IdentityKind::System => "system",
    };
    Err(BrokerError::WrongKindOfIdentity { wanted })
}

pub(super) fn role_name(role: Role) -> &'static str {
    short(role.as_str_name(), "ROLE_")
}

async fn add(
    session: &Session<'_>,
    identity: &Identity,
    roles: &[RoleArgument],
    invite: InviteArgument,
    request: RequestArgument,
) -> Result<Exit, Failure> {
    let (party, id) = (identity, session.request_id(request));
    let identity = party.to_string();
    let roles: Vec<Role> = roles.iter().map(|role| Role::from(*role)).collect();
    let call = AddPartyRequest {
        request_id: id.to_string(),
        identity: identity.clone(),
        roles: roles.iter().map(|role| i32::from(*role)).collect(),
    };
    let answer = session.change(&id, call).await?;
    let roles: Vec<_> = roles.into_iter().map(role_name).collect();
    united_roles::warn(session.environment, &identity, &answer.united);
    let united = united_roles::to_json(&answer.united);
    let mut object = json!({"identity": identity, "roles": roles, "united": united});
    let Some(days) = invite.days() else {
        return Ok(session.done(object, &identity, answer.receipt.as_ref()));
    };
    let invitation = invitation::invite(session, party, days).await?;
    object["invitation"] = invitation.json();
    invitation.explain(session);
    let data = format!("{identity}\n{}", invitation.token());
    Ok(session.done(object, &data, answer.receipt.as_ref()))
}

/// Shows an invitation: the token is data, so that it can be kept without the words around it.
fn show(session: &Session<'_>, identity: &Identity, invitation: &Invitation) -> Exit {
    let mut object = invitation.json();
    object["identity"] = json!(identity.to_string());
    invitation.explain(session);
    session.done(object, invitation.token(), invitation.receipt.as_ref())
}

fn say_what_would_be_revoked(
    identity: &Identity,
    role: Option<RoleArgument>,
    environment: &Environment,
) -> Exit {
    let role = role.map(Role::from);
    if environment.json {
        let code = role.map(role_name);
        let object = json!({"identity": identity.to_string(), "role": code, "done": false});
        json::print(&object);
    }
    match role {
        Some(role) => environment.note(
            &format!("would take the role {} from {identity}; add --yes to do it", role_name(role)),
            &format!("{identity} から役割「{}」を外します。実行するには --yes を付けてください", told(&role, Language::Japanese)),
        ),
        None => environment.note(
            &format!("would shut out {identity} at once, on open connections too; add --yes to do it"),
            &format!("{identity} を直ちに利用停止にします（接続中も含む）。実行するには --yes を付けてください"),
        ),
    }
    Exit::Done
}

async fn revoke(
    session: &Session<'_>,
    identity: &Identity,
    role: Option<RoleArgument>,
    request: RequestArgument,
) -> Result<Exit, Failure> {
    let id = session.request_id(request);
    let (request_id, identity) = (id.to_string(), identity.to_string());
    let role = role.map(Role::from);
    let receipt = match role {
        Some(role) => {
            let call =
                RevokeRoleRequest { request_id, identity: identity.clone(), role: role.into() };
            session.change(&id, call).await?.receipt
        }
        None => {
            let call = RevokePartyRequest { request_id, identity: identity.clone() };
            session.change(&id, call).await?.receipt
        }
    };
    let object = json!({"identity": identity, "role": role.map(role_name), "done": true});
    Ok(session.done(object, &identity, receipt.as_ref()))
}

async fn list(session: &Session<'_>, kind: IdentityKind) -> Result<Exit, Failure> {
    let mut parties = session.ask(ShowRequest {}).await?.parties;
    parties.retain(|party| {
        party.identity.parse::<Identity>().is_ok_and(|identity| identity.kind() == kind)
    });
    let environment = session.environment;
    if environment.json {
        let noun = match kind {
            IdentityKind::Person => "persons",
            IdentityKind::System => "systems",
        };
        json::print(&json!({noun: parties.iter().map(party_json).collect::<Vec<_>>()}));
        return Ok(Exit::Done);
    }
    let header = vec![
        environment.say("identity", "名義"),
        environment.say("roles", "役割"),
        environment.say("shut out", "利用停止"),
    ];
    let mut table = text_table(header, &[]);
    for party in &parties {
        let revoked = if party.revoked { environment.say("yes", "停止") } else { "" };
        let roles = all_told(party.roles(), environment.language);
        table.add_row(vec![plain(&party.identity), roles, revoked.to_owned()]);
    }
    print_line!("{table}");
    for party in parties.iter().filter(|party| !party.united.is_empty()) {
        united_roles::warn(environment, &party.identity, &party.united);
    }
    Ok(Exit::Done)
}

fn party_json(party: &Party) -> Value {
    json!({
        "identity": party.identity,
        "roles": party.roles().map(role_name).collect::<Vec<_>>(),
        "revoked": party.revoked,
        "united": united_roles::to_json(&party.united),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_noun_of_the_command_must_be_that_of_the_identity() {
        let person: Identity =
            "spiffe://renkei.example/131016/benefits/person/c-1".parse().expect("an identity");
        assert!(require_kind(&person, IdentityKind::Person).is_ok());
        let error = require_kind(&person, IdentityKind::System).expect_err("a person");
        assert!(error.to_string().contains("system"));
    }
}
