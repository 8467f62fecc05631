//! Distinct normal forms: each value of a column is normalised once, and equal forms share one id.
//!
//! A register of a million people has a few hundred thousand distinct names and addresses. Comparing, counting and
//! blocking then work on ids; texts are touched once per distinct value.

pub(crate) mod addresses;
pub(crate) mod names;
pub(crate) mod parts;
pub(crate) mod texts;

use rayon::prelude::*;

use crate::intern::Interner;

/// The id of "no usable value": neither for nor against anything.
pub(crate) const NONE: u32 = u32::MAX;

/// Values that are not worth waking other threads for.
pub(crate) const FEW: usize = 64;

/// The beginning of a text, as much as any name or address needs: what comes after is a mistake, and would cost time
/// that grows with the square of its length.
fn beginning(text: &str) -> &str {
    const LETTERS_MAX: usize = 300;
    text.char_indices().nth(LETTERS_MAX).map_or(text, |(end, _)| &text[..end])
}

/// Normalises every distinct raw text on all threads, then takes the results one by one in their order.
pub(crate) fn normalise<T: Send>(
    raw: &Interner,
    read: impl Fn(&str) -> T + Sync,
    mut take: impl FnMut(T) -> u32,
) -> Vec<u32> {
    const CHUNK: u32 = 16_384;
    if raw.len() < FEW {
        return raw.iter().map(|text| take(read(text))).collect();
    }
    let count = u32::try_from(raw.len()).expect("fewer than 2^32 distinct values");
    let mut forms = Vec::with_capacity(raw.len());
    for start in (0..count).step_by(CHUNK as usize) {
        let chunk: Vec<T> =
            (start..count.min(start + CHUNK)).into_par_iter().map(|id| read(raw.get(id))).collect();
        forms.extend(chunk.into_iter().map(&mut take));
    }
    forms
}
