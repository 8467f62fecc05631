//! What the rules that are asked first have found for the lines of one list.
//!
//! An index that is made for one list leaves out what settled lines would ask for later, so it has to know who these are
//! before it is whole. What that look has found is kept for the job: residents, and for the report the sizes of blocks.

use rayon::prelude::*;

use super::{BlockingIndex, Round, RuleCounts};
use crate::equal_lines::Asker;
use crate::records::Normalised;

/// What has been found, for each line.
#[derive(Debug, Default)]
pub(crate) struct FirstFound {
    standings: Vec<Standing>,
    residents: Vec<(u32, u16)>,
    residents_end: Vec<u32>,
    blocks: Vec<Block>,
    blocks_end: Vec<u32>,
}

/// How a line stands after the first rules.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Standing {
    /// Somebody shares all with it that they ask for.
    Settled,
    /// It asks the other rules too.
    Unsettled,
    /// Its blocks were large, and it has to ask again.
    Unknown,
}

/// What a line has found.
pub(super) struct Known<'a> {
    /// Whether it asks no more.
    pub(super) is_settled: bool,
    /// Whom, with the earliest rule that finds them.
    pub(super) residents: &'a [(u32, u16)],
    /// The blocks that hold these.
    pub(super) blocks: &'a [Block],
}

/// A block that a line was given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    rule: u16,
    records: u16,
}

impl Block {
    /// Nothing where there are too many records to be noted.
    pub(super) fn new(rule: u16, records: usize) -> Option<Self> {
        Some(Self { rule, records: u16::try_from(records).ok()? })
    }

    /// So many lines were given it.
    pub(super) fn count(self, times: u32, counts: &mut [RuleCounts]) {
        counts[usize::from(self.rule)].met(times.into(), self.records.into());
    }
}

/// A line that meets more records asks again: equal lines are then asked once for all of them.
const KEPT_MAX: usize = 100;

/// Lines that one task looks at.
const CHUNK: usize = 8_192;

impl FirstFound {
    /// Asks the rules of an index that has only those that are asked first.
    pub(super) fn of(index: &BlockingIndex, list: &Normalised) -> Self {
        let lines = u32::try_from(list.records.len()).expect("fewer than 2^32 lines");
        let lines: Vec<Asker> = (0..lines).map(Asker::from).collect();
        let chunks = lines.par_chunks(CHUNK).map(|lines| {
            let mut found = Self::default();
            Round::default().look_first(index, list, lines, &mut found);
            found
        });
        let mut all = Self::default();
        for chunk in chunks.collect::<Vec<_>>() {
            all.append(&chunk);
        }
        all
    }

    /// Whether what a line has found is kept if its blocks have so many records.
    pub(super) fn keeps(records: usize) -> bool {
        records <= KEPT_MAX
    }

    /// The next line has to ask again.
    pub(super) fn push_unknown(&mut self) {
        self.push(false, &[], std::iter::once(None));
    }

    /// Adds what the next line has found; a block is nothing where it has to ask again.
    pub(super) fn push(
        &mut self,
        is_settled: bool,
        residents: &[(u32, u16)],
        blocks: impl Iterator<Item = Option<Block>>,
    ) {
        let before = self.blocks.len();
        let mut is_known = true;
        self.blocks.extend(blocks.inspect(|block| is_known &= block.is_some()).flatten());
        self.standings.push(match (is_known, is_settled) {
            (true, true) => Standing::Settled,
            (true, false) => Standing::Unsettled,
            (false, _) => Standing::Unknown,
        });
        if is_known {
            self.residents.extend_from_slice(residents);
        } else {
            self.blocks.truncate(before);
        }
        let count = |count: usize| u32::try_from(count).expect("fewer than 2^32 pairs");
        self.residents_end.push(count(self.residents.len()));
        self.blocks_end.push(count(self.blocks.len()));
    }

    fn append(&mut self, more: &Self) {
        let (residents, blocks) = (self.residents.len(), self.blocks.len());
        self.standings.extend_from_slice(&more.standings);
        self.residents.extend_from_slice(&more.residents);
        self.blocks.extend_from_slice(&more.blocks);
        let after = |before: usize, end: &u32| {
            u32::try_from(before + *end as usize).expect("fewer than 2^32 pairs")
        };
        self.residents_end.extend(more.residents_end.iter().map(|end| after(residents, end)));
        self.blocks_end.extend(more.blocks_end.iter().map(|end| after(blocks, end)));
    }

    /// Which lines ask no more.
    pub(super) fn settled(&self) -> Vec<bool> {
        self.standings.iter().map(|&standing| standing == Standing::Settled).collect()
    }

    /// What a line has found, unless it has to ask again.
    pub(super) fn of_line(&self, line: u32) -> Option<Known<'_>> {
        let standing = self.standings[line as usize];
        (standing != Standing::Unknown).then(|| Known {
            is_settled: standing == Standing::Settled,
            residents: &self.residents[of_line(&self.residents_end, line)],
            blocks: &self.blocks[of_line(&self.blocks_end, line)],
        })
    }
}

fn of_line(ends: &[u32], line: u32) -> std::ops::Range<usize> {
    let line = line as usize;
    let start = if line == 0 { 0 } else { ends[line - 1] as usize };
    start..ends[line] as usize
}
