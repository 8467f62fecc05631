//! Intervals: how far a figure may be off, with 95 % confidence.

/// Where a figure lies with 95 % confidence.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// The 97.5 % quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

impl Interval {
    /// The interval of a share that was counted as `part` of `whole`; everything is possible where nothing was counted.
    ///
    /// Wilson's score interval ("Probable Inference, the Law of Succession, and Statistical Inference", JASA 1927): unlike
    /// the usual plus and minus, it says something where all were right.
    pub fn wilson(part: u64, whole: u64) -> Self {
        if whole == 0 {
            return Self { low: 0.0, high: 1.0 };
        }
        #[expect(clippy::cast_precision_loss, reason = "lines are fewer than 2^52")]
        let (share, count) = (part as f64 / whole as f64, whole as f64);
        let square = Z * Z;
        let middle = share + square / (2.0 * count);
        let spread = Z * libm::sqrt(share * (1.0 - share) / count + square / (4.0 * count * count));
        let by = 1.0 + square / count;
        // At the ends the formula is exact but for rounding.
        let low = if part == 0 { 0.0 } else { (middle - spread) / by };
        let high = if part == whole { 1.0 } else { (middle + spread) / by };
        Self { low: low.max(0.0), high: high.min(1.0) }
    }

    /// The middle 95 % of values, each found once.
    pub(crate) fn of_draws(mut draws: Vec<f64>) -> Self {
        draws.sort_unstable_by(f64::total_cmp);
        let at = |thousandths: usize| {
            let place = (draws.len().saturating_sub(1) * thousandths + 500) / 1_000;
            draws.get(place).copied().unwrap_or_default()
        };
        Self { low: at(25), high: at(975) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values that the formula gives by hand, and that tables of the literature print.
    #[test]
    fn wilson_intervals_are_those_of_the_literature() {
        for (part, whole, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let found = Interval::wilson(part, whole);
            assert!((found.low - low).abs() < 5e-5, "{part} of {whole}: {found:?}");
            assert!((found.high - high).abs() < 5e-5, "{part} of {whole}: {found:?}");
        }
    }

    #[test]
    fn nothing_counted_says_nothing_and_all_right_is_not_certain() {
        assert_eq!(Interval::wilson(0, 0), Interval { low: 0.0, high: 1.0 });
        let all = Interval::wilson(100, 100);
        assert!(all.low > 0.95 && all.low < 0.97 && all.high == 1.0, "{all:?}");
    }

    #[test]
    fn the_middle_of_draws_leaves_one_in_forty_at_each_end() {
        let draws: Vec<f64> = (0..=1_000).rev().map(f64::from).collect();
        assert_eq!(Interval::of_draws(draws), Interval { low: 25.0, high: 975.0 });
    }
}
