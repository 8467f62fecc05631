//! One payment: a row of a transfer file.
//!
//! Invariant: a [`Transfer`] fits its data record, and the payee's name, where it was cut, ends with a whole kana.
//! Nothing in a row but account and payee tells who is paid; the customer code is the place for a reference to the line
//! of the list, which some banks hand back.

use std::fmt;

use super::account::Account;
use super::error::{TransferError, TransferErrorKind};
use super::field::data;
use super::order::{fitting, in_core_set};
use crate::zengin::{PAYEE_CELLS, truncate};

/// The largest amount of one transfer.
pub const YEN_MAX: u64 = 9_999_999_999;

/// Cells of the customer code.
pub const CUSTOMER_CODE_CELLS: usize = data::CUSTOMER_CODE.cells();

/// The parts of a transfer as a list has them, before they are checked.
#[derive(Clone, Copy)]
pub struct TransferFields<'a> {
    /// 被仕向銀行番号: four digits.
    pub bank_code: &'a str,
    /// 被仕向支店番号: three digits.
    pub branch_code: &'a str,
    /// 預金種目 as code or word.
    pub account_type: &'a str,
    /// 口座番号: up to seven digits.
    pub account_number: &'a str,
    /// 受取人名 in kana of any kind; what does not fit is cut.
    pub payee: &'a str,
    /// 振込金額.
    pub yen: u64,
    /// A reference for the payer, at most [`CUSTOMER_CODE_CELLS`] cells. Small letters come back as capitals, so two
    /// references must not differ in that alone. Written as EDI情報, which banks may pass
    /// on to the payee; it must not name a person.
    pub customer_code: Option<&'a str>,
}

/// A payment to one account.
#[derive(Clone, Eq, PartialEq)]
pub struct Transfer {
    account: Account,
    payee: String,
    yen: u64,
    customer_code: Option<String>,
}

impl Transfer {
    /// Checks every part, and writes the payee as banks take it.
    pub fn parse(fields: TransferFields<'_>) -> Result<Self, TransferError> {
        let account = Account::parse(
            fields.bank_code,
            fields.branch_code,
            fields.account_type,
            fields.account_number,
        )?;
        let payee = in_core_set(data::PAYEE, fields.payee)?
            .ok_or(TransferErrorKind::Missing.at(data::PAYEE.name))?;
        if !(1..=YEN_MAX).contains(&fields.yen) {
            return Err(TransferErrorKind::AmountOutOfRange.at(data::YEN.name));
        }
        let customer_code =
            fields.customer_code.map_or(Ok(None), |code| fitting(data::CUSTOMER_CODE, code))?;
        Ok(Self {
            account,
            payee: truncate(&payee, PAYEE_CELLS).trim_end_matches(' ').to_owned(),
            yen: fields.yen,
            customer_code,
        })
    }

    /// The account that the money goes to.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// 受取人名 in the core set, at most [`PAYEE_CELLS`] cells.
    pub fn payee(&self) -> &str {
        &self.payee
    }

    /// 振込金額.
    pub fn yen(&self) -> u64 {
        self.yen
    }

    /// The payer's reference in the core set.
    pub fn customer_code(&self) -> Option<&str> {
        self.customer_code.as_deref()
    }
}

/// Says nothing of who is paid: a debug print ends up in a log.
impl fmt::Debug for Transfer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transfer").finish_non_exhaustive()
    }
}
