//! Damage to the kana of a name: other readings, voiced marks, long vowels, typing errors, other kana.

use super::Damage;
use super::name::Signature;
use crate::kana::{
    PLAIN, half_width, has_small, hiragana, is_long_vowel, large, voiced_counterpart,
};
use crate::names::WrittenName;
use crate::person::Extra;
use crate::rates::Class;

impl Damage<'_> {
    /// Another reading of the same letters.
    pub(super) fn read_otherwise(&mut self, signature: &mut Signature) {
        if let Some(Extra::Foreign { name, .. }) = self.subject.extra
            && signature.name.family == name.written().family
        {
            let other = name.other_reading();
            if self.strikes(Class::KanaReading, other.is_some())
                && let Some(other) = other
            {
                let WrittenName { family_kana, given_kana, .. } = other.written();
                signature.name.family_kana = family_kana;
                signature.name.given_kana = given_kana;
            }
            return;
        }
        let books = &self.population.books;
        let person = self.subject.person;
        let others = |readings: &[String], now: &str| -> Vec<String> {
            readings.iter().filter(|reading| *reading != now).cloned().collect()
        };
        // A changed surname keeps its usual reading.
        let family = match self.struck.contains(Class::SurnameChanged) {
            true => Vec::new(),
            false => others(books.surnames.readings(person.surname), &signature.name.family_kana),
        };
        let given = others(books.given.readings(person.given), &signature.name.given_kana);
        if self.strikes(Class::KanaReading, !(family.is_empty() && given.is_empty())) {
            let in_family = given.is_empty() || !family.is_empty() && self.chance.percent(50);
            if in_family {
                signature.name.family_kana = family[self.chance.index(family.len())].clone();
            } else {
                signature.name.given_kana = given[self.chance.index(given.len())].clone();
            }
        }
    }

    /// Kana as heard or typed wrongly.
    pub(super) fn mishear(&mut self, name: &mut WrittenName) {
        let voiced = |kana: &[char]| -> Vec<usize> {
            (0..kana.len()).filter(|at| voiced_counterpart(kana[*at]).is_some()).collect()
        };
        let long = |kana: &[char]| -> Vec<usize> {
            (1..kana.len()).filter(|at| is_long_vowel(kana[at - 1], kana[*at])).collect()
        };
        let (mut family, mut given) = (letters(&name.family_kana), letters(&name.given_kana));

        let places = places(&voiced(&family), &voiced(&given));
        if self.strikes(Class::KanaVoiced, !places.is_empty()) {
            let (in_given, at) = self.chance.pick(&places);
            let kana = if in_given { &mut given } else { &mut family };
            kana[at] = voiced_counterpart(kana[at]).unwrap_or(kana[at]);
        }
        let places = self::places(&long(&family), &long(&given));
        if self.strikes(Class::KanaLongVowel, !places.is_empty()) {
            let (in_given, at) = self.chance.pick(&places);
            let kana = if in_given { &mut given } else { &mut family };
            let other = match kana[at] {
                'ウ' => self.chance.weighted(&[(45, 'ー'), (35, 'オ'), (20, '\0')]),
                'オ' => self.chance.weighted(&[(45, 'ー'), (35, 'ウ'), (20, '\0')]),
                _ => self.chance.weighted(&[(60, 'ウ'), (40, '\0')]),
            };
            kana.remove(at);
            if other != '\0' {
                kana.insert(at, other);
            }
        }
        let in_given = self.chance.percent(50) || family.is_empty();
        let kana = if in_given { &mut given } else { &mut family };
        if self.strikes(Class::KanaTypo, kana.len() > 1) {
            self.mistype(kana);
        }
        name.family_kana = family.into_iter().collect();
        name.given_kana = given.into_iter().collect();
    }

    /// Half-width, hiragana or large kana.
    pub(super) fn kana_notation(&mut self, kana: &str) -> String {
        let mut kana = kana.to_owned();
        if self.strikes(Class::KanaBigSmall, has_small(&kana)) {
            kana = large(&kana);
        }
        if self.strikes(Class::KanaHalf, true) {
            half_width(&kana)
        } else if self.strikes(Class::KanaHira, true) {
            hiragana(&kana)
        } else {
            kana
        }
    }

    /// One letter dropped, added, replaced or exchanged with the next; the text has at least two.
    fn mistype(&mut self, kana: &mut Vec<char>) {
        let before = kana.clone();
        let plain: Vec<char> = PLAIN.chars().collect();
        for _ in 0..8 {
            let at = self.chance.index(kana.len());
            match self.chance.below(4) {
                0 => {
                    kana.remove(at);
                }
                1 => kana.insert(at, self.chance.pick(&plain)),
                2 => kana[at] = self.chance.pick(&plain),
                _ => kana.swap(at, if at + 1 < before.len() { at + 1 } else { at - 1 }),
            }
            if *kana != before {
                return;
            }
        }
    }
}

fn letters(text: &str) -> Vec<char> {
    text.chars().collect()
}

/// Places in the family name (false) and in the given name (true).
fn places(family: &[usize], given: &[usize]) -> Vec<(bool, usize)> {
    family.iter().map(|at| (false, *at)).chain(given.iter().map(|at| (true, *at))).collect()
}
