//! The transfer file of 全銀協 (総合振込, type 21): what a municipality hands its bank to pay many people at once.
//!
//! ```text
//! header    1 21 0 | consignor, day, bank, branch, account
//! data      2      | bank, branch, account, payee, yen, customer code     once per payment
//! trailer   8      | number of data records, sum of their yen
//! end       9
//! ```
//!
//! Every record has 120 bytes of JIS single-byte code and CR LF behind it. Digits stand right with zeros before them,
//! letters left with spaces behind them. Where each field stands is in `data/zengin_transfer_layout.tsv` of this crate,
//! compared across what banks publish, such as 全銀協制定ファイルフォーマット【総合振込】 of the 群馬銀行; a test holds
//! every written byte against that table. Fields that banks leave open are written as 手形交換所番号 0000, 新規コード 0
//! and 振込指定区分 7.
//! Invariant: a [`TransferOrder`] or a [`Transfer`] that exists can be written, and the trailer of a finished file is
//! the sum of its rows. Left to the caller: whether the bank and branch exist, whether the day is one on which banks
//! work, and what a single bank asks for beyond the common form.

mod account;
mod error;
mod field;
mod order;
mod payment;
mod reader;
mod record;
mod totals;
mod writer;

pub use account::{Account, AccountType, Digits, JAPAN_POST};
pub use error::{
    TransferError, TransferErrorKind, TransferReadError, TransferReadErrorKind, TransferWriteError,
};
pub use order::{CONSIGNOR_CELLS, OrderFields, TransferOrder};
pub use payment::{CUSTOMER_CODE_CELLS, Transfer, TransferFields, YEN_MAX};
pub use reader::{TransferFile, read_transfer_file};
pub use totals::{ROWS_MAX, TOTAL_YEN_MAX, TransferTotals};
pub use writer::TransferWriter;

#[cfg(test)]
mod tests;
