//! The key that signs a log, and the text by which others know it.
//!
//! The private half is a PKCS#8 PEM file outside the store and its backups; the public half is one line in signed-note
//! form, `<origin>+<key id>+<base64>`. Invariant: the private half is wiped when dropped, and nothing prints it.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, KeypairBytes};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use renkei_types::{Classify, Entropy, Kind};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::Origin;

/// The signed-note number of plain Ed25519.
const ED25519: u8 = 0x01;

/// Signs checkpoints of one log.
pub struct LogKey {
    origin: Origin,
    signing: SigningKey,
}

/// Checks checkpoints of one log. Text form: the signed-note verifier key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VerifierKey {
    origin: Origin,
    id: u32,
    key: VerifyingKey,
}

/// The text is not a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidKey {
    /// Not a private key that signs checkpoints.
    #[error("the log's private key is not an Ed25519 key in PKCS#8 PEM form; restore keys/log.key")]
    Private,
    /// Not a verifier key.
    #[error(
        "a log's public key is one line, <origin>+<key id>+<base64>; get it again from the log's operator"
    )]
    Shape,
    /// A verifier key of an algorithm other than Ed25519.
    #[error("the log's public key is of an unknown algorithm; this release knows Ed25519")]
    Algorithm,
    /// The key id is not that of the key, so a part of the line was changed.
    #[error(
        "the log's public key contradicts its own key id; get it again from the log's operator"
    )]
    Id,
}

impl Classify for InvalidKey {
    fn kind(&self) -> Kind {
        match self {
            Self::Private | Self::Shape | Self::Algorithm | Self::Id => Kind::InvalidArgument,
        }
    }
}

impl renkei_types::Localised for InvalidKey {
    fn localised(&self, language: renkei_types::Language) -> String {
        let japanese = match self {
            Self::Private => {
                "ログの秘密鍵がPKCS#8 PEM形式のEd25519鍵ではありません。keys/log.keyを復元してください"
            }
            Self::Shape => {
                "ログの公開鍵は「発行元+鍵ID+base64」の1行です。ログの運用者から取り直してください"
            }
            Self::Algorithm => "ログの公開鍵の方式に対応していません。対応するのはEd25519です",
            Self::Id => "ログの公開鍵と鍵IDが一致しません。ログの運用者から取り直してください",
        };
        language.pick(self.to_string(), japanese.to_owned())
    }
}

impl LogKey {
    /// A new key.
    pub fn generate(origin: Origin, entropy: &dyn Entropy) -> Self {
        let mut secret = Zeroizing::new([0; 32]);
        entropy.fill(secret.as_mut());
        Self { origin, signing: SigningKey::from_bytes(&secret) }
    }

    /// Reads a key file.
    pub fn from_pem(origin: Origin, pem: &str) -> Result<Self, InvalidKey> {
        let signing = SigningKey::from_pkcs8_pem(pem).map_err(|_| InvalidKey::Private)?;
        Ok(Self { origin, signing })
    }

    /// The text of a key file, wiped when dropped.
    pub fn to_pem(&self) -> Zeroizing<String> {
        // Without the public half: it follows from the private one, and common tools refuse files that carry both.
        let pair = KeypairBytes { secret_key: self.signing.to_bytes(), public_key: None };
        // Unwrap safety: 32 bytes always fit the encoding.
        pair.to_pkcs8_pem(LineEnding::LF).expect("an Ed25519 key has a PKCS#8 form")
    }

    /// The log it signs for.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The public half.
    pub fn verifier(&self) -> VerifierKey {
        VerifierKey::new(self.origin.clone(), self.signing.verifying_key())
    }

    pub(super) fn id(&self) -> u32 {
        key_id(&self.origin, &self.signing.verifying_key())
    }

    pub(super) fn sign(&self, text: &[u8]) -> [u8; 64] {
        self.signing.sign(text).to_bytes()
    }
}

impl fmt::Debug for LogKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LogKey({}, [redacted])", self.origin)
    }
}

fn key_id(origin: &Origin, key: &VerifyingKey) -> u32 {
    let mut hash = Sha256::new();
    hash.update(origin.as_str());
    hash.update([b'\n', ED25519]);
    hash.update(key.as_bytes());
    let [a, b, c, d, ..] = <[u8; 32]>::from(hash.finalize());
    u32::from_be_bytes([a, b, c, d])
}

impl VerifierKey {
    fn new(origin: Origin, key: VerifyingKey) -> Self {
        Self { id: key_id(&origin, &key), origin, key }
    }

    /// The log it belongs to.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(super) fn id(&self) -> u32 {
        self.id
    }

    pub(super) fn verifies(&self, text: &[u8], signature: &[u8]) -> bool {
        // Strict: keys and signatures under which several texts pass are refused.
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.key.verify_strict(text, &signature).is_ok())
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![ED25519];
        bytes.extend_from_slice(self.key.as_bytes());
        write!(f, "{}+{:08x}+{}", self.origin, self.id, STANDARD.encode(bytes))
    }
}

impl FromStr for VerifierKey {
    type Err = InvalidKey;

    /// A final newline is allowed, as the line usually comes from a file.
    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        let line = text.strip_suffix('\n').unwrap_or(text);
        let line = line.strip_suffix('\r').unwrap_or(line);
        let (origin, rest) = line.split_once('+').ok_or(InvalidKey::Shape)?;
        // The base64 part may itself contain a plus sign.
        let (id, base64) = rest.split_once('+').ok_or(InvalidKey::Shape)?;
        let origin = origin.parse().map_err(|_| InvalidKey::Shape)?;
        let hexadecimal = id.len() == 8 && id.bytes().all(|c| c.is_ascii_hexdigit());
        let id = u32::from_str_radix(id, 16).ok().filter(|_| hexadecimal);
        let id = id.ok_or(InvalidKey::Shape)?;
        let bytes = STANDARD.decode(base64).map_err(|_| InvalidKey::Shape)?;
        let (&algorithm, key) = bytes.split_first().ok_or(InvalidKey::Shape)?;
        if algorithm != ED25519 {
            return Err(InvalidKey::Algorithm);
        }
        let key = <&[u8; 32]>::try_from(key).map_err(|_| InvalidKey::Shape)?;
        let key = VerifyingKey::from_bytes(key).map_err(|_| InvalidKey::Shape)?;
        let verifier = Self::new(origin, key);
        if verifier.id == id { Ok(verifier) } else { Err(InvalidKey::Id) }
    }
}
