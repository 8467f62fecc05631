//! What each blocking rule was good for: the persons of lines it found, and those that nobody else would have found.

use rayon::prelude::*;

use crate::hash;
use crate::job::Linkage;
use crate::records::Linkable;

/// Lines that say how many persons a rule alone finds; of more, as many are chosen by a fixed hash of their ids.
const LINES_ENOUGH: u64 = 20_000;

/// Shares of a person are counted in units of this many to one.
const UNITS: f64 = 1_000_000.0;

/// By rule, in units of a person.
#[derive(Clone)]
struct Yields {
    first: Vec<u64>,
    alone: Vec<u64>,
}

impl Yields {
    fn new(rules: usize) -> Self {
        Self { first: vec![0; rules], alone: vec![0; rules] }
    }

    fn add(mut self, other: &Self) -> Self {
        let add = |sums: &mut Vec<u64>, parts: &Vec<u64>| {
            sums.iter_mut().zip(parts).for_each(|(sum, part)| *sum += part);
        };
        add(&mut self.first, &other.first);
        add(&mut self.alone, &other.alone);
        self
    }
}

impl Linkage {
    /// Tells the blocking report which persons were found by which rule. Whoever fits a line best is its person as far as
    /// it is probable.
    pub(crate) fn count_yields(&mut self, linkable: &Linkable) {
        let rules = self.blocking.len();
        let lines = u32::try_from(linkable.list_lines()).expect("fewer than 2^32 lines");
        let count = |mut yields: Yields, line: u32| {
            let Some((resident, weight)) = self.decisions[line as usize].best else {
                return yields;
            };
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "to a million"
            )]
            let person = libm::rint(weight.probability() * UNITS) as u64;
            if let Some(rule) = self.rule_of_pair(line, resident) {
                yields.first[usize::from(rule)] += person;
                if speaks(linkable.list_id(line), u64::from(lines)) {
                    let blocking = linkable.sides().blocking;
                    if blocking.rules_of_pair(&linkable.list, line, resident).len() == 1 {
                        yields.alone[usize::from(rule)] += person;
                    }
                }
            }
            yields
        };
        let none = || Yields::new(rules);
        let yields =
            (0..lines).into_par_iter().fold(none, count).reduce(none, |sum, part| sum.add(&part));
        #[expect(clippy::cast_precision_loss, reason = "lines are fewer than 2^52")]
        let scale = (f64::from(lines) / LINES_ENOUGH as f64).max(1.0);
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "persons are fewer than lines"
        )]
        let persons = |units: u64, scale: f64| libm::rint(units as f64 / UNITS * scale) as u64;
        for (rule, report) in self.blocking.iter_mut().enumerate() {
            report.persons = persons(yields.first[rule], 1.0);
            report.persons_by_it_alone = persons(yields.alone[rule], scale);
        }
    }
}

/// Whether a line is among those that speak for a list of so many.
fn speaks(list_id: &str, lines: u64) -> bool {
    lines <= LINES_ENOUGH || hash::text(list_id) % lines < LINES_ENOUGH
}
