//! The transparency log: leaves, tiles, checkpoints, proofs and the offline verifier.
//!
//! The log lets an auditor find any entry that was changed, dropped or reordered, with a folder of files, a public key and
//! no trust in who runs the broker. Its formats are public, so that other people's tools can do the same: RFC 6962 for
//! the tree, C2SP's tlog-tiles, signed-note and tlog-proof for files, checkpoints and receipts, tlog-cosignature and tlog-policy
//! for what witnesses say.
//!
//! ```text
//! leaf > entry bundle > tiles of hashes > root > checkpoint, signed
//! ```
//!
//! Files are touched below [`folder`] alone, and by whoever reads a [`policy`]; the rest computes. What becomes a leaf, and when, is decided by the callers.

pub mod checkpoint;
pub mod commitment;
pub mod folder;
pub mod hash;
pub mod leaf;
pub mod policy;
pub mod proof;
pub mod receipt;
pub mod sample;
pub mod tile;
pub mod tree;
pub mod verify;

pub use checkpoint::{
    Checkpoint, Cosignature, CosignerKey, LogKey, Origin, SignedCheckpoint, VerifierKey, WitnessKey,
};
pub use folder::{LogCopy, LogError, LogFolder, LogLook, PlacedLeaves, TreeHead};
pub use hash::Hash;
pub use leaf::{Leaf, LeafError};
pub use policy::{Policy, PolicyError, Standing};
pub use receipt::Receipt;
pub use verify::{Verification, VerifyError, verify_folder, verify_folder_by, verify_folder_with};
