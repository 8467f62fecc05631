//! The one spelling of a leaf: quick ways to write it and to recognise it.
//!
//! An offline check reads every leaf of ten years, so a leaf that was read is not written again only to compare. Writing
//! digests and ids digit by digit through a formatter took most of the time of writing a leaf.

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
    if !json.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'\\') {
        return false;
    }
    // The last key of each open object. Values of leaves contain no quotation marks, so every second piece is a text.
    let mut keys: Vec<&[u8]> = Vec::new();
    let mut pieces = json.split(|&byte| byte == b'"').peekable();
    let mut is_text = false;
    while let Some(piece) = pieces.next() {
        if is_text {
            let is_key = pieces.peek().is_some_and(|after| after.first() == Some(&b':'));
            if is_key {
                let Some(last) = keys.last_mut() else { return false };
                if *last >= piece {
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
    digits.iter().any(u8::is_ascii_uppercase)
}
