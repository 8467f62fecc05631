//! Numbers that a spreadsheet turned into a date, and back.
//!
//! `8-7` becomes `8月7日`, `4-3-7` becomes `2004/3/7`, `2-32` becomes `Feb-32`. Invariant: only what a spreadsheet can have written is taken for a
//! date; 4日市 and 1702/7 are not.

use super::letters::{at, numeral, starts};
use crate::date;

/// The numbers behind a date, and where it ends.
type Undone = ([Option<u32>; 3], usize);

/// The numbers behind a date that begins the letters, and the end of the date.
pub(crate) fn undo(letters: &[char]) -> Option<Undone> {
    if let Some((month, end)) = month_name(letters, 0) {
        // The year of a month: 2-32 becomes Feb-32, and 2-14 Feb-14 in some languages.
        let (number, number_end) = digits(letters, end + 1)?;
        let fits = at(letters, end) == Some('-') && (1..=99).contains(&number);
        return fits.then_some(([Some(month), Some(number), None], number_end));
    }
    let (first, end) = digits(letters, 0)?;
    if at(letters, end) == Some('月') {
        let (day, end) = digits(letters, end + 1)?;
        let real =
            at(letters, end) == Some('日') && (1..=12).contains(&first) && (1..=31).contains(&day);
        return real.then_some(([Some(first), Some(day), None], end + 1));
    }
    if let Some(found) = english(letters, first, end) {
        return Some(found);
    }
    let small = short_year(first, end)?;
    let mark = at(letters, end)?;
    let (month, month_end) = digits(letters, end + 1)?;
    let (day, day_end) = digits(letters, month_end + 1)?;
    let (second, behind) = match mark {
        '/' => ('/', 0),
        '年' => ('月', 1),
        '-' if month_end - end == 3 && day_end - month_end == 3 => ('-', 0),
        _ => return None,
    };
    let unit = behind == 0 || at(letters, day_end) == Some('日');
    let real = (1..=12).contains(&month) && (1..=31).contains(&day);
    if at(letters, month_end) != Some(second) || !unit || !real {
        return None;
    }
    Some(([Some(small), Some(month), Some(day)], midnight_end(letters, day_end + behind)))
}

/// `14-Feb`, which an English spreadsheet makes of 2-14.
fn english(letters: &[char], day: u32, end: usize) -> Option<Undone> {
    if at(letters, end) != Some('-') || !(1..=31).contains(&day) {
        return None;
    }
    let (month, behind) = month_name(letters, end + 1)?;
    let alone = at(letters, behind).is_none_or(|c| !c.is_ascii_alphabetic());
    alone.then_some(([Some(month), Some(day), None], behind))
}

/// The English short name of a month at a position, and its end.
fn month_name(letters: &[char], index: usize) -> Option<(u32, usize)> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    if !at(letters, index)?.is_ascii_uppercase() {
        return None;
    }
    let month = (1..).zip(MONTHS).find(|(_, name)| starts(letters, index, name))?.0;
    Some((month, index + 3))
}

/// Whether letters begin with a date whose month comes first, in English.
pub(crate) fn begins_with_month(letters: &[char]) -> bool {
    month_name(letters, 0).is_some() && undo(letters).is_some()
}

/// The numbers behind a spreadsheet's day number that stands where an address has its numbers: 2-14 becomes 45702.
///
/// What it gives is the year as one or two digits, the month and the day; the year is made up where only two numbers
/// were written.
pub fn numbers_of_day_number(number: u32) -> Option<[u32; 3]> {
    // 1930 to 2064: what a spreadsheet makes of two digits, and some years to come.
    if !(10_959..=60_000).contains(&number) {
        return None;
    }
    // A spreadsheet counts days from 1899-12-30.
    let date = date::from_day_number(i32::try_from(number).ok()? - 25_569);
    let year = u32::try_from(date.year?).ok()? % 100;
    Some([year, u32::from(date.month?), u32::from(date.day?)])
}

/// The number a spreadsheet takes for a year: 00 to 29 become 2000 to 2029, 30 to 99 become 1930 to 1999.
fn short_year(year: u32, digits: usize) -> Option<u32> {
    match year {
        _ if digits != 4 => None,
        2000..=2099 => Some(year - 2000),
        1930..=1999 => Some(year - 1900),
        _ => None,
    }
}

fn digits(letters: &[char], start: usize) -> Option<(u32, usize)> {
    at(letters, start).filter(char::is_ascii_digit)?;
    numeral(letters, start)
}

/// The end of a midnight that some exports add.
fn midnight_end(letters: &[char], end: usize) -> usize {
    for midnight in [" 00:00:00", " 0:00:00", " 00:00", " 0:00"] {
        if starts(letters, end, midnight) {
            return end + midnight.len();
        }
    }
    end
}
