//! Match weights as fixed-point numbers.
//!
//! A weight is the base-2 logarithm of odds, in thousandths of a bit. Sums of integers do not depend on order, thread
//! count or machine, so an auditor can recompute every result bit by bit. Logarithms and powers come from `libm`, which
//! gives the same bits everywhere.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub};
use std::sync::LazyLock;

/// log2 of odds in thousandths of a bit.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct MatchWeight(i32);

/// Thousandths in one bit.
const SCALE: f64 = 1000.0;

/// Bits are held within this range: a million to the sixth power is 120 bits.
const LIMIT: i32 = 500_000;

impl MatchWeight {
    /// Even odds.
    pub const ZERO: Self = Self(0);

    /// Less than any weight of a pair: nothing.
    pub const NEVER: Self = Self(-LIMIT);

    /// From thousandths of a bit.
    pub const fn from_millibits(millibits: i32) -> Self {
        Self(millibits)
    }

    /// In thousandths of a bit.
    pub const fn millibits(self) -> i32 {
        self.0
    }

    /// log2 of a probability or ratio, rounded to a thousandth of a bit; zero and below give [`Self::NEVER`].
    pub fn log2(ratio: f64) -> Self {
        if ratio > 0.0 { Self::from_bits(libm::log2(ratio)) } else { Self::NEVER }
    }

    /// From bits, rounded.
    pub fn from_bits(bits: f64) -> Self {
        let limit = f64::from(LIMIT);
        let millibits = libm::rint(bits * SCALE).clamp(-limit, limit);
        #[expect(clippy::cast_possible_truncation, reason = "clamped to the limit above")]
        Self(millibits as i32)
    }

    /// In bits.
    pub fn bits(self) -> f64 {
        f64::from(self.0) / SCALE
    }

    /// The weight at which the posterior is `probability`.
    pub fn of_probability(probability: f64) -> Self {
        Self::log2(probability / (1.0 - probability))
    }

    /// The posterior probability of these odds.
    pub fn probability(self) -> f64 {
        1.0 / (1.0 + libm::exp2(-self.bits()))
    }

    /// log2(2^self + 2^other): the weight of either of two causes.
    pub fn or(self, other: Self) -> Self {
        let (high, low) = if self >= other { (self, other) } else { (other, self) };
        let distance = usize::try_from(i64::from(high.0) - i64::from(low.0)).unwrap_or(usize::MAX);
        Self(high.0 + ONE_PLUS_EXP2.get(distance).map_or(0, |&gain| i32::from(gain)))
    }
}

/// log2(1 + 2^-d) in thousandths of a bit, for d in thousandths of a bit, until it rounds to nothing.
static ONE_PLUS_EXP2: LazyLock<Vec<u16>> = LazyLock::new(|| {
    (0..12_000)
        .map(|distance| {
            let gain = libm::log2(1.0 + libm::exp2(-f64::from(distance) / SCALE)) * SCALE;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0..=1000")]
            let gain = libm::rint(gain) as u16;
            gain
        })
        .collect()
});

impl Add for MatchWeight {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for MatchWeight {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for MatchWeight {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Neg for MatchWeight {
    type Output = Self;

    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

impl Sum for MatchWeight {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, Add::add)
    }
}

/// In bits, with three decimals.
impl fmt::Display for MatchWeight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let magnitude = self.0.unsigned_abs();
        f.pad(&format!("{sign}{}.{:03}", magnitude / 1000, magnitude % 1000))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn probability_and_weight_are_inverse() {
        for probability in [0.001, 0.5, 0.9, 0.9995] {
            let back = MatchWeight::of_probability(probability).probability();
            assert!((back - probability).abs() < 0.001 * (1.0 - probability) + 1e-6, "{back}");
        }
        assert_eq!(MatchWeight::of_probability(0.5), MatchWeight::ZERO);
    }

    #[test]
    fn either_of_two_equal_causes_weighs_one_bit_more() {
        let weight = MatchWeight::from_millibits(7_321);
        assert_eq!(weight.or(weight).millibits(), 8_321);
        assert_eq!(weight.or(MatchWeight::NEVER), weight);
        assert_eq!(MatchWeight::NEVER.or(weight), weight);
    }

    #[test]
    fn display_keeps_the_sign_of_small_weights() {
        assert_eq!(MatchWeight::from_millibits(-5).to_string(), "-0.005");
        assert_eq!(MatchWeight::from_millibits(20_125).to_string(), "20.125");
    }

    proptest! {
        #[test]
        fn either_of_two_causes_weighs_what_their_odds_sum_to(
            a in -200_000i32..200_000,
            apart in prop_oneof![-15_000i32..15_000, -200_000i32..200_000],
        ) {
            let (a, b) = (MatchWeight(a), MatchWeight(a.saturating_add(apart)));
            let summed = MatchWeight::log2(libm::exp2(a.bits()) + libm::exp2(b.bits()));
            prop_assert!((a.or(b) - summed).millibits().abs() <= 1, "{a} or {b}: {summed}");
            prop_assert_eq!(a.or(b), b.or(a));
        }
    }
}
