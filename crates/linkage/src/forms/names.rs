//! Whole names, and how they fall into family and given name.
//!
//! A register writes a space between the two; lists often do not. Where it is missing, the split is learned from the
//! names that have one, in either file. Invariant: the split of a name depends on the set of names alone, never on
//! their order.

use hashbrown::HashMap;
use renkei_japanese::kana::{is_kana, kana_exact, kana_fuzzy};
use renkei_japanese::kanji;
use renkei_japanese::name::{Forms, KanaName, Script, WILDCARD, WrittenName};

use super::parts::{JointParts, Parts, Views};
use super::{NONE, beginning, normalise};
use crate::hash::{self, Seeded};
use crate::intern::Interner;
use crate::records::NameValues;

/// A distinct name of one view, before its split is settled.
#[derive(Clone, Copy, Debug)]
struct Name {
    /// Text without spaces, in the interner of its view.
    text: u32,
    /// Byte offset of the given name, or [`NONE`] where no space told.
    split: u32,
    /// Key of the words in alphabetical order, 0 where it is no Latin name of several words.
    words: u64,
}

/// What the engine knows of one distinct name, once all names have been read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SettledName {
    pub(crate) family: u32,
    pub(crate) given: u32,
    /// Key of the whole name, under which similar names meet.
    pub(crate) full: u64,
    /// The same with family and given name exchanged.
    pub(crate) exchanged: u64,
    /// Key of the words in alphabetical order, 0 where that says nothing.
    pub(crate) words: u64,
    /// The whole as a family name, where it looks like one; else [`NONE`].
    undivided: u32,
}

/// Names of one view (as written, or as read): distinct texts and where they split.
#[derive(Debug, Default)]
struct View {
    texts: Interner,
    names: Vec<Name>,
    by_key: HashMap<(u32, u32), u32, Seeded>,
}

impl View {
    fn insert(&mut self, text: &str, split: Option<usize>, words: u64) -> u32 {
        if text.is_empty() {
            return NONE;
        }
        let (text, _) = self.texts.intern(text);
        let split = split.and_then(|at| u32::try_from(at).ok()).unwrap_or(NONE);
        let names = &mut self.names;
        *self.by_key.entry((text, split)).or_insert_with(|| {
            names.push(Name { text, split, words });
            u32::try_from(names.len() - 1).expect("fewer than 2^32 distinct names")
        })
    }

    fn halves(&self, name: Name) -> Option<(&str, &str)> {
        (name.split != NONE).then(|| self.texts.get(name.text).split_at(name.split as usize))
    }

    fn settle(
        &self,
        mut part: impl FnMut(&str) -> u32,
        loose: impl Fn(&str) -> String,
    ) -> Vec<SettledName> {
        let halves = Halves::learn(self);
        let settle = |&name: &Name| {
            let text = self.texts.get(name.text);
            let at = if name.split == NONE { halves.split(text) } else { name.split as usize };
            let (family, given) = text.split_at(at);
            SettledName {
                family: part(family),
                given: part(given),
                full: hash::text(&loose(text)),
                exchanged: hash::text(&loose(&format!("{given}{family}"))),
                words: name.words,
                undivided: if name.split == NONE && halves.is_family(text) {
                    part(text)
                } else {
                    NONE
                },
            }
        };
        self.names.iter().map(settle).collect()
    }
}

/// All names of a job while they are being read.
#[derive(Debug, Default)]
pub(crate) struct NameReader {
    written: View,
    kana: View,
}

impl NameReader {
    /// The name of each distinct text of a column of names as written.
    pub(crate) fn written(&mut self, raw: &Interner) -> Vec<u32> {
        normalise(
            raw,
            |text| WrittenName::read(beginning(text)),
            |name| {
                name.map_or(NONE, |name| {
                    self.written.insert(&name.full, name.split, word_key(&name))
                })
            },
        )
    }

    /// The same for a column whose values may hold further names in brackets: also the further names, by distinct text.
    pub(crate) fn written_with_others(&mut self, raw: &Interner) -> (Vec<u32>, Vec<(u32, u32)>) {
        let mut others = Vec::new();
        let mut at = 0u32;
        let read = |text: &str| {
            let text = beginning(text);
            let further: Vec<WrittenName> = Forms::read(text)
                .others
                .iter()
                .filter_map(|form| WrittenName::read(form.text))
                .collect();
            (WrittenName::read(text), further)
        };
        let mut insert =
            |name: &WrittenName| self.written.insert(&name.full, name.split, word_key(name));
        let forms = normalise(raw, read, |(name, further)| {
            others.extend(further.iter().map(|other| (at, insert(other))));
            at += 1;
            name.map_or(NONE, |name| insert(&name))
        });
        (forms, others)
    }

    /// The name of each distinct text of a column of names as read.
    pub(crate) fn kana(&mut self, raw: &Interner) -> Vec<u32> {
        normalise(
            raw,
            |text| KanaName::read(beginning(text)),
            |name| name.map_or(NONE, |name| self.kana.insert(&name.exact, name.split_exact, 0)),
        )
    }

    /// Settles every split, once no more names will come.
    pub(crate) fn settle(self) -> Names {
        let mut written_parts = Parts::default();
        let mut kana_parts = Parts::default();
        let written =
            self.written.settle(|part| intern_written(part, &mut written_parts), fold_weak);
        let kana = self.kana.settle(|part| kana_parts.intern(part, kana_fuzzy), kana_fuzzy);
        Names { written, kana, written_parts, kana_parts, joint: JointParts::default() }
    }
}

/// All distinct names of a job.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) written: Vec<SettledName>,
    pub(crate) kana: Vec<SettledName>,
    pub(crate) written_parts: Parts,
    pub(crate) kana_parts: Parts,
    /// Family and given names in both views.
    pub(crate) joint: JointParts,
}

impl Names {
    /// Family and given name of a whole name in both views.
    pub(crate) fn join(&mut self, written: u32, kana: u32) -> (u32, u32) {
        let halves = |table: &[SettledName], id: u32| {
            table.get(id as usize).map_or((NONE, NONE), |name| (name.family, name.given))
        };
        let (written_family, written_given) = halves(&self.written, written);
        let (kana_family, kana_given) = halves(&self.kana, kana);
        (self.join_part(written_family, kana_family), self.join_part(written_given, kana_given))
    }

    /// One part in both views. A part written in kana is its own reading: it says nothing about the kanji.
    pub(crate) fn join_part(&mut self, written: u32, kana: u32) -> u32 {
        if written == NONE || !self.written_parts.text(written).chars().all(is_kana) {
            return self.joint.intern(Views { written, kana });
        }
        let reading = kana_exact(self.written_parts.text(written));
        let kana = if kana == NONE { self.kana_parts.intern(&reading, kana_fuzzy) } else { kana };
        self.joint.intern(Views { written: NONE, kana })
    }

    /// The reading of a part in both views.
    pub(crate) fn kana_of(&self, joint: u32) -> u32 {
        self.joint.views(joint).kana
    }

    /// Another name of a person: a whole name, which may be read as `kana`, or a former family name that goes with the
    /// present given name and whose reading is not recorded.
    pub(crate) fn other_name(&mut self, written: u32, kana: u32, own: NameValues) -> NameValues {
        let family = self.written[written as usize].undivided;
        if family == NONE {
            let (family, given) = self.join(written, kana);
            return NameValues { written, kana, family, given };
        }
        NameValues { family: self.join_part(family, NONE), ..own }
    }

    /// A column of family names alone or given names alone.
    pub(crate) fn written_part_column(&mut self, raw: &Interner) -> Vec<u32> {
        let parts = &mut self.written_parts;
        normalise(
            raw,
            |text| WrittenName::read(beginning(text)),
            |name| name.map_or(NONE, |name| intern_written(&name.full, parts)),
        )
    }
}

/// A part made of nothing but lost letters is no part.
fn intern_written(text: &str, parts: &mut Parts) -> u32 {
    if text.chars().all(|c| c == WILDCARD) { NONE } else { parts.intern(text, fold_weak) }
}

/// The text under which weak variants (斎/斉) meet: for finding candidates only.
fn fold_weak(text: &str) -> String {
    text.chars().map(kanji::fold_weak).collect()
}

fn word_key(name: &WrittenName) -> u64 {
    let mut words: Vec<&str> = name.tokens().collect();
    if words.len() < 2 || name.script != Script::Latin {
        return 0;
    }
    words.sort_unstable();
    words.iter().fold(1, |key, word| hash::mix(key, hash::text(word)))
}

/// Family and given names of the names that have a space, with how many distinct names carry each.
struct Halves<'a> {
    families: HashMap<&'a str, u32, Seeded>,
    givens: HashMap<&'a str, u32, Seeded>,
}

impl<'a> Halves<'a> {
    fn learn(view: &'a View) -> Self {
        let mut families = HashMap::with_hasher(Seeded::default());
        let mut givens = HashMap::with_hasher(Seeded::default());
        for (family, given) in view.names.iter().filter_map(|&name| view.halves(name)) {
            *families.entry(family).or_insert(0) += 1;
            *givens.entry(given).or_insert(0) += 1;
        }
        Self { families, givens }
    }

    /// Whether a text without a space is a family name alone: a known one, or one too short to be more.
    fn is_family(&self, text: &str) -> bool {
        self.families.contains_key(text) || text.chars().count() <= 3
    }

    fn without_known_halves(&self, text: &str) -> usize {
        if self.families.contains_key(text) { text.len() } else { default_split(text) }
    }

    /// Where the given name starts in a name without a space: the cut whose halves are best known, family first;
    /// where neither half is known, after two letters, the most common length of a family name.
    fn split(&self, text: &str) -> usize {
        let known = |table: &HashMap<&str, u32, Seeded>, half: &str| {
            table.get(half).map_or(0, |&count| 32 - count.leading_zeros())
        };
        let score = |at: usize| {
            let (family, given) = text.split_at(at);
            let (family, given) = (known(&self.families, family), known(&self.givens, given));
            let both = if family > 0 && given > 0 { BOTH_KNOWN } else { 0 };
            both + 2 * family + given
        };
        let cuts = text.char_indices().map(|(at, _)| at).skip(1).take(FAMILY_LETTERS_MAX);
        cuts.map(|at| (score(at), at))
            .filter(|(score, _)| *score > 0)
            .max_by_key(|&(score, at)| (score, std::cmp::Reverse(at)))
            // A family name whose given name was cut off stays whole, unless both halves of it are names too.
            .filter(|&(score, _)| score >= BOTH_KNOWN || !self.families.contains_key(text))
            .map_or_else(|| self.without_known_halves(text), |(_, at)| at)
    }
}

/// Above what the better known half of a name can score alone.
const BOTH_KNOWN: u32 = 128;

/// Longer family names are split where a space says so.
const FAMILY_LETTERS_MAX: usize = 20;

fn default_split(text: &str) -> usize {
    let letters = text.chars().count();
    let family = if text.chars().all(is_kana) { letters / 2 } else { (letters / 2).min(2) };
    text.char_indices().nth(family.max(1)).map_or(text.len(), |(at, _)| at)
}
