//! What became of the search for one line: under each rule, whom it brought, or why it brought nobody.
//!
//! A pair that was never compared has no weight that could be explained; what can be said is which property of which rule
//! the two do not share. Nothing here takes part in linking. Invariant: no rule is said to have missed a pair for which
//! its own block is compared. (A line that no rule finds anybody for is compared with the smallest block left out; that is
//! no rule, and is told of nowhere but in the weights.)

use super::keys::{Side, part_values};
use super::{BlockingIndex, BlockingRule, KeyPart, Postings, Round, keys};
use crate::blocking::keys::Values;
use crate::blocking::rules::View;
use crate::forms::NONE;
use crate::records::Normalised;

/// Why a rule did not bring a line and a resident together.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MissedRule {
    /// What the rule asks for.
    pub rule: String,
    /// Why it missed.
    pub miss: Miss,
}

/// What kept two records apart under a rule. Parts are named as in the rule.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Miss {
    /// The line has no usable value for these parts.
    LineHasNone(Vec<String>),
    /// The resident has no usable value for these parts.
    ResidentHasNone(Vec<String>),
    /// The two have no value in common for these parts.
    ValuesDiffer(Vec<String>),
    /// They share a value, but so many residents do that it was left to the other rules.
    BlockTooLarge {
        /// Residents who share it.
        residents: u64,
        /// The most that are compared.
        most: u64,
    },
    /// The rule was not asked: the line agrees with another resident in name, date of birth and house.
    NotAsked,
}

/// What one rule found for one line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RuleSearch {
    /// What the rule asks for.
    pub rule: String,
    /// Whom it found.
    pub found: Search,
}

/// Whom a rule found for a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Search {
    /// The line has no usable value for some part of the rule.
    NoValue,
    /// Nobody shares its values.
    Nobody,
    /// So many share them that they were left to the other rules.
    TooMany {
        /// Residents who share them.
        residents: u64,
        /// The most that are compared.
        most: u64,
    },
    /// These many were compared.
    Residents(u64),
    /// The rule was not asked: the line agrees with a resident in name, date of birth and house.
    NotAsked,
}

impl BlockingIndex {
    /// Whom each rule finds for a line.
    pub(crate) fn search(
        &self,
        register: &Normalised,
        list: &Normalised,
        line: u32,
    ) -> Vec<RuleSearch> {
        let mut of_line = Vec::new();
        let is_settled = self.is_settled(list, line);
        let search = |(number, postings): (usize, &Postings)| {
            if is_settled && self.turns.is_later(number) {
                let rule = postings.rule.describe(register);
                return RuleSearch { rule, found: Search::NotAsked };
            }
            keys(list, Side::List, line, &postings.rule, &mut of_line);
            let most = postings.rule.block_records_max;
            let size = |&key: &u64| self.size(postings.block(key), number, key);
            let sizes = || of_line.iter().map(size);
            let compared: usize = sizes().filter(|&size| size <= most).sum();
            let left_out = sizes().filter(|&size| size > most).min();
            let found = match left_out {
                _ if of_line.is_empty() => Search::NoValue,
                _ if compared > 0 => Search::Residents(compared as u64),
                Some(size) => Search::TooMany { residents: size as u64, most: most as u64 },
                None => Search::Nobody,
            };
            RuleSearch { rule: postings.rule.describe(register), found }
        };
        self.postings.iter().enumerate().map(search).collect()
    }

    /// Why each rule did not bring a line and a resident together; a rule that did is left out.
    pub(crate) fn missed(
        &self,
        register: &Normalised,
        list: &Normalised,
        line: u32,
        resident: u32,
    ) -> Vec<MissedRule> {
        let pair = PairOfSides { index: self, register, list, line, resident };
        let is_settled = self.is_settled(list, line);
        let missed = |(number, postings): (usize, &Postings)| {
            let miss = if is_settled && self.turns.is_later(number) {
                Miss::NotAsked
            } else {
                pair.miss(number, &postings.rule)?
            };
            Some(MissedRule { rule: postings.rule.describe(register), miss })
        };
        self.postings.iter().enumerate().filter_map(missed).collect()
    }

    /// Whether a line is settled before it has asked every rule.
    pub(super) fn is_settled(&self, list: &Normalised, line: u32) -> bool {
        let known = self.first_found.as_ref().and_then(|found| found.of_line(line));
        known.map_or_else(|| Round::default().settles(self, list, line), |known| known.is_settled)
    }
}

/// Two records and where they are looked up.
struct PairOfSides<'a> {
    index: &'a BlockingIndex,
    register: &'a Normalised,
    list: &'a Normalised,
    line: u32,
    resident: u32,
}

impl PairOfSides<'_> {
    fn miss(&self, number: usize, rule: &BlockingRule) -> Option<Miss> {
        if let Some(residents) = self.shared_block(number, rule) {
            let most = rule.block_records_max;
            return (residents > most)
                .then_some(Miss::BlockTooLarge { residents: residents as u64, most: most as u64 });
        }
        let parts = |chosen: &dyn Fn(KeyPart) -> bool| -> Vec<String> {
            let chosen = rule.parts.iter().filter(|part| chosen(**part));
            chosen.map(|part| part.describe(self.register)).collect()
        };
        let none_of_line = parts(&|part| self.of_line(part).is_empty());
        if !none_of_line.is_empty() {
            return Some(Miss::LineHasNone(none_of_line));
        }
        let none_of_resident = parts(&|part| !self.resident_has(part));
        if !none_of_resident.is_empty() {
            return Some(Miss::ResidentHasNone(none_of_resident));
        }
        let differing = parts(&|part| !self.share(part));
        Some(Miss::ValuesDiffer(if differing.is_empty() { parts(&|_| true) } else { differing }))
    }

    /// The size of the smallest block that holds both.
    fn shared_block(&self, number: usize, rule: &BlockingRule) -> Option<usize> {
        let mut of_line = Vec::new();
        keys(self.list, Side::List, self.line, rule, &mut of_line);
        self.index.shared_block(number, &of_line, self.resident)
    }

    fn of_line(&self, part: KeyPart) -> Vec<u64> {
        values(self.list, Side::List, self.line, part)
    }

    fn resident_has(&self, part: KeyPart) -> bool {
        if let KeyPart::Whole(view) = part {
            // The index does not keep the keys of whole names; that there is a name is still known.
            let name = self.register.records.name(self.resident);
            let whole = match view {
                View::Written => name.written,
                View::Kana => name.kana,
            };
            return whole != NONE || (name.family != NONE && name.given != NONE);
        }
        !values(self.register, Side::Register, self.resident, part).is_empty()
    }

    fn share(&self, part: KeyPart) -> bool {
        if let KeyPart::Whole(_) = part {
            let mut rules = self.index.rules().enumerate();
            let alone = rules.find(|(_, rule)| rule.parts == [part]);
            return alone.is_some_and(|(number, rule)| self.shared_block(number, rule).is_some());
        }
        let of_resident = values(self.register, Side::Register, self.resident, part);
        self.of_line(part).iter().any(|value| of_resident.contains(value))
    }
}

fn values(side: &Normalised, which: Side, row: u32, part: KeyPart) -> Vec<u64> {
    let mut values = Values::default();
    part_values(side, which, row, part, &mut values);
    values.as_slice().to_vec()
}
