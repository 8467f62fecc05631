//! `renkei code`: link codes, by which a consumer knows residents whose ids it is not given.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use renkei_api::v1::TranslateCodesRequest;
use renkei_tables::{Column, ReadOptions, TableReader, TableWriter};
use renkei_types::DatasetId;
use serde_json::json;

use super::error::BrokerError;
use super::session::{self, Session};
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
    },
}

pub(super) fn run(command: &CodeCommand, environment: &Environment) -> Result<Exit, Failure> {
    let CodeCommand::Translate { dataset, input, output } = command;
    let codes = read(input)?;
    session::with(environment, async |session| translate(session, *dataset, &codes, output).await)
}

/// The codes of a file, each once.
fn read(path: &Path) -> Result<Vec<String>, Failure> {
    let mut reader = TableReader::open(path, &ReadOptions::default())?;
    let column = reader.header().iter().position(|name| name.trim() == "register_id");
    let file = path.display().to_string();
    let column = column.ok_or(CommandError::ColumnMissing { file, column: "register_id" })?;
    let mut codes = BTreeSet::new();
    while let Some(batch) = reader.next_batch()? {
        let cells = (0..batch.rows()).map(|row| batch.cell(column, row).trim());
        codes.extend(cells.filter(|code| !code.is_empty()).map(str::to_owned));
    }
    Ok(codes.into_iter().collect())
}

async fn translate(
    session: &Session<'_>,
    dataset: DatasetId,
    codes: &[String],
    output: &Path,
) -> Result<Exit, Failure> {
    let columns = [Column::text("old_code"), Column::text("new_code")];
    let mut writer = TableWriter::create(output, &columns)?;
    let environment = session.environment;
    let progress = Progress::lines(environment, "translating", "変換", codes.len() as u64);
    let (mut found, mut receipt, mut year) = (0u64, None, 0);
    for some in codes.chunks(CODES_MAX) {
        let call = TranslateCodesRequest { dataset_id: dataset.to_string(), codes: some.to_vec() };
        let answer = session.ask(call).await?;
        if answer.codes.len() != some.len() {
            return Err(
                BrokerError::Answer { what: "more or fewer codes than were asked for" }.into()
            );
        }
        for (old, new) in some.iter().zip(&answer.codes) {
            found += u64::from(!new.is_empty());
            writer.row([old.as_str(), new.as_str()])?;
        }
        (receipt, year) = (answer.receipt, answer.code_year);
        progress.set(writer.rows());
    }
    let rows = writer.rows();
    writer.finish()?;
    drop(progress);
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
