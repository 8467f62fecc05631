//! Fixed-length records, cut by bytes.
//!
//! With a line end behind the records a broken record costs only itself: it is as long as its line. Without one, every
//! record is so many bytes, and only the last can be short. A letter that is cut in half at the end of a field is
//! dropped from the cell and noted as damage.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read as _};

use encoding_rs::SHIFT_JIS;
use renkei_types::Reason;

use crate::batch::{Batch, CellDamage, RowFault};
use crate::damage::Class;
use crate::encoding::Encoding;
use crate::layout::{Layout, RecordEnding};
use crate::read::{LineEnding, Opened, Rows, Source};
use crate::read_error::ReadError;

const BATCH_ROWS: usize = 8192;

/// Opens fixed-length records; `source` stands at its start.
pub(crate) fn open(
    file: &str,
    source: Box<dyn Source>,
    layout: &Layout,
) -> Result<Opened, ReadError> {
    let header = layout.columns.iter().map(|column| column.name.clone()).collect();
    let mut rows = FixedRows {
        file: file.to_owned(),
        source: BufReader::with_capacity(1 << 18, source),
        layout: layout.clone(),
        record: 0,
        held: VecDeque::new(),
    };
    // The first record is read to tell an empty file from one without data records.
    match rows.take()? {
        Some(first) => rows.held.push_back(first),
        None => return Err(ReadError::Empty { file: file.to_owned() }),
    }
    let line_ending = match layout.line_ending {
        RecordEnding::None => None,
        RecordEnding::Crlf => Some(LineEnding::Crlf),
        RecordEnding::Lf => Some(LineEnding::Lf),
    };
    Ok(Opened { header, line_ending, rows: Box::new(rows), ..Opened::default() })
}

struct FixedRows {
    file: String,
    source: BufReader<Box<dyn Source>>,
    layout: Layout,
    /// Records read so far.
    record: u64,
    /// Read ahead, because the last few may have to be skipped.
    held: VecDeque<(u64, Vec<u8>)>,
}

impl FixedRows {
    /// The next record of the file, whatever its type.
    fn take(&mut self) -> Result<Option<(u64, Vec<u8>)>, ReadError> {
        let length = self.layout.record_length;
        loop {
            let mut bytes = Vec::with_capacity(length + 2);
            let io = |error| ReadError::io(&self.file, error);
            if self.layout.line_ending == RecordEnding::None {
                self.source.by_ref().take(length as u64).read_to_end(&mut bytes).map_err(io)?;
                if bytes.is_empty() || is_end_mark(&bytes) {
                    return Ok(None);
                }
            } else {
                let limit = length as u64 * 4 + 1024;
                let mut source = self.source.by_ref().take(limit);
                source.read_until(b'\n', &mut bytes).map_err(io)?;
                if bytes.is_empty() || is_end_mark(&bytes) {
                    return Ok(None);
                }
                let record = self.record + 1;
                if bytes.ends_with(b"\n") {
                    bytes.pop();
                }
                if self.layout.line_ending == RecordEnding::Crlf && bytes.ends_with(b"\r") {
                    bytes.pop();
                }
                if bytes.len() as u64 >= limit {
                    let file = self.file.clone();
                    return Err(ReadError::RecordLength { file, record, length });
                }
            }
            self.record += 1;
            if bytes.is_empty() {
                // An empty line is no record, but it is a line.
                continue;
            }
            return Ok(Some((self.record, bytes)));
        }
    }

    fn is_data(&self, bytes: &[u8]) -> bool {
        self.layout.record_type.as_ref().is_none_or(|kind| {
            let start = kind.at - 1;
            // A record too short to have a type is kept, so that it is reported.
            bytes.get(start..start + kind.length).is_none_or(|found| found == kind.data.as_bytes())
        })
    }

    fn push_row(&self, line: u64, bytes: &[u8], batch: &mut Batch) {
        let row = batch.rows();
        batch.lines.push(line);
        if bytes.len() != self.layout.record_length {
            batch.faults.push(RowFault { row, reason: Reason::FieldCount, column: None });
        }
        let columns = self.layout.columns.iter().zip(&mut batch.columns).enumerate();
        for (index, (place, column)) in columns {
            let start = (place.start - 1).min(bytes.len());
            let end = (place.start - 1 + place.length).min(bytes.len());
            match decode(&bytes[start..end], self.layout.encoding()) {
                Decoded::Text(text) => column.push(place.trimmed(&text)),
                Decoded::Cut(text) => {
                    column.push(place.trimmed(&text));
                    batch.damage.push(CellDamage { row, column: index, class: Class::LetterCut });
                }
                Decoded::Nothing => {
                    column.end_cell();
                    let (reason, column) = (Reason::Undecodable, Some(index));
                    batch.faults.push(RowFault { row, reason, column });
                }
            }
        }
    }
}

impl Rows for FixedRows {
    fn next_batch(&mut self) -> Result<Option<Batch>, ReadError> {
        let mut batch = Batch::with_columns(self.layout.columns.len());
        while batch.rows() < BATCH_ROWS {
            while self.held.len() <= self.layout.skip_last {
                match self.take()? {
                    Some(record) => self.held.push_back(record),
                    None => return Ok((batch.rows() > 0).then_some(batch)),
                }
            }
            let Some((line, bytes)) = self.held.pop_front() else {
                break;
            };
            if line > self.layout.skip_first && self.is_data(&bytes) {
                self.push_row(line, &bytes, &mut batch);
            }
        }
        Ok(Some(batch))
    }
}

/// Old systems end a file with the byte 1A.
fn is_end_mark(bytes: &[u8]) -> bool {
    bytes == [0x1A] || bytes == [0x1A, b'\n'] || bytes == [0x1A, b'\r', b'\n']
}

enum Decoded {
    Text(String),
    /// The text before a letter that was cut in half.
    Cut(String),
    Nothing,
}

fn decode(bytes: &[u8], encoding: Encoding) -> Decoded {
    let read = |bytes: &[u8]| match encoding {
        Encoding::Cp932 => SHIFT_JIS
            .decode_without_bom_handling_and_without_replacement(bytes)
            .map(std::borrow::Cow::into_owned),
        Encoding::Utf8 | Encoding::Utf16Le | Encoding::Utf16Be => {
            std::str::from_utf8(bytes).ok().map(str::to_owned)
        }
    };
    if let Some(text) = read(bytes) {
        return Decoded::Text(text);
    }
    let half_letter = match encoding {
        Encoding::Cp932 => 1,
        Encoding::Utf8 | Encoding::Utf16Le | Encoding::Utf16Be => {
            match std::str::from_utf8(bytes) {
                Err(error) if error.error_len().is_none() => bytes.len() - error.valid_up_to(),
                Ok(_) | Err(_) => return Decoded::Nothing,
            }
        }
    };
    // In CP932 the half is a lead byte without its second one.
    let is_lead = |byte: &u8| matches!(byte, 0x81..=0x9F | 0xE0..=0xFC);
    if encoding == Encoding::Cp932 && !bytes.last().is_some_and(is_lead) {
        return Decoded::Nothing;
    }
    match bytes.len().checked_sub(half_letter).and_then(|end| read(&bytes[..end])) {
        Some(text) => Decoded::Cut(text),
        None => Decoded::Nothing,
    }
}

#[cfg(test)]
mod tests;
