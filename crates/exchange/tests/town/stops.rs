//! Who is stopped, excluded or counted to another household.

use renkei_exchange::command::Call;
use renkei_exchange::division::{DividePermit, Divided, DividedPerson, DivisionKind};
use renkei_exchange::exclusion::{Excluded, ExclusionReason, exclude};
use renkei_exchange::hold::{Held, Lifted, ReleaseHold, Target, hold_payee, payee_digest};
use renkei_exchange::permit::{StopReleases, Submit};
use renkei_exchange::{Refusal, division};

use super::families::Record;
use super::{Town, caller};

pub(crate) fn divide(
    town: &Town,
    who: &str,
    kind: DivisionKind,
    persons: &[(&Record, &str)],
) -> Result<Divided, Refusal> {
    let state = town.exchange.state();
    let owner = &state.programmes.get(&town.programme).expect("the programme").agency;
    let permit = DividePermit::of(&state, &caller(who), Some(owner), Some(kind))?;
    let person = |(one, household): &(&Record, &str)| DividedPerson {
        person: one["宛名番号"].clone(),
        household: (*household).to_owned(),
    };
    let persons = persons.iter().map(person).collect();
    let call = Call::read(caller(who));
    division::divide(&town.exchange, call, permit, town.programme, kind, persons, &[])
        .map(|done| done.reply)
}

pub(crate) fn hold(town: &Town, id: &str) {
    stopped(town, id);
}

pub(crate) fn stopped(town: &Town, id: &str) -> Held {
    try_hold(town, id).expect("a hold")
}

pub(crate) fn try_hold(town: &Town, id: &str) -> Result<Held, Refusal> {
    let permit = town.permit_own::<StopReleases>("certifier-1");
    let call = Call::read(caller("certifier-1"));
    hold_payee(&town.exchange, &call, &permit, town.programme, id).map(|done| done.reply)
}

/// One of the two who lift a stop.
pub(crate) fn lift(town: &Town, who: &str, target: Target) -> Result<Lifted, Refusal> {
    let permit = town.permit_own::<StopReleases>(who);
    let lift = ReleaseHold { permit, programme: town.programme, target };
    town.exchange.execute_now(Call::read(caller(who)), lift).map(|done| done.reply)
}

/// Two people lift the stop on an id.
pub(crate) fn lifted(town: &Town, id: &str) {
    let state = town.exchange.state();
    let digest = payee_digest(town.exchange.vault(), &state, town.programme, id).expect("a digest");
    for who in ["certifier-1", "certifier-2"] {
        lift(town, who, Target::Payee(digest)).expect("a stop");
    }
}

pub(crate) fn leave_out(town: &Town, id: &str) {
    try_leave_out(town, id).expect("an exclusion");
}

pub(crate) fn try_leave_out(town: &Town, id: &str) -> Result<Excluded, Refusal> {
    let (permit, call) = (town.permit_own::<Submit>("payments"), Call::read(caller("payments")));
    let (ids, reason) = ([id.to_owned()], ExclusionReason::Declined);
    exclude(&town.exchange, &call, &permit, town.programme, reason, &ids).map(|done| done.reply)
}
