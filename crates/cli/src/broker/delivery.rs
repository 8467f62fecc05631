//! `renkei delivery`: the numbered feed by which released batches reach the next system.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use renkei_api::following_request_id;
use renkei_api::v1::{AckRequest, EntryHeader, SubscribeRequest, Totals};
use renkei_types::{ProgrammeId, RequestId};
use serde_json::{Value, json};

use super::error::BrokerError;
use super::payments::Payments;
use super::session::{
    self, RequestArgument, Session, code_year, digest_json, receipt_json, totals_json,
};
use super::written_table::{self, ExactArgument};
use crate::environment::Environment;
use crate::failure::{Exit, Failure};
use crate::json;
use crate::progress::Progress;

#[derive(Debug, Subcommand)]
pub(crate) enum DeliveryCommand {
    /// Write the payments of released batches to a file
    Read {
        /// The programme
        programme: ProgrammeId,
        /// Number of the last entry that is here already
        #[arg(long, value_name = "N", default_value_t = 0)]
        after: u64,
        /// Where the payments go: .csv, .xlsx or .parquet
        #[arg(long, value_name = "FILE")]
        output: PathBuf,
        #[command(flatten)]
        exact: ExactArgument,
        /// Acknowledge every entry once the file is durable
        #[arg(long)]
        ack: bool,
        #[command(flatten)]
        request: RequestArgument,
    },
    /// Acknowledge an entry
    Ack {
        /// The programme
        programme: ProgrammeId,
        /// Number of the entry
        #[arg(long, value_name = "N")]
        number: u64,
        /// Lines that were received in it
        #[arg(long, value_name = "N")]
        lines: u64,
        /// Yen that were received in it
        #[arg(long, value_name = "N")]
        yen: u64,
        #[command(flatten)]
        request: RequestArgument,
    },
}

pub(super) fn run(command: &DeliveryCommand, environment: &Environment) -> Result<Exit, Failure> {
    session::with(environment, async |session| match command {
        DeliveryCommand::Read { programme, after, output, exact, ack, request } => {
            let payments = Payments::new(output, *exact, *after);
            let entries = read(session, *programme, payments).await?;
            let receipts = if *ack {
                let id = session.request_id(*request);
                acknowledge(session, *programme, &entries, &id).await?
            } else {
                Vec::new()
            };
            say(session, output, *after, &entries, &receipts);
            Ok(Exit::Done)
        }
        DeliveryCommand::Ack { programme, number, lines, yen, request } => {
            let id = session.request_id(*request);
            let totals = Totals { lines: *lines, yen: *yen };
            let call = AckRequest {
                request_id: id.to_string(),
                programme_id: programme.to_string(),
                number: *number,
                totals: Some(totals),
            };
            let answer = session.change(&id, call).await?;
            let object = json!({
                "programme_id": programme.to_string(),
                "number": number,
                "totals": totals_json(Some(&totals)),
            });
            Ok(session.done(object, "", answer.receipt.as_ref()))
        }
    })
}

async fn read(
    session: &Session<'_>,
    programme: ProgrammeId,
    mut payments: Payments,
) -> Result<Vec<EntryHeader>, Failure> {
    let after = payments.last();
    let call = SubscribeRequest { programme_id: programme.to_string(), after, once: true };
    let mut feed = session.stream(call).await?;
    let progress = Progress::lines(session.environment, "receiving", "受信", 0);
    let mut parts = 0;
    while let Some(answer) = feed.next().await? {
        let part = answer.part.ok_or(BrokerError::Answer { what: "an empty part of the feed" })?;
        payments.take(part)?;
        parts += 1;
        progress.set(parts);
    }
    drop(progress);
    let (entries, changed) = payments.finish()?;
    written_table::say_changed(changed, session.environment);
    Ok(entries)
}

/// Acknowledges entries that are durable here, in order.
async fn acknowledge(
    session: &Session<'_>,
    programme: ProgrammeId,
    entries: &[EntryHeader],
    id: &RequestId,
) -> Result<Vec<Value>, Failure> {
    let mut receipts = Vec::new();
    for entry in entries {
        let call = AckRequest {
            request_id: following_request_id(id, &format!("ack {}", entry.number)).to_string(),
            programme_id: programme.to_string(),
            number: entry.number,
            // Equal to what was counted here, or the entry would not be among these.
            totals: entry.totals,
        };
        let answer = session.change(id, call).await?;
        receipts.push(receipt_json(answer.receipt.as_ref()));
    }
    Ok(receipts)
}

fn say(
    session: &Session<'_>,
    output: &Path,
    after: u64,
    entries: &[EntryHeader],
    receipts: &[Value],
) {
    let last = entries.last().map_or(after, |entry| entry.number);
    if session.environment.json {
        let entry = |(place, entry): (usize, &EntryHeader)| {
            json!({
                "number": entry.number,
                "batch_id": entry.batch_id,
                "list_id": entry.list_id,
                "totals": totals_json(entry.totals.as_ref()),
                "digest": digest_json(&entry.digest),
                "code_year": code_year(entry.code_year),
                "acknowledged": receipts.get(place).is_some(),
                "receipt": receipts.get(place),
            })
        };
        let entries: Vec<_> = entries.iter().enumerate().map(entry).collect();
        let output = output.display().to_string();
        json::print(&json!({"output": output, "entries": entries, "last": last}));
        return;
    }
    for entry in entries {
        let (number, totals) = (entry.number, session.totals(entry.totals.as_ref()));
        session
            .environment
            .note(&format!("entry {number}: {totals}"), &format!("配信 {number} 番: {totals}"));
    }
    print_line!("{last}");
    if receipts.is_empty() && !entries.is_empty() {
        session.environment.note(
            "not acknowledged: use --ack, or `renkei delivery ack` once it is safe",
            "受領通知は未送信です。--ack を付けるか、保存後に `renkei delivery ack` を実行してください",
        );
    }
}
