//! Rows out: CSV, workbook or Parquet by the ending of the file's name.
//!
//! What is written appears under its name only when it is complete: a [`TableWriter`] writes to a temporary name in the
//! same folder, and [`TableWriter::finish`] makes it durable and renames it. A writer that is dropped unfinished leaves
//! nothing behind. Text stays text, so ids keep their zeros in every format.
//!
//! CSV is UTF-8 without byte order mark, lines end with `\n`, and only cells that need quotes have them. Its cells say what was
//! given, for programs; those of [`TableWriter::for_people`] run nothing when a spreadsheet opens them.

use std::borrow::Cow;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

pub use crate::write_error::WriteError;

use crate::spreadsheet_cell;
use crate::write_parquet::ParquetSink;
use crate::write_xlsx::XlsxSink;

/// A column to write.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Column {
    /// Its name in the header.
    pub name: String,
    /// What its cells are.
    pub kind: ColumnKind,
}

/// What the cells of a column are where the format knows types; in CSV everything is text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ColumnKind {
    /// Text.
    Text,
    /// Whole numbers; an empty cell is no number.
    Integer,
    /// Floating-point numbers; an empty cell is no number.
    Float,
}

impl Column {
    /// A column of text.
    pub fn text(name: impl Into<String>) -> Self {
        Self { name: name.into(), kind: ColumnKind::Text }
    }

    /// A column of whole numbers.
    pub fn integer(name: impl Into<String>) -> Self {
        Self { name: name.into(), kind: ColumnKind::Integer }
    }

    /// A column of floating-point numbers.
    pub fn float(name: impl Into<String>) -> Self {
        Self { name: name.into(), kind: ColumnKind::Float }
    }
}

/// The formats that can be written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OutputFormat {
    /// `.csv`
    Csv,
    /// `.xlsx`
    Xlsx,
    /// `.parquet`
    Parquet,
}

impl OutputFormat {
    /// The format that a file's ending names.
    pub fn of(path: &Path) -> Result<Self, WriteError> {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        match ending.to_ascii_lowercase().as_str() {
            "csv" => Ok(Self::Csv),
            "xlsx" => Ok(Self::Xlsx),
            "parquet" => Ok(Self::Parquet),
            _ => Err(WriteError::UnknownEnding { file: path.display().to_string() }),
        }
    }
}

/// A table on its way to a file.
pub struct TableWriter {
    target: PathBuf,
    temporary: Temporary,
    columns: usize,
    rows: u64,
    /// How many cells were shown otherwise than they were given; nothing where none may be.
    changed: Option<u64>,
    sink: Sink,
}

enum Sink {
    /// The file, and which columns are text.
    Csv(BufWriter<std::fs::File>, Vec<bool>),
    Xlsx(Box<XlsxSink>),
    Parquet(Box<ParquetSink>),
}

impl std::fmt::Debug for TableWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TableWriter")
            .field("target", &self.target)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

impl TableWriter {
    /// Starts a table of these columns, in the format of the name's ending.
    pub fn create(path: &Path, columns: &[Column]) -> Result<Self, WriteError> {
        let format = OutputFormat::of(path)?;
        let (temporary, file) = Temporary::beside(path)?;
        let sink = match format {
            OutputFormat::Csv => {
                let mut out = BufWriter::with_capacity(1 << 18, file);
                let names = columns.iter().map(|column| column.name.as_str());
                write_csv_row(&mut out, names).map_err(|error| WriteError::io(path, error))?;
                let text = columns.iter().map(|column| column.kind == ColumnKind::Text);
                Sink::Csv(out, text.collect())
            }
            OutputFormat::Xlsx => Sink::Xlsx(Box::new(XlsxSink::new(path, file, columns)?)),
            OutputFormat::Parquet => {
                Sink::Parquet(Box::new(ParquetSink::new(path, file, columns)?))
            }
        };
        let (target, columns) = (path.to_owned(), columns.len());
        Ok(Self { target, temporary, columns, rows: 0, changed: None, sink })
    }

    /// Starts a table that people open: in CSV, text that a spreadsheet would run gets an apostrophe, and control characters are
    /// shown as pictures. Amounts and other numbers stay as they are, and so does everything in the other formats, where text is
    /// text.
    pub fn for_people(path: &Path, columns: &[Column]) -> Result<Self, WriteError> {
        Ok(Self { changed: Some(0), ..Self::create(path, columns)? })
    }

    /// How many cells of a table for people do not say exactly what was given.
    pub fn changed_cells(&self) -> u64 {
        self.changed.unwrap_or_default()
    }

    /// Writes one row, one cell per column.
    pub fn row<'a>(
        &mut self,
        cells: impl IntoIterator<Item = &'a str, IntoIter: ExactSizeIterator>,
    ) -> Result<(), WriteError> {
        let cells = cells.into_iter();
        if cells.len() != self.columns {
            return Err(WriteError::CellCount {
                file: self.target.display().to_string(),
                row: self.rows + 1,
                cells: cells.len(),
                columns: self.columns,
            });
        }
        self.rows += 1;
        match &mut self.sink {
            Sink::Csv(out, text) => {
                let written = match &mut self.changed {
                    None => write_csv_row(out, cells),
                    Some(changed) => {
                        let shown: Vec<Cow<'_, str>> = cells
                            .zip(text.iter())
                            .map(|(cell, text)| match text {
                                true => spreadsheet_cell::shown(cell),
                                false => Cow::Borrowed(cell),
                            })
                            .collect();
                        let is_changed = |cell: &&Cow<'_, str>| matches!(cell, Cow::Owned(_));
                        *changed += shown.iter().filter(is_changed).count() as u64;
                        write_csv_row(out, shown.iter().map(AsRef::as_ref))
                    }
                };
                written.map_err(|error| WriteError::io(&self.target, error))
            }
            Sink::Xlsx(sink) => sink.row(&self.target, cells),
            Sink::Parquet(sink) => sink.row(&self.target, cells),
        }
    }

    /// How many rows have been written.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Makes the file durable and gives it its name.
    pub fn finish(self) -> Result<(), WriteError> {
        let io = |error| WriteError::io(&self.target, error);
        let file = match self.sink {
            Sink::Csv(out, _) => out.into_inner().map_err(|error| io(error.into_error()))?,
            Sink::Xlsx(sink) => sink.finish(&self.target)?,
            Sink::Parquet(sink) => sink.finish(&self.target)?,
        };
        file.sync_all().map_err(io)?;
        drop(file);
        self.temporary.persist(&self.target).map_err(io)
    }
}

/// Writes one line of CSV. A lone empty cell is quoted, because an empty line is no row.
fn write_csv_row<'a>(
    out: &mut impl Write,
    cells: impl ExactSizeIterator<Item = &'a str>,
) -> io::Result<()> {
    let alone = cells.len() == 1;
    for (index, cell) in cells.enumerate() {
        if index > 0 {
            out.write_all(b",")?;
        }
        write_csv_cell(out, cell, alone)?;
    }
    out.write_all(b"\n")
}

fn write_csv_cell(out: &mut impl Write, cell: &str, alone: bool) -> io::Result<()> {
    let bytes = cell.as_bytes();
    let needs_quotes = bytes.iter().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r'))
        || (alone && bytes.is_empty());
    if !needs_quotes {
        return out.write_all(bytes);
    }
    out.write_all(b"\"")?;
    for (index, part) in bytes.split(|&byte| byte == b'"').enumerate() {
        if index > 0 {
            out.write_all(b"\"\"")?;
        }
        out.write_all(part)?;
    }
    out.write_all(b"\"")
}

/// A file under a temporary name, removed unless it is given its own.
#[derive(Debug)]
struct Temporary {
    path: PathBuf,
    persisted: bool,
}

impl Temporary {
    fn beside(target: &Path) -> Result<(Self, std::fs::File), WriteError> {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        loop {
            let count = COUNTER.fetch_add(1, Ordering::Relaxed);
            let path = target.with_file_name(format!(".{name}.{}-{count}.tmp", std::process::id()));
            let mut options = fs_err::OpenOptions::new();
            match options.write(true).create_new(true).open(&path) {
                Ok(file) => return Ok((Self { path, persisted: false }, file.into_file())),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(WriteError::io(target, error)),
            }
        }
    }

    fn persist(mut self, target: &Path) -> io::Result<()> {
        fs_err::rename(&self.path, target)?;
        self.persisted = true;
        // The rename itself is durable once the folder is. Some systems cannot open folders; they need no sync either.
        let folder = match target.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            Some(_) | None => Path::new("."),
        };
        match fs_err::File::open(folder) {
            Ok(folder) => folder.sync_all().or(Ok(())),
            Err(_) => Ok(()),
        }
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.persisted {
            // Nobody is left to tell; the name says that the file is temporary.
            let _ = fs_err::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests;
