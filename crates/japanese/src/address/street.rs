//! Kyoto street names: 寺町通御池上る stands between ward and town, and only sometimes.
//!
//! The direction (上る, 下る, 東入, 西入) is what tells a street from a town; streets written without one stay in the town.

use super::letters::{at, is_kanji, is_numeral, numeral_end, starts};

/// Directions that no town name holds.
const VERTICAL: [&str; 8] =
    ["上る", "上ル", "下る", "下ル", "上がる", "下がる", "上ガル", "下ガル"];
/// Directions that also begin names (東入間); they count in Kyoto only, or behind a street.
const HORIZONTAL: [&str; 2] = ["東入", "西入"];

/// The end of the last street direction; 0 when there is none.
pub(crate) fn end(letters: &[char], prefecture: Option<&str>) -> usize {
    if prefecture.is_some_and(|name| name != "京都府") {
        return 0;
    }
    // Most texts have neither letter, and the search below is not free.
    if !letters.iter().any(|c| matches!(c, 'る' | 'ル' | '入')) {
        return 0;
    }
    let kyoto = prefecture.is_some() || starts(letters, 0, "京都市");
    for index in (1..letters.len()).rev() {
        if let Some(word) = VERTICAL.iter().find(|word| starts(letters, index, word)) {
            return behind_block(letters, index + word.chars().count());
        }
        let behind_street = letters[..index].contains(&'通');
        if (kyoto || behind_street) && HORIZONTAL.iter().any(|word| starts(letters, index, word)) {
            let end = index + 2;
            let long = matches!(at(letters, end), Some('る' | 'ル'));
            return behind_block(letters, end + usize::from(long));
        }
    }
    0
}

/// Behind a 丁目 that belongs to the street, because a town follows it: 三条上る二丁目下丸屋町.
fn behind_block(letters: &[char], end: usize) -> usize {
    let behind = numeral_end(letters, end);
    let block = behind > end && starts(letters, behind, "丁目");
    let town = at(letters, behind + 2).is_some_and(|c| is_kanji(c) && !is_numeral(c));
    if block && town { behind + 2 } else { end }
}

/// The key of a street: one spelling for each direction.
pub(crate) fn key(folded: String) -> String {
    let mut key = folded.replace('ル', "る");
    // が may already be folded to ケ, as in place names.
    for (long, short) in [
        ("上ケる", "上る"),
        ("下ケる", "下る"),
        ("上がる", "上る"),
        ("下がる", "下る"),
        ("東入る", "東入"),
        ("西入る", "西入"),
        ("通り", "通"),
    ] {
        if key.contains(long) {
            key = key.replace(long, short);
        }
    }
    key
}
