//! The parts of a leaf that have parts themselves. Fields stand in the order of their names.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use jiff::Timestamp;
use renkei_types::{
    AgencyId, AgreementId, DatasetId, Digest, DigestBuilder, Identity, IdentityKind,
    InvalidIdentity, Slug, SnapshotId, Yen,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::word::{DecidedBy, DecisionKind, SubjectMode, TextVisitor};
use super::{CommitId, Version};
use crate::checkpoint::Checkpoint;

/// Milliseconds since 1970 in UTC.
#[derive(
    Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(transparent)]
pub struct UtcMillis(pub u64);

impl From<Timestamp> for UtcMillis {
    /// Moments before 1970 become its first.
    fn from(moment: Timestamp) -> Self {
        Self(u64::try_from(moment.as_millisecond()).unwrap_or_default())
    }
}

/// Who did it. Identity comes from the certificate, never from what was sent.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// The agency: municipality code and body.
    #[serde(
        skip_serializing_if = "Option::is_none",
        default,
        serialize_with = "super::spelling::optional_text"
    )]
    pub agency: Option<AgencyId>,
    /// The digest of the certificate that issued the client's.
    #[serde(
        skip_serializing_if = "Option::is_none",
        default,
        serialize_with = "super::spelling::optional_digest"
    )]
    pub ca: Option<Digest>,
    /// The digest of the client's certificate.
    #[serde(
        skip_serializing_if = "Option::is_none",
        default,
        serialize_with = "super::spelling::optional_digest"
    )]
    pub cert: Option<Digest>,
    /// The department, as its agency names it.
    #[serde(
        skip_serializing_if = "Option::is_none",
        default,
        serialize_with = "super::spelling::optional_text"
    )]
    pub dept: Option<Slug>,
    /// The client: a system or a person.
    #[serde(
        skip_serializing_if = "Option::is_none",
        default,
        serialize_with = "super::spelling::optional_text"
    )]
    pub sys: Option<Identity>,
    /// The opaque staff id. Who that is, only the agency knows.
    #[serde(
        skip_serializing_if = "Option::is_none",
        default,
        serialize_with = "super::spelling::optional_text"
    )]
    pub user: Option<Slug>,
}

impl Actor {
    /// The actor that a certificate's identity names; a person's staff id is its user.
    pub fn of(identity: &Identity) -> Self {
        let user = match identity.kind() {
            IdentityKind::Person => Some(identity.name().clone()),
            IdentityKind::System => None,
        };
        Self {
            agency: Some(identity.agency().clone()),
            sys: Some(identity.clone()),
            user,
            ..Self::default()
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The other side: an agency as a whole, or one of its clients.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Peer {
    /// An agency.
    Agency(AgencyId),
    /// A system or a person.
    Client(Identity),
}

impl FromStr for Peer {
    type Err = InvalidIdentity;

    fn from_str(text: &str) -> Result<Self, InvalidIdentity> {
        if text.starts_with("spiffe:") {
            text.parse().map(Self::Client)
        } else {
            text.parse().map(Self::Agency)
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Agency(agency) => agency.fmt(f),
            Self::Client(identity) => identity.fmt(f),
        }
    }
}

impl Serialize for Peer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Peer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor(PhantomData))
    }
}

/// One version of an agreement.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AgreementRef {
    /// The digest of its text.
    #[serde(serialize_with = "super::spelling::digest")]
    pub digest: Digest,
    /// The agreement.
    #[serde(serialize_with = "super::spelling::text")]
    pub id: AgreementId,
    /// Its version.
    pub ver: u32,
}

/// A dataset and the version of its layout.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DatasetRef {
    /// The dataset.
    #[serde(serialize_with = "super::spelling::text")]
    pub id: DatasetId,
    /// The version of its layout.
    pub layout: u32,
}

/// A snapshot.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SnapshotRef {
    /// The keyed digest of its contents: without the key nobody can try out guesses.
    #[serde(
        skip_serializing_if = "Option::is_none",
        default,
        serialize_with = "super::spelling::optional_digest"
    )]
    pub digest: Option<Digest>,
    /// The snapshot.
    #[serde(serialize_with = "super::spelling::text")]
    pub id: SnapshotId,
}

/// Whom a leaf is about, without saying whom.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Subjects {
    /// The fiscal year whose audit key made the handles. With that key destroyed, the root opens no more.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub epoch: Option<u16>,
    /// Nobody, one, or several.
    pub mode: SubjectMode,
    /// How many.
    pub n: u64,
    /// The salted commitment of one, or the root of the tree of several.
    #[serde(
        skip_serializing_if = "Option::is_none",
        default,
        serialize_with = "super::spelling::optional_digest"
    )]
    pub root: Option<Digest>,
}

/// The records of each line, which are kept sealed.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// How the root is made.
    #[serde(serialize_with = "super::spelling::text")]
    pub alg: Slug,
    /// How the records are sealed.
    #[serde(serialize_with = "super::spelling::text")]
    pub enc: Slug,
    /// How many.
    pub n: u64,
    /// The root over salted commitments to the records, so that one can be shown without the others. See
    /// [`crate::commitment`].
    #[serde(serialize_with = "super::spelling::digest")]
    pub root: Digest,
}

/// What a linkage decision can be reproduced with.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ModelRef {
    /// The commit of the linkage engine.
    #[serde(
        skip_serializing_if = "Option::is_none",
        default,
        serialize_with = "super::spelling::optional_text"
    )]
    pub commit: Option<CommitId>,
    /// The version of the dictionaries.
    #[serde(
        skip_serializing_if = "Option::is_none",
        default,
        serialize_with = "super::spelling::optional_text"
    )]
    pub dict: Option<Slug>,
    /// The digest of the trained model.
    #[serde(
        skip_serializing_if = "Option::is_none",
        default,
        serialize_with = "super::spelling::optional_digest"
    )]
    pub digest: Option<Digest>,
    /// The version of the linkage engine.
    #[serde(
        skip_serializing_if = "Option::is_none",
        default,
        serialize_with = "super::spelling::optional_text"
    )]
    pub linker: Option<Version>,
    /// The digest of the rules.
    #[serde(
        skip_serializing_if = "Option::is_none",
        default,
        serialize_with = "super::spelling::optional_digest"
    )]
    pub rules: Option<Digest>,
    /// The digest of the thresholds.
    #[serde(
        skip_serializing_if = "Option::is_none",
        default,
        serialize_with = "super::spelling::optional_digest"
    )]
    pub thresholds: Option<Digest>,
}

/// A decision, and who or what took it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// What was decided.
    pub act: DecisionKind,
    /// Who or what decided.
    pub by: DecidedBy,
    /// The rule that was applied.
    #[serde(
        skip_serializing_if = "Option::is_none",
        default,
        serialize_with = "super::spelling::optional_text"
    )]
    pub rule: Option<Slug>,
}

/// The newest checkpoint that the writer knew.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SeenCheckpoint {
    /// Its root.
    #[serde(serialize_with = "super::spelling::digest")]
    pub root: Digest,
    /// Its size.
    pub size: u64,
}

impl From<&Checkpoint> for SeenCheckpoint {
    fn from(checkpoint: &Checkpoint) -> Self {
        Self { root: checkpoint.root.into(), size: checkpoint.size }
    }
}

/// Yen in and out.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Sums {
    /// What came in.
    #[serde(rename = "in", skip_serializing_if = "Option::is_none", default)]
    pub yen_in: Option<Amount>,
    /// What went out.
    #[serde(rename = "out", skip_serializing_if = "Option::is_none", default)]
    pub yen_out: Option<Amount>,
}

/// A sum that tells nobody's amount: yen over ten lines or more, otherwise a salted commitment to them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Amount(AmountForm);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum AmountForm {
    Yen(u64),
    Commitment(Digest),
}

impl Amount {
    /// Lines from which on a sum is written in the open.
    pub const OPEN_FROM_LINES: u64 = 10;

    /// The sum over this many lines. The salt is kept where the lines are, and goes when they go.
    pub fn of_lines(yen: Yen, lines: u64, salt: &[u8; 16]) -> Self {
        let nobody = lines == 0 && yen == Yen(0);
        if nobody || lines >= Self::OPEN_FROM_LINES {
            return Self(AmountForm::Yen(yen.0));
        }
        let mut digest = DigestBuilder::new();
        digest.field(b"renkei/leaf/sum/v1").field(salt).number(yen.0);
        Self(AmountForm::Commitment(digest.finish()))
    }

    /// The yen, if they are written in the open.
    pub fn yen(self) -> Option<Yen> {
        match self.0 {
            AmountForm::Yen(yen) => Some(Yen(yen)),
            AmountForm::Commitment(_) => None,
        }
    }
}

/// A number, or the text of a digest.
impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            AmountForm::Yen(yen) => serializer.serialize_u64(*yen),
            AmountForm::Commitment(digest) => super::spelling::digest(digest, serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl serde::de::Visitor<'_> for Visitor {
            type Value = Amount;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("yen or a commitment")
            }

            fn visit_u64<E: serde::de::Error>(self, yen: u64) -> Result<Amount, E> {
                Ok(Amount(AmountForm::Yen(yen)))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Amount, E> {
                let digest = text.parse().map_err(E::custom)?;
                Ok(Amount(AmountForm::Commitment(digest)))
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_over_few_lines_is_a_commitment() {
        let salt = [9; 16];
        assert_eq!(Amount::of_lines(Yen(100_000), 10, &salt).yen(), Some(Yen(100_000)));
        assert_eq!(Amount::of_lines(Yen(100_000), 9, &salt).yen(), None);
        assert_eq!(Amount::of_lines(Yen(0), 0, &salt).yen(), Some(Yen(0)));
        assert_eq!(Amount::of_lines(Yen(1), 0, &salt).yen(), None);
        let other_salt = Amount::of_lines(Yen(100_000), 1, &[8; 16]);
        assert_ne!(Amount::of_lines(Yen(100_000), 1, &salt), other_salt);
    }

    #[test]
    fn a_persons_staff_id_is_the_user_and_a_system_has_none() {
        let person = "spiffe://kita.example/131016/benefits/person/c-0042".parse();
        let person = Actor::of(&person.expect("an identity"));
        assert_eq!(person.user.expect("a user").as_str(), "c-0042");
        let system = "spiffe://kita.example/131016/benefits/system/payments".parse();
        let system = Actor::of(&system.expect("an identity"));
        assert_eq!(
            (system.user, system.agency.map(|a| a.to_string())),
            (None, Some("131016/benefits".to_owned()))
        );
    }
}
