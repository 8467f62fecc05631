//! Normal forms of names, dates and addresses.
//!
//! The floor is copying the values: a form is at least as long as what it says, and has to be written somewhere. Distinct
//! values only, since the engine normalises each once.

use std::rc::Rc;

use renkei_japanese::address::Address;
use renkei_japanese::date::{self, DateOrder};
use renkei_japanese::name::{KanaName, WrittenName};
use renkei_japanese::postal::PostalCode;

use crate::people::{Of, People};
use crate::{Contest, Group};

/// Reads one value and answers something of its form.
type Read = fn(&str) -> usize;

fn read_name(text: &str) -> usize {
    WrittenName::read(text).map_or(0, |name| name.full.len())
}

fn read_kana(text: &str) -> usize {
    KanaName::read(text).map_or(0, |name| name.exact.len())
}

fn read_date(text: &str) -> usize {
    match date::read(text, DateOrder::Ymd) {
        date::DateReading::Read(date) => usize::from(date.day_number().is_some()),
        date::DateReading::Missing | date::DateReading::Unreadable(_) => 0,
    }
}

fn read_address(text: &str) -> usize {
    Address::read(text, "").map_or(0, |address| address.town.len())
}

fn read_postal_code(text: &str) -> usize {
    PostalCode::read(text).map_or(0, |code| code.number as usize)
}

const COLUMNS: [(&str, &str, Read); 5] = [
    ("name_kanji", "written names", read_name),
    ("name_kana", "kana names", read_kana),
    ("birth_date", "dates of birth", read_date),
    ("address", "addresses", read_address),
    ("postal_code", "postal codes", read_postal_code),
];

pub(crate) fn group(people: &People) -> Group<'_> {
    let mut contests = Vec::new();
    for (of, whose) in [(Of::Register, "of the register"), (Of::List, "of the list")] {
        for (column, what, read) in COLUMNS {
            let values = Rc::new(people.distinct(of, column));
            let whole = values.concat();
            let (size, bytes) = (values.len(), whole.len());
            let to_read = Rc::clone(&values);
            let ours = move || to_read.iter().map(|value| read(value) as u64).sum();
            let mut copies = String::with_capacity(bytes);
            let one_by_one = move || {
                copies.clear();
                values.iter().for_each(|value| copies.push_str(value));
                copies.len() as u64
            };
            let mut copy = vec![0_u8; bytes];
            let at_once = move || {
                copy.copy_from_slice(std::hint::black_box(whole.as_bytes()));
                u64::from(std::hint::black_box(&copy)[bytes / 2])
            };
            contests.push(
                Contest::new(format!("{what} {whose}"), size, ours)
                    .over_bytes(bytes)
                    .beside("copying each", one_by_one)
                    .beside("copying all at once", at_once),
            );
        }
    }
    Group {
        title: "Normalising, for each distinct value",
        about: "A generated register, and a list with many errors.".to_owned(),
        contests,
    }
}
