//! Whole names, and how they fall into family and given name.
//!
//! A register writes a space between the two; lists often do not. Where it is missing, the split is learned from the
//! names that have one: those of the register, and those of the list where its lines may help each other. Invariant: the
//! split of a name depends on the sets of names alone, never on their order; and unless lines help each other, a line is
//! read alike in a list and alone.

use std::sync::Arc;

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

/// A distinct name whose split is settled.
#[derive(Clone, Copy, Debug)]
struct SettledName {
    family: u32,
    given: u32,
    /// The whole as a family name, where it looks like one; else [`NONE`].
    undivided: u32,
}

/// Keys of a distinct whole name, under which similar names meet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WholeName {
    pub(crate) full: u64,
    /// The same with family and given name exchanged.
    pub(crate) exchanged: u64,
}

/// The whole names of one side.
#[derive(Debug, Default)]
pub(crate) struct WholeNames {
    pub(crate) written: Vec<WholeName>,
    pub(crate) kana: Vec<WholeName>,
    /// Of Latin names as written: key of the words in alphabetical order.
    words: HashMap<u32, u64, Seeded>,
}

impl WholeNames {
    /// Key of the words of a name in alphabetical order, where it is a Latin name of several words.
    pub(crate) fn words(&self, written: u32) -> Option<u64> {
        if self.words.is_empty() { None } else { self.words.get(&written).copied() }
    }

    /// Gives up what serves to find a name; what serves to compare it stays.
    pub(crate) fn forget_keys(&mut self) {
        (self.written, self.kana) = (Vec::new(), Vec::new());
    }
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

    /// Counts the halves of the names that have a space and are not among the known ones, on top of these. A half of
    /// lost letters alone is counted too, though it is no part: it shows where the others stand.
    fn learn(
        &self,
        known: &Halves,
        parts: &mut Parts,
        part: impl Fn(&str, &mut Parts) -> u32,
    ) -> Halves {
        let (families, givens) = (known.families.clone(), known.givens.clone());
        let mut halves = Halves { families, givens, names: Vec::new() };
        for name in self.names.iter().filter(|name| name.split != NONE) {
            let text = self.texts.get(name.text);
            let key = hash::mix(hash::text(text), u64::from(name.split));
            if known.names.binary_search(&key).is_err() {
                let (family, given) = text.split_at(name.split as usize);
                Halves::count(&mut halves.families, part(family, parts));
                Halves::count(&mut halves.givens, part(given, parts));
                halves.names.push(key);
            }
        }
        halves.names.sort_unstable();
        halves
    }

    fn settle(
        self,
        halves: &Halves,
        parts: &mut Parts,
        part: impl Fn(&str, &mut Parts) -> u32,
        loose: impl Fn(&str) -> String,
    ) -> (Vec<SettledName>, Vec<WholeName>) {
        let mut settled = Vec::with_capacity(self.names.len());
        let mut wholes = Vec::with_capacity(self.names.len());
        for name in &self.names {
            let text = self.texts.get(name.text);
            let divided = name.split != NONE;
            let at = if divided { name.split as usize } else { halves.split(text, parts) };
            let is_family = !divided && halves.is_family(text, parts);
            let (family, given) = text.split_at(at);
            settled.push(SettledName {
                family: part(family, parts),
                given: part(given, parts),
                undivided: if is_family { part(text, parts) } else { NONE },
            });
            wholes.push(WholeName {
                full: hash::text(&loose(text)),
                exchanged: hash::text(&loose(&format!("{given}{family}"))),
            });
        }
        (settled, wholes)
    }
}

/// All names of one side while they are being read.
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

    /// Settles every split, once no more names will come; those of a list on top of the names of its register. Splits are
    /// learned from these names if `learns`, and from the register's at any rate.
    pub(crate) fn settle(self, register: Option<&Names>, learns: bool) -> (Names, Wholes) {
        let mut names = register.map_or_else(Names::default, Names::above);
        let kana_part = |text: &str, parts: &mut Parts| parts.intern(text, kana_fuzzy);
        if learns {
            let Names { written_parts, kana_parts, written_halves, kana_halves, .. } = &mut names;
            let half = |text: &str, parts: &mut Parts| parts.intern(text, fold_weak);
            let written = self.written.learn(written_halves, written_parts, half);
            let kana = self.kana.learn(kana_halves, kana_parts, kana_part);
            (names.written_halves, names.kana_halves) = (Arc::new(written), Arc::new(kana));
        }
        let words = (0u32..).zip(&self.written.names).filter(|(_, name)| name.words != 0);
        let words = words.map(|(id, name)| (id, name.words)).collect();
        let (written, written_wholes) = self.written.settle(
            &names.written_halves,
            &mut names.written_parts,
            intern_written,
            fold_weak,
        );
        let (kana, kana_wholes) =
            self.kana.settle(&names.kana_halves, &mut names.kana_parts, kana_part, kana_fuzzy);
        let keys = WholeNames { written: written_wholes, kana: kana_wholes, words };
        (names, Wholes { keys, written, kana })
    }
}

/// The whole names of one side while its records are put together.
#[derive(Debug, Default)]
pub(crate) struct Wholes {
    /// What stays of them.
    pub(crate) keys: WholeNames,
    written: Vec<SettledName>,
    kana: Vec<SettledName>,
}

/// Distinct parts of names, those of a list above those of the register.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) written_parts: Parts,
    pub(crate) kana_parts: Parts,
    /// Family and given names in both views.
    pub(crate) joint: JointParts,
    written_halves: Arc<Halves>,
    kana_halves: Arc<Halves>,
}

impl Names {
    /// From now on, the names of lists may stand on these.
    pub(crate) fn share(&mut self) {
        self.written_parts.share();
        self.kana_parts.share();
        self.joint.share();
    }

    /// Tables above what these share.
    pub(crate) fn above(&self) -> Self {
        Self {
            written_parts: self.written_parts.above(),
            kana_parts: self.kana_parts.above(),
            joint: self.joint.above(),
            written_halves: Arc::clone(&self.written_halves),
            kana_halves: Arc::clone(&self.kana_halves),
        }
    }

    /// Family and given name of a whole name in both views.
    pub(crate) fn join(&mut self, wholes: &Wholes, written: u32, kana: u32) -> (u32, u32) {
        let halves = |table: &[SettledName], id: u32| {
            table.get(id as usize).map_or((NONE, NONE), |name| (name.family, name.given))
        };
        let (written_family, written_given) = halves(&wholes.written, written);
        let (kana_family, kana_given) = halves(&wholes.kana, kana);
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
    pub(crate) fn other_name(
        &mut self,
        wholes: &Wholes,
        written: u32,
        kana: u32,
        own: NameValues,
    ) -> NameValues {
        let family = wholes.written[written as usize].undivided;
        if family == NONE {
            let (family, given) = self.join(wholes, written, kana);
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

/// The text under which weak variants (斎/斉) and spellings of one Latin name meet: for finding candidates only.
fn fold_weak(text: &str) -> String {
    if text.is_ascii() { skeleton(text) } else { text.chars().map(kanji::fold_weak).collect() }
}

/// A Latin name as its first letter and the consonants behind it, doubled ones once: what most spellings of a name keep
/// (Smith and Smyth, Catherine and Katharine but for the first letter). Names with few consonants stay as they are.
fn skeleton(name: &str) -> String {
    const LETTERS_MIN: usize = 3;
    let mut kept = String::with_capacity(name.len());
    for (at, letter) in name.char_indices() {
        let silent =
            matches!(letter.to_ascii_lowercase(), 'a' | 'e' | 'i' | 'o' | 'u' | 'h' | 'w' | 'y');
        if at == 0 || !silent && !kept.ends_with(letter) {
            kept.push(letter);
        }
    }
    if kept.len() < LETTERS_MIN { name.to_owned() } else { kept }
}

fn word_key(name: &WrittenName) -> u64 {
    let mut words: Vec<&str> = name.tokens().collect();
    if words.len() < 2 || name.script != Script::Latin {
        return 0;
    }
    words.sort_unstable();
    words.iter().fold(1, |key, word| hash::mix(key, hash::text(word)))
}

/// Family and given names of the names that have a space: with how many distinct names each part goes, by part.
#[derive(Debug, Default)]
struct Halves {
    families: Vec<u32>,
    givens: Vec<u32>,
    /// Hashes of the names that were counted, sorted.
    names: Vec<u64>,
}

impl Halves {
    fn count(table: &mut Vec<u32>, part: u32) {
        if part != NONE {
            let index = part as usize;
            if table.len() <= index {
                table.resize(index + 1, 0);
            }
            table[index] += 1;
        }
    }

    fn known(table: &[u32], half: &str, parts: &Parts) -> u32 {
        parts.find(half).and_then(|part| table.get(part as usize)).copied().unwrap_or(0)
    }

    fn has_family(&self, text: &str, parts: &Parts) -> bool {
        Self::known(&self.families, text, parts) > 0
    }

    /// Whether a text without a space is a family name alone: a known one, or one too short to be more.
    fn is_family(&self, text: &str, parts: &Parts) -> bool {
        self.has_family(text, parts) || text.chars().count() <= 3
    }

    /// Where the given name starts in a name without a space: the cut whose halves are best known, family first;
    /// where neither half is known, after two letters, the most common length of a family name.
    fn split(&self, text: &str, parts: &Parts) -> usize {
        let known = |table: &[u32], half: &str| match Self::known(table, half, parts) {
            0 => 0,
            count => 32 - count.leading_zeros(),
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
            .filter(|&(score, _)| score >= BOTH_KNOWN || !self.has_family(text, parts))
            .map_or_else(|| self.without_known_halves(text, parts), |(_, at)| at)
    }

    fn without_known_halves(&self, text: &str, parts: &Parts) -> usize {
        if self.has_family(text, parts) { text.len() } else { default_split(text) }
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
