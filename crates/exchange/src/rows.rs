//! The rows of a sealed file, as they are kept: text columns under canonical names, in chunks that can be read alone.
//!
//! A register of a million residents is 245 chunks of 4,096 rows. Row 1,000,000 is found in the last one without
//! touching the others, which is how a clerk's screen and an explanation read a few records back.
//! Invariant: a chunk says nothing that its blob's seal does not cover. Nothing here is public.

use renkei_journal::{BlobReader, BlobRef, DataKey};
use renkei_tables::{Batch, Binding, TextColumn, is_usable_id};
use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;
use crate::store::Vault;

/// Most rows in a chunk.
pub const CHUNK_ROWS: usize = 4096;

/// The columns that a register may have, under their canonical names.
pub const REGISTER_FIELDS: &[&str] = &[
    "resident_id",
    "household_id",
    "name_kanji",
    "name_kana",
    "birth_date",
    "sex",
    "postal_code",
    "address",
    "building",
    "former_name",
    "alias",
    "previous_address",
    "date_of_event",
    "date_processed",
    "protected",
];

/// The columns that a list may have, under their canonical names.
pub const LIST_FIELDS: &[&str] = &[
    "benefit_id",
    "name_kanji",
    "name_kana",
    "birth_date",
    "sex",
    "postal_code",
    "address",
    "building",
    "amount",
    "account_holder_kana",
    "bank_code",
    "branch_code",
    "account_type",
    "account_number",
];

/// The cells of one column of a chunk, end to end.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Cells {
    text: String,
    ends: Vec<u32>,
}

impl Cells {
    /// Adds a cell.
    pub fn push(&mut self, cell: &str) {
        self.text.push_str(cell);
        // A chunk is at most 4,096 cells of at most 1 MiB: below 2^32.
        self.ends.push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
    }

    /// The cell of a row; empty where there is none.
    pub fn get(&self, row: usize) -> &str {
        let end = self.ends.get(row).map_or(0, |&end| end as usize);
        let start =
            row.checked_sub(1).and_then(|row| self.ends.get(row)).map_or(0, |&end| end as usize);
        self.text.get(start..end).unwrap_or_default()
    }
}

/// Some rows.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Chunk {
    /// One for each name of the table, in its order.
    pub columns: Vec<Cells>,
    /// Line of the file on which each row starts.
    pub lines: Vec<u64>,
}

impl Chunk {
    /// How many rows.
    pub fn rows(&self) -> usize {
        self.lines.len()
    }

    /// A cell; empty where there is none.
    pub fn cell(&self, column: usize, row: usize) -> &str {
        self.columns.get(column).map_or("", |cells| cells.get(row))
    }
}

/// The rows of a sealed file: which columns there are, and where the chunks lie.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Rows {
    /// Canonical names of the columns that the file has.
    pub columns: Vec<String>,
    /// How many rows.
    pub rows: u64,
    /// The chunks.
    pub blob: BlobRef,
}

impl Rows {
    /// The number of a column.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|known| known == name)
    }

    /// How many chunks hold rows.
    pub fn chunks(&self) -> u32 {
        u32::try_from(self.rows.div_ceil(CHUNK_ROWS as u64)).unwrap_or(u32::MAX)
    }

    /// Opens the chunks.
    pub fn open(&self, vault: &Vault) -> Result<BlobReader, Refusal> {
        vault.open_blob(&self.blob)
    }
}

/// A line that takes no part.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Rejected {
    /// The row, from 0.
    pub row: u32,
    /// Code of the reason.
    pub reason: String,
}

/// Reads what was rejected: the last chunk of a file.
pub fn rejected(reader: &BlobReader, rows: &Rows) -> Result<Vec<Rejected>, Refusal> {
    last_chunk(reader, rows)
}

/// Reads the chunk behind those of the rows.
pub fn last_chunk<T: serde::de::DeserializeOwned>(
    reader: &BlobReader,
    rows: &Rows,
) -> Result<T, Refusal> {
    let bytes = reader.chunk(rows.chunks()).map_err(|error| Refusal::internal(&error))?;
    postcard::from_bytes(&bytes).map_err(|error| Refusal::internal(&error))
}

/// Reads a chunk.
pub fn chunk(reader: &BlobReader, number: u32) -> Result<Chunk, Refusal> {
    let bytes = reader.chunk(number).map_err(|error| Refusal::internal(&error))?;
    postcard::from_bytes(&bytes).map_err(|error| Refusal::internal(&error))
}

/// The row with this id; reads through all chunks.
pub fn find(vault: &Vault, rows: &Rows, id: &str) -> Result<Option<u32>, Refusal> {
    let reader = rows.open(vault)?;
    for number in 0..rows.chunks() {
        let chunk = chunk(&reader, number)?;
        if let Some(at) = (0..chunk.rows()).find(|&at| chunk.cell(0, at) == id) {
            return Ok(Some(number * CHUNK_ROWS as u32 + at as u32));
        }
    }
    Ok(None)
}

/// The chunk that a row is in, and its place there.
pub fn place(row: u64) -> (u32, usize) {
    let chunk = row / CHUNK_ROWS as u64;
    // A file has fewer than 2^32 rows, so the chunk's number fits.
    (u32::try_from(chunk).unwrap_or(u32::MAX), (row % CHUNK_ROWS as u64) as usize)
}

/// Writes rows in chunks, as batches of a file come.
pub struct RowsWriter {
    writer: renkei_journal::BlobWriter,
    /// Column of the file for each canonical name.
    sources: Vec<usize>,
    columns: Vec<String>,
    chunk: Chunk,
    rows: u64,
}

impl RowsWriter {
    /// Starts on a file with this header. Of its columns those are kept whose names are known; the id column is the
    /// one that is bound.
    pub fn new(
        vault: &Vault,
        key: &DataKey,
        key_id: renkei_types::DataKeyId,
        header: &[String],
        binding: &Binding,
        known: &[&str],
    ) -> Result<Self, Refusal> {
        let mut sources = Vec::new();
        let mut columns = Vec::new();
        for (at, name) in known.iter().enumerate() {
            let source = if at == 0 {
                Some(binding.id)
            } else {
                renkei_tables::built_in_column(header, name)
            };
            if let Some(source) = source {
                sources.push(source);
                columns.push((*name).to_owned());
            }
        }
        let writer = vault.blob_writer(key, key_id)?;
        let chunk = Self::empty(columns.len());
        Ok(Self { writer, sources, columns, chunk, rows: 0 })
    }

    fn empty(columns: usize) -> Chunk {
        Chunk { columns: vec![Cells::default(); columns], lines: Vec::new() }
    }

    /// Adds the rows of a batch.
    pub fn extend(&mut self, batch: &Batch) -> Result<(), Refusal> {
        (0..batch.rows()).try_for_each(|row| self.push(batch, row))
    }

    /// Canonical names of the columns that are kept.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The cell of a row that is kept in a column.
    pub fn cell<'a>(&self, batch: &'a Batch, row: usize, column: &str) -> &'a str {
        let at = self.columns.iter().position(|known| known == column);
        let source = at.and_then(|at| self.sources.get(at));
        source
            .and_then(|&source| batch.columns.get(source))
            .map_or("", |column: &TextColumn| column.get(row))
            .trim()
    }

    /// Adds one row of a batch. What stands for an id and cannot be one is not kept: it would be told wherever the row is.
    pub fn push(&mut self, batch: &Batch, row: usize) -> Result<(), Refusal> {
        for (at, (cells, &source)) in self.chunk.columns.iter_mut().zip(&self.sources).enumerate() {
            let column = batch.columns.get(source);
            let cell = column.map_or("", |column: &TextColumn| column.get(row)).trim();
            cells.push(if at > 0 || is_usable_id(cell) { cell } else { "" });
        }
        self.chunk.lines.push(batch.lines.get(row).copied().unwrap_or_default());
        if self.chunk.rows() == CHUNK_ROWS {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Refusal> {
        let empty = Self::empty(self.columns.len());
        let chunk = std::mem::replace(&mut self.chunk, empty);
        self.rows += chunk.rows() as u64;
        let bytes = postcard::to_stdvec(&chunk).map_err(|error| Refusal::internal(&error))?;
        self.writer.chunk(&bytes).map_err(|error| crate::store::blob_refusal(&error))
    }

    /// Adds what was rejected, and makes everything durable.
    pub fn finish(self, rejected: &[Rejected]) -> Result<Rows, Refusal> {
        self.finish_with(&rejected)
    }

    /// The same with another last chunk; see [`last_chunk`].
    pub fn finish_with<T: Serialize>(mut self, last: &T) -> Result<Rows, Refusal> {
        if self.chunk.rows() > 0 {
            self.flush()?;
        }
        let bytes = postcard::to_stdvec(last).map_err(|error| Refusal::internal(&error))?;
        self.writer.chunk(&bytes).map_err(|error| crate::store::blob_refusal(&error))?;
        let blob = self.writer.finish().map_err(|error| crate::store::blob_refusal(&error))?;
        Ok(Rows { columns: self.columns, rows: self.rows, blob })
    }
}
