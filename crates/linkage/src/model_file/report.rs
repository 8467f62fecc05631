//! The training report as it stands in a model file.

use serde::{Deserialize, Serialize};

use super::ModelError;
use crate::expectation::{Expectation, Expected};
use crate::interval::Interval;
use crate::training_report::{OutOfOrder, TrainingReport, Untrained};
use crate::weight::MatchWeight;

/// Raised when a reader of the old form would misunderstand the new one.
const VERSION: u32 = 1;

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReportInFile {
    version: u32,
    rounds: u64,
    converged: bool,
    last_change: f64,
    lines: u64,
    pairs: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expected: Option<ExpectationInFile>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    untrained: Vec<UntrainedInFile>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    out_of_order: Vec<OutOfOrderInFile>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct ExpectationInFile {
    links: u64,
    false_links: ExpectedInFile,
    precision: ExpectedInFile,
    recall: ExpectedInFile,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct ExpectedInFile {
    value: f64,
    low: f64,
    high: f64,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct UntrainedInFile {
    comparison: String,
    all: bool,
    levels: Vec<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct OutOfOrderInFile {
    comparison: String,
    level: String,
    better: String,
    /// In bits.
    by: f64,
}

impl ReportInFile {
    pub(super) fn of(report: &TrainingReport) -> Self {
        let untrained = |it: &Untrained| UntrainedInFile {
            comparison: it.comparison.clone(),
            all: it.all,
            levels: it.levels.clone(),
        };
        let out_of_order = |it: &OutOfOrder| OutOfOrderInFile {
            comparison: it.comparison.clone(),
            level: it.level.clone(),
            better: it.better.clone(),
            by: it.by.bits(),
        };
        Self {
            version: VERSION,
            rounds: report.rounds,
            converged: report.converged,
            last_change: report.last_change,
            lines: report.lines,
            pairs: report.pairs,
            expected: report.expected.as_ref().map(|expected| ExpectationInFile {
                links: expected.links,
                false_links: ExpectedInFile::of(expected.false_links),
                precision: ExpectedInFile::of(expected.precision),
                recall: ExpectedInFile::of(expected.recall),
            }),
            untrained: report.untrained.iter().map(untrained).collect(),
            out_of_order: report.out_of_order.iter().map(out_of_order).collect(),
        }
    }

    pub(super) fn read(self) -> Result<TrainingReport, ModelError> {
        if self.version != VERSION {
            let what = format!("its training report is not of version {VERSION}");
            return Err(ModelError::Damaged(what));
        }
        let untrained = |it: UntrainedInFile| Untrained {
            comparison: it.comparison,
            levels: it.levels,
            all: it.all,
        };
        let out_of_order = |it: OutOfOrderInFile| OutOfOrder {
            comparison: it.comparison,
            level: it.level,
            better: it.better,
            by: MatchWeight::from_bits(it.by),
        };
        Ok(TrainingReport {
            rounds: self.rounds,
            converged: self.converged,
            last_change: self.last_change,
            lines: self.lines,
            pairs: self.pairs,
            untrained: self.untrained.into_iter().map(untrained).collect(),
            out_of_order: self.out_of_order.into_iter().map(out_of_order).collect(),
            expected: self.expected.map(|expected| Expectation {
                links: expected.links,
                false_links: expected.false_links.read(),
                precision: expected.precision.read(),
                recall: expected.recall.read(),
            }),
        })
    }
}

impl ExpectedInFile {
    fn of(expected: Expected) -> Self {
        let Expected { value, interval: Interval { low, high } } = expected;
        Self { value, low, high }
    }

    fn read(self) -> Expected {
        Expected { value: self.value, interval: Interval { low: self.low, high: self.high } }
    }
}
