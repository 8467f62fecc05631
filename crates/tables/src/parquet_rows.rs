//! Parquet files: every column as text.
//!
//! Read row group by row group. Columns of lists, maps or records have no text form; they are left out of the header,
//! and binding one names it.

use std::io::{self, BufReader, Read, Seek as _, SeekFrom};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::cast::AsArray as _;
use arrow_array::{Array, ArrayRef};
use arrow_schema::{ArrowError, DataType};
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};
use renkei_types::Reason;

use crate::batch::{Batch, RowFault, TextColumn};
use crate::number_text::plain;
use crate::read::{Opened, Rows, Source};
use crate::read_error::ReadError;

const BATCH_ROWS: usize = 8192;
const LEADING_ROWS: usize = 30;

/// Opens a Parquet file.
pub(crate) fn open(file: &str, mut source: Box<dyn Source>) -> Result<Opened, ReadError> {
    let length = source.seek(SeekFrom::End(0)).map_err(|error| ReadError::io(file, error))?;
    guarded(file, || {
        let shared = Shared { source: Arc::new(Mutex::new(source)), length };
        let builder = ParquetRecordBatchReaderBuilder::try_new(shared).map_err(describe)?;
        let schema = Arc::clone(builder.schema());
        let mut header = Vec::new();
        let mut nested = Vec::new();
        let mut roots = Vec::new();
        for (root, field) in schema.fields().iter().enumerate() {
            if field.data_type().is_nested() {
                nested.push((field.name().clone(), field.data_type().to_string()));
            } else {
                header.push(field.name().trim().to_owned());
                roots.push(root);
            }
        }
        let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
        let reader =
            builder.with_projection(mask).with_batch_size(BATCH_ROWS).build().map_err(describe)?;
        let mut rows = ParquetRows {
            file: file.to_owned(),
            reader,
            record: 1,
            columns: header.len(),
            peeked: None,
        };
        rows.peeked = rows.read().map_err(|error| error.to_string())?;
        let leading = rows.peeked.as_ref().map(leading).unwrap_or_default();
        Ok(Opened { header, nested, leading, rows: Box::new(rows), ..Opened::default() })
    })
}

fn leading(batch: &Batch) -> Vec<(u64, Vec<String>)> {
    let rows = batch.lines.iter().enumerate().take(LEADING_ROWS);
    rows.map(|(row, &line)| {
        (line, batch.columns.iter().map(|column| column.get(row).to_owned()).collect())
    })
    .collect()
}

/// The file comes from outside and the reader of Parquet is not ours: a panic in it is a broken file.
fn guarded<T>(file: &str, read: impl FnOnce() -> Result<T, String>) -> Result<T, ReadError> {
    let read = std::panic::catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err("its parts contradict each other".to_owned()));
    read.map_err(|what| ReadError::Parquet { file: file.to_owned(), what })
}

fn describe(error: ParquetError) -> String {
    error.to_string()
}

struct ParquetRows {
    file: String,
    reader: ParquetRecordBatchReader,
    /// The number of the next record.
    record: u64,
    columns: usize,
    peeked: Option<Batch>,
}

impl ParquetRows {
    fn read(&mut self) -> Result<Option<Batch>, ArrowError> {
        let Some(records) = self.reader.next().transpose()? else {
            return Ok(None);
        };
        let mut batch = Batch::with_columns(self.columns);
        batch.lines.extend(self.record..self.record + records.num_rows() as u64);
        self.record += records.num_rows() as u64;
        for (index, array) in records.columns().iter().enumerate() {
            if let Some(column) = batch.columns.get_mut(index) {
                fill(column, index, array, &mut batch.faults)?;
            }
        }
        batch.faults.sort_by_key(|fault| fault.row);
        Ok(Some(batch))
    }
}

impl Rows for ParquetRows {
    fn next_batch(&mut self) -> Result<Option<Batch>, ReadError> {
        if let Some(batch) = self.peeked.take() {
            return Ok(Some(batch));
        }
        let file = self.file.clone();
        guarded(&file, || self.read().map_err(|error| error.to_string()))
    }
}

fn fill(
    column: &mut TextColumn,
    index: usize,
    array: &ArrayRef,
    faults: &mut Vec<RowFault>,
) -> Result<(), ArrowError> {
    let texts =
        if matches!(array.data_type(), DataType::Float16 | DataType::Float32 | DataType::Float64) {
            // A column of whole numbers with gaps is often stored as floating point; its ids must not become `12345.0`.
            let numbers = arrow_cast::cast(array, &DataType::Float64)?;
            for number in numbers.as_primitive::<arrow_array::types::Float64Type>() {
                column.push(&number.map(plain).unwrap_or_default());
            }
            return Ok(());
        } else {
            arrow_cast::cast(array, &DataType::LargeUtf8)?
        };
    for (row, text) in texts.as_string::<i64>().iter().enumerate() {
        if text.is_none() && array.is_valid(row) {
            faults.push(RowFault { row, reason: Reason::Undecodable, column: Some(index) });
        }
        column.push(text.unwrap_or_default());
    }
    Ok(())
}

/// One source under many readers, each with its own position.
#[derive(Clone)]
struct Shared {
    source: Arc<Mutex<Box<dyn Source>>>,
    length: u64,
}

impl Shared {
    fn read_at(&self, position: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        source.seek(SeekFrom::Start(position))?;
        source.read(buffer)
    }
}

impl Length for Shared {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for Shared {
    type T = BufReader<At>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(BufReader::new(At { shared: self.clone(), position: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        if start.checked_add(length as u64).is_none_or(|end| end > self.length) {
            return Err(ParquetError::EOF("a part lies beyond the end of the file".to_owned()));
        }
        let mut bytes = Vec::with_capacity(length);
        At { shared: self.clone(), position: start }.take(length as u64).read_to_end(&mut bytes)?;
        if bytes.len() != length {
            return Err(ParquetError::EOF("the file ends too early".to_owned()));
        }
        Ok(bytes.into())
    }
}

struct At {
    shared: Shared,
    position: u64,
}

impl Read for At {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.shared.read_at(self.position, buffer)?;
        self.position += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests;
