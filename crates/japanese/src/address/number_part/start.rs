//! The first letter of the numbers.

use crate::address::letters::{
    at, is_block_letter, is_dash, is_kanji, is_kanji_numeral, is_katakana, is_no, is_numeral,
    numeral, numeral_end, starts,
};

use super::{dates, is_bare_row, no_number};

/// Where the numbers, or the block letter before them, begin; the search starts at `from`.
pub(crate) fn find(letters: &[char], from: usize) -> Option<usize> {
    let mut index = from;
    while let Some(c) = at(letters, index) {
        if c.is_ascii_digit() {
            let end = numeral_end(letters, index);
            if !digits_are_name(letters, index, end) {
                return Some(block_start(letters, from, index));
            }
            index = end;
        } else if is_kanji_numeral(c) {
            let end = numeral_end(letters, index);
            if kanji_is_number(letters, end, c) || is_plain_number(letters, index, end) {
                return Some(block_start(letters, from, index));
            }
            index = end;
        } else if matches!(c, '無' | '番') && no_number(letters, index).is_some()
            || is_lettered_block(letters, from, index)
            || c.is_ascii_alphabetic() && dates::begins_with_month(&letters[index..])
        {
            return Some(index);
        } else {
            index += 1;
        }
    }
    None
}

/// Whether digits belong to a name: 北1条, 5番町, 4日市, 1区.
fn digits_are_name(letters: &[char], start: usize, end: usize) -> bool {
    let next = |offset: usize| at(letters, end + offset);
    match next(0) {
        Some('条' | '軒') => true,
        Some('東' | '西' | '南' | '北') => {
            is_bare_row(letters, start, end) && next(1).is_some_and(is_numeral)
        }
        Some('本') => matches!(next(1), Some('木' | '松' | '杉' | '柳')),
        Some('丁') => next(1) == Some('堀'),
        Some('反') => next(1) == Some('田'),
        Some('ツ' | 'ッ' | 'つ' | 'っ') => next(1).is_some_and(is_kanji),
        Some('番') => matches!(next(1), Some('町' | '丁')),
        Some('日') => matches!(next(1), Some('市' | '町')),
        // A part of the town when a number, a marker or nothing comes behind it.
        Some('区' | '組' | '班' | '部' | '町' | '村') => match next(1) {
            None => true,
            Some(c) => is_numeral(c) || matches!(c, ' ' | '字' | '大'),
        },
        // 1の宮町; 1の5 are numbers.
        Some(c) if is_no(c) && dates::undo(&letters[start..]).is_none() => {
            matches!(
                next(1),
                Some('町' | '宮' | '割' | '坪' | '関' | '沢' | '谷' | '台' | '口' | '橋')
            )
        }
        _ => false,
    }
}

/// Whether kanji numerals that begin with `first` and end at `end` are a number: a unit or another number follows.
fn kanji_is_number(letters: &[char], end: usize, first: char) -> bool {
    let next = |offset: usize| at(letters, end + offset);
    let ends = |c: Option<char>| c.is_none_or(|c| is_numeral(c) || is_dash(c) || c.is_whitespace());
    let Some(c) = next(0) else { return false };
    match c {
        '丁' if next(1) == Some('目') => true,
        // 一丁 in 堺; 八丁堀, 八丁 and 千丁町 are names.
        '丁' => first != '八' && first != '千' && (ends(next(1)) || next(1) == Some('番')),
        '番' => !matches!(next(1), Some('町' | '丁' | '館' | '街' | '組' | '通' | '目' | '堀')),
        '号' => !matches!(next(1), Some('棟' | '館' | '室' | '車')),
        '線' => ends(next(1)) || matches!(next(1), Some('西' | '東' | '南' | '北' | '番')),
        '地' => next(1) == Some('割'),
        c if is_dash(c) || is_no(c) => joins_numbers(letters, end, c),
        _ => false,
    }
}

/// Whether kanji numerals without any unit are a number: at the end, and with 百 or 千 among three or more (七百八十), as
/// no name is.
fn is_plain_number(letters: &[char], start: usize, end: usize) -> bool {
    let run = &letters[start..end];
    run.len() >= 3
        && run.iter().any(|c| matches!(c, '百' | '千'))
        && at(letters, end).is_none_or(char::is_whitespace)
        && numeral(letters, start).is_some()
}

/// Whether numbers joined by dashes or の run from a position to a unit, a space, a building or the end.
fn joins_numbers(letters: &[char], mut end: usize, mark: char) -> bool {
    while at(letters, end).is_some_and(|c| c == mark || is_dash(c) || is_no(c)) {
        let next = numeral_end(letters, end + 1);
        if next == end + 1 {
            return false;
        }
        end = next;
    }
    // 一の宮, 三ノ輪 and 二の三郎 go on with kanji, numbers do not.
    at(letters, end).is_none_or(|c| matches!(c, '番' | '号' | '丁') || !is_kanji(c))
}

/// The start of the letter before a number that belongs to it: イ38, 甲12, A-5, 第35地割.
fn block_start(letters: &[char], from: usize, start: usize) -> usize {
    let Some(mut index) = start.checked_sub(1) else { return start };
    let Some(mut c) = at(letters, index) else { return start };
    if index > from && (is_dash(c) && c != 'ー' || is_no(c)) {
        index -= 1;
        c = letters[index];
    }
    if index >= from && is_single(letters, from, index, c) { index } else { start }
}

/// A letter of a block that no letter of its own kind precedes.
fn is_single(letters: &[char], from: usize, index: usize, c: char) -> bool {
    let before = if index > from { at(letters, index - 1) } else { None };
    if c.is_ascii_alphabetic() {
        before.is_some_and(|b| is_kanji(b) || b.is_whitespace() || matches!(b, 'ぁ'..='ゖ'))
    } else if is_block_letter(c) {
        !is_katakana(c) || before.is_some_and(|b| !is_katakana(b))
    } else {
        false
    }
}

/// A番5号, イ番地: the letter stands where the number would.
fn is_lettered_block(letters: &[char], from: usize, index: usize) -> bool {
    let Some(c) = at(letters, index) else { return false };
    let ban = at(letters, index + 1) == Some('番') && at(letters, index + 2) != Some('町');
    ban && (starts(letters, index + 1, "番地")
        || at(letters, index + 2).is_none_or(|c| is_numeral(c) || is_dash(c) || is_no(c)))
        && is_single(letters, from, index, c)
}
