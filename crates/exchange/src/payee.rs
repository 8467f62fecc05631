//! Whom the lines of a list pay: what the register that it was linked to says of them, and which person or household that is
//! to the programme.

use std::collections::HashSet;

use renkei_types::ListId;

use crate::book::Book;
use crate::division::Divisions;
use crate::homes::Standpoint;
use crate::programme::{PayeeUnit, Programme};
use crate::programme_homes::ProgrammeHomes;
use crate::refusal::Refusal;
use crate::rows::Chunk;
use crate::snapshot::RegisterRows;
use crate::state::State;
use crate::store::Vault;
use crate::together::{Households, Renumbering};
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

    /// Whom a row of the register says.
    pub(crate) fn get(&self, row: u32) -> Option<&Resident> {
        self.residents.get(self.rows.binary_search(&row).ok()?)
    }
}

/// What a programme takes for the payee of a line. The table is in the module `division`.
#[derive(Debug)]
pub(crate) struct PayeeRule<'a> {
    unit: PayeeUnit,
    divisions: Divisions,
    /// Where everybody lived on the base date: who parts after it does not make two payees of one. Nothing where persons are paid, or the
    /// register is withdrawn.
    homes: Option<Standpoint<'a>>,
    /// Numbers under which divisions call households still one, and which nobody who is left of these had on the base date, as the
    /// register has it now. Without zeros in front.
    doubtful: HashSet<String>,
}

impl<'a> PayeeRule<'a> {
    /// What the programme of a list says. Blocks: for threads that may wait.
    pub(crate) fn read(
        vault: &Vault,
        programme: &Programme,
        homes: &'a ProgrammeHomes,
        list: ListId,
    ) -> Result<Self, Refusal> {
        let unit = programme.rules.unit;
        let divisions = match unit {
            PayeeUnit::Household => Divisions::of(vault, programme)?,
            PayeeUnit::Person => Divisions::default(),
        };
        let now = homes.now(list);
        let doubtful = now.map(|now| doubtful(now, &divisions)).unwrap_or_default();
        Ok(Self { unit, divisions, homes: homes.of_list(list), doubtful })
    }

    /// The divisions of the programme; none where persons are paid.
    pub(crate) fn divisions(&self) -> &Divisions {
        &self.divisions
    }

    /// The household that the register had on the base date, or has, whatever a division says.
    pub(crate) fn household_of_register<'b>(&'b self, resident: &'b Resident) -> &'b str {
        let on_base_date = || {
            let homes = self.homes?;
            let household = homes.on_base_date(homes.homes().person(&resident.person)?)?;
            Some(homes.homes().household_id(household))
        };
        let is_other = |home: &&str| without_zeros(home) != without_zeros(&resident.household);
        on_base_date().filter(is_other).unwrap_or(&resident.household)
    }

    /// Whether a division names the person.
    pub(crate) fn names(&self, person: &str) -> bool {
        self.divisions.household(person).is_some()
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
    pub(crate) fn payee<'b>(&'b self, resident: &'b Resident) -> &'b str {
        match self.unit {
            PayeeUnit::Person => &resident.person,
            PayeeUnit::Household => self
                .divisions
                .household(&resident.person)
                .unwrap_or_else(|| self.household_of_register(resident)),
        }
    }
}

/// Numbers of households that are still one which do not say whom they mean. They are older than the register may tell, so all who ever
/// had one are asked, but for those whom divisions name; who of them was of another household on the base date is not known, so
/// nobody is counted to the one that they have now. Nor does the number say it that somebody has herself since she parted, if it was
/// nobody's on the base date: she would be still one with nobody.
fn doubtful(now: Standpoint<'_>, divisions: &Divisions) -> HashSet<String> {
    let (homes, numbers) = (now.homes(), divisions.still_one());
    if numbers.is_empty() {
        return HashSet::new();
    }
    let meant = Households::of(homes, |id| numbers.contains(without_zeros(id)));
    let renumbered = Renumbering::new(now, divisions).ever(&meant);
    let (mut known, mut own) = (Households::none(homes), Households::none(homes));
    for person in homes.persons() {
        let on_base_date = now.on_base_date(person);
        match divisions.still_one_of(homes.person_id(person)) {
            None => on_base_date.into_iter().for_each(|home| known.add(home)),
            Some(number) => {
                let number = homes.household(number).filter(|one| now.own(person) == Some(*one));
                let parted = number.filter(|one| on_base_date.is_some_and(|home| home != *one));
                parted.into_iter().for_each(|one| own.add(one));
            }
        }
    }
    let own = own.without(&known);
    let numbers = renumbered.into_iter().map(|one| one.before).chain(own.iter());
    numbers.map(|one| without_zeros(homes.household_id(one)).to_owned()).collect()
}
