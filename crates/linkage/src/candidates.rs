//! Candidate pairs of all lines, compared.

use std::ops::Range;

use hashbrown::HashMap;
use rayon::prelude::*;

use crate::blocking::{BlockingReport, Round, RuleCounts};
use crate::comparison::Measure;
use crate::equal_lines::{Asker, EqualLines};
use crate::hash::Seeded;
use crate::job::{Stopped, Watcher};
use crate::model::Rarity;
use crate::pattern::{Pattern, Radix};
use crate::records::Sides;
use crate::weight::MatchWeight;

/// A compared pair: which resident, what was answered, and how rare the values are on which the two agree.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Compared {
    pub(crate) resident: u32,
    pub(crate) rarity: Rarity,
    pub(crate) pattern: Pattern,
}

/// A compared pair that is kept: its pattern is a number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    pub(crate) resident: u32,
    /// In [`Candidates::patterns`], or in those of its [`Pairs`].
    pub(crate) pattern: u32,
    values: i32,
    name: i16,
}

impl Pair {
    fn new(compared: &Compared, pattern: u32) -> Self {
        let Compared { resident, rarity, .. } = *compared;
        let name = rarity.name.millibits();
        let name = i16::try_from(name).expect("a name is held within some bits of the average");
        Self { resident, pattern, values: rarity.values.millibits(), name }
    }

    pub(crate) fn rarity(&self) -> Rarity {
        Rarity {
            values: MatchWeight::from_millibits(self.values),
            name: MatchWeight::from_millibits(i32::from(self.name)),
        }
    }
}

/// Compared pairs as they come, and their patterns.
#[derive(Debug, Default)]
pub(crate) struct Pairs {
    compared: Vec<Pair>,
    /// In the order of their numbers.
    patterns: Vec<Pattern>,
    numbers: HashMap<Pattern, u32, Seeded>,
}

impl Pairs {
    pub(crate) fn push(&mut self, compared: &Compared) {
        let patterns = &mut self.patterns;
        let number = *self.numbers.entry(compared.pattern).or_insert_with(|| {
            patterns.push(compared.pattern);
            u32::try_from(patterns.len() - 1).expect("fewer than 2^32 patterns")
        });
        self.compared.push(Pair::new(compared, number));
    }

    /// Frees what is needed for more to come.
    pub(crate) fn finish(&mut self) {
        self.numbers = HashMap::default();
        self.compared.shrink_to_fit();
    }

    pub(crate) fn len(&self) -> usize {
        self.compared.len()
    }

    /// Some pairs as they were compared.
    pub(crate) fn in_range(&self, range: Range<usize>) -> impl Iterator<Item = Compared> {
        self.compared[range].iter().map(|pair| Compared {
            resident: pair.resident,
            rarity: pair.rarity(),
            pattern: self.patterns[pair.pattern as usize],
        })
    }

    /// The resident of each pair.
    pub(crate) fn residents(&self) -> Vec<u32> {
        self.compared.iter().map(|pair| pair.resident).collect()
    }
}

/// The compared pairs of all lines.
#[derive(Debug, Default)]
pub(crate) struct Candidates {
    pairs: Vec<Pair>,
    /// The distinct patterns, ascending.
    patterns: Vec<Pattern>,
    /// Which lines are equal, and have the same pairs.
    lines: EqualLines,
    /// For each of [`EqualLines::askers`]: where its pairs end.
    ends: Vec<usize>,
    /// And whether it has none because a block was too large.
    too_common: Vec<bool>,
    /// Pairs of all lines, those of equal ones counted for each.
    all: usize,
}

/// What is needed to compare a pair.
#[derive(Debug)]
pub(crate) struct Comparer<'a> {
    pub(crate) sides: Sides<'a>,
    pub(crate) radix: &'a Radix,
    /// P(level | strangers) of each comparison, as the model has them.
    pub(crate) u: &'a [Vec<f64>],
}

impl Comparer<'_> {
    /// Compares some lines with all their candidates, and tells each pair with the place of its line among them: by
    /// ascending line, then resident. For each line, whether a block was too large to be compared.
    pub(crate) fn collect(
        &self,
        lines: &[Asker],
        round: &mut Round,
        counts: &mut [RuleCounts],
        mut each: impl FnMut(usize, Compared),
    ) -> Vec<bool> {
        let blocking = self.sides.blocking;
        round.look_up(blocking, self.sides.list, lines, counts);
        let mut batch = PairBatch::default();
        let find = |(at, &Asker { line, times }): (usize, &Asker)| {
            let left_out = round.find(blocking, at, times, counts);
            batch.extend(at, line, round.found.iter().map(|&(resident, _)| resident));
            if batch.is_full() || at + 1 == lines.len() {
                batch.compare(self, &mut each);
            }
            left_out
        };
        lines.iter().enumerate().map(find).collect()
    }

    /// Compares some lines with residents who have been found before, and tells each pair as [`Self::collect`] does.
    pub(crate) fn collect_known<'a>(
        &self,
        lines: impl ExactSizeIterator<Item = (u32, &'a [u32])>,
        mut each: impl FnMut(usize, Compared),
    ) {
        let (mut batch, all) = (PairBatch::default(), lines.len());
        for (at, (line, residents)) in lines.enumerate() {
            batch.extend(at, line, residents.iter().copied());
            if batch.is_full() || at + 1 == all {
                batch.compare(self, &mut each);
            }
        }
    }

    /// Brings to hand what comparing these pairs will look at. It lies all over memory; asked for at one go, all of it is
    /// on its way at the same time, where a comparison would wait for each value by itself.
    fn fetch(&self, pairs: impl Iterator<Item = (u32, u32, u32)> + Clone) {
        let Sides { index, list, .. } = self.sides;
        let register = &index.register.records;
        let mut seen = 0;
        for (_, line, resident) in pairs.clone() {
            seen ^= register.name(resident).given ^ list.records.name(line).given;
        }
        for (comparison, frequencies) in list.comparisons.iter().zip(&*index.frequencies) {
            let Some(column) = comparison.measure.column() else { continue };
            for (_, line, resident) in pairs.clone() {
                seen ^= register.value(column, resident) ^ list.records.value(column, line);
            }
            if let Measure::Place { addresses, .. } = &comparison.measure {
                for (_, line, resident) in pairs.clone() {
                    let value = register.value(column, resident);
                    let places = [value, list.records.value(column, line)];
                    for place in places.into_iter().filter_map(|value| addresses.place(value)) {
                        seen ^= place.town ^ place.room ^ place.postal.unwrap_or(0);
                    }
                    seen ^= frequencies.residents_with(value);
                }
            }
        }
        std::hint::black_box(seen);
    }

    fn compare(&self, line: u32, resident: u32, levels: &mut Vec<u8>) -> Compared {
        let rarity = self.rarity(line, resident, levels, |_, _| {});
        Compared { resident, rarity, pattern: self.radix.pack(levels) }
    }

    /// Compares and sums the adjustments for frequency; `each` is told the adjustment of every comparison.
    pub(crate) fn rarity(
        &self,
        line: u32,
        resident: u32,
        levels: &mut Vec<u8>,
        mut each: impl FnMut(usize, MatchWeight),
    ) -> Rarity {
        let Sides { index, list, .. } = self.sides;
        let names = self.sides.compare(line, resident, levels);
        let mut rarity = Rarity::default();
        for (number, comparison) in list.comparisons.iter().enumerate() {
            let level = levels[number];
            let value = match (&comparison.measure, &names) {
                (Measure::Arrangement, _) => continue,
                (Measure::Family, Some(names)) => names.family.1,
                (Measure::Given, Some(names)) => names.given.1,
                (measure, _) => match measure.column() {
                    Some(column) => index.register.records.value(column, resident),
                    None => continue,
                },
            };
            let (measure, frequencies) = (&comparison.measure, &index.frequencies[number]);
            let of_value = frequencies.adjustment(list, measure, level, value, &self.u[number]);
            each(number, of_value.gain);
            rarity.values += of_value.gain;
            if matches!(measure, Measure::Family | Measure::Given) {
                rarity.name += frequencies.fewer_namesakes(of_value.rarer);
            }
        }
        Rarity { name: rarity.name.clamp(-FEWER_NAMESAKES_MAX, FEWER_NAMESAKES_MAX), ..rarity }
    }
}

/// Names are held to have at most three times as many namesakes as the average resident's, or as few.
const FEWER_NAMESAKES_MAX: MatchWeight = MatchWeight::from_millibits(1_500);

/// Pairs whose values are brought to hand before the first of them is compared.
const FETCHED: usize = 64;

/// Pairs that are compared together.
#[derive(Default)]
struct PairBatch {
    /// Of each pair, the place of its line, the line and the resident.
    pairs: Vec<(u32, u32, u32)>,
    /// Their places, by resident.
    in_order: Vec<u32>,
    compared: Vec<Compared>,
    levels: Vec<u8>,
}

impl PairBatch {
    /// Enough pairs for residents to lie near each other; few enough to stay at hand.
    const FULL: usize = 1 << 17;

    fn extend(&mut self, at: usize, line: u32, residents: impl Iterator<Item = u32>) {
        let at = u32::try_from(at).expect("fewer than 2^32 lines");
        self.pairs.extend(residents.map(|resident| (at, line, resident)));
    }

    fn is_full(&self) -> bool {
        self.pairs.len() >= Self::FULL
    }

    /// Compares the pairs in the order in which residents lie in memory, and tells them in their own.
    fn compare(&mut self, comparer: &Comparer<'_>, each: &mut impl FnMut(usize, Compared)) {
        self.put_in_order(comparer.sides.register().len());
        let Self { pairs, in_order, compared, levels } = self;
        compared.clear();
        compared.resize(pairs.len(), Compared::default());
        for places in in_order.chunks(FETCHED) {
            comparer.fetch(places.iter().map(|&place| pairs[place as usize]));
            for &place in places {
                let (_, line, resident) = pairs[place as usize];
                compared[place as usize] = comparer.compare(line, resident, levels);
            }
        }
        for (&(at, ..), &compared) in pairs.iter().zip(&*compared) {
            each(at as usize, compared);
        }
        pairs.clear();
    }

    /// Puts the places of the pairs in the order of their residents, as far as it matters to memory: those of a group of
    /// neighbours stay as they come.
    fn put_in_order(&mut self, residents: usize) {
        const GROUPS: usize = 1 << 11;
        let Self { pairs, in_order, .. } = self;
        in_order.clear();
        let places = 0..u32::try_from(pairs.len()).expect("a batch has fewer than 2^32 pairs");
        if pairs.len() < GROUPS {
            in_order.extend(places);
            return;
        }
        let of_group = residents / GROUPS + 1;
        let group = |resident: u32| resident as usize / of_group;
        let mut starts = [0u32; GROUPS + 1];
        pairs.iter().for_each(|&(.., resident)| starts[group(resident) + 1] += 1);
        for group in 1..starts.len() {
            starts[group] += starts[group - 1];
        }
        in_order.resize(pairs.len(), 0);
        for (place, &(.., resident)) in places.zip(&*pairs) {
            let start = &mut starts[group(resident)];
            in_order[*start as usize] = place;
            *start += 1;
        }
    }
}

/// What one task has compared.
struct Chunk {
    pairs: Pairs,
    /// Of each asker, its number of pairs and whether a block was too large.
    lines: Vec<(usize, bool)>,
    counts: Vec<RuleCounts>,
}

/// Lines that one task compares: a sixteenth of all, unless these are too few to be worth a task or too many to be kept.
fn chunk(lines: usize) -> usize {
    (lines / 16).clamp(512, 32_768)
}

impl Candidates {
    /// Compares every candidate pair. `skip` tells the lines that take no part.
    ///
    /// # Errors
    /// The watcher asked for a stop.
    pub(crate) fn collect(
        comparer: &Comparer<'_>,
        skip: &[bool],
        watcher: &dyn Watcher,
    ) -> Result<(Self, Vec<BlockingReport>), Stopped> {
        let lines = EqualLines::of(&comparer.sides.list.records, skip);
        let askers = lines.askers();
        let index = comparer.sides.blocking;
        let rules = index.rules().len();
        let compare = |lines: &[Asker]| {
            watcher.go_on()?;
            let mut round = Round::default();
            let mut counts = vec![RuleCounts::default(); rules];
            let (mut pairs, mut sizes) = (Pairs::default(), vec![0; lines.len()]);
            let each = |at: usize, compared: Compared| {
                pairs.push(&compared);
                sizes[at] += 1;
            };
            let left_out = comparer.collect(lines, &mut round, &mut counts, each);
            watcher.done(lines.iter().map(|asker| asker.times as usize).sum());
            let lines = sizes.into_iter().zip(left_out).collect();
            pairs.finish();
            Ok(Chunk { pairs, lines, counts })
        };
        let chunks: Vec<Chunk> =
            askers.par_chunks(chunk(askers.len())).map(compare).collect::<Result<_, _>>()?;
        watcher.done(skip.iter().filter(|skip| **skip).count());
        let mut patterns: Vec<Pattern> =
            chunks.iter().flat_map(|chunk| &chunk.pairs.patterns).copied().collect();
        patterns.sort_unstable();
        patterns.dedup();
        let mut all = Self { patterns, ..Self::default() };
        all.pairs.reserve_exact(chunks.iter().map(|chunk| chunk.pairs.len()).sum());
        let mut counts = vec![RuleCounts::default(); rules];
        for Chunk { pairs, lines, counts: of_chunk } in chunks {
            let number = |pattern| all.patterns.binary_search(pattern).expect("collected above");
            let numbers: Vec<usize> = pairs.patterns.iter().map(number).collect();
            all.pairs.extend(pairs.compared.into_iter().map(|pair| {
                let number = numbers[pair.pattern as usize];
                let pattern = u32::try_from(number).expect("fewer than 2^32 patterns");
                Pair { pattern, ..pair }
            }));
            for (size, left_out) in lines {
                all.all += size * askers[all.ends.len()].times as usize;
                all.ends.push(all.ends.last().copied().unwrap_or(0) + size);
                all.too_common.push(left_out && size == 0);
            }
            counts.iter_mut().zip(&of_chunk).for_each(|(sum, part)| sum.add(part));
        }
        let report =
            BlockingReport::of_rules(index.rules(), &counts, &comparer.sides.index.register);
        Ok((Self { lines, ..all }, report))
    }

    /// How many pairs all lines have, those of equal lines counted for each.
    pub(crate) fn len(&self) -> usize {
        self.all
    }

    /// Which lines are equal, and have the same candidates.
    pub(crate) fn lines(&self) -> &EqualLines {
        &self.lines
    }

    /// The distinct patterns, in the order of their numbers.
    pub(crate) fn patterns(&self) -> &[Pattern] {
        &self.patterns
    }

    /// Whether a line has no pairs because whom it could mean are too many.
    pub(crate) fn is_too_common(&self, line: u32) -> bool {
        self.lines.place(line).is_some_and(|place| self.too_common[place])
    }

    pub(crate) fn of_line(&self, line: u32) -> &[Pair] {
        let Some(place) = self.lines.place(line) else {
            return &[];
        };
        let start = if place == 0 { 0 } else { self.ends[place - 1] };
        &self.pairs[start..self.ends[place]]
    }
}
