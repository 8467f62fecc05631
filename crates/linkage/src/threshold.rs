//! Where linking by itself ends, from what mistakes cost.
//!
//! What counts is how many of all lines that are linked without a clerk are wrong, not how sure a single one is: where
//! nearly all lines are beyond doubt, some that are right in ninety-eight of a hundred cases may join them. The expected
//! number of wrong links is the sum of what is missing to certainty, so the threshold is the lowest weight at which that
//! sum is within the cost. A short list says too little of where its weights lie; it is read together with a profile of
//! lists as they usually are, so that a line is treated alike in a short list and in a long one.

use crate::decision::Standing;
use crate::model::{Costs, Proof};
use crate::weight::MatchWeight;

/// Steps of weight in which lines are counted.
const STEPS_PER_BIT: i32 = 16;

/// Lines that the profile is worth.
const PROFILE_LINES: f64 = 20_000.0;

/// How the lines of a list of a resident register usually stand: from which weight in bits, what share of lines. Counted
/// in lists with the errors called typical (`renkei generate --mix typical`).
const PROFILE: [(f64, f64); 10] = [
    (2.0, 0.002),
    (3.0, 0.004),
    (4.0, 0.018),
    (5.0, 0.018),
    (6.0, 0.007),
    (7.0, 0.003),
    (8.0, 0.0015),
    (9.0, 0.019),
    (11.0, 0.005),
    (14.0, 0.9),
];

/// A model may expect too little: so many times as many wrong links are reckoned with.
pub(crate) const RESERVE: f64 = 1.1;

/// What is known of a list before it is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Profile {
    /// It is of a resident register: its weights will lie where those of such lists usually do.
    Residents,
    /// Nothing.
    Unknown,
}

/// No line is linked by itself below this, however few they are.
pub(crate) const LEAST_PROBABILITY: f64 = 0.95;

/// The weight at and above which a line is linked without a clerk.
pub(crate) fn link(
    costs: Costs,
    margin: MatchWeight,
    profile: Profile,
    standings: &[Option<Standing>],
) -> MatchWeight {
    let least = MatchWeight::of_probability(LEAST_PROBABILITY);
    let step = |weight: MatchWeight| weight.millibits().div_euclid(1000 / STEPS_PER_BIT);
    let top = step(MatchWeight::from_bits(40.0));
    let bottom = step(least);
    let steps = usize::try_from(top - bottom + 1).expect("the least is below the top");
    let mut lines = vec![0.0; steps];
    let by_itself = |standing: &&Standing| {
        standing.keeps_margin(margin) && standing.best.proof == Proof::Proven
    };
    for standing in standings.iter().flatten().filter(by_itself) {
        if let Ok(at) = usize::try_from(step(standing.best.weight).min(top) - bottom) {
            lines[at] += 1.0;
        }
    }
    if profile == Profile::Residents {
        for (place, &(from, share)) in PROFILE.iter().enumerate() {
            let to = PROFILE.get(place + 1).map_or(from + 1.0, |next| next.0);
            let of_band = |at: &usize| {
                let weight = lower(*at, bottom).bits();
                (from..to).contains(&weight)
            };
            let band: Vec<usize> = (0..steps).filter(of_band).collect();
            #[expect(clippy::cast_precision_loss, reason = "a few hundred steps")]
            let each = PROFILE_LINES * share / band.len().max(1) as f64;
            band.into_iter().for_each(|at| lines[at] += each);
        }
    }
    let (mut wrong, mut linked) = (0.0, 0.0);
    let mut threshold = lower(steps - 1, bottom);
    for at in (0..steps).rev() {
        let weight = lower(at, bottom);
        wrong += lines[at] * (1.0 - weight.probability());
        linked += lines[at];
        if RESERVE * wrong * costs.false_link.max(2.0) <= linked {
            threshold = weight;
        }
    }
    threshold.max(least)
}

/// The weight at which a step begins.
fn lower(step: usize, bottom: i32) -> MatchWeight {
    let step = bottom + i32::try_from(step).expect("a few hundred steps");
    MatchWeight::from_millibits(step * (1000 / STEPS_PER_BIT))
}
