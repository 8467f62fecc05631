//! The decision on a line as if it were the only one: in a job before persons are given out, and on a single query.

use renkei_types::Reason;

use crate::candidates::Pair;
use crate::model::{PatternWeights, Thresholds};
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
    /// The weight of the pair.
    pub weight: MatchWeight,
    /// The same before it is held against relatives and namesakes; the margin between two candidates is the difference
    /// of their evidence.
    pub evidence: MatchWeight,
}

impl RankedCandidate {
    /// That the line means this resident.
    pub fn probability(&self) -> f64 {
        self.weight.probability()
    }
}

/// The candidates at or above `floor`, best first, ties by the register's id.
pub(crate) fn rank(
    index: &RegisterIndex,
    pairs: &[Pair],
    weights: impl Fn(&Pair) -> PatternWeights,
    floor: MatchWeight,
) -> Vec<RankedCandidate> {
    let mut ranked: Vec<RankedCandidate> = pairs
        .iter()
        .map(|pair| {
            let weights = weights(pair);
            RankedCandidate {
                resident: pair.resident,
                rank: 0,
                weight: weights.weight(pair.rarer),
                evidence: weights.evidence(pair.rarer),
            }
        })
        .filter(|candidate| candidate.weight >= floor)
        .collect();
    ranked.sort_unstable_by(|a, b| {
        let id = |candidate: &RankedCandidate| index.id(candidate.resident);
        (b.weight, b.evidence).cmp(&(a.weight, a.evidence)).then_with(|| id(a).cmp(id(b)))
    });
    ranked.iter_mut().enumerate().for_each(|(index, candidate)| candidate.rank = index + 1);
    ranked
}

/// How much better the evidence for the best candidate is than for any other; nothing where there is no other.
fn margin(ranked: &[RankedCandidate]) -> Option<MatchWeight> {
    let (best, others) = ranked.split_first()?;
    others.iter().map(|other| best.evidence - other.evidence).min()
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

    /// A line with these candidates. `too_common` says that whom it could mean are too many to be compared.
    pub(crate) fn alone(
        ranked: &[RankedCandidate],
        too_common: bool,
        thresholds: Thresholds,
    ) -> Self {
        let Some(&first) = ranked.first() else {
            let reason = if too_common { Reason::TooCommon } else { Reason::NoCandidate };
            return without_candidate(Outcome::NotFound, reason);
        };
        let nearest = Some(first.weight);
        if first.weight < thresholds.review {
            let below = without_candidate(Outcome::NotFound, Reason::BelowReviewThreshold);
            return Self { nearest, ..below };
        }
        let margin = margin(ranked);
        let tied = margin == Some(MatchWeight::ZERO);
        let (outcome, reason) = if first.weight < thresholds.link {
            let reason = if tied { Reason::Tie } else { Reason::BetweenThresholds };
            (Outcome::Review, reason)
        } else if tied {
            (Outcome::Ambiguous, Reason::Tie)
        } else if margin.is_some_and(|margin| margin < thresholds.margin) {
            (Outcome::Ambiguous, Reason::SmallMargin)
        } else {
            (Outcome::Linked, Reason::AboveLinkThreshold)
        };
        let best = Some((first.resident, first.weight));
        Self { outcome, best, nearest, reason, holder: None }
    }

    /// That the best candidate is the person; nothing where nobody is named.
    pub fn probability(&self) -> Option<f64> {
        self.best.map(|(_, weight)| weight.probability())
    }
}
