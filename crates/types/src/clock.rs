//! Time as a parameter.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;

/// Where time comes from. Facts take [`Clock::now`], durations take [`Clock::monotonic`].
pub trait Clock: Sync {
    /// The present moment, for facts that are recorded.
    fn now(&self) -> Timestamp;

    /// Time since an arbitrary fixed point, never going back; for durations.
    fn monotonic(&self) -> Duration;

    /// Today's date in Japan (UTC+9, no daylight saving), against which a date is "in the future".
    fn today(&self) -> Date {
        let japan = jiff::tz::TimeZone::fixed(jiff::tz::offset(9));
        self.now().to_zoned(japan).date()
    }
}

/// A clock that stands still, for tests and for reproducible files.
#[derive(Clone, Copy, Debug)]
pub struct FixedClock(pub Timestamp);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        self.0
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn today_is_the_day_in_japan_not_in_greenwich() {
        let late_evening_utc = "2026-11-20T15:30:00Z".parse().expect("a timestamp");
        assert_eq!(FixedClock(late_evening_utc).today(), jiff::civil::date(2026, 11, 21));
    }
}
