//! Names: from the text in a name field to keys for comparing.
//!
//! `渡邊　裕子`, `渡辺裕子 様`, `渡?裕子`; `NGUYEN THI THU HA`, `Nguyen, Thi Thu Ha`; `ﾜﾀﾅﾍﾞ ﾕｳｺ`, `わたなべ ゆうこ`:
//! two persons. [`WrittenName`] reads kanji and Latin fields, [`KanaName`] reads kana fields, and
//! [`Forms`] finds the other names a field carries in brackets;
//! [`divide`], [`written_half`] and [`kana_half`] read the halves of plain names apart.
//! Invariant: a key has no spaces, reading a key gives the same key, and where the words of the name stood apart is
//! kept beside the key, never in it. Whether two names agree is decided elsewhere.

mod forms;
mod half;
mod kana_name;
mod latin;
mod written;

#[cfg(test)]
mod tests;

pub use forms::{FormKind, Forms, OtherForm};
pub use half::{divide, kana_half, written_half};
pub use kana_name::KanaName;
pub(crate) use latin::{is_accent, latin_letters};
pub use written::{Script, WrittenName};

pub use crate::zengin::cells;

/// Stands in a key for one letter that was lost on the way (`渡?裕子`): it may be any letter.
///
/// It is the last private-use letter of the basic plane; encodings used by municipalities end long before it.
pub const WILDCARD: char = '\u{f8ff}';

/// The words between breaks that lie inside the key, in order.
fn words(key: &str, breaks: impl Iterator<Item = usize>) -> impl Iterator<Item = &str> {
    let mut start = 0;
    breaks.chain([key.len()]).filter_map(move |end| {
        let word = key.get(start..end);
        start = end;
        word.filter(|word| !word.is_empty())
    })
}

/// Whether a word behind a name is a form of address; variants are folded.
fn is_title(word: &str) -> bool {
    matches!(word, "様" | "殿" | "氏" | "さま" | "御中")
}
