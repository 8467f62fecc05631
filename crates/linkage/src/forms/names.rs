//! Names: what every record is called, in parts and views.
//!
//! A register writes a space between family and given name; lists often do not. Where it is missing, the split is learned
//! from the names that have one: those of the register, and those of the list where its lines may help each other.
//! Invariant: the split of a name depends on the sets of names alone, never on their order; and unless lines help each
//! other, a line is read alike in a list and alone.

use std::sync::Arc;

use renkei_japanese::kana::{is_kana, kana_exact, kana_fuzzy};
use renkei_japanese::kanji;
use renkei_japanese::name::{
    Forms, KanaName, Script, WILDCARD, WrittenName, kana_half, written_half,
};

use super::halves::Halves;
use super::name_keys::WholeNames;
use super::parts::{JointParts, Parts, Views};
use super::readings::Readings;
use super::whole_names::{NameColumn, Parted, ReadName, Reading, Settled, View, word_key};
use super::{NONE, beginning, normalise};
use crate::intake::RawColumn;
use crate::intern::Interner;
use crate::records::NameValues;

/// A name field.
#[derive(Clone, Copy)]
struct Written {
    /// Whether what stands in brackets is another name.
    with_others: bool,
}

/// A kana field.
#[derive(Clone, Copy)]
struct Kana;

impl Reading for Written {
    fn half(self, text: &str) -> Option<String> {
        written_half(text)
    }

    fn whole(self, text: &str) -> (Option<ReadName>, Vec<ReadName>) {
        let text = beginning(text);
        let read = |text: &str| WrittenName::read(text).map(ReadName::from);
        let others = if self.with_others { Forms::read(text).others } else { Vec::new() };
        (read(text), others.iter().filter_map(|form| read(form.text)).collect())
    }

    fn part(self, text: &str, parts: &mut Parts) -> u32 {
        intern_written(text, parts)
    }

    fn half_part(self, text: &str, parts: &mut Parts) -> u32 {
        parts.intern(text, fold_weak)
    }

    fn loose(self, text: &str) -> String {
        fold_weak(text)
    }

    fn is_loose_as_a_whole(self, text: &str) -> bool {
        text.is_ascii()
    }
}

impl Reading for Kana {
    fn half(self, text: &str) -> Option<String> {
        kana_half(text)
    }

    fn whole(self, text: &str) -> (Option<ReadName>, Vec<ReadName>) {
        let read =
            |name: KanaName| ReadName { text: name.exact, split: name.split_exact, words: 0 };
        (KanaName::read(beginning(text)).map(read), Vec::new())
    }

    fn part(self, text: &str, parts: &mut Parts) -> u32 {
        parts.intern(text, kana_fuzzy)
    }

    fn half_part(self, text: &str, parts: &mut Parts) -> u32 {
        self.part(text, parts)
    }

    fn loose(self, text: &str) -> String {
        kana_fuzzy(text)
    }

    fn is_loose_as_a_whole(self, _: &str) -> bool {
        false
    }
}

impl From<WrittenName> for ReadName {
    fn from(name: WrittenName) -> Self {
        let words: Vec<&str> = name.tokens().collect();
        let several = name.script == Script::Latin && words.len() > 1;
        let words = if several { word_key(words) } else { 0 };
        Self { text: name.full, split: name.split, words }
    }
}

/// All names of one side while they are being read.
#[derive(Debug)]
pub(crate) struct NameReader {
    written: View,
    kana: View,
    learns: bool,
}

impl NameReader {
    /// `learns` says whether the names help to split each other.
    pub(crate) fn new(learns: bool) -> Self {
        Self { written: View::default(), kana: View::default(), learns }
    }

    /// Reads a column of names as written.
    pub(crate) fn written(&mut self, raw: &mut RawColumn) -> NameColumn {
        self.written.read(Written { with_others: false }, raw, self.learns)
    }

    /// The same for a column whose values may hold further names in brackets.
    pub(crate) fn written_with_others(&mut self, raw: &mut RawColumn) -> NameColumn {
        self.written.read(Written { with_others: true }, raw, self.learns)
    }

    /// Reads a column of names as read.
    pub(crate) fn kana(&mut self, raw: &mut RawColumn) -> NameColumn {
        self.kana.read(Kana, raw, self.learns)
    }

    /// Settles every split, once no more names will come; those of a list on top of the names of its register. Splits are
    /// learned from the register's names, and from these if they help each other.
    pub(crate) fn settle(self, register: Option<&Names>) -> (Names, Wholes) {
        let mut names = register.map_or_else(Names::default, Names::above);
        let reading = Written { with_others: true };
        let Names { written_parts, kana_parts, written_halves, kana_halves, .. } = &mut names;
        if self.learns {
            let written = self.written.learn(reading, written_halves, written_parts);
            let kana = self.kana.learn(Kana, kana_halves, kana_parts);
            (*written_halves, *kana_halves) = (Arc::new(written), Arc::new(kana));
        }
        let words = self.written.words();
        let (written, written_keys) = self.written.settle(reading, written_halves, written_parts);
        let (kana, kana_keys) = self.kana.settle(Kana, kana_halves, kana_parts);
        let keys = WholeNames::new(written_keys, kana_keys, words);
        (names, Wholes { keys, written, kana })
    }
}

/// The names of one side while its records are put together.
#[derive(Debug, Default)]
pub(crate) struct Wholes {
    /// What stays of them.
    pub(crate) keys: WholeNames,
    pub(crate) written: Settled,
    pub(crate) kana: Settled,
}

/// Distinct parts of names, those of a list above those of the register.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) written_parts: Parts,
    pub(crate) kana_parts: Parts,
    /// Family and given names in both views.
    pub(crate) joint: JointParts,
    /// How the register reads what it writes.
    readings: Arc<Readings>,
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

    /// From now on, the names of lists may stand on what a delta has added to these.
    pub(crate) fn leave(&mut self) {
        self.written_parts.leave();
        self.kana_parts.leave();
        self.joint.leave();
    }

    /// Tables above what these share.
    pub(crate) fn above(&self) -> Self {
        Self {
            written_parts: self.written_parts.above(),
            kana_parts: self.kana_parts.above(),
            joint: self.joint.above(),
            readings: Arc::clone(&self.readings),
            written_halves: Arc::clone(&self.written_halves),
            kana_halves: Arc::clone(&self.kana_halves),
        }
    }

    /// Learns how the register reads what it writes, from all its records.
    pub(crate) fn learn_readings(&mut self, records: &[NameValues]) {
        self.readings = Arc::new(Readings::learn(records, self));
    }

    /// How the register reads what it writes.
    pub(crate) fn readings(&self) -> &Readings {
        &self.readings
    }

    /// A name in both views.
    pub(crate) fn join(&mut self, written: Parted, kana: Parted) -> NameValues {
        NameValues {
            written: written.whole,
            kana: kana.whole,
            family: self.join_part(written.family, kana.family),
            given: self.join_part(written.given, kana.given),
        }
    }

    /// Divides a whole name by the one part of it that is known by itself, since a whole may have the given name first. Where the
    /// part stands in neither half, nothing is known of the other one.
    pub(crate) fn divide_by(&self, name: &mut NameValues, family: u32, given: u32) {
        let is_part = |half: u32, part: u32| self.joint.views(half).written == part;
        match (family != NONE, given != NONE) {
            (true, false) if is_part(name.given, family) => name.given = name.family,
            (true, false) if !is_part(name.family, family) => name.given = NONE,
            (false, true) if is_part(name.family, given) => name.family = name.given,
            (false, true) if !is_part(name.given, given) => name.family = NONE,
            (true | false, true | false) => {}
        }
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
        written: Parted,
        kana: Parted,
        own: NameValues,
    ) -> NameValues {
        if written.undivided == NONE {
            return self.join(written, kana);
        }
        NameValues { family: self.join_part(written.undivided, NONE), ..own }
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
