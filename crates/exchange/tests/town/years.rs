//! What holds for years: agreements, and lists that are done with.

use std::collections::BTreeSet;

use renkei_exchange::Operation;
use renkei_exchange::agreement::{LegalBasis, Telling, Terms};
use renkei_exchange::command::Call;
use renkei_exchange::permit::Receive;
use renkei_exchange::returns::report;
use renkei_types::{BatchId, DatasetId};

use super::{Town, caller};

/// What an agency of the town may do with a dataset, until a day.
pub(crate) fn terms(
    consumer: &str,
    dataset: DatasetId,
    fields: BTreeSet<String>,
    operations: &[Operation],
    until: &str,
) -> Terms {
    Terms {
        consumer: format!("131016/{consumer}").parse().expect("an agency"),
        dataset,
        basis: LegalBasis::OwnDuties,
        purpose: "benefit-2026".parse().expect("a code"),
        fields,
        operations: operations.iter().copied().collect(),
        valid_from: "2026-01-01".parse().expect("a day"),
        valid_until: until.parse().expect("a day"),
        daily_records_max: 1_000_000,
        retention_days: 365,
        told: Telling::AtOnce,
    }
}

/// Agreements like the town's, for longer.
pub(crate) fn agree_until(town: &Town, day: &str) {
    let fields = town.exchange.state().datasets.get(&town.register).expect("it").fields.clone();
    let link = [Operation::Link, Operation::Identify, Operation::Review];
    let of_register = terms("benefits", town.register, fields, &link, day);
    town.agree_on(of_register, "residents-operator").expect("an agreement");
    let fields = renkei_exchange::rows::LIST_FIELDS.iter().map(|&field| field.to_owned());
    let deliver = [Operation::Deliver];
    let of_feed = terms("treasury", town.deliveries(), fields.collect(), &deliver, day);
    town.agree_on(of_feed, "certifier-2").expect("an agreement");
}

/// Nothing of a batch came back: everything is paid.
pub(crate) fn all_is_paid(town: &Town, batch: BatchId) {
    came_back(town, batch, "申請番号,支給額\n");
}

/// What came back of a batch, as a table.
pub(crate) fn came_back(town: &Town, batch: BatchId, file: &str) {
    let permit = town.permit_dataset::<Receive>("transfers", town.deliveries());
    let call = Call::read(caller("transfers"));
    let totals = town.totals_of(file);
    report(&town.exchange, call, permit, batch, file.as_bytes(), totals).expect("a report");
}
