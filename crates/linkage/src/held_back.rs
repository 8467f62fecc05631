//! Lines that are as good as certain and go to a clerk all the same, because too many together would be wrong.
//!
//! Where a list lacks a field that tells people apart, most of its lines may stand at one weight, just below what the cost
//! of a wrong link allows. Nobody wants to learn that from a pile of reviews.

use renkei_types::Reason;

use crate::job::Linkage;
use crate::threshold::{LEAST_PROBABILITY, RESERVE};

/// What would be linked if wrong links cost less.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeldBack {
    /// Lines that a clerk has to look at though their best candidate is right with 95 % at least.
    pub lines: u64,
    /// With them, one of so many links is expected to be wrong: the cost at which they are linked.
    pub one_wrong_in: u32,
}

impl Linkage {
    /// The lines held back, where they are more than those that are linked.
    pub fn held_back(&self) -> Option<HeldBack> {
        let (mut lines, mut linked, mut wrong) = (0_u64, 0_u64, 0.0);
        for decision in &self.decisions {
            let Some((_, weight)) = decision.best else { continue };
            let probability = weight.probability();
            let is_held = decision.reason == Reason::BetweenThresholds;
            if is_held && probability >= LEAST_PROBABILITY {
                lines += 1;
            } else if decision.reason == Reason::AboveLinkThreshold {
                linked += 1;
            } else {
                continue;
            }
            wrong += 1.0 - probability;
        }
        #[expect(clippy::cast_precision_loss, reason = "fewer than 2^32 lines")]
        let one_wrong_in = (lines + linked) as f64 / (RESERVE * wrong.max(f64::MIN_POSITIVE));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "what is above the largest number becomes that"
        )]
        let one_wrong_in = one_wrong_in as u32;
        (lines > linked).then_some(HeldBack { lines, one_wrong_in })
    }
}
