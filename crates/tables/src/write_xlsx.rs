//! Rows into a workbook.

use std::fs::File;
use std::path::Path;

use rust_xlsxwriter::{Workbook, XlsxError};

use crate::write::{Column, ColumnKind};
use crate::write_error::WriteError;

/// The rows of the format, header included.
const ROWS_MAX: u32 = 1_048_576;
const COLUMNS_MAX: usize = 16_384;

pub(crate) struct XlsxSink {
    file: File,
    book: Workbook,
    columns: Vec<Column>,
    row: u32,
}

impl XlsxSink {
    pub(crate) fn new(target: &Path, file: File, columns: &[Column]) -> Result<Self, WriteError> {
        let mut book = Workbook::new();
        book.add_worksheet();
        if columns.len() > COLUMNS_MAX {
            return Err(limit(target, "a sheet has at most 16,384 columns"));
        }
        let mut sink = Self { file, book, columns: columns.to_vec(), row: 0 };
        for (index, column) in columns.iter().enumerate() {
            sink.text(target, index, &column.name)?;
        }
        Ok(sink)
    }

    fn text(&mut self, target: &Path, column: usize, text: &str) -> Result<(), WriteError> {
        let row = self.row;
        let column = u16::try_from(column).unwrap_or(u16::MAX);
        self.book
            .worksheet_from_index(0)
            .and_then(|sheet| sheet.write_string(row, column, text).map(|_| ()))
            .map_err(|error| failed(target, error))
    }

    fn number(&mut self, target: &Path, column: usize, number: f64) -> Result<(), WriteError> {
        let row = self.row;
        let column = u16::try_from(column).unwrap_or(u16::MAX);
        self.book
            .worksheet_from_index(0)
            .and_then(|sheet| sheet.write_number(row, column, number).map(|_| ()))
            .map_err(|error| failed(target, error))
    }

    pub(crate) fn row<'a>(
        &mut self,
        target: &Path,
        cells: impl Iterator<Item = &'a str>,
    ) -> Result<(), WriteError> {
        /// Beyond this a number in a sheet loses digits and is written as text.
        const EXACT_DIGITS: usize = 15;
        self.row += 1;
        if self.row >= ROWS_MAX {
            return Err(limit(target, "a sheet has at most 1,048,576 rows"));
        }
        for (index, cell) in cells.enumerate() {
            if cell.is_empty() {
                continue;
            }
            let kind = self.columns.get(index).map_or(ColumnKind::Text, |column| column.kind);
            match (kind, cell.parse::<f64>()) {
                (ColumnKind::Text, _) => self.text(target, index, cell)?,
                (ColumnKind::Integer, Ok(_)) if cell.len() > EXACT_DIGITS => {
                    self.text(target, index, cell)?;
                }
                (ColumnKind::Integer | ColumnKind::Float, Ok(number)) if number.is_finite() => {
                    self.number(target, index, number)?;
                }
                (ColumnKind::Integer | ColumnKind::Float, _) => {
                    return Err(WriteError::NotANumber {
                        file: target.display().to_string(),
                        row: u64::from(self.row),
                        column: self.columns.get(index).map(|c| c.name.clone()).unwrap_or_default(),
                    });
                }
            }
        }
        Ok(())
    }

    pub(crate) fn finish(mut self, target: &Path) -> Result<File, WriteError> {
        let writer = self.file.try_clone().map_err(|error| WriteError::io(target, error))?;
        self.book.save_to_writer(writer).map_err(|error| failed(target, error))?;
        Ok(self.file)
    }
}

fn limit(target: &Path, what: &str) -> WriteError {
    WriteError::FormatLimit { file: target.display().to_string(), what: what.to_owned() }
}

fn failed(target: &Path, error: XlsxError) -> WriteError {
    if let XlsxError::IoError(error) = error {
        return WriteError::io(target, error);
    }
    // The message of a limit names lengths and positions, not what the cell holds.
    if matches!(error, XlsxError::MaxStringLengthExceeded) {
        return limit(target, "a cell of a sheet has at most 32,767 letters");
    }
    limit(target, "the workbook cannot hold the table")
}
