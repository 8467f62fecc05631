//! An Ed25519 key with a name and a kind, which is what keys of logs and of witnesses have in common.
//!
//! The kind is a byte that goes into the key id and into the line by which others know the key, so a line of one kind never
//! passes for another. What is signed is decided by those who use it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, KeypairBytes};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use renkei_types::Entropy;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{InvalidKey, Origin};

/// The private half.
pub(super) struct NamedSecret {
    name: Origin,
    signing: SigningKey,
}

impl NamedSecret {
    pub(super) fn generate(name: Origin, entropy: &dyn Entropy) -> Self {
        let mut secret = Zeroizing::new([0; 32]);
        entropy.fill(secret.as_mut());
        Self { name, signing: SigningKey::from_bytes(&secret) }
    }

    pub(super) fn from_pem(name: Origin, pem: &str) -> Option<Self> {
        Some(Self { name, signing: SigningKey::from_pkcs8_pem(pem).ok()? })
    }

    pub(super) fn to_pem(&self) -> Zeroizing<String> {
        // Without the public half: it follows from the private one, and common tools refuse files that carry both.
        let pair = KeypairBytes { secret_key: self.signing.to_bytes(), public_key: None };
        // Unwrap safety: 32 bytes always fit the encoding.
        pair.to_pkcs8_pem(LineEnding::LF).expect("an Ed25519 key has a PKCS#8 form")
    }

    pub(super) fn name(&self) -> &Origin {
        &self.name
    }

    pub(super) fn public(&self, kind: u8) -> NamedKey {
        NamedKey::new(kind, self.name.clone(), self.signing.verifying_key())
    }

    pub(super) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.signing.sign(message).to_bytes()
    }
}

/// The public half. Text form: the signed-note verifier key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct NamedKey {
    kind: u8,
    name: Origin,
    id: u32,
    key: VerifyingKey,
}

impl NamedKey {
    fn new(kind: u8, name: Origin, key: VerifyingKey) -> Self {
        let mut hash = Sha256::new();
        hash.update(name.as_str());
        hash.update([b'\n', kind]);
        hash.update(key.as_bytes());
        let [a, b, c, d, ..] = <[u8; 32]>::from(hash.finalize());
        Self { kind, name, id: u32::from_be_bytes([a, b, c, d]), key }
    }

    pub(super) fn parse(kind: u8, text: &str) -> Result<Self, InvalidKey> {
        let line = text.strip_suffix('\n').unwrap_or(text);
        let line = line.strip_suffix('\r').unwrap_or(line);
        let (name, rest) = line.split_once('+').ok_or(InvalidKey::Shape)?;
        // The base64 part may itself contain a plus sign.
        let (id, base64) = rest.split_once('+').ok_or(InvalidKey::Shape)?;
        let name = name.parse().map_err(|_| InvalidKey::Shape)?;
        let hexadecimal = id.len() == 8 && id.bytes().all(|c| c.is_ascii_hexdigit());
        let id = u32::from_str_radix(id, 16).ok().filter(|_| hexadecimal);
        let id = id.ok_or(InvalidKey::Shape)?;
        let bytes = STANDARD.decode(base64).map_err(|_| InvalidKey::Shape)?;
        let (&found, key) = bytes.split_first().ok_or(InvalidKey::Shape)?;
        if found != kind {
            return Err(InvalidKey::Algorithm);
        }
        let key = <&[u8; 32]>::try_from(key).map_err(|_| InvalidKey::Shape)?;
        let key = VerifyingKey::from_bytes(key).map_err(|_| InvalidKey::Shape)?;
        let parsed = Self::new(kind, name, key);
        if parsed.id == id { Ok(parsed) } else { Err(InvalidKey::Id) }
    }

    pub(super) fn name(&self) -> &Origin {
        &self.name
    }

    pub(super) fn id(&self) -> u32 {
        self.id
    }

    pub(super) fn public_bytes(&self) -> [u8; 32] {
        self.key.to_bytes()
    }

    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        // Strict: keys and signatures under which several texts pass are refused.
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.key.verify_strict(message, &signature).is_ok())
    }
}

impl fmt::Display for NamedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![self.kind];
        bytes.extend_from_slice(self.key.as_bytes());
        write!(f, "{}+{:08x}+{}", self.name, self.id, STANDARD.encode(bytes))
    }
}
