//! Amounts of money.

use std::fmt;
use std::iter::Sum;

/// A whole, non-negative number of yen.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    Eq,
    Hash,
    Ord,
    PartialEq,
    PartialOrd,
    serde::Deserialize,
    serde::Serialize,
)]
#[serde(transparent)]
pub struct Yen(pub u64);

/// The text is not an amount that can be relied on.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not an amount: digits, optionally with commas every three digits and a final 円")]
pub struct UnreadableAmount;

impl Yen {
    /// The most that one line can pay: twelve digits, the width of a bank file's total.
    const LINE_MAX: u64 = 999_999_999_999;

    /// Reads an amount as written in a list: half- or full-width digits, commas every three digits, a final 円,
    /// surrounding spaces. Signs, decimals, other words and numbers of more than twelve digits are unreadable: nobody guesses money.
    pub fn read(text: &str) -> Result<Self, UnreadableAmount> {
        let text = text.trim();
        let text = text.strip_suffix('円').map_or(text, str::trim_end);
        let mut groups = text.split([',', '，']);
        let first = groups.next().unwrap_or_default();
        let mut total = Self::digits(first)?;
        let mut grouped = false;
        for group in groups {
            grouped = true;
            if group.chars().count() != 3 {
                return Err(UnreadableAmount);
            }
            total = total
                .checked_mul(1000)
                .and_then(|total| total.checked_add(Self::digits(group).ok()?))
                .ok_or(UnreadableAmount)?;
        }
        if (grouped && first.chars().count() > 3) || total > Self::LINE_MAX {
            return Err(UnreadableAmount);
        }
        Ok(Self(total))
    }

    fn digits(text: &str) -> Result<u64, UnreadableAmount> {
        if text.is_empty() {
            return Err(UnreadableAmount);
        }
        text.chars().try_fold(0u64, |total, c| {
            let digit = match c {
                '0'..='9' => u64::from(c) - u64::from('0'),
                '０'..='９' => u64::from(c) - u64::from('０'),
                _ => return Err(UnreadableAmount),
            };
            total.checked_mul(10).and_then(|t| t.checked_add(digit)).ok_or(UnreadableAmount)
        })
    }

    /// The sum, or nothing where it would overflow.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }
}

impl Sum for Yen {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        Self(iter.fold(0u64, |total, yen| total.saturating_add(yen.0)))
    }
}

/// With a comma every three digits.
impl fmt::Display for Yen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        let grouped: Vec<&str> = digits
            .as_bytes()
            .rchunks(3)
            .rev()
            .filter_map(|group| std::str::from_utf8(group).ok())
            .collect();
        f.pad(&grouped.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_lists_write_them() {
        for (text, yen) in [
            ("30000", 30_000),
            (" 30000 ", 30_000),
            ("１００，０００", 100_000),
            ("100,000円", 100_000),
            ("1,234,567", 1_234_567),
            ("0", 0),
            ("007", 7),
            ("999999999999", 999_999_999_999),
        ] {
            assert_eq!(Yen::read(text), Ok(Yen(yen)), "{text}");
        }
    }

    #[test]
    fn signs_decimals_and_overflow_are_unreadable() {
        for text in [
            "",
            "円",
            "-1",
            "+1",
            "1.5",
            "1.0E+5",
            "1,00",
            "1000,000",
            ",100",
            "1,,000",
            "12a",
            "三万",
            "1000000000000",
            "18446744073709551616",
            "18,446,744,073,709,551,616",
            "▲100",
            "1 000",
            "¥100",
            "10円円",
        ] {
            assert_eq!(Yen::read(text), Err(UnreadableAmount), "{text}");
        }
    }

    #[test]
    fn display_groups_by_three() {
        assert_eq!(Yen(403_520_000).to_string(), "403,520,000");
        assert_eq!(Yen(7).to_string(), "7");
    }
}
