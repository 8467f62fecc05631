//! Who is paid already: the one question that decides whether a line pays somebody twice, for whoever draws up a batch, signs it or
//! says what would be paid.
//!
//! A payee is paid already by a line that pays the same payee, by one that names the same person (whatever household that was then),
//! and by one that pays the household under a number that it had before (module `together`): together were those whom the
//! registers had under the number with which the line's batch was signed, or drawn up where it is not signed yet. The other way round, a line may pay a number of before, that of
//! somebody of whom the register in use knows nothing on the base date; it pays whom that number means.

use std::collections::{BTreeSet, HashMap, HashSet};

use foldhash::fast::RandomState;
use renkei_types::ListId;

use crate::books::Payees;
use crate::division::{DivisionKind, Divisions};
use crate::programme_homes::{PaidWith, ProgrammeHomes, Register};
use crate::together::{Households, Renumbering, Together};
use crate::unknown_ids::without_zeros;

/// What the households that a programme has paid are called since, and those that the lines of a list pay.
#[derive(Debug, Default)]
pub(crate) struct PaidHouseholds {
    /// The number that was paid, and another that it means; both without zeros in front.
    renumbered: Vec<(String, String)>,
    /// What numbers mean besides themselves that lines may pay; without zeros in front.
    of_lines: HashMap<String, BTreeSet<String>>,
}

impl PaidHouseholds {
    /// Finds it out for the lines of a list. Takes as long as going through everybody some times.
    pub(crate) fn of(
        homes: &ProgrammeHomes,
        list: ListId,
        payees: &Payees,
        divisions: &Divisions,
    ) -> Self {
        let renumbered = || {
            let counted = counted_since(payees, divisions);
            let mut renumbered = counted.clone();
            for register in homes.registers() {
                let found = renumbered_in(register, payees, divisions);
                renumbered.extend(found.unwrap_or_default());
                let found = counted_renumbered(register, &counted, divisions);
                renumbered.extend(found.unwrap_or_default());
            }
            renumbered
        };
        let of_lines = || called_since(homes, list, divisions).unwrap_or_default();
        let (renumbered, of_lines) = rayon::join(renumbered, of_lines);
        Self { renumbered, of_lines }
    }

    /// Who is paid by lines that count, which are all but those that would be paid anew.
    pub(crate) fn paid<'a, F: Fn((ListId, u32)) -> bool>(
        &'a self,
        payees: &'a Payees,
        counts: F,
    ) -> AlreadyPaid<'a, F> {
        let numbers = self.renumbered.iter();
        let numbers = numbers
            .filter(|(number, _)| payees.line(number).is_some_and(&counts))
            .map(|(_, now)| now.clone())
            .collect();
        AlreadyPaid { payees, numbers, households: self, counts }
    }

    /// The keys under which a payee counts as paid: what the line says, and what else that means. Without zeros in front.
    pub(crate) fn keys<'a>(&'a self, payee: &'a str) -> impl Iterator<Item = &'a str> {
        let payee = without_zeros(payee);
        let others = self.of_lines.get(payee).into_iter().flatten();
        std::iter::once(payee).chain(others.map(String::as_str))
    }
}

/// The numbers that were paid by lines that name somebody whom a division counts to another household since, and that household: it has
/// had its money.
fn counted_since(payees: &Payees, divisions: &Divisions) -> Vec<(String, String)> {
    let still_one = divisions.told().filter(|(_, kind, _)| *kind == DivisionKind::StillOne);
    let lines = still_one.filter_map(|(person, _, to)| Some((payees.line_of_person(person)?, to)));
    let lines: HashMap<(ListId, u32), &str> = lines.collect();
    if lines.is_empty() {
        return Vec::new();
    }
    let paid = payees.households().filter_map(|(paid, line, _)| Some((paid, *lines.get(&line)?)));
    let paid = paid.map(|(paid, to)| (paid.to_owned(), without_zeros(to).to_owned()));
    paid.filter(|(paid, to)| paid != to).collect()
}

/// The same numbers that were paid, with what the households to which these persons count are called now in a register.
fn counted_renumbered(
    register: &Register,
    counted: &[(String, String)],
    divisions: &Divisions,
) -> Option<Vec<(String, String)>> {
    if counted.is_empty() {
        return None;
    }
    let homes = &register.homes;
    let number = |household| without_zeros(homes.household_id(household)).to_owned();
    let to: HashSet<&str> = counted.iter().map(|(_, to)| to.as_str()).collect();
    let meant = Households::of(homes, |id| to.contains(without_zeros(id)));
    let states = register.states().chain(register.of_batches());
    let states: Vec<Together<'_>> = states.map(Together::seen_from).collect();
    let mut found = Vec::new();
    for one in Renumbering::new(register.now()?, divisions).of(&states, &meant) {
        let (before, now) = (number(one.before), number(one.now));
        let paid = counted.iter().filter(|(_, to)| *to == before);
        found.extend(paid.map(|(paid, _)| (paid.clone(), now.clone())));
    }
    Some(found)
}

/// What the numbers mean since that the lines of a list may pay.
fn called_since(
    homes: &ProgrammeHomes,
    list: ListId,
    divisions: &Divisions,
) -> Option<HashMap<String, BTreeSet<String>>> {
    let (then, now) = (homes.of_list(list)?, homes.now(list)?);
    let homes = now.homes();
    let number = |household| without_zeros(homes.household_id(household)).to_owned();
    let all = Households::of(homes, |_| true);
    let renumbered = Renumbering::new(now, divisions).by_state(&Together::seen_from(then), &all);
    let mut called: HashMap<String, BTreeSet<String>> = HashMap::new();
    for one in renumbered {
        called.entry(number(one.before)).or_default().insert(number(one.now));
    }
    Some(called)
}

/// Households that were paid with the same states of a register.
#[derive(Debug)]
struct PaidTogether {
    households: Households,
    /// Whom the payments name, and for which household.
    named: HashMap<u32, u32>,
}

/// The numbers of a register that were paid, and others that they mean.
fn renumbered_in(
    register: &Register,
    payees: &Payees,
    divisions: &Divisions,
) -> Option<Vec<(String, String)>> {
    let homes = &register.homes;
    let number = |household| without_zeros(homes.household_id(household)).to_owned();
    let renumbering = Renumbering::new(register.now()?, divisions);
    // Whom a division had counted to the household may have lived in another.
    let named = payees.named().filter(|(person, _)| divisions.household(person).is_none());
    let named: HashMap<(ListId, u32), u32, RandomState> =
        named.filter_map(|(person, line)| Some((line, homes.person(person)?))).collect();
    let mut paid: HashMap<PaidWith, PaidTogether> = HashMap::new();
    let mut renumbered = Vec::new();
    for (household, line, batch) in payees.households() {
        let Some(with) = register.paid_with(batch) else { continue };
        let named = named.get(&line).copied();
        let Some(known) = homes.household(household) else {
            // The states that had the number are destroyed: whom the payment names tells what it is called now.
            let now = named.and_then(|person| renumbering.now_of(person));
            renumbered.extend(now.map(|now| (household.to_owned(), number(now))));
            continue;
        };
        let together = paid.entry(with).or_insert_with(|| PaidTogether {
            households: Households::none(homes),
            named: HashMap::new(),
        });
        together.households.add(known);
        together.named.extend(named.map(|person| (person, known)));
    }
    for (with, PaidTogether { households, named }) in paid {
        let then = register.then(with).map(Together::seen_from);
        let found = renumbering.of_paid(then.as_ref(), &named, &households);
        renumbered.extend(found.into_iter().map(|one| (number(one.before), number(one.now))));
    }
    renumbered.sort_unstable();
    renumbered.dedup();
    Some(renumbered)
}

/// Who is paid already.
pub(crate) struct AlreadyPaid<'a, F> {
    payees: &'a Payees,
    /// What paid households are called since.
    numbers: HashSet<String>,
    households: &'a PaidHouseholds,
    counts: F,
}

impl<F: Fn((ListId, u32)) -> bool> AlreadyPaid<'_, F> {
    /// Whether a line that pays a payee and names a person would pay somebody twice.
    pub(crate) fn has(&self, payee: &str, person: &str) -> bool {
        let is_paid = |key: &str| {
            self.payees.line(key).is_some_and(&self.counts) || self.numbers.contains(key)
        };
        self.households.keys(payee).any(is_paid)
            || self.payees.line_of_person(person).is_some_and(&self.counts)
    }
}
