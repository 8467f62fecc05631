//! Proofs that an entry is in a tree, and that one tree is the beginning of another.
//!
//! A proof for one entry among a million is 20 hashes: the siblings on the way to the root. Making one reads hashes
//! through [`HashReader`]; checking one is arithmetic alone (RFC 9162, sections 2.1.3.2 and 2.1.4.2), so that a receipt
//! can be checked with no log at hand. A proof that is too short, too long or out of range is refused like a wrong one.

use std::ops::Range;

use renkei_types::{Classify, Kind, Language, Localised};

use crate::hash::{Hash, empty_root, node_hash};
use crate::tile::{TILE_HEIGHT, TILE_WIDTH};
use crate::tree::tree_root;

/// Where proofs read hashes from.
pub trait HashReader {
    /// Why a hash cannot be read.
    type Error;

    /// The hashes with these numbers at a tile level, where hash `i` of level `l` is the root of the perfect subtree over
    /// leaves `i * 256^l .. (i + 1) * 256^l`. The range never crosses the border of a tile and never asks for a subtree
    /// that the tree does not hold in full.
    fn hashes(&self, level: u8, range: Range<u64>) -> Result<Vec<Hash>, Self::Error>;
}

/// Shows that a leaf stands at an index of a tree.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InclusionProof {
    /// The leaf's index, from 0.
    pub index: u64,
    /// Leaves of the tree.
    pub tree_size: u64,
    /// Siblings from the leaf upwards.
    pub hashes: Vec<Hash>,
}

/// Shows that a tree is the beginning of a larger one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConsistencyProof {
    /// Leaves of the older tree.
    pub old_size: u64,
    /// Leaves of the newer tree.
    pub new_size: u64,
    /// The nodes of RFC 9162, section 2.1.4.
    pub hashes: Vec<Hash>,
}

/// Why a proof proves nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ProofError {
    /// The index lies outside the tree, or the older tree is the larger one.
    #[error(
        "the proof is about a leaf or a tree size outside the tree; ask the log for a new proof"
    )]
    OutOfRange,
    /// The proof has too few or too many hashes for its sizes.
    #[error(
        "the proof has the wrong number of hashes for its tree size; ask the log for a new proof"
    )]
    Length,
    /// The hashes lead to another root.
    #[error(
        "the proof leads to another root: the entry or the tree is not the one that was signed"
    )]
    Root,
}

impl Classify for ProofError {
    fn kind(&self) -> Kind {
        match self {
            Self::OutOfRange | Self::Length => Kind::InvalidArgument,
            Self::Root => Kind::Refused,
        }
    }
}

impl Localised for ProofError {
    fn localised(&self, language: Language) -> String {
        let japanese = match self {
            Self::OutOfRange => "証明の対象がログの範囲外です。ログから証明を取り直してください",
            Self::Length => {
                "証明のハッシュの数がログの件数に合いません。ログから証明を取り直してください"
            }
            Self::Root => {
                "証明が別のルートハッシュになります。項目またはログが署名されたものと異なります"
            }
        };
        language.pick(self.to_string(), japanese.to_owned())
    }
}

/// The proof that leaf `index` is in the tree of the first `tree_size` leaves. Nothing if it is not.
pub fn inclusion_proof<R: HashReader + ?Sized>(
    reader: &R,
    index: u64,
    tree_size: u64,
) -> Result<Option<InclusionProof>, R::Error> {
    if index >= tree_size {
        return Ok(None);
    }
    let mut hashes = Vec::new();
    let (mut start, mut end) = (0, tree_size);
    // Walked from the root down, so the siblings come out in the opposite order.
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            hashes.push(range_root(reader, middle, end)?);
            end = middle;
        } else {
            hashes.push(range_root(reader, start, middle)?);
            start = middle;
        }
    }
    hashes.reverse();
    Ok(Some(InclusionProof { index, tree_size, hashes }))
}

/// The proof that the tree of the first `old_size` leaves is the beginning of that of the first `new_size`. Nothing if
/// the older is the larger.
pub fn consistency_proof<R: HashReader + ?Sized>(
    reader: &R,
    old_size: u64,
    new_size: u64,
) -> Result<Option<ConsistencyProof>, R::Error> {
    if old_size > new_size {
        return Ok(None);
    }
    let mut hashes = Vec::new();
    let (mut start, mut end) = (0, new_size);
    if old_size > 0 {
        while end > old_size {
            let middle = start + split(end - start);
            if old_size <= middle {
                hashes.push(range_root(reader, middle, end)?);
                end = middle;
            } else {
                hashes.push(range_root(reader, start, middle)?);
                start = middle;
            }
        }
        // What is left over is a subtree of both; the reader of the proof has its root only if it is the whole old tree.
        if start > 0 {
            hashes.push(range_root(reader, start, end)?);
        }
    }
    hashes.reverse();
    Ok(Some(ConsistencyProof { old_size, new_size, hashes }))
}

/// The root of the tree of the first `tree_size` leaves.
pub fn root_at<R: HashReader + ?Sized>(reader: &R, tree_size: u64) -> Result<Hash, R::Error> {
    if tree_size == 0 { Ok(empty_root()) } else { range_root(reader, 0, tree_size) }
}

/// The largest power of two below `count`, which is at least 2.
fn split(count: u64) -> u64 {
    1 << (count - 1).ilog2()
}

/// The root over leaves `start..end`, which split as the whole tree does: `start` is a multiple of the largest perfect
/// subtree that fits.
fn range_root<R: HashReader + ?Sized>(reader: &R, start: u64, end: u64) -> Result<Hash, R::Error> {
    let count = end - start;
    if !count.is_power_of_two() {
        let middle = start + split(count);
        let left = range_root(reader, start, middle)?;
        return Ok(node_hash(&left, &range_root(reader, middle, end)?));
    }
    let height = count.ilog2();
    let level = height / TILE_HEIGHT;
    let first = start >> (level * TILE_HEIGHT);
    // Height within the tile is below 8, so at most 128 hashes of one tile are combined.
    let row = 1 << (height % TILE_HEIGHT);
    debug_assert!(first / TILE_WIDTH == (first + row - 1) / TILE_WIDTH);
    // A u64 of leaves has at most 8 tile levels.
    let hashes = reader.hashes(level as u8, first..first + row)?;
    Ok(tree_root(&hashes))
}

impl InclusionProof {
    /// Checks that the leaf with this hash is where the proof says, in the tree with this root.
    pub fn verify(&self, leaf_hash: &Hash, root: &Hash) -> Result<(), ProofError> {
        if self.index >= self.tree_size {
            return Err(ProofError::OutOfRange);
        }
        let (mut node, mut last) = (self.index, self.tree_size - 1);
        let mut computed = *leaf_hash;
        for sibling in &self.hashes {
            if last == 0 {
                return Err(ProofError::Length);
            }
            if node & 1 == 1 || node == last {
                computed = node_hash(sibling, &computed);
                skip_right_edge(&mut node, &mut last);
            } else {
                computed = node_hash(&computed, sibling);
            }
            node >>= 1;
            last >>= 1;
        }
        if last != 0 {
            return Err(ProofError::Length);
        }
        if computed == *root { Ok(()) } else { Err(ProofError::Root) }
    }
}

impl ConsistencyProof {
    /// Checks that the tree with the old root is the beginning of the tree with the new root.
    pub fn verify(&self, old_root: &Hash, new_root: &Hash) -> Result<(), ProofError> {
        let (old_size, new_size) = (self.old_size, self.new_size);
        if old_size > new_size {
            return Err(ProofError::OutOfRange);
        }
        if old_size == new_size || old_size == 0 {
            if !self.hashes.is_empty() {
                return Err(ProofError::Length);
            }
            let expected = if old_size == new_size { *new_root } else { empty_root() };
            let empty_fits = new_size > 0 || *new_root == empty_root();
            return if *old_root == expected && empty_fits {
                Ok(())
            } else {
                Err(ProofError::Root)
            };
        }
        let mut hashes = self.hashes.iter();
        // A perfect old tree is itself the node that the walk begins at.
        let first = if old_size.is_power_of_two() { Some(old_root) } else { hashes.next() };
        let mut new_computed = *first.ok_or(ProofError::Length)?;
        let mut old_computed = new_computed;
        let (mut node, mut last) = (old_size - 1, new_size - 1);
        let perfect = node.trailing_ones();
        node >>= perfect;
        last >>= perfect;
        for hash in hashes {
            if last == 0 {
                return Err(ProofError::Length);
            }
            if node & 1 == 1 || node == last {
                old_computed = node_hash(hash, &old_computed);
                new_computed = node_hash(hash, &new_computed);
                skip_right_edge(&mut node, &mut last);
            } else {
                new_computed = node_hash(&new_computed, hash);
            }
            node >>= 1;
            last >>= 1;
        }
        if last != 0 {
            return Err(ProofError::Length);
        }
        if old_computed == *old_root && new_computed == *new_root {
            Ok(())
        } else {
            Err(ProofError::Root)
        }
    }
}

/// On the right edge a node without a sibling rises unchanged until it is a right child.
fn skip_right_edge(node: &mut u64, last: &mut u64) {
    if *node & 1 == 0 {
        let levels = if *node == 0 { 0 } else { node.trailing_zeros() };
        *node >>= levels;
        *last >>= levels;
    }
}

#[cfg(test)]
mod tests;
