//! Clusters: which records are one person, from the weights of their pairs.
//!
//! Joining every pair above a threshold (single linkage) makes chains: A is like B, B is like C, and a father and a son
//! become one person through a record that lacks the given name. So pairs only propose, the strongest first, and two
//! clusters are joined if the pairs *between* them agree: their mean weight speaks for one person, and none of them
//! speaks clearly against it. Mean linkage is Sokal and Michener, "A Statistical Method for Evaluating Systematic
//! Relationships", 1958; a pair that may not be joined whatever others say is the cannot-link of Wagstaff and others,
//! "Constrained K-means Clustering with Background Knowledge", ICML 2001. Invariant: the clusters depend on weights and on
//! the order of ids alone.

use std::cmp::Reverse;

use hashbrown::HashMap;

use crate::hash::{self, Seeded};
use crate::weight::MatchWeight;

/// A pair that is proposed. Records are numbered by the order of their ids.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Proposal {
    pub(crate) a: u32,
    pub(crate) b: u32,
    pub(crate) weight: MatchWeight,
}

/// What pairs between two clusters must say for the two to be joined.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Agreement {
    /// Their mean weight must reach this.
    pub(crate) mean: MatchWeight,
    /// None of them may be below this.
    pub(crate) least: MatchWeight,
}

/// The members of a cluster that are asked about another one. All of a usual cluster; of a huge one enough to know.
const PANEL: usize = 32;

/// The cluster of each record, named by its least member. `weigh` gives the weight of any pair.
pub(crate) fn cluster(
    records: usize,
    mut proposals: Vec<Proposal>,
    agreement: Agreement,
    weigh: impl FnMut(u32, u32) -> MatchWeight,
) -> Vec<u32> {
    proposals.sort_unstable_by_key(|proposal| {
        let (low, high) = (proposal.a.min(proposal.b), proposal.a.max(proposal.b));
        (Reverse(proposal.weight), low, high)
    });
    let mut joining = Joining {
        cluster_of: (0..u32::try_from(records).expect("fewer than 2^32 records")).collect(),
        members: HashMap::with_hasher(Seeded::default()),
        refused: HashMap::with_hasher(Seeded::default()),
        agreement,
        weigh,
    };
    for proposal in proposals {
        joining.consider(proposal.a, proposal.b);
    }
    joining.cluster_of
}

struct Joining<W> {
    cluster_of: Vec<u32>,
    /// The members of every cluster of more than one, in ascending order.
    members: HashMap<u32, Vec<u32>, Seeded>,
    /// Two clusters that were not joined, and how many members they had.
    refused: HashMap<(u32, u32), usize, Seeded>,
    agreement: Agreement,
    weigh: W,
}

impl<W: FnMut(u32, u32) -> MatchWeight> Joining<W> {
    fn consider(&mut self, a: u32, b: u32) {
        let (a, b) = (self.cluster_of[a as usize], self.cluster_of[b as usize]);
        let (low, high) = (a.min(b), a.max(b));
        if low == high {
            return;
        }
        let members = self.members_of(&low).len() + self.members_of(&high).len();
        if self.refused.get(&(low, high)) == Some(&members) {
            return;
        }
        if self.agree(low, high) {
            self.join(low, high);
        } else {
            self.refused.insert((low, high), members);
        }
    }

    fn members_of<'a>(&'a self, cluster: &'a u32) -> &'a [u32] {
        self.members.get(cluster).map_or(std::slice::from_ref(cluster), Vec::as_slice)
    }

    /// Those members of a cluster that are asked.
    fn panel_of(&self, cluster: u32) -> Vec<u32> {
        let mut members = self.members_of(&cluster).to_vec();
        if members.len() > PANEL {
            members.sort_unstable_by_key(|&member| hash::mix(1, u64::from(member)));
            members.truncate(PANEL);
        }
        members
    }

    fn agree(&mut self, low: u32, high: u32) -> bool {
        let (of_low, of_high) = (self.panel_of(low), self.panel_of(high));
        let (mut sum, mut pairs) = (0i64, 0i64);
        for &one in &of_low {
            for &other in &of_high {
                let weight = (self.weigh)(one, other);
                if weight < self.agreement.least {
                    return false;
                }
                sum += i64::from(weight.millibits());
                pairs += 1;
            }
        }
        sum >= i64::from(self.agreement.mean.millibits()) * pairs
    }

    fn join(&mut self, low: u32, high: u32) {
        let (mut members, joined) =
            (self.members_of(&low).to_vec(), self.members_of(&high).to_vec());
        joined.iter().for_each(|&member| self.cluster_of[member as usize] = low);
        members.extend(joined);
        members.sort_unstable();
        self.members.remove(&high);
        self.members.insert(low, members);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const AGREEMENT: Agreement =
        Agreement { mean: MatchWeight::ZERO, least: MatchWeight::from_millibits(-20_000) };

    /// Clusters of records whose pairs weigh so many bits, and all others -10.
    fn clusters(records: usize, pairs: &[(u32, u32, i32)]) -> Vec<u32> {
        let weight = |a: u32, b: u32| {
            let is = |pair: &&(u32, u32, i32)| (pair.0, pair.1) == (a.min(b), a.max(b));
            pairs.iter().find(is).map_or(MatchWeight::from_bits(-10.0), |pair| {
                MatchWeight::from_bits(f64::from(pair.2))
            })
        };
        let proposals = pairs.iter().filter(|pair| pair.2 >= 0);
        let proposals = proposals.map(|&(a, b, _)| Proposal { a, b, weight: weight(a, b) });
        cluster(records, proposals.collect(), AGREEMENT, weight)
    }

    #[test]
    fn records_that_agree_with_each_other_are_one_cluster() {
        assert_eq!(clusters(4, &[(1, 3, 9), (0, 1, 8), (0, 3, 7)]), [0, 0, 2, 0]);
    }

    #[test]
    fn a_chain_whose_ends_differ_is_cut_at_its_weaker_link() {
        assert_eq!(clusters(3, &[(0, 1, 9), (1, 2, 8), (0, 2, -9)]), [0, 0, 2]);
        assert_eq!(clusters(3, &[(0, 1, 8), (1, 2, 9), (0, 2, -9)]), [0, 1, 1]);
    }

    #[test]
    fn a_pair_that_clearly_differs_outweighs_any_agreement() {
        assert_eq!(clusters(3, &[(0, 1, 60), (1, 2, 50), (0, 2, -21)]), [0, 0, 2]);
        assert_eq!(clusters(3, &[(0, 1, 60), (1, 2, 50), (0, 2, -19)]), [0, 0, 0]);
    }

    #[test]
    fn a_spelling_unlike_one_of_many_still_belongs_to_them() {
        let pairs = [(0, 1, 20), (0, 2, 19), (1, 2, 18), (0, 3, 12), (1, 3, 9), (2, 3, -6)];
        assert_eq!(clusters(4, &pairs), [0, 0, 0, 0]);
    }

    #[test]
    fn clusters_of_more_members_than_are_asked_are_joined_too() {
        let half = 2 * u32::try_from(PANEL).expect("small");
        let all: Vec<(u32, u32, i32)> = (0..2 * half)
            .flat_map(|b| {
                (0..b).map(move |a| (a, b, if (a < half) == (b < half) { 30 } else { 5 }))
            })
            .collect();
        let records = 2 * half as usize;
        let weigh = |_, _| MatchWeight::from_bits(5.0);
        let proposals = all.iter().map(|&(a, b, bits)| Proposal {
            a,
            b,
            weight: MatchWeight::from_bits(f64::from(bits)),
        });
        assert_eq!(cluster(records, proposals.collect(), AGREEMENT, weigh), vec![0; records]);
    }

    proptest! {
        #[test]
        fn clusters_do_not_depend_on_the_order_of_pairs(
            bits in prop::collection::vec(-30i32..30, 45),
            keys in prop::collection::vec(any::<u64>(), 45),
        ) {
            let pairs = (0..10).flat_map(|b| (0..b).map(move |a| (a, b)));
            let pairs: Vec<(u32, u32, i32)> =
                pairs.zip(bits).map(|((a, b), bits)| (a, b, bits)).collect();
            let mut shuffled: Vec<_> = pairs.iter().copied().zip(keys).collect();
            shuffled.sort_by_key(|&(_, key)| key);
            let shuffled: Vec<_> = shuffled.into_iter().map(|(pair, _)| pair).collect();
            let found = clusters(10, &pairs);
            prop_assert_eq!(&clusters(10, &shuffled), &found);
            for (record, &cluster) in (0u32..).zip(&found) {
                prop_assert!(cluster <= record, "named by its least member");
                prop_assert_eq!(found[cluster as usize], cluster);
            }
        }
    }
}
