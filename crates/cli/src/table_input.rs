//! From two files to records ready to be compared.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use renkei_linkage::{
    Dedupable, Field, Fields, IndexTimes, Linkable, ListIntake, Model, RegisterIndex,
    RegisterIntake, Rows, Serves,
};
use renkei_tables::{
    Admission, Admitted, Batch, Binding, BoundField, FileReport, ReadError, ReadOptions, Schema,
    Side, TableReader,
};
use renkei_types::{Localised, Reason};

use crate::arguments::{DedupeArguments, InputArguments};
use crate::environment::Environment;
use crate::failure::{CommandError, Failure};
use crate::progress::{JobProgress, Progress, WatchedFile};

/// A file that has been read and admitted.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) report: FileReport,
    pub(crate) admitted: Admitted,
    pub(crate) binding: Binding,
    pub(crate) header: Vec<String>,
    pub(crate) options: ReadOptions,
}

/// Both files, the register indexed already.
#[derive(Debug)]
pub(crate) struct LoadedPair {
    pub(crate) register: Loaded,
    pub(crate) list: Loaded,
    pub(crate) index: Arc<RegisterIndex>,
    intake: ListIntake,
}

impl LoadedPair {
    /// Reads both files.
    pub(crate) fn read(
        arguments: &InputArguments,
        environment: &Environment,
    ) -> Result<Self, Failure> {
        let schema = read_schema(arguments.schema.as_deref())?;
        let register_options = read_options(arguments.register_layout.as_deref())?;
        let list_options = read_options(arguments.list_layout.as_deref())?;
        // Both headers are bound before any row is read, so that a wrong file is told at once.
        let (register, register_binding) =
            open(&arguments.register, &register_options, &schema, Side::Register, environment)?;
        let (list, list_binding) =
            open(&arguments.list, &list_options, &schema, Side::List, environment)?;
        let mut missing = [Vec::new(), Vec::new()];
        let field = |index: usize| {
            let (of_register, of_list) =
                (&register_binding.fields[index], &list_binding.fields[index]);
            let (register, list) = (!of_register.columns.is_empty(), !of_list.columns.is_empty());
            let (in_register, in_list) = schema.stands(&schema.fields[index], register, list);
            let lacks = [in_register && !register, in_list && !list];
            for (missing, _) in missing.iter_mut().zip(lacks).filter(|(_, lacks)| *lacks) {
                missing.push(format!("`{}`", of_register.name));
            }
            let BoundField { name, kind, .. } = of_register;
            Field { name: name.clone(), kind: *kind, in_register, in_list }
        };
        let fields = Fields {
            fields: (0..register_binding.fields.len()).map(field).collect(),
            date_order: schema.date_order,
        };
        let mut intake = RegisterIntake::new(fields);
        let take = |rows: &[BoundRows<'_>]| intake.extend_all(rows);
        let register = take_in(register, register_binding, register_options, take)?;
        // Records of the register that were rejected take no part.
        let left_out = register.left_out();
        if register.admitted.lines() == 0 {
            let file = &register.report.file;
            environment.warn(
                &format!("{file} has a header and no records; nobody can be found in it"),
                &format!("{file} は見出しだけで、データがありません。該当者は見つかりません"),
            );
        }
        let progress = JobProgress::new(environment);
        let index =
            Arc::new(intake.seal(&left_out, Serves::OneList, &environment.clock, &progress));
        drop(progress);
        let mut intake = ListIntake::new(Arc::clone(&index));
        let take = |rows: &[BoundRows<'_>]| intake.extend_all(rows);
        let list = take_in(list, list_binding, list_options, take)?;
        for (columns, file) in missing.iter().zip([&arguments.register, &arguments.list]) {
            warn_of_missing_columns(file, columns, environment);
        }
        Ok(Self { register, list, index, intake })
    }

    /// Normalises the values of the list.
    pub(crate) fn seal(self, environment: &Environment) -> SealedPair {
        let Self { register, list, intake, .. } = self;
        let (linkable, times) = intake.seal_learning(&environment.clock);
        SealedPair { linkable, register, list, times }
    }
}

/// Both files, ready to be linked.
pub(crate) struct SealedPair {
    pub(crate) linkable: Linkable,
    pub(crate) register: Loaded,
    pub(crate) list: Loaded,
    /// How long the list took to be normalised, and what it asks for to be indexed.
    pub(crate) times: IndexTimes,
}

/// The one file of `dedupe`, indexed already.
#[derive(Debug)]
pub(crate) struct LoadedInput {
    pub(crate) input: Loaded,
    pub(crate) records: Dedupable,
}

impl LoadedInput {
    /// Reads the file.
    pub(crate) fn read(
        arguments: &DedupeArguments,
        model: Option<&Model>,
        environment: &Environment,
    ) -> Result<Self, Failure> {
        let schema = read_schema(arguments.schema.as_deref())?;
        let options = read_options(arguments.layout.as_deref())?;
        let (input, binding) = open(&arguments.input, &options, &schema, Side::Input, environment)?;
        // Of the built-in schema, a former name or address is the register's alone: it is laid beside the other record's
        // present one.
        let stands = |bound: &BoundField, columns: &[String]| {
            !bound.columns.is_empty() && (!schema.is_built_in() || !columns.is_empty())
        };
        let field = |(bound, of_schema): (&BoundField, &renkei_tables::schema::Field)| Field {
            name: bound.name.clone(),
            kind: bound.kind,
            in_register: stands(bound, &of_schema.register),
            in_list: stands(bound, &of_schema.list),
        };
        let fields = Fields {
            fields: binding.fields.iter().zip(&schema.fields).map(field).collect(),
            date_order: schema.date_order,
        };
        let mut intake = RegisterIntake::new(fields);
        let take = |rows: &[BoundRows<'_>]| intake.extend_all(rows);
        let input = take_in(input, binding, options, take)?;
        let progress = JobProgress::new(environment);
        let records =
            intake.seal_for_dedupe(&input.left_out(), model, &environment.clock, &progress);
        drop(progress);
        Ok(Self { input, records })
    }
}

impl Loaded {
    /// Rows that were rejected and take no part.
    fn left_out(&self) -> Vec<usize> {
        self.admitted.rejections().iter().map(|rejection| rejection.row).collect()
    }

    /// Says how many lines were rejected, why, and where the first is.
    pub(crate) fn warn_of_rejections(&self, environment: &Environment) {
        let mut counts: BTreeMap<Reason, (u64, u64)> = BTreeMap::new();
        for rejection in self.admitted.rejections() {
            let entry = counts.entry(rejection.reason).or_insert((0, rejection.line));
            entry.0 += 1;
        }
        let file = &self.report.file;
        for (reason, (lines, first)) in counts {
            let why = reason.localised(environment.language);
            let count = if lines == 1 { "1 line".to_owned() } else { format!("{lines} lines") };
            environment.warn(
                &format!("{file}: {count} rejected, the first is line {first}: {reason}, {why}"),
                &format!(
                    "{file}: {lines} 行を受付不可としました（最初は {first} 行目）: {reason} {why}"
                ),
            );
        }
    }

    /// The rejected rows and why.
    pub(crate) fn rejected(&self) -> BTreeMap<u32, Reason> {
        self.admitted
            .rejections()
            .iter()
            .filter_map(|rejection| Some((u32::try_from(rejection.row).ok()?, rejection.reason)))
            .collect()
    }

    /// For people: format and encoding.
    pub(crate) fn format(&self) -> String {
        let encoding = self.report.encoding.map(|encoding| encoding.as_str());
        let bom = if self.report.bom { "BOM" } else { "" };
        let format = self.report.format.as_str().to_uppercase();
        let parts = [format.as_str(), encoding.unwrap_or_default(), bom];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
    }

    /// The text of every field in some rows, read from the file again.
    pub(crate) fn texts_of_rows(
        &self,
        path: &Path,
        wanted: &[u32],
    ) -> Result<BTreeMap<u32, Vec<String>>, Failure> {
        let mut reader = TableReader::open(path, &self.options)?;
        let mut texts = BTreeMap::new();
        let mut first = 0usize;
        while let Some(batch) = reader.next_batch()? {
            let mut scratch = String::new();
            for &row in wanted {
                let at = (row as usize).checked_sub(first).filter(|&at| at < batch.rows());
                if let Some(at) = at {
                    let text = |field: &renkei_tables::BoundField| {
                        field.text(&batch, at, &mut scratch).to_owned()
                    };
                    texts.insert(row, self.binding.fields.iter().map(text).collect());
                }
            }
            first += batch.rows();
        }
        Ok(texts)
    }
}

/// A column without values says nothing, which may be meant or a header that nobody knows.
fn warn_of_missing_columns(file: &Path, columns: &[String], environment: &Environment) {
    if columns.is_empty() {
        return;
    }
    let (file, columns) = (file.display(), columns.join(", "));
    environment.warn(
        &format!("{file} lacks columns, and its lines are compared without them: {columns}"),
        &format!("{file} にない列があり、その項目なしで比較します: {columns}"),
    );
}

fn read_schema(path: Option<&Path>) -> Result<Schema, Failure> {
    Ok(match path {
        Some(path) => Schema::parse(&read_text(path)?, &path.display().to_string())?,
        None => Schema::resident_payment(),
    })
}

fn read_options(layout: Option<&Path>) -> Result<ReadOptions, Failure> {
    let layout = layout.map(read_layout).transpose()?;
    Ok(ReadOptions { layout, ..ReadOptions::default() })
}

pub(crate) fn read_text(path: &Path) -> Result<String, Failure> {
    Ok(fs_err::read_to_string(path).map_err(|error| CommandError::file(path, error))?)
}

pub(crate) fn read_layout(path: &Path) -> Result<renkei_tables::layout::Layout, Failure> {
    let text = read_text(path)?;
    Ok(renkei_tables::layout::Layout::parse(&text, &path.display().to_string())?)
}

/// An open file whose reading shows.
struct Watched {
    reader: TableReader,
    _progress: Progress,
}

fn open(
    path: &Path,
    options: &ReadOptions,
    schema: &Schema,
    side: Side,
    environment: &Environment,
) -> Result<(Watched, Binding), Failure> {
    let file = fs_err::File::open(path).map_err(|error| CommandError::file(path, error))?;
    let bytes = file.metadata().map_err(|error| CommandError::file(path, error))?.len();
    let progress = match side {
        Side::Register => Progress::bytes(environment, "reading register", "台帳の読み込み", bytes),
        Side::Input => Progress::bytes(environment, "reading", "読み込み", bytes),
        Side::List => Progress::bytes(environment, "reading list", "リストの読み込み", bytes),
    };
    let source = WatchedFile { file: file.into_file(), bar: progress.handle() };
    let reader = TableReader::from_source(Box::new(source), &path.display().to_string(), options)?;
    let binding = reader.bind(schema, side)?;
    Ok((Watched { reader, _progress: progress }, binding))
}

/// Batches that are admitted and taken in at one go.
const TAKEN_TOGETHER: usize = 4;

/// Reads on one thread, admits and numbers values on the others.
fn take_in(
    watched: Watched,
    binding: Binding,
    options: ReadOptions,
    mut take: impl FnMut(&[BoundRows<'_>]) + Send,
) -> Result<Loaded, Failure> {
    let Watched { mut reader, _progress } = watched;
    let mut admission = Admission::of(&reader, &binding)?;
    let (header, report) = (reader.header().to_vec(), reader.report().clone());
    std::thread::scope(|scope| -> Result<(), Failure> {
        // Two batches ahead, and one in the reader's hand, keep both sides busy and bound the memory.
        let (sender, receiver) = sync_channel::<Result<Batch, ReadError>>(2);
        scope.spawn(move || {
            loop {
                let batch = match reader.next_batch() {
                    Ok(Some(batch)) => Ok(batch),
                    Ok(None) => return,
                    Err(error) => Err(error),
                };
                let last = batch.is_err();
                if sender.send(batch).is_err() || last {
                    return;
                }
            }
        });
        let mut receiver = receiver.into_iter();
        loop {
            let (mut batches, mut failed) = (Vec::with_capacity(TAKEN_TOGETHER), None);
            for batch in receiver.by_ref().take(TAKEN_TOGETHER) {
                match batch {
                    Ok(batch) => batches.push(batch),
                    Err(error) => failed = Some(error),
                }
            }
            if batches.is_empty() && failed.is_none() {
                return Ok(());
            }
            let rows = |batch| BoundRows { batch, binding: &binding };
            let rows: Vec<BoundRows<'_>> = batches.iter().map(rows).collect();
            let observe = || batches.iter().try_for_each(|batch| admission.observe(batch));
            let (observed, ()) = rayon::join(observe, || take(&rows));
            // What is wrong with the rows before is told first.
            observed?;
            if let Some(error) = failed {
                return Err(error.into());
            }
        }
    })?;
    Ok(Loaded { report, admitted: admission.finish()?, binding, header, options })
}

/// A batch as the engine wants it.
struct BoundRows<'a> {
    batch: &'a Batch,
    binding: &'a Binding,
}

impl Rows for BoundRows<'_> {
    fn len(&self) -> usize {
        self.batch.rows()
    }

    fn id(&self, row: usize) -> &str {
        self.binding.id(self.batch, row)
    }

    fn text<'a>(&'a self, field: usize, row: usize, scratch: &'a mut String) -> &'a str {
        self.binding.fields[field].text(self.batch, row, scratch)
    }
}
