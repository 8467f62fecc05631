//! The state: everything that is known and says nothing about a person.
//!
//! Tables of entries by id. A command changes a draft; what it touched are the facts of its frame, each an entry's new
//! value. Reading a journal therefore needs no rules, only the entries, and gives the same state bit by bit.

mod table;

use renkei_types::{
    AgencyId, AgreementId, BatchId, DatasetId, Digest, DigestBuilder, EventId, Identity,
    LinkageJobId, ListId, ProgrammeId, SnapshotId, TaskId, UploadId,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub use table::Table;

use crate::agreement::{Agreement, Usage};
use crate::batch::Batch;
use crate::command::{Answer, AnswerKey};
use crate::delta::AppliedDelta;
use crate::directory::{Agency, Dataset, Party};
use crate::enrolment::Enrolment;
use crate::founding::Founding;
use crate::hold::PayeeHold;
use crate::household_case::HouseholdCase;
use crate::job::Job;
use crate::list::{BookPage, List};
use crate::log_year::LogYear;
use crate::manifest::Manifest;
use crate::model::KeptModel;
use crate::programme::Programme;
use crate::protection::Protection;
use crate::review::TaskPage;
use crate::rotation::{BrokerKey, RotationProposal};
use crate::snapshot::Snapshot;
use crate::subject_index::Run;
use crate::subject_report::SubjectRequest;
use crate::upload::Upload;
use crate::year_key::{FiscalYear, YearKey, YearPlace};

/// A change to one entry, as it stands in the facts of a frame and in the cache.
#[derive(Debug, Deserialize, Serialize)]
pub struct Change {
    /// Name of the table.
    #[serde(rename = "t")]
    pub table: String,
    /// The id, as JSON.
    #[serde(rename = "k")]
    pub key: Box<RawValue>,
    /// The entry's new value, as JSON; nothing where it is removed.
    #[serde(rename = "v")]
    pub value: Option<Box<RawValue>>,
}

/// Facts that do not fit this version of the state.
#[derive(Debug, thiserror::Error)]
pub enum FactsError {
    /// A table of another version.
    #[error(
        "the facts name a table that this version does not know; use the version that wrote them"
    )]
    UnknownTable,
    /// Not what the table holds.
    #[error("facts cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
}

impl State {
    /// Carries over the facts of a frame.
    pub(crate) fn apply_facts(&mut self, facts: &[u8]) -> Result<(), FactsError> {
        let changes: Vec<Change> = serde_json::from_slice(facts)?;
        changes.iter().try_for_each(|change| self.apply(change))
    }
}

macro_rules! tables {
    ($($(#[$doc:meta])* $table:ident: $key:ty => $value:ty,)+) => {
        /// What is known, by table.
        #[derive(Clone, Debug, Default)]
        pub struct State {
            $($(#[$doc])* pub $table: Table<$key, $value>,)+
        }

        impl State {
            /// What was touched since the last call.
            pub(crate) fn take_changes(&mut self) -> Result<Vec<Change>, serde_json::Error> {
                let mut changes = Vec::new();
                $(for key in self.$table.take_touched() {
                    let value = self.$table.get(&key);
                    changes.push(Change {
                        table: stringify!($table).to_owned(),
                        key: serde_json::value::to_raw_value(&key)?,
                        value: value.map(serde_json::value::to_raw_value).transpose()?,
                    });
                })+
                Ok(changes)
            }

            /// Carries a change over.
            pub(crate) fn apply(&mut self, change: &Change) -> Result<(), FactsError> {
                match change.table.as_str() {
                    $(stringify!($table) => {
                        let key: $key = serde_json::from_str(change.key.get())?;
                        match &change.value {
                            Some(value) => {
                                self.$table.put(key, serde_json::from_str(value.get())?);
                            }
                            None => self.$table.remove(&key),
                        }
                    })+
                    _ => return Err(FactsError::UnknownTable),
                }
                Ok(())
            }

            /// SHA-256 over every entry of every table.
            pub fn digest(&self) -> Result<Digest, serde_json::Error> {
                let mut digest = DigestBuilder::new();
                $(
                    digest.field(stringify!($table).as_bytes()).number(self.$table.len() as u64);
                    for (key, value) in self.$table.iter() {
                        digest
                            .field(&serde_json::to_vec(key)?)
                            .field(&serde_json::to_vec(value)?);
                    }
                )+
                Ok(digest.finish())
            }
        }
    };
}

tables! {
    /// How the broker began: one entry.
    founding: u8 => Founding,
    /// Fiscal years of the log that have ended.
    log_years: FiscalYear => LogYear,
    /// Legal bodies.
    agencies: AgencyId => Agency,
    /// Systems and persons.
    parties: Identity => Party,
    /// Keys of the broker's own that one person has proposed.
    rotation_proposals: BrokerKey => RotationProposal,
    /// Fingerprints of keys of the broker's own that have been decided on; nothing for the first ones.
    keys_in_use: BrokerKey => Digest,
    /// Invitations, and requests for certificates.
    enrolments: Identity => Enrolment,
    /// Registers, and what programmes deliver.
    datasets: DatasetId => Dataset,
    /// Who has withdrawn a register.
    withdrawals: DatasetId => Identity,
    /// States of registers.
    snapshots: SnapshotId => Snapshot,
    /// Deltas of registers, by number.
    deltas: (DatasetId, u64) => AppliedDelta,
    /// What the feeds of protected persons have said.
    protections: DatasetId => Protection,
    /// Rights to use datasets.
    agreements: AgreementId => Agreement,
    /// How much of its daily volume an agreement has used.
    usage: AgreementId => Usage,
    /// Keys of link codes, by consumer and fiscal year.
    link_keys: YearPlace => YearKey,
    /// Keys of audit handles, by the agency whose register it is and fiscal year.
    subject_keys: YearPlace => YearKey,
    /// The side index: sorted entries by agency, fiscal year and number.
    subject_runs: (AgencyId, FiscalYear, u32) => Run,
    /// So many frames are behind the side index: one entry.
    subjects_gathered: u8 => u64,
    /// Questions of persons about their data that are held for protectors.
    subject_requests: EventId => SubjectRequest,
    /// Benefits.
    programmes: ProgrammeId => Programme,
    /// Files on their way.
    uploads: UploadId => Upload,
    /// Lists of lines to be paid.
    lists: ListId => List,
    /// Which frames changed the book of a list, so many a page.
    book_pages: (ListId, u32) => BookPage,
    /// Runs of the engine.
    jobs: LinkageJobId => Job,
    /// What was decided on each line of a job, and of whom.
    manifests: LinkageJobId => Manifest,
    /// Models by register and digest.
    models: (DatasetId, Digest) => KeptModel,
    /// Which model a register's jobs and questions use.
    models_in_use: DatasetId => Digest,
    /// Which list a series of tasks belongs to, by the first id of the series.
    task_series: TaskId => ListId,
    /// Questions to clerks, so many a page.
    task_pages: (ListId, u32) => TaskPage,
    /// Lines that are certified together.
    batches: BatchId => Batch,
    /// Delivery feeds: the batch at each number.
    feed: (ProgrammeId, u64) => BatchId,
    /// Payees on hold, by a keyed digest of their ids.
    payee_holds: (ProgrammeId, Digest) => PayeeHold,
    /// Lines that are held back to protect somebody and that protectors have signed for, by a keyed digest of the person.
    household_cases: (ProgrammeId, Digest) => HouseholdCase,
    /// What requests were answered.
    answers: AnswerKey => Answer,
}
