//! Protected persons, and what the broker finds about payments near them.

use std::collections::BTreeSet;

use renkei_exchange::command::Call;
use renkei_exchange::household_case::{Cleared, HouseholdLine};
use renkei_exchange::households::HouseholdFinding;
use renkei_exchange::permit::SeeProtected;
use renkei_exchange::{Refusal, household_case};
use renkei_types::ListId;

use super::families::Record;
use super::{Town, caller};

pub(crate) fn protect(town: &Town, number: u64, people: &[&Record]) {
    let mut text = "宛名番号,支援措置\n".to_owned();
    people.iter().for_each(|one| text.push_str(&format!("{},1\n", one["宛名番号"])));
    town.report(number, &text).expect("a report");
}

pub(crate) fn look(town: &Town, list: ListId) -> Vec<HouseholdLine> {
    let permit = town.permit_over_list::<SeeProtected>("protector-1", list);
    household_case::look(&town.exchange, &town.indexes, permit, list).expect("lines").reply
}

pub(crate) fn findings(town: &Town, list: ListId) -> Vec<(String, BTreeSet<HouseholdFinding>)> {
    look(town, list).into_iter().map(|line| (line.line, line.findings)).collect()
}

pub(crate) fn clear(town: &Town, who: &str, list: ListId, line: &str) -> Result<Cleared, Refusal> {
    let permit = town.permit_over_list::<SeeProtected>(who, list);
    let (exchange, indexes) = (&town.exchange, &town.indexes);
    let call = Call::read(caller(who));
    household_case::clear(exchange, indexes, call, permit, list, line).map(|done| done.reply)
}

pub(crate) fn paid_lines(town: &Town, list: ListId) -> BTreeSet<String> {
    let batch = town.propose("certifier-1", list).expect("a proposal").batch;
    town.paid(batch).into_iter().map(|payment| payment.line).collect()
}
