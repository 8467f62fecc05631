//! A register ready to be linked to, again and again.
//!
//! Built once from the register alone: records as columns of ids, how common each value is, what relatives share, and the
//! blocking index. Never changed afterwards, so that jobs and single queries on any number of threads use one index
//! without locks; deltas make another one of it, see `delta`. Invariant: nothing in it depends on a list, so a list or a
//! query finds the same index whatever came before.

use std::sync::Arc;
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
    pub(crate) fields: Arc<Fields>,
    roles: Arc<[Role]>,
    pub(crate) register: Normalised,
    pub(crate) frequencies: Arc<[Frequencies]>,
    /// P(level | strangers) of each comparison, as the register shows it.
    u: Arc<[Vec<f64>]>,
    pub(crate) household: Arc<Household>,
    /// How many records were counted for these, left out ones included.
    counted: usize,
    /// Nothing where a list is to bring its own.
    blocking: Option<BlockingIndex>,
    /// Entries of the deltas that were applied since.
    touched: usize,
    /// Told apart from every other index: what was read against one is not looked up in another.
    identity: Arc<()>,
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

/// How long it took to make an index, or what a list added to it.
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
        let roles = Self::roles_of(&fields, &raw);
        Self::build_with(fields, roles, raw, left_out, serves, clock)
    }

    /// Which part each field plays, in these records.
    pub(crate) fn roles_of(fields: &Fields, raw: &RawRecords) -> Vec<Role> {
        fields.roles(|field| sealing::is_japanese(&raw.columns[field]))
    }

    /// The same with other parts for the fields to play.
    pub(crate) fn build_with(
        fields: Fields,
        roles: Vec<Role>,
        raw: RawRecords,
        left_out: &[usize],
        serves: Serves,
        clock: &dyn Clock,
    ) -> Self {
        let start = clock.monotonic();
        let mut register = sealing::register(&fields, &roles, raw);
        register.records.own().forget(left_out);
        register.names.learn_readings(&register.records.own().names);
        register.records.share();
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
        register.wholes.share();
        let (frequencies, u) = count_values(&register);
        let household = Arc::new(Household::count(&register));
        let times = IndexTimes {
            normalise: normalised.saturating_sub(start),
            index: clock.monotonic().saturating_sub(normalised),
        };
        Self {
            fields: Arc::new(fields),
            roles: roles.into(),
            counted: register.records.len(),
            register,
            frequencies,
            u,
            household,
            blocking,
            touched: 0,
            identity: Arc::default(),
            times,
        }
    }

    /// An index of other records with all that was learned and counted when this one was built. It serves whom this one
    /// serves.
    pub(crate) fn build_again(
        &self,
        raw: RawRecords,
        left_out: &[usize],
        clock: &dyn Clock,
    ) -> Self {
        let start = clock.monotonic();
        let mut register = sealing::in_place_of(self, raw);
        register.records.own().forget(left_out);
        register.records.share();
        register.leave_values();
        let normalised = clock.monotonic();
        let blocking = self.blocking.as_ref().map(|known| known.again(&register));
        if blocking.is_some() {
            register.wholes.forget_keys();
        }
        register.wholes.share();
        let times = IndexTimes {
            normalise: normalised.saturating_sub(start),
            index: clock.monotonic().saturating_sub(normalised),
        };
        Self { times, ..self.with(register, blocking, 0) }
    }

    /// Other records with all that was learned and counted. Deltas have `touched` so many of them.
    pub(crate) fn with(
        &self,
        register: Normalised,
        blocking: Option<BlockingIndex>,
        touched: usize,
    ) -> Self {
        Self {
            fields: Arc::clone(&self.fields),
            roles: Arc::clone(&self.roles),
            register,
            frequencies: Arc::clone(&self.frequencies),
            u: Arc::clone(&self.u),
            household: Arc::clone(&self.household),
            counted: self.counted,
            blocking,
            touched,
            identity: Arc::default(),
            times: self.times,
        }
    }

    /// The fields it was made for.
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// How many records there are, left out ones included.
    pub fn records(&self) -> usize {
        self.rows() - self.blocking.as_ref().map_or(0, BlockingIndex::gone)
    }

    /// How many rows there are, those of records included that deltas have taken away.
    pub(crate) fn rows(&self) -> usize {
        self.register.records.len()
    }

    /// How many records it was built with, left out ones included.
    pub(crate) fn built(&self) -> usize {
        self.register.records.built()
    }

    /// How many entries the deltas had that were applied since it was built.
    pub fn touched(&self) -> usize {
        self.touched
    }

    /// How many records were counted when frequencies were.
    pub(crate) fn counted(&self) -> usize {
        self.counted
    }

    /// The id of a record, also of one that a delta has taken away.
    pub fn id(&self, row: u32) -> &str {
        self.register.records.id(row)
    }

    /// The record with this id.
    pub fn row(&self, id: &str) -> Option<u32> {
        let is_gone = |row| self.blocking.as_ref().is_some_and(|blocking| blocking.is_gone(row));
        self.register.records.row(id).filter(|&row| !is_gone(row))
    }

    /// The ids of records that are there and differ from this one by zeros in front alone.
    pub fn with_other_zeros<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a str> {
        self.register.records.with_other_zeros(id).filter(|other| self.row(other).is_some())
    }

    /// Every record that is there and may be named, with its row.
    pub fn ids(&self) -> impl Iterator<Item = (u32, &str)> {
        let rows = 0..u32::try_from(self.rows()).unwrap_or(u32::MAX);
        rows.map(|row| (row, self.id(row))).filter(|(row, id)| self.row(id) == Some(*row))
    }

    /// How long it took to make.
    pub fn times(&self) -> IndexTimes {
        self.times
    }

    /// Takes how common values are, and what relatives share, from elsewhere: from the same records, counted otherwise.
    pub(crate) fn count_again(&mut self, of_values: &Normalised, household: Household) {
        (self.frequencies, self.u) = count_values(of_values);
        self.household = Arc::new(household);
    }

    /// What is believed before any line is seen: the priors of the measures, with what this register shows of strangers
    /// and relatives.
    pub fn prior_model(&self, costs: Costs) -> Model {
        let repeated = self.repeated_fields().into_iter().map(str::to_owned).collect();
        let prior = Model::prior(&self.register.comparisons, &self.u, &self.household, costs);
        Model { repeated, ..prior }
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

    pub(crate) fn identity(&self) -> &Arc<()> {
        &self.identity
    }

    pub(crate) fn roles(&self) -> &[Role] {
        &self.roles
    }

    /// Whether a field of a list can be evidence.
    pub(crate) fn reads_of_list(&self, field: usize) -> bool {
        !matches!(
            self.roles[field],
            Role::Unused | Role::Repeated | Role::OtherName | Role::FormerAddress
        )
    }

    /// The names of the fields that are not compared, since other fields say the same.
    pub fn repeated_fields(&self) -> Vec<&str> {
        let fields = self.fields.fields.iter().zip(self.roles.iter());
        let repeated = fields.filter(|(_, role)| **role == Role::Repeated);
        repeated.map(|(field, _)| field.name.as_str()).collect()
    }
}

/// P(level | strangers) of each comparison.
type StrangersLevels = Arc<[Vec<f64>]>;

/// How common each value is, and how often strangers agree.
fn count_values(records: &Normalised) -> (Arc<[Frequencies]>, StrangersLevels) {
    let count = |comparison| Frequencies::count(records, comparison);
    let frequencies: Vec<Frequencies> = records.comparisons.par_iter().map(count).collect();
    let observe = |(comparison, counts): (&Comparison, &Frequencies)| {
        counts.u_probabilities(records, &comparison.measure)
    };
    let u = records.comparisons.iter().zip(&frequencies).map(observe).collect();
    (frequencies.into(), u)
}
