//! A table of the state: a map that can be copied in no time, and that remembers what was touched.

use std::sync::Arc;

use rpds::RedBlackTreeMapSync;

/// One kind of entry by its id.
///
/// Copies share their content, so that a draft costs nothing until it is changed, and a reader keeps the state it has.
#[derive(Debug)]
pub struct Table<K: Ord, V> {
    map: RedBlackTreeMapSync<K, Arc<V>>,
    touched: Vec<K>,
}

impl<K: Ord, V> Default for Table<K, V> {
    fn default() -> Self {
        Self { map: RedBlackTreeMapSync::new_sync(), touched: Vec::new() }
    }
}

impl<K: Ord + Clone, V> Clone for Table<K, V> {
    fn clone(&self) -> Self {
        Self { map: self.map.clone(), touched: self.touched.clone() }
    }
}

impl<K: Ord + Clone, V> Table<K, V> {
    /// The entry of this id.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.map.get(key).map(AsRef::as_ref)
    }

    /// The entry of this id, to be kept beyond the state.
    pub fn get_shared(&self, key: &K) -> Option<Arc<V>> {
        self.map.get(key).cloned()
    }

    /// Whether there is such an entry.
    pub fn contains(&self, key: &K) -> bool {
        self.map.contains_key(key)
    }

    /// How many entries.
    pub fn len(&self) -> usize {
        self.map.size()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// Every entry in order of ids.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.map.iter().map(|(key, value)| (key, value.as_ref()))
    }

    /// The entries from `first` to `last`, both included.
    pub fn range(&self, first: K, last: K) -> impl Iterator<Item = (&K, &V)> {
        self.map.range::<K, _>(first..=last).map(|(key, value)| (key, value.as_ref()))
    }

    /// Adds or replaces an entry.
    pub(crate) fn put(&mut self, key: K, value: V) {
        self.touched.push(key.clone());
        self.map.insert_mut(key, Arc::new(value));
    }

    /// Removes an entry.
    pub(crate) fn remove(&mut self, key: &K) {
        if self.map.remove_mut(key) {
            self.touched.push(key.clone());
        }
    }

    /// What was touched since changes were last taken, in order; an id may come more than once.
    pub(crate) fn touched(&self) -> &[K] {
        &self.touched
    }

    /// What was touched since the last call, each id once.
    pub(crate) fn take_touched(&mut self) -> Vec<K> {
        let mut touched = std::mem::take(&mut self.touched);
        touched.sort_unstable();
        touched.dedup();
        touched
    }
}

impl<K: Ord + Clone, V: Clone> Table<K, V> {
    /// Replaces an entry by a changed copy; nothing where there is none.
    pub(crate) fn change(&mut self, key: &K, change: impl FnOnce(&mut V)) {
        if let Some(value) = self.map.get(key) {
            let mut value = V::clone(value);
            change(&mut value);
            self.put(key.clone(), value);
        }
    }
}
