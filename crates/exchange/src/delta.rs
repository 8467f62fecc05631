//! Deltas: what has changed of a register since its last snapshot, numbered, applied while it serves.
//!
//! A provider numbers its deltas 1, 2, 3 and so on, across snapshots. One is taken if it is the next and fits the register
//! whole; a repetition is told what it was told before, and anything else is refused with the number that is expected. So
//! nothing can be lost, doubled or applied out of order on the way, whatever breaks.
//!
//! ```text
//! upload, durable --> read, seal the rows --> next index, beside the one that serves --> frame --> switch
//! ```
//! Before the frame nobody sees anything of it; with the frame everybody sees all of it. A delta has the columns of the
//! register and one that says what is done: `operation` (異動区分), `add` (追加), `change` (変更) or `remove` (削除). No
//! record stands in a delta twice, so its lines have no order. None may join whose id differs by zeros in front alone from
//! that of another: ids are compared without them, so the two would be taken for one person. Keys, columns and counts are
//! the snapshot's, see [`crate::snapshot`].

use std::collections::HashSet;

use bytes::Bytes;
use renkei_linkage::{DeltaError, RegisterIndex};
use renkei_tables::{Admission, Schema, Side};
use renkei_tlog::leaf::{Counter, Operation};
use renkei_types::{DatasetId, Digest, DigestBuilder, Reason, SnapshotId, UploadId};
use serde::{Deserialize, Serialize};

use crate::command::{Call, Command, Decision, Desk, Done, until_undisturbed};
use crate::directory::{Content, Dataset};
use crate::flagged::Flagged;
use crate::index::{ChunkView, Indexes};
use crate::ledger::Exchange;
use crate::mark::Mark;
use crate::permit::{Permit, Submit};
use crate::refusal::Refusal;
use crate::rows::{self, REGISTER_FIELDS, RowsWriter};
use crate::seal::{self, Declaration, DestroyUpload};
use crate::snapshot::{Follows, Snapshot};
use crate::state::State;
use crate::store::Vault;
use crate::unknown_ids::without_zeros;
use crate::upload::{Spools, Target, Upload, UploadState};

/// Most lines of a delta; whoever changes more sends a snapshot.
pub const DELTA_LINES_MAX: u64 = 200_000;

/// Values are counted anew once deltas have touched one record in so many.
const TOUCHED_ONE_IN: u64 = 10;

/// The names of the column that says what is done with a record.
const OPERATION: &[&str] = &["operation", "異動区分"];

/// What is done with a record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Step {
    Add,
    Change,
    Remove,
}

impl Step {
    fn read(text: &str) -> Option<Self> {
        match text.trim() {
            "add" | "追加" => Some(Self::Add),
            "change" | "変更" => Some(Self::Change),
            "remove" | "削除" => Some(Self::Remove),
            _ => None,
        }
    }
}

/// How many records a delta adds, changes and removes.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct DeltaCounts {
    /// Records that join.
    pub added: u64,
    /// Records that change.
    pub changed: u64,
    /// Records that leave.
    pub removed: u64,
}

impl DeltaCounts {
    /// How many lines.
    pub fn lines(&self) -> u64 {
        self.added + self.changed + self.removed
    }
}

/// A delta that was applied.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct AppliedDelta {
    /// The register as the delta left it.
    pub snapshot: SnapshotId,
    /// Keyed digest of the file, by which a repetition is recognised.
    pub digest: Digest,
    /// What it came to.
    pub counts: DeltaCounts,
}

/// What lies behind the rows of a delta: what its records were, and who left.
#[derive(Debug, Default, Deserialize, Serialize)]
pub struct Behind {
    /// Of each row whether the register had the record before.
    pub changes: Vec<bool>,
    /// Who left.
    pub removed: Vec<Removed>,
}

/// A record that leaves.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Removed {
    /// Its id.
    pub id: String,
    /// 異動日, as the file has it.
    pub date_of_event: String,
    /// 処理日, as the file has it.
    pub date_processed: String,
}

/// A delta that has been read and fits the register.
struct Ready {
    id: SnapshotId,
    base: SnapshotId,
    snapshot: Snapshot,
    counts: DeltaCounts,
}

/// Applies an uploaded delta. Blocks: for threads that may wait. `declared` counts lines and no yen.
pub fn apply(
    exchange: &Exchange,
    spools: &Spools,
    indexes: &Indexes,
    call: &Call,
    permit: &Permit<Submit>,
    upload: UploadId,
    declared: Declaration,
) -> Result<Done<AppliedDelta>, Refusal> {
    until_undisturbed(|| try_apply(exchange, spools, indexes, call, permit, upload, declared))
}

fn try_apply(
    exchange: &Exchange,
    spools: &Spools,
    indexes: &Indexes,
    call: &Call,
    permit: &Permit<Submit>,
    id: UploadId,
    declared: Declaration,
) -> Result<Done<AppliedDelta>, Refusal> {
    let state = exchange.state();
    let upload = state.uploads.get_shared(&id).ok_or(Reason::NoAgreement)?;
    let Target::Delta(dataset, number) = upload.target else {
        return Err(Reason::WrongState.into());
    };
    let mut digest = DigestBuilder::new();
    digest.field(&declared.sha256).number(declared.bytes).number(declared.totals.lines);
    let digest = exchange.body_digest(digest.finish().as_bytes());
    let ready = match upload.state {
        // Perhaps a repetition: the stored answer tells, or the command refuses.
        UploadState::Sealed | UploadState::Destroyed => None,
        UploadState::Open => {
            let read = Reading { exchange, indexes, state: &state, upload: &upload };
            match read.unless_applied(spools, id, declared) {
                Err(refusal) if refusal.reason == Reason::MyNumber => {
                    // First the fact, then the key, as where a file is sealed.
                    let (caller, permit) = (permit.caller().clone(), permit.clone());
                    let destroy = DestroyUpload { permit, upload: id };
                    exchange.execute_now(Call::read(caller), destroy)?;
                    exchange.vault().destroy_key(upload.key)?;
                    spools.discard(id);
                    return Err(refusal);
                }
                // Somebody else was first with the same upload, and its bytes are put away: the stored answer tells.
                Err(_) if has_ended(&exchange.state(), id) => None,
                ready => ready?,
            }
        }
    };
    let coming = ready.as_ref().map(|ready| ready.id);
    let command = ApplyDelta { permit: permit.clone(), upload: id, dataset, number, digest, ready };
    let done = exchange.execute_now(call.clone(), command);
    if let Some(coming) = coming {
        indexes.has_come(coming, done.is_ok());
    }
    let done = done?;
    spools.discard(id);
    Ok(done)
}

fn has_ended(state: &State, upload: UploadId) -> bool {
    state.uploads.get(&upload).is_none_or(|upload| upload.state != UploadState::Open)
}

/// Refuses a number that is not the next, and says which is.
pub(crate) fn check_next(dataset: &Dataset, number: u64) -> Result<(), Refusal> {
    let expected = dataset.deltas + 1;
    if number == expected {
        return Ok(());
    }
    Err(Refusal::new(Reason::DeltaGap).in_field("delta").expecting(expected))
}

/// What a delta says.
struct Read {
    rows: rows::Rows,
    behind: Behind,
    counts: DeltaCounts,
    /// Lines of the file: of the rows, then of the records that leave.
    lines: Vec<u64>,
    /// The ids of records that join, with their lines.
    joining: Vec<(String, u64)>,
}

impl Read {
    /// Refuses a record that joins beside one whose id differs from its own by zeros in front alone.
    fn check_zeros(&self, register: &RegisterIndex) -> Result<(), Refusal> {
        let leaving: HashSet<&str> =
            self.behind.removed.iter().map(|gone| gone.id.as_str()).collect();
        let mut joined = HashSet::with_capacity(self.joining.len());
        for (id, line) in &self.joining {
            let is_second = !joined.insert(without_zeros(id))
                || register.with_other_zeros(id).any(|other| !leaving.contains(other));
            if is_second {
                return Err(seal::zeros_differ(*line));
            }
        }
        Ok(())
    }
}

struct Reading<'a> {
    exchange: &'a Exchange,
    indexes: &'a Indexes,
    state: &'a State,
    upload: &'a Upload,
}

impl Reading<'_> {
    /// Reads the delta; nothing where its number was applied before.
    fn unless_applied(
        &self,
        spools: &Spools,
        id: UploadId,
        declared: Declaration,
    ) -> Result<Option<Ready>, Refusal> {
        let Target::Delta(dataset, number) = self.upload.target else {
            return Err(Reason::WrongState.into());
        };
        let bytes = seal::received(self.exchange.vault(), spools, id, self.upload, declared)?;
        let known = self.state.datasets.get(&dataset).ok_or(Reason::NoAgreement)?;
        if number <= known.deltas {
            return Ok(None);
        }
        check_next(known, number)?;
        self.delta(dataset, number, &bytes, declared).map(Some)
    }

    /// Reads a delta, keeps its rows, and puts the index that it makes beside the one that serves.
    fn delta(
        &self,
        dataset: DatasetId,
        number: u64,
        bytes: &Bytes,
        declared: Declaration,
    ) -> Result<Ready, Refusal> {
        if declared.totals.lines > DELTA_LINES_MAX {
            return Err(Refusal::new(Reason::TooLarge).in_field("declared.lines"));
        }
        let base_id = self.state.snapshot_in_use(dataset)?;
        let segments = self.state.segments(base_id)?;
        let (Some(file), Some(base)) = (segments.first(), segments.last()) else {
            return Err(Reason::Internal.into());
        };
        let indexed = self.indexes.get(base_id)?;
        let read = self.rows(bytes, declared, &file.rows.columns)?;
        read.check_zeros(&indexed.index)?;
        let Read { rows, behind, counts, lines, .. } = read;
        let vault = self.exchange.vault();
        let first_row = base.rows_through();
        if first_row + rows.rows >= u64::from(u32::MAX) {
            return Err(Reason::TooLarge.into());
        }
        let since_counted = |follows: Follows| if follows.recounts { 0 } else { follows.touched };
        let touched = base.follows.map_or(0, since_counted);
        let touched = touched + counts.lines();
        let follows = Follows {
            previous: base_id,
            number,
            first_row,
            records: (base.records() + counts.added).saturating_sub(counts.removed),
            touched,
            recounts: touched * TOUCHED_ONE_IN > base.records(),
        };
        let mut digest = DigestBuilder::new();
        digest.field(base.digest.as_bytes()).field(rows.blob.digest.as_bytes());
        let key = vault.key(self.upload.key)?;
        let clock = self.exchange.clock();
        let snapshot = Snapshot {
            dataset,
            file: seal::write_file(vault, &key, self.upload, bytes)?,
            rows,
            key: self.upload.key,
            digest: digest.finish(),
            sealed_at: None,
            follows: Some(follows),
            destroyed: false,
        };
        // Also where values are counted anew the delta must fit.
        let mut delta = indexed.index.delta();
        add_to(vault, &mut delta, &snapshot, &behind)?;
        let changed = indexed.index.apply(delta).map_err(|error| unfit(error, &lines))?;
        let next = if follows.recounts {
            let all: Vec<&Snapshot> = segments.iter().copied().chain([&snapshot]).collect();
            indexed.counted_anew(vault, &all, clock.as_ref())?
        } else {
            let mut flagged = Flagged::clone(indexed.flagged());
            flagged.take(vault, &snapshot, &behind)?;
            indexed.with_records(changed, flagged)
        };
        let id = SnapshotId::new(clock.now(), vault.entropy());
        self.indexes.comes(id, next);
        Ok(Ready { id, base: base_id, snapshot, counts })
    }

    fn rows(
        &self,
        bytes: &Bytes,
        declared: Declaration,
        columns: &[String],
    ) -> Result<Read, Refusal> {
        let (vault, upload) = (self.exchange.vault(), self.upload);
        let mut reader = seal::open_table(upload, bytes)?;
        let binding = reader
            .bind(&Schema::resident_payment(), Side::Register)
            .map_err(|error| seal::unbound(&error))?;
        let operation = reader.header().iter().position(|name| OPERATION.contains(&name.trim()));
        let operation =
            operation.ok_or(Refusal::new(Reason::ColumnMissing).in_field("operation"))?;
        let mut admission =
            Admission::of(&reader, &binding).map_err(|error| seal::not_admitted(&error))?;
        let key = vault.key(upload.key)?;
        let header = reader.header();
        let mut writer =
            RowsWriter::new(vault, &key, upload.key, header, &binding, REGISTER_FIELDS)?;
        // A column that is left out would take from every record what it says.
        if writer.columns() != columns {
            let only_in = |these: &[String], others: &[String]| {
                let column = these.iter().find(|column| !others.contains(column));
                column.and_then(|column| seal::column_name(column))
            };
            let (reason, field) = match only_in(columns, writer.columns()) {
                Some(missing) => (Reason::ColumnMissing, Some(missing)),
                None => (Reason::HeaderInvalid, only_in(writer.columns(), columns)),
            };
            return Err(Refusal { field, ..reason.into() });
        }
        let (mut behind, mut counts) = (Behind::default(), DeltaCounts::default());
        let (mut lines, mut lines_removed, mut joining) = (Vec::new(), Vec::new(), Vec::new());
        while let Some(batch) = reader.next_batch().map_err(|error| seal::unreadable(&error))? {
            admission.observe(&batch).map_err(|error| seal::not_admitted(&error))?;
            for row in 0..batch.rows() {
                let line = batch.lines.get(row).copied().unwrap_or_default();
                let change = Step::read(batch.cell(operation, row));
                let change = change.ok_or(
                    Refusal::new(Reason::FieldInvalid).in_field("operation").at_line(line),
                )?;
                let cell = |column| writer.cell(&batch, row, column).to_owned();
                match change {
                    Step::Add => {
                        counts.added += 1;
                        joining.push((cell("resident_id"), line));
                    }
                    Step::Change => counts.changed += 1,
                    Step::Remove => {
                        counts.removed += 1;
                        lines_removed.push(line);
                        behind.removed.push(Removed {
                            id: cell("resident_id"),
                            date_of_event: cell("date_of_event"),
                            date_processed: cell("date_processed"),
                        });
                        continue;
                    }
                }
                behind.changes.push(change == Step::Change);
                lines.push(line);
                writer.push(&batch, row)?;
            }
        }
        let admitted = admission.finish().map_err(|error| seal::not_admitted(&error))?;
        // A record that is left out of a list is told of to its owner; one that is left out of a delta would be lost.
        if let Some(found) = admitted.rejections().first() {
            return Err(Refusal::new(found.reason).at_line(found.line));
        }
        if admitted.lines() != declared.totals.lines || counts.lines() != admitted.lines() {
            return Err(Refusal::new(Reason::TotalsDiffer).in_field("declared.lines"));
        }
        if declared.totals.yen != 0 {
            return Err(Refusal::new(Reason::TotalsDiffer).in_field("declared.yen"));
        }
        lines.extend(lines_removed);
        Ok(Read { rows: writer.finish_with(&behind)?, behind, counts, lines, joining })
    }
}

/// Puts the records of a segment into a delta, in the order of its rows.
pub(crate) fn add_to(
    vault: &Vault,
    delta: &mut renkei_linkage::Delta,
    segment: &Snapshot,
    behind: &Behind,
) -> Result<(), Refusal> {
    let view = ChunkView::new(&segment.rows, Side::Register);
    let reader = segment.rows.open(vault)?;
    let mut changes = behind.changes.iter();
    for number in 0..segment.rows.chunks() {
        let chunk = rows::chunk(&reader, number)?;
        for at in 0..chunk.rows() {
            let row = view.of(&chunk).only(at);
            match changes.next() {
                Some(true) => delta.change(&row),
                Some(false) => delta.add(&row),
                None => return Err(Reason::Internal.into()),
            }
        }
    }
    behind.removed.iter().for_each(|removed| delta.remove(&removed.id));
    Ok(())
}

/// What lies behind the rows of a delta.
pub(crate) fn behind(vault: &Vault, segment: &Snapshot) -> Result<Behind, Refusal> {
    rows::last_chunk(&segment.rows.open(vault)?, &segment.rows)
}

fn unfit(error: DeltaError, lines: &[u64]) -> Refusal {
    let (reason, entry) = match error {
        DeltaError::AlreadyThere { entry } => (Reason::AlreadyExists, entry),
        DeltaError::NothingToChange { entry } | DeltaError::NothingToRemove { entry } => {
            (Reason::UnknownPerson, entry)
        }
        DeltaError::NoId { entry } => (Reason::IdMissing, entry),
        DeltaError::OtherFields | DeltaError::ServesOneList => return Refusal::internal(&error),
    };
    let line = entry.checked_sub(1).and_then(|at| lines.get(at)).copied();
    Refusal { line, ..Refusal::new(reason).in_field("resident_id") }
}

struct ApplyDelta {
    permit: Permit<Submit>,
    upload: UploadId,
    dataset: DatasetId,
    number: u64,
    digest: Digest,
    ready: Option<Ready>,
}

impl Command for ApplyDelta {
    type Reply = AppliedDelta;
    const METHOD: &'static str = "Apply";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<AppliedDelta>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        let upload = desk.state.uploads.get(&self.upload).ok_or(Reason::NoAgreement)?;
        upload.check_open()?;
        let dataset = desk.state.datasets.get(&self.dataset).ok_or(Reason::NoAgreement)?;
        if let Some(applied) = desk.state.deltas.get(&(self.dataset, self.number)) {
            if applied.digest != self.digest {
                let expected = dataset.deltas + 1;
                let differs = Refusal::new(Reason::DeltaDiffers).in_field("delta");
                return Err(differs.expecting(expected));
            }
            let applied = applied.clone();
            let mark = self.mark(&applied);
            desk.state.uploads.change(&self.upload, |upload| upload.state = UploadState::Sealed);
            return Ok(Decision::new(applied, mark));
        }
        check_next(dataset, self.number)?;
        let ready = self.ready.as_ref().ok_or(Reason::VersionOld)?;
        if dataset.content != Content::Register(Some(ready.base)) {
            // The register was switched while the delta was read against the one before.
            return Err(Reason::VersionOld.into());
        }
        let snapshot = Snapshot { sealed_at: Some(desk.now), ..ready.snapshot.clone() };
        let applied =
            AppliedDelta { snapshot: ready.id, digest: self.digest, counts: ready.counts };
        desk.state.snapshots.put(ready.id, snapshot);
        desk.state.deltas.put((self.dataset, self.number), applied.clone());
        desk.state.datasets.change(&self.dataset, |dataset| {
            dataset.content = Content::Register(Some(ready.id));
            dataset.deltas = self.number;
        });
        desk.state.uploads.change(&self.upload, |upload| upload.state = UploadState::Sealed);
        let mark = self.mark(&applied);
        Ok(Decision::new(applied, mark))
    }
}

impl ApplyDelta {
    fn mark(&self, applied: &AppliedDelta) -> Mark {
        Mark::ok(Operation::DeltaApply)
            .about(self.upload)
            .of_dataset(self.dataset)
            .of_snapshot(applied.snapshot)
            .count(Counter::In, applied.counts.lines())
    }
}
