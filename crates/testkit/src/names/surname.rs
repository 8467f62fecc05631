//! Surnames: 300 from the table, about 40,000 composed.

use std::collections::BTreeSet;

use super::parts::Parts;
use crate::chance::{Chance, Weights, scramble};
use crate::letters::Letters;

const TABLE: &str = include_str!("../../data/surnames.tsv");

/// People with a surname outside the table, in the table's unit (people of Japan, rounded).
const PEOPLE_COMPOSED: u64 = 59_000_000;
const PEOPLE_RARE: u64 = 1_500_000;
/// The form with a variation selector after one letter, as registers keep the exact shape of 辻 or 葛.
pub(crate) const IVS_FORM: u8 = u8::MAX;
/// The selector that is used.
const SELECTOR: char = '\u{e0101}';

/// One prefixed surname in so many is used, else there would be a hundred thousand.
const PREFIXED_ONE_IN: u64 = 4;

/// One surname: letters, readings (usual first), written variants with other ratios unknown.
#[derive(Debug)]
struct Surname {
    kanji: String,
    readings: Vec<String>,
    variants: Vec<String>,
}

/// The book of surnames.
#[derive(Debug)]
pub(crate) struct Surnames {
    entries: Vec<Surname>,
    weights: Weights,
}

impl Surnames {
    /// Table first, composed names after it.
    pub(crate) fn compose(parts: &Parts) -> Self {
        let mut book = Self { entries: Vec::new(), weights: Weights::default() };
        let mut taken = BTreeSet::new();
        for row in TABLE.lines().filter(|row| !row.starts_with('#')).skip(1) {
            let mut cells = row.split('\t').skip(1);
            let mut cell = || cells.next().unwrap_or("");
            let (kanji, kana, other_kana, people, variants) =
                (cell(), cell(), cell(), cell(), cell());
            let listed = |text: &str| -> Vec<String> {
                text.split(',').filter(|item| !item.is_empty()).map(String::from).collect()
            };
            let mut readings = vec![kana.to_owned()];
            readings.extend(listed(other_kana));
            taken.insert(kanji.to_owned());
            let surname = Surname { kanji: kanji.to_owned(), readings, variants: listed(variants) };
            book.push(surname, people.parse().unwrap_or(0));
        }
        let pairs = two_part_names(parts, &mut taken);
        book.push_tail(prefixed_names(parts, &pairs, &mut taken), PEOPLE_RARE, 300);
        book.push_tail(pairs, PEOPLE_COMPOSED, 40);
        book
    }

    /// A surname, by frequency.
    pub(crate) fn draw(&self, chance: &mut Chance) -> u32 {
        self.weights.draw(chance) as u32
    }

    /// The usual letters.
    pub(crate) fn kanji(&self, surname: u32) -> &str {
        self.entries.get(surname as usize).map_or("", |entry| entry.kanji.as_str())
    }

    /// One reading; the usual one when there is no such reading.
    pub(crate) fn reading(&self, surname: u32, reading: u8) -> &str {
        let readings = self.readings(surname);
        readings.get(usize::from(reading)).or(readings.first()).map_or("", String::as_str)
    }

    /// All readings, usual first.
    pub(crate) fn readings(&self, surname: u32) -> &[String] {
        self.entries.get(surname as usize).map_or(&[], |entry| entry.readings.as_slice())
    }

    /// The name in one of its written forms: 0 is the usual one, others count through the variants.
    pub(crate) fn form(&self, surname: u32, form: u8, letters: &Letters) -> String {
        let Some(entry) = self.entries.get(surname as usize) else { return String::new() };
        if form == 0 {
            return entry.kanji.clone();
        }
        if form == IVS_FORM {
            return entry
                .kanji
                .chars()
                .take(1)
                .chain([SELECTOR])
                .chain(entry.kanji.chars().skip(1))
                .collect();
        }
        let choice = usize::from(form) - 1;
        if !entry.variants.is_empty() {
            return entry.variants[choice % entry.variants.len()].clone();
        }
        other_form(&entry.kanji, choice, letters)
    }

    fn push(&mut self, surname: Surname, weight: u64) {
        self.entries.push(surname);
        self.weights.push(weight);
    }

    /// Shares `people` out over the names in a scrambled order with weights 1/(rank + `flat`).
    fn push_tail(&mut self, names: Vec<Surname>, people: u64, flat: u64) {
        let mut order: Vec<usize> = (0..names.len()).collect();
        order.sort_by_key(|at| scramble(*at as u64));
        let mut rank = vec![0_u64; names.len()];
        for (position, at) in order.into_iter().enumerate() {
            rank[at] = position as u64;
        }
        let share = |rank: u64| 1_000_000_000 / (rank + flat);
        let total: u64 = (0..names.len() as u64).map(share).sum::<u64>().max(1);
        for (name, rank) in names.into_iter().zip(rank) {
            let weight = u128::from(people) * u128::from(share(rank)) / u128::from(total);
            self.push(name, (weight as u64).max(1));
        }
    }
}

/// The text with one letter in another form; `choice` counts through letters and forms.
pub(super) fn other_form(text: &str, choice: usize, letters: &Letters) -> String {
    let places: Vec<(usize, char)> = text
        .chars()
        .enumerate()
        .flat_map(|(at, letter)| letters.forms(letter).iter().map(move |form| (at, *form)))
        .collect();
    if places.is_empty() {
        return text.to_owned();
    }
    let (place, form) = places[choice % places.len()];
    text.chars().enumerate().map(|(at, letter)| if at == place { form } else { letter }).collect()
}

fn two_part_names(parts: &Parts, taken: &mut BTreeSet<String>) -> Vec<Surname> {
    let mut names = Vec::new();
    for (row, first) in parts.of("surname_first").iter().enumerate() {
        for (column, last) in parts.of("surname_last").iter().enumerate() {
            let kanji = format!("{}{}", first.kanji, last.kanji);
            if first.kanji == last.kanji || !taken.insert(kanji.clone()) {
                continue;
            }
            // Whether 田 is read タ or ダ after a given first part is arbitrary but fixed.
            let usual =
                scramble((row * 1000 + column) as u64) as usize % last.readings.len().min(2);
            let head = first.readings[0];
            let mut readings = vec![format!("{head}{}", last.readings[usual])];
            for (at, reading) in last.readings.iter().enumerate().take(2) {
                if at != usual {
                    readings.push(format!("{head}{reading}"));
                }
            }
            if let Some(other) = first.readings.get(1) {
                readings.push(format!("{other}{}", last.readings[usual]));
            }
            names.push(Surname { kanji, readings, variants: Vec::new() });
        }
    }
    names
}

fn prefixed_names(parts: &Parts, pairs: &[Surname], taken: &mut BTreeSet<String>) -> Vec<Surname> {
    let mut names = Vec::new();
    for (row, prefix) in parts.of("surname_prefix").iter().enumerate() {
        for (column, pair) in pairs.iter().enumerate() {
            let used = scramble((row * 100_000 + column) as u64).is_multiple_of(PREFIXED_ONE_IN);
            let kanji = format!("{}{}", prefix.kanji, pair.kanji);
            if !used || pair.kanji.starts_with(prefix.kanji) || !taken.insert(kanji.clone()) {
                continue;
            }
            let readings = pair.readings.iter().map(|kana| format!("{}{kana}", prefix.readings[0]));
            names.push(Surname { kanji, readings: readings.collect(), variants: Vec::new() });
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_book_has_tens_of_thousands_of_surnames() {
        let book = Surnames::compose(&Parts::read());
        assert!(book.entries.len() > 30_000, "{}", book.entries.len());
        assert_eq!(book.kanji(0), "佐藤");
        let kanji: BTreeSet<&str> = book.entries.iter().map(|entry| entry.kanji.as_str()).collect();
        assert_eq!(kanji.len(), book.entries.len());
    }

    #[test]
    fn variants_keep_the_reading_and_change_the_letters() {
        let book = Surnames::compose(&Parts::read());
        let letters = Letters::new(&[]);
        let takahashi = (0..300).find(|at| book.kanji(*at) == "高橋").unwrap();
        assert_eq!(book.form(takahashi, 0, &letters), "高橋");
        assert_eq!(book.form(takahashi, 1, &letters), "髙橋");
    }
}
