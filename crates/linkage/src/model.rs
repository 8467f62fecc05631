//! Models: what is believed of levels, frozen before it links anything.
//!
//! A line means one resident or nobody of the register. The weight of a pair sets the chance that this resident explains
//! the line against the chances that somebody else does: another resident, a stranger, or somebody outside the register
//! who resembles the resident: a relative of the same household (same surname, same address, a twin even the same
//! birthday), a namesake with much the same birthday, an elder of the same name. The last three are why surname and
//! address, or name and birthday, do not count as independent evidence.

use rayon::prelude::*;
use renkei_types::{Digest, DigestBuilder};

use crate::comparison::level::{is_by_holder_alone, is_equal_name, is_other_name};
use crate::comparison::{Comparison, LevelPrior, Measure};
use crate::household::Household;
use crate::pattern::{Pattern, Radix, TooManyFields};
use crate::threshold::{self, Profile};
use crate::training_report::TrainingReport;
use crate::weight::MatchWeight;

/// The version of the engine's arithmetic. Results are promised equal only within one version.
pub const ENGINE_VERSION: &str = "7";

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

/// What a model is for: what it believes of one is wrong for the other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Purpose {
    /// Linking a list to a register: a line means one resident or nobody.
    Link,
    /// Finding the records of one file that are the same person: most have no other.
    Dedupe,
}

impl Purpose {
    /// As written to model files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Dedupe => "dedupe",
        }
    }
}

/// A model.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// What it is for.
    pub purpose: Purpose,
    /// One for each comparison of the job.
    pub comparisons: Vec<ComparisonModel>,
    /// How many of a hundred lines have their person in the register, as a share.
    pub match_rate: f64,
    /// Who the other lines are.
    pub nobodies: Nobodies,
    /// When a line is linked, reviewed or left.
    pub thresholds: Thresholds,
    /// Fields that are not compared, since they said again what others say in the records that trained it.
    pub repeated: Vec<String>,
    /// Lines the parameters were trained on.
    pub trained_lines: u64,
    /// How it was trained; nothing where it was not. Decides nothing, and is not covered by the digest.
    pub report: Option<TrainingReport>,
}

/// Of the lines whose person is not in the register, the shares of those who look like somebody who is; the rest are
/// strangers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nobodies {
    /// Live with a resident.
    pub relatives: f64,
    /// Bear the name of a resident, many of them with nearly the same birthday.
    pub namesakes: f64,
    /// Live with a resident whose name they have or nearly have, a generation older or younger.
    pub elders: f64,
}

/// Lines whose person is in the register, before any line is seen: what training finds in lists with the errors called
/// typical (`renkei generate --mix typical`, `link --save-model`).
const MATCH_RATE: f64 = 0.957;

/// Who the others are, before any line is seen: shares of the kinds of people outside the register in such lists.
const NOBODIES: Nobodies = Nobodies { relatives: 0.15, namesakes: 0.28, elders: 0.1 };

impl Nobodies {
    pub(crate) const NONE: Self = Self { relatives: 0.0, namesakes: 0.0, elders: 0.0 };

    /// The share of strangers.
    pub(crate) fn strangers(self) -> f64 {
        1.0 - self.relatives - self.namesakes - self.elders
    }
}

/// Where the outcomes divide, from what mistakes cost.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Thresholds {
    /// At or above: linked, if the margin is kept.
    pub link: MatchWeight,
    /// At or above and below `link`: reviewed.
    pub review: MatchWeight,
    /// How much better the evidence for the best resident must be than for any other.
    pub margin: MatchWeight,
}

/// What mistakes cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Costs {
    /// A link to the wrong person, in links made without a clerk: of so many, one is expected to be wrong.
    pub false_link: f64,
    /// A person who is in the register and is not found, in reviews of a line by a clerk.
    pub missed_link: f64,
}

impl Default for Costs {
    fn default() -> Self {
        Self { false_link: 2_000.0, missed_link: 25.0 }
    }
}

/// With two candidates this far apart, the second is right about once in two hundred lines.
const MARGIN_PROBABILITY: f64 = 0.995;

impl Thresholds {
    /// Before any line is seen. A line is reviewed where the expected cost of a missed person is above that of a review.
    pub fn from_costs(costs: Costs, profile: Profile) -> Self {
        let margin = MatchWeight::of_probability(MARGIN_PROBABILITY);
        Self {
            link: threshold::link(costs, margin, profile, &[]),
            review: MatchWeight::of_probability(1.0 / costs.missed_link.max(2.0)),
            margin,
        }
    }
}

impl Model {
    /// What is believed before any line is seen: the priors of the measures, with what this register shows of strangers
    /// and relatives.
    pub(crate) fn prior(
        comparisons: &[Comparison],
        u: &[Vec<f64>],
        household: &Household,
        costs: Costs,
    ) -> Self {
        let level = |(prior, &u): (&LevelPrior, &f64)| Level {
            name: prior.name.to_owned(),
            m: prior.m,
            u,
            relative: prior.relative,
            namesake: prior.namesake,
            elder: prior.elder,
            support: 0.0,
        };
        let comparison = |(comparison, u): (&Comparison, &Vec<f64>)| ComparisonModel {
            name: comparison.name.to_string(),
            measure: comparison.measure.name().to_owned(),
            levels: comparison.measure.levels().iter().zip(u).map(level).collect(),
        };
        let mut model = Self {
            purpose: Purpose::Link,
            comparisons: comparisons.iter().zip(u).map(comparison).collect(),
            match_rate: MATCH_RATE,
            nobodies: Nobodies::NONE,
            thresholds: Thresholds::default(),
            repeated: Vec::new(),
            trained_lines: 0,
            report: None,
        };
        if model.has_names() {
            model.nobodies.namesakes = NOBODIES.namesakes;
        }
        if model.has_households() {
            model.nobodies = NOBODIES;
        }
        model.thresholds = Thresholds::from_costs(costs, model.profile());
        model.settle_related(comparisons, household);
        model
    }

    /// Sets what follows from other beliefs: a relative, a namesake or an elder who fills in a line makes the mistakes
    /// that anybody makes, and lives where the person or a stranger lives.
    pub(crate) fn settle_related(&mut self, comparisons: &[Comparison], household: &Household) {
        for (index, (comparison, model)) in
            comparisons.iter().zip(&mut self.comparisons).enumerate()
        {
            let priors = comparison.measure.levels();
            let m: Vec<f64> = model.levels.iter().map(|level| level.m).collect();
            for (number, level) in model.levels.iter_mut().enumerate().skip(1) {
                let shared = &household.levels[index];
                let equal = (1..priors.len())
                    .find(|&other| priors[other].group == priors[number].group)
                    .expect("a level is in its own group");
                let unequal = if number == equal { 0.0 } else { shared[number] };
                let as_relative = shared[equal] * level.m + unequal;
                match comparison.measure {
                    Measure::Family => {
                        (level.relative, level.namesake, level.elder) =
                            (as_relative, level.m, level.m);
                    }
                    Measure::Given | Measure::Sex { .. } => {
                        (level.relative, level.namesake) = (as_relative, level.m);
                    }
                    Measure::Arrangement => level.namesake = level.m,
                    Measure::Place { .. } => {
                        (level.relative, level.namesake, level.elder) =
                            (m[number], level.u, level.m);
                    }
                    Measure::Date { .. } => level.relative = as_relative,
                    Measure::Text { .. }
                    | Measure::Identifier { .. }
                    | Measure::Category { .. } => {
                        (level.relative, level.namesake) = (as_relative, level.u);
                    }
                }
            }
        }
    }

    /// What lists are like whose records have such fields.
    pub(crate) fn profile(&self) -> Profile {
        if self.has_households() { Profile::Residents } else { Profile::Unknown }
    }

    /// Whether there are households to reckon with: in a model without names and places there are none.
    pub(crate) fn has_households(&self) -> bool {
        self.position("family_name").is_some() && self.position("place").is_some()
    }

    /// Whether there are namesakes to reckon with.
    pub(crate) fn has_names(&self) -> bool {
        self.position("family_name").is_some()
    }

    /// The comparisons of neither names nor sex.
    fn positions_beside_names(&self) -> Vec<usize> {
        let of_names = ["arrangement", "family_name", "given_name", "sex"];
        let beside = |&at: &usize| !of_names.contains(&self.comparisons[at].measure.as_str());
        (0..self.comparisons.len()).filter(beside).collect()
    }

    /// Which comparison is of this measure.
    fn position(&self, measure: &str) -> Option<usize> {
        self.comparisons.iter().position(|comparison| comparison.measure == measure)
    }

    /// SHA-256 over everything that decides a weight or an outcome.
    pub fn digest(&self) -> Digest {
        let mut digest = DigestBuilder::new();
        digest.field(b"renkei model").field(ENGINE_VERSION.as_bytes());
        digest.field(self.purpose.as_str().as_bytes());
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
        let Nobodies { relatives, namesakes, elders } = self.nobodies;
        for value in [self.match_rate, relatives, namesakes, elders] {
            number(&mut digest, value);
        }
        for weight in [self.thresholds.link, self.thresholds.review, self.thresholds.margin] {
            digest.number(u64::from(weight.millibits().cast_unsigned()));
        }
        for field in &self.repeated {
            digest.field(b"repeated").field(field.as_bytes());
        }
        digest.finish()
    }
}

/// What one pattern says for each explanation of a line, against the line being a stranger's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PatternWeights {
    /// It is the resident's.
    person: MatchWeight,
    /// It is that of somebody who lives with the resident and is not in the register.
    relative: MatchWeight,
    /// It is that of a namesake who is not in the register, before the frequency of the name.
    namesake: MatchWeight,
    /// It is that of an elder who is not in the register.
    elder: MatchWeight,
    /// Whether the line proves whom it names.
    proof: Proof,
}

/// Whether a line proves whom it names. However much speaks for a resident, money is not paid by itself to somebody with
/// another given name, to whom a relative's account was taken to name, or on the word of a name alone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Proof {
    /// It does, or names are not compared.
    Proven,
    /// Its given name is another's in every view, or the account holder's alone; or nothing but names and sex agrees.
    Unproven,
}

/// The same for one pair: with the frequency of its values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PairWeights {
    pub(crate) person: MatchWeight,
    pub(crate) relative: MatchWeight,
    pub(crate) namesake: MatchWeight,
    pub(crate) elder: MatchWeight,
    pub(crate) proof: Proof,
}

impl PatternWeights {
    /// Of a pair of this rarity.
    pub(crate) fn of_pair(self, rarity: Rarity) -> PairWeights {
        PairWeights {
            person: self.person + rarity.values,
            relative: self.relative + rarity.values,
            namesake: self.namesake + rarity.values - rarity.name,
            elder: self.elder + rarity.values,
            proof: self.proof,
        }
    }
}

impl PairWeights {
    /// That the line is of somebody who resembles the resident.
    pub(crate) fn related(self) -> MatchWeight {
        self.relative.or(self.elder).or(self.namesake)
    }
}

/// How rare the values are on which a pair agrees.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Rarity {
    /// How much rarer than the levels are on average: what a stranger would have to hit upon.
    pub(crate) values: MatchWeight,
    /// How much fewer namesakes the name has than the average resident's name.
    pub(crate) name: MatchWeight,
}

/// A model as fixed-point numbers for a register of a certain size.
#[derive(Debug)]
pub(crate) struct WeightTable {
    radix: Radix,
    /// log2 of each level's probability against that of strangers, by explanation and comparison.
    person: Vec<Vec<MatchWeight>>,
    relative: Vec<Vec<MatchWeight>>,
    namesake: Vec<Vec<MatchWeight>>,
    elder: Vec<Vec<MatchWeight>>,
    /// Where a date and a given name are compared: a relative of the same birthday is a twin.
    twins: Option<(usize, usize)>,
    /// Where a given name is compared: which comparisons prove whom a line names.
    named: Option<Named>,
    /// The same of one resident before any evidence.
    prior: PatternWeights,
}

/// Of a thousand lines two at least are those of a person whom no blocking rule found or the register has not.
const MATCH_RATE_MAX: f64 = 0.998;

/// The comparisons that prove whom a line names.
#[derive(Debug)]
struct Named {
    given: usize,
    arrangement: Option<usize>,
    /// Those of neither names nor sex.
    others: Vec<usize>,
}

/// The level of a date that is equal.
const EQUAL_DATE: u8 = 1;

/// Twins of whom the register has one are reckoned with more often than there are any: to ask costs little, and to pay
/// one for the other is what nobody forgives.
const CAUTION: MatchWeight = MatchWeight::from_millibits(4_000);

impl WeightTable {
    pub(crate) fn new(model: &Model, register_records: usize) -> Result<Self, TooManyFields> {
        let table = |of: fn(&Level) -> f64| {
            let weight = |level: &Level| MatchWeight::log2(of(level)) - MatchWeight::log2(level.u);
            let column =
                |comparison: &ComparisonModel| comparison.levels.iter().map(weight).collect();
            model.comparisons.iter().map(column).collect::<Vec<Vec<MatchWeight>>>()
        };
        #[expect(clippy::cast_precision_loss, reason = "residents are fewer than 2^52")]
        let residents = register_records.max(1) as f64;
        let match_rate = model.match_rate.min(MATCH_RATE_MAX);
        let strangers = model.nobodies.strangers().max(0.01);
        let nobody = |share: f64| MatchWeight::log2(share / strangers / residents);
        Ok(Self {
            radix: Radix::new(model.comparisons.iter().map(|comparison| comparison.levels.len()))?,
            person: table(|level| level.m),
            relative: table(|level| level.relative),
            namesake: table(|level| level.namesake),
            elder: table(|level| level.elder),
            twins: model.position("date").zip(model.position("given_name")),
            prior: PatternWeights {
                person: nobody(match_rate / (1.0 - match_rate)),
                relative: nobody(model.nobodies.relatives),
                namesake: nobody(model.nobodies.namesakes),
                elder: nobody(model.nobodies.elders),
                proof: Proof::Proven,
            },
            named: model.position("given_name").map(|given| Named {
                given,
                arrangement: model.position("arrangement"),
                others: model.positions_beside_names(),
            }),
        })
    }

    pub(crate) fn radix(&self) -> &Radix {
        &self.radix
    }

    pub(crate) fn pattern(&self, pattern: Pattern) -> PatternWeights {
        self.levels(&self.radix.unpack(pattern))
    }

    pub(crate) fn patterns(&self, patterns: &[Pattern]) -> Vec<PatternWeights> {
        patterns.par_iter().map(|&pattern| self.pattern(pattern)).collect()
    }

    pub(crate) fn levels(&self, levels: &[u8]) -> PatternWeights {
        let sum = |table: &[Vec<MatchWeight>]| -> MatchWeight {
            table.iter().zip(levels).map(|(weights, &level)| weights[usize::from(level)]).sum()
        };
        PatternWeights {
            person: self.prior.person + sum(&self.person),
            relative: self.prior.relative + sum(&self.relative) + self.named_alike(levels),
            namesake: self.prior.namesake + sum(&self.namesake),
            elder: self.prior.elder + sum(&self.elder),
            proof: self.proof(levels),
        }
    }

    fn proof(&self, levels: &[u8]) -> Proof {
        let Some(Named { given, arrangement, others }) = &self.named else {
            return Proof::Proven;
        };
        let speaks = |&other: &usize| self.term(other, levels[other]) > MatchWeight::ZERO;
        let by_holder_alone = arrangement.is_some_and(|at| is_by_holder_alone(levels[at]));
        if is_other_name(levels[*given]) || by_holder_alone || !others.iter().any(speaks) {
            Proof::Unproven
        } else {
            Proof::Proven
        }
    }

    /// What the given name of a relative says beyond that of any relative, where the two have one birthday: twins are
    /// often named alike, as an elder and a younger one of a house are, but never the same.
    fn named_alike(&self, levels: &[u8]) -> MatchWeight {
        match self.twins {
            Some((date, given)) if levels[date] == EQUAL_DATE && !is_equal_name(levels[given]) => {
                let given_level = usize::from(levels[given]);
                let (elder, relative) = (&self.elder[given], &self.relative[given]);
                elder[given_level].max(relative[given_level]) - relative[given_level] + CAUTION
            }
            _ => MatchWeight::ZERO,
        }
    }

    /// What one level adds: log2(m/u).
    pub(crate) fn term(&self, comparison: usize, level: u8) -> MatchWeight {
        self.person[comparison][usize::from(level)]
    }

    /// The odds before any evidence: of the line being this resident's against its being a stranger's.
    pub(crate) fn prior(&self) -> MatchWeight {
        self.prior.person
    }
}
