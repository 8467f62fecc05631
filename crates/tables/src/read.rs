//! Files in, rows with line numbers out.
//!
//! [`TableReader`] tells what a file is from its first bytes, reports what it found, and hands out batches of rows as
//! text. Nothing is guessed about types: `007` stays `007`. Every row of the file is in some batch, also a row that
//! cannot be read as it should; whether a line is good enough is decided in one place, `admission`.
//!
//! CSV, Parquet and fixed-length files are read in bounded memory; a workbook is read whole, because its rows are one
//! compressed document.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

pub use crate::batch::{Batch, CellDamage, RowFault, TextColumn};
pub use crate::read_error::ReadError;

use crate::binding::{Binding, Side};
use crate::encoding::{self, Encoding};
use crate::layout::Layout;
use crate::schema::{Schema, SchemaError};
use crate::{csv_rows, fixed_rows, parquet_rows, xlsx_rows};

/// Where bytes come from.
pub trait Source: Read + Seek + Send {}

impl<S: Read + Seek + Send> Source for S {}

/// What the caller knows about a file beforehand.
#[derive(Clone, Debug)]
pub struct ReadOptions {
    /// The layout of fixed-length records; without one the file says itself what it is.
    pub layout: Option<Layout>,
    /// The sheet of a workbook; the first one otherwise.
    pub sheet: Option<String>,
    /// The encoding of a text file, where it shall not be detected.
    pub encoding: Option<Encoding>,
    /// The line of the header, from 1; the first line that is not empty otherwise.
    pub header_line: Option<u64>,
    /// The longest cell allowed.
    pub cell_bytes_max: usize,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            layout: None,
            sheet: None,
            encoding: None,
            header_line: None,
            cell_bytes_max: 1 << 20,
        }
    }
}

/// What kind of file it is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Format {
    /// Comma or tab-separated text.
    #[default]
    Csv,
    /// An Excel workbook.
    Xlsx,
    /// Parquet.
    Parquet,
    /// Records of a fixed number of bytes.
    FixedLength,
}

impl Format {
    /// The name used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::Parquet => "parquet",
            Self::FixedLength => "fixed-length",
        }
    }
}

/// How the lines of a text file end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LineEnding {
    /// `\n`.
    Lf,
    /// `\r\n`.
    Crlf,
    /// `\r`.
    Cr,
}

impl LineEnding {
    /// The name used in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lf => "lf",
            Self::Crlf => "crlf",
            Self::Cr => "cr",
        }
    }
}

/// What was found out about a file when it was opened.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FileReport {
    /// The file's name in messages.
    pub file: String,
    /// What kind of file it is.
    pub format: Format,
    /// The encoding of a text file.
    pub encoding: Option<Encoding>,
    /// Whether it starts with a byte order mark.
    pub bom: bool,
    /// Between the cells of delimited text.
    pub delimiter: Option<char>,
    /// At the end of the lines of delimited text.
    pub line_ending: Option<LineEnding>,
    /// The sheet of a workbook.
    pub sheet: Option<String>,
    /// How many other sheets the workbook has, which are not read.
    pub other_sheets: usize,
    /// How many merged regions the sheet has.
    pub merged_regions: usize,
}

/// A source of batches behind a header.
pub(crate) trait Rows: Send {
    fn next_batch(&mut self) -> Result<Option<Batch>, ReadError>;
}

/// What a format's reader found.
pub(crate) struct Opened {
    pub(crate) header: Vec<String>,
    /// The first rows below the header, as wide as they are.
    pub(crate) leading: Vec<(u64, Vec<String>)>,
    pub(crate) delimiter: Option<char>,
    pub(crate) line_ending: Option<LineEnding>,
    pub(crate) sheet: Option<String>,
    pub(crate) other_sheets: usize,
    pub(crate) merged_regions: usize,
    /// Columns that have no text form, and their types.
    pub(crate) nested: Vec<(String, String)>,
    pub(crate) rows: Box<dyn Rows>,
}

struct NoRows;

impl Rows for NoRows {
    fn next_batch(&mut self) -> Result<Option<Batch>, ReadError> {
        Ok(None)
    }
}

impl Default for Opened {
    fn default() -> Self {
        Self {
            header: Vec::new(),
            leading: Vec::new(),
            delimiter: None,
            line_ending: None,
            sheet: None,
            other_sheets: 0,
            merged_regions: 0,
            nested: Vec::new(),
            rows: Box::new(NoRows),
        }
    }
}

/// An open table.
pub struct TableReader {
    header: Vec<String>,
    leading: Vec<(u64, Vec<String>)>,
    nested: Vec<(String, String)>,
    report: FileReport,
    rows: Box<dyn Rows>,
    failed: bool,
}

impl std::fmt::Debug for TableReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TableReader").field("report", &self.report).finish_non_exhaustive()
    }
}

impl TableReader {
    /// Opens a file on disk.
    pub fn open(path: &Path, options: &ReadOptions) -> Result<Self, ReadError> {
        let label = path.display().to_string();
        let file = fs_err::File::open(path).map_err(|error| ReadError::io(&label, error))?;
        Self::from_source(Box::new(file.into_file()), &label, options)
    }

    /// Reads bytes in memory; `label` names them in messages.
    pub fn from_bytes(
        bytes: Vec<u8>,
        label: &str,
        options: &ReadOptions,
    ) -> Result<Self, ReadError> {
        Self::from_source(Box::new(std::io::Cursor::new(bytes)), label, options)
    }

    /// Reads any source from its start; `label` names it in messages.
    pub fn from_source(
        mut source: Box<dyn Source>,
        label: &str,
        options: &ReadOptions,
    ) -> Result<Self, ReadError> {
        let io = |error| ReadError::io(label, error);
        let mut report = FileReport {
            file: label.to_owned(),
            format: Format::Csv,
            encoding: None,
            bom: false,
            delimiter: None,
            line_ending: None,
            sheet: None,
            other_sheets: 0,
            merged_regions: 0,
        };
        let opened = if let Some(layout) = &options.layout {
            report.format = Format::FixedLength;
            report.encoding = Some(layout.encoding());
            source.seek(SeekFrom::Start(0)).map_err(io)?;
            fixed_rows::open(label, source, layout)?
        } else {
            match signature(source.as_mut()).map_err(io)? {
                Signature::Zip => {
                    report.format = Format::Xlsx;
                    xlsx_rows::open(label, source, options)?
                }
                Signature::Parquet => {
                    report.format = Format::Parquet;
                    parquet_rows::open(label, source)?
                }
                Signature::CompoundFile => {
                    return Err(ReadError::Unsupported {
                        file: label.to_owned(),
                        what: "an old Excel file (.xls) or a workbook with a password: save it as .xlsx without one",
                        what_ja: "旧形式のExcel(.xls)またはパスワード付きのブックです。パスワードなしの.xlsxで保存してください",
                    });
                }
                Signature::Text => {
                    let mut detected = encoding::detect(source.as_mut()).map_err(io)?;
                    if let Some(encoding) = options.encoding
                        && encoding != detected.encoding
                    {
                        detected = encoding::Detected { encoding, bom: false };
                        source.seek(SeekFrom::Start(0)).map_err(io)?;
                    }
                    report.encoding = Some(detected.encoding);
                    report.bom = detected.bom;
                    csv_rows::open(label, source, detected.encoding, options)?
                }
            }
        };
        report.delimiter = opened.delimiter;
        report.line_ending = opened.line_ending;
        report.sheet = opened.sheet;
        report.other_sheets = opened.other_sheets;
        report.merged_regions = opened.merged_regions;
        Ok(Self {
            header: opened.header,
            leading: opened.leading,
            nested: opened.nested,
            report,
            rows: opened.rows,
            failed: false,
        })
    }

    /// The names of the columns.
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// What was found out about the file.
    pub fn report(&self) -> &FileReport {
        &self.report
    }

    /// The next rows; nothing at the end, and nothing more after an error.
    pub fn next_batch(&mut self) -> Result<Option<Batch>, ReadError> {
        if self.failed {
            return Ok(None);
        }
        let batch = self.rows.next_batch();
        self.failed = batch.is_err();
        batch
    }

    /// Finds a schema's columns in the header. The error names the file and, where title lines stand above the header,
    /// the line that looks like it.
    pub fn bind(&self, schema: &Schema, side: Side) -> Result<Binding, SchemaError> {
        schema.bind(&self.header, side).map_err(|error| {
            if let Some(nested) = error.about_nested(&self.report.file, &self.nested) {
                return nested;
            }
            let fitting = self.leading.iter().find(|(_, names)| schema.bind(names, side).is_ok());
            error.in_file(&self.report.file).with_hint(fitting.map(|(line, _)| *line))
        })
    }
}

enum Signature {
    Zip,
    Parquet,
    CompoundFile,
    Text,
}

fn signature(source: &mut dyn Source) -> std::io::Result<Signature> {
    let mut start = Vec::with_capacity(8);
    source.seek(SeekFrom::Start(0))?;
    source.take(8).read_to_end(&mut start)?;
    source.seek(SeekFrom::Start(0))?;
    Ok(match start.as_slice() {
        [b'P', b'K', 3, 4, ..] => Signature::Zip,
        [b'P', b'A', b'R', b'1', ..] => Signature::Parquet,
        [0xD0, 0xCF, 0x11, 0xE0, ..] => Signature::CompoundFile,
        _ => Signature::Text,
    })
}

#[cfg(test)]
mod tests;
