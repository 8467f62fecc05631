//! Blocking: choosing which pairs of records are worth comparing.
//!
//! 300,000 payment lines against 5 million residents are 1.5 trillion pairs; nearly all are different people. Only
//! records that share a key of some rule become a candidate pair, and a pair belongs to the earliest rule that finds it.
//! Invariant: the candidate pairs depend on records and rules alone, never on order or threads; a block that is left out
//! because it is too large is counted and reported. Deltas change records, never rules and their limits.

mod across;
mod buckets;
mod first_found;
mod keys;
mod list_keys;
mod overlay;
mod postings;
mod round;
mod rules;
mod search;
mod turns;

use std::sync::Arc;

use first_found::FirstFound;
use keys::{Side, keys};
use overlay::Overlay;
use postings::{Postings, Width};
pub(crate) use round::Round;
use rules::KeyPart;
pub(crate) use rules::{BlockingRule, rules};
pub use search::{Miss, MissedRule, RuleSearch, Search};
use turns::Turns;

use crate::records::Normalised;

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
            blocks_left_out: counts.blocks_left_out(),
            pairs_left_out: counts.pairs_left_out,
        };
        rules.zip(counts).map(report).collect()
    }
}

/// An inverted index of the register: for every rule, key to records.
#[derive(Debug)]
pub(crate) struct BlockingIndex {
    postings: Arc<Vec<Postings>>,
    turns: Turns,
    /// Rules of three properties that there would be beyond [`RULES_MAX`].
    rules_left_out: usize,
    /// For an index of what one list asks for: what its lines have found already.
    first_found: Option<FirstFound>,
    overlay: Overlay,
}

/// Registers smaller than this are indexed whole for any list: it takes no time, and how wide a rule is shows in its
/// blocks.
const SMALL_REGISTER: usize = 65_536;

impl BlockingIndex {
    /// Indexes the register under the rules. A rule of two properties that says too little is replaced by rules with a
    /// third one; what is still too wide is kept for the report and serves only as a last resort. With a list, only what
    /// the list asks for is indexed; it finds what it would find in an index of everything.
    pub(crate) fn build(
        register: &Normalised,
        rules: Vec<BlockingRule>,
        list: Option<&Normalised>,
    ) -> Self {
        if register.records.len() < SMALL_REGISTER {
            Self::build_with(register, rules, None, Width::ByBlocks)
        } else {
            Self::build_with(register, rules, list, Width::ByGroups)
        }
    }

    /// With a list, blocks are not whole, so how wide a rule is can be told by groups alone.
    fn build_with(
        register: &Normalised,
        rules: Vec<BlockingRule>,
        list: Option<&Normalised>,
        width: Width,
    ) -> Self {
        let all: Vec<KeyPart> = distinct_parts(&rules);
        let build = |rules: Vec<BlockingRule>, settled: &[bool]| match list {
            Some(list) => Postings::build_for(register, rules, list, settled),
            None => Postings::build_all(register, rules, width),
        };
        let (first, later) = turns::split(rules);
        let mut first = build(first, &[]);
        first.iter_mut().for_each(Postings::settle_limit);
        let (first, first_found) = match list {
            Some(list) if !later.is_empty() => {
                let index = Self::of(first, 0);
                let found = FirstFound::of(&index, list);
                (Arc::into_inner(index.postings).expect("nobody else has it"), Some(found))
            }
            _ => (first, None),
        };
        // What a settled line would ask for later is not asked.
        let settled = first_found.as_ref().map(FirstFound::settled).unwrap_or_default();
        // Rules that are too wide get other numbers, so what was found by them cannot be kept.
        let first_found = first_found.filter(|_| first.iter().all(|postings| !postings.too_wide));
        let built = first.into_iter().chain(build(later, &settled));
        let (mut postings, wide): (Vec<Postings>, Vec<Postings>) =
            built.partition(|postings| !postings.too_wide);
        let mut narrower: Vec<BlockingRule> = Vec::new();
        for wide in wide.iter().filter(|wide| wide.rule.parts.len() == 2) {
            for &part in all.iter().filter(|part| !wide.rule.parts.contains(part)) {
                let rule = wide.rule.with(part);
                if narrower.iter().all(|other| !other.same_parts(&rule)) {
                    narrower.push(rule);
                }
            }
        }
        let rules_left_out = narrower.len().saturating_sub(RULES_MAX);
        narrower.truncate(RULES_MAX);
        postings.extend(build(narrower, &settled));
        postings.extend(wide);
        postings.iter_mut().for_each(Postings::settle_limit);
        Self { first_found, ..Self::of(postings, rules_left_out) }
    }

    fn of(postings: Vec<Postings>, rules_left_out: usize) -> Self {
        let turns = Turns::of(postings.iter().map(|postings| &postings.rule));
        Self {
            postings: Arc::new(postings),
            turns,
            rules_left_out,
            first_found: None,
            overlay: Overlay::default(),
        }
    }

    /// Indexes a register under the rules of this index, with their limits.
    pub(crate) fn again(&self, register: &Normalised) -> Self {
        Self::of(Postings::build_again(register, &self.postings), self.rules_left_out)
    }

    /// The same with records that come and go. Those that come have the rows of `register` from `first` on.
    pub(crate) fn changed(&self, register: &Normalised, first: u32, gone: &[u32]) -> Self {
        Self {
            postings: Arc::clone(&self.postings),
            turns: self.turns.clone(),
            rules_left_out: self.rules_left_out,
            // The lines of that list could find others now.
            first_found: None,
            overlay: self.overlay.changed(&self.turns.all().plan, register, first, gone),
        }
    }

    /// Whether a delta has taken a record away.
    pub(crate) fn is_gone(&self, row: u32) -> bool {
        self.overlay.is_gone(row)
    }

    /// How many records deltas have taken away.
    pub(crate) fn gone(&self) -> usize {
        self.overlay.gone()
    }

    /// How many records share a key of a rule, given those that the register was built with.
    fn size(&self, postings: &[u64], rule: usize, key: u64) -> usize {
        if self.overlay.is_empty() {
            return postings.len();
        }
        let most = self.postings[rule].rule.block_records_max.max(LAST_RESORT_MAX);
        self.overlay.size(postings, rule, key, most)
    }

    /// The size of the smallest block under one of these keys of a rule that holds a record.
    fn shared_block(&self, rule: usize, keys: &[u64], resident: u32) -> Option<usize> {
        let postings = &self.postings[rule];
        let size = |&key: &u64| {
            let block = postings.block(key);
            let holds = !self.overlay.is_gone(resident)
                && (buckets::holds(block, resident) || self.overlay.holds(rule, key, resident));
            holds.then(|| self.size(block, rule, key))
        };
        keys.iter().filter_map(size).min()
    }

    /// The numbers of the rules that bring a line and a resident together; where none does and the two were compared as a
    /// last resort, those of the rules whose block was too large.
    pub(crate) fn rules_that_find(
        &self,
        list: &Normalised,
        line: u32,
        resident: u32,
    ) -> Vec<usize> {
        let mut of_line = Vec::new();
        let is_settled = self.is_settled(list, line);
        let shared = |(number, postings): (usize, &Postings)| {
            if is_settled && self.turns.is_later(number) {
                return None;
            }
            keys(list, Side::List, line, &postings.rule, &mut of_line);
            Some((number, self.shared_block(number, &of_line, resident)?))
        };
        let shared: Vec<(usize, usize)> =
            self.postings.iter().enumerate().filter_map(shared).collect();
        let compared = |&&(number, size): &&(usize, usize)| {
            size <= self.postings[number].rule.block_records_max
        };
        let found: Vec<usize> = shared.iter().filter(compared).map(|&(number, _)| number).collect();
        if found.is_empty() {
            shared.into_iter().map(|(number, _)| number).collect()
        } else {
            found
        }
    }

    /// How many rules of three properties were left out because there would be too many.
    pub(crate) fn rules_left_out(&self) -> usize {
        self.rules_left_out
    }

    /// The rule with this number, in words.
    pub(crate) fn describe(&self, rule: usize, register: &Normalised) -> String {
        self.postings[rule].rule.describe(register)
    }

    pub(crate) fn rules(&self) -> impl ExactSizeIterator<Item = &BlockingRule> {
        self.postings.iter().map(|postings| &postings.rule)
    }
}

/// What one rule has found so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct RuleCounts {
    pub(crate) pairs: u64,
    pub(crate) new_pairs: u64,
    pub(crate) largest_block: u64,
    /// Keys of blocks that are too large, not always once each.
    keys_left_out: Vec<u64>,
    pub(crate) pairs_left_out: u64,
}

impl RuleCounts {
    pub(crate) fn add(&mut self, other: &Self) {
        self.pairs += other.pairs;
        self.new_pairs += other.new_pairs;
        self.largest_block = self.largest_block.max(other.largest_block);
        self.keys_left_out.extend_from_slice(&other.keys_left_out);
        self.pairs_left_out += other.pairs_left_out;
    }

    /// So many lines were given a block of so many records.
    fn met(&mut self, times: u64, records: u64) {
        self.pairs += times * records;
        self.largest_block = self.largest_block.max(records);
    }

    /// Keeps each key once: equal lines ask for equal keys.
    fn settle(&mut self) {
        self.keys_left_out.sort_unstable();
        self.keys_left_out.dedup();
    }

    /// How many blocks are too large.
    fn blocks_left_out(&self) -> u64 {
        let mut keys = self.keys_left_out.clone();
        keys.sort_unstable();
        keys.dedup();
        keys.len() as u64
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

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::sync::Arc;

    use jiff::Timestamp;
    use renkei_types::{FieldKind, FixedClock};

    use super::*;
    use crate::equal_lines::Asker;
    use crate::field::{Field, Fields};
    use crate::intake::{ListIntake, RegisterIntake, Rows};
    use crate::job::Unwatched;
    use crate::records::Linkable;
    use crate::register_index::Serves;

    /// People whose names and birthdays repeat in different rhythms, so that blocks have all sizes.
    struct People {
        rows: usize,
        /// So many of them have birthdays of their own.
        birthdays: usize,
    }

    impl Rows for People {
        fn len(&self) -> usize {
            self.rows
        }

        fn id(&self, row: usize) -> &str {
            &"0123456789abcdefghijklmnopqrstuvwxyz"[row % 36..]
        }

        fn text<'a>(&'a self, field: usize, row: usize, scratch: &'a mut String) -> &'a str {
            *scratch = match field {
                // A name that few have.
                0 if self.birthdays == 1 && row % 97 == 96 => "珠洲　環".to_owned(),
                0 => {
                    let family = ["佐藤", "鈴木", "高橋", "田中", "渡辺"][row % 5];
                    let given = ["一郎", "花子", "実", "恵", "健二", "美咲", "翔"][row % 7];
                    format!("{family}　{given}")
                }
                1 => {
                    let row = row % self.birthdays;
                    format!("{}-{:02}-{:02}", 1950 + row % 40, 1 + row % 11, 1 + row % 23)
                }
                _ => format!("千葉県若葉市寿町{}番{}号", 1 + row % 29, 1 + row % 3),
            };
            scratch
        }
    }

    fn people(residents: usize, lines: usize) -> Linkable {
        people_of(usize::MAX, residents, lines)
    }

    fn people_of(birthdays: usize, residents: usize, lines: usize) -> Linkable {
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
        intake.extend(&People { rows: residents, birthdays });
        let clock = FixedClock(Timestamp::UNIX_EPOCH);
        let index = Arc::new(intake.seal(&[], Serves::OneList, &clock, &Unwatched));
        let mut intake = ListIntake::new(index);
        intake.extend(&People { rows: lines, birthdays });
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
            for width in [Width::ByBlocks, Width::ByGroups] {
                let postings = &Postings::build_all(register, vec![rule()], width)[0];
                assert_eq!(postings.too_wide, too_wide, "{parts:?} {width:?}");
            }
        }
    }

    #[test]
    fn an_index_for_one_list_finds_what_an_index_of_everything_finds() {
        // Of one birthday, rules that ask for it are too wide.
        for (birthdays, residents, most) in
            [(usize::MAX, 600, 2), (usize::MAX, 600, 5_000), (1, 3_000, 5_000)]
        {
            let linkable = people_of(birthdays, residents, residents + 600);
            let (register, list) = (&linkable.index().register, &linkable.list);
            let build = |list| {
                let limited = |rule| BlockingRule { block_records_max: most, ..rule };
                let rules = rules(register).into_iter().map(limited).collect();
                BlockingIndex::build_with(register, rules, list, Width::ByGroups)
            };
            let (whole, own) = (build(None), build(Some(list)));
            let entries =
                |index: &BlockingIndex| -> usize { index.postings.iter().map(Postings::len).sum() };
            assert!(entries(&own) <= entries(&whole), "what no line asks for is left out");
            let find = |index: &BlockingIndex, line: u32| {
                let mut round = Round::default();
                let mut counts = vec![RuleCounts::default(); index.rules().len()];
                round.look_up(index, list, &[Asker { line, times: 3 }], &mut counts);
                let left_out = round.find(index, 0, 3, &mut counts);
                (round.found, left_out, BlockingReport::of_rules(index.rules(), &counts, register))
            };
            for line in 0..u32::try_from(residents + 600).expect("few") {
                let told = || format!("line {line} of {residents}, blocks of {most}");
                assert_eq!(find(&own, line), find(&whole, line), "{}", told());
            }
        }
    }

    #[test]
    fn candidates_are_the_records_that_share_a_key_of_some_rule() {
        let linkable = people(600, 1_200);
        let (register, list) = (&linkable.index().register, &linkable.list);
        let with_limit = |block_records_max| {
            let limited = |rule| BlockingRule { block_records_max, ..rule };
            let rules = rules(register).into_iter().map(limited).collect();
            BlockingIndex::build(register, rules, None)
        };
        for most in [2, 7, 5_000] {
            let index = with_limit(most);
            let plain: Vec<PlainIndex> =
                index.rules().map(|rule| PlainIndex::build(register, rule)).collect();
            let mut counts = vec![RuleCounts::default(); index.rules().len()];
            let lines: Vec<Asker> = (0..1_200).map(Asker::from).collect();
            let mut round = Round::asking_every_rule();
            round.look_up(&index, list, &lines, &mut counts);
            for Asker { line, .. } in lines {
                let mut expected: Vec<(u32, u16)> = Vec::new();
                for (number, (rule, plain)) in (0u16..).zip(index.rules().zip(&plain)) {
                    let found = plain.find(list, line, rule);
                    expected.extend(found.into_iter().map(|row| (row, number)));
                }
                expected.sort_unstable();
                expected.dedup_by_key(|(row, _)| *row);
                assert!(!expected.is_empty(), "every line is some resident's");
                round.find(&index, line as usize, 1, &mut counts);
                assert_eq!(round.found, expected, "line {line}, blocks of {most}");
            }
            let left_out = counts.iter().any(|counts| counts.pairs_left_out > 0);
            assert_eq!(left_out, most < 5_000, "blocks of {most}");
        }
    }

    #[test]
    fn a_line_that_agrees_with_somebody_in_name_birthday_and_house_asks_for_nobody_else() {
        let linkable = people(600, 1_200);
        let (register, list) = (&linkable.index().register, &linkable.list);
        let index = BlockingIndex::build(register, rules(register), None);
        let plain: Vec<PlainIndex> =
            index.rules().map(|rule| PlainIndex::build(register, rule)).collect();
        let found = |line: u32, asked: &dyn Fn(&str) -> bool| -> BTreeSet<u32> {
            let asked =
                index.rules().zip(&plain).filter(|(rule, _)| asked(&rule.describe(register)));
            asked.flat_map(|(rule, plain)| plain.find(list, line, rule)).collect()
        };
        let lines: Vec<Asker> = (0..1_200).map(Asker::from).collect();
        let mut counts = vec![RuleCounts::default(); index.rules().len()];
        let mut round = Round::default();
        round.look_up(&index, list, &lines, &mut counts);
        let mut settled = 0;
        for line in 0..1_200 {
            round.find(&index, line as usize, 1, &mut counts);
            let with = |part: &str| found(line, &|rule| rule == format!("birth_date + {part}"));
            let (family, given) = (with("family name as written"), with("given name as written"));
            let house = with("town and house number");
            let expected = if family.iter().any(|row| given.contains(row) && house.contains(row)) {
                settled += 1;
                &(&family | &given) | &house
            } else {
                found(line, &|_| true)
            };
            let found: BTreeSet<u32> = round.found.iter().map(|&(row, _)| row).collect();
            assert_eq!(found, expected, "line {line}");
        }
        assert!(settled > 0 && settled < 1_200, "{settled}");
    }

    /// The records of every key of one rule, as the definition has it.
    struct PlainIndex(BTreeMap<u64, Vec<u32>>);

    impl PlainIndex {
        fn build(register: &Normalised, rule: &BlockingRule) -> Self {
            let mut by_key: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
            let mut found = Vec::new();
            for row in 0..u32::try_from(register.records.len()).expect("few") {
                keys(register, Side::Register, row, rule, &mut found);
                found.iter().for_each(|&key| by_key.entry(key).or_default().push(row));
            }
            Self(by_key)
        }

        /// Who shares a key with a line, but for blocks that are too large.
        fn find(&self, list: &Normalised, line: u32, rule: &BlockingRule) -> Vec<u32> {
            let mut of_line = Vec::new();
            keys(list, Side::List, line, rule, &mut of_line);
            let blocks = of_line.iter().filter_map(|key| self.0.get(key));
            blocks
                .filter(|block| block.len() <= rule.block_records_max)
                .flatten()
                .copied()
                .collect()
        }
    }
}
