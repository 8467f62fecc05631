//! Lines of a list that are equal in every value.
//!
//! They ask for the same candidates and are compared with them once, for all. So a list of nothing but one line, met by a
//! block of thousands, costs what the line alone would cost, and keeps its pairs once. What is counted, is counted for each
//! line. Invariant: whether lines are equal depends on their values alone, and nothing that is decided depends on whether
//! they were compared together.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use rayon::prelude::*;

use crate::forms::NONE;
use crate::records::Records;

/// A line that asks for candidates, and how many lines ask for the same, itself included.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Asker {
    pub(crate) line: u32,
    pub(crate) times: u32,
}

impl From<u32> for Asker {
    fn from(line: u32) -> Self {
        Self { line, times: 1 }
    }
}

/// The lines of a list, equal ones as one.
#[derive(Debug, Default)]
pub(crate) struct EqualLines {
    /// The first of each kind, in the order of the list.
    askers: Vec<Asker>,
    /// For each line its place among these; [`NONE`] of lines that take no part.
    places: Vec<u32>,
}

impl EqualLines {
    /// `skip` tells the lines that take no part.
    pub(crate) fn of(list: &Records, skip: &[bool]) -> Self {
        let lines = u32::try_from(skip.len()).expect("fewer than 2^32 lines");
        let hashes: Vec<u64> =
            (0..lines).into_par_iter().map(|line| list.hash_of_values(line)).collect();
        let mut equal = Self { askers: Vec::new(), places: vec![NONE; skip.len()] };
        let mut by_values: HashTable<u32> = HashTable::with_capacity(skip.len());
        let of_place = |askers: &[Asker], place: u32| askers[place as usize].line;
        for line in (0..lines).filter(|&line| !skip[line as usize]) {
            let Self { askers, places } = &mut equal;
            let entry = by_values.entry(
                hashes[line as usize],
                |&place| list.have_same_values(of_place(askers, place), line),
                |&place| hashes[of_place(askers, place) as usize],
            );
            places[line as usize] = match entry {
                Entry::Occupied(entry) => {
                    let place = *entry.get();
                    askers[place as usize].times += 1;
                    place
                }
                Entry::Vacant(entry) => {
                    let place = u32::try_from(askers.len()).expect("fewer than 2^32 lines");
                    entry.insert(place);
                    askers.push(line.into());
                    place
                }
            };
        }
        equal
    }

    /// The first line of each kind with how many there are, in the order of the list.
    pub(crate) fn askers(&self) -> &[Asker] {
        &self.askers
    }

    /// The place of a line's kind among [`Self::askers`], if it takes part.
    pub(crate) fn place(&self, line: u32) -> Option<usize> {
        let place = self.places[line as usize];
        (place != NONE).then_some(place as usize)
    }

    /// Those of each kind that `speaks` is true of; kinds of which it is true of none are left out.
    pub(crate) fn speaking(&self, speaks: impl Fn(u32) -> bool) -> Vec<Asker> {
        let mut times = vec![0; self.askers.len()];
        for (line, &place) in (0u32..).zip(&self.places) {
            if place != NONE && speaks(line) {
                times[place as usize] += 1;
            }
        }
        let spoken = self.askers.iter().zip(times).map(|(asker, times)| Asker { times, ..*asker });
        spoken.filter(|asker| asker.times > 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intern::TextArena;
    use crate::records::Columns;

    #[test]
    fn lines_are_equal_where_all_their_values_are() {
        let mut ids = TextArena::default();
        for line in 0..5 {
            ids.push(&format!("B{line}"));
        }
        let mut columns = Columns::of(ids);
        columns.values = vec![vec![1, 2, 1, 1, 2], vec![7, 7, 7, NONE, 7]];
        let equal = EqualLines::of(&Records::of(columns), &[false, false, false, false, true]);
        let asker = |line, times| Asker { line, times };
        assert_eq!(equal.askers(), [asker(0, 2), asker(1, 1), asker(3, 1)]);
        assert_eq!(
            [0, 1, 2, 3, 4].map(|line| equal.place(line)),
            [Some(0), Some(1), Some(0), Some(2), None]
        );
        assert_eq!(equal.speaking(|line| line > 1), [asker(0, 1), asker(3, 1)]);
    }
}
