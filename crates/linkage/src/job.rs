//! A linkage job: block, compare, train, weigh, assign.

use std::collections::BTreeMap;
use std::time::Duration;

use hashbrown::HashMap;
use rayon::prelude::*;
use renkei_types::{Clock, Digest, DigestBuilder, Reason};

use crate::assignment::{self, Claim, Ruling};
use crate::blocking::{self, BlockingIndex, BlockingReport, BlockingRule};
use crate::candidates::{Candidates, Comparer};
use crate::frequency::Frequencies;
use crate::hash::Seeded;
use crate::model::{Costs, Model, PatternWeights, WeightTable};
use crate::model_file::ModelError;
use crate::outcome::{Decision, Outcome};
use crate::pattern::Pattern;
use crate::records::Linkable;
use crate::relatives::Relatives;
use crate::training;
use crate::weight::MatchWeight;

/// How lines and persons may be paired.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Cardinality {
    /// A person is held by one line at most.
    #[default]
    OneToOne,
    /// A person may be linked to many lines.
    ManyToOne,
}

/// What a job is asked to do.
#[derive(Debug, Default)]
pub struct Options {
    /// How lines and persons may be paired.
    pub cardinality: Cardinality,
    /// A model to use as it is; trained on the records where there is none.
    pub model: Option<Model>,
    /// What mistakes cost; decides the thresholds of a model that is trained.
    pub costs: Costs,
}

/// The stages of a job that take time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stage {
    /// Counting values and indexing blocking keys.
    Index,
    /// Finding and comparing candidate pairs.
    Compare,
    /// Training the model.
    Train,
    /// Weighing pairs and giving out persons.
    Assign,
}

/// Who wants to know how far a job is.
pub trait Watcher: Sync {
    /// A stage has begun that will handle `lines` lines, 0 where that is not known.
    fn stage(&self, stage: Stage, lines: usize);

    /// More lines of the stage are done.
    fn done(&self, lines: usize);
}

/// Nobody watches.
#[derive(Clone, Copy, Debug)]
pub struct Unwatched;

impl Watcher for Unwatched {
    fn stage(&self, _: Stage, _: usize) {}

    fn done(&self, _: usize) {}
}

/// How long each stage took.
#[derive(Clone, Copy, Debug, Default)]
pub struct StageTimes {
    /// Counting values and indexing blocking keys.
    pub index: Duration,
    /// Finding and comparing candidate pairs.
    pub compare: Duration,
    /// Training the model.
    pub train: Duration,
    /// Weighing pairs and giving out persons.
    pub assign: Duration,
}

/// What a job found.
#[derive(Debug)]
pub struct Linkage {
    /// The decision on every line, in list order.
    pub decisions: Vec<Decision>,
    /// The model that was used.
    pub model: Model,
    /// What each blocking rule found.
    pub blocking: Vec<BlockingReport>,
    /// Pairs compared.
    pub candidate_pairs: usize,
    /// How long it took.
    pub times: StageTimes,
    pub(crate) rules: Vec<BlockingRule>,
    pub(crate) table: WeightTable,
    pub(crate) frequencies: Vec<Frequencies>,
    pub(crate) u: Vec<Vec<f64>>,
    candidates: Candidates,
    pattern_weights: HashMap<Pattern, PatternWeights, Seeded>,
}

/// A candidate of a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RankedCandidate {
    /// Row in the register.
    pub resident: u32,
    /// From 1.
    pub rank: usize,
    /// The weight of the pair.
    pub weight: MatchWeight,
    /// The same before it is held against relatives and namesakes; the margin between two candidates is the difference
    /// of their evidence.
    pub evidence: MatchWeight,
}

/// Links the list to the register. `rejected` are the lines that take no part and why.
///
/// # Errors
/// The model does not fit the fields, or there are more fields than can be compared.
pub fn link(
    linkable: &Linkable,
    rejected: &BTreeMap<u32, Reason>,
    options: Options,
    clock: &dyn Clock,
    watcher: &dyn Watcher,
) -> Result<Linkage, ModelError> {
    let mut times = StageTimes::default();
    let lines = linkable.list.len();
    let start = clock.monotonic();
    watcher.stage(Stage::Index, 0);
    let frequencies: Vec<Frequencies> = linkable
        .comparisons
        .par_iter()
        .map(|comparison| Frequencies::count(linkable, comparison))
        .collect();
    let (start_model, trained) = match options.model {
        Some(model) => {
            model.fits(linkable)?;
            (model, true)
        }
        None => {
            let u: Vec<Vec<f64>> = linkable
                .comparisons
                .iter()
                .zip(&frequencies)
                .map(|(comparison, counts)| counts.u_probabilities(linkable, &comparison.measure))
                .collect();
            let relatives = Relatives::count(linkable);
            (Model::prior(&linkable.comparisons, &u, relatives.as_ref(), options.costs), false)
        }
    };
    let index = BlockingIndex::build(linkable, blocking::rules(linkable));
    times.index = clock.monotonic().saturating_sub(start);

    let start = clock.monotonic();
    watcher.stage(Stage::Compare, lines);
    let table = WeightTable::new(&start_model, linkable.register.len())?;
    let u = start_model.u();
    let comparer = Comparer { linkable, radix: table.radix(), frequencies: &frequencies, u: &u };
    let mut skip = vec![false; lines];
    rejected.keys().for_each(|&line| skip[line as usize] = true);
    let (candidates, blocking) =
        Candidates::collect(&comparer, &index, &skip, &|lines| watcher.done(lines));
    times.compare = clock.monotonic().saturating_sub(start);

    let start = clock.monotonic();
    watcher.stage(Stage::Train, 0);
    let model = if trained {
        start_model
    } else {
        let taking_part = lines - rejected.len();
        let residents = linkable.register.len();
        training::train(&start_model, &linkable.comparisons, &candidates, taking_part, residents)?
    };
    times.train = clock.monotonic().saturating_sub(start);

    let start = clock.monotonic();
    watcher.stage(Stage::Assign, lines);
    let table = WeightTable::new(&model, linkable.register.len())?;
    let mut pattern_weights = HashMap::with_hasher(Seeded::default());
    for pair in candidates.all() {
        pattern_weights.entry(pair.pattern).or_insert_with(|| table.pattern(pair.pattern));
    }
    let mut linkage = Linkage {
        decisions: Vec::new(),
        model,
        blocking,
        candidate_pairs: candidates.len(),
        times,
        rules: index.rules().cloned().collect(),
        table,
        frequencies,
        u,
        candidates,
        pattern_weights,
    };
    linkage.decisions = linkage.decide(linkable, rejected, options.cardinality);
    linkage.times.assign = clock.monotonic().saturating_sub(start);
    Ok(linkage)
}

/// How much better the evidence for the best candidate is than for any other; nothing where there is no other.
pub(crate) fn margin(ranked: &[RankedCandidate]) -> Option<MatchWeight> {
    let (best, others) = ranked.split_first()?;
    others.iter().map(|other| best.evidence - other.evidence).min()
}

impl Linkage {
    /// The candidates of a line at or above `floor`, best first, ties by the register's id.
    pub fn candidates(
        &self,
        linkable: &Linkable,
        line: u32,
        floor: MatchWeight,
    ) -> Vec<RankedCandidate> {
        let mut ranked: Vec<RankedCandidate> = self
            .candidates
            .of_line(line)
            .iter()
            .map(|pair| {
                let weights = self.pattern_weights[&pair.pattern];
                RankedCandidate {
                    resident: pair.resident,
                    rank: 0,
                    weight: weights.weight(pair.rarer),
                    evidence: weights.evidence(pair.rarer),
                }
            })
            .filter(|candidate| candidate.weight >= floor)
            .collect();
        ranked.sort_unstable_by(|a, b| {
            let id = |candidate: &RankedCandidate| linkable.register.id(candidate.resident);
            (b.weight, b.evidence).cmp(&(a.weight, a.evidence)).then_with(|| id(a).cmp(id(b)))
        });
        ranked.iter_mut().enumerate().for_each(|(index, candidate)| candidate.rank = index + 1);
        ranked
    }

    fn decide(
        &self,
        linkable: &Linkable,
        rejected: &BTreeMap<u32, Reason>,
        cardinality: Cardinality,
    ) -> Vec<Decision> {
        let lines = u32::try_from(linkable.list.len()).expect("fewer than 2^32 lines");
        let alone: Vec<(Decision, Vec<RankedCandidate>)> = (0..lines)
            .into_par_iter()
            .map(|line| match rejected.get(&line) {
                Some(&reason) => (
                    Decision {
                        outcome: Outcome::RejectedInput,
                        best: None,
                        nearest: None,
                        reason,
                        holder: None,
                    },
                    Vec::new(),
                ),
                None => self.decide_alone(linkable, line),
            })
            .collect();
        let claims: Vec<Claim<'_>> = (0u32..)
            .zip(&alone)
            .filter(|(_, (decision, _))| decision.outcome == Outcome::Linked)
            .map(|(line, (_, persons))| Claim {
                line,
                list_id: linkable.list.id(line),
                persons: persons.iter().map(|person| (person.resident, person.weight)).collect(),
            })
            .collect();
        let rulings = match cardinality {
            Cardinality::OneToOne => assignment::assign(&claims),
            Cardinality::ManyToOne => BTreeMap::new(),
        };
        let settle = |(line, (decision, _)): (u32, (Decision, Vec<RankedCandidate>))| match rulings
            .get(&line)
        {
            None | Some(Ruling::Holds) => decision,
            Some(Ruling::HeldBy(holder)) => Decision {
                outcome: Outcome::Duplicate,
                reason: Reason::HeldByLine,
                holder: Some(*holder),
                ..decision
            },
            Some(Ruling::Contended) => {
                Decision { outcome: Outcome::Ambiguous, reason: Reason::Contended, ..decision }
            }
        };
        (0u32..).zip(alone).map(settle).collect()
    }

    /// The decision on a line as if it were the only one, and its persons at or above the link threshold.
    fn decide_alone(&self, linkable: &Linkable, line: u32) -> (Decision, Vec<RankedCandidate>) {
        let thresholds = self.model.thresholds;
        let none = |outcome, reason| {
            (Decision { outcome, best: None, nearest: None, reason, holder: None }, Vec::new())
        };
        if !linkable.list.has_evidence(line) {
            return none(Outcome::Unlinkable, Reason::NoEvidence);
        }
        let mut ranked = self.candidates(linkable, line, MatchWeight::NEVER);
        let Some(&first) = ranked.first() else {
            let too_common = self.candidates.is_too_common(line);
            let reason = if too_common { Reason::TooCommon } else { Reason::NoCandidate };
            return none(Outcome::NotFound, reason);
        };
        if first.weight < thresholds.review {
            let (mut decision, claim) = none(Outcome::NotFound, Reason::BelowReviewThreshold);
            decision.nearest = Some(first.weight);
            return (decision, claim);
        }
        let margin = margin(&ranked);
        let tied = margin == Some(MatchWeight::ZERO);
        let (outcome, reason) = if first.weight < thresholds.link {
            let reason = if tied { Reason::Tie } else { Reason::BetweenThresholds };
            (Outcome::Review, reason)
        } else if tied {
            (Outcome::Ambiguous, Reason::Tie)
        } else if margin.is_some_and(|margin| margin < thresholds.margin) {
            (Outcome::Ambiguous, Reason::SmallMargin)
        } else {
            (Outcome::Linked, Reason::AboveLinkThreshold)
        };
        let best = Some((first.resident, first.weight));
        ranked.retain(|candidate| candidate.weight >= thresholds.link);
        let nearest = Some(first.weight);
        (Decision { outcome, best, nearest, reason, holder: None }, ranked)
    }

    /// The reason as written to files: one code, then `:` and a list id where one is meant.
    pub fn reason_text(&self, linkable: &Linkable, decision: &Decision) -> String {
        match decision.holder {
            Some(holder) => format!("{}:{}", decision.reason, linkable.list.id(holder)),
            None => decision.reason.to_string(),
        }
    }

    /// SHA-256 over the rows sorted by list id: equal for equal input, on any number of threads and in any order.
    pub fn result_digest(&self, linkable: &Linkable) -> Digest {
        let row = |(line, decision): (u32, &Decision)| {
            let register_id =
                decision.best.map_or("", |(resident, _)| linkable.register.id(resident)).to_owned();
            let weight = decision.best.map_or(0, |(_, weight)| weight.millibits());
            let reason = self.reason_text(linkable, decision);
            (linkable.list.id(line), register_id, decision.outcome.as_str(), weight, reason)
        };
        let mut rows: Vec<_> = (0u32..).zip(&self.decisions).map(row).collect();
        rows.sort_unstable();
        let mut digest = DigestBuilder::new();
        for (list_id, register_id, outcome, weight, reason) in rows {
            digest
                .field(list_id.as_bytes())
                .field(register_id.as_bytes())
                .field(outcome.as_bytes())
                .number(u64::from(weight.cast_unsigned()))
                .field(reason.as_bytes());
        }
        digest.finish()
    }
}
