//! `renkei audit subject`: what a person is told who asks who used their data, when, for what, under which basis.
//!
//! Whoever runs it has made sure who asks. An empty answer has one wording whatever its reason, so that neither the person
//! at the counter nor the one behind it learns that somebody is protected (支援措置).

use std::path::{Path, PathBuf};

use clap::Args;
use renkei_api::v1::{
    HeldSubjectsRequest, ReleaseSubjectRequest, SubjectEntry, SubjectReportRequest, SubjectUse,
};
use renkei_types::{DatasetId, EventId, Language};
use serde_json::{Value, json};

use super::code_words::basis;
use super::identify::tell_notice;
use super::names::short;
use super::new_file::NewFile;
use super::session::{RequestArgument, Session, local_time, plain};
use crate::environment::Environment;
use crate::failure::{CommandError, Exit, Failure};
use crate::text_table::text_table;
use crate::words;

#[derive(Args, Debug)]
pub(crate) struct SubjectArguments {
    /// The register
    dataset: DatasetId,
    /// Every id under which the register knows or has known the person
    #[arg(long = "id", value_name = "RESIDENT_ID", required = true)]
    ids: Vec<String>,
    /// An agent asks for the person: the answer goes another way
    #[arg(long)]
    proxy: bool,
    #[command(flatten)]
    proofs: ProofsArgument,
    #[command(flatten)]
    request: RequestArgument,
}

#[derive(Args, Debug)]
pub(crate) struct ReleaseArguments {
    /// The register
    dataset: DatasetId,
    /// The question, as `audit subject-held` shows it
    access: EventId,
    /// The ids that were asked about
    #[arg(long = "id", value_name = "RESIDENT_ID", required = true)]
    ids: Vec<String>,
    #[command(flatten)]
    proofs: ProofsArgument,
    #[command(flatten)]
    request: RequestArgument,
}

#[derive(Args, Debug)]
struct ProofsArgument {
    /// Write a proof of each entry into this folder, which must be absent or empty; see `audit verify-entries`
    #[arg(long, value_name = "DIR")]
    proofs: Option<PathBuf>,
}

pub(super) async fn tell(
    session: &Session<'_>,
    arguments: &SubjectArguments,
) -> Result<Exit, Failure> {
    let folder = arguments.proofs.begin()?;
    let request_id = session.request_id(arguments.request);
    let call = SubjectReportRequest {
        request_id: request_id.to_string(),
        dataset_id: arguments.dataset.to_string(),
        resident_ids: arguments.ids.clone(),
        by_proxy: arguments.proxy,
        with_proofs: folder.is_some(),
    };
    let told = session.change(&request_id, call).await?;
    write_proofs(folder, &told.entries)?;
    tell_notice(&told.notice, session.environment);
    show(session.environment, &told.entries);
    if told.entries.is_empty() {
        say_nothing_is_told(session.environment);
    }
    let object = json!({
        "event_id": told.event_id,
        "entries": told.entries.iter().map(entry_json).collect::<Vec<_>>(),
        "notice": told.notice,
    });
    Ok(session.done(object, "", told.receipt.as_ref()))
}

/// What is said where there is nothing, whatever the reason.
pub(super) fn say_nothing_is_told(environment: &Environment) {
    environment.note(
        "nothing can be told here; if there is something to be told in another way, the office tells the person itself",
        "この窓口でお知らせできる記録はありません。別の方法でお知らせする事項がある場合は、担当課からご本人に連絡します",
    );
}

pub(super) async fn held(session: &Session<'_>, dataset: DatasetId) -> Result<Exit, Failure> {
    let call = HeldSubjectsRequest { dataset_id: dataset.to_string() };
    let answer = session.ask(call).await?;
    let environment = session.environment;
    let header = vec![
        environment.say("question", "照会番号"),
        environment.say("asked at", "受付日時"),
        environment.say("asked by", "受付者"),
        environment.say("by an agent", "代理人"),
    ];
    let mut table = text_table(header, &[]);
    for one in &answer.held {
        let proxy = if one.by_proxy { environment.say("yes", "はい") } else { "" };
        let (asked_at, asked_by) = (local_time(&one.asked_at), plain(&one.asked_by));
        table.add_row(vec![plain(&one.event_id), asked_at, asked_by, proxy.to_owned()]);
    }
    if !environment.json && !answer.held.is_empty() {
        print_line!("{table}");
    }
    let held = answer.held.iter().map(|one| {
        json!({
            "event_id": one.event_id,
            "asked_at": one.asked_at,
            "asked_by": one.asked_by,
            "by_proxy": one.by_proxy,
        })
    });
    let object = json!({"held": held.collect::<Vec<_>>()});
    Ok(session.done(object, "", answer.receipt.as_ref()))
}

pub(super) async fn release(
    session: &Session<'_>,
    arguments: &ReleaseArguments,
) -> Result<Exit, Failure> {
    let folder = arguments.proofs.begin()?;
    let request_id = session.request_id(arguments.request);
    let call = ReleaseSubjectRequest {
        request_id: request_id.to_string(),
        dataset_id: arguments.dataset.to_string(),
        event_id: arguments.access.to_string(),
        resident_ids: arguments.ids.clone(),
        with_proofs: folder.is_some(),
    };
    let told = session.change(&request_id, call).await?;
    write_proofs(folder, &told.entries)?;
    show(session.environment, &told.entries);
    let entries: Vec<Value> = told.entries.iter().map(entry_json).collect();
    Ok(session.done(json!({"entries": entries}), "", told.receipt.as_ref()))
}

impl ProofsArgument {
    /// The folder, made before anything is asked: what is told once must not be lost for want of a place.
    fn begin(&self) -> Result<Option<&Path>, Failure> {
        let Some(folder) = &self.proofs else { return Ok(None) };
        let unusable = |error| CommandError::file(folder, error);
        fs_err::create_dir_all(folder).map_err(unusable)?;
        if fs_err::read_dir(folder).map_err(unusable)?.next().is_some() {
            let taken = std::io::Error::from(std::io::ErrorKind::DirectoryNotEmpty);
            return Err(unusable(taken).into());
        }
        Ok(Some(folder))
    }
}

/// One file for each entry, in their order.
fn write_proofs(folder: Option<&Path>, entries: &[SubjectEntry]) -> Result<(), Failure> {
    let Some(folder) = folder else { return Ok(()) };
    for (number, entry) in (1..).zip(entries) {
        let path = folder.join(format!("entry-{number:04}.json"));
        let mut file = NewFile::create(&path)?;
        file.write(&entry.proof)?;
        file.finish()?;
    }
    Ok(())
}

fn show(environment: &Environment, entries: &[SubjectEntry]) {
    if environment.json || entries.is_empty() {
        return;
    }
    let header = vec![
        environment.say("time", "日時"),
        environment.say("for whom", "照会者"),
        environment.say("from whom", "提供者"),
        environment.say("fields", "項目"),
        environment.say("purpose", "事務"),
        environment.say("legal basis", "根拠"),
        environment.say("what was done", "内容"),
    ];
    let mut table = text_table(header, &[]);
    let language = environment.language;
    for entry in entries {
        let fields: Vec<String> =
            entry.fields.iter().map(|field| words::field(language, field)).collect();
        table.add_row(vec![
            local_time(&entry.time),
            plain(&entry.requester),
            plain(&entry.provider),
            plain(&fields.join(language.pick(" ", "、"))),
            plain(&entry.purpose),
            basis(&entry.legal_basis, language),
            use_words(entry.r#use(), language).to_owned(),
        ]);
    }
    print_line!("{table}");
}

fn use_words(done: SubjectUse, language: Language) -> &'static str {
    let (english, japanese) = match done {
        SubjectUse::Unspecified => ("", ""),
        SubjectUse::Linked => ("linked to a line of a list", "名簿の行と照合し一致"),
        SubjectUse::Compared => {
            ("compared with a line of a list, not linked", "名簿の行と照合（一致としない）")
        }
        SubjectUse::Answered => ("shown in the answer to a question", "照会への回答"),
    };
    language.pick(english, japanese)
}

fn entry_json(entry: &SubjectEntry) -> Value {
    json!({
        "time": entry.time,
        "requester": entry.requester,
        "provider": entry.provider,
        "fields": entry.fields,
        "purpose": entry.purpose,
        "legal_basis": entry.legal_basis,
        "use": short(entry.r#use().as_str_name(), "SUBJECT_USE_"),
        "operation": entry.operation,
        "leaf_index": entry.leaf_index,
    })
}
