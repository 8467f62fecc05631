//! The Gregorian calendar and the five eras.
//!
//! Invariant: [`from_day_number`] undoes [`day_number`] on every day of the years this crate reads.

use super::{DateForm, PartialDate};

/// The first year in which the Gregorian calendar was in use (明治6年).
pub(crate) const GREGORIAN_FROM: i32 = 1873;

/// An era, by the digit that stands for it in files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Era {
    /// 1
    Meiji,
    /// 2
    Taisho,
    /// 3
    Showa,
    /// 4
    Heisei,
    /// 5
    Reiwa,
}

impl Era {
    /// The era of a file's code digit.
    pub(crate) fn from_code(code: u32) -> Option<Self> {
        Some(match code {
            1 => Self::Meiji,
            2 => Self::Taisho,
            3 => Self::Showa,
            4 => Self::Heisei,
            5 => Self::Reiwa,
            _ => return None,
        })
    }

    /// The western year of the era's first year.
    pub(crate) fn first_year(self) -> i32 {
        self.days().0.0
    }

    /// Whether a day lies in the era; both spellings of a day on a border do. Unknown parts are taken to fit.
    pub(crate) fn covers(self, year: i32, month: Option<u8>, day: Option<u8>) -> bool {
        let (first, last) = self.days();
        let earliest = (year, month.unwrap_or(1), day.unwrap_or(1));
        let latest = (year, month.unwrap_or(12), day.unwrap_or(31));
        latest >= first && earliest <= last
    }

    /// First and last day. A resident record accepts the day of a change under the old name as well, so 明治 and 大正 end on
    /// the day their successor begins.
    fn days(self) -> ((i32, u8, u8), (i32, u8, u8)) {
        match self {
            // 慶応4年 was renamed as a whole; its months are lunisolar, so no finer border is of use.
            Self::Meiji => ((1868, 1, 1), (1912, 7, 30)),
            Self::Taisho => ((1912, 7, 30), (1926, 12, 25)),
            Self::Showa => ((1926, 12, 25), (1989, 1, 7)),
            Self::Heisei => ((1989, 1, 8), (2019, 4, 30)),
            Self::Reiwa => ((2019, 5, 1), (i32::MAX, 12, 31)),
        }
    }
}

/// Whether the calendar has a day.
pub(crate) fn is_day(year: i32, month: u8, day: u8) -> bool {
    day >= 1 && day <= days_in_month(year, month)
}

/// Days of a month; 0 when there is no such month.
pub(crate) fn days_in_month(year: i32, month: u8) -> u8 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 0,
    }
}

/// Days since 1970-01-01 of a real day.
///
/// Years are counted from March, so that the leap day is the last of its year and months follow one linear rule.
pub(crate) fn day_number(year: i32, month: u8, day: u8) -> i32 {
    let (month, day) = (i32::from(month), i32::from(day));
    let year = if month <= 2 { year - 1 } else { year };
    let century = year.div_euclid(100);
    let month_from_march = (month + 9) % 12;
    let days_of_years = 365 * year + year.div_euclid(4) - century + century.div_euclid(4);
    // 719468 days lie between 0000-03-01 and 1970-01-01.
    days_of_years + (153 * month_from_march + 2) / 5 + day - 1 - 719_468
}

/// The date of a day number: days since 1970-01-01.
///
/// Numbers far outside the years people live in are clamped to about ± 5 million years, so that no input overflows.
pub fn from_day_number(day_number: i32) -> PartialDate {
    let days = day_number.clamp(-2_000_000_000, 2_000_000_000) + 719_468;
    let cycle = days.div_euclid(146_097);
    let day_of_cycle = days.rem_euclid(146_097);
    let year_of_cycle = (day_of_cycle - day_of_cycle / 1_460 + day_of_cycle / 36_524
        - day_of_cycle / 146_096)
        / 365;
    let day_of_year =
        day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = cycle * 400 + year_of_cycle + i32::from(month <= 2);
    // Both parts are small by construction.
    PartialDate::full(year, month as u8, day as u8, DateForm::Western)
}
