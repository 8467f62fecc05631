//! How good predictions are, measured against a known truth.
//!
//! A link to a wrong person, or to anybody for a nobody, is false; a person of the truth who is not linked is missed.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::expectation::{Expectation, Posterior};
use crate::interval::Interval;
use crate::outcome::Outcome;

/// What was said of one line.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// The line.
    pub list_id: String,
    /// The best candidate, if there is one.
    pub register_id: Option<String>,
    /// What became of the line; nothing in a file of candidates.
    pub outcome: Option<Outcome>,
    /// Of the pair.
    pub probability: f64,
}

/// Whether predictions say what became of their lines.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcomes {
    /// As in the links that a job writes.
    Known,
    /// As in a file of candidates.
    Absent,
}

/// Who each line really is; nobody where the person is not in the register.
pub type Truth = HashMap<String, Option<String>>;

/// Injected error classes of each line.
pub type Classes = HashMap<String, Vec<String>>;

/// Precision, recall and their harmonic mean.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Accuracy {
    /// Share of the links that are right.
    pub precision: f64,
    /// Share of the persons that are linked.
    pub recall: f64,
    /// The harmonic mean of the two.
    pub f1: f64,
    /// Links.
    pub links: u64,
    /// Links that are right.
    pub right: u64,
    /// Where the precision lies, with 95 % confidence.
    pub precision_interval: Interval,
    /// Where the recall lies, with 95 % confidence.
    pub recall_interval: Interval,
}

impl Accuracy {
    /// Of `links`, `right` are right, and there are `persons` to be found.
    pub fn of(links: u64, right: u64, persons: u64) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "lines are fewer than 2^52")]
        let share =
            |part: u64, whole: u64| if whole == 0 { 1.0 } else { part as f64 / whole as f64 };
        let (precision, recall) = (share(right, links), share(right, persons));
        let sum = precision + recall;
        let f1 = if sum > 0.0 { 2.0 * precision * recall / sum } else { 0.0 };
        Self {
            precision,
            recall,
            f1,
            links,
            right,
            precision_interval: Interval::wilson(right, links),
            recall_interval: Interval::wilson(right, persons),
        }
    }
}

/// Lines of one class.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ClassCount {
    /// Lines that carry the class.
    pub lines: u64,
    /// Of these, persons who were not linked.
    pub missed: u64,
    /// Of these, links that are false.
    pub false_links: u64,
}

/// The result of an evaluation.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// Lines of the truth.
    pub lines: u64,
    /// Lines of the truth that have a person.
    pub persons: u64,
    /// Lines predicted that the truth does not know.
    pub unknown_lines: u64,
    /// Lines of the truth that are predicted.
    pub predicted_lines: usize,
    /// LINKED, LINKED_BY_CLERK and DUPLICATE rows; nothing for a file of candidates.
    pub linked: Option<Accuracy>,
    /// The same, with REVIEW and AMBIGUOUS decided by a perfect clerk among the candidates.
    pub with_review: Option<Accuracy>,
    /// The best F1 over all cuts by probability.
    pub best_f1: f64,
    /// The probability of that cut.
    pub best_at: f64,
    /// The greatest recall over all cuts with a precision of at least 0.999; 0 where no cut reaches it.
    pub recall_at_precision_0_999: f64,
    /// Share of lines that go to a clerk.
    pub review_share: Option<f64>,
    /// By class of injected error, `none` for lines without.
    pub by_class: Option<BTreeMap<String, ClassCount>>,
}

/// Evaluates predictions, one a line (of a file of candidates: rank 1).
pub fn evaluate(
    predictions: &[Prediction],
    outcomes: Outcomes,
    truth: &Truth,
    classes: Option<&Classes>,
) -> Evaluation {
    let persons = truth.values().filter(|person| person.is_some()).count() as u64;
    let known: Vec<(&Prediction, bool)> = predictions
        .iter()
        .filter_map(|prediction| {
            let person = truth.get(&prediction.list_id)?;
            let right = prediction.register_id.is_some() && *person == prediction.register_id;
            Some((prediction, right))
        })
        .collect();
    let has_outcomes = outcomes == Outcomes::Known;
    let linked =
        |prediction: &Prediction| is_linked(prediction) && prediction.register_id.is_some();
    let count = |wanted: &dyn Fn(&Prediction, bool) -> bool| {
        known.iter().filter(|(prediction, right)| wanted(prediction, *right)).count() as u64
    };
    let links = count(&|prediction, _| linked(prediction));
    let right = count(&|prediction, right| linked(prediction) && right);
    let found_by_clerk = count(&|prediction, right| goes_to_clerk(prediction) && right);
    let to_clerk = count(&|prediction, _| goes_to_clerk(prediction));
    let (best_f1, best_at, recall_at_precision_0_999) = cuts(&known, persons);
    let lines = truth.len() as u64;
    #[expect(clippy::cast_precision_loss, reason = "lines are fewer than 2^52")]
    let review_share = if lines == 0 { 0.0 } else { to_clerk as f64 / lines as f64 };
    Evaluation {
        lines,
        persons,
        unknown_lines: (predictions.len() - known.len()) as u64,
        predicted_lines: known
            .iter()
            .map(|(prediction, _)| prediction.list_id.as_str())
            .collect::<HashSet<_>>()
            .len(),
        linked: has_outcomes.then(|| Accuracy::of(links, right, persons)),
        with_review: has_outcomes
            .then(|| Accuracy::of(links + found_by_clerk, right + found_by_clerk, persons)),
        best_f1,
        best_at,
        recall_at_precision_0_999,
        review_share: has_outcomes.then_some(review_share),
        by_class: classes.map(|classes| by_class(&known, truth, classes)),
    }
}

/// What is to be expected of predictions whose truth nobody knows, from their own probabilities; nothing for a file of
/// candidates. A file does not tell patterns: predictions of one probability count as one.
///
/// Lines without a candidate are taken for lines whose person is not in the register.
pub fn expect(predictions: &[Prediction], outcomes: Outcomes) -> Option<Expectation> {
    let posterior = |prediction: &Prediction| {
        let named = prediction.register_id.is_some();
        Posterior {
            pattern: prediction.probability.to_bits(),
            linked: named && is_linked(prediction),
            right: prediction.probability,
            findable: if named { prediction.probability } else { 0.0 },
        }
    };
    (outcomes == Outcomes::Known).then(|| Expectation::of(predictions.iter().map(posterior)))
}

/// Share of predictions that go to a clerk.
pub fn review_share(predictions: &[Prediction]) -> f64 {
    let to_clerk = predictions.iter().filter(|prediction| goes_to_clerk(prediction)).count();
    #[expect(clippy::cast_precision_loss, reason = "lines are fewer than 2^52")]
    let share = to_clerk as f64 / predictions.len().max(1) as f64;
    share
}

fn is_linked(prediction: &Prediction) -> bool {
    matches!(
        prediction.outcome,
        None | Some(Outcome::Linked | Outcome::LinkedByClerk | Outcome::Duplicate)
    )
}

fn goes_to_clerk(prediction: &Prediction) -> bool {
    matches!(prediction.outcome, Some(Outcome::Review | Outcome::Ambiguous))
}

/// Best F1, where, and the greatest recall at a precision of 0.999, over every cut by probability.
fn cuts(known: &[(&Prediction, bool)], persons: u64) -> (f64, f64, f64) {
    let mut scored: Vec<(f64, bool)> = known
        .iter()
        .filter(|(prediction, _)| prediction.register_id.is_some())
        .map(|(prediction, right)| (prediction.probability, *right))
        .collect();
    scored.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    let (mut best_f1, mut best_at, mut recall) = (0.0, 1.0, 0.0f64);
    let (mut links, mut right) = (0, 0);
    for (index, &(probability, is_right)) in scored.iter().enumerate() {
        links += 1;
        right += u64::from(is_right);
        let last_of_tie = scored.get(index + 1).is_none_or(|next| next.0 < probability);
        if !last_of_tie {
            continue;
        }
        let accuracy = Accuracy::of(links, right, persons);
        if accuracy.f1 > best_f1 {
            (best_f1, best_at) = (accuracy.f1, probability);
        }
        if accuracy.precision >= 0.999 {
            recall = recall.max(accuracy.recall);
        }
    }
    (best_f1, best_at, recall)
}

fn by_class(
    known: &[(&Prediction, bool)],
    truth: &Truth,
    classes: &Classes,
) -> BTreeMap<String, ClassCount> {
    let predicted: HashMap<&str, (bool, bool)> = known
        .iter()
        .map(|(prediction, right)| {
            let linked = is_linked(prediction) && prediction.register_id.is_some();
            (prediction.list_id.as_str(), (linked, *right))
        })
        .collect();
    let mut counts: BTreeMap<String, ClassCount> = BTreeMap::new();
    let none = ["none".to_owned()];
    for (line, person) in truth {
        let of_line = classes.get(line).filter(|classes| !classes.is_empty());
        let (linked, right) = predicted.get(line.as_str()).copied().unwrap_or((false, false));
        for class in of_line.map_or(none.as_slice(), Vec::as_slice) {
            let count = counts.entry(class.clone()).or_default();
            count.lines += 1;
            count.missed += u64::from(person.is_some() && !(linked && right));
            count.false_links += u64::from(linked && !right);
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prediction(line: &str, person: &str, outcome: Outcome, probability: f64) -> Prediction {
        Prediction {
            list_id: line.to_owned(),
            register_id: (!person.is_empty()).then(|| person.to_owned()),
            outcome: Some(outcome),
            probability,
        }
    }

    fn truth(rows: &[(&str, &str)]) -> Truth {
        let person = |person: &str| (!person.is_empty()).then(|| person.to_owned());
        rows.iter().map(|&(line, who)| (line.to_owned(), person(who))).collect()
    }

    #[test]
    fn figures_follow_from_the_definitions() {
        let truth = truth(&[("1", "a"), ("2", "b"), ("3", "c"), ("4", ""), ("5", "e")]);
        let predictions = [
            prediction("1", "a", Outcome::Linked, 1.0),
            prediction("2", "b", Outcome::Duplicate, 0.99),
            prediction("3", "c", Outcome::Review, 0.6),
            prediction("4", "x", Outcome::Linked, 0.98),
            prediction("5", "", Outcome::NotFound, 0.0),
        ];
        let evaluation = evaluate(&predictions, Outcomes::Known, &truth, None);
        let linked = evaluation.linked.expect("outcomes are there");
        assert_eq!((linked.links, linked.right), (3, 2));
        assert!((linked.recall - 0.5).abs() < 1e-9);
        let reviewed = evaluation.with_review.expect("outcomes are there");
        assert_eq!((reviewed.links, reviewed.right), (4, 3));
        assert!((evaluation.review_share.expect("outcomes are there") - 0.2).abs() < 1e-9);
        assert!((evaluation.recall_at_precision_0_999 - 0.5).abs() < 1e-9);
        assert!((evaluation.best_f1 - 0.75).abs() < 1e-9);
        assert!((evaluation.best_at - 0.6).abs() < 1e-9);
    }

    #[test]
    fn misses_and_false_links_are_told_by_class() {
        let truth = truth(&[("1", "a"), ("2", "b"), ("3", "")]);
        let mut classes = Classes::new();
        classes.insert("1".to_owned(), vec!["dob_typo".to_owned(), "addr_moved".to_owned()]);
        classes.insert("3".to_owned(), vec!["nonresident".to_owned()]);
        let predictions = [
            prediction("1", "a", Outcome::Review, 0.7),
            prediction("2", "b", Outcome::Linked, 1.0),
            prediction("3", "a", Outcome::Linked, 1.0),
        ];
        let counts = evaluate(&predictions, Outcomes::Known, &truth, Some(&classes))
            .by_class
            .expect("asked for");
        assert_eq!(counts["dob_typo"], ClassCount { lines: 1, missed: 1, false_links: 0 });
        assert_eq!(counts["nonresident"], ClassCount { lines: 1, missed: 0, false_links: 1 });
        assert_eq!(counts["none"], ClassCount { lines: 1, missed: 0, false_links: 0 });
    }
}
