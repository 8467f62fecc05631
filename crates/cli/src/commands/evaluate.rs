//! `renkei evaluate`: predictions measured against a known truth, and what is expected of them without one.

use std::path::Path;

use renkei_linkage::evaluation::{
    Accuracy, Classes, Evaluation, Outcomes, Prediction, Truth, evaluate, expect, review_share,
};
use renkei_linkage::{Expectation, Expected, Interval};
use renkei_tables::{ReadOptions, TableReader};
use serde_json::{Value, json};

use crate::arguments::EvaluateArguments;
use crate::environment::Environment;
use crate::failure::{CommandError, Exit, Failure};
use crate::json::{self, rounded};
use crate::text_table::text_table;

pub(crate) fn run(
    arguments: &EvaluateArguments,
    environment: &Environment,
) -> Result<Exit, Failure> {
    let required = arguments
        .require
        .iter()
        .filter(|given| !given.trim().is_empty())
        .map(|given| Requirement::parse(given))
        .collect::<Result<Vec<_>, _>>()?;
    let (predictions, outcomes) = read_predictions(&arguments.predictions)?;
    let expectation = expect(&predictions, outcomes);
    let mut evaluated = None;
    let figures = match &arguments.truth {
        Some(truth) => {
            let truth = read_truth(truth)?;
            let classes = arguments.classes.as_deref().map(read_classes).transpose()?;
            let evaluation = evaluate(&predictions, outcomes, &truth, classes.as_ref());
            if !environment.json {
                print_table(&evaluation, environment);
            }
            warn(&evaluation, &truth, environment);
            let figures = figures(&evaluation, expectation);
            evaluated = Some(evaluation);
            figures
        }
        None => json!({
            "lines": predictions.len(),
            "linked": null,
            "with_review": null,
            "best": null,
            "recall_at_precision": null,
            "review_share": expectation.map(|_| rounded(review_share(&predictions))),
            "expected": expectation.map_or(Value::Null, expected),
        }),
    };
    if environment.json {
        json::print(&figures);
    } else if let Some(expectation) = expectation {
        print_expectation(&expectation, environment);
    }
    let mut missed = false;
    for requirement in required {
        match requirement.value(&figures) {
            None => {
                let why = "there is no such figure here";
                return Err(CommandError::Requirement { given: requirement.key, why }.into());
            }
            Some(_)
                if evaluated.as_ref().is_some_and(|found| requirement.is_of_no_links(found)) =>
            {
                missed = true;
                let key = requirement.key;
                environment.warn(
                    &format!("nothing is linked, so {key} says nothing"),
                    &format!("リンクが1件もないため、{key} は評価できません"),
                );
            }
            Some(value) if requirement.holds(value) => {}
            Some(value) => {
                missed = true;
                let Requirement { key, least } = requirement;
                environment.warn(
                    &format!("{key} is {value}, required is {least}"),
                    &format!("{key} は {value} で、必要な {least} に達していません"),
                );
            }
        }
    }
    Ok(if missed { Exit::FoundWrong } else { Exit::Done })
}

/// Tells of lines that only one of the files has.
fn warn(evaluation: &Evaluation, truth: &Truth, environment: &Environment) {
    if evaluation.unknown_lines > 0 {
        let lines = evaluation.unknown_lines;
        environment.warn(
            &format!("{lines} predicted lines are not in the truth and were not counted"),
            &format!("正解にない行が {lines} 行あり、集計していません"),
        );
    }
    let missing = truth.len().saturating_sub(evaluation.predicted_lines);
    if missing > 0 {
        environment.warn(
            &format!(
                "{missing} lines of the truth are not among the predictions and count as not linked"
            ),
            &format!("正解のうち {missing} 行が予測になく、リンクなしとして集計しました"),
        );
    }
}

/// A figure and the value it must reach; a share of reviews must not exceed it.
struct Requirement {
    key: String,
    least: f64,
}

impl Requirement {
    fn parse(given: &str) -> Result<Self, CommandError> {
        let wrong = |why| CommandError::Requirement { given: given.to_owned(), why };
        let (key, value) = given.split_once('=').ok_or_else(|| wrong("give KEY=VALUE"))?;
        let least = value.trim().parse().map_err(|_| wrong("the value is no number"))?;
        Ok(Self { key: key.trim().to_owned(), least })
    }

    /// `linked.precision` and the like; `recall_at_precision.0.999` has a dot in its last name.
    fn value(&self, figures: &Value) -> Option<f64> {
        let direct = figures.get(&self.key);
        let nested = || {
            let (outer, inner) = self.key.split_once('.')?;
            figures.get(outer)?.get(inner)
        };
        direct.or_else(nested)?.as_f64()
    }

    /// Whether it asks how good links are of which there are none: nothing would meet any requirement.
    fn is_of_no_links(&self, evaluation: &Evaluation) -> bool {
        let of = |group: &str, links: Option<Accuracy>| {
            self.key.starts_with(group) && links.is_some_and(|accuracy| accuracy.links == 0)
        };
        of("linked.", evaluation.linked) || of("with_review.", evaluation.with_review)
    }

    fn holds(&self, value: f64) -> bool {
        if self.key == "review_share" { value <= self.least } else { value >= self.least }
    }
}

/// The figures as the machine contract names them, and what is expected without a truth.
pub(crate) fn figures(evaluation: &Evaluation, expectation: Option<Expectation>) -> Value {
    let accuracy = |accuracy: Option<Accuracy>| match accuracy {
        Some(Accuracy { precision, recall, f1, links, right, .. }) => json!({
            "precision": rounded(precision),
            "recall": rounded(recall),
            "f1": rounded(f1),
            "links": links,
            "right": right,
        }),
        None => Value::Null,
    };
    let mut figures = json!({
        "expected": expectation.map_or(Value::Null, expected),
        "lines": evaluation.lines,
        "linked": accuracy(evaluation.linked),
        "with_review": accuracy(evaluation.with_review),
        "best": {"f1": rounded(evaluation.best_f1), "at": evaluation.best_at},
        "recall_at_precision": {"0.999": rounded(evaluation.recall_at_precision_0_999)},
        "review_share": evaluation.review_share.map_or(Value::Null, rounded),
        "intervals": {
            "linked": intervals(evaluation.linked),
            "with_review": intervals(evaluation.with_review),
        },
    });
    if let (Some(classes), Some(figures)) = (&evaluation.by_class, figures.as_object_mut()) {
        let entry = |(class, count): (&String, &renkei_linkage::evaluation::ClassCount)| {
            let lines = json!({
                "lines": count.lines, "missed": count.missed, "false_links": count.false_links
            });
            (class.clone(), lines)
        };
        figures.insert("by_class".to_owned(), Value::Object(classes.iter().map(entry).collect()));
    }
    figures
}

fn print_table(evaluation: &Evaluation, environment: &Environment) {
    let head = |english: &str, japanese: &str| environment.say(english, japanese).to_owned();
    let header = vec![
        String::new(),
        head("precision", "適合率"),
        head("recall", "再現率"),
        "F1".to_owned(),
        head("links", "リンク数"),
        head("false", "誤リンク"),
    ];
    let mut table = text_table(header, &[1, 2, 3, 4, 5]);
    let mut add = |name: String, accuracy: Option<Accuracy>| {
        if let Some(Accuracy { precision, recall, f1, links, right, .. }) = accuracy {
            let share = |value: f64| format!("{value:.6}");
            let false_links = (links - right).to_string();
            table.add_row(vec![
                name,
                share(precision),
                share(recall),
                share(f1),
                links.to_string(),
                false_links,
            ]);
        }
    };
    add(head("linked", "自動リンク"), evaluation.linked);
    add(head("with review", "職員確認後"), evaluation.with_review);
    print_line!("{table}");
    if let Some(linked) = evaluation.linked {
        print_line!(
            "{}: {} {}, {} {}",
            environment.say("linked, 95 % confidence", "自動リンクの95％信頼区間"),
            environment.say("precision", "適合率"),
            span(linked.precision_interval),
            environment.say("recall", "再現率"),
            span(linked.recall_interval),
        );
    }
    print_line!(
        "{}: F1 {:.6} ({} {:.9})",
        environment.say("best cut", "最良の境界"),
        evaluation.best_f1,
        environment.say("at probability", "確率"),
        evaluation.best_at
    );
    print_line!(
        "{}: {:.6}",
        environment.say("recall at precision 0.999", "適合率 0.999 での再現率"),
        evaluation.recall_at_precision_0_999
    );
    if let Some(share) = evaluation.review_share {
        print_line!("{}: {:.2} %", environment.say("for clerks", "要確認の割合"), share * 100.0);
    }
    if let Some(classes) = &evaluation.by_class {
        let header = vec![
            head("class", "誤りの種類"),
            head("lines", "行数"),
            head("missed", "見落とし"),
            head("false", "誤リンク"),
        ];
        let mut table = text_table(header, &[1, 2, 3]);
        for (class, count) in classes {
            table.add_row(vec![
                class.clone(),
                count.lines.to_string(),
                count.missed.to_string(),
                count.false_links.to_string(),
            ]);
        }
        print_line!("\n{table}");
    }
}

/// Where precision and recall lie, each as its two ends.
fn intervals(accuracy: Option<Accuracy>) -> Value {
    let ends = |interval: Interval| json!([rounded(interval.low), rounded(interval.high)]);
    accuracy.map_or(Value::Null, |accuracy| {
        json!({
            "precision": ends(accuracy.precision_interval),
            "recall": ends(accuracy.recall_interval),
        })
    })
}

/// What is expected without a truth.
pub(crate) fn expected(expectation: Expectation) -> Value {
    let figure = |Expected { value, interval: Interval { low, high } }: Expected| json!({"value": rounded(value), "low": rounded(low), "high": rounded(high)});
    json!({
        "links": expectation.links,
        "false_links": figure(expectation.false_links),
        "precision": figure(expectation.precision),
        "recall": figure(expectation.recall),
    })
}

pub(crate) fn print_expectation(expectation: &Expectation, environment: &Environment) {
    let header = vec![
        environment.say("expected without a truth", "正解なしの見込み"),
        environment.say("value", "値"),
        environment.say("95 % confidence", "95％信頼区間"),
    ];
    let mut table = text_table(header, &[1, 2]);
    let mut add = |name: &str, expected: Expected, digits: usize| {
        let number = |value: f64| format!("{value:.digits$}");
        let Interval { low, high } = expected.interval;
        let span = format!("{} – {}", number(low), number(high));
        table.add_row(vec![name.to_owned(), number(expected.value), span]);
    };
    add(environment.say("precision", "適合率"), expectation.precision, 6);
    add(environment.say("recall", "再現率"), expectation.recall, 6);
    add(environment.say("false links", "誤リンク"), expectation.false_links, 1);
    print_line!("\n{table}");
}

fn span(Interval { low, high }: Interval) -> String {
    format!("{low:.6} – {high:.6}")
}

/// The rows of a table as text, by the numbers of some columns.
fn each_row(
    path: &Path,
    mut columns: impl FnMut(&[String]) -> Result<Vec<Option<usize>>, CommandError>,
    mut row: impl FnMut(u64, &[&str]) -> Result<(), CommandError>,
) -> Result<(), Failure> {
    let mut reader = TableReader::open(path, &ReadOptions::default())?;
    let wanted = columns(reader.header())?;
    while let Some(batch) = reader.next_batch()? {
        for (at, &line) in batch.lines.iter().enumerate() {
            let cells: Vec<&str> = wanted
                .iter()
                .map(|column| column.map_or("", |column| batch.cell(column, at).trim()))
                .collect();
            row(line, &cells)?;
        }
    }
    Ok(())
}

/// One prediction a line: of a file of candidates, those of rank 1.
fn read_predictions(path: &Path) -> Result<(Vec<Prediction>, Outcomes), Failure> {
    let file = path.display().to_string();
    let mut predictions = Vec::new();
    let mut has_outcomes = false;
    let mut columns = Vec::new();
    let find = |header: &[String]| {
        let place = |name: &str| header.iter().position(|column| column == name);
        for column in ["list_id", "register_id", "probability"] {
            if place(column).is_none() {
                return Err(CommandError::ColumnMissing { file: file.clone(), column });
            }
        }
        has_outcomes = place("outcome").is_some();
        columns = ["list_id", "register_id", "probability", "outcome", "rank"].map(place).to_vec();
        Ok(columns.clone())
    };
    let value = |line: u64, column: &str, wanted: &'static str| CommandError::Value {
        file: file.clone(),
        line,
        column: column.to_owned(),
        wanted,
    };
    each_row(path, find, |line, cells| {
        let &[list_id, register_id, probability, outcome, rank] = cells else {
            return Ok(());
        };
        if !rank.is_empty() && rank != "1" {
            return Ok(());
        }
        let outcome = match outcome {
            "" => None,
            outcome => Some(outcome.parse().map_err(|_| value(line, "outcome", "an outcome"))?),
        };
        let register_id = (!register_id.is_empty()).then(|| register_id.to_owned());
        let probability = match (probability, &register_id) {
            ("", None) => 0.0,
            (text, _) => text
                .parse::<f64>()
                .ok()
                .filter(|probability| (0.0..=1.0).contains(probability))
                .ok_or_else(|| value(line, "probability", "a probability"))?,
        };
        let list_id = list_id.to_owned();
        predictions.push(Prediction { list_id, register_id, outcome, probability });
        Ok(())
    })?;
    let outcomes = if has_outcomes { Outcomes::Known } else { Outcomes::Absent };
    Ok((predictions, outcomes))
}

/// The first two columns, whatever they are called.
fn two_columns(
    path: &Path,
    why: &'static str,
) -> impl FnMut(&[String]) -> Result<Vec<Option<usize>>, CommandError> {
    let file = path.display().to_string();
    move |header| {
        if header.len() != 2 {
            let (file, found) = (file.clone(), header.len());
            return Err(CommandError::Columns { file, wanted: 2, found, why });
        }
        Ok(vec![Some(0), Some(1)])
    }
}

/// Reads who each line really is.
pub(crate) fn read_truth(path: &Path) -> Result<Truth, Failure> {
    let mut truth = Truth::new();
    each_row(path, two_columns(path, "list id, then register id"), |line, cells| {
        let &[list_id, register_id] = cells else {
            return Ok(());
        };
        let person = (!register_id.is_empty()).then(|| register_id.to_owned());
        match truth.insert(list_id.to_owned(), person) {
            None => Ok(()),
            Some(_) => Err(CommandError::RepeatedId { file: path.display().to_string(), line }),
        }
    })?;
    Ok(truth)
}

fn read_classes(path: &Path) -> Result<Classes, Failure> {
    let mut classes = Classes::new();
    each_row(path, two_columns(path, "list id, then classes"), |_, cells| {
        if let &[list_id, names] = cells {
            let names = names.split(['|', ' ', ',', ';']).filter(|name| !name.is_empty());
            let of_line = classes.entry(list_id.to_owned()).or_default();
            of_line.extend(names.map(str::to_owned));
        }
        Ok(())
    })?;
    Ok(classes)
}
