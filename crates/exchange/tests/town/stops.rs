//! Who is stopped, excluded or counted to another household.

use renkei_exchange::command::Call;
use renkei_exchange::division::{DividePermit, Divided, DividedPerson, DivisionKind};
use renkei_exchange::exclusion::{ExclusionReason, exclude};
use renkei_exchange::hold::{Held, hold_payee};
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
    let permit = town.permit_own::<StopReleases>("certifier-1");
    let call = Call::read(caller("certifier-1"));
    hold_payee(&town.exchange, &call, &permit, town.programme, id).expect("a hold").reply
}

pub(crate) fn leave_out(town: &Town, id: &str) {
    let (permit, call) = (town.permit_own::<Submit>("payments"), Call::read(caller("payments")));
    let (ids, reason) = ([id.to_owned()], ExclusionReason::Declined);
    exclude(&town.exchange, &call, &permit, town.programme, reason, &ids).expect("an exclusion");
}
