//! Whom the records of one file meet, kept from one pass to the next.
//!
//! Records that are linked to each other are gone through four times: in each of two rounds, to train a model and to weigh
//! with it. Whom they meet under the blocking rules is always the same, and what the two of a pair have in common is the
//! same within a round: so the one is looked for once, the other twice. A pair takes sixteen bytes while a round needs it,
//! and four between the rounds. Where some records that are compared together meet more than may be kept, they look again
//! in each pass. Invariant: what is shown does not depend on what was kept.

use std::ops::Range;

use crate::blocking::Round;
use crate::candidates::{Compared, Comparer, Pairs};
use crate::equal_lines::Asker;

/// Whom some records meet, themselves left out.
#[derive(Debug)]
pub(crate) struct Met {
    /// Pairs that may be kept for each record, on average over these records.
    kept_max: usize,
    known: Known,
    /// For each record, where its pairs end.
    ends: Vec<usize>,
    too_common: u64,
}

/// What is known of the pairs.
#[derive(Debug)]
enum Known {
    /// Nothing yet.
    Nothing,
    /// How many they are, which is too many to be kept.
    TooMany,
    /// Who they are; values have been counted otherwise since they were compared.
    Rows(Vec<u32>),
    /// All of it.
    Compared(Pairs),
}

impl Met {
    /// Of records that have not been looked at.
    pub(crate) fn new(kept_max: usize) -> Self {
        Self { kept_max, known: Known::Nothing, ends: Vec::new(), too_common: 0 }
    }

    /// Shows every pair but a record with itself, by ascending record, with its line.
    pub(crate) fn each(
        &mut self,
        comparer: &Comparer<'_>,
        lines: &[Asker],
        mut each: impl FnMut(u32, &Compared),
    ) {
        match &self.known {
            Known::Nothing => {
                let kept = self.look(comparer, lines, self.kept_max * lines.len(), each);
                self.known = kept.map_or(Known::TooMany, Known::Compared);
            }
            Known::TooMany => {
                self.look(comparer, lines, 0, each);
            }
            Known::Rows(rows) => {
                let of_line = |at: usize| (lines[at].line, &rows[self.of(at)]);
                let mut pairs = Pairs::default();
                comparer.collect_known((0..lines.len()).map(of_line), |at, pair| {
                    pairs.push(&pair);
                    each(lines[at].line, &pair);
                });
                pairs.finish();
                self.known = Known::Compared(pairs);
            }
            Known::Compared(pairs) => {
                for (at, line) in lines.iter().enumerate() {
                    pairs.in_range(self.of(at)).for_each(|pair| each(line.line, &pair));
                }
            }
        }
    }

    /// Looks for the pairs; nothing where they are more than may be kept.
    fn look(
        &mut self,
        comparer: &Comparer<'_>,
        lines: &[Asker],
        kept_max: usize,
        mut each: impl FnMut(u32, &Compared),
    ) -> Option<Pairs> {
        let mut round = Round::asking_every_rule();
        let mut counts = vec![Default::default(); comparer.sides.blocking.rules().len()];
        let (mut pairs, mut ends) = (Some(Pairs::default()), vec![0; lines.len()]);
        let left_out = comparer.collect(lines, &mut round, &mut counts, |at, pair| {
            let line = lines[at].line;
            if pair.resident != line {
                each(line, &pair);
                ends[at] += 1;
                pairs = pairs.take().filter(|pairs| pairs.len() < kept_max);
                pairs.iter_mut().for_each(|pairs| pairs.push(&pair));
            }
        });
        let none = ends.iter().zip(left_out).filter(|&(&met, left_out)| left_out && met == 0);
        self.too_common = none.count() as u64;
        let mut sum = 0;
        for end in &mut ends {
            sum += *end;
            *end = sum;
        }
        self.ends = ends;
        pairs.iter_mut().for_each(Pairs::finish);
        pairs
    }

    /// The pairs of the record at a place.
    fn of(&self, at: usize) -> Range<usize> {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        start..self.ends[at]
    }

    /// Values will be counted otherwise: what the two of a pair have in common is forgotten.
    pub(crate) fn outdate(&mut self) {
        if let Known::Compared(pairs) = &self.known {
            self.known = Known::Rows(pairs.residents());
        }
    }

    /// How many pairs the records have.
    pub(crate) fn pairs(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0) as u64
    }

    /// How many records meet nobody because whom they could mean are too many.
    pub(crate) fn too_common(&self) -> u64 {
        self.too_common
    }
}
