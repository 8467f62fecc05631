//! The transparency log: leaves, tiles, checkpoints, proofs and the offline verifier.
