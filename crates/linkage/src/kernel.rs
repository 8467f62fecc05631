//! String distances over Unicode scalars: the inner loops of comparison.
//!
//! Slices of `char` rather than text: decoding would take longer than comparing. The tests hold them against the same
//! written plainly (`kernel/reference.rs`), against `strsim` and against `rapidfuzz`. This file uses nothing of the crate,
//! so that the benchmark of kernels can take it in as it is.

// The path is said, so that it is found from elsewhere too.
#[cfg(test)]
#[path = "kernel/reference.rs"]
mod reference;

/// Whether the optimal string alignment distance is at most one: one letter replaced, added or lost, or two neighbours
/// exchanged.
pub(crate) fn within_one_edit(a: &[char], b: &[char]) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if long.len() - short.len() > 1 {
        return false;
    }
    let Some(at) = short.iter().zip(long).position(|(x, y)| x != y) else {
        return true;
    };
    if short.len() < long.len() {
        return short[at..] == long[at + 1..];
    }
    if short[at + 1..] == long[at + 1..] {
        return true;
    }
    at + 1 < short.len()
        && short[at] == long[at + 1]
        && short[at + 1] == long[at]
        && short[at + 2..] == long[at + 2..]
}

/// Jaro-Winkler similarity with the usual prefix weight 0.1 over at most four letters, and the prefix boost only where
/// the Jaro similarity exceeds 0.7 (Winkler, "String Comparator Metrics and Enhanced Decision Rules in the
/// Fellegi-Sunter Model of Record Linkage", 1990). 1.0 for equal texts, also for two empty ones.
pub(crate) fn jaro_winkler(a: &[char], b: &[char]) -> f64 {
    let jaro = jaro(a, b);
    if jaro <= 0.7 {
        return jaro;
    }
    let prefix = a.iter().zip(b).take(4).take_while(|(x, y)| x == y).count();
    #[expect(clippy::cast_precision_loss, reason = "at most four")]
    let prefix = prefix as f64;
    jaro + 0.1 * prefix * (1.0 - jaro)
}

#[expect(clippy::cast_precision_loss, reason = "lengths of names")]
fn jaro(a: &[char], b: &[char]) -> f64 {
    if a.is_empty() && b.is_empty() {
        return 1.0;
    }
    let (common, exchanged) =
        if a.len() <= 64 && b.len() <= 64 { common_short(a, b) } else { common_long(a, b) };
    if common == 0 {
        return 0.0;
    }
    let (common, transposed) = (common as f64, (exchanged / 2) as f64);
    (common / a.len() as f64 + common / b.len() as f64 + (common - transposed) / common) / 3.0
}

/// How far apart two equal letters may stand to count as common.
fn window(a: &[char], b: &[char]) -> usize {
    (a.len().max(b.len()) / 2).saturating_sub(1)
}

/// How many letters the texts have in common, and how many of these stand in another order. Which letters are taken are
/// the bits of one register a text, so nothing is allocated.
fn common_short(a: &[char], b: &[char]) -> (usize, usize) {
    let window = window(a, b);
    let (mut taken_a, mut taken_b) = (0u64, 0u64);
    for (i, &x) in a.iter().enumerate() {
        let from = i.saturating_sub(window);
        let to = (i + window + 1).min(b.len());
        if let Some(j) = (from..to).find(|&j| b[j] == x && taken_b & (1 << j) == 0) {
            taken_a |= 1 << i;
            taken_b |= 1 << j;
        }
    }
    let common = taken_a.count_ones() as usize;
    let mut exchanged = 0;
    while taken_a != 0 {
        let (i, j) = (taken_a.trailing_zeros() as usize, taken_b.trailing_zeros() as usize);
        exchanged += usize::from(a[i] != b[j]);
        taken_a &= taken_a - 1;
        taken_b &= taken_b - 1;
    }
    (common, exchanged)
}

/// The same for texts of any length.
fn common_long(a: &[char], b: &[char]) -> (usize, usize) {
    let window = window(a, b);
    let mut taken = vec![false; b.len()];
    let mut of_a = Vec::new();
    for (i, &x) in a.iter().enumerate() {
        let from = i.saturating_sub(window).min(b.len());
        let to = (i + window + 1).min(b.len());
        if let Some(j) = (from..to).find(|&j| !taken[j] && b[j] == x) {
            taken[j] = true;
            of_a.push(x);
        }
    }
    let of_b = b.iter().zip(&taken).filter(|(_, taken)| **taken).map(|(&y, _)| y);
    let exchanged = of_a.iter().zip(of_b).filter(|(x, y)| **x != *y).count();
    (of_a.len(), exchanged)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chars(text: &str) -> Vec<char> {
        text.chars().collect()
    }

    #[test]
    fn one_changed_kanji_is_one_edit() {
        assert!(within_one_edit(&chars("佐藤"), &chars("加藤")));
        assert!(within_one_edit(&chars("ヨシコ"), &chars("ヨコシ")));
        assert!(!within_one_edit(&chars("ヤマダ"), &chars("スズキ")));
    }

    #[test]
    fn unlike_kana_have_no_similarity() {
        assert_eq!(jaro_winkler(&chars("ヤマダ"), &chars("スズキ")), 0.0);
    }

    /// A text, and the same after some edits: strangers are hardly ever near each other.
    fn damaged() -> impl Strategy<Value = (Vec<char>, Vec<char>)> {
        let edits = prop::collection::vec((any::<prop::sample::Index>(), 0..4, "[アイ]"), 0..4);
        ("[アイウエオ]{0,100}", edits).prop_map(|(text, edits)| {
            let text = chars(&text);
            let mut other = text.clone();
            for (place, edit, letter) in edits {
                let letter = chars(&letter)[0];
                let at = place.index(other.len() + 1);
                match edit {
                    0 => other.insert(at, letter),
                    1 if at < other.len() => other[at] = letter,
                    2 if at < other.len() => drop(other.remove(at)),
                    3 if at + 1 < other.len() => other.swap(at, at + 1),
                    _ => {}
                }
            }
            (text, other)
        })
    }

    fn strangers() -> impl Strategy<Value = (Vec<char>, Vec<char>)> {
        let text = || prop_oneof!["[アイウab]{0,12}", "[アイウ]{0,6}", "[ア-オ]{0,150}"];
        (text(), text()).prop_map(|(a, b)| (chars(&a), chars(&b)))
    }

    fn text(letters: &[char]) -> String {
        letters.iter().collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn one_edit_is_what_the_whole_matrix_and_two_libraries_say(
            (a, b) in prop_oneof![damaged(), strangers()],
        ) {
            let within = within_one_edit(&a, &b);
            prop_assert_eq!(within, within_one_edit(&b, &a));
            prop_assert_eq!(within, reference::alignment_distance(&a, &b) <= 1);
            prop_assert_eq!(within, strsim::osa_distance(&text(&a), &text(&b)) <= 1);
            let other = rapidfuzz::distance::osa::distance(a.iter().copied(), b.iter().copied());
            prop_assert_eq!(within, other <= 1);
        }

        #[test]
        fn similarity_is_what_the_definition_and_two_libraries_say(
            (a, b) in prop_oneof![damaged(), strangers()],
        ) {
            let ours = jaro_winkler(&a, &b);
            prop_assert_eq!(ours.to_bits(), reference::jaro_winkler(&a, &b).to_bits());
            prop_assert!((ours - strsim::jaro_winkler(&text(&a), &text(&b))).abs() < 1e-9);
            let other =
                rapidfuzz::distance::jaro_winkler::similarity(a.iter().copied(), b.iter().copied());
            prop_assert!((ours - other).abs() < 1e-9);
        }

        #[test]
        fn long_texts_are_compared_as_short_ones(a in "[ア-オ]{0,64}", b in "[ア-オ]{0,64}") {
            prop_assert_eq!(common_short(&chars(&a), &chars(&b)), common_long(&chars(&a), &chars(&b)));
        }
    }
}
