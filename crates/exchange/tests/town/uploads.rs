//! Files on their way: sent in pieces, and what is declared of them.

use renkei_exchange::command::Call;
use renkei_exchange::delta::AppliedDelta;
use renkei_exchange::list::Totals;
use renkei_exchange::permit::{Permit, Submit};
use renkei_exchange::seal::{Declaration, Sealed, seal};
use renkei_exchange::upload::{Brings, FileEncoding, FileShape, OpenUpload};
use renkei_exchange::{Refusal, delta};
use renkei_types::{SeededEntropy, UploadId};
use sha2::{Digest as _, Sha256};

use super::{Town, caller};

/// A delta on its way.
pub(crate) struct SentDelta {
    pub(super) permit: Permit<Submit>,
    pub(crate) upload: UploadId,
    pub(super) declared: Declaration,
}

impl SentDelta {
    /// The same, but what is declared is said of other bytes.
    pub(crate) fn of_other_bytes(&self) -> Self {
        let declared = Declaration { sha256: [7; 32], ..self.declared };
        Self { permit: self.permit.clone(), upload: self.upload, declared }
    }
}

impl Town {
    pub(super) fn send_and_seal(
        &self,
        permit: Permit<Submit>,
        who: &str,
        upload: UploadId,
        bytes: impl AsRef<[u8]>,
        totals: Totals,
    ) -> Result<Sealed, Refusal> {
        let declared = self.send(upload, bytes)?(totals);
        let call = Call::read(caller(who));
        seal(&self.exchange, &self.spools, call, permit, upload, declared).map(|done| done.reply)
    }

    /// Sends a file; answers what is declared of it.
    pub(super) fn send(
        &self,
        upload: UploadId,
        bytes: impl AsRef<[u8]>,
    ) -> Result<impl FnOnce(Totals) -> Declaration + 'static, Refusal> {
        let bytes = bytes.as_ref();
        let state = self.exchange.state();
        let known = state.uploads.get(&upload).expect("the upload");
        let spool = self.spools.of(self.exchange.vault(), upload, known)?;
        let entropy = SeededEntropy::new(3);
        for (at, piece) in bytes.chunks(1000).enumerate() {
            let mut spool = spool.lock();
            let spool = spool.as_mut().expect("an open spool");
            spool.append(at as u64 * 1000, piece, &entropy).expect("bytes are taken");
        }
        let sha256 = Sha256::digest(bytes).into();
        let bytes = bytes.len() as u64;
        Ok(move |totals| Declaration { bytes, sha256, totals })
    }

    pub(super) fn sent(&self, brings: Brings, text: &str) -> Result<SentDelta, Refusal> {
        let permit = self.permit_submit_register();
        let shape = FileShape { encoding: FileEncoding::Auto, layout: None };
        let (dataset, key) = (self.register, self.key());
        let command = OpenUpload { permit: permit.clone(), dataset, brings, shape, key };
        let call = Call::read(caller("register"));
        let upload = self.exchange.execute_now(call, command)?.reply;
        let declared = self.send(upload, text)?;
        let lines = text.lines().count() as u64 - 1;
        Ok(SentDelta { permit, upload, declared: declared(Totals { lines, yen: 0 }) })
    }

    pub(crate) fn apply_sent(
        &self,
        sent: &SentDelta,
        call: &Call,
    ) -> Result<AppliedDelta, Refusal> {
        let SentDelta { permit, upload, declared } = sent;
        let (exchange, spools, indexes) = (&self.exchange, &self.spools, &self.indexes);
        delta::apply(exchange, spools, indexes, call, permit, *upload, *declared)
            .map(|done| done.reply)
    }
}
