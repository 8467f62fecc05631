//! The blocking report as a file: what each rule cost, what it brought, and what was cut.
//!
//! The same numbers as in the HTML report, for programs and for whoever writes rules: a rule whose largest block is a great
//! share of the register makes most of the work, and one with much marginal recall must not go.

use std::path::Path;

use renkei_linkage::{BlockingReport, ExpectedMatches, Linkable, Linkage};
use renkei_tables::{Column, TableWriter};
use serde_json::{Value, json};

use crate::commands::write_text;
use crate::failure::Failure;
use crate::json::rounded;

/// Writes the report: JSON where the name ends in `.json`, else a table.
pub(crate) fn write(path: &Path, linkable: &Linkable, linkage: &Linkage) -> Result<(), Failure> {
    let expected = linkage.expected_matches(linkable);
    let all: f64 = expected.iter().map(|expected| expected.first).sum();
    let rule = |(report, expected)| Rule {
        report,
        expected,
        largest_block_share: share(count(report.largest_block), linkable.register_records()),
        marginal_recall: if all > 0.0 { expected.only / all } else { 0.0 },
    };
    let rules: Vec<Rule<'_>> = linkage.blocking.iter().zip(expected).map(rule).collect();
    let is_json = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"));
    if !is_json {
        return write_table(path, &rules);
    }
    let report = json!({
        "register_records": linkable.register_records(),
        "list_lines": linkable.list_lines(),
        "candidate_pairs": linkage.candidate_pairs,
        "expected_matches": rounded(all),
        "rules": rules.iter().map(Rule::json).collect::<Vec<_>>(),
    });
    write_text(path, &format!("{report:#}\n"))
}

/// One rule, in the order in which they were applied.
struct Rule<'a> {
    report: &'a BlockingReport,
    expected: ExpectedMatches,
    largest_block_share: f64,
    marginal_recall: f64,
}

impl Rule<'_> {
    fn json(&self) -> Value {
        let Self { report, expected, largest_block_share, marginal_recall } = self;
        json!({
            "rule": report.rule,
            "pairs": report.pairs,
            "new_pairs": report.new_pairs,
            "largest_block": report.largest_block,
            "largest_block_share": rounded(*largest_block_share),
            "blocks_left_out": report.blocks_left_out,
            "pairs_left_out": report.pairs_left_out,
            "expected_matches_first": rounded(expected.first),
            "expected_matches_only": rounded(expected.only),
            "marginal_recall": rounded(*marginal_recall),
        })
    }
}

/// The columns of the table are the keys of the JSON objects.
fn write_table(path: &Path, rules: &[Rule<'_>]) -> Result<(), Failure> {
    let mut columns = vec![Column::text("rule")];
    columns.extend(["pairs", "new_pairs", "largest_block"].map(Column::integer));
    columns.push(Column::float("largest_block_share"));
    columns.extend(["blocks_left_out", "pairs_left_out"].map(Column::integer));
    let expected = ["expected_matches_first", "expected_matches_only", "marginal_recall"];
    columns.extend(expected.map(Column::float));
    let mut writer = TableWriter::create(path, &columns)?;
    for rule in rules {
        let object = rule.json();
        let cell = |column: &Column| {
            let value = &object[&column.name];
            value.as_str().map_or_else(|| value.to_string(), str::to_owned)
        };
        let cells: Vec<String> = columns.iter().map(cell).collect();
        writer.row(cells.iter().map(String::as_str))?;
    }
    Ok(writer.finish()?)
}

fn count(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn share(part: usize, whole: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "records are fewer than 2^52")]
    let share = part as f64 / whole.max(1) as f64;
    share
}
