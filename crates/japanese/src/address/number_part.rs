//! Where the numbers of an address begin, and reading them up to the building.
//!
//! ```text
//! 若葉市若松五丁目5番地ノ28　グランドハイツ北208号
//!           └─ find ────┘ └─ left to `building`
//! ```
//!
//! Digits begin the numbers unless they belong to a name (北1条, 4日市); kanji numerals only when a unit or another number
//! follows (三条, 八丁堀, 千代田 are names). Reading goes on as long as units, dashes and の join numbers; the rules for which
//! of them is a room are in [`Reader::is_room`].

mod reader;
mod start;

pub(crate) use reader::read;
pub(crate) use start::find;

use super::dates;
use super::letters::{at, starts};

/// What stands behind a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    /// Nothing: a dash, の or the end comes next.
    None,
    /// 丁目, 丁.
    Chome,
    /// 番.
    Ban,
    /// 番地.
    Banchi,
    /// 番外地: land outside the numbering, told apart from 番地.
    Bangaichi,
    /// 号.
    Go,
    /// 線, 号線, 地割.
    Line,
}

/// The unit at a position and its end. A word such as 号棟 or 番館 belongs to a building, and is no unit.
fn unit(letters: &[char], index: usize) -> (Unit, usize) {
    let spaces =
        letters.get(index..).unwrap_or_default().iter().take_while(|c| c.is_whitespace()).count();
    if spaces > 0 {
        // 3 号: a unit apart from its number, unless that is the number of the next part.
        return match unit(letters, index + spaces) {
            (Unit::None | Unit::Line, _) => (Unit::None, index),
            found => found,
        };
    }
    let next = |offset: usize| at(letters, index + offset);
    let none = (Unit::None, index);
    match next(0) {
        Some('丁') if next(1) == Some('目') => (Unit::Chome, index + 2),
        Some('丁') => (Unit::Chome, index + 1),
        Some('番') => match next(1) {
            Some('地') => (Unit::Banchi, index + 2),
            Some('外') if next(2) == Some('地') => (Unit::Bangaichi, index + 3),
            Some('館' | '街' | '組' | '棟' | '町' | '丁' | '目' | '通') => none,
            _ => (Unit::Ban, index + 1),
        },
        Some('号') => match next(1) {
            Some('線') => (Unit::Line, index + 2),
            Some('室' | '棟' | '館' | '車' | '地') => none,
            _ => (Unit::Go, index + 1),
        },
        Some('線') => (Unit::Line, index + 1),
        Some('地') if next(1) == Some('割') => (Unit::Line, index + 2),
        _ => none,
    }
}

/// Whether a word at a position, directly behind digits, makes them part of a building: 号棟, 階, F.
fn is_building_word(letters: &[char], index: usize) -> bool {
    const WORDS: [&str; 8] = ["号棟", "号館", "棟", "階", "番館", "番街", "号車", "DK"];
    let Some(first) = at(letters, index) else { return false };
    if !matches!(first, '号' | '棟' | '階' | '番' | 'D' | 'F' | 'f') {
        return false;
    }
    if WORDS.iter().any(|word| starts(letters, index, word)) {
        return true;
    }
    let latin =
        |offset: usize| at(letters, index + offset).is_some_and(|c| c.is_ascii_alphabetic());
    matches!(at(letters, index), Some('F' | 'f')) && !latin(1)
}

/// Words in place of a number, and what they say: that there is none, or that the land lies outside the numbering.
const NO_NUMBER: [(&str, &str); 6] = [
    ("無番地", "無番地"),
    ("無地番", "無番地"),
    ("番地なし", "無番地"),
    ("番地無し", "無番地"),
    ("番地無", "無番地"),
    ("番外地", "番外地"),
];

/// A word in place of a number at a position: what it says, and its end.
fn no_number(letters: &[char], index: usize) -> Option<(&'static str, usize)> {
    if !matches!(at(letters, index), Some('無' | '番')) {
        return None;
    }
    let fits = |(word, _): &&(&str, &str)| starts(letters, index, word);
    NO_NUMBER.iter().find(fits).map(|(word, says)| (*says, index + word.chars().count()))
}

/// Points of the compass, which town names of grids are made of: 北1条西2丁目.
fn is_compass(c: char) -> bool {
    matches!(c, '東' | '西' | '南' | '北')
}

/// Whether digits between two points of the compass are a 条 whose unit was left out: 北1西2-3.
pub(crate) fn is_bare_row(letters: &[char], start: usize, end: usize) -> bool {
    let before = start.checked_sub(1).and_then(|index| at(letters, index));
    before.is_some_and(is_compass) && at(letters, end).is_some_and(is_compass)
}
