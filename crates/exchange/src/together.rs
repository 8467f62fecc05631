//! Households under other numbers (世帯番号の変更): what a number that was paid, stopped or excluded means today.
//!
//! A household gets another number by a late notice, by the death of its head, or because a register is made anew; whatever was said
//! of it holds under the new number too. But people move as well, and whoever joins another household does not make it
//! the one that was left. Who is left tells the two apart:
//!
//! | of those who were together under the number, and are in the register in use | it means |
//! |---|---|
//! | somebody is of it still | itself alone |
//! | all are of others | itself, and those others |
//! | there is nobody | itself alone |
//!
//! Together under a number were those who had it on the base date, as a state of the register knows it, and are in it still; where nobody
//! is, those who have it in the rows of that state; and where no state knows it, all who have ever had it: a household may have had it for a while,
//! between two states. Whoever moved into a household after the base date is not of it: she is counted where she was.
//!
//! Whom a division counts to another household says nothing about this one. Each state of a register is asked by itself: a number may be
//! given to strangers later, who would otherwise seem to be left.

use std::collections::{HashMap, HashSet};

use rayon::prelude::*;

use crate::division::Divisions;
use crate::homes::{Homes, Standpoint};
use crate::unknown_ids::without_zeros;

/// Some households of a register.
#[derive(Clone, Debug)]
pub(crate) struct Households(Vec<bool>);

impl Households {
    /// Those of a register that are meant, none never.
    pub(crate) fn of(homes: &Homes, is_meant: impl Fn(&str) -> bool + Sync) -> Self {
        let all = (0..homes.households() as u32).into_par_iter();
        Self(all.map(|one| one > 0 && is_meant(homes.household_id(one))).collect())
    }

    /// None of a register.
    pub(crate) fn none(homes: &Homes) -> Self {
        Self(vec![false; homes.households()])
    }

    /// Whether one is among them.
    pub(crate) fn has(&self, household: u32) -> bool {
        self.0.get(household as usize).copied().unwrap_or(false)
    }

    /// Adds one of the register.
    pub(crate) fn add(&mut self, household: u32) {
        if let Some(known) = self.0.get_mut(household as usize) {
            *known = true;
        }
    }

    /// Their numbers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> {
        (0u32..).zip(&self.0).filter(|(_, is_one)| **is_one).map(|(number, _)| number)
    }

    /// Those that are not among others too.
    pub(crate) fn without(&self, others: &Self) -> Self {
        Self(self.0.iter().zip(&others.0).map(|(one, other)| *one && !*other).collect())
    }
}

/// A number, and another that it means.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Renumbered {
    pub(crate) before: u32,
    pub(crate) now: u32,
}

/// How a state of a register knows a household.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Known {
    /// Not at all.
    No,
    /// Its rows have somebody of it.
    ByRows,
    /// Somebody had it on the base date.
    OnBaseDate,
}

/// Who was together in which household, as a state of a register says.
pub(crate) struct Together<'a> {
    then: Standpoint<'a>,
    known: Vec<Known>,
}

impl<'a> Together<'a> {
    /// As somebody's standpoint has it.
    pub(crate) fn seen_from(then: Standpoint<'a>) -> Self {
        let homes = then.homes();
        let mut known = vec![Known::No; homes.households()];
        for person in homes.persons() {
            if let Some(own) = then.own(person).filter(|own| known[*own as usize] == Known::No) {
                known[own as usize] = Known::ByRows;
            }
            if let Some(home) = of_base_date(then, person) {
                known[home as usize] = Known::OnBaseDate;
            }
        }
        Self { then, known }
    }

    /// The households of which the person is.
    pub(crate) fn of(&self, person: u32) -> impl Iterator<Item = u32> {
        let is_of = |household: Option<u32>, how| {
            household.filter(|one| *one > 0 && self.known[*one as usize] == how)
        };
        let home = is_of(of_base_date(self.then, person), Known::OnBaseDate);
        let own = is_of(self.then.own(person), Known::ByRows);
        home.into_iter().chain(own)
    }

    /// The households that the state knows.
    fn known(&self) -> Households {
        Households(self.known.iter().map(|known| *known != Known::No).collect())
    }
}

/// The household that a person had on the base date, if she is in the register still: who is gone hides nobody that has the number since.
fn of_base_date(then: Standpoint<'_>, person: u32) -> Option<u32> {
    let home = then.on_base_date(person).filter(|home| *home > 0);
    home.filter(|_| then.is_there(person))
}

/// What the households of a register are called now.
pub(crate) struct Renumbering<'a> {
    now: Standpoint<'a>,
    divisions: &'a Divisions,
}

impl<'a> Renumbering<'a> {
    /// As the register in use says, and the divisions of a programme.
    pub(crate) fn new(now: Standpoint<'a>, divisions: &'a Divisions) -> Self {
        Self { now, divisions }
    }

    /// The other numbers that households mean which some states of the register know; a household that none of them knows stands for all
    /// who ever had its number.
    pub(crate) fn of<'b>(
        &self,
        states: impl IntoIterator<Item = &'b Together<'b>>,
        meant: &Households,
    ) -> HashSet<Renumbered> {
        let mut found = HashSet::new();
        let mut unknown = meant.clone();
        for state in states {
            found.extend(self.by_state(state, meant));
            unknown = unknown.without(&state.known());
        }
        found.extend(self.ever(&unknown));
        found
    }

    /// The other numbers that households mean which were paid, as the state knows them with which they were: those whom a payment names
    /// were of the household in any case, also where that state is destroyed.
    pub(crate) fn of_paid(
        &self,
        state: Option<&Together<'_>>,
        named: &HashMap<u32, u32>,
        meant: &Households,
    ) -> Vec<Renumbered> {
        self.follow(|person| {
            let named = named.get(&person).copied();
            let of = state.into_iter().flat_map(move |state| state.of(person));
            of.chain(named).filter(|one| meant.has(*one))
        })
    }

    /// The other numbers that households mean as one state knows them.
    pub(crate) fn by_state(&self, state: &Together<'_>, meant: &Households) -> Vec<Renumbered> {
        self.follow(|person| state.of(person).filter(|one| meant.has(*one)))
    }

    /// The other numbers, of those that one state knows, that mean some households.
    pub(crate) fn before(&self, state: &Together<'_>, meant: &Households) -> Vec<u32> {
        let all = self.follow(|person| state.of(person)).into_iter();
        all.filter(|one| meant.has(one.now)).map(|one| one.before).collect()
    }

    /// The other numbers of all who ever had some, but for whom divisions name.
    pub(crate) fn ever(&self, meant: &Households) -> Vec<Renumbered> {
        if !meant.0.contains(&true) {
            return Vec::new();
        }
        let homes = self.now.homes();
        self.follow(|person| {
            let is_named = self.divisions.household(homes.person_id(person)).is_some();
            homes.ever(person).filter(move |one| meant.has(*one) && !is_named)
        })
    }

    /// The household of a person as it is called now; nothing for who is gone.
    pub(crate) fn now_of(&self, person: u32) -> Option<u32> {
        let is_there = self.now.own(person).is_some();
        self.now.home(person).filter(|_| is_there)
    }

    /// What they mean, given of which households everybody was.
    fn follow<I: Iterator<Item = u32>>(&self, were_of: impl Fn(u32) -> I) -> Vec<Renumbered> {
        let homes = self.now.homes();
        let mut has_somebody = vec![false; homes.households()];
        let mut found = Vec::new();
        for person in homes.persons() {
            for before in were_of(person) {
                // Who is gone says nothing, nor does whom a division counts elsewhere.
                let Some(now) = self.now_of(person) else { continue };
                if self.is_divided(person, before) {
                    continue;
                }
                match now == before {
                    true => has_somebody[now as usize] = true,
                    false => found.push(Renumbered { before, now }),
                }
            }
        }
        found.retain(|one| !has_somebody[one.before as usize]);
        found
    }

    fn is_divided(&self, person: u32, household: u32) -> bool {
        let homes = self.now.homes();
        let divided = self.divisions.household(homes.person_id(person));
        let is_it = |to: &str| without_zeros(to) == without_zeros(homes.household_id(household));
        divided.is_some_and(|to| !is_it(to))
    }
}
