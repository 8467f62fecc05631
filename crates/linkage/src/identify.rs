//! Identify: one query against a register, with the weights that a job with the same model gives to the same line.

use crate::blocking::Scratch;
use crate::candidates::Comparer;
use crate::decision::{RankedCandidate, Standing, rank};
use crate::intake::{RawRecords, Rows};
use crate::model::{Model, WeightTable};
use crate::model_file::ModelError;
use crate::outcome::Decision;
use crate::records::Sides;
use crate::register_index::RegisterIndex;
use crate::sealing;
use crate::weight::MatchWeight;

/// A model made ready for one register.
#[derive(Debug)]
pub struct PreparedModel {
    model: Model,
    table: WeightTable,
    /// P(level | strangers) of each comparison.
    u: Vec<Vec<f64>>,
}

impl PreparedModel {
    /// The model.
    pub fn model(&self) -> &Model {
        &self.model
    }
}

/// The answer to a query.
#[derive(Clone, Debug, PartialEq)]
pub struct Identification {
    /// What a job would say of the line, were it the only one.
    pub decision: Decision,
    /// Whom it may mean, best first.
    pub candidates: Vec<RankedCandidate>,
}

impl RegisterIndex {
    /// Makes a model ready for queries.
    ///
    /// # Errors
    /// The model is for other fields, or there are more fields than can be compared.
    pub fn prepare(&self, model: Model) -> Result<PreparedModel, ModelError> {
        model.fits(&self.register.comparisons)?;
        let table = WeightTable::new(&model, self.records())?;
        Ok(PreparedModel { u: model.u(), table, model })
    }

    /// The `limit` best candidates of the first of `rows`, best first.
    pub fn identify(
        &self,
        rows: &impl Rows,
        model: &PreparedModel,
        limit: usize,
    ) -> Vec<RankedCandidate> {
        let mut candidates = self.decide(rows, model).candidates;
        candidates.truncate(limit);
        candidates
    }

    /// The decision on the first of `rows` and all its candidates.
    pub fn decide(&self, rows: &impl Rows, model: &PreparedModel) -> Identification {
        let mut raw = RawRecords::new(self.fields());
        raw.extend(rows, |field| self.reads_of_list(field));
        let list = sealing::list(self, raw, false);
        if list.records.len() == 0 || !list.records.has_evidence(0) {
            return Identification {
                decision: Decision::without_evidence(),
                candidates: Vec::new(),
            };
        }
        let own = self.blocking_for(&list);
        let blocking = own.as_ref().or_else(|| self.blocking());
        let blocking = blocking.expect("a query brings an index where the register has none");
        let comparer = Comparer {
            sides: Sides { index: self, list: &list, blocking },
            radix: model.table.radix(),
            u: &model.u,
        };
        let mut scratch = Scratch::default();
        let mut counts = vec![Default::default(); blocking.rules().len()];
        let mut pairs = Vec::new();
        let too_common = comparer.collect(0, &mut scratch, &mut counts, |pair| pairs.push(pair));
        let weighed = pairs
            .iter()
            .map(|pair| (pair.resident, model.table.pattern(pair.pattern).of_pair(pair.rarity)));
        let candidates = rank(self, weighed, MatchWeight::NEVER);
        let standing = Standing::of(&candidates);
        let decision = Decision::alone(standing.as_ref(), too_common, model.model.thresholds);
        Identification { decision, candidates }
    }
}
