//! `renkei model`: training models, measuring them, and taking them into use for a register.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use renkei_api::outcome_text;
use renkei_api::v1::{
    self, EvaluateRequest, EvaluateResponse, GetModelRequest, GetModelResponse, PromoteRequest,
    TrainRequest,
};
use renkei_linkage::{Expectation, Expected, Interval};
use renkei_types::{DatasetId, Digest, ListId};
use serde_json::{Map, Value, json};

use super::code_words::told;
use super::new_file::NewFile;
use super::session::{self, RequestArgument, Session, digest_json, plain, receipt_json};
use crate::commands::evaluate::{expected, print_expectation};
use crate::environment::Environment;
use crate::failure::{Exit, Failure};
use crate::json::{self, rounded};
use crate::text_table::text_table;

#[derive(Debug, Subcommand)]
pub(crate) enum ModelCommand {
    /// Train a model on a sealed list; it is used once it is promoted
    Train {
        /// The list
        #[arg(long, value_name = "ID")]
        list: ListId,
        /// The register
        #[arg(long, value_name = "ID")]
        dataset: DatasetId,
        /// Write the model file too
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
        #[command(flatten)]
        request: RequestArgument,
    },
    /// Say how good a model is on a sealed list
    Evaluate {
        /// The list
        #[arg(long, value_name = "ID")]
        list: ListId,
        /// The register
        #[arg(long, value_name = "ID")]
        dataset: DatasetId,
        /// Digest of a model that is kept for the register; the list's own model otherwise
        #[arg(long, value_name = "DIGEST")]
        model: Option<Digest>,
    },
    /// Take a model into use for a register
    Promote {
        /// The register
        dataset: DatasetId,
        /// Digest of the model; without it, none is in use and jobs train their own
        model: Option<Digest>,
        /// Digest of the model that is in use now; without it, none
        #[arg(long, value_name = "DIGEST")]
        expected: Option<Digest>,
        #[command(flatten)]
        request: RequestArgument,
    },
    /// Show the models of a register, and one of them in full
    Show {
        /// The register
        dataset: DatasetId,
        /// Digest of the model that is wanted; the one in use otherwise
        #[arg(long, value_name = "DIGEST")]
        model: Option<Digest>,
        /// Write its file
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

pub(super) fn run(command: &ModelCommand, environment: &Environment) -> Result<Exit, Failure> {
    session::with(environment, async |session| match command {
        ModelCommand::Train { list, dataset, output, request } => {
            train(session, *list, *dataset, output.as_deref(), *request).await
        }
        ModelCommand::Evaluate { list, dataset, model } => {
            let call = EvaluateRequest {
                list_id: list.to_string(),
                dataset_id: dataset.to_string(),
                model_digest: bytes(*model),
            };
            let answer = session.ask(call).await?;
            if environment.json {
                json::print(&evaluated_json(&answer));
            } else {
                print_evaluated(&answer, environment);
            }
            Ok(Exit::Done)
        }
        ModelCommand::Promote { dataset, model, expected, request } => {
            let id = session.request_id(*request);
            let call = PromoteRequest {
                request_id: id.to_string(),
                dataset_id: dataset.to_string(),
                expected_digest: bytes(*expected),
                model_digest: bytes(*model),
            };
            let answer = session.change(&id, call).await?;
            let object = json!({"model_digest": model.map(|digest| digest.to_string())});
            Ok(session.done(object, "", answer.receipt.as_ref()))
        }
        ModelCommand::Show { dataset, model, output } => {
            let call =
                GetModelRequest { dataset_id: dataset.to_string(), model_digest: bytes(*model) };
            let answer = session.ask(call).await?;
            write(output.as_deref(), &answer.model)?;
            if environment.json {
                json::print(&models_json(&answer));
            } else {
                print_models(&answer, output.is_some(), environment);
            }
            Ok(Exit::Done)
        }
    })
}

fn bytes(digest: Option<Digest>) -> Vec<u8> {
    digest.map(|digest| digest.as_bytes().to_vec()).unwrap_or_default()
}

fn digest_text(bytes: &[u8]) -> String {
    digest_json(bytes).as_str().unwrap_or_default().to_owned()
}

fn write(path: Option<&Path>, model: &str) -> Result<(), Failure> {
    let Some(path) = path else { return Ok(()) };
    let mut file = NewFile::create(path)?;
    file.write(model.as_bytes())?;
    file.finish()
}

async fn train(
    session: &Session<'_>,
    list: ListId,
    dataset: DatasetId,
    output: Option<&Path>,
    request: RequestArgument,
) -> Result<Exit, Failure> {
    let environment = session.environment;
    let id = session.request_id(request);
    let call = TrainRequest {
        request_id: id.to_string(),
        list_id: list.to_string(),
        dataset_id: dataset.to_string(),
    };
    let answer = session.change(&id, call).await?;
    write(output, &answer.model)?;
    let expectation = answer.expected.map(expectation);
    if !environment.json {
        if let Some(expectation) = &expectation {
            print_expectation(expectation, environment);
        }
        if !answer.untrained.is_empty() {
            let names: Vec<String> = answer.untrained.iter().map(|name| plain(name)).collect();
            let names = names.join(", ");
            environment.warn(
                &format!("the list taught nothing about {names}; the model cannot be promoted"),
                &format!("{names} について学習できなかったため、このモデルは使用開始できません"),
            );
        }
    }
    let object = json!({
        "model_digest": digest_json(&answer.model_digest),
        "expected": expectation.map(expected),
        "untrained": answer.untrained,
    });
    Ok(session.done(object, &digest_text(&answer.model_digest), answer.receipt.as_ref()))
}

fn figure(sent: Option<v1::ExpectedFigure>) -> Expected {
    let v1::ExpectedFigure { value, low, high } = sent.unwrap_or_default();
    Expected { value, interval: Interval { low, high } }
}

fn expectation(sent: v1::Expectation) -> Expectation {
    Expectation {
        links: sent.links,
        false_links: figure(sent.false_links),
        precision: figure(sent.precision),
        recall: figure(sent.recall),
    }
}

fn evaluated_json(answer: &EvaluateResponse) -> Value {
    let outcomes = answer
        .outcomes
        .iter()
        .map(|lines| (outcome_text(lines.outcome()).to_owned(), json!(lines.lines)));
    let of = |sent: Option<v1::ExpectedFigure>| {
        let Expected { value, interval } = figure(sent);
        json!({
            "value": rounded(value), "low": rounded(interval.low), "high": rounded(interval.high)
        })
    };
    let against = answer.against_clerks.as_ref().map(|found| {
        json!({
            "lines": found.lines,
            "persons": found.persons,
            "best_is_person": found.best_is_person,
            "links": found.links,
            "right": found.right,
            "precision": of(found.precision),
            "recall": of(found.recall),
        })
    });
    json!({
        "model_digest": digest_json(&answer.model_digest),
        "lines": answer.lines,
        "outcomes": outcomes.collect::<Map<_, _>>(),
        "expected": answer.expected.map(expectation).map(expected),
        "against_clerks": against,
        "receipt": receipt_json(answer.receipt.as_ref()),
    })
}

fn print_evaluated(answer: &EvaluateResponse, environment: &Environment) {
    print_line!("{}", digest_text(&answer.model_digest));
    let header = vec![environment.say("outcome", "判定"), environment.say("lines", "件数")];
    let mut table = text_table(header, &[1]);
    for lines in &answer.outcomes {
        let outcome = told(&lines.outcome(), environment.language);
        table.add_row(vec![outcome, lines.lines.to_string()]);
    }
    print_line!("{table}");
    if let Some(expected) = answer.expected.map(expectation) {
        print_expectation(&expected, environment);
    }
    if let Some(found) = &answer.against_clerks {
        let Expected { interval: Interval { low, high }, .. } = figure(found.precision);
        let v1::AgainstClerks { lines, persons, best_is_person, links, right, .. } = found;
        print_line!(
            "{}",
            environment.language.pick(
                format!(
                    "\nof {lines} lines that clerks decided, {persons} have a person, whom the model puts first in {best_is_person}; by itself it links {links}, {right} as the clerks did (precision {low:.3} – {high:.3})"
                ),
                format!(
                    "\n職員が決めた {lines} 行のうち該当者ありは {persons} 行、モデルの第一候補と同じものは {best_is_person} 行。モデルだけなら {links} 行をリンクし、{right} 行が職員と同じ（適合率 {low:.3} – {high:.3}）"
                ),
            )
        );
    }
}

fn models_json(answer: &GetModelResponse) -> Value {
    let model = |model: &v1::KeptModel| {
        json!({
            "model_digest": digest_json(&model.digest),
            "in_use": model.digest == answer.digest_in_use,
            "list_id": model.list_id,
            "snapshot_id": model.snapshot_id,
            "lines": model.lines,
            "engine": model.engine,
            "untrained": model.untrained,
        })
    };
    json!({
        "digest_in_use": digest_json(&answer.digest_in_use),
        "models": answer.models.iter().map(model).collect::<Vec<_>>(),
        "model": answer.model,
        "receipt": receipt_json(answer.receipt.as_ref()),
    })
}

fn print_models(answer: &GetModelResponse, written: bool, environment: &Environment) {
    let header = vec![
        environment.say("model", "モデル"),
        environment.say("in use", "使用中"),
        environment.say("lines", "学習した行"),
        environment.say("untrained", "学習していない項目"),
    ];
    let mut table = text_table(header, &[2]);
    for model in &answer.models {
        let in_use = model.digest == answer.digest_in_use;
        let untrained: Vec<String> = model.untrained.iter().map(|name| plain(name)).collect();
        table.add_row(vec![
            digest_text(&model.digest),
            if in_use { "*".to_owned() } else { String::new() },
            model.lines.to_string(),
            untrained.join(", "),
        ]);
    }
    print_line!("{table}");
    if !written && !answer.model.is_empty() {
        let lines: Vec<String> = answer.model.lines().map(plain).collect();
        print_line!("\n{}", lines.join("\n"));
    }
}
