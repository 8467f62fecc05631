//! What may leave the auditor's hands: counts below ten are withheld, and as many others as keep them from being reckoned.
//!
//! A table divides one total: in each at least two cells are withheld that together have ten or more. A total below ten is
//! withheld itself. Off hours cross the other tables, so they are withheld more often: where a difference to the hours or the
//! days that are shown would be a small count, and of a person where look-ups less off hours would be one.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde_json::{Value, json};

use super::figures::{ActorFigures, Figures};

/// Counts below this are withheld.
const LEAST: u64 = 10;

/// A count, or that it is withheld.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Cell {
    Shown(u64),
    Withheld,
}

impl Cell {
    /// A count that is part of no total.
    fn alone(count: u64) -> Self {
        if is_small(count) { Self::Withheld } else { Self::Shown(count) }
    }

    /// The count, where it is shown.
    pub(crate) fn shown(self) -> Option<u64> {
        match self {
            Self::Shown(count) => Some(count),
            Self::Withheld => None,
        }
    }
}

fn is_small(count: u64) -> bool {
    (1..LEAST).contains(&count)
}

/// Whose off hours are withheld: with the look-ups beside them, and the totals of both, no small count can be reckoned.
fn off_hours_withheld(look_ups: &[u64], off_hours: &[u64]) -> Vec<bool> {
    let in_hours: Vec<u64> =
        look_ups.iter().zip(off_hours).map(|(all, off)| all.saturating_sub(*off)).collect();
    let small = |(one, other): (&u64, &u64)| is_small(*one) || is_small(*other);
    let mut hidden: Vec<bool> = off_hours.iter().zip(&in_hours).map(small).collect();
    let mut rising: Vec<usize> = (0..look_ups.len()).filter(|at| look_ups[*at] > 0).collect();
    rising.sort_by_key(|at| (look_ups[*at], *at));
    for at in rising {
        let sum = |counts: &[u64]| -> u64 {
            counts.iter().zip(&hidden).filter(|(_, hidden)| **hidden).map(|(n, _)| n).sum()
        };
        let few = hidden.iter().filter(|hidden| **hidden).count() == 1;
        if few || is_small(sum(off_hours)) || is_small(sum(&in_hours)) {
            hidden[at] = true;
        }
    }
    hidden
}

/// The cells of a table that divides a total.
fn divided(counts: &[u64]) -> Vec<Cell> {
    let mut hidden: BTreeSet<usize> = BTreeSet::new();
    let mut rising: Vec<usize> = (0..counts.len()).filter(|at| counts[*at] > 0).collect();
    rising.sort_by_key(|at| (counts[*at], *at));
    for at in rising {
        let small = is_small(counts[at]);
        let sum: u64 = hidden.iter().map(|at| counts[*at]).sum();
        let covered = hidden.is_empty() || (hidden.len() >= 2 && sum >= LEAST);
        if small || !covered {
            hidden.insert(at);
        }
    }
    let cell = |(at, count): (usize, &u64)| {
        if hidden.contains(&at) { Cell::Withheld } else { Cell::Shown(*count) }
    };
    counts.iter().enumerate().map(cell).collect()
}

/// How many look-ups of each hour were off hours, beside those of the hour and the total of the off hours.
fn off_by_hour(figures: &Figures, by_hour: &[Cell], off_hours: Cell) -> Vec<Cell> {
    let told_by_days = figures.off_by_hour_beside_days().into_iter().any(is_small);
    let undivided = told_by_days || off_hours == Cell::Withheld;
    // At night all are, and everybody knows.
    let by_day: Vec<usize> = (0..24)
        .zip(0..)
        .filter(|(_, hour)| !figures.hours.closed_in_hour(*hour))
        .map(|it| it.0)
        .collect();
    let of_day = |counts: &[u64]| by_day.iter().map(|at| counts[*at]).collect::<Vec<_>>();
    let hidden = off_hours_withheld(&of_day(&figures.by_hour), &of_day(&figures.off_by_hour));
    let mut cells = by_hour.to_vec();
    for (at, hidden) in by_day.into_iter().zip(hidden) {
        let is_hidden = undivided || hidden || by_hour[at] == Cell::Withheld;
        // Of nothing there is nothing to hide.
        let is_hidden = is_hidden && by_hour[at] != Cell::Shown(0);
        cells[at] = if is_hidden { Cell::Withheld } else { Cell::Shown(figures.off_by_hour[at]) };
    }
    cells
}

/// A report as it is passed on, or as it is.
#[derive(Debug)]
pub(crate) struct Published<'a> {
    pub(crate) figures: &'a Figures,
    /// Nothing is withheld: for those who may see the log itself.
    pub(crate) exact: bool,
    pub(crate) look_ups: Cell,
    pub(crate) in_hours: Cell,
    pub(crate) off_hours: Cell,
    pub(crate) refusals: Cell,
    pub(crate) by_day: Vec<(Date, Cell)>,
    pub(crate) by_hour: Vec<Cell>,
    /// How many of them were off hours.
    pub(crate) off_by_hour: Vec<Cell>,
    pub(crate) by_code: Vec<(&'a str, Cell)>,
    /// The busiest first.
    pub(crate) actors: Vec<PublishedActor<'a>>,
    /// From so many look-ups within an hour on.
    pub(crate) mass_from: u64,
}

/// A row of the table of systems and persons.
#[derive(Debug)]
pub(crate) struct PublishedActor<'a> {
    pub(crate) name: &'a str,
    pub(crate) look_ups: Cell,
    pub(crate) off_hours: Cell,
    pub(crate) refusals: Cell,
    pub(crate) busiest: Cell,
    /// When that was, where the count is shown.
    pub(crate) busiest_at: Option<String>,
    pub(crate) mass: bool,
}

impl<'a> Published<'a> {
    /// What is passed on of these figures; all of them where they are for the auditor alone.
    pub(crate) fn new(figures: &'a Figures, exact: bool, mass_from: u64) -> Self {
        let cells = |counts: &[u64]| {
            if exact { counts.iter().copied().map(Cell::Shown).collect() } else { divided(counts) }
        };
        let alone = |count| if exact { Cell::Shown(count) } else { Cell::alone(count) };
        let mut parts = cells(&[figures.look_ups - figures.off_hours, figures.off_hours]);
        let told_by_others = figures.off_hours_beyond_hours_and_days().into_iter().any(is_small);
        if !exact && told_by_others {
            parts = vec![Cell::Withheld; 2];
        }
        let mut actors: Vec<(&String, &ActorFigures)> = figures.actors.iter().collect();
        actors.sort_by_key(|(name, actor)| (std::cmp::Reverse(actor.look_ups), *name));
        let counts = |count: fn(&ActorFigures) -> u64| {
            actors.iter().map(|(_, actor)| count(actor)).collect::<Vec<_>>()
        };
        let hidden =
            off_hours_withheld(&counts(|actor| actor.look_ups), &counts(|actor| actor.off_hours));
        let off_hours = |at: usize, actor: &ActorFigures| {
            let withheld = parts[1] == Cell::Withheld || hidden[at];
            if withheld && !exact { Cell::Withheld } else { Cell::Shown(actor.off_hours) }
        };
        let look_ups = cells(&counts(|actor| actor.look_ups));
        let refusals = cells(&counts(|actor| actor.refusals));
        let row = |(at, (name, actor)): (usize, &(&'a String, &ActorFigures))| {
            let (hour, count) = actor.busiest().unzip();
            // A count that is withheld must not show in a part of it.
            let busiest = match look_ups[at] {
                Cell::Withheld => Cell::Withheld,
                Cell::Shown(_) => alone(count.unwrap_or_default()),
            };
            let off_hours = off_hours(at, actor);
            // The hour itself says whether it lies outside of office hours.
            let is_told = busiest != Cell::Withheld && off_hours != Cell::Withheld;
            let busiest_at = hour.filter(|_| is_told);
            PublishedActor {
                name,
                look_ups: look_ups[at],
                off_hours,
                refusals: refusals[at],
                busiest,
                busiest_at: busiest_at.map(|hour| hour.strftime("%m-%d %H:00").to_string()),
                mass: count.is_some_and(|count| count >= mass_from),
            }
        };
        let rows = actors.iter().enumerate().map(row).collect();
        let days: Vec<u64> = figures.by_day.values().copied().collect();
        let codes: Vec<u64> = figures.by_code.values().copied().collect();
        let by_hour = cells(&figures.by_hour);
        let off_by_hour = match exact {
            true => figures.off_by_hour.map(Cell::Shown).to_vec(),
            false => off_by_hour(figures, &by_hour, parts[1]),
        };
        Self {
            figures,
            exact,
            look_ups: alone(figures.look_ups),
            in_hours: parts[0],
            off_hours: parts[1],
            refusals: alone(figures.refusals),
            by_day: figures.by_day.keys().copied().zip(cells(&days)).collect(),
            by_hour,
            off_by_hour,
            by_code: figures.by_code.keys().map(String::as_str).zip(cells(&codes)).collect(),
            actors: rows,
            mass_from,
        }
    }

    /// The report for machines; what is withheld is null.
    pub(crate) fn json(&self) -> Value {
        let cell = |cell: Cell| json!(cell.shown());
        let day =
            |(day, count): &(Date, Cell)| json!({"day": day.to_string(), "look_ups": cell(*count)});
        let hour = |(hour, (count, off)): (usize, (&Cell, &Cell))| json!({"hour": hour, "look_ups": cell(*count), "off_hours": cell(*off)});
        let code = |(code, count): &(&str, Cell)| json!({"code": code, "refusals": cell(*count)});
        let actor = |actor: &PublishedActor<'_>| {
            json!({
                "actor": actor.name,
                "look_ups": cell(actor.look_ups),
                "off_hours": cell(actor.off_hours),
                "refusals": cell(actor.refusals),
                "busiest_hour": {"look_ups": cell(actor.busiest), "at": actor.busiest_at},
                "mass": actor.mass,
            })
        };
        let hours = &self.figures.hours;
        json!({
            "month": self.figures.month.to_string(),
            "exact": self.exact,
            "office_hours": hours.to_string(),
            "holidays": hours.holidays.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "mass_per_hour": self.mass_from,
            "leaves": self.figures.leaves,
            "look_ups": cell(self.look_ups),
            "in_hours": cell(self.in_hours),
            "off_hours": cell(self.off_hours),
            "refusals": cell(self.refusals),
            "by_day": self.by_day.iter().map(day).collect::<Vec<_>>(),
            "by_hour": self.by_hour.iter().zip(&self.off_by_hour).enumerate().map(hour).collect::<Vec<_>>(),
            "by_code": self.by_code.iter().map(code).collect::<Vec<_>>(),
            "actors": self.actors.iter().map(actor).collect::<Vec<_>>(),
            "colleagues": {
                "can_be_told": false,
                "look_ups_with_commitment": cell(if self.exact {
                    Cell::Shown(self.figures.with_subject)
                } else {
                    Cell::alone(self.figures.with_subject)
                }),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_small_count_takes_another_with_it() {
        use Cell::{Shown, Withheld};
        assert_eq!(divided(&[100, 3, 40]), [Shown(100), Withheld, Withheld]);
        assert_eq!(divided(&[100, 3, 8, 40]), [Shown(100), Withheld, Withheld, Shown(40)]);
        assert_eq!(divided(&[100, 1, 2, 40]), [Shown(100), Withheld, Withheld, Withheld]);
        assert_eq!(divided(&[0, 10, 40]), [Shown(0), Shown(10), Shown(40)]);
        assert_eq!(divided(&[0, 7]), [Shown(0), Withheld]);
    }

    proptest! {
        #[test]
        fn off_hours_that_are_shown_tell_no_small_count_beside_the_look_ups(
            people in proptest::collection::vec((0u64..40, 0u64..40), 0..8),
        ) {
            let look_ups: Vec<u64> = people.iter().map(|(on, off)| on + off).collect();
            let off_hours: Vec<u64> = people.iter().map(|(_, off)| *off).collect();
            let hidden = off_hours_withheld(&look_ups, &off_hours);
            let (mut on_hidden, mut off_hidden, mut count) = (0, 0, 0);
            for ((on, off), hidden) in people.iter().zip(&hidden) {
                prop_assert!(*hidden || (!is_small(*on) && !is_small(*off)));
                if *hidden {
                    (on_hidden, off_hidden, count) = (on_hidden + on, off_hidden + off, count + 1);
                }
            }
            let (on, off): (u64, u64) =
                people.iter().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
            // Such totals are not shown, and one person alone has nobody to hide behind.
            let others = look_ups.iter().filter(|count| **count > 0).count();
            if count > 0 && !is_small(on) && !is_small(off) && others > 1 {
                prop_assert!(count > 1 && !is_small(on_hidden) && !is_small(off_hidden));
            }
        }

        #[test]
        fn what_is_withheld_cannot_be_reckoned_from_a_total_that_is_shown(
            counts in proptest::collection::vec(0u64..40, 0..12),
        ) {
            let cells = divided(&counts);
            let total: u64 = counts.iter().sum();
            let hidden: Vec<u64> = counts
                .iter()
                .zip(&cells)
                .filter(|(_, cell)| **cell == Cell::Withheld)
                .map(|(count, _)| *count)
                .collect();
            let withheld = |(count, cell): (&u64, &Cell)| {
                !(1..LEAST).contains(count) || *cell == Cell::Withheld
            };
            prop_assert!(counts.iter().zip(&cells).all(withheld));
            // The total itself is shown from ten on.
            if total >= LEAST && !hidden.is_empty() {
                prop_assert!(hidden.len() >= 2 && hidden.iter().sum::<u64>() >= LEAST, "{hidden:?}");
            }
        }
    }
}
