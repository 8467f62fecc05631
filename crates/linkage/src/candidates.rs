//! Candidate pairs of all lines, compared.

use hashbrown::HashMap;
use rayon::prelude::*;

use crate::blocking::{BlockingReport, RuleCounts, Scratch};
use crate::comparison::Measure;
use crate::hash::Seeded;
use crate::job::{Stopped, Watcher};
use crate::model::Rarity;
use crate::pattern::{Pattern, Radix};
use crate::records::Sides;
use crate::weight::MatchWeight;

/// A compared pair: which resident, what was answered, and how rare the values are on which the two agree.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Compared {
    pub(crate) resident: u32,
    pub(crate) rarity: Rarity,
    pub(crate) pattern: Pattern,
}

/// A compared pair of a job, whose pattern is a number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    pub(crate) resident: u32,
    /// In [`Candidates::patterns`].
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

/// The compared pairs of all lines.
#[derive(Debug, Default)]
pub(crate) struct Candidates {
    pairs: Vec<Pair>,
    /// The distinct patterns, ascending.
    patterns: Vec<Pattern>,
    /// Where each line's pairs end.
    ends: Vec<usize>,
    /// Lines without pairs for whom a block was too large.
    too_common: Vec<bool>,
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
    /// Compares a line with all its candidates; whether it has none because whom it could mean are too many.
    pub(crate) fn collect(
        &self,
        line: u32,
        scratch: &mut Scratch,
        counts: &mut [RuleCounts],
        mut each: impl FnMut(Compared),
    ) -> bool {
        self.sides.blocking.candidates(self.sides.list, line, scratch, counts);
        let Scratch { found, levels, left_out, .. } = scratch;
        for &(resident, _) in &*found {
            each(self.compare(line, resident, levels));
        }
        *left_out && found.is_empty()
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
            let u = self.u[number][usize::from(level)];
            let (measure, frequencies) = (&comparison.measure, &index.frequencies[number]);
            let gain = frequencies.adjustment(list, measure, level, value, u);
            each(number, gain);
            rarity.values += gain;
            if matches!(measure, Measure::Family | Measure::Given) {
                rarity.name += frequencies.fewer_namesakes(gain);
            }
        }
        Rarity { name: rarity.name.clamp(-FEWER_NAMESAKES_MAX, FEWER_NAMESAKES_MAX), ..rarity }
    }
}

/// Names are held to have at most three times as many namesakes as the average resident's, or as few.
const FEWER_NAMESAKES_MAX: MatchWeight = MatchWeight::from_millibits(1_500);

/// What one task has compared.
struct Chunk {
    pairs: Vec<Pair>,
    /// In the order of their numbers in the pairs of this chunk.
    patterns: Vec<Pattern>,
    sizes: Vec<usize>,
    too_common: Vec<bool>,
    counts: Vec<RuleCounts>,
}

/// Lines that one task compares: large enough to be worth a task, small enough to spread.
const CHUNK: usize = 512;

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
        let lines: Vec<u32> =
            (0..u32::try_from(skip.len()).expect("fewer than 2^32 lines")).collect();
        let index = comparer.sides.blocking;
        let rules = index.rules().len();
        let compare = |lines: &[u32]| {
            watcher.go_on()?;
            let mut scratch = Scratch::default();
            let mut counts = vec![RuleCounts::default(); rules];
            let (mut pairs, mut sizes) = (Vec::new(), Vec::with_capacity(lines.len()));
            let mut too_common = Vec::with_capacity(lines.len());
            let mut numbers: HashMap<Pattern, u32, Seeded> = HashMap::default();
            let mut patterns = Vec::new();
            for &line in lines {
                let before = pairs.len();
                let each = |compared: Compared| {
                    let number = *numbers.entry(compared.pattern).or_insert_with(|| {
                        patterns.push(compared.pattern);
                        u32::try_from(patterns.len() - 1).expect("fewer than 2^32 patterns")
                    });
                    pairs.push(Pair::new(&compared, number));
                };
                too_common.push(
                    !skip[line as usize] && comparer.collect(line, &mut scratch, &mut counts, each),
                );
                sizes.push(pairs.len() - before);
            }
            watcher.done(lines.len());
            Ok(Chunk { pairs, patterns, sizes, too_common, counts })
        };
        let chunks: Vec<Chunk> = lines.par_chunks(CHUNK).map(compare).collect::<Result<_, _>>()?;
        let mut patterns: Vec<Pattern> =
            chunks.iter().flat_map(|chunk| &chunk.patterns).copied().collect();
        patterns.sort_unstable();
        patterns.dedup();
        let mut all = Self { patterns, ..Self::default() };
        all.pairs.reserve_exact(chunks.iter().map(|chunk| chunk.pairs.len()).sum());
        let mut counts = vec![RuleCounts::default(); rules];
        for Chunk { pairs, patterns, sizes, too_common, counts: of_chunk } in chunks {
            let number = |pattern| all.patterns.binary_search(pattern).expect("collected above");
            let numbers: Vec<usize> = patterns.iter().map(number).collect();
            all.pairs.extend(pairs.into_iter().map(|pair| {
                let number = numbers[pair.pattern as usize];
                let pattern = u32::try_from(number).expect("fewer than 2^32 patterns");
                Pair { pattern, ..pair }
            }));
            all.too_common.extend(too_common);
            for size in sizes {
                let end = all.ends.last().copied().unwrap_or(0) + size;
                all.ends.push(end);
            }
            counts.iter_mut().zip(&of_chunk).for_each(|(sum, part)| sum.add(part));
        }
        let report =
            BlockingReport::of_rules(index.rules(), &counts, &comparer.sides.index.register);
        Ok((all, report))
    }

    pub(crate) fn len(&self) -> usize {
        self.pairs.len()
    }

    /// The distinct patterns, in the order of their numbers.
    pub(crate) fn patterns(&self) -> &[Pattern] {
        &self.patterns
    }

    /// Whether a line has no pairs because whom it could mean are too many.
    pub(crate) fn is_too_common(&self, line: u32) -> bool {
        self.too_common[line as usize]
    }

    pub(crate) fn of_line(&self, line: u32) -> &[Pair] {
        let line = line as usize;
        let start = if line == 0 { 0 } else { self.ends[line - 1] };
        &self.pairs[start..self.ends[line]]
    }
}
