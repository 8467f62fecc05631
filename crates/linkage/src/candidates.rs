//! Candidate pairs of all lines, compared.

use rayon::prelude::*;

use crate::blocking::{BlockingReport, RuleCounts, Scratch};
use crate::comparison::Measure;
use crate::job::{Stopped, Watcher};
use crate::pattern::{Pattern, Radix};
use crate::records::Sides;
use crate::weight::MatchWeight;

/// A compared pair: which resident, what was answered, and how much rarer than average the values are on which the two
/// agree.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    pub(crate) resident: u32,
    pub(crate) rarer: MatchWeight,
    pub(crate) pattern: Pattern,
}

/// The compared pairs of all lines.
#[derive(Debug, Default)]
pub(crate) struct Candidates {
    pairs: Vec<Pair>,
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
        pairs: &mut Vec<Pair>,
    ) -> bool {
        let before = pairs.len();
        self.sides.index.blocking.candidates(self.sides.list, line, scratch, counts);
        let Scratch { found, levels, left_out, .. } = scratch;
        pairs.extend(found.iter().map(|&(resident, _)| self.compare(line, resident, levels)));
        *left_out && pairs.len() == before
    }

    pub(crate) fn compare(&self, line: u32, resident: u32, levels: &mut Vec<u8>) -> Pair {
        let rarer = self.rarer(line, resident, levels, |_, _| {});
        Pair { resident, rarer, pattern: self.radix.pack(levels) }
    }

    /// Compares and sums the adjustments for frequency; `each` is told the adjustment of every comparison.
    pub(crate) fn rarer(
        &self,
        line: u32,
        resident: u32,
        levels: &mut Vec<u8>,
        mut each: impl FnMut(usize, MatchWeight),
    ) -> MatchWeight {
        let Sides { index, list } = self.sides;
        let names = self.sides.compare(line, resident, levels);
        let mut rarer = MatchWeight::ZERO;
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
            let measure = &comparison.measure;
            let gain = index.frequencies[number].adjustment(list, measure, level, value, u);
            each(number, gain);
            rarer += gain;
        }
        rarer
    }
}

/// What one task has compared.
struct Chunk {
    pairs: Vec<Pair>,
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
        let index = &comparer.sides.index.blocking;
        let rules = index.rules().len();
        let compare = |lines: &[u32]| {
            watcher.go_on()?;
            let mut scratch = Scratch::default();
            let mut counts = vec![RuleCounts::default(); rules];
            let (mut pairs, mut sizes) = (Vec::new(), Vec::with_capacity(lines.len()));
            let mut too_common = Vec::with_capacity(lines.len());
            for &line in lines {
                let before = pairs.len();
                too_common.push(
                    !skip[line as usize]
                        && comparer.collect(line, &mut scratch, &mut counts, &mut pairs),
                );
                sizes.push(pairs.len() - before);
            }
            watcher.done(lines.len());
            Ok(Chunk { pairs, sizes, too_common, counts })
        };
        let chunks: Vec<Chunk> = lines.par_chunks(CHUNK).map(compare).collect::<Result<_, _>>()?;
        let mut all = Self::default();
        let mut counts = vec![RuleCounts::default(); rules];
        for Chunk { pairs, sizes, too_common, counts: of_chunk } in chunks {
            all.pairs.extend(pairs);
            all.too_common.extend(too_common);
            for size in sizes {
                let end = all.ends.last().copied().unwrap_or(0) + size;
                all.ends.push(end);
            }
            counts.iter_mut().zip(&of_chunk).for_each(|(sum, part)| sum.add(part));
        }
        let report = index.rules().zip(counts).map(|(rule, counts)| BlockingReport {
            rule: rule.describe(&comparer.sides.index.register),
            pairs: counts.pairs,
            new_pairs: counts.new_pairs,
            largest_block: counts.largest_block,
            blocks_left_out: counts.blocks_left_out,
            pairs_left_out: counts.pairs_left_out,
        });
        let report = report.collect();
        Ok((all, report))
    }

    pub(crate) fn len(&self) -> usize {
        self.pairs.len()
    }

    pub(crate) fn all(&self) -> &[Pair] {
        &self.pairs
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
