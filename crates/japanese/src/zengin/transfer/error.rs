//! What can be wrong with a transfer, a transfer file, or the writing of one.
//!
//! Invariant: an error names a field and a rule, never the value, because account numbers and names must not reach logs.

/// A part of an order or a transfer breaks a rule.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{field}: {kind}")]
pub struct TransferError {
    /// The field, as it is called in [`super::OrderFields`] and [`super::TransferFields`].
    pub field: &'static str,
    /// The rule.
    pub kind: TransferErrorKind,
}

/// The rule that a value breaks.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TransferErrorKind {
    /// Nothing is written where something must be.
    #[error("nothing is written here; fill it in")]
    Missing,
    /// Something other than digits.
    #[error("only digits may stand here")]
    NotDigits,
    /// Not as many digits as the field has.
    #[error("a number of {digits} digits must stand here, zeros in front included")]
    WrongLength {
        /// Digits of the field.
        digits: usize,
    },
    /// More digits than the field has.
    #[error("at most {digits} digits may stand here")]
    TooManyDigits {
        /// Digits of the field.
        digits: usize,
    },
    /// More letters than the field has cells, and cutting them would change what is said.
    #[error("at most {cells} half-width letters may stand here, voicing marks counted; shorten it")]
    TooLong {
        /// Cells of the field.
        cells: usize,
    },
    /// Not an account type, or not one that this side of a transfer may have.
    #[error(
        "not an account type that is allowed here; write 1 普通, 2 当座 or 9 その他, for a payee also 4 貯蓄"
    )]
    NotAnAccountType,
    /// A letter has no form in the core set, see [`crate::zengin::to_zengin`].
    #[error("the letter at position {position} cannot be written in a bank file; write kana")]
    OutsideCoreSet {
        /// Position in letters of the given text, counted from 0.
        position: usize,
    },
    /// ゆうちょ銀行 with 記号 and 番号 in place of branch and account number.
    #[error(
        "this looks like 記号 or 番号 of ゆうちょ銀行; convert it to a branch ending in 8 or 9 and an account number of 7 digits"
    )]
    JapanPostUnconverted,
    /// No yen at all, or more than ten digits can say.
    #[error("an amount of 1 to 9,999,999,999 yen must stand here")]
    AmountOutOfRange,
    /// No year has this day.
    #[error("there is no such day; write a month of 1-12 and a day of that month")]
    NoSuchDay,
}

impl TransferErrorKind {
    /// The error about one field.
    pub(super) fn at(self, field: &'static str) -> TransferError {
        TransferError { field, kind: self }
    }
}

/// The file cannot be written on.
#[derive(Debug, thiserror::Error)]
pub enum TransferWriteError {
    /// The file would have more rows than its trailer can count; nothing of the row was written.
    #[error("a transfer file counts at most 999,999 rows; finish this file and begin another")]
    TooManyRows,
    /// The sum would be larger than the trailer can say; nothing of the row was written.
    #[error("a transfer file sums at most 999,999,999,999 yen; finish this file and begin another")]
    SumTooLarge,
    /// An earlier write failed within a record, so that what is there is not a transfer file.
    #[error("an earlier write failed and left the file incomplete; write it again from the start")]
    Incomplete,
    /// The output refused the bytes.
    #[error("the transfer file cannot be written; write it again from the start")]
    Output(#[from] std::io::Error),
}

/// A file is not a transfer file of one header, or contradicts itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("record {record}, {field}: {kind}")]
pub struct TransferReadError {
    /// The record, counted from 1.
    pub record: usize,
    /// The field; `record` where the record as a whole is meant.
    pub field: &'static str,
    /// What is wrong there.
    pub kind: TransferReadErrorKind,
}

/// What is wrong with a record.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TransferReadErrorKind {
    /// The record is longer or shorter than 120 bytes, or has a line end other than CR LF.
    #[error(
        "not 120 bytes with CR LF or nothing behind them; ask for the file as the bank wrote it"
    )]
    WrongLength,
    /// The file ends before its end record.
    #[error("the file ends before this record; fetch it again")]
    Missing,
    /// A record that cannot stand here: the order is header, data, trailer, end.
    #[error("this record cannot stand here; the order is header, data, trailer, end")]
    OutOfPlace,
    /// A transfer file of another type, or in another code.
    #[error("only transfer files of type 21 in JIS code are read")]
    NotSupported,
    /// The trailer says something else than the data records do.
    #[error("the trailer differs from the sum of the rows; the file is damaged or was changed")]
    DiffersFromRows,
    /// A value breaks a rule.
    #[error(transparent)]
    Value(#[from] TransferErrorKind),
}
