//! `renkei job`: linking a sealed list to a register.

use std::path::PathBuf;

use clap::Subcommand;
use renkei_api::outcome_text;
use renkei_api::v1::{
    CreateJobRequest, EstimateRequest, Job, JobStage, RuleEstimate, WatchJobRequest,
};
use renkei_types::{Classify as _, DatasetId, Kind, LinkageJobId, ListId, Yen};
use serde_json::{Map, Value, json};

use super::code_words::told;
use super::error::BrokerError;
use super::explained::{self, PairArguments};
use super::names::short;
use super::session::{self, RequestArgument, Session, digest_json, plain, receipt_json};
use super::written_table::ExactArgument;
use super::{results, session::totals_json};
use crate::environment::Environment;
use crate::failure::{Exit, Failure};
use crate::json;
use crate::progress::Progress;
use crate::text_table::text_table;
use crate::words;

#[derive(Debug, Subcommand)]
pub(crate) enum JobCommand {
    /// Start to link a sealed list to a register
    Create {
        /// The list
        #[arg(long, value_name = "ID")]
        list: ListId,
        /// The register
        #[arg(long, value_name = "ID")]
        dataset: DatasetId,
        #[command(flatten)]
        request: RequestArgument,
    },
    /// Watch a job until it has ended
    Watch {
        /// The job
        job: LinkageJobId,
    },
    /// Count the pairs that each blocking rule would bring, without comparing any
    Estimate {
        /// The list
        #[arg(long, value_name = "ID")]
        list: ListId,
        /// The register
        #[arg(long, value_name = "ID")]
        dataset: DatasetId,
    },
    /// Say why a line weighs what it weighs with a resident
    Explain(PairArguments),
    /// Say what stands between a line and a resident
    WhyNot(PairArguments),
    /// Write what became of every line of a list
    Results {
        /// The list
        list: ListId,
        /// Where it goes: .csv, .xlsx or .parquet
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
        #[command(flatten)]
        exact: ExactArgument,
    },
}

pub(super) fn run(command: &JobCommand, environment: &Environment) -> Result<Exit, Failure> {
    session::with(environment, async |session| match command {
        JobCommand::Create { list, dataset, request } => {
            let id = session.request_id(*request);
            let call = CreateJobRequest {
                request_id: id.to_string(),
                list_id: list.to_string(),
                dataset_id: dataset.to_string(),
            };
            let answer = session.change(&id, call).await?;
            let object = json!({"job_id": answer.job_id});
            Ok(session.done(object, &answer.job_id, answer.receipt.as_ref()))
        }
        JobCommand::Watch { job } => watch(session, *job).await,
        JobCommand::Estimate { list, dataset } => estimate(session, *list, *dataset).await,
        JobCommand::Explain(pair) => explained::explain(session, pair).await,
        JobCommand::WhyNot(pair) => explained::why_not(session, pair).await,
        JobCommand::Results { list, output, exact } => {
            results::write(session, *list, output, *exact).await
        }
    })
}

async fn estimate(
    session: &Session<'_>,
    list: ListId,
    dataset: DatasetId,
) -> Result<Exit, Failure> {
    let (list_id, dataset_id) = (list.to_string(), dataset.to_string());
    let answer = session.ask(EstimateRequest { list_id, dataset_id }).await?;
    let environment = session.environment;
    if environment.json {
        let rule = |rule: &RuleEstimate| {
            json!({
                "rule": rule.rule,
                "pairs": rule.pairs,
                "new_pairs": rule.new_pairs,
                "largest_block": rule.largest_block,
                "blocks_left_out": rule.blocks_left_out,
                "pairs_left_out": rule.pairs_left_out,
            })
        };
        json::print(&json!({
            "pairs": answer.pairs,
            "rules": answer.rules.iter().map(rule).collect::<Vec<_>>(),
            "receipt": receipt_json(answer.receipt.as_ref()),
        }));
        return Ok(Exit::Done);
    }
    let header = vec![
        environment.say("blocking rule", "ブロッキング規則"),
        environment.say("new pairs", "新しい組"),
        environment.say("pairs", "組"),
        environment.say("largest block", "最大のブロック"),
        environment.say("left out", "除いた組"),
    ];
    let mut table = text_table(header, &[1, 2, 3, 4]);
    for rule in &answer.rules {
        table.add_row(vec![
            words::rule(environment.language, &plain(&rule.rule)),
            rule.new_pairs.to_string(),
            rule.pairs.to_string(),
            rule.largest_block.to_string(),
            rule.pairs_left_out.to_string(),
        ]);
    }
    print_line!("{table}");
    print_line!("{}: {}", environment.say("pairs to compare", "比較する組"), answer.pairs);
    Ok(Exit::Done)
}

/// Streams that may break one after the other before watching is given up.
const BREAKS_MAX: u32 = 5;

async fn watch(session: &Session<'_>, job: LinkageJobId) -> Result<Exit, Failure> {
    let environment = session.environment;
    let mut bar: Option<(JobStage, Progress)> = None;
    let mut backoff = session.connection.backoff();
    loop {
        let mut states = session.stream(WatchJobRequest { job_id: job.to_string() }).await?;
        let broken = loop {
            let state = match states.next().await {
                Ok(Some(answer)) => answer.job.unwrap_or_default(),
                Ok(None) => break None,
                Err(rejection) => break Some(rejection),
            };
            backoff.reset();
            if environment.json {
                json::print(&job_json(&state));
            }
            match state.stage() {
                JobStage::Done => {
                    drop(bar);
                    if !environment.json {
                        show(&state, environment);
                    }
                    return Ok(Exit::Done);
                }
                JobStage::Failed => {
                    drop(bar);
                    return Err(BrokerError::JobFailed(state.reason).into());
                }
                stage @ (JobStage::Unspecified
                | JobStage::Queued
                | JobStage::Reading
                | JobStage::Indexing
                | JobStage::Comparing
                | JobStage::Training
                | JobStage::Assigning
                | JobStage::Writing) => {
                    if bar.as_ref().is_none_or(|(shown, _)| *shown != stage) {
                        let (english, japanese) = stage_words(stage);
                        let next = Progress::lines(environment, english, japanese, state.lines);
                        bar = Some((stage, next));
                    }
                    if let Some((_, bar)) = &bar {
                        bar.set(state.lines_done);
                    }
                }
            }
        };
        // Watching again changes nothing, so a stream that broke or ended early is opened again.
        if backoff.attempt() == BREAKS_MAX
            || broken.as_ref().is_some_and(|rejection| rejection.kind() != Kind::Unavailable)
        {
            let ended = BrokerError::Answer { what: "a job's stream that ends before the job" };
            return Err(broken.map_or_else(|| ended.into(), Failure::from));
        }
        backoff.wait().await;
    }
}

fn stage_words(stage: JobStage) -> (&'static str, &'static str) {
    match stage {
        JobStage::Unspecified | JobStage::Queued => ("waiting", "待機"),
        JobStage::Reading => ("reading list", "リストの読み込み"),
        JobStage::Indexing => ("indexing", "索引作成"),
        JobStage::Comparing => ("comparing", "照合"),
        JobStage::Training => ("training", "学習"),
        JobStage::Assigning => ("assigning", "割当"),
        JobStage::Writing => ("writing", "書き出し"),
        JobStage::Done => ("done", "完了"),
        JobStage::Failed => ("failed", "失敗"),
    }
}

fn job_json(job: &Job) -> Value {
    let outcomes = job.outcomes.iter().map(|outcome| {
        (outcome_text(outcome.outcome()).to_owned(), totals_json(outcome.totals.as_ref()))
    });
    json!({
        "job_id": job.job_id,
        "list_id": job.list_id,
        "snapshot_id": job.snapshot_id,
        "stage": short(job.stage().as_str_name(), "JOB_STAGE_"),
        "lines": job.lines,
        "lines_done": job.lines_done,
        "lines_per_second": job.lines_per_second,
        "seconds_left": job.seconds_left,
        "outcomes": outcomes.collect::<Map<_, _>>(),
        "result_digest": digest_json(&job.result_digest),
        "model_digest": digest_json(&job.model_digest),
        "pinned_model_digest": digest_json(&job.pinned_model_digest),
        "reason": job.reason,
        "attempt": job.attempt,
    })
}

fn show(job: &Job, environment: &Environment) {
    let header = vec![
        environment.say("outcome", "判定"),
        environment.say("lines", "件数"),
        environment.say("yen", "金額（円）"),
    ];
    let mut table = text_table(header, &[1, 2]);
    for outcome in &job.outcomes {
        let totals = outcome.totals.unwrap_or_default();
        table.add_row(vec![
            told(&outcome.outcome(), environment.language),
            totals.lines.to_string(),
            Yen(totals.yen).to_string(),
        ]);
    }
    print_line!("{table}");
}

#[cfg(test)]
mod tests {
    use renkei_api::v1::{Outcome, OutcomeTotals, Totals};

    use super::*;

    #[test]
    fn a_job_is_one_object_with_its_outcomes_by_name() {
        let job = Job {
            stage: JobStage::Done.into(),
            outcomes: vec![OutcomeTotals {
                outcome: Outcome::LinkedByClerk.into(),
                totals: Some(Totals { lines: 1, yen: 9 }),
            }],
            ..Job::default()
        };
        let object = job_json(&job);
        assert_eq!(object["stage"], "DONE");
        assert_eq!(object["outcomes"], json!({"LINKED_BY_CLERK": {"lines": 1, "yen": 9}}));
        assert_eq!(object["result_digest"], Value::Null);
    }
}
