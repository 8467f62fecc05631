//! Request ids: what makes repeating a call harmless.

use renkei_types::{Clock, Entropy, RequestId};
use sha2::{Digest as _, Sha256};

/// A new request id. One per thing that is wanted, not one per attempt.
pub fn new_request_id(clock: &dyn Clock, entropy: &dyn Entropy) -> RequestId {
    RequestId::new(clock.now(), entropy)
}

/// The request id of a later call of the same errand.
///
/// An upload is opened and sealed: two calls that each need an id. The second id follows from the first, so that whoever
/// repeats the errand has to keep one id only, and every call of it is recognised.
pub fn following_request_id(first: &RequestId, step: &str) -> RequestId {
    let mut hash = Sha256::new();
    hash.update(first.as_bytes());
    hash.update(step.as_bytes());
    let mut bytes = *first.as_bytes();
    // The time stays, as well as the bits of version and variant.
    for (place, byte) in hash.finalize().iter().enumerate().take(16).skip(6) {
        let kept = match place {
            6 => 0xf0,
            8 => 0xc0,
            _ => 0,
        };
        bytes[place] = (bytes[place] & kept) | (byte & !kept);
    }
    RequestId::from_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use renkei_types::{FixedClock, SeededEntropy};

    use super::*;

    fn first() -> RequestId {
        let clock = FixedClock("2026-11-21T00:00:00Z".parse().expect("a timestamp"));
        new_request_id(&clock, &SeededEntropy::new(7))
    }

    #[test]
    fn a_following_id_is_the_same_each_time_and_another_for_another_step() {
        let seal = following_request_id(&first(), "seal");
        assert_eq!(seal, following_request_id(&first(), "seal"));
        assert_ne!(seal, first());
        assert_ne!(seal, following_request_id(&first(), "ack"));
    }

    #[test]
    fn a_following_id_keeps_time_version_and_variant() {
        let (first, seal) = (first(), following_request_id(&first(), "seal"));
        assert_eq!(first.as_bytes()[..6], seal.as_bytes()[..6]);
        assert_eq!(seal.as_bytes()[6] >> 4, 7);
        assert_eq!(seal.as_bytes()[8] >> 6, 2);
    }
}
