//! Transfer files: a released batch as a bank takes it (全銀協 総合振込).
//!
//! The trailer's count and sum are those that were certified, or no file is made. Lines that a bank would refuse are left
//! out of a batch before anybody signs it.

use jiff::civil::Date;
use renkei_japanese::zengin::transfer::{
    OrderFields, Transfer, TransferError, TransferFields, TransferOrder, TransferWriteError,
    TransferWriter,
};
use renkei_tlog::leaf::{Counter, Operation};
use renkei_types::{BatchId, Reason};
use serde::{Deserialize, Serialize};

use crate::batch::{self, Batch, BatchState, PAYMENT_FIELDS, Payment};
use crate::command::{Command, Decision, Desk};
use crate::list::Totals;
use crate::mark::Mark;
use crate::permit::{Permit, Receive};
use crate::programme::Programme;
use crate::refusal::Refusal;
use crate::state::State;
use crate::store::Vault;

/// Who orders transfers, as the bank knows it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Consignor {
    /// 委託者コード, 10 digits.
    pub code: String,
    /// Name in half-width kana, 40 cells at most.
    pub name_kana: String,
    /// Bank code, 4 digits.
    pub bank_code: String,
    /// Branch code, 3 digits.
    pub branch_code: String,
    /// 1 普通, 2 当座, 9 その他.
    pub account_type: String,
    /// Account number, 7 digits.
    pub account_number: String,
}

impl Consignor {
    /// Whether a bank would take it.
    pub fn check(&self) -> Result<(), Refusal> {
        self.order(Date::constant(2026, 1, 5)).map(|_| ())
    }

    fn order(&self, day: Date) -> Result<TransferOrder, Refusal> {
        let order = TransferOrder::parse(OrderFields {
            consignor_code: &self.code,
            consignor_name: &self.name_kana,
            month: day.month().unsigned_abs(),
            day: day.day().unsigned_abs(),
            bank_code: &self.bank_code,
            bank_name: None,
            branch_code: &self.branch_code,
            branch_name: None,
            account_type: &self.account_type,
            account_number: &self.account_number,
        });
        order.map_err(|_| Refusal::field("programme.consignor"))
    }
}

/// The record of one payment, as the bank takes it.
pub(crate) fn record(cells: &[String], yen: u64) -> Result<Transfer, TransferError> {
    let cell = |name: &str| {
        let at = PAYMENT_FIELDS.iter().position(|field| *field == name);
        at.and_then(|at| cells.get(at)).map_or("", String::as_str)
    };
    Transfer::parse(TransferFields {
        bank_code: cell("bank_code"),
        branch_code: cell("branch_code"),
        account_type: cell("account_type"),
        account_number: cell("account_number"),
        payee: cell("account_holder_kana"),
        yen,
        customer_code: None,
    })
}

/// An account as a bank reads it: bank, branch, type, number, all digits written out. Whoever it belongs to.
pub(crate) fn account(
    [bank_code, branch_code, account_type, account_number]: [&str; 4],
) -> Result<String, TransferError> {
    let fields = TransferFields {
        bank_code,
        branch_code,
        account_type,
        account_number,
        payee: "ｱ",
        yen: 1,
        customer_code: None,
    };
    Ok(account_of(&Transfer::parse(fields)?))
}

/// The same of a transfer.
pub(crate) fn account_of(transfer: &Transfer) -> String {
    let account = transfer.account();
    let (bank, branch) = (account.bank_code(), account.branch_code());
    format!("{bank}{branch}{}{}", account.account_type().code(), account.account_number())
}

/// The account of a payment, in the order that [`account`] takes.
pub(crate) fn account_cells(payment: &Payment) -> [&str; 4] {
    ["bank_code", "branch_code", "account_type", "account_number"].map(|name| {
        let at = PAYMENT_FIELDS.iter().position(|field| *field == name);
        at.and_then(|at| payment.cells.get(at)).map_or("", String::as_str)
    })
}

/// The file of a batch.
pub fn write(vault: &Vault, programme: &Programme, batch: &Batch) -> Result<Vec<u8>, Refusal> {
    let consignor = programme.rules.consignor.as_ref();
    let consignor =
        consignor.ok_or(Refusal::new(Reason::WrongState).in_field("programme.consignor"))?;
    let order = consignor.order(programme.rules.transfer_date)?;
    let failed = |error: TransferWriteError| Refusal::internal(&error);
    let mut writer = TransferWriter::new(&order, Vec::new()).map_err(failed)?;
    for payment in batch::payments(vault, batch)? {
        let transfer = record(&payment.cells, payment.yen)
            .map_err(|error| Refusal::new(Reason::BankDetailsMissing).in_field(error.field))?;
        writer.row(&transfer).map_err(failed)?;
    }
    let written = writer.totals();
    if (Totals { lines: u64::from(written.rows()), yen: written.yen() }) != batch.totals {
        tracing::error!("a transfer file does not add up to its batch");
        return Err(Reason::TotalsDiffer.into());
    }
    writer.finish().map_err(failed)
}

/// Whether there may be a transfer file of a batch.
pub fn may_leave(state: &State, id: BatchId, batch: &Batch) -> Result<(), Refusal> {
    let is_out = matches!(batch.state, BatchState::Released | BatchState::Acknowledged);
    // Who asks for a batch that a hold keeps back is told of the hold.
    if is_out || batch.state == BatchState::Certified {
        crate::hold::check(state, id, batch)?;
    }
    // Not after the bank's result: a second file of the same transfers is how everybody is paid twice.
    if is_out { Ok(()) } else { Err(Reason::WrongState.into()) }
}

/// Notes that a transfer file is handed out.
#[derive(Debug)]
pub struct ExportTransfer {
    /// That the caller may.
    pub permit: Permit<Receive>,
    /// The batch.
    pub batch: BatchId,
}

impl Command for ExportTransfer {
    type Reply = ();
    const METHOD: &'static str = "ExportTransfer";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        let batch = desk.state.batches.get(&self.batch).ok_or(Reason::NoAgreement)?;
        may_leave(desk.state, self.batch, batch)?;
        desk.witnessed.check_release(desk.now)?;
        let Totals { lines, yen } = batch.totals;
        let mark = Mark::ok(Operation::Export)
            .about(self.batch)
            .under(&self.permit)
            .count(Counter::Out, lines)
            .yen_out(yen, lines, &desk.chance());
        Ok(Decision::new((), mark))
    }
}
