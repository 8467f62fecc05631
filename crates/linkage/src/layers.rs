//! Tables in layers: what a register was built with, what deltas have added to it, and what a list has of its own.
//!
//! A register's names and addresses are numbered once and then never change; a list that is read against them gives
//! ids only to what the register has not, and these lie above the register's. So one index serves any number of lists
//! and queries at a time, without a lock and without a copy. A delta does what a list does, and then leaves its own layer
//! to those who come after it:
//!
//! ```text
//! own     ids 1,204,..          of one list or query
//! upper   ids 1,180,.. 1,203    of the last deltas     \ few, each a fourth of the one below it at most:
//! upper   ids 1,000,.. 1,179    of deltas before them  / smaller ones are put together
//! base    ids 0 .. 999          of the register as it was built
//! ```
//!
//! Putting two neighbours together changes no id, so whoever still reads the old layers and whoever reads the new ones
//! agree. A value is copied a few times for each fourfold growth of what deltas have added, and never for the size of the
//! register. Invariant: a value has the same id as before when it stands in a lower layer, and no id stands for two
//! values.

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

    /// Takes the values of the layer above on top of its own.
    fn append(&mut self, above: &Self);
}

/// An upper layer is put together with the one below it unless that one is so many times larger.
pub(crate) const TIMES_LARGER: usize = 4;

/// A layer of fewer values than this is put together with the next at any rate.
pub(crate) const FEW_VALUES: usize = 64;

/// A shared layer below, what deltas have added to it, and an own layer above.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layers<L> {
    base: Arc<L>,
    base_len: usize,
    uppers: Arc<[Upper<L>]>,
    /// How many values all shared layers have.
    shared: usize,
    is_shared: bool,
    pub(crate) own: L,
}

/// A layer that deltas have added.
#[derive(Debug)]
struct Upper<L> {
    /// How many values the layers below it have.
    start: usize,
    layer: Arc<L>,
}

impl<L> Clone for Upper<L> {
    fn clone(&self) -> Self {
        Self { start: self.start, layer: Arc::clone(&self.layer) }
    }
}

impl<L: Layer> Layers<L> {
    /// A table of these values alone.
    pub(crate) fn of(own: L) -> Self {
        Self { own, ..Self::default() }
    }

    /// How many values all layers have.
    pub(crate) fn len(&self) -> usize {
        self.shared + self.own.len()
    }

    /// How many values the shared layers have.
    pub(crate) fn shared(&self) -> usize {
        self.shared
    }

    /// What the register was built with; of a table that is not shared, its values.
    pub(crate) fn first(&self) -> &L {
        if self.is_shared { &self.base } else { &self.own }
    }

    /// The id of a value of the own layer.
    pub(crate) fn id_of_own(&self, own: u32) -> u32 {
        let below = u32::try_from(self.shared).expect("fewer than 2^32 distinct values");
        below.checked_add(own).expect("fewer than 2^32 distinct values")
    }

    /// The layer that has the value with this id, and its number there.
    #[inline]
    pub(crate) fn find(&self, id: u32) -> (&L, usize) {
        let id = id as usize;
        if id < self.base_len {
            (&self.base, id)
        } else if id >= self.shared {
            (&self.own, id - self.shared)
        } else {
            self.find_upper(id)
        }
    }

    #[cold]
    fn find_upper(&self, id: usize) -> (&L, usize) {
        let upper = self.uppers.iter().rev().find(|upper| upper.start <= id);
        let upper = upper.expect("an id between base and own lies in an upper layer");
        (&upper.layer, id - upper.start)
    }

    /// All layers with the id of the first value of each, the lowest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (usize, &L)> {
        let uppers = self.uppers.iter().map(|upper| (upper.start, &*upper.layer));
        std::iter::once((0, &*self.base)).chain(uppers).chain([(self.shared, &self.own)])
    }

    /// What `find` finds in one of the shared layers, as an id; `find` is told the layer.
    #[inline]
    pub(crate) fn find_shared(&self, find: impl Fn(&L) -> Option<u32>) -> Option<u32> {
        let of_base = find(&self.base);
        if of_base.is_some() || self.uppers.is_empty() {
            return of_base;
        }
        self.uppers.iter().find_map(|upper| {
            let start = u32::try_from(upper.start).expect("fewer than 2^32 distinct values");
            Some(start + find(&upper.layer)?)
        })
    }

    /// The own layer becomes the shared one; there must not be one yet.
    pub(crate) fn share(&mut self) {
        assert!(!self.is_shared, "a table is shared once");
        self.is_shared = true;
        let mut own = std::mem::take(&mut self.own);
        own.shrink();
        self.shared = own.len();
        self.base_len = own.len();
        self.base = Arc::new(own);
    }

    /// A table with the same shared layers and nothing of its own.
    pub(crate) fn above(&self) -> Self {
        Self {
            base: Arc::clone(&self.base),
            base_len: self.base_len,
            uppers: Arc::clone(&self.uppers),
            shared: self.shared,
            is_shared: self.is_shared,
            own: L::default(),
        }
    }
}

impl<L: Layer + Clone> Layers<L> {
    /// The own layer is left to those who come after: it becomes a shared one, put together with those below it that are
    /// not much larger. Tables that stand on the old layers are not touched.
    pub(crate) fn leave(&mut self) {
        let mut own = std::mem::take(&mut self.own);
        if own.len() == 0 {
            return;
        }
        let mut uppers = self.uppers.to_vec();
        let mut start = self.shared;
        self.shared += own.len();
        while let Some(below) = uppers.pop_if(|below| is_joined(below.layer.len(), own.len())) {
            start = below.start;
            let mut joined = (*below.layer).clone();
            joined.append(&own);
            own = joined;
        }
        own.shrink();
        uppers.push(Upper { start, layer: Arc::new(own) });
        self.uppers = uppers.into();
    }
}

/// Whether a layer is put together with the one above it.
pub(crate) fn is_joined(below: usize, above: usize) -> bool {
    below < FEW_VALUES || below < TIMES_LARGER * above
}

/// Distinct values of a plain type.
#[derive(Debug)]
pub(crate) struct Distinct<T>(Layers<DistinctLayer<T>>);

#[derive(Clone, Debug)]
pub(crate) struct DistinctLayer<T> {
    values: Vec<T>,
    ids: HashTable<u32>,
}

impl<T> Default for Distinct<T> {
    fn default() -> Self {
        Self(Layers::default())
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

    fn append(&mut self, above: &Self) {
        let Self { values, ids } = self;
        let hash = |value: T| Seeded::default().hash_one(value);
        for &value in &above.values {
            let id = u32::try_from(values.len()).expect("fewer than 2^32 distinct values");
            values.push(value);
            ids.insert_unique(hash(value), id, |&id| hash(values[id as usize]));
        }
    }
}

impl<T: Copy + Eq + Hash> Distinct<T> {
    /// The id of a value.
    pub(crate) fn intern(&mut self, value: T) -> u32 {
        let hasher = Seeded::default();
        let hash = hasher.hash_one(value);
        let known = |layer: &DistinctLayer<T>| {
            layer.ids.find(hash, |&id| layer.values[id as usize] == value).copied()
        };
        if let Some(id) = self.0.find_shared(known) {
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

    /// How many values.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
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

    /// From now on, other tables may stand on what this one has added to those below it.
    pub(crate) fn leave(&mut self) {
        self.0.leave();
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

        #[test]
        fn layers_that_deltas_leave_number_values_as_one_would(
            below in prop::collection::vec(0u64..300, 0..200),
            deltas in prop::collection::vec(prop::collection::vec(0u64..3_000, 0..300), 0..12),
            above in prop::collection::vec(0u64..4_000, 0..60),
        ) {
            let (mut flat, mut layered) = (Distinct::default(), Distinct::default());
            for &value in &below {
                prop_assert_eq!(flat.intern(value), layered.intern(value));
            }
            layered.share();
            let mut earlier = Vec::new();
            for delta in &deltas {
                earlier.push((layered.above(), layered.0.len()));
                let mut next = layered.above();
                for &value in delta {
                    prop_assert_eq!(flat.intern(value), next.intern(value));
                }
                next.leave();
                layered = next;
            }
            prop_assert!(layered.0.uppers.len() <= 5, "layers are put together");
            earlier.push((layered.above(), layered.0.len()));
            for &value in &above {
                let id = layered.above().intern(value);
                prop_assert!(id as usize <= layered.0.len());
            }
            for (table, len) in earlier {
                for id in 0..len {
                    let id = u32::try_from(id).expect("few");
                    prop_assert_eq!(table.value(id), flat.value(id), "also where others went on");
                }
            }
        }
    }
}
