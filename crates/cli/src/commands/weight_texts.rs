//! How a pair's weight is written to tables: a probability and bits.
//!
//! Weights are sums of few levels, so they repeat: 310,000 candidate pairs of 300,000 lines have 18,000 weights.
//! Each is turned into text once. Weights are bounded, so are the texts kept.

use std::collections::HashMap;

use renkei_linkage::MatchWeight;

/// Both cells of one weight.
#[derive(Debug, Default)]
pub(super) struct WeightText {
    /// With nine decimals.
    pub(super) probability: String,
    /// Bits with three decimals.
    pub(super) match_weight: String,
}

impl WeightText {
    fn new(weight: MatchWeight) -> Self {
        Self { probability: probability(weight), match_weight: weight.to_string() }
    }
}

/// With nine decimals.
pub(super) fn probability(weight: MatchWeight) -> String {
    format!("{:.9}", weight.probability())
}

/// The texts of the weights of one table.
#[derive(Debug, Default)]
pub(super) struct WeightTexts {
    known: HashMap<MatchWeight, WeightText>,
    none: WeightText,
}

impl WeightTexts {
    /// The text of a weight; empty cells without one.
    pub(super) fn of(&mut self, weight: Option<MatchWeight>) -> &WeightText {
        match weight {
            Some(weight) => self.known.entry(weight).or_insert_with(|| WeightText::new(weight)),
            None => &self.none,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_reads_the_same_whenever_it_is_asked_for() {
        let mut texts = WeightTexts::default();
        let weights = [-1_000, 0, 20_125, -1_000, 0];
        let cells = weights.map(|millibits| {
            let text = texts.of(Some(MatchWeight::from_millibits(millibits)));
            (text.probability.clone(), text.match_weight.clone())
        });
        let expected =
            [("0.333333333", "-1.000"), ("0.500000000", "0.000"), ("0.999999125", "20.125")];
        for (cell, (probability, bits)) in cells.iter().zip(expected.iter().cycle()) {
            assert_eq!((cell.0.as_str(), cell.1.as_str()), (*probability, *bits));
        }
        assert_eq!(texts.of(None).probability, "");
        assert_eq!(texts.of(None).match_weight, "");
    }
}
