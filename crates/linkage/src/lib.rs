//! The linkage engine: records in, outcomes out.
//!
//! A job runs one way: [`RegisterIntake`] and [`ListIntake`] number and normalise values, blocking chooses candidate
//! pairs, comparisons turn a pair into levels, a [`Model`] turns levels into a match weight, and assignment turns weights
//! into one [`Decision`] a line. The [`RegisterIndex`] is built once and shared by any number of jobs and queries. Pure
//! and synchronous: no file, no clock of its own, no randomness. Invariant: equal records and model give equal decisions,
//! bit by bit, on any number of threads and in any order of the records.

mod assignment;
mod beginnings;
mod blocking;
mod candidates;
mod cluster;
mod comparison;
mod copies;
mod decision;
mod dedupe;
mod delta;
mod equal_lines;
mod estimate;
pub mod evaluation;
mod expectation;
mod explanation;
mod field;
mod forms;
mod frequency;
mod hash;
mod held_back;
mod household;
mod id_order;
mod identify;
mod inquiry;
mod intake;
mod intern;
mod interval;
mod job;
mod kernel;
mod layers;
mod marginal_recall;
mod met;
mod model;
mod model_file;
mod obstacle;
mod outcome;
mod pair_training;
mod pattern;
mod records;
mod register_index;
mod repetition;
mod row_set;
mod sealing;
mod threshold;
mod training;
mod training_report;
mod weight;

pub use beginnings::Beginnings;
pub use blocking::{BlockingReport, Miss, MissedRule, RuleSearch, Search};
pub use decision::RankedCandidate;
pub use dedupe::{Dedupable, DedupeOptions, Deduplication, DuplicatePair, dedupe};
pub use delta::{Delta, DeltaError};
pub use expectation::{Expectation, Expected, Posterior};
pub use explanation::{Explanation, Lookalike, Term, TermView};
pub use field::{Field, Fields};
pub use held_back::HeldBack;
pub use identify::{Identification, PreparedModel};
pub use inquiry::{Inquiry, Query};
pub use intake::{ListIntake, RegisterIntake, Rows};
pub use interval::Interval;
pub use job::{
    Cardinality, LinkError, Linkage, Options, Stage, StageTimes, Stopped, Unwatched, Watcher, link,
};
pub use marginal_recall::ExpectedMatches;
pub use model::{
    ComparisonModel, Costs, ENGINE_VERSION, Level, Model, Nobodies, Proof, Purpose, Thresholds,
};
pub use model_file::ModelError;
pub use obstacle::Obstacle;
pub use outcome::{Decision, Outcome, OutcomeTotals, Total, UnknownOutcome, YenOverflow};
pub use pattern::TooManyFields;
pub use records::Linkable;
pub use register_index::{IndexTimes, RegisterIndex, Serves};
pub use threshold::Profile;
pub use training_report::{OutOfOrder, TrainingReport, Untrained};
pub use weight::MatchWeight;
