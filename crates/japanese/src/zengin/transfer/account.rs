//! A bank account as transfer files name it: bank, branch, type, number.
//!
//! Lists write account numbers without their leading zeros, account types as words, and for ゆうちょ銀行 the 記号 and
//! 番号 of the passbook, which no other bank can pay to. Invariant: an [`Account`] has all its digits, and one of
//! ゆうちょ銀行 has a branch that ends in 8 or 9. A 番号 of exactly seven digits cannot be told from an account number;
//! only the bank finds it.

use std::fmt;

use super::error::{TransferError, TransferErrorKind};
use crate::text;

/// The bank code of ゆうちょ銀行.
pub const JAPAN_POST: &str = "9900";

/// Digits of a 記号, which takes the place of the branch in a passbook of ゆうちょ銀行.
const JAPAN_POST_SYMBOL_DIGITS: usize = 5;

/// A number of exactly `N` digits, leading zeros included.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct Digits<const N: usize>([u8; N]);

impl<const N: usize> Digits<N> {
    /// Exactly `N` digits of any width.
    pub(super) fn exact(field: &'static str, text: &str) -> Result<Self, TransferError> {
        Self::of_digits(&read_digits(field, text)?)
            .ok_or(TransferErrorKind::WrongLength { digits: N }.at(field))
    }

    /// Up to `N` digits of any width; zeros that a spreadsheet lost are put back in front.
    fn padded(field: &'static str, text: &str) -> Result<Self, TransferError> {
        Self::of_digits(&format!("{:0>N$}", read_digits(field, text)?))
            .ok_or(TransferErrorKind::TooManyDigits { digits: N }.at(field))
    }

    fn of_digits(digits: &str) -> Option<Self> {
        digits.as_bytes().try_into().ok().map(Self)
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        // ASCII digits are always UTF-8, so the default never comes.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl<const N: usize> fmt::Display for Digits<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Tells how many digits there are, not which: a debug print ends up in a log.
impl<const N: usize> fmt::Debug for Digits<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digits<{N}>(..)")
    }
}

/// The digits of a text as ASCII, blanks at both ends aside.
fn read_digits(field: &'static str, text: &str) -> Result<String, TransferError> {
    let folded = text::fold(text);
    let digits = folded.trim();
    if digits.is_empty() {
        return Err(TransferErrorKind::Missing.at(field));
    }
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(TransferErrorKind::NotDigits.at(field));
    }
    Ok(digits.to_owned())
}

/// 預金種目.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum AccountType {
    /// 普通, code 1.
    Ordinary,
    /// 当座, code 2.
    Current,
    /// 貯蓄, code 4; only a payee may have one.
    Savings,
    /// その他, code 9.
    Other,
}

impl AccountType {
    /// Reads the code or the word, in any width, also with 預金 behind the word.
    pub(super) fn read(field: &'static str, text: &str) -> Result<Self, TransferError> {
        let folded = text::fold(text);
        let word = folded.trim();
        match word.strip_suffix("預金").unwrap_or(word) {
            "" => Err(TransferErrorKind::Missing.at(field)),
            "1" | "普通" => Ok(Self::Ordinary),
            "2" | "当座" => Ok(Self::Current),
            "4" | "貯蓄" => Ok(Self::Savings),
            "9" | "その他" => Ok(Self::Other),
            _ => Err(TransferErrorKind::NotAnAccountType.at(field)),
        }
    }

    /// The code in bank files.
    pub fn code(self) -> u8 {
        match self {
            Self::Ordinary => 1,
            Self::Current => 2,
            Self::Savings => 4,
            Self::Other => 9,
        }
    }
}

/// An account at a bank.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Account {
    bank_code: Digits<4>,
    branch_code: Digits<3>,
    account_type: AccountType,
    account_number: Digits<7>,
}

impl Account {
    /// Reads the four parts; errors name the part as the fields of an order and of a transfer do.
    pub(super) fn parse(
        bank_code: &str,
        branch_code: &str,
        account_type: &str,
        account_number: &str,
    ) -> Result<Self, TransferError> {
        let bank_code = Digits::exact("bank_code", bank_code)?;
        if bank_code.as_str() == JAPAN_POST {
            refuse_unconverted(branch_code, account_number)?;
        }
        Ok(Self {
            bank_code,
            branch_code: Digits::exact("branch_code", branch_code)?,
            account_type: AccountType::read("account_type", account_type)?,
            account_number: Digits::padded("account_number", account_number)?,
        })
    }

    /// 銀行番号.
    pub fn bank_code(&self) -> &Digits<4> {
        &self.bank_code
    }

    /// 支店番号.
    pub fn branch_code(&self) -> &Digits<3> {
        &self.branch_code
    }

    /// 預金種目.
    pub fn account_type(&self) -> AccountType {
        self.account_type
    }

    /// 口座番号, with its leading zeros.
    pub fn account_number(&self) -> &Digits<7> {
        &self.account_number
    }
}

/// Refuses 記号 and 番号 of a passbook.
///
/// The number is not padded: 番号 of up to seven digits lose their last digit in conversion, and padding an unconverted
/// one would name another person's account.
fn refuse_unconverted(branch_code: &str, account_number: &str) -> Result<(), TransferError> {
    let branch = read_digits("branch_code", branch_code)?;
    if branch.len() == JAPAN_POST_SYMBOL_DIGITS
        || (branch.len() == 3 && !branch.ends_with(['8', '9']))
    {
        return Err(TransferErrorKind::JapanPostUnconverted.at("branch_code"));
    }
    if read_digits("account_number", account_number)?.len() != 7 {
        return Err(TransferErrorKind::JapanPostUnconverted.at("account_number"));
    }
    Ok(())
}
