//! The two hashes of RFC 6962, from which everything in the log follows.
//!
//! A leaf and an inner node are hashed with different first bytes (0x00 and 0x01): without them the two child hashes of
//! a node, taken as a leaf's bytes, would give the same root as the node, and a proof could pass a node off as an entry.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use renkei_types::Digest;
use sha2::{Digest as _, Sha256};

/// The hash of a leaf, of a node or of a whole tree. Text form: base64, as in a checkpoint.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Hash([u8; 32]);

/// The text is not the base64 of 32 bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a hash is the base64 of 32 bytes, 44 characters long")]
pub struct InvalidHash;

impl Hash {
    /// Bytes of one hash in a tile.
    pub const BYTES: usize = 32;

    /// A hash from its 32 bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The hash of an entry's bytes.
pub fn leaf_hash(entry: &[u8]) -> Hash {
    let mut hash = Sha256::new();
    hash.update([0x00]);
    hash.update(entry);
    Hash(hash.finalize().into())
}

/// The hash of the node above two others.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    // One update: the three parts make up the 65 bytes that are hashed, and a hasher that is fed in pieces copies each.
    let mut bytes = [0x01; 65];
    bytes[1..33].copy_from_slice(&left.0);
    bytes[33..].copy_from_slice(&right.0);
    Hash(Sha256::digest(bytes).into())
}

/// The root of the tree without leaves: the hash of nothing.
pub fn empty_root() -> Hash {
    Hash(Sha256::digest([]).into())
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Hash {
    type Err = InvalidHash;

    fn from_str(text: &str) -> Result<Self, InvalidHash> {
        // The standard engine refuses stray bits after the last byte, so that one hash has one text.
        let bytes = STANDARD.decode(text).map_err(|_| InvalidHash)?;
        bytes.try_into().map(Self).map_err(|_| InvalidHash)
    }
}

impl From<Hash> for Digest {
    fn from(hash: Hash) -> Self {
        Self::from_bytes(hash.0)
    }
}

impl From<Digest> for Hash {
    fn from(digest: Digest) -> Self {
        Self(*digest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hashes_of_the_rfc_have_their_published_values() {
        // The first two values of the test vectors in the Certificate Transparency code base.
        assert_eq!(
            Digest::from(empty_root()).to_string(),
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(
            Digest::from(leaf_hash(b"")).to_string(),
            "sha256:6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
        );
        let (left, right) = (leaf_hash(b"left"), leaf_hash(b"right"));
        let oracle = tlog_tiles::tlog::node_hash(
            tlog_tiles::tlog::record_hash(b"left"),
            tlog_tiles::tlog::record_hash(b"right"),
        );
        assert_eq!(*node_hash(&left, &right).as_bytes(), oracle.0);
    }

    #[test]
    fn a_hash_has_one_text() {
        let hash = leaf_hash(b"x");
        let text = hash.to_string();
        assert_eq!(text.parse(), Ok(hash));
        assert_eq!(text.len(), 44);
        let last = text.as_bytes()[42];
        for other in (b'A'..=b'z').filter(|&c| c != last && c.is_ascii_alphabetic()) {
            let mut changed = text.clone().into_bytes();
            changed[42] = other;
            let changed = String::from_utf8(changed).expect("ASCII");
            assert_ne!(changed.parse(), Ok(hash), "{changed}");
        }
        assert_eq!("".parse::<Hash>(), Err(InvalidHash));
    }
}
