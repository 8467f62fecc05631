//! Normalising: raw columns of a register or a list become columns of ids.
//!
//! Each side is sealed alone. A list is read against the tables of the register, which do not change: its new values get
//! ids above the register's.

use hashbrown::HashSet;
use renkei_japanese::date::{self, DateReading};
use renkei_japanese::postal::PostalCode;
use renkei_japanese::sex::{self, Sex, SexReading};
use renkei_types::{DateOrder, FieldKind};

use crate::comparison::{Comparison, DateForm, Measure};
use crate::field::{Fields, Role};
use crate::forms::name_keys::WholeNames;
use crate::forms::names::{NameReader, Names, Wholes};
use crate::forms::parts::Parts;
use crate::forms::whole_names::{Cell, NameColumn, Parted};
use crate::forms::{NONE, normalise, texts};
use crate::hash::Seeded;
use crate::intake::{RawColumn, RawRecords};
use crate::intern::Interner;
use crate::layers::Distinct;
use crate::records::{Columns, How, Normalised, Records};
use crate::register_index::RegisterIndex;

/// Normalises a register. Its tables are shared once everything that adds to them is done.
pub(crate) fn register(fields: &Fields, roles: &[Role], raw: RawRecords) -> Normalised {
    let comparisons = Vec::new();
    let sealing =
        Sealing { fields, roles, raw, side: Side::Register, register_names: None, learns: true };
    let mut sealed = sealing.seal(comparisons);
    sealed.names.share();
    sealed.comparisons.iter_mut().for_each(Comparison::share);
    sealed.alone()
}

/// Normalises a list. `learns` says whether its lines help to read each other.
pub(crate) fn list(index: &RegisterIndex, raw: RawRecords, learns: bool) -> Normalised {
    above(index, raw, Side::List, learns).alone()
}

/// Normalises records that join those of a register.
pub(crate) fn joining(index: &RegisterIndex, raw: RawRecords) -> Normalised {
    let Sealed { mut columns, wholes, names, comparisons } =
        above(index, raw, Side::Register, false);
    let register = &index.register;
    columns.raise_wholes(register.wholes.shared());
    let (records, wholes) = (register.records.with(columns), register.wholes.with(wholes));
    Normalised { records, wholes, names, comparisons }
}

/// Normalises the records of a register in place of another's, with all that was learned when that was built.
pub(crate) fn in_place_of(index: &RegisterIndex, raw: RawRecords) -> Normalised {
    above(index, raw, Side::Register, false).alone()
}

/// Normalises records whose values stand above those of a register.
fn above(index: &RegisterIndex, raw: RawRecords, side: Side, learns: bool) -> Sealed {
    let comparisons = index.register.comparisons.iter().map(Comparison::above).collect();
    let (fields, roles) = (index.fields(), index.roles());
    let register_names = Some(&index.register.names);
    Sealing { fields, roles, raw, side, register_names, learns }.seal(comparisons)
}

/// Records that were normalised, with the values that they have beyond those of their register.
struct Sealed {
    columns: Columns,
    wholes: WholeNames,
    names: Names,
    comparisons: Vec<Comparison>,
}

impl Sealed {
    /// The records by themselves.
    fn alone(self) -> Normalised {
        let Self { columns, wholes, names, comparisons } = self;
        Normalised { records: Records::of(columns), wholes, names, comparisons }
    }
}

/// Whether most distinct values of a column hold a Japanese letter.
pub(crate) fn is_japanese(column: &RawColumn) -> bool {
    let has_japanese = |text: &str| text.chars().any(|c| ('\u{3040}'..='\u{9fff}').contains(&c));
    let of_texts: Vec<bool> = column.values.iter().map(has_japanese).collect();
    let is_japanese = |id: u32| of_texts.get(id as usize).copied().unwrap_or(false);
    let mut distinct: HashSet<(u32, u32), Seeded> = HashSet::default();
    let (mut count, mut before) = (0, None);
    for cells in column.cells().filter(|(first, _)| *first != NONE) {
        if before.replace(cells) != Some(cells) && distinct.insert(cells) {
            count += usize::from(is_japanese(cells.0) || is_japanese(cells.1));
        }
    }
    count * 2 > distinct.len()
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Side {
    Register,
    List,
}

struct Sealing<'a> {
    fields: &'a Fields,
    roles: &'a [Role],
    raw: RawRecords,
    side: Side,
    /// For a list, or for records that join a register: the names of the register.
    register_names: Option<&'a Names>,
    /// Whether what these records show helps to read them.
    learns: bool,
}

/// The form of each distinct text of a field.
type Forms = Option<(usize, Vec<u32>)>;

impl Sealing<'_> {
    /// `comparisons` are those of the register that the records are read against; there are none yet for a new register.
    fn seal(mut self, mut comparisons: Vec<Comparison>) -> Sealed {
        let mut records = Columns::of(std::mem::take(&mut self.raw.ids));
        let rows = records.len();
        let mut asked = std::mem::take(&mut comparisons).into_iter();
        let (names, wholes) = self.names(rows, &mut records, &mut asked, &mut comparisons);
        self.places(rows, &mut records, &mut asked, &mut comparisons);
        for field in 0..self.roles.len() {
            if self.roles[field] == Role::Alone {
                let mut comparison = asked.next().unwrap_or_else(|| self.alone(field, &records));
                self.raw.columns[field] = std::mem::take(&mut self.raw.columns[field]).undivided();
                let forms = self.alone_forms(field, &mut comparison.measure);
                let mut column = std::mem::take(&mut self.raw.columns[field].rows);
                column.iter_mut().for_each(|raw| *raw = form(&forms, *raw));
                column.resize(rows, NONE);
                records.values.push(column);
                comparisons.push(comparison);
            }
        }
        Sealed { columns: records, wholes: wholes.keys, names, comparisons }
    }

    fn with_role(&self, role: Role) -> impl Iterator<Item = usize> + '_ {
        (0..self.roles.len()).filter(move |&field| self.roles[field] == role)
    }

    fn values(&self, field: usize) -> &Interner {
        &self.raw.columns[field].values
    }

    /// The form of a field in a row.
    fn form(&self, field: usize, forms: &[u32], row: usize) -> u32 {
        form(forms, self.raw.columns[field].rows.get(row).copied().unwrap_or(NONE))
    }

    /// Names in all their views, and the comparisons that ask about them.
    fn names(
        &mut self,
        rows: usize,
        records: &mut Columns,
        asked: &mut impl Iterator<Item = Comparison>,
        comparisons: &mut Vec<Comparison>,
    ) -> (Names, Wholes) {
        let mut reader = NameReader::new(self.learns);
        let main = |role: Role| self.with_role(role).next();
        let (written, kana) = (main(Role::Written), main(Role::Kana));
        let other: Vec<usize> = match self.side {
            Side::Register => self.with_role(Role::OtherName).collect(),
            Side::List => self.with_role(Role::AccountHolder).filter(|_| kana.is_some()).collect(),
        };
        let columns = &mut self.raw.columns;
        let written = written.map(|field| (field, reader.written_with_others(&mut columns[field])));
        let kana = kana.map(|field| (field, reader.kana(&mut columns[field])));
        let others: Vec<NameColumn> = other
            .into_iter()
            .map(|field| match self.side {
                Side::Register => reader.written(&mut columns[field]),
                Side::List => reader.kana(&mut columns[field]),
            })
            .collect();
        let (mut names, wholes) = reader.settle(self.register_names);
        let part = |role: Role, names: &mut Names| {
            let field = self.with_role(role).next()?;
            Some((field, names.written_part_column(self.values(field))))
        };
        let family = part(Role::Family, &mut names);
        let given = part(Role::Given, &mut names);
        let fields = [
            written.as_ref().map(|(field, _)| *field),
            kana.as_ref().map(|(field, _)| *field),
            family.as_ref().map(|(field, _)| *field),
            given.as_ref().map(|(field, _)| *field),
        ];
        if fields.iter().all(Option::is_none) {
            return (names, wholes);
        }
        let cell = |column: &Option<(usize, NameColumn)>, row: usize| {
            column.as_ref().map_or(Cell::None, |(_, column)| column.cell(row))
        };
        let part = |column: &Forms, row: usize| {
            column.as_ref().map_or(NONE, |(field, forms)| self.form(*field, forms, row))
        };
        records.names = (0..rows)
            .map(|row| {
                let kana = wholes.kana.parted(cell(&kana, row));
                records.has_readings |= !kana.is_none();
                let (family, given) = (part(&family, row), part(&given, row));
                let in_parts = family != NONE && given != NONE;
                let whole = if in_parts { Cell::None } else { cell(&written, row) };
                let mut name = names.join(wholes.written.parted(whole), kana);
                if whole != Cell::None {
                    names.divide_by(&mut name, family, given);
                }
                if family != NONE {
                    name.family = names.join_part(family, names.kana_of(name.family));
                }
                if given != NONE {
                    name.given = names.join_part(given, names.kana_of(name.given));
                }
                name
            })
            .collect();
        let own = written.as_ref().map(|(_, column)| column);
        self.other_names(records, &mut names, &wholes, own, &others);
        if let Some((_, written)) = &written {
            for (row, cell) in written.others() {
                let own = records.names[row];
                let reading = wholes
                    .kana
                    .parted(kana.as_ref().map_or(Cell::None, |(_, column)| column.cell(row)));
                let other = names.other_name(wholes.written.parted(cell), reading, own);
                records.add_name(row, other, How::Alias);
            }
        }
        let labelled = self.name_comparisons(fields);
        comparisons.extend(labelled.map(|own| asked.next().unwrap_or(own)));
        for field in fields.into_iter().flatten() {
            self.raw.columns[field] = Default::default();
        }
        (names, wholes)
    }

    /// What is asked about names.
    fn name_comparisons(&self, fields: [Option<usize>; 4]) -> [Comparison; 3] {
        let [written, kana, family, given] = fields;
        let label = |fields: [Option<usize>; 3]| {
            let names =
                fields.iter().flatten().map(|&field| self.fields.fields[field].name.as_str());
            names.collect::<Vec<_>>().join("+")
        };
        let (family, given) = (label([written, kana, family]), label([written, kana, given]));
        [
            Comparison { name: "name order".into(), measure: Measure::Arrangement },
            Comparison { name: format!("family name ({family})").into(), measure: Measure::Family },
            Comparison { name: format!("given name ({given})").into(), measure: Measure::Given },
        ]
    }

    /// 旧氏 and 通称 of residents, account holders of lines.
    fn other_names(
        &self,
        records: &mut Columns,
        names: &mut Names,
        wholes: &Wholes,
        written: Option<&NameColumn>,
        columns: &[NameColumn],
    ) {
        for column in columns {
            for row in 0..records.len() {
                let cell = column.cell(row);
                if cell == Cell::None {
                    continue;
                }
                let own = records.names[row];
                match self.side {
                    Side::Register => {
                        let other =
                            names.other_name(wholes.written.parted(cell), Parted::NONE, own);
                        records.add_name(row, other, How::Alias);
                    }
                    Side::List => {
                        let written = written.map_or(Cell::None, |column| column.cell(row));
                        let holder =
                            names.join(wholes.written.parted(written), wholes.kana.parted(cell));
                        records.add_name(row, holder, How::AccountHolder);
                    }
                }
            }
        }
    }

    /// Address and postal code as one comparison.
    fn places(
        &mut self,
        rows: usize,
        records: &mut Columns,
        asked: &mut impl Iterator<Item = Comparison>,
        comparisons: &mut Vec<Comparison>,
    ) {
        let Some(address) = self.with_role(Role::Address).next() else {
            return;
        };
        let postal = self.with_role(Role::Postal).next();
        let mut comparison = asked.next().unwrap_or_else(|| {
            let name = &self.fields.fields[address].name;
            let name =
                if postal.is_some() { format!("{name} and postal code") } else { name.clone() };
            let measure =
                Measure::Place { column: records.values.len(), addresses: Box::default() };
            Comparison { name: name.into(), measure }
        });
        let Measure::Place { addresses, .. } = &mut comparison.measure else {
            unreachable!("what is asked after names is asked about the place");
        };
        let mut raw = std::mem::take(&mut self.raw.columns[address]);
        let mut read = match self.side {
            Side::Register => addresses.register_column(&raw, self.learns),
            Side::List => addresses.list_column(&raw, self.learns),
        };
        raw.values = Interner::default();
        let codes: Option<(usize, Vec<Option<PostalCode>>)> =
            postal.map(|field| (field, self.values(field).iter().map(PostalCode::read).collect()));
        let code = |row: usize| {
            let (field, codes) = codes.as_ref()?;
            let raw = *self.raw.columns[*field].rows.get(row)?;
            Some((raw, codes.get(raw as usize).copied().flatten()))
        };
        // Households stand together in registers: whoever has the address and the postal code of the row before has its place.
        let mut before = None;
        let column = (0..rows).zip(raw.cells().chain(std::iter::repeat((NONE, NONE)))).map(
            |(row, cells)| {
                let code = code(row);
                let row = (cells, code.map(|(raw, _)| raw));
                match before {
                    Some((same, id)) if same == row => id,
                    Some(_) | None => {
                        let place = addresses.settle(&mut read, cells);
                        let id = addresses.intern(place, code.and_then(|(_, code)| code));
                        before = Some((row, id));
                        id
                    }
                }
            },
        );
        records.values.push(column.collect());
        drop(read);
        let former = self.with_role(Role::FormerAddress).next();
        if let (Side::Register, Some(field)) = (self.side, former) {
            let raw = std::mem::take(&mut self.raw.columns[field]);
            let mut read = addresses.former_column(&raw, self.learns);
            let place = |cells| {
                let place = addresses.settle(&mut read, cells);
                addresses.intern(place, None)
            };
            records.former_places = raw.cells().map(place).collect();
        }
        for field in [Some(address), postal, former].into_iter().flatten() {
            self.raw.columns[field] = Default::default();
        }
        comparisons.push(comparison);
    }

    /// A field that is compared on its own.
    fn alone(&self, field: usize, records: &Columns) -> Comparison {
        let column = records.values.len();
        let field = &self.fields.fields[field];
        let measure = match field.kind {
            FieldKind::Date => Measure::Date { column, dates: Distinct::default() },
            FieldKind::Sex => Measure::Sex { column },
            FieldKind::PersonName
            | FieldKind::GivenName
            | FieldKind::FamilyName
            | FieldKind::KanaName
            | FieldKind::Address
            | FieldKind::FreeText => Measure::Text { column, texts: Parts::default() },
            FieldKind::PostalCode | FieldKind::Phone | FieldKind::Identifier => {
                Measure::Identifier { column, texts: Parts::default() }
            }
            // An amount never gets here: it is no evidence and has no role.
            FieldKind::Category | FieldKind::Amount => {
                Measure::Category { column, texts: Parts::default() }
            }
        };
        Comparison { name: field.name.as_str().into(), measure }
    }

    /// The form of each distinct text of such a field.
    fn alone_forms(&self, field: usize, measure: &mut Measure) -> Vec<u32> {
        let values = self.values(field);
        match measure {
            Measure::Date { dates, .. } => self.date_forms(values, dates),
            Measure::Sex { .. } => sex_forms(values),
            Measure::Text { texts, .. } | Measure::Category { texts, .. } => {
                text_forms(values, texts, texts::words)
            }
            Measure::Identifier { texts, .. } => text_forms(values, texts, texts::code),
            Measure::Arrangement | Measure::Family | Measure::Given | Measure::Place { .. } => {
                Vec::new()
            }
        }
    }

    fn date_forms(&self, values: &Interner, dates: &mut Distinct<DateForm>) -> Vec<u32> {
        let order = match self.fields.date_order {
            DateOrder::Ymd => date::DateOrder::Ymd,
            DateOrder::Dmy => date::DateOrder::Dmy,
            DateOrder::Mdy => date::DateOrder::Mdy,
        };
        let read = |text: &str| match date::read(text, order) {
            DateReading::Read(date) => Some(DateForm {
                year: date.year.and_then(|year| i16::try_from(year).ok()),
                month: date.month,
                day: date.day,
            }),
            DateReading::Missing | DateReading::Unreadable(_) => None,
        };
        normalise(values, read, |date| date.map_or(NONE, |date| dates.intern(date)))
    }
}

/// The form of a raw value, [`NONE`] where there is none.
fn form(forms: &[u32], raw: u32) -> u32 {
    forms.get(raw as usize).copied().unwrap_or(NONE)
}

/// Values 0 and 1 for the two sexes.
fn sex_forms(values: &Interner) -> Vec<u32> {
    let forms = values.iter().map(|text| match sex::read(text) {
        SexReading::Read(Sex::Male) => 0,
        SexReading::Read(Sex::Female) => 1,
        SexReading::Missing | SexReading::Unreadable => NONE,
    });
    forms.collect()
}

fn text_forms(
    values: &Interner,
    parts: &mut Parts,
    read: impl Fn(&str) -> String + Sync,
) -> Vec<u32> {
    normalise(values, |text| read(text), |text| parts.intern(&text, texts::sorted_words))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::Division;

    #[test]
    fn a_column_is_japanese_where_most_of_its_addresses_are_whatever_stands_in_front() {
        let is_japanese = |texts: Vec<String>| {
            super::is_japanese(&RawColumn::of(Division::Address, texts.iter()))
        };
        let in_japan = |code: &str| {
            (0..200).map(|number| format!("{code}千葉県若葉市寿町{number}番")).collect::<Vec<_>>()
        };
        let abroad = (0..50).map(|number| format!("c/o {number}, Box {number}"));
        assert!(is_japanese(in_japan("〒260-0855 ")));
        assert!(is_japanese(in_japan("").into_iter().chain(abroad.clone()).collect()));
        assert!(!is_japanese(abroad.chain(["千葉県若葉市寿町1番".to_owned()]).collect()));
    }
}
