//! What the trailer says: how many rows, how many yen.
//!
//! Invariant: totals fit the trailer's six and twelve digits.

use super::error::TransferWriteError;

/// The most rows that a trailer can count.
pub const ROWS_MAX: u32 = 999_999;

/// The largest sum that a trailer can say.
pub const TOTAL_YEN_MAX: u64 = 999_999_999_999;

/// Count and sum of the rows of a file.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct TransferTotals {
    rows: u32,
    yen: u64,
}

impl TransferTotals {
    /// 合計件数.
    pub fn rows(self) -> u32 {
        self.rows
    }

    /// 合計金額.
    pub fn yen(self) -> u64 {
        self.yen
    }

    /// The totals with one more row.
    pub(super) fn with(self, yen: u64) -> Result<Self, TransferWriteError> {
        if self.rows == ROWS_MAX {
            return Err(TransferWriteError::TooManyRows);
        }
        // Both are far below half of a u64, so the sum does not wrap.
        let yen = self.yen + yen;
        if yen > TOTAL_YEN_MAX {
            return Err(TransferWriteError::SumTooLarge);
        }
        Ok(Self { rows: self.rows + 1, yen })
    }

    /// Totals of a file of which most rows are not at hand.
    #[cfg(test)]
    pub(super) fn starting_at(rows: u32, yen: u64) -> Self {
        Self { rows, yen }
    }
}
