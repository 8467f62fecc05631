//! Whom a stop or an exclusion reaches: more than the id that it names.
//!
//! | named | where households are paid | where persons are paid |
//! |---|---|---|
//! | a person | whatever household she is counted to: any member's line pays it | herself |
//! | a household | itself, who of it has one of their own by a division, and what it is called since (module `together`); in batches, who was of it on the base date | its members, as a list was linked to it or now |
//!
//! Where nobody is of a household by its number, those are meant who had it on the base date, or ever; where strangers have had the
//! number given to them since, they are meant too. An id whose leading zeros are lost means who it meant before: a stop that reaches too far
//! is noticed the same day, one that reaches nobody when the money is gone.
//!
//! Whoever divides a household is one person, and whoever lifts a stop must be two: a division takes nobody out of a stop, whichever of them
//! was said first. Who fled is stopped by her own id or household alone, since what is held up would tell where she is.

use std::collections::HashSet;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::division::{DivisionKind, Divisions};
use crate::hold::HeldPayees;
use crate::homes::Standpoint;
use crate::payee::Resident;
use crate::programme::{PayeeUnit, Programme};
use crate::programme_homes::{ProgrammeHomes, Register};
use crate::refusal::Refusal;
use crate::store::Vault;
use crate::together::{Households, Renumbering, Together};
use crate::unknown_ids::without_zeros;

/// Everybody whom some ids stand for. Ids are compared without their leading zeros.
#[derive(Debug, Default)]
pub(crate) struct Reach {
    /// The ids themselves.
    named: HashSet<String>,
    /// Households that are paid for the persons among them, or under another number.
    payees: HashSet<String>,
    /// Numbers under which these were paid.
    paid: HashSet<String>,
    /// Members of the households among the ids, where persons are paid; else who was of reached households on the base date, as the register
    /// has it now, and who is counted to them by divisions.
    members: HashSet<String>,
    /// The ids among them that mean somebody, as the register or a division writes them.
    met: HashSet<String>,
}

/// Stops and exclusions that reach nobody: they were placed before there was a register to compare them with, or whom they mean is not
/// in it any more.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Unmet {
    /// Stops of one payee.
    pub stops: u64,
    /// Excluded payees.
    pub exclusions: u64,
}

impl Unmet {
    /// Those of a programme: of its stops and of the ids that it excludes, each with whom they reach.
    pub(crate) fn of(
        (stops, held_up): (&HeldPayees, &Reach),
        (excluded, not_paid): (&HashSet<String>, &Reach),
    ) -> Self {
        let (placed, met) = stops.count(held_up.met.iter().map(String::as_str));
        let met_exclusions: HashSet<&str> =
            not_paid.met.iter().map(|id| without_zeros(id)).collect();
        let is_unmet = |id: &&String| !met_exclusions.contains(id.as_str());
        Self { stops: placed - met, exclusions: excluded.iter().filter(is_unmet).count() as u64 }
    }
}

/// What was said of those whom ids name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Said {
    Stopped,
    Excluded,
}

impl Reach {
    /// Whom a stop stands for in a programme that names a person or a household. As long as no list is linked it stands for that alone.
    pub(crate) fn of_stop(
        vault: &Vault,
        programme: &Programme,
        homes: &ProgrammeHomes,
        id: &str,
    ) -> Result<Self, Refusal> {
        Self::of(vault, programme, homes, Said::Stopped, [id])
    }

    /// The same of the ids of persons and households that it excludes.
    pub(crate) fn of_exclusions<'a>(
        vault: &Vault,
        programme: &Programme,
        homes: &ProgrammeHomes,
        ids: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, Refusal> {
        Self::of(vault, programme, homes, Said::Excluded, ids)
    }

    fn of<'a>(
        vault: &Vault,
        programme: &Programme,
        homes: &ProgrammeHomes,
        said: Said,
        ids: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, Refusal> {
        let named: HashSet<String> =
            ids.into_iter().map(|id| without_zeros(id).to_owned()).collect();
        let mut reach = Self { named: named.clone(), ..Self::default() };
        if !named.is_empty() {
            let divisions = Divisions::of(vault, programme)?;
            let is_named = |id: &str| named.contains(without_zeros(id));
            reach.extend(programme.rules.unit, homes, &divisions, said, is_named);
        }
        Ok(reach)
    }

    /// Whom the holds on payees of a programme stand for. They are known by digests alone, so every id of the register is
    /// digested; nobody being on hold, nothing is done.
    pub(crate) fn of_holds(
        vault: &Vault,
        programme: &Programme,
        homes: &ProgrammeHomes,
        held: &HeldPayees,
    ) -> Result<Self, Refusal> {
        let mut reach = Self::default();
        if !held.is_nobody() {
            let divisions = Divisions::of(vault, programme)?;
            let unit = programme.rules.unit;
            reach.extend(unit, homes, &divisions, Said::Stopped, |id| held.has(id));
        }
        Ok(reach)
    }

    /// Whether a line is meant that names a resident and pays somebody.
    pub(crate) fn has_line(&self, unit: PayeeUnit, payee: &str, resident: &Resident) -> bool {
        let has =
            |ids: &HashSet<String>, id: &str| !id.is_empty() && ids.contains(without_zeros(id));
        let of_payee = has(&self.payees, payee) || has(&self.named, payee);
        let of_person = has(&self.named, &resident.person) || has(&self.members, &resident.person);
        let of_household = unit == PayeeUnit::Person && has(&self.named, &resident.household);
        of_payee || of_person || of_household
    }

    /// Whether a payment is meant that stands in a batch.
    pub(crate) fn has_payment(&self, payee: &str, person: &str) -> bool {
        let (payee, person) = (without_zeros(payee), without_zeros(person));
        [&self.named, &self.payees, &self.paid].iter().any(|ids| ids.contains(payee))
            || [&self.named, &self.members].iter().any(|ids| ids.contains(person))
    }

    /// Adds whom the named ids stand for in the registers of the programme's lists.
    fn extend(
        &mut self,
        unit: PayeeUnit,
        homes: &ProgrammeHomes,
        divisions: &Divisions,
        said: Said,
        is_named: impl Fn(&str) -> bool + Sync,
    ) {
        // A household of its own has a number that no register needs to have.
        for (_, _, household) in divisions.told().filter(|(.., household)| is_named(household)) {
            self.met.insert(household.to_owned());
            self.payees.insert(without_zeros(household).to_owned());
        }
        for register in homes.registers() {
            let homes = &register.homes;
            let persons = homes.persons().into_par_iter();
            let persons: Vec<u32> = persons.filter(|one| is_named(homes.person_id(*one))).collect();
            let households = Households::of(homes, &is_named);
            let ids = persons.iter().map(|one| homes.person_id(*one));
            let ids = ids.chain(households.iter().map(|one| homes.household_id(one)));
            self.named.extend(ids.map(|id| without_zeros(id).to_owned()));
            self.meet(register, &persons, &households);
            match unit {
                PayeeUnit::Person => self.add_members(register, &households),
                PayeeUnit::Household => {
                    self.add_payees(register, divisions, said, &persons, households);
                }
            }
        }
    }

    /// Notes which of the named ids mean somebody: who is in the register as a list was linked to it, or now, and the households that
    /// these have or had.
    fn meet(&mut self, register: &Register, persons: &[u32], households: &Households) {
        let homes = &register.homes;
        let states: Vec<Standpoint<'_>> = register.states().collect();
        let is_there = |person: u32| states.iter().any(|state| state.is_there(person));
        let there = persons.iter().filter(|person| is_there(**person));
        self.met.extend(there.map(|person| homes.person_id(*person).to_owned()));
        let of_somebody = |person| {
            homes.ever(person).filter(move |_| is_there(person)).filter(|one| households.has(*one))
        };
        let had = homes.persons().flat_map(of_somebody);
        self.met.extend(had.map(|household| homes.household_id(household).to_owned()));
    }

    /// Where persons are paid: who is of the households.
    fn add_members(&mut self, register: &Register, households: &Households) {
        let homes = &register.homes;
        let states: Vec<Standpoint<'_>> = register.states().collect();
        let mut left = households.clone();
        let mut add = |left: &Households, of: &dyn Fn(u32) -> Vec<u32>| {
            let mut found = Households::none(homes);
            for person in homes.persons() {
                for household in of(person).into_iter().filter(|one| left.has(*one)) {
                    self.members.insert(without_zeros(homes.person_id(person)).to_owned());
                    found.add(household);
                }
            }
            left.without(&found)
        };
        left = add(&left, &|person| states.iter().filter_map(|state| state.own(person)).collect());
        left = add(&left, &|person| states.iter().filter_map(|state| state.home(person)).collect());
        add(&left, &|person| homes.ever(person).collect());
    }

    /// Where households are paid: those of the persons, and what they and the named ones are called.
    fn add_payees(
        &mut self,
        register: &Register,
        divisions: &Divisions,
        said: Said,
        persons: &[u32],
        named: Households,
    ) {
        let homes = &register.homes;
        let Some(now) = register.now() else { return };
        let of_lists: Vec<Standpoint<'_>> = register.of_lists().collect();
        let homes_of = |person: u32| {
            let all = of_lists.iter().chain([&now]);
            let there = all.filter(move |state| state.own(person).is_some());
            there.filter_map(move |state| state.home(person))
        };
        let mut reached = named.clone();
        for &person in persons {
            if let Some(household) = divisions.household(homes.person_id(person)) {
                self.payees.insert(without_zeros(household).to_owned());
                homes.household(household).into_iter().for_each(|one| reached.add(one));
                if said == Said::Excluded {
                    continue;
                }
            }
            homes_of(person).for_each(|one| reached.add(one));
        }
        let strangers = strangers_under(now, &named);
        strangers.into_iter().flat_map(homes_of).for_each(|one| reached.add(one));
        let renumbering = Renumbering::new(now, divisions);
        let by_list: Vec<Together<'_>> =
            of_lists.iter().copied().map(Together::seen_from).collect();
        let states: Vec<Together<'_>> = register.states().map(Together::seen_from).collect();
        for one in renumbering.of(states.iter().chain(&by_list), &reached) {
            reached.add(one.now);
        }
        // A line may pay them under a number of before.
        let mut before = Households::none(homes);
        let found = by_list.iter().flat_map(|list| renumbering.before(list, &reached));
        found.for_each(|one| before.add(one));
        for (person, kind, household) in divisions.told() {
            let is_meant = said == Said::Stopped || kind == DivisionKind::Separate;
            let mut of = homes.person(person).filter(|_| is_meant).into_iter().flat_map(homes_of);
            if of.any(|one| reached.has(one) || before.has(one)) {
                self.payees.insert(without_zeros(household).to_owned());
            }
        }
        let number = |household| without_zeros(homes.household_id(household)).to_owned();
        self.payees.extend(reached.iter().chain(before.iter()).map(number));
        self.add_paid(register, divisions, &renumbering, &reached);
    }

    /// Under which other numbers batches may have paid the reached households, and for whom.
    fn add_paid(
        &mut self,
        register: &Register,
        divisions: &Divisions,
        renumbering: &Renumbering<'_>,
        reached: &Households,
    ) {
        let (homes, now) = (&register.homes, register.now());
        // Whom a division counts to one of them may have been paid before it, under another number.
        let counted = divisions.told().filter(|(_, _, to)| self.payees.contains(without_zeros(to)));
        self.members.extend(counted.map(|(person, ..)| person.to_owned()));
        // So may whom a late notice has brought to one of them; of whom a division names it says otherwise.
        let of_base_date = homes.persons().filter(|person| {
            let home = now.and_then(|now| now.on_base_date(*person));
            home.is_some_and(|home| reached.has(home))
                && divisions.household(homes.person_id(*person)).is_none()
        });
        let ids = of_base_date.map(|person| without_zeros(homes.person_id(person)).to_owned());
        self.members.extend(ids);
        let batches = register.of_batches().map(Together::seen_from);
        let before = batches.flat_map(|batch| renumbering.before(&batch, reached));
        self.paid.extend(before.map(|one| without_zeros(homes.household_id(one)).to_owned()));
    }
}

/// Who has the number of a household today of whom nobody is there any more that had it on the base date.
fn strangers_under(now: Standpoint<'_>, households: &Households) -> Vec<u32> {
    let homes = now.homes();
    let mut is_kept = Households::none(homes);
    let mut others = Vec::new();
    for person in homes.persons() {
        let Some(own) = now.own(person).filter(|own| households.has(*own)) else { continue };
        match now.on_base_date(person) == Some(own) {
            true => is_kept.add(own),
            false => others.push((own, person)),
        }
    }
    others.into_iter().filter(|(own, _)| !is_kept.has(*own)).map(|(_, person)| person).collect()
}
