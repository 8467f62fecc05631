//! The keys that one list asks for.
//!
//! A job that links one list needs no more of an index than the list's own keys: the records behind all others are never
//! looked up. The keys are kept as bits, one bit for several keys, so that some records are indexed for nothing and none is
//! missing.

use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use super::keys::{KeyPlan, RecordParts, Side};
use crate::records::Normalised;

/// Bits for each line and rule: one key in sixteen is taken for another.
const BITS_PER_LINE: usize = 16;

/// Lines that one task looks at.
const CHUNK: u32 = 2_048;

/// For each rule, the keys of a list.
#[derive(Debug)]
pub(super) struct ListKeys(Vec<Vec<AtomicU64>>);

impl ListKeys {
    pub(super) fn of(list: &Normalised, plan: &KeyPlan) -> Self {
        let lines = u32::try_from(list.records.len()).expect("fewer than 2^32 lines");
        let words = (lines as usize * BITS_PER_LINE / 64).next_power_of_two();
        let none = || (0..words).map(|_| AtomicU64::new(0)).collect();
        let bits = Self((0..plan.rules()).map(|_| none()).collect());
        (0..lines.div_ceil(CHUNK)).into_par_iter().for_each(|chunk| {
            let (mut record, mut keys) = (RecordParts::default(), Vec::new());
            for line in chunk * CHUNK..lines.min((chunk + 1) * CHUNK) {
                plan.look_up(list, Side::List, line, &mut record);
                for rule in 0..plan.rules() {
                    plan.keys(&record, rule, &mut keys);
                    keys.iter().for_each(|&key| bits.add(rule, key));
                }
            }
        });
        bits
    }

    fn add(&self, rule: usize, key: u64) {
        let (word, bit) = Self::place(&self.0[rule], key);
        self.0[rule][word].fetch_or(bit, Ordering::Relaxed);
    }

    /// Whether the list has the key, or another one of the same bit.
    pub(super) fn may_have(&self, rule: usize, key: u64) -> bool {
        let (word, bit) = Self::place(&self.0[rule], key);
        self.0[rule][word].load(Ordering::Relaxed) & bit != 0
    }

    /// By the last bits of the key: the first ones choose the bucket of an index.
    fn place(words: &[AtomicU64], key: u64) -> (usize, u64) {
        let word = (key >> 6) as usize & (words.len() - 1);
        (word, 1 << (key & 63))
    }
}
