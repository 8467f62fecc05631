//! A random sample of a log for inspection, which anybody can draw again.
//!
//! An auditor who holds sixty leaves against the papers behind them must be able to show that nobody chose the sixty. So chance
//! comes from the root of the checkpoint, which depends on every leaf:
//!
//! ```text
//! number(i) = SHA-256("renkei audit sample" || 0x0a || root || i as 8 bytes, high first || dice) mod size,  i = 0, 1, 2 …
//! ```
//! The sample are the first so many numbers that differ. Whoever runs the log decides when a checkpoint is signed, and could
//! wait for one that spares a leaf; `dice`, any bytes that the auditor names only when the checkpoint is in hand, ends that.

use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256};

use crate::hash::Hash;

/// Stands before what is hashed, so that no other hash of the log can be one of these.
const DOMAIN: &[u8] = b"renkei audit sample\n";

/// Draws so many leaves of a tree, all of them where it has no more.
pub fn draw(root: &Hash, size: u64, wanted: u64, dice: &[u8]) -> BTreeSet<u64> {
    if wanted >= size {
        return (0..size).collect();
    }
    let mut drawn = BTreeSet::new();
    let mut turn = 0u64;
    while (drawn.len() as u64) < wanted {
        let mut hash = Sha256::new();
        hash.update(DOMAIN);
        hash.update(root.as_bytes());
        hash.update(turn.to_be_bytes());
        hash.update(dice);
        drawn.insert(remainder(&hash.finalize().into(), size));
        turn += 1;
    }
    drawn
}

/// A number of 32 bytes, high first, modulo another.
fn remainder(number: &[u8; 32], modulus: u64) -> u64 {
    let modulus = u128::from(modulus);
    let rest = number.iter().fold(0u128, |rest, byte| (rest * 256 + u128::from(*byte)) % modulus);
    // Below the modulus, which has 64 bits.
    rest as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn root(byte: u8) -> Hash {
        Hash::from_bytes([byte; 32])
    }

    #[test]
    fn the_same_root_draws_the_same_leaves_and_another_root_or_dice_others() {
        let drawn = draw(&root(1), 1_000_000, 60, b"");
        assert_eq!(drawn.len(), 60);
        assert_eq!(drawn, draw(&root(1), 1_000_000, 60, b""));
        assert_ne!(drawn, draw(&root(2), 1_000_000, 60, b""));
        assert_ne!(drawn, draw(&root(1), 1_000_000, 60, b"7"));
        assert!(drawn.is_superset(&draw(&root(1), 1_000_000, 59, b"")));
    }

    #[test]
    fn leaves_are_drawn_from_the_whole_log_alike() {
        let drawn = draw(&root(3), 1_000_000, 4_000, b"");
        for tenth in 0..10 {
            let count = drawn.range(tenth * 100_000..(tenth + 1) * 100_000).count();
            // 400 expected, standard deviation 19.
            assert!((320..=480).contains(&count), "{tenth}: {count}");
        }
    }

    proptest! {
        #[test]
        fn a_sample_is_of_the_log_and_as_large_as_it_can_be(size in 0u64..300, wanted in 0u64..300) {
            let drawn = draw(&root(9), size, wanted, b"");
            prop_assert_eq!(drawn.len() as u64, wanted.min(size));
            prop_assert!(drawn.iter().all(|index| *index < size));
        }
    }
}
