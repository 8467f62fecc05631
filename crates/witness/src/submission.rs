//! What a log hands to a witness, as one text: the size that the witness has, the proof from there, the checkpoint.
//!
//! The text is the body of an HTTP request and a file for a courier alike. It has one spelling.

use renkei_tlog::Hash;
use renkei_types::{Classify, Kind, Language, Localised};

/// Most hashes of a proof: one for each bit of a size, but for the last.
pub const PROOF_LINES_MAX: usize = 63;

/// Most bytes of a request: the largest checkpoint that anybody reads, and a proof.
pub const SUBMISSION_BYTES_MAX: usize = 136 * 1024;

/// A request for a cosignature.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Submission {
    /// The size of the checkpoint that the witness cosigned last; 0 where it has cosigned none.
    pub old_size: u64,
    /// The consistency proof from there; empty from 0, and where the size is the same.
    pub proof: Vec<Hash>,
    /// The checkpoint with its signatures.
    pub note: String,
}

/// The text is no request for a cosignature.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "not a request for a cosignature: a line `old SIZE`, at most 63 lines of hashes, an empty line, a checkpoint; make it again with `renkei audit witness request`"
)]
pub struct MalformedSubmission;

impl Classify for MalformedSubmission {
    fn kind(&self) -> Kind {
        Kind::InvalidArgument
    }
}

impl Localised for MalformedSubmission {
    fn localised(&self, language: Language) -> String {
        language.pick(
            self.to_string(),
            "連署の依頼の形式ではありません（`old 件数`の行、63行以内のハッシュ、空行、チェックポイント）。`renkei audit witness request`で作り直してください".to_owned(),
        )
    }
}

impl Submission {
    /// The text.
    pub fn to_text(&self) -> String {
        let hashes: String = self.proof.iter().map(|hash| format!("{hash}\n")).collect();
        format!("old {}\n{hashes}\n{}", self.old_size, self.note)
    }

    /// Reads the text. The checkpoint is not looked at.
    pub fn parse(text: &[u8]) -> Result<Self, MalformedSubmission> {
        if text.len() > SUBMISSION_BYTES_MAX {
            return Err(MalformedSubmission);
        }
        let text = std::str::from_utf8(text).map_err(|_| MalformedSubmission)?;
        let (head, note) = text.split_once("\n\n").ok_or(MalformedSubmission)?;
        let mut lines = head.split('\n');
        let old_size = lines.next().and_then(|line| line.strip_prefix("old "));
        let old_size = old_size.and_then(|size| size.parse().ok()).ok_or(MalformedSubmission)?;
        let proof: Vec<Hash> =
            lines.map(str::parse).collect::<Result<_, _>>().map_err(|_| MalformedSubmission)?;
        let submission = Self { old_size, proof, note: note.to_owned() };
        // Leading zeros and a plus sign are other spellings of a number.
        let fits = submission.proof.len() <= PROOF_LINES_MAX && submission.to_text() == text;
        fits.then_some(submission).ok_or(MalformedSubmission)
    }
}

#[cfg(test)]
mod tests {
    use renkei_tlog::hash::leaf_hash;

    use super::*;

    fn submission(hashes: usize) -> Submission {
        let proof = (0..hashes).map(|n| leaf_hash(&n.to_be_bytes())).collect();
        Submission { old_size: 5, proof, note: "origin\n7\nroot\n\n\u{2014} o AAAAAAE=\n".into() }
    }

    #[test]
    fn a_request_reads_back_with_any_number_of_hashes_up_to_63() {
        for hashes in [0, 1, 63] {
            let whole = submission(hashes);
            assert_eq!(Submission::parse(whole.to_text().as_bytes()), Ok(whole));
        }
        assert_eq!(
            Submission::parse(submission(64).to_text().as_bytes()),
            Err(MalformedSubmission)
        );
    }

    #[test]
    fn other_spellings_and_other_texts_are_refused() {
        let text = submission(1).to_text();
        for changed in [
            text.replace("old 5", "old 05"),
            text.replace("old 5", "old +5"),
            text.replace("old 5", "old -1"),
            text.replace("old 5", "old  5"),
            text.replace("old 5", "Old 5"),
            text.replace("old 5\n", "old 5\r\n"),
            text.replace("old 5\n", "old 5\nshort\n"),
            text.replace("\n\n", "\n"),
            format!(" {text}"),
            String::new(),
            "x".repeat(SUBMISSION_BYTES_MAX + 1),
        ] {
            assert_eq!(
                Submission::parse(changed.as_bytes()),
                Err(MalformedSubmission),
                "{changed:.40}"
            );
        }
        assert_eq!(Submission::parse(b"old 0\n\n\xff"), Err(MalformedSubmission));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_refused_or_has_one_spelling(text in "(old |[0-9]{1,3}|[A-Za-z0-9+/=]{43,45}|\n){0,12}") {
            if let Ok(submission) = Submission::parse(text.as_bytes()) {
                proptest::prop_assert_eq!(submission.to_text(), text);
            }
        }
    }
}
