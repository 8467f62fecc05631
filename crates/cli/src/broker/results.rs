//! Results of a list as a table: the rows of `link`, and the amount.
//!
//! Rows come numbered; a stream that breaks is opened again at the row that is missing. Invariant: the file has every row
//! once and in order, or it does not appear.

use std::collections::BTreeMap;
use std::path::Path;

use renkei_api::outcome_text;
use renkei_api::v1::{Outcome, ResultRow, ResultsRequest, Totals};
use renkei_tables::Column;
use renkei_types::ListId;
use serde_json::{Map, Value, json};

use super::error::BrokerError;
use super::session::{self, Session, code_year, totals_json};
use super::written_table::{self, ExactArgument};
use crate::failure::{Exit, Failure};
use crate::progress::Progress;

/// Writes what became of every line.
pub(super) async fn write(
    session: &Session<'_>,
    list: ListId,
    output: &Path,
    exact: ExactArgument,
) -> Result<Exit, Failure> {
    let mut writer = exact.create(output, &columns())?;
    let progress = Progress::lines(session.environment, "receiving", "受信", 0);
    let mut totals: BTreeMap<Outcome, Totals> = BTreeMap::new();
    let (mut receipt, mut year) = (None, 0);
    let mut backoff = session.connection.backoff();
    loop {
        let request = ResultsRequest { list_id: list.to_string(), from_row: writer.rows() };
        let mut answers = session.stream(request).await?;
        let broken = loop {
            let answer = match answers.next().await {
                Ok(Some(answer)) => answer,
                Ok(None) => break None,
                Err(rejection) => break Some(rejection),
            };
            if answer.first_row != writer.rows() {
                return Err(BrokerError::Answer { what: "rows that do not follow" }.into());
            }
            receipt = receipt.or(answer.receipt);
            year = answer.code_year;
            for row in &answer.rows {
                let sum = totals.entry(row.outcome()).or_default();
                sum.lines += 1;
                sum.yen = sum.yen.saturating_add(row.yen);
                let cells = cells(row);
                writer.row(cells.iter().map(String::as_str))?;
            }
            backoff.reset();
            progress.set(writer.rows());
        };
        if !session::resumes(&mut backoff, broken).await? {
            break;
        }
    }
    let rows = writer.rows();
    drop(progress);
    written_table::finish(writer, session.environment)?;
    let name = output.display().to_string();
    session.environment.note(&format!("{name}: {rows} rows"), &format!("{name}: {rows} 行"));
    let outcomes: Map<String, Value> = totals
        .iter()
        .map(|(outcome, totals)| (outcome_text(*outcome).to_owned(), totals_json(Some(totals))))
        .collect();
    let object = json!({
        "list_id": list.to_string(),
        "output": name,
        "rows": rows,
        "outcomes": outcomes,
        "code_year": code_year(year),
    });
    Ok(session.done(object, "", receipt.as_ref()))
}

fn columns() -> [Column; 7] {
    [
        Column::text("list_id"),
        Column::text("register_id"),
        Column::text("outcome"),
        Column::float("probability"),
        Column::float("match_weight"),
        Column::text("reason"),
        Column::integer("amount"),
    ]
}

fn cells(row: &ResultRow) -> [String; 7] {
    let (probability, weight) = if row.register_id.is_empty() {
        Default::default()
    } else {
        (probability(row.probability_ppb), weight(row.match_weight_millibits))
    };
    [
        row.list_id.clone(),
        row.register_id.clone(),
        outcome_text(row.outcome()).to_owned(),
        probability,
        weight,
        row.reason.clone(),
        row.yen.to_string(),
    ]
}

/// Billionths with nine decimals.
pub(super) fn probability(ppb: u32) -> String {
    format!("{}.{:09}", ppb / 1_000_000_000, ppb % 1_000_000_000)
}

/// Thousandths of a bit with three decimals.
pub(super) fn weight(millibits: i32) -> String {
    let sign = if millibits < 0 { "-" } else { "" };
    let size = millibits.unsigned_abs();
    format!("{sign}{}.{:03}", size / 1000, size % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_with_the_decimals_of_the_contract() {
        assert_eq!(probability(1_000_000_000), "1.000000000");
        assert_eq!(probability(999_999_999), "0.999999999");
        assert_eq!(probability(5), "0.000000005");
        assert_eq!(weight(12_345), "12.345");
        assert_eq!(weight(-7), "-0.007");
        assert_eq!(weight(i32::MIN), "-2147483.648");
    }

    #[test]
    fn a_line_without_a_candidate_has_no_probability() {
        let row = ResultRow {
            list_id: "a-1".to_owned(),
            outcome: Outcome::NotFound.into(),
            reason: "NO_CANDIDATE".to_owned(),
            yen: 100,
            ..ResultRow::default()
        };
        assert_eq!(cells(&row), ["a-1", "", "NOT_FOUND", "", "", "NO_CANDIDATE", "100"]);
        let row = ResultRow {
            register_id: "r-1".to_owned(),
            probability_ppb: 1,
            match_weight_millibits: -1,
            ..row
        };
        assert_eq!(cells(&row)[3..5], ["0.000000001", "-0.001"]);
    }
}
