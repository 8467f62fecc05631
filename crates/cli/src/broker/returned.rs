//! After the bank: what came back, what was given back, and whose account somebody should look at.

use std::path::{Path, PathBuf};

use clap::Args;
use renkei_api::v1::{
    AccountFinding, CheckAccountsRequest, RefundRequest, ReportReturnsRequest, Totals,
};
use renkei_japanese::zengin::transfer::read_transfer_file;
use renkei_tables::{Column, ReadOptions, TableReader, TableWriter, built_in_column};
use renkei_types::{BatchId, ListId, Yen};
use serde_json::json;

use super::error::BrokerError;
use super::list::batch_json;
use super::names::short;
use super::session::{RequestArgument, Session, plain, totals_json};
use crate::environment::Environment;
use crate::failure::{CommandError, Exit, Failure};
use crate::text_table::text_table;

#[derive(Args, Debug)]
pub(crate) struct ReturnsArguments {
    /// The list
    list: ListId,
    /// The bank's file: a table with amounts and the id of the line or the account, or a transfer file of what failed
    file: PathBuf,
    /// The batch, where the list has several that are paid
    #[arg(long, value_name = "ID")]
    batch: Option<BatchId>,
    /// Rows of the file, as the bank states them; counted here otherwise
    #[arg(long, value_name = "N", requires = "yen")]
    lines: Option<u64>,
    /// Yen of the file
    #[arg(long, value_name = "N", requires = "lines")]
    yen: Option<u64>,
    #[command(flatten)]
    request: RequestArgument,
}

#[derive(Args, Debug)]
pub(crate) struct RefundArguments {
    /// The list
    list: ListId,
    /// Id of the line
    line: String,
    /// How much was given back
    #[arg(long, value_name = "N")]
    yen: u64,
    #[command(flatten)]
    request: RequestArgument,
}

#[derive(Args, Debug)]
pub(crate) struct AccountsArguments {
    /// The batch
    #[arg(long, value_name = "ID")]
    batch: BatchId,
    /// Write a table instead (.csv, .xlsx or .parquet)
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Counts a bank's file on this side.
fn count(path: &Path, bytes: &[u8]) -> Result<Totals, Failure> {
    let name = path.display().to_string();
    if bytes.starts_with(b"121") {
        let read = read_transfer_file(bytes);
        let read = read.map_err(|error| CommandError::TransferFile { file: name, error })?;
        return Ok(Totals { lines: u64::from(read.totals.rows()), yen: read.totals.yen() });
    }
    let mut reader = TableReader::from_bytes(bytes.to_vec(), &name, &ReadOptions::default())?;
    let amount = built_in_column(reader.header(), "amount");
    let mut totals = Totals::default();
    while let Some(batch) = reader.next_batch()? {
        for row in 0..batch.rows() {
            totals.lines += 1;
            // What cannot be read is told by the broker, with its line.
            let yen = amount.and_then(|amount| Yen::read(batch.cell(amount, row)).ok());
            totals.yen = totals.yen.saturating_add(yen.map_or(0, |yen| yen.0));
        }
    }
    Ok(totals)
}

pub(super) async fn returns(
    session: &Session<'_>,
    arguments: &ReturnsArguments,
) -> Result<Exit, Failure> {
    let path = &arguments.file;
    let file = fs_err::read(path).map_err(|error| CommandError::file(path, error))?;
    let declared = match (arguments.lines, arguments.yen) {
        (Some(lines), Some(yen)) => Totals { lines, yen },
        // clap lets neither come alone.
        (Some(_) | None, _) => count(path, &file)?,
    };
    let id = session.request_id(arguments.request);
    let call = ReportReturnsRequest {
        request_id: id.to_string(),
        batch_id: arguments.batch.map(|batch| batch.to_string()).unwrap_or_default(),
        file,
        declared: Some(declared),
        list_id: arguments.list.to_string(),
    };
    let answer = session.change(&id, call).await?;
    let batch = answer.batch.unwrap_or_default();
    let returned = session.totals(answer.returned.as_ref());
    session.environment.note(
        &format!("came back: {returned}; what else the batch has is paid"),
        &format!("振込不能: {returned}。確定対象のその他の行は支給済みです"),
    );
    let object =
        json!({"returned": totals_json(answer.returned.as_ref()), "batch": batch_json(&batch)});
    Ok(session.done(object, &batch.batch_id, answer.receipt.as_ref()))
}

pub(super) async fn refund(
    session: &Session<'_>,
    arguments: &RefundArguments,
) -> Result<Exit, Failure> {
    let id = session.request_id(arguments.request);
    let call = RefundRequest {
        request_id: id.to_string(),
        list_id: arguments.list.to_string(),
        line_id: arguments.line.clone(),
        yen: arguments.yen,
    };
    let answer = session.change(&id, call).await?;
    let yen = Yen(arguments.yen);
    session.environment.note(
        &format!("given back: {yen} yen; the payee is not paid again"),
        &format!("返還: {yen} 円。この受給者に再び支給することはありません"),
    );
    let object = json!({"list_id": arguments.list.to_string(), "yen": arguments.yen});
    Ok(session.done(object, "", answer.receipt.as_ref()))
}

/// What a finding means, for people.
fn finding_text(finding: AccountFinding, environment: &Environment) -> String {
    match finding {
        AccountFinding::HolderDiffers => {
            environment.say("holder is not known in the household", "名義人が世帯にいない")
        }
        AccountFinding::FamilyAccount => {
            environment.say("holder is another member of the household", "世帯の別の人の名義")
        }
        AccountFinding::SharedAccount => {
            environment.say("several payees share the account", "複数の受給者が同じ口座")
        }
        AccountFinding::Unspecified => "?",
    }
    .to_owned()
}

pub(super) async fn accounts(
    session: &Session<'_>,
    arguments: &AccountsArguments,
) -> Result<Exit, Failure> {
    let call = CheckAccountsRequest { batch_id: arguments.batch.to_string() };
    let mut answers = session.stream(call).await?;
    let (mut lines, mut receipt) = (Vec::new(), None);
    while let Some(answer) = answers.next().await? {
        receipt = receipt.or(answer.receipt);
        lines.extend(answer.lines);
    }
    let receipt = receipt.ok_or(BrokerError::Answer { what: "no receipt" })?;
    let code = |finding: AccountFinding| short(finding.as_str_name(), "ACCOUNT_FINDING_");
    if let Some(path) = &arguments.output {
        let columns = ["line_id", "row", "findings", "group"].map(Column::text);
        let mut writer = TableWriter::for_people(path, &columns)?;
        for line in &lines {
            let codes: Vec<&str> = line.findings().map(code).collect();
            let (row, group) = (line.row.to_string(), line.group.to_string());
            writer.row([line.line_id.as_str(), &row, &codes.join(" "), &group])?;
        }
        writer.finish()?;
    } else if !session.environment.json {
        let say = |english, japanese| session.environment.say(english, japanese).to_owned();
        let header = vec![
            say("line", "申請番号"),
            say("what to look at", "確認事項"),
            say("shared account", "共有口座"),
        ];
        let mut table = text_table(header, &[2]);
        for line in &lines {
            let texts: Vec<String> =
                line.findings().map(|found| finding_text(found, session.environment)).collect();
            let group = if line.group == 0 { String::new() } else { line.group.to_string() };
            let separator = session.environment.say(", ", "、");
            table.add_row(vec![plain(&line.line_id), texts.join(separator), group]);
        }
        print_line!("{table}");
    }
    let rows: Vec<_> = lines
        .iter()
        .map(|line| {
            json!({
                "line_id": line.line_id,
                "row": line.row,
                "findings": line.findings().map(code).collect::<Vec<_>>(),
                "group": (line.group > 0).then_some(line.group),
            })
        })
        .collect();
    let object = json!({"batch_id": arguments.batch.to_string(), "lines": rows});
    Ok(session.done(object, "", Some(&receipt)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_returns_is_counted_in_rows_and_yen() {
        let count = |text: &str| {
            let counted = count(Path::new("returns.csv"), text.as_bytes());
            let counted = counted.map_err(|_| "count").expect("counted");
            (counted.lines, counted.yen)
        };
        assert_eq!(count("申請番号,支給額\nB1,\"50,000\"\nB2,30000\n"), (2, 80_000));
        assert_eq!(count("申請番号,支給額\n"), (0, 0));
    }
}
