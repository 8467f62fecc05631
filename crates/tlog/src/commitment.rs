//! Salted commitments: what a leaf says of persons and lines without saying anything about them.
//!
//! A job over 300,000 lines leaves one leaf. Two roots in it stand for every line: one over the persons (`subj`), one over
//! the decisions (`man`). Each line is hashed with a salt of its own:
//!
//! ```text
//! person:   SHA-256(0x00 || salt (16) || handle (32) || what was said of them)
//! decision: SHA-256(0x00 || salt (16) || record)
//! ```
//! Whoever is given the salt and the path of one line can show that this line was there, and learns nothing of its
//! neighbours. Without salts nobody can try out names or handles, and once they are destroyed the roots open no more.
//! The tree is RFC 6962's, so a path is an inclusion proof. How handles are made, and where salts are kept, is left to the
//! callers.

use std::convert::Infallible;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::checkpoint::VerifierKey;
use crate::hash::{Hash, leaf_hash};
use crate::leaf::{Leaf, LeafError};
use crate::proof::{HashReader, InclusionProof, ProofError, inclusion_proof};
use crate::receipt::{Receipt, ReceiptError};
use crate::tile::TILE_WIDTH;
use crate::tree::tree_root;

/// Bytes of a salt.
pub const SALT_BYTES: usize = 16;

/// Makes a commitment that nobody can guess. Each is drawn for one line and used once.
pub type Salt = [u8; SALT_BYTES];

/// A person's name in trees of one agency and fiscal year: a keyed hash, without its key as good as chance.
pub type Handle = [u8; 32];

/// The handle of nobody: a line that means no one.
pub const NOBODY: Handle = [0; 32];

/// How the roots of decisions are made, as leaves name it.
pub const RECORDS_ALGORITHM: &str = "salted-sha256";

/// The commitment to a person, and to what was said of them.
pub fn person_hash(salt: &Salt, handle: &Handle, said: &str) -> Hash {
    // One piece: a hasher that is fed in pieces copies each.
    let mut bytes = [0; SALT_BYTES + 32 + 32];
    let said = &said.as_bytes()[..said.len().min(32)];
    let end = SALT_BYTES + 32 + said.len();
    bytes[..SALT_BYTES].copy_from_slice(salt);
    bytes[SALT_BYTES..SALT_BYTES + 32].copy_from_slice(handle);
    bytes[SALT_BYTES + 32..end].copy_from_slice(said);
    leaf_hash(&bytes[..end])
}

/// The decision on one line.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LineRecord {
    /// The line's place in its list, from 0.
    pub row: u32,
    /// Weight of the pair in thousandths of a bit; 0 where there is none.
    pub weight: i32,
    /// The line's own handle.
    #[serde(with = "hexadecimal")]
    pub line: [u8; 16],
    /// The person's handle; that of nobody where it means no one.
    #[serde(with = "hexadecimal")]
    pub person: Handle,
    /// The outcome.
    pub outcome: String,
    /// Code of the reason.
    pub reason: String,
}

impl LineRecord {
    /// Adds the bytes that are hashed: numbers big-endian, both handles, outcome, a zero byte, reason.
    pub fn write(
        (row, weight): (u32, i32),
        (line, person): (&[u8; 16], &Handle),
        (outcome, reason): (&str, &str),
        bytes: &mut Vec<u8>,
    ) {
        bytes.extend(row.to_be_bytes());
        bytes.extend(weight.to_be_bytes());
        bytes.extend(line);
        bytes.extend(person);
        bytes.extend(outcome.as_bytes());
        bytes.push(0);
        bytes.extend(reason.as_bytes());
    }

    /// The bytes that are hashed.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let (numbers, handles) = ((self.row, self.weight), (&self.line, &self.person));
        Self::write(numbers, handles, (&self.outcome, &self.reason), &mut bytes);
        bytes
    }

    /// Reads them; nothing where they are not such bytes.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (row, rest) = bytes.split_first_chunk()?;
        let (weight, rest) = rest.split_first_chunk()?;
        let (line, rest) = rest.split_first_chunk()?;
        let (person, words) = rest.split_first_chunk()?;
        let (outcome, reason) = std::str::from_utf8(words).ok()?.split_once('\0')?;
        Some(Self {
            row: u32::from_be_bytes(*row),
            weight: i32::from_be_bytes(*weight),
            line: *line,
            person: *person,
            outcome: outcome.to_owned(),
            reason: reason.to_owned(),
        })
    }
}

/// The commitment to a decision: over the bytes of [`LineRecord`] behind a salt.
pub fn record_hash(salted: &[u8]) -> Hash {
    leaf_hash(salted)
}

/// A row of hashes in memory, over which proofs can be made.
#[derive(Clone, Copy, Debug)]
pub struct HashRow<'a>(pub &'a [Hash]);

impl HashRow<'_> {
    /// The proof that the hash with this number stands under the root of the row; nothing where there is none.
    pub fn proof(self, index: u64) -> Option<InclusionProof> {
        let Ok(proof) = inclusion_proof(&self, index, self.0.len() as u64);
        proof
    }
}

impl HashReader for HashRow<'_> {
    type Error = Infallible;

    fn hashes(&self, level: u8, range: Range<u64>) -> Result<Vec<Hash>, Infallible> {
        let width = TILE_WIDTH.pow(level.into());
        let of = |number: u64| {
            let (start, end) = ((number * width) as usize, ((number + 1) * width) as usize);
            tree_root(self.0.get(start..end).unwrap_or_default())
        };
        Ok(range.map(of).collect())
    }
}

/// Opens the commitment to one person in one leaf.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OpenedPerson {
    /// The salt.
    #[serde(with = "hexadecimal")]
    pub salt: Salt,
    /// The person's handle.
    #[serde(with = "hexadecimal")]
    pub handle: Handle,
    /// What was said: an outcome, or what else was done.
    pub said: String,
    /// The way to the root.
    pub path: Path,
}

/// Opens the commitment to the decision on one line.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OpenedRecord {
    /// The salt.
    #[serde(with = "hexadecimal")]
    pub salt: Salt,
    /// The decision.
    pub record: LineRecord,
    /// The way to the root.
    pub path: Path,
}

/// An inclusion proof as it is written in files.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Path {
    /// The number of the commitment, from 0.
    pub index: u64,
    /// How many there are.
    pub size: u64,
    /// Siblings from the commitment upwards, in base64.
    pub hashes: Vec<String>,
}

impl From<InclusionProof> for Path {
    fn from(proof: InclusionProof) -> Self {
        let hashes = proof.hashes.iter().map(ToString::to_string).collect();
        Self { index: proof.index, size: proof.tree_size, hashes }
    }
}

impl Path {
    fn leads(&self, hash: &Hash, root: Hash) -> Result<(), EntryProofError> {
        let hashes = self.hashes.iter().map(|hash| hash.parse()).collect::<Result<_, _>>();
        let hashes = hashes.map_err(|_| EntryProofError::Malformed)?;
        let proof = InclusionProof { index: self.index, tree_size: self.size, hashes };
        Ok(proof.verify(hash, &root)?)
    }
}

/// One entry of what was done with a person's data, provable with the log's public key alone.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct EntryProof {
    /// Version of the form: 1.
    pub v: u8,
    /// The leaf, as it stands in the log.
    pub leaf: String,
    /// That the leaf is in the log: a C2SP tlog-proof.
    pub receipt: String,
    /// That the leaf concerns the person.
    pub person: OpenedPerson,
    /// What was decided on the person's line; nothing where there is no line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<OpenedRecord>,
}

/// Why an entry is not proven.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EntryProofError {
    /// Not the JSON of such a proof.
    #[error("the file is no proof of an entry in version 1; ask for it again")]
    Malformed,
    /// The leaf is none.
    #[error(transparent)]
    Leaf(#[from] LeafError),
    /// The leaf is not in the log.
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
    /// A path leads elsewhere.
    #[error(transparent)]
    Path(#[from] ProofError),
    /// The leaf says something else than the proof.
    #[error("the leaf does not commit to this: it says of so many others, or of none")]
    NotCommitted,
}

impl renkei_types::Classify for EntryProofError {
    fn kind(&self) -> renkei_types::Kind {
        match self {
            Self::Malformed => renkei_types::Kind::InvalidArgument,
            Self::Leaf(error) => error.kind(),
            Self::Receipt(error) => error.kind(),
            Self::Path(error) => error.kind(),
            Self::NotCommitted => renkei_types::Kind::Refused,
        }
    }
}

impl renkei_types::Localised for EntryProofError {
    fn localised(&self, language: renkei_types::Language) -> String {
        let japanese = match self {
            Self::Malformed => "記録の証明（版1）ではありません。取り直してください",
            Self::Leaf(error) => return error.localised(language),
            Self::Receipt(error) => return error.localised(language),
            Self::Path(error) => return error.localised(language),
            Self::NotCommitted => "監査ログの項目はこの内容を裏付けていません",
        };
        language.pick(self.to_string(), japanese.to_owned())
    }
}

impl EntryProof {
    /// The version that is written and read.
    pub const VERSION: u8 = 1;

    /// Reads the JSON of a proof.
    pub fn parse(text: &[u8]) -> Result<Self, EntryProofError> {
        let proof: Self = serde_json::from_slice(text).map_err(|_| EntryProofError::Malformed)?;
        if proof.v == Self::VERSION { Ok(proof) } else { Err(EntryProofError::Malformed) }
    }

    /// The JSON of the proof.
    pub fn to_json(&self) -> Vec<u8> {
        // Unwrap safety: writing to memory cannot fail, and there are no maps.
        serde_json::to_vec_pretty(self).expect("a proof has a JSON form")
    }

    /// Checks everything with the log's public keys; gives the leaf that is proven.
    pub fn verify(&self, keys: &[VerifierKey]) -> Result<Leaf, EntryProofError> {
        Receipt::parse(&self.receipt)?.verify(self.leaf.as_bytes(), keys)?;
        let leaf = Leaf::parse(self.leaf.as_bytes())?;
        let subjects = leaf.subj.ok_or(EntryProofError::NotCommitted)?;
        let root = subjects.root.ok_or(EntryProofError::NotCommitted)?;
        let OpenedPerson { salt, handle, said, path } = &self.person;
        if path.size != subjects.n || said.len() > 32 {
            return Err(EntryProofError::NotCommitted);
        }
        path.leads(&person_hash(salt, handle, said), root.into())?;
        if let Some(OpenedRecord { salt, record, path }) = &self.decision {
            let manifest = leaf.man.as_ref().ok_or(EntryProofError::NotCommitted)?;
            // The line of the decision is the line that names the person.
            let is_the_line = u64::from(record.row) == path.index
                && path.index == self.person.path.index
                && record.person == *handle
                && record.outcome == *said;
            if path.size != manifest.n || !is_the_line {
                return Err(EntryProofError::NotCommitted);
            }
            let salted = [salt.as_slice(), &record.to_bytes()].concat();
            path.leads(&record_hash(&salted), manifest.root.into())?;
        }
        Ok(leaf)
    }
}

/// Bytes as hexadecimal digits.
mod hexadecimal {
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer, const N: usize>(
        bytes: &[u8; N],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        serializer.serialize_str(&text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>, const N: usize>(
        deserializer: D,
    ) -> Result<[u8; N], D::Error> {
        let text = String::deserialize(deserializer)?;
        let invalid = || serde::de::Error::custom("not lower-case hexadecimal of the right length");
        let small = |digit: &u8| digit.is_ascii_digit() || (b'a'..=b'f').contains(digit);
        if text.len() != 2 * N || !text.as_bytes().iter().all(small) {
            return Err(invalid());
        }
        let mut bytes = [0; N];
        for (byte, at) in bytes.iter_mut().zip((0..text.len()).step_by(2)) {
            *byte = u8::from_str_radix(&text[at..at + 2], 16).map_err(|_| invalid())?;
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_any_length_has_a_proof_for_each_of_its_hashes() {
        let hashes: Vec<Hash> = (0..700u32).map(|n| leaf_hash(&n.to_be_bytes())).collect();
        for size in [1, 2, 255, 256, 257, 511, 512, 700] {
            let row = &hashes[..size];
            let root = tree_root(row);
            for index in [0, size / 2, size - 1] {
                let proof = HashRow(row).proof(index as u64).expect("a proof");
                assert_eq!(proof.verify(&row[index], &root), Ok(()), "{index} of {size}");
            }
            assert_eq!(HashRow(row).proof(size as u64), None);
        }
    }

    #[test]
    fn a_commitment_depends_on_salt_person_and_what_was_said() {
        let hash = person_hash(&[1; 16], &[2; 32], "LINKED");
        assert_eq!(hash, leaf_hash(&[&[1; 16][..], &[2; 32], b"LINKED"].concat()));
        assert_ne!(person_hash(&[9; 16], &[2; 32], "LINKED"), hash);
        assert_ne!(person_hash(&[1; 16], &[9; 32], "LINKED"), hash);
        assert_ne!(person_hash(&[1; 16], &[2; 32], "REVIEW"), hash);
    }

    #[test]
    fn a_record_reads_back_and_nothing_else_reads_as_one() {
        let record = LineRecord {
            row: 7,
            weight: -1500,
            line: [3; 16],
            person: [4; 32],
            outcome: "REVIEW".to_owned(),
            reason: "WEIGHT_BETWEEN".to_owned(),
        };
        let bytes = record.to_bytes();
        assert_eq!(LineRecord::read(&bytes), Some(record));
        assert_eq!(LineRecord::read(&bytes[..60]), None);
        assert_eq!(LineRecord::read(b""), None);
    }
}
