//! Uploads: a file's own bytes on their way, durable as far as they are acknowledged.
//!
//! The bytes lie sealed in a spool, with a key of their own: when a My Number turns up in them, destroying the key
//! destroys what had arrived. Only opening and sealing are commands; the bytes in between are acknowledged by the
//! spool, which survives a crash as well as the journal does.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use renkei_journal::{Spool, SpoolError};
use renkei_tlog::leaf::Operation;
use renkei_types::{DataKeyId, DatasetId, ListId, Reason, UploadId};
use serde::{Deserialize, Serialize};

use crate::command::{Command, Decision, Desk};
use crate::directory::Content;
use crate::mark::Mark;
use crate::permit::{Permit, Submit};
use crate::refusal::Refusal;
use crate::role::closed_list;
use crate::store::Vault;

/// Longest layout file.
pub const LAYOUT_BYTES_MAX: usize = 8 * 1024;

closed_list! {
    /// Which letters the bytes of a file are.
    FileEncoding {
        /// Found out from the bytes.
        Auto = "auto",
        /// UTF-8.
        Utf8 = "utf-8",
        /// Windows-31J.
        Cp932 = "cp932",
    }
}

/// What kind of file it is.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct FileShape {
    /// Which letters its bytes are.
    pub encoding: FileEncoding,
    /// A layout file's text, for fixed-length records.
    pub layout: Option<String>,
}

impl FileShape {
    /// A layout that cannot be read is refused before any byte is sent.
    pub fn check(&self) -> Result<(), Refusal> {
        if let Some(layout) = &self.layout {
            if layout.len() > LAYOUT_BYTES_MAX {
                return Err(Refusal::new(Reason::TooLarge).in_field("layout"));
            }
            renkei_tables::layout::Layout::parse(layout, "layout")
                .map_err(|_| Refusal::field("layout"))?;
        }
        Ok(())
    }
}

/// What an upload brings.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Target {
    /// The next snapshot of a register.
    Register(DatasetId),
    /// The delta of a register that has this number.
    Delta(DatasetId, u64),
    /// The report of protected persons that has this number.
    Protection(DatasetId, u64),
    /// The lines of a list.
    List(ListId),
}

/// How an upload stands.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum UploadState {
    /// Bytes may come.
    Open,
    /// It has been sealed.
    Sealed,
    /// What it brought is destroyed: a My Number was found in it, or its time is over.
    Destroyed,
}

/// A file on its way.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Upload {
    /// What it brings.
    pub target: Target,
    /// What kind of file it is.
    pub shape: FileShape,
    /// The key that seals its bytes, and what is made of them.
    pub key: DataKeyId,
    /// How it stands.
    pub state: UploadState,
    /// How many bytes were sealed.
    pub bytes: u64,
}

impl Upload {
    /// Refuses one that can no longer be sealed.
    pub(crate) fn check_open(&self) -> Result<(), Refusal> {
        match self.state {
            UploadState::Open => Ok(()),
            UploadState::Sealed => Err(Reason::WrongState.into()),
            UploadState::Destroyed => Err(Reason::MyNumber.into()),
        }
    }
}

/// What an upload brings to a register.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Brings {
    /// All of it.
    Snapshot,
    /// What has changed, with this number.
    Delta(u64),
    /// Who is protected, with this number.
    Protection(u64),
}

/// Begins the upload of a register's next snapshot, of a delta, or of a report.
#[derive(Debug)]
pub struct OpenUpload {
    /// That the caller may.
    pub permit: Permit<Submit>,
    /// The register.
    pub dataset: DatasetId,
    /// What it brings.
    pub brings: Brings,
    /// What kind of file it is.
    pub shape: FileShape,
    /// A key made for it.
    pub key: DataKeyId,
}

impl Command for OpenUpload {
    type Reply = UploadId;
    const METHOD: &'static str = "OpenUpload";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<UploadId>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        self.shape.check()?;
        let dataset = desk.state.datasets.get(&self.dataset).ok_or(Reason::NoAgreement)?;
        if !matches!(dataset.content, Content::Register(_)) {
            return Err(Refusal::field("dataset_id"));
        }
        if dataset.withdrawn {
            return Err(Reason::Withdrawn.into());
        }
        let target = match self.brings {
            Brings::Snapshot => Target::Register(self.dataset),
            Brings::Protection(number) => Target::Protection(self.dataset, number),
            Brings::Delta(number) => {
                // Before anything is sent in vain. A number that was applied may come again: its answer is told.
                if number > dataset.deltas {
                    crate::delta::check_next(dataset, number)?;
                }
                Target::Delta(self.dataset, number)
            }
        };
        let id = desk.new_upload();
        let upload = Upload {
            target,
            shape: self.shape.clone(),
            key: self.key,
            state: UploadState::Open,
            bytes: 0,
        };
        desk.state.uploads.put(id, upload);
        Ok(Decision::new(id, Mark::ok(Operation::UploadOpen).about(id).of_dataset(self.dataset)))
    }
}

/// A spool while its upload is open; nothing once it is discarded.
pub type SharedSpool = Arc<Mutex<Option<Spool>>>;

/// The spools of uploads that are open here. One writer at a time.
#[derive(Default)]
pub struct Spools {
    open: Mutex<HashMap<UploadId, SharedSpool>>,
}

impl Spools {
    /// The spool of an upload, opened where it is not.
    pub fn of(&self, vault: &Vault, id: UploadId, upload: &Upload) -> Result<SharedSpool, Refusal> {
        if upload.state != UploadState::Open {
            return Err(Reason::WrongState.into());
        }
        let mut open = self.open.lock();
        if let Some(spool) = open.get(&id) {
            return Ok(Arc::clone(spool));
        }
        let key = vault.key(upload.key)?;
        let spool = vault.spool(id, &key).map_err(|error| spool_refusal(&error))?;
        let spool = Arc::new(Mutex::new(Some(spool)));
        open.insert(id, Arc::clone(&spool));
        Ok(spool)
    }

    /// Removes a spool whose bytes are sealed elsewhere, or destroyed.
    pub fn discard(&self, id: UploadId) {
        let spool = self.open.lock().remove(&id);
        if let Some(spool) = spool.and_then(|spool| spool.lock().take())
            && let Err(error) = spool.discard()
        {
            tracing::warn!(%error, upload = %id, "a finished upload's spool stays behind");
        }
    }
}

/// What a sender is told when bytes cannot be kept.
pub fn spool_refusal(error: &SpoolError) -> Refusal {
    match error {
        SpoolError::OutOfOrder { durable_through, .. } => {
            Refusal::new(Reason::OffsetWrong).in_field("chunk.offset").expecting(*durable_through)
        }
        SpoolError::TooLarge { .. } => Reason::TooLarge.into(),
        SpoolError::StorageFull { .. } => Reason::StorageFull.into(),
        SpoolError::Poisoned { .. } | SpoolError::Damaged { .. } | SpoolError::Io { .. } => {
            Refusal::internal(error)
        }
    }
}
