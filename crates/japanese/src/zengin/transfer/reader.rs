//! Reading a transfer file back: to check one before it goes to the bank, and for files that a bank hands back.
//!
//! Records may or may not have CR LF behind them. Names of the payee's bank, 手形交換所番号, 新規コード, 振込指定区分 and
//! the fields without a meaning are not looked at, for banks differ in them. Invariant: what is returned has the trailer
//! that its rows sum up to, and was one file of one header.

use super::error::{TransferErrorKind, TransferReadError, TransferReadErrorKind};
use super::field::{RECORD_KIND, data, end, header, trailer};
use super::order::{OrderFields, TransferOrder};
use super::payment::{Transfer, TransferFields};
use super::record::{LINE_END, RECORD_BYTES, Read};
use super::totals::TransferTotals;

/// What a transfer file says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TransferFile {
    /// The header.
    pub order: TransferOrder,
    /// The data records, in their order.
    pub rows: Vec<Transfer>,
    /// The trailer, which was found to be the sum of the rows.
    pub totals: TransferTotals,
}

/// Reads a whole file of records of 120 bytes, or of 122 with their line ends.
pub fn read_transfer_file(bytes: &[u8]) -> Result<TransferFile, TransferReadError> {
    let mut records = Records { rest: bytes, number: 0 };
    let first = records.next()?;
    if first.value(RECORD_KIND)? != header::KIND {
        return Err(first.error(RECORD_KIND.name, TransferReadErrorKind::OutOfPlace));
    }
    let order = read_order(first)?;
    let mut rows = Vec::new();
    let mut totals = TransferTotals::default();
    let closing = loop {
        let record = records.next()?;
        match record.value(RECORD_KIND)? {
            data::KIND => {
                let row = read_row(record)?;
                totals = totals.with(row.yen()).map_err(|_| {
                    record.error(data::YEN.name, TransferReadErrorKind::DiffersFromRows)
                })?;
                rows.push(row);
            }
            trailer::KIND => break record,
            _ => return Err(record.error(RECORD_KIND.name, TransferReadErrorKind::OutOfPlace)),
        }
    };
    for (field, sum) in [(trailer::ROWS, u64::from(totals.rows())), (trailer::YEN, totals.yen())] {
        if closing.value(field)? != sum {
            return Err(closing.error(field.name, TransferReadErrorKind::DiffersFromRows));
        }
    }
    let last = records.next()?;
    if last.value(RECORD_KIND)? != end::KIND {
        return Err(last.error(RECORD_KIND.name, TransferReadErrorKind::OutOfPlace));
    }
    records.nothing_follows()?;
    Ok(TransferFile { order, rows, totals })
}

/// The records of a file, cut one after the other.
struct Records<'a> {
    rest: &'a [u8],
    number: usize,
}

impl<'a> Records<'a> {
    fn next(&mut self) -> Result<Read<'a>, TransferReadError> {
        self.number += 1;
        if self.rest.is_empty() {
            return Err(self.error(TransferReadErrorKind::Missing));
        }
        let (bytes, rest) = self
            .rest
            .split_first_chunk::<RECORD_BYTES>()
            // A line end inside means that the record is short and the next one has begun.
            .filter(|(bytes, _)| !bytes.iter().any(|byte| LINE_END.contains(byte)))
            .ok_or_else(|| self.error(TransferReadErrorKind::WrongLength))?;
        self.rest = rest.strip_prefix(LINE_END).unwrap_or(rest);
        Ok(Read { number: self.number, bytes })
    }

    fn nothing_follows(&self) -> Result<(), TransferReadError> {
        if self.rest.is_empty() {
            return Ok(());
        }
        let number = self.number + 1;
        let kind = TransferReadErrorKind::OutOfPlace;
        Err(TransferReadError { record: number, field: "record", kind })
    }

    fn error(&self, kind: TransferReadErrorKind) -> TransferReadError {
        TransferReadError { record: self.number, field: "record", kind }
    }
}

fn read_order(record: Read<'_>) -> Result<TransferOrder, TransferReadError> {
    for (field, wanted) in
        [(header::TYPE_CODE, header::TRANSFER), (header::CODE_CLASS, header::JIS)]
    {
        if record.value(field)? != wanted {
            return Err(record.error(field.name, TransferReadErrorKind::NotSupported));
        }
    }
    // Two digits fit.
    let two = |field| record.value(field).map(|value| value as u8);
    TransferOrder::parse(OrderFields {
        consignor_code: record.digits(header::CONSIGNOR_CODE)?,
        consignor_name: &record.letters(header::CONSIGNOR_NAME)?,
        month: two(header::MONTH)?,
        day: two(header::DAY)?,
        bank_code: record.digits(header::BANK_CODE)?,
        bank_name: Some(&record.letters(header::BANK_NAME)?),
        branch_code: record.digits(header::BRANCH_CODE)?,
        branch_name: Some(&record.letters(header::BRANCH_NAME)?),
        account_type: record.digits(header::ACCOUNT_TYPE)?,
        account_number: record.digits(header::ACCOUNT_NUMBER)?,
    })
    .map_err(|error| record.error(error.field, error.kind))
}

fn read_row(record: Read<'_>) -> Result<Transfer, TransferReadError> {
    Transfer::parse(TransferFields {
        bank_code: record.digits(data::BANK_CODE)?,
        branch_code: record.digits(data::BRANCH_CODE)?,
        account_type: record.digits(data::ACCOUNT_TYPE)?,
        account_number: record.digits(data::ACCOUNT_NUMBER)?,
        payee: &record.letters(data::PAYEE)?,
        yen: record.value(data::YEN)?,
        customer_code: customer_code(record)?.as_deref(),
    })
    .map_err(|error| record.error(error.field, error.kind))
}

/// The 20 cells as one text, or as the digits of two codes; zeros alone are no code.
fn customer_code(record: Read<'_>) -> Result<Option<String>, TransferReadError> {
    let text = record.letters(data::CUSTOMER_CODE)?;
    if record.letters(data::CUSTOMER_CODE_FORM)? == data::ONE_TEXT {
        return Ok(Some(text));
    }
    if !text.bytes().all(|byte| byte.is_ascii_digit() || byte == b' ') {
        return Err(record.error(data::CUSTOMER_CODE.name, TransferErrorKind::NotDigits));
    }
    Ok(text.contains(|letter| matches!(letter, '1'..='9')).then_some(text))
}
