//! Whom the lines of a list pay: what the register that it was linked to says of them, and which person or household that is
//! to the programme.

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;
use renkei_types::{ListId, Reason, SnapshotId};

use crate::book::Book;
use crate::division::Divisions;
use crate::history::StateAt;
use crate::programme::PayeeUnit;
use crate::refusal::Refusal;
use crate::rows::Chunk;
use crate::snapshot::RegisterRows;
use crate::state::State;
use crate::store::Vault;
use crate::together::Together;
use crate::unknown_ids::without_zeros;

/// What a register says of somebody that a payment needs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Resident {
    pub(crate) person: String,
    pub(crate) household: String,
    pub(crate) kana: String,
}

/// The columns that say it.
const COLUMNS: [&str; 3] = ["resident_id", "household_id", "name_kana"];

impl Resident {
    /// A person of a household, whatever the name.
    pub(crate) fn of(person: &str, household: &str) -> Self {
        let (person, household) = (person.to_owned(), household.to_owned());
        Self { person, household, kana: String::new() }
    }

    fn of_row(columns: [Option<usize>; 3], chunk: &Chunk, at: usize) -> Self {
        let cell = |column: Option<usize>| column.map_or("", |column| chunk.cell(column, at));
        let [person, household, kana] = columns.map(|column| cell(column).to_owned());
        Self { person, household, kana }
    }

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
        Ok(Self { person, household, kana })
    }
}

/// What a register says of those whom a list pays.
#[derive(Debug, Default)]
pub(crate) struct Residents {
    /// Their rows, ascending.
    rows: Vec<u32>,
    /// One for each row.
    residents: Vec<Resident>,
}

impl Residents {
    /// Reads them. Blocks: for threads that may wait.
    pub(crate) fn read(
        vault: &Vault,
        state: &State,
        book: &Book,
        list: ListId,
    ) -> Result<Self, Refusal> {
        let (_, linked) = state.linked_list(list)?;
        let register = state.register_rows(linked.snapshot)?;
        let payable = book.lines().filter(|(_, line)| line.is_payable());
        let mut wanted: Vec<u32> = payable.filter_map(|(_, line)| line.register_row).collect();
        wanted.sort_unstable();
        let columns = COLUMNS.map(|name| register.column(name));
        let found =
            register.gather(vault, |row, chunk, at, found: &mut Vec<(u32, Resident)>| {
                if wanted.binary_search(&row).is_ok() {
                    found.push((row, Resident::of_row(columns, chunk, at)));
                }
            })?;
        let (rows, residents) = found.into_iter().unzip();
        Ok(Self { rows, residents })
    }

    /// Reads those who are meant and not gone, as the register in use has them to which a list is linked; where it is withdrawn, as it
    /// was for the list. Blocks: for threads that may wait.
    pub(crate) fn now(
        vault: &Vault,
        state: &State,
        list: ListId,
        is_meant: impl Fn(&str) -> bool + Sync,
    ) -> Result<Vec<Resident>, Refusal> {
        let (_, linked) = state.linked_list(list)?;
        let dataset = state.snapshots.get(&linked.snapshot).map(|snapshot| snapshot.dataset);
        let in_use = dataset.and_then(|dataset| state.snapshot_in_use(dataset).ok());
        let snapshot = in_use.unwrap_or(linked.snapshot);
        let register = state.register_rows(snapshot)?;
        let out = state.rows_out_of_force(vault, snapshot)?;
        let columns = COLUMNS.map(|name| register.column(name));
        register.gather(vault, |row, chunk, at, found: &mut Vec<Resident>| {
            if is_meant(chunk.cell(0, at)) && !out.contains(&row) {
                found.push(Resident::of_row(columns, chunk, at));
            }
        })
    }

    /// Whom a row of the register says.
    pub(crate) fn get(&self, row: u32) -> Option<&Resident> {
        self.residents.get(self.rows.binary_search(&row).ok()?)
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Resident> {
        self.residents.iter()
    }
}

/// What a programme takes for the payee of a line. The table is in the module `division`.
#[derive(Debug)]
pub(crate) struct PayeeRule {
    unit: PayeeUnit,
    divisions: Divisions,
    /// Households on the base date, by person without zeros in front: who parts after it does not make two payees of one.
    on_base_date: HashMap<String, String>,
    /// Numbers under which divisions call households still one, and which nobody who is left of these had on the base date, as the
    /// register has it now.
    doubtful: HashSet<String>,
}

impl PayeeRule {
    /// Reads what the programme of a list says of these residents. Blocks: for threads that may wait.
    pub(crate) fn read<'a>(
        vault: &Vault,
        state: &State,
        today: Date,
        list: ListId,
        residents: impl Iterator<Item = &'a Resident>,
    ) -> Result<Self, Refusal> {
        let (known, linked) = state.linked_list(list)?;
        let programme = state.programmes.get(&known.programme).ok_or(Reason::NoAgreement)?;
        let unit = programme.rules.unit;
        let mut rule = Self {
            unit,
            divisions: Divisions::default(),
            on_base_date: HashMap::new(),
            doubtful: HashSet::new(),
        };
        if unit == PayeeUnit::Household {
            rule.divisions = Divisions::of(vault, programme)?;
            let dataset = state.snapshots.get(&linked.snapshot).map(|snapshot| snapshot.dataset);
            // A register that is withdrawn is not read again.
            let in_use = dataset.and_then(|dataset| state.snapshot_in_use(dataset).ok());
            if let Some(in_use) = in_use {
                let base = StateAt { on: programme.rules.base_date, known: today };
                rule.doubtful = rule.doubtful(vault, state, base, in_use, list)?;
                rule.on_base_date = on_base_date(vault, state, base, in_use, residents)?;
            }
        }
        Ok(rule)
    }

    /// Numbers of households that are still one which do not say whom they mean. Who was ever of the number may have been of another
    /// household on the base date, so nobody is counted to the one that they have now. Blocks: for threads that may wait.
    fn doubtful(
        &self,
        vault: &Vault,
        state: &State,
        base: StateAt,
        in_use: SnapshotId,
        list: ListId,
    ) -> Result<HashSet<String>, Refusal> {
        let together = Together::still_one(vault, state, base, in_use, &self.divisions)?;
        let now = together.now(vault, state, list)?;
        if now.is_empty() {
            return Ok(HashSet::new());
        }
        let left = Self {
            unit: self.unit,
            divisions: self.divisions.clone(),
            on_base_date: on_base_date(vault, state, base, in_use, now.iter())?,
            doubtful: HashSet::new(),
        };
        let renumbered = together.renumbered(&now, &left).into_iter();
        let doubtful = renumbered.filter(|(_, others)| !others.is_empty());
        Ok(doubtful.map(|(number, _)| number.to_owned()).collect())
    }

    /// The household to which a division counts the person.
    pub(crate) fn divided(&self, person: &str) -> Option<&str> {
        self.divisions.household(person)
    }

    /// The household that the register had on the base date, or has, whatever a division says.
    pub(crate) fn household_of_register<'a>(&'a self, resident: &'a Resident) -> &'a str {
        let on_base_date = self.on_base_date.get(without_zeros(&resident.person));
        on_base_date.map_or(&resident.household, String::as_str)
    }

    /// Whether a division that is no secret gives the person a household of their own.
    pub(crate) fn names_separate(&self, person: &str) -> bool {
        self.divisions.is_separate(person) && !self.divisions.has_fled(person)
    }

    /// Whether nobody can say of which household the person is: the number under which a division calls it still one is not that of the
    /// others on the base date.
    pub(crate) fn is_doubtful(&self, person: &str) -> bool {
        let number = self.divisions.still_one_of(person).map(without_zeros);
        number.is_some_and(|number| self.doubtful.contains(number))
    }

    /// The payee: empty where a household is wanted and nobody knows one.
    pub(crate) fn payee<'a>(&'a self, resident: &'a Resident) -> &'a str {
        match self.unit {
            PayeeUnit::Person => &resident.person,
            PayeeUnit::Household => self
                .divided(&resident.person)
                .unwrap_or_else(|| self.household_of_register(resident)),
        }
    }
}

/// The households of residents on the base date, as the register in use has them, of those alone for whom it has ever said another.
fn on_base_date<'a>(
    vault: &Vault,
    state: &State,
    base: StateAt,
    in_use: SnapshotId,
    residents: impl Iterator<Item = &'a Resident>,
) -> Result<HashMap<String, String>, Refusal> {
    let home = |one: &'a Resident| (without_zeros(&one.person), one.household.as_str());
    let people: HashMap<&str, &str> = residents.map(home).collect();
    state.households_known_to(vault, in_use, base, |person| people.get(person).copied())
}
