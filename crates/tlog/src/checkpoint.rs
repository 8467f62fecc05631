//! The signed statement of how large the log is and what its root is.
//!
//! A checkpoint is a C2SP signed note of three lines: the log's origin, its size, its root. Whoever holds one can later
//! demand that every larger tree begins with it. The note may carry lines of witnesses; lines of unknown keys are
//! ignored, a bad line of a known key refuses the whole note. Extension lines are refused: no reader of ours knows what
//! they promise. The text has one spelling, so that changing any byte that is ours is noticed.

mod cosignature;
mod key;
mod named_key;

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use renkei_types::{Classify, Kind, Language, Localised};

pub use self::cosignature::{Cosignature, CosignerKey, WitnessKey};
pub use self::key::{InvalidKey, LogKey, VerifierKey};
use crate::hash::Hash;

/// No real note comes near this; a reader must take 16 signatures, of which the largest kinds have 5 kB.
pub(crate) const NOTE_BYTES_MAX: usize = 128 * 1024;

/// Who a log is: the first line of its checkpoints and the name of its key, as
/// `kita.example/renkei-audit/131016/2026`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Origin(Box<str>);

/// The text cannot be a log's origin.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a log's origin is 1 to 255 bytes without spaces, control characters and +")]
pub struct InvalidOrigin;

impl Origin {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Origin {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        let forbidden = |c: char| c.is_whitespace() || c.is_control() || c == '+';
        if text.is_empty() || text.len() > 255 || text.contains(forbidden) {
            return Err(InvalidOrigin);
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is signed: origin, size and root.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Checkpoint {
    /// Whose log it is.
    pub origin: Origin,
    /// Leaves of the log.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

/// A checkpoint and the note that was signed for it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: String,
}

/// Why a note is no checkpoint to rely on.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CheckpointError {
    /// Not a signed note.
    #[error("the checkpoint is not a signed note; fetch it again from the log")]
    NotANote,
    /// The lines are not origin, size and root, and nothing else.
    #[error(
        "the checkpoint is not the three lines origin, size and root; fetch it again from the log"
    )]
    NotACheckpoint,
    /// No signature of a key that is known.
    #[error(
        "the checkpoint is not signed by the key given; check that the key belongs to this log. If its operator has handed you a newer key, give both, the older one first: --key OLD --key NEW"
    )]
    UnknownKey,
    /// A signature of a known key does not fit the text.
    #[error("the signature of the checkpoint is wrong: it was changed after it was signed")]
    WrongSignature,
    /// Signed by a known key under another log's name.
    #[error(
        "the checkpoint names another log than its key does; check that the key belongs to this log"
    )]
    OtherOrigin,
}

impl Classify for CheckpointError {
    fn kind(&self) -> Kind {
        match self {
            Self::NotANote | Self::NotACheckpoint => Kind::InvalidArgument,
            Self::UnknownKey | Self::WrongSignature | Self::OtherOrigin => Kind::Refused,
        }
    }
}

impl Localised for CheckpointError {
    fn localised(&self, language: Language) -> String {
        let japanese = match self {
            Self::NotANote => {
                "チェックポイントが署名付きノートの形式ではありません。ログから取り直してください"
            }
            Self::NotACheckpoint => {
                "チェックポイントが発行元・件数・ルートの3行ではありません。ログから取り直してください"
            }
            Self::UnknownKey => {
                "チェックポイントが指定された鍵で署名されていません。このログの鍵か確かめてください。運用者から新しい鍵を受け取っている場合は、旧い鍵を先に両方を指定してください（--key 旧 --key 新）"
            }
            Self::WrongSignature => {
                "チェックポイントの署名が一致しません。署名の後に変更されています"
            }
            Self::OtherOrigin => {
                "チェックポイントの発行元が鍵の名前と異なります。このログの鍵か確かめてください"
            }
        };
        language.pick(self.to_string(), japanese.to_owned())
    }
}

impl Checkpoint {
    /// The text that is signed.
    pub fn to_text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, self.root)
    }

    /// Reads the text of a note, without its signatures.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let mut lines = text.split('\n');
        let (Some(origin), Some(size), Some(root), Some(""), None) =
            (lines.next(), lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(CheckpointError::NotACheckpoint);
        };
        let checkpoint = Self {
            origin: origin.parse().map_err(|_| CheckpointError::NotACheckpoint)?,
            size: size.parse().map_err(|_| CheckpointError::NotACheckpoint)?,
            root: root.parse().map_err(|_| CheckpointError::NotACheckpoint)?,
        };
        // Leading zeros and a plus sign are other spellings of a number.
        if checkpoint.to_text() == text {
            Ok(checkpoint)
        } else {
            Err(CheckpointError::NotACheckpoint)
        }
    }
}

impl SignedCheckpoint {
    /// Signs with the log's key. The origin is the key's own name, so that the two cannot differ.
    pub fn sign(key: &LogKey, size: u64, root: Hash) -> Self {
        let checkpoint = Checkpoint { origin: key.origin().clone(), size, root };
        let text = checkpoint.to_text();
        let signature = key.sign(text.as_bytes());
        let mut bytes = key.id().to_be_bytes().to_vec();
        bytes.extend_from_slice(&signature);
        let note = format!("{text}\n\u{2014} {} {}\n", checkpoint.origin, STANDARD.encode(bytes));
        Self { checkpoint, note }
    }

    /// Reads a note and checks it: at least one of `keys` has signed it, under its own origin.
    pub fn open(note: &[u8], keys: &[VerifierKey]) -> Result<Self, CheckpointError> {
        let (note, parts) = NoteParts::split(note)?;
        let mut signer = None;
        for line in &parts.signatures {
            let Some(key) = keys
                .iter()
                .find(|key| key.id() == line.key_id && key.origin().as_str() == line.name)
            else {
                continue;
            };
            if !key.verifies(parts.text.as_bytes(), &line.signature) {
                return Err(CheckpointError::WrongSignature);
            }
            signer.get_or_insert(key);
        }
        let signer = signer.ok_or(CheckpointError::UnknownKey)?;
        let checkpoint = Checkpoint::parse(parts.text)?;
        if checkpoint.origin != *signer.origin() {
            return Err(CheckpointError::OtherOrigin);
        }
        Ok(Self { checkpoint, note: note.to_owned() })
    }

    /// What was signed.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Whether this key has signed it: of several that were given, more than one may have.
    pub fn is_signed_by(&self, key: &VerifierKey) -> bool {
        Self::open(self.note.as_bytes(), std::slice::from_ref(key)).is_ok()
    }

    /// The note: the bytes of a `checkpoint` file.
    pub fn note(&self) -> &str {
        &self.note
    }
}

/// Reads what a note claims, whoever signed it: for comparing with a tree at hand, never for trusting it.
pub fn claimed(note: &[u8]) -> Result<Checkpoint, CheckpointError> {
    let (_, parts) = NoteParts::split(note)?;
    Checkpoint::parse(parts.text)
}

struct NoteParts<'a> {
    text: &'a str,
    signatures: Vec<SignatureLine<'a>>,
}

struct SignatureLine<'a> {
    name: &'a str,
    key_id: u32,
    signature: Vec<u8>,
}

impl<'a> NoteParts<'a> {
    fn split(note: &'a [u8]) -> Result<(&'a str, Self), CheckpointError> {
        let whole = std::str::from_utf8(note).map_err(|_| CheckpointError::NotANote)?;
        let control = |c: char| c < ' ' && c != '\n';
        if whole.len() > NOTE_BYTES_MAX || whole.contains(control) {
            return Err(CheckpointError::NotANote);
        }
        // The last empty line divides; the text keeps its own final newline.
        let middle = whole.rfind("\n\n").ok_or(CheckpointError::NotANote)?;
        let (text, lines) = (&whole[..=middle], &whole[middle + 2..]);
        let lines = lines.strip_suffix('\n').ok_or(CheckpointError::NotANote)?;
        let signatures = lines
            .split('\n')
            .map(|line| SignatureLine::parse(line).ok_or(CheckpointError::NotANote))
            .collect::<Result<_, _>>()?;
        Ok((whole, Self { text, signatures }))
    }
}

impl<'a> SignatureLine<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (name, base64) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
        let bytes = STANDARD.decode(base64).ok()?;
        let (key_id, signature) = bytes.split_first_chunk::<4>()?;
        let nameless = name.is_empty() || name.contains('+') || name.contains(char::is_whitespace);
        (!nameless && !signature.is_empty()).then(|| Self {
            name,
            key_id: u32::from_be_bytes(*key_id),
            signature: signature.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests;
