//! The part before the numbers: municipality, street and town, folded into one key.

use super::letters::{self, at, is_katakana, is_plain_dash};
use super::{municipality, number_part, street};
use crate::{kanji, number};

/// What [`split`] finds.
pub(crate) struct Split {
    /// Municipality and town.
    pub(crate) town: String,
    /// Where in `town` the municipality ends, in bytes.
    pub(crate) municipality_end: usize,
    /// Kyoto street.
    pub(crate) street: String,
}

/// Splits the letters before the numbers; a street ends at `street_end`, 0 when there is none.
pub(crate) fn split(letters: &[char], street_end: usize, behind_prefecture: bool) -> Split {
    let (upper, lower) = letters.split_at(street_end.min(letters.len()));
    let mut name = Vec::with_capacity(letters.len() + 4);
    let mut street_key = String::new();
    if upper.is_empty() {
        fold_into(&mut name, lower);
    } else {
        fold_into(&mut name, upper);
        let end = municipality::end(&name, behind_prefecture);
        street_key = street::key(name.drain(end..).collect());
        fold_into(&mut name, lower);
    }
    loop {
        match name[..] {
            [.., last] if is_trailing(last) => name.truncate(name.len() - 1),
            // 字 directly before the number: 大和字11番地.
            [.., '大', '字'] => name.truncate(name.len() - 2),
            [.., before, '字'] if !in_name(before) => name.truncate(name.len() - 1),
            _ => break,
        }
    }
    let end = municipality::end(&name, behind_prefecture);
    let mut town = String::with_capacity(name.len() * 3);
    town.extend(&name[..end]);
    let municipality_end = town.len();
    push_without_markers(&mut town, &name[end..]);
    Split { town, municipality_end, street: street_key }
}

/// Folds letters for comparison: spaces dropped, digits of a name in kanji, variants and spellings folded.
fn fold_into(name: &mut Vec<char>, letters: &[char]) {
    let mut index = 0;
    while let Some(&c) = letters.get(index) {
        if c.is_ascii_digit() {
            let end = letters::numeral_end(letters, index);
            match letters::numeral(letters, index) {
                Some((value, _)) => name.extend(number::to_kanji(value).chars()),
                None => name.extend(&letters[index..end]),
            }
            if number_part::is_bare_row(letters, index, end) {
                name.push('条');
            }
            index = end;
            continue;
        }
        index += 1;
        if c.is_whitespace() {
            continue;
        }
        // 番丁 and 番町 are two spellings of one word.
        if c == '丁' && name.last() == Some(&'番') && at(letters, index) != Some('目') {
            name.push('町');
            continue;
        }
        // A dash behind katakana is a long mark typed as a dash.
        let long_mark = is_plain_dash(c) && name.last().is_some_and(|&last| is_katakana(last));
        name.push(if long_mark { 'ー' } else { kanji::fold_address(c.to_ascii_lowercase()) });
    }
}

/// Pushes a town name without 大字 and 字 where they are markers.
///
/// In the middle of a name 字 is a marker too, except behind a number or 文 (十文字, 一字).
fn push_without_markers(town: &mut String, name: &[char]) {
    let mut last = None;
    let mut index = 0;
    while let Some(&c) = name.get(index) {
        let more = index + 1 < name.len();
        if c == '大' && name.get(index + 1) == Some(&'字') && index + 2 < name.len() {
            index += 2;
            last = None;
            continue;
        }
        if c == '字' && more && !last.is_some_and(in_name) {
            index += 1;
            // The sub-area's marker 小字.
            if last == Some('小') && town.ends_with('小') {
                town.pop();
            }
            last = None;
            continue;
        }
        town.push(c);
        last = Some(c);
        index += 1;
    }
}

/// Whether 字 behind a letter belongs to a name: 十文字, 一字.
fn in_name(before: char) -> bool {
    before == '文' || letters::is_kanji_numeral(before)
}

/// What a town name does not end with.
fn is_trailing(c: char) -> bool {
    letters::is_filler(c) || matches!(c, '第' | ':' | ';' | '(' | '/')
}
