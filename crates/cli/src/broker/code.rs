//! `renkei code`: link codes, by which a consumer knows residents whose ids it is not given.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use renkei_api::Rejection;
use renkei_api::v1::TranslateCodesRequest;
use renkei_tables::{Column, ReadOptions, TableReader};
use renkei_types::DatasetId;
use serde_json::json;

use super::error::BrokerError;
use super::session::{self, Session};
use super::written_table::{self, ExactArgument};
use crate::environment::Environment;
use crate::failure::{CommandError, Exit, Failure};
use crate::progress::Progress;

/// As many as the broker takes at once.
const CODES_MAX: usize = 10_000;

#[derive(Debug, Subcommand)]
pub(crate) enum CodeCommand {
    /// Translate last fiscal year's codes into this year's
    Translate {
        /// The register, or the dataset of the programme whose deliveries bear the codes
        dataset: DatasetId,
        /// A file with the codes in its column register_id, such as last year's deliveries
        #[arg(long, value_name = "FILE")]
        input: PathBuf,
        /// Where old and new codes go, side by side: .csv, .xlsx or .parquet
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
        #[command(flatten)]
        exact: ExactArgument,
    },
}

pub(super) fn run(command: &CodeCommand, environment: &Environment) -> Result<Exit, Failure> {
    let CodeCommand::Translate { dataset, input, output, exact } = command;
    let codes = read(input)?;
    session::with(environment, async |session| {
        translate(session, *dataset, (input, &codes), (output, *exact)).await
    })
}

/// The codes of a file, each once, with the first line on which it stands.
fn read(path: &Path) -> Result<Vec<(String, u64)>, Failure> {
    let mut reader = TableReader::open(path, &ReadOptions::default())?;
    let column = reader.header().iter().position(|name| name.trim() == "register_id");
    let file = path.display().to_string();
    let column = column.ok_or(CommandError::ColumnMissing { file, column: "register_id" })?;
    let mut codes = BTreeMap::new();
    while let Some(batch) = reader.next_batch()? {
        for row in 0..batch.rows() {
            let code = batch.cell(column, row).trim();
            if !code.is_empty() {
                let line = batch.lines.get(row).copied().unwrap_or_default();
                codes.entry(code.to_owned()).or_insert(line);
            }
        }
    }
    Ok(codes.into_iter().collect())
}

/// What is wrong with a code, said of its line in the file: the broker knows only its place among those that were sent.
fn of_file(rejection: Rejection, some: &[(String, u64)], input: &Path) -> Failure {
    let place = rejection.line().and_then(|at| usize::try_from(at).ok()?.checked_sub(1));
    match place.and_then(|place| some.get(place)) {
        Some((_, line)) if rejection.field() == Some("codes") => {
            BrokerError::LinkCode { file: input.display().to_string(), line: *line }.into()
        }
        Some(_) | None => rejection.into(),
    }
}

async fn translate(
    session: &Session<'_>,
    dataset: DatasetId,
    (input, codes): (&Path, &[(String, u64)]),
    (output, exact): (&Path, ExactArgument),
) -> Result<Exit, Failure> {
    let columns = [Column::text("old_code"), Column::text("new_code")];
    let mut writer = exact.create(output, &columns)?;
    let environment = session.environment;
    let progress = Progress::lines(environment, "translating", "変換", codes.len() as u64);
    let (mut found, mut receipt, mut year) = (0u64, None, 0);
    for some in codes.chunks(CODES_MAX) {
        let sent = some.iter().map(|(code, _)| code.clone()).collect();
        let call = TranslateCodesRequest { dataset_id: dataset.to_string(), codes: sent };
        let answer = session.connection.call(call).await;
        let answer = answer.map_err(|rejection| of_file(rejection, some, input))?;
        if answer.codes.len() != some.len() {
            return Err(
                BrokerError::Answer { what: "more or fewer codes than were asked for" }.into()
            );
        }
        for ((old, _), new) in some.iter().zip(&answer.codes) {
            found += u64::from(!new.is_empty());
            writer.row([old.as_str(), new.as_str()])?;
        }
        (receipt, year) = (answer.receipt, answer.code_year);
        progress.set(writer.rows());
    }
    let rows = writer.rows();
    drop(progress);
    written_table::finish(writer, environment)?;
    let unknown = rows - found;
    if unknown > 0 {
        environment.warn(
            &format!("{unknown} codes are of nobody in the register now, or not of last year"),
            &format!(
                "{unknown} 件の符号は、現在の台帳にいない人のものか、昨年度のものではありません"
            ),
        );
    }
    let object = json!({
        "dataset_id": dataset.to_string(),
        "output": output.display().to_string(),
        "codes": rows,
        "translated": found,
        "code_year": year,
    });
    Ok(session.done(object, "", receipt.as_ref()))
}
