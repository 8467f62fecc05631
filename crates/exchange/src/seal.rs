//! Sealing: the broker reads an uploaded file, counts it, and refuses it if anything differs from what was declared.
//!
//! A sealed file cannot change. Of a list every line is kept, also those that are rejected; of a register the new
//! snapshot replaces the old one as a whole. The work is done before the command is decided, on files that nobody sees
//! until the command refers to them.

use std::collections::BTreeSet;
use std::io::{Cursor, Read as _};

use bytes::Bytes;
use renkei_journal::{BlobRef, DataKey};
use renkei_tables::encoding::Encoding;
use renkei_tables::{
    Admission, AdmissionError, Admitted, ReadError, ReadOptions, Schema, SchemaError, Side,
    TableReader, built_in_column,
};
use renkei_tlog::leaf::{Counter, LeafResult, Operation};
use renkei_types::{
    DataKeyId, DatasetId, Digest, ListId, ProgrammeId, Reason, SnapshotId, UploadId,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::accounts::Tally;
use crate::book::BookChange;
use crate::command::{Call, Command, Decision, Desk};
use crate::directory::Content;
use crate::hold::{self, Amounts, Stop, Unusual};
use crate::ledger::Exchange;
use crate::list::{SealedList, Totals};
use crate::mark::Mark;
use crate::permit::{Permit, Submit};
use crate::refusal::Refusal;
use crate::rows::{LIST_FIELDS, REGISTER_FIELDS, Rejected, Rows, RowsWriter};
use crate::snapshot::Snapshot;
use crate::state::State;
use crate::store::{Vault, blob_refusal};
use crate::supersede::{self, Corrected};
use crate::upload::{FileEncoding, Spools, Target, Upload, UploadState, spool_refusal};

/// What a sender says of a file that it has sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Declaration {
    /// How many bytes.
    pub bytes: u64,
    /// Their SHA-256.
    pub sha256: [u8; 32],
    /// Its lines, and of a list the sum of its amounts.
    pub totals: Totals,
}

/// A file that has been read and agrees with its declaration.
#[derive(Debug)]
struct ReadFile {
    rows: Rows,
    file: BlobRef,
    counted: Totals,
    rejected: Totals,
    file_digest: Option<Digest>,
    /// What it says about the list whose place it takes.
    corrected: Option<Corrected>,
    /// What there is to say about its amounts.
    amounts: Amounts,
}

impl ReadFile {
    /// What is kept of a list.
    fn sealed(&self, declared: Totals) -> Result<SealedList, Refusal> {
        Ok(SealedList {
            declared,
            rejected: self.rejected,
            rows: self.rows.clone(),
            file: self.file,
            file_digest: self.file_digest.ok_or(Reason::Internal)?,
        })
    }
}

/// Seals an upload. Blocks: for threads that may wait.
///
/// A My Number in the file destroys the key under which it arrived, and with it every byte.
pub fn seal(
    exchange: &Exchange,
    spools: &Spools,
    call: Call,
    permit: Permit<Submit>,
    upload: UploadId,
    declared: Declaration,
) -> Result<crate::Done<Sealed>, Refusal> {
    let state = exchange.state();
    let known = state.uploads.get_shared(&upload).ok_or(Reason::NoAgreement)?;
    let file = match known.state {
        // Perhaps a repetition: the stored answer tells, or the command refuses.
        UploadState::Sealed | UploadState::Destroyed => None,
        UploadState::Open => match read(exchange.vault(), spools, &state, upload, &known, declared)
        {
            Ok(file) => Some(file),
            Err(refusal) if refusal.reason == Reason::MyNumber => {
                // First the fact, then the key: what is sealed meanwhile is not destroyed, and a crash in between is made
                // good at the next start.
                let caller = permit.caller().clone();
                exchange.execute_now(Call::read(caller), DestroyUpload { permit, upload })?;
                exchange.vault().destroy_key(known.key)?;
                spools.discard(upload);
                return Err(refusal);
            }
            Err(refusal) => return Err(refusal),
        },
    };
    let done = exchange.execute_now(call, SealUpload { permit, upload, declared, file })?;
    spools.discard(upload);
    Ok(done)
}

fn read(
    vault: &Vault,
    spools: &Spools,
    state: &State,
    id: UploadId,
    upload: &Upload,
    declared: Declaration,
) -> Result<ReadFile, Refusal> {
    let key = vault.key(upload.key)?;
    let bytes = received(vault, spools, id, upload, declared)?;
    let (side, known) = match upload.target {
        Target::Register(_) => (Side::Register, REGISTER_FIELDS),
        Target::List(_) => (Side::List, LIST_FIELDS),
        // Deltas and reports have calls of their own, see `delta` and `protection`.
        Target::Delta(..) | Target::Protection(..) => return Err(Reason::WrongState.into()),
    };
    let file_digest = match upload.target {
        Target::Register(_) | Target::Delta(..) | Target::Protection(..) => None,
        Target::List(list) => Some(recognise(vault, state, list, &bytes)?),
    };
    let mut reader = open_table(upload, &bytes)?;
    let binding =
        reader.bind(&Schema::resident_payment(), side).map_err(|error| unbound(&error))?;
    let mut admission = Admission::of(&reader, &binding).map_err(|error| not_admitted(&error))?;
    let mut writer = RowsWriter::new(vault, &key, upload.key, reader.header(), &binding, known)?;
    let mut lines = Vec::new();
    let mut accounts = Tally::of(reader.header());
    while let Some(batch) = reader.next_batch().map_err(|error| unreadable(&error))? {
        lines.extend_from_slice(&batch.lines);
        accounts.observe(&batch);
        let (observed, written) =
            rayon::join(|| admission.observe(&batch), || writer.extend(&batch));
        observed.map_err(|error| not_admitted(&error))?;
        written?;
    }
    let admitted = admission.finish().map_err(|error| not_admitted(&error))?;
    if let Target::Register(_) = upload.target
        && let Some(line) = admitted.zeros_differ()
    {
        return Err(zeros_differ(line));
    }
    let (counted, rejected) = count(state, upload, &admitted, declared, &lines)?;
    let yen = (0..lines.len()).filter_map(|row| admitted.amount(row)).map(|yen| yen.0);
    let amounts =
        Amounts { greatest: yen.max().unwrap_or_default(), into_one_account: accounts.most() };
    let rejections: Vec<Rejected> = admitted
        .rejections()
        .iter()
        .filter_map(|rejection| {
            let row = u32::try_from(rejection.row).ok()?;
            Some(Rejected { row, reason: rejection.reason.as_str().to_owned() })
        })
        .collect();
    let rows = writer.finish(&rejections)?;
    let file = write_file(vault, &key, upload, &bytes)?;
    let mut read =
        ReadFile { rows, file, counted, rejected, file_digest, corrected: None, amounts };
    if let Target::List(list) = upload.target
        && let Some(supersedes) = state.lists.get(&list).and_then(|list| list.supersedes)
    {
        let sealed = read.sealed(counted)?;
        read.corrected = Some(supersede::read(vault, state, supersedes, &sealed)?);
    }
    Ok(read)
}

/// Opens a file as a table, as its sender says it is.
pub(crate) fn open_table(upload: &Upload, bytes: &Bytes) -> Result<TableReader, Refusal> {
    let layout = match &upload.shape.layout {
        Some(text) => Some(
            renkei_tables::layout::Layout::parse(text, "layout")
                .map_err(|_| Refusal::field("layout"))?,
        ),
        None => None,
    };
    let encoding = match upload.shape.encoding {
        FileEncoding::Auto => None,
        FileEncoding::Utf8 => Some(Encoding::Utf8),
        FileEncoding::Cp932 => Some(Encoding::Cp932),
    };
    let options = ReadOptions { layout, encoding, ..ReadOptions::default() };
    TableReader::from_source(Box::new(Cursor::new(bytes.clone())), "upload", &options)
        .map_err(|error| unreadable(&error))
}

/// The bytes that arrived, if they are those that were sent.
pub(crate) fn received(
    vault: &Vault,
    spools: &Spools,
    id: UploadId,
    upload: &Upload,
    declared: Declaration,
) -> Result<Bytes, Refusal> {
    let spool = spools.of(vault, id, upload)?;
    let mut spool = spool.lock();
    let spool = spool.as_mut().ok_or(Reason::WrongState)?;
    spool.sync().map_err(|error| spool_refusal(&error))?;
    if spool.durable_through() != declared.bytes {
        return Err(Refusal::new(Reason::BytesDiffer).in_field("bytes"));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(declared.bytes).unwrap_or_default());
    spool.reader().read_to_end(&mut bytes).map_err(|error| Refusal::internal(&error))?;
    let digest: [u8; 32] = Sha256::digest(&bytes).into();
    if digest != declared.sha256 {
        return Err(Refusal::new(Reason::BytesDiffer).in_field("sha256"));
    }
    Ok(bytes.into())
}

/// Keeps the file's own bytes.
pub(crate) fn write_file(
    vault: &Vault,
    key: &DataKey,
    upload: &Upload,
    bytes: &[u8],
) -> Result<BlobRef, Refusal> {
    const CHUNK_BYTES: usize = 1 << 20;
    let mut writer = vault.blob_writer(key, upload.key)?;
    for chunk in bytes.chunks(CHUNK_BYTES) {
        writer.chunk(chunk).map_err(|error| blob_refusal(&error))?;
    }
    writer.finish().map_err(|error| blob_refusal(&error))
}

/// The digest by which the same file is recognised within a programme.
fn recognise(vault: &Vault, state: &State, list: ListId, bytes: &[u8]) -> Result<Digest, Refusal> {
    let list = state.lists.get(&list).ok_or(Reason::NoAgreement)?;
    let programme = state.programmes.get(&list.programme).ok_or(Reason::NoAgreement)?;
    Ok(vault.key(programme.key)?.keyed_digest("renkei list file", bytes))
}

fn count(
    state: &State,
    upload: &Upload,
    admitted: &Admitted,
    declared: Declaration,
    lines: &[u64],
) -> Result<(Totals, Totals), Refusal> {
    let my_number = |reason| reason == Reason::MyNumber;
    if let Some(found) = admitted.rejections().iter().find(|found| my_number(found.reason)) {
        return Err(Refusal::new(Reason::MyNumber).at_line(found.line));
    }
    let counted = Totals { lines: admitted.lines(), yen: admitted.yen().0 };
    if let Target::List(list) = upload.target {
        let unreadable = |reason| reason == Reason::AmountUnreadable;
        if let Some(found) = admitted.rejections().iter().find(|found| unreadable(found.reason)) {
            return Err(Refusal::new(Reason::AmountUnreadable)
                .at_line(found.line)
                .in_field("amount"));
        }
        if admitted.yen_unreadable() > 0 {
            // In a line with too few or too many fields nobody knows which cell is the amount.
            let found =
                admitted.rejections().iter().find(|found| found.reason == Reason::FieldCount);
            return Err(Refusal {
                line: found.map(|found| found.line),
                ..Reason::FieldCount.into()
            });
        }
        let programme =
            state.lists.get(&list).and_then(|list| state.programmes.get(&list.programme));
        let rules = &programme.ok_or(Reason::NoAgreement)?.rules;
        for (row, &line) in lines.iter().enumerate() {
            let breach = admitted.amount(row).and_then(|yen| rules.breach(yen.0));
            if let Some(reason) = breach {
                return Err(Refusal::new(reason).in_field("amount").at_line(line));
            }
        }
    }
    if counted.lines != declared.totals.lines {
        return Err(Refusal::new(Reason::TotalsDiffer).in_field("declared.lines"));
    }
    if counted.yen != declared.totals.yen {
        return Err(Refusal::new(Reason::TotalsDiffer).in_field("declared.yen"));
    }
    let mut rejected = Totals::default();
    for rejection in admitted.rejections() {
        rejected.add(admitted.amount(rejection.row).map_or(0, |yen| yen.0));
    }
    Ok((counted, rejected))
}

pub(crate) fn unreadable(error: &ReadError) -> Refusal {
    tracing::info!(kind = ?std::mem::discriminant(error), "an upload cannot be read");
    Reason::UnreadableFile.into()
}

pub(crate) fn unbound(error: &SchemaError) -> Refusal {
    let (reason, column) = match error {
        SchemaError::ColumnMissing { what, .. } => (Reason::ColumnMissing, what.as_str()),
        SchemaError::ColumnNested { column: name, .. }
        | SchemaError::ColumnRepeated { name, .. } => (Reason::HeaderInvalid, name.as_str()),
        SchemaError::Unreadable { .. }
        | SchemaError::Syntax { .. }
        | SchemaError::Meaning { .. }
        | SchemaError::NoIdColumn { .. } => (Reason::HeaderInvalid, ""),
    };
    Refusal { field: column_name(column), ..reason.into() }
}

/// What the contract calls a column of a file; nothing where it has none like it.
pub(crate) fn column_name(column: &str) -> Option<&'static str> {
    let header = [column.to_owned()];
    let known = REGISTER_FIELDS.iter().chain(LIST_FIELDS).copied();
    // Which id or which name is missing depends on what the file is for.
    let needed = ["id", "name"].into_iter().find(|needed| *needed == column);
    needed.or(known.into_iter().find(|name| built_in_column(&header, name).is_some()))
}

pub(crate) fn not_admitted(error: &AdmissionError) -> Refusal {
    match error {
        AdmissionError::MyNumberColumn { .. } => Reason::MyNumber.into(),
        AdmissionError::Undecodable { line, .. }
        | AdmissionError::TooManyUndecodable { line, .. } => {
            Refusal::new(Reason::Undecodable).at_line(*line)
        }
        AdmissionError::IdsRepeated { second, .. } => {
            Refusal::new(Reason::IdRepeated).at_line(*second)
        }
        AdmissionError::TotalOverflow { line, .. } => {
            Refusal::new(Reason::AmountUnreadable).at_line(*line)
        }
        AdmissionError::TooManyLines { .. } => Reason::TooLarge.into(),
    }
}

/// A line of a register has an id that differs by zeros in front alone from another's: the two would be taken for one person.
pub(crate) fn zeros_differ(line: u64) -> Refusal {
    Refusal::new(Reason::IdDiffersByZeros).at_line(line).in_field("resident_id")
}

/// What a sealed file came to.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Sealed {
    /// The register's new snapshot; nothing for a list.
    pub snapshot: Option<SnapshotId>,
    /// What was counted.
    pub counted: Totals,
    /// What was rejected.
    pub rejected: Totals,
    /// Keyed digest of the rows.
    pub digest: Digest,
    /// Why the broker has put the list on hold, where it has.
    #[serde(default)]
    pub unusual: BTreeSet<Unusual>,
}

struct SealUpload {
    permit: Permit<Submit>,
    upload: UploadId,
    declared: Declaration,
    file: Option<ReadFile>,
}

impl Command for SealUpload {
    type Reply = Sealed;
    const METHOD: &'static str = "Seal";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<Sealed>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        let upload = desk.state.uploads.get_shared(&self.upload).ok_or(Reason::NoAgreement)?;
        upload.check_open()?;
        let file = self.file.as_ref().ok_or(Reason::WrongState)?;
        if file.counted != self.declared.totals || file.rows.rows != self.declared.totals.lines {
            return Err(Reason::TotalsDiffer.into());
        }
        let (snapshot, replaced) = match upload.target {
            Target::Register(dataset) => (Some(self.switch(desk, dataset, &upload, file)?), None),
            Target::List(list) => (None, self.keep(desk, list, file)?),
            Target::Delta(..) | Target::Protection(..) => return Err(Reason::WrongState.into()),
        };
        desk.state.uploads.change(&self.upload, |upload| {
            upload.state = UploadState::Sealed;
            upload.bytes = self.declared.bytes;
        });
        let (counted, rejected) = (file.counted, file.rejected);
        let held = match upload.target {
            Target::List(list) => desk.state.lists.get(&list).and_then(|list| list.hold.clone()),
            Target::Register(_) | Target::Delta(..) | Target::Protection(..) => None,
        };
        let unusual = held.map(|stop| stop.unusual).unwrap_or_default();
        // That the broker has stopped it stands in the log with the totals.
        let mut mark = match unusual.is_empty() {
            true => Mark::ok(Operation::UploadSeal),
            false => Mark::ended(Operation::UploadSeal, LeafResult::Partial, Reason::OnHold),
        }
        .count(Counter::In, counted.lines)
        .count(Counter::Valid, counted.lines - rejected.lines)
        .count(Counter::Rejected, rejected.lines);
        mark = match upload.target {
            Target::Register(dataset)
            | Target::Delta(dataset, _)
            | Target::Protection(dataset, _) => mark.about(self.upload).of_dataset(dataset),
            Target::List(list) => {
                mark.about(list).yen_in(counted.yen, counted.lines, &desk.chance())
            }
        };
        if let Some(snapshot) = snapshot {
            mark = mark.of_snapshot(snapshot);
        }
        let digest = file.rows.blob.digest;
        let decision = Decision::new(Sealed { snapshot, counted, rejected, digest, unusual }, mark);
        Ok(match replaced {
            Some((earlier, key, change)) => decision.with_book(earlier, key, change),
            None => decision,
        })
    }
}

impl SealUpload {
    /// The register is the new snapshot from here on.
    fn switch(
        &self,
        desk: &mut Desk<'_>,
        dataset: DatasetId,
        upload: &Upload,
        file: &ReadFile,
    ) -> Result<SnapshotId, Refusal> {
        let known = desk.state.datasets.get(&dataset).ok_or(Reason::NoAgreement)?;
        if let Some(column) =
            file.rows.columns.iter().find(|column| !known.fields.contains(*column))
        {
            tracing::info!(column, "a register brings a column that was not announced");
            return Err(Refusal { field: column_name(column), ..Reason::HeaderInvalid.into() });
        }
        let id = desk.new_snapshot();
        let snapshot = Snapshot {
            dataset,
            rows: file.rows.clone(),
            file: file.file,
            key: upload.key,
            digest: file.rows.blob.digest,
            sealed_at: Some(desk.now),
            follows: None,
            destroyed: false,
        };
        desk.state.snapshots.put(id, snapshot);
        desk.state.datasets.change(&dataset, |dataset| {
            dataset.content = Content::Register(Some(id));
        });
        Ok(id)
    }

    /// Keeps a list; answers what changes in the book of the list whose place it takes.
    fn keep(
        &self,
        desk: &mut Desk<'_>,
        id: ListId,
        file: &ReadFile,
    ) -> Result<Option<(ListId, DataKeyId, BookChange)>, Refusal> {
        let sealed = file.sealed(self.declared.totals)?;
        let list = desk.state.lists.get(&id).ok_or(Reason::NoAgreement)?;
        let (programme, supersedes) = (list.programme, list.supersedes);
        // A file that is sent twice by mistake pays nobody twice; on purpose it takes the place of the first.
        let earlier = supersedes.map(|supersedes| supersedes.list);
        if same_file(desk.state, programme, sealed.file_digest, earlier) {
            return Err(Reason::SameFile.into());
        }
        desk.state.lists.change(&id, |list| list.sealed = Some(sealed));
        let replaced = match (earlier, &file.corrected) {
            (Some(earlier), Some(corrected)) => {
                let key = desk.state.lists.get(&earlier).ok_or(Reason::NoAgreement)?.key;
                let change = supersede::take_place(desk, id, corrected)?;
                change.map(|change| (earlier, key, change))
            }
            _ => None,
        };
        let known = desk.state.programmes.get(&programme).ok_or(Reason::NoAgreement)?;
        let unusual = hold::unusual(desk.state, id, known.rules.limits, &file.amounts);
        if !unusual.is_empty() {
            let stop = Stop { by: None, unusual, lifted_by: None };
            desk.state.lists.change(&id, |list| list.hold = Some(stop));
        }
        Ok(replaced)
    }
}

fn same_file(
    state: &State,
    programme: ProgrammeId,
    digest: Digest,
    superseded: Option<ListId>,
) -> bool {
    let lists = state.programmes.get(&programme).map(|programme| programme.lists.as_slice());
    lists.unwrap_or_default().iter().filter(|list| Some(**list) != superseded).any(|list| {
        let sealed = state.lists.get(list).and_then(|list| list.sealed.as_ref());
        sealed.is_some_and(|sealed| sealed.file_digest == digest)
    })
}

/// Notes that what had arrived is destroyed.
pub(crate) struct DestroyUpload {
    pub(crate) permit: Permit<Submit>,
    pub(crate) upload: UploadId,
}

impl Command for DestroyUpload {
    type Reply = ();
    const METHOD: &'static str = "SealRefused";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        let upload = desk.state.uploads.get(&self.upload).ok_or(Reason::NoAgreement)?;
        if upload.state != UploadState::Open {
            return Err(Reason::WrongState.into());
        }
        desk.state.uploads.change(&self.upload, |upload| upload.state = UploadState::Destroyed);
        let mark = Mark::ended(Operation::Delete, LeafResult::Rejected, Reason::MyNumber);
        Ok(Decision::new((), mark.about(self.upload)))
    }
}
