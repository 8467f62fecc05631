use std::convert::Infallible;

use proptest::prelude::*;
use tlog_tiles::tlog;

use super::*;
use crate::hash::leaf_hash;

/// All leaf hashes in memory; higher levels are computed when asked.
struct Row(Vec<Hash>);

impl Row {
    fn of(count: u64) -> Self {
        Self((0..count).map(|index| leaf_hash(&index.to_be_bytes())).collect())
    }
}

impl HashReader for Row {
    type Error = Infallible;

    fn hashes(&self, level: u8, range: Range<u64>) -> Result<Vec<Hash>, Infallible> {
        assert_eq!(range.start / 256, (range.end - 1) / 256, "one tile at a time");
        let leaves = 256_usize.pow(u32::from(level));
        Ok(range
            .map(|index| {
                let start = usize::try_from(index).expect("a small tree") * leaves;
                tree_root(&self.0[start..start + leaves])
            })
            .collect())
    }
}

fn unwrap<T>(result: Result<Option<T>, Infallible>) -> T {
    result.expect("infallible").expect("within the tree")
}

/// The oracle's storage: every node, in the order of its stored-hash index.
struct Oracle(Vec<tlog::Hash>);

impl Oracle {
    fn of(count: u64) -> Self {
        let mut oracle = Self(Vec::new());
        for index in 0..count {
            let new = tlog::stored_hashes(index, &index.to_be_bytes(), &oracle).expect("hashes");
            oracle.0.extend(new);
        }
        oracle
    }
}

impl tlog::HashReader for Oracle {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog::Hash>, tlog::Error> {
        Ok(indexes.iter().map(|&index| self.0[usize::try_from(index).expect("small")]).collect())
    }
}

fn theirs(hashes: &[Hash]) -> Vec<tlog::Hash> {
    hashes.iter().map(|hash| tlog::Hash(*hash.as_bytes())).collect()
}

#[test]
fn every_leaf_of_every_small_tree_is_proven_as_the_oracle_proves_it() {
    let (row, oracle) = (Row::of(300), Oracle::of(300));
    for size in (1..40).chain([255, 256, 257, 300]) {
        let root = root_at(&row, size).expect("infallible");
        assert_eq!(tlog::tree_hash(size, &oracle).expect("a tree").0, *root.as_bytes());
        for index in 0..size {
            let proof = unwrap(inclusion_proof(&row, index, size));
            let leaf = row.0[usize::try_from(index).expect("small")];
            assert_eq!(proof.verify(&leaf, &root), Ok(()), "{index} of {size}");
            let oracle_proof = tlog::prove_record(size, index, &oracle).expect("a proof");
            assert_eq!(oracle_proof, theirs(&proof.hashes), "{index} of {size}");
        }
    }
}

#[test]
fn every_pair_of_small_trees_is_consistent_as_the_oracle_says() {
    let (row, oracle) = (Row::of(70), Oracle::of(70));
    for new_size in 0..70 {
        let new_root = root_at(&row, new_size).expect("infallible");
        for old_size in 0..=new_size {
            let old_root = root_at(&row, old_size).expect("infallible");
            let proof = unwrap(consistency_proof(&row, old_size, new_size));
            assert_eq!(proof.verify(&old_root, &new_root), Ok(()), "{old_size} in {new_size}");
            if old_size > 0 {
                let oracle_proof = tlog::prove_tree(new_size, old_size, &oracle).expect("a proof");
                assert_eq!(oracle_proof, theirs(&proof.hashes), "{old_size} in {new_size}");
            }
        }
    }
}

#[test]
fn sizes_outside_the_tree_have_no_proof() {
    let row = Row::of(4);
    assert_eq!(inclusion_proof(&row, 4, 4).expect("infallible"), None);
    assert_eq!(inclusion_proof(&row, 0, 0).expect("infallible"), None);
    assert_eq!(consistency_proof(&row, 4, 3).expect("infallible"), None);
}

#[test]
fn another_empty_root_is_not_consistent() {
    let other = leaf_hash(b"");
    let proof = ConsistencyProof { old_size: 0, new_size: 0, hashes: Vec::new() };
    assert_eq!(proof.verify(&empty_root(), &empty_root()), Ok(()));
    assert_eq!(proof.verify(&other, &other), Err(ProofError::Root));
    let proof = ConsistencyProof { old_size: 0, new_size: 3, hashes: Vec::new() };
    assert_eq!(proof.verify(&empty_root(), &other), Ok(()));
    assert_eq!(proof.verify(&other, &other), Err(ProofError::Root));
}

proptest! {
    #[test]
    fn a_proof_holds_for_its_leaf_and_no_other(
        size in 1_u64..700, at in any::<prop::sample::Index>(), other in any::<prop::sample::Index>(),
    ) {
        let row = Row::of(size);
        let (index, other) = (at.index(row.0.len()), other.index(row.0.len()));
        let root = root_at(&row, size).expect("infallible");
        let proof = unwrap(inclusion_proof(&row, index as u64, size));
        prop_assert_eq!(proof.verify(&row.0[index], &root), Ok(()));
        if other != index {
            prop_assert!(proof.verify(&row.0[other], &root).is_err());
            let moved = InclusionProof { index: other as u64, ..proof.clone() };
            prop_assert!(moved.verify(&row.0[index], &root).is_err());
        }
        let mut longer = proof.clone();
        longer.hashes.push(root);
        prop_assert_eq!(longer.verify(&row.0[index], &root), Err(ProofError::Length));
        let mut shorter = proof;
        if shorter.hashes.pop().is_some() {
            prop_assert_eq!(shorter.verify(&row.0[index], &root), Err(ProofError::Length));
        }
    }

    #[test]
    fn a_larger_tree_with_another_past_is_not_consistent(
        old_size in 1_u64..300, more in 0_u64..300, changed in any::<prop::sample::Index>(),
    ) {
        let new_size = old_size + more;
        let row = Row::of(new_size);
        let mut forged = Row::of(new_size);
        forged.0[changed.index(usize::try_from(old_size).expect("small"))] = leaf_hash(b"forged");
        let old_root = root_at(&row, old_size).expect("infallible");
        let forged_root = root_at(&forged, new_size).expect("infallible");
        let proof = unwrap(consistency_proof(&forged, old_size, new_size));
        prop_assert_eq!(proof.verify(&old_root, &forged_root), Err(ProofError::Root));
    }

    #[test]
    fn any_proof_is_checked_without_panic(
        index in any::<u64>(), tree_size in any::<u64>(), count in 0_usize..70,
    ) {
        let hashes = vec![leaf_hash(b"x"); count];
        let hash = leaf_hash(b"y");
        let inclusion = InclusionProof { index, tree_size, hashes: hashes.clone() };
        prop_assert!(inclusion.verify(&hash, &hash).is_err() || tree_size == 1);
        let consistency = ConsistencyProof { old_size: index, new_size: tree_size, hashes };
        let _ = consistency.verify(&hash, &hash);
    }
}
