//! Typed identifiers: the one registry of what can be named.
//!
//! An id is a UUIDv7: 48 bits of milliseconds, then chance, so that ids made later sort later. Its text form is the noun
//! and 26 letters of Crockford's base 32, as in `list_06bpj3w4q8v1s9c2d5f7g0h1j2`; parsing refuses another noun's id, so a
//! job is never mistaken for a list.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::entropy::Entropy;

/// The text is not an id of the wanted noun.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("an id of this kind is `{prefix}_` and 26 letters and digits")]
pub struct InvalidId {
    /// The noun that was wanted.
    pub prefix: &'static str,
}

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const LETTERS: usize = 26;

fn version_7(now: Timestamp, entropy: &dyn Entropy) -> [u8; 16] {
    let mut bytes = [0; 16];
    entropy.fill(&mut bytes);
    let millis = u64::try_from(now.as_millisecond()).unwrap_or_default().to_be_bytes();
    bytes[..6].copy_from_slice(&millis[2..]);
    bytes[6] = 0x70 | (bytes[6] & 0x0f);
    bytes[8] = 0x80 | (bytes[8] & 0x3f);
    bytes
}

fn write_letters(f: &mut fmt::Formatter<'_>, bytes: [u8; 16]) -> fmt::Result {
    use fmt::Write as _;
    let value = u128::from_be_bytes(bytes);
    (0..LETTERS).rev().try_for_each(|place| {
        let digit = usize::try_from((value >> (5 * place)) & 31).unwrap_or_default();
        f.write_char(char::from(ALPHABET[digit]))
    })
}

fn read_letters(text: &str) -> Option<[u8; 16]> {
    if text.len() != LETTERS {
        return None;
    }
    let mut value: u128 = 0;
    for letter in text.bytes() {
        let digit = ALPHABET.iter().position(|&known| known == letter)?;
        value = value.checked_mul(32)? | digit as u128;
    }
    Some(value.to_be_bytes())
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name([u8; 16]);

        impl $name {
            /// The noun that the text form begins with.
            pub const PREFIX: &'static str = $prefix;

            /// A new id.
            pub fn new(now: Timestamp, entropy: &dyn Entropy) -> Self {
                Self(version_7(now, entropy))
            }

            /// An id from its 16 bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The 16 bytes.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!($prefix, "_"))?;
                write_letters(f, self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(read_letters)
                    .map(Self)
                    .ok_or(InvalidId { prefix: $prefix })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}

ids! {
    /// A version of a right to use a dataset.
    AgreementId = "agreement";
    /// A published kind of records.
    DatasetId = "dataset";
    /// A state of a dataset, switched to as a whole.
    SnapshotId = "snapshot";
    /// A benefit with its rules.
    ProgrammeId = "programme";
    /// A list of lines to be linked and paid.
    ListId = "list";
    /// A file on its way to the broker.
    UploadId = "upload";
    /// One run of the linkage engine.
    LinkageJobId = "job";
    /// Lines that are certified together.
    BatchId = "batch";
    /// A question to a clerk about one line.
    TaskId = "task";
    /// Something that happened: what a leaf is about.
    EventId = "event";
    /// A client's name for one call, which makes repeating it harmless.
    RequestId = "request";
    /// A key that seals data, itself wrapped by the root key.
    DataKeyId = "key";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SeededEntropy;

    #[test]
    fn an_id_parses_back_and_refuses_another_noun() {
        let now = "2026-11-21T00:00:00Z".parse().expect("a timestamp");
        let id = ListId::new(now, &SeededEntropy::new(1));
        let text = id.to_string();
        assert_eq!(text.len(), "list_".len() + 26);
        assert_eq!(text.parse(), Ok(id));
        assert!(text.parse::<LinkageJobId>().is_err());
        assert!("list_zzzzzzzzzzzzzzzzzzzzzzzzzz".parse::<ListId>().is_err());
        assert!("list_".parse::<ListId>().is_err());
    }

    #[test]
    fn ids_made_later_sort_later() {
        let entropy = SeededEntropy::new(1);
        let at = |text: &str| ListId::new(text.parse().expect("a timestamp"), &entropy);
        let (early, late) = (at("2026-11-21T00:00:00.001Z"), at("2026-11-21T00:00:00.002Z"));
        assert!(early < late && early.to_string() < late.to_string());
    }
}
