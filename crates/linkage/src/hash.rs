//! The one hash function of blocking keys and samples: fixed for ever, so that results do not depend on the run.

use std::hash::BuildHasher;

/// Mixes one more value into a key. SplitMix64's finaliser (Steele, Lea, Flood, "Fast splittable pseudorandom number
/// generators", OOPSLA 2014) over a running combination.
pub(crate) fn mix(key: u64, value: u64) -> u64 {
    let mut z = (key ^ value).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The hash of a text, equal on every machine.
pub(crate) fn text(text: &str) -> u64 {
    let mut chunks = text.as_bytes().chunks_exact(8);
    let mut key = text.len() as u64;
    for chunk in chunks.by_ref() {
        key = mix(key, chunk.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)));
    }
    mix(key, chunks.remainder().iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)))
}

/// The hasher of in-memory tables. Its seed is fixed; the tables hold values of one job only and their order is never
/// observed.
#[derive(Clone, Debug)]
pub(crate) struct Seeded(foldhash::fast::FixedState);

impl Default for Seeded {
    fn default() -> Self {
        Self(foldhash::fast::FixedState::with_seed(0x72656e6b6569))
    }
}

impl BuildHasher for Seeded {
    type Hasher = <foldhash::fast::FixedState as BuildHasher>::Hasher;

    fn build_hasher(&self) -> Self::Hasher {
        self.0.build_hasher()
    }
}
