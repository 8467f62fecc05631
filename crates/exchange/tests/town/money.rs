//! Signatures, payments and what is left of them.

use renkei_exchange::Refusal;
use renkei_exchange::batch::{Payment, Proposed, Signed, certify, payments, propose};
use renkei_exchange::command::Call;
use renkei_exchange::delivery::{Acknowledge, Deliver};
use renkei_exchange::permit::{Certify, Receive};
use renkei_exchange::reconcile::{Reconciliation, reconcile};
use renkei_types::{BatchId, DatasetId, ListId};

use super::{Town, caller};

impl Town {
    /// The next entry of the feed reaches the treasury, which acknowledges it.
    pub(crate) fn deliver_and_acknowledge(&self) -> BatchId {
        let programme = self.programme;
        let state = self.exchange.state();
        let number = state.programmes.get(&programme).expect("the programme").acknowledged + 1;
        let permit = || self.permit_dataset::<Receive>("transfers", self.deliveries());
        let call = || Call::read(caller("transfers"));
        let deliver = Deliver { permit: permit(), programme, number };
        let batch = self.exchange.execute_now(call(), deliver).expect("an entry").reply;
        let totals = state.batches.get(&batch).expect("the batch").totals;
        let acknowledge = Acknowledge { permit: permit(), programme, number, totals };
        self.exchange.execute_now(call(), acknowledge).expect("an acknowledgement");
        batch
    }

    /// A list's lines that are certified, delivered and acknowledged.
    pub(crate) fn pay(&self, list: ListId) -> BatchId {
        let batch = self.certify(list).expect("two signatures");
        assert_eq!(self.deliver_and_acknowledge(), batch);
        batch
    }

    /// What a batch pays.
    pub(crate) fn paid(&self, batch: BatchId) -> Vec<Payment> {
        let state = self.exchange.state();
        let batch = state.batches.get(&batch).expect("the batch");
        payments(self.exchange.vault(), batch).expect("payments")
    }

    /// Lines and yen of a list, which must be what was declared.
    pub(crate) fn sheet(&self, list: ListId) -> Reconciliation {
        let sheet = self.exchange.ask_now(move |desk| reconcile(desk, list)).expect("a sheet");
        assert!(sheet.is_balanced(), "{sheet:?}");
        sheet
    }

    /// Two signatures under all payable lines of a list.
    pub(crate) fn certify(&self, list: ListId) -> Result<BatchId, Refusal> {
        let batch = self.propose("certifier-1", list)?.batch;
        self.sign("certifier-2", list, batch)
    }

    /// The first signature.
    pub(crate) fn propose(&self, who: &str, list: ListId) -> Result<Proposed, Refusal> {
        let (permit, call) = (self.permit_own::<Certify>(who), Call::read(caller(who)));
        propose(&self.exchange, &self.indexes, &call, &permit, list).map(|done| done.reply)
    }

    /// The second signature, under the batch as it is.
    pub(crate) fn sign(&self, who: &str, list: ListId, batch: BatchId) -> Result<BatchId, Refusal> {
        let digest = self.exchange.state().batches.get(&batch).expect("the batch").digest;
        self.sign_digest(who, Signed { list, batch, digest })
    }

    /// The second signature, under something else.
    pub(crate) fn sign_digest(&self, who: &str, signed: Signed) -> Result<BatchId, Refusal> {
        let (permit, call) = (self.permit_own::<Certify>(who), Call::read(caller(who)));
        certify(&self.exchange, &self.indexes, call, permit, signed).map(|done| done.reply)
    }

    /// The dataset under which the programme's deliveries are agreed on.
    pub(crate) fn deliveries(&self) -> DatasetId {
        self.exchange.state().programmes.get(&self.programme).expect("the programme").dataset
    }
}
