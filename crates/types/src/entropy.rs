//! Chance as a parameter.

use std::sync::Mutex;

use sha2::{Digest as _, Sha256};

/// Where unpredictable bytes come from: the operating system at the edge, a seed in tests.
pub trait Entropy: Send + Sync {
    /// Fills the buffer.
    fn fill(&self, bytes: &mut [u8]);
}

/// Reproducible bytes from a seed: SHA-256 over the seed and a counter. For tests and for nothing else.
#[derive(Debug)]
pub struct SeededEntropy {
    seed: u64,
    counter: Mutex<u64>,
}

impl SeededEntropy {
    /// The same seed gives the same bytes.
    pub fn new(seed: u64) -> Self {
        Self { seed, counter: Mutex::new(0) }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        // Unwrap safety: nothing panics while the lock is held.
        let mut counter = self.counter.lock().expect("a lock that no panic poisons");
        for chunk in bytes.chunks_mut(32) {
            let mut hash = Sha256::new();
            hash.update(self.seed.to_le_bytes());
            hash.update(counter.to_le_bytes());
            *counter += 1;
            chunk.copy_from_slice(&hash.finalize()[..chunk.len()]);
        }
    }
}
