//! Distinct normal forms: each value of a column is normalised once, and equal forms share one id.
//!
//! A register of a million people has a few hundred thousand distinct names and addresses. Comparing, counting and
//! blocking then work on ids; texts are touched once per distinct value.

pub(crate) mod address_column;
pub(crate) mod addresses;
mod halves;
pub(crate) mod name_keys;
pub(crate) mod names;
mod pairs;
pub(crate) mod parts;
pub(crate) mod readings;
pub(crate) mod texts;
pub(crate) mod whole_names;

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
    take: impl FnMut(T) -> u32,
) -> Vec<u32> {
    each_once(raw.len(), |id| read(raw.get(id)), take)
}

/// The same for what has numbers up to `count`.
pub(crate) fn each_once<T: Send>(
    count: usize,
    read: impl Fn(u32) -> T + Sync,
    take: impl FnMut(T) -> u32,
) -> Vec<u32> {
    const CHUNK: u32 = 16_384;
    let few = count < FEW;
    let count = u32::try_from(count).expect("fewer than 2^32 distinct values");
    if few {
        return (0..count).map(read).map(take).collect();
    }
    let mut take = take;
    let mut forms = Vec::with_capacity(count as usize);
    for start in (0..count).step_by(CHUNK as usize) {
        let chunk: Vec<T> = (start..count.min(start + CHUNK)).into_par_iter().map(&read).collect();
        forms.extend(chunk.into_iter().map(&mut take));
    }
    forms
}
