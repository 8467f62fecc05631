//! Models: what was learned from a list, kept until somebody takes it into use for a register.
//!
//! Training and taking into use are two things, done by two bodies: whoever may link a list trains, the provider of the
//! register promotes. A job is pinned to the digest of the model that is in use when it is asked for, so promoting another
//! one changes no job that waits. A model holds names of fields and levels, and numbers counted over a list; no value of
//! any record. Numbers of few lines would still tell of these lines, so a list of fewer than [`LINES_MIN`] trains nothing.
//! Invariant: what is in use is a model that is kept, for this register, and fits its snapshot of the time.

use renkei_journal::BlobRef;
use renkei_linkage::Model;
use renkei_tlog::leaf::{Counter, Operation};
use renkei_types::{DataKeyId, DatasetId, Digest, ListId, Reason, SnapshotId};
use serde::{Deserialize, Serialize};

use crate::command::{Call, Command, Decision, Desk, Done};
use crate::index::Indexes;
use crate::ledger::Exchange;
use crate::mark::Mark;
use crate::permit::{Link, Permit, Promote};
use crate::refusal::Refusal;
use crate::state::State;
use crate::store::{Vault, blob_refusal};

/// Lines that must take part in a training: below, a number of a model could tell of one of them.
pub const LINES_MIN: u64 = 50;

/// A model that is kept.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct KeptModel {
    /// The snapshot of the register that it was trained against.
    pub snapshot: SnapshotId,
    /// The list that it was trained on.
    pub list: ListId,
    /// Lines that took part.
    pub lines: u64,
    /// Version of the engine.
    pub engine: String,
    /// Comparisons that no line taught anything about, by their names.
    pub untrained: Vec<String>,
    /// The model file, sealed with a key of its own.
    pub file: BlobRef,
}

/// Seals a model file.
pub(crate) fn write(vault: &Vault, model: &Model, key: DataKeyId) -> Result<BlobRef, Refusal> {
    let mut writer = vault.blob_writer(&vault.key(key)?, key)?;
    writer.chunk(model.to_toml().as_bytes()).map_err(|error| blob_refusal(&error))?;
    writer.finish().map_err(|error| blob_refusal(&error))
}

/// Reads a model file back; one of another engine is unfit.
pub(crate) fn read(vault: &Vault, file: &BlobRef) -> Result<Model, Refusal> {
    let bytes = vault.open_blob(file)?.chunk(0).map_err(|error| Refusal::internal(&error))?;
    let text = std::str::from_utf8(&bytes).map_err(|error| Refusal::internal(&error))?;
    Model::from_toml(text).map_err(|error| {
        tracing::warn!(%error, "a model cannot be used");
        Reason::ModelUnfit.into()
    })
}

impl State {
    /// The model that a register's jobs and questions use; nothing where they use what is believed without one.
    pub fn model_in_use(&self, dataset: DatasetId) -> Option<Digest> {
        self.models_in_use.get(&dataset).copied()
    }

    /// A model that is kept for a register.
    pub fn kept_model(&self, dataset: DatasetId, digest: Digest) -> Result<&KeptModel, Refusal> {
        self.models.get(&(dataset, digest)).ok_or_else(|| Reason::NoAgreement.into())
    }

    /// The models that are kept for a register, by their digests.
    pub fn kept_models(&self, dataset: DatasetId) -> impl Iterator<Item = (Digest, &KeptModel)> {
        let (first, last) = (Digest::from_bytes([0; 32]), Digest::from_bytes([255; 32]));
        let models = self.models.range((dataset, first), (dataset, last));
        models.map(|((_, digest), model)| (*digest, model))
    }

    /// The same, read.
    pub fn open_model(
        &self,
        vault: &Vault,
        dataset: DatasetId,
        digest: Digest,
    ) -> Result<Model, Refusal> {
        read(vault, &self.kept_model(dataset, digest)?.file)
    }
}

/// Keeps a model that was trained.
#[derive(Debug)]
pub struct KeepModel {
    /// That the caller may.
    pub permit: Permit<Link>,
    /// The register.
    pub dataset: DatasetId,
    /// The model's digest.
    pub digest: Digest,
    /// What is kept.
    pub model: KeptModel,
}

impl Command for KeepModel {
    type Reply = Digest;
    const METHOD: &'static str = "Train";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<Digest>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        let place = (self.dataset, self.digest);
        // Equal lists train equal models; the first stays.
        if !desk.state.models.contains(&place) {
            desk.state.models.put(place, self.model.clone());
        }
        let mark = Mark::ok(Operation::LinkRun)
            .about(self.model.list)
            .of_dataset(self.dataset)
            .of_snapshot(self.model.snapshot)
            .under(&self.permit)
            .by_model(self.digest)
            .count(Counter::In, self.model.lines);
        Ok(Decision::new(self.digest, mark))
    }
}

/// Takes a model into use, or lays one aside.
#[derive(Debug)]
struct PromoteModel {
    permit: Permit<Promote>,
    dataset: DatasetId,
    expected: Option<Digest>,
    promoted: Option<Digest>,
    /// The snapshot that the model was found to fit.
    fits: SnapshotId,
}

impl Command for PromoteModel {
    type Reply = ();
    const METHOD: &'static str = "Promote";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        if let Some(digest) = self.promoted {
            let model = desk.state.kept_model(self.dataset, digest)?;
            if !model.untrained.is_empty() {
                return Err(Refusal::new(Reason::ModelUnfit).in_field("model_digest"));
            }
            // Another snapshot may have other fields.
            if self.fits != desk.state.snapshot_in_use(self.dataset)? {
                return Err(Reason::VersionOld.into());
            }
        }
        if desk.state.model_in_use(self.dataset) != self.expected {
            return Err(Refusal::new(Reason::VersionOld).in_field("expected_digest"));
        }
        match self.promoted {
            Some(digest) => desk.state.models_in_use.put(self.dataset, digest),
            None => desk.state.models_in_use.remove(&self.dataset),
        }
        let mut mark = Mark::ok(Operation::ConfigChange).of_dataset(self.dataset);
        if let Some(digest) = self.promoted {
            mark = mark.by_model(digest);
        }
        Ok(Decision::new((), mark))
    }
}

/// Takes a model into use, for jobs that are asked for from now on and for single questions. Blocks: for threads that may
/// wait.
pub fn promote(
    exchange: &Exchange,
    indexes: &Indexes,
    call: Call,
    permit: Permit<Promote>,
    change: ModelChange,
) -> Result<Done<()>, Refusal> {
    let state = exchange.state();
    let ModelChange { dataset, expected, promoted } = change;
    let snapshot = state.snapshot_in_use(dataset)?;
    let indexed = indexes.get(snapshot)?;
    let model = promoted.map(|digest| state.open_model(exchange.vault(), dataset, digest));
    let prepared = indexed.prepare(model.transpose()?)?;
    let command = PromoteModel { permit, dataset, expected, promoted, fits: snapshot };
    let done = exchange.execute_now(call, command)?;
    // A repeated request changes nothing that came after it.
    if exchange.state().model_in_use(dataset) == promoted {
        indexes.use_model(snapshot, prepared, promoted);
    }
    Ok(done)
}

/// Which model shall take the place of which.
#[derive(Clone, Copy, Debug)]
pub struct ModelChange {
    /// The register.
    pub dataset: DatasetId,
    /// What the caller takes for the model in use.
    pub expected: Option<Digest>,
    /// What is to be in use; nothing: what is believed without a model.
    pub promoted: Option<Digest>,
}

/// Notes that models are shown, before they are.
#[derive(Debug)]
pub struct ShowModels {
    /// That the caller may.
    pub permit: Permit<Promote>,
    /// The register.
    pub dataset: DatasetId,
}

impl Command for ShowModels {
    type Reply = ();
    const METHOD: &'static str = "GetModel";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        Ok(Decision::new((), Mark::ok(Operation::AuditRead).of_dataset(self.dataset)))
    }
}
