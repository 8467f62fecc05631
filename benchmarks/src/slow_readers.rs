//! Receivers that open the delivery feed, read one message and then nothing: what they cost the broker in memory.
//!
//! A feed that were read ahead for whoever does not read would cost its own size for each of them. What one may hold is a few
//! messages and what HTTP/2 lets be on its way.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use renkei_api::v1::SubscribeRequest;
use renkei_api::{ClientFile, Connection};
use serde_json::{Value, json};

use crate::identify::SystemEntropy;
use crate::process::resident_bytes;
use crate::town::Town;

/// How many receivers there are.
const RECEIVERS: u64 = 24;
/// How long what was sent ahead is left to settle.
const SETTLE: Duration = Duration::from_secs(3);

/// Certifies a list, agrees on its deliveries, and opens the feed many times without reading it.
pub(crate) fn measure(town: &Town, list: &str) -> Result<Value> {
    let (programme, payments) = release(town, list)?;
    let client = ClientFile::read(&town.client("transfers"))?;
    let process = town.process_id()?;
    let before = resident_bytes(process)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let after = runtime.block_on(async {
        let mut open = Vec::new();
        for _ in 0..RECEIVERS {
            // Connections of their own, or one's window would be shared by all.
            let connection = Connection::open(&client, Arc::new(SystemEntropy))?;
            let request =
                SubscribeRequest { programme_id: programme.clone(), after: 0, once: false };
            let mut feed = connection.stream(request).await?;
            feed.next().await?.context("the head of an entry")?;
            open.push((connection, feed));
        }
        tokio::time::sleep(SETTLE).await;
        resident_bytes(process)
    })?;
    let each = after.saturating_sub(before) / RECEIVERS;
    Ok(json!({
        "receivers": RECEIVERS,
        "payments": payments,
        "resident_bytes": { "before": before, "after": after },
        "bytes_each": each,
    }))
}

/// Two signatures under all payable lines, and a receiver; answers the programme and how many payments there are.
fn release(town: &Town, list: &str) -> Result<(String, u64)> {
    let proposed = town.command("certifier-1", &["list", "certify", list])?;
    let batch = proposed["batch_id"].as_str().context("a batch")?;
    town.command("certifier-2", &["list", "certify", list, "--batch", batch])?;
    let programme = town.programme.clone();
    let shown = town.command("benefits-operator", &["programme", "show", &programme])?;
    let dataset = shown["dataset_id"].as_str().context("the dataset of the deliveries")?;
    #[rustfmt::skip]
    let propose = [
        "agreement", "propose", "--consumer", "131016/treasury", "--dataset", dataset,
        "--legal-basis", "KOJOHO_61_1", "--purpose", "benefit-2026", "--fields",
        "account_holder_kana,bank_code,branch_code,account_type,account_number", "--operations",
        "deliver", "--valid-from", "2026-01-01", "--valid-until", "2090-03-31",
        "--daily-records-max", "100000000", "--retention-days", "30",
    ];
    let agreed = town.command("operator-1", &propose)?;
    let agreement = agreed["agreement_id"].as_str().context("an agreement")?;
    town.command("benefits-operator", &["agreement", "approve", agreement])?;
    town.command("operator-2", &["agreement", "activate", agreement])?;
    let payments = proposed["totals"]["lines"].as_u64().context("how many payments")?;
    Ok((programme, payments))
}
