//! CP932, the code of the payment lists, and what it does to letters it does not have.
//!
//! 𠮷 and the variation selectors have no place in CP932; the exporting system writes a mark instead, mostly `?`.

use encoding_rs::SHIFT_JIS;

use crate::chance::Chance;

/// Marks that systems write for a letter they do not have.
const LOST_LETTER_MARKS: [(u32, &str); 5] = [(10, "?"), (3, "？"), (2, "●"), (2, "〓"), (2, "■")];

/// One mark for a lost letter.
pub(crate) fn lost_letter_mark(chance: &mut Chance) -> &'static str {
    chance.weighted(&LOST_LETTER_MARKS)
}

/// Replaces what CP932 cannot hold; true when anything was lost.
pub(crate) fn settle(text: &mut String) -> bool {
    let (_, _, lost) = SHIFT_JIS.encode(text);
    if lost {
        *text = text.chars().map(|letter| if holds(letter) { letter } else { '?' }).collect();
    }
    lost
}

/// The bytes of a text that [`settle`] has been through.
pub(crate) fn encode_into(text: &str, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(&SHIFT_JIS.encode(text).0);
}

fn holds(letter: char) -> bool {
    let mut buffer = [0; 4];
    !SHIFT_JIS.encode(letter.encode_utf8(&mut buffer)).2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_outside_cp932_become_question_marks() {
        let mut text = String::from("𠮷田　髙");
        assert!(settle(&mut text));
        assert_eq!(text, "?田　髙");
        assert!(!settle(&mut text));
    }
}
