//! Days of the calendar and the Japanese eras, as far as birth dates need them.
//!
//! A birth date is kept as a day number in 16 bits (days since 1900-01-01), so that ten million people fit in memory.

/// A day of the Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// Year of the common era.
    pub year: u16,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day of the month, from 1.
    pub day: u8,
}

/// The day at which the register is true (基準日): nobody is born after it.
pub const REFERENCE_DATE: Date = Date { year: 2026, month: 4, day: 1 };

/// One Japanese era: name, letter, code digit and first day.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Era {
    pub(crate) name: &'static str,
    pub(crate) letter: char,
    pub(crate) code: u32,
    first: Date,
}

/// Eras from the latest to the earliest that a living person can be born in.
const ERAS: [Era; 5] = [
    Era { name: "令和", letter: 'R', code: 5, first: Date { year: 2019, month: 5, day: 1 } },
    Era { name: "平成", letter: 'H', code: 4, first: Date { year: 1989, month: 1, day: 8 } },
    Era { name: "昭和", letter: 'S', code: 3, first: Date { year: 1926, month: 12, day: 25 } },
    Era { name: "大正", letter: 'T', code: 2, first: Date { year: 1912, month: 7, day: 30 } },
    Era { name: "明治", letter: 'M', code: 1, first: Date { year: 1868, month: 1, day: 25 } },
];

impl Date {
    /// The date, when it exists in the calendar from 1900 to 2079.
    pub(crate) fn new(year: u32, month: u32, day: u32) -> Option<Self> {
        let exists = (1900..=2078).contains(&year)
            && (1..=12).contains(&month)
            && (1..=month_length(year, month)).contains(&day);
        exists.then_some(Self { year: year as u16, month: month as u8, day: day as u8 })
    }

    /// Days since 1900-01-01.
    pub(crate) fn day_number(self) -> u16 {
        let (year, month) = (u32::from(self.year), u32::from(self.month));
        let past = year - 1900;
        let leap_days = if past == 0 { 0 } else { (past - 1) / 4 };
        let months: u32 = (1..month).map(|month| month_length(year, month)).sum();
        (past * 365 + leap_days + months + u32::from(self.day) - 1) as u16
    }

    /// The date of a day number.
    pub(crate) fn from_day_number(number: u16) -> Self {
        let mut left = u32::from(number);
        let mut year = 1900;
        while left >= year_length(year) {
            left -= year_length(year);
            year += 1;
        }
        let mut month = 1;
        while left >= month_length(year, month) {
            left -= month_length(year, month);
            month += 1;
        }
        Self { year: year as u16, month: month as u8, day: left as u8 + 1 }
    }

    /// The era of the day and the year within it.
    pub(crate) fn era(self) -> (Era, u32) {
        let era = ERAS.iter().find(|era| era.first <= self).unwrap_or(&ERAS[ERAS.len() - 1]);
        (*era, u32::from(self.year - era.first.year) + 1)
    }

    /// The number a spreadsheet keeps for the day (origin 1899-12-30, right from 1900-03-01 on).
    pub(crate) fn serial(self) -> u32 {
        u32::from(self.day_number()) + 2
    }
}

fn is_leap(year: u32) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn year_length(year: u32) -> u32 {
    if is_leap(year) { 366 } else { 365 }
}

fn month_length(year: u32, month: u32) -> u32 {
    match month {
        2 => 28 + u32::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_number_gives_back_its_day() {
        for number in 0..60_000 {
            assert_eq!(Date::from_day_number(number).day_number(), number);
        }
        assert_eq!(Date::from_day_number(59), Date { year: 1900, month: 3, day: 1 });
    }

    #[test]
    fn days_have_their_era_and_serial() {
        let day = Date::new(1989, 1, 7).unwrap();
        let (era, year) = day.era();
        assert_eq!((era.name, year), ("昭和", 64));
        assert_eq!(Date::new(2019, 5, 1).unwrap().era().1, 1);
        assert_eq!(Date::new(1978, 6, 10).unwrap().serial(), 28_651);
        assert_eq!(Date::new(1900, 2, 29), None);
    }
}
