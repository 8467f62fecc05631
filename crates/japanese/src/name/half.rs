//! The halves of a name that one space divides: read apart and put together, they are the name.
//!
//! A million people have some hundred thousand names, but these are made of few family names and few given names. Who
//! reads many names reads each half once. Invariant: where both halves can be read alone, the key of the whole name is the
//! one key behind the other, divided where they meet; a test holds the two ways against each other.

use super::is_title;
use crate::kana::ExactKey;
use crate::kanji::fold_variant;
use crate::text::{self, Mark};

/// The two halves of a field with one space in it, the space being the first letter of the second. `None` where there is
/// no space, where it stands at an end, and where there are several.
pub fn divide(field: &str) -> Option<(&str, &str)> {
    let is_space = |letter: char| matches!(letter, ' ' | '\u{3000}');
    let at = field.find(is_space)?;
    let (first, second) = field.split_at(at);
    let mut rest = second.chars();
    let several = rest.next().is_none_or(|_| rest.as_str().contains(is_space));
    (!first.is_empty() && !rest.as_str().is_empty() && !several).then_some((first, second))
}

/// The key of half a name as written: what [`super::WrittenName::full`] has of it. `None` where the half means something
/// else in another company, or may: letters other than common kanji, a form of address, the beginning of "unknown".
pub fn written_half(half: &str) -> Option<String> {
    let half = without_space(half);
    let common = |letter| matches!(letter, '\u{4e00}'..='\u{9fff}' | '々');
    if half.is_empty() || !half.chars().all(common) || text::begins_placeholder(half) {
        return None;
    }
    let key: String = half.chars().map(fold_variant).collect();
    (!is_title(&key)).then_some(key)
}

/// The key of half a name as read: what [`super::KanaName::exact`] has of it. `None` where the half means something else
/// in another company, or may.
pub fn kana_half(half: &str) -> Option<String> {
    let half = without_space(half);
    let first = half.chars().next()?;
    if first == 'ー' || first == 'ｰ' || Mark::read(first).is_some() {
        return None;
    }
    let key = ExactKey::read_plain(half)?;
    (!text::begins_placeholder(&key)).then_some(key)
}

fn without_space(half: &str) -> &str {
    half.strip_prefix([' ', '\u{3000}']).unwrap_or(half)
}
