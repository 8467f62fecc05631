//! How common values are in the register, and how often unrelated people agree.
//!
//! Two strangers named 佐藤 are nothing remarkable, two named 四月一日 are. The chance that a stranger agrees on a value
//! is its share of the register; a level's u-probability is that chance averaged over pairs of residents. Agreement is
//! counted exactly. For levels of likeness the commonest [`HEAD`] values are compared with each other and with a sample
//! of the rest that a fixed hash chooses, so there is no seed and no run-to-run noise.
//!
//! A name that is like a resident's is a slip of somebody of that name, or the name of somebody else. The register shows the
//! one (a sister 花 is not 直美) and knows nothing of the other: its own names have no lost letters. So both are added up: who
//! is called nearly so, and who is called just so and makes the slips that anybody makes. 森● who is read モリフチ then weighs
//! nearly what 森淵 does, where there is no other モリフチ, and nothing that is like a name weighs more than the name.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::comparison::level::{
    PartViews, RARE_READING, READ_AS_OTHERS, READ_DIFFERENT, USUAL_READING, equal_in, equal_view,
    in_one_view, is_of_one_view, is_other_name, part_views,
};
use crate::comparison::{Comparison, Measure, level};
use crate::forms::NONE;
use crate::forms::parts::Views;
use crate::forms::readings::NamePart;
use crate::hash;
use crate::records::Normalised;
use crate::weight::MatchWeight;

/// Distinct values that are compared exactly.
const HEAD: usize = 500;

/// Distinct values that stand for all rarer ones.
const TAIL: usize = 300;

/// How common the values of one comparison are among residents.
#[derive(Debug, Default)]
pub(crate) struct Frequencies {
    /// Residents with each value.
    whole: Vec<u32>,
    /// Residents with each value in part: names as written, buildings.
    first: Vec<u32>,
    /// Residents with each value in another part: names as read, towns.
    second: Vec<u32>,
    /// Residents who have a value.
    known: u64,
    /// Residents whose name has a reading.
    read: u64,
    /// How many further bearers to expect of a value that has been seen once: `2 n2 / n1` with the numbers of values
    /// seen once and twice (Good, "The Population Frequencies of Species", Biometrika 1953). Near one for names, zero
    /// for numbers that nobody shares.
    unseen: f64,
    /// log2 of the mean over residents of the sixth root of how common their value is, as a ratio to the average: what
    /// keeps the mean of [`Self::fewer_namesakes`] over residents at nothing.
    mean_namesakes: MatchWeight,
}

/// Residents against whom the prior's share counts for a quarter: a small register does not make a name look rare or
/// common by accident, and a large one speaks for itself.
const PRIOR_RESIDENTS: f64 = 50.0;

impl Frequencies {
    /// Counts one comparison's values over the register.
    pub(crate) fn count(side: &Normalised, comparison: &Comparison) -> Self {
        let register = side.records.alone();
        let mut counts = Self::default();
        let whole = &mut counts.whole;
        match &comparison.measure {
            Measure::Arrangement => {}
            Measure::Family => register.names.iter().for_each(|name| add(whole, name.family, 1)),
            Measure::Given => register.names.iter().for_each(|name| add(whole, name.given, 1)),
            Measure::Date { column, .. }
            | Measure::Sex { column }
            | Measure::Place { column, .. }
            | Measure::Text { column, .. }
            | Measure::Identifier { column, .. }
            | Measure::Category { column, .. } => {
                register.values[*column].iter().for_each(|&value| add(whole, value, 1));
            }
        }
        let sum = |counts: &[u32]| counts.iter().map(|&count| u64::from(count)).sum();
        counts.known = sum(&counts.whole);
        // What a value consists of is looked up once for all who share it.
        for (value, &count) in (0u32..).zip(&counts.whole).filter(|(_, count)| **count > 0) {
            let (first, second) = match &comparison.measure {
                Measure::Family | Measure::Given => {
                    let views = side.names.joint.views(value);
                    (views.written, views.kana)
                }
                Measure::Place { addresses, .. } => addresses
                    .place(value)
                    .map_or((NONE, NONE), |place| (place.building, place.town)),
                Measure::Arrangement
                | Measure::Date { .. }
                | Measure::Sex { .. }
                | Measure::Text { .. }
                | Measure::Identifier { .. }
                | Measure::Category { .. } => break,
            };
            add(&mut counts.first, first, count);
            add(&mut counts.second, second, count);
        }
        counts.read = sum(&counts.second);
        let seen = |times: u32| counts.whole.iter().filter(|&&count| count == times).count();
        #[expect(clippy::cast_precision_loss, reason = "values are fewer than 2^52")]
        let (once, twice) = (seen(1) as f64, seen(2) as f64);
        counts.unseen = if once > 0.0 { (2.0 * twice / once).min(1.0) } else { 1.0 };
        counts.mean_namesakes = counts.mean_namesakes();
        counts
    }

    /// How many residents have a value.
    pub(crate) fn residents_with(&self, value: u32) -> u32 {
        self.whole.get(value as usize).copied().unwrap_or(0)
    }

    fn mean_namesakes(&self) -> MatchWeight {
        let mut bearers: BTreeMap<u32, f64> = BTreeMap::new();
        for &count in self.whole.iter().filter(|&&count| count > 0) {
            *bearers.entry(count).or_insert(0.0) += f64::from(count);
        }
        #[expect(clippy::cast_precision_loss, reason = "residents are fewer than 2^52")]
        let known = self.known.max(1) as f64;
        let (mut mean, mut mean_root) = (0.0, 0.0);
        for (count, bearers) in bearers {
            let share = f64::from(count) / known;
            mean += bearers / known * share;
            mean_root += bearers / known * libm::pow(share, 1.0 / 6.0);
        }
        if mean > 0.0 {
            MatchWeight::log2(mean_root / libm::pow(mean, 1.0 / 6.0))
        } else {
            MatchWeight::ZERO
        }
    }

    /// The share of residents for whom this would have been the level by chance, given the resident's value; nothing
    /// where the level says nothing about how common the value is.
    fn share(&self, side: &Normalised, measure: &Measure, level: u8, value: u32) -> Option<f64> {
        if value == NONE {
            return None;
        }
        // Names that nobody bears but as a further name are not counted, and are neither rare nor common.
        let count =
            |table: &[u32], id: u32| table.get(id as usize).copied().filter(|&count| count > 0);
        let count = match measure {
            Measure::Arrangement | Measure::Sex { .. } => None,
            Measure::Family if matches!(level, USUAL_READING | RARE_READING) => {
                return self.share_across(side, NamePart::Family, measure, level, value);
            }
            Measure::Given if matches!(level, USUAL_READING | RARE_READING) => {
                return self.share_across(side, NamePart::Given, measure, level, value);
            }
            Measure::Family | Measure::Given => {
                if equal_in(part_views(level)) == Some(level) {
                    self.bearers(side, part_views(level), value)
                } else {
                    None
                }
            }
            Measure::Place { addresses, .. } => {
                let place = addresses.place(value)?;
                match level {
                    1 => count(&self.whole, value),
                    2 | 3 => count(&self.first, place.building),
                    6 => count(&self.second, place.town),
                    _ => None,
                }
            }
            Measure::Date { .. }
            | Measure::Text { .. }
            | Measure::Identifier { .. }
            | Measure::Category { .. } => {
                if level == 1 {
                    count(&self.whole, value)
                } else {
                    None
                }
            }
        }?;
        let prior = measure.levels()[usize::from(level)].u;
        // The resident is no stranger to itself.
        Some(self.share_of(u64::from(count.saturating_sub(1)), self.known, prior))
    }

    /// How many residents have a part of a name in these views; nothing of names that nobody bears but as a further name.
    fn bearers(&self, side: &Normalised, views: PartViews, value: u32) -> Option<u32> {
        let Views { written, kana } = side.names.joint.views(value);
        let (table, id) = match views {
            PartViews::Both => (&self.whole, value),
            PartViews::Written => (&self.first, written),
            PartViews::Read => (&self.second, kana),
            PartViews::Across => return None,
        };
        table.get(id as usize).copied().filter(|&count| count > 0)
    }

    /// The share of residents for whom this would have been the level of a part of a name that is like the resident's and
    /// not equal to it: of those whose name is as much like it, and of those of the very same name, who make the same
    /// slips that the resident makes. A letter that the list has lost says nothing about whose name it was.
    fn share_of_like(
        &self,
        side: &Normalised,
        measure: &Measure,
        level: u8,
        value: u32,
        u: &[f64],
    ) -> Option<LikeShare> {
        let views = part_views(level);
        let equal = equal_in(views).filter(|&equal| equal != level && !is_other_name(level))?;
        if value == NONE {
            return None;
        }
        let (levels, equal, at) = (measure.levels(), usize::from(equal), usize::from(level));
        let bearers = self.bearers(side, views, value);
        let share = |count: u32| {
            self.share_of(u64::from(count).saturating_sub(1), self.known, levels[equal].u)
        };
        let same = bearers.map_or(u[equal], share);
        let like = bearers.and_then(|same| self.bearers_like(side, measure, level, value, same));
        let like = like.map_or(u[at], |like| self.share_of(like, self.known, levels[at].u));
        Some(LikeShare { all: like + levels[at].m * same, same, of_equal: u[equal] })
    }

    /// How many residents have a name that is like this one in one view, and in the other equal; nothing of other levels.
    fn bearers_like(
        &self,
        side: &Normalised,
        measure: &Measure,
        level: u8,
        value: u32,
        same: u32,
    ) -> Option<u64> {
        let Views { written, kana } = side.names.joint.views(value);
        let (table, id) = match equal_view(level) {
            _ if level == READ_AS_OTHERS => {
                return Some(self.reading_otherwise(side, measure, value));
            }
            Some(PartViews::Written) => (&self.first, written),
            Some(PartViews::Read) => (&self.second, kana),
            Some(PartViews::Both | PartViews::Across) | None => return None,
        };
        let all = table.get(id as usize).copied().unwrap_or(0);
        Some(u64::from(all.saturating_sub(same)))
    }

    /// So many strangers among `known` residents, as a share.
    fn share_of(&self, strangers: u64, known: u64, prior: f64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "residents are fewer than 2^52")]
        let (strangers, known) = (strangers as f64 + self.unseen, known as f64);
        let small = PRIOR_RESIDENTS / (known + PRIOR_RESIDENTS);
        ((1.0 - small) * strangers / known.max(1.0) + small * small * prior).max(1e-12)
    }

    /// The same of a resident of whose name the line has the other view: how many have a reading that would fit as well.
    fn share_across(
        &self,
        side: &Normalised,
        part: NamePart,
        measure: &Measure,
        level: u8,
        value: u32,
    ) -> Option<f64> {
        let (names, is_usual) = (&side.names, level == USUAL_READING);
        let views = names.joint.views(value);
        let bearers = |kana: u32| u64::from(self.second.get(kana as usize).copied().unwrap_or(0));
        let strangers = if views.written != NONE {
            let known = names.readings().of(part, views.written, &names.written_parts);
            let fitting = known.iter().filter(|reading| reading.is_usual == is_usual);
            fitting.map(|reading| bearers(reading.kana)).sum()
        } else if is_usual {
            // The resident is no stranger to itself.
            bearers(views.kana).checked_sub(1)?
        } else {
            return None;
        };
        let prior = measure.levels()[usize::from(level)].u;
        Some(self.share_of(strangers, self.read, prior))
    }

    /// What to add to the weight of a pair because its value is rarer (above zero) or commoner (below zero) than the
    /// level is on average. `u` is P(level | strangers) of every level.
    pub(crate) fn adjustment(
        &self,
        side: &Normalised,
        measure: &Measure,
        level: u8,
        value: u32,
        u: &[f64],
    ) -> Adjustment {
        let u_here = u[usize::from(level)];
        if let Some(share) = self.share(side, measure, level, value) {
            let gain = MatchWeight::log2(u_here / share);
            return Adjustment { gain, rarer: gain };
        }
        if matches!(measure, Measure::Family | Measure::Given)
            && let Some(like) = self.share_of_like(side, measure, level, value, u)
        {
            return Adjustment {
                gain: MatchWeight::log2(u_here / like.all),
                rarer: MatchWeight::log2(like.of_equal / like.same),
            };
        }
        Adjustment::default()
    }

    /// How much fewer namesakes the bearers of a part of a name have than the average resident, when the part is `rarer`
    /// than average: a sixth of that. A name half as common has half as many strangers who bear it, but lists also hold
    /// namesakes who were not drawn from the people at large: people whose records were confused because of their name.
    pub(crate) fn fewer_namesakes(&self, rarer: MatchWeight) -> MatchWeight {
        MatchWeight::from_millibits(rarer.millibits() / 6) + self.mean_namesakes
    }

    /// P(level | two unrelated residents) for every level: counted, and drawn towards the prior as far as the register
    /// is small.
    pub(crate) fn u_probabilities(&self, side: &Normalised, measure: &Measure) -> Vec<f64> {
        let priors = measure.levels();
        let observed = match measure {
            Measure::Arrangement => None,
            Measure::Family
            | Measure::Given
            | Measure::Date { .. }
            | Measure::Sex { .. }
            | Measure::Place { .. }
            | Measure::Text { .. }
            | Measure::Identifier { .. }
            | Measure::Category { .. } => Some(self.observe(side, measure)),
        };
        let Some(observed) = observed else {
            return priors.iter().map(|level| level.u).collect();
        };
        // Pairs grow with the square of residents: a thousand residents outweigh the prior a hundredfold.
        #[expect(clippy::cast_precision_loss, reason = "residents are fewer than 2^52")]
        let known = self.known as f64;
        let trust = known * known / (known * known + 10_000.0);
        let mut u = vec![1.0; priors.len()];
        for (level, prior) in priors.iter().enumerate().skip(1) {
            let group: f64 = priors
                .iter()
                .zip(&observed)
                .filter(|(other, _)| other.group == prior.group)
                .map(|(_, share)| share)
                .sum();
            let share = if group > 0.0 { observed[level] / group } else { prior.u };
            // No level is impossible: a ten-millionth of the prior's share is always left.
            let least = prior.u * 1e-3 / (1.0 + known * known * 1e-6);
            u[level] = (trust * share + (1.0 - trust) * prior.u + least).min(1.0);
        }
        if matches!(measure, Measure::Place { .. }) {
            level::raise_what_registers_lack(&mut u);
        }
        u
    }

    /// Shares of pairs by level: equal values exactly, unequal ones over head and sampled tail.
    fn observe(&self, side: &Normalised, measure: &Measure) -> Vec<f64> {
        let levels = measure.levels().len();
        let sample = self.sample(side, measure);
        let parts: Vec<Vec<f64>> = (0..sample.len())
            .into_par_iter()
            .map(|i| {
                let mut shares = vec![0.0; levels];
                let (a, weight) = sample[i];
                for &(b, other) in &sample[i + 1..] {
                    let level = measure.level(&side.names, a, b);
                    for level in shown(measure, level).into_iter().flatten() {
                        shares[usize::from(level)] += 2.0 * weight * other;
                    }
                }
                shares
            })
            .collect();
        let mut shares = vec![0.0; levels];
        for part in parts {
            shares.iter_mut().zip(part).for_each(|(share, part)| *share += part);
        }
        // Whole numbers, so that the order of values does not matter. Two people of one value do not always compare as
        // equal: those of unknown room need not live together.
        let mut equal = vec![0u64; levels];
        for (value, &count) in (0u32..).zip(&self.whole).filter(|(_, count)| **count > 1) {
            let level = measure.level(&side.names, value, value);
            if let [Some(level), ..] = shown(measure, level) {
                equal[usize::from(level)] += u64::from(count) * u64::from(count - 1);
            }
        }
        if matches!(measure, Measure::Family | Measure::Given) {
            for (views, counts) in
                [(PartViews::Written, &self.first), (PartViews::Read, &self.second)]
            {
                let level = equal_in(views).expect("a view is equal to itself");
                equal[usize::from(level)] += counts
                    .iter()
                    .map(|&count| u64::from(count) * u64::from(count.max(1) - 1))
                    .sum::<u64>();
            }
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "residents are fewer than 2^26, pairs than 2^52"
        )]
        for (share, &pairs) in shares.iter_mut().zip(&equal) {
            *share += pairs as f64 / (self.known.max(2) * (self.known.max(2) - 1)) as f64;
        }
        if matches!(measure, Measure::Family | Measure::Given) {
            let as_others = self.read_as_others(side, measure);
            shares[usize::from(READ_AS_OTHERS)] = as_others;
            let different = &mut shares[usize::from(READ_DIFFERENT)];
            *different = (*different - as_others).max(0.0);
        }
        if matches!(measure, Measure::Place { .. }) {
            // Neighbours are too few among all pairs for a sample, and exactly known.
            let neighbours: u64 = self
                .first
                .iter()
                .map(|&count| u64::from(count) * u64::from(count.max(1) - 1))
                .sum();
            let same_building =
                neighbours as f64 / (self.known.max(2) * (self.known.max(2) - 1)) as f64;
            shares[3] = (same_building - shares[1] - shares[2]).max(0.0);
        }
        shares
    }

    /// The share of pairs of residents of whom the one has a reading that is known of what the other writes, and not the
    /// other's own.
    fn read_as_others(&self, side: &Normalised, measure: &Measure) -> f64 {
        // Whole numbers, so that the order of values does not matter.
        let mut pairs = 0u64;
        for (value, &count) in (0u32..).zip(&self.whole).filter(|(_, count)| **count > 0) {
            pairs += u64::from(count) * self.reading_otherwise(side, measure, value);
        }
        #[expect(clippy::cast_precision_loss, reason = "pairs are fewer than 2^52")]
        let (pairs, read) = (pairs as f64, self.read.max(1) as f64);
        pairs / read / read
    }

    /// How many residents have another known reading of what the bearers of a name write.
    fn reading_otherwise(&self, side: &Normalised, measure: &Measure, value: u32) -> u64 {
        let Views { written, kana } = side.names.joint.views(value);
        if written == NONE || kana == NONE {
            return 0;
        }
        let part =
            if matches!(measure, Measure::Family) { NamePart::Family } else { NamePart::Given };
        let known = side.names.readings().of(part, written, &side.names.written_parts);
        let others = known.iter().filter(|reading| reading.kana != kana);
        let bearers = |kana: u32| self.second.get(kana as usize).copied().unwrap_or(0);
        others.map(|reading| u64::from(bearers(reading.kana))).sum()
    }

    /// The commonest values with their shares, and a sample of the rest whose shares stand for all of it.
    fn sample(&self, side: &Normalised, measure: &Measure) -> Vec<(u32, f64)> {
        #[expect(clippy::cast_precision_loss, reason = "residents are fewer than 2^52")]
        let known = self.known.max(1) as f64;
        let mut values: Vec<(u32, u64, u32)> = (0u32..)
            .zip(&self.whole)
            .filter(|(_, count)| **count > 0)
            .map(|(value, &count)| (count, value_hash(side, measure, value), value))
            .collect();
        let commonest = |&(count, hash, _): &(u32, u64, u32)| (std::cmp::Reverse(count), hash);
        let share = |count: u32| f64::from(count) / known;
        let (head, rest) = least(&mut values, HEAD, commonest);
        let mut sample: Vec<(u32, f64)> =
            head.iter().map(|&(count, _, value)| (value, share(count))).collect();
        if !rest.is_empty() {
            // A sum of whole numbers, so that the order of values does not matter.
            let total: u64 = rest.iter().map(|&(count, ..)| u64::from(count)).sum();
            #[expect(clippy::cast_precision_loss, reason = "residents are fewer than 2^52")]
            let total = total as f64 / known;
            let (chosen, _) = least(rest, TAIL, |&(_, hash, _)| hash);
            let taken: f64 = chosen.iter().map(|&(count, ..)| share(count)).sum();
            sample.extend(
                chosen.iter().map(|&(count, _, value)| (value, share(count) * total / taken)),
            );
        }
        sample
    }
}

/// What the frequency of a value adds to a pair.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Adjustment {
    /// To its weight.
    pub(crate) gain: MatchWeight,
    /// How much rarer the value is than the values of residents are on average.
    pub(crate) rarer: MatchWeight,
}

/// How many residents would be like a name.
#[derive(Clone, Copy, Debug)]
struct LikeShare {
    all: f64,
    /// Who have the very name.
    same: f64,
    /// Who have the very name of a resident, on average.
    of_equal: f64,
}

/// Counts `times` more bearers of a value.
fn add(table: &mut Vec<u32>, id: u32, times: u32) {
    if id != NONE {
        let index = id as usize;
        if table.len() <= index {
            table.resize(index + 1, 0);
        }
        table[index] += times;
    }
}

/// The least `count` items by a key, in its order, and the others in any order.
fn least<T, K: Ord>(items: &mut [T], count: usize, key: impl Fn(&T) -> K) -> (&mut [T], &mut [T]) {
    if count < items.len() {
        items.select_nth_unstable_by_key(count, &key);
    }
    let (least, others) = items.split_at_mut(items.len().min(count));
    least.sort_unstable_by_key(key);
    (least, others)
}

/// What a pair of residents shows: its level, and of a name those that it would reach were but one view of it known. Lists
/// lack views that the register has, and strangers agree on what is left as often as residents do. Equal views are left
/// out: they are counted.
fn shown(measure: &Measure, level: u8) -> [Option<u8>; 3] {
    if !matches!(measure, Measure::Family | Measure::Given) {
        return [Some(level), None, None];
    }
    let whole = Some(level).filter(|_| !is_of_one_view(level));
    let (written, read) = in_one_view(level);
    let unequal = |level: &u8| equal_in(part_views(*level)) != Some(*level);
    [whole, written.filter(unequal), read.filter(unequal)]
}

/// A hash of the value itself, not of its id: the sample does not depend on the order of the records.
fn value_hash(side: &Normalised, measure: &Measure, value: u32) -> u64 {
    match measure {
        Measure::Arrangement | Measure::Sex { .. } => u64::from(value),
        Measure::Family | Measure::Given => {
            let names = &side.names;
            let views = names.joint.views(value);
            let part = |parts: &crate::forms::parts::Parts, id: u32| {
                if id == NONE { 0 } else { hash::text(parts.text(id)) }
            };
            hash::mix(
                part(&names.written_parts, views.written),
                part(&names.kana_parts, views.kana),
            )
        }
        Measure::Date { dates, .. } => {
            let date = dates.value(value);
            let part = |part: Option<i64>| part.map_or(u64::MAX, i64::unsigned_abs);
            let key = hash::mix(1, part(date.year.map(i64::from)));
            hash::mix(
                hash::mix(key, part(date.month.map(i64::from))),
                part(date.day.map(i64::from)),
            )
        }
        Measure::Place { addresses, .. } => addresses.value_hash(value),
        Measure::Text { texts, .. }
        | Measure::Identifier { texts, .. }
        | Measure::Category { texts, .. } => hash::text(texts.text(value)),
    }
}
