//! Trying again: how often, and how long to wait before.

use std::sync::Arc;
use std::time::Duration;

use renkei_types::Entropy;

/// How often a thing is tried again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Repeats(pub u32);

/// The waits between attempts: each twice as long as the one before, up to a limit, and by chance up to half of it
/// shorter, so that clients which were cut off together do not come back together.
#[derive(Clone)]
pub struct Backoff {
    entropy: Arc<dyn Entropy>,
    attempt: u32,
}

impl std::fmt::Debug for Backoff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Backoff").field("attempt", &self.attempt).finish_non_exhaustive()
    }
}

const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(5);

impl Backoff {
    /// No attempt has failed yet.
    pub fn new(entropy: Arc<dyn Entropy>) -> Self {
        Self { entropy, attempt: 0 }
    }

    /// How many waits there have been since the start or since [`Backoff::reset`].
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Something went well: the next wait is a short one again.
    pub fn reset(&mut self) {
        self.attempt = 0;
    }

    /// How long to wait now.
    pub fn next_wait(&mut self) -> Duration {
        let longest = FIRST.saturating_mul(1 << self.attempt.min(10)).min(LONGEST);
        self.attempt += 1;
        let mut chance = [0; 1];
        self.entropy.fill(&mut chance);
        longest - longest / 2 * u32::from(chance[0]) / 255
    }

    /// Waits, on tokio's clock.
    pub async fn wait(&mut self) {
        let wait = self.next_wait();
        tokio::time::sleep(wait).await;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use renkei_types::SeededEntropy;

    use super::*;

    proptest! {
        #[test]
        fn waits_grow_to_a_limit_and_chance_halves_them_at_most(seed: u64, attempts in 1u32..40) {
            let mut backoff = Backoff::new(Arc::new(SeededEntropy::new(seed)));
            for attempt in 0..attempts {
                let longest = FIRST.saturating_mul(1 << attempt.min(10)).min(LONGEST);
                let wait = backoff.next_wait();
                prop_assert!(wait <= longest && wait >= longest / 2);
            }
            prop_assert_eq!(backoff.attempt(), attempts);
            backoff.reset();
            prop_assert!(backoff.next_wait() <= FIRST);
        }
    }
}
