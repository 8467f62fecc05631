//! Marginal recall: how many matches each blocking rule brings that no other rule brings.
//!
//! A rule that finds a thousand pairs and no person is work for nothing; a rule that alone finds one person in a hundred
//! must not go. Nobody knows the truth, so the matches are those to be expected: the sum of what the model believes of the
//! pairs at or above the review threshold. Sums are whole numbers, equal on any number of threads.

use rayon::prelude::*;

use crate::equal_lines::Asker;
use crate::job::Linkage;
use crate::records::Linkable;

/// Matches to be expected among the pairs of one rule.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ExpectedMatches {
    /// Found by it before any later rule.
    pub first: f64,
    /// Found by it alone: lost without it.
    pub only: f64,
}

/// Matches are summed in millionths.
const MILLION: f64 = 1e6;

/// Millionths of matches, found first and alone, of each rule.
type Sums = Vec<(u64, u64)>;

impl Linkage {
    /// The matches to be expected from each blocking rule, in the order of [`Linkage::blocking`].
    pub fn expected_matches(&self, linkable: &Linkable) -> Vec<ExpectedMatches> {
        let lines = self.lines().askers().par_iter();
        let sums = lines
            .fold(|| self.no_sums(), |sums, &asker| self.add_lines(linkable, asker, sums))
            .reduce(|| self.no_sums(), add);
        #[expect(clippy::cast_precision_loss, reason = "lines are fewer than 2^32")]
        let matches = |millionths: u64| millionths as f64 / MILLION;
        let of_rule =
            |(first, only)| ExpectedMatches { first: matches(first), only: matches(only) };
        sums.into_iter().map(of_rule).collect()
    }

    fn no_sums(&self) -> Sums {
        vec![(0, 0); self.blocking.len()]
    }

    fn add_lines(&self, linkable: &Linkable, equal: Asker, mut sums: Sums) -> Sums {
        let Asker { line, times } = equal;
        for candidate in self.candidates_for_review(linkable, line) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0..=1e6")]
            let expected = libm::rint(candidate.probability() * MILLION) as u64 * u64::from(times);
            let blocking = linkable.sides().blocking;
            let found = blocking.rules_that_find(&linkable.list, line, candidate.resident);
            if let Some(&rule) = found.first() {
                sums[rule].0 += expected;
            }
            if let [rule] = found[..] {
                sums[rule].1 += expected;
            }
        }
        sums
    }
}

fn add(mut sums: Sums, others: Sums) -> Sums {
    for (sum, other) in sums.iter_mut().zip(others) {
        *sum = (sum.0 + other.0, sum.1 + other.1);
    }
    sums
}
