//! Who is paid already: the one question that decides whether a line pays somebody twice, for whoever draws up a batch, signs it or
//! says what would be paid.
//!
//! A payee is paid already by a line that pays the same payee, by one that names the same person (whatever household that was then),
//! and by one that pays the household under a number that it had before (module `together`): together were those whom the
//! registers had under the number with which the line's batch was drawn up.

use std::collections::{BTreeSet, HashMap, HashSet};

use renkei_types::{ListId, SnapshotId};

use crate::books::Payees;
use crate::division::Divisions;
use crate::programme_homes::{ProgrammeHomes, Register};
use crate::together::{Households, Renumbering, Together};
use crate::unknown_ids::without_zeros;

/// What the households that a programme has paid are called since.
#[derive(Debug, Default)]
pub(crate) struct PaidHouseholds {
    /// The number that was paid, and another that it means; both without zeros in front.
    renumbered: Vec<(String, String)>,
}

impl PaidHouseholds {
    /// Finds it out. Takes as long as going through everybody some times.
    pub(crate) fn of(homes: &ProgrammeHomes, payees: &Payees, divisions: &Divisions) -> Self {
        let mut renumbered = Vec::new();
        for register in homes.registers() {
            renumbered.extend(renumbered_in(register, payees, divisions).unwrap_or_default());
        }
        Self { renumbered }
    }

    /// Who is paid by lines that count, which are all but those that would be paid anew.
    pub(crate) fn paid<'a, F: Fn((ListId, u32)) -> bool>(
        &self,
        payees: &'a Payees,
        counts: F,
    ) -> AlreadyPaid<'a, F> {
        let numbers = self.renumbered.iter();
        let numbers = numbers
            .filter(|(number, _)| payees.line(number).is_some_and(&counts))
            .map(|(_, now)| now.clone())
            .collect();
        AlreadyPaid { payees, numbers, counts }
    }
}

/// The numbers of a register that were paid, and others that they mean.
fn renumbered_in(
    register: &Register,
    payees: &Payees,
    divisions: &Divisions,
) -> Option<Vec<(String, String)>> {
    let homes = &register.homes;
    let linked: HashMap<ListId, SnapshotId> = register.lists().collect();
    let mut paid: HashMap<(ListId, SnapshotId), BTreeSet<u32>> = HashMap::new();
    for (household, list, in_use) in payees.households() {
        let Some(linked) = linked.get(&list) else { continue };
        if let Some(household) = homes.household(household) {
            paid.entry((list, in_use.unwrap_or(*linked))).or_default().insert(household);
        }
    }
    let renumbering = Renumbering::new(register.now()?, divisions);
    let mut renumbered = HashSet::new();
    for ((list, in_use), households) in paid {
        let then = register.of_list(list, in_use).map(Together::seen_from);
        let mut meant = Households::none(homes);
        households.into_iter().for_each(|household| meant.add(household));
        renumbered.extend(renumbering.of(then.as_slice(), &meant));
    }
    let number = |household| without_zeros(homes.household_id(household)).to_owned();
    Some(renumbered.into_iter().map(|one| (number(one.before), number(one.now))).collect())
}

/// Who is paid already.
pub(crate) struct AlreadyPaid<'a, F> {
    payees: &'a Payees,
    /// What paid households are called since.
    numbers: HashSet<String>,
    counts: F,
}

impl<F: Fn((ListId, u32)) -> bool> AlreadyPaid<'_, F> {
    /// Whether a line that pays a payee and names a person would pay somebody twice.
    pub(crate) fn has(&self, payee: &str, person: &str) -> bool {
        self.payees.line(payee).is_some_and(&self.counts)
            || self.payees.line_of_person(person).is_some_and(&self.counts)
            || self.numbers.contains(without_zeros(payee))
    }
}
