//! The ids of a register, numbered: persons and households are compared by number wherever all of them are looked at.
//!
//! Ids that differ by zeros in front alone are one: a file may come without them.

use std::hash::BuildHasher as _;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use crate::unknown_ids::without_zeros;

/// A set of ids, numbered from 0 in the order in which they first appear.
#[derive(Debug, Default)]
pub(crate) struct RegisterIds {
    /// One behind the other.
    text: String,
    /// Where each ends.
    ends: Vec<usize>,
    by_id: HashTable<u32>,
    hasher: RandomState,
}

impl RegisterIds {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The number of an id, which is a new one where it has none.
    pub(crate) fn intern(&mut self, id: &str) -> u32 {
        let Self { text, ends, by_id, hasher } = self;
        let bare = without_zeros(id);
        let hash = hasher.hash_one(bare);
        let is_same = |known: &u32| without_zeros(written(text, ends, *known)) == bare;
        if let Some(known) = by_id.find(hash, is_same) {
            return *known;
        }
        // A register has fewer than 2^32 rows.
        let number = ends.len() as u32;
        text.push_str(id);
        ends.push(text.len());
        let hash_of = |known: &u32| hasher.hash_one(without_zeros(written(text, ends, *known)));
        by_id.insert_unique(hash, number, hash_of);
        number
    }

    /// The number of an id.
    pub(crate) fn find(&self, id: &str) -> Option<u32> {
        let bare = without_zeros(id);
        let is_same = |known: &u32| without_zeros(self.written(*known)) == bare;
        self.by_id.find(self.hasher.hash_one(bare), is_same).copied()
    }

    /// An id as the register wrote it first.
    pub(crate) fn written(&self, number: u32) -> &str {
        written(&self.text, &self.ends, number)
    }
}

fn written<'a>(text: &'a str, ends: &[usize], number: u32) -> &'a str {
    let number = number as usize;
    let start = number.checked_sub(1).and_then(|before| ends.get(before)).copied().unwrap_or(0);
    ends.get(number).and_then(|&end| text.get(start..end)).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_differ_by_zeros_in_front_have_one_number_and_none_has_the_empty_one() {
        let mut ids = RegisterIds::default();
        let numbers = ["", "0012", "12", "0", "000", "120"].map(|id| ids.intern(id));
        assert_eq!(numbers, [0, 1, 1, 2, 2, 3]);
        assert_eq!([0, 1, 2, 3].map(|number| ids.written(number)), ["", "0012", "0", "120"]);
        assert_eq!((ids.find("00120"), ids.find("7"), ids.len()), (Some(3), None, 4));
    }
}
