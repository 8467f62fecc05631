//! One record of 120 bytes: fields into bytes, and bytes into fields.
//!
//! Invariant: what is written is digits and core letters; what nobody writes is a space.

use super::error::{TransferErrorKind, TransferReadError, TransferReadErrorKind};
use super::field::{Field, RECORD_KIND};
use crate::zengin::is_core;

/// Bytes of a record without its line end.
pub(super) const RECORD_BYTES: usize = 120;

/// What stands behind a record.
pub(super) const LINE_END: &[u8] = b"\r\n";

/// From the code point of a half-width kana to its byte: ｱ is U+FF71 and B1.
const KANA_OFFSET: u32 = 0xfec0;

/// A record that is being written, with its line end.
pub(super) struct Written([u8; RECORD_BYTES + LINE_END.len()]);

impl Written {
    /// A record of spaces with its データ区分.
    pub(super) fn of_kind(kind: u64) -> Self {
        let mut record = Self([b' '; RECORD_BYTES + LINE_END.len()]);
        record.0[RECORD_BYTES..].copy_from_slice(LINE_END);
        record.number(RECORD_KIND, kind);
        record
    }

    /// A number, right, with zeros before it. The caller's type keeps it within the field.
    pub(super) fn number(&mut self, field: Field, mut value: u64) {
        for cell in self.0[field.range()].iter_mut().rev() {
            // A remainder by 10 fits.
            *cell = b'0' + (value % 10) as u8;
            value /= 10;
        }
    }

    /// Core letters, left, with spaces behind them. The caller's type keeps them within the field.
    pub(super) fn letters(&mut self, field: Field, text: &str) {
        for (cell, letter) in self.0[field.range()].iter_mut().zip(text.chars()) {
            *cell = byte_of(letter);
        }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The byte of a core letter; the types above hold no other letters, which would become spaces.
fn byte_of(letter: char) -> u8 {
    let code = u32::from(letter);
    let byte = if letter.is_ascii() { code } else { code.wrapping_sub(KANA_OFFSET) };
    u8::try_from(byte).ok().filter(|_| is_core(letter)).unwrap_or(b' ')
}

/// The letter of a byte in a file; `None` where no bank should have written it.
///
/// Some banks write letters beyond the core set: ｦ and ｰ, which have a core spelling, and signs, which have none and are
/// read as spaces.
fn letter_of(byte: u8) -> Option<char> {
    match byte {
        b',' | b'\\' | 0xa2 | 0xa3 => Some(' '),
        0xa6 | 0xb0..=0xdf => char::from_u32(u32::from(byte) + KANA_OFFSET),
        _ => Some(char::from(byte)).filter(|letter| is_core(*letter)),
    }
}

/// A record that is being read.
#[derive(Clone, Copy)]
pub(super) struct Read<'a> {
    pub(super) number: usize,
    pub(super) bytes: &'a [u8; RECORD_BYTES],
}

impl<'a> Read<'a> {
    /// The digits of a field.
    pub(super) fn digits(self, field: Field) -> Result<&'a str, TransferReadError> {
        std::str::from_utf8(&self.bytes[field.range()])
            .ok()
            .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
            .ok_or_else(|| self.error(field.name, TransferErrorKind::NotDigits))
    }

    /// A field of digits as a number.
    pub(super) fn value(self, field: Field) -> Result<u64, TransferReadError> {
        let digits = self.digits(field)?;
        digits.parse().map_err(|_| self.error(field.name, TransferErrorKind::NotDigits))
    }

    /// The letters of a field without the spaces behind them.
    pub(super) fn letters(self, field: Field) -> Result<String, TransferReadError> {
        let cells = &self.bytes[field.range()];
        let mut text = String::with_capacity(3 * cells.len());
        for (position, byte) in cells.iter().enumerate() {
            let letter = letter_of(*byte).ok_or_else(|| {
                self.error(field.name, TransferErrorKind::OutsideCoreSet { position })
            })?;
            text.push(letter);
        }
        text.truncate(text.trim_end_matches(' ').len());
        Ok(text)
    }

    /// The error about one field of this record.
    pub(super) fn error(
        self,
        field: &'static str,
        kind: impl Into<TransferReadErrorKind>,
    ) -> TransferReadError {
        TransferReadError { record: self.number, field, kind: kind.into() }
    }
}
