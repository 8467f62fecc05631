//! Places within a block, as few numbers or as bits, and sets of them.

use std::ops::Range;

/// Places of a block.
pub(super) const PLACES: usize = 1 << 16;
const WORDS: usize = PLACES / 64;
/// From here on bits take less room than numbers.
const NUMBERS_MAX: usize = PLACES / 16;

/// Where a word occurs, in rising order.
#[derive(Debug)]
pub(super) enum Places {
    /// Most words occur once: ids of tasks and uploads.
    One(u16),
    Few(Vec<u16>),
    Many(Box<[u64; WORDS]>),
}

impl Default for Places {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl Places {
    /// Adds a place behind all others.
    pub(super) fn push(&mut self, place: u16) {
        match self {
            Self::One(first) => *self = Self::Few(vec![*first, place]),
            Self::Few(places) if places.is_empty() => *self = Self::One(place),
            Self::Few(places) if places.len() < NUMBERS_MAX => places.push(place),
            Self::Few(places) => {
                let mut bits = Box::new([0; WORDS]);
                places.iter().chain(&[place]).for_each(|place| set(&mut bits, *place));
                *self = Self::Many(bits);
            }
            Self::Many(bits) => set(bits, place),
        }
    }
}

fn set(bits: &mut [u64; WORDS], place: u16) {
    bits[usize::from(place) / 64] |= 1 << (place % 64);
}

/// A set of places.
#[derive(Debug)]
pub(super) struct Bits(Box<[u64; WORDS]>);

impl Bits {
    pub(super) fn none() -> Self {
        Self(Box::new([0; WORDS]))
    }

    /// The first so many places.
    pub(super) fn below(count: usize) -> Self {
        let mut all = Self(Box::new([u64::MAX; WORDS]));
        all.keep_within(0..count);
        all
    }

    pub(super) fn add(&mut self, places: &Places) {
        match places {
            Places::One(place) => set(&mut self.0, *place),
            Places::Few(places) => places.iter().for_each(|place| set(&mut self.0, *place)),
            Places::Many(bits) => {
                self.0.iter_mut().zip(bits.iter()).for_each(|(mine, other)| *mine |= other);
            }
        }
    }

    /// Keeps what both have; false where nothing is left.
    pub(super) fn keep(&mut self, other: &Self) -> bool {
        let mut any = 0;
        for (mine, other) in self.0.iter_mut().zip(other.0.iter()) {
            *mine &= other;
            any |= *mine;
        }
        any != 0
    }

    pub(super) fn keep_within(&mut self, range: Range<usize>) {
        for (at, word) in self.0.iter_mut().enumerate() {
            // Bits of this word from the first place on, and before the last.
            let from = range.start.saturating_sub(at * 64);
            let until = range.end.saturating_sub(at * 64);
            let upwards = if from < 64 { u64::MAX << from } else { 0 };
            let below = if until < 64 { (1 << until) - 1 } else { u64::MAX };
            *word &= upwards & below;
        }
    }

    /// The places from one on, rising.
    pub(super) fn from(&self, begin: usize) -> impl Iterator<Item = usize> + '_ {
        let words = self.0.iter().enumerate().skip(begin / 64);
        let places = words.flat_map(|(at, &word)| {
            let next = |rest: &u64| Some(rest & (rest - 1)).filter(|rest| *rest != 0);
            let rests = std::iter::successors(Some(word).filter(|word| *word != 0), next);
            rests.map(move |rest| at * 64 + rest.trailing_zeros() as usize)
        });
        places.skip_while(move |place| *place < begin)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bits_are_the_set_of_their_places(
            mine in proptest::collection::btree_set(any::<u16>(), 0..200),
            other in proptest::collection::btree_set(0..9_000u16, 0..9_000),
            begin in 0..PLACES,
            end in 0..PLACES,
        ) {
            let bits = |places: &BTreeSet<u16>| {
                let mut pushed = Places::default();
                places.iter().for_each(|place| pushed.push(*place));
                let mut bits = Bits::none();
                bits.add(&pushed);
                bits
            };
            let numbers = |places: &BTreeSet<u16>| {
                places.iter().map(|place| usize::from(*place)).collect::<BTreeSet<_>>()
            };
            let (left, right) = (numbers(&mine), numbers(&other));
            let mut both = bits(&mine);
            prop_assert_eq!(both.keep(&bits(&other)), !left.is_disjoint(&right));
            prop_assert!(both.from(0).eq(left.intersection(&right).copied()));
            let mut within = bits(&other);
            within.keep_within(begin..end);
            let expected = right.iter().copied().filter(|place| (begin..end).contains(place));
            prop_assert!(within.from(0).eq(expected));
            prop_assert!(bits(&mine).from(begin).eq(left.range(begin..).copied()));
        }
    }
}
