//! Postings: which records have which key of a rule.

use rayon::prelude::*;

use super::buckets::{Buckets, Keyed};
use super::keys::{KeyPlan, Side, keys};
use super::list_keys::ListKeys;
use super::rules::{BlockingRule, SINGLE_BLOCK_MAX};
use crate::records::Normalised;

/// How many records a rule may bring a resident on average; a rule that brings more is narrowed by a third property.
const RECORDS_PER_KEY_MAX: u64 = 60;

/// The records of every key of one rule.
#[derive(Debug)]
pub(super) struct Postings {
    pub(super) rule: BlockingRule,
    buckets: Buckets,
    /// Whether a resident meets too many others under this rule, on average over the residents of the whole register.
    pub(super) too_wide: bool,
}

impl Postings {
    /// The postings of several rules, of all keys.
    pub(super) fn build_all(
        register: &Normalised,
        rules: Vec<BlockingRule>,
        width: Width,
    ) -> Vec<Self> {
        rules.into_par_iter().map(|rule| Self::build(register, rule, width)).collect()
    }

    fn build(register: &Normalised, rule: BlockingRule, width: Width) -> Self {
        let rows = u32::try_from(register.records.len()).expect("fewer than 2^32 residents");
        let mut found = Vec::new();
        let mut keyed = Keyed::with_capacity(rows as usize);
        for row in 0..rows {
            keys(register, Side::Register, row, &rule, &mut found);
            found.iter().for_each(|&key| keyed.push(key, row));
        }
        match width {
            Width::ByBlocks => {
                let postings = Self::sort(rule, &[keyed]);
                Self { too_wide: postings.is_wide_by_blocks(), ..postings }
            }
            Width::ByGroups => {
                let mut groups = Groups::default();
                keyed.keys.iter().for_each(|&key| groups.count(key));
                Self { too_wide: groups.are_uneven(), ..Self::sort(rule, &[keyed]) }
            }
        }
    }

    /// The postings of other records under the same rules, which stay as wide as they were found to be.
    pub(super) fn build_again(register: &Normalised, known: &[Self]) -> Vec<Self> {
        let build = |known: &Self| {
            let postings = Self::build(register, known.rule.clone(), Width::ByGroups);
            Self { too_wide: known.too_wide, ..postings }
        };
        known.par_iter().map(build).collect()
    }

    /// The postings of several rules, of the keys that a list has but for those of some lines.
    pub(super) fn build_for(
        register: &Normalised,
        rules: Vec<BlockingRule>,
        list: &Normalised,
        left_out: &[bool],
    ) -> Vec<Self> {
        // The parts of so many records stay at hand while rule after rule is made of them.
        const CHUNK: u32 = 4_096;
        let plan = KeyPlan::new(rules.iter());
        let wanted = ListKeys::of(list, &plan, left_out);
        let rows = u32::try_from(register.records.len()).expect("fewer than 2^32 residents");
        let chunk = |chunk: u32| {
            let of_chunk = chunk * CHUNK..rows.min((chunk + 1) * CHUNK);
            let records = plan.look_up_many(register, Side::Register, of_chunk);
            let keyed = |rule: usize| {
                let (mut keyed, mut groups) = (Keyed::default(), Groups::default());
                records.keys(&plan, rule, |keys, rows| {
                    keys.iter().for_each(|&key| groups.count(key));
                    wanted.keep(rule, keys, rows, &mut keyed);
                });
                (keyed, groups)
            };
            (0..rules.len()).map(keyed).collect()
        };
        let chunks: Vec<Vec<(Keyed, Groups)>> =
            (0..rows.div_ceil(CHUNK)).into_par_iter().map(chunk).collect();
        let none = || (Vec::new(), Groups::default());
        let mut by_rule: Vec<(Vec<Keyed>, Groups)> = rules.iter().map(|_| none()).collect();
        for chunk in chunks {
            for ((all, sum), (keyed, groups)) in by_rule.iter_mut().zip(chunk) {
                all.push(keyed);
                sum.add(&groups);
            }
        }
        let postings = |(rule, (keyed, groups)): (BlockingRule, (Vec<Keyed>, Groups))| Self {
            too_wide: groups.are_uneven(),
            ..Self::sort(rule, &keyed)
        };
        rules.into_par_iter().zip(by_rule).map(postings).collect()
    }

    fn sort(rule: BlockingRule, keyed: &[Keyed]) -> Self {
        Self { rule, buckets: Buckets::sort(keyed), too_wide: false }
    }

    /// The entries under a key.
    pub(super) fn block(&self, key: u64) -> &[u64] {
        self.buckets.block(key)
    }

    /// Where the entries under a key start and end.
    #[inline]
    pub(super) fn bounds(&self, key: u64) -> (u32, u32) {
        self.buckets.bounds(key)
    }

    /// Brings to hand what looking up these keys will look at.
    pub(super) fn fetch(&self, keys: impl Iterator<Item = u64>, starts: &mut Vec<u32>) {
        self.buckets.fetch(keys, starts);
    }

    /// Some entries.
    pub(super) fn between(&self, start: u32, end: u32) -> &[u64] {
        self.buckets.between(start, end)
    }

    /// Whether a resident meets too many others under this rule, on average over residents.
    fn is_wide_by_blocks(&self) -> bool {
        let max = self.rule.block_records_max as u64;
        let squares: u64 =
            self.buckets.block_sizes().filter(|&size| size <= max).map(|size| size * size).sum();
        squares > RECORDS_PER_KEY_MAX * self.buckets.len() as u64
    }

    /// A rule that is too wide as a whole serves only where its block happens to be small.
    pub(super) fn settle_limit(&mut self) {
        if self.too_wide {
            self.rule.block_records_max = SINGLE_BLOCK_MAX;
        }
    }

    /// How many entries there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.buckets.len()
    }
}

/// How a rule is known to be too wide.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Width {
    /// By the sizes of all blocks.
    ByBlocks,
    /// By how uneven the keys of all records are over some groups.
    ByGroups,
}

const GROUPS: usize = 1_024;

/// How many keys of all records lie in each group.
struct Groups(Vec<u32>);

impl Default for Groups {
    fn default() -> Self {
        Self(vec![0; GROUPS])
    }
}

impl Groups {
    fn count(&mut self, key: u64) {
        self.0[(key >> (u64::BITS - GROUPS.trailing_zeros())) as usize] += 1;
    }

    fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(sum, part)| *sum += part);
    }

    /// Whether too many records share their keys. Were n keys spread at random, the squares of the groups' sizes would sum
    /// to about n^2/g and vary little around that; what they have beyond it they have from records that share a key.
    fn are_uneven(&self) -> bool {
        let sizes = self.0.iter().map(|&size| u128::from(size));
        let (keys, squares) =
            sizes.fold((0, 0), |(keys, squares), size| (keys + size, squares + size * size));
        let by_chance = keys * keys / GROUPS as u128;
        squares.saturating_sub(by_chance) > u128::from(RECORDS_PER_KEY_MAX) * keys
    }
}
