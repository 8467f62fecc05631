//! Fields of one file that say again what others say.
//!
//! A file may give a name whole and in parts, or a city by itself and in an address. Compared each for itself, such fields
//! would be several witnesses where there is one, and strangers who share one surname would look like one person. Which
//! fields they are shows in the records: the words of one stand in the other. Of a register and a list it does not: what the
//! one says twice, the other may say in one field alone. A model that is used again says itself what it was made without.

use std::collections::{BTreeMap, BTreeSet};

use renkei_types::FieldKind;

use crate::field::{Fields, Role};
use crate::forms::{NONE, texts};
use crate::hash;
use crate::intake::RawRecords;
use crate::model::Model;

/// Records that are looked at: by the hash of their ids, so that their order does not count.
const RECORDS: u64 = 4_000;

/// Fewer records that have both fields show nothing.
const RECORDS_MIN: usize = 40;

/// In so many of a hundred records that have both, the words of one field stand in the other.
const CONTAINED: usize = 90;

/// A field that is so often nothing but the words of others is left out in favour of these, which tell more; as long as they
/// are there in nearly all of its records.
const MADE_UP: usize = 50;

/// More fields than anybody compares.
const FIELDS_MAX: usize = 64;

/// The words of a field in the records that are looked at; none where there is no value.
type Words = Vec<BTreeSet<String>>;

/// Takes the fields out that a model was made without, since they said again what others say: this file may be too small to show
/// it, or say it less often.
pub(crate) fn leave_out_as(model: &Model, fields: &Fields, roles: &mut [Role]) {
    for (field, role) in fields.fields.iter().zip(roles) {
        if is_text(field.kind, *role) && model.repeated.contains(&field.name) {
            *role = Role::Repeated;
        }
    }
}

/// Takes the fields out that say again what others say.
pub(crate) fn leave_out(fields: &Fields, roles: &mut [Role], raw: &RawRecords) {
    let is_name = |role: Role| matches!(role, Role::Written | Role::Family | Role::Given);
    let texts: Vec<usize> = (0..roles.len())
        .filter(|&field| is_name(roles[field]) || is_text(fields.fields[field].kind, roles[field]))
        .collect();
    if !(2..=FIELDS_MAX).contains(&texts.len()) || texts.iter().all(|&field| is_name(roles[field]))
    {
        return;
    }
    let records = spoken_for(raw);
    let words: Vec<Words> = texts.iter().map(|&field| words(raw, field, &records)).collect();
    let mut left: BTreeSet<usize> = (0..texts.len()).collect();
    // Names are compared in any case, whole or in parts.
    let others: Vec<usize> = (0..texts.len()).filter(|&at| !is_name(roles[texts[at]])).collect();
    // A whole that is made up of parts, the last first: of two equal fields the first stays.
    for &whole in others.iter().rev() {
        let parts: Vec<&Words> = left
            .iter()
            .filter(|&&part| part != whole && is_contained(&words[part], &words[whole]))
            .map(|&part| &words[part])
            .collect();
        if is_made_up(&words[whole], &parts) {
            left.remove(&whole);
        }
    }
    // A part of something that says more.
    for &part in &others {
        let mut wholes = left.iter().filter(|&&whole| whole != part);
        if wholes.any(|&whole| is_contained(&words[part], &words[whole])) {
            left.remove(&part);
        }
    }
    for (place, &field) in texts.iter().enumerate() {
        if !left.contains(&place) {
            roles[field] = Role::Repeated;
        }
    }
}

/// Whether a field is compared by itself and made of words. Numbers and codes name somebody wherever else they stand.
fn is_text(kind: FieldKind, role: Role) -> bool {
    role == Role::Alone
        && match kind {
            FieldKind::PersonName
            | FieldKind::KanaName
            | FieldKind::FamilyName
            | FieldKind::GivenName
            | FieldKind::Address
            | FieldKind::Category
            | FieldKind::FreeText => true,
            FieldKind::Date
            | FieldKind::Sex
            | FieldKind::PostalCode
            | FieldKind::Phone
            | FieldKind::Identifier
            | FieldKind::Amount => false,
        }
}

/// The records that speak for all.
fn spoken_for(raw: &RawRecords) -> Vec<usize> {
    let records = raw.ids.len();
    let one_in = (records as u64).div_ceil(RECORDS).max(1);
    (0..records).filter(|&row| hash::text(raw.ids.at(row)).is_multiple_of(one_in)).collect()
}

fn words(raw: &RawRecords, field: usize, records: &[usize]) -> Words {
    let column = &raw.columns[field];
    let text = |id: u32| if id == NONE { "" } else { column.values.get(id) };
    let of_record = |&row: &usize| {
        let Some(&first) = column.rows.get(row) else { return BTreeSet::new() };
        let rest = column.rest.get(row).copied().unwrap_or(NONE);
        let all = format!("{}{}", text(first), text(rest));
        texts::words(&all).split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    records.iter().map(of_record).collect()
}

/// Whether the words of a part stand in the whole. What most records have says nothing of it.
fn is_contained(part: &Words, whole: &Words) -> bool {
    let mut times: BTreeMap<&BTreeSet<String>, usize> = BTreeMap::new();
    part.iter().filter(|words| !words.is_empty()).for_each(|words| {
        *times.entry(words).or_default() += 1;
    });
    let common = times.iter().max_by_key(|(_, times)| **times).map(|(words, _)| *words);
    let both = part.iter().zip(whole);
    let both = both.filter(|(a, b)| !a.is_empty() && !b.is_empty() && Some(*a) != common);
    let (mut count, mut contained) = (0, 0);
    for (part, whole) in both {
        count += 1;
        contained += usize::from(part.is_subset(whole));
    }
    count >= RECORDS_MIN && contained * 100 >= count * CONTAINED
}

/// Whether a whole is mostly nothing but these parts, and they are there where it is.
fn is_made_up(whole: &Words, parts: &[&Words]) -> bool {
    let (mut count, mut made_up, mut there) = (0, 0, 0);
    for (record, whole) in whole.iter().enumerate().filter(|(_, whole)| !whole.is_empty()) {
        count += 1;
        let is_said = |word: &String| parts.iter().any(|part| part[record].contains(word));
        made_up += usize::from(whole.iter().all(is_said));
        there += usize::from(parts.iter().all(|part| !part[record].is_empty()));
    }
    count >= RECORDS_MIN && made_up * 100 >= count * MADE_UP && there * 100 >= count * CONTAINED
}
