//! What people of one household have in common, as the register itself shows.
//!
//! A line that names one twin fits the other in surname, address and birthday. How often people who live together agree
//! on each field is counted over pairs of residents at one place, so a surname and an address that agree are never taken
//! for two independent facts.

use crate::comparison::Measure;
use crate::forms::NONE;
use crate::hash;
use crate::records::Normalised;

/// Pairs that are enough to know the rare levels: twins are about one pair in two hundred.
const PAIRS_ENOUGH: usize = 40_000;

/// More people than this at one place are no household.
const HOUSEHOLD_MAX: usize = 12;

/// Pairs that the prior is worth: a small register has no twins to count, and they exist all the same.
const PRIOR_PAIRS: f64 = 1_000.0;

/// How many live with a resident where the register does not say.
const RELATIVES_PER_RESIDENT: f64 = 1.5;

/// What residents of one place share.
#[derive(Debug)]
pub(crate) struct Household {
    /// How many others live with a resident, on average.
    pub(crate) relatives_per_resident: f64,
    /// P(level | two people of one household) of each comparison, as both are registered.
    pub(crate) levels: Vec<Vec<f64>>,
}

impl Household {
    /// What is believed of any register.
    pub(crate) fn believed(side: &Normalised) -> Self {
        Self { relatives_per_resident: RELATIVES_PER_RESIDENT, levels: shares(side, &[]) }
    }

    /// Counts over the register; what is believed of any register where this one has no places.
    pub(crate) fn count(side: &Normalised) -> Self {
        let place = side.comparisons.iter().find_map(|comparison| {
            let Measure::Place { column, addresses } = &comparison.measure else {
                return None;
            };
            Some((addresses, *column))
        });
        let Some((addresses, column)) = place else {
            return Self::believed(side);
        };
        let residents = Grouped::by_value(&side.records.alone().values[column]);
        let mut households: Vec<(u64, &[u32])> = residents
            .groups()
            .filter(|(_, members)| (2..=HOUSEHOLD_MAX).contains(&members.len()))
            .filter(|&(place, _)| {
                addresses.place(place).is_some_and(|place| place.building != NONE)
            })
            .map(|(place, members)| (hash::mix(1, addresses.value_hash(place)), members))
            .collect();
        let pairs: usize =
            households.iter().map(|(_, members)| members.len() * (members.len() - 1)).sum();
        // By a hash of the place, so that which households are taken does not depend on the order of the register.
        households.sort_unstable_by_key(|&(hash, members)| (hash, members.len()));
        #[expect(clippy::cast_precision_loss, reason = "residents are fewer than 2^52")]
        let (pairs, residents) = (pairs as f64, side.records.len().max(1) as f64);
        Self { relatives_per_resident: pairs / residents, levels: shares(side, &households) }
    }
}

/// Rows in the order of their values.
struct Grouped {
    rows: Vec<u32>,
    /// For each value, where its rows end.
    ends: Vec<u32>,
}

impl Grouped {
    fn by_value(values: &[u32]) -> Self {
        let known = values.iter().filter(|&&value| value != NONE);
        let distinct = known.clone().max().map_or(0, |&most| most as usize + 1);
        let mut ends = vec![0u32; distinct];
        known.for_each(|&value| ends[value as usize] += 1);
        let mut sum = 0;
        for end in &mut ends {
            // For now where they start: filling them moves it to where they end.
            sum += std::mem::replace(end, sum);
        }
        let mut rows = vec![0; sum as usize];
        for (row, &value) in (0u32..).zip(values).filter(|(_, value)| **value != NONE) {
            let place = &mut ends[value as usize];
            rows[*place as usize] = row;
            *place += 1;
        }
        Self { rows, ends }
    }

    /// Every value with its rows.
    fn groups(&self) -> impl Iterator<Item = (u32, &[u32])> {
        let starts = std::iter::once(&0).chain(&self.ends);
        let bounds = starts.zip(&self.ends);
        (0u32..)
            .zip(bounds)
            .map(|(value, (&start, &end))| (value, &self.rows[start as usize..end as usize]))
    }
}

/// Shares of pairs by level of each comparison, drawn towards the prior.
fn shares(side: &Normalised, households: &[(u64, &[u32])]) -> Vec<Vec<f64>> {
    let mut counts: Vec<Vec<f64>> = side
        .comparisons
        .iter()
        .map(|comparison| vec![0.0; comparison.measure.levels().len()])
        .collect();
    let mut taken = 0;
    for (_, members) in households {
        if taken >= PAIRS_ENOUGH {
            break;
        }
        for &a in *members {
            for &b in members.iter().filter(|&&b| b != a) {
                taken += 1;
                for (comparison, counts) in side.comparisons.iter().zip(&mut counts) {
                    let level = match &comparison.measure {
                        Measure::Arrangement | Measure::Place { .. } => continue,
                        Measure::Family => {
                            side.measure_names(&comparison.measure, a, b, |name| name.family)
                        }
                        Measure::Given => {
                            side.measure_names(&comparison.measure, a, b, |name| name.given)
                        }
                        measure @ (Measure::Date { column, .. }
                        | Measure::Sex { column }
                        | Measure::Text { column, .. }
                        | Measure::Identifier { column, .. }
                        | Measure::Category { column, .. }) => {
                            let value = |row: u32| side.records.value(*column, row);
                            measure.level(&side.names, value(a), value(b))
                        }
                    };
                    counts[usize::from(level)] += 1.0;
                }
            }
        }
    }
    for (comparison, counts) in side.comparisons.iter().zip(&mut counts) {
        let priors = comparison.measure.levels();
        let shares: Vec<f64> = priors
            .iter()
            .enumerate()
            .map(|(level, prior)| {
                if level == 0 {
                    return 1.0;
                }
                let group = |of: &dyn Fn(usize) -> f64| -> f64 {
                    (1..priors.len())
                        .filter(|&other| priors[other].group == prior.group)
                        .map(of)
                        .sum()
                };
                let seen = group(&|other| counts[other]);
                let believed = prior.relative / group(&|other| priors[other].relative);
                (PRIOR_PAIRS * believed + counts[level]) / (PRIOR_PAIRS + seen)
            })
            .collect();
        *counts = shares;
    }
    counts
}
