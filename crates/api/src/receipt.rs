//! Receipts: proof that a call left its mark in the log.

use std::fmt::Write as _;

use crate::v1::Receipt;

/// Lower-case hexadecimal digits, as digests and leaf hashes are written everywhere.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Unwrap safety: writing to a string cannot fail.
        write!(text, "{byte:02x}").expect("a string takes every letter");
        text
    })
}

impl Receipt {
    /// A receipt for the leaf with this index and RFC 6962 hash.
    pub fn of_leaf(leaf_index: u64, leaf_hash: [u8; 32]) -> Self {
        Self { leaf_index, leaf_hash: leaf_hash.to_vec() }
    }

    /// The leaf's hash, in hexadecimal digits.
    pub fn leaf_hash_hex(&self) -> String {
        hex(&self.leaf_hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_as_two_digits_each() {
        assert_eq!(hex(&[0, 1, 0xab, 0xff]), "0001abff");
        assert_eq!(Receipt::of_leaf(3, [0x0f; 32]).leaf_hash_hex(), "0f".repeat(32));
    }
}
