//! Identify: one query against a register, with the weights that a job with the same model gives to the same line.

use crate::decision::RankedCandidate;
use crate::inquiry::ModelParts;
use crate::intake::Rows;
use crate::model::{Model, Purpose, WeightTable};
use crate::model_file::ModelError;
use crate::outcome::Decision;
use crate::register_index::RegisterIndex;

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

    pub(crate) fn parts(&self) -> ModelParts<'_> {
        (&self.model, &self.table, &self.u)
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
        model.serves(Purpose::Link, &self.register.comparisons)?;
        let table = WeightTable::new(&model, self.counted())?;
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
        let query = self.read(rows);
        let (decision, candidates) = self.inquire(&query, model).into_answer();
        Identification { decision, candidates }
    }
}
