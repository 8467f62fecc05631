//! What a witness says of a checkpoint: at this time it was the largest that I had seen of this log, and it went on from
//! every one before.
//!
//! Whoever has a log's key can sign two histories and show each to another reader. A witness signs one of them. Its line
//! stands in the note beside the log's own and carries its clock, so it is a second opinion on the time as well (C2SP
//! tlog-cosignature, Ed25519). Invariant: lines of unknown witnesses are passed over, a wrong line of a known one refuses
//! the note.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use renkei_types::Entropy;
use zeroize::Zeroizing;

use super::named_key::{NamedKey, NamedSecret};
use super::{
    Checkpoint, CheckpointError, InvalidKey, NoteParts, Origin, SignedCheckpoint, VerifierKey,
};

/// The signed-note number of Ed25519 cosignatures.
const COSIGNATURE: u8 = 0x04;

/// No time of a cosignature is later, so that readers may keep it as a signed number.
const TIME_MAX: u64 = i64::MAX as u64;

/// Cosigns checkpoints of other logs.
pub struct WitnessKey(NamedSecret);

/// Checks cosignatures of one witness. Text form: the signed-note verifier key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CosignerKey(NamedKey);

/// A cosignature that was checked. Text form: its line in a note, without the end of the line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cosignature {
    name: Origin,
    key_id: u32,
    seconds: u64,
    signature: [u8; 64],
}

/// The bytes that are signed: which kind of statement, when, and the note without its signatures.
fn message(checkpoint: &Checkpoint, seconds: u64) -> String {
    format!("cosignature/v1\ntime {seconds}\n{}", checkpoint.to_text())
}

impl WitnessKey {
    /// A new key.
    pub fn generate(name: Origin, entropy: &dyn Entropy) -> Self {
        Self(NamedSecret::generate(name, entropy))
    }

    /// Reads a key file.
    pub fn from_pem(name: Origin, pem: &str) -> Result<Self, InvalidKey> {
        NamedSecret::from_pem(name, pem).map(Self).ok_or(InvalidKey::Witness)
    }

    /// The text of a key file, wiped when dropped.
    pub fn to_pem(&self) -> Zeroizing<String> {
        self.0.to_pem()
    }

    /// The public half.
    pub fn cosigner(&self) -> CosignerKey {
        CosignerKey(self.0.public(COSIGNATURE))
    }

    /// Cosigns, at a time in seconds since 1970. Whether the checkpoint deserves it has been decided before.
    pub fn cosign(&self, checkpoint: &Checkpoint, seconds: u64) -> Cosignature {
        let seconds = seconds.clamp(1, TIME_MAX);
        let signature = self.0.sign(message(checkpoint, seconds).as_bytes());
        let CosignerKey(public) = self.cosigner();
        Cosignature { name: public.name().clone(), key_id: public.id(), seconds, signature }
    }
}

impl fmt::Debug for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WitnessKey({}, [redacted])", self.0.name())
    }
}

impl CosignerKey {
    /// The name of the witness.
    pub fn name(&self) -> &Origin {
        self.0.name()
    }

    /// The bare public key: two lines with other names may carry the same.
    pub fn public_bytes(&self) -> [u8; 32] {
        self.0.public_bytes()
    }

    fn is_of(&self, name: &str, key_id: u32) -> bool {
        self.0.id() == key_id && self.0.name().as_str() == name
    }
}

impl fmt::Display for CosignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for CosignerKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        NamedKey::parse(COSIGNATURE, text).map(Self)
    }
}

impl Cosignature {
    /// When the witness signed, by its own clock, in seconds since 1970.
    pub fn seconds(&self) -> u64 {
        self.seconds
    }

    /// Whether this witness has made it.
    pub fn is_by(&self, key: &CosignerKey) -> bool {
        key.is_of(self.name.as_str(), self.key_id)
    }

    /// The part of a line that is checked against a known key; nothing where the key has not signed it.
    fn check(key: &CosignerKey, checkpoint: &Checkpoint, bytes: &[u8]) -> Option<Self> {
        let (seconds, signature) = bytes.split_first_chunk::<8>()?;
        let seconds = u64::from_be_bytes(*seconds);
        let signature = <[u8; 64]>::try_from(signature).ok()?;
        let message = message(checkpoint, seconds);
        let holds =
            (1..=TIME_MAX).contains(&seconds) && key.0.verifies(message.as_bytes(), &signature);
        let (name, key_id) = (key.name().clone(), key.0.id());
        holds.then_some(Self { name, key_id, seconds, signature })
    }
}

impl fmt::Display for Cosignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.key_id.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.seconds.to_be_bytes());
        bytes.extend_from_slice(&self.signature);
        write!(f, "\u{2014} {} {}", self.name, STANDARD.encode(bytes))
    }
}

impl SignedCheckpoint {
    /// The cosignatures of those witnesses that are known, each checked.
    pub fn cosignatures(&self, known: &[CosignerKey]) -> Result<Vec<Cosignature>, CheckpointError> {
        let (_, parts) = NoteParts::split(self.note.as_bytes())?;
        let mut found: Vec<Cosignature> = Vec::new();
        for line in &parts.signatures {
            let Some(key) = known.iter().find(|key| key.is_of(line.name, line.key_id)) else {
                continue;
            };
            let checked = Cosignature::check(key, &self.checkpoint, &line.signature);
            found.push(checked.ok_or(CheckpointError::WrongSignature)?);
        }
        Ok(found)
    }

    /// The cosignatures in what a witness has answered, which is lines as they stand in a note.
    pub fn cosignatures_in(
        &self,
        answer: &str,
        known: &[CosignerKey],
    ) -> Result<Vec<Cosignature>, CheckpointError> {
        let note = format!("{}\n{answer}", self.checkpoint.to_text());
        Self { checkpoint: self.checkpoint.clone(), note }.cosignatures(known)
    }

    /// The same checkpoint with these lines as well; of each witness the latest one stays.
    #[must_use]
    pub fn with_cosignatures(&self, added: &[Cosignature]) -> Self {
        let newest = |one: &Cosignature| {
            let same =
                added.iter().filter(|other| other.key_id == one.key_id && other.name == one.name);
            same.map(Cosignature::seconds).max() == Some(one.seconds)
        };
        let lines = self.note.split('\n').filter(|line| {
            let replaced = |new: &Cosignature| is_line_of(line, &new.name, new.key_id);
            !added.iter().any(replaced)
        });
        let mut note = lines.collect::<Vec<_>>().join("\n");
        for cosignature in added.iter().filter(|one| newest(one)) {
            note.push_str(&format!("{cosignature}\n"));
        }
        Self { checkpoint: self.checkpoint.clone(), note }
    }

    /// The same checkpoint with one signature of each of these keys of its log, as far as they stand in the note, and no other
    /// line.
    #[must_use]
    pub fn without_others_lines(&self, log: &[VerifierKey]) -> Self {
        let signed = |key: &VerifierKey| {
            let mut lines = self.note.split('\n');
            lines.find(|line| is_line_of(line, key.origin(), key.id()))
        };
        let lines: String = log.iter().filter_map(signed).map(|line| format!("{line}\n")).collect();
        let note = format!("{}\n{lines}", self.checkpoint.to_text());
        Self { checkpoint: self.checkpoint.clone(), note }
    }

    /// The same checkpoint with the lines that others than the log have added to an earlier note of the same text. Nothing is
    /// taken over from a note of another text.
    #[must_use]
    pub fn keeping_others_lines(&self, earlier: &[u8]) -> Self {
        let Ok((_, parts)) = NoteParts::split(earlier) else { return self.clone() };
        let mut note = self.note.clone();
        if parts.text == self.checkpoint.to_text() {
            let own = self.checkpoint.origin.as_str();
            for line in parts.signatures.iter().filter(|line| line.name != own) {
                let mut bytes = line.key_id.to_be_bytes().to_vec();
                bytes.extend_from_slice(&line.signature);
                note.push_str(&format!("\u{2014} {} {}\n", line.name, STANDARD.encode(bytes)));
            }
        }
        Self { checkpoint: self.checkpoint.clone(), note }
    }
}

/// Whether a line of a note is a signature under this name with this key id.
fn is_line_of(line: &str, name: &Origin, key_id: u32) -> bool {
    let signed = line.strip_prefix("\u{2014} ").and_then(|rest| rest.split_once(' '));
    signed.is_some_and(|(signer, base64)| {
        signer == name.as_str()
            && STANDARD.decode(base64).is_ok_and(|bytes| bytes.starts_with(&key_id.to_be_bytes()))
    })
}

#[cfg(test)]
mod tests;
