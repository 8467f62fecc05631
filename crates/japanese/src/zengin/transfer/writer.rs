//! Writing a transfer file record by record, so that its length costs no memory.
//!
//! Invariant: a finished file has the trailer that its rows sum up to. A failed write ends the file: what stands in the
//! output then has no trailer, and banks refuse it.

use std::io::Write;

use super::error::TransferWriteError;
use super::field::{data, end, header, trailer};
use super::order::TransferOrder;
use super::payment::Transfer;
use super::record::Written;
use super::totals::TransferTotals;

/// A transfer file on its way into an output, which should be buffered: each record is one small write.
#[derive(Debug)]
#[must_use = "a transfer file without its trailer is not one; call `finish`"]
pub struct TransferWriter<W> {
    output: W,
    pub(super) totals: TransferTotals,
    incomplete: bool,
}

impl<W: Write> TransferWriter<W> {
    /// Begins the file with the header of an order.
    pub fn new(order: &TransferOrder, output: W) -> Result<Self, TransferWriteError> {
        let mut writer = Self { output, totals: TransferTotals::default(), incomplete: false };
        writer.write(&header_record(order))?;
        Ok(writer)
    }

    /// Writes one payment.
    ///
    /// A row that the trailer could not count is refused before any of it is written; the file can then be finished, and
    /// the row begins another.
    pub fn row(&mut self, transfer: &Transfer) -> Result<(), TransferWriteError> {
        let totals = self.totals.with(transfer.yen())?;
        self.write(&data_record(transfer))?;
        self.totals = totals;
        Ok(())
    }

    /// What the trailer will say of the rows written so far.
    pub fn totals(&self) -> TransferTotals {
        self.totals
    }

    /// Writes trailer and end, and gives the output back, flushed.
    pub fn finish(mut self) -> Result<W, TransferWriteError> {
        self.write(&trailer_record(self.totals))?;
        self.write(&Written::of_kind(end::KIND))?;
        self.output.flush()?;
        Ok(self.output)
    }

    fn write(&mut self, record: &Written) -> Result<(), TransferWriteError> {
        if self.incomplete {
            return Err(TransferWriteError::Incomplete);
        }
        self.incomplete = true;
        self.output.write_all(record.as_bytes())?;
        self.incomplete = false;
        Ok(())
    }
}

fn header_record(order: &TransferOrder) -> Written {
    let account = order.account();
    let mut record = Written::of_kind(header::KIND);
    record.number(header::TYPE_CODE, header::TRANSFER);
    record.number(header::CODE_CLASS, header::JIS);
    record.letters(header::CONSIGNOR_CODE, order.consignor_code().as_str());
    record.letters(header::CONSIGNOR_NAME, order.consignor_name());
    record.number(header::MONTH, order.month().into());
    record.number(header::DAY, order.day().into());
    record.letters(header::BANK_CODE, account.bank_code().as_str());
    record.letters(header::BANK_NAME, order.bank_name().unwrap_or_default());
    record.letters(header::BRANCH_CODE, account.branch_code().as_str());
    record.letters(header::BRANCH_NAME, order.branch_name().unwrap_or_default());
    record.number(header::ACCOUNT_TYPE, account.account_type().code().into());
    record.letters(header::ACCOUNT_NUMBER, account.account_number().as_str());
    record
}

fn data_record(transfer: &Transfer) -> Written {
    let account = transfer.account();
    let mut record = Written::of_kind(data::KIND);
    record.letters(data::BANK_CODE, account.bank_code().as_str());
    record.letters(data::BRANCH_CODE, account.branch_code().as_str());
    record.number(data::CLEARING_HOUSE, 0);
    record.number(data::ACCOUNT_TYPE, account.account_type().code().into());
    record.letters(data::ACCOUNT_NUMBER, account.account_number().as_str());
    record.letters(data::PAYEE, transfer.payee());
    record.number(data::YEN, transfer.yen());
    record.number(data::NEW_CODE, data::NEITHER_NEW_NOR_CHANGED);
    if let Some(code) = transfer.customer_code() {
        record.letters(data::CUSTOMER_CODE, code);
        record.letters(data::CUSTOMER_CODE_FORM, data::ONE_TEXT);
    }
    record.number(data::SPEED, data::BY_WIRE);
    record
}

fn trailer_record(totals: TransferTotals) -> Written {
    let mut record = Written::of_kind(trailer::KIND);
    record.number(trailer::ROWS, totals.rows().into());
    record.number(trailer::YEN, totals.yen());
    record
}
