//! Ids that other systems give to their records (宛名番号, 世帯番号), as texts.
//!
//! A spreadsheet that reads an id as a number loses the zeros in front of it. Whoever is meant by what is left is still the same, so
//! ids that decide about money and protection are compared without them.

/// An id as it is after a spreadsheet has read it as a number. One zero stays where there is nothing else: no id is an empty one, which
/// whoever has no household has.
pub fn without_zeros(id: &str) -> &str {
    match id.trim_start_matches('0') {
        "" if !id.is_empty() => "0",
        bare => bare,
    }
}
