//! What a village signs, pays and gets back from the bank.

use renkei_exchange::batch::{BatchState, Payment, Proposed};
use renkei_types::{BatchId, ListId, Reason};

use super::{Village, done};
use crate::life::Which;
use crate::town::Town;
use crate::town::years::came_back;

impl Village {
    /// The first signature; nothing where there is nobody to pay.
    pub(crate) fn propose(&mut self, which: Which) -> Option<Proposed> {
        let found = self.propose_list(self.known.lists[which as usize]?)?;
        self.known.proposals[which as usize] = Some(found.batch);
        Some(found)
    }

    /// The same of any list.
    pub(crate) fn propose_list(&self, list: ListId) -> Option<Proposed> {
        let found = self.town.propose("certifier-1", list);
        done(found, &[Reason::AlreadyPaid, Reason::NothingToCertify])
    }

    /// The second signature under what was proposed on the way, where that stands.
    pub(crate) fn sign(&mut self, which: Which) {
        let at = which as usize;
        let waiting = self.proposal(which);
        self.known.proposals[at] = None;
        let (Some(list), Some(batch)) = (self.known.lists[at], waiting) else { return };
        let signed = self.town.sign("certifier-2", list, batch);
        let paid = done(signed, &[Reason::VersionOld]).map(|batch| self.payments(batch));
        self.known.paid.extend(paid.into_iter().flatten().map(|one| (which, batch, one)));
    }

    /// Both signatures.
    pub(crate) fn certify(&mut self, which: Which) {
        if self.propose(which).is_some() {
            self.sign(which);
        }
    }

    /// Whom a batch pays, and by which line.
    fn payments(&self, batch: BatchId) -> Vec<Payment> {
        self.town.paid(batch)
    }

    /// The lines that a batch pays, and to whom.
    pub(crate) fn rows(&self, batch: BatchId) -> Vec<(u32, String)> {
        self.payments(batch).into_iter().map(|payment| (payment.row, payment.payee)).collect()
    }

    /// What waits for its second signature.
    pub(crate) fn proposal(&self, which: Which) -> Option<BatchId> {
        let state = self.town.exchange.state();
        let is_proposed = |batch: &BatchId| {
            state.batches.get(batch).is_some_and(|batch| batch.state == BatchState::Proposed)
        };
        self.known.proposals[which as usize].filter(is_proposed)
    }

    pub(super) fn take_back(&mut self, which: Which) {
        let of_list = |(of, ..): &&(Which, BatchId, Payment)| *of == which;
        let Some((_, batch, _)) = self.known.paid.iter().find(of_list).cloned() else { return };
        let state = |town: &Town| town.exchange.state().batches.get(&batch).map(|one| one.state);
        while state(&self.town) == Some(BatchState::Released) {
            self.town.deliver_and_acknowledge();
        }
        let mut file = "申請番号,支給額\n".to_owned();
        for (.., one) in self.known.paid.iter().filter(|(_, of, _)| *of == batch) {
            file.push_str(&format!("{},{}\n", one.line, one.yen));
        }
        came_back(&self.town, batch, &file);
        self.known.paid.retain(|(_, of, _)| *of != batch);
    }
}
