//! Withdrawing a register: its provider ends every use of it at once.
//!
//! Permits for a withdrawn register are neither given nor accepted, so a job that runs ends without a result, and the
//! index leaves the memory. What was certified stays: it was decided while the register was provided. Where the data is
//! to be destroyed too, the keys of every file and delta go, and with them all that they seal, in backups as well.
//!
//! Stopping must be quick, so one person withdraws. Destroying cannot be undone, so it takes another one, after that.

use renkei_tlog::leaf::{Counter, Operation};
use renkei_types::{DataKeyId, DatasetId, Reason};
use serde::{Deserialize, Serialize};

use crate::command::{Call, Command, Decision, Desk, Done};
use crate::directory::Content;
use crate::ledger::Exchange;
use crate::mark::Mark;
use crate::permit::{Operate, Permit};
use crate::refusal::Refusal;
use crate::upload::{Target, UploadState};

/// Withdraws a register.
#[derive(Clone, Debug)]
pub struct WithdrawDataset {
    /// That the caller may.
    pub permit: Permit<Operate>,
    /// The register.
    pub dataset: DatasetId,
    /// Whether the keys of its data are destroyed, once another person has withdrawn it.
    pub destroy: bool,
    /// Whether it is only held against the rules: nothing changes.
    pub dry_run: bool,
}

/// What was withdrawn.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Withdrawn {
    /// The keys that are to be destroyed; after a dry run those that would be.
    pub keys: Vec<DataKeyId>,
}

impl WithdrawDataset {
    /// Withdraws it, and destroys what is to be destroyed. Blocks: for threads that may wait.
    pub fn withdraw(self, exchange: &Exchange, call: Call) -> Result<Done<Withdrawn>, Refusal> {
        let dry_run = self.dry_run;
        let done = exchange.execute_now(call, self)?;
        if dry_run {
            return Ok(done);
        }
        // First the fact, then the keys: what a crash leaves of them, the next start destroys.
        exchange.vault().destroy_keys(&done.reply.keys)?;
        Ok(done)
    }
}

impl Command for WithdrawDataset {
    type Reply = Withdrawn;
    const METHOD: &'static str = "Withdraw";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<Withdrawn>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        let dataset = desk.state.datasets.get(&self.dataset).ok_or(Reason::NoAgreement)?;
        if !matches!(dataset.content, Content::Register(_)) {
            return Err(Refusal::field("dataset_id"));
        }
        let caller = &self.permit.caller().identity;
        match (dataset.withdrawn, self.destroy) {
            (true, false) => return Err(Reason::Withdrawn.into()),
            (false, true) => return Err(Reason::WrongState.into()),
            (true, true) if desk.state.withdrawals.get(&self.dataset) == Some(caller) => {
                return Err(Reason::SamePerson.into());
            }
            (true, true) | (false, false) => {}
        }
        let of_register = |target: &Target| match target {
            Target::Register(dataset)
            | Target::Delta(dataset, _)
            | Target::Protection(dataset, _) => *dataset == self.dataset,
            Target::List(_) => false,
        };
        let uploads: Vec<_> = desk
            .state
            .uploads
            .iter()
            .filter(|(_, upload)| {
                self.destroy
                    && of_register(&upload.target)
                    && upload.state != UploadState::Destroyed
            })
            .map(|(id, upload)| (*id, upload.key))
            .collect();
        if self.dry_run {
            let keys = uploads.into_iter().map(|(_, key)| key).collect();
            return Ok(Decision::nothing(Withdrawn { keys }));
        }
        if !self.destroy {
            desk.state.withdrawals.put(self.dataset, caller.clone());
        }
        for (id, _) in &uploads {
            desk.state.uploads.change(id, |upload| upload.state = UploadState::Destroyed);
        }
        desk.state.datasets.change(&self.dataset, |dataset| {
            dataset.withdrawn = true;
            dataset.content = Content::Register(None);
        });
        let keys: Vec<DataKeyId> = uploads.into_iter().map(|(_, key)| key).collect();
        let operation = if self.destroy { Operation::Delete } else { Operation::Withdraw };
        let mark =
            Mark::ok(operation).of_dataset(self.dataset).count(Counter::Out, keys.len() as u64);
        Ok(Decision::new(Withdrawn { keys }, mark))
    }
}
