//! The receipt of one entry: its index, its inclusion proof and the checkpoint, as one text.
//!
//! The text is a C2SP tlog-proof. With it, the entry's bytes and the log's public key anybody can check that the entry is
//! in the log, without the log.

use crate::checkpoint::{CheckpointError, SignedCheckpoint, VerifierKey};
use crate::hash::{Hash, leaf_hash};
use crate::proof::{InclusionProof, ProofError};

const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// A proof that an entry is in the log of a checkpoint.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Receipt {
    index: u64,
    hashes: Vec<Hash>,
    note: String,
}

/// Why a receipt proves nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ReceiptError {
    /// Not a tlog-proof.
    #[error(
        "the receipt is not a text of the form c2sp.org/tlog-proof@v1; ask the log for it again"
    )]
    Malformed,
    /// The checkpoint in it cannot be relied on.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The proof in it fails.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

impl renkei_types::Classify for ReceiptError {
    fn kind(&self) -> renkei_types::Kind {
        match self {
            Self::Malformed => renkei_types::Kind::InvalidArgument,
            Self::Checkpoint(error) => error.kind(),
            Self::Proof(error) => error.kind(),
        }
    }
}

impl renkei_types::Localised for ReceiptError {
    fn localised(&self, language: renkei_types::Language) -> String {
        match self {
            Self::Malformed => language.pick(
                self.to_string(),
                "受領証がc2sp.org/tlog-proof@v1の形式ではありません。ログから取り直してください"
                    .to_owned(),
            ),
            Self::Checkpoint(error) => error.localised(language),
            Self::Proof(error) => error.localised(language),
        }
    }
}

impl Receipt {
    /// Puts a proof and the checkpoint that it leads to together.
    pub fn new(proof: &InclusionProof, checkpoint: &SignedCheckpoint) -> Self {
        Self::of_note(proof, checkpoint.note())
    }

    /// The same with the note of a checkpoint that whoever reads the receipt will check.
    pub fn of_note(proof: &InclusionProof, note: &str) -> Self {
        Self { index: proof.index, hashes: proof.hashes.clone(), note: note.to_owned() }
    }

    /// The index of the entry.
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The text of a `.tlog-proof` file.
    pub fn to_text(&self) -> String {
        let hashes: String = self.hashes.iter().map(|hash| format!("{hash}\n")).collect();
        format!("{HEADER}\nindex {}\n{hashes}\n{}", self.index, self.note)
    }

    /// Reads a text. Extra data, which nothing vouches for, is refused.
    pub fn parse(text: &str) -> Result<Self, ReceiptError> {
        let (proof, note) = text.split_once("\n\n").ok_or(ReceiptError::Malformed)?;
        let mut lines = proof.split('\n');
        let index = lines.next().filter(|&line| line == HEADER).and_then(|_| lines.next());
        let index = index.and_then(|line| line.strip_prefix("index "));
        let index = index.and_then(|index| index.parse().ok()).ok_or(ReceiptError::Malformed)?;
        let hashes =
            lines.map(str::parse).collect::<Result<_, _>>().map_err(|_| ReceiptError::Malformed)?;
        let receipt = Self { index, hashes, note: note.to_owned() };
        if receipt.to_text() == text { Ok(receipt) } else { Err(ReceiptError::Malformed) }
    }

    /// Checks that the log signed by one of `keys` has these bytes as its entry; gives the checkpoint that says so.
    pub fn verify(
        &self,
        entry: &[u8],
        keys: &[VerifierKey],
    ) -> Result<SignedCheckpoint, ReceiptError> {
        self.verify_hash(&leaf_hash(entry), keys)
    }

    /// The same for those who have the entry's hash alone, as a client does whose call left the entry.
    pub fn verify_hash(
        &self,
        hash: &Hash,
        keys: &[VerifierKey],
    ) -> Result<SignedCheckpoint, ReceiptError> {
        let signed = SignedCheckpoint::open(self.note.as_bytes(), keys)?;
        let checkpoint = signed.checkpoint();
        let hashes = self.hashes.clone();
        let proof = InclusionProof { index: self.index, tree_size: checkpoint.size, hashes };
        proof.verify(hash, &checkpoint.root)?;
        Ok(signed)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use renkei_types::SeededEntropy;

    use super::*;
    use crate::checkpoint::LogKey;
    use crate::hash::node_hash;

    fn receipt() -> (Receipt, VerifierKey) {
        let origin = "kita.example/log".parse().expect("an origin");
        let key = LogKey::generate(origin, &SeededEntropy::new(1));
        let (left, right) = (leaf_hash(b"left"), leaf_hash(b"right"));
        let signed = SignedCheckpoint::sign(&key, 2, node_hash(&left, &right));
        let proof = InclusionProof { index: 1, tree_size: 2, hashes: vec![left] };
        (Receipt::new(&proof, &signed), key.verifier())
    }

    #[test]
    fn a_receipt_reads_back_and_holds_for_its_entry_alone() {
        let (receipt, key) = receipt();
        let text = receipt.to_text();
        let again = Receipt::parse(&text).expect("its own text");
        assert_eq!(again, receipt);
        let keys = [key];
        assert!(again.verify(b"right", &keys).is_ok());
        assert_eq!(again.verify(b"left", &keys), Err(ProofError::Root.into()));
        assert_eq!(again.verify(b"right", &[]), Err(CheckpointError::UnknownKey.into()));
    }

    #[test]
    fn changing_any_bit_of_a_receipt_is_noticed() {
        let (receipt, key) = receipt();
        let (text, keys) = (receipt.to_text(), [key]);
        for at in 0..text.len() {
            for bit in 0..8 {
                let mut changed = text.clone().into_bytes();
                changed[at] ^= 1 << bit;
                let held = std::str::from_utf8(&changed).is_ok_and(|text| {
                    Receipt::parse(text).is_ok_and(|r| r.verify(b"right", &keys).is_ok())
                });
                assert!(!held, "byte {at}, bit {bit}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_refused_without_panic(text in "(\\PC|\n){0,80}") {
            let keys = [receipt().1];
            for text in [text.clone(), format!("{HEADER}\nindex {text}")] {
                let held = Receipt::parse(&text).and_then(|receipt| receipt.verify(b"", &keys));
                prop_assert!(held.is_err());
            }
        }
    }
}
