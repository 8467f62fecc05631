//! From when until when a certificate is valid.

use std::num::NonZeroU16;

use jiff::{SignedDuration, Timestamp};

use crate::error::PkiError;
use crate::profile::Profiles;

/// How long a certificate is valid from the moment it is issued.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Validity {
    /// As long as its profile says.
    #[default]
    Standard,
    /// So many days of 24 hours.
    Days(NonZeroU16),
}

/// The two dates of a certificate or a revocation list, in whole seconds as DER has them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Period {
    pub(crate) begin: Timestamp,
    pub(crate) end: Timestamp,
}

impl Validity {
    /// The dates of a certificate issued `now`; `standard` is its profile's number of days.
    pub(crate) fn period(self, now: Timestamp, standard: NonZeroU16) -> Result<Period, PkiError> {
        let days = match self {
            Self::Standard => standard,
            Self::Days(days) => days,
        };
        Period::until(now, after_days(now, days)?)
    }
}

impl Period {
    /// From a little before `now` until `end`.
    pub(crate) fn until(now: Timestamp, end: Timestamp) -> Result<Self, PkiError> {
        let backdate = i64::from(Profiles::built_in().backdate_minutes) * 60;
        let begin = now.checked_sub(SignedDuration::from_secs(backdate));
        Ok(Self { begin: whole_second(begin?)?, end: whole_second(end)? })
    }
}

/// Days before an end at which it is told.
pub const NOTICE_DAYS: [u16; 4] = [1, 7, 14, 30];

/// Which notice is due of something that ends: the least of [`NOTICE_DAYS`] within which the end lies; 0 where it is over,
/// nothing where there is time.
pub fn expiry_notice(now: Timestamp, end: Timestamp) -> Option<u16> {
    if end <= now {
        return Some(0);
    }
    let within =
        |days: &u16| end.duration_since(now) <= SignedDuration::from_hours(24 * i64::from(*days));
    NOTICE_DAYS.into_iter().find(within)
}

/// So many days of 24 hours later.
pub(crate) fn after_days(now: Timestamp, days: NonZeroU16) -> Result<Timestamp, PkiError> {
    Ok(now.checked_add(SignedDuration::from_hours(24 * i64::from(days.get())))?)
}

fn whole_second(at: Timestamp) -> Result<Timestamp, PkiError> {
    Ok(Timestamp::from_second(at.as_second())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_begins_five_minutes_back_and_ends_after_its_days() {
        let now = "2026-11-21T09:00:00.75Z".parse().expect("a timestamp");
        let day = NonZeroU16::new(1).expect("not zero");
        let period = Validity::Standard.period(now, day).expect("dates");
        assert_eq!(period.begin.to_string(), "2026-11-21T08:55:00Z");
        assert_eq!(period.end.to_string(), "2026-11-22T09:00:00Z");
        let two = Validity::Days(NonZeroU16::new(2).expect("not zero"));
        assert_eq!(two.period(now, day).expect("dates").end.to_string(), "2026-11-23T09:00:00Z");
    }

    #[test]
    fn an_end_is_told_thirty_fourteen_seven_and_one_day_ahead() {
        let end: Timestamp = "2026-12-31T00:00:00Z".parse().expect("a timestamp");
        for (now, notice) in [
            ("2026-11-30T23:59:59Z", None),
            ("2026-12-01T00:00:00Z", Some(30)),
            ("2026-12-16T23:59:59Z", Some(30)),
            ("2026-12-17T00:00:00Z", Some(14)),
            ("2026-12-24T00:00:00Z", Some(7)),
            ("2026-12-29T23:59:59Z", Some(7)),
            ("2026-12-30T00:00:00Z", Some(1)),
            ("2026-12-30T23:59:59Z", Some(1)),
            ("2026-12-31T00:00:00Z", Some(0)),
        ] {
            assert_eq!(expiry_notice(now.parse().expect("a timestamp"), end), notice, "{now}");
        }
    }

    #[test]
    fn dates_beyond_the_calendar_are_an_error() {
        let all = Validity::Days(NonZeroU16::MAX);
        let days = NonZeroU16::MIN;
        assert!(matches!(all.period(Timestamp::MAX, days), Err(PkiError::Time(_))));
    }
}
