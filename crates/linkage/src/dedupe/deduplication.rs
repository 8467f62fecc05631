//! What linking one file to itself has found.

use renkei_types::{Digest, DigestBuilder};

use super::Dedupable;
use crate::job::StageTimes;
use crate::model::Model;
use crate::weight::MatchWeight;

/// Of records that are equal in every value, so many are paired with each other one by one. Of more, each is paired with
/// the first, or a million copies would be half a million million pairs.
const COPIES_PAIRED_MAX: usize = 1_000;

/// Two records that may be one person. Of the two ids, `a` has the lesser bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DuplicatePair {
    /// Row of the one.
    pub a: u32,
    /// Row of the other.
    pub b: u32,
    /// The weight of the pair.
    pub weight: MatchWeight,
}

/// Which records are one person.
#[derive(Debug)]
pub struct Deduplication {
    /// For each row, the row of the least id among the records of the same person.
    pub clusters: Vec<u32>,
    /// The model that was used.
    pub model: Model,
    /// Pairs compared, each from both of its records and counted once.
    pub candidate_pairs: u64,
    /// Records that were compared with nobody, because whom they could mean are too many.
    pub too_common: u64,
    /// How long it took.
    pub times: StageTimes,
    pub(super) records: Dedupable,
    /// Pairs of unequal records, by falling weight, then ids.
    pub(super) pairs: Vec<DuplicatePair>,
    /// Records with copies, and the weight of two of them.
    pub(super) copied: Vec<(u32, MatchWeight)>,
}

impl Deduplication {
    /// The id of a record.
    pub fn id(&self, row: u32) -> &str {
        self.records.index.id(row)
    }

    /// Every pair at or above the review threshold, each once: records that are equal in every value by their ids, then
    /// all others by falling weight. Of more than a thousand equal records, each is paired with the first alone.
    pub fn pairs(&self) -> impl Iterator<Item = DuplicatePair> + '_ {
        let copies = &self.records.copies;
        let review = self.model.thresholds.review;
        let alike = self.copied.iter().filter(move |(_, weight)| *weight >= review);
        let alike = alike.flat_map(move |&(original, weight)| {
            let rows = copies.equal_to(original);
            let partners = if rows.len() > COPIES_PAIRED_MAX { 1 } else { rows.len() };
            (0..partners).flat_map(move |one| {
                let others = rows[one + 1..].iter();
                others.map(move |&other| DuplicatePair { a: rows[one], b: other, weight })
            })
        });
        let unlike = self.pairs.iter().flat_map(move |pair| {
            let of = |record: u32| {
                let rows = copies.equal_to(record);
                if rows.len() > COPIES_PAIRED_MAX { &rows[..1] } else { rows }
            };
            let (ones, others) = (of(pair.a), of(pair.b));
            ones.iter().flat_map(move |&one| {
                others.iter().map(move |&other| {
                    let (a, b) = copies.in_order(one, other);
                    DuplicatePair { a, b, weight: pair.weight }
                })
            })
        });
        alike.chain(unlike)
    }

    /// SHA-256 over record and cluster ids sorted by record id: equal for equal input, on any number of threads and in
    /// any order.
    pub fn result_digest(&self) -> Digest {
        let copies = &self.records.copies;
        let mut digest = DigestBuilder::new();
        for row in copies.by_id() {
            digest.field(self.id(row).as_bytes());
            digest.field(self.id(self.clusters[row as usize]).as_bytes());
        }
        digest.finish()
    }
}
