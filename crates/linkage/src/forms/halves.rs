//! How names without a space fall into family and given name: as the names that have one do.

use renkei_japanese::kana::is_kana;

use super::NONE;
use super::parts::Parts;

/// Family and given names of the names that have a space: with how many distinct names each part goes, by part.
#[derive(Debug, Default)]
pub(super) struct Halves {
    families: Vec<u32>,
    givens: Vec<u32>,
    /// The names that were counted, as pairs of parts, sorted.
    names: Vec<(u32, u32)>,
}

impl Halves {
    /// These, and those of the names (pairs of parts, each once) that are not among them.
    pub(super) fn with(&self, mut names: Vec<(u32, u32)>) -> Self {
        let (mut families, mut givens) = (self.families.clone(), self.givens.clone());
        names.retain(|name| self.names.binary_search(name).is_err());
        for &(family, given) in &names {
            Self::count(&mut families, family);
            Self::count(&mut givens, given);
        }
        Self { families, givens, names }
    }

    fn count(table: &mut Vec<u32>, part: u32) {
        if part != NONE {
            let index = part as usize;
            if table.len() <= index {
                table.resize(index + 1, 0);
            }
            table[index] += 1;
        }
    }

    fn known(table: &[u32], half: &str, parts: &Parts) -> u32 {
        parts.find(half).and_then(|part| table.get(part as usize)).copied().unwrap_or(0)
    }

    fn has_family(&self, text: &str, parts: &Parts) -> bool {
        Self::known(&self.families, text, parts) > 0
    }

    /// Whether a text without a space is a family name alone: a known one, or one too short to be more.
    pub(super) fn is_family(&self, text: &str, parts: &Parts) -> bool {
        self.has_family(text, parts) || text.chars().count() <= 3
    }

    /// Where the given name starts in a name without a space: the cut whose halves are best known, family first, or
    /// exchanged where that alone makes two known halves; where neither half is known, after two letters, the most common length of a family name.
    pub(super) fn split(&self, text: &str, parts: &Parts) -> usize {
        let known = |table: &[u32], half: &str| match Self::known(table, half, parts) {
            0 => 0,
            count => 32 - count.leading_zeros(),
        };
        let score = |at: usize| {
            let (first, rest) = text.split_at(at);
            let (family, given) = (known(&self.families, first), known(&self.givens, rest));
            if family > 0 && given > 0 {
                return BOTH_KNOWN + 2 * family + given;
            }
            match known(&self.givens, first).min(known(&self.families, rest)) {
                0 => 2 * family + given,
                exchanged => EXCHANGED + exchanged,
            }
        };
        let cuts = text.char_indices().map(|(at, _)| at).skip(1).take(FAMILY_LETTERS_MAX);
        cuts.map(|at| (score(at), at))
            .filter(|(score, _)| *score > 0)
            .max_by_key(|&(score, at)| (score, std::cmp::Reverse(at)))
            // A family name whose given name was cut off stays whole, unless both halves of it are names too.
            .filter(|&(score, _)| score >= EXCHANGED || !self.has_family(text, parts))
            .map_or_else(|| self.without_known_halves(text, parts), |(_, at)| at)
    }

    fn without_known_halves(&self, text: &str, parts: &Parts) -> usize {
        if self.has_family(text, parts) { text.len() } else { default_split(text) }
    }
}

/// Above what the better known half of a name can score alone: three times the 32 bits of a count.
const EXCHANGED: u32 = 97;

/// Above what halves can score in the wrong order.
const BOTH_KNOWN: u32 = EXCHANGED + 32;

/// Longer family names are split where a space says so.
const FAMILY_LETTERS_MAX: usize = 20;

fn default_split(text: &str) -> usize {
    let letters = text.chars().count();
    let family = if text.chars().all(is_kana) { letters / 2 } else { (letters / 2).min(2) };
    text.char_indices().nth(family.max(1)).map_or(text.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_a_space_falls_into_known_halves_also_where_these_are_exchanged() {
        let mut parts = Parts::default();
        let mut part = |text: &str| parts.intern(text, str::to_owned);
        let names = [("千代", "花"), ("増田", "千代華"), ("華増", "実"), ("原", "茂")];
        let names = names.map(|(family, given)| (part(family), part(given))).to_vec();
        let halves = Halves::default().with(names);
        let cut = |text: &'static str| text.split_at(halves.split(text, &parts));
        assert_eq!(cut("増田千代華"), ("増田", "千代華"));
        assert_eq!(cut("千代華増田"), ("千代華", "増田"), "the given name came first");
        assert_eq!(cut("千代実"), ("千代", "実"), "rather than a known half and an unknown one");
        assert_eq!(
            cut("茂増田実"),
            ("茂増田", "実"),
            "one known half alone says nothing of the order"
        );
    }
}
