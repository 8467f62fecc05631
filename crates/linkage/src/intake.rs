//! Taking records in: raw values are numbered as they arrive and normalised once all are there.

use std::sync::Arc;

use rayon::prelude::*;
use renkei_japanese::name;
use renkei_types::{Clock, FieldKind};

use crate::dedupe::Dedupable;
use crate::field::Fields;
use crate::forms::{FEW, NONE};
use crate::intern::{Interner, TextArena};
use crate::job::{Stage, Watcher};
use crate::model::Model;
use crate::records::{Linkable, Normalised};
use crate::register_index::{IndexTimes, RegisterIndex, Serves};
use crate::sealing;

/// Rows of a file as the intake wants them.
pub trait Rows: Sync {
    /// How many rows.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The id of a row.
    fn id(&self, row: usize) -> &str;

    /// The text of a field (an index into [`Fields::fields`]) in a row, empty where there is none. Text that stands in
    /// several columns may be put together in `scratch`.
    fn text<'a>(&'a self, field: usize, row: usize, scratch: &'a mut String) -> &'a str;
}

/// Collects the records of a register.
#[derive(Debug)]
pub struct RegisterIntake {
    fields: Fields,
    raw: RawRecords,
}

/// Collects the lines of a list, or a single query, to be read against a register.
#[derive(Debug)]
pub struct ListIntake {
    index: Arc<RegisterIndex>,
    raw: RawRecords,
}

/// Records as they came.
#[derive(Clone, Debug, Default)]
pub(crate) struct RawRecords {
    pub(crate) ids: TextArena,
    /// One for each field.
    pub(crate) columns: Vec<RawColumn>,
}

/// The values of one field, numbered.
#[derive(Clone, Debug, Default)]
pub(crate) struct RawColumn {
    pub(crate) values: Interner,
    pub(crate) rows: Vec<u32>,
    /// Of names: what stands behind `rows`, from the space on, where one space divides a name; else [`NONE`]. There are
    /// far fewer halves than names.
    pub(crate) rest: Vec<u32>,
    divides: bool,
}

impl RegisterIntake {
    /// Ready for records with these fields. What a list has (`in_list`) decides which part a field plays, and is the same
    /// for every list that the register will meet; a list may lack some of it.
    pub fn new(fields: Fields) -> Self {
        let raw = RawRecords::new(&fields);
        Self { fields, raw }
    }

    /// Takes some rows, in the file's order. Fields are taken in parallel.
    pub fn extend(&mut self, rows: &impl Rows) {
        let fields = &self.fields;
        self.raw.extend(rows, |field| fields.reads_of_register(field));
    }

    /// Normalises every distinct value and indexes the records; no more will come. `left_out` are rows that take no
    /// part: they have no values and are never found.
    pub fn seal(
        self,
        left_out: &[usize],
        serves: Serves,
        clock: &dyn Clock,
        watcher: &dyn Watcher,
    ) -> RegisterIndex {
        watcher.stage(Stage::Index, 0);
        RegisterIndex::build(self.fields, self.raw, left_out, serves, clock)
    }

    /// The same with all that was learned and counted when another register was built: frequencies, what relatives share,
    /// how names and addresses are read, blocking rules. So a line weighs what it weighs against the other one with these
    /// records. The index serves whom the other one serves.
    ///
    /// # Panics
    /// The fields are not those of the other register.
    pub fn seal_counted_as(
        self,
        other: &RegisterIndex,
        left_out: &[usize],
        clock: &dyn Clock,
        watcher: &dyn Watcher,
    ) -> RegisterIndex {
        assert_eq!(
            &self.fields,
            other.fields(),
            "registers that are counted alike have equal fields"
        );
        watcher.stage(Stage::Index, 0);
        other.build_again(self.raw, left_out, clock)
    }

    /// Normalises and indexes the records to be linked to each other. `left_out` are rows that take no part; the model, where there is
    /// one, is that with which they will be weighed, and says which fields are compared.
    pub fn seal_for_dedupe(
        self,
        left_out: &[usize],
        model: Option<&Model>,
        clock: &dyn Clock,
        watcher: &dyn Watcher,
    ) -> Dedupable {
        watcher.stage(Stage::Index, 0);
        Dedupable::build(self.fields, self.raw, left_out, model, clock)
    }
}

impl ListIntake {
    /// Ready for lines to be linked to this register.
    pub fn new(index: Arc<RegisterIndex>) -> Self {
        let raw = RawRecords::new(index.fields());
        Self { index, raw }
    }

    /// Takes some rows, in the file's order. Fields are those of the register; those that the list has not are empty.
    pub fn extend(&mut self, rows: &impl Rows) {
        let index = &self.index;
        self.raw.extend(rows, |field| index.reads_of_list(field));
    }

    /// Normalises every distinct value; no more lines will come. A line is read by itself and the register alone: it
    /// weighs the same in any list and in a query.
    pub fn seal(self) -> Linkable {
        self.normalise(false).index()
    }

    /// The same, but the lines help to read each other: where one has a space between family and given name, or names its
    /// municipality, the others may be without. For a register that says little of itself, and a list that stands alone.
    /// Where the register's index was left to the list, it is made here, and timed.
    pub fn seal_learning(self, clock: &dyn Clock) -> (Linkable, IndexTimes) {
        let start = clock.monotonic();
        let list = self.normalise(true);
        let normalised = clock.monotonic();
        let linkable = list.index();
        let times = IndexTimes {
            normalise: normalised.saturating_sub(start),
            index: clock.monotonic().saturating_sub(normalised),
        };
        (linkable, times)
    }

    fn normalise(self, learns: bool) -> NormalisedList {
        let list = sealing::list(&self.index, self.raw, learns);
        NormalisedList { index: self.index, list }
    }
}

/// A list that has been read, and may still have to bring the register's index.
struct NormalisedList {
    index: Arc<RegisterIndex>,
    list: Normalised,
}

impl NormalisedList {
    fn index(self) -> Linkable {
        let Self { index, list } = self;
        let blocking = index.blocking_for(&list);
        Linkable { index, list, blocking }
    }
}

impl RawRecords {
    pub(crate) fn new(fields: &Fields) -> Self {
        let columns = fields.fields.iter().map(|field| RawColumn::new(field.kind)).collect();
        Self { ids: TextArena::default(), columns }
    }

    pub(crate) fn extend(&mut self, rows: &impl Rows, takes: impl Fn(usize) -> bool + Sync) {
        (0..rows.len()).for_each(|row| {
            self.ids.push(rows.id(row));
        });
        let take = |(field, column): (usize, &mut RawColumn)| {
            if takes(field) {
                let mut scratch = String::new();
                (0..rows.len()).for_each(|row| column.push(rows.text(field, row, &mut scratch)));
            }
        };
        if rows.len() < FEW {
            self.columns.iter_mut().enumerate().for_each(take);
        } else {
            self.columns.par_iter_mut().enumerate().for_each(take);
        }
    }
}

impl RawColumn {
    fn new(kind: FieldKind) -> Self {
        let divides = matches!(kind, FieldKind::PersonName | FieldKind::KanaName);
        Self { divides, ..Self::default() }
    }

    fn push(&mut self, text: &str) {
        let halves = if self.divides { name::divide(text) } else { None };
        let (first, rest) = halves.unwrap_or((text, ""));
        let first = self.id(first, self.rows.last().copied());
        self.rows.push(first);
        if self.divides {
            let rest = self.id(rest, self.rest.last().copied());
            self.rest.push(rest);
        }
    }

    /// Households stand together in registers, and share names and addresses: the text of the row before is at hand, one that has
    /// to be looked for lies somewhere in many megabytes.
    fn id(&mut self, text: &str, before: Option<u32>) -> u32 {
        match before {
            _ if text.is_empty() => NONE,
            Some(before) if before != NONE && self.values.get(before) == text => before,
            Some(_) | None => self.values.intern(text).0,
        }
    }

    /// The column with every value in one piece.
    pub(crate) fn undivided(self) -> Self {
        if self.rest.iter().all(|&rest| rest == NONE) {
            return Self { rest: Vec::new(), ..self };
        }
        let mut whole = Self::default();
        for (&first, &rest) in self.rows.iter().zip(&self.rest) {
            let text = |id: u32| if id == NONE { "" } else { self.values.get(id) };
            whole.push(&format!("{}{}", text(first), text(rest)));
        }
        whole
    }

    /// What stands in a row, in its two pieces.
    pub(crate) fn value(&self, row: u32) -> (u32, u32) {
        (self.rows[row as usize], self.rest.get(row as usize).copied().unwrap_or(NONE))
    }
}
