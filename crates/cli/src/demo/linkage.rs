//! The linkage job of the demo, its results as a file, and how good they are against the known truth.

use std::path::Path;

use renkei_api::outcome_text;
use renkei_api::v1::{CreateJobRequest, Job, JobStage, ResultRow, ResultsRequest, WatchJobRequest};
use renkei_linkage::evaluation::{Evaluation, Outcomes, Prediction, Truth, evaluate, expect};
use renkei_linkage::{Expectation, Outcome, OutcomeTotals};
use renkei_tables::{Column, TableWriter};
use renkei_types::Yen;

use super::city::{City, Client};
use super::directory::Directory;
use super::error::DemoError;
use crate::failure::{CommandError, Failure};
use crate::progress::Progress;

/// Links a list, and waits for the end of the job.
pub(super) async fn link(
    city: &City<'_>,
    directory: &Directory,
    list_id: &str,
) -> Result<Job, Failure> {
    let client = city.connect("payments")?;
    let call = CreateJobRequest {
        request_id: client.request_id(),
        list_id: list_id.to_owned(),
        dataset_id: directory.dataset_id.clone(),
    };
    let job_id = client.ask(call).await?.job_id;
    let mut last = Job::default();
    let mut shown: Option<Progress> = None;
    let watched = client
        .each(WatchJobRequest { job_id }, |answer| {
            let job = answer.job.unwrap_or_default();
            if shown.is_none() || job.stage() != last.stage() {
                let (english, japanese) = stage_name(job.stage());
                shown = Some(Progress::lines(city.environment, english, japanese, job.lines));
            }
            if let Some(bar) = &shown {
                bar.set(job.lines_done);
            }
            last = job;
            Ok(())
        })
        .await;
    drop(shown);
    watched?;
    match last.stage() {
        JobStage::Done => Ok(last),
        JobStage::Failed => Err(DemoError::JobFailed { reason: last.reason }.into()),
        JobStage::Unspecified
        | JobStage::Queued
        | JobStage::Reading
        | JobStage::Indexing
        | JobStage::Comparing
        | JobStage::Training
        | JobStage::Assigning
        | JobStage::Writing => Err(DemoError::Answer { what: "a job without an end" }.into()),
    }
}

fn stage_name(stage: JobStage) -> (&'static str, &'static str) {
    match stage {
        JobStage::Unspecified | JobStage::Queued => ("waiting", "待機"),
        JobStage::Reading => ("reading", "読み込み"),
        JobStage::Indexing => ("indexing", "索引作成"),
        JobStage::Comparing => ("comparing", "照合"),
        JobStage::Training => ("training", "学習"),
        JobStage::Assigning => ("assigning", "割当"),
        JobStage::Writing => ("writing", "書き出し"),
        JobStage::Done | JobStage::Failed => ("done", "終了"),
    }
}

/// What became of the lines of a list.
pub(super) struct Results {
    pub(super) totals: OutcomeTotals,
    pub(super) evaluation: Evaluation,
    pub(super) expectation: Option<Expectation>,
}

/// Reads what became of every line, writes it as `link` does, and measures it.
pub(super) async fn results(
    city: &City<'_>,
    list_id: &str,
    truth: &Truth,
    output: &Path,
) -> Result<Results, Failure> {
    let client = city.connect("payments")?;
    let rows = read_rows(&client, list_id).await?;
    let mut writer = TableWriter::create(output, &columns())?;
    let mut totals = OutcomeTotals::default();
    let mut predictions = Vec::with_capacity(rows.len());
    for row in &rows {
        let cells = cells(row);
        writer.row(cells.iter().map(String::as_str))?;
        let prediction = prediction(row, &cells[3])?;
        if let Some(outcome) = prediction.outcome {
            let added = totals.add(outcome, Some(Yen(row.yen)));
            added.map_err(|error| CommandError::Plain(error.to_string()))?;
        }
        predictions.push(prediction);
    }
    writer.finish()?;
    let evaluation = evaluate(&predictions, Outcomes::Known, truth, None);
    let expectation = expect(&predictions, Outcomes::Known);
    Ok(Results { totals, evaluation, expectation })
}

async fn read_rows(client: &Client, list_id: &str) -> Result<Vec<ResultRow>, Failure> {
    let mut rows = Vec::new();
    let call = ResultsRequest { list_id: list_id.to_owned(), from_row: 0 };
    client
        .each(call, |answer| {
            if answer.first_row != rows.len() as u64 {
                return Err(DemoError::Answer { what: "rows that do not follow" }.into());
            }
            rows.extend(answer.rows);
            Ok(())
        })
        .await?;
    Ok(rows)
}

fn columns() -> [Column; 6] {
    [
        Column::text("list_id"),
        Column::text("register_id"),
        Column::text("outcome"),
        Column::float("probability"),
        Column::float("match_weight"),
        Column::text("reason"),
    ]
}

fn cells(row: &ResultRow) -> [String; 6] {
    let (probability, weight) = if row.register_id.is_empty() {
        Default::default()
    } else {
        let (ppb, weight) = (row.probability_ppb, row.match_weight_millibits);
        let (sign, size) = (if weight < 0 { "-" } else { "" }, weight.unsigned_abs());
        (
            format!("{}.{:09}", ppb / 1_000_000_000, ppb % 1_000_000_000),
            format!("{sign}{}.{:03}", size / 1000, size % 1000),
        )
    };
    [
        row.list_id.clone(),
        row.register_id.clone(),
        outcome_text(row.outcome()).to_owned(),
        probability,
        weight,
        row.reason.clone(),
    ]
}

fn prediction(row: &ResultRow, probability: &str) -> Result<Prediction, DemoError> {
    let outcome: Outcome = outcome_text(row.outcome())
        .parse()
        .map_err(|_| DemoError::Answer { what: "an outcome that is none" })?;
    Ok(Prediction {
        list_id: row.list_id.clone(),
        register_id: (!row.register_id.is_empty()).then(|| row.register_id.clone()),
        outcome: Some(outcome),
        // As it stands in the file, so that `evaluate` on the file finds the same.
        probability: probability.parse().unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use renkei_api::v1;

    use super::*;

    #[test]
    fn a_row_is_written_as_link_writes_it() {
        let row = ResultRow {
            list_id: "B1".to_owned(),
            register_id: "7".to_owned(),
            outcome: v1::Outcome::Review.into(),
            probability_ppb: 12,
            match_weight_millibits: -1_005,
            reason: "BELOW_LINK".to_owned(),
            yen: 1,
        };
        let written = cells(&row);
        assert_eq!(written, ["B1", "7", "REVIEW", "0.000000012", "-1.005", "BELOW_LINK"]);
        let read = prediction(&row, &written[3]).expect("a prediction");
        assert_eq!(read.outcome, Some(Outcome::Review));
        let nobody = ResultRow { register_id: String::new(), ..row };
        assert_eq!(cells(&nobody)[3], "");
        assert_eq!(prediction(&nobody, "").expect("a prediction").register_id, None);
    }
}
