//! Names of one view (as written, or as read) while a side is sealed: columns of texts become columns of parts.
//!
//! Nearly every name of a register is two plain halves with a space between. Each half is read once, and such a name is
//! never looked at as a whole. All others are read as wholes, once each; where no space divides them, the split is learned
//! from those that have one. Invariant: the two ways of reading give a name the same parts and keys.

use hashbrown::HashMap;

use super::halves::Halves;
use super::pairs::each_once_in_order;
use super::parts::Parts;
use super::{NONE, each_once};
use crate::hash::{self, Seeded, Spelling};
use crate::intake::RawColumn;
use crate::intern::{Interner, TextArena};

/// A whole name before its split is settled.
#[derive(Clone, Copy, Debug)]
struct Name {
    /// Text without spaces, in the interner of its view.
    text: u32,
    /// Byte offset of the given name, or [`NONE`] where no space told.
    split: u32,
    /// Key of the words in alphabetical order, 0 where it is no Latin name of several words.
    words: u64,
}

/// A name as its reader gives it: text without spaces, where a space stood, and the key of its words.
pub(super) struct ReadName {
    pub(super) text: String,
    pub(super) split: Option<usize>,
    pub(super) words: u64,
}

/// How the texts of a view are read.
pub(super) trait Reading: Copy + Sync {
    /// The key of half a name, where it can be read alone.
    fn half(self, text: &str) -> Option<String>;

    /// A whole name, and further names that stand in brackets behind it; nothing where the text says nothing.
    fn whole(self, text: &str) -> (Option<ReadName>, Vec<ReadName>);

    /// The id of a part.
    fn part(self, text: &str, parts: &mut Parts) -> u32;

    /// The id of a half that only shows where the other stands.
    fn half_part(self, text: &str, parts: &mut Parts) -> u32;

    /// The text under which similar names meet.
    fn loose(self, text: &str) -> String;

    /// Whether the loose text of a name is more than those of its parts, one behind the other.
    fn is_loose_as_a_whole(self, text: &str) -> bool;
}

/// What stands in each row of a column of names.
#[derive(Debug)]
pub(crate) struct NameColumn {
    /// First halves, or whole names where there is no second half.
    first: Vec<u32>,
    second: Vec<u32>,
    /// For each whole text of the column: its name.
    wholes: Vec<u32>,
    /// Further names of whole texts, by these.
    others: Vec<(u32, u32)>,
}

/// A name of a row before its parts are known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Cell {
    None,
    Whole(u32),
    Halves(u32, u32),
}

impl NameColumn {
    pub(crate) fn cell(&self, row: usize) -> Cell {
        match (self.first.get(row), self.second.get(row)) {
            (Some(&first), Some(&second)) if second != NONE => Cell::Halves(first, second),
            (Some(&first), _) => match self.wholes.get(first as usize) {
                Some(&name) if name != NONE => Cell::Whole(name),
                _ => Cell::None,
            },
            _ => Cell::None,
        }
    }

    /// The rows whose text holds further names, with these.
    pub(crate) fn others(&self) -> impl Iterator<Item = (usize, Cell)> + '_ {
        let rows = if self.others.is_empty() { 0 } else { self.first.len() };
        (0..rows).filter(|&row| self.second[row] == NONE).flat_map(|row| {
            let text = self.first[row];
            let start = self.others.partition_point(|(of, _)| *of < text);
            let of_text = self.others[start..].iter().take_while(move |(of, _)| *of == text);
            of_text.map(move |&(_, name)| (row, Cell::Whole(name)))
        })
    }
}

/// The names of one view that have been read so far.
#[derive(Debug, Default)]
pub(super) struct View {
    texts: Interner,
    names: Vec<Name>,
    by_key: HashMap<(u32, u32), u32, Seeded>,
    /// Keys of halves.
    halves: Interner,
    /// Pairs of halves that make a name, each once.
    divided: Vec<(u32, u32)>,
}

impl View {
    /// Reads a column, whose texts it takes. `learns` says whether the names will serve to split others.
    pub(super) fn read(
        &mut self,
        reading: impl Reading,
        raw: &mut RawColumn,
        learns: bool,
    ) -> NameColumn {
        let RawColumn { values, rows: mut first, rest: mut second, .. } = std::mem::take(raw);
        second.resize(first.len(), NONE);
        let halves = self.read_halves(reading, &values, &first, &second);
        let known = |raw: u32| halves.get(raw as usize).copied().unwrap_or(NONE);
        let mut texts = TextArena::default();
        let mut undivided = vec![NONE; values.len()];
        let mut divided: HashMap<(u32, u32), u32, Seeded> = HashMap::default();
        for (first, second) in first.iter_mut().zip(&mut second) {
            let raw = (*first, *second);
            match raw {
                (NONE, _) => {}
                (whole, NONE) => {
                    let text = &mut undivided[whole as usize];
                    if *text == NONE {
                        *text = texts.push(values.get(whole));
                    }
                    *first = *text;
                }
                (one, other) if known(one) != NONE && known(other) != NONE => {
                    (*first, *second) = (known(one), known(other));
                }
                (one, other) => {
                    let text = || texts.push_joined(values.get(one), values.get(other));
                    (*first, *second) = (*divided.entry(raw).or_insert_with(text), NONE);
                }
            }
        }
        if learns {
            let pairs = first.iter().copied().zip(second.iter().copied());
            let pairs = pairs.filter(|(_, second)| *second != NONE);
            let pairs = self.divided.iter().copied().chain(pairs);
            self.divided = each_once_in_order(self.halves.len(), pairs);
        }
        let mut others = Vec::new();
        let mut at = 0u32;
        let wholes = each_once(
            texts.len(),
            |text| reading.whole(texts.get(text)),
            |(name, further)| {
                let further = further.iter().map(|name| (at, self.insert(name)));
                others.extend(further.filter(|(_, name)| *name != NONE));
                at += 1;
                name.map_or(NONE, |name| self.insert(&name))
            },
        );
        NameColumn { first, second, wholes, others }
    }

    /// For each text, its number as a half; [`NONE`] where it is none, or cannot be read alone.
    fn read_halves(
        &mut self,
        reading: impl Reading,
        values: &Interner,
        first: &[u32],
        second: &[u32],
    ) -> Vec<u32> {
        let mut is_half = vec![false; values.len()];
        for (&first, &second) in first.iter().zip(second).filter(|(_, second)| **second != NONE) {
            (is_half[first as usize], is_half[second as usize]) = (true, true);
        }
        let key = |(is_half, text): (bool, &str)| {
            let key = if is_half { reading.half(text) } else { None };
            key.map_or(NONE, |key| self.halves.intern(&key).0)
        };
        is_half.into_iter().zip(values.iter()).map(key).collect()
    }

    fn insert(&mut self, name: &ReadName) -> u32 {
        if name.text.is_empty() {
            return NONE;
        }
        let (text, _) = self.texts.intern(&name.text);
        let split = name.split.and_then(|at| u32::try_from(at).ok()).unwrap_or(NONE);
        let names = &mut self.names;
        *self.by_key.entry((text, split)).or_insert_with(|| {
            names.push(Name { text, split, words: name.words });
            u32::try_from(names.len() - 1).expect("fewer than 2^32 distinct names")
        })
    }

    /// Counts the halves of the names that have a space and are not among the known ones, on top of these. A half of
    /// lost letters alone is counted too, though it is no part: it shows where the others stand.
    pub(super) fn learn(&self, reading: impl Reading, known: &Halves, parts: &mut Parts) -> Halves {
        let of_half: Vec<u32> =
            self.halves.iter().map(|text| reading.half_part(text, parts)).collect();
        let divided = self.names.iter().filter(|name| name.split != NONE);
        let in_one_piece: Vec<(u32, u32)> = divided
            .map(|name| {
                let (family, given) = self.texts.get(name.text).split_at(name.split as usize);
                (reading.half_part(family, parts), reading.half_part(given, parts))
            })
            .collect();
        let part = |half: u32| of_half[half as usize];
        let in_halves = self.divided.iter().map(|&(first, second)| (part(first), part(second)));
        let names = in_halves.chain(in_one_piece.iter().copied());
        known.with(each_once_in_order(parts.len(), names))
    }

    /// The parts of every half and of every whole name.
    pub(super) fn settle(
        self,
        reading: impl Reading,
        halves: &Halves,
        parts: &mut Parts,
    ) -> (Settled, Vec<WholeName>) {
        let of_halves = self.halves.iter().map(|text| reading.part(text, parts)).collect();
        let mut of_wholes = Vec::with_capacity(self.names.len());
        let mut keys = Vec::with_capacity(self.names.len());
        for name in &self.names {
            let text = self.texts.get(name.text);
            let divided = name.split != NONE;
            let at = if divided { name.split as usize } else { halves.split(text, parts) };
            let is_family = !divided && halves.is_family(text, parts);
            let (family, given) = text.split_at(at);
            of_wholes.push(SettledName {
                family: reading.part(family, parts),
                given: reading.part(given, parts),
                undivided: if is_family { reading.part(text, parts) } else { NONE },
            });
            keys.push(if reading.is_loose_as_a_whole(text) {
                let loose = |text: &str| Spelling::of(&reading.loose(text)).key();
                WholeName { full: loose(text), exchanged: loose(&format!("{given}{family}")) }
            } else {
                let loose = |text: &str| Spelling::of(&reading.loose(text));
                WholeName::of_halves(loose(family), loose(given))
            });
        }
        (Settled { of_halves, of_wholes }, keys)
    }

    /// Keys of the words of Latin names, by whole name.
    pub(super) fn words(&self) -> HashMap<u32, u64, Seeded> {
        let names = (0u32..).zip(&self.names);
        names.filter(|(_, name)| name.words != 0).map(|(id, name)| (id, name.words)).collect()
    }
}

/// The parts of the names of a view.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    of_halves: Vec<u32>,
    of_wholes: Vec<SettledName>,
}

/// A name with its parts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parted {
    /// The whole name where it was read as one, else [`NONE`].
    pub(crate) whole: u32,
    pub(crate) family: u32,
    pub(crate) given: u32,
    /// The whole as a family name, where it looks like one; else [`NONE`].
    pub(crate) undivided: u32,
}

/// A whole name whose split is settled.
#[derive(Clone, Copy, Debug)]
struct SettledName {
    family: u32,
    given: u32,
    undivided: u32,
}

impl Settled {
    pub(crate) fn parted(&self, cell: Cell) -> Parted {
        let part = |half: u32| self.of_halves.get(half as usize).copied().unwrap_or(NONE);
        match cell {
            Cell::Halves(first, second) => {
                Parted { family: part(first), given: part(second), ..Parted::NONE }
            }
            Cell::Whole(whole) => {
                let SettledName { family, given, undivided } = self.of_wholes[whole as usize];
                Parted { whole, family, given, undivided }
            }
            Cell::None => Parted::NONE,
        }
    }
}

impl Parted {
    pub(crate) const NONE: Self = Self { whole: NONE, family: NONE, given: NONE, undivided: NONE };

    /// Whether there is no name.
    pub(crate) fn is_none(self) -> bool {
        self.whole == NONE && self.family == NONE && self.given == NONE
    }
}

/// Keys of a whole name, under which similar names meet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WholeName {
    pub(crate) full: u64,
    /// The same with family and given name exchanged.
    pub(crate) exchanged: u64,
}

impl WholeName {
    /// From the loose texts of its halves.
    pub(crate) fn of_halves(family: Spelling, given: Spelling) -> Self {
        Self { full: family.then(given).key(), exchanged: given.then(family).key() }
    }
}

/// The key of some words in any order.
pub(super) fn word_key(mut words: Vec<&str>) -> u64 {
    words.sort_unstable();
    words.iter().fold(1, |key, word| hash::mix(key, hash::text(word)))
}
