//! The decision on a line as if it were the only one: in a job before persons are given out, and on a single query.

use renkei_types::Reason;

use crate::assignment::Ruling;
use crate::model::{PairWeights, Proof, Thresholds};
use crate::outcome::{Decision, Outcome};
use crate::register_index::RegisterIndex;
use crate::weight::MatchWeight;

/// A candidate of a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RankedCandidate {
    /// Row in the register.
    pub resident: u32,
    /// From 1.
    pub rank: usize,
    /// The match weight: of the line meaning this resident and none of its other candidates.
    pub weight: MatchWeight,
    /// The same, were the resident the only candidate. What rivals take is the difference.
    pub alone: MatchWeight,
    /// The same before it is held against anybody who resembles the resident; the margin between two candidates is the
    /// difference of their evidence.
    pub evidence: MatchWeight,
    /// Whether the line proves that it names this resident.
    pub proof: Proof,
}

impl RankedCandidate {
    /// That the line means this resident.
    pub fn probability(&self) -> f64 {
        self.weight.probability()
    }
}

/// The candidates at or above `floor` were each alone, best first, ties by the register's id.
pub(crate) fn rank(
    index: &RegisterIndex,
    pairs: impl Iterator<Item = (u32, PairWeights)>,
    floor: MatchWeight,
) -> Vec<RankedCandidate> {
    let mut ranked = rank_all(index, pairs, |candidate| candidate.alone >= floor);
    ranked.truncate(ranked.partition_point(|candidate| candidate.alone >= floor));
    ranked
}

/// All candidates, best first; of ties for the best one the first by the register's id, others in any order.
fn rank_for_best(
    index: &RegisterIndex,
    pairs: impl Iterator<Item = (u32, PairWeights)>,
) -> Vec<RankedCandidate> {
    rank_all(index, pairs, |_| false)
}

/// The same, with ties by id where the order shows. Most ties are between candidates of whom nearly nothing agrees, and their ids
/// lie all over memory.
fn rank_all(
    index: &RegisterIndex,
    pairs: impl Iterator<Item = (u32, PairWeights)>,
    shows: impl Fn(&RankedCandidate) -> bool,
) -> Vec<RankedCandidate> {
    let mut ranked: Vec<RankedCandidate> = pairs
        .map(|(resident, pair)| {
            let related = pair.related();
            let alone = pair.person - MatchWeight::ZERO.or(related);
            let (evidence, proof) = (pair.person, pair.proof);
            RankedCandidate { resident, rank: 0, weight: related, alone, evidence, proof }
        })
        .collect();
    let key = |of: &RankedCandidate| (of.alone, of.evidence);
    ranked.sort_unstable_by_key(|of| std::cmp::Reverse((key(of), of.weight)));
    let mut is_best = true;
    for tied in ranked.chunk_by_mut(|a, b| key(a) == key(b)) {
        // Sums of weights go by the order too, where these are not all equal.
        let (first, last) = (tied[0], tied[tied.len() - 1]);
        if is_best || first.weight != last.weight || shows(&first) {
            tied.sort_unstable_by_key(|candidate| index.id(candidate.resident));
        }
        is_best = false;
    }
    hold_against_others(&mut ranked);
    ranked
}

/// A line means one person: what speaks for one candidate, or for somebody who resembles it, speaks against the others.
/// Given the best first, each with the weight of whoever resembles it.
fn hold_against_others(ranked: &mut [RankedCandidate]) {
    // Nobody of the register, which is what all weights are held against.
    let nobody = ranked.iter().fold(MatchWeight::ZERO, |nobody, other| nobody.or(other.weight));
    // The odds of all worse ones together, from the last to the first; then those of all better ones.
    let mut worse = MatchWeight::NEVER;
    for candidate in ranked.iter_mut().rev() {
        candidate.weight = worse;
        worse = worse.or(candidate.evidence);
    }
    let mut better = MatchWeight::NEVER;
    for (number, candidate) in (1..).zip(ranked) {
        let rivals = candidate.weight.or(better);
        candidate.rank = number;
        candidate.weight = candidate.evidence - nobody.or(rivals);
        better = better.or(candidate.evidence);
    }
}

/// How a line stands with its best candidate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    pub(crate) best: RankedCandidate,
    /// How much better the evidence for the best candidate is than for any other; nothing where there is no other.
    pub(crate) margin: Option<MatchWeight>,
    /// The second best weight, were each alone.
    pub(crate) second: Option<MatchWeight>,
}

impl Standing {
    /// How a line stands that has these candidates.
    pub(crate) fn of_pairs(
        index: &RegisterIndex,
        pairs: impl Iterator<Item = (u32, PairWeights)>,
    ) -> Option<Self> {
        Self::of(&rank_for_best(index, pairs))
    }

    pub(crate) fn of(ranked: &[RankedCandidate]) -> Option<Self> {
        let (&best, others) = ranked.split_first()?;
        let margin = others.iter().map(|other| best.evidence - other.evidence).min();
        Some(Self { best, margin, second: others.first().map(|second| second.alone) })
    }

    /// Whether the best candidate is better enough than any other.
    pub(crate) fn keeps_margin(&self, margin: MatchWeight) -> bool {
        self.margin.is_none_or(|own| own >= margin)
    }
}

/// A line without any candidate.
fn without_candidate(outcome: Outcome, reason: Reason) -> Decision {
    Decision { outcome, best: None, nearest: None, reason, holder: None }
}

impl Decision {
    /// A line that takes no part.
    pub(crate) fn rejected(reason: Reason) -> Self {
        without_candidate(Outcome::RejectedInput, reason)
    }

    /// A line without any evidence.
    pub(crate) fn without_evidence() -> Self {
        without_candidate(Outcome::Unlinkable, Reason::NoEvidence)
    }

    /// A line that stands so with its best candidate, if it has one. `too_common` says that whom it could mean are too many
    /// to be compared.
    pub(crate) fn alone(
        standing: Option<&Standing>,
        too_common: bool,
        thresholds: Thresholds,
    ) -> Self {
        let Some(standing) = standing else {
            let reason = if too_common { Reason::TooCommon } else { Reason::NoCandidate };
            return without_candidate(Outcome::NotFound, reason);
        };
        let first = standing.best;
        let nearest = Some(first.weight);
        if first.alone < thresholds.review {
            let below = without_candidate(Outcome::NotFound, Reason::BelowReviewThreshold);
            return Self { nearest, ..below };
        }
        let tied = standing.margin == Some(MatchWeight::ZERO);
        let (outcome, reason) = if first.alone < thresholds.link {
            let reason = if tied { Reason::Tie } else { Reason::BetweenThresholds };
            (Outcome::Review, reason)
        } else if tied {
            (Outcome::Ambiguous, Reason::Tie)
        } else if first.weight < thresholds.link || !standing.keeps_margin(thresholds.margin) {
            (Outcome::Ambiguous, Reason::SmallMargin)
        } else if first.proof == Proof::Unproven {
            (Outcome::Ambiguous, Reason::NameUnproven)
        } else {
            (Outcome::Linked, Reason::AboveLinkThreshold)
        };
        let best = Some((first.resident, first.weight));
        Self { outcome, best, nearest, reason, holder: None }
    }

    /// What giving out persons comes to.
    pub(crate) fn rule(&mut self, ruling: Ruling) {
        match ruling {
            Ruling::Holds => {}
            Ruling::HeldBy(holder) => {
                self.outcome = Outcome::Duplicate;
                self.reason = Reason::HeldByLine;
                self.holder = Some(holder);
            }
            Ruling::Contended => {
                self.outcome = Outcome::Ambiguous;
                self.reason = Reason::Contended;
            }
        }
    }

    /// That the best candidate is the person; nothing where nobody is named.
    pub fn probability(&self) -> Option<f64> {
        self.best.map(|(_, weight)| weight.probability())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn candidate(resident: u32, alone: i32, evidence: i32, related: i32) -> RankedCandidate {
        let [alone, evidence, weight] = [alone, evidence, related].map(MatchWeight::from_millibits);
        RankedCandidate { resident, rank: 0, weight, alone, evidence, proof: Proof::Proven }
    }

    proptest! {
        /// What the order of equal candidates cannot change.
        #[test]
        fn equal_candidates_in_any_order_leave_all_weights_as_they_are(
            mut ranked in prop::collection::vec((-9_000i32..9_000, -9_000i32..9_000, 1usize..5), 1..8),
        ) {
            ranked.sort_unstable_by(|a, b| b.cmp(a));
            let mut residents = 0..;
            let mut one: Vec<RankedCandidate> = ranked
                .iter()
                .flat_map(|&(alone, related, times)| vec![(alone, related); times])
                .map(|(alone, related)| {
                    candidate(residents.next().expect("few"), alone, alone + 500, related)
                })
                .collect();
            let mut other = one.clone();
            for equal in other.chunk_by_mut(|a, b| (a.alone, a.weight) == (b.alone, b.weight)) {
                equal.reverse();
            }
            hold_against_others(&mut one);
            hold_against_others(&mut other);
            let seen = |of: &[RankedCandidate]| -> Vec<_> {
                of.iter().map(|of| (of.rank, of.alone, of.evidence, of.weight)).collect()
            };
            prop_assert_eq!(seen(&one), seen(&other));
        }
    }
}
