//! Permits of those who work in the town.

use renkei_exchange::permit::{DecideLines, Permit, Right, Submit};
use renkei_types::{DatasetId, ListId};

use super::{Town, caller};

impl Town {
    pub(crate) fn permit_submit_register(&self) -> Permit<Submit> {
        let state = self.exchange.state();
        let owner = state.datasets.get(&self.register).map(|dataset| dataset.provider.clone());
        state.permit_own::<Submit>(&caller("register"), owner.as_ref()).expect("a permit")
    }

    pub(crate) fn permit<R: Right>(&self, who: &str) -> Permit<R> {
        self.exchange.state().permit(&caller(who)).expect("a permit")
    }

    pub(crate) fn permit_own<R: Right>(&self, who: &str) -> Permit<R> {
        let state = self.exchange.state();
        let owner = &state.programmes.get(&self.programme).expect("the programme").agency;
        state.permit_own(&caller(who), Some(owner)).expect("a permit")
    }

    pub(crate) fn permit_dataset<R: Right>(&self, who: &str, dataset: DatasetId) -> Permit<R> {
        let today = self.exchange.clock().today();
        let state = self.exchange.state();
        state.permit_dataset(&caller(who), Some(dataset), None, today).expect("a permit")
    }

    pub(crate) fn permit_review(&self, who: &str, list: ListId) -> Permit<DecideLines> {
        self.permit_over_list(who, list)
    }

    pub(crate) fn permit_over_list<R: Right>(&self, who: &str, list: ListId) -> Permit<R> {
        let (state, today) = (self.exchange.state(), self.exchange.clock().today());
        let owner = state.owner_of_list(list);
        let permit = state.permit_own_with_dataset(&caller(who), owner, Some(self.register), today);
        permit.expect("a permit")
    }
}
