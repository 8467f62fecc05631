//! Tables of distinct values in two layers: one that many lists share, and one of a list's own.
//!
//! A register's names and addresses are numbered once and then never change; a list that is read against them gives
//! ids only to what the register has not, and these lie above the register's. So one index serves any number of lists
//! and queries at a time, without a lock and without a copy. Invariant: a value has the same id as before when it stands
//! in the lower layer, and no id stands for two values.

use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

use hashbrown::HashTable;

use crate::hash::Seeded;

/// Values numbered from 0.
pub(crate) trait Layer: Default {
    /// How many values.
    fn len(&self) -> usize;

    /// Gives back memory that was kept for more values.
    fn shrink(&mut self);
}

/// A shared lower layer, and an own one above it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layers<L> {
    base: Arc<L>,
    pub(crate) own: L,
}

impl<L: Layer> Layers<L> {
    /// How many values both layers have.
    pub(crate) fn len(&self) -> usize {
        self.base.len() + self.own.len()
    }

    /// The shared layer.
    pub(crate) fn base(&self) -> &L {
        &self.base
    }

    /// The id of a value of the own layer.
    pub(crate) fn id_of_own(&self, own: u32) -> u32 {
        let below = u32::try_from(self.base.len()).expect("fewer than 2^32 distinct values");
        below.checked_add(own).expect("fewer than 2^32 distinct values")
    }

    /// The layer that has the value with this id, and its number there.
    #[inline]
    pub(crate) fn find(&self, id: u32) -> (&L, usize) {
        let (id, below) = (id as usize, self.base.len());
        if id < below { (&self.base, id) } else { (&self.own, id - below) }
    }

    /// The own layer becomes the shared one; there must not be one yet.
    pub(crate) fn share(&mut self) {
        assert!(self.base.len() == 0, "a table is shared once");
        let mut own = std::mem::take(&mut self.own);
        own.shrink();
        self.base = Arc::new(own);
    }

    /// A table with the same shared layer and nothing of its own.
    pub(crate) fn above(&self) -> Self {
        Self { base: Arc::clone(&self.base), own: L::default() }
    }
}

/// Distinct values of a plain type.
#[derive(Debug)]
pub(crate) struct Distinct<T>(Layers<DistinctLayer<T>>);

#[derive(Debug)]
pub(crate) struct DistinctLayer<T> {
    values: Vec<T>,
    ids: HashTable<u32>,
}

impl<T> Default for Distinct<T> {
    fn default() -> Self {
        Self(Layers { base: Arc::default(), own: DistinctLayer::default() })
    }
}

impl<T> Default for DistinctLayer<T> {
    fn default() -> Self {
        Self { values: Vec::new(), ids: HashTable::new() }
    }
}

impl<T: Copy + Eq + Hash> Layer for DistinctLayer<T> {
    fn len(&self) -> usize {
        self.values.len()
    }

    fn shrink(&mut self) {
        self.values.shrink_to_fit();
        let Self { values, ids } = self;
        ids.shrink_to_fit(|&id| Seeded::default().hash_one(values[id as usize]));
    }
}

impl<T: Copy + Eq + Hash> Distinct<T> {
    /// The id of a value.
    pub(crate) fn intern(&mut self, value: T) -> u32 {
        let hasher = Seeded::default();
        let hash = hasher.hash_one(value);
        let base = self.0.base();
        if let Some(&id) = base.ids.find(hash, |&id| base.values[id as usize] == value) {
            return id;
        }
        let DistinctLayer { values, ids } = &mut self.0.own;
        let entry = ids.entry(
            hash,
            |&id| values[id as usize] == value,
            |&id| hasher.hash_one(values[id as usize]),
        );
        let own = match entry {
            hashbrown::hash_table::Entry::Occupied(entry) => *entry.get(),
            hashbrown::hash_table::Entry::Vacant(entry) => {
                let own = u32::try_from(values.len()).expect("fewer than 2^32 distinct values");
                values.push(value);
                entry.insert(own);
                own
            }
        };
        self.0.id_of_own(own)
    }

    /// The value with this id, if there is one.
    pub(crate) fn get(&self, id: u32) -> Option<&T> {
        let (layer, index) = self.0.find(id);
        layer.values.get(index)
    }

    /// The value with this id.
    pub(crate) fn value(&self, id: u32) -> &T {
        let (layer, index) = self.0.find(id);
        &layer.values[index]
    }

    /// From now on, other tables may stand on this one.
    pub(crate) fn share(&mut self) {
        self.0.share();
    }

    /// A table above what this one shares.
    pub(crate) fn above(&self) -> Self {
        Self(self.0.above())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_value_of_the_shared_layer_keeps_its_id_and_a_new_one_lies_above() {
        let mut base = Distinct::default();
        assert_eq!([base.intern(7u64), base.intern(9), base.intern(7)], [0, 1, 0]);
        base.share();
        let (mut one, mut other) = (base.above(), base.above());
        assert_eq!([one.intern(9), one.intern(5), one.intern(5)], [1, 2, 2]);
        assert_eq!([other.intern(6), other.intern(7)], [2, 0]);
        assert_eq!((*one.value(2), *other.value(2), *base.value(1)), (5, 6, 9));
        assert_eq!(base.get(2), None, "what a list adds is the list's own");
    }

    proptest! {
        #[test]
        fn two_layers_number_values_as_one_would(below in prop::collection::vec(0u64..50, 0..40), above in prop::collection::vec(0u64..50, 0..40)) {
            let (mut flat, mut base) = (Distinct::default(), Distinct::default());
            for &value in &below {
                prop_assert_eq!(flat.intern(value), base.intern(value));
            }
            base.share();
            let mut layered = base.above();
            for &value in &above {
                let id = layered.intern(value);
                prop_assert_eq!(flat.intern(value), id);
                prop_assert_eq!(*layered.value(id), value);
            }
        }
    }
}
