//! Rows into Parquet: columns of strings, and of numbers where the caller says so.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::{Float64Builder, Int64Builder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use crate::write::{Column, ColumnKind};
use crate::write_error::WriteError;

/// Rows between two hand-overs to the writer.
const BATCH_ROWS: usize = 8192;
/// Rows of a row group: bounds the memory of the writer.
const GROUP_ROWS: usize = 1 << 17;

pub(crate) struct ParquetSink {
    writer: ArrowWriter<File>,
    schema: Arc<Schema>,
    builders: Vec<Builder>,
    pending: usize,
    rows: u64,
}

enum Builder {
    Text(StringBuilder),
    Integer(Int64Builder),
    Float(Float64Builder),
}

impl Builder {
    fn new(kind: ColumnKind) -> Self {
        match kind {
            ColumnKind::Text => Self::Text(StringBuilder::new()),
            ColumnKind::Integer => Self::Integer(Int64Builder::new()),
            ColumnKind::Float => Self::Float(Float64Builder::new()),
        }
    }

    /// Adds a cell; false where it is no number.
    fn push(&mut self, cell: &str) -> bool {
        match self {
            Self::Text(builder) => {
                builder.append_value(cell);
                true
            }
            Self::Integer(builder) => {
                let number = cell.parse().ok();
                builder.append_option(number);
                number.is_some() || cell.is_empty()
            }
            Self::Float(builder) => {
                let number = cell.parse().ok();
                builder.append_option(number);
                number.is_some() || cell.is_empty()
            }
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Integer(builder) => Arc::new(builder.finish()),
            Self::Float(builder) => Arc::new(builder.finish()),
        }
    }
}

impl ParquetSink {
    pub(crate) fn new(target: &Path, file: File, columns: &[Column]) -> Result<Self, WriteError> {
        let fields: Vec<Field> = columns
            .iter()
            .map(|column| match column.kind {
                ColumnKind::Text => Field::new(&column.name, DataType::Utf8, false),
                ColumnKind::Integer => Field::new(&column.name, DataType::Int64, true),
                ColumnKind::Float => Field::new(&column.name, DataType::Float64, true),
            })
            .collect();
        let schema = Arc::new(Schema::new(fields));
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(Some(GROUP_ROWS))
            .build();
        let writer = ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties))
            .map_err(|error| failed(target, error))?;
        let builders = columns.iter().map(|column| Builder::new(column.kind)).collect();
        Ok(Self { writer, schema, builders, pending: 0, rows: 0 })
    }

    pub(crate) fn row<'a>(
        &mut self,
        target: &Path,
        cells: impl Iterator<Item = &'a str>,
    ) -> Result<(), WriteError> {
        self.rows += 1;
        for (index, (builder, cell)) in self.builders.iter_mut().zip(cells).enumerate() {
            if !builder.push(cell) {
                return Err(WriteError::NotANumber {
                    file: target.display().to_string(),
                    row: self.rows,
                    column: self.schema.field(index).name().clone(),
                });
            }
        }
        self.pending += 1;
        if self.pending == BATCH_ROWS { self.flush(target) } else { Ok(()) }
    }

    fn flush(&mut self, target: &Path) -> Result<(), WriteError> {
        if self.pending == 0 {
            return Ok(());
        }
        let columns = self.builders.iter_mut().map(Builder::finish).collect();
        self.pending = 0;
        RecordBatch::try_new(Arc::clone(&self.schema), columns)
            .map_err(ParquetError::from)
            .and_then(|batch| self.writer.write(&batch))
            .map_err(|error| failed(target, error))
    }

    pub(crate) fn finish(mut self, target: &Path) -> Result<File, WriteError> {
        self.flush(target)?;
        self.writer.into_inner().map_err(|error| failed(target, error))
    }
}

fn failed(target: &Path, error: ParquetError) -> WriteError {
    if let ParquetError::External(source) = error {
        return match source.downcast::<std::io::Error>() {
            Ok(source) => WriteError::io(target, *source),
            Err(source) => limit(target, &source.to_string()),
        };
    }
    limit(target, &error.to_string())
}

fn limit(target: &Path, what: &str) -> WriteError {
    WriteError::FormatLimit { file: target.display().to_string(), what: what.to_owned() }
}
