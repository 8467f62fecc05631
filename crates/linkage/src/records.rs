//! Records as columns of ids: what a job compares.
//!
//! The records of a list are one layer. Those of a register are the layer that it was built with and those that deltas
//! have added (see `layers`): the number of a record's row is its place among all of them, and never means another record.

use std::hash::BuildHasher;
use std::sync::{Arc, OnceLock};

use hashbrown::hash_table::Entry;
use hashbrown::{HashMap, HashSet, HashTable, hash_map};
use renkei_types::without_zeros;

use crate::blocking::BlockingIndex;
use crate::comparison::Comparison;
use crate::forms::NONE;
use crate::forms::name_keys::WholeNames;
use crate::forms::names::Names;
use crate::hash::{self, Seeded};
use crate::intern::TextArena;
use crate::layers::{Layer, Layers};
use crate::register_index::RegisterIndex;

/// The records of one side, in their order.
#[derive(Debug, Default)]
pub(crate) struct Records(Layers<Columns>);

/// Records of one layer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Columns {
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
    /// Rows that take no part, ascending.
    forgotten: Vec<u32>,
    /// The row of each id, once somebody asks.
    by_id: OnceLock<HashTable<u32>>,
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
    names: HashMap<u32, Few, Seeded>,
    /// A bit for each record that may have some: that most have none is known without a look at the table.
    some: Vec<u64>,
}

/// The further names of one record. Nearly every record that has any has one, and every line of a list may have one: the
/// account holder.
#[derive(Clone, Debug)]
enum Few {
    One(OtherName),
    Several(Vec<OtherName>),
}

impl Few {
    fn as_slice(&self) -> &[OtherName] {
        match self {
            Self::One(name) => std::slice::from_ref(name),
            Self::Several(names) => names,
        }
    }

    fn as_mut_slice(&mut self) -> &mut [OtherName] {
        match self {
            Self::One(name) => std::slice::from_mut(name),
            Self::Several(names) => names,
        }
    }

    fn push(&mut self, name: OtherName) {
        match self {
            Self::One(first) => *self = Self::Several(vec![*first, name]),
            Self::Several(names) => names.push(name),
        }
    }
}

impl OtherNames {
    pub(crate) fn of(&self, row: u32) -> &[OtherName] {
        let word = self.some.get(row as usize / 64).copied().unwrap_or(0);
        if word >> (row % 64) & 1 == 0 {
            return &[];
        }
        self.names.get(&row).map_or(&[], Few::as_slice)
    }

    fn push(&mut self, row: u32, name: OtherName) {
        let word = row as usize / 64;
        if self.some.len() <= word {
            self.some.resize(word + 1, 0);
        }
        self.some[word] |= 1 << (row % 64);
        match self.names.entry(row) {
            hash_map::Entry::Vacant(entry) => {
                entry.insert(Few::One(name));
            }
            hash_map::Entry::Occupied(mut entry) => entry.get_mut().push(name),
        }
    }

    fn remove(&mut self, row: u32) {
        self.names.remove(&row);
    }

    fn iter_mut(&mut self) -> impl Iterator<Item = &mut OtherName> {
        self.names.values_mut().flat_map(Few::as_mut_slice)
    }

    /// Takes those of other records, whose rows are counted from `below` on.
    fn append(&mut self, above: &Self, below: u32) {
        for (row, others) in &above.names {
            others.as_slice().iter().for_each(|&other| self.push(below + row, other));
        }
    }

    fn shrink(&mut self) {
        self.names.shrink_to_fit();
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
    /// Records that stand alone.
    pub(crate) fn of(columns: Columns) -> Self {
        Self(Layers::of(columns))
    }

    /// These, and `columns` above them.
    pub(crate) fn with(&self, columns: Columns) -> Self {
        let mut records = self.0.above();
        records.own = columns;
        Self(records)
    }

    /// All records, which must be of one layer.
    pub(crate) fn alone(&self) -> &Columns {
        let columns = self.0.first();
        assert_eq!(columns.len(), self.len(), "records that are counted are of one layer");
        columns
    }

    /// Records that nobody stands on yet.
    pub(crate) fn own(&mut self) -> &mut Columns {
        &mut self.0.own
    }

    /// From now on, the records of deltas may stand on these.
    pub(crate) fn share(&mut self) {
        self.0.share();
    }

    /// From now on, others may stand on what was added.
    pub(crate) fn leave(&mut self) {
        self.0.leave();
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// How many records the lowest layer has.
    pub(crate) fn built(&self) -> usize {
        self.0.first().len()
    }

    pub(crate) fn id(&self, row: u32) -> &str {
        let (columns, row) = self.0.find(row);
        columns.ids.at(row)
    }

    /// Brings to hand the ids of records that lie all over memory.
    pub(crate) fn fetch_ids(&self, rows: impl Iterator<Item = u32>) {
        let built = self.built();
        let places: Vec<usize> = rows.map(|row| row as usize).filter(|&row| row < built).collect();
        self.0.first().ids.fetch(places.iter().copied());
    }

    /// The last record with this id, one that takes part if there is any.
    pub(crate) fn row(&self, id: &str) -> Option<u32> {
        let mut layers = self.0.iter().rev().filter(|(_, columns)| columns.len() > 0);
        layers.find_map(|(start, columns)| {
            let start = u32::try_from(start).expect("fewer than 2^32 records");
            let is_first = std::ptr::eq(columns, self.0.first());
            Some(start + columns.row(id, is_first)?)
        })
    }

    /// The ids of records that differ from this one by zeros in front alone, be the records there still or not.
    pub(crate) fn with_other_zeros<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a str> {
        let layers = self.0.iter().filter(|(_, columns)| columns.len() > 0);
        layers.flat_map(move |(_, columns)| {
            columns.with_other_zeros(id, std::ptr::eq(columns, self.0.first()))
        })
    }

    /// Whether a record has been left out from the beginning.
    pub(crate) fn is_forgotten(&self, row: u32) -> bool {
        let (columns, row) = self.0.find(row);
        columns.is_forgotten(row)
    }

    /// Whether these records have names at all.
    pub(crate) fn has_names(&self) -> bool {
        self.0.iter().any(|(_, columns)| !columns.names.is_empty())
    }

    #[inline]
    pub(crate) fn name(&self, row: u32) -> NameValues {
        let (columns, row) = self.0.find(row);
        columns.name(row)
    }

    pub(crate) fn other_names(&self, row: u32) -> &[OtherName] {
        let (columns, row) = self.0.find(row);
        columns.other_names(row)
    }

    /// A hash of all values of a record but its id, the same in every run.
    pub(crate) fn hash_of_values(&self, row: u32) -> u64 {
        let (columns, row) = self.0.find(row);
        let NameValues { written, kana, family, given } = columns.name(row);
        let names = [written, kana, family, given, columns.former_place(row)];
        let values = columns.values.iter().map(|column| column[row]);
        let others = columns.other_names(row).len() as u64;
        names.into_iter().chain(values).fold(others, |key, id| hash::mix(key, id.into()))
    }

    /// Whether two records have the same values, ids aside.
    pub(crate) fn have_same_values(&self, a: u32, b: u32) -> bool {
        let ((one, a), (other, b)) = (self.0.find(a), self.0.find(b));
        one.name(a) == other.name(b)
            && one.former_place(a) == other.former_place(b)
            && one.other_names(a) == other.other_names(b)
            && one.values.iter().zip(&other.values).all(|(one, other)| one[a] == other[b])
    }

    #[inline]
    pub(crate) fn value(&self, column: usize, row: u32) -> u32 {
        let (columns, row) = self.0.find(row);
        columns.values[column][row]
    }

    /// The place a resident has left; nothing where the register does not say so of anybody.
    pub(crate) fn former_place(&self, row: u32) -> Option<u32> {
        let (columns, row) = self.0.find(row);
        columns.former_places.get(row).copied()
    }

    /// Whether any field of the record can be evidence.
    pub(crate) fn has_evidence(&self, row: u32) -> bool {
        let (columns, row) = self.0.find(row);
        let name = columns.name(row);
        name.family != NONE
            || name.given != NONE
            || !columns.other_names(row).is_empty()
            || columns.values.iter().any(|column| column[row] != NONE)
    }
}

/// The hash of an id, equal for those that differ by zeros in front alone: one table finds a record by its id, and those beside it.
fn hash_of(id: &str) -> u64 {
    Seeded::default().hash_one(without_zeros(id))
}

impl Columns {
    /// Records with these ids, still without values.
    pub(crate) fn of(ids: TextArena) -> Self {
        Self { ids, ..Self::default() }
    }

    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    #[inline]
    fn name(&self, row: usize) -> NameValues {
        self.names.get(row).copied().unwrap_or(NameValues::NONE)
    }

    fn former_place(&self, row: usize) -> u32 {
        self.former_places.get(row).copied().unwrap_or(NONE)
    }

    fn other_names(&self, row: usize) -> &[OtherName] {
        u32::try_from(row).map_or(&[], |row| self.other_names.of(row))
    }

    fn is_forgotten(&self, row: usize) -> bool {
        u32::try_from(row).is_ok_and(|row| self.forgotten.binary_search(&row).is_ok())
    }

    /// The row with this id: the first one that takes part, or the last one where deltas replace records.
    fn row(&self, id: &str, first: bool) -> Option<u32> {
        let table = self.table(first);
        table.find(hash_of(id), |&row| self.ids.get(row) == id).copied()
    }

    /// The ids that differ from this one by zeros in front alone.
    fn with_other_zeros<'a>(&'a self, id: &'a str, first: bool) -> impl Iterator<Item = &'a str> {
        let of_hash = self.table(first).iter_hash(hash_of(id));
        let ids = of_hash.map(|&row| self.ids.get(row));
        ids.filter(move |&other| other != id && without_zeros(other) == without_zeros(id))
    }

    fn table(&self, first: bool) -> &HashTable<u32> {
        self.by_id.get_or_init(|| {
            let mut table = HashTable::with_capacity(self.len());
            let rows = u32::try_from(self.len()).expect("fewer than 2^32 records");
            (0..rows).for_each(|row| self.note_id(&mut table, row, first));
            table
        })
    }

    fn note_id(&self, table: &mut HashTable<u32>, row: u32, first: bool) {
        let hash = |row: u32| hash_of(self.ids.get(row));
        let same = |&other: &u32| self.ids.get(other) == self.ids.get(row);
        match table.entry(hash(row), same, |&other| hash(other)) {
            Entry::Vacant(entry) => {
                entry.insert(row);
            }
            Entry::Occupied(mut entry) => {
                let forgotten = |row: u32| self.is_forgotten(row as usize);
                if !first || forgotten(*entry.get()) && !forgotten(row) {
                    *entry.get_mut() = row;
                }
            }
        }
    }

    /// Counts whole names from so many on, those of the register before these.
    pub(crate) fn raise_wholes(&mut self, (written, kana): (usize, usize)) {
        let by = |count: usize| u32::try_from(count).expect("fewer than 2^32 distinct names");
        let raise = |id: &mut u32, by: u32| {
            if *id != NONE {
                *id = id.checked_add(by).expect("fewer than 2^32 distinct names");
            }
        };
        let others = self.other_names.iter_mut().map(|other| &mut other.name);
        for name in self.names.iter_mut().chain(others) {
            raise(&mut name.written, by(written));
            raise(&mut name.kana, by(kana));
        }
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
                self.forgotten.push(row);
            }
        }
        self.forgotten.sort_unstable();
        self.forgotten.dedup();
        self.by_id.take();
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
}

impl Layer for Columns {
    fn len(&self) -> usize {
        self.ids.len()
    }

    fn shrink(&mut self) {
        self.ids.shrink();
        self.names.shrink_to_fit();
        self.other_names.shrink();
        let columns = self.values.iter_mut().chain([&mut self.former_places]);
        columns.for_each(Vec::shrink_to_fit);
    }

    fn append(&mut self, above: &Self) {
        let rows = |columns: &Self| u32::try_from(columns.len()).expect("fewer than 2^32 records");
        let below = rows(self);
        self.ids.append(&above.ids);
        self.names.extend_from_slice(&above.names);
        self.has_readings |= above.has_readings;
        self.other_names.append(&above.other_names, below);
        let columns = self.values.iter_mut().zip(&above.values);
        columns.for_each(|(column, above)| column.extend_from_slice(above));
        self.former_places.extend_from_slice(&above.former_places);
        self.forgotten.extend(above.forgotten.iter().map(|row| below + row));
        if let Some(mut table) = self.by_id.take() {
            (below..rows(self)).for_each(|row| self.note_id(&mut table, row, false));
            self.by_id = OnceLock::from(table);
        }
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

impl Normalised {
    /// From now on, the values of others may stand on those of these records.
    pub(crate) fn leave_values(&mut self) {
        self.names.leave();
        self.comparisons.iter_mut().for_each(Comparison::leave);
    }
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
