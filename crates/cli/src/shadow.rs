//! A shadow run: whom two results pay, side by side.
//!
//! An office that tries a new way keeps the old one for some months and asks each time: whom did only one of them pay,
//! whom both but differently, whom twice? Lines cannot be held against lines, for one result has them by application and
//! the other by resident; so both are first gathered by payee.
//! Invariant: every readable yen of either result is in exactly one group, so the groups add up to the results.

mod paid;

use std::collections::BTreeMap;

use renkei_linkage::Outcome;

pub(crate) use paid::{Key, Paid, Payee, open};

/// Somebody whom one result pays, or both.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Pair<'a> {
    pub(crate) id: &'a str,
    pub(crate) old: Option<Payee>,
    pub(crate) new: Option<Payee>,
    pub(crate) difference: Difference,
    /// What became of the payee's line in the other result, where it has one that is not paid.
    pub(crate) unpaid: Option<Outcome>,
}

/// How the two results differ about a payee.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Difference {
    /// Both pay the same.
    Same,
    /// Only the old result pays.
    OnlyOld,
    /// Only the new result pays.
    OnlyNew,
    /// Both pay, not the same.
    OtherAmount,
    /// Both pay, and an amount of one cannot be read.
    AmountUnreadable,
}

impl Difference {
    pub(crate) const ALL: [Self; 5] =
        [Self::Same, Self::OnlyOld, Self::OnlyNew, Self::OtherAmount, Self::AmountUnreadable];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::OnlyOld => "only_old",
            Self::OnlyNew => "only_new",
            Self::OtherAmount => "other_amount",
            Self::AmountUnreadable => "amount_unreadable",
        }
    }
}

/// Payees and yen of one group.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Group {
    pub(crate) payees: u64,
    pub(crate) yen_old: u64,
    pub(crate) yen_new: u64,
}

/// Two results, payee by payee.
pub(crate) struct Comparison<'a> {
    /// Everybody whom either pays, by id.
    pub(crate) pairs: Vec<Pair<'a>>,
    pub(crate) groups: BTreeMap<Difference, Group>,
}

impl<'a> Comparison<'a> {
    pub(crate) fn of(old: &'a Paid, new: &'a Paid) -> Self {
        let amounts = old.has_amounts && new.has_amounts;
        let mut ids: Vec<&str> =
            old.payees.keys().chain(new.payees.keys()).map(|id| &**id).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut groups: BTreeMap<_, _> =
            Difference::ALL.into_iter().map(|known| (known, Group::default())).collect();
        let pair = |id: &'a str| {
            let (of_old, of_new) = (old.payees.get(id).copied(), new.payees.get(id).copied());
            let difference = match (of_old, of_new) {
                (Some(_), Some(_)) if !amounts => Difference::Same,
                (Some(old), Some(new)) if old.unreadable || new.unreadable => {
                    Difference::AmountUnreadable
                }
                (Some(old), Some(new)) if old.yen != new.yen => Difference::OtherAmount,
                (Some(_), Some(_)) => Difference::Same,
                (Some(_), None) => Difference::OnlyOld,
                (None, _) => Difference::OnlyNew,
            };
            let unpaid = match difference {
                Difference::OnlyOld => new.unpaid.get(id).copied(),
                Difference::OnlyNew => old.unpaid.get(id).copied(),
                Difference::Same | Difference::OtherAmount | Difference::AmountUnreadable => None,
            };
            Pair { id, old: of_old, new: of_new, difference, unpaid }
        };
        let pairs: Vec<Pair<'a>> = ids.into_iter().map(pair).collect();
        for pair in &pairs {
            let group = groups.entry(pair.difference).or_default();
            group.payees += 1;
            group.yen_old += pair.old.map_or(0, |payee| payee.yen);
            group.yen_new += pair.new.map_or(0, |payee| payee.yen);
        }
        Self { pairs, groups }
    }

    pub(crate) fn group(&self, difference: Difference) -> Group {
        self.groups.get(&difference).copied().unwrap_or_default()
    }

    /// Those of one group, by id.
    pub(crate) fn of_group(&self, difference: Difference) -> impl Iterator<Item = &Pair<'a>> {
        self.pairs.iter().filter(move |pair| pair.difference == difference)
    }

    /// Ids that both results would have in common if leading zeros did not count: a spreadsheet has taken them.
    pub(crate) fn differ_by_zeros(&self) -> usize {
        let bare = |difference| {
            let ids = self.of_group(difference).map(|pair| pair.id.trim_start_matches('0'));
            ids.filter(|id| !id.is_empty()).collect::<std::collections::BTreeSet<_>>()
        };
        bare(Difference::OnlyOld).intersection(&bare(Difference::OnlyNew)).count()
    }
}
