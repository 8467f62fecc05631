//! Why a pair weighs what it weighs: every term, in the numbers the job itself used.

use renkei_types::Reason;

use crate::candidates::Comparer;
use crate::job::Linkage;
use crate::outcome::Decision;
use crate::records::Linkable;
use crate::weight::MatchWeight;

/// What one comparison contributes.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// The field or fields.
    pub comparison: String,
    /// The level reached.
    pub level: String,
    /// P(level | the same person).
    pub m: f64,
    /// P(level | strangers).
    pub u: f64,
    /// log2(m/u).
    pub weight: MatchWeight,
    /// What the frequency of the value adds or takes.
    pub frequency: MatchWeight,
}

/// A pair laid open.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The weight before any evidence.
    pub prior: MatchWeight,
    /// What each comparison adds.
    pub terms: Vec<Term>,
    /// What is taken off because a relative or a namesake would look alike.
    pub relatives: MatchWeight,
    /// What is taken off because the line's other candidates may be meant; nothing where the job never compared the two.
    pub rivals: MatchWeight,
    /// The match weight: the sum of all of these.
    pub weight: MatchWeight,
    /// The blocking rules under which the two meet; none where the job never compared them.
    pub rules: Vec<String>,
}

/// Why a line was not linked to a resident.
#[derive(Clone, Debug, PartialEq)]
pub enum WhyNot {
    /// It was.
    Linked,
    /// No blocking rule brought the two together.
    NotCompared,
    /// The weight falls short of the threshold by this much.
    Short(MatchWeight),
    /// Another resident fits better, by this much.
    Rival {
        /// Row in the register.
        resident: u32,
        /// How much better.
        by: MatchWeight,
    },
    /// The margin to the second best falls short by this much.
    SmallMargin {
        /// Row in the register of the second best.
        resident: u32,
        /// Missing from the margin.
        short: MatchWeight,
    },
    /// The line's decision has another reason.
    Other(Reason),
}

impl Linkage {
    /// Lays a pair open.
    pub fn explain(&self, linkable: &Linkable, line: u32, resident: u32) -> Explanation {
        let comparer = Comparer { sides: linkable.sides(), radix: self.table.radix(), u: &self.u };
        let mut levels = Vec::new();
        let mut gains = vec![MatchWeight::ZERO; linkable.list.comparisons.len()];
        let rarity =
            comparer.rarity(line, resident, &mut levels, |index, gain| gains[index] = gain);
        let pair = self.table.levels(&levels).of_pair(rarity);
        let alone = pair.person - MatchWeight::ZERO.or(pair.related());
        let terms: Vec<Term> = self
            .model
            .comparisons
            .iter()
            .enumerate()
            .map(|(index, comparison)| {
                let level = &comparison.levels[usize::from(levels[index])];
                Term {
                    comparison: comparison.name.clone(),
                    level: level.name.clone(),
                    m: level.m,
                    u: level.u,
                    weight: self.table.term(index, levels[index]),
                    frequency: gains[index],
                }
            })
            .collect();
        let prior = self.table.prior();
        let without: MatchWeight =
            prior + terms.iter().map(|term| term.weight + term.frequency).sum::<MatchWeight>();
        let ranked = self.candidates(linkable, line, MatchWeight::NEVER);
        let candidate = ranked.iter().find(|candidate| candidate.resident == resident);
        let weight = candidate.map_or(alone, |candidate| candidate.weight);
        let index = linkable.index();
        let met = linkable.sides().blocking.rules_of_pair(&linkable.list, line, resident);
        let met = met.into_iter().filter(|_| candidate.is_some());
        let rules = met.map(|rule| rule.describe(&index.register)).collect();
        Explanation {
            prior,
            terms,
            relatives: alone - without,
            rivals: weight - alone,
            weight,
            rules,
        }
    }

    /// Why `line` was not linked to `resident`.
    pub fn why_not(&self, linkable: &Linkable, line: u32, resident: u32) -> WhyNot {
        let decision: &Decision = &self.decisions[line as usize];
        let ranked = self.candidates(linkable, line, MatchWeight::NEVER);
        let Some(own) = ranked.iter().find(|candidate| candidate.resident == resident) else {
            return WhyNot::NotCompared;
        };
        let best = ranked[0];
        if best.resident != resident {
            let by = (best.alone - own.alone).max(best.evidence - own.evidence);
            return WhyNot::Rival { resident: best.resident, by };
        }
        let thresholds = self.model.thresholds;
        if own.alone < thresholds.link {
            return WhyNot::Short(thresholds.link - own.alone);
        }
        let nearest = ranked[1..].iter().max_by_key(|other| other.evidence);
        match (decision.reason, nearest) {
            (Reason::AboveLinkThreshold, _) => WhyNot::Linked,
            (Reason::SmallMargin | Reason::Tie, Some(second)) => WhyNot::SmallMargin {
                resident: second.resident,
                short: thresholds.margin - (own.evidence - second.evidence),
            },
            (reason, _) => WhyNot::Other(reason),
        }
    }
}
