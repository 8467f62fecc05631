//! The key that signs a log, and the text by which others know it.
//!
//! The private half is a PKCS#8 PEM file outside the store and its backups; the public half is one line in signed-note
//! form, `<origin>+<key id>+<base64>`. Invariant: the private half is wiped when dropped, and nothing prints it.

use std::fmt;
use std::str::FromStr;

use renkei_types::{Classify, Entropy, Kind};
use zeroize::Zeroizing;

use super::Origin;
use super::named_key::{NamedKey, NamedSecret};

/// The signed-note number of plain Ed25519.
const ED25519: u8 = 0x01;

/// Signs checkpoints of one log.
pub struct LogKey(NamedSecret);

/// Checks checkpoints of one log. Text form: the signed-note verifier key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VerifierKey(NamedKey);

/// The text is not a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidKey {
    /// Not a private key that signs checkpoints.
    #[error("the log's private key is not an Ed25519 key in PKCS#8 PEM form; restore keys/log.key")]
    Private,
    /// Not a private key that a witness signs with.
    #[error(
        "the witness's private key is not an Ed25519 key in PKCS#8 PEM form; restore it, or make one with `renkei audit witness key`"
    )]
    Witness,
    /// Not a verifier key.
    #[error(
        "the public key of a log or witness is one line, <name>+<key id>+<base64>; get it again from its operator"
    )]
    Shape,
    /// A verifier key of another algorithm, or of a witness where a log's is wanted.
    #[error(
        "the public key is of another kind than is wanted here; this release knows Ed25519, kind 1 for logs and kind 4 for witnesses"
    )]
    Algorithm,
    /// The key id is not that of the key, so a part of the line was changed.
    #[error("the public key contradicts its own key id; get it again from its operator")]
    Id,
}

impl Classify for InvalidKey {
    fn kind(&self) -> Kind {
        match self {
            Self::Private | Self::Witness | Self::Shape | Self::Algorithm | Self::Id => {
                Kind::InvalidArgument
            }
        }
    }
}

impl renkei_types::Localised for InvalidKey {
    fn localised(&self, language: renkei_types::Language) -> String {
        let japanese = match self {
            Self::Private => {
                "ログの秘密鍵がPKCS#8 PEM形式のEd25519鍵ではありません。keys/log.keyを復元してください"
            }
            Self::Witness => {
                "立会者の秘密鍵がPKCS#8 PEM形式のEd25519鍵ではありません。復元するか、`renkei audit witness key`で作ってください"
            }
            Self::Shape => {
                "ログや立会者の公開鍵は「名前+鍵ID+base64」の1行です。運用者から取り直してください"
            }
            Self::Algorithm => {
                "公開鍵の種類が違います。対応するのはEd25519で、ログは種類1、立会者は種類4です"
            }
            Self::Id => "公開鍵と鍵IDが一致しません。運用者から取り直してください",
        };
        language.pick(self.to_string(), japanese.to_owned())
    }
}

impl LogKey {
    /// A new key.
    pub fn generate(origin: Origin, entropy: &dyn Entropy) -> Self {
        Self(NamedSecret::generate(origin, entropy))
    }

    /// Reads a key file.
    pub fn from_pem(origin: Origin, pem: &str) -> Result<Self, InvalidKey> {
        NamedSecret::from_pem(origin, pem).map(Self).ok_or(InvalidKey::Private)
    }

    /// The text of a key file, wiped when dropped.
    pub fn to_pem(&self) -> Zeroizing<String> {
        self.0.to_pem()
    }

    /// The log it signs for.
    pub fn origin(&self) -> &Origin {
        self.0.name()
    }

    /// The public half.
    pub fn verifier(&self) -> VerifierKey {
        VerifierKey(self.0.public(ED25519))
    }

    pub(super) fn id(&self) -> u32 {
        self.0.public(ED25519).id()
    }

    pub(super) fn sign(&self, text: &[u8]) -> [u8; 64] {
        self.0.sign(text)
    }
}

impl fmt::Debug for LogKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LogKey({}, [redacted])", self.origin())
    }
}

impl VerifierKey {
    /// The log it belongs to.
    pub fn origin(&self) -> &Origin {
        self.0.name()
    }

    /// The bare public key: two lines with other names may carry the same.
    pub fn public_bytes(&self) -> [u8; 32] {
        self.0.public_bytes()
    }

    pub(super) fn id(&self) -> u32 {
        self.0.id()
    }

    pub(super) fn verifies(&self, text: &[u8], signature: &[u8]) -> bool {
        self.0.verifies(text, signature)
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for VerifierKey {
    type Err = InvalidKey;

    /// A final newline is allowed, as the line usually comes from a file.
    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        NamedKey::parse(ED25519, text).map(Self)
    }
}
