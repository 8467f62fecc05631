//! Reading an address with the help of towns that are known.
//!
//! ```text
//! 若葉市24軒4条5-1-1      │ town 二十四軒四条, numbers [5, 1, 1]
//! 若葉市東札幌2-6-5-1     │ town 東札幌二条, numbers [6, 5, 1]: a 条 left out
//! 若葉市大和十二          │ town 大和, numbers [12]
//! ```
//!
//! From letters alone 24 is a number and 大和十二 a town. Who knows the towns of a register can say otherwise.
//! Invariant: an address is read so only if its town is one of those known.

use super::letters::{self, at, is_block_letter, is_dash, is_no, is_numeral, numeral, numeral_end};
use super::{Address, prefecture, town};
use crate::number;

/// Longest part of an address in front of its numbers, in letters.
const NAME_LETTERS_MAX: usize = 32;

impl Address {
    /// Reads an address whose town is one that `is_town` knows by its folded letters, municipality included as far as it
    /// is written; `None` where the address begins with none of them. The longest such town counts.
    pub fn read_knowing(
        address: &str,
        building: &str,
        is_town: impl Fn(&str) -> bool,
    ) -> Option<Self> {
        let letters = letters::of(address);
        let (prefecture, letters) = prefecture::strip(letters::without_postal_code(&letters));
        if letters::is_placeholder(letters) || letters::is_latin(letters) {
            return None;
        }
        let (name, start) = (1..=last_end(letters))
            .rev()
            .filter(|&end| may_end(letters, end))
            .find_map(|end| known_until(letters, end, prefecture.is_some(), &is_town))?;
        let mut read = Self { prefecture, ..Self::default() };
        (read.town, read.municipality_end) = (name.town, name.municipality_end);
        let rest = match letters.get(start) {
            Some(_) => read.take_numbers(letters::trim(&letters[start..])),
            None => &[],
        };
        let own = letters::of(building);
        let own = if letters::is_placeholder(&own) { &[] } else { letters::trim(&own) };
        read.set_building(rest, own);
        Some(read)
    }
}

/// Behind this position no town ends: the numbers have begun for certain.
fn last_end(letters: &[char]) -> usize {
    let begun = |&digit: &usize| match (letters[digit], at(letters, digit + 1)) {
        (c, Some('番')) => is_numeral(c) && !matches!(at(letters, digit + 2), Some('町' | '丁')),
        (c, Some('号')) => is_numeral(c),
        (c, Some(next)) => c.is_ascii_digit() && (is_dash(next) || next.is_whitespace()),
        (_, None) => false,
    };
    let end = (0..letters.len()).find(begun).map_or(letters.len(), |digit| digit + 1);
    end.min(NAME_LETTERS_MAX)
}

/// Whether a town can end before a position: a number, what joins one, or nothing comes next, and no number is cut.
fn may_end(letters: &[char], end: usize) -> bool {
    let Some(next) = at(letters, end) else { return true };
    if letters[end - 1].is_ascii_digit() && next.is_ascii_digit() {
        return false;
    }
    let before_number = |c: char| is_numeral(c) || is_dash(c) || is_no(c) || c.is_whitespace();
    before_number(next)
        || matches!(next, '第' | '無' | '番' | '字')
        || is_block_letter(next) && at(letters, end + 1).is_some_and(before_number)
}

/// The known town that ends at a position, and where the numbers behind it begin.
fn known_until(
    letters: &[char],
    end: usize,
    behind_prefecture: bool,
    is_town: impl Fn(&str) -> bool,
) -> Option<(town::Split, usize)> {
    let name = town::split(&letters[..end], 0, behind_prefecture);
    if is_town(&name.town) {
        return Some((name, skip_joints(letters, end)));
    }
    // 2-6-5-1 behind a town of rows: the first number is the 条.
    let behind = numeral_end(letters, end);
    if !at(letters, behind).is_some_and(is_dash) || !at(letters, behind + 1).is_some_and(is_numeral)
    {
        return None;
    }
    let (row, _) = numeral(letters, end)?;
    let mut name = name;
    name.town.push_str(&number::to_kanji(row));
    name.town.push('条');
    is_town(&name.town).then_some((name, behind + 1))
}

/// The first letter behind dashes and の between a town and its numbers.
fn skip_joints(letters: &[char], mut index: usize) -> usize {
    let joins = |c: char| is_dash(c) || is_no(c) || c.is_whitespace();
    while at(letters, index).is_some_and(joins) {
        index += 1;
    }
    index
}
