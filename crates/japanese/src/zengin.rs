//! The half-width letters of bank files: what a payee's name may consist of, and how long it is.
//!
//! A payee field has 30 cells of one byte. ガ takes two, ャ is written ﾔ, the long mark is a hyphen, and a name that
//! does not fit is cut. Invariant: what [`to_zengin`] returns consists of core letters only, and a kana name reads
//! back to the same [`crate::kana::kana_exact`] key. The records around the field: see [`transfer`].

use crate::kana::{is_middle_dot, katakana, voiced_pair};
use crate::name::{is_accent, latin_letters};
use crate::text::{self, Mark};

pub mod transfer;

/// Cells of the payee's name in a transfer record.
pub const PAYEE_CELLS: usize = 30;

/// Why a text cannot be written in a bank file.
///
/// The letter itself is not told: it is part of a name, and errors are logged.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ZenginError {
    /// The letter at this position, counted from 0, has no form in the core set.
    #[error("the letter at position {position} cannot be written in a bank file")]
    OutsideCoreSet {
        /// Position in letters of the given text.
        position: usize,
    },
}

/// The text in the core set: large half-width kana, upper-case letters, digits, space and `( ) - . /`.
pub fn to_zengin(text: &str) -> Result<String, ZenginError> {
    let mut written = String::with_capacity(text.len() + text.len() / 2);
    for (position, letter) in text.chars().enumerate() {
        if !push_core(letter, &mut written) {
            return Err(ZenginError::OutsideCoreSet { position });
        }
    }
    Ok(written)
}

/// Whether a letter may stand in a name field of a bank file.
pub fn is_core(letter: char) -> bool {
    matches!(letter, '0'..='9' | 'A'..='Z' | 'ｱ'..='ﾟ' | ' ' | '(' | ')' | '-' | '.' | '/')
}

/// The beginning of a text that fits into a number of cells; a kana is never parted from its mark.
pub fn truncate(text: &str, cells: usize) -> &str {
    let mut used = 0_usize;
    let mut end = 0;
    let mut letters = text.char_indices().peekable();
    while let Some((offset, letter)) = letters.next() {
        used += cells_of(letter);
        let mut next = offset + letter.len_utf8();
        if let Some((offset, mark)) = letters.next_if(|(_, mark)| Mark::read(*mark).is_some()) {
            used += cells_of(mark);
            next = offset + mark.len_utf8();
        }
        if used > cells {
            break;
        }
        end = next;
    }
    text.get(..end).unwrap_or(text)
}

/// How many half-width cells a text takes in a bank file; a letter that cannot be written counts as one.
pub fn cells(text: &str) -> usize {
    text.chars().map(cells_of).sum()
}

fn cells_of(letter: char) -> usize {
    if letter.is_ascii() || is_core(letter) {
        return 1;
    }
    if let kana @ 'ァ'..='ヺ' = katakana(letter) {
        return 1 + usize::from(voiced_pair(kana).1.is_some());
    }
    let mut written = String::new();
    if push_core(letter, &mut written) { written.chars().count() } else { 1 }
}

/// Appends the core spelling of a letter; `false`, with nothing appended, when it has none.
fn push_core(letter: char, written: &mut String) -> bool {
    if is_core(letter) {
        written.push(letter);
        return true;
    }
    if let Some(mark) = Mark::read(letter) {
        written.push(mark.half());
        return true;
    }
    let letter = text::half_width_kana(letter).unwrap_or(letter);
    match letter {
        'ヽ' | 'ゝ' => return repeat(written, None),
        'ヾ' | 'ゞ' => return repeat(written, Some(Mark::Voiced)),
        _ if text::is_dash(letter) => written.push('-'),
        _ if text::is_space(letter) || is_middle_dot(letter) => written.push(' '),
        _ => {
            let (base, mark) = voiced_pair(katakana(letter));
            if let Some(base) = text::half_width(base) {
                written.push(base);
                written.extend(mark.map(Mark::half));
                return true;
            }
            return push_latin(letter, written);
        }
    }
    true
}

/// Letters and signs that are not kana, and letters that [`text::fold`] spells with core letters.
fn push_latin(letter: char, written: &mut String) -> bool {
    let before = written.len();
    let mut buffer = [0; 4];
    let mut core = true;
    for letter in text::fold(letter.encode_utf8(&mut buffer)).chars() {
        if !is_accent(letter) {
            latin_letters(letter, |latin| {
                core &= is_core(latin);
                written.push(latin);
            });
        }
    }
    if !core {
        written.truncate(before);
    }
    core
}

/// Writes the last kana again for an iteration mark: みすゞ is ﾐｽｽﾞ.
fn repeat(written: &mut String, mark: Option<Mark>) -> bool {
    let mut backwards = written.chars().rev();
    let last = backwards.next();
    let (base, old) = match last {
        Some('ﾞ' | 'ﾟ') => (backwards.next(), last),
        _ => (last, None),
    };
    let Some(base) = base.filter(|base| matches!(base, 'ｱ'..='ﾝ')) else { return false };
    written.push(base);
    written.extend(mark.map(Mark::half).or(old));
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kana::kana_exact;

    #[test]
    fn names_are_written_as_banks_take_them() {
        for (text, written) in [
            ("ヤマダ　タロウ", "ﾔﾏﾀﾞ ﾀﾛｳ"),
            ("しょうこ", "ｼﾖｳｺ"),
            ("キュウヨ", "ｷﾕｳﾖ"),
            ("ｷｭｳﾖ", "ｷﾕｳﾖ"),
            ("メアリー・グレース", "ﾒｱﾘ- ｸﾞﾚ-ｽ"),
            ("カヲル", "ｶｵﾙ"),
            ("ｶｦﾙ", "ｶｵﾙ"),
            ("ヴィラ", "ｳﾞｲﾗ"),
            ("パ゜", "ﾊﾟﾟ"),
            ("カ゛", "ｶﾞ"),
            ("ヰヱヮヵヶ", "ｲｴﾜｶｹ"),
            ("ヷヸヹヺ", "ﾜﾞｲﾞｴﾞｵﾞ"),
            ("カヅカ　チヂミ", "ｶﾂﾞｶ ﾁﾁﾞﾐ"),
            ("みすゞ", "ﾐｽｽﾞ"),
            ("カ）ヤマダ", "ｶ)ﾔﾏﾀﾞ"),
            ("souza ana", "SOUZA ANA"),
            ("ＪＯＳÉ", "JOSE"),
            ("１－２−３", "1-2-3"),
            ("ア\u{200b}イ", "ｱｲ"),
        ] {
            assert_eq!(to_zengin(text).as_deref(), Ok(written), "{text}");
        }
    }

    #[test]
    fn letters_without_a_form_are_named_by_position_only() {
        assert_eq!(to_zengin("ヤマ田"), Err(ZenginError::OutsideCoreSet { position: 2 }));
        assert_eq!(to_zengin("ｱ&"), Err(ZenginError::OutsideCoreSet { position: 1 }));
        assert_eq!(to_zengin("ゞ"), Err(ZenginError::OutsideCoreSet { position: 0 }));
        let told = ZenginError::OutsideCoreSet { position: 2 }.to_string();
        assert_eq!(told, "the letter at position 2 cannot be written in a bank file");
    }

    #[test]
    fn marks_take_a_cell_and_stay_with_their_kana() {
        assert_eq!(cells("ヤマダ　タロウ"), 8);
        assert_eq!(cells("ﾔﾏﾀﾞ ﾀﾛｳ"), 8);
        assert_eq!(cells("ヴァ田"), 4);
        assert_eq!(truncate("ﾔﾏﾀﾞ", 3), "ﾔﾏ");
        assert_eq!(truncate("ﾔﾏﾀﾞ", 4), "ﾔﾏﾀﾞ");
        assert_eq!(truncate("ヤマダ", 3), "ヤマ");
        assert_eq!(truncate("ｱ", 0), "");
    }

    proptest! {
        #[test]
        fn writing_is_core_idempotent_and_keeps_the_key(
            text in "([ぁ-ゖァ-ヺｦ-ｯｱ-ﾝㇰ-ㇿ][゛゜ﾞﾟ]?[ーｰ－]?[ゝゞヽヾ]?|[ 　A-ZÀ-Åa-z0-9]){0,12}"
        ) {
            if let Ok(written) = to_zengin(&text) {
                prop_assert!(written.chars().all(is_core));
                prop_assert_eq!(&kana_exact(&written), &kana_exact(&text));
                prop_assert_eq!(to_zengin(&written), Ok(written.clone()));
                prop_assert_eq!(cells(&written), written.chars().count());
            }
        }

        #[test]
        fn truncated_text_is_a_fitting_beginning(text in any::<String>(), room in 0_usize..40) {
            let kept = truncate(&text, room);
            prop_assert!(text.starts_with(kept) && cells(kept) <= room);
            let _ = to_zengin(&text);
        }
    }
}
