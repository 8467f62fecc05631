//! What deltas have changed of an index: the keys of the records that they brought, and the records that they took away.
//!
//! The postings of the register as it was built are never touched. Keys of new records lie in a few sorted runs, each a
//! fourth of the one before it at most; a run that is not is merged into it. So a record is moved a few times, however
//! large the register is, and a block is put together from few places. Invariant: a block holds the records that are
//! there and have the key, in the runs as in the postings.

use std::sync::Arc;

use super::buckets::record;
use super::keys::{KeyPlan, Side};
use crate::hash;
use crate::layers::is_joined;
use crate::records::Normalised;
use crate::row_set::RowSet;

/// Records whose keys are looked up at a time.
const CHUNK: u32 = 4_096;

/// What deltas have changed.
#[derive(Clone, Debug, Default)]
pub(super) struct Overlay {
    runs: Vec<Arc<Run>>,
    /// Records that are no longer there, of the register and of earlier deltas.
    gone: RowSet,
}

impl Overlay {
    /// The same with records that come and go. Those that come have the rows of `register` from `first` on.
    pub(super) fn changed(
        &self,
        plan: &KeyPlan,
        register: &Normalised,
        first: u32,
        gone: &[u32],
    ) -> Self {
        let mut changed = self.clone();
        gone.iter().for_each(|&row| changed.gone.insert(row));
        let rows = u32::try_from(register.records.len()).expect("fewer than 2^32 residents");
        let mut entries = Vec::new();
        for start in (first..rows).step_by(CHUNK as usize) {
            let chunk = start..rows.min(start + CHUNK);
            let parts = plan.look_up_many(register, Side::Register, chunk);
            for rule in 0..plan.rules() {
                parts.keys(plan, rule, |keys, rows| {
                    let there =
                        keys.iter().zip(rows).filter(|(_, row)| !changed.gone.contains(**row));
                    entries.extend(there.map(|(&key, &row)| (of_rule(key, rule), row)));
                });
            }
        }
        entries.sort_unstable();
        let mut run = Run::new(entries.into_iter());
        while let Some(below) =
            changed.runs.pop_if(|below| is_joined(below.rows.len(), run.rows.len()))
        {
            run = below.merge(&run, &changed.gone);
        }
        if !run.rows.is_empty() {
            changed.runs.push(Arc::new(run));
        }
        changed
    }

    /// Whether nothing has changed.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.runs.is_empty() && self.gone.len() == 0
    }

    /// Whether a record is no longer there.
    #[inline]
    pub(super) fn is_gone(&self, row: u32) -> bool {
        self.gone.contains(row)
    }

    /// How many records are no longer there.
    pub(super) fn gone(&self) -> usize {
        self.gone.len()
    }

    /// How many records share a key, of which the register was built with `postings`. Where these are too many, whoever
    /// of them has gone, all are counted.
    pub(super) fn size(&self, postings: &[u64], rule: usize, key: u64, most: usize) -> usize {
        let is_there = |row: u32| !self.gone.contains(row);
        let built = if self.gone.len() == 0 || postings.len() > most + self.gone.len() {
            postings.len()
        } else {
            postings.iter().filter(|&&entry| is_there(record(entry))).count()
        };
        let added =
            |run: &Arc<Run>| run.rows(rule, key).iter().filter(|&&row| is_there(row)).count();
        built + self.runs.iter().map(added).sum::<usize>()
    }

    /// The records that share a key.
    pub(super) fn rows(
        &self,
        postings: &[u64],
        rule: usize,
        key: u64,
    ) -> impl Iterator<Item = u32> {
        let added = self.runs.iter().flat_map(move |run| run.rows(rule, key)).copied();
        let all = postings.iter().map(|&entry| record(entry)).chain(added);
        all.filter(|&row| !self.gone.contains(row))
    }

    /// Whether a record that deltas have brought has a key.
    pub(super) fn holds(&self, rule: usize, key: u64, row: u32) -> bool {
        self.runs.iter().any(|run| run.rows(rule, key).binary_search(&row).is_ok())
    }
}

/// The key under which the runs keep a key of a rule: all rules lie in one run.
fn of_rule(key: u64, rule: usize) -> u64 {
    hash::mix(hash::mix(1, rule as u64), key)
}

/// Keys and their records, sorted by both.
#[derive(Debug)]
struct Run {
    keys: Vec<u64>,
    rows: Vec<u32>,
    /// Where the keys start whose first bits are the index.
    directory: Vec<u32>,
    shift: u32,
}

/// Entries for each place of the directory, on average.
const BUCKET_ENTRIES: usize = 4;

impl Run {
    /// Of entries in their order.
    fn new(entries: impl Iterator<Item = (u64, u32)>) -> Self {
        let (mut keys, rows): (Vec<u64>, Vec<u32>) = entries.unzip();
        keys.shrink_to_fit();
        let buckets = (keys.len() / BUCKET_ENTRIES).next_power_of_two().max(2);
        let shift = 64 - buckets.trailing_zeros();
        let mut directory = vec![0u32; buckets + 1];
        for &key in &keys {
            directory[(key >> shift) as usize + 1] += 1;
        }
        for bucket in 1..directory.len() {
            directory[bucket] += directory[bucket - 1];
        }
        Self { keys, rows, directory, shift }
    }

    /// The records under a key of a rule, ascending.
    fn rows(&self, rule: usize, key: u64) -> &[u32] {
        let key = of_rule(key, rule);
        let bucket = (key >> self.shift) as usize;
        let start = self.directory[bucket] as usize;
        let keys = &self.keys[start..self.directory[bucket + 1] as usize];
        let before = keys.partition_point(|&other| other < key);
        let same = keys[before..].partition_point(|&other| other == key);
        &self.rows[start + before..start + before + same]
    }

    fn entries(&self) -> impl Iterator<Item = (u64, u32)> {
        self.keys.iter().copied().zip(self.rows.iter().copied())
    }

    /// Both together, without the records that are gone.
    fn merge(&self, above: &Self, gone: &RowSet) -> Self {
        let mut merged = Vec::with_capacity(self.rows.len() + above.rows.len());
        let (mut below, mut above) = (self.entries().peekable(), above.entries().peekable());
        while let Some(entry) = match (below.peek(), above.peek()) {
            (Some(a), Some(b)) if a <= b => below.next(),
            (Some(_), None) => below.next(),
            _ => above.next(),
        } {
            if !gone.contains(entry.1) {
                merged.push(entry);
            }
        }
        Self::new(merged.into_iter())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_run_holds_the_records_of_its_keys_merged_or_not(
            below in prop::collection::btree_set((0u64..40, 0u32..50), 0..200),
            above in prop::collection::btree_set((0u64..40, 50u32..90), 0..200),
            gone in prop::collection::btree_set(0u32..90, 0..20),
        ) {
            let run = |entries: &BTreeSet<(u64, u32)>| {
                let mut entries: Vec<(u64, u32)> =
                    entries.iter().map(|&(key, row)| (of_rule(key, (key % 3) as usize), row)).collect();
                entries.sort_unstable();
                Run::new(entries.into_iter())
            };
            let mut set = RowSet::default();
            gone.iter().for_each(|&row| set.insert(row));
            let merged = run(&below).merge(&run(&above), &set);
            for key in 0..41 {
                let wanted: Vec<u32> = below.iter().chain(&above)
                    .filter(|(of, row)| *of == key && !gone.contains(row))
                    .map(|(_, row)| *row)
                    .collect();
                prop_assert_eq!(merged.rows((key % 3) as usize, key), wanted);
                prop_assert_eq!(merged.rows(7, key), &[] as &[u32], "a rule has keys of its own");
            }
        }
    }
}
