//! Where somebody lives. Town, numbers, room and postal code imply each other, so they are one comparison with ordered
//! levels: nothing is counted twice.

use renkei_japanese::address::numbers_of_day_number;
use renkei_japanese::text::{is_gaiji, is_lost_letter};

use super::level::{PLACE_REPAIRED, POSTAL_REPAIRED};
use crate::forms::NONE;
use crate::forms::addresses::{Addresses, Place};

/// The level of [`super::level::PLACE`] for two places.
pub(crate) fn level(addresses: &Addresses, a: &Place, b: &Place) -> u8 {
    let postal = match (a.postal, b.postal) {
        (Some(a), Some(b)) => Some(a == b),
        _ => None,
    };
    let town = town_agreement(addresses, a, b);
    let numbers =
        if a.block == b.block { number_agreement(addresses, a, b) } else { Numbers::Unlike };
    let same_postal = if a.postal_repaired || b.postal_repaired { POSTAL_REPAIRED } else { 7 };
    match (town, numbers) {
        (Some(true), Numbers::Equal | Numbers::Repaired)
            if a.room != b.room && a.room != NONE && b.room != NONE =>
        {
            3
        }
        (Some(true), Numbers::Repaired) => PLACE_REPAIRED,
        (Some(true), Numbers::Equal) if a.room == b.room => 1,
        (Some(true), Numbers::Equal) => 2,
        (Some(true), Numbers::RoomAmong) => 1,
        (Some(true), Numbers::Near) => 4,
        (Some(true), Numbers::Missing | Numbers::Unlike) => 6,
        (_, Numbers::Equal | Numbers::RoomAmong)
            if a.numbers().len() >= 2 || postal == Some(true) =>
        {
            5
        }
        _ if postal == Some(true) => same_postal,
        (None, _) if postal.is_none() => 0,
        _ => 9,
    }
}

/// How the numbers of two places agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Numbers {
    /// One place has none.
    Missing,
    Equal,
    /// Equal once a spreadsheet's damage is undone.
    Repaired,
    /// One has the other's room as its last number.
    RoomAmong,
    /// One number differs by a slip, or the end is missing.
    Near,
    Unlike,
}

fn number_agreement(addresses: &Addresses, a: &Place, b: &Place) -> Numbers {
    let (x, y) = (a.numbers(), b.numbers());
    let repaired = a.numbers_repaired || b.numbers_repaired;
    if x.is_empty() || y.is_empty() {
        Numbers::Missing
    } else if x == y {
        if repaired { Numbers::Repaired } else { Numbers::Equal }
    } else if is_room_among(addresses, a, b) || is_room_among(addresses, b, a) {
        Numbers::RoomAmong
    } else if is_date_of(x, y) || is_date_of(y, x) || repaired && has_made_up_year(x, y) {
        Numbers::Repaired
    } else if near_numbers(x, y) {
        Numbers::Near
    } else {
        Numbers::Unlike
    }
}

/// Whether one place has the room of the other as its last number: 1369-905 and 1369番地 メゾン緑905.
fn is_room_among(addresses: &Addresses, a: &Place, b: &Place) -> bool {
    match a.numbers() {
        [rest @ .., room] if a.room == NONE => {
            rest == b.numbers() && addresses.room_number(b) == Some(*room)
        }
        _ => false,
    }
}

/// Whether a single number is the day number that a spreadsheet made of the others: 45702 of 2-14.
fn is_date_of(x: &[u32], y: &[u32]) -> bool {
    let [number] = x else { return false };
    y.len() >= 2 && numbers_of_day_number(*number).is_some_and(|date| date.ends_with(y))
}

/// Whether a date that was undone has the numbers of the other place behind a year that the spreadsheet made up: 2-14
/// became 2025-02-14.
fn has_made_up_year(x: &[u32], y: &[u32]) -> bool {
    let (short, long) = if x.len() <= y.len() { (x, y) } else { (y, x) };
    matches!(long, [20..=40, date @ ..] if date == short)
}

/// Whether the towns are one, nothing where one is not known.
fn town_agreement(addresses: &Addresses, a: &Place, b: &Place) -> Option<bool> {
    if a.town == NONE || b.town == NONE {
        return None;
    }
    if a.town == b.town {
        return Some(true);
    }
    let (x, y) = (addresses.town(a.town), addresses.town(b.town));
    // An address that ends within its town was cut off, and says no more than its letters.
    if a.is_cut_town() && y.starts_with(x) || b.is_cut_town() && x.starts_with(y) {
        return if x.len().min(y.len()) >= 2 { Some(true) } else { None };
    }
    let (short, long) = if x.len() <= y.len() { (x, y) } else { (y, x) };
    Some(
        without_municipality(short, long)
            || fits_lost_letters(short, long)
            || has_sub_area(short, long) && a.numbers() == b.numbers() && a.numbers().len() >= 2
            || short.len() >= 3 && crate::kernel::within_one_edit(short, long),
    )
}

/// Equal where no letter was lost, and some letter was not.
fn fits_lost_letters(x: &[char], y: &[char]) -> bool {
    let lost = |c: char| is_lost_letter(c) || is_gaiji(c);
    x.len() == y.len()
        && x.iter().zip(y).all(|(&a, &b)| a == b || lost(a) || lost(b))
        && x.iter().zip(y).any(|(a, b)| a == b)
}

/// Whether the longer town is the shorter one with a sub-area (小字) behind it, which is often left out.
fn has_sub_area(short: &[char], long: &[char]) -> bool {
    short.len() >= 2 && long.len() > short.len() && long.starts_with(short)
}

/// Whether the longer town is the shorter one behind a municipality: 寿町 and 若葉市寿町, but not 平和 and 北平和.
fn without_municipality(short: &[char], long: &[char]) -> bool {
    short.len() >= 2
        && long
            .strip_suffix(short)
            .and_then(<[char]>::last)
            .is_some_and(|last| "市区町村郡".contains(*last))
}

/// One number differs by a slip, the end is missing, or a room was written as a number.
fn near_numbers(x: &[u32], y: &[u32]) -> bool {
    let (short, long) = if x.len() <= y.len() { (x, y) } else { (y, x) };
    if is_cut(short, long) || (short.len() >= 2 && long.ends_with(short)) {
        return true;
    }
    if short.len() != long.len() {
        return false;
    }
    let mut unlike = short.iter().zip(long).filter(|(a, b)| a != b);
    match (unlike.next(), unlike.next()) {
        (Some((a, b)), None) => slipped(*a, *b),
        _ => false,
    }
}

/// Whether numbers are the beginning of others, the last perhaps cut within its digits: 3丁目1 of 3丁目14番5号.
fn is_cut(short: &[u32], long: &[u32]) -> bool {
    let Some((last, rest)) = short.split_last() else { return false };
    let mut whole = match long.get(rest.len()) {
        Some(whole) if long.starts_with(rest) => *whole,
        _ => return false,
    };
    while whole > *last {
        whole /= 10;
    }
    whole == *last
}

/// One digit replaced, lost or added, or two exchanged, or one counted on with its carry: 19 and 20.
fn slipped(a: u32, b: u32) -> bool {
    if matches!(a.abs_diff(b), 1 | 10) {
        return true;
    }
    let digits = |number: u32| number.to_string().chars().collect::<Vec<_>>();
    crate::kernel::within_one_edit(&digits(a), &digits(b))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::level::PLACE;
    use super::*;
    use crate::intake::{Division, RawColumn};
    use renkei_japanese::postal::PostalCode;

    /// Towns of which the register knows more than one resident.
    const TOWNS: [&str; 4] = [
        "北海道札幌市白石区東札幌二条六丁目5番1号",
        "北海道札幌市西区二十四軒四条五丁目1番1号",
        "香川県小豆郡土庄町甲559番地",
        "千葉県若葉市大和1番地",
    ];

    /// An address and the postal code behind it, if there is one.
    fn parts(text: &str) -> (&str, Option<PostalCode>) {
        let (address, postal) = text.split_once(" 〒").unwrap_or((text, ""));
        (address, PostalCode::read(postal))
    }

    /// The level of a line's address against a resident's.
    fn level_name(register: &str, list: &str) -> &'static str {
        let column = |texts: &[&str]| RawColumn::of(Division::Address, texts.iter());
        let first = |raw: &RawColumn| raw.cells().next().expect("an address");
        let mut addresses = Addresses::default();
        let (address, postal) = parts(register);
        let raw = column(&[&[address], &TOWNS[..]].concat());
        let mut read = addresses.register_column(&raw, true);
        let place = addresses.settle(&mut read, first(&raw));
        let resident = addresses.intern(place, postal);
        raw.cells().skip(1).for_each(|cells| {
            addresses.settle(&mut read, cells);
        });
        addresses.share();
        let mut addresses = addresses.above();
        let (address, postal) = parts(list);
        let raw = column(&[address]);
        let mut read = addresses.list_column(&raw, false);
        let place = addresses.settle(&mut read, first(&raw));
        let line = addresses.intern(place, postal);
        match (addresses.place(line), addresses.place(resident)) {
            (Some(line), Some(resident)) => {
                let found = level(&addresses, line, resident);
                assert_eq!(found, level(&addresses, resident, line), "{register} | {list}");
                PLACE[usize::from(found)].name
            }
            _ => PLACE[0].name,
        }
    }

    #[test]
    fn places_agree_as_far_as_a_careful_clerk_would_say() {
        for (register, list, expected) in [
            ("千葉県若葉市寿町一丁目2番3号", "寿町1-2-3", "same place"),
            (
                "千葉県若葉市寿町一丁目2番3号 ハイツ緑201号室",
                "寿町1-2-3",
                "same building, room missing",
            ),
            ("千葉県若葉市寿町1369番地 ハイツ緑905号室", "若葉市寿町1369-905", "same place"),
            (
                "千葉県若葉市寿町1番地 ハイツ緑201",
                "若葉市寿町1 ハイツ緑202",
                "same building, other room",
            ),
            ("千葉県若葉市寿町2番地14", "若葉市寿町2月14日", "same place, repaired"),
            ("千葉県若葉市寿町2番地14", "若葉市寿町45702", "same place, repaired"),
            ("千葉県若葉市寿町四丁目3番7号", "若葉市寿町38053", "same place, repaired"),
            ("千葉県若葉市寿町2番地14", "若葉市寿町2025-02-14", "same place, repaired"),
            ("千葉県若葉市寿町2番地14", "若葉市寿町2015-02-14", "same town, numbers near"),
            ("千葉県若葉市寿町一丁目23番4号", "若葉市寿町1-2", "same town, numbers near"),
            ("千葉県若葉市寿町1302番地4", "若葉市寿町1292-4", "same town, numbers near"),
            ("千葉県若葉市寿町1番地", "若葉市寿町", "same town"),
            ("千葉県若葉市松ヶ崎原1番地", "若葉市松ヶ崎", "same town"),
            ("千葉県若葉市松ヶ崎原1番地", "若葉市松", "missing"),
            ("千葉県若葉市寿町1番地 〒260-0001", "若葉市 〒260-0001", "same postal code"),
            ("千葉県若葉市寿町1番地 〒060-0001", "若葉市 〒600001", "same postal code, repaired"),
            ("千葉県若葉市寿町1番地", "若葉市?町1", "same place"),
            ("千葉県若葉市大字上野字前田12番地3", "若葉市上野12-3", "same place"),
            ("北海道札幌市白石区東札幌二条六丁目5番1号", "札幌市白石区東札幌2-6-5-1", "same place"),
            ("北海道札幌市西区二十四軒四条五丁目1番1号", "札幌市西区24軒4条5-1-1", "same place"),
            ("香川県小豆郡土庄町甲559番地", "土庄町甲559", "same place"),
            ("千葉県若葉市大和12番地", "若葉市大和十二", "same place"),
            ("千葉県若葉市寿町1番地", "若葉市栄町3", "different"),
        ] {
            assert_eq!(level_name(register, list), expected, "{register} | {list}");
        }
    }

    proptest! {
        #[test]
        fn a_number_slips_by_one_edit_of_its_digits_or_one_count(a in 0u32..2_000, b in 0u32..2_000) {
            let edits = strsim::osa_distance(&a.to_string(), &b.to_string());
            prop_assert_eq!(slipped(a, b), edits <= 1 || matches!(a.abs_diff(b), 1 | 10));
        }

        #[test]
        fn numbers_are_cut_where_their_digits_begin_the_others(
            rest in prop::collection::vec(1u32..30, 0..3),
            last in 1u32..200,
            long in prop::collection::vec(1u32..2_000, 0..4),
            same in any::<bool>(),
        ) {
            let long = if same { [rest.clone(), long].concat() } else { long };
            let short: Vec<u32> = rest.iter().copied().chain([last]).collect();
            let begins = long.starts_with(&rest)
                && long.get(rest.len()).is_some_and(|whole| {
                    whole.to_string().starts_with(&last.to_string())
                });
            prop_assert_eq!(is_cut(&short, &long), begins, "{:?} {:?}", short, long);
        }
    }
}
