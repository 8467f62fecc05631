//! Finding the candidates of many lines at a time.
//!
//! A line asks for some twenty keys, each somewhere in many megabytes. One line after the other, nearly every look-up waits
//! for memory; so the keys of a round of lines are looked up rule by rule in the order in which they lie there. Invariant:
//! a line finds the same candidates in any round.

use super::first_found::{Block, FirstFound, Known};
use super::keys::{FETCHED, RecordParts, Side, fetch_places};
use super::rules::Shown;
use super::turns::{Asks, Turn};
use super::{BlockingIndex, LAST_RESORT_MAX, RuleCounts};
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

/// Lines whose blocks are brought to hand at one go.
const LINES_FETCHED: usize = 8;

/// Some lines and what they have found. Its memory is used again for further rounds.
#[derive(Default)]
pub(crate) struct Round {
    asks: Asks,
    parts: RecordParts,
    keys: Vec<u64>,
    /// For each rule.
    asked: Vec<Vec<Asked>>,
    in_order: Vec<Asked>,
    unsorted: Vec<(u32, Hit)>,
    /// For each line, how many of the rules asked last it has a key for.
    asks_of: Vec<u32>,
    /// The lines of the round.
    lines: Vec<u32>,
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
    /// A round in which every rule is asked.
    pub(crate) fn asking_every_rule() -> Self {
        Self { asks: Asks::EveryRule, ..Self::default() }
    }

    /// Looks up what the lines ask for.
    pub(crate) fn look_up(
        &mut self,
        index: &BlockingIndex,
        list: &Normalised,
        lines: &[Asker],
        counts: &mut [RuleCounts],
    ) {
        let (first, later) = index.turns.of_line(self.asks);
        let (mut asking, mut unsettled) = (Vec::new(), Vec::new());
        self.lines.clear();
        self.unsorted.clear();
        for (at, &asker) in (0u32..).zip(lines) {
            self.lines.push(asker.line);
            match self.known(index, asker.line) {
                None => asking.push(at),
                Some(known) => {
                    known.blocks.iter().for_each(|block| block.count(asker.times, counts));
                    unsettled.extend((!known.is_settled).then_some(at));
                }
            }
        }
        self.ask(index, list, lines, (first, &asking), counts);
        self.sort_by_line();
        if let Some(later) = later {
            asking.retain(|&at| !self.is_settled(index, list, at as usize));
            unsettled.extend_from_slice(&asking);
            self.ask(index, list, lines, (later, &unsettled), counts);
            self.sort_by_line();
        }
    }

    /// Looks up what the lines ask for first, and adds it to `found`.
    pub(super) fn look_first(
        &mut self,
        index: &BlockingIndex,
        list: &Normalised,
        lines: &[Asker],
        found: &mut FirstFound,
    ) {
        self.ask_first(index, list, lines);
        for at in 0..lines.len() {
            if !FirstFound::keeps(self.hits(at).iter().map(Hit::records).sum()) {
                found.push_unknown();
                continue;
            }
            let is_settled = self.is_settled(index, list, at);
            self.take(index, at);
            self.found.sort_unstable();
            self.found.dedup_by_key(|(row, _)| *row);
            found.push(is_settled, &self.found, self.hits(at).iter().map(Hit::block));
        }
    }

    /// Whether a line is settled before it has asked every rule.
    pub(super) fn settles(&mut self, index: &BlockingIndex, list: &Normalised, line: u32) -> bool {
        if index.turns.of_line(self.asks).1.is_none() {
            return false;
        }
        self.ask_first(index, list, &[line.into()]);
        self.is_settled(index, list, 0)
    }

    /// Looks up what all lines ask for first.
    fn ask_first(&mut self, index: &BlockingIndex, list: &Normalised, lines: &[Asker]) {
        let (first, _) = index.turns.of_line(self.asks);
        let everybody = 0..u32::try_from(lines.len()).expect("fewer than 2^32 lines");
        let everybody: Vec<u32> = everybody.collect();
        let mut counts = vec![RuleCounts::default(); index.postings.len()];
        self.lines.clear();
        self.lines.extend(lines.iter().map(|asker| asker.line));
        self.unsorted.clear();
        self.ask(index, list, lines, (first, &everybody), &mut counts);
        self.sort_by_line();
    }

    /// What is known of a line that has been asked for before.
    fn known<'a>(&self, index: &'a BlockingIndex, line: u32) -> Option<Known<'a>> {
        index.first_found.as_ref().filter(|_| self.asks == Asks::UntilSettled)?.of_line(line)
    }

    /// Looks up what some of the lines ask for by some of the rules.
    fn ask(
        &mut self,
        index: &BlockingIndex,
        list: &Normalised,
        lines: &[Asker],
        (turn, asking): (&Turn, &[u32]),
        counts: &mut [RuleCounts],
    ) {
        self.asked.resize_with(turn.rules.len(), Vec::new);
        self.asked.iter_mut().for_each(Vec::clear);
        self.asks_of.clear();
        self.asks_of.resize(lines.len(), 0);
        let line = |at: u32| lines[at as usize].line;
        for asking in asking.chunks(FETCHED) {
            fetch_places(list, asking.iter().map(|&at| line(at)));
            for &at in asking {
                turn.plan.look_up(list, Side::List, line(at), &mut self.parts);
                for (rule, asked) in self.asked.iter_mut().enumerate() {
                    turn.plan.keys(&self.parts, rule, &mut self.keys);
                    self.asks_of[at as usize] += u32::from(!self.keys.is_empty());
                    asked.extend(self.keys.iter().map(|&key| (key, at)));
                }
            }
        }
        for (&rule, asked) in turn.rules.iter().zip(&mut self.asked) {
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
    }

    /// Whether some resident is found by every rule that a line has asked just now, and these are enough to ask no more.
    fn is_settled(&mut self, index: &BlockingIndex, list: &Normalised, at: usize) -> bool {
        let shown = self.hits(at).iter().map(|hit| index.turns.shown(hit.rule));
        if !shown.fold(Shown::NOTHING, Shown::and).is_enough()
            || !list.records.other_names(self.lines[at]).is_empty()
        {
            return false;
        }
        self.take(index, at);
        self.found.sort_unstable();
        self.found.dedup();
        let asked = self.asks_of[at] as usize;
        self.found.chunk_by(|one, other| one.0 == other.0).any(|rules| rules.len() == asked)
    }

    /// Puts the records of the blocks of a line into [`Self::found`], those of blocks that are too large left out.
    fn take(&mut self, index: &BlockingIndex, at: usize) {
        let Self { hits: all, ends, found, .. } = self;
        let hits = of_line(all, ends, at);
        if at.is_multiple_of(LINES_FETCHED) {
            let last = ends.len().min(at + LINES_FETCHED) - 1;
            index.fetch(&all[start(ends, at)..ends[last] as usize]);
        }
        found.clear();
        hits.iter().filter(|hit| hit.too_large == 0).for_each(|hit| index.take(hit, found));
    }

    fn hits(&self, at: usize) -> &[Hit] {
        of_line(&self.hits, &self.ends, at)
    }

    fn sort_by_line(&mut self) {
        let Self { unsorted, hits, ends, lines, .. } = self;
        ends.clear();
        ends.resize(lines.len(), 0);
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
        self.take(index, at);
        if let Some(known) = self.known(index, self.lines[at]) {
            self.found.extend_from_slice(known.residents);
        }
        let left_out = self.hits(at).iter().filter(|hit| hit.too_large > 0);
        let smallest = left_out.min_by_key(|hit| (hit.too_large, hit.rule, hit.key)).copied();
        if let (true, Some(hit)) = (self.found.is_empty(), smallest)
            && hit.too_large <= LAST_RESORT_MAX
        {
            index.take(&hit, &mut self.found);
        }
        self.found.sort_unstable();
        self.found.dedup_by_key(|(row, _)| *row);
        let new = |&(_, rule): &(u32, u16)| counts[usize::from(rule)].new_pairs += u64::from(times);
        self.found.iter().for_each(new);
        smallest.is_some()
    }
}

/// Where the hits of a line start.
fn start(ends: &[u32], at: usize) -> usize {
    if at == 0 { 0 } else { ends[at - 1] as usize }
}

/// The hits of a line.
fn of_line<'a>(hits: &'a [Hit], ends: &[u32], at: usize) -> &'a [Hit] {
    &hits[start(ends, at)..ends[at] as usize]
}

impl Hit {
    const NONE: Self = Self { key: 0, rule: 0, start: 0, end: 0, too_large: 0 };

    /// How many records the register was built with.
    fn records(&self) -> usize {
        (self.end - self.start) as usize
    }

    /// What there is to count of it, if it is not too large.
    fn block(&self) -> Option<Block> {
        Block::new(self.rule, self.records()).filter(|_| self.too_large == 0)
    }
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
        counts.met(times, size as u64);
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
