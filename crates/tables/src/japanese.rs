//! What this crate asks of `renkei-japanese`, in its own terms.

use jiff::civil::Date;
use renkei_japanese::code::my_number_check_digit;
use renkei_japanese::date::{self, DateReading, Why};
pub(crate) use renkei_japanese::text::{is_gaiji, is_lost_letter};
use renkei_types::DateOrder;

/// Whether twelve half-width digits carry the check digit of a My Number.
pub(crate) fn fits_my_number(digits: &[u8; 12]) -> bool {
    let [base @ .., check] = digits.map(|digit| digit.wrapping_sub(b'0'));
    my_number_check_digit(&base) == check
}

/// What a cell for a date says, as far as its damage is concerned.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum DateRead {
    /// A day of the calendar.
    Day(Date),
    /// Nothing, or a date of which parts are unknown.
    Partial,
    /// A date whose month or day does not exist.
    Impossible,
    /// No date.
    Unreadable,
}

/// Reads a date in any Japanese or western notation.
pub(crate) fn read_date(text: &str, order: DateOrder) -> DateRead {
    let order = match order {
        DateOrder::Ymd => date::DateOrder::Ymd,
        DateOrder::Dmy => date::DateOrder::Dmy,
        DateOrder::Mdy => date::DateOrder::Mdy,
    };
    match date::read(text, order) {
        DateReading::Missing => DateRead::Partial,
        DateReading::Read(read) => match (read.year, read.month, read.day) {
            (Some(year), Some(month), Some(day)) => day_of(year, month, day),
            (_, _, _) => DateRead::Partial,
        },
        DateReading::Unreadable(Why::Month | Why::Day) => DateRead::Impossible,
        DateReading::Unreadable(Why::NotADate | Why::Digits | Why::Year | Why::Range) => {
            DateRead::Unreadable
        }
    }
}

fn day_of(year: i32, month: u8, day: u8) -> DateRead {
    let (Ok(year), Ok(month), Ok(day)) =
        (i16::try_from(year), i8::try_from(month), i8::try_from(day))
    else {
        return DateRead::Unreadable;
    };
    Date::new(year, month, day).map_or(DateRead::Impossible, DateRead::Day)
}
