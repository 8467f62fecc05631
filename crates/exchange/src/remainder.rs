//! Remainders: how many people are left in a household that others were divided away from.
//!
//! A programme that pays so much for each person counts people by amounts. Whoever has a household of their own by a division
//! may be counted there or in the old household, never in both: what is taken from the one is what is added to the other.
//! There is nothing to count where every household is paid the same.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::division::Divisions;
use crate::programme::{AmountRule, PayeeUnit, Rules};
use crate::refusal::Refusal;
use crate::snapshot::RegisterRows;
use crate::store::Vault;
use crate::unknown_ids::without_zeros;

/// The households that persons were divided away from.
#[derive(Debug, Default)]
pub(crate) struct Remainders {
    /// Yen for each person.
    each: u64,
    /// How many people are left, by household of the register.
    people: HashMap<String, u64>,
    /// Households of the register that a person with a household of their own was of.
    old: HashMap<String, BTreeSet<String>>,
    /// Yen that were paid for an old household already.
    paid: HashMap<String, u64>,
}

impl Remainders {
    /// Counts; nothing is read where nobody was divided away. `on_base_date` has those who were, each with a household that they had
    /// on the base date by some state of the register that may have been paid by, without zeros in front: a household that has
    /// another number since is paid under the older one. Blocks: for threads that may wait.
    pub(crate) fn read(
        vault: &Vault,
        register: &RegisterRows<'_>,
        rules: &Rules,
        divisions: &Divisions,
        on_base_date: &BTreeSet<(String, String)>,
    ) -> Result<Self, Refusal> {
        let each = match rules.amount {
            Some(AmountRule::Each { yen, .. }) if rules.unit == PayeeUnit::Household => yen,
            Some(AmountRule::Each { .. } | AmountRule::Fixed { .. }) | None => 0,
        };
        let Some(household) = register.column("household_id").filter(|_| each > 0) else {
            return Ok(Self::default());
        };
        if divisions.separates_nobody() {
            return Ok(Self::default());
        }
        let mut old: HashMap<String, BTreeSet<String>> = HashMap::new();
        register.each(vault, |_, chunk, at| {
            let (id, home) = (chunk.cell(0, at), chunk.cell(household, at));
            if divisions.is_separate(id) && !home.is_empty() {
                let old = old.entry(without_zeros(id).to_owned()).or_default();
                old.insert(without_zeros(home).to_owned());
            }
        })?;
        // Whoever was ever of the household may be counted in it: better one too many than a household that is held up.
        let mut members: HashMap<&str, HashSet<String>> =
            old.values().flatten().map(|home| (home.as_str(), HashSet::new())).collect();
        register.each(vault, |_, chunk, at| {
            let id = chunk.cell(0, at);
            if let Some(members) = members.get_mut(without_zeros(chunk.cell(household, at)))
                && !divisions.is_separate(id)
            {
                members.insert(id.to_owned());
            }
        })?;
        let people = members.into_iter().map(|(home, all)| (home.to_owned(), all.len() as u64));
        let mut people: HashMap<String, u64> = people.collect();
        for (person, home) in on_base_date {
            let known = old.entry(person.clone()).or_default();
            let left = known.iter().filter_map(|old| people.get(old)).max().copied();
            people.entry(home.clone()).or_insert(left.unwrap_or(0));
            known.insert(home.clone());
        }
        Ok(Self { each, people, old, paid: HashMap::new() })
    }

    /// The households of which it must be known what they were paid.
    pub(crate) fn households(&self) -> Vec<String> {
        self.people.keys().cloned().collect()
    }

    /// The same, knowing it.
    pub(crate) fn with_paid(self, paid: HashMap<String, u64>) -> Self {
        Self { paid, ..self }
    }

    /// Whether so many yen for a household count more people than are left in it.
    pub(crate) fn counts_divided(&self, household: &str, yen: u64) -> bool {
        // Only where something is counted is there a household.
        self.people
            .get(without_zeros(household))
            .is_some_and(|people| yen > people.saturating_mul(self.each))
    }

    /// Whether a person with a household of their own was counted in the old one when that was paid.
    pub(crate) fn paid_with_old(&self, person: &str) -> bool {
        let old = self.old.get(without_zeros(person)).into_iter().flatten();
        old.filter_map(|home| Some((home, self.paid.get(home)?)))
            .any(|(home, yen)| self.counts_divided(home, *yen))
    }
}
