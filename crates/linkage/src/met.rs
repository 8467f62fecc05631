//! Whom the records of one file meet, kept from one pass to the next.
//!
//! Records that are linked to each other are gone through four times: in each of two rounds, to train a model and to weigh
//! with it. Whom they meet under the blocking rules is always the same, and what the two of a pair have in common is the
//! same within a round: so the one is looked for once, the other twice. Records that meet too many look again each time, so
//! that memory stays within so many bytes for each record. Invariant: what is shown does not depend on what was kept.

use crate::blocking::Round;
use crate::candidates::{Compared, Comparer, Pairs};
use crate::equal_lines::Asker;

/// Whom some records meet, themselves left out.
#[derive(Debug)]
pub(crate) struct Met {
    kept: Kept,
    /// Pairs that may be kept for each record, on average over these records.
    kept_max: usize,
    pairs: Pairs,
    /// For each record, where its pairs end.
    ends: Vec<usize>,
    too_common: u64,
}

/// What is known of the pairs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kept {
    /// They have to be looked for.
    Nothing,
    /// Who they are; values have been counted otherwise since they were compared.
    Rows,
    /// All of it.
    Compared,
}

impl Met {
    /// Of records that have not been looked at.
    pub(crate) fn new(kept_max: usize) -> Self {
        let (kept, pairs) = (Kept::Nothing, Pairs::default());
        Self { kept, kept_max, pairs, ends: Vec::new(), too_common: 0 }
    }

    /// Shows every pair but a record with itself, by ascending record, with its line.
    pub(crate) fn each(
        &mut self,
        comparer: &Comparer<'_>,
        lines: &[Asker],
        mut each: impl FnMut(u32, &Compared),
    ) {
        match self.kept {
            Kept::Nothing => self.look(comparer, lines, each),
            Kept::Rows => {
                let pairs = std::mem::take(&mut self.pairs);
                let rows: Vec<u32> = pairs.pairs.iter().map(|pair| pair.resident).collect();
                let of_line = |at: usize| (lines[at].line, &rows[self.of(at)]);
                let mut again = Pairs::default();
                comparer.collect_known((0..lines.len()).map(of_line), |at, pair| {
                    again.push(&pair);
                    each(lines[at].line, &pair);
                });
                self.keep(again);
            }
            Kept::Compared => {
                for (at, line) in lines.iter().enumerate() {
                    for pair in &self.pairs.pairs[self.of(at)] {
                        each(line.line, &pair.compared(&self.pairs.patterns));
                    }
                }
            }
        }
    }

    fn look(
        &mut self,
        comparer: &Comparer<'_>,
        lines: &[Asker],
        mut each: impl FnMut(u32, &Compared),
    ) {
        let mut round = Round::asking_every_rule();
        let mut counts = vec![Default::default(); comparer.sides.blocking.rules().len()];
        let (mut pairs, mut ends) = (Pairs::default(), vec![0; lines.len()]);
        let kept_max = lines.len() * self.kept_max;
        let left_out = comparer.collect(lines, &mut round, &mut counts, |at, pair| {
            let line = lines[at].line;
            if pair.resident != line {
                each(line, &pair);
                ends[at] += 1;
                if pairs.pairs.len() < kept_max {
                    pairs.push(&pair);
                }
            }
        });
        (self.too_common, self.ends) = (0, ends);
        let mut sum = 0;
        for (end, left_out) in self.ends.iter_mut().zip(left_out) {
            self.too_common += u64::from(left_out && *end == 0);
            sum += *end;
            *end = sum;
        }
        if pairs.pairs.len() == sum {
            self.keep(pairs);
        }
    }

    fn keep(&mut self, mut pairs: Pairs) {
        pairs.finish();
        (self.pairs, self.kept) = (pairs, Kept::Compared);
    }

    /// The pairs of the record at a place.
    fn of(&self, at: usize) -> std::ops::Range<usize> {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        start..self.ends[at]
    }

    /// Values have been counted otherwise.
    pub(crate) fn outdate(&mut self) {
        if self.kept == Kept::Compared {
            self.kept = Kept::Rows;
        }
    }

    /// How many pairs the records have.
    pub(crate) fn len(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0) as u64
    }

    /// How many records meet nobody because whom they could mean are too many.
    pub(crate) fn too_common(&self) -> u64 {
        self.too_common
    }
}
