//! Training without labels: expectation-maximisation over lines.
//!
//! What strangers and relatives do is not learned here but known from the register (see `frequency` and `household`).
//! What one person does is learned from the candidates of lines, starting from the prior and drawn towards it with the
//! weight of some lines, so that a short list moves it little and a long one speaks for itself. A line means one of its
//! candidates or nobody, so what is expected of a pair depends on the line's other pairs. A long list is represented by
//! the lines that a fixed hash of their ids chooses.
//!
//! Odds and sums are whole numbers, so the result has the same bits on every machine, in any order of lines and residents
//! and on any number of threads.
//!
//! Sources: Fellegi and Sunter, "A Theory for Record Linkage", JASA 1969; Winkler, "Using the EM Algorithm for Weight
//! Computation in the Fellegi-Sunter Model of Record Linkage", 1988; Sadinle, "Bayesian Estimation of Bipartite Matchings
//! for Record Linkage", JASA 2017 (a line has one partner or none).

use std::sync::LazyLock;

use rayon::prelude::*;

use crate::candidates::{Candidates, Pair};
use crate::comparison::Comparison;
use crate::equal_lines::Asker;
use crate::hash;
use crate::model::{Model, Nobodies, PairWeights, PatternWeights, WeightTable};
use crate::pattern::TooManyFields;
use crate::records::Linkable;
use crate::training_report::TrainingReport;
use crate::weight::MatchWeight;

/// Lines that the prior is worth where the measures are tuned to resident registers.
const PRIOR_LINES_RESIDENTS: f64 = 3_000.0;

/// Lines that the prior is worth for records of any other shape.
const PRIOR_LINES_OTHER: f64 = 20.0;

/// Lines that nobody of the register explains and that the prior is worth: they are one in twenty.
const PRIOR_NOBODIES: f64 = 150.0;

/// A level that an elder of the same name reaches so much more often than the person is not learned: no number of lines
/// shows which of the two they are.
const ELDER_LIKELIER: f64 = 50.0;

const ROUNDS_MAX: u64 = 40;

/// When the share of matches moves by less than this from one round to the next, training is done.
const SETTLED: f64 = 1e-6;

/// Lines that speak for a longer list.
const LINES_ENOUGH: u64 = 50_000;

/// Lines that one task looks at.
const CHUNK: usize = 1_024;

/// Trains a model on the candidates of the lines that take part, starting from `prior`.
pub(crate) fn train(
    prior: &Model,
    linkable: &Linkable,
    candidates: &Candidates,
    skip: &[bool],
) -> Result<Model, TooManyFields> {
    let index = linkable.index();
    let taking_part = skip.iter().filter(|skip| !**skip).count() as u64;
    let lines = candidates.lines().speaking(|line| speaks(linkable.list_id(line), taking_part));
    let speaking = lines.iter().map(|asker| asker.times as usize).sum();
    let mut model = prior.clone();
    let levels: Vec<Vec<u8>> = {
        let table = WeightTable::new(prior, index.counted())?;
        candidates.patterns().iter().map(|&pattern| table.radix().unpack(pattern)).collect()
    };
    let (mut rounds, mut last_change) = (0, f64::INFINITY);
    while rounds < ROUNDS_MAX && last_change >= SETTLED {
        let table = WeightTable::new(&model, index.counted())?;
        let weights = table.patterns(candidates.patterns());
        let chunks: Vec<Sums> =
            lines.par_chunks(CHUNK).map(|lines| expectation(lines, candidates, &weights)).collect();
        let mut sums = Sums::new(weights.len());
        chunks.iter().for_each(|chunk| sums.add(chunk));
        let before = model.match_rate;
        maximisation(&mut model, prior, linkable, &levels, &sums, speaking);
        last_change = (model.match_rate - before).abs();
        rounds += 1;
    }
    model.trained_lines = speaking as u64;
    model.report = Some(TrainingReport {
        rounds,
        converged: last_change < SETTLED,
        last_change,
        lines: taking_part,
        pairs: candidates.len() as u64,
        ..TrainingReport::of(&model)
    });
    Ok(model)
}

/// Whether a line is among those that speak for a list of so many.
fn speaks(list_id: &str, lines: u64) -> bool {
    lines <= LINES_ENOUGH || hash::text(list_id) % lines < LINES_ENOUGH
}

/// Shares are counted in units of this many to one.
pub(crate) const UNITS: u32 = 24;

/// Expected numbers of lines, in units.
struct Sums {
    /// Of matches, by pattern.
    matches: Vec<u64>,
    namesakes: u64,
}

impl Sums {
    fn new(patterns: usize) -> Self {
        Self { matches: vec![0; patterns], namesakes: 0 }
    }

    fn add(&mut self, other: &Self) {
        self.matches.iter_mut().zip(&other.matches).for_each(|(sum, part)| *sum += part);
        self.namesakes += other.namesakes;
    }
}

/// 2^(-d/1000) for d in 0..1000, in units of 2^-40.
static POWERS: LazyLock<Vec<u64>> = LazyLock::new(|| {
    (0..1000)
        .map(|millibits| {
            let power = libm::exp2(40.0 - f64::from(millibits) / 1000.0);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "to 2^40")]
            let power = libm::rint(power) as u64;
            power
        })
        .collect()
});

/// The odds of a weight against those of the greatest of the line, in units of 2^-40.
fn odds(weight: MatchWeight, greatest: MatchWeight) -> u64 {
    let below = (greatest - weight).millibits().unsigned_abs();
    let (bits, millibits) = (below / 1000, below % 1000);
    if bits > 40 { 0 } else { POWERS[millibits as usize] >> bits }
}

fn expectation(lines: &[Asker], candidates: &Candidates, weights: &[PatternWeights]) -> Sums {
    let mut sums = Sums::new(weights.len());
    let mut pairs: Vec<PairWeights> = Vec::new();
    for &Asker { line, times } in lines {
        let of_line: &[Pair] = candidates.of_line(line);
        pairs.clear();
        pairs.extend(
            of_line.iter().map(|pair| weights[pair.pattern as usize].of_pair(pair.rarity())),
        );
        let of_pair = |pair: &PairWeights| [pair.person, pair.relative, pair.namesake, pair.elder];
        let greatest = pairs.iter().flat_map(of_pair).fold(MatchWeight::ZERO, MatchWeight::max);
        let all: u64 = pairs.iter().flat_map(of_pair).map(|weight| odds(weight, greatest)).sum();
        let all = all + odds(MatchWeight::ZERO, greatest);
        let share = |weight: MatchWeight| {
            let share = (u128::from(odds(weight, greatest)) << UNITS) / u128::from(all);
            u64::from(times) * u64::try_from(share).expect("a share is at most one")
        };
        for (pair, weights) in of_line.iter().zip(&pairs) {
            sums.matches[pair.pattern as usize] += share(weights.person);
            sums.namesakes += share(weights.namesake);
        }
    }
    sums
}

/// A count in units as a number.
pub(crate) fn number(units: u64) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "sums of shares stay below 2^52 or lose a trifle"
    )]
    let units = units as f64;
    units / f64::from(1u32 << UNITS)
}

/// How many lines a prior is worth.
pub(crate) fn prior_lines(prior: &Model) -> f64 {
    if prior.has_households() { PRIOR_LINES_RESIDENTS } else { PRIOR_LINES_OTHER }
}

/// Learns what one person does from the expected matches of each pattern, in units of 2^-24.
pub(crate) fn learn_levels(
    model: &mut Model,
    prior: &Model,
    comparisons: &[Comparison],
    levels: &[Vec<u8>],
    matches: &[u64],
) {
    let (households, prior_lines) = (prior.has_households(), prior_lines(prior));
    let mut by_level: Vec<Vec<u64>> =
        prior.comparisons.iter().map(|comparison| vec![0; comparison.levels.len()]).collect();
    for (levels, &matches) in levels.iter().zip(matches) {
        for (by_level, &level) in by_level.iter_mut().zip(levels) {
            by_level[usize::from(level)] += matches;
        }
    }
    for (index, comparison) in comparisons.iter().enumerate() {
        let priors = comparison.measure.levels();
        let (by_level, believed) = (&by_level[index], &prior.comparisons[index].levels);
        for (level, of_level) in priors.iter().enumerate().skip(1) {
            let group: Vec<usize> =
                (1..priors.len()).filter(|&other| priors[other].group == of_level.group).collect();
            let seen = number(group.iter().map(|&other| by_level[other]).sum());
            let believed_all: f64 = group.iter().map(|&other| believed[other].m).sum();
            let believed_here = believed[level].m / believed_all;
            let learned = &mut model.comparisons[index].levels[level];
            learned.support = number(by_level[level]);
            if households && of_level.elder >= ELDER_LIKELIER * of_level.m {
                continue;
            }
            learned.m = (prior_lines * believed_here + learned.support) / (prior_lines + seen);
        }
    }
}

fn maximisation(
    model: &mut Model,
    prior: &Model,
    linkable: &Linkable,
    levels: &[Vec<u8>],
    sums: &Sums,
    lines: usize,
) {
    let comparisons = &linkable.index().register.comparisons;
    let prior_lines = prior_lines(prior);
    let matches = number(sums.matches.iter().sum());
    #[expect(clippy::cast_precision_loss, reason = "lines are fewer than 2^52")]
    let lines = lines as f64;
    model.match_rate =
        ((prior_lines * prior.match_rate + matches) / (prior_lines + lines)).clamp(0.001, 0.9999);
    learn_levels(model, prior, comparisons, levels, &sums.matches);
    if prior.has_names() {
        let nobodies = PRIOR_NOBODIES + (lines - matches).max(0.0);
        let share =
            |believed: f64, seen: u64| (PRIOR_NOBODIES * believed + number(seen)) / nobodies;
        model.nobodies = Nobodies {
            // Most relatives are never compared, so the few that are say nothing of how many there are.
            relatives: prior.nobodies.relatives,
            namesakes: share(prior.nobodies.namesakes, sums.namesakes).min(0.32),
            // No number of lines shows whether a date a generation off is an elder's or a slip.
            elders: prior.nobodies.elders,
        };
    }
    model.settle_related(comparisons, &linkable.index().household);
}
