//! Why a pair weighs what it weighs: every term, in the numbers that linking uses.
//!
//! The weight before any evidence, then one term a comparison, then what is taken off because somebody else would look
//! alike. Invariant: these add up to the match weight exactly, since all are whole thousandths of a bit.

use crate::inquiry::Inquiry;
use crate::model::{ComparisonModel, PairWeights};
use crate::records::Sides;
use crate::weight::MatchWeight;

/// What one comparison contributes.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// The field or fields.
    pub comparison: String,
    /// What of them was compared.
    pub view: TermView,
    /// The level reached.
    pub level: String,
    /// P(level | the same person).
    pub m: f64,
    /// P(level | strangers).
    pub u: f64,
    /// log2(m/u).
    pub weight: MatchWeight,
    /// What the frequency of the value adds or takes.
    pub frequency: MatchWeight,
}

/// What of a field was compared.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TermView {
    /// Nothing: one side has no usable value.
    Missing,
    /// The value.
    Value,
    /// A name as it is written.
    Written,
    /// A name as it is read.
    Read,
    /// A name as it is written and as it is read; or the one against the other, where the sides have no more.
    Both,
    /// Which name: the registered one.
    Registered,
    /// Which name: the registered one with family and given name exchanged.
    Exchanged,
    /// Which name: a former name or an alias.
    FormerOrAlias,
    /// Which name: that of the account holder.
    AccountHolder,
    /// The place that the resident has left.
    FormerPlace,
}

/// Whom a pair could be taken for, other than the person.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lookalike {
    /// Somebody else of the household.
    Relative,
    /// A stranger of the same name and much the same birthday.
    Namesake,
    /// An elder or younger relative of the same name.
    Elder,
}

/// A pair laid open.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The weight before any evidence.
    pub prior: MatchWeight,
    /// What each comparison adds.
    pub terms: Vec<Term>,
    /// What is taken off because a relative or a namesake would look alike.
    pub relatives: MatchWeight,
    /// Who would look most alike, where anything is taken off.
    pub lookalike: Option<Lookalike>,
    /// What is taken off because the line's other candidates may be meant; nothing where the two were never compared.
    pub rivals: MatchWeight,
    /// The match weight: the sum of all of these.
    pub weight: MatchWeight,
    /// The blocking rules under which the two meet; none where they were never compared.
    pub rules: Vec<String>,
}

impl Inquiry<'_> {
    /// Lays the pair of the line and a resident open, compared or not.
    pub fn explain(&self, resident: u32) -> Explanation {
        let line = self.line;
        let mut levels = Vec::new();
        let mut gains = vec![MatchWeight::ZERO; self.model.comparisons.len()];
        let each = |index: usize, gain| gains[index] = gain;
        let rarity = self.comparer.rarity(line, resident, &mut levels, each);
        let pair = self.table.levels(&levels).of_pair(rarity);
        let alone = pair.person - MatchWeight::ZERO.or(pair.related());
        let reached = || self.model.comparisons.iter().zip(&levels);
        let term = |(index, (comparison, &number)): (usize, (&ComparisonModel, &u8))| {
            let level = &comparison.levels[usize::from(number)];
            Term {
                comparison: comparison.name.clone(),
                view: TermView::of(&comparison.measure, number, &level.name),
                level: level.name.clone(),
                m: level.m,
                u: level.u,
                weight: self.table.term(index, number),
                frequency: gains[index],
            }
        };
        let terms: Vec<Term> = reached().enumerate().map(term).collect();
        let prior = self.table.prior();
        let without: MatchWeight =
            prior + terms.iter().map(|term| term.weight + term.frequency).sum::<MatchWeight>();
        let relatives = alone - without;
        let lookalike = (relatives < MatchWeight::ZERO).then(|| Lookalike::likest(pair));
        let candidate = self.candidate(resident);
        let weight = candidate.map_or(alone, |candidate| candidate.weight);
        let rules = candidate.map_or_else(Vec::new, |_| {
            let Sides { index, list, blocking } = self.comparer.sides;
            let found = blocking.rules_that_find(list, line, resident);
            found.into_iter().map(|rule| blocking.describe(rule, &index.register)).collect()
        });
        let rivals = weight - alone;
        Explanation { prior, terms, relatives, lookalike, rivals, weight, rules }
    }
}

impl TermView {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Missing,
        Self::Value,
        Self::Written,
        Self::Read,
        Self::Both,
        Self::Registered,
        Self::Exchanged,
        Self::FormerOrAlias,
        Self::AccountHolder,
        Self::FormerPlace,
    ];

    /// As written to JSON and sent by a broker.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Value => "value",
            Self::Written => "as_written",
            Self::Read => "as_read",
            Self::Both => "as_written_and_read",
            Self::Registered => "registered_name",
            Self::Exchanged => "exchanged_name",
            Self::FormerOrAlias => "former_name_or_alias",
            Self::AccountHolder => "account_holder",
            Self::FormerPlace => "former_place",
        }
    }

    /// What a level says of the view; level 0 is always "missing".
    fn of(measure: &str, number: u8, level: &str) -> Self {
        let (written, read) = (level.contains("written"), level.contains("reading"));
        match measure {
            _ if number == 0 => Self::Missing,
            "arrangement" => match level {
                "family and given exchanged" => Self::Exchanged,
                "former name or alias" => Self::FormerOrAlias,
                level if level.contains("account holder") => Self::AccountHolder,
                _ => Self::Registered,
            },
            "family_name" | "given_name" if written && !read => Self::Written,
            "family_name" | "given_name" if read && !written => Self::Read,
            "family_name" | "given_name" => Self::Both,
            _ if level == "former place" => Self::FormerPlace,
            _ => Self::Value,
        }
    }
}

impl Lookalike {
    /// Who of those that are not the person explains a pair best.
    fn likest(pair: PairWeights) -> Self {
        if pair.relative >= pair.namesake.max(pair.elder) {
            Self::Relative
        } else if pair.namesake >= pair.elder {
            Self::Namesake
        } else {
            Self::Elder
        }
    }

    /// All of them.
    pub const ALL: [Self; 3] = [Self::Relative, Self::Namesake, Self::Elder];

    /// As written to JSON and sent by a broker.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Relative => "relative",
            Self::Namesake => "namesake",
            Self::Elder => "elder",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comparison::level::{ARRANGEMENT, DATE, FAMILY, PLACE};

    #[test]
    fn every_level_of_a_name_says_which_view_was_compared() {
        for (number, level) in (0u8..).zip(FAMILY) {
            let wanted = match level.group {
                0 => TermView::Missing,
                1 => TermView::Both,
                2 => TermView::Written,
                3 => TermView::Read,
                // What one side writes against what the other reads.
                _ => TermView::Both,
            };
            let found = TermView::of("family_name", number, level.name);
            assert_eq!(found, wanted, "{}", level.name);
        }
    }

    #[test]
    fn every_arrangement_and_place_has_a_view_of_its_own() {
        let views = |measure: &str, table: &[crate::comparison::LevelPrior]| {
            let levels = (0u8..).zip(table);
            levels.map(|(n, level)| TermView::of(measure, n, level.name)).collect::<Vec<_>>()
        };
        use TermView::{AccountHolder, Exchanged, FormerOrAlias, Missing, Registered};
        let account = [AccountHolder; 3];
        let names = [&[Missing, Registered, Exchanged, FormerOrAlias][..], &account].concat();
        assert_eq!(views("arrangement", ARRANGEMENT), names);
        assert!(views("place", PLACE).contains(&TermView::FormerPlace));
        assert!(views("date", DATE)[1..].iter().all(|view| *view == TermView::Value));
    }
}
