//! Keys of records: what two records must share.

use std::borrow::Borrow;
use std::ops::Range;

use super::across::Across;
use super::rules::{BlockingRule, DatePart, KeyPart, PlacePart, View};
use crate::comparison::Measure;
use crate::forms::NONE;
use crate::forms::whole_names::WholeName;
use crate::hash;
use crate::records::{NameValues, Normalised, OtherName};

/// Which of the two sides a record is from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Side {
    Register,
    List,
}

/// The keys of a record under a rule: one for every combination of the values its parts have, none where a part has
/// none.
pub(super) fn keys(
    normalised: &Normalised,
    side: Side,
    row: u32,
    rule: &BlockingRule,
    keys: &mut Vec<u64>,
) {
    let mut values = rule.parts.iter().map(|&part| {
        let mut values = Values::default();
        part_values(normalised, side, row, part, &mut values);
        values
    });
    combine(&mut values, keys);
}

/// Every combination of one value of each part.
fn combine<V: Borrow<Values>>(parts: &mut dyn Iterator<Item = V>, keys: &mut Vec<u64>) {
    keys.clear();
    keys.push(START);
    for values in parts {
        let before = keys.len();
        match values.borrow().as_slice() {
            [value] => keys.iter_mut().for_each(|key| *key = hash::mix(*key, *value)),
            values => {
                for index in 0..before {
                    let key = keys[index];
                    keys.extend(values.iter().map(|&value| hash::mix(key, value)));
                }
                keys.drain(..before);
            }
        }
    }
    if keys.len() > 1 {
        keys.sort_unstable();
        keys.dedup();
    }
}

/// What a key starts from.
const START: u64 = 0;

/// The rules with the parts they share: a part of a record is looked up once for all rules that ask for it.
#[derive(Debug)]
pub(super) struct KeyPlan {
    parts: Vec<KeyPart>,
    /// For each rule, its parts as indices.
    rules: Vec<Vec<usize>>,
}

/// The values of all parts of one record.
#[derive(Default)]
pub(super) struct RecordParts(Vec<Values>);

/// Stands for "no value" where most records have one value or none; no value's hash is taken for it but once in 2^64.
const NO_VALUE: u64 = 0;

/// The values of all parts of some records.
pub(super) struct ManyParts {
    first: u32,
    /// For each part, of each record its value, if it has no more than one of any part.
    plain: Vec<Vec<u64>>,
    /// The others.
    other: Vec<(u32, RecordParts)>,
}

/// So many lines, and so many keys, are looked up together: what they ask for is brought to hand at one go.
pub(super) const FETCHED: usize = 64;

/// Brings to hand the places of some lines: those that the register has too lie all over memory.
pub(super) fn fetch_places(list: &Normalised, lines: impl Iterator<Item = u32> + Clone) {
    for comparison in &list.comparisons {
        if let Measure::Place { column, addresses } = &comparison.measure {
            addresses.fetch(lines.clone().map(|line| list.records.value(*column, line)));
        }
    }
}

/// Keys that are told at a time.
pub(super) const TOLD: usize = 64;

impl ManyParts {
    /// Tells the keys of all records under a rule and their records, up to [`TOLD`] at a time.
    pub(super) fn keys(&self, plan: &KeyPlan, rule: usize, mut each: impl FnMut(&[u64], &[u32])) {
        let parts: Vec<&[u64]> =
            plan.rules[rule].iter().map(|&part| self.plain[part].as_slice()).collect();
        let records = parts.iter().map(|part| part.len()).min().unwrap_or(0);
        let (mut keys, mut rows, mut told) = ([0; TOLD], [0; TOLD], 0);
        for (row, at) in (self.first..).zip(0..records) {
            let (mut key, mut missing) = (START, false);
            for part in &parts {
                missing |= part[at] == NO_VALUE;
                key = hash::mix(key, part[at]);
            }
            // Without a branch on it: what it is cannot be guessed.
            (keys[told], rows[told]) = (key, row);
            told += usize::from(!missing);
            if told == TOLD {
                each(&keys, &rows);
                told = 0;
            }
        }
        each(&keys[..told], &rows[..told]);
        let mut keys = Vec::new();
        for (row, record) in &self.other {
            plan.keys(record, rule, &mut keys);
            keys.chunks(TOLD).for_each(|keys| each(keys, &[*row; TOLD][..keys.len()]));
        }
    }
}

impl KeyPlan {
    pub(super) fn new<'a>(rules: impl Iterator<Item = &'a BlockingRule>) -> Self {
        let mut plan = Self { parts: Vec::new(), rules: Vec::new() };
        for rule in rules {
            let of_rule = rule.parts.iter().map(|&part| {
                plan.parts.iter().position(|&known| known == part).unwrap_or_else(|| {
                    plan.parts.push(part);
                    plan.parts.len() - 1
                })
            });
            let of_rule = of_rule.collect();
            plan.rules.push(of_rule);
        }
        plan
    }

    /// How many rules.
    pub(super) fn rules(&self) -> usize {
        self.rules.len()
    }

    /// Looks up all parts of a record.
    pub(super) fn look_up(
        &self,
        normalised: &Normalised,
        side: Side,
        row: u32,
        record: &mut RecordParts,
    ) {
        record.0.resize_with(self.parts.len(), Values::default);
        let names = KnownNames::of(normalised, side, row);
        for (&part, values) in self.parts.iter().zip(&mut record.0) {
            values.count = 0;
            known_values(normalised, side, row, &names, part, values);
        }
    }

    /// Looks up all parts of some records.
    pub(super) fn look_up_many(
        &self,
        normalised: &Normalised,
        side: Side,
        rows: Range<u32>,
    ) -> ManyParts {
        let mut many = ManyParts {
            first: rows.start,
            plain: self.parts.iter().map(|_| Vec::with_capacity(rows.len())).collect(),
            other: Vec::new(),
        };
        let mut record = RecordParts::default();
        for row in rows {
            self.look_up(normalised, side, row, &mut record);
            let is_plain = record.0.iter().all(|values| values.count <= 1);
            for (column, values) in many.plain.iter_mut().zip(&record.0) {
                column.push(if is_plain {
                    values.values[0] * values.count as u64
                } else {
                    NO_VALUE
                });
            }
            if !is_plain {
                many.other.push((row, std::mem::take(&mut record)));
            }
        }
        many
    }

    /// The keys of a record under a rule.
    pub(super) fn keys(&self, record: &RecordParts, rule: usize, keys: &mut Vec<u64>) {
        let mut single = Some(START);
        for &part in &self.rules[rule] {
            single = match (single, record.0[part].as_slice()) {
                (_, []) => {
                    keys.clear();
                    return;
                }
                (Some(key), &[value]) => Some(hash::mix(key, value)),
                _ => None,
            };
        }
        if let Some(key) = single {
            keys.clear();
            keys.push(key);
            return;
        }
        combine(&mut self.rules[rule].iter().map(|&part| &record.0[part]), keys);
    }
}

/// The values of one part of a key: the few ways in which a record may be known.
#[derive(Default)]
pub(super) struct Values {
    values: [u64; 8],
    count: usize,
}

impl Values {
    pub(super) fn push(&mut self, value: u64) {
        if self.count < self.values.len() && !self.as_slice().contains(&value) {
            self.values[self.count] = value;
            self.count += 1;
        }
    }

    pub(super) fn as_slice(&self) -> &[u64] {
        &self.values[..self.count]
    }
}

pub(super) fn part_values(
    normalised: &Normalised,
    side: Side,
    row: u32,
    part: KeyPart,
    values: &mut Values,
) {
    known_values(normalised, side, row, &KnownNames::of(normalised, side, row), part, values);
}

/// All names of a record.
struct KnownNames<'a> {
    own: NameValues,
    others: &'a [OtherName],
    /// Where its own gives one view alone.
    across: Option<Across>,
}

impl<'a> KnownNames<'a> {
    fn of(normalised: &'a Normalised, side: Side, row: u32) -> Self {
        let (own, others) = (normalised.records.name(row), normalised.records.other_names(row));
        Self { own, others, across: Across::of(normalised, side, own) }
    }

    fn iter(&self) -> impl Iterator<Item = NameValues> {
        std::iter::once(self.own).chain(self.others.iter().map(|other| other.name))
    }
}

fn known_values(
    normalised: &Normalised,
    side: Side,
    row: u32,
    names: &KnownNames<'_>,
    part: KeyPart,
    values: &mut Values,
) {
    let records = &normalised.records;
    let across = names.across.as_ref().filter(|_| part.is_as_read());
    match part {
        KeyPart::Family(view) => {
            names.iter().for_each(|name| push_part(normalised, name.family, view, values));
            across.into_iter().for_each(|across| across.push_family(normalised, values));
        }
        KeyPart::Given(view) => {
            names.iter().for_each(|name| push_part(normalised, name.given, view, values));
            across.into_iter().for_each(|across| across.push_given(normalised, values));
        }
        KeyPart::Whole(view) => {
            names.iter().for_each(|name| push_whole(normalised, name, view, side, values));
            across.into_iter().for_each(|across| across.push_whole(normalised, values));
        }
        KeyPart::Date(part, index) => push_date(normalised, row, part, index, values),
        KeyPart::Place(part, index) => push_place(normalised, row, part, index, values),
        KeyPart::Value(index) => {
            if let Measure::Text { column, texts }
            | Measure::Identifier { column, texts }
            | Measure::Category { column, texts } = &normalised.comparisons[index].measure
            {
                let id = records.value(*column, row);
                if id != NONE {
                    values.push(texts.loose(id));
                }
            }
        }
    }
}

fn push_part(normalised: &Normalised, part: u32, view: View, values: &mut Values) {
    let names = &normalised.names;
    let views = names.joint.views(part);
    let (parts, id) = match view {
        View::Written => (&names.written_parts, views.written),
        View::Kana => (&names.kana_parts, views.kana),
    };
    if id != NONE {
        values.push(parts.loose(id));
    }
}

fn push_whole(
    normalised: &Normalised,
    name: NameValues,
    view: View,
    side: Side,
    values: &mut Values,
) {
    let (names, wholes) = (&normalised.names, &normalised.wholes);
    let whole = match view {
        View::Written => wholes.written(name.written),
        View::Kana => wholes.kana(name.kana),
    };
    // A list may have the order wrong; that the register has it right is enough.
    let in_any_order = side == Side::List;
    if let Some(whole) = whole {
        values.push(whole.full);
        if in_any_order {
            values.push(whole.exchanged);
        }
        if view == View::Written {
            wholes.words(name.written).into_iter().for_each(|words| values.push(words));
        }
        return;
    }
    // A name read in halves, or from columns of its own, makes a whole too.
    let (family, given) = (names.joint.views(name.family), names.joint.views(name.given));
    let (parts, family, given) = match view {
        View::Written => (&names.written_parts, family.written, given.written),
        View::Kana => (&names.kana_parts, family.kana, given.kana),
    };
    if family != NONE && given != NONE {
        let whole = WholeName::of_halves(parts.spelling(family), parts.spelling(given));
        values.push(whole.full);
        if in_any_order {
            values.push(whole.exchanged);
        }
    }
}

fn push_date(normalised: &Normalised, row: u32, part: DatePart, index: usize, values: &mut Values) {
    let Measure::Date { column, dates } = &normalised.comparisons[index].measure else {
        return;
    };
    let Some(date) = dates.get(normalised.records.value(*column, row)) else {
        return;
    };
    let year = date.year.map(|year| u64::from(year.unsigned_abs()));
    let month_day =
        date.month.zip(date.day).map(|(month, day)| u64::from(month) * 32 + u64::from(day));
    let value = match part {
        DatePart::Year => year,
        DatePart::MonthDay => month_day,
        DatePart::Whole => year.zip(month_day).map(|(year, month_day)| year * 1_000 + month_day),
    };
    if let Some(value) = value {
        values.push(hash::mix(1, value));
    }
}

fn push_place(
    normalised: &Normalised,
    row: u32,
    part: PlacePart,
    index: usize,
    values: &mut Values,
) {
    let Measure::Place { column, addresses } = &normalised.comparisons[index].measure else {
        return;
    };
    let records = &normalised.records;
    let former = records.former_place(row).unwrap_or(NONE);
    for id in [records.value(*column, row), former] {
        if let Some(place) = addresses.place(id) {
            let key = match part {
                PlacePart::Town => addresses.town_key(place),
                PlacePart::Building => addresses.building_key(place),
            };
            key.into_iter().for_each(|key| values.push(key));
        }
    }
}
