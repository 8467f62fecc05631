//! Texts as numbers: equal texts get equal ids, in the order in which they first appear.

use hashbrown::HashTable;
use std::hash::BuildHasher;

use crate::hash::Seeded;

/// A set of texts, numbered from 0.
#[derive(Debug, Default)]
pub(crate) struct Interner {
    texts: TextArena,
    by_text: HashTable<u32>,
    hasher: Seeded,
}

impl Interner {
    /// The id of `text`, and whether it is new.
    pub(crate) fn intern(&mut self, text: &str) -> (u32, bool) {
        let Self { texts, by_text, hasher } = self;
        let hash = hasher.hash_one(text);
        let entry =
            by_text.entry(hash, |&id| texts.get(id) == text, |&id| hasher.hash_one(texts.get(id)));
        match entry {
            hashbrown::hash_table::Entry::Occupied(entry) => (*entry.get(), false),
            hashbrown::hash_table::Entry::Vacant(entry) => {
                let id = texts.push(text);
                entry.insert(id);
                (id, true)
            }
        }
    }

    /// The text with this id.
    pub(crate) fn get(&self, id: u32) -> &str {
        self.texts.get(id)
    }

    /// How many texts.
    pub(crate) fn len(&self) -> usize {
        self.texts.len()
    }

    /// All texts in the order of their ids.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.texts.iter()
    }
}

/// Many short texts in one allocation.
#[derive(Clone, Debug, Default)]
pub(crate) struct TextArena {
    text: String,
    ends: Vec<usize>,
}

impl TextArena {
    pub(crate) fn push(&mut self, text: &str) -> u32 {
        let id = u32::try_from(self.ends.len()).expect("fewer than 2^32 distinct values");
        self.text.push_str(text);
        self.ends.push(self.text.len());
        id
    }

    pub(crate) fn get(&self, id: u32) -> &str {
        let index = id as usize;
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.text[start..self.ends[index]]
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|index| {
            let start = if index == 0 { 0 } else { self.ends[index - 1] };
            &self.text[start..self.ends[index]]
        })
    }
}
