//! One entry of the log: who did what to which object under which right, with which result.
//!
//! A leaf is kept for ten years and never edited, so it must not be able to hold anything about a person. Every field is
//! a number, a digest, an id or a short name from a closed alphabet; there is no field for text. [`Leaf::to_bytes`] also
//! refuses names in which a 個人番号 or 住民票コード could hide. All fields of the schema are reserved from the first
//! version on; one that is unset is absent.
//!
//! Invariant: a leaf has one spelling in bytes (JSON with sorted keys, integers, no spaces). The bytes that are hashed are
//! the bytes that are stored; readers parse them and never write them again. What the fields refer to is kept elsewhere.

mod name;
mod part;
mod personal_number;
mod spelling;
mod word;

use renkei_types::{
    AgencyId, Classify, Digest, EventId, Identity, Kind, Language, Localised, Slug,
};
use serde::{Deserialize, Serialize};

pub use self::name::{Code, CommitId, InvalidName, ObjectId, TraceId, Version};
pub use self::part::{
    Actor, AgreementRef, Amount, DatasetRef, Decision, Manifest, ModelRef, Peer, SeenCheckpoint,
    SnapshotRef, Subjects, Sums, UtcMillis,
};
pub use self::personal_number::holds_personal_number;
pub use self::word::{
    ClockState, Counter, DecidedBy, DecisionKind, Disclosure, LeafResult, Operation, SubjectMode,
    UnknownWord,
};

/// How often each thing happened, over a closed set of counters.
pub type Counts = std::collections::BTreeMap<Counter, u64>;

/// The schema that this release writes, and the only one it reads.
pub const SCHEMA_VERSION: u16 = 1;

/// The most bytes that a leaf may have. Most have less than one kibibyte.
pub const LEAF_BYTES_MAX: usize = 16 * 1024;

/// One entry of the log. Fields stand in the order of their names, which is the order of the bytes.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Leaf {
    /// Who did it, as the certificate says.
    #[serde(skip_serializing_if = "Actor::is_empty", default)]
    pub actor: Actor,
    /// The agreement it was done under.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub agr: Option<AgreementRef>,
    /// Which attempt at the job, from 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub att: Option<u32>,
    /// The legal basis (根拠), from the agreement's closed list.
    #[serde(
        skip_serializing_if = "Option::is_none",
        default,
        serialize_with = "spelling::optional_text"
    )]
    pub basis: Option<Slug>,
    /// The digest of the configuration in force.
    #[serde(
        skip_serializing_if = "Option::is_none",
        default,
        serialize_with = "spelling::optional_digest"
    )]
    pub cfg: Option<Digest>,
    /// How far the clock is to be trusted.
    pub clk: ClockState,
    /// Counts of a job as a whole.
    #[serde(skip_serializing_if = "Counts::is_empty", default)]
    pub cnt: Counts,
    /// Why, as a stable reason code.
    #[serde(
        skip_serializing_if = "Option::is_none",
        default,
        serialize_with = "spelling::optional_text"
    )]
    pub code: Option<Code>,
    /// A decision, and who or what took it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub dec: Option<Decision>,
    /// Whether the person concerned is shown it. Set by the agency that owns the data.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub disc: Option<Disclosure>,
    /// The dataset and its layout.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ds: Option<DatasetRef>,
    /// The event itself.
    #[serde(serialize_with = "spelling::text")]
    pub id: EventId,
    /// The digest of the request id that makes a repetition harmless.
    #[serde(
        skip_serializing_if = "Option::is_none",
        default,
        serialize_with = "spelling::optional_digest"
    )]
    pub idem: Option<Digest>,
    /// What was worked on: a list, an upload, a linkage job, a batch, a task.
    #[serde(
        skip_serializing_if = "Option::is_none",
        default,
        serialize_with = "spelling::optional_text"
    )]
    pub job: Option<ObjectId>,
    /// The sealed records of each line, under one root.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub man: Option<Manifest>,
    /// What a linkage decision can be reproduced with.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub model: Option<ModelRef>,
    /// What happened.
    pub op: Operation,
    /// The event that led to this one.
    #[serde(
        skip_serializing_if = "Option::is_none",
        default,
        serialize_with = "spelling::optional_text"
    )]
    pub parent: Option<EventId>,
    /// The other side (照会者・提供者).
    #[serde(
        skip_serializing_if = "Option::is_none",
        default,
        serialize_with = "spelling::optional_text"
    )]
    pub peer: Option<Peer>,
    /// The business it was done for (事務), from the agreement's closed list.
    #[serde(
        skip_serializing_if = "Option::is_none",
        default,
        serialize_with = "spelling::optional_text"
    )]
    pub purpose: Option<Slug>,
    /// How it ended.
    pub res: LeafResult,
    /// The newest checkpoint that the writer knew: it orders leaves even across a restore.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub seen: Option<SeenCheckpoint>,
    /// The snapshot of the dataset.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub snap: Option<SnapshotRef>,
    /// Whom it was about, as a salted commitment.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub subj: Option<Subjects>,
    /// Yen in and out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sum: Option<Sums>,
    /// When. Never earlier than the leaf before; order is the log's index, not time.
    pub t: UtcMillis,
    /// A random id shared by all that one call caused.
    #[serde(
        skip_serializing_if = "Option::is_none",
        default,
        serialize_with = "spelling::optional_text"
    )]
    pub trace: Option<TraceId>,
    /// The version of this schema.
    pub v: u16,
}

/// Why something is not a leaf. Nothing of the input is repeated.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LeafError {
    /// More bytes than a leaf may have.
    #[error(
        "a log entry has {bytes} bytes and may have 16,384; log one entry per operation, never one per line"
    )]
    TooLarge {
        /// Its bytes.
        bytes: usize,
    },
    /// A name in it could be the number of a person.
    #[error(
        "field `{field}` of a log entry holds 11 or 12 digits that could be a My Number or a resident record code; choose another name"
    )]
    PersonalNumber {
        /// The field.
        field: &'static str,
    },
    /// Written by a schema that this release does not know.
    #[error("the log entry follows a schema that this release does not know; use a newer release")]
    UnknownSchema,
    /// Not an object with the fields of a leaf.
    #[error(
        "byte {byte} of the log entry is not as the schema of this release wants it; if the log's broker is newer, verify with its release"
    )]
    Malformed {
        /// Where reading stopped, from 1.
        byte: usize,
    },
    /// Another spelling of a leaf.
    #[error(
        "the log entry is a leaf spelt in another way (order, spaces or escapes) than leaves are"
    )]
    NotCanonical,
}

impl Classify for LeafError {
    fn kind(&self) -> Kind {
        match self {
            Self::TooLarge { .. } | Self::PersonalNumber { .. } => Kind::Refused,
            Self::UnknownSchema | Self::Malformed { .. } | Self::NotCanonical => {
                Kind::InvalidArgument
            }
        }
    }
}

impl Localised for LeafError {
    fn localised(&self, language: Language) -> String {
        if language == Language::English {
            return self.to_string();
        }
        match self {
            Self::TooLarge { bytes } => format!(
                "ログ項目が{bytes}バイトあります(上限16,384)。1行ごとではなく1操作ごとに記録してください"
            ),
            Self::PersonalNumber { field } => format!(
                "ログ項目の「{field}」に個人番号または住民票コードとみられる数字があります。別の名前にしてください"
            ),
            Self::UnknownSchema => {
                "ログ項目の形式がこの版では未対応です。新しい版を使ってください".to_owned()
            }
            Self::Malformed { byte } => format!(
                "ログ項目の{byte}バイト目がこの版の形式に合いません。サーバーの方が新しい場合は、その版で検証してください"
            ),
            Self::NotCanonical => {
                "ログ項目の表記(順序・空白・エスケープ)が定めと異なります".to_owned()
            }
        }
    }
}

/// Only what says which schema wrote a leaf.
#[derive(Deserialize)]
struct Schema {
    v: u16,
}

impl Leaf {
    /// A leaf with what every leaf has; the rest is unset.
    pub fn new(id: EventId, t: UtcMillis, op: Operation, res: LeafResult) -> Self {
        Self {
            actor: Actor::default(),
            agr: None,
            att: None,
            basis: None,
            cfg: None,
            clk: ClockState::Ok,
            cnt: Counts::new(),
            code: None,
            dec: None,
            disc: None,
            ds: None,
            id,
            idem: None,
            job: None,
            man: None,
            model: None,
            op,
            parent: None,
            peer: None,
            purpose: None,
            res,
            seen: None,
            snap: None,
            subj: None,
            sum: None,
            t,
            trace: None,
            v: SCHEMA_VERSION,
        }
    }

    /// The bytes to be hashed and stored.
    pub fn to_bytes(&self) -> Result<Vec<u8>, LeafError> {
        if self.v != SCHEMA_VERSION {
            return Err(LeafError::UnknownSchema);
        }
        if let Some(field) = self.field_with_personal_number() {
            return Err(LeafError::PersonalNumber { field });
        }
        let bytes = self.spelt();
        if bytes.len() > LEAF_BYTES_MAX {
            return Err(LeafError::TooLarge { bytes: bytes.len() });
        }
        Ok(bytes)
    }

    /// Reads a stored leaf. Unknown fields, unknown words and other spellings are refused.
    pub fn parse(bytes: &[u8]) -> Result<Self, LeafError> {
        if bytes.len() > LEAF_BYTES_MAX {
            return Err(LeafError::TooLarge { bytes: bytes.len() });
        }
        let leaf = serde_json::from_slice::<Self>(bytes).map_err(|error| {
            // The error's text may repeat the input, so only its place is kept.
            match serde_json::from_slice::<Schema>(bytes) {
                Ok(Schema { v }) if v != SCHEMA_VERSION => LeafError::UnknownSchema,
                Ok(_) | Err(_) => LeafError::Malformed { byte: error.column().max(1) },
            }
        })?;
        if leaf.v != SCHEMA_VERSION {
            return Err(LeafError::UnknownSchema);
        }
        // Reading takes an array in the place of an object; such a leaf is one that nobody else can read.
        let has_array = bytes.contains(&b'[');
        if spelling::is_canonical(bytes) && !(has_array && leaf.spelt() != bytes) {
            Ok(leaf)
        } else {
            Err(LeafError::NotCanonical)
        }
    }

    fn spelt(&self) -> Vec<u8> {
        // Unwrap safety: writing to memory cannot fail, and every map has keys that are text.
        serde_json::to_vec(self).expect("a leaf has a JSON form")
    }

    /// The first field whose name could hide a person's number. Ids, digests and numbers are exempt: they are made of
    /// chance or counted, and long enough for fitting digits to occur by themselves.
    fn field_with_personal_number(&self) -> Option<&'static str> {
        // Taken apart in full, so that a new field cannot be forgotten here.
        let Self {
            actor,
            agr: _,
            att: _,
            basis,
            cfg: _,
            clk: _,
            cnt: _,
            code,
            dec,
            disc: _,
            ds: _,
            id: _,
            idem: _,
            job: _,
            man,
            model,
            op: _,
            parent: _,
            peer,
            purpose,
            res: _,
            seen: _,
            snap: _,
            subj: _,
            sum: _,
            t: _,
            trace: _,
            v: _,
        } = self;
        let Actor { agency, ca: _, cert: _, dept, sys, user } = actor;
        let (peer_agency, peer_client) = match peer {
            Some(Peer::Agency(agency)) => (Some(agency), None),
            Some(Peer::Client(identity)) => (None, Some(identity)),
            None => (None, None),
        };
        let of_agency = |agency: &AgencyId| holds_personal_number(agency.body().as_str());
        let of_identity = |identity: &Identity| {
            holds_personal_number(identity.trust_domain())
                || of_agency(identity.agency())
                || holds_personal_number(identity.name().as_str())
        };
        let of_slug = |slug: &Option<Slug>| {
            slug.as_ref().is_some_and(|slug| holds_personal_number(slug.as_str()))
        };
        let fields = [
            ("actor.agency", agency.as_ref().is_some_and(of_agency)),
            ("actor.dept", of_slug(dept)),
            ("actor.sys", sys.as_ref().is_some_and(of_identity)),
            ("actor.user", of_slug(user)),
            ("basis", of_slug(basis)),
            ("code", code.as_ref().is_some_and(|code| holds_personal_number(code.as_str()))),
            ("dec.rule", dec.as_ref().is_some_and(|dec| of_slug(&dec.rule))),
            (
                "man",
                man.as_ref().is_some_and(|man| {
                    [&man.alg, &man.enc]
                        .into_iter()
                        .any(|name| holds_personal_number(name.as_str()))
                }),
            ),
            ("model.dict", model.as_ref().is_some_and(|model| of_slug(&model.dict))),
            ("peer", peer_agency.is_some_and(of_agency) || peer_client.is_some_and(of_identity)),
            ("purpose", of_slug(purpose)),
        ];
        fields.into_iter().find(|(_, holds)| *holds).map(|(field, _)| field)
    }
}

#[cfg(test)]
mod tests;
