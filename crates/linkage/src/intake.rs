//! Taking records in: raw values are numbered as they arrive and normalised once all are there.

use std::borrow::Cow;
use std::sync::Arc;

use rayon::prelude::*;
use renkei_japanese::{address, name};
use renkei_types::{Clock, FieldKind};

use crate::dedupe::Dedupable;
use crate::field::Fields;
use crate::forms::{FEW, NONE};
use crate::intern::{self, Interner, TextArena};
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
    /// What stands behind `rows` where a text is divided: a name from its space on, an address from its first number on;
    /// else [`NONE`]. There are far fewer halves than wholes.
    pub(crate) rest: Vec<u32>,
    division: Division,
}

/// How texts of a column are divided.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Division {
    #[default]
    None,
    /// Where one space divides it.
    Name,
    /// Before the first number.
    Address,
}

impl Division {
    /// No person has a longer one. It is read as a whole.
    const ADDRESS_BYTES_MAX: usize = 300;

    fn of(kind: FieldKind) -> Self {
        if matches!(kind, FieldKind::PersonName | FieldKind::KanaName) {
            Self::Name
        } else if kind == FieldKind::Address {
            Self::Address
        } else {
            Self::None
        }
    }

    fn divide(self, text: &str) -> Option<(&str, &str)> {
        match self {
            Self::None => None,
            Self::Name => name::divide(text),
            Self::Address if text.len() > Self::ADDRESS_BYTES_MAX => None,
            Self::Address => address::divide(text),
        }
    }
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
        self.extend_all(std::slice::from_ref(rows));
    }

    /// The same with several batches of rows. Tens of thousands of rows at a time are taken faster: fields are taken one
    /// after the other, and the values of each push those of the one before out of the processor's cache.
    pub fn extend_all(&mut self, batches: &[impl Rows]) {
        let fields = &self.fields;
        self.raw.extend(batches, |field| fields.reads_of_register(field));
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
        self.extend_all(std::slice::from_ref(rows));
    }

    /// The same with several batches of rows; see [`RegisterIntake::extend_all`].
    pub fn extend_all(&mut self, batches: &[impl Rows]) {
        let index = &self.index;
        self.raw.extend(batches, |field| index.reads_of_list(field));
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
        let columns =
            fields.fields.iter().map(|field| RawColumn::new(Division::of(field.kind))).collect();
        Self { ids: TextArena::default(), columns }
    }

    pub(crate) fn extend(&mut self, batches: &[impl Rows], takes: impl Fn(usize) -> bool + Sync) {
        for rows in batches {
            (0..rows.len()).for_each(|row| {
                self.ids.push(rows.id(row));
            });
        }
        let take = |(field, column): (usize, &mut RawColumn)| {
            if takes(field) {
                let (mut scratch, mut together) = (String::new(), Together::default());
                for rows in batches {
                    for row in 0..rows.len() {
                        together.push(rows.text(field, row, &mut scratch), column.division);
                        if together.is_full() {
                            column.take(&mut together);
                        }
                    }
                }
                column.take(&mut together);
            }
        };
        if batches.iter().map(Rows::len).sum::<usize>() < FEW {
            self.columns.iter_mut().enumerate().for_each(take);
        } else {
            self.columns.par_iter_mut().enumerate().for_each(take);
        }
    }
}

impl RawColumn {
    fn new(division: Division) -> Self {
        Self { division, ..Self::default() }
    }

    /// A column of these texts.
    pub(crate) fn of(division: Division, texts: impl Iterator<Item = impl AsRef<str>>) -> Self {
        let (mut column, mut together) = (Self::new(division), Together::default());
        for text in texts {
            together.push(text.as_ref(), division);
            if together.is_full() {
                column.take(&mut together);
            }
        }
        column.take(&mut together);
        column
    }

    /// Takes some rows.
    fn take(&mut self, together: &mut Together) {
        let Self { values, rows, rest, division } = self;
        let Together { texts, pieces, found } = together;
        values.fetch(pieces.iter().filter(|piece| piece.is_sought()).map(|piece| piece.tag), found);
        let mut before = [rows.last().copied(), rest.last().copied()];
        for (at, piece) in pieces.iter().enumerate() {
            let of_rest = *division != Division::None && at % 2 == 1;
            let before = &mut before[usize::from(of_rest)];
            let text = &texts[piece.start..piece.end];
            let id = match *before {
                _ if text.is_empty() => NONE,
                Some(id) if piece.is_repeated => id,
                Some(_) | None => values.intern_tagged(piece.tag, text).0,
            };
            *before = Some(id);
            if of_rest { rest.push(id) } else { rows.push(id) }
        }
        texts.clear();
        pieces.clear();
    }

    /// The column with every value in one piece.
    pub(crate) fn undivided(self) -> Self {
        if self.rest.iter().all(|&rest| rest == NONE) {
            return Self { rest: Vec::new(), ..self };
        }
        Self::of(Division::None, self.cells().map(|cells| self.text(cells)))
    }

    /// What stands in the rows, in two pieces each.
    pub(crate) fn cells(&self) -> impl Iterator<Item = (u32, u32)> {
        let rest = self.rest.iter().copied().chain(std::iter::repeat(NONE));
        self.rows.iter().copied().zip(rest)
    }

    /// The text of two pieces.
    pub(crate) fn text(&self, (first, rest): (u32, u32)) -> Cow<'_, str> {
        let text = |id: u32| if id == NONE { "" } else { self.values.get(id) };
        match rest {
            NONE => Cow::Borrowed(text(first)),
            rest => Cow::Owned(format!("{}{}", text(first), text(rest))),
        }
    }

    /// What stands in a row, in its two pieces.
    pub(crate) fn value(&self, row: u32) -> (u32, u32) {
        (self.rows[row as usize], self.rest.get(row as usize).copied().unwrap_or(NONE))
    }
}

/// Texts of one field that are looked for together.
#[derive(Debug, Default)]
struct Together {
    texts: String,
    /// Of each row its text, or its two halves one after the other.
    pieces: Vec<Piece>,
    found: Vec<u32>,
}

/// A text that is to be numbered.
#[derive(Clone, Copy, Debug)]
struct Piece {
    start: usize,
    end: usize,
    tag: u32,
    /// Whether the row before has the same. Households stand together in registers, and share names and addresses.
    is_repeated: bool,
}

impl Piece {
    /// Whether the number has to be looked for.
    fn is_sought(&self) -> bool {
        self.start < self.end && !self.is_repeated
    }
}

impl Together {
    /// Enough for memory to be busy with many at a time; few enough to stay at hand.
    const FULL: usize = 64;

    fn is_full(&self) -> bool {
        self.pieces.len() >= Self::FULL
    }

    /// Adds the text of a row, in halves where it can be divided.
    fn push(&mut self, text: &str, division: Division) {
        if division == Division::None {
            self.push_piece(text, 1);
            return;
        }
        let (first, rest) = division.divide(text).unwrap_or((text, ""));
        self.push_piece(first, 2);
        self.push_piece(rest, 2);
    }

    fn push_piece(&mut self, text: &str, of_row: usize) {
        let before = self.pieces.len().checked_sub(of_row).map(|at| self.pieces[at]);
        let before = before.filter(|before| self.texts[before.start..before.end] == *text);
        let start = self.texts.len();
        self.texts.push_str(text);
        let tag = before.map_or_else(|| intern::tag(text), |before| before.tag);
        let end = self.texts.len();
        self.pieces.push(Piece { start, end, tag, is_repeated: before.is_some() });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The numbers of texts as they would be given one by one.
    fn one_by_one(texts: &[String], division: Division) -> (Vec<u32>, Vec<u32>, Vec<String>) {
        let mut known: Vec<String> = Vec::new();
        let mut number = |text: &str| {
            if text.is_empty() {
                return NONE;
            }
            let at = known.iter().position(|other| other == text).unwrap_or_else(|| {
                known.push(text.to_owned());
                known.len() - 1
            });
            u32::try_from(at).expect("few")
        };
        let (mut rows, mut rest) = (Vec::new(), Vec::new());
        for text in texts {
            let (first, second) = division.divide(text).unwrap_or((text, ""));
            rows.push(number(first));
            if division != Division::None {
                rest.push(number(second));
            }
        }
        (rows, rest, known)
    }

    struct Texts<'a>(&'a [String]);

    impl Rows for Texts<'_> {
        fn len(&self) -> usize {
            self.0.len()
        }

        fn id(&self, row: usize) -> &str {
            &self.0[row]
        }

        fn text<'a>(&'a self, _: usize, row: usize, _: &'a mut String) -> &'a str {
            &self.0[row]
        }
    }

    proptest! {
        #[test]
        fn texts_that_are_looked_for_together_get_the_numbers_that_each_would_get(
            batches in prop::collection::vec(prop::collection::vec("([山川森]{0,2}( [あい]{1,2})?[12]{0,2})|", 0..150), 1..4),
            kind in prop::sample::select(vec![FieldKind::PersonName, FieldKind::Address, FieldKind::Sex]),
        ) {
            let texts = batches.concat();
            let mut raw = RawRecords { ids: TextArena::default(), columns: vec![RawColumn::new(Division::of(kind))] };
            let batches: Vec<Texts<'_>> = batches.iter().map(|batch| Texts(batch)).collect();
            let (one, two) = batches.split_at(batches.len() / 2);
            [one, two].iter().for_each(|batches| raw.extend(batches, |_| true));
            let (rows, rest, known) = one_by_one(&texts, Division::of(kind));
            prop_assert!(raw.ids.iter().eq(&texts));
            let column = &raw.columns[0];
            prop_assert_eq!(&column.rows, &rows);
            prop_assert_eq!(&column.rest, &rest);
            prop_assert_eq!(column.values.iter().collect::<Vec<_>>(), known);
        }
    }
}
