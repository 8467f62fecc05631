//! A register ready to be linked to, again and again.
//!
//! Built once from the register alone: records as columns of ids, how common each value is, what relatives share, and the
//! blocking index. Never changed afterwards, so that jobs and single queries on any number of threads use one index
//! without locks. Invariant: nothing in it depends on a list, so a list or a query finds the same index whatever came
//! before.

use std::time::Duration;

use rayon::prelude::*;
use renkei_types::Clock;

use crate::blocking::{self, BlockingIndex};
use crate::comparison::Comparison;
use crate::field::{Fields, Role};
use crate::frequency::Frequencies;
use crate::household::Household;
use crate::intake::RawRecords;
use crate::model::{Costs, Model};
use crate::records::Normalised;
use crate::sealing;

/// A register, indexed.
#[derive(Debug)]
pub struct RegisterIndex {
    fields: Fields,
    roles: Vec<Role>,
    pub(crate) register: Normalised,
    pub(crate) frequencies: Vec<Frequencies>,
    /// P(level | strangers) of each comparison, as the register shows it.
    u: Vec<Vec<f64>>,
    pub(crate) household: Household,
    /// Nothing where a list is to bring its own.
    blocking: Option<BlockingIndex>,
    times: IndexTimes,
}

/// Whom an index serves.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Serves {
    /// Any number of lists and queries.
    AnyLists,
    /// A single list, and no query: it is spared the index of everything the list does not ask for.
    OneList,
}

/// How long it took to make an index.
#[derive(Clone, Copy, Debug, Default)]
pub struct IndexTimes {
    /// Normalising values.
    pub normalise: Duration,
    /// Counting values and indexing blocking keys.
    pub index: Duration,
}

impl RegisterIndex {
    pub(crate) fn build(
        fields: Fields,
        raw: RawRecords,
        left_out: &[usize],
        serves: Serves,
        clock: &dyn Clock,
    ) -> Self {
        let start = clock.monotonic();
        let roles = fields.roles(|field| sealing::is_japanese(&raw.columns[field].values));
        let mut register = sealing::register(&fields, &roles, raw);
        register.records.forget(left_out);
        register.records.shrink();
        let normalised = clock.monotonic();
        let blocking = match serves {
            Serves::AnyLists => {
                Some(BlockingIndex::build(&register, blocking::rules(&register), None))
            }
            Serves::OneList => None,
        };
        if blocking.is_some() {
            // Whole names serve to find people; from here on the blocking index does.
            register.wholes.forget_keys();
        }
        let (frequencies, u) = count_values(&register);
        let household = Household::count(&register);
        let times = IndexTimes {
            normalise: normalised.saturating_sub(start),
            index: clock.monotonic().saturating_sub(normalised),
        };
        Self { fields, roles, register, frequencies, u, household, blocking, times }
    }

    /// The fields it was made for.
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// How many records there are, left out ones included.
    pub fn records(&self) -> usize {
        self.register.records.len()
    }

    /// The id of a record.
    pub fn id(&self, row: u32) -> &str {
        self.register.records.id(row)
    }

    /// The record with this id.
    pub fn row(&self, id: &str) -> Option<u32> {
        self.register.records.row(id)
    }

    /// How long it took to make.
    pub fn times(&self) -> IndexTimes {
        self.times
    }

    /// Takes how common values are, and what relatives share, from elsewhere: from the same records, counted otherwise.
    pub(crate) fn count_again(&mut self, of_values: &Normalised, household: Household) {
        (self.frequencies, self.u) = count_values(of_values);
        self.household = household;
    }

    /// What is believed before any line is seen: the priors of the measures, with what this register shows of strangers
    /// and relatives.
    pub fn prior_model(&self, costs: Costs) -> Model {
        Model::prior(&self.register.comparisons, &self.u, &self.household, costs)
    }

    /// An index of what this list asks for; nothing where the register has one of everything.
    pub(crate) fn blocking_for(&self, list: &Normalised) -> Option<BlockingIndex> {
        let rules = || blocking::rules(&self.register);
        self.blocking.is_none().then(|| BlockingIndex::build(&self.register, rules(), Some(list)))
    }

    /// The index of everything.
    pub(crate) fn blocking(&self) -> Option<&BlockingIndex> {
        self.blocking.as_ref()
    }

    pub(crate) fn roles(&self) -> &[Role] {
        &self.roles
    }

    /// Whether a field of a list can be evidence.
    pub(crate) fn reads_of_list(&self, field: usize) -> bool {
        !matches!(self.roles[field], Role::Unused | Role::OtherName | Role::FormerAddress)
    }
}

/// How common each value is, and how often strangers agree.
fn count_values(records: &Normalised) -> (Vec<Frequencies>, Vec<Vec<f64>>) {
    let count = |comparison| Frequencies::count(records, comparison);
    let frequencies: Vec<Frequencies> = records.comparisons.par_iter().map(count).collect();
    let observe = |(comparison, counts): (&Comparison, &Frequencies)| {
        counts.u_probabilities(records, &comparison.measure)
    };
    let u = records.comparisons.iter().zip(&frequencies).map(observe).collect();
    (frequencies, u)
}
