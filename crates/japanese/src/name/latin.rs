//! Latin letters: upper case, without accents.
//!
//! A residence card has NGUYỄN as NGUYEN, a form may have either. Invariant: the result of one letter contains no
//! letter that this module would change again.

use unicode_normalization::char::decompose_canonical;

/// Gives the letters a letter becomes in a key: `é` is `E`, `ß` is `SS`; letters of other scripts stay.
pub(crate) fn latin_letters(letter: char, mut push: impl FnMut(char)) {
    if letter.is_ascii() {
        return push(letter.to_ascii_uppercase());
    }
    if is_wide(letter) {
        return push(letter);
    }
    let spelled = match letter {
        'ß' | 'ẞ' => "SS",
        'æ' | 'Æ' | 'ǽ' | 'Ǽ' => "AE",
        'œ' | 'Œ' => "OE",
        'þ' | 'Þ' => "TH",
        'ø' | 'Ø' | 'ǿ' | 'Ǿ' => "O",
        'đ' | 'Đ' | 'ð' | 'Ð' => "D",
        'ł' | 'Ł' => "L",
        'ħ' | 'Ħ' => "H",
        'ŧ' | 'Ŧ' => "T",
        'ŋ' | 'Ŋ' => "N",
        'ı' => "I",
        'ə' | 'Ə' => "E",
        _ => "",
    };
    if !spelled.is_empty() {
        return spelled.chars().for_each(push);
    }
    let mut base = None;
    decompose_canonical(letter, |part| {
        base.get_or_insert(part);
    });
    if let Some(base) = base.filter(char::is_ascii_alphabetic) {
        return push(base.to_ascii_uppercase());
    }
    // Some letters have no upper case of one letter; those stay, because a longer one may compose again.
    let mut upper = letter.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(upper), None) => push(upper),
        _ => push(letter),
    }
}

/// An accent that did not compose with the letter before it.
pub(crate) fn is_accent(letter: char) -> bool {
    matches!(letter, '\u{300}'..='\u{36f}')
}

/// Letters of East Asian scripts and private use, most of any name: no case, no accents.
fn is_wide(letter: char) -> bool {
    matches!(letter, '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{faff}' | '\u{20000}'..='\u{10ffff}')
}
