//! Training on the pairs of one file.
//!
//! A line of a list means one resident or nobody, so its candidates are rivals. A record of a file that is linked to
//! itself may have none, one or ten other records of its person, and beside them lives with relatives who are in the file
//! too: every pair is judged by itself. So a pair's chances do not depend on its line's other pairs, and pairs of one
//! pattern and about one rarity are counted together; a million records cost no more training than a thousand.
//! Expected matches are summed in whole numbers and in a fixed order.

use hashbrown::HashMap;

use crate::candidates::Compared;
use crate::comparison::Comparison;
use crate::hash::Seeded;
use crate::household::Household;
use crate::model::{Model, Nobodies, PairWeights, Rarity, WeightTable};
use crate::pattern::{Pattern, TooManyFields};
use crate::training::{self, UNITS, learn_levels};
use crate::weight::MatchWeight;

/// How many other records of its person a record has, before any pair is seen.
const DUPLICATES: f64 = 0.02;

/// What training may make of it.
const DUPLICATES_LEAST: f64 = 1e-7;

/// Strangers of the same name, and relatives of the same name in the same household, for each record.
const NAMESAKES: f64 = 0.004;
const ELDERS: f64 = 0.002;

const ROUNDS_MAX: usize = 60;

/// When the number of duplicates moves by less than this part from one round to the next, training is done.
const SETTLED: f64 = 1e-5;

/// Of how many records in the file a record is one: on average over all records.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Surroundings {
    /// Other records of the same person.
    pub(crate) duplicates: f64,
    /// Records of people who live with the person.
    relatives: f64,
}

impl Surroundings {
    /// What is believed before any pair is seen.
    pub(crate) fn believed(household: &Household) -> Self {
        Self {
            duplicates: DUPLICATES,
            relatives: household.relatives_per_resident.clamp(0.05, 20.0),
        }
    }

    /// Tells the model. It knows shares of lines instead of numbers of records; their odds are the same.
    fn tell(self, model: &mut Model) {
        model.nobodies = Nobodies::NONE;
        if model.has_households() {
            let strangers = 1.0 / (1.0 + self.relatives + NAMESAKES + ELDERS);
            model.nobodies = Nobodies {
                relatives: self.relatives * strangers,
                namesakes: NAMESAKES * strangers,
                elders: ELDERS * strangers,
            };
        }
        let odds = self.duplicates * model.nobodies.strangers();
        model.match_rate = odds / (1.0 + odds);
    }
}

/// How many pairs there are of each pattern and, to half bits, of each rarity of their values and name.
#[derive(Debug, Default)]
pub(crate) struct PatternCounts(HashMap<(Pattern, i32, i32), u64, Seeded>);

/// Thousandths of a bit that are not told apart in a rarity.
const RARITY_STEP: i32 = 500;

impl PatternCounts {
    pub(crate) fn add(&mut self, pair: &Compared) {
        let step =
            |weight: MatchWeight| (weight.millibits() + RARITY_STEP / 2).div_euclid(RARITY_STEP);
        let cell = (pair.pattern, step(pair.rarity.values), step(pair.rarity.name));
        *self.0.entry(cell).or_insert(0) += 1;
    }

    pub(crate) fn add_all(&mut self, others: &Self) {
        for (&cell, &pairs) in &others.0 {
            *self.0.entry(cell).or_insert(0) += pairs;
        }
    }

    /// Each pattern with its rarities, in a fixed order.
    fn in_order(&self) -> Vec<(Pattern, Rarity, u64)> {
        let mut cells: Vec<_> = self.0.iter().map(|(&cell, &pairs)| (cell, pairs)).collect();
        cells.sort_unstable();
        let weight = |steps: i32| MatchWeight::from_millibits(steps * RARITY_STEP);
        let cell = |((pattern, values, name), pairs)| {
            (pattern, Rarity { values: weight(values), name: weight(name) }, pairs)
        };
        cells.into_iter().map(cell).collect()
    }
}

/// The weight of two records being one person, against two people who are strangers or resemble each other.
pub(crate) fn weight(pair: PairWeights) -> MatchWeight {
    pair.person - MatchWeight::ZERO.or(pair.related())
}

/// The model of `prior` in these surroundings, before any pair is seen.
pub(crate) fn start(prior: Model, surroundings: Surroundings) -> Model {
    let mut model = prior;
    surroundings.tell(&mut model);
    model
}

/// Trains a model on the pairs of so many records, each pair counted from both of its records. The surroundings are what
/// `prior` was started with, and afterwards what was learned of them.
pub(crate) fn train(
    prior: &Model,
    surroundings: &mut Surroundings,
    comparisons: &[Comparison],
    household: &Household,
    counts: &PatternCounts,
    records: usize,
) -> Result<Model, TooManyFields> {
    let cells = counts.in_order();
    let mut patterns: Vec<Pattern> = cells.iter().map(|&(pattern, ..)| pattern).collect();
    patterns.dedup();
    let radix = WeightTable::new(prior, records)?;
    let levels: Vec<Vec<u8>> =
        patterns.iter().map(|&pattern| radix.radix().unpack(pattern)).collect();
    let (believed, prior_records) = (surroundings.duplicates, training::prior_lines(prior));
    #[expect(clippy::cast_precision_loss, reason = "records are fewer than 2^52")]
    let all = records as f64;
    let mut model = prior.clone();
    for _ in 0..ROUNDS_MAX {
        let weights = WeightTable::new(&model, records)?.patterns(&patterns);
        let mut matches = vec![0u64; patterns.len()];
        let mut number = 0;
        for &(pattern, rarity, pairs) in &cells {
            number += usize::from(patterns[number] != pattern);
            let probability = weight(weights[number].of_pair(rarity)).probability();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0..=1")]
            let units = libm::rint(probability * f64::from(1u32 << UNITS)) as u64;
            matches[number] += units * pairs;
        }
        let before = surroundings.duplicates;
        let found = training::number(matches.iter().sum());
        let duplicates = (prior_records * believed + found) / (prior_records + all);
        surroundings.duplicates = duplicates.max(DUPLICATES_LEAST);
        learn_levels(&mut model, prior, comparisons, &levels, &matches);
        surroundings.tell(&mut model);
        model.settle_related(comparisons, household);
        if (surroundings.duplicates - before).abs() < SETTLED * before {
            break;
        }
    }
    model.trained_lines = records as u64;
    Ok(model)
}
