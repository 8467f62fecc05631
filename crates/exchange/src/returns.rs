//! Returned transfers (振込不能, 組戻): what the bank says came back of a batch.
//!
//! A report closes a batch: what it does not name is paid. Later reports may name more. Each of its rows must fit exactly
//! one transfer of the batch that is still out, or nothing of the report is taken, and the line is named: a row that fits
//! nothing means that the file belongs to another batch, and half a report would leave a sheet that nobody can trust.
//!
//! A returned line is open again, for one more payment: see [`crate::supersede`]. Its payee is no longer paid.
//!
//! Two forms are read: a table with the id of the line or the account, the amount, and whatever else the bank writes
//! beside them (a row that has both must have both right); and a transfer file (全銀協) of the transfers that failed. An account that occurs several times with one
//! amount is told apart by the id of the line only, unless all of them came back.

use std::collections::HashMap;
use std::sync::Arc;

use renkei_japanese::zengin::transfer::read_transfer_file;
use renkei_tables::{ReadOptions, TableReader, built_in_column};
use renkei_tlog::leaf::{Counter, Operation};
use renkei_types::{BatchId, Reason, Yen};

use crate::batch::{Batch, BatchState, PAYMENT_FIELDS, Payment, payments};
use crate::book::{Book, BookChange};
use crate::command::{Call, Command, Decision, Desk, Done};
use crate::ledger::Exchange;
use crate::list::Totals;
use crate::mark::Mark;
use crate::permit::{Permit, Receive};
use crate::refusal::Refusal;
use crate::transfer;

/// Largest report.
pub const REPORT_BYTES_MAX: usize = 3 << 20;

/// The first byte of a transfer file, which no header of a table begins with.
const TRANSFER_FILE: &[u8] = b"121";

/// One row of a report.
#[derive(Clone, Debug, Eq, PartialEq)]
struct ReportedRow {
    /// Line of the file, from 1.
    line: u64,
    whom: Whom,
    /// The account, where the row has it beside the line's id: both must be right.
    account: Option<String>,
    yen: u64,
}

/// Which transfer a row means.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Whom {
    /// That of the line with this id.
    Line(String),
    /// That into this account.
    Account(String),
}

fn read_report(bytes: &[u8]) -> Result<Vec<ReportedRow>, Refusal> {
    if bytes.len() > REPORT_BYTES_MAX {
        return Err(Refusal::new(Reason::TooLarge).in_field("file"));
    }
    if bytes.starts_with(TRANSFER_FILE) {
        let file = read_transfer_file(bytes).map_err(|error| {
            Refusal::new(Reason::UnreadableFile).in_field("file").at_line(error.record as u64)
        })?;
        // The header is the first record.
        let rows = (2u64..).zip(&file.rows).map(|(line, row)| ReportedRow {
            line,
            whom: Whom::Account(transfer::account_of(row)),
            account: None,
            yen: row.yen(),
        });
        return Ok(rows.collect());
    }
    read_table(bytes)
}

fn read_table(bytes: &[u8]) -> Result<Vec<ReportedRow>, Refusal> {
    let unreadable = |_| Refusal::new(Reason::UnreadableFile).in_field("file");
    let mut reader = TableReader::from_bytes(bytes.to_vec(), "report", &ReadOptions::default())
        .map_err(unreadable)?;
    let header = reader.header().to_vec();
    let column = |name: &str| built_in_column(&header, name);
    let missing = || Refusal::new(Reason::ColumnMissing).in_field("file");
    let amount = column("amount").ok_or_else(missing)?;
    let id = column("benefit_id");
    let accounts =
        PAYMENT_FIELDS[1..].iter().map(|field| column(field)).collect::<Option<Vec<_>>>();
    if id.is_none() && accounts.is_none() {
        return Err(missing());
    }
    let mut rows = Vec::new();
    while let Some(batch) = reader.next_batch().map_err(unreadable)? {
        if let Some(fault) = batch.faults.first() {
            let line = batch.lines.get(fault.row).copied();
            return Err(Refusal { line, ..Reason::UnreadableFile.into() }.in_field("file"));
        }
        for row in 0..batch.rows() {
            let line = batch.lines.get(row).copied().unwrap_or_default();
            let wrong = |reason| Refusal::new(reason).at_line(line);
            let yen = Yen::read(batch.cell(amount, row));
            let yen = yen.map_err(|_| wrong(Reason::AmountUnreadable).in_field("amount"))?.0;
            let of_line = id.map_or("", |id| batch.cell(id, row)).trim();
            let cells = accounts.as_ref().map(|columns| {
                let cell = |at: usize| batch.cell(columns[at], row);
                [cell(0), cell(1), cell(2), cell(3)]
            });
            // A bank that knows the line's id need not write the account down again.
            let says = |cells: &[&str; 4]| cells.iter().any(|cell| !cell.trim().is_empty());
            let account = cells.filter(|cells| of_line.is_empty() || says(cells));
            let account = account.map(transfer::account).transpose();
            let account =
                account.map_err(|error| wrong(Reason::BankDetailsMissing).in_field(error.field))?;
            let (whom, account) = match account {
                account if !of_line.is_empty() => (Whom::Line(of_line.to_owned()), account),
                Some(account) => (Whom::Account(account), None),
                None => return Err(wrong(Reason::IdMissing)),
            };
            rows.push(ReportedRow { line, whom, account, yen });
        }
    }
    Ok(rows)
}

/// Finds the transfer of each row.
fn find(rows: &[ReportedRow], payments: &[Payment], book: &Book) -> Result<Vec<u32>, Refusal> {
    let mut out: HashMap<(Whom, u64), Vec<u32>> = HashMap::new();
    let mut accounts: HashMap<u32, String> = HashMap::new();
    for payment in payments {
        // What came back already, or was given back, cannot come back.
        if book.is_returned(payment.row) || book.refunded(payment.row) > 0 {
            continue;
        }
        let line = Whom::Line(payment.line.clone());
        out.entry((line, payment.yen)).or_default().push(payment.row);
        if let Ok(account) = transfer::account(transfer::account_cells(payment)) {
            accounts.insert(payment.row, account.clone());
            let account = Whom::Account(account);
            out.entry((account, payment.yen)).or_default().push(payment.row);
        }
    }
    let mut wanted: HashMap<(&Whom, u64), Vec<u64>> = HashMap::new();
    for row in rows {
        wanted.entry((&row.whom, row.yen)).or_default().push(row.line);
    }
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let lines = &wanted[&(&row.whom, row.yen)];
        let transfers = out.get(&(row.whom.clone(), row.yen)).map_or(&[][..], Vec::as_slice);
        let nth = lines.iter().position(|line| *line == row.line).unwrap_or_default();
        let Some(&transfer) = transfers.get(nth) else {
            return Err(Refusal::new(Reason::UnknownTransfer).at_line(row.line));
        };
        if transfers.len() > lines.len() {
            return Err(Refusal::new(Reason::AmbiguousTransfer).at_line(row.line));
        }
        // An id that stands beside another's account is a slip, and nobody knows which of the two is.
        if row.account.as_ref().is_some_and(|account| accounts.get(&transfer) != Some(account)) {
            let unknown = Refusal::new(Reason::UnknownTransfer).in_field("account_number");
            return Err(unknown.at_line(row.line));
        }
        found.push(transfer);
    }
    // One transfer may be named by its line and by its account.
    let mut seen = std::collections::HashSet::new();
    for (row, transfer) in rows.iter().zip(&found) {
        if !seen.insert(*transfer) {
            return Err(Refusal::new(Reason::UnknownTransfer).at_line(row.line));
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// What a report came to.
#[derive(Debug)]
struct Found {
    rows: Vec<u32>,
    counted: Totals,
    /// The version of the list on which it was read.
    version: u64,
}

/// Takes a bank's report on a batch. Blocks: for threads that may wait.
pub fn report(
    exchange: &Exchange,
    call: Call,
    permit: Permit<Receive>,
    id: BatchId,
    bytes: &[u8],
    declared: Totals,
) -> Result<Done<Totals>, Refusal> {
    let (state, book) = exchange.ask_now(move |desk| {
        let batch = desk.state.batches.get(&id).ok_or(Reason::NoAgreement)?;
        let list = batch.list;
        Ok((desk.state.clone(), desk.book(list)?))
    })?;
    let batch = state.batches.get(&id).ok_or(Reason::NoAgreement)?;
    let (_, linked) = state.linked_list(batch.list)?;
    let rows = read_report(bytes)?;
    let counted: Totals = rows.iter().map(|row| Totals { lines: 1, yen: row.yen }).sum();
    if counted != declared {
        return Err(Refusal::new(Reason::TotalsDiffer).in_field("declared"));
    }
    // A repetition of a call that was answered finds them returned already; the stored answer tells.
    let found = find(&rows, &payments(exchange.vault(), batch)?, &book).map(|rows| Found {
        rows,
        counted,
        version: linked.version,
    });
    exchange.execute_now(call, ReportReturns { permit, batch: id, found })
}

struct ReportReturns {
    permit: Permit<Receive>,
    batch: BatchId,
    found: Result<Found, Refusal>,
}

/// A batch whose transfers can come back or be given back.
pub(crate) fn sent(state: &crate::State, id: BatchId) -> Result<Arc<Batch>, Refusal> {
    let batch = state.batches.get_shared(&id).ok_or(Reason::NoAgreement)?;
    match batch.state {
        BatchState::Acknowledged | BatchState::Paid => Ok(batch),
        BatchState::Released => Err(Reason::NotDelivered.into()),
        BatchState::Proposed | BatchState::Certified | BatchState::Withdrawn => {
            Err(Reason::WrongState.into())
        }
    }
}

impl Command for ReportReturns {
    type Reply = Totals;
    const METHOD: &'static str = "ReportReturns";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<Totals>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        let batch = sent(desk.state, self.batch)?;
        let found = self.found.as_ref().map_err(|refusal| *refusal)?;
        let (list, linked) = desk.state.linked_list(batch.list)?;
        let (list_id, key) = (batch.list, list.key);
        if linked.version != found.version {
            return Err(Reason::VersionOld.into());
        }
        // Opens it, so that the change can be held against it.
        desk.book(list_id)?;
        desk.state.batches.change(&self.batch, |batch| {
            batch.state = BatchState::Paid;
            batch.returned += found.counted;
        });
        changed(desk, &batch);
        let Totals { lines, yen } = found.counted;
        let mark = Mark::ok(Operation::Return)
            .about(self.batch)
            .under(&self.permit)
            .count(Counter::Returned, lines)
            .yen_in(yen, lines, &desk.chance());
        let change = BookChange::Returned { batch: self.batch, rows: found.rows.clone() };
        Ok(Decision::new(found.counted, mark).with_book(list_id, key, change))
    }
}

/// The one batch of a list whose transfers can come back; the caller must say which where there are several.
pub fn only_batch(state: &crate::State, list: renkei_types::ListId) -> Result<BatchId, Refusal> {
    let list = state.lists.get(&list).ok_or(Reason::NoAgreement)?;
    let mut sent = list.batches.iter().filter(|id| sent(state, **id).is_ok());
    match (sent.next(), sent.next()) {
        (Some(id), None) => Ok(*id),
        (Some(_), Some(_)) => Err(Refusal::field("batch_id")),
        (None, _) => Err(Reason::WrongState.into()),
    }
}

/// Whoever is drawing up a batch of the programme, or correcting the list, reads again.
pub(crate) fn changed(desk: &mut Desk<'_>, batch: &Batch) {
    desk.state.lists.change(&batch.list, |list| {
        if let Some(linked) = &mut list.linked {
            linked.version += 1;
        }
    });
    desk.state.programmes.change(&batch.programme, |programme| programme.batches += 1);
}
