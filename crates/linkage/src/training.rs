//! Training without labels: expectation-maximisation over agreement patterns.
//!
//! What strangers and relatives do is not learned here but known from the register (see `frequency` and `relatives`).
//! What one person does is learned from the candidate pairs, starting from the prior and drawn towards it with the weight
//! of some lines, so that a short list moves it little and a long one speaks for itself. Sums run over sorted patterns on
//! one thread, so the result has the same bits everywhere.
//!
//! Sources: Fellegi and Sunter, "A Theory for Record Linkage", JASA 1969; Winkler, "Using the EM Algorithm for Weight
//! Computation in the Fellegi-Sunter Model of Record Linkage", 1988; Enamorado, Fifield, Imai, APSR 2019 (counts of
//! patterns instead of pairs).

use std::collections::BTreeMap;

use crate::candidates::Candidates;
use crate::comparison::{Comparison, Measure};
use crate::model::{Level, Model, WeightTable};
use crate::pattern::{Pattern, TooManyFields};

/// Lines that the prior is worth where the measures are tuned to resident registers.
const PRIOR_LINES_RESIDENTS: f64 = 1_000.0;

/// Lines that the prior is worth for records of any other shape.
const PRIOR_LINES_OTHER: f64 = 20.0;

const ROUNDS_MAX: usize = 60;

/// Pairs of one pattern whose values are about equally rare.
struct Cell {
    levels: Vec<u8>,
    rarer: f64,
    pairs: f64,
}

/// Trains a model on the candidates of `lines` lines, starting from `prior`.
pub(crate) fn train(
    prior: &Model,
    comparisons: &[Comparison],
    candidates: &Candidates,
    lines: usize,
    register_records: usize,
) -> Result<Model, TooManyFields> {
    let cells = cells(&WeightTable::new(prior, register_records)?, candidates);
    let mut model = prior.clone();
    let prior_lines =
        if prior.has_households() { PRIOR_LINES_RESIDENTS } else { PRIOR_LINES_OTHER };
    #[expect(clippy::cast_precision_loss, reason = "lines and residents are fewer than 2^52")]
    let (lines_count, residents) = (lines as f64, register_records.max(1) as f64);
    for _ in 0..ROUNDS_MAX {
        let sums = expectation(&model, &cells, residents);
        let before = model.match_rate;
        maximisation(&mut model, prior, comparisons, &sums, prior_lines, lines_count);
        if (model.match_rate - before).abs() < 1e-7 {
            break;
        }
    }
    model.trained_lines = lines as u64;
    Ok(model)
}

/// Counts pairs by pattern and, to whole bits, by the rarity of their values.
fn cells(table: &WeightTable, candidates: &Candidates) -> Vec<Cell> {
    let mut counts: BTreeMap<(Pattern, i32), u64> = BTreeMap::new();
    for pair in candidates.all() {
        let bits = (pair.rarer.millibits() + 500).div_euclid(1000);
        *counts.entry((pair.pattern, bits)).or_insert(0) += 1;
    }
    #[expect(clippy::cast_precision_loss, reason = "pairs are fewer than 2^52")]
    let cell = |((pattern, bits), pairs): ((Pattern, i32), u64)| Cell {
        levels: table.radix().unpack(pattern),
        rarer: f64::from(bits),
        pairs: pairs as f64,
    };
    counts.into_iter().map(cell).collect()
}

/// Expected numbers of matches, by comparison and level.
struct Sums {
    levels: Vec<Vec<f64>>,
    matches: f64,
}

fn expectation(model: &Model, cells: &[Cell], residents: f64) -> Sums {
    let levels = model.comparisons.iter().map(|comparison| vec![0.0; comparison.levels.len()]);
    let mut sums = Sums { levels: levels.collect(), matches: 0.0 };
    let households = f64::from(u8::from(model.has_households()));
    for cell in cells {
        let product = |of: fn(&Level) -> f64| -> f64 {
            model
                .comparisons
                .iter()
                .zip(&cell.levels)
                .map(|(comparison, &level)| of(&comparison.levels[usize::from(level)]))
                .product()
        };
        let matched = model.match_rate * product(|level| level.m);
        let stranger = residents * product(|level| level.u) * libm::exp2(-cell.rarer);
        let related = model.relatives_per_line * product(|level| level.relative)
            + model.namesakes_per_line * product(|level| level.namesake)
            + model.elders_per_line * product(|level| level.elder);
        let total = matched + stranger + households * related;
        if total <= 0.0 {
            continue;
        }
        let matched = cell.pairs * matched / total;
        sums.matches += matched;
        for (comparison, &level) in cell.levels.iter().enumerate() {
            sums.levels[comparison][usize::from(level)] += matched;
        }
    }
    sums
}

fn maximisation(
    model: &mut Model,
    prior: &Model,
    comparisons: &[Comparison],
    sums: &Sums,
    prior_lines: f64,
    lines: f64,
) {
    let rate = (prior_lines * prior.match_rate + sums.matches) / (prior_lines + lines);
    model.match_rate = rate.clamp(0.001, 0.9999);
    for (index, comparison) in comparisons.iter().enumerate() {
        let priors = comparison.measure.levels();
        let (sums, believed) = (&sums.levels[index], &prior.comparisons[index].levels);
        for (level, of_level) in priors.iter().enumerate().skip(1) {
            let group: Vec<usize> =
                (1..priors.len()).filter(|&other| priors[other].group == of_level.group).collect();
            let seen: f64 = group.iter().map(|&other| sums[other]).sum();
            let believed_all: f64 = group.iter().map(|&other| believed[other].m).sum();
            let believed_here = believed[level].m / believed_all;
            let learned = &mut model.comparisons[index].levels[level];
            learned.m = (prior_lines * believed_here + sums[level]) / (prior_lines + seen);
            learned.support = sums[level];
            if matches!(comparison.measure, Measure::Place { .. }) {
                // Whoever lives with the person is found where the line says the person lives.
                (learned.relative, learned.elder) = (learned.m, learned.m);
            }
        }
    }
}
