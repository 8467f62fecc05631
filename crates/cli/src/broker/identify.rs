//! `renkei identify`: who in a register a record means.

use clap::Args;
use renkei_api::outcome_text;
use renkei_api::v1::{Candidate, IdentifyRequest};
use renkei_types::{DatasetId, Language};
use serde_json::{Value, json};

use super::cells::RecordArguments;
use super::code_words::told;
use super::error::reason_text;
use super::results::{probability, weight};
use super::session::{self, code_year, plain, receipt_json};
use crate::environment::Environment;
use crate::failure::{Exit, Failure};
use crate::json;
use crate::text_table::text_table;

#[derive(Args, Debug)]
pub(crate) struct IdentifyArguments {
    /// The register
    dataset: DatasetId,
    /// Code of the purpose; that of the agreement
    #[arg(long, value_name = "CODE")]
    purpose: String,
    /// Most candidates to answer
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=20))]
    candidates: u32,
    #[command(flatten)]
    record: RecordArguments,
}

pub(super) fn run(
    arguments: &IdentifyArguments,
    environment: &Environment,
) -> Result<Exit, Failure> {
    let record = arguments.record.cells()?;
    session::with(environment, async |session| {
        let call = IdentifyRequest {
            dataset_id: arguments.dataset.to_string(),
            purpose: arguments.purpose.clone(),
            record,
            candidates_max: arguments.candidates,
        };
        let answer = session.ask(call).await?;
        let outcome = outcome_text(answer.outcome());
        if environment.json {
            json::print(&json!({
                "outcome": outcome,
                "reason": answer.reason,
                "candidates": answer.candidates.iter().map(candidate_json).collect::<Vec<_>>(),
                "notice": answer.notice,
                "receipt": receipt_json(answer.receipt.as_ref()),
                "code_year": code_year(answer.code_year),
            }));
            return Ok(Exit::Done);
        }
        let header = vec![
            environment.say("rank", "順位"),
            environment.say("register id", "台帳の番号"),
            environment.say("probability", "確率"),
            environment.say("match weight", "一致度"),
        ];
        let mut table = text_table(header, &[0, 2, 3]);
        for candidate in &answer.candidates {
            table.add_row(vec![
                candidate.rank.to_string(),
                plain(&candidate.register_id),
                probability(candidate.probability_ppb),
                weight(candidate.match_weight_millibits),
            ]);
        }
        tell_notice(&answer.notice, environment);
        let outcome = told(&answer.outcome(), environment.language);
        print_line!("{outcome} {}", reason_text(&answer.reason, environment.language));
        if !answer.candidates.is_empty() {
            print_line!("{table}");
        }
        Ok(Exit::Done)
    })
}

/// Tells what concerns every answer of the register, such as that addresses are withheld of everybody.
pub(super) fn tell_notice(notice: &str, environment: &Environment) {
    if !notice.is_empty() {
        let words = |language| reason_text(notice, language);
        environment.warn(&words(Language::English), &words(Language::Japanese));
    }
}

/// As `link` writes numbers, but as numbers.
pub(super) fn candidate_json(candidate: &Candidate) -> Value {
    json!({
        "register_id": candidate.register_id,
        "rank": candidate.rank,
        "probability": f64::from(candidate.probability_ppb) / 1e9,
        "match_weight": f64::from(candidate.match_weight_millibits) / 1e3,
    })
}
