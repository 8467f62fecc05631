//! Entries of the delivery feed as a table, counted while they are written.
//!
//! Every entry begins with what it pays and ends with what was sent; what arrived must be both, to the line and to the
//! yen, and numbers must follow each other. Invariant: only an entry of which all three agree can be acknowledged.

use std::path::{Path, PathBuf};

use renkei_api::v1::subscribe_response::Part;
use renkei_api::v1::{EntryHeader, EntryTrailer, Payment, Totals};
use renkei_tables::{Column, TableWriter};

use super::error::BrokerError;
use super::written_table::ExactArgument;
use crate::failure::Failure;

/// The columns before the fields that the agreement allows.
const COLUMNS: [&str; 6] = ["number", "batch_id", "list", "list_id", "register_id", "amount"];

/// Entries on their way to a file.
#[derive(Debug)]
pub(super) struct Payments {
    output: PathBuf,
    exact: ExactArgument,
    /// Created with the first payment, whose fields decide the columns.
    writer: Option<(Vec<String>, TableWriter)>,
    /// Number of the last entry that was received whole, or that the receiver had before.
    last: u64,
    current: Option<Entry>,
    complete: Vec<EntryHeader>,
}

#[derive(Debug)]
struct Entry {
    header: EntryHeader,
    counted: Totals,
    /// The receiver has it already.
    known: bool,
}

fn answer(what: &'static str) -> Failure {
    BrokerError::Answer { what }.into()
}

impl Payments {
    /// Entries after number `after` go to `output`.
    pub(super) fn new(output: &Path, exact: ExactArgument, after: u64) -> Self {
        Self {
            output: output.to_owned(),
            exact,
            writer: None,
            last: after,
            current: None,
            complete: Vec::new(),
        }
    }

    /// Number of the last entry that was received whole, or that the receiver had before.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// Takes the next part of the feed.
    pub(super) fn take(&mut self, part: Part) -> Result<(), Failure> {
        match part {
            Part::Header(header) => self.begin(header),
            Part::Rows(rows) => rows.payments.iter().try_for_each(|payment| self.pay(payment)),
            Part::Trailer(trailer) => self.end(&trailer),
        }
    }

    fn begin(&mut self, header: EntryHeader) -> Result<(), Failure> {
        if self.current.is_some() {
            return Err(answer("an entry of the feed that does not end"));
        }
        let known = header.number <= self.last;
        if !known && header.number != self.last + 1 {
            return Err(answer("a gap in the numbers of the feed"));
        }
        self.current = Some(Entry { header, counted: Totals::default(), known });
        Ok(())
    }

    fn pay(&mut self, payment: &Payment) -> Result<(), Failure> {
        let entry = self.current.as_mut().ok_or_else(|| answer("payments outside an entry"))?;
        entry.counted.lines += 1;
        let yen = entry.counted.yen.checked_add(payment.yen);
        entry.counted.yen = yen.ok_or_else(|| answer("yen that cannot be counted"))?;
        if entry.known {
            return Ok(());
        }
        let (fields, writer) = match &mut self.writer {
            Some(writer) => writer,
            None => {
                let fields = payment.cells.iter().map(|cell| cell.field.clone()).collect();
                self.writer.insert(create(&self.output, self.exact, fields)?)
            }
        };
        if payment.cells.iter().any(|cell| !fields.contains(&cell.field)) {
            return Err(answer("a payment with other fields than the first one"));
        }
        let (number, yen) = (entry.header.number.to_string(), payment.yen.to_string());
        let mut row = vec![
            number.as_str(),
            &entry.header.batch_id,
            &entry.header.list_id,
            &payment.list_id,
            &payment.register_id,
            &yen,
        ];
        row.extend(fields.iter().map(|field| {
            let cell = payment.cells.iter().find(|cell| cell.field == *field);
            cell.map_or("", |cell| cell.value.as_str())
        }));
        Ok(writer.row(row)?)
    }

    fn end(&mut self, trailer: &EntryTrailer) -> Result<(), Failure> {
        let entry = self.current.take().ok_or_else(|| answer("an end outside an entry"))?;
        let (number, counted) = (entry.header.number, entry.counted);
        if trailer.number != number {
            return Err(answer("an entry that ends under another number"));
        }
        for announced in [entry.header.totals, trailer.totals] {
            let announced = announced.unwrap_or_default();
            if announced != counted {
                let error = BrokerError::EntryDiffers {
                    number,
                    received: (counted.lines, counted.yen),
                    announced: (announced.lines, announced.yen),
                };
                return Err(error.into());
            }
        }
        if !entry.known {
            self.last = number;
            self.complete.push(entry.header);
        }
        Ok(())
    }

    /// Makes the file durable. Answers the entries that can be acknowledged, and how many cells are not exactly what was sent.
    pub(super) fn finish(self) -> Result<(Vec<EntryHeader>, u64), Failure> {
        if self.current.is_some() {
            return Err(answer("a feed that ends within an entry"));
        }
        let (_, writer) = match self.writer {
            Some(writer) => writer,
            None => create(&self.output, self.exact, Vec::new())?,
        };
        let changed = writer.changed_cells();
        writer.finish()?;
        Ok((self.complete, changed))
    }
}

fn create(
    output: &Path,
    exact: ExactArgument,
    fields: Vec<String>,
) -> Result<(Vec<String>, TableWriter), Failure> {
    let fixed = COLUMNS.iter().map(|&name| match name {
        "number" | "amount" => Column::integer(name),
        _ => Column::text(name),
    });
    let shown = fields.iter().map(|field| {
        let taken = COLUMNS.contains(&field.as_str());
        Column::text(if taken { format!("list.{field}") } else { field.clone() })
    });
    let columns: Vec<Column> = fixed.chain(shown).collect();
    Ok((fields, exact.create(output, &columns)?))
}

#[cfg(test)]
mod tests {
    use renkei_api::v1::{Cell, EntryRows};

    use super::*;
    use crate::failure::Exit;

    fn header(number: u64, lines: u64, yen: u64) -> Part {
        let totals = Some(Totals { lines, yen });
        let batch_id = format!("batch_{number}");
        let list_id = "list_1".to_owned();
        Part::Header(EntryHeader { number, batch_id, list_id, totals, ..EntryHeader::default() })
    }

    fn rows(yen: &[u64]) -> Part {
        let payment = |(place, yen): (usize, &u64)| Payment {
            list_id: format!("a-{place}"),
            register_id: format!("0{place}"),
            yen: *yen,
            cells: vec![Cell { field: "bank_code".to_owned(), value: "0001".to_owned() }],
        };
        Part::Rows(EntryRows { payments: yen.iter().enumerate().map(payment).collect() })
    }

    fn trailer(number: u64, lines: u64, yen: u64) -> Part {
        Part::Trailer(EntryTrailer { number, totals: Some(Totals { lines, yen }) })
    }

    fn read(after: u64, parts: Vec<Part>) -> (Result<Vec<EntryHeader>, Failure>, Option<String>) {
        let folder = tempfile::tempdir().expect("a folder");
        let output = folder.path().join("payments.csv");
        let mut payments = Payments::new(&output, ExactArgument::default(), after);
        let taken = parts.into_iter().try_for_each(|part| payments.take(part));
        let done = taken.and_then(|()| payments.finish()).map(|(entries, _)| entries);
        (done, fs_err::read_to_string(&output).ok())
    }

    #[test]
    fn entries_that_agree_are_written_and_can_be_acknowledged() {
        let (done, text) = read(
            0,
            vec![
                header(1, 2, 30),
                rows(&[10, 20]),
                trailer(1, 2, 30),
                header(2, 0, 0),
                trailer(2, 0, 0),
            ],
        );
        let numbers: Vec<u64> = done
            .map_err(|_| "refused")
            .expect("entries")
            .iter()
            .map(|entry| entry.number)
            .collect();
        assert_eq!(numbers, [1, 2]);
        let lines: Vec<String> = text.expect("a file").lines().map(str::to_owned).collect();
        assert_eq!(lines[0], "number,batch_id,list,list_id,register_id,amount,bank_code");
        assert_eq!(lines[1], "1,batch_1,list_1,a-0,00,10,0001");
        assert_eq!(lines.len(), 3);
    }

    #[test]
    fn an_entry_that_differs_in_a_line_or_a_yen_is_refused_and_leaves_no_file() {
        for parts in [
            vec![header(1, 2, 30), rows(&[10, 21]), trailer(1, 2, 30)],
            vec![header(1, 2, 30), rows(&[30]), trailer(1, 2, 30)],
            vec![header(1, 2, 30), rows(&[10, 20]), trailer(1, 2, 31)],
            vec![header(1, 2, 30), rows(&[10, 20]), trailer(1, 3, 30)],
        ] {
            let (done, text) = read(0, parts);
            assert_eq!(done.expect_err("differs").exit(), Exit::Refused);
            assert_eq!(text, None);
        }
    }

    #[test]
    fn a_gap_an_open_end_and_payments_outside_an_entry_are_refused() {
        for parts in [
            vec![header(2, 0, 0), trailer(2, 0, 0)],
            vec![header(1, 0, 0), trailer(2, 0, 0)],
            vec![header(1, 0, 0)],
            vec![header(1, 0, 0), header(2, 0, 0)],
            vec![rows(&[1])],
            vec![trailer(1, 0, 0)],
            vec![header(1, 2, u64::MAX), rows(&[u64::MAX, 1])],
        ] {
            let (done, text) = read(0, parts);
            assert!(done.is_err() && text.is_none());
        }
    }

    #[test]
    fn an_entry_that_the_receiver_has_is_left_out() {
        let (done, text) = read(
            1,
            vec![
                header(1, 1, 5),
                rows(&[5]),
                trailer(1, 1, 5),
                header(2, 1, 7),
                rows(&[7]),
                trailer(2, 1, 7),
            ],
        );
        let done = done.map_err(|_| "refused").expect("entries");
        assert_eq!(done.iter().map(|entry| entry.number).collect::<Vec<_>>(), [2]);
        assert_eq!(text.expect("a file").lines().count(), 2);
    }

    #[test]
    fn an_empty_feed_is_a_header_alone() {
        let (done, text) = read(9, Vec::new());
        assert!(done.is_ok_and(|entries| entries.is_empty()));
        assert_eq!(text.as_deref(), Some("number,batch_id,list,list_id,register_id,amount\n"));
    }
}
