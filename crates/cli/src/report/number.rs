//! Numbers as people read them.

use std::fmt;

use renkei_linkage::MatchWeight;
use renkei_types::Yen;

/// A count that shows itself with a comma every three digits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Count(pub(crate) u64);

impl Count {
    pub(crate) fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Yen(self.0).fmt(f)
    }
}

/// A count as a length in a chart.
pub(crate) fn as_length(count: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a bar is never drawn finer than 2^52")]
    let length = count as f64;
    length
}

/// With a comma every three digits.
pub(crate) fn grouped(count: u64) -> String {
    Count(count).to_string()
}

/// `part` of `whole` in percent; a dash where there is no whole.
pub(crate) fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    let percent = 100.0 * as_length(part) / as_length(whole);
    if part > 0 && percent < 0.01 {
        "< 0.01%".to_owned()
    } else if part < whole && percent > 99.99 {
        "> 99.99%".to_owned()
    } else {
        format!("{percent:.2}%")
    }
}

/// Bits with a sign and three decimals: what a term adds or takes.
pub(crate) fn signed(weight: MatchWeight) -> String {
    let sign = if weight > MatchWeight::ZERO { "+" } else { "" };
    format!("{sign}{}", plain(weight))
}

/// Bits with three decimals.
pub(crate) fn plain(weight: MatchWeight) -> String {
    weight.to_string().replace('-', "−")
}

/// Bits with one decimal, for the narrow places of a chart; more where one would show nothing.
pub(crate) fn short(weight: MatchWeight) -> String {
    if weight.millibits().abs() < 50 {
        return plain(weight);
    }
    format!("{:.1}", weight.bits()).replace('-', "−")
}

/// The probability of a weight in percent, never claiming certainty.
pub(crate) fn probability(weight: MatchWeight) -> String {
    let percent = 100.0 * weight.probability();
    if percent > 99.999 {
        "> 99.999%".to_owned()
    } else if percent < 0.001 {
        "< 0.001%".to_owned()
    } else if (1.0..=99.0).contains(&percent) {
        format!("{percent:.1}%")
    } else {
        format!("{percent:.3}%")
    }
}

/// A probability of a model to three significant digits, without exponents, which clerks do not read.
pub(crate) fn chance(value: f64) -> String {
    if value <= 0.0 {
        return "0".to_owned();
    }
    let decimals = [0.1, 0.01, 0.001, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8];
    match decimals.iter().position(|&least| value >= least) {
        Some(zeros) => format!("{value:.*}", zeros + 3),
        None => "< 0.00000001".to_owned(),
    }
}

/// Seconds, finer where they are few.
pub(crate) fn seconds(value: f64) -> String {
    if value < 10.0 { format!("{value:.2}") } else { format!("{value:.1}") }
}

/// Bytes in the unit that keeps them short.
pub(crate) fn bytes(count: u64) -> String {
    let mebibytes = as_length(count) / 1_048_576.0;
    if mebibytes >= 1024.0 {
        format!("{:.2} GiB", mebibytes / 1024.0)
    } else {
        format!("{mebibytes:.0} MiB")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_never_rounds_to_all_or_nothing() {
        assert_eq!(share(1, 300_000), "< 0.01%");
        assert_eq!(share(299_999, 300_000), "> 99.99%");
        assert_eq!(share(5_850, 6_000), "97.50%");
        assert_eq!(share(0, 0), "–");
    }

    #[test]
    fn chances_keep_three_significant_digits() {
        for (value, text) in [
            (1.0, "1.000"),
            (0.962, "0.962"),
            (0.00004, "0.0000400"),
            (0.0, "0"),
            (1e-12, "< 0.00000001"),
        ] {
            assert_eq!(chance(value), text);
        }
    }

    #[test]
    fn weights_carry_a_true_minus_sign() {
        assert_eq!(signed(MatchWeight::from_millibits(14_554)), "+14.554");
        assert_eq!(signed(MatchWeight::from_millibits(-5)), "−0.005");
        assert_eq!(signed(MatchWeight::ZERO), "0.000");
    }
}
