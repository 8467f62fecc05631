//! Whom the lines of a list pay, as the register that it was linked to has them.

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;
use renkei_types::{ListId, Reason};

use crate::book::Book;
use crate::history::StateAt;
use crate::programme::PayeeUnit;
use crate::refusal::Refusal;
use crate::snapshot::RegisterRows;
use crate::state::State;
use crate::store::Vault;

/// What a register says of somebody that a payment needs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Resident {
    pub(crate) person: String,
    pub(crate) household: String,
    /// The household on the base date: who parts after it does not make two payees of one.
    pub(crate) household_then: String,
    pub(crate) kana: String,
}

/// The columns that say it.
const COLUMNS: [&str; 3] = ["resident_id", "household_id", "name_kana"];

impl Resident {
    /// One row of a register.
    pub(crate) fn read(
        vault: &Vault,
        register: &RegisterRows<'_>,
        row: u32,
    ) -> Result<Self, Refusal> {
        let record = register.record(vault, row)?;
        let cell = |name| register.column(name).and_then(|column| record.get(column));
        let [person, household, kana] =
            COLUMNS.map(|name| cell(name).map_or("", String::as_str).to_owned());
        let household_then = household.clone();
        Ok(Self { person, household, household_then, kana })
    }
}

/// What a register says of those whom a list pays, by row.
pub(crate) fn residents(
    vault: &Vault,
    state: &State,
    today: Date,
    book: &Book,
    list: ListId,
) -> Result<HashMap<u32, Resident>, Refusal> {
    let (known, linked) = state.linked_list(list)?;
    let programme = state.programmes.get(&known.programme).ok_or(Reason::NoAgreement)?;
    let register = state.register_rows(linked.snapshot)?;
    let wanted: HashSet<u32> = book
        .lines()
        .filter(|(_, line)| line.is_payable())
        .filter_map(|(_, line)| line.register_row)
        .collect();
    let columns = COLUMNS.map(|name| register.column(name));
    let mut residents = HashMap::with_capacity(wanted.len());
    register.each(vault, |row, chunk, at| {
        if wanted.contains(&row) {
            let [person, household, kana] =
                columns.map(|column| column.map_or("", |column| chunk.cell(column, at)).to_owned());
            let household_then = household.clone();
            residents.insert(row, Resident { person, household, household_then, kana });
        }
    })?;
    let dataset = state.snapshots.get(&linked.snapshot).map(|snapshot| snapshot.dataset);
    // A register that is withdrawn is not read again.
    if let Some(dataset) = dataset
        && programme.rules.unit == PayeeUnit::Household
        && state.snapshot_in_use(dataset).is_ok()
    {
        let base_date = StateAt { on: programme.rules.base_date, known: today };
        let people = residents.values().map(|resident| resident.person.as_str()).collect();
        let then = state.households_on(vault, dataset, base_date, &people)?;
        for resident in residents.values_mut() {
            if let Some(household) = then.get(&resident.person) {
                resident.household_then = household.clone();
            }
        }
    }
    Ok(residents)
}
