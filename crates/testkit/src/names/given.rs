//! Given names by sex and generation: 290 from the table, about 20,000 composed.

use std::collections::BTreeMap;

use super::parts::{Part, Parts};
use super::surname::other_form;
use crate::chance::{Chance, Weights, scramble};
use crate::letters::Letters;
use crate::person::Sex;

const TABLE: &str = include_str!("../../data/given_names.tsv");

/// Weight of all composed names of a pool; a table name in its generation has 5,000 on average.
const COMPOSED_WEIGHT: u64 = 230_000;

/// How much more common one table name is than another of its generation, in quarters.
const FACTORS: [u64; 8] = [2, 2, 3, 3, 4, 6, 8, 12];

/// Readings nobody gives a child.
const AVOIDED: [&str; 2] = ["アホ", "バカ"];

/// When a name was in fashion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Generation {
    Old,
    Mid,
    New,
}

impl Generation {
    const ALL: [Self; 3] = [Self::Old, Self::Mid, Self::New];

    /// The fashion under which somebody born in that year was named.
    pub(crate) fn of_birth_year(year: u16, chance: &mut Chance) -> Self {
        let shares = match year {
            ..1955 => [(75, Self::Old), (25, Self::Mid), (0, Self::New)],
            1955..1990 => [(8, Self::Old), (84, Self::Mid), (8, Self::New)],
            1990.. => [(2, Self::Old), (18, Self::Mid), (80, Self::New)],
        };
        chance.weighted(&shares)
    }
}

#[derive(Debug)]
struct Given {
    kanji: String,
    readings: Vec<String>,
    sex: Sex,
}

/// Names of one sex and generation, by frequency.
#[derive(Debug, Default)]
struct Pool {
    members: Vec<u32>,
    weights: Weights,
}

/// The book of given names.
#[derive(Debug)]
pub(crate) struct GivenNames {
    entries: Vec<Given>,
    pools: [[Pool; 3]; 2],
    by_first_letter: BTreeMap<(Sex, char), Vec<u32>>,
    by_kana: BTreeMap<(Sex, String), Vec<u32>>,
}

impl GivenNames {
    /// Table first, composed names after it.
    pub(crate) fn compose(parts: &Parts) -> Self {
        let mut book = Self {
            entries: Vec::new(),
            pools: Default::default(),
            by_first_letter: BTreeMap::new(),
            by_kana: BTreeMap::new(),
        };
        let mut known = BTreeMap::new();
        book.push_table(parts, &mut known);
        for sex in [Sex::Male, Sex::Female] {
            book.push_composed(parts, sex, &mut known);
        }
        for (at, entry) in book.entries.iter().enumerate() {
            if let Some(letter) = entry.kanji.chars().next() {
                book.by_first_letter.entry((entry.sex, letter)).or_default().push(at as u32);
            }
            for reading in &entry.readings {
                book.by_kana.entry((entry.sex, reading.clone())).or_default().push(at as u32);
            }
        }
        book
    }

    /// A name of the fashion, by frequency.
    pub(crate) fn draw(&self, sex: Sex, generation: Generation, chance: &mut Chance) -> u32 {
        let pool = &self.pools[sex as usize][generation as usize];
        pool.members.get(pool.weights.draw(chance)).copied().unwrap_or(0)
    }

    /// Another name of that sex beginning with the same letter: 一郎 and 一太, 正夫 and 正樹.
    pub(crate) fn similar(&self, name: u32, sex: Sex, chance: &mut Chance) -> Option<u32> {
        let letter = self.kanji(name).chars().next()?;
        other_than(name, self.by_first_letter.get(&(sex, letter))?, chance)
    }

    /// Another name of that sex with a reading of the same sound.
    pub(crate) fn same_sound(
        &self,
        name: u32,
        kana: &str,
        sex: Sex,
        chance: &mut Chance,
    ) -> Option<u32> {
        other_than(name, self.by_kana.get(&(sex, kana.to_owned()))?, chance)
    }

    /// The letters.
    pub(crate) fn kanji(&self, name: u32) -> &str {
        self.entries.get(name as usize).map_or("", |entry| entry.kanji.as_str())
    }

    /// One reading; the usual one when there is no such reading.
    pub(crate) fn reading(&self, name: u32, reading: u8) -> &str {
        let readings = self.readings(name);
        readings.get(usize::from(reading)).or(readings.first()).map_or("", String::as_str)
    }

    /// The place of a reading among the name's readings.
    pub(crate) fn reading_place(&self, name: u32, kana: &str) -> u8 {
        self.readings(name).iter().position(|reading| reading == kana).unwrap_or(0) as u8
    }

    /// All readings, usual first.
    pub(crate) fn readings(&self, name: u32) -> &[String] {
        self.entries.get(name as usize).map_or(&[], |entry| entry.readings.as_slice())
    }

    /// The letters in one of their forms: 0 is the usual one, others count through the variants.
    pub(crate) fn form(&self, name: u32, form: u8, letters: &Letters) -> String {
        match form {
            0 => self.kanji(name).to_owned(),
            _ => other_form(self.kanji(name), usize::from(form) - 1, letters),
        }
    }

    fn push_table(&mut self, parts: &Parts, known: &mut BTreeMap<(Sex, String), u32>) {
        let is_in = |role, name: &str| parts.of(role).iter().any(|part| part.kanji == name);
        for row in TABLE.lines().filter(|row| !row.starts_with('#')).skip(1) {
            let mut cells = row.split('\t');
            let mut cell = || cells.next().unwrap_or("");
            let (kanji, kana) = (cell(), cell());
            let sex = if cell() == "M" { Sex::Male } else { Sex::Female };
            if let Some(at) = known.get(&(sex, kanji.to_owned())) {
                if let Some(entry) = self.entries.get_mut(*at as usize) {
                    entry.readings.push(kana.to_owned());
                }
                continue;
            }
            let weights = match (is_in("table_old", kanji), is_in("table_new", kanji)) {
                (true, _) => [4000, 800, 80],
                (_, true) => [120, 1200, 4000],
                _ => [900, 4000, 600],
            };
            // Names of one generation are not equally common either.
            let factor = FACTORS[scramble(self.entries.len() as u64) as usize % FACTORS.len()];
            known.insert((sex, kanji.to_owned()), self.entries.len() as u32);
            self.push(
                kanji.to_owned(),
                vec![kana.to_owned()],
                sex,
                weights.map(|weight| weight * factor / 4),
            );
        }
    }

    fn push_composed(&mut self, parts: &Parts, sex: Sex, known: &mut BTreeMap<(Sex, String), u32>) {
        let firsts = tagged(parts, sex, "first");
        let lasts = tagged(parts, sex, "last");
        let mut names = Vec::new();
        for (first_era, first) in &firsts {
            for (last_era, last) in &lasts {
                let kanji = format!("{}{}", first.kanji, last.kanji);
                if first.kanji == last.kanji
                    || readings(first, last).iter().any(|kana| AVOIDED.contains(&kana.as_str()))
                    || known.contains_key(&(sex, kanji.clone()))
                {
                    continue;
                }
                known.insert((sex, kanji.clone()), u32::MAX);
                names.push((kanji, readings(first, last), *first_era, *last_era));
            }
        }
        let share = |at: usize| 1_000_000 / (scramble(at as u64) % 20_000 + 100);
        let total: u64 = (0..names.len()).map(share).sum::<u64>().max(1);
        for (at, (kanji, readings, first_era, last_era)) in names.into_iter().enumerate() {
            let weights = Generation::ALL.map(|era| {
                let fashion =
                    if era == first_era { 6 } else { 1 } * if era == last_era { 6 } else { 1 };
                (COMPOSED_WEIGHT * share(at) * fashion / (total * 6)).max(1)
            });
            self.push(kanji, readings, sex, weights);
        }
    }

    fn push(&mut self, kanji: String, readings: Vec<String>, sex: Sex, weights: [u64; 3]) {
        let at = self.entries.len() as u32;
        for (pool, weight) in self.pools[sex as usize].iter_mut().zip(weights) {
            pool.members.push(at);
            pool.weights.push(weight);
        }
        self.entries.push(Given { kanji, readings, sex });
    }
}

fn other_than(name: u32, names: &[u32], chance: &mut Chance) -> Option<u32> {
    if names.len() < 2 {
        return None;
    }
    let at = chance.index(names.len());
    let found = names[at];
    Some(if found == name { names[(at + 1) % names.len()] } else { found })
}

fn tagged(parts: &Parts, sex: Sex, position: &str) -> Vec<(Generation, Part)> {
    let letter = match sex {
        Sex::Male => 'm',
        Sex::Female => 'f',
    };
    let eras = Generation::ALL.into_iter().zip(["old", "mid", "new"]);
    eras.flat_map(|(era, tag)| {
        let role = format!("given_{letter}_{position}_{tag}");
        parts.of(&role).iter().cloned().map(move |part| (era, part)).collect::<Vec<_>>()
    })
    .collect()
}

/// Up to four readings: usual with usual, then the less usual ones.
fn readings(first: &Part, last: &Part) -> Vec<String> {
    let mut readings: Vec<String> = Vec::new();
    for ending in last.readings.iter().take(2) {
        for beginning in first.readings.iter().take(2) {
            let reading = format!("{beginning}{ending}");
            if !readings.contains(&reading) {
                readings.push(reading);
            }
        }
    }
    readings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_book_has_many_names_of_each_sex() {
        let book = GivenNames::compose(&Parts::read());
        for sex in [Sex::Male, Sex::Female] {
            let count = book.entries.iter().filter(|entry| entry.sex == sex).count();
            assert!(count > 8000, "{sex:?} {count}");
        }
    }

    #[test]
    fn similar_names_share_the_first_letter_and_same_sounds_the_kana() {
        let book = GivenNames::compose(&Parts::read());
        let mut chance = Chance::new(5, "names");
        let hiroshi = (0..300).find(|at| book.kanji(*at) == "浩之").unwrap();
        let similar = book.similar(hiroshi, Sex::Male, &mut chance).unwrap();
        assert!(book.kanji(similar).starts_with('浩') && similar != hiroshi);
        let sound = book.same_sound(hiroshi, "ヒロユキ", Sex::Male, &mut chance).unwrap();
        assert!(book.readings(sound).contains(&String::from("ヒロユキ")) && sound != hiroshi);
    }
}
