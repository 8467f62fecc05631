//! Rows as columns of text.
//!
//! A batch of 8,192 rows of nine columns is nine strings and nine lists of ends, not 73,728 strings: reading a million
//! rows allocates a few hundred times. A batch holds every row that the file has, also the broken ones, whose
//! [`RowFault`] says what is wrong with them.

use renkei_types::Reason;

use crate::damage::Class;

/// Some rows of a file, in its order.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Batch {
    /// One per header name.
    pub columns: Vec<TextColumn>,
    /// For each row the line of the file on which it starts, from 1: a physical line of a CSV file, a row of a sheet, a
    /// record of a Parquet or fixed-length file.
    pub lines: Vec<u64>,
    /// What is wrong with rows, in row order; a row may occur more than once.
    pub faults: Vec<RowFault>,
    /// Damage that only the reader can see, in row order.
    pub damage: Vec<CellDamage>,
}

/// A row that cannot be read as it should be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RowFault {
    /// The row in the batch, from 0.
    pub row: usize,
    /// What is wrong: [`Reason::FieldCount`] or [`Reason::Undecodable`].
    pub reason: Reason,
    /// The column, where one is meant.
    pub column: Option<usize>,
}

/// Damage to one cell that the cell's text no longer shows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CellDamage {
    /// The row in the batch, from 0.
    pub row: usize,
    /// The column.
    pub column: usize,
    /// What happened to it.
    pub class: Class,
}

impl Batch {
    /// An empty batch of so many columns.
    pub fn with_columns(columns: usize) -> Self {
        Self { columns: vec![TextColumn::default(); columns], ..Self::default() }
    }

    /// How many rows it has.
    pub fn rows(&self) -> usize {
        self.lines.len()
    }

    /// One cell; empty where the batch has no such cell.
    pub fn cell(&self, column: usize, row: usize) -> &str {
        self.columns.get(column).map_or("", |column| column.get(row))
    }
}

/// The cells of one column, end to end.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TextColumn {
    /// All cells without anything between them.
    pub text: String,
    /// Where each cell ends in `text`.
    pub ends: Vec<u32>,
}

impl TextColumn {
    /// Without cells yet, with room for so many and their text.
    pub(crate) fn with_capacity(cells: usize, bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), ends: Vec::with_capacity(cells) }
    }

    /// The cell in `row`; empty where there is no such row.
    pub fn get(&self, row: usize) -> &str {
        let end = self.ends.get(row).map_or(0, |&end| end as usize);
        let start = match row.checked_sub(1) {
            Some(before) => self.ends.get(before).map_or(0, |&end| end as usize),
            None => 0,
        };
        self.text.get(start..end).unwrap_or_default()
    }

    /// How many cells it has.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether it has no cells.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Every cell in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let cell = self.text.get(start..end as usize).unwrap_or_default();
            start = end as usize;
            cell
        })
    }

    /// Adds one cell. A column never grows past `u32::MAX` bytes: readers cut batches long before.
    pub(crate) fn push(&mut self, cell: &str) {
        self.text.push_str(cell);
        self.end_cell();
    }

    /// Ends a cell whose text has been appended to `text`.
    pub(crate) fn end_cell(&mut self) {
        self.ends.push(u32::try_from(self.text.len()).unwrap_or(u32::MAX));
    }
}
