//! Keys of records: what two records must share.

use super::rules::{BlockingRule, DatePart, KeyPart, PlacePart, View};
use crate::comparison::Measure;
use crate::forms::NONE;
use crate::hash;
use crate::records::{NameValues, Normalised};

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
    keys.clear();
    keys.push(0);
    let mut values = Values::default();
    for &part in &rule.parts {
        values.count = 0;
        part_values(normalised, side, row, part, &mut values);
        let before = keys.len();
        for index in 0..before {
            let key = keys[index];
            for &value in values.as_slice() {
                keys.push(hash::mix(key, value));
            }
        }
        keys.drain(..before);
    }
    keys.sort_unstable();
    keys.dedup();
}

/// The values of one part of a key: the few ways in which a record may be known.
#[derive(Default)]
struct Values {
    values: [u64; 8],
    count: usize,
}

impl Values {
    fn push(&mut self, value: u64) {
        if self.count < self.values.len() && !self.as_slice().contains(&value) {
            self.values[self.count] = value;
            self.count += 1;
        }
    }

    fn as_slice(&self) -> &[u64] {
        &self.values[..self.count]
    }
}

fn part_values(normalised: &Normalised, side: Side, row: u32, part: KeyPart, values: &mut Values) {
    let records = &normalised.records;
    let every_name = || {
        let others = records.other_names(row).iter().map(|other| other.name);
        std::iter::once(records.name(row)).chain(others)
    };
    match part {
        KeyPart::Family(view) => {
            every_name().for_each(|name| push_part(normalised, name.family, view, values));
        }
        KeyPart::Given(view) => {
            every_name().for_each(|name| push_part(normalised, name.given, view, values));
        }
        KeyPart::Whole(view) => {
            every_name().for_each(|name| push_whole(normalised, name, view, side, values));
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
        View::Written => wholes.written.get(name.written as usize),
        View::Kana => wholes.kana.get(name.kana as usize),
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
    // Family and given name from columns of their own make a whole too.
    let (family, given) =
        (names.joint.views(name.family).written, names.joint.views(name.given).written);
    if view == View::Written && family != NONE && given != NONE {
        let parts = &names.written_parts;
        values.push(hash::mix(parts.loose(family), parts.loose(given)));
        if in_any_order {
            values.push(hash::mix(parts.loose(given), parts.loose(family)));
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
    let former = records.former_places.get(row as usize).copied().unwrap_or(NONE);
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
