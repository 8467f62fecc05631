//! A linkage job: block, compare, train, weigh, assign.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use rayon::prelude::*;
use renkei_types::{Classify, Clock, Digest, DigestBuilder, Kind, Language, Localised, Reason};

use crate::assignment::{self, Claim};
use crate::blocking::BlockingReport;
use crate::candidates::{Candidates, Comparer};
use crate::decision::{RankedCandidate, Standing, rank};
use crate::equal_lines::{Asker, EqualLines};
use crate::id_order::by_id;
use crate::model::{Costs, Model, PairWeights, PatternWeights, Purpose, WeightTable};
use crate::model_file::ModelError;
use crate::outcome::{Decision, Outcome};
use crate::pattern::TooManyFields;
use crate::records::Linkable;
use crate::threshold;
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
    /// Normalising a register, counting its values and indexing its blocking keys.
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

    /// Whether the job is to be given up. Asked between stages and between some hundred lines, from any thread.
    fn stopped(&self) -> bool {
        false
    }
}

impl dyn Watcher + '_ {
    /// Whether the job may go on.
    pub(crate) fn go_on(&self) -> Result<(), Stopped> {
        if self.stopped() { Err(Stopped) } else { Ok(()) }
    }
}

/// How often the watcher is asked whether to go on while lines are weighed.
const LINES_BETWEEN_QUESTIONS: usize = 512;

/// Lines whose persons' ids are brought to hand at one go.
const IDS_FETCHED: usize = 64;

/// The watcher asked for a stop.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the job was stopped before it was done; nothing was decided")]
pub struct Stopped;

/// A job has no result.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The model cannot be used.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The watcher asked for a stop.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

impl From<TooManyFields> for LinkError {
    fn from(error: TooManyFields) -> Self {
        Self::Model(error.into())
    }
}

impl Classify for LinkError {
    fn kind(&self) -> Kind {
        match self {
            Self::Model(error) => error.kind(),
            Self::Stopped(_) => Kind::Unavailable,
        }
    }
}

impl Localised for LinkError {
    fn localised(&self, language: Language) -> String {
        match self {
            Self::Model(error) => error.localised(language),
            Self::Stopped(stopped) => language.pick(
                stopped.to_string(),
                "処理は途中で中止されました。判定は行われていません".to_owned(),
            ),
        }
    }
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
    /// Blocking rules of three properties that were left out because there would be too many.
    pub rules_left_out: usize,
    /// Pairs compared.
    pub candidate_pairs: usize,
    /// How long it took.
    pub times: StageTimes,
    pub(crate) table: WeightTable,
    pub(crate) u: Vec<Vec<f64>>,
    /// Whether the model was trained on this list.
    trained_here: bool,
    candidates: Candidates,
    /// Of every pattern, by its number.
    weights: Vec<PatternWeights>,
}

/// Links the list to the register. `rejected` are the lines that take no part and why.
///
/// # Errors
/// The model does not fit the fields, there are more fields than can be compared, or the watcher asked for a stop.
pub fn link(
    linkable: &Linkable,
    rejected: &BTreeMap<u32, Reason>,
    options: Options,
    clock: &dyn Clock,
    watcher: &dyn Watcher,
) -> Result<Linkage, LinkError> {
    let mut times = StageTimes::default();
    let lines = linkable.list_lines();
    let start = clock.monotonic();
    watcher.stage(Stage::Compare, lines);
    let index = linkable.index();
    let (start_model, trained) = match options.model {
        Some(model) => {
            model.serves(Purpose::Link, &index.register.comparisons)?;
            (model, true)
        }
        None => (index.prior_model(options.costs), false),
    };
    let table = WeightTable::new(&start_model, index.counted())?;
    let u = start_model.u();
    let comparer = Comparer { sides: linkable.sides(), radix: table.radix(), u: &u };
    let mut skip = vec![false; lines];
    rejected.keys().for_each(|&line| skip[line as usize] = true);
    let (candidates, blocking) = Candidates::collect(&comparer, &skip, watcher)?;
    times.compare = clock.monotonic().saturating_sub(start);

    let start = clock.monotonic();
    watcher.go_on()?;
    watcher.stage(Stage::Train, 0);
    let model = if trained {
        start_model
    } else {
        training::train(&start_model, linkable, &candidates, &skip)?
    };
    times.train = clock.monotonic().saturating_sub(start);

    let start = clock.monotonic();
    watcher.go_on()?;
    watcher.stage(Stage::Assign, lines);
    let table = WeightTable::new(&model, index.counted())?;
    let weights = table.patterns(candidates.patterns());
    let mut linkage = Linkage {
        decisions: Vec::new(),
        model,
        blocking,
        rules_left_out: linkable.sides().blocking.rules_left_out(),
        candidate_pairs: candidates.len(),
        times,
        table,
        u,
        trained_here: !trained,
        candidates,
        weights,
    };
    let standings = linkage.standings(linkable, watcher)?;
    if !trained {
        let profile = linkage.model.profile();
        let thresholds = &mut linkage.model.thresholds;
        thresholds.link = threshold::link(options.costs, thresholds.margin, profile, &standings);
    }
    linkage.decisions = linkage.decide(linkable, rejected, &standings, options.cardinality);
    linkage.times.assign = clock.monotonic().saturating_sub(start);
    Ok(linkage)
}

/// Brings to hand the ids of the persons of some lines: whoever asks for many, one after the other, waits for each.
fn fetch_ids_of_best<'a>(linkable: &Linkable, decisions: impl Iterator<Item = &'a Decision>) {
    let best = decisions.filter_map(|decision| decision.best);
    linkable.index().register.records.fetch_ids(best.map(|(resident, _)| resident));
}

impl Linkage {
    /// The candidates of a line at or above `floor`, best first, ties by the register's id.
    pub fn candidates(
        &self,
        linkable: &Linkable,
        line: u32,
        floor: MatchWeight,
    ) -> Vec<RankedCandidate> {
        rank(linkable.index(), self.weighed(line), floor)
    }

    /// The candidates of a line with their weights.
    fn weighed(&self, line: u32) -> impl Iterator<Item = (u32, PairWeights)> {
        self.candidates
            .of_line(line)
            .iter()
            .map(|pair| (pair.resident, self.weights[pair.pattern as usize].of_pair(pair.rarity())))
    }

    /// The candidates of a line at or above the review threshold, best first: whom a clerk may choose from.
    pub fn candidates_for_review(&self, linkable: &Linkable, line: u32) -> Vec<RankedCandidate> {
        self.candidates(linkable, line, self.model.thresholds.review)
    }

    /// Every line with its decision, in list order. The ids of the persons are brought to hand some lines ahead.
    pub fn lines_with_decisions<'a>(
        &'a self,
        linkable: &'a Linkable,
    ) -> impl Iterator<Item = (u32, &'a Decision)> {
        let decisions = self.decisions.chunks(IDS_FETCHED).flat_map(|decisions| {
            fetch_ids_of_best(linkable, decisions.iter());
            decisions
        });
        (0u32..).zip(decisions)
    }

    /// Which lines are equal, and have the same candidates.
    pub(crate) fn lines(&self) -> &EqualLines {
        self.candidates.lines()
    }

    /// The pattern of a pair that was compared.
    pub(crate) fn pattern(&self, line: u32, resident: u32) -> Option<u64> {
        let pair = self.candidates.of_line(line).iter().find(|pair| pair.resident == resident)?;
        Some(self.candidates.patterns()[pair.pattern as usize].0)
    }

    /// The model that was used; if it was trained here, with what is expected of this result in its report.
    pub fn model_with_report(&self, linkable: &Linkable) -> Model {
        let mut model = self.model.clone();
        if let Some(report) = model.report.as_mut().filter(|_| self.trained_here) {
            report.expected = Some(self.expectation(linkable));
        }
        model
    }

    /// How every line stands with its best candidate; nothing where it has none or takes no part.
    fn standings(
        &self,
        linkable: &Linkable,
        watcher: &dyn Watcher,
    ) -> Result<Vec<Option<Standing>>, Stopped> {
        let standing = |(place, asker): (usize, &Asker)| {
            if place % LINES_BETWEEN_QUESTIONS == 0 {
                watcher.go_on()?;
            }
            Ok(Standing::of_pairs(linkable.index(), self.weighed(asker.line)))
        };
        let askers = self.lines().askers().par_iter().enumerate();
        let of_askers: Vec<Option<Standing>> =
            askers.map(standing).collect::<Result<_, Stopped>>()?;
        let lines = u32::try_from(linkable.list_lines()).expect("fewer than 2^32 lines");
        Ok((0..lines).map(|line| of_askers[self.lines().place(line)?]).collect())
    }

    fn decide(
        &self,
        linkable: &Linkable,
        rejected: &BTreeMap<u32, Reason>,
        standings: &[Option<Standing>],
        cardinality: Cardinality,
    ) -> Vec<Decision> {
        let alone = |(line, standing): (u32, &Option<Standing>)| match rejected.get(&line) {
            Some(&reason) => Decision::rejected(reason),
            None if !linkable.list.records.has_evidence(line) => Decision::without_evidence(),
            None => {
                let too_common = self.candidates.is_too_common(line);
                Decision::alone(standing.as_ref(), too_common, self.model.thresholds)
            }
        };
        let mut decisions: Vec<Decision> = (0u32..).zip(standings).map(alone).collect();
        if cardinality == Cardinality::OneToOne {
            let claims = self.claims(linkable, &decisions, standings);
            for (line, ruling) in assignment::assign(&claims) {
                decisions[line as usize].rule(ruling);
            }
        }
        decisions
    }

    /// The persons that each line may hold that is to be linked and shares one of them with another line.
    fn claims<'a>(
        &self,
        linkable: &'a Linkable,
        decisions: &[Decision],
        standings: &[Option<Standing>],
    ) -> Vec<Claim<'a>> {
        let link = self.model.thresholds.link;
        let of_line = |(line, (decision, standing)): (u32, (&Decision, &Option<Standing>))| {
            let Standing { best, second, .. } = (*standing)?;
            if decision.outcome != Outcome::Linked {
                return None;
            }
            let persons = if second.is_some_and(|second| second >= link) {
                let ranked = self.candidates(linkable, line, link);
                ranked.iter().map(|person| (person.resident, person.alone)).collect()
            } else {
                vec![(best.resident, best.alone)]
            };
            Some(Claim { line, list_id: linkable.list_id(line), persons })
        };
        let mut claims: Vec<Claim<'a>> =
            (0u32..).zip(decisions.iter().zip(standings)).filter_map(of_line).collect();
        // Who wants nobody that another line wants holds him.
        let mut wanted = vec![0u8; linkable.index().rows()];
        for (person, _) in claims.iter().flat_map(|claim| &claim.persons) {
            let lines = &mut wanted[*person as usize];
            *lines = lines.saturating_add(1);
        }
        let disputed = |(person, _): &(u32, MatchWeight)| wanted[*person as usize] > 1;
        claims.retain(|claim| claim.persons.iter().any(disputed));
        claims
    }

    /// The reason as written to files: one code, then `:` and a list id where one is meant.
    pub fn reason_text(&self, linkable: &Linkable, decision: &Decision) -> String {
        match decision.holder {
            Some(holder) => format!("{}:{}", decision.reason, linkable.list_id(holder)),
            None => decision.reason.to_string(),
        }
    }

    /// SHA-256 over the rows sorted by list id: equal for equal input, on any number of threads and in any order.
    pub fn result_digest(&self, linkable: &Linkable) -> Digest {
        let row = |line: u32| {
            let decision = &self.decisions[line as usize];
            let register_id =
                decision.best.map_or("", |(resident, _)| linkable.register_id(resident));
            let weight = decision.best.map_or(0, |(_, weight)| weight.millibits());
            let reason = match decision.holder {
                Some(_) => Cow::Owned(self.reason_text(linkable, decision)),
                None => Cow::Borrowed(decision.reason.as_str()),
            };
            (register_id, decision.outcome.as_str(), weight, reason)
        };
        let list_id = |line: u32| linkable.list_id(line);
        let lines = u32::try_from(self.decisions.len()).expect("fewer than 2^32 lines");
        let mut in_order = by_id(lines, list_id);
        for same in in_order.chunk_by_mut(|a, b| list_id(*a) == list_id(*b)) {
            if same.len() > 1 {
                same.sort_by_cached_key(|&line| row(line));
            }
        }
        let mut digest = DigestBuilder::new();
        for lines in in_order.chunks(IDS_FETCHED) {
            let decisions = lines.iter().map(|&line| &self.decisions[line as usize]);
            fetch_ids_of_best(linkable, decisions);
            for &line in lines {
                let (register_id, outcome, weight, reason) = row(line);
                digest
                    .field(list_id(line).as_bytes())
                    .field(register_id.as_bytes())
                    .field(outcome.as_bytes())
                    .number(u64::from(weight.cast_unsigned()))
                    .field(reason.as_bytes());
            }
        }
        digest.finish()
    }
}
