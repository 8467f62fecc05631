//! Indexes: registers in memory, ready to be linked to.
//!
//! An index holds normal forms and ids, no text of a person but what blocking and comparison need; values for people to
//! see are read back from the sealed rows. It is built from those rows at the start and when a register is switched, once
//! for all jobs and questions, and shared between threads.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;
use renkei_linkage::{
    Costs, Field, Fields, Model, PreparedModel, RegisterIndex, RegisterIntake, Rows as LinkageRows,
    Serves, Unwatched,
};
use renkei_tables::{Schema, Side};
use renkei_types::{Clock, Digest, Reason, SnapshotId};

use crate::directory::Content;
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
}

impl Indexed {
    fn new(index: Arc<RegisterIndex>, model: PreparedModel, promoted: Option<Digest>) -> Self {
        let model_digest = model.model().digest();
        Self { index, model: Arc::new(model), model_digest, promoted }
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
#[derive(Default)]
pub struct Indexes {
    loaded: RwLock<HashMap<SnapshotId, Arc<Indexed>>>,
}

impl Indexes {
    /// A register, if it is loaded.
    pub fn get(&self, snapshot: SnapshotId) -> Result<Arc<Indexed>, Refusal> {
        self.loaded.read().get(&snapshot).cloned().ok_or_else(|| Reason::IndexLoading.into())
    }

    /// Lets single questions use another model from now on.
    pub fn use_model(&self, snapshot: SnapshotId, model: PreparedModel, promoted: Option<Digest>) {
        let mut loaded = self.loaded.write();
        if let Some(indexed) = loaded.get_mut(&snapshot) {
            let index = Arc::clone(&indexed.index);
            *indexed = Arc::new(Indexed::new(index, model, promoted));
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
        // Clerks search in the register that their list was linked to.
        for (id, list) in state.lists.iter() {
            let open = |task: &crate::review::Task| task.state != crate::review::TaskState::Decided;
            if let Some(linked) = &list.linked
                && state.tasks(*id).any(|(_, task)| open(task))
            {
                wanted.push(linked.snapshot);
            }
        }
        for id in &wanted {
            if self.loaded.read().contains_key(id) {
                self.follow_model(state, vault, *id);
                continue;
            }
            let snapshot = state.snapshots.get(id).ok_or(Reason::Internal)?;
            let started = clock.monotonic();
            let indexed = match load(vault, snapshot, clock) {
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
        self.loaded.write().retain(|id, _| wanted.contains(id));
        Ok(())
    }
}

/// The fields of the built-in schema, as a register with these columns has them.
fn fields(columns: &Rows) -> Fields {
    let schema = Schema::resident_payment();
    let has = |field: &renkei_tables::schema::Field| {
        field.columns(Side::Register).iter().any(|column| columns.column(column).is_some())
    };
    let fields = schema.fields.iter().map(|field| Field {
        name: field.name.clone(),
        kind: field.kind,
        in_register: has(field),
        in_list: !field.columns(Side::List).is_empty(),
    });
    Fields { fields: fields.collect(), date_order: schema.date_order }
}

fn load(vault: &Vault, snapshot: &Snapshot, clock: &dyn Clock) -> Result<Indexed, Refusal> {
    let reader = snapshot.rows.open(vault)?;
    let mut intake = RegisterIntake::new(fields(&snapshot.rows));
    let view = ChunkView::new(&snapshot.rows, Side::Register);
    std::thread::scope(|scope| -> Result<(), Refusal> {
        // One thread opens chunks while the other takes them in; a few ahead bound the memory.
        let (sender, chunks) = std::sync::mpsc::sync_channel(CHUNKS_AHEAD);
        let reader = &reader;
        scope.spawn(move || {
            for number in 0..snapshot.rows.chunks() {
                let chunk = rows::chunk(reader, number);
                let failed = chunk.is_err();
                if sender.send(chunk).is_err() || failed {
                    return;
                }
            }
        });
        for chunk in chunks {
            intake.extend(&view.of(&chunk?));
        }
        Ok(())
    })?;
    let left_out: Vec<usize> = rows::rejected(&reader, &snapshot.rows)?
        .iter()
        .map(|rejected| rejected.row as usize)
        .collect();
    let index = intake.seal(&left_out, Serves::AnyLists, clock, &Unwatched);
    let model = prepare(&index, None)?;
    Ok(Indexed::new(Arc::new(index), model, None))
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
