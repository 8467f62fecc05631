//! `renkei dataset`: registers that agencies provide.

use std::path::PathBuf;

use clap::Subcommand;
use renkei_api::v1::{
    ApplyRequest, ApplyResponse, CreateDatasetRequest, Dataset, OpenUploadRequest,
    ReportProtectedRequest, ReportProtectedResponse, SealRequest, ShowRequest, Totals,
    WithdrawRequest,
};
use renkei_api::{Uploaded, following_request_id};
use renkei_tables::{Column, Schema, Side, TableWriter};
use renkei_types::{AgencyId, DatasetId, RequestId, Slug};
use serde_json::{Value, json};

use super::control_totals::{ShapeArguments, count, count_lines};
use super::error::BrokerError;
use super::session::{
    self, ConfirmArgument, RequestArgument, Session, digest_json, plain, totals_json,
};
use super::states::{self, RetentionArguments, StateArguments};
use super::{protection, unknown_ids};
use crate::environment::Environment;
use crate::failure::{Exit, Failure};
use crate::handover::{self, HandoverList};
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
        name: Slug,
        /// Its name for people
        #[arg(long, value_name = "TEXT")]
        title: String,
        /// The fields it may have; all of the resident register otherwise
        #[arg(long, value_name = "FIELD,...", value_delimiter = ',')]
        fields: Vec<String>,
        /// The fields of a list that offices hand over, such as L1 (`dataset template`)
        #[arg(long, value_name = "CODE", conflicts_with = "fields")]
        template: Option<String>,
        #[command(flatten)]
        request: RequestArgument,
    },
    /// Show the lists L1 to L12 that offices hand to each other, or the columns of one; no broker is asked
    Template {
        /// The list, such as L9
        code: Option<String>,
        /// Write an empty table with its columns (.csv, .xlsx or .parquet)
        #[arg(long, value_name = "FILE", requires = "code")]
        output: Option<PathBuf>,
    },
    /// Upload a register's next snapshot and switch to it
    Upload(UploadArguments),
    /// Send what has changed of a register, and apply it while the register serves
    Apply(ApplyArguments),
    /// Report whose protection (支援措置) has begun, changed or ended; an empty file says that nothing has changed
    Protect(ApplyArguments),
    /// Show how the protection of persons (支援措置) stands: how many, and whose periods end; names nobody
    Protection {
        /// The register
        dataset: DatasetId,
    },
    /// End every use of a register at once; a dry run until --yes
    Withdraw {
        /// The register
        dataset: DatasetId,
        /// Destroy the keys of its data too; this cannot be undone
        #[arg(long)]
        destroy: bool,
        #[command(flatten)]
        confirm: ConfirmArgument,
        #[command(flatten)]
        request: RequestArgument,
    },
    /// Write who was in a register on a day, as known by a day
    State(StateArguments),
    /// Show the states of a register that are in use no more, and destroy those that are due; a dry run until --yes
    Retention(RetentionArguments),
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

#[derive(clap::Args, Debug)]
pub(crate) struct ApplyArguments {
    /// The register
    dataset: DatasetId,
    /// The file: the register's columns, and one named operation or 異動区分 (add, change, remove; 追加, 変更, 削除)
    file: PathBuf,
    /// The delta's number: one more than that of the last one
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    number: u64,
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
        DatasetCommand::Template { code, output } => {
            template(code.as_deref(), output.as_deref(), environment)
        }
        DatasetCommand::Create { provider, name, title, fields, template, request } => {
            let fields = match template {
                Some(code) => template_fields(code)?,
                None if fields.is_empty() => register_fields(),
                None => fields.clone(),
            };
            session::with(environment, async |session| {
                let id = session.request_id(*request);
                let call = CreateDatasetRequest {
                    request_id: id.to_string(),
                    provider: provider.to_string(),
                    name: name.to_string(),
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
            let counted =
                || Ok(count(&arguments.file, &arguments.shape, Side::Register, environment)?.lines);
            let lines = arguments.lines.map_or_else(counted, Ok::<u64, Failure>)?;
            session::with(environment, async |session| upload(session, arguments, lines).await)
        }
        DatasetCommand::Apply(arguments) => {
            let counted =
                || Ok(count(&arguments.file, &arguments.shape, Side::Register, environment)?.lines);
            let lines = arguments.lines.map_or_else(counted, Ok::<u64, Failure>)?;
            session::with(environment, async |session| apply(session, arguments, lines).await)
        }
        DatasetCommand::Protect(arguments) => {
            let lines = match arguments.lines {
                Some(lines) => lines,
                None => count_lines(&arguments.file, &arguments.shape)?,
            };
            session::with(environment, async |session| protect(session, arguments, lines).await)
        }
        DatasetCommand::Protection { dataset } => {
            session::with(environment, async |session| protection::show(session, *dataset).await)
        }
        DatasetCommand::Withdraw { dataset, destroy, confirm, request } => {
            session::with(environment, async |session| {
                let id = session.request_id(*request);
                let call = WithdrawRequest {
                    request_id: id.to_string(),
                    dataset_id: dataset.to_string(),
                    destroy: *destroy,
                    dry_run: !confirm.yes,
                };
                let answer = session.change(&id, call).await?;
                if !confirm.yes {
                    return Ok(say_what_would_be_withdrawn(*dataset, *destroy, environment));
                }
                let object = json!({
                    "dataset_id": dataset.to_string(),
                    "keys_destroyed": answer.keys_destroyed,
                });
                Ok(session.done(object, &dataset.to_string(), answer.receipt.as_ref()))
            })
        }
        DatasetCommand::State(arguments) => {
            session::with(environment, async |session| states::write(session, arguments).await)
        }
        DatasetCommand::Retention(arguments) => {
            session::with(environment, async |session| states::retain(session, arguments).await)
        }
        DatasetCommand::List => session::with(environment, list),
    }
}

/// Every field of a resident register: those by which lines are linked, and those that payments and protection need.
fn register_fields() -> Vec<String> {
    let schema = Schema::resident_payment();
    let of_register = schema.fields.into_iter().flat_map(|field| field.register);
    let further = ["household_id", "date_of_event", "date_processed", "protected"];
    let further = further.iter().map(|&field| field.to_owned());
    schema.id.register.into_iter().chain(of_register).chain(further).collect()
}

fn known_list(code: &str) -> Result<HandoverList, BrokerError> {
    handover::list(code).ok_or(BrokerError::UnknownTemplate)
}

/// The fields of a register that a handed-over list has.
fn template_fields(code: &str) -> Result<Vec<String>, BrokerError> {
    let known = register_fields();
    let columns = known_list(code)?.columns;
    let fields = columns.into_iter().filter_map(|column| column.field).map(str::to_owned);
    let fields: Vec<String> = fields.filter(|field| known.contains(field)).collect();
    // What says who exists has ids and names; other lists are tables or lists of a programme.
    let register = ["resident_id", "name_kanji"];
    if register.iter().all(|field| fields.iter().any(|known| known == field)) {
        Ok(fields)
    } else {
        Err(BrokerError::NoRegisterTemplate)
    }
}

fn template(
    code: Option<&str>,
    output: Option<&std::path::Path>,
    environment: &Environment,
) -> Result<Exit, Failure> {
    let Some(code) = code else {
        let say = |english, japanese| environment.say(english, japanese);
        let header = vec![
            say("list", "リスト"),
            say("name", "名称"),
            say("from", "提供元"),
            say("to", "提供先"),
        ];
        let mut table = text_table(header, &[]);
        let lists = handover::lists();
        if environment.json {
            json::print(&json!({"lists": lists.iter().map(template_json).collect::<Vec<_>>()}));
            return Ok(Exit::Done);
        }
        for list in lists {
            let name = environment.say(list.english, list.japanese);
            table.add_row(vec![list.code, name, list.from, list.to]);
        }
        print_line!("{table}");
        return Ok(Exit::Done);
    };
    let list = known_list(code)?;
    if let Some(path) = output {
        let columns: Vec<Column> =
            list.columns.iter().map(|column| Column::text(column.header)).collect();
        TableWriter::create(path, &columns)?.finish()?;
    }
    if environment.json {
        json::print(&template_json(&list));
    } else if output.is_none() {
        let say = |english, japanese| environment.say(english, japanese);
        let header = vec![
            say("column", "列"),
            say("field", "項目"),
            say("needed", "必須"),
            say("note", "備考"),
        ];
        let mut table = text_table(header, &[]);
        for column in &list.columns {
            let needed = if column.needed { "✓" } else { "" };
            table.add_row(vec![column.header, column.field.unwrap_or(""), needed, column.note]);
        }
        print_line!("{table}");
        let text = list.reconciles;
        environment.note(&format!("reconciles: {text}"), &format!("突合: {text}"));
    }
    Ok(Exit::Done)
}

fn template_json(list: &HandoverList) -> Value {
    let column = |column: &handover::HandoverColumn| {
        json!({
            "header": column.header,
            "field": column.field,
            "needed": column.needed,
            "note": column.note,
        })
    };
    json!({
        "list": list.code,
        "name_japanese": list.japanese,
        "name_english": list.english,
        "from": list.from,
        "to": list.to,
        "reconciles": list.reconciles,
        "columns": list.columns.iter().map(column).collect::<Vec<_>>(),
    })
}

/// Opens an upload and sends a file. Once it is open, the same request id finds it again.
async fn send(
    session: &Session<'_>,
    id: &RequestId,
    open: OpenUploadRequest,
    file: &std::path::Path,
) -> Result<(String, Uploaded), Failure> {
    let open = OpenUploadRequest { request_id: id.to_string(), ..open };
    let upload_id = session.change(id, open).await?.upload_id;
    let uploaded = session.upload(&upload_id, file).await;
    let uploaded = uploaded.inspect_err(|_| session.say_how_to_repeat(id))?;
    Ok((upload_id, uploaded))
}

async fn upload(
    session: &Session<'_>,
    arguments: &UploadArguments,
    lines: u64,
) -> Result<Exit, Failure> {
    let id = session.request_id(arguments.request);
    let open = OpenUploadRequest {
        dataset_id: arguments.dataset.to_string(),
        shape: Some(arguments.shape.shape()?),
        ..OpenUploadRequest::default()
    };
    let (upload_id, uploaded) = send(session, &id, open, &arguments.file).await?;
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

fn say_what_would_be_withdrawn(
    dataset: DatasetId,
    destroy: bool,
    environment: &Environment,
) -> Exit {
    if environment.json {
        json::print(&json!({"dataset_id": dataset.to_string(), "dry_run": true}));
        return Exit::Done;
    }
    if destroy {
        environment.note(
            &format!("would destroy the keys of {dataset}, which another person has withdrawn, for good; add --yes to do it"),
            &format!("別の人が提供をやめた {dataset} のデータの鍵を消去します（元に戻せません）。実行するには --yes を付けてください"),
        );
    } else {
        environment.note(
            &format!("would end every use of {dataset} at once and keep its data; add --yes to do it"),
            &format!("{dataset} の利用を直ちにすべて終了します（データは残します）。実行するには --yes を付けてください"),
        );
    }
    Exit::Done
}

async fn apply(
    session: &Session<'_>,
    arguments: &ApplyArguments,
    lines: u64,
) -> Result<Exit, Failure> {
    let id = session.request_id(arguments.request);
    let open = OpenUploadRequest {
        dataset_id: arguments.dataset.to_string(),
        shape: Some(arguments.shape.shape()?),
        delta: arguments.number,
        ..OpenUploadRequest::default()
    };
    let (upload_id, uploaded) = send(session, &id, open, &arguments.file).await?;
    let apply = ApplyRequest {
        request_id: following_request_id(&id, "apply").to_string(),
        upload_id: upload_id.clone(),
        bytes: uploaded.bytes,
        sha256: uploaded.sha256.as_bytes().to_vec(),
        records: lines,
    };
    let applied = session.change(&id, apply).await?;
    let ApplyResponse { number, added, changed, removed, .. } = applied;
    session.environment.note(
        &format!("delta {number}: {added} added, {changed} changed, {removed} removed"),
        &format!("差分 {number}: 追加 {added} 件、変更 {changed} 件、削除 {removed} 件"),
    );
    let object = json!({
        "dataset_id": arguments.dataset.to_string(),
        "upload_id": upload_id,
        "snapshot_id": applied.snapshot_id,
        "number": number,
        "bytes": uploaded.bytes,
        "sha256": uploaded.sha256.to_string(),
        "added": added,
        "changed": changed,
        "removed": removed,
    });
    Ok(session.done(object, &applied.snapshot_id, applied.receipt.as_ref()))
}

async fn protect(
    session: &Session<'_>,
    arguments: &ApplyArguments,
    lines: u64,
) -> Result<Exit, Failure> {
    let id = session.request_id(arguments.request);
    let open = OpenUploadRequest {
        dataset_id: arguments.dataset.to_string(),
        shape: Some(arguments.shape.shape()?),
        protection: arguments.number,
        ..OpenUploadRequest::default()
    };
    let (upload_id, uploaded) = send(session, &id, open, &arguments.file).await?;
    let report = ReportProtectedRequest {
        request_id: following_request_id(&id, "report").to_string(),
        upload_id: upload_id.clone(),
        bytes: uploaded.bytes,
        sha256: uploaded.sha256.as_bytes().to_vec(),
        records: lines,
    };
    let reported = session.change(&id, report).await?;
    let ReportProtectedResponse { number, persons, overdue, unknown, .. } = reported;
    session.environment.note(
        &format!("report {number}: {persons} persons are protected"),
        &format!("報告 {number}: 支援措置の対象は {persons} 人"),
    );
    if overdue > 0 {
        protection::warn_of_overdue(session, overdue);
    }
    let object = json!({
        "dataset_id": arguments.dataset.to_string(),
        "upload_id": upload_id,
        "number": number,
        "persons": persons,
        "overdue": overdue,
        "unknown": unknown_ids::to_json(unknown.as_ref()),
    });
    unknown_ids::warn(unknown.as_ref(), session.environment);
    Ok(session.done(object, &number.to_string(), reported.receipt.as_ref()))
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
        environment.say("last delta", "最終差分"),
    ];
    let mut table = text_table(header, &[4, 5]);
    for dataset in &datasets {
        table.add_row(vec![
            plain(&dataset.dataset_id),
            plain(&dataset.provider),
            plain(&dataset.name),
            plain(&dataset.title),
            dataset.records.to_string(),
            dataset.deltas.to_string(),
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
        "deltas": dataset.deltas,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_of_a_register_gives_its_fields_and_others_say_what_they_are() {
        let fields = template_fields("l1").map_err(|_| "refused").expect("a register");
        assert!(fields.contains(&"protected".to_owned()) && !fields.contains(&"amount".to_owned()));
        assert!(matches!(template_fields("L5"), Err(BrokerError::NoRegisterTemplate)));
        assert!(matches!(template_fields("L13"), Err(BrokerError::UnknownTemplate)));
    }

    #[test]
    fn a_register_has_no_amounts() {
        let fields = register_fields();
        for field in ["resident_id", "household_id", "name_kanji", "building", "protected"] {
            assert!(fields.iter().any(|known| known == field), "{field}");
        }
        assert!(!fields.iter().any(|field| field == "amount"));
    }
}
