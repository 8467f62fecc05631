//! How the weights of the best candidates are spread: a good job has two hills and little between the thresholds.
//!
//! Heights are logarithmic, since one line in review matters beside thousands that are linked. Rare outcomes lie at the
//! bottom of a bar, where a logarithmic scale shows them largest.

use std::collections::BTreeMap;

use renkei_linkage::{Decision, Outcome, Thresholds};
use renkei_types::{Language, Localised};

use super::chart::{Anchor, Chart, Mark, Scale};
use super::number::{Count, as_length, grouped};
use super::{outcomes, thresholds};

/// The narrowest bin; wider ones where weights are spread far.
const BIN_BITS: i32 = 1;

/// More bars than this are too thin to see.
const BINS_MAX: i32 = 40;

const TOP: f64 = thresholds::LABELS_HEIGHT;
const BOTTOM: f64 = TOP + 230.0;

/// Outcomes of lines that have a best candidate, from the bottom of a bar up.
const STACKED: [Outcome; 8] = [
    Outcome::RejectedInput,
    Outcome::Unlinkable,
    Outcome::NotFound,
    Outcome::Duplicate,
    Outcome::Ambiguous,
    Outcome::Review,
    Outcome::LinkedByClerk,
    Outcome::Linked,
];

/// The histogram, and the lines that are not in it because no candidate of theirs has a weight.
#[derive(Debug)]
pub(crate) struct Histogram {
    pub(crate) chart: Chart,
    pub(crate) without_weight: Count,
    /// Class and name of the outcomes that are in it.
    pub(crate) legend: Vec<(&'static str, String)>,
    pub(crate) bin_bits: i32,
}

impl Histogram {
    /// Nothing where no line has a weight.
    pub(crate) fn of(decisions: &[Decision], cut: Thresholds, language: Language) -> Option<Self> {
        let weights = || decisions.iter().filter_map(|decision| decision.nearest);
        let least = weights().min()?.min(cut.review).millibits();
        let most = weights().max()?.max(cut.link).millibits();
        let mut bin_bits = BIN_BITS;
        while (most - least) / (bin_bits * 1000) > BINS_MAX {
            bin_bits *= 2;
        }
        let width = bin_bits * 1000;
        let mut bins: BTreeMap<i32, BTreeMap<Outcome, u64>> = BTreeMap::new();
        let mut without_weight = 0;
        for decision in decisions {
            match decision.nearest {
                Some(weight) => {
                    let bin = bins.entry(weight.millibits().div_euclid(width)).or_default();
                    *bin.entry(decision.outcome).or_default() += 1;
                }
                None => without_weight += 1,
            }
        }
        // Two bins of air on either side, for the eye and the labels.
        let bits = |bin: i32| f64::from(bin * bin_bits);
        let scale = Scale {
            low: bits(least.div_euclid(width) - 2),
            high: bits(most.div_euclid(width) + 3),
        };
        let tallest = bins.values().map(|bin| bin.values().sum::<u64>()).max().unwrap_or(1);
        let y = |count: u64| {
            let share = as_length(count).ln_1p() / (as_length(tallest).ln_1p() * 1.04);
            BOTTOM - share * (BOTTOM - TOP)
        };
        let mut marks = Vec::new();
        scale.axis(TOP, BOTTOM, &mut marks);
        for (bin, counts) in &bins {
            let (x, width) = scale.between(bits(*bin), bits(bin + 1));
            let mut below = 0;
            for outcome in STACKED {
                let Some(&count) = counts.get(&outcome) else {
                    continue;
                };
                let (from, to) = (y(below), y(below + count));
                let name = outcome.localised(language);
                let range = format!("{:.0} … {:.0}", bits(*bin), bits(bin + 1)).replace('-', "−");
                let title = language.pick(
                    format!("{range} bits, {name}: {}", grouped(count)),
                    format!("{range}ビット、{name}: {}件", grouped(count)),
                );
                let class = outcomes::class(outcome);
                marks.push(Mark::Bar { x, width, y: to, height: from - to, class, title });
                below += count;
            }
        }
        counts_axis(tallest, y, &mut marks);
        thresholds::draw(cut, scale, BOTTOM, language, &mut marks);
        let label = language.pick("Lines by match weight", "一致度ごとの件数").to_owned();
        let chart = Chart { label, height: BOTTOM + 22.0, marks };
        let is_shown = |outcome: &Outcome| bins.values().any(|bin| bin.contains_key(outcome));
        let entry = |outcome: Outcome| (outcomes::class(outcome), outcome.localised(language));
        let legend = Outcome::ALL.into_iter().filter(is_shown).map(entry).collect();
        Some(Self { chart, without_weight: Count(without_weight), legend, bin_bits })
    }
}

/// Faint lines at powers of ten, over the bars so that they can be read off, the numbers at the left edge.
fn counts_axis(tallest: u64, y: impl Fn(u64) -> f64, marks: &mut Vec<Mark>) {
    let next = |tick: &u64| tick.checked_mul(10).filter(|next| *next <= tallest);
    for tick in std::iter::successors(Some(1u64), next) {
        let y = y(tick);
        marks.push(Mark::Line { from: (0.0, y), to: (100.0, y), class: "grid" });
        marks.push(Mark::Text {
            x: 0.0,
            shift: 0.0,
            y: y - 3.0,
            anchor: Anchor::Start,
            class: "tick",
            text: grouped(tick),
        });
    }
    marks.push(Mark::Line { from: (0.0, BOTTOM), to: (100.0, BOTTOM), class: "zero" });
}

#[cfg(test)]
mod tests {
    use renkei_linkage::{Costs, MatchWeight, Profile};
    use renkei_types::Reason;

    use super::*;

    fn decision(outcome: Outcome, millibits: Option<i32>) -> Decision {
        let best = millibits.map(|weight| (0, MatchWeight::from_millibits(weight)));
        let nearest = best.map(|(_, weight)| weight);
        Decision { outcome, best, nearest, reason: Reason::AboveLinkThreshold, holder: None }
    }

    fn histogram(decisions: &[Decision]) -> Option<Histogram> {
        let cut = Thresholds::from_costs(Costs::default(), Profile::Residents);
        Histogram::of(decisions, cut, Language::English)
    }

    #[test]
    fn lines_without_a_weight_are_counted_apart() {
        let decisions = [
            decision(Outcome::Linked, Some(50_000)),
            decision(Outcome::Review, Some(-1)),
            decision(Outcome::NotFound, None),
        ];
        let histogram = histogram(&decisions).expect("two weights");
        assert_eq!(histogram.without_weight, Count(1));
        let svg = histogram.chart.to_string();
        assert!(svg.contains("−2 … 0 bits, to be reviewed: 1"), "{svg}");
        assert!(svg.contains("50 … 52 bits, linked: 1"), "{svg}");
    }

    #[test]
    fn extreme_weights_do_not_make_hundreds_of_bars() {
        let wide = [-500_000, 500_000].map(|weight| decision(Outcome::Linked, Some(weight)));
        assert_eq!(histogram(&wide).expect("two weights").bin_bits, 32);
        assert!(histogram(&[decision(Outcome::NotFound, None)]).is_none());
    }
}
