//! A month in Japan, and the hours at which its offices are open.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::{TimeZone, offset};
use jiff::{Timestamp, ToSpan as _};

/// The clocks of Japan, which know no summer time.
pub(crate) fn japan(time: Timestamp) -> DateTime {
    time.to_zoned(TimeZone::fixed(offset(9))).datetime()
}

fn midnight(day: Date) -> Timestamp {
    let zoned = day.to_zoned(TimeZone::fixed(offset(9)));
    zoned.map_or(Timestamp::MAX, |zoned| zoned.timestamp())
}

/// A month, written as 2026-11.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Month(Date);

/// Not a month.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a month is written as 2026-11")]
pub(crate) struct InvalidMonth;

impl FromStr for Month {
    type Err = InvalidMonth;

    fn from_str(text: &str) -> Result<Self, InvalidMonth> {
        let plain = text.len() == 7 && text.is_ascii();
        let day = format!("{text}-01").parse().ok().filter(|_| plain);
        day.map(Self).ok_or(InvalidMonth)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0.year(), self.0.month())
    }
}

impl Month {
    /// Its days.
    pub(crate) fn days(self) -> impl Iterator<Item = Date> {
        (0..self.0.days_in_month()).filter_map(move |day| self.0.checked_add(day.days()).ok())
    }

    /// From its first moment to the first one after it.
    pub(crate) fn bounds(self) -> (Timestamp, Timestamp) {
        let next = self.0.checked_add(1.month()).unwrap_or(Date::MAX);
        (midnight(self.0), midnight(next))
    }

    /// The twelve months of a fiscal year.
    pub(crate) fn of_fiscal_year(year: i16) -> impl Iterator<Item = Self> {
        let april = Date::new(year, 4, 1).unwrap_or(Date::MIN);
        (0..12).filter_map(move |month| april.checked_add(month.months()).ok().map(Self))
    }
}

/// When an office is open.
#[derive(Clone, Debug)]
pub(crate) struct OfficeHours {
    pub(crate) opens: Time,
    pub(crate) closes: Time,
    /// Days on which it is closed beside Saturdays and Sundays.
    pub(crate) holidays: BTreeSet<Date>,
}

/// Not hours.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("office hours are written as 08:30-17:15")]
pub(crate) struct InvalidHours;

impl FromStr for OfficeHours {
    type Err = InvalidHours;

    fn from_str(text: &str) -> Result<Self, InvalidHours> {
        let (opens, closes) = text.split_once('-').ok_or(InvalidHours)?;
        let time = |text: &str| text.parse::<Time>().map_err(|_| InvalidHours);
        let (opens, closes) = (time(opens)?, time(closes)?);
        let holidays = BTreeSet::new();
        if opens < closes { Ok(Self { opens, closes, holidays }) } else { Err(InvalidHours) }
    }
}

impl fmt::Display for OfficeHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (opens, closes) = (self.opens.strftime("%H:%M"), self.closes.strftime("%H:%M"));
        write!(f, "{opens}-{closes}")
    }
}

impl OfficeHours {
    /// Whether the office is closed all day.
    pub(crate) fn closed_on(&self, day: Date) -> bool {
        matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) || self.holidays.contains(&day)
    }

    /// Whether the office is closed at a moment.
    pub(crate) fn closed_at(&self, moment: DateTime) -> bool {
        let time = moment.time();
        self.closed_on(moment.date()) || time < self.opens || time >= self.closes
    }

    /// Whether the office is open for the whole of this hour of a working day.
    pub(crate) fn open_in_hour(&self, hour: i8) -> bool {
        let begins = Time::new(hour, 0, 0, 0).unwrap_or(Time::MIN);
        let ends = Time::new(hour, 59, 59, 0).unwrap_or(Time::MAX);
        begins >= self.opens && ends < self.closes
    }

    /// Whether the office is closed for the whole of this hour of a working day.
    pub(crate) fn closed_in_hour(&self, hour: i8) -> bool {
        let begins = Time::new(hour, 0, 0, 0).unwrap_or(Time::MIN);
        let ends = Time::new(hour, 59, 59, 0).unwrap_or(Time::MAX);
        ends < self.opens || begins >= self.closes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_begins_at_midnight_in_japan_and_has_its_own_days() {
        let month: Month = "2028-02".parse().expect("a month");
        assert_eq!(month.days().count(), 29);
        let (from, until) = month.bounds();
        assert_eq!(from.to_string(), "2028-01-31T15:00:00Z");
        assert_eq!(until.to_string(), "2028-02-29T15:00:00Z");
        assert_eq!(month.to_string(), "2028-02");
        for text in ["2028-13", "2028-2", "2028", "2028-02-01", "２０２８-02", ""] {
            assert!(text.parse::<Month>().is_err(), "{text}");
        }
        let months: Vec<String> = Month::of_fiscal_year(2026).map(|m| m.to_string()).collect();
        assert_eq!((months.len(), &*months[0], &*months[11]), (12, "2026-04", "2027-03"));
    }

    #[test]
    fn an_office_is_closed_at_night_on_weekends_and_on_its_holidays() {
        let mut hours: OfficeHours = "08:30-17:15".parse().expect("hours");
        hours.holidays.insert("2026-11-23".parse().expect("a day"));
        let closed = |moment: &str| hours.closed_at(moment.parse().expect("a moment"));
        assert!(!closed("2026-11-20T08:30:00") && !closed("2026-11-20T17:14:59"));
        assert!(closed("2026-11-20T08:29:59") && closed("2026-11-20T17:15:00"));
        assert!(closed("2026-11-21T12:00:00"), "Saturday");
        assert!(closed("2026-11-23T12:00:00"), "a holiday");
        let all_closed: Vec<i8> = (0..24).filter(|hour| hours.closed_in_hour(*hour)).collect();
        assert!(!all_closed.contains(&8) && !all_closed.contains(&17));
        assert!(all_closed.contains(&7) && all_closed.contains(&18));
        assert!("17:15-08:30".parse::<OfficeHours>().is_err());
    }
}
