//! One-to-one assignment: each person is held by at most one line.
//!
//! A line is given its best person or none, never a second choice. Where the assignment that is best for all lines
//! together would give one of them a second choice, the lines contending for the person are left to a clerk.

use std::collections::{BTreeMap, BTreeSet};

use crate::weight::MatchWeight;

/// A line's persons at or above the link threshold, best first.
#[derive(Clone, Debug)]
pub(crate) struct Claim<'a> {
    pub(crate) line: u32,
    pub(crate) list_id: &'a str,
    pub(crate) persons: Vec<(u32, MatchWeight)>,
}

/// What a claim comes to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Ruling {
    /// The line holds its best person.
    Holds,
    /// Another line holds it.
    HeldBy(u32),
    /// A clerk must say which line is the person's.
    Contended,
}

/// Components larger than this are not solved but left to a clerk.
const COMPONENT_LINES_MAX: usize = 100;

/// Rules on every claim.
pub(crate) fn assign(claims: &[Claim<'_>]) -> BTreeMap<u32, Ruling> {
    let mut by_best: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (index, claim) in claims.iter().enumerate() {
        by_best.entry(claim.persons[0].0).or_default().push(index);
    }
    let contended = contended_persons(claims, &by_best);
    let mut rulings = BTreeMap::new();
    for (person, mut lines) in by_best {
        let order =
            |&index: &usize| (std::cmp::Reverse(claims[index].persons[0].1), claims[index].list_id);
        lines.sort_by_key(order);
        let holder = claims[lines[0]].line;
        for (rank, index) in lines.into_iter().enumerate() {
            let ruling = if contended.contains(&person) {
                Ruling::Contended
            } else if rank == 0 {
                Ruling::Holds
            } else {
                Ruling::HeldBy(holder)
            };
            rulings.insert(claims[index].line, ruling);
        }
    }
    rulings
}

/// Persons whom the best assignment of a component would take from a line that has them first.
fn contended_persons(claims: &[Claim<'_>], by_best: &BTreeMap<u32, Vec<usize>>) -> BTreeSet<u32> {
    let mut contended = BTreeSet::new();
    let mut by_person: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (index, claim) in claims.iter().enumerate() {
        for &(person, _) in &claim.persons {
            by_person.entry(person).or_default().push(index);
        }
    }
    let mut seen = vec![false; claims.len()];
    let disputed = by_best.values().filter(|lines| lines.len() > 1);
    for start in disputed.flatten().copied() {
        if seen[start] {
            continue;
        }
        let component = component(start, claims, &by_person, &mut seen);
        if component.iter().all(|&index| claims[index].persons.len() == 1) {
            continue;
        }
        if component.len() > COMPONENT_LINES_MAX {
            let firsts = component.iter().map(|&index| claims[index].persons[0].0);
            contended.extend(firsts.filter(|first| by_best[first].len() > 1));
            continue;
        }
        for (&index, person) in component.iter().zip(best_assignment(&component, claims)) {
            let first = claims[index].persons[0].0;
            if person.is_some_and(|person| person != first) {
                contended.insert(first);
            }
        }
    }
    contended
}

/// The lines that are tied to `start` through persons they share.
fn component(
    start: usize,
    claims: &[Claim<'_>],
    by_person: &BTreeMap<u32, Vec<usize>>,
    seen: &mut [bool],
) -> Vec<usize> {
    let mut component = Vec::new();
    let mut persons = BTreeSet::new();
    let mut waiting = vec![start];
    seen[start] = true;
    while let Some(index) = waiting.pop() {
        component.push(index);
        for (person, _) in
            claims[index].persons.iter().filter(|(person, _)| persons.insert(*person))
        {
            for &other in by_person.get(person).into_iter().flatten() {
                if !seen[other] {
                    seen[other] = true;
                    waiting.push(other);
                }
            }
        }
    }
    component.sort_unstable();
    component
}

/// The person of each line in an assignment of greatest total weight; a line may go without.
fn best_assignment(component: &[usize], claims: &[Claim<'_>]) -> Vec<Option<u32>> {
    let persons: Vec<u32> = component
        .iter()
        .flat_map(|&index| claims[index].persons.iter().map(|(person, _)| *person))
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    // One column a person, and one a line for going without, at no gain.
    let gain = |row: usize, column: usize| -> i64 {
        let Some(wanted) = persons.get(column) else {
            return 0;
        };
        let own = claims[component[row]].persons.iter().find(|(person, _)| person == wanted);
        // A pair that is no candidate costs more than any gain.
        own.map_or(-1_000_000_000, |(_, weight)| i64::from(weight.millibits()))
    };
    let columns = greatest_assignment(component.len(), persons.len() + component.len(), gain);
    columns.into_iter().map(|column| persons.get(column).copied()).collect()
}

/// The Hungarian method (Kuhn 1955) with potentials, rows at most columns: the column of each row in an assignment of
/// greatest total gain, in O(rows^2 x columns).
fn greatest_assignment(
    rows: usize,
    columns: usize,
    gain: impl Fn(usize, usize) -> i64,
) -> Vec<usize> {
    const FREE: usize = usize::MAX;
    let mut row_potential = vec![0i64; rows];
    let mut column_potential = vec![0i64; columns];
    let mut row_of = vec![FREE; columns];
    for start in 0..rows {
        // Grow a tree of tight edges from `start` until it reaches a free column.
        let mut slack = vec![i64::MAX; columns];
        let mut from = vec![FREE; columns];
        let mut done = vec![false; columns];
        let (mut row, mut last) = (start, FREE);
        loop {
            let mut nearest = FREE;
            for column in (0..columns).filter(|&column| !done[column]) {
                let cost = -gain(row, column) - row_potential[row] - column_potential[column];
                if cost < slack[column] {
                    slack[column] = cost;
                    from[column] = last;
                }
                if nearest == FREE || slack[column] < slack[nearest] {
                    nearest = column;
                }
            }
            let step = slack[nearest];
            row_potential[start] += step;
            for column in 0..columns {
                if done[column] {
                    row_potential[row_of[column]] += step;
                    column_potential[column] -= step;
                } else {
                    slack[column] -= step;
                }
            }
            done[nearest] = true;
            last = nearest;
            if row_of[nearest] == FREE {
                break;
            }
            row = row_of[nearest];
        }
        // Exchange along the path.
        while last != FREE {
            let before = from[last];
            row_of[last] = if before == FREE { start } else { row_of[before] };
            last = before;
        }
    }
    let mut column_of = vec![FREE; rows];
    for (column, &row) in row_of.iter().enumerate() {
        if row != FREE {
            column_of[row] = column;
        }
    }
    column_of
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn claim<'a>(line: u32, list_id: &'a str, persons: &[(u32, i32)]) -> Claim<'a> {
        let weigh =
            |&(person, bits): &(u32, i32)| (person, MatchWeight::from_millibits(bits * 1000));
        Claim { line, list_id, persons: persons.iter().map(weigh).collect() }
    }

    #[test]
    fn the_greater_weight_holds_the_person_then_the_lesser_id() {
        let claims =
            [claim(0, "B2", &[(7, 20)]), claim(1, "B1", &[(7, 20)]), claim(2, "B0", &[(7, 19)])];
        let rulings = assign(&claims);
        assert_eq!(rulings[&1], Ruling::Holds);
        assert_eq!(rulings[&0], Ruling::HeldBy(1));
        assert_eq!(rulings[&2], Ruling::HeldBy(1));
    }

    #[test]
    fn lines_contend_where_the_best_for_all_gives_one_a_second_choice() {
        let claims = [claim(0, "A", &[(7, 20), (8, 15)]), claim(1, "B", &[(7, 19)])];
        let rulings = assign(&claims);
        assert_eq!(rulings[&0], Ruling::Contended);
        assert_eq!(rulings[&1], Ruling::Contended);
    }

    #[test]
    fn a_second_choice_that_another_line_holds_changes_nothing() {
        let claims = [
            claim(0, "A", &[(7, 20), (8, 15)]),
            claim(1, "B", &[(7, 3)]),
            claim(2, "C", &[(8, 30)]),
        ];
        let rulings = assign(&claims);
        assert_eq!(rulings[&0], Ruling::Holds);
        assert_eq!(rulings[&1], Ruling::HeldBy(0));
        assert_eq!(rulings[&2], Ruling::Holds);
    }

    fn by_trying_all(gains: &[Vec<i64>], row: usize, used: &mut Vec<bool>) -> i64 {
        if row == gains.len() {
            return 0;
        }
        let mut best = i64::MIN;
        for column in 0..used.len() {
            if !used[column] {
                used[column] = true;
                best = best.max(gains[row][column] + by_trying_all(gains, row + 1, used));
                used[column] = false;
            }
        }
        best
    }

    proptest! {
        #[test]
        fn the_assignment_is_as_good_as_the_best_of_all(
            gains in (1usize..5, 0usize..3).prop_flat_map(|(rows, more)| {
                prop::collection::vec(prop::collection::vec(-20i64..20, rows + more), rows)
            })
        ) {
            let columns = gains[0].len();
            let chosen = greatest_assignment(gains.len(), columns, |row, column| gains[row][column]);
            let total: i64 = chosen.iter().enumerate().map(|(row, &column)| gains[row][column]).sum();
            let distinct: BTreeSet<_> = chosen.iter().collect();
            prop_assert_eq!(distinct.len(), gains.len());
            prop_assert_eq!(total, by_trying_all(&gains, 0, &mut vec![false; columns]));
        }
    }
}
