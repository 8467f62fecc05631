//! A name in a kana field.

use super::{Forms, WILDCARD, words};
use crate::kana::{ExactKey, loosen, prepared};
use crate::text;
use crate::zengin::{PAYEE_CELLS, cells};

/// A kana name as keys: one that decides, one that finds candidates, both without spaces.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KanaName {
    /// [`crate::kana::kana_exact`] of the name.
    pub exact: String,
    /// [`crate::kana::kana_fuzzy`] of the name.
    pub fuzzy: String,
    /// Byte offset in `exact` where the words after the first begin, when a separator stood there.
    pub split_exact: Option<usize>,
    /// The same place in `fuzzy`.
    pub split_fuzzy: Option<usize>,
    /// Whether the name fills the 30 cells of a bank's payee field, so that its end may be missing.
    pub truncated: bool,
    /// Whether a letter was lost; [`super::WILDCARD`] stands in its place.
    pub lost_letters: bool,
    /// Further separators in `exact`, for foreign names of three and more words.
    more_breaks: Box<[usize]>,
}

impl KanaName {
    /// Reads the main name of a kana field; `None` when the field says nothing.
    pub fn read(field: &str) -> Option<KanaName> {
        let text = prepared(field);
        let main = Forms::read(&text).main;
        let mut split_exact = None;
        let mut more_breaks = Vec::new();
        let key = ExactKey::read(&main, |offset| match split_exact {
            _ if offset == 0 => {}
            None => split_exact = Some(offset),
            Some(first) => {
                if more_breaks.last().copied().unwrap_or(first) != offset {
                    more_breaks.push(offset);
                }
            }
        });
        let exact = key.letters;
        // A separator at the end separates nothing, and in a key that was folded again places have moved.
        let inside = |offset: &usize| *offset < exact.len() && exact.is_char_boundary(*offset);
        more_breaks.retain(inside);
        split_exact = split_exact.filter(inside);
        if text::is_placeholder_key(&exact)
            || (exact.starts_with('#') && text::is_placeholder(&main))
            || exact.chars().all(|letter| letter == WILDCARD)
        {
            return None;
        }
        let (fuzzy, split_fuzzy) = loosen(&exact, split_exact);
        let truncated = main.len() >= PAYEE_CELLS && cells(main.trim()) == PAYEE_CELLS;
        let lost_letters = key.lost;
        let more_breaks = more_breaks.into_boxed_slice();
        Some(KanaName {
            exact,
            fuzzy,
            split_exact,
            split_fuzzy,
            truncated,
            lost_letters,
            more_breaks,
        })
    }

    /// The words of `exact` in written order.
    pub fn tokens(&self) -> impl Iterator<Item = &str> {
        words(&self.exact, self.split_exact.into_iter().chain(self.more_breaks.iter().copied()))
    }
}
