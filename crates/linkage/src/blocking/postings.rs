//! Postings: which records have which key of a rule.

use rayon::prelude::*;

use super::keys::{KeyPlan, Side, keys};
use super::list_keys::ListKeys;
use super::rules::{BlockingRule, SINGLE_BLOCK_MAX};
use crate::records::Normalised;

/// How many records a rule may bring a resident on average; a rule that brings more is narrowed by a third property.
const RECORDS_PER_KEY_MAX: u64 = 60;

/// The records of every key of one rule, sorted by key.
///
/// A key's first bits say in which bucket it lies, so an entry needs but 32 more of them beside its record: eight bytes a
/// record and rule. Of a million records 50 bits of each key are compared, and two unequal keys are taken for one about
/// once in a thousand million lookups; then a pair is compared for nothing.
#[derive(Debug)]
pub(super) struct Postings {
    pub(super) rule: BlockingRule,
    /// 32 bits of the key, then the record.
    entries: Vec<u64>,
    /// Where the keys start whose first bits are the index.
    directory: Vec<u32>,
    shift: u32,
    /// Whether a resident meets too many others under this rule, on average over the residents of the whole register.
    pub(super) too_wide: bool,
}

/// Entries of a bucket, on average.
const BUCKET_ENTRIES: usize = 4;

/// Entries of most buckets: two lines of a processor's cache.
const SHORT_BUCKET: usize = 16;

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
        let mut keyed = Keyed::default();
        keyed.keys.reserve(rows as usize);
        keyed.rows.reserve(rows as usize);
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

    /// The postings of several rules, of the keys that a list has.
    pub(super) fn build_for(
        register: &Normalised,
        rules: Vec<BlockingRule>,
        list: &Normalised,
    ) -> Vec<Self> {
        // The parts of so many records stay at hand while rule after rule is made of them.
        const CHUNK: u32 = 4_096;
        let plan = KeyPlan::new(rules.iter());
        let wanted = ListKeys::of(list, &plan);
        let rows = u32::try_from(register.records.len()).expect("fewer than 2^32 residents");
        let chunk = |chunk: u32| {
            let of_chunk = chunk * CHUNK..rows.min((chunk + 1) * CHUNK);
            let records = plan.look_up_many(register, Side::Register, of_chunk);
            let keyed = |rule: usize| {
                let (mut keyed, mut groups) = (Keyed::default(), Groups::default());
                records.keys(&plan, rule, |key, row| {
                    groups.count(key);
                    if wanted.may_have(rule, key) {
                        keyed.push(key, row);
                    }
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

    /// Sorts records by their keys.
    fn sort(rule: BlockingRule, keyed: &[Keyed]) -> Self {
        let count: usize = keyed.iter().map(|part| part.keys.len()).sum();
        let buckets = (count / BUCKET_ENTRIES).next_power_of_two().max(2);
        let shift = 64 - buckets.trailing_zeros();
        let bucket = |key: u64| (key >> shift) as usize;
        let mut directory = vec![0u32; buckets + 1];
        for &key in keyed.iter().flat_map(|part| &part.keys) {
            directory[bucket(key) + 1] += 1;
        }
        for bucket in 1..directory.len() {
            directory[bucket] += directory[bucket - 1];
        }
        // Every bucket is filled from its end: afterwards its entry in the directory is where it starts.
        let mut entries = vec![0u64; count];
        let backwards = keyed.iter().rev();
        for (&key, &row) in backwards.flat_map(|part| part.keys.iter().zip(&part.rows).rev()) {
            let end = &mut directory[bucket(key) + 1];
            *end -= 1;
            entries[*end as usize] = entry(key, shift, row);
        }
        directory.remove(0);
        directory.push(u32::try_from(entries.len()).expect("fewer than 2^32 keys"));
        for bounds in directory.windows(2) {
            entries[bounds[0] as usize..bounds[1] as usize].sort_unstable();
        }
        Self { rule, entries, directory, shift, too_wide: false }
    }

    /// The entries under a key.
    pub(super) fn block(&self, key: u64) -> &[u64] {
        let (start, end) = self.bounds(key);
        self.between(start, end)
    }

    /// Where the entries under a key start and end.
    #[inline]
    pub(super) fn bounds(&self, key: u64) -> (u32, u32) {
        let bucket = (key >> self.shift) as usize;
        let (from, to) = (self.directory[bucket], self.directory[bucket + 1]);
        let entries = self.between(from, to);
        let first = entry(key, self.shift, 0);
        let (before, equal) = (|other: u64| other < first, |other: u64| other >> 32 == first >> 32);
        let (start, len) = if entries.len() <= SHORT_BUCKET {
            // Counting all entries is faster than guessing where to stop.
            let mut counts = (0, 0);
            for &entry in entries {
                counts.0 += usize::from(before(entry));
                counts.1 += usize::from(equal(entry));
            }
            counts
        } else {
            let start = entries.partition_point(|&other| before(other));
            (start, entries[start..].partition_point(|&other| equal(other)))
        };
        let place = |offset: usize| from + u32::try_from(offset).expect("fewer than 2^32 entries");
        (place(start), place(start + len))
    }

    /// Some entries.
    pub(super) fn between(&self, start: u32, end: u32) -> &[u64] {
        &self.entries[start as usize..end as usize]
    }

    /// The numbers of records that share a key.
    fn block_sizes(&self) -> impl Iterator<Item = u64> {
        let buckets = self.directory.windows(2);
        buckets.flat_map(|bounds| {
            let bucket = &self.entries[bounds[0] as usize..bounds[1] as usize];
            bucket.chunk_by(|a, b| a >> 32 == b >> 32).map(|block| block.len() as u64)
        })
    }

    /// Whether a resident meets too many others under this rule, on average over residents.
    fn is_wide_by_blocks(&self) -> bool {
        let max = self.rule.block_records_max as u64;
        let squares: u64 =
            self.block_sizes().filter(|&size| size <= max).map(|size| size * size).sum();
        squares > RECORDS_PER_KEY_MAX * self.entries.len() as u64
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
        self.entries.len()
    }
}

/// Records with their keys, unsorted.
#[derive(Default)]
struct Keyed {
    keys: Vec<u64>,
    rows: Vec<u32>,
}

impl Keyed {
    fn push(&mut self, key: u64, row: u32) {
        self.keys.push(key);
        self.rows.push(row);
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

/// The entry of a record under a key.
fn entry(key: u64, shift: u32, record: u32) -> u64 {
    // What stands behind the bits that choose the bucket.
    let rest = key << (64 - shift);
    (rest >> 32 << 32) | u64::from(record)
}

/// Whether a block holds a record.
pub(super) fn holds(block: &[u64], resident: u32) -> bool {
    block.binary_search_by_key(&resident, |&entry| record(entry)).is_ok()
}

/// The record of an entry.
pub(super) fn record(entry: u64) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "the lower half is the record")]
    let record = entry as u32;
    record
}
