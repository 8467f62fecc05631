//! Serial numbers: how a certificate is called in the record and on the revocation list.
//!
//! The same number has more than one spelling: DER puts a zero byte before 201 (`00 C9`), tools print capitals and colons.
//! A revoked certificate whose number is spelt otherwise on the list would be believed. Here a number has one form,
//! without leading zeros; and those that are made here begin with the bits 01, so that no spelling has any.

use std::fmt;
use std::str::FromStr;

use renkei_types::Entropy;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A serial number. Text form: lower-case hexadecimal.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Serial(Box<[u8]>);

/// The text is not a serial number.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a serial number is up to 40 hexadecimal digits, with or without colons")]
pub struct InvalidSerial;

/// RFC 5280, 4.1.2.2: at most 20 octets.
const BYTES_MAX: usize = 20;

impl Serial {
    /// A new number of `bytes` bytes.
    pub(crate) fn draw(bytes: usize, entropy: &dyn Entropy) -> Self {
        let mut drawn = vec![0; bytes.clamp(1, BYTES_MAX)];
        entropy.fill(&mut drawn);
        drawn[0] = 0x40 | (drawn[0] & 0x3f);
        Self(drawn.into())
    }

    /// The number with these big-endian bytes, with or without the zero bytes that DER puts before it.
    pub fn from_be_bytes(bytes: &[u8]) -> Self {
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        Self(bytes[zeros..].into())
    }

    /// Its big-endian bytes, without leading zeros.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl FromStr for Serial {
    type Err = InvalidSerial;

    fn from_str(text: &str) -> Result<Self, InvalidSerial> {
        let digits: Vec<u8> = text.bytes().filter(|c| *c != b':').collect();
        let digits: Option<Vec<u8>> = digits
            .into_iter()
            .map(|c| char::from(c).to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect();
        let digits = digits.ok_or(InvalidSerial)?;
        if digits.is_empty() || digits.len() > 2 * BYTES_MAX {
            return Err(InvalidSerial);
        }
        let bytes: Vec<u8> = digits
            .rchunks(2)
            .rev()
            .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit))
            .collect();
        Ok(Self::from_be_bytes(&bytes))
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("00");
        }
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Serial {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Serial {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use renkei_types::SeededEntropy;

    use super::*;

    #[test]
    fn a_number_has_one_form_however_it_is_spelt() {
        let serial = Serial::from_be_bytes(&[0xc9]);
        assert_eq!(Serial::from_be_bytes(&[0, 0xc9]), serial);
        for text in ["c9", "C9", "00:C9", "0c9", "000000c9"] {
            assert_eq!(text.parse(), Ok(serial.clone()), "{text}");
        }
        assert_eq!(serial.to_string(), "c9");
        assert_eq!("100".parse(), Ok(Serial::from_be_bytes(&[1, 0])));
        for text in ["", ":", "xyz", "c9 ", &"1".repeat(41)] {
            assert_eq!(text.parse::<Serial>(), Err(InvalidSerial), "{text}");
        }
    }

    #[test]
    fn a_drawn_number_is_positive_and_of_full_length() {
        let entropy = SeededEntropy::new(1);
        for _ in 0..1000 {
            let serial = Serial::draw(16, &entropy);
            assert_eq!(serial.as_bytes().len(), 16);
            assert!((0x40..0x80).contains(&serial.as_bytes()[0]));
            assert_eq!(serial.to_string().parse(), Ok(serial));
        }
    }
}
