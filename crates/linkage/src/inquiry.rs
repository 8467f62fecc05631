//! An inquiry: one line laid open against a register, with the numbers that linking uses.
//!
//! A line of a finished job and a single query are asked the same questions: whom could it mean, what does each pair weigh
//! and why, why not this one. Both come here, so that a job, a query and an explanation cannot tell different stories.
//! Invariant: the candidates of an inquiry are those that a job with the same model weighs, to the thousandth of a bit.

use std::sync::Arc;

use crate::blocking::{BlockingIndex, Round, RuleSearch};
use crate::candidates::Comparer;
use crate::decision::{RankedCandidate, Standing, rank};
use crate::identify::PreparedModel;
use crate::intake::{RawRecords, Rows};
use crate::job::Linkage;
use crate::model::{Model, WeightTable};
use crate::outcome::{Decision, Outcome};
use crate::records::{Linkable, Normalised, Sides};
use crate::register_index::RegisterIndex;
use crate::sealing;
use crate::weight::MatchWeight;

/// A record that has been read against a register, to ask about it.
#[derive(Debug)]
pub struct Query {
    list: Normalised,
    /// What the query asks for, where the register's index leaves it to lists.
    blocking: Option<BlockingIndex>,
    /// Of the index that it was read against.
    index: Arc<()>,
}

/// One line laid open.
#[derive(Debug)]
pub struct Inquiry<'a> {
    pub(crate) comparer: Comparer<'a>,
    pub(crate) line: u32,
    pub(crate) model: &'a Model,
    pub(crate) table: &'a WeightTable,
    decision: Decision,
    candidates: Vec<RankedCandidate>,
}

impl RegisterIndex {
    /// Reads the first of `rows`.
    pub fn read(&self, rows: &impl Rows) -> Query {
        let mut raw = RawRecords::new(self.fields());
        raw.extend(std::slice::from_ref(rows), |field| self.reads_of_list(field));
        let list = sealing::list(self, raw, false);
        let blocking = self.blocking_for(&list);
        Query { list, blocking, index: Arc::clone(self.identity()) }
    }

    /// Lays a query open: what would be said of it, were it the only line of a list.
    ///
    /// # Panics
    /// The query was read against another index, of which this may be a later state: its values are not numbered alike.
    pub fn inquire<'a>(&'a self, query: &'a Query, model: &'a PreparedModel) -> Inquiry<'a> {
        let same = Arc::ptr_eq(&query.index, self.identity());
        assert!(same, "a query is laid open by the index that it was read against");
        let sides = Sides::new(self, &query.list, query.blocking.as_ref());
        Inquiry::of(sides, 0, model.parts(), None)
    }
}

impl<'a> Inquiry<'a> {
    /// The same line with what a job has decided on it: whether another line holds the person is not seen from one line.
    #[must_use]
    pub fn decided(self, decision: Decision) -> Self {
        Self { decision, ..self }
    }
}

impl Linkage {
    /// Lays a line open as the job saw it.
    pub fn inquire<'a>(&'a self, linkable: &'a Linkable, line: u32) -> Inquiry<'a> {
        let decision = self.decisions[line as usize];
        Inquiry::of(linkable.sides(), line, (&self.model, &self.table, &self.u), Some(decision))
    }
}

/// A model, its table, and P(level | strangers).
pub(crate) type ModelParts<'a> = (&'a Model, &'a WeightTable, &'a [Vec<f64>]);

impl<'a> Inquiry<'a> {
    /// `decided` is what a job has decided on the line; otherwise it is decided as if it were alone.
    fn of(
        sides: Sides<'a>,
        line: u32,
        (model, table, u): ModelParts<'a>,
        decided: Option<Decision>,
    ) -> Self {
        let comparer = Comparer { sides, radix: table.radix(), u };
        let rejected = decided.is_some_and(|decision| decision.outcome == Outcome::RejectedInput);
        let records = &sides.list.records;
        if rejected || records.len() == 0 || !records.has_evidence(line) {
            let decision = decided.unwrap_or_else(Decision::without_evidence);
            return Self { comparer, line, model, table, decision, candidates: Vec::new() };
        }
        let mut round = Round::default();
        let mut counts = vec![Default::default(); sides.blocking.rules().len()];
        let mut pairs = Vec::new();
        let left_out =
            comparer.collect(&[line.into()], &mut round, &mut counts, |_, pair| pairs.push(pair));
        let too_common = left_out == [true] && pairs.is_empty();
        let weighed = pairs
            .iter()
            .map(|pair| (pair.resident, table.pattern(pair.pattern).of_pair(pair.rarity)));
        let candidates = rank(sides.index, weighed, MatchWeight::NEVER);
        let decision = decided.unwrap_or_else(|| {
            let standing = Standing::of(&candidates);
            Decision::alone(standing.as_ref(), too_common, model.thresholds)
        });
        Self { comparer, line, model, table, decision, candidates }
    }

    /// What was decided.
    pub fn decision(&self) -> Decision {
        self.decision
    }

    /// Everybody the line was compared with, best first.
    pub fn candidates(&self) -> &[RankedCandidate] {
        &self.candidates
    }

    /// The model that weighs.
    pub fn model(&self) -> &Model {
        self.model
    }

    /// Whom each blocking rule finds for the line.
    pub fn search(&self) -> Vec<RuleSearch> {
        let Sides { index, list, blocking } = self.comparer.sides;
        if list.records.len() == 0 {
            return Vec::new();
        }
        blocking.search(&index.register, list, self.line)
    }

    /// What the line has with a resident it was compared with.
    pub fn candidate(&self, resident: u32) -> Option<&RankedCandidate> {
        self.candidates.iter().find(|candidate| candidate.resident == resident)
    }

    pub(crate) fn into_answer(self) -> (Decision, Vec<RankedCandidate>) {
        (self.decision, self.candidates)
    }
}
