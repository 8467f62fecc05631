//! Blocking: choosing which pairs of records are worth comparing.
//!
//! 300,000 payment lines against 5 million residents are 1.5 trillion pairs; nearly all are different people. Only
//! records that share a key of some rule become a candidate pair, and a pair belongs to the earliest rule that finds it.
//! Invariant: the candidate pairs depend on records and rules alone, never on order or threads; a block that is left out
//! because it is too large is counted and reported.

mod keys;
mod list_keys;
mod rules;
mod search;

use rayon::prelude::*;

use keys::{KeyPlan, RecordParts, Side, keys};
use list_keys::ListKeys;
pub(crate) use rules::{BlockingRule, rules};
use rules::{KeyPart, SINGLE_BLOCK_MAX};
pub use search::{Miss, MissedRule, RuleSearch, Search};

use crate::records::Normalised;

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
    /// Records of the largest block that some line was compared with.
    pub largest_block: u64,
    /// Blocks left to other rules because they are too large.
    pub blocks_left_out: u64,
    /// Pairs in those blocks.
    pub pairs_left_out: u64,
}

impl BlockingReport {
    /// What rules found, in their order.
    pub(crate) fn of_rules<'a>(
        rules: impl Iterator<Item = &'a BlockingRule>,
        counts: &[RuleCounts],
        register: &Normalised,
    ) -> Vec<Self> {
        let report = |(rule, counts): (&BlockingRule, &RuleCounts)| Self {
            rule: rule.describe(register),
            pairs: counts.pairs,
            new_pairs: counts.new_pairs,
            largest_block: counts.largest_block,
            blocks_left_out: counts.blocks_left_out,
            pairs_left_out: counts.pairs_left_out,
        };
        rules.zip(counts).map(report).collect()
    }
}

/// An inverted index of the register: for every rule, key to records.
#[derive(Debug)]
pub(crate) struct BlockingIndex {
    postings: Vec<Postings>,
    plan: KeyPlan,
}

/// The records of every key of one rule, sorted by key.
///
/// A key's first bits say in which bucket it lies, so an entry needs but 32 more of them beside its record: eight bytes a
/// record and rule. Of a million records 50 bits of each key are compared, and two unequal keys are taken for one about
/// once in a thousand million lookups; then a pair is compared for nothing.
#[derive(Debug)]
struct Postings {
    rule: BlockingRule,
    /// 32 bits of the key, then the record.
    entries: Vec<u64>,
    /// Where the keys start whose first bits are the index.
    directory: Vec<u32>,
    shift: u32,
    /// How many pairs of records of the register share a key, counted or estimated, and how many keys records have.
    spread: Option<(u128, u64)>,
}

/// Entries of a bucket, on average.
const BUCKET_ENTRIES: usize = 4;

/// Registers smaller than this are indexed whole: how wide a rule is shows in all of its blocks.
const RECORDS_SAMPLED: usize = 65_536;

/// Of larger ones, all keys are counted in so many groups, whatever lists ask for: how uneven the groups are shows how
/// wide a rule is.
const GROUPS: u32 = 1_024;

/// The group of a key.
fn group(key: u64) -> usize {
    (key >> (u64::BITS - GROUPS.trailing_zeros())) as usize
}

impl BlockingIndex {
    /// Indexes the register under the rules. A rule of two properties that says too little is replaced by rules with a
    /// third one; what is still too wide is kept for the report and serves only as a last resort. With a list, only what
    /// the list asks for is indexed; it finds what it would find in an index of everything.
    pub(crate) fn build(
        register: &Normalised,
        rules: Vec<BlockingRule>,
        list: Option<&Normalised>,
    ) -> Self {
        let list = list.filter(|_| register.records.len() >= RECORDS_SAMPLED);
        Self::build_sampled(register, rules, list, register.records.len() >= RECORDS_SAMPLED)
    }

    /// `sampled` says that a sample of keys shows how wide a rule is; without a sample there is no list.
    fn build_sampled(
        register: &Normalised,
        rules: Vec<BlockingRule>,
        list: Option<&Normalised>,
        sampled: bool,
    ) -> Self {
        let all: Vec<KeyPart> = distinct_parts(&rules);
        let build = |rules: Vec<BlockingRule>| -> Vec<Postings> {
            match list {
                Some(list) => Postings::build_for(register, rules, list),
                None => {
                    let build = |rule| Postings::build(register, rule, sampled);
                    rules.into_par_iter().map(build).collect()
                }
            }
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
        let plan = KeyPlan::new(postings.iter().map(|postings| &postings.rule));
        Self { postings, plan }
    }

    /// The candidates of a line with the earliest rule that finds each, by ascending record.
    pub(crate) fn candidates(
        &self,
        list: &Normalised,
        line: u32,
        scratch: &mut Scratch,
        counts: &mut [RuleCounts],
    ) {
        let Scratch { parts, keys, blocks, found, .. } = scratch;
        found.clear();
        blocks.clear();
        let mut smallest: Option<(usize, u16, u64)> = None;
        self.plan.look_up(list, Side::List, line, parts);
        // First where all keys lie, then who lies there: memory is fetched for all of them at a time.
        for (number, postings) in (0u16..).zip(&self.postings) {
            self.plan.keys(parts, usize::from(number), keys);
            blocks.extend(keys.iter().map(|&key| (number, key, postings.bucket(key))));
        }
        for &(number, key, (start, end)) in &*blocks {
            let postings = &self.postings[usize::from(number)];
            let block = postings.block_in(key, start, end);
            let counts = &mut counts[usize::from(number)];
            if block.len() > postings.rule.block_records_max {
                counts.blocks_left_out += 1;
                counts.pairs_left_out += block.len() as u64;
                let left_out = (block.len(), number, key);
                smallest = Some(smallest.map_or(left_out, |other| other.min(left_out)));
                continue;
            }
            counts.pairs += block.len() as u64;
            counts.largest_block = counts.largest_block.max(block.len() as u64);
            found.extend(block.iter().map(|&entry| (record(entry), number)));
        }
        scratch.left_out = smallest.is_some();
        if let (true, Some((size, number, key))) = (scratch.found.is_empty(), smallest)
            && size <= LAST_RESORT_MAX
        {
            let block = self.postings[usize::from(number)].block(key);
            scratch.found.extend(block.iter().map(|&entry| (record(entry), number)));
        }
        scratch.found.sort_unstable();
        scratch.found.dedup_by_key(|(row, _)| *row);
        for (_, rule) in &scratch.found {
            counts[usize::from(*rule)].new_pairs += 1;
        }
    }

    /// The rules under which a line and a resident share a key.
    pub(crate) fn rules_of_pair(
        &self,
        list: &Normalised,
        line: u32,
        resident: u32,
    ) -> Vec<&BlockingRule> {
        let mut of_line = Vec::new();
        let met = self.postings.iter().filter(|postings| {
            keys(list, Side::List, line, &postings.rule, &mut of_line);
            let mut blocks = of_line.iter().map(|&key| postings.block(key));
            blocks
                .any(|block| block.binary_search_by_key(&resident, |&entry| record(entry)).is_ok())
        });
        met.map(|postings| &postings.rule).collect()
    }

    /// The numbers of the rules that bring a line and a resident together.
    pub(crate) fn rules_that_find(
        &self,
        list: &Normalised,
        line: u32,
        resident: u32,
    ) -> Vec<usize> {
        let mut of_line = Vec::new();
        let found = self.postings.iter().enumerate().filter(|(_, postings)| {
            keys(list, Side::List, line, &postings.rule, &mut of_line);
            let blocks = of_line.iter().map(|&key| postings.block(key));
            let mut compared =
                blocks.filter(|block| block.len() <= postings.rule.block_records_max);
            compared
                .any(|block| block.binary_search_by_key(&resident, |&entry| record(entry)).is_ok())
        });
        found.map(|(number, _)| number).collect()
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
#[derive(Default)]
pub(crate) struct Scratch {
    parts: RecordParts,
    keys: Vec<u64>,
    /// Rule, key, and where its bucket starts and ends.
    blocks: Vec<(u16, u64, (u32, u32))>,
    /// Candidates: register row and earliest rule.
    pub(crate) found: Vec<(u32, u16)>,
    /// Whether a block was too large to be compared.
    pub(crate) left_out: bool,
    pub(crate) levels: Vec<u8>,
}

impl Postings {
    fn build(register: &Normalised, rule: BlockingRule, sampled: bool) -> Self {
        let rows = u32::try_from(register.records.len()).expect("fewer than 2^32 residents");
        let mut found = Vec::new();
        let mut keyed = Keyed::default();
        keyed.keys.reserve(rows as usize);
        keyed.rows.reserve(rows as usize);
        for row in 0..rows {
            keys(register, Side::Register, row, &rule, &mut found);
            for &key in &found {
                keyed.count(key);
                keyed.push(key, row);
            }
        }
        Self::of(rule, &[keyed], sampled)
    }

    /// The postings of several rules, of the keys that a list has and of a sample.
    fn build_for(register: &Normalised, rules: Vec<BlockingRule>, list: &Normalised) -> Vec<Self> {
        // The parts of so many records stay at hand while rule after rule is made of them.
        const CHUNK: u32 = 4_096;
        let plan = KeyPlan::new(rules.iter());
        let wanted = ListKeys::of(list, &plan);
        let rows = u32::try_from(register.records.len()).expect("fewer than 2^32 residents");
        let chunk = |chunk: u32| {
            let of_chunk = chunk * CHUNK..rows.min((chunk + 1) * CHUNK);
            let records = plan.look_up_many(register, Side::Register, of_chunk);
            let keyed = |rule: usize| {
                let mut keyed = Keyed::default();
                records.keys(&plan, rule, |key, row| {
                    keyed.count(key);
                    if wanted.may_have(rule, key) {
                        keyed.push(key, row);
                    }
                });
                keyed
            };
            (0..rules.len()).map(keyed).collect()
        };
        let chunks: Vec<Vec<Keyed>> =
            (0..rows.div_ceil(CHUNK)).into_par_iter().map(chunk).collect();
        let mut by_rule: Vec<Vec<Keyed>> = rules.iter().map(|_| Vec::new()).collect();
        for chunk in chunks {
            by_rule.iter_mut().zip(chunk).for_each(|(all, part)| all.push(part));
        }
        rules
            .into_par_iter()
            .zip(by_rule)
            .map(|(rule, keyed)| Self::of(rule, &keyed, true))
            .collect()
    }

    /// Sorts records by their keys.
    fn of(rule: BlockingRule, keyed: &[Keyed], sampled: bool) -> Self {
        let spread = sampled.then(|| spread(keyed));
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
        Self { rule, entries, directory, shift, spread }
    }

    fn block(&self, key: u64) -> &[u64] {
        let (start, end) = self.bucket(key);
        self.block_in(key, start, end)
    }

    /// Where the bucket of a key starts and ends.
    fn bucket(&self, key: u64) -> (u32, u32) {
        let bucket = (key >> self.shift) as usize;
        (self.directory[bucket], self.directory[bucket + 1])
    }

    fn block_in(&self, key: u64, start: u32, end: u32) -> &[u64] {
        let bucket = &self.entries[start as usize..end as usize];
        let first = entry(key, self.shift, 0);
        let start = bucket.partition_point(|&other| other < first);
        let end = start + bucket[start..].partition_point(|&other| other >> 32 == first >> 32);
        &bucket[start..end]
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
    fn is_too_wide(&self) -> bool {
        let max = self.rule.block_records_max as u64;
        let (squares, keys) = self.spread.unwrap_or_else(|| {
            let sizes = self.block_sizes().filter(|&size| size <= max);
            (sizes.map(|size| u128::from(size * size)).sum(), self.entries.len() as u64)
        });
        squares > u128::from(RECORDS_PER_KEY_MAX) * u128::from(keys)
    }

    /// A rule that is too wide as a whole serves only where its block happens to be small.
    fn settle_limit(&mut self) {
        if self.is_too_wide() {
            self.rule.block_records_max = SINGLE_BLOCK_MAX;
        }
    }
}

/// Records with their keys, unsorted.
#[derive(Default)]
struct Keyed {
    keys: Vec<u64>,
    rows: Vec<u32>,
    /// How many keys of each group all records have, those that are left out included.
    groups: Vec<u32>,
}

impl Keyed {
    fn count(&mut self, key: u64) {
        if self.groups.is_empty() {
            self.groups.resize(GROUPS as usize, 0);
        }
        self.groups[group(key)] += 1;
    }

    fn push(&mut self, key: u64, row: u32) {
        self.keys.push(key);
        self.rows.push(row);
    }
}

/// How many pairs share a key, and how many keys there are. If n keys are spread over g groups at random, the squares of
/// the groups' sizes exceed those of the blocks by about n^2/g, and vary little around that.
fn spread(keyed: &[Keyed]) -> (u128, u64) {
    let sizes: Vec<u64> = (0..GROUPS as usize)
        .map(|group| {
            keyed
                .iter()
                .filter_map(|part| part.groups.get(group))
                .map(|&count| u64::from(count))
                .sum()
        })
        .collect();
    let keys: u64 = sizes.iter().sum();
    let squares: u128 = sizes.iter().map(|&size| u128::from(size) * u128::from(size)).sum();
    let by_chance = u128::from(keys) * u128::from(keys) / u128::from(GROUPS);
    (squares.saturating_sub(by_chance), keys)
}

/// The entry of a record under a key.
fn entry(key: u64, shift: u32, record: u32) -> u64 {
    // What stands behind the bits that choose the bucket.
    let rest = key << (64 - shift);
    (rest >> 32 << 32) | u64::from(record)
}

/// The record of an entry.
fn record(entry: u64) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "the lower half is the record")]
    let record = entry as u32;
    record
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;
    use renkei_types::{FieldKind, FixedClock};

    use super::*;
    use crate::field::{Field, Fields};
    use crate::intake::{ListIntake, RegisterIntake, Rows};
    use crate::job::Unwatched;
    use crate::records::Linkable;
    use crate::register_index::Serves;

    /// People whose names and birthdays repeat in different rhythms, so that blocks have all sizes.
    struct People(usize);

    impl Rows for People {
        fn len(&self) -> usize {
            self.0
        }

        fn id(&self, row: usize) -> &str {
            &"0123456789abcdefghijklmnopqrstuvwxyz"[row % 36..]
        }

        fn text<'a>(&'a self, field: usize, row: usize, scratch: &'a mut String) -> &'a str {
            *scratch = match field {
                0 => {
                    let family = ["佐藤", "鈴木", "高橋", "田中", "渡辺"][row % 5];
                    let given = ["一郎", "花子", "実", "恵", "健二", "美咲", "翔"][row % 7];
                    format!("{family}　{given}")
                }
                1 => format!("{}-{:02}-{:02}", 1950 + row % 40, 1 + row % 11, 1 + row % 23),
                _ => format!("千葉県若葉市寿町{}番{}号", 1 + row % 29, 1 + row % 3),
            };
            scratch
        }
    }

    fn people(residents: usize, lines: usize) -> Linkable {
        let field = |(name, kind): (&str, FieldKind)| Field {
            name: name.to_owned(),
            kind,
            in_register: true,
            in_list: true,
        };
        let fields = [
            ("name", FieldKind::PersonName),
            ("birth_date", FieldKind::Date),
            ("address", FieldKind::Address),
        ];
        let fields = fields.map(field).into();
        let mut intake = RegisterIntake::new(Fields { fields, ..Fields::default() });
        intake.extend(&People(residents));
        let clock = FixedClock(Timestamp::UNIX_EPOCH);
        let index = Arc::new(intake.seal(&[], Serves::OneList, &clock, &Unwatched));
        let mut intake = ListIntake::new(index);
        intake.extend(&People(lines));
        intake.seal()
    }

    #[test]
    fn a_rule_of_few_keys_is_found_too_wide_in_groups_as_in_blocks() {
        let linkable = people(3_000, 1);
        let register = &linkable.index().register;
        let part = |at: &str| -> KeyPart {
            let named = |part: &KeyPart| part.describe(register) == at;
            distinct_parts(&rules(register)).into_iter().find(named).expect("a part of some rule")
        };
        for (parts, too_wide) in [
            (vec![part("family name as written")], true),
            (vec![part("birth_date"), part("town and house number")], false),
        ] {
            let rule = || BlockingRule { parts: parts.clone(), block_records_max: 5_000 };
            for sampled in [false, true] {
                let postings = Postings::build(register, rule(), sampled);
                assert_eq!(postings.is_too_wide(), too_wide, "{parts:?} {sampled}");
            }
        }
    }

    #[test]
    fn an_index_for_one_list_finds_what_an_index_of_everything_finds() {
        let linkable = people(3_000, 400);
        let (register, list) = (&linkable.index().register, &linkable.list);
        let build = |list| BlockingIndex::build_sampled(register, rules(register), list, true);
        let (whole, own) = (build(None), build(Some(list)));
        let entries = |index: &BlockingIndex| -> usize {
            index.postings.iter().map(|postings| postings.entries.len()).sum()
        };
        assert!(entries(&own) < entries(&whole), "what no line asks for is left out");
        let found = |index: &BlockingIndex, line: u32| {
            let mut scratch = Scratch::default();
            let mut counts = vec![RuleCounts::default(); index.rules().len()];
            index.candidates(list, line, &mut scratch, &mut counts);
            (scratch.found, scratch.left_out)
        };
        for line in 0..400 {
            assert_eq!(found(&own, line), found(&whole, line), "line {line}");
        }
    }
}
