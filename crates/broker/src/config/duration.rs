//! Durations as an operator writes them: a whole number and a unit, as in `30s`.
//!
//! A bare number is refused, because nobody can see whether it means seconds or milliseconds. Zero and more than a year
//! are refused as well: in a limit, both would mean that there is none.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A duration in its text form: `250ms`, `30s`, `15m`, `12h`, `7d`.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct DurationText(pub Duration);

/// The text is not a duration.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "a duration is a whole number above 0 and one of ms, s, m, h, d, at most 365d; for example 30s"
)]
pub struct InvalidDuration;

const MILLISECONDS_MAX: u64 = 365 * 86_400_000;

/// Units from the largest, with their length in milliseconds.
const UNITS: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

impl FromStr for DurationText {
    type Err = InvalidDuration;

    fn from_str(text: &str) -> Result<Self, InvalidDuration> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let number: u64 = number.parse().map_err(|_| InvalidDuration)?;
        let (_, length) =
            UNITS.into_iter().find(|(name, _)| *name == unit).ok_or(InvalidDuration)?;
        match number.checked_mul(length) {
            Some(milliseconds @ 1..=MILLISECONDS_MAX) => {
                Ok(Self(Duration::from_millis(milliseconds)))
            }
            Some(_) | None => Err(InvalidDuration),
        }
    }
}

impl fmt::Display for DurationText {
    /// The largest unit that says it exactly. What is below a millisecond is not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = self.0.as_millis();
        let exact =
            UNITS.into_iter().find(|(_, length)| milliseconds.is_multiple_of(u128::from(*length)));
        let (unit, length) = exact.unwrap_or(("ms", 1));
        write!(f, "{}{unit}", milliseconds / u128::from(length))
    }
}

/// For `#[serde(with = "duration")]`: the field is a [`Duration`], the file has its text.
pub(super) fn serialize<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    DurationText(*value).serialize(serializer)
}

/// See [`serialize`].
pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Duration, D::Error> {
    DurationText::deserialize(deserializer).map(|text| text.0)
}

impl Serialize for DurationText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DurationText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_duration_needs_a_number_and_a_unit() {
        for (text, milliseconds) in [
            ("1ms", 1),
            ("30s", 30_000),
            ("15m", 900_000),
            ("12h", 43_200_000),
            ("365d", 31_536_000_000),
        ] {
            assert_eq!(text.parse(), Ok(DurationText(Duration::from_millis(milliseconds))));
        }
        for text in
            ["", "30", "s", "0s", "-1s", "1.5s", "30 s", "30S", "366d", "99999999999999999999d"]
        {
            assert_eq!(text.parse::<DurationText>(), Err(InvalidDuration), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_printed_duration_parses_back(milliseconds in 1..=MILLISECONDS_MAX) {
            let duration = DurationText(Duration::from_millis(milliseconds));
            prop_assert_eq!(duration.to_string().parse(), Ok(duration));
        }
    }
}
