//! The growing edge of the tree, and the tree's definition to check it against.
//!
//! A tree of n leaves is a row of perfect subtrees, one for each binary digit 1 of n. [`Frontier`] keeps their roots, at
//! most 64 hashes for any log, so that appending never reads anything back. [`tree_root`] is RFC 6962's own recursive
//! definition over all hashes: slow, obviously right, and the second opinion before a root is signed.

use crate::hash::{Hash, empty_root, node_hash};
use crate::tile::TILE_WIDTH;

/// The roots of the perfect subtrees that make up a tree, the largest first.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// The tree without leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// The frontier of a tree whose last tiles, from level 0 upwards, hold these hashes, fewer than 256 each.
    pub(crate) fn of_rows(rows: &[Vec<Hash>]) -> Self {
        let mut frontier = Self::new();
        for row in rows.iter().rev() {
            frontier.size = frontier.size * TILE_WIDTH + row.len() as u64;
            let mut rest = row.as_slice();
            // Each binary digit 1 of the width is one perfect subtree, the largest first.
            while let Some(height) = rest.len().checked_ilog2() {
                let (peak, after) = rest.split_at(1 << height);
                frontier.peaks.push(tree_root(peak));
                rest = after;
            }
        }
        frontier
    }

    /// Adds one leaf.
    pub fn append(&mut self, leaf_hash: Hash) {
        let mut node = leaf_hash;
        // Each 1 at the end of the size is a subtree as large as the one just made: the two become one.
        for _ in 0..self.size.trailing_ones() {
            // The size counts the peaks, so there is one for each of its ones.
            let Some(left) = self.peaks.pop() else { break };
            node = node_hash(&left, &node);
        }
        self.peaks.push(node);
        self.size += 1;
    }

    /// Leaves so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root of the tree.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(&last) = peaks.next() else { return empty_root() };
        peaks.fold(last, |right, left| node_hash(left, &right))
    }
}

/// The root over a row of hashes, by the definition of RFC 6962, section 2.1: split at the largest power of two below
/// their number.
pub fn tree_root(hashes: &[Hash]) -> Hash {
    match hashes {
        [] => empty_root(),
        [only] => *only,
        _ => {
            let (left, right) = hashes.split_at(largest_power_of_two_below(hashes.len()));
            node_hash(&tree_root(left), &tree_root(right))
        }
    }
}

/// The root of a tree whose last tiles, from level 0 upwards, hold these hashes: the tail of each level is the last,
/// imperfect subtree of the one above.
pub(crate) fn root_of_rows(rows: &[Vec<Hash>]) -> Hash {
    let mut tail = None;
    for row in rows {
        let hashes: Vec<Hash> = row.iter().copied().chain(tail).collect();
        tail = (!hashes.is_empty()).then(|| tree_root(&hashes));
    }
    tail.unwrap_or_else(empty_root)
}

fn largest_power_of_two_below(count: usize) -> usize {
    // Only asked for two or more, where `count - 1` is not zero.
    1 << (count - 1).ilog2()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::leaf_hash;

    #[test]
    fn the_frontier_agrees_with_the_definition_at_every_size() {
        let mut frontier = Frontier::new();
        let mut hashes = Vec::new();
        for index in 0..600_u32 {
            assert_eq!(frontier.root(), tree_root(&hashes), "{index}");
            assert_eq!(frontier.size(), u64::from(index));
            let hash = leaf_hash(&index.to_be_bytes());
            hashes.push(hash);
            frontier.append(hash);
        }
    }
}
