//! Records as columns of ids: what a job compares.

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};

use crate::blocking::BlockingIndex;
use crate::comparison::Comparison;
use crate::forms::NONE;
use crate::forms::names::Names;
use crate::forms::whole_names::WholeNames;
use crate::hash::Seeded;
use crate::intern::TextArena;
use crate::register_index::RegisterIndex;

/// The records of one side, in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Records {
    pub(crate) ids: TextArena,
    /// Empty where the fields hold no names.
    pub(crate) names: Vec<NameValues>,
    /// Whether the reading of any name is recorded.
    pub(crate) has_readings: bool,
    /// Further names of a record: 旧氏, 通称, names in brackets, and of a line the account holder.
    pub(crate) other_names: OtherNames,
    /// For each comparison of one value: the value of each record.
    pub(crate) values: Vec<Vec<u32>>,
    /// The place a resident has left, where the register says so.
    pub(crate) former_places: Vec<u32>,
}

/// The name of a record in all its views.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct NameValues {
    /// Whole name as written, in [`WholeNames::written`] of its side; [`NONE`] where it was read in halves.
    pub(crate) written: u32,
    /// Whole name as read, in [`WholeNames::kana`] of its side; likewise.
    pub(crate) kana: u32,
    /// Family name in both views, in [`Names::joint`].
    pub(crate) family: u32,
    /// Given name in both views.
    pub(crate) given: u32,
}

/// A further name of a record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct OtherName {
    pub(crate) name: NameValues,
    pub(crate) how: How,
}

/// The further names of those few records that have some.
#[derive(Clone, Debug, Default)]
pub(crate) struct OtherNames {
    names: HashMap<u32, Vec<OtherName>, Seeded>,
    /// A bit for each record that may have some: that most have none is known without a look at the table.
    some: Vec<u64>,
}

impl OtherNames {
    pub(crate) fn of(&self, row: u32) -> &[OtherName] {
        let word = self.some.get(row as usize / 64).copied().unwrap_or(0);
        if word >> (row % 64) & 1 == 0 {
            return &[];
        }
        self.names.get(&row).map_or(&[], Vec::as_slice)
    }

    fn push(&mut self, row: u32, name: OtherName) {
        let word = row as usize / 64;
        if self.some.len() <= word {
            self.some.resize(word + 1, 0);
        }
        self.some[word] |= 1 << (row % 64);
        self.names.entry(row).or_default().push(name);
    }

    fn remove(&mut self, row: u32) {
        self.names.remove(&row);
    }

    fn shrink(&mut self) {
        self.names.shrink_to_fit();
        self.names.values_mut().for_each(Vec::shrink_to_fit);
    }
}

/// How a further name belongs to a person; the level of the arrangement it makes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum How {
    /// A former name or an alias.
    Alias = 3,
    /// The name on the bank account, which may be a relative's.
    AccountHolder = 4,
}

impl NameValues {
    pub(crate) const NONE: Self = Self { written: NONE, kana: NONE, family: NONE, given: NONE };
}

impl Records {
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(crate) fn id(&self, row: u32) -> &str {
        self.ids.get(row)
    }

    /// The record with this id.
    pub(crate) fn row(&self, id: &str) -> Option<u32> {
        self.ids.iter().position(|known| known == id).and_then(|row| u32::try_from(row).ok())
    }

    pub(crate) fn name(&self, row: u32) -> NameValues {
        self.names.get(row as usize).copied().unwrap_or(NameValues::NONE)
    }

    pub(crate) fn other_names(&self, row: u32) -> &[OtherName] {
        self.other_names.of(row)
    }

    pub(crate) fn value(&self, column: usize, row: u32) -> u32 {
        self.values[column][row as usize]
    }

    /// Adds a further name, unless it says nothing new.
    pub(crate) fn add_name(&mut self, row: usize, name: NameValues, how: How) {
        let parts = |name: NameValues| (name.family, name.given);
        if parts(name) == parts(self.names[row]) || parts(name) == (NONE, NONE) {
            return;
        }
        let row = u32::try_from(row).expect("fewer than 2^32 records");
        self.other_names.push(row, OtherName { name, how });
    }

    /// Takes away all values of some records.
    pub(crate) fn forget(&mut self, rows: &[usize]) {
        for &row in rows {
            if let Some(name) = self.names.get_mut(row) {
                *name = NameValues::NONE;
            }
            let columns = self.values.iter_mut().chain([&mut self.former_places]);
            columns.filter_map(|column| column.get_mut(row)).for_each(|value| *value = NONE);
            if let Ok(row) = u32::try_from(row) {
                self.other_names.remove(row);
            }
        }
    }

    /// Takes away every value that another record of the same person has too, so that it counts once. `person_of` names
    /// the person of each record.
    pub(crate) fn forget_repeated(&mut self, person_of: &[u32]) {
        let mut records_of = vec![0u32; person_of.len()];
        person_of.iter().for_each(|&person| records_of[person as usize] += 1);
        let mut seen: HashSet<(u32, u32), Seeded> = HashSet::default();
        let mut once = |column: &mut dyn Iterator<Item = &mut u32>| {
            seen.clear();
            for (value, &person) in column.zip(person_of) {
                let shared = records_of[person as usize] > 1;
                if shared && *value != NONE && !seen.insert((person, *value)) {
                    *value = NONE;
                }
            }
        };
        once(&mut self.names.iter_mut().map(|name| &mut name.family));
        once(&mut self.names.iter_mut().map(|name| &mut name.given));
        self.values.iter_mut().for_each(|column| once(&mut column.iter_mut()));
    }

    /// Gives back memory that was kept for more records.
    pub(crate) fn shrink(&mut self) {
        self.ids.shrink();
        self.names.shrink_to_fit();
        self.other_names.shrink();
        let columns = self.values.iter_mut().chain([&mut self.former_places]);
        columns.for_each(Vec::shrink_to_fit);
    }

    /// Whether any field of the record can be evidence.
    pub(crate) fn has_evidence(&self, row: u32) -> bool {
        let name = self.name(row);
        name.family != NONE
            || name.given != NONE
            || !self.other_names(row).is_empty()
            || self.values.iter().any(|column| column[row as usize] != NONE)
    }
}

/// The records of one side with the distinct values they point to; those of a list stand above the register's.
#[derive(Debug, Default)]
pub(crate) struct Normalised {
    pub(crate) records: Records,
    pub(crate) wholes: WholeNames,
    pub(crate) names: Names,
    pub(crate) comparisons: Vec<Comparison>,
}

/// A list and the register that it is to be linked to.
#[derive(Debug)]
pub struct Linkable {
    pub(crate) index: Arc<RegisterIndex>,
    pub(crate) list: Normalised,
    /// What this list asks for, where the register's index leaves it to lists.
    pub(crate) blocking: Option<BlockingIndex>,
}

/// A register and what is read against it: where a pair is looked up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sides<'a> {
    pub(crate) index: &'a RegisterIndex,
    pub(crate) list: &'a Normalised,
    pub(crate) blocking: &'a BlockingIndex,
}

impl<'a> Sides<'a> {
    /// `blocking` is what the list has brought, see [`RegisterIndex::blocking_for`].
    pub(crate) fn new(
        index: &'a RegisterIndex,
        list: &'a Normalised,
        blocking: Option<&'a BlockingIndex>,
    ) -> Self {
        let blocking = blocking.or_else(|| index.blocking());
        let blocking = blocking.expect("a list brings an index where the register has none");
        Self { index, list, blocking }
    }

    pub(crate) fn register(self) -> &'a Records {
        &self.index.register.records
    }
}

impl Linkable {
    pub(crate) fn sides(&self) -> Sides<'_> {
        Sides::new(&self.index, &self.list, self.blocking.as_ref())
    }

    /// The register, which other lists may be linked to as well.
    pub fn index(&self) -> &Arc<RegisterIndex> {
        &self.index
    }

    /// How many records the register has.
    pub fn register_records(&self) -> usize {
        self.index.records()
    }

    /// How many lines the list has, rejected ones included.
    pub fn list_lines(&self) -> usize {
        self.list.records.len()
    }

    /// The id of a record of the register.
    pub fn register_id(&self, row: u32) -> &str {
        self.index.id(row)
    }

    /// The id of a line of the list.
    pub fn list_id(&self, row: u32) -> &str {
        self.list.records.id(row)
    }

    /// The register's record with this id.
    pub fn register_row(&self, id: &str) -> Option<u32> {
        self.index.row(id)
    }

    /// The list's line with this id.
    pub fn list_row(&self, id: &str) -> Option<u32> {
        self.list.records.row(id)
    }
}
