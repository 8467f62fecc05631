//! The linkage engine: records in, outcomes out.
//!
//! A job runs one way: [`Intake`] numbers and normalises values, blocking chooses candidate pairs, comparisons turn a
//! pair into levels, a [`Model`] turns levels into a match weight, and assignment turns weights into one [`Decision`] a
//! line. Pure and synchronous: no file, no clock of its own, no randomness. Invariant: equal records and model give
//! equal decisions, bit by bit, on any number of threads and in any order of the records.

mod assignment;
mod blocking;
mod candidates;
mod comparison;
pub mod evaluation;
mod explanation;
mod field;
mod forms;
mod frequency;
mod hash;
mod intake;
mod intern;
mod job;
mod kernel;
mod model;
mod model_file;
mod outcome;
mod pattern;
mod records;
mod relatives;
mod training;
mod weight;

pub use blocking::BlockingReport;
pub use explanation::{Explanation, Term, WhyNot};
pub use field::{Field, Fields};
pub use intake::{Intake, Rows, Side};
pub use job::{
    Cardinality, Linkage, Options, RankedCandidate, Stage, StageTimes, Unwatched, Watcher, link,
};
pub use model::{ComparisonModel, Costs, ENGINE_VERSION, Level, Model, Thresholds};
pub use model_file::ModelError;
pub use outcome::{Decision, Outcome, OutcomeTotals, Total, UnknownOutcome, YenOverflow};
pub use pattern::TooManyFields;
pub use records::Linkable;
pub use weight::MatchWeight;
