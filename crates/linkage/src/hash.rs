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

/// A hash of a text that is put together from those of its pieces, equal on every machine: the letters as digits of a
/// number in base [`Spelling::BASE`] modulo the prime 2^61 - 1 (Karp, Rabin, "Efficient randomized pattern-matching
/// algorithms", IBM Journal of Research and Development 31(2), 1987).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Spelling {
    digits: u64,
    /// The base to the power of the number of letters.
    power: u64,
}

impl Spelling {
    const PRIME: u64 = (1 << 61) - 1;
    const BASE: u64 = 0x1a6e_7b2f_49d3_c58f;

    /// Of no text.
    pub(crate) const EMPTY: Self = Self { digits: 0, power: 1 };

    pub(crate) fn of(text: &str) -> Self {
        text.chars().fold(Self::EMPTY, |before, letter| {
            // No letter is a zero, which would add nothing in front of another.
            before.then(Self { digits: u64::from(letter) + 1, power: Self::BASE })
        })
    }

    /// Of this text with another behind it.
    pub(crate) fn then(self, behind: Self) -> Self {
        Self {
            digits: Self::modulo(
                u128::from(self.digits) * u128::from(behind.power) + u128::from(behind.digits),
            ),
            power: Self::modulo(u128::from(self.power) * u128::from(behind.power)),
        }
    }

    /// The hash, spread over all bits.
    pub(crate) fn key(self) -> u64 {
        mix(1, self.digits)
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "both halves are below the prime or little above"
    )]
    fn modulo(number: u128) -> u64 {
        let sum = (number & u128::from(Self::PRIME)) as u64 + (number >> 61) as u64;
        if sum >= Self::PRIME { sum - Self::PRIME } else { sum }
    }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_spelling_of_a_text_is_that_of_its_pieces(one in ".{0,20}", other in ".{0,20}") {
            let (a, b) = (Spelling::of(&one), Spelling::of(&other));
            prop_assert_eq!(a.then(b), Spelling::of(&format!("{one}{other}")));
            prop_assert_eq!(a == b, one == other);
            prop_assert_eq!(a.key() == b.key(), one == other);
        }
    }
}
