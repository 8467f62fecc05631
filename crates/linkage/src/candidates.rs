//! Candidate pairs of all lines, compared.

use rayon::prelude::*;

use crate::blocking::{BlockingIndex, BlockingReport, RuleCounts, Scratch};
use crate::comparison::Measure;
use crate::frequency::Frequencies;
use crate::pattern::{Pattern, Radix};
use crate::records::Linkable;
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
    pub(crate) linkable: &'a Linkable,
    pub(crate) radix: &'a Radix,
    pub(crate) frequencies: &'a [Frequencies],
    /// P(level | strangers) of each comparison, as the model has them.
    pub(crate) u: &'a [Vec<f64>],
}

impl Comparer<'_> {
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
        let names = self.linkable.compare(line, resident, levels);
        let mut rarer = MatchWeight::ZERO;
        for (index, comparison) in self.linkable.comparisons.iter().enumerate() {
            let level = levels[index];
            let value = match (&comparison.measure, &names) {
                (Measure::Arrangement, _) => continue,
                (Measure::Family, Some(names)) => names.family.1,
                (Measure::Given, Some(names)) => names.given.1,
                (measure, _) => match measure.column() {
                    Some(column) => self.linkable.register.value(column, resident),
                    None => continue,
                },
            };
            let u = self.u[index][usize::from(level)];
            let measure = &comparison.measure;
            let gain = self.frequencies[index].adjustment(self.linkable, measure, level, value, u);
            each(index, gain);
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
    /// Compares every candidate pair. `skip` tells the lines that take no part; `progress` is told lines as they are
    /// done.
    pub(crate) fn collect(
        comparer: &Comparer<'_>,
        index: &BlockingIndex,
        skip: &[bool],
        progress: &(dyn Fn(usize) + Sync),
    ) -> (Self, Vec<BlockingReport>) {
        let lines: Vec<u32> =
            (0..u32::try_from(skip.len()).expect("fewer than 2^32 lines")).collect();
        let rules = index.rules().len();
        let chunks: Vec<Chunk> = lines
            .par_chunks(CHUNK)
            .map(|lines| {
                let mut scratch = Scratch::default();
                let mut counts = vec![RuleCounts::default(); rules];
                let (mut pairs, mut sizes) = (Vec::new(), Vec::with_capacity(lines.len()));
                let mut too_common = Vec::with_capacity(lines.len());
                for &line in lines {
                    let before = pairs.len();
                    scratch.left_out = false;
                    if !skip[line as usize] {
                        index.candidates(comparer.linkable, line, &mut scratch, &mut counts);
                        let Scratch { found, levels, .. } = &mut scratch;
                        let compare =
                            |&(resident, _): &(u32, u16)| comparer.compare(line, resident, levels);
                        pairs.extend(found.iter().map(compare));
                    }
                    sizes.push(pairs.len() - before);
                    too_common.push(scratch.left_out && pairs.len() == before);
                }
                progress(lines.len());
                Chunk { pairs, sizes, too_common, counts }
            })
            .collect();
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
            rule: rule.describe(comparer.linkable),
            pairs: counts.pairs,
            new_pairs: counts.new_pairs,
            largest_block: counts.largest_block,
            blocks_left_out: counts.blocks_left_out,
            pairs_left_out: counts.pairs_left_out,
        });
        let report = report.collect();
        (all, report)
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
