//! The short texts of a leaf that are not slugs. Each has an alphabet in which no sentence and no name can be written.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use renkei_types::{
    AgreementId, BatchId, DataKeyId, DatasetId, Entropy, EventId, LinkageJobId, ListId,
    ProgrammeId, RequestId, SnapshotId, TaskId, UploadId,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::word::TextVisitor;

/// The text does not have the form of its kind. It is not repeated.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidName {
    /// Not a code.
    #[error("a code is 1 to 64 of A-Z, 0-9 and _, and begins with a letter")]
    Code,
    /// Not a version.
    #[error("a version is three numbers with dots, as in 1.4.0")]
    Version,
    /// Not a commit.
    #[error("a commit is 40 or 64 lower-case hexadecimal digits")]
    Commit,
    /// Not a trace id.
    #[error("a trace id is 32 lower-case hexadecimal digits")]
    Trace,
    /// Not an id of a kind that a leaf can name.
    #[error("an id is its noun, an underscore and 26 letters and digits")]
    Object,
}

/// A stable reason code, UPPER_SNAKE.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Code(Box<str>);

impl Code {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Code {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let begins = text.as_bytes().first().is_some_and(u8::is_ascii_uppercase);
        let allowed = |c: u8| c.is_ascii_uppercase() || c.is_ascii_digit() || c == b'_';
        if text.len() > 64 || !begins || !text.bytes().all(allowed) {
            return Err(InvalidName::Code);
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<renkei_types::Reason> for Code {
    fn from(reason: renkei_types::Reason) -> Self {
        Self(reason.as_str().into())
    }
}

/// The version of a program: three numbers.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Version {
    /// Raised when something stops working as before.
    pub major: u16,
    /// Raised when something is added.
    pub minor: u16,
    /// Raised when something is put right.
    pub patch: u16,
}

impl FromStr for Version {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let mut numbers = text.split('.').map(str::parse::<u16>);
        let (Some(Ok(major)), Some(Ok(minor)), Some(Ok(patch)), None) =
            (numbers.next(), numbers.next(), numbers.next(), numbers.next())
        else {
            return Err(InvalidName::Version);
        };
        let version = Self { major, minor, patch };
        if version.to_string() == text { Ok(version) } else { Err(InvalidName::Version) }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// The commit that a program was built from.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct CommitId(Box<str>);

impl FromStr for CommitId {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let length = matches!(text.len(), 40 | 64);
        if length && is_hexadecimal(text) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidName::Commit)
        }
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A random id shared by all that one call caused.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TraceId(u128);

impl TraceId {
    /// A new id.
    pub fn new(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; 16];
        entropy.fill(&mut bytes);
        Self(u128::from_be_bytes(bytes))
    }
}

impl FromStr for TraceId {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        if text.len() != 32 || !is_hexadecimal(text) {
            return Err(InvalidName::Trace);
        }
        u128::from_str_radix(text, 16).map(Self).map_err(|_| InvalidName::Trace)
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

fn is_hexadecimal(text: &str) -> bool {
    text.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'))
}

macro_rules! objects {
    ($($(#[$doc:meta])* $kind:ident($id:ident),)+) => {
        /// The id of any one object. Its text says which kind it is.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum ObjectId { $($(#[$doc])* $kind($id),)+ }

        impl FromStr for ObjectId {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                let (noun, _) = text.split_once('_').ok_or(InvalidName::Object)?;
                match noun {
                    $($id::PREFIX => text.parse().map(Self::$kind).map_err(|_| InvalidName::Object),)+
                    _ => Err(InvalidName::Object),
                }
            }
        }

        impl fmt::Display for ObjectId {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self { $(Self::$kind(id) => id.fmt(f),)+ }
            }
        }

        $(impl From<$id> for ObjectId {
            fn from(id: $id) -> Self {
                Self::$kind(id)
            }
        })+
    };
}

objects! {
    /// A right to use a dataset.
    Agreement(AgreementId),
    /// Lines certified together.
    Batch(BatchId),
    /// A key that seals data.
    DataKey(DataKeyId),
    /// A published kind of records.
    Dataset(DatasetId),
    /// Another event.
    Event(EventId),
    /// One run of the linkage engine.
    LinkageJob(LinkageJobId),
    /// A list of lines.
    List(ListId),
    /// A benefit.
    Programme(ProgrammeId),
    /// A call.
    Request(RequestId),
    /// A state of a dataset.
    Snapshot(SnapshotId),
    /// A question to a clerk.
    Task(TaskId),
    /// A file on its way.
    Upload(UploadId),
}

macro_rules! as_text {
    ($($name:ident),+) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(TextVisitor(PhantomData))
            }
        }
    )+};
}

as_text!(Code, CommitId, ObjectId, TraceId, Version);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_with_room_for_words_are_refused() {
        for text in ["", "no_agreement", "NO AGREEMENT", "_X", "1X", "理由", "A-B"] {
            assert_eq!(text.parse::<Code>(), Err(InvalidName::Code), "{text}");
        }
        assert!("X".repeat(65).parse::<Code>().is_err());
        for text in ["", "1.2", "1.2.3.4", "01.2.3", "1.2.x", "1.2.+3", "1.2.65536"] {
            assert_eq!(text.parse::<Version>(), Err(InvalidName::Version), "{text}");
        }
        assert!("A".repeat(40).parse::<CommitId>().is_err());
        assert!("+1".repeat(16).parse::<TraceId>().is_err());
        for text in ["", "person_00000000000000000000000000", "list_0", "list"] {
            assert_eq!(text.parse::<ObjectId>(), Err(InvalidName::Object), "{text}");
        }
    }

    #[test]
    fn an_object_id_keeps_its_kind() {
        let list = ListId::from_bytes([7; 16]);
        let object = ObjectId::from(list);
        assert_eq!(object.to_string(), list.to_string());
        assert_eq!(object.to_string().parse(), Ok(object));
    }

    #[test]
    fn every_reason_is_a_code() {
        for reason in renkei_types::Reason::ALL {
            assert_eq!(reason.as_str().parse(), Ok(Code::from(*reason)));
        }
    }
}
