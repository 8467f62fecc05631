//! Parts of names (a family name, a given name), as written or as read.

use hashbrown::HashMap;

use super::NONE;
use crate::hash::{self, Seeded};
use crate::intern::Interner;

/// Distinct parts: text, letters, and the key under which similar ones meet.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    texts: Interner,
    letters: Vec<char>,
    ends: Vec<u32>,
    loose: Vec<u64>,
}

impl Parts {
    /// The id of `text`; `loose` gives the text under which similar parts are equal.
    pub(crate) fn intern(&mut self, text: &str, loose: impl FnOnce(&str) -> String) -> u32 {
        if text.is_empty() {
            return NONE;
        }
        let (id, new) = self.texts.intern(text);
        if new {
            self.letters.extend(text.chars());
            self.ends.push(u32::try_from(self.letters.len()).expect("fewer than 2^32 letters"));
            self.loose.push(hash::text(&loose(text)));
        }
        id
    }

    pub(crate) fn text(&self, id: u32) -> &str {
        self.texts.get(id)
    }

    pub(crate) fn letters(&self, id: u32) -> &[char] {
        let index = id as usize;
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        &self.letters[start..self.ends[index] as usize]
    }

    /// The key under which similar parts meet; equal for equal parts.
    pub(crate) fn loose(&self, id: u32) -> u64 {
        self.loose[id as usize]
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
pub(crate) struct JointParts {
    views: Vec<Views>,
    ids: HashMap<Views, u32, Seeded>,
}

impl JointParts {
    pub(crate) fn intern(&mut self, views: Views) -> u32 {
        if views == Views::MISSING {
            return NONE;
        }
        let Self { views: all, ids } = self;
        *ids.entry(views).or_insert_with(|| {
            all.push(views);
            u32::try_from(all.len() - 1).expect("fewer than 2^32 distinct parts")
        })
    }

    pub(crate) fn views(&self, id: u32) -> Views {
        if id == NONE { Views::MISSING } else { self.views[id as usize] }
    }
}
