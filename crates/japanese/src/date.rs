//! Dates as registers and lists write them.
//!
//! | written | read as |
//! |---|---|
//! | `1980-04-24`, `１９８０．４．２４`, `19800424` | 1980-04-24 |
//! | `昭和55年4月24日`, `S55.4.24`, `㍼五十五年四月二十四日`, `3550424`, `S550424` | 1980-04-24 |
//! | `29335` (a spreadsheet's day number) | 1980-04-24, repaired |
//! | `昭和20年月日不詳`, `1945-00-00`, `19459999` | 1945, month and day unknown |
//!
//! Invariant: an unknown part stays unknown, it is never filled in, and a date that cannot exist is unreadable rather
//! than moved to a neighbour. One exception is the standard's own: 29 February of a common year is a legal birth date.
//! What a part weighs as evidence is the business of the linkage.

mod calendar;
mod parts;
mod reader;
mod token;

#[cfg(test)]
mod tests;

pub use calendar::from_day_number;
pub use reader::read;

/// In which order a file writes the parts of a date whose form does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum DateOrder {
    /// Year, month, day: nobody declared anything else.
    ///
    /// A date with the year last is then read only as far as it can be read one way: `25/01/1980` wholly, `01/02/1980`
    /// as the year 1980.
    #[default]
    Ymd,
    /// Day, month, year.
    Dmy,
    /// Month, day, year.
    Mdy,
}

/// A date of which any part may be unknown.
///
/// Equality compares how the date was written too; use the parts or [`PartialDate::day_number`] to compare days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PartialDate {
    /// The western year.
    pub year: Option<i32>,
    /// 1 to 12.
    pub month: Option<u8>,
    /// 1 to 31.
    pub day: Option<u8>,
    /// Written as an estimate (頃, 推定, 上旬), outside the era it names (昭和65年), before the Gregorian calendar was in use
    /// (before 明治6年), on a day the calendar lacks (2/29 of a common year), or with a year of two digits and no era.
    pub approximate: bool,
    /// How it was written.
    pub form: DateForm,
    /// Whether damage done by a spreadsheet was undone to read it.
    pub repaired: bool,
}

/// How a date was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DateForm {
    /// Western year first, parts apart: `1980-04-24`, `1980年4月24日`.
    Western,
    /// Eight digits: `19800424`.
    Compact,
    /// Era in kanji: `昭和55年4月24日`, `昭55.4.24`, `㍼55.4.24`.
    EraKanji,
    /// Era in Latin letters: `S55.4.24`, `S550424`.
    EraLatin,
    /// Era as a code: `3550424`, `03550424`.
    EraCode,
    /// Western year last, in digits: `24/04/1980`.
    YearLast,
    /// Western year of two digits: `80/04/24`.
    ShortYear,
    /// Month as an English name: `24 Apr 1980`.
    EnglishMonth,
    /// A spreadsheet's day number: `29335`.
    Serial,
}

/// What a cell for a date says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DateReading {
    /// Empty, or one of the spellings for "no date".
    Missing,
    /// Something is written that is not a date, or not one date.
    Unreadable(Why),
    /// A date, or at least one part of it.
    Read(PartialDate),
}

/// Why a text is not read as a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Why {
    /// The text has no form of a date.
    #[error("not a date")]
    NotADate,
    /// The digits fit several forms, or none.
    #[error("the digits are not a date in one form")]
    Digits,
    /// The month is not 1 to 12.
    #[error("no such month")]
    Month,
    /// The month has no such day.
    #[error("no such day")]
    Day,
    /// The year is outside 1800 to 2199, or outside any era.
    #[error("no such year")]
    Year,
    /// A range of dates whose ends share no part.
    #[error("a range of dates")]
    Range,
}

impl PartialDate {
    /// A complete date of a real day.
    pub(crate) fn full(year: i32, month: u8, day: u8, form: DateForm) -> Self {
        Self {
            year: Some(year),
            month: Some(month),
            day: Some(day),
            approximate: false,
            form,
            repaired: false,
        }
    }

    /// Days since 1970-01-01; `None` unless the date is complete and the calendar has that day.
    ///
    /// Days in an era before 1873 are lunisolar, so they have no number; nor has 29 February of a common year.
    pub fn day_number(&self) -> Option<i32> {
        let (year, month, day) = (self.year?, self.month?, self.day?);
        let lunisolar =
            matches!(self.form, DateForm::EraKanji | DateForm::EraLatin | DateForm::EraCode)
                && year < calendar::GREGORIAN_FROM;
        (!lunisolar && calendar::is_day(year, month, day))
            .then(|| calendar::day_number(year, month, day))
    }

    /// The date of a day number: days since 1970-01-01.
    pub fn from_day_number(day_number: i32) -> Self {
        from_day_number(day_number)
    }

    /// Whether the date is certainly after the given day, as far as its known parts tell.
    ///
    /// An unknown part decides nothing: 1980 with an unknown month is after 1979-12-31 and not after 1980-01-01.
    pub fn is_after(&self, year: i32, month: u8, day: u8) -> bool {
        let Some(own_year) = self.year else { return false };
        if own_year != year {
            return own_year > year;
        }
        let Some(own_month) = self.month else { return false };
        if own_month != month {
            return own_month > month;
        }
        self.day.is_some_and(|own_day| own_day > day)
    }
}
