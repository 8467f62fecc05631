//! The keys that one list asks for.
//!
//! A job that links one list needs no more of an index than the list's own keys: the records behind all others are never
//! looked up. The keys are kept as bits, one bit for several keys, so that some records are indexed for nothing and none is
//! missing.

use rayon::prelude::*;

use super::buckets::Keyed;
use super::keys::{FETCHED, KeyPlan, RecordParts, Side, TOLD, fetch_places};
use crate::records::Normalised;

/// Bits for each line and rule: one key in sixteen is taken for another.
const BITS_PER_LINE: usize = 16;

/// Lines that one task looks at.
const CHUNK: u32 = 1_024;

/// Lines whose keys are held at a time.
const ROUND: u32 = 64 * CHUNK;

/// For each rule, the keys of a list.
#[derive(Debug)]
pub(super) struct ListKeys(Vec<Vec<u64>>);

impl ListKeys {
    /// `left_out` are lines that ask for nothing.
    pub(super) fn of(list: &Normalised, plan: &KeyPlan, left_out: &[bool]) -> Self {
        let lines = u32::try_from(list.records.len()).expect("fewer than 2^32 lines");
        let asking = lines as usize - left_out.iter().filter(|left_out| **left_out).count();
        let words = (asking * BITS_PER_LINE / 64).next_power_of_two();
        let mut bits = vec![vec![0; words]; plan.rules()];
        let keys_of = |lines: std::ops::Range<u32>| {
            let (mut record, mut keys) = (RecordParts::default(), Vec::new());
            let mut of_rules = vec![Vec::with_capacity(lines.len()); plan.rules()];
            let asks = |line: &u32| !left_out.get(*line as usize).copied().unwrap_or(false);
            let lines: Vec<u32> = lines.filter(asks).collect();
            for lines in lines.chunks(FETCHED) {
                fetch_places(list, lines.iter().copied());
                for &line in lines {
                    plan.look_up(list, Side::List, line, &mut record);
                    for (rule, of_rule) in of_rules.iter_mut().enumerate() {
                        plan.keys(&record, rule, &mut keys);
                        of_rule.extend_from_slice(&keys);
                    }
                }
            }
            of_rules
        };
        for round in (0..lines).step_by(ROUND as usize) {
            let end = lines.min(round + ROUND);
            let chunks = (end - round).div_ceil(CHUNK);
            let starts = (0..chunks).into_par_iter().map(|chunk| round + chunk * CHUNK);
            let keys: Vec<_> = starts.map(|start| keys_of(start..end.min(start + CHUNK))).collect();
            // One rule at a time, whose bits stay at hand.
            bits.par_iter_mut().enumerate().for_each(|(rule, words)| {
                for &key in keys.iter().flat_map(|of_rules| &of_rules[rule]) {
                    let (word, bit) = Self::place(words, key);
                    words[word] |= bit;
                }
            });
        }
        Self(bits)
    }

    /// Keeps those of some keys that the list has, or of whose bit it has another. Every bit lies somewhere else in memory, so
    /// all are fetched before any is decided on.
    pub(super) fn keep(&self, rule: usize, keys: &[u64], rows: &[u32], kept: &mut Keyed) {
        let (words, mut held) = (&self.0[rule], [false; TOLD]);
        for (held, &key) in held.iter_mut().zip(keys) {
            let (word, bit) = Self::place(words, key);
            *held = words[word] & bit != 0;
        }
        let known = held.iter().zip(keys.iter().zip(rows)).filter(|(held, _)| **held);
        known.for_each(|(_, (&key, &row))| kept.push(key, row));
    }

    /// By the last bits of the key: the first ones choose the bucket of an index.
    fn place(words: &[u64], key: u64) -> (usize, u64) {
        let word = (key >> 6) as usize & (words.len() - 1);
        (word, 1 << (key & 63))
    }
}
