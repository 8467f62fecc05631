//! Text as it arrives, and the folding every other key starts from.
//!
//! The same name comes as full-width, half-width, decomposed, with a variation selector or a zero-width space behind
//! it: four byte strings, one reading. [`fold`] makes them one, on a copy. Of a municipality's names and addresses not
//! one in a hundred holds a letter whose folding depends on its neighbours, so the full NFKC runs only for those.
//! Invariant: `fold(fold(x)) == fold(x)`, and `fold` drops nothing but selectors and zero-width characters.
//! Dashes and spaces are told apart here, but folded by the caller: a dash is a long mark in kana and a separator in a
//! house number.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

use crate::name::WILDCARD;

mod width;

pub(crate) use width::{Mark, half_width, half_width_kana};

/// NFKC without variation selectors and zero-width characters.
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.chars().all(|letter| simple(letter) == Some(letter)) {
        return Cow::Borrowed(text);
    }
    fold_simple(text).map_or_else(|| Cow::Owned(fold_general(text)), Cow::Owned)
}

/// The letters of [`fold`].
pub(crate) fn fold_letters(text: &str) -> Vec<char> {
    let mut letters: Vec<char> = Vec::with_capacity(text.len() / 2 + 8);
    for letter in text.chars() {
        if let Some(image) = simple(letter).or_else(|| half_width_kana(letter)) {
            letters.push(image);
        } else if let Some(mark) = Mark::half_width(letter)
            && let Some(voiced) = letters.last().and_then(|base| mark.compose(*base))
        {
            letters.pop();
            letters.push(voiced);
        } else if !is_ignorable(letter) {
            return fold_general(text).chars().collect();
        }
    }
    letters
}

/// The definition of [`fold`]; the shorter ways must agree with it.
///
/// Selectors go first: one that stands between a letter and its mark would keep the two from composing, and a second
/// folding would then differ from the first.
fn fold_general(text: &str) -> String {
    text.chars().filter(|letter| !is_ignorable(*letter)).nfkc().collect()
}

/// [`fold`] for text of [`simple`] letters and half-width kana; `None` when another letter occurs.
fn fold_simple(text: &str) -> Option<String> {
    let mut folded = String::with_capacity(text.len() + 4);
    for letter in text.chars() {
        if let Some(image) = simple(letter) {
            folded.push(image);
        } else if let Some(image) = half_width_kana(letter) {
            folded.push(image);
        } else if let Some(mark) = Mark::half_width(letter) {
            let voiced = mark.compose(folded.chars().next_back()?)?;
            folded.pop();
            folded.push(voiced);
        } else if !is_ignorable(letter) {
            return None;
        }
    }
    Some(folded)
}

/// [`fold`], with spacing voicing marks joined to their kana instead of parted from it.
pub(crate) fn fold_marks(text: &str) -> String {
    let marked: String = text.chars().map(Mark::combining).collect();
    fold(&marked).into_owned()
}

/// The folded key, where folding still changes it.
///
/// Marks that stood apart in a damaged text may compose or change places once the spaces between them are gone.
pub(crate) fn unstable(key: &str) -> Option<String> {
    if key.chars().all(|letter| simple(letter) == Some(letter)) {
        return None;
    }
    match fold(key) {
        Cow::Owned(changed) if changed != key => Some(changed),
        Cow::Owned(_) | Cow::Borrowed(_) => None,
    }
}

/// The NFKC image of a letter that normalises to exactly one letter whatever stands beside it, as long as no combining
/// mark does; `None` for letters not known to be so.
#[inline]
pub(crate) fn simple(letter: char) -> Option<char> {
    // Most letters by far, so they are asked first.
    if matches!(letter, '\u{4e00}'..='\u{9fff}') {
        return Some(letter);
    }
    match letter {
        '\0'..='\x7f'
        | '\u{3001}'..='\u{3007}'
        | '〓'
        | 'ぁ'..='ゖ'
        | 'ゝ'..='ゞ'
        | 'ァ'..='ヾ'
        | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{e000}'..='\u{f8ff}'
        | '\u{20000}'..='\u{2a6df}'
        | '\u{2010}'
        | '\u{2012}'..='\u{2015}'
        | '\u{2212}'
        | '\u{2500}'..='\u{25ff}' => Some(letter),
        '\u{3000}' => Some(' '),
        '！'..='～' => char::from_u32(u32::from(letter) - 0xfee0),
        _ => None,
    }
}

/// Variation selectors and zero-width characters: they change the picture of a letter or nothing at all.
fn is_ignorable(letter: char) -> bool {
    matches!(
        letter,
        '\u{fe00}'..='\u{fe0f}'
            | '\u{e0100}'..='\u{e01ef}'
            | '\u{200b}'..='\u{200d}'
            | '\u{feff}'
            | '\u{2060}'
    )
}

/// The same text with every dash, minus and long mark written as `-`.
pub fn fold_dashes(text: &str) -> Cow<'_, str> {
    if text.chars().all(|letter| letter == '-' || !is_dash(letter)) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|letter| if is_dash(letter) { '-' } else { letter }).collect())
}

/// Hyphens, dashes, minus signs and long marks, which keyboards and encodings mix up.
///
/// The kanji 一 is not among them: it is a number and a letter of names.
pub fn is_dash(letter: char) -> bool {
    matches!(
        letter,
        '-' | '\u{2010}'
            ..='\u{2015}'
                | '\u{2043}'
                | '\u{2212}'
                | '\u{2500}'
                | '\u{fe58}'
                | '\u{fe63}'
                | '－'
                | 'ー'
                | 'ｰ'
    )
}

/// Any space, tab or line break.
pub fn is_space(letter: char) -> bool {
    letter.is_whitespace()
}

/// A sign that stands where a letter could not be encoded, or was masked.
///
/// `・` is used so too, but also separates the words of foreign names; see [`crate::name`].
pub fn is_lost_letter(letter: char) -> bool {
    matches!(letter, '?' | '？' | '●' | '■' | '□' | '〓' | '*' | '＊' | '\u{fffd}')
}

/// A private-use letter: it means something only inside the system of the vendor who defined it.
pub fn is_gaiji(letter: char) -> bool {
    matches!(letter, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}')
}

/// Whether a value says that there is no value: empty, 不明, `N/A`, a spreadsheet error, or only dashes and masks.
pub fn is_placeholder(text: &str) -> bool {
    let folded = fold(text);
    let mut key = String::new();
    for letter in folded.chars().filter(|letter| !is_space(*letter)) {
        // No placeholder has more letters; a long value needs no further look.
        if key.len() >= 3 * PLACEHOLDER_LETTERS_MAX && !says_nothing(letter) {
            return false;
        }
        key.push(letter.to_ascii_uppercase());
    }
    is_placeholder_key(&key)
}

/// The longest entry of the list below, in letters.
const PLACEHOLDER_LETTERS_MAX: usize = 8;

/// Texts that stand where a value is missing.
const PLACEHOLDERS: [&str; 59] = [
    "不明",
    "不詳",
    "氏名不詳",
    "氏名不明",
    "生年月日不詳",
    "年月日不詳",
    "住所不明",
    "住所不定",
    "不定",
    "該当なし",
    "該当無し",
    "該当無",
    "なし",
    "無し",
    "無",
    "ナシ",
    "ガイトウナシ",
    "フメイ",
    "フショウ",
    "フシヨウ",
    "空白",
    "空欄",
    "該当ナシ",
    "記入ナシ",
    "記載ナシ",
    "未記入",
    "記入なし",
    "記載なし",
    "未設定",
    "未入力",
    "未登録",
    "未定",
    "未詳",
    "未届",
    "非公開",
    "同上",
    "〃",
    "NA",
    "N/A",
    "#N/A",
    "N.A.",
    "NULL",
    "(NULL)",
    "<NULL>",
    "\\N",
    "NONE",
    "NIL",
    "NAN",
    "UNKNOWN",
    "UNDEFINED",
    "BLANK",
    "#REF!",
    "#VALUE!",
    "#NAME?",
    "#DIV/0!",
    "#NUM!",
    "#NULL!",
    "#SPILL!",
    "#CALC!",
];

/// [`is_placeholder`] for text already folded, upper-cased and without spaces.
pub(crate) fn is_placeholder_key(key: &str) -> bool {
    let key = key.trim_matches(|letter| matches!(letter, '(' | ')' | '[' | ']' | '【' | '】'));
    let Some(first) = key.chars().next() else { return true };
    (begins_as_placeholders_do(first) && PLACEHOLDERS.contains(&key))
        || key.chars().all(says_nothing)
}

/// Whether such a text with more behind it may be a placeholder.
pub(crate) fn begins_placeholder(key: &str) -> bool {
    key.chars().next().is_none_or(begins_as_placeholders_do)
        && PLACEHOLDERS.iter().any(|placeholder| placeholder.starts_with(key))
}

/// Hardly any value begins as a placeholder does, and the list is long.
fn begins_as_placeholders_do(first: char) -> bool {
    matches!(
        first,
        '不' | '氏'
            | '生'
            | '年'
            | '住'
            | '定'
            | '該'
            | 'な'
            | '無'
            | 'ナ'
            | 'ガ'
            | 'フ'
            | '空'
            | '記'
            | '未'
            | '非'
            | '同'
            | '〃'
            | 'N'
            | '#'
            | '<'
            | '\\'
            | 'U'
            | 'B'
    )
}

/// Marks that carry no content of their own.
fn says_nothing(letter: char) -> bool {
    is_dash(letter)
        || is_space(letter)
        || is_lost_letter(letter)
        || letter.is_ascii_punctuation()
        || matches!(letter, '・' | '…' | '×' | '。' | '、' | WILDCARD)
}

#[cfg(test)]
mod tests;
