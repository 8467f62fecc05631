//! Taking records in: raw values are numbered as they arrive and normalised once all are there.

use rayon::prelude::*;
use renkei_japanese::date::{self, DateReading};
use renkei_japanese::postal::PostalCode;
use renkei_japanese::sex::{self, Sex, SexReading};
use renkei_types::{DateOrder, FieldKind};

use crate::comparison::{Comparison, DateForm, Measure};
use crate::field::{Fields, Role};
use crate::forms::addresses::{Addresses, Place};
use crate::forms::names::{NameReader, Names};
use crate::forms::parts::Parts;
use crate::forms::{NONE, normalise, texts};
use crate::intern::{Interner, TextArena};
use crate::records::{How, Linkable, NameValues, Records};

/// Which of the two files a record is from.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Side {
    /// Says who exists.
    Register,
    /// Its lines are to be linked.
    List,
}

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

/// Collects the records of both sides.
#[derive(Debug)]
pub struct Intake {
    fields: Fields,
    columns: Vec<RawColumn>,
    register_ids: TextArena,
    list_ids: TextArena,
}

/// The values of one field on both sides, numbered.
#[derive(Debug, Default)]
struct RawColumn {
    values: Interner,
    register: Vec<u32>,
    list: Vec<u32>,
}

impl RawColumn {
    fn side(&self, side: Side) -> &[u32] {
        match side {
            Side::Register => &self.register,
            Side::List => &self.list,
        }
    }
}

impl Intake {
    /// Ready for records with these fields.
    pub fn new(fields: Fields) -> Self {
        let columns = fields.fields.iter().map(|_| RawColumn::default()).collect();
        Self { fields, columns, register_ids: TextArena::default(), list_ids: TextArena::default() }
    }

    /// Takes some rows of one side, in the file's order. Fields are taken in parallel.
    pub fn extend(&mut self, side: Side, rows: &impl Rows) {
        let ids = match side {
            Side::Register => &mut self.register_ids,
            Side::List => &mut self.list_ids,
        };
        (0..rows.len()).for_each(|row| {
            ids.push(rows.id(row));
        });
        let fields = &self.fields.fields;
        self.columns.par_iter_mut().zip(fields).enumerate().for_each(|(field, (column, spec))| {
            let present = match side {
                Side::Register => spec.in_register,
                Side::List => spec.in_list,
            };
            if !present || spec.kind == FieldKind::Amount {
                return;
            }
            let RawColumn { values, register, list } = column;
            let ids = match side {
                Side::Register => register,
                Side::List => list,
            };
            let mut scratch = String::new();
            ids.extend((0..rows.len()).map(|row| {
                let text = rows.text(field, row, &mut scratch);
                if text.is_empty() { NONE } else { values.intern(text).0 }
            }));
        });
    }

    /// Normalises every distinct value; no more records will come. `left_out` are rows of the register that take no
    /// part: they have no values and are never found.
    pub fn seal(self, left_out: &[usize]) -> Linkable {
        let japanese: Vec<bool> =
            self.columns.iter().map(|column| is_japanese(&column.values)).collect();
        let roles = self.fields.roles(|field| japanese[field]);
        let rows = (self.register_ids.len(), self.list_ids.len());
        let sealing = Sealing { fields: &self.fields, columns: &self.columns, rows, roles };
        let mut linkable = sealing.seal();
        linkable.register.forget(left_out);
        linkable.register.ids = self.register_ids;
        linkable.list.ids = self.list_ids;
        linkable
    }
}

/// Whether most distinct values of a column hold a Japanese letter.
fn is_japanese(values: &Interner) -> bool {
    let japanese = |text: &str| text.chars().any(|c| ('\u{3040}'..='\u{9fff}').contains(&c));
    let count = values.iter().filter(|text| japanese(text)).count();
    count * 2 > values.len()
}

struct Sealing<'a> {
    fields: &'a Fields,
    columns: &'a [RawColumn],
    /// Of the register and of the list.
    rows: (usize, usize),
    roles: Vec<Role>,
}

impl Sealing<'_> {
    fn seal(&self) -> Linkable {
        let mut register = Records::default();
        let mut list = Records::default();
        let mut comparisons = Vec::new();
        let names = self.names(&mut register, &mut list, &mut comparisons);
        self.places(&mut register, &mut list, &mut comparisons);
        for (field, role) in self.roles.iter().enumerate() {
            if *role == Role::Alone {
                let column = register.values.len();
                let (forms, measure) = self.alone(field, column);
                let raw = &self.columns[field];
                register.values.push(settle(&raw.register, &forms));
                list.values.push(settle(&raw.list, &forms));
                let name = self.fields.fields[field].name.clone();
                comparisons.push(Comparison { name, measure });
            }
        }
        Linkable { register, list, names, comparisons }
    }

    fn with_role(&self, role: Role) -> impl Iterator<Item = usize> + '_ {
        (0..self.roles.len()).filter(move |&field| self.roles[field] == role)
    }

    fn raw(&self, field: usize) -> &RawColumn {
        &self.columns[field]
    }

    /// Names in all their views, and the comparisons that ask about them.
    fn names(
        &self,
        register: &mut Records,
        list: &mut Records,
        comparisons: &mut Vec<Comparison>,
    ) -> Names {
        let mut reader = NameReader::default();
        let mut in_brackets = Vec::new();
        let written = self.with_role(Role::Written).next().map(|field| {
            let (forms, others) = reader.written_with_others(&self.raw(field).values);
            in_brackets = others;
            (field, forms)
        });
        let kana = self.with_role(Role::Kana).next();
        let kana = kana.map(|field| (field, reader.kana(&self.raw(field).values)));
        let others: Vec<(usize, Vec<u32>)> = self
            .with_role(Role::OtherName)
            .map(|field| (field, reader.written(&self.raw(field).values)))
            .collect();
        let holders: Vec<(usize, Vec<u32>)> = self
            .with_role(Role::AccountHolder)
            .filter(|_| kana.is_some())
            .map(|field| (field, reader.kana(&self.raw(field).values)))
            .collect();
        let mut names = reader.settle();
        let part = |role: Role, names: &mut Names| {
            let field = self.with_role(role).next()?;
            Some((field, names.written_part_column(&self.raw(field).values)))
        };
        let family = part(Role::Family, &mut names);
        let given = part(Role::Given, &mut names);
        let columns = [&written, &kana, &family, &given];
        if columns.iter().all(|column| column.is_none()) {
            return names;
        }
        for (side, records) in [(Side::Register, &mut *register), (Side::List, &mut *list)] {
            let rows = self.rows(side);
            let value = |column: &Option<(usize, Vec<u32>)>, row: usize| {
                column.as_ref().map_or(NONE, |(field, forms)| self.form(*field, forms, side, row))
            };
            records.names = (0..rows)
                .map(|row| {
                    let (written, kana) = (value(&written, row), value(&kana, row));
                    let (mut whole_family, mut whole_given) = names.join(written, kana);
                    let (own_family, own_given) = (value(&family, row), value(&given, row));
                    if own_family != NONE {
                        whole_family = names.join_part(own_family, names.kana_of(whole_family));
                    }
                    if own_given != NONE {
                        whole_given = names.join_part(own_given, names.kana_of(whole_given));
                    }
                    NameValues { written, kana, family: whole_family, given: whole_given }
                })
                .collect();
            self.other_names(side, records, &mut names, &others, &holders);
            if let Some((field, _)) = &written {
                self.names_in_brackets(side, *field, records, &mut names, &in_brackets);
            }
        }
        let main = |column: &Option<(usize, Vec<u32>)>| column.as_ref().map(|(field, _)| *field);
        let label = |fields: &[Option<usize>]| {
            let names =
                fields.iter().flatten().map(|&field| self.fields.fields[field].name.as_str());
            names.collect::<Vec<_>>().join("+")
        };
        let whole = [main(&written), main(&kana)];
        comparisons
            .push(Comparison { name: "name order".to_owned(), measure: Measure::Arrangement });
        let family = label(&[whole[0], whole[1], main(&family)]);
        comparisons
            .push(Comparison { name: format!("family name ({family})"), measure: Measure::Family });
        let given = label(&[whole[0], whole[1], main(&given)]);
        comparisons
            .push(Comparison { name: format!("given name ({given})"), measure: Measure::Given });
        names
    }

    /// 旧氏 and 通称 of residents, account holders of lines.
    fn other_names(
        &self,
        side: Side,
        records: &mut Records,
        names: &mut Names,
        others: &[(usize, Vec<u32>)],
        holders: &[(usize, Vec<u32>)],
    ) {
        let columns = match side {
            Side::Register => others,
            Side::List => holders,
        };
        for (field, forms) in columns {
            for row in 0..self.rows(side) {
                let form = self.form(*field, forms, side, row);
                if form == NONE {
                    continue;
                }
                let own = records.names[row];
                match side {
                    Side::Register => {
                        let other = names.other_name(form, NONE, own);
                        records.add_name(row, other, How::Alias);
                    }
                    Side::List => {
                        let (family, given) = names.join(own.written, form);
                        let holder = NameValues { written: own.written, kana: form, family, given };
                        records.add_name(row, holder, How::AccountHolder);
                    }
                }
            }
        }
    }

    /// Further names within a name field, which may be what the reading belongs to.
    fn names_in_brackets(
        &self,
        side: Side,
        field: usize,
        records: &mut Records,
        names: &mut Names,
        in_brackets: &[(u32, u32)],
    ) {
        if in_brackets.is_empty() {
            return;
        }
        for (row, &raw) in self.raw(field).side(side).iter().enumerate() {
            let first = in_brackets.partition_point(|(text, _)| *text < raw);
            for &(_, form) in in_brackets[first..].iter().take_while(|(text, _)| *text == raw) {
                if form != NONE {
                    let own = records.names[row];
                    let other = names.other_name(form, own.kana, own);
                    records.add_name(row, other, How::Alias);
                }
            }
        }
    }

    /// Address and postal code as one comparison.
    fn places(
        &self,
        register: &mut Records,
        list: &mut Records,
        comparisons: &mut Vec<Comparison>,
    ) {
        let Some(address) = self.with_role(Role::Address).next() else {
            return;
        };
        let mut addresses = Addresses::default();
        let places = addresses.column(&self.raw(address).values);
        let postal =
            self.with_role(Role::Postal).next().map(|field| (field, self.postal_codes(field)));
        let former = self.with_role(Role::FormerAddress).next();
        let former_places = former.map(|field| addresses.column(&self.raw(field).values));
        for (side, records) in [(Side::Register, &mut *register), (Side::List, &mut *list)] {
            let raw = self.raw(address).side(side);
            let column = (0..self.rows(side)).map(|row| {
                let place = places.get(raw[row] as usize).copied().unwrap_or_default();
                let postal = postal.as_ref().and_then(|(field, codes)| {
                    codes.get(self.raw(*field).side(side)[row] as usize).copied().flatten()
                });
                addresses.intern(place, postal)
            });
            records.values.push(column.collect());
        }
        if let (Some(field), Some(places)) = (former, former_places) {
            let place = |&raw: &u32| {
                places
                    .get(raw as usize)
                    .map_or(NONE, |place: &Place| addresses.intern(*place, None))
            };
            register.former_places = self.raw(field).register.iter().map(place).collect();
        }
        let column = register.values.len() - 1;
        let name = self.fields.fields[address].name.clone();
        let name = if postal.is_some() { format!("{name} and postal code") } else { name };
        comparisons.push(Comparison {
            name,
            measure: Measure::Place { column, addresses: Box::new(addresses) },
        });
    }

    fn postal_codes(&self, field: usize) -> Vec<Option<u32>> {
        let values = &self.raw(field).values;
        values.iter().map(|text| PostalCode::read(text).map(|code| code.number)).collect()
    }

    /// A field that is compared on its own: the form of each distinct text, and the measure over the forms.
    fn alone(&self, field: usize, column: usize) -> (Vec<u32>, Measure) {
        let values = &self.raw(field).values;
        match self.fields.fields[field].kind {
            FieldKind::Date => self.dates(values, column),
            FieldKind::Sex => sexes(values, column),
            FieldKind::PersonName
            | FieldKind::GivenName
            | FieldKind::FamilyName
            | FieldKind::KanaName
            | FieldKind::Address
            | FieldKind::FreeText => {
                let (forms, texts) = text_forms(values, texts::words);
                (forms, Measure::Text { column, texts })
            }
            FieldKind::PostalCode | FieldKind::Phone | FieldKind::Identifier => {
                let (forms, texts) = text_forms(values, texts::code);
                (forms, Measure::Identifier { column, texts })
            }
            // An amount never gets here: it is no evidence and has no role.
            FieldKind::Category | FieldKind::Amount => {
                let (forms, texts) = text_forms(values, texts::words);
                (forms, Measure::Category { column, texts })
            }
        }
    }

    fn dates(&self, values: &Interner, column: usize) -> (Vec<u32>, Measure) {
        let order = match self.fields.date_order {
            DateOrder::Ymd => date::DateOrder::Ymd,
            DateOrder::Dmy => date::DateOrder::Dmy,
            DateOrder::Mdy => date::DateOrder::Mdy,
        };
        let mut dates = Vec::new();
        let mut ids = hashbrown::HashMap::new();
        let read = |text: &str| match date::read(text, order) {
            DateReading::Read(date) => Some(DateForm {
                year: date.year.and_then(|year| i16::try_from(year).ok()),
                month: date.month,
                day: date.day,
            }),
            DateReading::Missing | DateReading::Unreadable(_) => None,
        };
        let forms = normalise(values, read, |date| {
            date.map_or(NONE, |date| {
                *ids.entry(date).or_insert_with(|| {
                    dates.push(date);
                    u32::try_from(dates.len() - 1).expect("fewer than 2^32 dates")
                })
            })
        });
        (forms, Measure::Date { column, dates })
    }

    fn rows(&self, side: Side) -> usize {
        match side {
            Side::Register => self.rows.0,
            Side::List => self.rows.1,
        }
    }

    fn form(&self, field: usize, forms: &[u32], side: Side, row: usize) -> u32 {
        let raw = self.raw(field).side(side).get(row).copied().unwrap_or(NONE);
        forms.get(raw as usize).copied().unwrap_or(NONE)
    }
}

fn settle(raw: &[u32], forms: &[u32]) -> Vec<u32> {
    raw.iter().map(|&raw| forms.get(raw as usize).copied().unwrap_or(NONE)).collect()
}

/// Values 0 and 1 for the two sexes.
fn sexes(values: &Interner, column: usize) -> (Vec<u32>, Measure) {
    let forms = values.iter().map(|text| match sex::read(text) {
        SexReading::Read(Sex::Male) => 0,
        SexReading::Read(Sex::Female) => 1,
        SexReading::Missing | SexReading::Unreadable => NONE,
    });
    (forms.collect(), Measure::Sex { column })
}

fn text_forms(values: &Interner, read: impl Fn(&str) -> String + Sync) -> (Vec<u32>, Parts) {
    let mut parts = Parts::default();
    let forms =
        normalise(values, |text| read(text), |text| parts.intern(&text, texts::sorted_words));
    (forms, parts)
}
