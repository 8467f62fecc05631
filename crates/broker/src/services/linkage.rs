//! Linkage: single questions and jobs.

use renkei_api::v1;
use renkei_exchange::book::{Book, read_result};
use renkei_exchange::command::Call;
use renkei_exchange::identify::{Asked, Query};
use renkei_exchange::job::{CreateJob, JobState};
use renkei_exchange::permit::{AskIdentity, Link};
use renkei_exchange::results::ReadResults;
use renkei_exchange::{Caller, Refusal, rows};
use renkei_linkage::{MatchWeight, Stage};
use renkei_types::{DatasetId, LinkageJobId, ListId, Reason, Slug};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, async_trait};

use super::{Answers, Desk, method};
use crate::{convert, failure};

/// Most candidates in an answer.
const CANDIDATES_MAX: u32 = 20;
/// Most rows in a message.
const ROWS_MAX: usize = 1024;

impl Desk {
    /// A job that the caller may see.
    fn job_of(&self, caller: &Caller, id: &str) -> Result<LinkageJobId, Refusal> {
        let state = self.exchange.state();
        let id: Option<LinkageJobId> = id.parse().ok();
        let job = id.and_then(|id| state.jobs.get(&id));
        let owner = job.and_then(|job| state.owner_of_list(job.list));
        let dataset = job.map(|job| job.dataset);
        state.permit_own_with_dataset::<Link>(caller, owner, dataset, self.today())?;
        id.ok_or_else(|| Reason::NoAgreement.into())
    }

    /// Where a job is.
    async fn job(&self, id: LinkageJobId) -> Result<v1::Job, Refusal> {
        let state = self.exchange.state();
        let job = state.jobs.get(&id).ok_or(Reason::NoAgreement)?;
        let (list, sealed) = state.sealed_list(job.list)?;
        let mut message = v1::Job {
            job_id: id.to_string(),
            list_id: job.list.to_string(),
            snapshot_id: job.snapshot.to_string(),
            lines: sealed.declared.lines,
            attempt: job.attempt,
            ..v1::Job::default()
        };
        let stage = match &job.state {
            JobState::Queued => match self.jobs.progress(id) {
                None => v1::JobStage::Queued,
                Some(progress) => {
                    let now = self.exchange.clock().monotonic();
                    let (rate, left) = progress.rate(now);
                    message.lines_done = progress.done as u64;
                    message.lines_per_second = rate;
                    message.seconds_left = left;
                    match progress.stage {
                        None => v1::JobStage::Reading,
                        Some(Stage::Index) => v1::JobStage::Indexing,
                        Some(Stage::Compare) => v1::JobStage::Comparing,
                        Some(Stage::Train) => v1::JobStage::Training,
                        Some(Stage::Assign) => v1::JobStage::Assigning,
                    }
                }
            },
            JobState::Failed(reason) => {
                message.reason.clone_from(reason);
                v1::JobStage::Failed
            }
            JobState::Done => {
                let linked = list.linked.as_ref().ok_or(Reason::Internal)?;
                message.lines_done = message.lines;
                message.result_digest = convert::bytes(linked.result_digest);
                message.model_digest = convert::bytes(linked.model_digest);
                let list = job.list;
                let totals = self.exchange.ask(move |desk| Ok(desk.book(list)?.totals())).await?;
                message.outcomes = totals
                    .into_iter()
                    .map(|(outcome, totals)| v1::OutcomeTotals {
                        outcome: convert::outcome(outcome).into(),
                        totals: Some(convert::totals(totals)),
                    })
                    .collect();
                v1::JobStage::Done
            }
        };
        message.stage = stage.into();
        Ok(message)
    }
}

#[async_trait]
impl v1::linkage_server::Linkage for Desk {
    async fn identify(
        &self,
        request: Request<v1::IdentifyRequest>,
    ) -> Result<Response<v1::IdentifyResponse>, Status> {
        let handler = |caller: Caller, body: v1::IdentifyRequest| async move {
            let purpose: Slug = convert::known(&body.purpose)?;
            let dataset: Option<DatasetId> = body.dataset_id.parse().ok();
            let state = self.exchange.state();
            let permit = state.permit_dataset::<AskIdentity>(
                &caller,
                dataset,
                Some(&purpose),
                self.today(),
            )?;
            let dataset = dataset.ok_or(Reason::NoAgreement)?;
            let values = body.record.iter().map(|cell| (cell.field.as_str(), cell.value.as_str()));
            let query = Query::new(values)?;
            if !(1..=CANDIDATES_MAX).contains(&body.candidates_max) {
                return Err(Refusal::field("candidates_max"));
            }
            let snapshot = state.snapshot_in_use(dataset)?;
            let indexed = self.indexes.get(snapshot)?;
            let found = query.ask(&indexed);
            let floor = indexed.model.model().thresholds.review;
            let candidates: Vec<v1::Candidate> = found
                .candidates
                .iter()
                .filter(|candidate| candidate.weight >= floor)
                .take(body.candidates_max as usize)
                .zip(1..)
                .map(|(candidate, rank)| v1::Candidate {
                    register_id: indexed.index.id(candidate.resident).to_owned(),
                    rank,
                    probability_ppb: convert::parts_per_billion(candidate.weight.probability()),
                    match_weight_millibits: candidate.weight.millibits(),
                })
                .collect();
            // The leaf is durable before a byte of the answer leaves.
            let asked = Asked { permit, dataset, snapshot, candidates: candidates.len() as u64 };
            let done = self.exchange.execute(Call::read(caller), asked).await?;
            Ok(v1::IdentifyResponse {
                outcome: convert::outcome(found.decision.outcome).into(),
                reason: found.decision.reason.as_str().to_owned(),
                candidates,
                receipt: convert::receipt(done.receipt),
            })
        };
        self.gate.handle(method!("Linkage", "Identify"), request, handler).await
    }

    async fn create_job(
        &self,
        request: Request<v1::CreateJobRequest>,
    ) -> Result<Response<v1::CreateJobResponse>, Status> {
        let handler = |caller: Caller, call, body: v1::CreateJobRequest| async move {
            let state = self.exchange.state();
            let list: Option<ListId> = body.list_id.parse().ok();
            let dataset: Option<DatasetId> = body.dataset_id.parse().ok();
            let owner = list.and_then(|list| state.owner_of_list(list));
            let today = self.today();
            let permit = state.permit_own_with_dataset::<Link>(&caller, owner, dataset, today)?;
            let (list, dataset) = list.zip(dataset).ok_or(Reason::NoAgreement)?;
            let done = self.exchange.execute(call, CreateJob { permit, list, dataset }).await?;
            self.jobs.job_created();
            let receipt = convert::receipt(done.receipt);
            Ok(v1::CreateJobResponse { job_id: done.reply.to_string(), receipt })
        };
        self.gate.mutate(method!("Linkage", "CreateJob"), request, handler).await
    }

    async fn get_job(
        &self,
        request: Request<v1::GetJobRequest>,
    ) -> Result<Response<v1::GetJobResponse>, Status> {
        let handler = |caller: Caller, body: v1::GetJobRequest| async move {
            let id = self.job_of(&caller, &body.job_id)?;
            Ok(v1::GetJobResponse { job: Some(self.job(id).await?) })
        };
        self.gate.handle(method!("Linkage", "GetJob"), request, handler).await
    }

    type WatchJobStream = Answers<v1::WatchJobResponse>;

    async fn watch_job(
        &self,
        request: Request<v1::WatchJobRequest>,
    ) -> Result<Response<Self::WatchJobStream>, Status> {
        let handler = |caller: Caller, body: v1::WatchJobRequest| async move {
            self.job_of(&caller, &body.job_id)?;
            let (sender, receiver) = mpsc::channel(4);
            let desk = self.clone();
            tokio::spawn(async move {
                let (mut progress, mut durable) = (desk.jobs.watch(), desk.exchange.durable());
                loop {
                    // The right may end while the stream is open.
                    let answer = match desk.job_of(&caller, &body.job_id) {
                        Ok(id) => desk.job(id).await,
                        Err(refusal) => Err(refusal),
                    };
                    let ended = match &answer {
                        Ok(job) => matches!(job.stage(), v1::JobStage::Done | v1::JobStage::Failed),
                        Err(_) => true,
                    };
                    let answer = answer
                        .map(|job| v1::WatchJobResponse { job: Some(job) })
                        .map_err(|refusal| failure::status(&refusal));
                    if sender.send(answer).await.is_err() || ended {
                        return;
                    }
                    tokio::select! {
                        changed = progress.changed() => if changed.is_err() { return },
                        changed = durable.changed() => if changed.is_err() { return },
                        () = sender.closed() => return,
                        () = desk.stopping.cancelled() => {
                            let stopping = Refusal::new(Reason::Stopping);
                            let _ = sender.send(Err(failure::status(&stopping))).await;
                            return;
                        }
                    }
                    // A stage reports many times a second; nobody reads faster than this.
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                }
            });
            Ok(Box::pin(ReceiverStream::new(receiver)) as Self::WatchJobStream)
        };
        self.gate.handle(method!("Linkage", "WatchJob"), request, handler).await
    }

    type ResultsStream = Answers<v1::ResultsResponse>;

    async fn results(
        &self,
        request: Request<v1::ResultsRequest>,
    ) -> Result<Response<Self::ResultsStream>, Status> {
        let handler = |caller: Caller, body: v1::ResultsRequest| async move {
            let state = self.exchange.state();
            let list: Option<ListId> = body.list_id.parse().ok();
            let owner = list.and_then(|list| state.owner_of_list(list));
            let job = list.and_then(|list| state.lists.get(&list)?.job);
            let dataset = job.and_then(|job| state.jobs.get(&job)).map(|job| job.dataset);
            let permit =
                state.permit_own_with_dataset::<Link>(&caller, owner, dataset, self.today())?;
            let list = list.ok_or(Reason::NoAgreement)?;
            let lines = state.sealed_list(list)?.1.declared.lines;
            state.linked_list(list)?;
            let book = self.exchange.ask(move |desk| desk.book(list)).await?;
            let read = ReadResults { permit, list, lines };
            let done = self.exchange.execute(Call::read(caller), read).await?;
            let mut receipt = convert::receipt(done.receipt);
            let from = body.from_row;
            let (sender, receiver) = mpsc::channel(4);
            let desk = self.clone();
            tokio::task::spawn_blocking(move || {
                let sent = results(&desk, list, &book, from, |first_row, rows| {
                    let receipt = receipt.take();
                    let message = v1::ResultsResponse { first_row, rows, receipt };
                    sender.blocking_send(Ok(message)).is_ok()
                });
                if let Err(refusal) = sent {
                    let _ = sender.blocking_send(Err(failure::status(&refusal)));
                }
            });
            Ok(Box::pin(ReceiverStream::new(receiver)) as Self::ResultsStream)
        };
        self.gate.handle(method!("Linkage", "Results"), request, handler).await
    }
}

/// Sends the rows of a list as they stand; ends when nobody takes them.
fn results(
    desk: &Desk,
    list: ListId,
    book: &Book,
    from: u64,
    mut send: impl FnMut(u64, Vec<v1::ResultRow>) -> bool,
) -> Result<(), Refusal> {
    let (state, vault) = (desk.exchange.state(), desk.exchange.vault());
    let (_, linked) = state.linked_list(list)?;
    let (_, sealed) = state.sealed_list(list)?;
    let decided = read_result(vault, linked)?;
    let indexed = desk.indexes.get(linked.snapshot)?;
    let reader = sealed.rows.open(vault)?;
    let id = sealed.rows.column("benefit_id").ok_or(Reason::Internal)?;
    let (mut first, mut waiting) = (from, Vec::new());
    for number in 0..sealed.rows.chunks() {
        let chunk = rows::chunk(&reader, number)?;
        for at in 0..chunk.rows() {
            let row = u64::from(number) * rows::CHUNK_ROWS as u64 + at as u64;
            if row < from {
                continue;
            }
            let engine = decided.get(row as usize).ok_or(Reason::Internal)?;
            let row_number = u32::try_from(row).map_err(|error| Refusal::internal(&error))?;
            let line = book.line(row_number).ok_or(Reason::Internal)?;
            let by_engine =
                line.register_row == engine.register_row && engine.register_row.is_some();
            let weight = MatchWeight::from_millibits(engine.weight);
            waiting.push(v1::ResultRow {
                list_id: chunk.cell(id, at).to_owned(),
                register_id: line
                    .register_row
                    .map_or(String::new(), |resident| indexed.index.id(resident).to_owned()),
                outcome: convert::outcome(line.outcome).into(),
                probability_ppb: if by_engine {
                    convert::parts_per_billion(weight.probability())
                } else {
                    0
                },
                match_weight_millibits: if by_engine { engine.weight } else { 0 },
                reason: engine.reason.clone(),
                yen: line.yen,
            });
            if waiting.len() == ROWS_MAX {
                let rows = std::mem::take(&mut waiting);
                let sent = rows.len() as u64;
                if !send(first, rows) {
                    return Ok(());
                }
                first += sent;
            }
        }
    }
    if !waiting.is_empty() {
        send(first, waiting);
    }
    Ok(())
}
