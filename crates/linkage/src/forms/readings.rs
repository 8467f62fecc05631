//! Readings: how written parts of names are read, as the records of a register show.
//!
//! A bank's list has kana alone, and some records of a register kanji alone: such a line and such a record have no view of
//! a name in common. But the register shows how its people read what they write: of a hundred who are written 裕子, say,
//! sixty are ユウコ and forty ヒロコ. So the reading of the one is held against the known readings of the other, and a name
//! whose reading is not recorded is looked for under the commonest ones.
//! Invariant: what was learned depends on the set of a register's records alone; neither lists nor deltas move it.

use super::NONE;
use super::names::Names;
use super::parts::{Parts, Views};
use crate::records::NameValues;

/// Of those who are written alike, one in so many reads it so: then the reading is usual.
const USUAL_ONE_IN: u64 = 5;

/// From fewer people nobody learns how a name is not read.
const BEARERS_ENOUGH: u64 = 5;

/// Under how many readings a part without one is looked for.
pub(crate) const LOOKED_FOR: usize = 2;

/// Which part of a name: a letter is read in one way in family names and in another in given names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum NamePart {
    Family,
    Given,
}

/// Records that give one view of a name alone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Alone {
    Written,
    Read,
}

/// How the parts of names are read.
#[derive(Debug, Default)]
pub(crate) struct Readings {
    family: OfPart,
    given: OfPart,
}

/// How one part of names is read.
#[derive(Debug, Default)]
struct OfPart {
    /// By the key of what is written, the commonest reading first.
    known: Vec<Reading>,
    /// Where the readings start whose key has these first bits: keys are spread evenly, so few share them.
    directory: Vec<u32>,
    written_alone: bool,
    read_alone: bool,
}

/// One reading of what is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    /// Key under which similar written parts meet: variants of a letter are read alike.
    written: u64,
    /// The reading, in the table of kana parts.
    pub(crate) kana: u32,
    bearers: u32,
    /// Whether many of those who are written so read it so.
    pub(crate) is_usual: bool,
}

impl Readings {
    /// Learns from the names of a register's records.
    pub(crate) fn learn(records: &[NameValues], names: &Names) -> Self {
        Self {
            family: OfPart::learn(records.iter().map(|name| name.family), names),
            given: OfPart::learn(records.iter().map(|name| name.given), names),
        }
    }

    fn of_part(&self, part: NamePart) -> &OfPart {
        match part {
            NamePart::Family => &self.family,
            NamePart::Given => &self.given,
        }
    }

    /// The known readings of a written part, the commonest first.
    pub(crate) fn of(&self, part: NamePart, written: u32, parts: &Parts) -> &[Reading] {
        let key = parts.loose(written);
        let known = self.of_part(part).near(key);
        let start = known.partition_point(|reading| reading.written < key);
        let of_key = known[start..].partition_point(|reading| reading.written == key);
        &known[start..start + of_key]
    }

    /// Whether the register has people of whose names one view is known alone: of any part as written, of family names
    /// as read.
    pub(crate) fn has(&self, alone: Alone) -> bool {
        let Self { family, given } = self;
        match alone {
            _ if family.known.is_empty() && given.known.is_empty() => false,
            Alone::Written => family.written_alone || given.written_alone,
            Alone::Read => family.read_alone,
        }
    }
}

/// Whether readings come from enough people to say how a part is not read.
pub(crate) fn are_enough(readings: &[Reading]) -> bool {
    bearers(readings) >= BEARERS_ENOUGH
}

fn bearers(readings: &[Reading]) -> u64 {
    readings.iter().map(|reading| u64::from(reading.bearers)).sum()
}

impl OfPart {
    /// The readings under this key, and some under others.
    fn near(&self, key: u64) -> &[Reading] {
        let Some(shift) = self.shift() else {
            return &self.known;
        };
        let group = (key >> shift) as usize;
        let (start, end) = (self.directory[group], self.directory[group + 1]);
        &self.known[start as usize..end as usize]
    }

    /// How far a key is shifted to leave the bits by which the directory goes; nothing where there is none.
    fn shift(&self) -> Option<u32> {
        let groups = self.directory.len().checked_sub(1)?;
        Some(u64::BITS - groups.trailing_zeros())
    }

    fn make_directory(&mut self) {
        let groups = self.known.len().next_power_of_two().max(2);
        let shift = u64::BITS - groups.trailing_zeros();
        let mut counts = vec![0u32; groups + 1];
        self.known.iter().for_each(|known| counts[(known.written >> shift) as usize + 1] += 1);
        for group in 1..counts.len() {
            counts[group] += counts[group - 1];
        }
        self.directory = counts;
    }

    /// Learns from the values of one part, in any order.
    fn learn(values: impl Iterator<Item = u32>, names: &Names) -> Self {
        let mut counts: Vec<u32> = Vec::new();
        for value in values.filter(|&value| value != NONE) {
            let at = value as usize;
            if counts.len() <= at {
                counts.resize(at + 1, 0);
            }
            counts[at] += 1;
        }
        let mut learned = Self::default();
        for (value, &bearers) in (0u32..).zip(&counts).filter(|(_, count)| **count > 0) {
            match names.joint.views(value) {
                Views { written: NONE, .. } => learned.read_alone = true,
                Views { kana: NONE, .. } => learned.written_alone = true,
                Views { written, kana } => {
                    let written = names.written_parts.loose(written);
                    learned.known.push(Reading { written, kana, bearers, is_usual: false });
                }
            }
        }
        learned.settle(&names.kana_parts);
        learned
    }

    /// Puts equal readings together, and the commonest first.
    fn settle(&mut self, kana: &Parts) {
        let known = &mut self.known;
        known.sort_unstable_by_key(|reading| (reading.written, reading.kana));
        known.dedup_by(|next, kept| {
            let same = (next.written, next.kana) == (kept.written, kept.kana);
            kept.bearers += if same { next.bearers } else { 0 };
            same
        });
        // By text, since numbers follow the order of the records.
        known.sort_unstable_by(|a, b| {
            (a.written, b.bearers)
                .cmp(&(b.written, a.bearers))
                .then_with(|| kana.text(a.kana).cmp(kana.text(b.kana)))
        });
        for alike in known.chunk_by_mut(|a, b| a.written == b.written) {
            let all = bearers(alike);
            for reading in alike {
                reading.is_usual = u64::from(reading.bearers) * USUAL_ONE_IN >= all;
            }
        }
        known.shrink_to_fit();
        self.make_directory();
    }
}
