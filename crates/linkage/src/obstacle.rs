//! Obstacles: what stands between a line and a resident.
//!
//! "Why not this one?" has an answer for every resident, whether the two were compared or not. Obstacles are told in the
//! order in which linking meets them: found at all, better than others, heavy enough, far enough ahead, not held by
//! another line. None at all means that the line is linked to the resident.

use renkei_types::Reason;

use crate::blocking::MissedRule;
use crate::inquiry::Inquiry;
use crate::outcome::Outcome;
use crate::records::Sides;
use crate::weight::MatchWeight;

/// One thing that stands against a link. Residents and lines are named by their rows, or in whatever way suits those who
/// are told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Obstacle<Name = u32> {
    /// No blocking rule brought the two together; why each did not.
    NotCompared(Vec<MissedRule>),
    /// Another resident fits better.
    Rival {
        /// That resident.
        resident: Name,
        /// How much heavier the pair is, were each the only candidate; zero where the rival is preferred for its evidence or its id.
        by: MatchWeight,
        /// How much stronger the evidence is, before relatives and namesakes are taken off.
        evidence_by: MatchWeight,
    },
    /// The weight falls short of a threshold, were the resident the only candidate.
    Short {
        /// Missing to the link threshold.
        of_link: MatchWeight,
        /// Missing to the review threshold, where even that is not reached.
        of_review: Option<MatchWeight>,
    },
    /// It is heavy enough alone, but the line may mean one of the other candidates.
    Rivals {
        /// What they take together.
        take: MatchWeight,
        /// What is then missing to the link threshold.
        short: MatchWeight,
    },
    /// The margin to the next best is too small.
    SmallMargin {
        /// The next best.
        resident: Name,
        /// The margin.
        margin: MatchWeight,
        /// What it lacks.
        short: MatchWeight,
    },
    /// Another line holds the resident.
    HeldByLine {
        /// That line.
        line: Name,
    },
    /// The decision on the line has another reason.
    Other(Reason),
}

impl Obstacle {
    /// The same with other names for residents and lines.
    pub fn named<Name>(
        self,
        resident_name: impl FnOnce(u32) -> Name,
        line_name: impl FnOnce(u32) -> Name,
    ) -> Obstacle<Name> {
        match self {
            Self::NotCompared(rules) => Obstacle::NotCompared(rules),
            Self::Rival { resident, by, evidence_by } => {
                Obstacle::Rival { resident: resident_name(resident), by, evidence_by }
            }
            Self::Short { of_link, of_review } => Obstacle::Short { of_link, of_review },
            Self::Rivals { take, short } => Obstacle::Rivals { take, short },
            Self::SmallMargin { resident, margin, short } => {
                Obstacle::SmallMargin { resident: resident_name(resident), margin, short }
            }
            Self::HeldByLine { line } => Obstacle::HeldByLine { line: line_name(line) },
            Self::Other(reason) => Obstacle::Other(reason),
        }
    }
}

impl Inquiry<'_> {
    /// What stands between the line and a resident; nothing where they are linked.
    pub fn obstacles(&self, resident: u32) -> Vec<Obstacle> {
        let decision = self.decision();
        let Some(own) = self.candidate(resident) else {
            let Sides { index, list, blocking } = self.comparer.sides;
            if matches!(decision.outcome, Outcome::RejectedInput | Outcome::Unlinkable) {
                return vec![Obstacle::Other(decision.reason)];
            }
            let missed = blocking.missed(&index.register, list, self.line, resident);
            return vec![Obstacle::NotCompared(missed)];
        };
        let mut obstacles = Vec::new();
        let best = self.candidates()[0];
        if best.resident != resident {
            obstacles.push(Obstacle::Rival {
                resident: best.resident,
                by: best.alone - own.alone,
                evidence_by: best.evidence - own.evidence,
            });
        }
        let thresholds = self.model.thresholds;
        if own.alone < thresholds.link {
            let of_review = thresholds.review - own.alone;
            obstacles.push(Obstacle::Short {
                of_link: thresholds.link - own.alone,
                of_review: (of_review > MatchWeight::ZERO).then_some(of_review),
            });
        }
        if best.resident != resident {
            return obstacles;
        }
        if own.alone >= thresholds.link && own.weight < thresholds.link {
            let (take, short) = (own.alone - own.weight, thresholds.link - own.weight);
            obstacles.push(Obstacle::Rivals { take, short });
        }
        let others = self.candidates().iter().filter(|other| other.resident != resident);
        if let Some(next) = others.max_by_key(|other| other.evidence) {
            let margin = own.evidence - next.evidence;
            if margin < thresholds.margin {
                let (resident, short) = (next.resident, thresholds.margin - margin);
                obstacles.push(Obstacle::SmallMargin { resident, margin, short });
            }
        }
        match (decision.outcome, decision.holder) {
            (Outcome::Linked, _) => obstacles.clear(),
            (_, Some(line)) => obstacles.push(Obstacle::HeldByLine { line }),
            (_, None) if obstacles.is_empty() => obstacles.push(Obstacle::Other(decision.reason)),
            _ => {}
        }
        obstacles
    }
}
