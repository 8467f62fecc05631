//! Sealing: what is personal leaves the process only encrypted and bound to its place.
//!
//! XChaCha20-Poly1305 takes nonces of 24 bytes, long enough to draw them at random for ever. The additional data names
//! what is sealed (an id, a chunk number), so that sealed bytes that were moved elsewhere do not open there. Digests of
//! personal data are keyed too: without the key nobody can try out names. Invariant: destroying a [`DataKey`] makes
//! everything sealed with it, and every keyed digest, meaningless. Keeping keys is left to `keys`.

use std::fmt;

use chacha20poly1305::aead::{AeadInOut as _, KeyInit as _};
use chacha20poly1305::{Key, Tag, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac as _};
use renkei_types::{Classify, Digest, Entropy, Kind, Language, Localised};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop};

pub(crate) const NONCE_BYTES: usize = 24;
pub(crate) const TAG_BYTES: usize = 16;

/// Sealed bytes did not open: another key, another place, or a changed byte.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("sealed data does not open: it was changed, moved, or sealed with another key")]
pub struct SealError;

impl Classify for SealError {
    fn kind(&self) -> Kind {
        Kind::Internal
    }
}

impl Localised for SealError {
    fn localised(&self, language: Language) -> String {
        language
            .pick(
                "sealed data does not open: it was changed, moved, or sealed with another key",
                "封印されたデータを開けません。改変・移動されたか、別の鍵で封印されています",
            )
            .to_owned()
    }
}

/// A key that seals data. Wiped from memory when dropped, never shown.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct DataKey([u8; 32]);

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl DataKey {
    /// A new key.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut key = Self([0; 32]);
        entropy.fill(&mut key.0);
        key
    }

    /// A key from its bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for wrapping them with another key.
    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(crate) fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&Key::from(self.0))
    }

    /// Seals `plaintext` for the place that `aad` names: a random nonce, the ciphertext, the tag.
    pub fn seal(&self, entropy: &dyn Entropy, aad: &[u8], plaintext: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE_BYTES];
        entropy.fill(&mut nonce);
        let mut sealed = Vec::with_capacity(NONCE_BYTES + plaintext.len() + TAG_BYTES);
        sealed.extend(nonce);
        seal_onto(&self.cipher(), &nonce, aad, plaintext, &mut sealed);
        sealed
    }

    /// Opens what [`DataKey::seal`] made for the same place.
    pub fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (nonce, body) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(SealError)?;
        open_with(&self.cipher(), nonce, aad, body)
    }

    /// A digest that only holders of this key can compute; labels keep purposes apart.
    pub fn keyed_digest(&self, label: &str, bytes: &[u8]) -> Digest {
        let mut digest = self.keyed_digest_of_parts(label);
        digest.update(bytes);
        digest.finish()
    }

    /// The same digest, over bytes that arrive in parts.
    pub fn keyed_digest_of_parts(&self, label: &str) -> KeyedDigest {
        let mut derive = hmac(&self.0);
        derive.update(b"renkei keyed digest 1\0");
        derive.update(label.as_bytes());
        let mut sub_key: [u8; 32] = derive.finalize().into_bytes().into();
        let digest = KeyedDigest(hmac(&sub_key));
        sub_key.zeroize();
        digest
    }
}

fn hmac(key: &[u8; 32]) -> Hmac<Sha256> {
    // Unwrap safety: HMAC takes keys of every length.
    Hmac::<Sha256>::new_from_slice(key).expect("a key of 32 bytes")
}

/// A keyed digest that is still being fed.
#[derive(Clone)]
pub struct KeyedDigest(Hmac<Sha256>);

impl fmt::Debug for KeyedDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl KeyedDigest {
    /// Adds bytes; where one part ends and the next begins makes no difference.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all parts.
    pub fn finish(self) -> Digest {
        Digest::from_bytes(self.0.finalize().into_bytes().into())
    }
}

/// Adds ciphertext and tag to `sealed`. The caller answers for a nonce that this key has never seen.
pub(crate) fn seal_onto(
    cipher: &XChaCha20Poly1305,
    nonce: &[u8; NONCE_BYTES],
    aad: &[u8],
    plaintext: &[u8],
    sealed: &mut Vec<u8>,
) {
    let start = sealed.len();
    sealed.extend_from_slice(plaintext);
    let tag = cipher
        .encrypt_inout_detached(&XNonce::from(*nonce), aad, (&mut sealed[start..]).into())
        // Unwrap safety: fails beyond 256 GiB only, and nothing here is sealed in one piece of that size.
        .expect("a plaintext below the cipher's limit");
    sealed.extend_from_slice(&tag);
}

/// Opens ciphertext and tag.
pub(crate) fn open_with(
    cipher: &XChaCha20Poly1305,
    nonce: &[u8; NONCE_BYTES],
    aad: &[u8],
    body: &[u8],
) -> Result<Vec<u8>, SealError> {
    let (ciphertext, tag) = body.split_last_chunk::<TAG_BYTES>().ok_or(SealError)?;
    let mut plaintext = ciphertext.to_vec();
    cipher
        .decrypt_inout_detached(
            &XNonce::from(*nonce),
            aad,
            plaintext.as_mut_slice().into(),
            &Tag::from(*tag),
        )
        .map_err(|_| SealError)?;
    Ok(plaintext)
}

#[cfg(test)]
mod tests {
    use renkei_types::SeededEntropy;

    use super::*;

    #[test]
    fn sealed_bytes_open_at_their_place_alone_and_unchanged_alone() {
        let entropy = SeededEntropy::new(1);
        let (key, other) = (DataKey::generate(&entropy), DataKey::generate(&entropy));
        let sealed = key.seal(&entropy, b"line 1", b"Sato Hanako");
        assert_eq!(key.open(b"line 1", &sealed).expect("its own seal"), b"Sato Hanako");
        assert_eq!(key.open(b"line 2", &sealed), Err(SealError));
        assert_eq!(other.open(b"line 1", &sealed), Err(SealError));
        assert_eq!(key.open(b"line 1", &sealed[..20]), Err(SealError));
        for at in 0..sealed.len() {
            let mut flipped = sealed.clone();
            flipped[at] ^= 1;
            assert_eq!(key.open(b"line 1", &flipped), Err(SealError), "{at}");
        }
    }

    #[test]
    fn a_keyed_digest_depends_on_key_label_and_bytes_but_not_on_parts() {
        let key = DataKey::from_bytes([7; 32]);
        let whole = key.keyed_digest("blob", b"abc");
        let mut parts = key.keyed_digest_of_parts("blob");
        parts.update(b"a");
        parts.update(b"bc");
        assert_eq!(parts.finish(), whole);
        assert_ne!(key.keyed_digest("line", b"abc"), whole);
        assert_ne!(DataKey::from_bytes([8; 32]).keyed_digest("blob", b"abc"), whole);
    }

    #[test]
    fn a_key_shows_nothing_of_itself() {
        assert_eq!(format!("{:?}", DataKey::from_bytes([7; 32])), "[redacted]");
    }
}
