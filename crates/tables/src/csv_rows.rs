//! CSV and tab-separated text, block by block.
//!
//! A block is what about 8,192 rows take, cut at a line end. It is checked as UTF-8 in one go and split where it lies, in
//! the one buffer that all blocks are read into; cells are appended to their columns, so no cell is allocated. Only a
//! block with undecodable bytes is looked at record by record. The physical line number counts every line break, also
//! those inside quotes and of empty lines.
//!
//! The seam for threads: [`CsvRows::split`] needs the block, its first line and the shape of the file, nothing of what
//! came before.

use std::io::Read;

use renkei_types::Reason;

use crate::batch::{Batch, RowFault};
use crate::delimited::{Shape, Span, Step};
use crate::encoding::{Encoding, ROOM_MIN, Transcoder};
use crate::read::{LineEnding, Opened, ReadOptions, Source};
use crate::read_error::ReadError;

/// About so many rows make a batch.
const BATCH_ROWS: usize = 8192;
const BLOCK_BYTES_MIN: usize = 1 << 16;
const BLOCK_BYTES_MAX: usize = 8 << 20;
const BLOCK_BYTES_FIRST: usize = 1 << 19;
/// A line with more columns than any spreadsheet can have is no line of a table.
const COLUMNS_MAX: usize = 16_384;
/// So many lines are looked at to tell the delimiter, and to find a header below title lines.
const LEADING_LINES: usize = 30;

/// The rows of a delimited file behind its header.
pub(crate) struct CsvRows {
    file: String,
    source: Bytes,
    shape: Shape,
    columns: usize,
    cell_bytes_max: usize,
    /// The line on which the next block starts.
    line: u64,
    /// Read but not split yet: between blocks an unfinished line or record.
    carry: Vec<u8>,
    block_bytes: usize,
    ended: bool,
}

/// Text as UTF-8, whatever it was.
enum Bytes {
    Plain(Box<dyn Source>),
    Transcoded(Box<Transcoder<Box<dyn Source>>>),
}

impl Bytes {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Plain(source) => source.read(buffer),
            Self::Transcoded(source) => source.read(buffer),
        }
    }
}

/// Bytes that end at a line end or at the end of the file.
#[derive(Clone, Copy)]
enum Block<'a> {
    Clean(&'a str),
    /// Some of it is no UTF-8.
    Broken(&'a [u8]),
}

impl<'a> Block<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        simdutf8::basic::from_utf8(bytes).map_or(Self::Broken(bytes), Self::Clean)
    }

    fn bytes(self) -> &'a [u8] {
        match self {
            Self::Clean(text) => text.as_bytes(),
            Self::Broken(bytes) => bytes,
        }
    }
}

/// Opens delimited text; `source` stands behind its byte order mark.
pub(crate) fn open(
    file: &str,
    source: Box<dyn Source>,
    encoding: Encoding,
    options: &ReadOptions,
) -> Result<Opened, ReadError> {
    let source = match encoding {
        Encoding::Utf8 => Bytes::Plain(source),
        Encoding::Cp932 | Encoding::Utf16Le | Encoding::Utf16Be => {
            match Transcoder::new(source, encoding) {
                Some(transcoder) => Bytes::Transcoded(Box::new(transcoder)),
                None => return Err(ReadError::Empty { file: file.to_owned() }),
            }
        }
    };
    let mut rows = CsvRows {
        file: file.to_owned(),
        source,
        shape: Shape { delimiter: b',', terminator: b'\n' },
        columns: 0,
        cell_bytes_max: options.cell_bytes_max,
        line: 1,
        carry: Vec::new(),
        block_bytes: BLOCK_BYTES_FIRST,
        ended: false,
    };
    // The start of the file shows its shape; it stays in `carry` and is split with the first block.
    rows.fill(BLOCK_BYTES_FIRST)?;
    let line_ending = line_ending(&rows.carry);
    rows.shape.terminator = if line_ending == LineEnding::Cr { b'\r' } else { b'\n' };
    rows.shape.delimiter = delimiter(&rows.carry, rows.shape.terminator);
    let header = rows.header(encoding, options.header_line)?;
    rows.columns = header.len();
    let leading = rows.leading();
    Ok(Opened {
        header,
        leading,
        delimiter: Some(char::from(rows.shape.delimiter)),
        line_ending: Some(line_ending),
        rows: Box::new(rows),
        ..Opened::default()
    })
}

fn line_ending(start: &[u8]) -> LineEnding {
    let mut in_quotes = false;
    let mut lone_carriage_return = false;
    for (position, &byte) in start.iter().enumerate() {
        match byte {
            b'"' => in_quotes = !in_quotes,
            b'\n' if !in_quotes => {
                let crlf = position > 0 && start[position - 1] == b'\r';
                return if crlf { LineEnding::Crlf } else { LineEnding::Lf };
            }
            b'\r' if !in_quotes && start.get(position + 1) != Some(&b'\n') => {
                lone_carriage_return = true;
            }
            _ => {}
        }
    }
    if lone_carriage_return { LineEnding::Cr } else { LineEnding::Lf }
}

fn delimiter(start: &[u8], terminator: u8) -> u8 {
    let (mut commas, mut tabs) = (0, 0);
    for line in start.split(|&byte| byte == terminator).take(LEADING_LINES) {
        commas += memchr::memchr_iter(b',', line).count();
        tabs += memchr::memchr_iter(b'\t', line).count();
    }
    if tabs > commas { b'\t' } else { b',' }
}

impl CsvRows {
    /// Reads until `carry` has `wanted` bytes or the source ends.
    fn fill(&mut self, wanted: usize) -> Result<(), ReadError> {
        let mut filled = self.carry.len();
        if self.ended || filled >= wanted {
            return Ok(());
        }
        // A transcoder wants some room even for the last letter.
        self.carry.resize(wanted + ROOM_MIN, 0);
        while filled < wanted {
            match self.source.read(&mut self.carry[filled..]) {
                Ok(0) => {
                    self.ended = true;
                    break;
                }
                Ok(read) => filled += read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.carry.clear();
                    return Err(ReadError::io(&self.file, error));
                }
            }
        }
        self.carry.truncate(filled);
        Ok(())
    }

    /// Takes the header from the front of `carry`.
    fn header(
        &mut self,
        encoding: Encoding,
        wanted_line: Option<u64>,
    ) -> Result<Vec<String>, ReadError> {
        let mut spans = Vec::new();
        let mut start = 0;
        loop {
            start = self.skip_line_feed(&self.carry, start);
            if start >= self.carry.len() && self.ended {
                return Err(ReadError::Empty { file: self.file.clone() });
            }
            match self.shape.split(&self.carry, start, self.ended, None, &mut spans) {
                Step::Record { next, lines } => {
                    let line = self.line;
                    self.line += lines;
                    let wanted = wanted_line.is_none_or(|wanted| line >= wanted);
                    let empty = is_empty_line(&spans) && next - start <= 2;
                    if empty || !wanted {
                        start = next;
                        continue;
                    }
                    if spans.len() > COLUMNS_MAX {
                        return Err(ReadError::TooManyColumns {
                            file: self.file.clone(),
                            line,
                            limit: COLUMNS_MAX,
                        });
                    }
                    let header = spans
                        .iter()
                        .map(|span| cell_text(&self.carry, span).map(|text| text.trim().to_owned()))
                        .collect::<Option<Vec<String>>>();
                    let header = header.ok_or_else(|| ReadError::HeaderUndecodable {
                        file: self.file.clone(),
                        line,
                        encoding: encoding.as_str(),
                    })?;
                    self.carry.drain(..next);
                    return Ok(header);
                }
                Step::Incomplete { cell, column, quote_lines } => {
                    self.check_unfinished(self.line, self.carry.len() - cell, column, quote_lines)?;
                    self.fill(self.carry.len() * 2 + BLOCK_BYTES_MIN)?;
                }
                Step::Swallowed { column, quote_lines } => {
                    return Err(self.swallowed(self.line, column, quote_lines));
                }
            }
        }
    }

    /// The next few records, as wide as they are, for the search for a header below title lines.
    fn leading(&self) -> Vec<(u64, Vec<String>)> {
        let mut spans = Vec::new();
        let (mut start, mut line) = (0, self.line);
        let mut leading = Vec::new();
        while leading.len() < LEADING_LINES && start < self.carry.len() {
            match self.shape.split(&self.carry, start, self.ended, None, &mut spans) {
                Step::Record { next, lines } if spans.len() <= COLUMNS_MAX => {
                    let cells = spans.iter().map(|span| cell_text(&self.carry, span));
                    leading.push((line, cells.map(Option::unwrap_or_default).collect()));
                    start = next;
                    line += lines;
                }
                Step::Record { .. } | Step::Incomplete { .. } | Step::Swallowed { .. } => break,
            }
        }
        leading
    }

    /// Reads on and answers where in `carry` a block of whole lines ends; 0 at the end of the file.
    fn block_end(&mut self, wanted: usize) -> Result<usize, ReadError> {
        self.fill(wanted)?;
        if self.ended {
            return Ok(self.carry.len());
        }
        // Without a line end in it the block goes on as it is; the splitter says that it is unfinished.
        Ok(memchr::memrchr(self.shape.terminator, &self.carry)
            .map_or(self.carry.len(), |position| position + 1))
    }

    /// Splits a block that starts on `line` into rows; answers how many of its bytes were whole records, and the line
    /// behind them.
    fn split(
        &self,
        block: Block<'_>,
        mut line: u64,
        whole: bool,
        batch: &mut Batch,
    ) -> Result<(usize, u64), ReadError> {
        let bytes = block.bytes();
        let share = bytes.len() / self.columns.max(1);
        for column in &mut batch.columns {
            column.text.reserve(share);
            column.ends.reserve(share.min(BATCH_ROWS));
        }
        let mut spans: Vec<Span> = Vec::with_capacity(self.columns);
        let mut start = 0;
        loop {
            start = self.skip_line_feed(bytes, start);
            if start >= bytes.len() {
                return Ok((start, line));
            }
            match self.shape.split(bytes, start, whole, Some(self.columns), &mut spans) {
                Step::Record { next, lines } => {
                    // An empty line is no row, but it is a line.
                    if !(is_empty_line(&spans) && next - start <= 2) {
                        self.check_cells(line, &spans)?;
                        self.push_row(block, line, &spans, batch);
                    }
                    start = next;
                    line += lines;
                }
                Step::Incomplete { cell, column, quote_lines } => {
                    if whole && let Some(lines) = quote_lines {
                        return Err(self.unclosed(line + lines, column));
                    }
                    self.check_unfinished(line, bytes.len() - cell, column, quote_lines)?;
                    return Ok((start, line));
                }
                Step::Swallowed { column, quote_lines } => {
                    return Err(self.swallowed(line, column, quote_lines));
                }
            }
        }
    }

    fn push_row(&self, block: Block<'_>, line: u64, spans: &[Span], batch: &mut Batch) {
        let row = batch.lines.len();
        batch.lines.push(line);
        if spans.len() != self.columns {
            batch.faults.push(RowFault { row, reason: Reason::FieldCount, column: None });
        }
        for (index, column) in batch.columns.iter_mut().enumerate() {
            let Some(span) = spans.get(index) else {
                column.end_cell();
                continue;
            };
            let text = match block {
                // The ends of a cell are ASCII bytes, so they lie between letters.
                Block::Clean(text) => text.get(span.range.clone()),
                Block::Broken(bytes) => std::str::from_utf8(&bytes[span.range.clone()]).ok(),
            };
            match text {
                Some(text) if span.doubled => {
                    column.text.push_str(&text.replace("\"\"", "\""));
                }
                Some(text) => column.text.push_str(text),
                None => batch.faults.push(RowFault {
                    row,
                    reason: Reason::Undecodable,
                    column: Some(index),
                }),
            }
            column.end_cell();
        }
        // A row that is too long may be undecodable in a cell that has no column.
        let beyond = spans.get(self.columns..).unwrap_or_default();
        if beyond
            .iter()
            .any(|span| std::str::from_utf8(&block.bytes()[span.range.clone()]).is_err())
        {
            batch.faults.push(RowFault { row, reason: Reason::Undecodable, column: None });
        }
    }

    fn skip_line_feed(&self, bytes: &[u8], start: usize) -> usize {
        // A file of lone carriage returns may still have a CR LF somewhere.
        start + usize::from(self.shape.terminator == b'\r' && bytes.get(start) == Some(&b'\n'))
    }

    fn check_cells(&self, line: u64, spans: &[Span]) -> Result<(), ReadError> {
        match spans.iter().position(|span| span.range.len() > self.cell_bytes_max) {
            None => Ok(()),
            Some(column) => Err(self.too_long(line, column)),
        }
    }

    fn check_unfinished(
        &self,
        line: u64,
        bytes: usize,
        column: usize,
        quote_lines: Option<u64>,
    ) -> Result<(), ReadError> {
        if column > COLUMNS_MAX {
            let file = self.file.clone();
            return Err(ReadError::TooManyColumns { file, line, limit: COLUMNS_MAX });
        }
        match quote_lines {
            Some(lines) if bytes > self.cell_bytes_max || self.ended => {
                Err(self.unclosed(line + lines, column))
            }
            None if bytes > self.cell_bytes_max => Err(self.too_long(line, column)),
            Some(_) | None => Ok(()),
        }
    }

    fn unclosed(&self, line: u64, column: usize) -> ReadError {
        let (file, limit) = (self.file.clone(), self.cell_bytes_max);
        ReadError::UnclosedQuote { file, line, column: column + 1, limit }
    }

    fn swallowed(&self, line: u64, column: usize, quote_lines: u64) -> ReadError {
        let file = self.file.clone();
        ReadError::SwallowedLines { file, line: line + quote_lines, column: column + 1 }
    }

    fn too_long(&self, line: u64, column: usize) -> ReadError {
        let (file, limit) = (self.file.clone(), self.cell_bytes_max);
        ReadError::CellTooLong { file, line, column: column + 1, limit }
    }
}

impl crate::read::Rows for CsvRows {
    fn next_batch(&mut self) -> Result<Option<Batch>, ReadError> {
        let mut wanted = self.block_bytes;
        loop {
            let end = self.block_end(wanted)?;
            if end == 0 {
                return Ok(None);
            }
            let whole = self.ended && end == self.carry.len();
            let mut batch = Batch::with_columns(self.columns);
            let block = Block::new(&self.carry[..end]);
            let (taken, line) = self.split(block, self.line, whole, &mut batch)?;
            self.line = line;
            // A quoted cell goes on in the next block; its record is read again from its start.
            self.carry.drain(..taken);
            if batch.rows() > 0 {
                let row_bytes = taken / batch.rows();
                self.block_bytes = (row_bytes * BATCH_ROWS).clamp(BLOCK_BYTES_MIN, BLOCK_BYTES_MAX);
                return Ok(Some(batch));
            }
            wanted = wanted.max(self.carry.len()) * 2;
        }
    }
}

fn is_empty_line(spans: &[Span]) -> bool {
    matches!(spans, [span] if span.range.is_empty())
}

fn cell_text(bytes: &[u8], span: &Span) -> Option<String> {
    let text = std::str::from_utf8(&bytes[span.range.clone()]).ok()?;
    Some(if span.doubled { text.replace("\"\"", "\"") } else { text.to_owned() })
}
