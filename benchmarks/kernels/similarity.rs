//! Names that are not equal: the kernels of comparison, beside the same written plainly and two libraries.
//!
//! All are given letters that are decoded already, as the engine keeps them; nobody pays for UTF-8. No two pairs are alike,
//! as the engine compares distinct values, so what a library could keep from one pair for the next does not count.

use std::rc::Rc;

use rapidfuzz::distance::{jaro_winkler, osa};

use crate::people::{Of, People};
use crate::{Contest, Group};

// The engine's own files, not a copy. What other files of the engine need of them is unused here.
#[path = "../../crates/linkage/src/kernel.rs"]
mod kernel;
#[path = "../../crates/linkage/src/kernel/reference.rs"]
mod reference;

/// Two texts of a flat array of letters.
struct Pairs {
    letters: Vec<char>,
    /// Where the two begin, and where the second ends.
    places: Vec<(usize, usize, usize)>,
}

impl Pairs {
    /// A name of the list with one of the register that begins alike: what blocking brings together and is not equal.
    fn of(people: &People, column: &str) -> Self {
        let mut of_register = people.distinct(Of::Register, column);
        of_register.sort_unstable();
        let mut pairs = Self { letters: Vec::new(), places: Vec::new() };
        for name in people.distinct(Of::List, column) {
            let at = of_register.partition_point(|other| *other < name);
            let neighbours = &of_register[at.saturating_sub(1)..(at + 2).min(of_register.len())];
            neighbours
                .iter()
                .filter(|other| **other != name)
                .for_each(|other| pairs.push(name, other));
        }
        pairs
    }

    fn push(&mut self, a: &str, b: &str) {
        let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<Vec<_>>();
        let start = self.letters.len();
        self.letters.extend(letters(a));
        let middle = self.letters.len();
        self.letters.extend(letters(b));
        self.places.push((start, middle, self.letters.len()));
    }

    /// The sum of something over all pairs.
    fn sum(&self, mut of_pair: impl FnMut(&[char], &[char]) -> u64) -> u64 {
        let pair = |&(a, b, end): &(usize, usize, usize)| {
            of_pair(&self.letters[a..b], &self.letters[b..end])
        };
        self.places.iter().map(pair).sum()
    }

    fn bytes(&self) -> usize {
        size_of_val(self.letters.as_slice())
    }
}

/// Letters in the form in which strsim takes anything but text.
struct Letters<'a>(&'a [char]);

impl<'a> IntoIterator for &'a Letters<'_> {
    type Item = &'a char;
    type IntoIter = std::slice::Iter<'a, char>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// The floor: every letter of both is looked at once.
fn look_at_letters(a: &[char], b: &[char]) -> u64 {
    a.iter().chain(b).map(|&letter| u64::from(u32::from(letter))).sum()
}

/// A similarity as something to count.
fn count(similarity: f64) -> u64 {
    u64::from(similarity > 0.9)
}

pub(crate) fn group(people: &People) -> Group<'_> {
    let columns = [("name_kanji", "written names"), ("name_kana", "kana names")];
    let mut contests = Vec::new();
    for (column, what) in columns {
        let pairs = Rc::new(Pairs::of(people, column));
        let over = |of_pair: fn(&[char], &[char]) -> u64| {
            let pairs = Rc::clone(&pairs);
            move || pairs.sum(of_pair)
        };
        let size = pairs.places.len();
        let ours = over(|a, b| count(kernel::jaro_winkler(a, b)));
        contests.push(
            Contest::new(format!("similarity of {what}"), size, ours)
                .over_bytes(pairs.bytes())
                .beside("written plainly", over(|a, b| count(reference::jaro_winkler(a, b))))
                .beside(
                    "strsim",
                    over(|a, b| count(strsim::generic_jaro_winkler(&Letters(a), &Letters(b)))),
                )
                .beside(
                    "rapidfuzz",
                    over(|a, b| {
                        count(jaro_winkler::similarity(a.iter().copied(), b.iter().copied()))
                    }),
                )
                .beside("looking at the letters", over(look_at_letters)),
        );
        let ours = over(|a, b| u64::from(kernel::within_one_edit(a, b)));
        contests.push(
            Contest::new(format!("one edit between {what}"), size, ours)
                .over_bytes(pairs.bytes())
                .beside(
                    "written plainly",
                    over(|a, b| u64::from(reference::alignment_distance(a, b) <= 1)),
                )
                .beside(
                    "strsim",
                    over(|a, b| {
                        let text = |letters: &[char]| letters.iter().collect::<String>();
                        u64::from(strsim::osa_distance(&text(a), &text(b)) <= 1)
                    }),
                )
                .beside(
                    "rapidfuzz",
                    over(|a, b| {
                        let most = osa::Args::default().score_cutoff(1);
                        let found =
                            osa::distance_with_args(a.iter().copied(), b.iter().copied(), &most);
                        u64::from(found.is_some())
                    }),
                )
                .beside("looking at the letters", over(look_at_letters)),
        );
    }
    Group {
        title: "Comparing names, for each distinct pair",
        about: "Names of a list with many errors, each with the unequal names of the register that stand nearest \
                to it in order. Whether there is but one edit is often plain before all letters are seen. strsim \
                asks text for one edit, so there it pays for making it."
            .to_owned(),
        contests,
    }
}
