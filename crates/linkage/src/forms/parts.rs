//! Parts of names (a family name, a given name), as written or as read.

use renkei_japanese::name::WILDCARD;

use super::NONE;
use crate::hash::Spelling;
use crate::intern::Interner;
use crate::layers::{Distinct, Layer, Layers};

/// Distinct parts: text, letters, and the key under which similar ones meet.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    texts: Interner,
    forms: Layers<PartForms>,
}

/// What is known of the parts of one layer.
#[derive(Clone, Debug, Default)]
struct PartForms {
    letters: Vec<char>,
    ends: Vec<u32>,
    loose: Vec<Spelling>,
    glances: Vec<Glance>,
}

impl Layer for PartForms {
    fn len(&self) -> usize {
        self.ends.len()
    }

    fn shrink(&mut self) {
        self.letters.shrink_to_fit();
        self.ends.shrink_to_fit();
        self.loose.shrink_to_fit();
        self.glances.shrink_to_fit();
    }

    fn append(&mut self, above: &Self) {
        let before = u32::try_from(self.letters.len()).expect("fewer than 2^32 letters");
        self.letters.extend_from_slice(&above.letters);
        self.ends.extend(above.ends.iter().map(|end| before + end));
        self.loose.extend_from_slice(&above.loose);
        self.glances.extend_from_slice(&above.glances);
    }
}

/// What is seen of a part at a glance. Most parts that are held against each other are far apart, and that much is known
/// without a look at their letters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Glance {
    /// A bit for each letter; all bits where a glance is not enough: of Latin parts, and of those with lost letters.
    letters: u64,
    loose: Spelling,
}

impl Glance {
    const NOT_ENOUGH: u64 = u64::MAX;

    fn of(text: &str, loose: Spelling) -> Self {
        if text.is_ascii() || text.contains(WILDCARD) {
            return Self { letters: Self::NOT_ENOUGH, loose };
        }
        Self { letters: text.chars().fold(0, |letters, letter| letters | Self::bit(letter)), loose }
    }

    /// A long mark and the vowels that stand for it share a bit, as many other letters do.
    fn bit(letter: char) -> u64 {
        match letter {
            'ー' | 'ア' | 'イ' | 'ウ' | 'エ' | 'オ' => 1,
            _ => 1 << (u32::from(letter).wrapping_mul(0x9e37_79b1) >> 26),
        }
    }

    /// Whether no edit, no end cut off and no long mark makes the one of the other, and similar texts are not the same. If
    /// not, nothing is known: an edit changes one letter to one other at most, and what is cut off leaves no letter that the
    /// whole has not.
    pub(crate) fn is_far_from(&self, other: &Self) -> bool {
        let (own, others) = (self.letters & !other.letters, other.letters & !self.letters);
        let several = |letters: u64| letters & letters.wrapping_sub(1) != 0;
        own != 0
            && others != 0
            && (several(own) || several(others))
            && self.letters != Self::NOT_ENOUGH
            && other.letters != Self::NOT_ENOUGH
            && self.loose != other.loose
    }
}

impl Parts {
    /// The id of `text`; `loose` gives the text under which similar parts are equal.
    pub(crate) fn intern(&mut self, text: &str, loose: impl FnOnce(&str) -> String) -> u32 {
        if text.is_empty() {
            return NONE;
        }
        let (id, new) = self.texts.intern(text);
        if new {
            let forms = &mut self.forms.own;
            forms.letters.extend(text.chars());
            forms.ends.push(u32::try_from(forms.letters.len()).expect("fewer than 2^32 letters"));
            let loose = Spelling::of(&loose(text));
            forms.loose.push(loose);
            forms.glances.push(Glance::of(text, loose));
        }
        id
    }

    /// The id of `text`, if it has one.
    pub(crate) fn find(&self, text: &str) -> Option<u32> {
        self.texts.find(text)
    }

    /// The same, of the parts that the register was built with.
    pub(crate) fn find_first(&self, text: &str) -> Option<u32> {
        self.texts.find_first(text)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.texts.len()
    }

    pub(crate) fn text(&self, id: u32) -> &str {
        self.texts.get(id)
    }

    pub(crate) fn letters(&self, id: u32) -> &[char] {
        let (forms, index) = self.forms.find(id);
        let start = if index == 0 { 0 } else { forms.ends[index - 1] as usize };
        &forms.letters[start..forms.ends[index] as usize]
    }

    pub(crate) fn glance(&self, id: u32) -> &Glance {
        let (forms, index) = self.forms.find(id);
        &forms.glances[index]
    }

    /// The key under which similar parts meet; equal for equal parts.
    pub(crate) fn loose(&self, id: u32) -> u64 {
        self.spelling(id).key()
    }

    /// The hash of the text under which similar parts meet.
    pub(crate) fn spelling(&self, id: u32) -> Spelling {
        let (forms, index) = self.forms.find(id);
        forms.loose[index]
    }

    /// From now on, other tables may stand on this one.
    pub(crate) fn share(&mut self) {
        self.texts.share();
        self.forms.share();
    }

    /// From now on, other tables may stand on what this one has added to those below it.
    pub(crate) fn leave(&mut self) {
        self.texts.leave();
        self.forms.leave();
    }

    /// A table above what this one shares.
    pub(crate) fn above(&self) -> Self {
        Self { texts: self.texts.above(), forms: self.forms.above() }
    }
}

/// One part in both views.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Views {
    /// As written, in the table of written parts, or [`NONE`].
    pub(crate) written: u32,
    /// As read, in the table of kana parts, or [`NONE`].
    pub(crate) kana: u32,
}

impl Views {
    pub(crate) const MISSING: Self = Self { written: NONE, kana: NONE };
}

/// Distinct pairs of views: the values of the family and given comparisons.
#[derive(Debug, Default)]
pub(crate) struct JointParts(Distinct<Views>);

impl JointParts {
    pub(crate) fn intern(&mut self, views: Views) -> u32 {
        if views == Views::MISSING { NONE } else { self.0.intern(views) }
    }

    pub(crate) fn views(&self, id: u32) -> Views {
        if id == NONE { Views::MISSING } else { *self.0.value(id) }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// From now on, other tables may stand on this one.
    pub(crate) fn share(&mut self) {
        self.0.share();
    }

    /// From now on, other tables may stand on what this one has added to those below it.
    pub(crate) fn leave(&mut self) {
        self.0.leave();
    }

    /// A table above what this one shares.
    pub(crate) fn above(&self) -> Self {
        Self(self.0.above())
    }
}
