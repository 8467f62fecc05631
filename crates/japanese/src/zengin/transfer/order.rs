//! The order that a transfer file begins with: who pays, from which account, on which day.
//!
//! Invariant: an order fits its header record. The record has no year, so 29 February is a day; whether banks work on
//! it is left to the caller.

use super::account::{Account, AccountType, Digits};
use super::error::{TransferError, TransferErrorKind};
use super::field::{Field, header};
use crate::zengin::{ZenginError, to_zengin};

/// Cells of the consignor's name.
pub const CONSIGNOR_CELLS: usize = header::CONSIGNOR_NAME.cells();

/// The parts of an order as text, before they are checked.
#[derive(Clone, Copy)]
pub struct OrderFields<'a> {
    /// 振込依頼人コード: ten digits that the bank gave.
    pub consignor_code: &'a str,
    /// 振込依頼人名 in kana of any width, at most [`CONSIGNOR_CELLS`] cells.
    pub consignor_name: &'a str,
    /// Month of 振込指定日, 1-12.
    pub month: u8,
    /// Day of 振込指定日.
    pub day: u8,
    /// 仕向銀行番号: four digits.
    pub bank_code: &'a str,
    /// 仕向銀行名, where the bank wants it, at most 15 cells.
    pub bank_name: Option<&'a str>,
    /// 仕向支店番号: three digits.
    pub branch_code: &'a str,
    /// 仕向支店名, where the bank wants it, at most 15 cells.
    pub branch_name: Option<&'a str>,
    /// 預金種目 as code or word: 普通, 当座 or その他.
    pub account_type: &'a str,
    /// 口座番号: up to seven digits.
    pub account_number: &'a str,
}

/// Who pays, from where and when.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TransferOrder {
    consignor_code: Digits<10>,
    consignor_name: String,
    month: u8,
    day: u8,
    account: Account,
    bank_name: Option<String>,
    branch_name: Option<String>,
}

impl TransferOrder {
    /// Checks every part. Names that do not fit are refused, not cut: they are set up once, and by hand.
    pub fn parse(fields: OrderFields<'_>) -> Result<Self, TransferError> {
        let account = Account::parse(
            fields.bank_code,
            fields.branch_code,
            fields.account_type,
            fields.account_number,
        )?;
        if account.account_type() == AccountType::Savings {
            return Err(TransferErrorKind::NotAnAccountType.at(header::ACCOUNT_TYPE.name));
        }
        let consignor_name = fitting(header::CONSIGNOR_NAME, fields.consignor_name)?
            .ok_or(TransferErrorKind::Missing.at(header::CONSIGNOR_NAME.name))?;
        check_day(fields.month, fields.day)?;
        let optional =
            |field, name: Option<&str>| name.map_or(Ok(None), |name| fitting(field, name));
        Ok(Self {
            consignor_code: Digits::exact(header::CONSIGNOR_CODE.name, fields.consignor_code)?,
            consignor_name,
            month: fields.month,
            day: fields.day,
            account,
            bank_name: optional(header::BANK_NAME, fields.bank_name)?,
            branch_name: optional(header::BRANCH_NAME, fields.branch_name)?,
        })
    }

    /// 振込依頼人コード.
    pub fn consignor_code(&self) -> &Digits<10> {
        &self.consignor_code
    }

    /// 振込依頼人名 in the core set.
    pub fn consignor_name(&self) -> &str {
        &self.consignor_name
    }

    /// Month of 振込指定日.
    pub fn month(&self) -> u8 {
        self.month
    }

    /// Day of 振込指定日.
    pub fn day(&self) -> u8 {
        self.day
    }

    /// The account that the money leaves.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// 仕向銀行名 in the core set.
    pub fn bank_name(&self) -> Option<&str> {
        self.bank_name.as_deref()
    }

    /// 仕向支店名 in the core set.
    pub fn branch_name(&self) -> Option<&str> {
        self.branch_name.as_deref()
    }
}

/// The text in the core set without blanks at its ends; `None` when nothing is left.
pub(super) fn in_core_set(field: Field, text: &str) -> Result<Option<String>, TransferError> {
    let written = to_zengin(text).map_err(|error| match error {
        ZenginError::OutsideCoreSet { position } => {
            TransferErrorKind::OutsideCoreSet { position }.at(field.name)
        }
    })?;
    let written = written.trim_matches(' ');
    Ok((!written.is_empty()).then(|| written.to_owned()))
}

/// [`in_core_set`] for a text that must not be cut.
pub(super) fn fitting(field: Field, text: &str) -> Result<Option<String>, TransferError> {
    let written = in_core_set(field, text)?;
    // Core letters take one cell each.
    if written.as_ref().is_some_and(|written| written.chars().count() > field.cells()) {
        return Err(TransferErrorKind::TooLong { cells: field.cells() }.at(field.name));
    }
    Ok(written)
}

fn check_day(month: u8, day: u8) -> Result<(), TransferError> {
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 29,
        _ => return Err(TransferErrorKind::NoSuchDay.at(header::MONTH.name)),
    };
    if (1..=days).contains(&day) {
        return Ok(());
    }
    Err(TransferErrorKind::NoSuchDay.at(header::DAY.name))
}
