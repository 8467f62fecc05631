//! Text of any language, numbers that name something, and categories.

use crate::forms::parts::Parts;
use crate::kernel::{jaro_winkler, within_one_edit};

/// The level of [`super::level::TEXT`]. Texts that hold the same words in another order have equal loose keys.
pub(crate) fn text_level(texts: &Parts, a: u32, b: u32) -> u8 {
    if a == b {
        return 1;
    }
    if texts.loose(a) == texts.loose(b) {
        return 2;
    }
    let (x, y) = (beginning(texts.letters(a)), beginning(texts.letters(b)));
    let similarity = jaro_winkler(x, y);
    if similarity >= 0.92 || (x.len().min(y.len()) >= 4 && within_one_edit(x, y)) {
        2
    } else if similarity >= 0.82 || words_in_common(texts.text(a), texts.text(b)) {
        3
    } else {
        4
    }
}

/// Letters and words of a long text that are compared: what differs later makes two texts unequal, no more.
const LETTERS_MAX: usize = 300;
const WORDS_MAX: usize = 60;

fn beginning(letters: &[char]) -> &[char] {
    &letters[..letters.len().min(LETTERS_MAX)]
}

/// At least half of the words of the longer text stand in the shorter one too.
fn words_in_common(a: &str, b: &str) -> bool {
    let words =
        |text: &'_ str| text.split(' ').take(WORDS_MAX).map(str::to_owned).collect::<Vec<_>>();
    let (x, y) = (words(a), words(b));
    let (short, long) = if x.len() <= y.len() { (x, y) } else { (y, x) };
    let common = long.iter().filter(|word| short.contains(word)).count();
    long.len() >= 2 && common * 2 >= long.len()
}

/// The level of [`super::level::IDENTIFIER`].
pub(crate) fn identifier_level(texts: &Parts, a: u32, b: u32) -> u8 {
    if a == b {
        1
    } else if texts.letters(a).len() >= 4 && within_one_edit(texts.letters(a), texts.letters(b)) {
        2
    } else {
        3
    }
}
