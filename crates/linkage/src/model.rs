//! Models: what is believed of levels, frozen before it links anything.
//!
//! The weight of a pair sets the chance that one person explains what was seen against the chances that somebody else
//! does: a stranger, a relative of the same household (same surname, same address, a twin even the same birthday), a
//! stranger of the same name and birthday, or an elder of the same name. The last three are why surname and address, or
//! name and birthday, do not count as independent evidence.

use renkei_types::{Digest, DigestBuilder};

use crate::comparison::{Comparison, Measure};
use crate::pattern::{Pattern, Radix, TooManyFields};
use crate::relatives::Relatives;
use crate::weight::MatchWeight;

/// The version of the engine's arithmetic. Results are promised equal only within one version.
pub const ENGINE_VERSION: &str = "1";

/// What is believed of one level.
#[derive(Clone, Debug, PartialEq)]
pub struct Level {
    /// Its name.
    pub name: String,
    /// P(level | the same person).
    pub m: f64,
    /// P(level | two unrelated people).
    pub u: f64,
    /// P(level | two people of one household).
    pub relative: f64,
    /// P(level | a stranger of the same name and much the same birthday).
    pub namesake: f64,
    /// P(level | an elder or younger relative of the same name in the same household).
    pub elder: f64,
    /// Lines of which the trainer saw this level in its matches, weighted by their probability.
    pub support: f64,
}

/// What is believed of one comparison's levels; the first is "missing".
#[derive(Clone, Debug, PartialEq)]
pub struct ComparisonModel {
    /// The field or fields it looks at.
    pub name: String,
    /// How it compares them.
    pub measure: String,
    /// Its levels, in the order of the measure.
    pub levels: Vec<Level>,
}

/// A model.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// One for each comparison of the job.
    pub comparisons: Vec<ComparisonModel>,
    /// How many of a hundred lines have their person in the register, as a share.
    pub match_rate: f64,
    /// Residents of the same household per line that are not the person.
    pub relatives_per_line: f64,
    /// Strangers of the same name and much the same birthday per line.
    pub namesakes_per_line: f64,
    /// Relatives of the same name in the same household per line.
    pub elders_per_line: f64,
    /// When a line is linked, reviewed or left.
    pub thresholds: Thresholds,
    /// Lines the parameters were trained on.
    pub trained_lines: u64,
}

/// Where the outcomes divide, from what mistakes cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// At or above: linked, if the margin is kept.
    pub link: MatchWeight,
    /// At or above and below `link`: reviewed.
    pub review: MatchWeight,
    /// How much better the evidence for the best resident must be than for any other.
    pub margin: MatchWeight,
}

/// What mistakes cost, in reviews of a line by a clerk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Costs {
    /// A link to the wrong person.
    pub false_link: f64,
    /// A person who is in the register and is not found.
    pub missed_link: f64,
}

impl Default for Costs {
    fn default() -> Self {
        Self { false_link: 200.0, missed_link: 25.0 }
    }
}

impl Thresholds {
    /// A line is linked where the expected cost of a wrong link is below the cost of one review, and reviewed where the
    /// expected cost of a missed person is above it.
    pub fn from_costs(costs: Costs) -> Self {
        let link = MatchWeight::of_probability(1.0 - 1.0 / costs.false_link.max(2.0));
        Self {
            link,
            review: MatchWeight::of_probability(1.0 / costs.missed_link.max(2.0)),
            // With two candidates d bits apart, the second is right with odds of 2^-d.
            margin: link,
        }
    }
}

impl Model {
    /// What is believed before any line is seen: the priors of the measures, with what this register shows of strangers
    /// and relatives.
    pub(crate) fn prior(
        comparisons: &[Comparison],
        u: &[Vec<f64>],
        relatives: Option<&Relatives>,
        costs: Costs,
    ) -> Self {
        let comparisons = comparisons
            .iter()
            .zip(u)
            .enumerate()
            .map(|(index, (comparison, u))| ComparisonModel {
                name: comparison.name.to_string(),
                measure: comparison.measure.name().to_owned(),
                levels: comparison
                    .measure
                    .levels()
                    .iter()
                    .zip(u)
                    .enumerate()
                    .map(|(level, (prior, &u))| Level {
                        name: prior.name.to_owned(),
                        m: prior.m,
                        u,
                        relative: relatives
                            .filter(|_| !measured_elsewhere(&comparison.measure))
                            .map_or(prior.relative, |relatives| relatives.levels[index][level]),
                        namesake: prior.namesake,
                        elder: prior.elder,
                        support: 0.0,
                    })
                    .collect(),
            })
            .collect();
        Self {
            comparisons,
            match_rate: 0.95,
            relatives_per_line: relatives.map_or(1.5, |relatives| relatives.per_resident.max(0.05)),
            namesakes_per_line: 0.004,
            elders_per_line: 0.002,
            thresholds: Thresholds::from_costs(costs),
            trained_lines: 0,
        }
    }

    /// Whether there are households and namesakes to reckon with: in a model without names and places there are none.
    pub(crate) fn has_households(&self) -> bool {
        let has = |measure: &str| self.comparisons.iter().any(|other| other.measure == measure);
        has("family_name") && has("place")
    }

    /// SHA-256 over everything that decides a weight or an outcome.
    pub fn digest(&self) -> Digest {
        let mut digest = DigestBuilder::new();
        digest.field(b"renkei model").field(ENGINE_VERSION.as_bytes());
        let number = |digest: &mut DigestBuilder, value: f64| {
            digest.number(value.to_bits());
        };
        for comparison in &self.comparisons {
            digest.field(comparison.name.as_bytes()).field(comparison.measure.as_bytes());
            for level in &comparison.levels {
                digest.field(level.name.as_bytes());
                for value in [level.m, level.u, level.relative, level.namesake, level.elder] {
                    number(&mut digest, value);
                }
            }
        }
        let related = [self.relatives_per_line, self.namesakes_per_line, self.elders_per_line];
        for value in [self.match_rate].into_iter().chain(related) {
            number(&mut digest, value);
        }
        for weight in [self.thresholds.link, self.thresholds.review, self.thresholds.margin] {
            digest.number(u64::from(weight.millibits().cast_unsigned()));
        }
        digest.finish()
    }
}

/// Whether what relatives do is not counted in the register but follows from what the person does.
fn measured_elsewhere(measure: &Measure) -> bool {
    matches!(measure, Measure::Arrangement | Measure::Place { .. })
}

/// The log-odds of one pattern under each explanation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PatternWeights {
    /// The same person.
    pub(crate) matched: MatchWeight,
    /// A stranger, before the frequency of values.
    pub(crate) stranger: MatchWeight,
    /// A relative, a namesake or an elder.
    pub(crate) related: MatchWeight,
}

impl PatternWeights {
    /// How much better the person explains the pair than a stranger does: what sets two candidates of one line apart,
    /// since relatives and namesakes of the person are the same for both.
    pub(crate) fn evidence(self, rarer: MatchWeight) -> MatchWeight {
        self.matched - (self.stranger - rarer)
    }

    /// The match weight of a pair whose values are `rarer` than average.
    pub(crate) fn weight(self, rarer: MatchWeight) -> MatchWeight {
        self.matched - (self.stranger - rarer).or(self.related)
    }
}

/// A model as fixed-point numbers for a register of a certain size.
#[derive(Debug)]
pub(crate) struct WeightTable {
    radix: Radix,
    matched: Vec<Vec<MatchWeight>>,
    stranger: Vec<Vec<MatchWeight>>,
    relative: Vec<Vec<MatchWeight>>,
    namesake: Vec<Vec<MatchWeight>>,
    elder: Vec<Vec<MatchWeight>>,
    /// log2 of how many of each there are per line.
    match_prior: MatchWeight,
    stranger_prior: MatchWeight,
    relative_prior: MatchWeight,
    namesake_prior: MatchWeight,
    elder_prior: MatchWeight,
}

impl WeightTable {
    pub(crate) fn new(model: &Model, register_records: usize) -> Result<Self, TooManyFields> {
        let table = |of: fn(&Level) -> f64| {
            let column = |comparison: &ComparisonModel| {
                comparison.levels.iter().map(|level| MatchWeight::log2(of(level))).collect()
            };
            model.comparisons.iter().map(column).collect::<Vec<Vec<MatchWeight>>>()
        };
        let households = model.has_households();
        let related = |rate: f64| MatchWeight::log2(if households { rate } else { 0.0 });
        #[expect(clippy::cast_precision_loss, reason = "residents are fewer than 2^52")]
        let residents = register_records.max(1) as f64;
        Ok(Self {
            radix: Radix::new(model.comparisons.iter().map(|comparison| comparison.levels.len()))?,
            matched: table(|level| level.m),
            stranger: table(|level| level.u),
            relative: table(|level| level.relative),
            namesake: table(|level| level.namesake),
            elder: table(|level| level.elder),
            match_prior: MatchWeight::log2(model.match_rate),
            stranger_prior: MatchWeight::log2(residents),
            relative_prior: related(model.relatives_per_line),
            namesake_prior: related(model.namesakes_per_line),
            elder_prior: related(model.elders_per_line),
        })
    }

    pub(crate) fn radix(&self) -> &Radix {
        &self.radix
    }

    pub(crate) fn pattern(&self, pattern: Pattern) -> PatternWeights {
        self.levels(&self.radix.unpack(pattern))
    }

    pub(crate) fn levels(&self, levels: &[u8]) -> PatternWeights {
        let sum = |table: &[Vec<MatchWeight>]| -> MatchWeight {
            table.iter().zip(levels).map(|(weights, &level)| weights[usize::from(level)]).sum()
        };
        PatternWeights {
            matched: self.match_prior + sum(&self.matched),
            stranger: self.stranger_prior + sum(&self.stranger),
            related: (self.relative_prior + sum(&self.relative))
                .or(self.namesake_prior + sum(&self.namesake))
                .or(self.elder_prior + sum(&self.elder)),
        }
    }

    /// What one level adds: log2(m/u).
    pub(crate) fn term(&self, comparison: usize, level: u8) -> MatchWeight {
        let level = usize::from(level);
        self.matched[comparison][level] - self.stranger[comparison][level]
    }

    /// The odds before any evidence.
    pub(crate) fn prior(&self) -> MatchWeight {
        self.match_prior - self.stranger_prior
    }
}
