//! Texts as numbers: equal texts get equal ids, in the order in which they first appear.

use hashbrown::HashTable;
use std::hash::BuildHasher;

use crate::hash::Seeded;
use crate::layers::{Layer, Layers};

/// A set of texts, numbered from 0; see [`crate::layers`].
#[derive(Clone, Debug, Default)]
pub(crate) struct Interner(Layers<TextLayer>);

/// The texts of one layer, numbered from 0.
#[derive(Clone, Debug, Default)]
pub(crate) struct TextLayer {
    texts: TextArena,
    by_text: HashTable<Tagged>,
}

/// A text's number beside a part of its hash: unlike texts are told apart, and tables grow, without looking at texts.
#[derive(Clone, Copy, Debug)]
struct Tagged {
    tag: u32,
    id: u32,
}

impl Tagged {
    /// The hash by which the table places it.
    fn hash(self) -> u64 {
        place(self.tag)
    }
}

fn place(tag: u32) -> u64 {
    u64::from(tag).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Layer for TextLayer {
    fn len(&self) -> usize {
        self.texts.len()
    }

    fn shrink(&mut self) {
        self.texts.shrink();
        self.by_text.shrink_to_fit(|tagged| tagged.hash());
    }

    fn append(&mut self, above: &Self) {
        let below = u32::try_from(self.texts.len()).expect("fewer than 2^32 distinct values");
        self.texts.append(&above.texts);
        self.by_text.reserve(above.by_text.len(), |tagged| tagged.hash());
        for tagged in &above.by_text {
            let tagged = Tagged { id: below + tagged.id, ..*tagged };
            self.by_text.insert_unique(tagged.hash(), tagged, |tagged| tagged.hash());
        }
    }
}

impl TextLayer {
    fn find(&self, tag: u32, text: &str) -> Option<u32> {
        let same = |other: &Tagged| other.tag == tag && self.texts.get(other.id) == text;
        self.by_text.find(place(tag), same).map(|found| found.id)
    }
}

/// The part of a text's hash by which it is looked for.
pub(crate) fn tag(text: &str) -> u32 {
    (Seeded::default().hash_one(text) >> 32) as u32
}

impl Interner {
    /// The id of `text`, and whether it is new.
    pub(crate) fn intern(&mut self, text: &str) -> (u32, bool) {
        self.intern_tagged(tag(text), text)
    }

    /// Brings to hand what looking for texts with these tags will look at, of a table that stands on no other. A text that
    /// is looked for by itself waits three times for memory: for its place in the table, for where it lies, and for its
    /// letters. Of many at one go, each of the three is on its way for all of them at the same time.
    pub(crate) fn fetch(&self, tags: impl Iterator<Item = u32>, found: &mut Vec<u32>) {
        let TextLayer { texts, by_text } = &self.0.own;
        found.clear();
        let ids = tags.filter_map(|tag| by_text.find(place(tag), |other| other.tag == tag));
        found.extend(ids.map(|tagged| tagged.id));
        texts.fetch(found.iter().map(|&id| id as usize));
    }

    /// The same for a text whose [`tag`] is known.
    pub(crate) fn intern_tagged(&mut self, tag: u32, text: &str) -> (u32, bool) {
        if let Some(id) = self.0.find_shared(|layer| layer.find(tag, text)) {
            return (id, false);
        }
        let TextLayer { texts, by_text } = &mut self.0.own;
        let entry = by_text.entry(
            place(tag),
            |other| other.tag == tag && texts.get(other.id) == text,
            |tagged| tagged.hash(),
        );
        let (own, new) = match entry {
            hashbrown::hash_table::Entry::Occupied(entry) => (entry.get().id, false),
            hashbrown::hash_table::Entry::Vacant(entry) => {
                let id = texts.push(text);
                entry.insert(Tagged { tag, id });
                (id, true)
            }
        };
        (self.0.id_of_own(own), new)
    }

    /// The id of `text`, if it has one.
    pub(crate) fn find(&self, text: &str) -> Option<u32> {
        let tag = tag(text);
        let own = || self.0.own.find(tag, text).map(|own| self.0.id_of_own(own));
        self.0.find_shared(|layer| layer.find(tag, text)).or_else(own)
    }

    /// The id of `text`, if the lowest layer has it.
    pub(crate) fn find_first(&self, text: &str) -> Option<u32> {
        self.0.first().find(tag(text), text)
    }

    /// The text with this id.
    pub(crate) fn get(&self, id: u32) -> &str {
        let (layer, index) = self.0.find(id);
        layer.texts.at(index)
    }

    /// How many texts.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// All texts in the order of their ids.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|(_, layer)| layer.texts.iter())
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

/// Many short texts in one allocation.
#[derive(Clone, Debug, Default)]
pub(crate) struct TextArena {
    text: String,
    ends: Vec<usize>,
}

impl TextArena {
    pub(crate) fn push(&mut self, text: &str) -> u32 {
        self.push_joined(text, "")
    }

    /// Adds a text that is at hand in two pieces.
    pub(crate) fn push_joined(&mut self, text: &str, behind: &str) -> u32 {
        let id = u32::try_from(self.ends.len()).expect("fewer than 2^32 distinct values");
        self.text.push_str(text);
        self.text.push_str(behind);
        self.ends.push(self.text.len());
        id
    }

    pub(crate) fn get(&self, id: u32) -> &str {
        self.at(id as usize)
    }

    /// The text at this place.
    pub(crate) fn at(&self, index: usize) -> &str {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.text[start..self.ends[index]]
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|index| self.at(index))
    }

    /// Brings to hand the texts at these places.
    pub(crate) fn fetch(&self, places: impl Iterator<Item = usize> + Clone) {
        let lies = |place: usize| self.ends[place];
        let ends = places.clone().map(lies).fold(0, |seen, end| seen ^ end);
        let letters = places.map(|place| self.text.as_bytes().get(lies(place).wrapping_sub(1)));
        let seen = letters.flatten().fold(0, |seen, letter| seen ^ letter);
        std::hint::black_box((ends, seen));
    }

    /// Takes more texts.
    pub(crate) fn append(&mut self, more: &Self) {
        let before = self.text.len();
        self.text.push_str(&more.text);
        self.ends.extend(more.ends.iter().map(|end| before + end));
    }

    /// Gives back memory that was kept for more texts.
    pub(crate) fn shrink(&mut self) {
        self.text.shrink_to_fit();
        self.ends.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_the_shared_layer_keeps_its_id_and_a_new_one_lies_above() {
        let mut base = Interner::default();
        assert_eq!((base.intern("寿町"), base.intern("若松")), ((0, true), (1, true)));
        base.share();
        let mut list = base.above();
        assert_eq!((list.intern("若松"), list.intern("平和")), ((1, false), (2, true)));
        assert_eq!((list.get(1), list.get(2), list.len()), ("若松", "平和", 3));
        assert_eq!(
            (list.find("平和"), list.find("寿町"), base.find("平和")),
            (Some(2), Some(0), None)
        );
        assert_eq!(list.iter().collect::<Vec<_>>(), ["寿町", "若松", "平和"]);
    }
}
