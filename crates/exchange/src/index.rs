//! Indexes: registers in memory, ready to be linked to.
//!
//! An index holds normal forms and ids, no text of a person but what blocking and comparison need; values for people to
//! see are read back from the sealed rows. It is built from those rows at the start and when a register is switched, once
//! for all jobs and questions, and shared between threads. A delta makes the next index of the one that serves; read back,
//! it is made in the same way, so that it weighs what it weighed.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::{Mutex, RwLock};
use renkei_linkage::{
    Costs, Field, Fields, Model, PreparedModel, RegisterIndex, RegisterIntake, Rows as LinkageRows,
    Serves, Unwatched,
};
use renkei_tables::{Schema, Side};
use renkei_types::{Clock, DatasetId, Digest, Reason, SnapshotId};

use crate::directory::Content;
use crate::flagged::Flagged;
use crate::protection::{Feeds, Protected};
use crate::refusal::Refusal;
use crate::rows::{self, Chunk, Rows};
use crate::snapshot::Snapshot;
use crate::state::State;
use crate::store::Vault;

/// Chunks that are opened before they are needed.
const CHUNKS_AHEAD: usize = 4;

/// A register in memory.
#[derive(Debug)]
pub struct Indexed {
    /// The records.
    pub index: Arc<RegisterIndex>,
    /// The model for single questions: the one in use, or what is believed before any list was seen.
    pub model: Arc<PreparedModel>,
    /// The model's digest.
    pub model_digest: Digest,
    /// Which model was taken into use.
    promoted: Option<Digest>,
    /// Whom the register flags as protected.
    flagged: Arc<Flagged>,
}

impl Indexed {
    fn new(
        index: Arc<RegisterIndex>,
        model: PreparedModel,
        promoted: Option<Digest>,
        flagged: Arc<Flagged>,
    ) -> Self {
        let model_digest = model.model().digest();
        Self { index, model: Arc::new(model), model_digest, promoted, flagged }
    }

    /// The same with the deltas of these segments, the newest first.
    fn with_records_of(&self, vault: &Vault, since: &[&Snapshot]) -> Result<Self, Refusal> {
        let mut delta = self.index.delta();
        let mut flagged = Flagged::clone(&self.flagged);
        for segment in since.iter().rev() {
            let behind = crate::delta::behind(vault, segment)?;
            crate::delta::add_to(vault, &mut delta, segment, &behind)?;
            flagged.take(vault, segment, &behind)?;
        }
        let index = self.index.apply(delta).map_err(|error| Refusal::internal(&error))?;
        Ok(self.with_records(index, flagged))
    }

    /// The same with the records that a delta leaves. What was counted stays, and so the model does.
    pub(crate) fn with_records(&self, index: RegisterIndex, flagged: Flagged) -> Self {
        let (model, model_digest) = (Arc::clone(&self.model), self.model_digest);
        let (index, flagged) = (Arc::new(index), Arc::new(flagged));
        Self { index, model, model_digest, promoted: self.promoted, flagged }
    }

    /// Whether the register flags a resident as protected.
    pub fn is_flagged(&self, id: &str) -> bool {
        self.flagged.has(id)
    }

    /// Whom the register flags as protected.
    pub(crate) fn flagged(&self) -> &Arc<Flagged> {
        &self.flagged
    }

    /// The same with the records of these segments, and all counted anew.
    pub(crate) fn counted_anew(
        &self,
        vault: &Vault,
        segments: &[&Snapshot],
        clock: &dyn Clock,
    ) -> Result<Self, Refusal> {
        let (index, flagged) = build(vault, segments, clock)?;
        if self.promoted.is_some()
            && let Ok(model) = prepare(&index, Some(self.model.model().clone()))
        {
            return Ok(Self::new(Arc::new(index), model, self.promoted, Arc::new(flagged)));
        }
        // A model that no longer fits is told of where the register follows the model in use.
        let model = prepare(&index, None)?;
        Ok(Self::new(Arc::new(index), model, None, Arc::new(flagged)))
    }

    /// A model made ready for the register; nothing: what is believed before any list was seen.
    pub fn prepare(&self, model: Option<Model>) -> Result<PreparedModel, Refusal> {
        prepare(&self.index, model)
    }
}

fn prepare(index: &RegisterIndex, model: Option<Model>) -> Result<PreparedModel, Refusal> {
    let model = model.unwrap_or_else(|| index.prior_model(Costs::default()));
    index.prepare(model).map_err(|error| {
        tracing::warn!(%error, "a model does not fit a register");
        Reason::ModelUnfit.into()
    })
}

/// The registers in memory.
pub struct Indexes {
    loaded: RwLock<HashMap<SnapshotId, Arc<Indexed>>>,
    /// Those that no durable state names yet.
    coming: Mutex<HashSet<SnapshotId>>,
    feeds: Feeds,
    /// An earlier state of a register that somebody asked about last.
    earlier: Mutex<Option<(SnapshotId, Arc<Indexed>)>>,
    /// How old what is known of protected persons may be.
    protection_age_max: Duration,
}

impl Default for Indexes {
    fn default() -> Self {
        Self::new(crate::protection::AGE_MAX)
    }
}

impl Indexes {
    /// None is loaded. What is known of protected persons may be so old.
    pub fn new(protection_age_max: Duration) -> Self {
        let (loaded, coming, feeds, earlier) = Default::default();
        Self { loaded, coming, feeds, earlier, protection_age_max }
    }

    /// Whether what is known of the protected persons of a register is missing or too old.
    pub fn protection_is_stale(&self, state: &State, dataset: DatasetId, now: Timestamp) -> bool {
        state.protection_is_stale(dataset, now, self.protection_age_max)
    }

    /// Whether who is protected can be said without reading anything: else ask where it may wait.
    pub fn knows_protected(&self, state: &State, dataset: DatasetId) -> bool {
        self.feeds.is_known(state, dataset)
    }

    /// Who of a register is protected now. What cannot be found out protects everybody.
    pub fn protected(
        &self,
        state: &State,
        vault: &Vault,
        dataset: DatasetId,
        now: Timestamp,
    ) -> Protected {
        let in_use = state.snapshot_in_use(dataset).and_then(|snapshot| self.get(snapshot));
        let (Ok(in_use), Ok(reported)) = (in_use, self.feeds.of(state, vault, dataset)) else {
            return Protected::unknown();
        };
        let is_stale = self.protection_is_stale(state, dataset, now);
        Protected::new(is_stale, reported, Arc::clone(in_use.flagged()))
    }

    /// A register, if it is loaded.
    pub fn get(&self, snapshot: SnapshotId) -> Result<Arc<Indexed>, Refusal> {
        self.loaded.read().get(&snapshot).cloned().ok_or_else(|| Reason::IndexLoading.into())
    }

    /// A register as it was, which no longer need be loaded: the last one asked for is kept until a register changes. One in
    /// use is waited for, as by [`get`](Self::get). Blocks: for threads that may wait.
    pub fn get_earlier(
        &self,
        state: &State,
        vault: &Vault,
        id: SnapshotId,
        clock: &dyn Clock,
    ) -> Result<Arc<Indexed>, Refusal> {
        let in_use = state.snapshots.get(&id).map(|snapshot| snapshot.dataset);
        let in_use = in_use.and_then(|dataset| state.snapshot_in_use(dataset).ok());
        match self.get(id) {
            Err(_) if in_use != Some(id) => {}
            loaded => return loaded,
        }
        // Whoever asks beside somebody who loads waits for that: one copy is enough.
        let mut earlier = self.earlier.lock();
        if let Some((_, indexed)) = earlier.as_ref().filter(|(known, _)| *known == id) {
            return Ok(Arc::clone(indexed));
        }
        let indexed = Arc::new(self.load(state, vault, id, clock)?);
        *earlier = Some((id, Arc::clone(&indexed)));
        Ok(indexed)
    }

    /// Keeps an index that is about to be switched to, so that nobody waits for it when it is.
    pub(crate) fn comes(&self, snapshot: SnapshotId, indexed: Indexed) {
        self.coming.lock().insert(snapshot);
        self.loaded.write().insert(snapshot, Arc::new(indexed));
    }

    /// It was switched to, or never will be.
    pub(crate) fn has_come(&self, snapshot: SnapshotId, switched: bool) {
        if !switched {
            self.loaded.write().remove(&snapshot);
        }
        self.coming.lock().remove(&snapshot);
    }

    /// Lets single questions use another model from now on.
    pub fn use_model(&self, snapshot: SnapshotId, model: PreparedModel, promoted: Option<Digest>) {
        let mut loaded = self.loaded.write();
        if let Some(indexed) = loaded.get_mut(&snapshot) {
            let index = Arc::clone(&indexed.index);
            let flagged = Arc::clone(&indexed.flagged);
            *indexed = Arc::new(Indexed::new(index, model, promoted, flagged));
        }
    }

    /// Sees to it that a register in memory has the model that is in use. One that does not fit is told in the process log,
    /// and the register keeps what is believed without one.
    fn follow_model(&self, state: &State, vault: &Vault, id: SnapshotId) {
        let (Some(snapshot), Ok(indexed)) = (state.snapshots.get(&id), self.get(id)) else {
            return;
        };
        let promoted = state.model_in_use(snapshot.dataset);
        if indexed.promoted == promoted {
            return;
        }
        let model = promoted
            .map(|digest| state.open_model(vault, snapshot.dataset, digest))
            .transpose()
            .and_then(|model| indexed.prepare(model))
            .or_else(|refusal| {
                tracing::error!(snapshot = %id, %refusal, "the model in use cannot be used");
                indexed.prepare(None)
            });
        if let Ok(model) = model {
            self.use_model(id, model, promoted);
        }
    }

    /// Loads every register that is in use or that a waiting job is pinned to, and forgets the others. Blocks: for threads
    /// that may wait.
    pub fn follow(&self, state: &State, vault: &Vault, clock: &dyn Clock) -> Result<(), Refusal> {
        let mut wanted: Vec<SnapshotId> = Vec::new();
        for (_, dataset) in state.datasets.iter() {
            if let Content::Register(Some(snapshot)) = dataset.content {
                wanted.push(snapshot);
            }
        }
        wanted.extend(
            state.queued_jobs().iter().filter_map(|job| Some(state.jobs.get(job)?.snapshot)),
        );
        *self.earlier.lock() = None;
        // What feeds have said is read here, so that nobody who asks waits for it.
        let provided = |dataset: DatasetId| state.check_provided(dataset).is_ok();
        for (dataset, _) in state.protections.iter().filter(|(dataset, _)| provided(**dataset)) {
            if let Err(refusal) = self.feeds.of(state, vault, *dataset) {
                tracing::error!(%dataset, %refusal, "who is protected cannot be read: everybody is");
            }
        }
        // Clerks search in the register that their list was linked to.
        for (id, list) in state.lists.iter() {
            let open = |task: &crate::review::Task| task.state != crate::review::TaskState::Decided;
            if let Some(linked) = &list.linked
                && state.tasks(*id).any(|(_, task)| open(task))
            {
                wanted.push(linked.snapshot);
            }
        }
        wanted.retain(|id| {
            let dataset = state.snapshots.get(id).map(|snapshot| snapshot.dataset);
            dataset.is_none_or(|dataset| state.check_provided(dataset).is_ok())
        });
        // Ids sort by time, so what a snapshot comes of is loaded before it.
        wanted.sort_unstable();
        wanted.dedup();
        for id in &wanted {
            if self.loaded.read().contains_key(id) {
                self.follow_model(state, vault, *id);
                continue;
            }
            let started = clock.monotonic();
            let indexed = match self.load(state, vault, *id, clock) {
                Ok(indexed) => Arc::new(indexed),
                Err(refusal) => {
                    tracing::error!(snapshot = %id, %refusal, "a register cannot be loaded");
                    continue;
                }
            };
            let (records, times) = (indexed.index.records(), indexed.index.times());
            let seconds = clock.monotonic().saturating_sub(started).as_secs_f64();
            let (normalise, index) = (times.normalise.as_secs_f64(), times.index.as_secs_f64());
            tracing::info!(snapshot = %id, records, seconds, normalise, index, "register loaded");
            self.loaded.write().insert(*id, indexed);
            self.follow_model(state, vault, *id);
        }
        // Who has read the state just before a delta finds the register as it was then; the two share nearly all.
        let before = |id: &SnapshotId| Some(state.snapshots.get(id)?.follows?.previous);
        let kept: Vec<SnapshotId> = wanted.iter().filter_map(before).collect();
        // Under one lock with those that come: else one could come and go in between.
        let coming = self.coming.lock();
        let stays =
            |id: &SnapshotId| wanted.contains(id) || kept.contains(id) || coming.contains(id);
        self.loaded.write().retain(|id, _| stays(id));
        Ok(())
    }

    /// Reads a register: what was counted last, and the deltas since. What is in memory already need not be read.
    fn load(
        &self,
        state: &State,
        vault: &Vault,
        id: SnapshotId,
        clock: &dyn Clock,
    ) -> Result<Indexed, Refusal> {
        let mut since: Vec<&Snapshot> = Vec::new();
        let mut next = id;
        let base = loop {
            let snapshot = state.snapshots.get(&next).ok_or(Reason::DataDestroyed)?;
            if let Ok(loaded) = self.get(next) {
                break loaded.with_records_of(vault, &since)?;
            }
            match snapshot.follows {
                Some(follows) if !follows.recounts => {
                    since.push(snapshot);
                    next = follows.previous;
                }
                Some(_) | None => {
                    let (index, flagged) = build(vault, &state.segments(next)?, clock)?;
                    let model = prepare(&index, None)?;
                    let counted = Indexed::new(Arc::new(index), model, None, Arc::new(flagged));
                    break counted.with_records_of(vault, &since)?;
                }
            }
        };
        Ok(base)
    }
}

/// The fields of the built-in schema, as a register with these columns has them, for lists of any columns.
fn fields(columns: &Rows) -> Fields {
    let schema = Schema::resident_payment();
    let has = |field: &renkei_tables::schema::Field| {
        field.columns(Side::Register).iter().any(|column| columns.column(column).is_some())
    };
    let fields = schema.fields.iter().map(|field| {
        let (in_register, in_list) = schema.stands(field, has(field), !field.list.is_empty());
        Field { name: field.name.clone(), kind: field.kind, in_register, in_list }
    });
    Fields { fields: fields.collect(), date_order: schema.date_order }
}

/// Counts and indexes the records that some segments come to. Every row keeps its number: those that are no longer in
/// force are left out.
fn build(
    vault: &Vault,
    segments: &[&Snapshot],
    clock: &dyn Clock,
) -> Result<(RegisterIndex, Flagged), Refusal> {
    let mut flagged = Flagged::default();
    let (file, deltas) = segments.split_first().ok_or(Reason::Internal)?;
    let mut intake = RegisterIntake::new(fields(&file.rows));
    let view = ChunkView::new(&file.rows, Side::Register);
    for segment in segments {
        let reader = segment.rows.open(vault)?;
        std::thread::scope(|scope| -> Result<(), Refusal> {
            // One thread opens chunks while the other takes them in; a few ahead bound the memory.
            let (sender, chunks) = std::sync::mpsc::sync_channel(CHUNKS_AHEAD);
            let reader = &reader;
            scope.spawn(move || {
                for number in 0..segment.rows.chunks() {
                    let chunk = rows::chunk(reader, number);
                    let failed = chunk.is_err();
                    if sender.send(chunk).is_err() || failed {
                        return;
                    }
                }
            });
            for chunk in chunks {
                let chunk = chunk?;
                flagged.take_chunk(&segment.rows, &chunk);
                intake.extend(&view.of(&chunk));
            }
            Ok(())
        })?;
        if segment.follows.is_some() {
            flagged.forget_removed(&crate::delta::behind(vault, segment)?);
        }
    }
    let mut left_out: Vec<usize> = rows::rejected(&file.rows.open(vault)?, &file.rows)?
        .iter()
        .map(|rejected| rejected.row as usize)
        .collect();
    if !deltas.is_empty() {
        left_out.extend(crate::snapshot::out_of_force(vault, segments)?);
    }
    Ok((intake.seal(&left_out, Serves::AnyLists, clock, &Unwatched), flagged))
}

/// How chunks of sealed rows look to the engine.
#[derive(Debug)]
pub struct ChunkView {
    id: usize,
    /// The columns of each field of the schema.
    fields: Vec<Vec<usize>>,
}

impl ChunkView {
    /// For rows with these columns.
    pub fn new(rows: &Rows, side: Side) -> Self {
        let of_field = |field: &renkei_tables::schema::Field| {
            field.columns(side).iter().filter_map(|column| rows.column(column)).collect()
        };
        // The id is the first column that is kept.
        Self { id: 0, fields: Schema::resident_payment().fields.iter().map(of_field).collect() }
    }

    /// One chunk.
    pub fn of<'a>(&'a self, chunk: &'a Chunk) -> ChunkRows<'a> {
        ChunkRows { view: self, chunk }
    }
}

/// One row of a chunk, as if it were alone.
#[derive(Debug)]
pub struct OneRow<'a> {
    rows: ChunkRows<'a>,
    at: usize,
}

impl<'a> ChunkRows<'a> {
    /// One of the rows.
    pub fn only(self, at: usize) -> OneRow<'a> {
        OneRow { rows: self, at }
    }
}

impl LinkageRows for OneRow<'_> {
    fn len(&self) -> usize {
        1
    }

    fn id(&self, _: usize) -> &str {
        self.rows.id(self.at)
    }

    fn text<'a>(&'a self, field: usize, _: usize, scratch: &'a mut String) -> &'a str {
        self.rows.text(field, self.at, scratch)
    }
}

/// A chunk as rows of the engine.
#[derive(Debug)]
pub struct ChunkRows<'a> {
    view: &'a ChunkView,
    chunk: &'a Chunk,
}

impl LinkageRows for ChunkRows<'_> {
    fn len(&self) -> usize {
        self.chunk.rows()
    }

    fn id(&self, row: usize) -> &str {
        self.chunk.cell(self.view.id, row)
    }

    fn text<'a>(&'a self, field: usize, row: usize, scratch: &'a mut String) -> &'a str {
        let columns = self.view.fields.get(field).map_or(&[][..], Vec::as_slice);
        if let [column] = columns {
            return self.chunk.cell(*column, row);
        }
        scratch.clear();
        for cell in columns.iter().map(|&column| self.chunk.cell(column, row)) {
            if !cell.is_empty() {
                if !scratch.is_empty() {
                    scratch.push(' ');
                }
                scratch.push_str(cell);
            }
        }
        scratch
    }
}
