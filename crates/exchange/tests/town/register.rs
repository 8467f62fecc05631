//! The town's register: whole files, deltas, and who is protected.

use renkei_exchange::command::Call;
use renkei_exchange::delta::AppliedDelta;
use renkei_exchange::list::Totals;
use renkei_exchange::protection::{Protected, Reported};
use renkei_exchange::seal::{Declaration, Sealed, seal};
use renkei_exchange::subject::{Handles, Said, SubjectSet};
use renkei_exchange::upload::{Brings, FileEncoding, FileShape, OpenUpload};
use renkei_exchange::{Refusal, protection};
use renkei_types::UploadId;
use sha2::{Digest as _, Sha256};

use super::uploads::SentDelta;
use super::{Town, caller};

impl Town {
    pub(super) fn upload_register(&self) {
        let lines = self.residents.lines().count() as u64 - 1;
        let bytes = self.residents.as_bytes();
        self.try_snapshot(bytes, FileEncoding::Auto, lines).expect("a snapshot");
        self.follow();
    }

    /// The register's file.
    pub(crate) fn residents(&self) -> &str {
        &self.residents
    }

    /// Replaces the register by another file.
    pub(crate) fn replace_register(&mut self, residents: String) {
        self.residents = residents;
        self.upload_register();
    }

    /// A delta that has been sent, to be applied: what `apply` needs beside the call.
    pub(crate) fn sent_delta(&self, number: u64, text: &str) -> Result<SentDelta, Refusal> {
        self.sent(Brings::Delta(number), text)
    }

    /// Reports who is protected.
    pub(crate) fn report(&self, number: u64, text: &str) -> Result<Reported, Refusal> {
        let SentDelta { permit, upload, declared } = self.sent(Brings::Protection(number), text)?;
        let call = Call::read(caller("register"));
        protection::report(&self.exchange, &self.spools, call, permit, upload, declared)
            .map(|done| done.reply)
    }

    /// These persons of the register, as answers to a question.
    pub(crate) fn answered<'a>(&self, ids: impl IntoIterator<Item = &'a str>) -> SubjectSet {
        self.said(Said::Answered, ids)
    }

    pub(super) fn said<'a>(
        &self,
        said: Said,
        ids: impl IntoIterator<Item = &'a str>,
    ) -> SubjectSet {
        let handles = Handles::of_today(&self.exchange, self.register).expect("handles");
        SubjectSet::new(&handles, self.exchange.vault().entropy(), said, ids)
    }

    /// Who of the register is protected now.
    pub(crate) fn protected(&self) -> Protected {
        let (state, now) = (self.exchange.state(), self.exchange.clock().now());
        self.indexes.protected(&state, self.exchange.vault(), self.register, now)
    }

    /// Sends a delta and applies it.
    pub(crate) fn apply(&self, number: u64, text: &str) -> Result<AppliedDelta, Refusal> {
        let sent = self.sent_delta(number, text)?;
        self.apply_sent(&sent, &Call::read(caller("register")))
    }

    /// Begins a snapshot.
    pub(super) fn open_snapshot(&self, encoding: FileEncoding) -> Result<UploadId, Refusal> {
        let (permit, shape) = (self.permit_submit_register(), FileShape { encoding, layout: None });
        let (dataset, key) = (self.register, self.key());
        let command = OpenUpload { permit, dataset, brings: Brings::Snapshot, shape, key };
        self.exchange.execute_now(Call::read(caller("register")), command).map(|done| done.reply)
    }

    /// Tries a snapshot of any bytes, said to be in some encoding.
    pub(crate) fn try_snapshot(
        &self,
        bytes: &[u8],
        encoding: FileEncoding,
        lines: u64,
    ) -> Result<Sealed, Refusal> {
        let upload = self.open_snapshot(encoding)?;
        let permit = self.permit_submit_register();
        self.send_and_seal(permit, "register", upload, bytes, Totals { lines, yen: 0 })
    }

    /// Tries a snapshot whose second half is not that of the file that is declared.
    pub(crate) fn try_mixed_snapshot(&self) -> Result<Sealed, Refusal> {
        let permit = self.permit_submit_register();
        let call = || Call::read(caller("register"));
        let upload = self.open_snapshot(FileEncoding::Auto)?;
        let lines = self.residents.lines().count() as u64 - 1;
        let declared = self.send(upload, &self.residents)?(Totals { lines, yen: 0 });
        let other = self.residents.replace('1', "2");
        let half = self.residents.len() / 2;
        let mixed = [&self.residents.as_bytes()[..half], &other.as_bytes()[half..]].concat();
        let declared = Declaration { sha256: Sha256::digest(&mixed).into(), ..declared };
        seal(&self.exchange, &self.spools, call(), permit, upload, declared).map(|done| done.reply)
    }

    /// Loads what the state says is in use.
    pub(crate) fn follow(&self) {
        let (state, clock) = (self.exchange.state(), self.exchange.clock());
        self.indexes.follow(&state, self.exchange.vault(), clock.as_ref()).expect("indexes");
    }
}
