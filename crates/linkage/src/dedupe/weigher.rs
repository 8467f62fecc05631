//! Pairs of one file with their weights, and the clusters that they make.

use hashbrown::HashMap;
use rayon::prelude::*;

use super::{Dedupable, DuplicatePair};
use crate::candidates::{Compared, Comparer};
use crate::cluster::{Agreement, Proposal, cluster};
use crate::hash::Seeded;
use crate::job::{Stopped, Watcher};
use crate::met::Met;
use crate::model::{Model, PatternWeights, WeightTable};
use crate::pair_training;
use crate::pattern::Pattern;
use crate::weight::MatchWeight;

/// A pair between two clusters that is so much less likely one person than two keeps the clusters apart.
const CLEARLY_DIFFERENT: MatchWeight = MatchWeight::from_millibits(-20_000);

/// The same among people who live together: twins differ in their given names alone, which weighs no more than that they
/// might be one person after all.
const CLEARLY_DIFFERENT_RELATIVES: MatchWeight = MatchWeight::from_millibits(-1_000);

/// The pairs that one task finds worth showing, and the weights of the patterns that it has met.
#[derive(Default)]
struct Worthy {
    found: Vec<(u32, u32)>,
    weights: HashMap<Pattern, PatternWeights, Seeded>,
}

/// Weighs pairs with a model.
pub(super) struct Weigher<'a> {
    records: &'a Dedupable,
    comparer: Comparer<'a>,
    table: &'a WeightTable,
}

impl<'a> Weigher<'a> {
    pub(super) fn new(records: &'a Dedupable, table: &'a WeightTable, u: &'a [Vec<f64>]) -> Self {
        let comparer = Comparer { sides: records.sides(), radix: table.radix(), u };
        Self { records, comparer, table }
    }

    /// The weight of two records.
    fn weight(&self, a: u32, b: u32, levels: &mut Vec<u8>) -> MatchWeight {
        let from = |line, resident, levels: &mut Vec<u8>| {
            let rarity = self.comparer.rarity(line, resident, levels, |_, _| {});
            pair_training::weight(self.table.levels(levels).of_pair(rarity))
        };
        from(a, b, levels).max(from(b, a, levels))
    }

    /// The pairs of unequal records at or above `floor`.
    pub(super) fn pairs(
        &self,
        floor: MatchWeight,
        met: &mut [Met],
        watcher: &dyn Watcher,
    ) -> Result<Vec<DuplicatePair>, Stopped> {
        let copies = &self.records.copies;
        let keep = |kept: &mut Worthy, line: u32, pair: &Compared| {
            let weights = kept.weights.entry(pair.pattern);
            let weights = weights.or_insert_with(|| self.table.pattern(pair.pattern));
            if pair_training::weight(weights.of_pair(pair.rarity)) >= floor {
                kept.found.push(copies.in_order(line, pair.resident));
            }
        };
        let parts = self.records.each_chunk(&self.comparer, met, watcher, keep)?;
        let mut found: Vec<(u32, u32)> = parts.into_iter().flat_map(|kept| kept.found).collect();
        // From both sides, most pairs are found twice.
        found.par_sort_unstable();
        found.dedup();
        let weigh = |levels: &mut Vec<u8>, (a, b)| DuplicatePair {
            a,
            b,
            weight: self.weight(a, b, levels),
        };
        let mut pairs: Vec<DuplicatePair> =
            found.into_par_iter().map_init(Vec::new, weigh).collect();
        pairs.par_sort_unstable_by_key(|pair| {
            (std::cmp::Reverse(pair.weight), copies.rank(pair.a), copies.rank(pair.b))
        });
        Ok(pairs)
    }

    /// The records that have copies, and what a record and its copy weigh.
    pub(super) fn copied(&self) -> Vec<(u32, MatchWeight)> {
        let mut levels = Vec::new();
        let copied = self.records.copies.copied();
        copied.map(|record| (record, self.weight(record, record, &mut levels))).collect()
    }

    /// For each row, the row of the least id of its person.
    pub(super) fn clusters(
        &self,
        pairs: &[DuplicatePair],
        copied: &[(u32, MatchWeight)],
        model: &Model,
    ) -> Vec<u32> {
        let (link, households) = (model.thresholds.link, model.has_households());
        let copies = &self.records.copies;
        // Where equality in all values does not make one person of two records, nothing else does.
        let doubtful: Vec<u32> = copied
            .iter()
            .filter(|(_, weight)| *weight < link)
            .map(|&(original, _)| original)
            .collect();
        let is_doubtful = |row: u32| doubtful.binary_search(&row).is_ok();
        let proposals = pairs
            .iter()
            .filter(|pair| pair.weight >= link && !is_doubtful(pair.a) && !is_doubtful(pair.b))
            .map(|pair| Proposal {
                a: copies.rank(pair.a),
                b: copies.rank(pair.b),
                weight: pair.weight,
            });
        let least = if households { CLEARLY_DIFFERENT_RELATIVES } else { CLEARLY_DIFFERENT };
        let agreement = Agreement { mean: MatchWeight::ZERO, least };
        let mut levels = Vec::new();
        let by_rank = cluster(copies.len(), proposals.collect(), agreement, |a, b| {
            self.weight(copies.row(a), copies.row(b), &mut levels)
        });
        let of_row = |row: u32| {
            let original = copies.original(row);
            if is_doubtful(original) {
                row
            } else {
                copies.row(by_rank[copies.rank(original) as usize])
            }
        };
        (0..u32::try_from(copies.len()).expect("fewer than 2^32 records")).map(of_row).collect()
    }
}
