//! Where the cells of delimited text begin and end (RFC 4180).
//!
//! Works on bytes: no letter of UTF-8 or CP932 contains a comma, a tab, a quote or a line end as a part. A quote is a
//! quote only at the start of a cell; elsewhere it is a letter. A closing quote that is followed by more text makes the
//! whole cell literal, quotes included, so that nothing is dropped.

use std::ops::Range;

use memchr::{memchr, memchr_iter, memchr2, memchr3_iter};

/// The two bytes that give a file its shape.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// Between cells.
    pub(crate) delimiter: u8,
    /// After records: `\n` (a `\r` before it belongs to it) or `\r`.
    pub(crate) terminator: u8,
}

/// Where one cell stands, without its quotes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Span {
    pub(crate) range: Range<usize>,
    /// Doubled quotes stand for single ones.
    pub(crate) doubled: bool,
}

/// What a record turned out to be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Step {
    /// A record whose cells are in `spans`; the next one starts at `next`, `lines` physical lines further.
    Record { next: usize, lines: u64 },
    /// The bytes end inside the record, in a cell that started at `cell`; with `quote_lines` the cell is quoted and
    /// opened so many lines behind the start of the record.
    Incomplete { cell: usize, column: usize, quote_lines: Option<u64> },
    /// A quoted cell runs over lines that look like lines of the table.
    Swallowed { column: usize, quote_lines: u64 },
}

impl Shape {
    /// Splits the record that starts at `start`. `whole` says that the source ends with `bytes`; `columns` is the width
    /// of the table, where known.
    pub(crate) fn split(
        self,
        bytes: &[u8],
        start: usize,
        whole: bool,
        columns: Option<usize>,
        spans: &mut Vec<Span>,
    ) -> Step {
        spans.clear();
        let mut cell = start;
        let mut lines = 0;
        'cell: loop {
            if bytes.get(cell) == Some(&b'"') {
                match self.quoted(bytes, cell, whole) {
                    Quoted::Cell { end, after, doubled } => {
                        let inside = cell + 1..end;
                        let breaks = self.breaks(&bytes[inside.clone()]);
                        if breaks > 1 && self.holds_lines(&bytes[inside.clone()], columns) {
                            return Step::Swallowed { column: spans.len(), quote_lines: lines };
                        }
                        lines += breaks;
                        spans.push(Span { range: inside, doubled });
                        match bytes.get(after) {
                            Some(&byte) if byte == self.delimiter => {
                                cell = after + 1;
                                continue 'cell;
                            }
                            Some(_) => return Step::Record { next: after + 1, lines: lines + 1 },
                            None => return Step::Record { next: after, lines: lines + 1 },
                        }
                    }
                    Quoted::TextBehind { from } => {
                        if self.breaks(&bytes[cell..from]) > 0 {
                            return Step::Swallowed { column: spans.len(), quote_lines: lines };
                        }
                        // Literal: searched below as if it had no quotes.
                    }
                    Quoted::Open => {
                        return Step::Incomplete {
                            cell,
                            column: spans.len(),
                            quote_lines: Some(lines),
                        };
                    }
                }
                let end = memchr2(self.delimiter, self.terminator, &bytes[cell..])
                    .map(|offset| cell + offset);
                match end {
                    Some(end) if bytes[end] == self.delimiter => {
                        spans.push(Span { range: cell..end, doubled: false });
                        cell = end + 1;
                        continue 'cell;
                    }
                    end => return self.last(bytes, cell, end, whole, lines, spans),
                }
            }
            // The common road: cells without quotes, in one search over the record.
            let base = cell;
            for offset in memchr3_iter(self.delimiter, self.terminator, b'"', &bytes[base..]) {
                let at = base + offset;
                let byte = bytes[at];
                if byte == self.delimiter {
                    spans.push(Span { range: cell..at, doubled: false });
                    cell = at + 1;
                    if bytes.get(cell) == Some(&b'"') {
                        continue 'cell;
                    }
                } else if byte == self.terminator {
                    return self.last(bytes, cell, Some(at), whole, lines, spans);
                }
            }
            return self.last(bytes, cell, None, whole, lines, spans);
        }
    }

    /// Ends a record with the cell `cell..end`; without an end the source must be `whole`.
    fn last(
        self,
        bytes: &[u8],
        cell: usize,
        end: Option<usize>,
        whole: bool,
        lines: u64,
        spans: &mut Vec<Span>,
    ) -> Step {
        let (end, next) = match end {
            Some(end) => (end, end + 1),
            None if whole => (bytes.len(), bytes.len()),
            None => return Step::Incomplete { cell, column: spans.len(), quote_lines: None },
        };
        let carriage_return =
            self.terminator == b'\n' && end > cell && bytes[end - 1] == b'\r' && next > end;
        spans.push(Span { range: cell..end - usize::from(carriage_return), doubled: false });
        Step::Record { next, lines: lines + 1 }
    }

    fn quoted(self, bytes: &[u8], cell: usize, whole: bool) -> Quoted {
        let mut from = cell + 1;
        let mut doubled = false;
        loop {
            let Some(offset) = memchr(b'"', &bytes[from..]) else {
                return Quoted::Open;
            };
            let quote = from + offset;
            match &bytes[quote + 1..] {
                [b'"', ..] => {
                    doubled = true;
                    from = quote + 2;
                }
                [byte, ..] if *byte == self.delimiter || *byte == self.terminator => {
                    return Quoted::Cell { end: quote, after: quote + 1, doubled };
                }
                [b'\r', b'\n', ..] if self.terminator == b'\n' => {
                    return Quoted::Cell { end: quote, after: quote + 2, doubled };
                }
                [] if whole => {
                    return Quoted::Cell { end: quote, after: quote + 1, doubled };
                }
                [] | [b'\r'] if !whole => return Quoted::Open,
                [..] => return Quoted::TextBehind { from: quote },
            }
        }
    }

    fn breaks(self, inside: &[u8]) -> u64 {
        memchr_iter(self.terminator, inside).count() as u64
    }

    /// Whether one of the whole lines inside a quoted cell has the delimiters of a line of the table.
    fn holds_lines(self, inside: &[u8], columns: Option<usize>) -> bool {
        let Some(delimiters) = columns.map(|columns| columns.saturating_sub(1)) else {
            return false;
        };
        let mut lines = inside.split(|&byte| byte == self.terminator);
        lines.next();
        lines.next_back();
        delimiters >= 2 && lines.any(|line| memchr_iter(self.delimiter, line).count() == delimiters)
    }
}

enum Quoted {
    /// The cell ends with the quote at `end`; what follows it (a delimiter, a line feed, the end) is at `after`.
    Cell { end: usize, after: usize, doubled: bool },
    /// Text follows the closing quote at `from`.
    TextBehind { from: usize },
    /// No closing quote yet.
    Open,
}

#[cfg(test)]
mod tests;
