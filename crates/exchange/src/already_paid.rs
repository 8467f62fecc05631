//! Who is paid already: the one question that decides whether a line pays somebody twice, for whoever draws up a batch and
//! whoever says what would be paid.
//!
//! A payee is paid already by a line that pays the same payee, by one that names the same person (whatever household that was then),
//! and by one that pays the household under a number that it had before (module `together`).

use std::collections::HashSet;

use jiff::civil::Date;
use renkei_types::{ListId, Reason};

use crate::books::Payees;
use crate::payee::{PayeeRule, Resident};
use crate::refusal::Refusal;
use crate::state::State;
use crate::store::Vault;
use crate::together::Together;
use crate::unknown_ids::without_zeros;

/// Who was together in the households that a programme has paid, and where they are now, as far as a list can know.
pub(crate) struct PaidHouseholds {
    together: Together,
    now: Vec<Resident>,
}

impl PaidHouseholds {
    /// Reads them. Blocks: for threads that may wait.
    pub(crate) fn read(
        vault: &Vault,
        state: &State,
        today: Date,
        list: ListId,
        payees: &Payees,
    ) -> Result<Self, Refusal> {
        let (known, _) = state.linked_list(list)?;
        let programme = state.programmes.get(&known.programme).ok_or(Reason::NoAgreement)?;
        let together = Together::paid(vault, state, today, programme, payees)?;
        let now = together.now(vault, state, list)?;
        Ok(Self { together, now })
    }

    /// The rule for the residents of the list and for those who were paid. Of whoever is among both it counts what the list's register
    /// says. Blocks: for threads that may wait.
    pub(crate) fn rule<'a>(
        &'a self,
        vault: &Vault,
        state: &State,
        today: Date,
        list: ListId,
        residents: impl Iterator<Item = &'a Resident>,
    ) -> Result<PayeeRule, Refusal> {
        PayeeRule::read(vault, state, today, list, self.now.iter().chain(residents))
    }

    /// Who is paid by lines that count, which are all but those that would be paid anew.
    pub(crate) fn paid<'a, F: Fn((ListId, u32)) -> bool>(
        &self,
        rule: &PayeeRule,
        payees: &'a Payees,
        counts: F,
    ) -> AlreadyPaid<'a, F> {
        let numbers = self.together.renumbered(&self.now, rule).into_iter();
        let numbers = numbers
            .filter(|(number, _)| payees.line(number).is_some_and(&counts))
            .flat_map(|(_, numbers)| numbers)
            .collect();
        AlreadyPaid { payees, numbers, counts }
    }
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
