//! Normal forms of text that is neither a Japanese name nor an address.

use renkei_japanese::text;

/// Lower-cased words between single spaces: NFKC, no punctuation, nothing unmapped dropped.
pub(crate) fn words(raw: &str) -> String {
    let folded = text::fold(raw);
    let mut out = String::with_capacity(folded.len());
    let mut gap = false;
    for c in folded.chars() {
        // An apostrophe or a full stop stands inside a word (O'Brien, St.), other punctuation between words.
        if matches!(c, '\'' | '’' | '.') {
            continue;
        }
        if c.is_whitespace() || c.is_ascii_punctuation() {
            gap = true;
            continue;
        }
        if gap && !out.is_empty() {
            out.push(' ');
        }
        gap = false;
        out.extend(c.to_lowercase());
    }
    out
}

/// The words in alphabetical order: the key under which the same words in another order meet.
pub(crate) fn sorted_words(words: &str) -> String {
    let mut words: Vec<&str> = words.split(' ').collect();
    words.sort_unstable();
    words.join(" ")
}

/// Letters and digits alone, for numbers and codes.
pub(crate) fn code(raw: &str) -> String {
    words(raw).replace(' ', "")
}
