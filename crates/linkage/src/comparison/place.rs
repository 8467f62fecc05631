//! Where somebody lives. Town, numbers, room and postal code imply each other, so they are one comparison with ordered
//! levels: nothing is counted twice.

use crate::forms::NONE;
use crate::forms::addresses::{Addresses, Place};

/// The level of [`super::level::PLACE`] for two places.
pub(crate) fn level(addresses: &Addresses, a: &Place, b: &Place) -> u8 {
    let postal = match (a.postal, b.postal) {
        (Some(a), Some(b)) => Some(a == b),
        _ => None,
    };
    let town = town_agreement(addresses, a.town, b.town);
    let (x, y) = (a.numbers(), b.numbers());
    let numbered = !x.is_empty() && !y.is_empty();
    let equal_numbers = numbered && x == y && a.block == b.block;
    match town {
        Some(true) if equal_numbers => match (a.room != NONE, b.room != NONE) {
            (true, true) if a.room != b.room => 3,
            (true, true) | (false, false) => 1,
            _ => 2,
        },
        Some(true) if numbered && near_numbers(x, y) => 4,
        Some(true) => 6,
        _ if equal_numbers && (x.len() >= 2 || postal == Some(true)) => 5,
        _ if postal == Some(true) => 7,
        None if postal.is_none() => 0,
        _ => 9,
    }
}

/// Whether the towns are one, nothing where one is not known.
fn town_agreement(addresses: &Addresses, a: u32, b: u32) -> Option<bool> {
    if a == NONE || b == NONE {
        return None;
    }
    Some(
        a == b || {
            let (x, y) = (addresses.town(a), addresses.town(b));
            let (short, long) = if x.len() <= y.len() { (x, y) } else { (y, x) };
            without_municipality(short, long)
                || (short.len() >= 3 && crate::kernel::within_one_edit(short, long))
        },
    )
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
    if long.starts_with(short) || (short.len() >= 2 && long.ends_with(short)) {
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

/// One digit replaced, lost or added, or two exchanged.
fn slipped(a: u32, b: u32) -> bool {
    let digits = |number: u32| number.to_string().chars().collect::<Vec<_>>();
    crate::kernel::within_one_edit(&digits(a), &digits(b))
}
