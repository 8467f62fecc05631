//! A set of rows that is copied for little: a copy shares all but what is changed afterwards.
//!
//! Each delta makes a new set of the records that are no longer there, while others still read the old one. A million
//! rows are 31 chunks of four kilobytes; only the chunks are copied that a delta touches.

use std::sync::Arc;

/// Rows of a chunk.
const CHUNK_ROWS: usize = 32_768;

type Chunk = [u64; CHUNK_ROWS / 64];

/// A set of rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct RowSet {
    chunks: Vec<Option<Arc<Chunk>>>,
    len: usize,
}

impl RowSet {
    /// Whether a row is in the set.
    #[inline]
    pub(crate) fn contains(&self, row: u32) -> bool {
        let row = row as usize;
        match self.chunks.get(row / CHUNK_ROWS) {
            Some(Some(chunk)) => chunk[row % CHUNK_ROWS / 64] & (1 << (row % 64)) != 0,
            _ => false,
        }
    }

    /// Puts a row into the set.
    pub(crate) fn insert(&mut self, row: u32) {
        let row = row as usize;
        if self.chunks.len() <= row / CHUNK_ROWS {
            self.chunks.resize(row / CHUNK_ROWS + 1, None);
        }
        let chunk =
            self.chunks[row / CHUNK_ROWS].get_or_insert_with(|| Arc::new([0; CHUNK_ROWS / 64]));
        let word = &mut Arc::make_mut(chunk)[row % CHUNK_ROWS / 64];
        self.len += usize::from(*word & (1 << (row % 64)) == 0);
        *word |= 1 << (row % 64);
    }

    /// How many rows.
    pub(crate) fn len(&self) -> usize {
        self.len
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_set_holds_what_was_put_in_and_a_copy_keeps_what_it_was(
            before in prop::collection::vec(0u32..100_000, 0..60),
            after in prop::collection::vec(0u32..100_000, 0..60),
        ) {
            let mut set = RowSet::default();
            before.iter().for_each(|&row| set.insert(row));
            let copy = set.clone();
            after.iter().for_each(|&row| set.insert(row));
            let old: BTreeSet<u32> = before.iter().copied().collect();
            let new: BTreeSet<u32> = before.iter().chain(&after).copied().collect();
            prop_assert_eq!((copy.len(), set.len()), (old.len(), new.len()));
            for row in before.iter().chain(&after).flat_map(|&row| [row, row ^ 1, row + 32_768]) {
                prop_assert_eq!(copy.contains(row), old.contains(&row));
                prop_assert_eq!(set.contains(row), new.contains(&row));
            }
        }
    }
}
