//! Enrolment: what a one-time token is good for, and who may grant what it asks for.

mod town;

use renkei_exchange::Refusal;
use renkei_exchange::command::Call;
use renkei_exchange::directory::{ChangeParty, PartyChange};
use renkei_exchange::enrolment::{
    EndEnrolment, GrantCertificate, Invite, Join, RequestCertificate, Requested, Stage,
};
use renkei_exchange::permit::{KeepCertificate, Operate};
use renkei_types::{Digest, Reason};
use town::{Town, caller, identity};

const TOKEN: Digest = Digest::from_bytes([7; 32]);

fn request(number: u8) -> Requested {
    Requested { pem: format!("request {number}"), key: Digest::from_bytes([number; 32]) }
}

fn invite(town: &Town, name: &str, token: Digest, days: u32) -> Result<(), Refusal> {
    let permit = town.permit::<Operate>("operator-1");
    let command = Invite { permit, identity: identity(name), token, days };
    town.exchange.execute_now(Call::read(caller("operator-1")), command).map(|_| ())
}

fn join(town: &Town, token: Digest, number: u8) -> Result<(), Refusal> {
    let command = Join { token, request: request(number) };
    town.exchange.execute_now(Call::own(), command).map(|_| ())
}

fn grant(town: &Town, operator: &str, name: &str, number: u8) -> Result<(), Refusal> {
    let command = GrantCertificate {
        permit: town.permit::<Operate>(operator),
        identity: identity(name),
        certificate_pem: format!("certificate {number}"),
        key: request(number).key,
    };
    town.exchange.execute_now(Call::read(caller(operator)), command).map(|_| ())
}

#[track_caller]
fn refused(result: Result<(), Refusal>, reason: Reason) {
    assert_eq!(result.expect_err("a refusal").reason, reason);
}

fn stage(town: &Town, name: &str) -> Option<Stage> {
    let now = town.exchange.clock().now();
    town.exchange.state().enrolment(&identity(name), now).map(|known| known.stage.clone())
}

/// Held by `State::invited`.
#[test]
fn a_token_is_good_for_one_identity_and_one_key_and_for_asking_again() {
    let town = Town::new();
    refused(join(&town, TOKEN, 1), Reason::InvitationRefused);
    invite(&town, "clerk-1", TOKEN, 7).expect("invited");
    refused(join(&town, Digest::from_bytes([8; 32]), 1), Reason::InvitationRefused);
    join(&town, TOKEN, 1).expect("joined");
    assert_eq!(stage(&town, "clerk-1"), Some(Stage::Waiting(request(1))));
    join(&town, TOKEN, 1).expect("asked again");
    refused(join(&town, TOKEN, 2), Reason::InvitationRefused);
    assert_eq!(stage(&town, "clerk-1"), Some(Stage::Waiting(request(1))));
    // The same token for somebody else would mean two people.
    let twice = invite(&town, "certifier-1", TOKEN, 7).expect_err("a refusal");
    assert_eq!(twice, Refusal::field("token_sha256"));
}

/// Held by `SamePerson` in `GrantCertificate`.
#[test]
fn inviting_and_granting_take_two_people_and_the_key_that_was_asked_for() {
    let town = Town::new();
    invite(&town, "clerk-1", TOKEN, 7).expect("invited");
    refused(grant(&town, "operator-2", "clerk-1", 1), Reason::WrongState);
    join(&town, TOKEN, 1).expect("joined");
    refused(grant(&town, "operator-1", "clerk-1", 1), Reason::SamePerson);
    refused(grant(&town, "operator-2", "clerk-1", 2), Reason::FieldInvalid);
    grant(&town, "operator-2", "clerk-1", 1).expect("granted");
    let granted = Stage::Granted(request(1), "certificate 1".to_owned());
    assert_eq!(stage(&town, "clerk-1"), Some(granted));
    refused(grant(&town, "operator-2", "clerk-1", 1), Reason::WrongState);
}

#[test]
fn nobody_grants_the_renewal_of_their_own_certificate() {
    let town = Town::new();
    let permit = town.permit::<KeepCertificate>("operator-1");
    let command = RequestCertificate { permit, request: request(3) };
    town.exchange.execute_now(Call::read(caller("operator-1")), command).expect("asked");
    refused(grant(&town, "operator-1", "operator-1", 3), Reason::SamePerson);
    grant(&town, "operator-2", "operator-1", 3).expect("granted by another");
}

#[test]
fn an_invitation_ends_by_time_by_a_newer_one_and_when_its_holder_is_shut_out() {
    let town = Town::new();
    for days in [0, 31] {
        refused(invite(&town, "clerk-1", TOKEN, days), Reason::FieldInvalid);
    }
    let newer = Digest::from_bytes([9; 32]);
    invite(&town, "clerk-1", TOKEN, 1).expect("invited");
    invite(&town, "clerk-1", newer, 2).expect("invited anew");
    refused(join(&town, TOKEN, 1), Reason::InvitationRefused);
    // A moment later than the newer one holds.
    let state = town.exchange.state();
    let late = town.exchange.clock().now() + jiff::SignedDuration::from_hours(49);
    assert!(state.invited(newer, late).is_err());
    assert!(state.invited(newer, town.exchange.clock().now()).is_ok());

    let permit = town.permit::<Operate>("operator-1");
    let change = PartyChange::ShutOut;
    let command = ChangeParty { permit, identity: identity("clerk-1"), change };
    town.exchange.execute_now(Call::read(caller("operator-1")), command).expect("shut out");
    refused(join(&town, newer, 1), Reason::InvitationRefused);
    refused(invite(&town, "clerk-1", TOKEN, 1), Reason::PartyRevoked);
}

#[test]
fn an_operator_ends_an_invitation() {
    let town = Town::new();
    let end = || {
        let permit = town.permit::<Operate>("operator-1");
        let command = EndEnrolment { permit, identity: identity("clerk-1") };
        town.exchange.execute_now(Call::read(caller("operator-1")), command).map(|_| ())
    };
    refused(end(), Reason::WrongState);
    invite(&town, "clerk-1", TOKEN, 7).expect("invited");
    end().expect("ended");
    refused(join(&town, TOKEN, 1), Reason::InvitationRefused);
}
