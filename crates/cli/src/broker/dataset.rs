//! `renkei dataset`: registers that agencies provide.

use std::path::PathBuf;

use clap::Subcommand;
use renkei_api::following_request_id;
use renkei_api::v1::{
    CreateDatasetRequest, Dataset, OpenUploadRequest, SealRequest, ShowRequest, Totals,
};
use renkei_tables::{Schema, Side};
use renkei_types::{AgencyId, DatasetId};
use serde_json::{Value, json};

use super::control_totals::{ShapeArguments, count};
use super::session::{self, RequestArgument, Session, digest_json, plain, totals_json};
use crate::environment::Environment;
use crate::failure::{Exit, Failure};
use crate::json;
use crate::text_table::text_table;

#[derive(Debug, Subcommand)]
pub(crate) enum DatasetCommand {
    /// Announce a register
    Create {
        /// The agency that provides it, such as 131016/residents
        #[arg(long, value_name = "AGENCY")]
        provider: AgencyId,
        /// A short name, unique within the agency
        #[arg(long, value_name = "NAME")]
        name: String,
        /// Its name for people
        #[arg(long, value_name = "TEXT")]
        title: String,
        /// The fields it may have; all of the resident register otherwise
        #[arg(long, value_name = "FIELD,...", value_delimiter = ',')]
        fields: Vec<String>,
        #[command(flatten)]
        request: RequestArgument,
    },
    /// Upload a register's next snapshot and switch to it
    Upload(UploadArguments),
    /// Show every dataset
    List,
}

#[derive(clap::Args, Debug)]
pub(crate) struct UploadArguments {
    /// The register
    dataset: DatasetId,
    /// The file
    file: PathBuf,
    /// How many lines it has; counted here otherwise
    #[arg(long, value_name = "N")]
    lines: Option<u64>,
    #[command(flatten)]
    shape: ShapeArguments,
    #[command(flatten)]
    request: RequestArgument,
}

pub(super) fn run(command: &DatasetCommand, environment: &Environment) -> Result<Exit, Failure> {
    match command {
        DatasetCommand::Create { provider, name, title, fields, request } => {
            session::with(environment, async |session| {
                let id = session.request_id(*request);
                let fields = if fields.is_empty() { register_fields() } else { fields.clone() };
                let call = CreateDatasetRequest {
                    request_id: id.to_string(),
                    provider: provider.to_string(),
                    name: name.clone(),
                    title: title.clone(),
                    fields,
                };
                let answer = session.change(&id, call).await?;
                let object = json!({"dataset_id": answer.dataset_id});
                Ok(session.done(object, &answer.dataset_id, answer.receipt.as_ref()))
            })
        }
        DatasetCommand::Upload(arguments) => {
            // Counting reads the whole file, and tells what is wrong with it before anything is sent.
            let lines = match arguments.lines {
                Some(lines) => lines,
                None => {
                    count(&arguments.file, &arguments.shape, Side::Register, environment)?.lines
                }
            };
            session::with(environment, async |session| upload(session, arguments, lines).await)
        }
        DatasetCommand::List => session::with(environment, list),
    }
}

/// Every field of a resident register.
fn register_fields() -> Vec<String> {
    let schema = Schema::resident_payment();
    let of_register = schema.fields.into_iter().filter(|field| !field.register.is_empty());
    of_register.map(|field| field.name).collect()
}

async fn upload(
    session: &Session<'_>,
    arguments: &UploadArguments,
    lines: u64,
) -> Result<Exit, Failure> {
    let id = session.request_id(arguments.request);
    let open = OpenUploadRequest {
        request_id: id.to_string(),
        dataset_id: arguments.dataset.to_string(),
        shape: Some(arguments.shape.shape()?),
    };
    let upload_id = session.change(&id, open).await?.upload_id;
    let uploaded = session.upload(&upload_id, &arguments.file).await;
    // The upload was opened: the same request id finds it again.
    let uploaded = uploaded.inspect_err(|_| session.say_how_to_repeat(&id))?;
    let seal = SealRequest {
        request_id: following_request_id(&id, "seal").to_string(),
        upload_id: upload_id.clone(),
        bytes: uploaded.bytes,
        sha256: uploaded.sha256.as_bytes().to_vec(),
        declared: Some(Totals { lines, yen: 0 }),
    };
    let sealed = session.change(&id, seal).await?;
    session.environment.note(
        &format!("sealed: {}", session.totals(sealed.counted.as_ref())),
        &format!("確定: {}", session.totals(sealed.counted.as_ref())),
    );
    let object = json!({
        "dataset_id": arguments.dataset.to_string(),
        "upload_id": upload_id,
        "snapshot_id": sealed.snapshot_id,
        "bytes": uploaded.bytes,
        "sha256": uploaded.sha256.to_string(),
        "counted": totals_json(sealed.counted.as_ref()),
        "rejected": totals_json(sealed.rejected.as_ref()),
        "digest": digest_json(&sealed.digest),
    });
    Ok(session.done(object, &sealed.snapshot_id, sealed.receipt.as_ref()))
}

async fn list(session: &Session<'_>) -> Result<Exit, Failure> {
    let datasets = session.ask(ShowRequest {}).await?.datasets;
    let environment = session.environment;
    if environment.json {
        json::print(&json!({"datasets": datasets.iter().map(dataset_json).collect::<Vec<_>>()}));
        return Ok(Exit::Done);
    }
    let header = vec![
        environment.say("dataset", "データセット"),
        environment.say("provider", "提供機関"),
        environment.say("name", "略称"),
        environment.say("title", "名称"),
        environment.say("records", "件数"),
    ];
    let mut table = text_table(header, &[4]);
    for dataset in &datasets {
        table.add_row(vec![
            plain(&dataset.dataset_id),
            plain(&dataset.provider),
            plain(&dataset.name),
            plain(&dataset.title),
            dataset.records.to_string(),
        ]);
    }
    print_line!("{table}");
    Ok(Exit::Done)
}

fn dataset_json(dataset: &Dataset) -> Value {
    json!({
        "dataset_id": dataset.dataset_id,
        "provider": dataset.provider,
        "name": dataset.name,
        "title": dataset.title,
        "fields": dataset.fields,
        "snapshot_id": dataset.snapshot_id,
        "records": dataset.records,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_register_has_no_amounts() {
        let fields = register_fields();
        assert!(fields.iter().any(|field| field == "name_kanji"));
        assert!(!fields.iter().any(|field| field == "amount"));
    }
}
