//! Finding the candidates of many lines at a time.
//!
//! A line asks for some twenty keys, each somewhere in many megabytes. One line after the other, nearly every look-up waits
//! for memory; so the keys of a round of lines are looked up rule by rule in the order in which they lie there. Invariant:
//! a line finds the same candidates in any round.

use super::keys::{RecordParts, Side};
use super::{BlockingIndex, LAST_RESORT_MAX, RuleCounts};
use crate::comparison::Measure;
use crate::equal_lines::Asker;
use crate::records::Normalised;

/// A line and a key that it asks for.
type Asked = (u64, u32);

/// A block that a line has found, as far as the register was built with it.
#[derive(Clone, Copy, Debug)]
struct Hit {
    key: u64,
    rule: u16,
    /// Where its entries lie among those of the rule.
    start: u32,
    end: u32,
    /// How many records it has, where these are too many; else 0.
    too_large: usize,
}

/// Keys, and lines, of which what they ask for is brought to hand at one go.
const FETCHED: usize = 64;

/// Lines whose blocks are brought to hand at one go.
const LINES_FETCHED: usize = 8;

/// Brings to hand the places of some lines: those that the register has too lie all over memory.
fn fetch_places(list: &Normalised, lines: impl Iterator<Item = u32> + Clone) {
    for comparison in &list.comparisons {
        if let Measure::Place { column, addresses } = &comparison.measure {
            addresses.fetch(lines.clone().map(|line| list.records.value(*column, line)));
        }
    }
}

/// Some lines and what they have found. Its memory is used again for further rounds.
#[derive(Default)]
pub(crate) struct Round {
    parts: RecordParts,
    keys: Vec<u64>,
    /// For each rule.
    asked: Vec<Vec<Asked>>,
    in_order: Vec<Asked>,
    unsorted: Vec<(u32, Hit)>,
    /// Where buckets start that are brought to hand.
    starts: Vec<u32>,
    /// By line, then rule.
    hits: Vec<Hit>,
    /// For each line, where its hits end.
    ends: Vec<u32>,
    /// Candidates of the line that was asked for last: register row and earliest rule, by ascending row.
    pub(crate) found: Vec<(u32, u16)>,
}

impl Round {
    /// Looks up what the lines ask for.
    pub(crate) fn look_up(
        &mut self,
        index: &BlockingIndex,
        list: &Normalised,
        lines: &[Asker],
        counts: &mut [RuleCounts],
    ) {
        self.asked.resize_with(index.postings.len(), Vec::new);
        self.asked.iter_mut().for_each(Vec::clear);
        for (at, asker) in (0u32..).zip(lines) {
            if (at as usize).is_multiple_of(FETCHED) {
                let next = lines[at as usize..].iter().take(FETCHED);
                fetch_places(list, next.map(|asker| asker.line));
            }
            index.plan.look_up(list, Side::List, asker.line, &mut self.parts);
            for (rule, asked) in self.asked.iter_mut().enumerate() {
                index.plan.keys(&self.parts, rule, &mut self.keys);
                asked.extend(self.keys.iter().map(|&key| (key, at)));
            }
        }
        self.unsorted.clear();
        for (rule, asked) in (0u16..).zip(&mut self.asked) {
            order(asked, &mut self.in_order);
            let counts = &mut counts[usize::from(rule)];
            for asked in asked.chunks(FETCHED) {
                let keys = asked.iter().map(|&(key, _)| key);
                index.postings[usize::from(rule)].fetch(keys, &mut self.starts);
                for &(key, at) in asked {
                    let times = lines[at as usize].times.into();
                    if let Some(hit) = index.hit(key, rule, times, counts) {
                        self.unsorted.push((at, hit));
                    }
                }
            }
            counts.settle();
        }
        self.sort_by_line(lines.len());
    }

    fn sort_by_line(&mut self, lines: usize) {
        let Self { unsorted, hits, ends, .. } = self;
        ends.clear();
        ends.resize(lines, 0);
        unsorted.iter().for_each(|&(at, _)| ends[at as usize] += 1);
        let mut sum = 0;
        for end in &mut *ends {
            // For now where they start: filling them moves it to where they end.
            sum += std::mem::replace(end, sum);
        }
        hits.clear();
        hits.resize(sum as usize, Hit::NONE);
        for &(at, hit) in &*unsorted {
            let place = &mut ends[at as usize];
            hits[*place as usize] = hit;
            *place += 1;
        }
    }

    /// Puts the candidates of a line of the round into [`Self::found`], for so many lines. Whether a block was too large to be compared.
    pub(crate) fn find(
        &mut self,
        index: &BlockingIndex,
        at: usize,
        times: u32,
        counts: &mut [RuleCounts],
    ) -> bool {
        let Self { hits, ends, found, .. } = self;
        let start = if at == 0 { 0 } else { ends[at - 1] };
        if at.is_multiple_of(LINES_FETCHED) {
            let end = ends[ends.len().min(at + LINES_FETCHED) - 1];
            index.fetch(&hits[start as usize..end as usize]);
        }
        let hits = &hits[start as usize..ends[at] as usize];
        found.clear();
        let compared = hits.iter().filter(|hit| hit.too_large == 0);
        compared.for_each(|hit| index.take(hit, found));
        let left_out = hits.iter().filter(|hit| hit.too_large > 0);
        let smallest = left_out.min_by_key(|hit| (hit.too_large, hit.rule, hit.key));
        if let (true, Some(hit)) = (found.is_empty(), smallest)
            && hit.too_large <= LAST_RESORT_MAX
        {
            index.take(hit, found);
        }
        found.sort_unstable();
        found.dedup_by_key(|(row, _)| *row);
        let new = |&(_, rule): &(u32, u16)| counts[usize::from(rule)].new_pairs += u64::from(times);
        found.iter().for_each(new);
        smallest.is_some()
    }
}

impl Hit {
    const NONE: Self = Self { key: 0, rule: 0, start: 0, end: 0, too_large: 0 };
}

impl BlockingIndex {
    /// The block of a key, if anybody is in it; counted for so many lines.
    #[inline]
    fn hit(&self, key: u64, rule: u16, times: u64, counts: &mut RuleCounts) -> Option<Hit> {
        let postings = &self.postings[usize::from(rule)];
        let (start, end) = postings.bounds(key);
        let size = self.size(postings.between(start, end), usize::from(rule), key);
        let hit = Hit { key, rule, start, end, too_large: 0 };
        if size > postings.rule.block_records_max {
            counts.keys_left_out.push(key);
            counts.pairs_left_out += times * size as u64;
            return Some(Hit { too_large: size, ..hit });
        }
        counts.pairs += times * size as u64;
        counts.largest_block = counts.largest_block.max(size as u64);
        (size > 0).then_some(hit)
    }

    /// Brings to hand the first records of some blocks.
    fn fetch(&self, hits: &[Hit]) {
        let first = |hit: &Hit| {
            let end = hit.end.min(hit.start + 1);
            let block = self.postings[usize::from(hit.rule)].between(hit.start, end);
            block.first().copied().unwrap_or(0)
        };
        std::hint::black_box(hits.iter().map(first).fold(0, |seen, entry| seen ^ entry));
    }

    /// Takes the records of a block.
    fn take(&self, hit: &Hit, found: &mut Vec<(u32, u16)>) {
        let Hit { key, rule, start, end, .. } = *hit;
        let built = self.postings[usize::from(rule)].between(start, end);
        if self.overlay.is_empty() {
            found.extend(built.iter().map(|&entry| (super::buckets::record(entry), rule)));
        } else {
            let rows = self.overlay.rows(built, usize::from(rule), key);
            found.extend(rows.map(|row| (row, rule)));
        }
    }
}

/// Fewer are looked up as they come.
const ORDERED_MIN: usize = 1_024;

/// Puts keys in the order of their first bits, as postings lie.
fn order(asked: &mut Vec<Asked>, other: &mut Vec<Asked>) {
    const GROUPS: usize = 1_024;
    if asked.len() < ORDERED_MIN {
        return;
    }
    let group = |key: u64| (key >> (u64::BITS - GROUPS.trailing_zeros())) as usize;
    let mut places = [0usize; GROUPS + 1];
    asked.iter().for_each(|&(key, _)| places[group(key) + 1] += 1);
    for group in 1..places.len() {
        places[group] += places[group - 1];
    }
    other.clear();
    other.resize(asked.len(), (0, 0));
    for &item in &*asked {
        let place = &mut places[group(item.0)];
        other[*place] = item;
        *place += 1;
    }
    std::mem::swap(asked, other);
}
