//! Blocking: choosing which pairs of records are worth comparing.
//!
//! 300,000 payment lines against 5 million residents are 1.5 trillion pairs; nearly all are different people. Only
//! records that share a key of some rule become a candidate pair, and a pair belongs to the earliest rule that finds it.
//! Invariant: the candidate pairs depend on records and rules alone, never on order or threads; a block that is left out
//! because it is too large is counted and reported.

mod keys;
mod rules;

use rayon::prelude::*;

use keys::keys;
pub(crate) use keys::meet;
pub(crate) use rules::{BlockingRule, rules};
use rules::{KeyPart, SINGLE_BLOCK_MAX};

use crate::intake::Side;
use crate::records::Linkable;

/// How many records a rule may bring a resident on average; a rule that brings more is narrowed by a third property.
const RECORDS_PER_KEY_MAX: u64 = 60;

/// The most rules of three properties.
const RULES_MAX: usize = 200;

/// A line that no rule finds anybody for is compared with the smallest block that was left out, if that is no larger.
const LAST_RESORT_MAX: usize = 200;

/// What a rule found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BlockingReport {
    /// What the rule asks for.
    pub rule: String,
    /// Pairs that agree on it, found by earlier rules or not.
    pub pairs: u64,
    /// Pairs that no earlier rule found.
    pub new_pairs: u64,
    /// Records of the largest block of the register.
    pub largest_block: u64,
    /// Blocks left to other rules because they are too large.
    pub blocks_left_out: u64,
    /// Pairs in those blocks.
    pub pairs_left_out: u64,
}

/// An inverted index of the register: for every rule, key to records.
#[derive(Debug)]
pub(crate) struct BlockingIndex {
    postings: Vec<Postings>,
}

/// The records of every key of one rule, sorted by key.
#[derive(Debug)]
struct Postings {
    rule: BlockingRule,
    entries: Vec<(u64, u32)>,
    /// Where the keys start whose first bits are the index.
    directory: Vec<u32>,
    shift: u32,
}

impl BlockingIndex {
    /// Indexes the register under the rules. A rule of two properties that says too little is replaced by rules with a
    /// third one; what is still too wide is kept for the report and serves only as a last resort.
    pub(crate) fn build(linkable: &Linkable, rules: Vec<BlockingRule>) -> Self {
        let all: Vec<KeyPart> = distinct_parts(&rules);
        let build = |rules: Vec<BlockingRule>| -> Vec<Postings> {
            rules.into_par_iter().map(|rule| Postings::build(linkable, rule)).collect()
        };
        let (mut postings, wide): (Vec<Postings>, Vec<Postings>) =
            build(rules).into_iter().partition(|postings| !postings.is_too_wide());
        let mut narrower: Vec<BlockingRule> = Vec::new();
        for wide in wide.iter().filter(|wide| wide.rule.parts.len() == 2) {
            for &part in all.iter().filter(|part| !wide.rule.parts.contains(part)) {
                let rule = wide.rule.with(part);
                if narrower.iter().all(|other| !other.same_parts(&rule)) {
                    narrower.push(rule);
                }
            }
        }
        narrower.truncate(RULES_MAX);
        postings.extend(build(narrower));
        postings.extend(wide);
        postings.iter_mut().for_each(|postings| postings.settle_limit());
        Self { postings }
    }

    /// The candidates of a line with the earliest rule that finds each, by ascending record.
    pub(crate) fn candidates(
        &self,
        linkable: &Linkable,
        line: u32,
        scratch: &mut Scratch,
        counts: &mut [RuleCounts],
    ) {
        scratch.found.clear();
        let mut smallest: Option<(usize, u16, u64)> = None;
        for (number, (postings, counts)) in
            (0u16..).zip(self.postings.iter().zip(counts.iter_mut()))
        {
            keys(linkable, Side::List, line, &postings.rule, &mut scratch.keys);
            for &key in &scratch.keys {
                let block = postings.block(key);
                if block.len() > postings.rule.block_records_max {
                    counts.blocks_left_out += 1;
                    counts.pairs_left_out += block.len() as u64;
                    let left_out = (block.len(), number, key);
                    smallest = Some(smallest.map_or(left_out, |other| other.min(left_out)));
                    continue;
                }
                counts.pairs += block.len() as u64;
                counts.largest_block = counts.largest_block.max(block.len() as u64);
                scratch.found.extend(block.iter().map(|&(_, row)| (row, number)));
            }
        }
        scratch.left_out = smallest.is_some();
        if let (true, Some((size, number, key))) = (scratch.found.is_empty(), smallest)
            && size <= LAST_RESORT_MAX
        {
            let block = self.postings[usize::from(number)].block(key);
            scratch.found.extend(block.iter().map(|&(_, row)| (row, number)));
        }
        scratch.found.sort_unstable();
        scratch.found.dedup_by_key(|(row, _)| *row);
        for (_, rule) in &scratch.found {
            counts[usize::from(*rule)].new_pairs += 1;
        }
    }

    pub(crate) fn rules(&self) -> impl ExactSizeIterator<Item = &BlockingRule> {
        self.postings.iter().map(|postings| &postings.rule)
    }
}

/// What one rule has found so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RuleCounts {
    pub(crate) pairs: u64,
    pub(crate) new_pairs: u64,
    pub(crate) largest_block: u64,
    pub(crate) blocks_left_out: u64,
    pub(crate) pairs_left_out: u64,
}

impl RuleCounts {
    pub(crate) fn add(&mut self, other: &Self) {
        self.pairs += other.pairs;
        self.new_pairs += other.new_pairs;
        self.largest_block = self.largest_block.max(other.largest_block);
        self.blocks_left_out += other.blocks_left_out;
        self.pairs_left_out += other.pairs_left_out;
    }
}

/// Memory that is used again for every line.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    keys: Vec<u64>,
    /// Candidates: register row and earliest rule.
    pub(crate) found: Vec<(u32, u16)>,
    /// Whether a block was too large to be compared.
    pub(crate) left_out: bool,
    pub(crate) levels: Vec<u8>,
}

impl Postings {
    fn build(linkable: &Linkable, rule: BlockingRule) -> Self {
        let rows = u32::try_from(linkable.register.len()).expect("fewer than 2^32 residents");
        let mut entries = Vec::with_capacity(rows as usize);
        let mut found = Vec::new();
        for row in 0..rows {
            keys(linkable, Side::Register, row, &rule, &mut found);
            entries.extend(found.iter().map(|&key| (key, row)));
        }
        entries.sort_unstable();
        let bits = (entries.len().max(2) as u64).next_power_of_two().trailing_zeros();
        let shift = 64 - bits;
        let mut directory = vec![0u32; (1 << bits) + 1];
        for &(key, _) in &entries {
            directory[(key >> shift) as usize + 1] += 1;
        }
        for bucket in 1..directory.len() {
            directory[bucket] += directory[bucket - 1];
        }
        Self { rule, entries, directory, shift }
    }

    fn block(&self, key: u64) -> &[(u64, u32)] {
        let bucket = (key >> self.shift) as usize;
        let bucket =
            &self.entries[self.directory[bucket] as usize..self.directory[bucket + 1] as usize];
        let start = bucket.partition_point(|&(other, _)| other < key);
        let end = start + bucket[start..].partition_point(|&(other, _)| other == key);
        &bucket[start..end]
    }

    /// Whether a resident meets too many others under this rule, on average over residents.
    fn is_too_wide(&self) -> bool {
        let (mut squares, mut start) = (0u64, 0);
        for end in 1..=self.entries.len() {
            if self.entries.get(end).is_none_or(|entry| entry.0 != self.entries[start].0) {
                let size = (end - start) as u64;
                if size <= self.rule.block_records_max as u64 {
                    squares += size * size;
                }
                start = end;
            }
        }
        squares > RECORDS_PER_KEY_MAX * self.entries.len() as u64
    }

    /// A rule that is too wide as a whole serves only where its block happens to be small.
    fn settle_limit(&mut self) {
        if self.is_too_wide() {
            self.rule.block_records_max = SINGLE_BLOCK_MAX;
        }
    }
}

/// Every property that some rule asks for.
fn distinct_parts(rules: &[BlockingRule]) -> Vec<KeyPart> {
    let mut parts: Vec<KeyPart> = Vec::new();
    for &part in rules.iter().flat_map(|rule| &rule.parts) {
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    parts
}
