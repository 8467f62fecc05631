//! States of a register: who was in it on a day, as a table; and those in use no more, to be destroyed.

use std::path::PathBuf;

use renkei_api::following_request_id;
use renkei_api::v1::{
    DestroySnapshotRequest, ListSupersededRequest, SnapshotKept, StateOnHeader, StateOnRequest,
    SupersededSnapshot,
};
use renkei_tables::{Column, TableWriter};
use renkei_types::DatasetId;
use serde_json::{Value, json};

use super::error::BrokerError;
use super::names::short;
use super::session::{self, ConfirmArgument, RequestArgument, Session, code_year};
use super::written_table::{self, ExactArgument};
use crate::environment::Environment;
use crate::failure::{Exit, Failure};
use crate::json;
use crate::progress::Progress;
use crate::text_table::text_table;

#[derive(clap::Args, Debug)]
pub(crate) struct StateArguments {
    /// The register
    dataset: DatasetId,
    /// Code of the purpose; that of the agreement
    #[arg(long, value_name = "CODE")]
    purpose: String,
    /// The day on which it was so: a base date (基準日)
    #[arg(long, value_name = "DAY")]
    on: jiff::civil::Date,
    /// The day by which it was known; today otherwise
    #[arg(long, value_name = "DAY")]
    known: Option<jiff::civil::Date>,
    /// Where the records go: .csv, .xlsx or .parquet
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    exact: ExactArgument,
}

#[derive(clap::Args, Debug)]
pub(crate) struct RetentionArguments {
    /// The register
    dataset: DatasetId,
    #[command(flatten)]
    confirm: ConfirmArgument,
    #[command(flatten)]
    request: RequestArgument,
}

/// Writes who was in a register on a day. Invariant: the file has every record once, all of one state of the register, or
/// it does not appear.
pub(super) async fn write(
    session: &Session<'_>,
    arguments: &StateArguments,
) -> Result<Exit, Failure> {
    let StateArguments { dataset, purpose, on, known, output, exact } = arguments;
    let mut table: Option<(TableWriter, StateOnHeader)> = None;
    let environment = session.environment;
    let progress = Progress::lines(environment, "receiving", "受信", 0);
    let mut backoff = session.connection.backoff();
    loop {
        let has = table.as_ref().map_or(0, |(writer, _)| writer.rows());
        let request = StateOnRequest {
            dataset_id: dataset.to_string(),
            purpose: purpose.clone(),
            on: on.to_string(),
            known: known.map(|day| day.to_string()).unwrap_or_default(),
            from_record: has,
            snapshot_id: table.as_ref().map(|(_, of)| of.snapshot_id.clone()).unwrap_or_default(),
        };
        let mut answers = session.stream(request).await?;
        let broken = loop {
            let answer = match answers.next().await {
                Ok(Some(answer)) => answer,
                Ok(None) => break None,
                Err(rejection) => break Some(rejection),
            };
            if let (None, Some(header)) = (&table, answer.header) {
                let fields = header.fields.iter().map(Column::text);
                let columns: Vec<Column> =
                    [Column::text("register_id")].into_iter().chain(fields).collect();
                table = Some((exact.create(output, &columns)?, header));
            }
            let bad = || BrokerError::Answer { what: "records that do not follow" };
            let (writer, header) = table.as_mut().ok_or_else(bad)?;
            if answer.first_record != writer.rows() {
                return Err(bad().into());
            }
            for record in &answer.records {
                let fields = record.cells.iter().map(|cell| &cell.field);
                if !fields.eq(&header.fields) {
                    return Err(BrokerError::Answer { what: "a record of other fields" }.into());
                }
                let mut cells = vec![record.register_id.as_str()];
                cells.extend(record.cells.iter().map(|cell| cell.value.as_str()));
                writer.row(cells)?;
            }
            if !answer.records.is_empty() {
                backoff.reset();
            }
            progress.set(writer.rows());
        };
        if !session::resumes(&mut backoff, broken).await? {
            break;
        }
    }
    let all = |(writer, header): &(TableWriter, StateOnHeader)| writer.rows() == header.records;
    let short = || BrokerError::Answer { what: "fewer records than there are" };
    let (writer, header) = table.filter(all).ok_or_else(short)?;
    drop(progress);
    written_table::finish(writer, environment)?;
    say(environment, &header);
    let object = json!({
        "dataset_id": dataset.to_string(),
        "snapshot_id": header.snapshot_id,
        "on": on.to_string(),
        "output": output.display().to_string(),
        "records": header.records,
        "undated": header.undated,
        "notice": header.notice,
        "code_year": code_year(header.code_year),
    });
    Ok(session.done(object, "", header.receipt.as_ref()))
}

fn say(environment: &Environment, header: &StateOnHeader) {
    let StateOnHeader { records, undated, .. } = header;
    environment.note(&format!("{records} records"), &format!("{records} 件"));
    if *undated > 0 {
        environment.warn(
            &format!(
                "{undated} records have no day of the event and count as having been so for ever"
            ),
            &format!("{undated} 件は異動日がないため、以前からその状態だったものとして扱いました"),
        );
    }
    if !header.notice.is_empty() {
        let notice = &header.notice;
        environment.warn(
            &format!("{notice}: addresses are withheld of everybody"),
            &format!("{notice}: 全員の住所を伏せています"),
        );
    }
}

/// Shows the states of a register that are in use no more, and destroys those that are due.
pub(super) async fn retain(
    session: &Session<'_>,
    arguments: &RetentionArguments,
) -> Result<Exit, Failure> {
    let RetentionArguments { dataset, confirm, request } = arguments;
    let dataset_id = dataset.to_string();
    let call = ListSupersededRequest { dataset_id: dataset_id.clone() };
    let states = session.ask(call).await?.snapshots;
    let due: Vec<&SupersededSnapshot> = states.iter().filter(|state| is_due(state)).collect();
    let mut destroyed = Vec::new();
    if confirm.yes {
        let errand = session.request_id(*request);
        for state in &due {
            // Each state is destroyed under an id of its own, which is the same when the errand is repeated.
            let call = DestroySnapshotRequest {
                request_id: following_request_id(&errand, &state.snapshot_id).to_string(),
                dataset_id: dataset_id.clone(),
                snapshot_id: state.snapshot_id.clone(),
            };
            session.change(&errand, call).await?;
            destroyed.push(state.snapshot_id.clone());
        }
    }
    let environment = session.environment;
    if environment.json {
        json::print(&json!({
            "dataset_id": dataset_id,
            "dry_run": !confirm.yes,
            "destroyed": destroyed,
            "snapshots": states.iter().map(state_json).collect::<Vec<_>>(),
        }));
        return Ok(Exit::Done);
    }
    let say = |english, japanese| environment.say(english, japanese);
    let header = vec![
        say("snapshot", "スナップショット"),
        say("deltas", "差分"),
        say("superseded", "差替日"),
        say("needed until", "保存期限"),
        say("stays for", "残る理由"),
    ];
    let mut table = text_table(header, &[1]);
    for state in &states {
        let reason = words(state, environment);
        let deltas = state.deltas.to_string();
        let (on, until) = (state.superseded_on.as_str(), state.needed_until.as_str());
        table.add_row(vec![state.snapshot_id.as_str(), &deltas, on, until, reason]);
    }
    print_line!("{table}");
    let (due, done) = (due.len(), destroyed.len());
    if confirm.yes {
        environment.note(&format!("destroyed: {done}"), &format!("消去: {done} 件"));
    } else if due > 0 {
        environment.note(
            &format!("would destroy the keys of {due} states for good; add --yes to do it"),
            &format!(
                "{due} 件の鍵を消去します（元に戻せません）。実行するには --yes を付けてください"
            ),
        );
    }
    Ok(Exit::Done)
}

fn is_due(state: &SupersededSnapshot) -> bool {
    !state.destroyed && state.kept() == SnapshotKept::Nothing
}

fn state_json(state: &SupersededSnapshot) -> Value {
    let day = |day: &str| if day.is_empty() { Value::Null } else { json!(day) };
    let kept = match state.kept() {
        SnapshotKept::Nothing | SnapshotKept::Unspecified => Value::Null,
        kept @ (SnapshotKept::NoTerm
        | SnapshotKept::Term
        | SnapshotKept::Job
        | SnapshotKept::List) => json!(short(kept.as_str_name(), "SNAPSHOT_KEPT_")),
    };
    json!({
        "snapshot_id": state.snapshot_id,
        "deltas": state.deltas,
        "superseded_on": day(&state.superseded_on),
        "needed_until": day(&state.needed_until),
        "kept": kept,
        "due": is_due(state),
        "destroyed": state.destroyed,
    })
}

/// Why a state stays, for people.
fn words(state: &SupersededSnapshot, environment: &Environment) -> &'static str {
    let say = |english, japanese| environment.language.pick(english, japanese);
    match state.kept() {
        _ if state.destroyed => say("destroyed", "消去済み"),
        SnapshotKept::Nothing => say("nothing: due", "なし（消去対象）"),
        SnapshotKept::NoTerm => say("no agreement says how long", "保存期間の取決めがない"),
        SnapshotKept::Term => say("its time is not over", "保存期間内"),
        SnapshotKept::Job => say("a job waits for it", "待機中の照合がある"),
        SnapshotKept::List => say("a list still has a step to go", "処理中のリストがある"),
        SnapshotKept::Unspecified => say("unknown", "不明"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nothing_keeps_and_nobody_has_destroyed_is_due() {
        let state = |kept: SnapshotKept, destroyed| SupersededSnapshot {
            kept: kept.into(),
            destroyed,
            ..SupersededSnapshot::default()
        };
        assert!(is_due(&state(SnapshotKept::Nothing, false)));
        assert!(!is_due(&state(SnapshotKept::Nothing, true)));
        for kept in [SnapshotKept::Term, SnapshotKept::List, SnapshotKept::Unspecified] {
            assert!(!is_due(&state(kept, false)), "{kept:?}");
        }
        assert_eq!(state_json(&state(SnapshotKept::NoTerm, false))["kept"], "NO_TERM");
        assert_eq!(state_json(&state(SnapshotKept::Nothing, false))["kept"], Value::Null);
    }
}
