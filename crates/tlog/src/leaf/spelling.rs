//! The one spelling of a leaf: quick ways to write it and to recognise it.
//!
//! An offline check reads every leaf of ten years, so a leaf that was read is not written again only to compare. Writing
//! digests and ids digit by digit through a formatter took most of the time of writing a leaf.

use std::cmp::Ordering;
use std::fmt::Display;

use renkei_types::Digest;
use serde::{Serialize as _, Serializer};

/// Writes a digest as its own text.
pub(super) fn digest<S: Serializer>(digest: &Digest, serializer: S) -> Result<S::Ok, S::Error> {
    const PREFIX: &[u8; 7] = b"sha256:";
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [0; 71];
    text[..7].copy_from_slice(PREFIX);
    for (pair, byte) in text[7..].as_chunks_mut::<2>().0.iter_mut().zip(digest.as_bytes()) {
        *pair = [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
    }
    match std::str::from_utf8(&text) {
        Ok(text) => serializer.serialize_str(text),
        // Never taken: all bytes are ASCII.
        Err(_) => digest.serialize(serializer),
    }
}

/// Writes a digest that may be unset; unset fields are left out before they come here.
pub(super) fn optional_digest<S: Serializer>(
    optional: &Option<Digest>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match optional {
        Some(set) => digest(set, serializer),
        None => serializer.serialize_none(),
    }
}

/// Writes an id as its text, in one piece.
pub(super) fn text<S: Serializer>(value: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&value.to_string())
}

/// Writes an id that may be unset; unset fields are left out before they come here.
pub(super) fn optional_text<S: Serializer>(
    optional: &Option<impl Display>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match optional {
        Some(set) => text(set, serializer),
        None => serializer.serialize_none(),
    }
}

/// Whether bytes that were read as a leaf are spelt as leaves are. Asked only of those: numbers, names and ids have one
/// spelling each once they have been accepted, so only JSON's own freedoms are left, and capitals in digests.
pub(super) fn is_canonical(json: &[u8]) -> bool {
    // No spaces, escapes or letters beyond ASCII: no value of a leaf can contain one.
    if !all(json, |byte| byte.is_ascii_graphic() & (byte != b'\\')) {
        return false;
    }
    // The last key of each open object. Values of leaves contain no quotation marks, so every second piece is a text.
    let mut keys: Vec<&[u8]> = Vec::new();
    let mut start = 0;
    let mut is_text = false;
    for end in memchr::memchr_iter(b'"', json).chain([json.len()]) {
        let piece = json.get(start..end).unwrap_or_default();
        start = end + 1;
        if is_text {
            let is_key = json.get(start) == Some(&b':');
            if is_key {
                let Some(last) = keys.last_mut() else { return false };
                if !is_before(last, piece) {
                    return false;
                }
                *last = piece;
            } else if piece.strip_prefix(b"sha256:").is_some_and(has_capitals) {
                return false;
            }
        } else {
            for &byte in piece {
                match byte {
                    b'{' => keys.push(b""),
                    b'}' => match keys.pop() {
                        // A part without fields is left out as a whole.
                        None | Some(b"") => return false,
                        Some(_) => {}
                    },
                    // The beginning of null, which spells out that a field is unset.
                    b'n' => return false,
                    _ => {}
                }
            }
        }
        is_text = !is_text;
    }
    keys.is_empty()
}

fn has_capitals(digits: &[u8]) -> bool {
    !all(digits, |byte| !byte.is_ascii_uppercase())
}

/// Whether it is so of all bytes. Looked at in blocks, without leaving at the first that is not: many bytes at once.
fn all(bytes: &[u8], is_so: impl Fn(u8) -> bool) -> bool {
    bytes.chunks(64).all(|block| block.iter().fold(true, |all, byte| all & is_so(*byte)))
}

/// Whether a key sorts before another. Most differ in their first eight bytes.
fn is_before(one: &[u8], other: &[u8]) -> bool {
    let head = |key: &[u8]| {
        let bytes = key.iter().take(8).fold(0u64, |head, byte| head << 8 | u64::from(*byte));
        bytes << (8 * (8 - key.len().min(8)) as u32 % 64)
    };
    match head(one).cmp(&head(other)) {
        Ordering::Less => true,
        Ordering::Equal => one < other,
        Ordering::Greater => false,
    }
}
