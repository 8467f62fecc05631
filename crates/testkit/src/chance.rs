//! Chance: every random choice of the crate, from one seeded stream.
//!
//! The stream is ChaCha8 and every choice is made on integers, so a recipe gives the same bytes on every machine; the
//! one real-valued draw, [`Chance::normal`], uses `libm` instead of the platform's mathematics.
//! Invariant: a stream is named by (seed, purpose), so drawing more for one purpose never shifts another.

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// A seeded stream of choices.
pub(crate) struct Chance {
    rng: ChaCha8Rng,
}

impl Chance {
    /// The stream of one purpose under one seed. Purposes are at most 24 bytes.
    pub(crate) fn new(seed: u64, purpose: &str) -> Self {
        let mut key = [0_u8; 32];
        let (number, name) = key.split_at_mut(8);
        number.copy_from_slice(&seed.to_le_bytes());
        for (slot, byte) in name.iter_mut().zip(purpose.bytes()) {
            *slot = byte;
        }
        Self { rng: ChaCha8Rng::from_seed(key) }
    }

    /// A number below `bound`; 0 when `bound` is 0.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        ((u64::from(self.rng.next_u32()) * u64::from(bound)) >> 32) as u32
    }

    /// A number below `bound`, for totals that do not fit 32 bits.
    pub(crate) fn below_wide(&mut self, bound: u64) -> u64 {
        ((u128::from(self.rng.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// An index into something of `length` items.
    pub(crate) fn index(&mut self, length: usize) -> usize {
        self.below(u32::try_from(length).unwrap_or(u32::MAX)) as usize
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// True `share` times in a hundred.
    pub(crate) fn percent(&mut self, share: u32) -> bool {
        self.below(100) < share
    }

    /// True `share` times in a thousand.
    pub(crate) fn permille(&mut self, share: u32) -> bool {
        self.below(1000) < share
    }

    /// A number in [0, 1), with 53 random bits.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.rng.next_u64() >> 11) as f64 / 9_007_199_254_740_992.0
    }

    /// A standard normal number (Box-Muller).
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * libm::log(1.0 - self.unit())).sqrt();
        radius * libm::cos(2.0 * core::f64::consts::PI * self.unit())
    }

    /// One of `items`, which is a table of this crate and never empty.
    pub(crate) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.index(items.len())]
    }

    /// One of `items` by weight, the first member of each pair; `items` is never empty.
    pub(crate) fn weighted<T: Copy>(&mut self, items: &[(u32, T)]) -> T {
        let total = items.iter().map(|(weight, _)| weight).sum();
        let mut left = self.below(total);
        for (weight, item) in items {
            if left < *weight {
                return *item;
            }
            left -= weight;
        }
        items[items.len() - 1].1
    }
}

/// Weights of a long list, drawn from by bisection.
#[derive(Debug, Default)]
pub(crate) struct Weights {
    cumulative: Vec<u64>,
}

impl Weights {
    /// The next item has this weight.
    pub(crate) fn push(&mut self, weight: u64) {
        self.cumulative.push(self.total() + weight);
    }

    /// The sum of all weights.
    pub(crate) fn total(&self) -> u64 {
        self.cumulative.last().copied().unwrap_or(0)
    }

    /// The index of one item, by weight.
    pub(crate) fn draw(&self, chance: &mut Chance) -> usize {
        let at = chance.below_wide(self.total());
        self.cumulative.partition_point(|sum| *sum <= at)
    }
}

/// A fixed scrambling of 64 bits (splitmix64), for orders that must not follow the tables they come from.
pub(crate) fn scramble(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_of_other_seeds_and_purposes_differ() {
        let first = |seed, purpose| Chance::new(seed, purpose).below_wide(u64::MAX);
        assert_eq!(first(1, "people"), first(1, "people"));
        assert_ne!(first(1, "people"), first(2, "people"));
        assert_ne!(first(1, "people"), first(1, "list"));
    }

    #[test]
    fn normal_numbers_have_mean_zero_and_deviation_one() {
        let mut chance = Chance::new(7, "normal");
        let numbers: Vec<f64> = (0..20_000).map(|_| chance.normal()).collect();
        let mean = numbers.iter().sum::<f64>() / 20_000.0;
        let variance = numbers.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 20_000.0;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
    }

    #[test]
    fn heavy_items_are_drawn_more_often() {
        let mut weights = Weights::default();
        weights.push(1);
        weights.push(0);
        weights.push(3);
        let mut chance = Chance::new(3, "weights");
        let mut seen = [0; 3];
        for _ in 0..4000 {
            seen[weights.draw(&mut chance)] += 1;
        }
        assert_eq!(seen[1], 0);
        assert!((900..1100).contains(&seen[0]), "{seen:?}");
    }
}
