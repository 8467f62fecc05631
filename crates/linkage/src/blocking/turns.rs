//! In which order lines ask the rules, and when a line asks no more.
//!
//! Most lines agree with a resident in date of birth, house and both halves of the name, in every view that they give. A
//! careful clerk then looks at nobody else but who shares the date of birth and one of the others: a twin, a stranger of the
//! same name and birthday, a second record of the person. So the rules that ask for the date of birth with half a name or
//! with the house are asked first, and a line that they settle does not ask the others: at a million residents that is half
//! of all pairs, and namesakes of common names are more the larger the register is. A line with a further name, as of an
//! account holder, is not settled: the holder's name and another's date would pass for one person. Records that are linked
//! to each other ask every rule, since each agrees with itself. Invariant: whether a line is settled depends on the line
//! and the register alone.

use std::sync::Arc;

use super::keys::KeyPlan;
use super::rules::{BlockingRule, Shown};

/// Which rules a line asks.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Asks {
    /// Those that may settle it, and the others where these do not.
    #[default]
    UntilSettled,
    /// All of them.
    EveryRule,
}

/// Rules that are asked together.
#[derive(Clone, Debug)]
pub(super) struct Turn {
    /// Their numbers, ascending.
    pub(super) rules: Vec<u16>,
    /// Their keys, in that order.
    pub(super) plan: Arc<KeyPlan>,
}

/// The rules of an index by when they are asked.
#[derive(Clone, Debug)]
pub(super) struct Turns {
    all: Turn,
    /// Those that may settle a line, and the others, where there are such.
    first_and_later: Option<[Turn; 2]>,
    /// What each rule shows.
    shown: Vec<Shown>,
}

/// The rules that are asked first, and the others; all of them first where no line is ever settled.
pub(super) fn split(rules: Vec<BlockingRule>) -> (Vec<BlockingRule>, Vec<BlockingRule>) {
    let shown = rules.iter().map(BlockingRule::shows);
    if shown.fold(Shown::NOTHING, Shown::and).is_enough() {
        rules.into_iter().partition(|rule| rule.shows() != Shown::NOTHING)
    } else {
        (rules, Vec::new())
    }
}

impl Turn {
    fn new(rules: &[&BlockingRule], chosen: impl Fn(usize) -> bool) -> Self {
        let chosen = (0..rules.len()).filter(|&number| chosen(number));
        let numbers: Vec<usize> = chosen.collect();
        let plan = KeyPlan::new(numbers.iter().map(|&number| rules[number]));
        let number = |number| u16::try_from(number).expect("fewer than 2^16 rules");
        Self { rules: numbers.into_iter().map(number).collect(), plan: Arc::new(plan) }
    }
}

impl Turns {
    pub(super) fn of<'a>(rules: impl Iterator<Item = &'a BlockingRule>) -> Self {
        let rules: Vec<&BlockingRule> = rules.collect();
        let shown: Vec<Shown> = rules.iter().map(|rule| rule.shows()).collect();
        let is_first = |number: usize| shown[number] != Shown::NOTHING;
        let may_settle = shown.iter().copied().fold(Shown::NOTHING, Shown::and).is_enough();
        let first_and_later = may_settle
            .then(|| [Turn::new(&rules, is_first), Turn::new(&rules, |number| !is_first(number))]);
        Self { all: Turn::new(&rules, |_| true), first_and_later, shown }
    }

    /// All rules at one go.
    pub(super) fn all(&self) -> &Turn {
        &self.all
    }

    /// The rules that are asked first, and those that are asked by whom these do not settle.
    pub(super) fn of_line(&self, asks: Asks) -> (&Turn, Option<&Turn>) {
        match (asks, &self.first_and_later) {
            (Asks::UntilSettled, Some([first, later])) => (first, Some(later)),
            _ => (&self.all, None),
        }
    }

    /// Whether a rule is not asked by a line that is settled.
    pub(super) fn is_later(&self, rule: usize) -> bool {
        self.first_and_later.is_some() && self.shown[rule] == Shown::NOTHING
    }

    /// What a rule shows of whom it finds.
    pub(super) fn shown(&self, rule: u16) -> Shown {
        self.shown[usize::from(rule)]
    }
}
