//! `renkei list households`, `renkei list clear-household`: lines that are held back to protect somebody (DV等支援措置).
//!
//! For protectors alone. What is printed here names lines and says that somebody near them is protected; so a table that is
//! written goes to a file of its own, and nothing of it is ever part of another command's output.

use std::path::PathBuf;

use clap::Args;
use renkei_api::v1::{
    CaseState, CheckHouseholdsRequest, ClearHouseholdRequest, HouseholdFinding, HouseholdLine,
};
use renkei_tables::{Column, TableWriter};
use renkei_types::ListId;
use serde_json::json;

use super::error::BrokerError;
use super::names::short;
use super::session::{RequestArgument, Session, plain};
use crate::environment::Environment;
use crate::failure::{Exit, Failure};
use crate::text_table::text_table;

#[derive(Args, Debug)]
pub(crate) struct HouseholdsArguments {
    /// The list
    list: ListId,
    /// Write a table instead (.csv, .xlsx or .parquet)
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct ClearArguments {
    /// The list
    list: ListId,
    /// Id of the line
    line: String,
    #[command(flatten)]
    request: RequestArgument,
}

/// What a finding means, for people.
fn finding_text(finding: HouseholdFinding, environment: &Environment) -> &'static str {
    match finding {
        HouseholdFinding::ProtectedMember => environment.say(
            "protected and other persons in one household",
            "支援措置対象者とそれ以外の人が同じ世帯にいる",
        ),
        HouseholdFinding::MemberLeft => environment
            .say("somebody protected has left the household", "支援措置対象者が世帯から離れている"),
        HouseholdFinding::HolderIsOther => environment
            .say("the account is of somebody who is not protected", "口座名義が支援措置対象者以外"),
        HouseholdFinding::OtherAddress => environment
            .say("the line has another address than the register", "申請の住所が台帳と異なる"),
        HouseholdFinding::CountsDivided => environment.say(
            "the amount counts somebody who has a household of their own now",
            "別世帯とした人の分が支給額に含まれている",
        ),
        HouseholdFinding::PaidWithOld => environment.say(
            "the old household was paid for the person already",
            "元の世帯への支給に本人の分が含まれていた",
        ),
        HouseholdFinding::Unspecified => "?",
    }
}

fn state_text(state: CaseState, environment: &Environment) -> &'static str {
    match state {
        CaseState::Open => environment.say("held back", "保留中"),
        CaseState::Signed => environment.say("one has signed", "一人目が確認済み"),
        CaseState::Cleared => environment.say("cleared", "解除済み"),
        CaseState::Unspecified => "?",
    }
}

fn finding_code(finding: HouseholdFinding) -> &'static str {
    short(finding.as_str_name(), "HOUSEHOLD_FINDING_")
}

fn state_code(line: &HouseholdLine) -> &'static str {
    short(line.state().as_str_name(), "CASE_STATE_")
}

pub(super) async fn show(
    session: &Session<'_>,
    arguments: &HouseholdsArguments,
) -> Result<Exit, Failure> {
    let environment = session.environment;
    let call = CheckHouseholdsRequest { list_id: arguments.list.to_string() };
    let mut answers = session.stream(call).await?;
    let (mut lines, mut receipt) = (Vec::new(), None);
    while let Some(answer) = answers.next().await? {
        receipt = receipt.or(answer.receipt);
        lines.extend(answer.lines);
    }
    let receipt = receipt.ok_or(BrokerError::Answer { what: "no receipt" })?;
    let late = lines.iter().filter(|line| !line.batch_id.is_empty());
    let late = late.filter(|line| line.state() != CaseState::Cleared).count();
    if late > 0 {
        environment.warn(
            &format!("{late} lines are certified already; what is not delivered yet is stopped with `renkei programme hold --list`"),
            &format!("{late} 行は既に確定済みです。未配信のものは `renkei programme hold --list` で止めてください"),
        );
    }
    if let Some(path) = &arguments.output {
        let columns = ["line_id", "row", "findings", "state", "batch_id"].map(Column::text);
        let mut writer = TableWriter::for_people(path, &columns)?;
        for line in &lines {
            let codes: Vec<&str> = line.findings().map(finding_code).collect();
            let (row, codes) = (line.row.to_string(), codes.join(" "));
            writer.row([line.line_id.as_str(), &row, &codes, state_code(line), &line.batch_id])?;
        }
        writer.finish()?;
    } else if !environment.json {
        print_line!("{}", table(&lines, environment));
    }
    let rows: Vec<_> = lines
        .iter()
        .map(|line| {
            json!({
                "line_id": line.line_id,
                "row": line.row,
                "findings": line.findings().map(finding_code).collect::<Vec<_>>(),
                "state": state_code(line),
                "batch_id": (!line.batch_id.is_empty()).then_some(&line.batch_id),
            })
        })
        .collect();
    let object = json!({"list_id": arguments.list.to_string(), "lines": rows});
    Ok(session.done(object, "", Some(&receipt)))
}

fn table(lines: &[HouseholdLine], environment: &Environment) -> String {
    let say = |english, japanese| environment.say(english, japanese).to_owned();
    let header = vec![
        say("line", "申請番号"),
        say("what to look at", "確認事項"),
        say("state", "状態"),
        say("batch", "確定単位"),
    ];
    let mut table = text_table(header, &[]);
    for line in lines {
        let texts: Vec<&str> =
            line.findings().map(|found| finding_text(found, environment)).collect();
        let separator = environment.say(", ", "、");
        table.add_row(vec![
            plain(&line.line_id),
            texts.join(separator),
            state_text(line.state(), environment).to_owned(),
            plain(&line.batch_id),
        ]);
    }
    table.to_string()
}

pub(super) async fn clear(
    session: &Session<'_>,
    arguments: &ClearArguments,
) -> Result<Exit, Failure> {
    let id = session.request_id(arguments.request);
    let call = ClearHouseholdRequest {
        request_id: id.to_string(),
        list_id: arguments.list.to_string(),
        line_id: arguments.line.clone(),
    };
    let answer = session.change(&id, call).await?;
    if answer.cleared {
        session.environment.note(
            "cleared by two; the line can be certified",
            "2人の確認がそろいました。この行は確定できます",
        );
    } else {
        session.environment.warn(
            "signed; the line is held back until another protector clears it too",
            "一人目として確認しました。別の支援措置担当がもう一度解除するまで、この行は保留されます",
        );
    }
    let object = json!({"list_id": arguments.list.to_string(), "cleared": answer.cleared});
    Ok(session.done(object, "", answer.receipt.as_ref()))
}
