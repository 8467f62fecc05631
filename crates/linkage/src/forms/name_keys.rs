//! Keys by which names are found that were read as wholes; those of other names come from their parts.
//!
//! A whole name is numbered within its side. What a delta adds is numbered above the register's; a name that the register
//! has already gets another number there, since nothing is told by two numbers being equal.

use hashbrown::HashMap;

use super::whole_names::WholeName;
use crate::hash::Seeded;
use crate::layers::{Layer, Layers};

/// Keys of the whole names of one side.
#[derive(Debug, Default)]
pub(crate) struct WholeNames {
    written: Layers<View>,
    kana: Layers<View>,
}

/// Keys of the words of Latin names in alphabetical order, by name.
pub(crate) type WordKeys = HashMap<u32, u64, Seeded>;

/// Keys of the whole names of one view.
#[derive(Clone, Debug, Default)]
struct View {
    count: usize,
    /// Empty where they were given up.
    keys: Vec<WholeName>,
    words: WordKeys,
}

impl Layer for View {
    fn len(&self) -> usize {
        self.count
    }

    fn shrink(&mut self) {
        self.keys.shrink_to_fit();
        self.words.shrink_to_fit();
    }

    fn append(&mut self, above: &Self) {
        let below = u32::try_from(self.count).expect("fewer than 2^32 distinct names");
        self.keys.extend_from_slice(&above.keys);
        self.words.extend(above.words.iter().map(|(name, words)| (below + name, *words)));
        self.count += above.count;
    }
}

impl WholeNames {
    pub(crate) fn new(written: Vec<WholeName>, kana: Vec<WholeName>, words: WordKeys) -> Self {
        let view = |keys: Vec<WholeName>, words| View { count: keys.len(), keys, words };
        let (written, kana) = (view(written, words), view(kana, WordKeys::default()));
        Self { written: Layers::of(written), kana: Layers::of(kana) }
    }

    /// The keys of a name as written, unless they were given up.
    pub(crate) fn written(&self, id: u32) -> Option<&WholeName> {
        let (view, index) = self.written.find(id);
        view.keys.get(index)
    }

    /// The keys of a name as read, unless they were given up.
    pub(crate) fn kana(&self, id: u32) -> Option<&WholeName> {
        let (view, index) = self.kana.find(id);
        view.keys.get(index)
    }

    /// Key of the words of a name in alphabetical order, where it is a Latin name of several words.
    pub(crate) fn words(&self, written: u32) -> Option<u64> {
        let (view, index) = self.written.find(written);
        if view.words.is_empty() {
            return None;
        }
        view.words.get(&u32::try_from(index).ok()?).copied()
    }

    /// Gives up what serves to find a name; what serves to compare it stays.
    pub(crate) fn forget_keys(&mut self) {
        (self.written.own.keys, self.kana.own.keys) = (Vec::new(), Vec::new());
    }

    /// How many names the register has, as written and as read.
    pub(crate) fn shared(&self) -> (usize, usize) {
        (self.written.shared(), self.kana.shared())
    }

    /// From now on, the names of deltas may stand on these.
    pub(crate) fn share(&mut self) {
        self.written.share();
        self.kana.share();
    }

    /// What is shared, and `names` above it.
    pub(crate) fn with(&self, names: Self) -> Self {
        let (mut written, mut kana) = (self.written.above(), self.kana.above());
        (written.own, kana.own) = (names.written.own, names.kana.own);
        Self { written, kana }
    }

    /// From now on, others may stand on what was added.
    pub(crate) fn leave(&mut self) {
        self.written.leave();
        self.kana.leave();
    }
}
