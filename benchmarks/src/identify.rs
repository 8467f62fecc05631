//! Single questions: alone, beside a plain append with fdatasync; and 256 at once.

use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use renkei_api::v1::{Cell, IdentifyRequest};
use renkei_api::{ClientFile, Connection};
use renkei_tables::{ReadOptions, TableReader};
use renkei_types::Entropy;
use serde_json::{Value, json};

use crate::town::Town;

/// Questions that are measured one by one.
const QUESTIONS: usize = 1_000;
/// Questions that are measured together, and how many are under way at once.
const BUSY_QUESTIONS: usize = 20_000;
const IN_FLIGHT: usize = 256;
/// About what a leaf and its frame take.
const RECORD_BYTES: usize = 1_024;

pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the system has randomness");
    }
}

/// The lines of the list as questions.
fn questions(town: &Town, most: usize) -> Result<Vec<IdentifyRequest>> {
    let path = town.payments.as_ref().context("a list")?;
    let mut reader = TableReader::open(path, &ReadOptions::default())?;
    let header = reader.header().to_vec();
    let fields = ["name_kanji", "name_kana", "birth_date", "sex", "postal_code", "address"];
    let columns = fields.map(|field| renkei_tables::built_in_column(&header, field));
    let mut questions = Vec::new();
    while let Some(batch) = reader.next_batch()? {
        for row in 0..batch.rows() {
            if questions.len() == most {
                return Ok(questions);
            }
            let cells = fields.iter().zip(columns).filter_map(|(field, column)| {
                let value = batch.cell(column?, row).to_owned();
                (!value.is_empty()).then(|| Cell { field: (*field).to_owned(), value })
            });
            questions.push(IdentifyRequest {
                dataset_id: town.register.clone(),
                purpose: "benefit-2026".to_owned(),
                record: cells.collect(),
                candidates_max: 3,
            });
        }
    }
    Ok(questions)
}

fn connect(town: &Town) -> Result<Connection> {
    let file = ClientFile::read(&town.client("counter"))?;
    Ok(Connection::open(&file, Arc::new(SystemEntropy))?)
}

pub(crate) fn percentile(sorted: &[Duration], share: f64) -> f64 {
    let at = ((sorted.len() - 1) as f64 * share).round() as usize;
    sorted[at].as_secs_f64() * 1e3
}

/// One question at a time, and in turn with each an append with fdatasync on the same disk.
pub(crate) fn measure(town: &Town) -> Result<Value> {
    let questions = questions(town, QUESTIONS)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let connection = runtime.block_on(async { connect(town) })?;
    let mut raw = fs_err::File::create(town.folder().join("store/raw-append"))?;
    let record = vec![7_u8; RECORD_BYTES];
    let (mut asked, mut appended) = (Vec::new(), Vec::new());
    for question in questions {
        let started = Instant::now();
        runtime.block_on(connection.call(question))?;
        asked.push(started.elapsed());
        let started = Instant::now();
        raw.write_all(&record)?;
        raw.sync_data()?;
        appended.push(started.elapsed());
    }
    asked.sort_unstable();
    appended.sort_unstable();
    let ratio = |share| percentile(&asked, share) / percentile(&appended, share);
    Ok(json!({
        "p50_ms": percentile(&asked, 0.5),
        "p99_ms": percentile(&asked, 0.99),
        "append_p50_ms": percentile(&appended, 0.5),
        "append_p99_ms": percentile(&appended, 0.99),
        "p50_ratio": ratio(0.5),
        "p99_ratio": ratio(0.99),
    }))
}

/// As many at once as many counters would ask.
pub(crate) fn measure_busy(town: &Town) -> Result<Value> {
    let questions = Arc::new(questions(town, BUSY_QUESTIONS)?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let connections = [connect(town)?, connect(town)?, connect(town)?, connect(town)?];
        let started = Instant::now();
        let asking = tokio::task::LocalSet::new();
        let mut lanes = Vec::new();
        for lane in 0..IN_FLIGHT {
            let connection = connections[lane % connections.len()].clone();
            let questions = Arc::clone(&questions);
            lanes.push(asking.spawn_local(async move {
                for question in questions.iter().skip(lane).step_by(IN_FLIGHT) {
                    connection.call(question.clone()).await?;
                }
                anyhow::Ok(())
            }));
        }
        asking.await;
        for lane in lanes {
            lane.await??;
        }
        let seconds = started.elapsed().as_secs_f64();
        Ok(json!({ "calls_per_second": (questions.len() as f64 / seconds).round() }))
    })
}
