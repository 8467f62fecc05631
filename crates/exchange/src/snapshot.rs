//! Snapshots: states of a register, switched to as a whole.

use renkei_types::{DataKeyId, DatasetId, Digest};
use serde::{Deserialize, Serialize};

use crate::rows::Rows;

/// A state of a register.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Snapshot {
    /// The register.
    pub dataset: DatasetId,
    /// The records.
    pub rows: Rows,
    /// The file's own bytes.
    pub file: renkei_journal::BlobRef,
    /// The key that seals both.
    pub key: DataKeyId,
    /// Keyed digest of the rows.
    pub digest: Digest,
}
