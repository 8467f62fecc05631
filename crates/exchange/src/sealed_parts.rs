//! What stands sealed in a frame: a change of a book, and the few persons whom the leaf concerns.
//!
//! Each is sealed with a key of its own, since they end at different times. A leaf that names persons (`subj`) and is not
//! that of a job, whose persons are in a manifest, has both parts behind each other, the first with its length:
//!
//! ```text
//! no persons    book
//! persons       length of book (4) | book | persons
//! ```

use renkei_journal::Frame;
use renkei_types::Reason;

use crate::refusal::Refusal;

/// Both parts of a frame that concerns persons.
pub(crate) fn joined(book: &[u8], persons: &[u8]) -> Result<Vec<u8>, Refusal> {
    if persons.is_empty() {
        return Ok(book.to_vec());
    }
    let length = u32::try_from(book.len()).map_err(|error| Refusal::internal(&error))?;
    Ok([&length.to_be_bytes(), book, persons].concat())
}

/// The change of a book.
pub(crate) fn book_part(frame: &Frame) -> Result<&[u8], Refusal> {
    if concerns_few(&frame.leaf) { Ok(divided(&frame.sealed)?.0) } else { Ok(&frame.sealed) }
}

/// The persons; nothing where the leaf names none of its own.
pub(crate) fn persons_part(frame: &Frame) -> Result<Option<&[u8]>, Refusal> {
    if concerns_few(&frame.leaf) { Ok(Some(divided(&frame.sealed)?.1)) } else { Ok(None) }
}

/// Whether a leaf commits to persons.
pub(crate) fn concerns_anybody(leaf: &[u8]) -> bool {
    // No value of a leaf can hold a quotation mark, so this is the name of a field. Reading every leaf of a journal as
    // JSON would take longer than the rest of a start.
    has_field(leaf, b"\"subj\":{") && has_field(leaf, b"\"root\":")
}

fn concerns_few(leaf: &[u8]) -> bool {
    has_field(leaf, b"\"subj\":{")
        && !has_field(leaf, b"\"man\":{")
        && !has_field(leaf, b"\"mode\":\"none\"")
}

fn has_field(leaf: &[u8], name: &[u8]) -> bool {
    leaf.windows(name.len()).any(|window| window == name)
}

fn divided(sealed: &[u8]) -> Result<(&[u8], &[u8]), Refusal> {
    let split = || {
        let (length, rest) = sealed.split_first_chunk()?;
        rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
    };
    split().ok_or_else(|| Reason::Internal.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(leaf: &str, sealed: Vec<u8>) -> Frame {
        Frame { leaf: leaf.into(), facts: Vec::new(), sealed }
    }

    #[test]
    fn both_parts_read_back_and_a_frame_without_persons_is_all_book() {
        let of_one = "{\"subj\":{\"epoch\":2026,\"mode\":\"one\",\"n\":1,\"root\":\"x\"}}";
        let both = frame(of_one, joined(b"book", b"persons").expect("parts"));
        assert_eq!(book_part(&both).expect("a part"), b"book");
        assert_eq!(persons_part(&both).expect("a part"), Some(&b"persons"[..]));
        for leaf in ["{}", "{\"subj\":{\"mode\":\"none\",\"n\":0}}", "{\"man\":{},\"subj\":{}}"] {
            let book = frame(leaf, joined(b"book", b"").expect("a part"));
            assert_eq!(book_part(&book).expect("a part"), b"book");
            assert_eq!(persons_part(&book).expect("none"), None);
        }
        assert!(book_part(&frame(of_one, b"abc".to_vec())).is_err());
    }
}
