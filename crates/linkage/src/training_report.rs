//! The training report: how far a trained model can be believed.
//!
//! It travels in the model file, beside the numbers that decide and outside of their digest: it says how they came about
//! and decides nothing. Whoever takes a model into use reads it first.

use crate::expectation::Expectation;
use crate::model::{ComparisonModel, Level, Model};
use crate::weight::MatchWeight;

/// Fewer lines than this in all levels of a group have taught nothing about any of them.
const TAUGHT_LINES: f64 = 1.0;

/// Weights that are out of order by less than this are rounding and smoothing.
const OUT_OF_ORDER: MatchWeight = MatchWeight::from_millibits(250);

/// How a model was trained.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrainingReport {
    /// Rounds of expectation and maximisation.
    pub rounds: u64,
    /// Whether the last round changed next to nothing.
    pub converged: bool,
    /// What the last round changed in `match_rate`.
    pub last_change: f64,
    /// Lines that took part.
    pub lines: u64,
    /// Pairs that were compared.
    pub pairs: u64,
    /// Levels that no line taught, by comparison: what is believed of them is the prior.
    pub untrained: Vec<Untrained>,
    /// Levels that weigh more than a better one.
    pub out_of_order: Vec<OutOfOrder>,
    /// What was expected of the links that the model made of its own list.
    pub expected: Option<Expectation>,
}

/// Levels of one comparison that no line taught.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Untrained {
    /// The comparison.
    pub comparison: String,
    /// Its levels.
    pub levels: Vec<String>,
    /// Whether these are all it has, so that the list never had a value for it.
    pub all: bool,
}

/// A level that weighs more than a better one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OutOfOrder {
    /// The comparison.
    pub comparison: String,
    /// The level.
    pub level: String,
    /// The better level.
    pub better: String,
    /// By how much.
    pub by: MatchWeight,
}

impl TrainingReport {
    /// What a model says about its own training.
    pub(crate) fn of(model: &Model) -> Self {
        let out_of_order = model.comparisons.iter().flat_map(out_of_order);
        Self {
            lines: model.trained_lines,
            untrained: model.comparisons.iter().filter_map(untrained).collect(),
            out_of_order: out_of_order.collect(),
            ..Self::default()
        }
    }
}

impl Model {
    /// The comparisons that no line taught anything about: what lines do there is belief alone.
    pub fn untrained_comparisons(&self) -> impl Iterator<Item = &str> {
        let all = |comparison: &&ComparisonModel| untrained(comparison).is_some_and(|it| it.all);
        self.comparisons.iter().filter(all).map(|comparison| comparison.name.as_str())
    }
}

/// The levels of every group that was never seen.
fn untrained(comparison: &ComparisonModel) -> Option<Untrained> {
    let levels = comparison.levels.get(1..).unwrap_or_default();
    let taught = |level: &Level| -> f64 {
        let group = Views::of(&level.name);
        levels
            .iter()
            .filter(|other| Views::of(&other.name) == group)
            .map(|other| other.support)
            .sum()
    };
    let untaught: Vec<String> = levels
        .iter()
        .filter(|level| taught(level) < TAUGHT_LINES)
        .map(|level| level.name.clone())
        .collect();
    let all = untaught.len() == levels.len();
    let comparison = comparison.name.clone();
    (!untaught.is_empty()).then_some(Untrained { comparison, levels: untaught, all })
}

/// Which views of a name a level is about; other comparisons have one view.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Views {
    Written,
    Read,
    Both,
    /// What one side writes against what the other reads.
    Across,
}

impl Views {
    fn of(level: &str) -> Self {
        match (level.contains("written"), level.contains("reading")) {
            _ if level.ends_with("of the written") => Self::Across,
            (true, false) => Self::Written,
            (false, true) => Self::Read,
            (true, true) | (false, false) => Self::Both,
        }
    }
}

/// How good a level is in each view, 0 the best; nothing where its name does not tell.
fn rank(level: &str) -> Option<(u8, u8)> {
    let word = |text: &str| {
        let words = ["equal", "near", "similar", "different"];
        words.iter().position(|word| text.ends_with(word)).and_then(|rank| u8::try_from(rank).ok())
    };
    match level.split_once(", reading ") {
        Some((written, read)) => Some((word(written)?, word(read)?)),
        None if matches!(level, "equal" | "near" | "similar" | "different") => {
            word(level).map(|rank| (rank, rank))
        }
        None => ["both ", "written ", "reading "]
            .iter()
            .any(|view| level.starts_with(view))
            .then(|| word(level).map(|rank| (rank, rank)))
            .flatten(),
    }
}

/// Whether `a` is better than `b` whatever the data say.
fn is_better(comparison: &ComparisonModel, a: &Level, b: &Level) -> bool {
    // Which of its names somebody used is no matter of better or worse.
    if comparison.measure == "arrangement" || Views::of(&a.name) != Views::of(&b.name) {
        return false;
    }
    // Strangers agree on common values above all, so agreement weighs little on average; how rare the value is, is added
    // for each pair.
    let uneven = ["family_name", "given_name", "text", "category"];
    if uneven.contains(&comparison.measure.as_str()) && a.name.contains("equal") {
        return false;
    }
    match (rank(&a.name), rank(&b.name)) {
        (Some(a), Some(b)) => a != b && a.0 <= b.0 && a.1 <= b.1,
        // Of levels that differ in kind only the best and the worst are sure.
        (None, Some(_)) => b.name == "different",
        (Some(_), None) => a.name == "equal",
        (None, None) => {
            comparison.levels.get(1).is_some_and(|best| best.name == a.name && best.name != b.name)
        }
    }
}

fn out_of_order(comparison: &ComparisonModel) -> Vec<OutOfOrder> {
    let weight = |level: &Level| MatchWeight::log2(level.m / level.u);
    let levels = comparison.levels.get(1..).unwrap_or_default();
    let pairs = levels.iter().flat_map(|a| levels.iter().map(move |b| (a, b)));
    pairs
        .filter(|(better, level)| is_better(comparison, better, level))
        .filter(|(better, level)| weight(level) - weight(better) > OUT_OF_ORDER)
        .map(|(better, level)| OutOfOrder {
            comparison: comparison.name.clone(),
            level: level.name.clone(),
            better: better.name.clone(),
            by: weight(level) - weight(better),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparison(measure: &str, levels: &[(&str, f64, f64, f64)]) -> ComparisonModel {
        let level = |&(name, m, u, support): &(&str, f64, f64, f64)| Level {
            name: name.to_owned(),
            m,
            u,
            relative: u,
            namesake: u,
            elder: u,
            support,
        };
        let missing = ("missing", 1.0, 1.0, 0.0);
        let levels = std::iter::once(&missing).chain(levels).map(level).collect();
        ComparisonModel { name: "field".to_owned(), measure: measure.to_owned(), levels }
    }

    #[test]
    fn a_view_that_no_line_has_is_untrained_and_a_rare_level_of_a_known_view_is_not() {
        let names = comparison(
            "given_name",
            &[
                ("reading equal", 0.9, 0.1, 80.0),
                ("reading different", 0.1, 0.9, 0.0),
                ("written equal", 0.9, 0.1, 0.0),
                ("written different", 0.1, 0.9, 0.2),
            ],
        );
        let found = untrained(&names).expect("one view is");
        assert_eq!(found.levels, ["written equal", "written different"]);
        assert!(!found.all);
        let never = comparison("date", &[("equal", 0.9, 0.1, 0.0), ("different", 0.1, 0.9, 0.0)]);
        assert!(untrained(&never).expect("all are").all);
        let taught = comparison("date", &[("equal", 0.9, 0.1, 9.0), ("different", 0.1, 0.9, 0.0)]);
        assert_eq!(untrained(&taught), None);
    }

    #[test]
    fn a_level_that_weighs_more_than_a_better_one_is_named() {
        let text = comparison(
            "text",
            &[("near", 0.8, 0.1, 9.0), ("similar", 0.1, 0.001, 9.0), ("different", 0.1, 0.9, 9.0)],
        );
        let found = out_of_order(&text);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].level.as_str(), found[0].better.as_str()), ("similar", "near"));
        assert_eq!(found[0].by, MatchWeight::log2(100.0) - MatchWeight::log2(8.0));
    }

    #[test]
    fn views_of_a_name_are_ordered_each_for_itself() {
        let level = |name: &str, m: f64| (name.to_owned(), m, 0.01, 9.0);
        let order = |levels: &[(String, f64, f64, f64)]| {
            let levels: Vec<_> =
                levels.iter().map(|(name, m, u, s)| (name.as_str(), *m, *u, *s)).collect();
            out_of_order(&comparison("family_name", &levels)).len()
        };
        // Better in one view and worse in the other is neither better nor worse.
        let crossed = [
            level("written equal, reading different", 0.1),
            level("written similar, reading near", 0.4),
        ];
        assert_eq!(order(&crossed), 0);
        let better =
            [level("written near, reading near", 0.1), level("written near, reading similar", 0.4)];
        assert_eq!(order(&better), 1);
        let other_view = [level("written near", 0.1), level("reading similar", 0.4)];
        assert_eq!(order(&other_view), 0);
        // Equal names are held against how common they are, pair by pair.
        let equal = [level("both equal", 0.1), level("both different", 0.4)];
        assert_eq!(order(&equal), 0);
    }
}
