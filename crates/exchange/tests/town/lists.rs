//! Lists of payments: opened, sealed, linked.

use renkei_exchange::command::Call;
use renkei_exchange::job::CreateJob;
use renkei_exchange::list::Totals;
use renkei_exchange::permit::{Link, Submit};
use renkei_exchange::programme::{ListKind, OpenList};
use renkei_exchange::seal::Sealed;
use renkei_exchange::supersede::Supersedes;
use renkei_exchange::upload::{FileEncoding, FileShape};
use renkei_exchange::{Refusal, run};
use renkei_linkage::Unwatched;
use renkei_types::{LinkageJobId, ListId, UploadId, Yen};

use super::{Town, caller};

impl Town {
    /// The first lines of the payment list.
    pub(crate) fn payments(&self, lines: usize) -> String {
        self.payments.split_inclusive('\n').take(lines + 1).collect()
    }

    /// The same lines from the last to the first.
    pub(crate) fn shuffled_payments(&self, lines: usize) -> String {
        let mut all: Vec<&str> = self.payments.split_inclusive('\n').take(lines + 1).collect();
        all[1..].reverse();
        all.concat()
    }

    pub(crate) fn totals_of(&self, payments: &str) -> Totals {
        let mut lines = payments.lines();
        let header = lines.next().unwrap_or_default();
        let amount = header.split(',').position(|name| name.trim() == "支給額").expect("an amount");
        let mut totals = Totals::default();
        for line in lines {
            let mut reader = renkei_tables::TableReader::from_bytes(
                format!("{header}\n{line}\n").into_bytes(),
                "line",
                &renkei_tables::ReadOptions::default(),
            )
            .expect("a line");
            let batch = reader.next_batch().expect("a line").expect("a row");
            totals.add(Yen::read(batch.cell(amount, 0)).expect("an amount").0);
        }
        totals
    }

    pub(crate) fn try_seal_list(
        &self,
        name: &str,
        payments: &str,
        totals: Totals,
    ) -> Result<ListId, Refusal> {
        self.try_seal_list_over(name, payments, totals, None)
    }

    /// The same for a list that takes the place of another.
    pub(crate) fn try_seal_list_over(
        &self,
        name: &str,
        payments: &str,
        totals: Totals,
        supersedes: Option<Supersedes>,
    ) -> Result<ListId, Refusal> {
        let (list, upload) = self.open_list(name, supersedes)?;
        let permit = self.permit_own::<Submit>("payments");
        self.send_and_seal(permit, "payments", upload, payments, totals)?;
        Ok(list)
    }

    /// Opens a list without sending anything.
    pub(crate) fn open_list(
        &self,
        name: &str,
        supersedes: Option<Supersedes>,
    ) -> Result<(ListId, UploadId), Refusal> {
        self.open_list_of_kind(name, supersedes, None)
    }

    pub(crate) fn open_list_of_kind(
        &self,
        name: &str,
        supersedes: Option<Supersedes>,
        kind: Option<ListKind>,
    ) -> Result<(ListId, UploadId), Refusal> {
        let permit = || self.permit_own::<Submit>("payments");
        let shape = FileShape { encoding: FileEncoding::Auto, layout: None };
        let name = name.parse().expect("a name");
        let open = OpenList {
            permit: permit(),
            programme: self.programme,
            name,
            shape,
            supersedes,
            kind,
            key: self.key(),
        };
        let call = Call::read(caller("payments"));
        self.exchange.execute_now(call, open).map(|done| done.reply)
    }

    /// Sends the bytes of a list and seals it.
    pub(crate) fn seal_list(
        &self,
        upload: UploadId,
        payments: &str,
        totals: Totals,
    ) -> Result<Sealed, Refusal> {
        let permit = self.permit_own::<Submit>("payments");
        self.send_and_seal(permit, "payments", upload, payments, totals)
    }

    /// A list that takes the place of another, linked.
    pub(crate) fn corrected_list(
        &self,
        name: &str,
        payments: &str,
        supersedes: Supersedes,
    ) -> ListId {
        let totals = self.totals_of(payments);
        let list = self.try_seal_list_over(name, payments, totals, Some(supersedes));
        let list = list.expect("a sealed list");
        self.link(list);
        list
    }

    /// A list of the first lines, linked.
    pub(crate) fn linked_list(&self, name: &str, lines: usize) -> ListId {
        self.linked_list_of(name, &self.payments(lines))
    }

    pub(crate) fn linked_list_of(&self, name: &str, payments: &str) -> ListId {
        let (list, job) = self.queued_job_of(name, payments);
        run::run(&self.exchange, &self.indexes, job, &Unwatched).expect("a result");
        list
    }

    /// A list of the first lines, and a job that waits.
    pub(crate) fn queued_job(&self, name: &str, lines: usize) -> (ListId, LinkageJobId) {
        self.queued_job_of(name, &self.payments(lines))
    }

    pub(super) fn queued_job_of(&self, name: &str, payments: &str) -> (ListId, LinkageJobId) {
        let totals = self.totals_of(payments);
        let list = self.try_seal_list(name, payments, totals).expect("a sealed list");
        self.queued(list)
    }

    pub(crate) fn link(&self, list: ListId) {
        let (_, job) = self.queued(list);
        run::run(&self.exchange, &self.indexes, job, &Unwatched).expect("a result");
    }

    pub(super) fn queued(&self, list: ListId) -> (ListId, LinkageJobId) {
        let state = self.exchange.state();
        let owner = state.owner_of_list(list);
        let today = self.exchange.clock().today();
        let permit = state
            .permit_own_with_dataset::<Link>(&caller("payments"), owner, Some(self.register), today)
            .expect("a permit");
        let command = CreateJob { permit, list, dataset: self.register };
        let call = Call::read(caller("payments"));
        let job = self.exchange.execute_now(call, command).expect("a job").reply;
        (list, job)
    }
}
