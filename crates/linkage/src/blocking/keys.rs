//! Keys of records: what two records must share.

use super::rules::{BlockingRule, DatePart, KeyPart, PlacePart, View};
use crate::comparison::Measure;
use crate::forms::NONE;
use crate::hash;
use crate::intake::Side;
use crate::records::{Linkable, NameValues, Records};

/// The keys of a record under a rule: one for every combination of the values its parts have, none where a part has
/// none.
pub(super) fn keys(
    linkable: &Linkable,
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
        part_values(linkable, side, row, part, &mut values);
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

fn part_values(linkable: &Linkable, side: Side, row: u32, part: KeyPart, values: &mut Values) {
    let records: &Records = match side {
        Side::Register => &linkable.register,
        Side::List => &linkable.list,
    };
    let every_name = || {
        let others = records.other_names(row).iter().map(|other| other.name);
        std::iter::once(records.name(row)).chain(others)
    };
    match part {
        KeyPart::Family(view) => {
            every_name().for_each(|name| push_part(linkable, name.family, view, values));
        }
        KeyPart::Given(view) => {
            every_name().for_each(|name| push_part(linkable, name.given, view, values));
        }
        KeyPart::Whole(view) => {
            every_name().for_each(|name| push_whole(linkable, name, view, side, values));
        }
        KeyPart::Date(part, index) => push_date(linkable, records, row, part, index, values),
        KeyPart::Place(part, index) => push_place(linkable, records, row, part, index, values),
        KeyPart::Value(index) => {
            if let Measure::Text { column, texts }
            | Measure::Identifier { column, texts }
            | Measure::Category { column, texts } = &linkable.comparisons[index].measure
            {
                let id = records.value(*column, row);
                if id != NONE {
                    values.push(texts.loose(id));
                }
            }
        }
    }
}

fn push_part(linkable: &Linkable, part: u32, view: View, values: &mut Values) {
    let names = &linkable.names;
    let views = names.joint.views(part);
    let (parts, id) = match view {
        View::Written => (&names.written_parts, views.written),
        View::Kana => (&names.kana_parts, views.kana),
    };
    if id != NONE {
        values.push(parts.loose(id));
    }
}

fn push_whole(linkable: &Linkable, name: NameValues, view: View, side: Side, values: &mut Values) {
    let names = &linkable.names;
    let whole = match view {
        View::Written => names.written.get(name.written as usize),
        View::Kana => names.kana.get(name.kana as usize),
    };
    // A list may have the order wrong; that the register has it right is enough.
    let in_any_order = side == Side::List;
    if let Some(whole) = whole {
        values.push(whole.full);
        if in_any_order {
            values.push(whole.exchanged);
        }
        if whole.words != 0 {
            values.push(whole.words);
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

fn push_date(
    linkable: &Linkable,
    records: &Records,
    row: u32,
    part: DatePart,
    index: usize,
    values: &mut Values,
) {
    let Measure::Date { column, dates } = &linkable.comparisons[index].measure else {
        return;
    };
    let Some(date) = dates.get(records.value(*column, row) as usize) else {
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
    linkable: &Linkable,
    records: &Records,
    row: u32,
    part: PlacePart,
    index: usize,
    values: &mut Values,
) {
    let Measure::Place { column, addresses } = &linkable.comparisons[index].measure else {
        return;
    };
    let former = records.former_places.get(row as usize).copied().unwrap_or(NONE);
    for id in [records.value(*column, row), former] {
        if let Some(place) = addresses.places.get(id as usize) {
            let key = match part {
                PlacePart::Town => addresses.town_key(place),
                PlacePart::Building => addresses.building_key(place),
            };
            key.into_iter().for_each(|key| values.push(key));
        }
    }
}

/// Whether a line and a resident share a key of the rule.
pub(crate) fn meet(linkable: &Linkable, rule: &BlockingRule, line: u32, resident: u32) -> bool {
    let (mut of_line, mut of_resident) = (Vec::new(), Vec::new());
    keys(linkable, Side::List, line, rule, &mut of_line);
    keys(linkable, Side::Register, resident, rule, &mut of_resident);
    of_line.iter().any(|key| of_resident.contains(key))
}
