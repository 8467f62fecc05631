//! Linkage: single questions and jobs; what explains lines and what trains models has files of its own.

mod explain;
mod models;

use std::collections::HashMap;
use std::sync::Arc;

use renkei_api::v1;
use renkei_exchange::book::{Book, DecidedLine, read_result_chunk};
use renkei_exchange::command::Call;
use renkei_exchange::identify::{Asked, Query};
use renkei_exchange::index::Indexed;
use renkei_exchange::job::{CreateJob, JobState};
use renkei_exchange::link_code::{self, CODES_MAX, LinkCode, Naming};
use renkei_exchange::permit::{AskIdentity, Link, Permit, TranslateCodes};
use renkei_exchange::protection::Protected;
use renkei_exchange::results::{ReadResults, thresholds, told_weights};
use renkei_exchange::subject::{Said, SubjectSet};
use renkei_exchange::{Caller, Refusal, rows};
use renkei_linkage::{MatchWeight, Stage, Thresholds};
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

    /// The right to the results of a list.
    fn results_permit(
        &self,
        caller: &Caller,
        list: Option<ListId>,
    ) -> Result<Permit<Link>, Refusal> {
        let state = self.exchange.state();
        let owner = list.and_then(|list| state.owner_of_list(list));
        let job = list.and_then(|list| state.lists.get(&list)?.job);
        let dataset = job.and_then(|job| state.jobs.get(&job)).map(|job| job.dataset);
        state.permit_own_with_dataset::<Link>(caller, owner, dataset, self.today())
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
            pinned_model_digest: job.model.map(convert::bytes).unwrap_or_default(),
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
            let protected = self.protected_now(&state, dataset).await?;
            let found = query.ask_guarded(&indexed, &protected);
            let (naming, handles) = self.naming_and_handles(&permit, dataset).await?;
            let floor = indexed.model.model().thresholds.review;
            let told: Vec<_> = found
                .candidates
                .iter()
                .filter(|candidate| candidate.weight >= floor)
                .take(body.candidates_max as usize)
                .collect();
            let ids = told.iter().map(|candidate| indexed.index.id(candidate.resident));
            let entropy = self.exchange.vault().entropy();
            let persons = SubjectSet::new(&handles, entropy, Said::Answered, ids.clone());
            let candidates: Vec<v1::Candidate> = told
                .iter()
                .zip(ids)
                .zip(1..)
                .map(|((candidate, id), rank)| v1::Candidate {
                    register_id: naming.name(id),
                    rank,
                    probability_ppb: convert::parts_per_billion(candidate.weight.probability()),
                    match_weight_millibits: candidate.weight.millibits(),
                })
                .collect();
            // The leaf is durable before a byte of the answer leaves.
            let model = indexed.model_digest;
            let asked = Asked { permit, dataset, snapshot, model, candidates: persons };
            let done = self.exchange.execute(Call::read(caller), asked).await?;
            Ok(v1::IdentifyResponse {
                outcome: convert::outcome(found.decision.outcome).into(),
                reason: found.decision.reason.as_str().to_owned(),
                candidates,
                notice: super::review::notice(&protected),
                receipt: convert::receipt(done.receipt),
                code_year: convert::code_year(&naming),
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

    async fn explain(
        &self,
        request: Request<v1::ExplainRequest>,
    ) -> Result<Response<v1::ExplainResponse>, Status> {
        let handler = |caller: Caller, body| self.explain_line(caller, body);
        self.gate.handle(method!("Linkage", "Explain"), request, handler).await
    }

    async fn why_not(
        &self,
        request: Request<v1::WhyNotRequest>,
    ) -> Result<Response<v1::WhyNotResponse>, Status> {
        let handler = |caller: Caller, body| self.why_not_line(caller, body);
        self.gate.handle(method!("Linkage", "WhyNot"), request, handler).await
    }

    async fn estimate(
        &self,
        request: Request<v1::EstimateRequest>,
    ) -> Result<Response<v1::EstimateResponse>, Status> {
        let handler = |caller: Caller, body| self.estimate_pairs(caller, body);
        self.gate.handle(method!("Linkage", "Estimate"), request, handler).await
    }

    async fn train(
        &self,
        request: Request<v1::TrainRequest>,
    ) -> Result<Response<v1::TrainResponse>, Status> {
        let handler = |caller: Caller, call, body| self.train_model(caller, call, body);
        self.gate.mutate(method!("Linkage", "Train"), request, handler).await
    }

    async fn evaluate(
        &self,
        request: Request<v1::EvaluateRequest>,
    ) -> Result<Response<v1::EvaluateResponse>, Status> {
        let handler = |caller: Caller, body| self.evaluate_model(caller, body);
        self.gate.handle(method!("Linkage", "Evaluate"), request, handler).await
    }

    async fn promote(
        &self,
        request: Request<v1::PromoteRequest>,
    ) -> Result<Response<v1::PromoteResponse>, Status> {
        let handler = |caller: Caller, call, body| self.promote_model(caller, call, body);
        self.gate.mutate(method!("Linkage", "Promote"), request, handler).await
    }

    async fn get_model(
        &self,
        request: Request<v1::GetModelRequest>,
    ) -> Result<Response<v1::GetModelResponse>, Status> {
        let handler = |caller: Caller, body| self.show_models(caller, body);
        self.gate.handle(method!("Linkage", "GetModel"), request, handler).await
    }

    async fn translate_codes(
        &self,
        request: Request<v1::TranslateCodesRequest>,
    ) -> Result<Response<v1::TranslateCodesResponse>, Status> {
        let handler = |caller: Caller, body: v1::TranslateCodesRequest| async move {
            let state = self.exchange.state();
            let dataset: Option<DatasetId> = body.dataset_id.parse().ok();
            let permit =
                state.permit_dataset::<TranslateCodes>(&caller, dataset, None, self.today())?;
            let dataset = dataset.ok_or(Reason::NoAgreement)?;
            if !(1..=CODES_MAX).contains(&body.codes.len()) {
                return Err(Refusal::field("codes"));
            }
            let codes: Vec<LinkCode> = (1..)
                .zip(&body.codes)
                .map(|(at, code)| code.parse().map_err(|_| Refusal::field("codes").at_line(at)))
                .collect::<Result<_, _>>()?;
            let register = state.register_behind(dataset).ok_or(Reason::NoRegister)?;
            let indexed = self.indexes.get(state.snapshot_in_use(register)?)?;
            let (translated, done) = self
                .blocking(move |desk| {
                    let index = &indexed.index;
                    link_code::translate(&desk.exchange, &permit, register, index, &codes)
                })
                .await?;
            let code = |code: Option<LinkCode>| code.map(|code| code.to_string());
            Ok(v1::TranslateCodesResponse {
                codes: translated
                    .codes
                    .into_iter()
                    .map(|one| code(one).unwrap_or_default())
                    .collect(),
                code_year: translated.year.begins_in(),
                receipt: convert::receipt(done.receipt),
            })
        };
        self.gate.handle(method!("Linkage", "TranslateCodes"), request, handler).await
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
                        // A right may end with a day on which nothing happens.
                        () = tokio::time::sleep(desk.rights_interval) => {}
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
            let permit = self.results_permit(&caller, list)?;
            let list = list.ok_or(Reason::NoAgreement)?;
            let lines = state.sealed_list(list)?.1.declared.lines;
            state.linked_list(list)?;
            let book = self.exchange.ask(move |desk| desk.book(list)).await?;
            let register = state.lists.get(&list).and_then(|known| state.jobs.get(&known.job?));
            let register = register.ok_or(Reason::Internal)?.dataset;
            let naming = self.naming(&permit, register).await?;
            let code_year = convert::code_year(&naming);
            let read = ReadResults { permit, list, lines };
            let done = self.exchange.execute(Call::read(caller.clone()), read).await?;
            let mut receipt = convert::receipt(done.receipt);
            let from = body.from_row;
            let results = {
                let book = Arc::clone(&book);
                self.blocking(move |desk| Results::open(desk, list, book, naming)).await?
            };
            let results = Arc::new(results);
            let (sender, receiver) = mpsc::channel(1);
            let desk = self.clone();
            tokio::spawn(async move {
                for number in results.chunks_from(from) {
                    let results = Arc::clone(&results);
                    // The right may end while the stream is open.
                    let read = match desk.results_permit(&caller, Some(list)) {
                        Ok(_) => desk.blocking(move |desk| results.rows(desk, number)).await,
                        Err(refusal) => Err(refusal),
                    };
                    let answers: Vec<_> = match read {
                        Ok(rows) => pages(from, number, rows)
                            .map(|(first_row, rows)| {
                                let receipt = receipt.take();
                                Ok(v1::ResultsResponse { first_row, rows, receipt, code_year })
                            })
                            .collect(),
                        Err(refusal) => vec![Err(failure::status(&refusal))],
                    };
                    for answer in answers {
                        let ended = answer.is_err();
                        if !desk.send(&sender, answer).await || ended {
                            return;
                        }
                    }
                }
            });
            Ok(Box::pin(ReceiverStream::new(receiver)) as Self::ResultsStream)
        };
        self.gate.handle(method!("Linkage", "Results"), request, handler).await
    }
}

/// The results of a list, read chunk by chunk: a stream holds no more than one, however slowly it is read.
struct Results {
    list: ListId,
    book: Arc<Book>,
    ids: Ids,
    naming: Naming,
    chunks: u32,
    register: DatasetId,
    /// Where outcomes divide in the job.
    thresholds: Option<Thresholds>,
}

/// The ids of persons by their rows in the register.
enum Ids {
    /// The register is in memory.
    Index(Arc<Indexed>),
    /// It has been replaced since; those that are needed were read.
    Read(HashMap<u32, String>),
}

impl Ids {
    fn get(&self, row: u32) -> Option<&str> {
        match self {
            Self::Index(indexed) => Some(indexed.index.id(row)),
            Self::Read(ids) => ids.get(&row).map(String::as_str),
        }
    }

    /// Whether a resident is protected now, or was when the list was linked. Who cannot be named is.
    fn is_protected(&self, row: u32, protected: &Protected) -> bool {
        let Some(id) = self.get(row) else { return true };
        let flagged = match self {
            Self::Index(indexed) => indexed.is_flagged(id),
            Self::Read(_) => false,
        };
        flagged | protected.covers(id)
    }
}

impl Results {
    fn open(desk: &Desk, list: ListId, book: Arc<Book>, naming: Naming) -> Result<Self, Refusal> {
        let (state, vault) = (desk.exchange.state(), desk.exchange.vault());
        let (_, linked) = state.linked_list(list)?;
        let (_, sealed) = state.sealed_list(list)?;
        let ids = match desk.indexes.get(linked.snapshot) {
            Ok(indexed) => Ids::Index(indexed),
            Err(_) => {
                let wanted = book.lines().filter_map(|(_, line)| line.register_row).collect();
                Ids::Read(state.register_rows(linked.snapshot)?.ids(vault, &wanted)?)
            }
        };
        let register = state.snapshots.get(&linked.snapshot).ok_or(Reason::DataDestroyed)?.dataset;
        let thresholds = thresholds(vault, linked);
        let chunks = sealed.rows.chunks();
        Ok(Self { list, book, ids, naming, chunks, register, thresholds })
    }

    /// The chunks that have rows from this one on.
    fn chunks_from(&self, row: u64) -> std::ops::Range<u32> {
        rows::place(row).0..self.chunks
    }

    /// The rows of one chunk as they stand.
    fn rows(&self, desk: &Desk, number: u32) -> Result<Vec<v1::ResultRow>, Refusal> {
        let (state, vault) = (desk.exchange.state(), desk.exchange.vault());
        let (_, linked) = state.linked_list(self.list)?;
        let (_, sealed) = state.sealed_list(self.list)?;
        let decided = read_result_chunk(vault, linked, number)?;
        let chunk = rows::chunk(&sealed.rows.open(vault)?, number)?;
        let id = sealed.rows.column("benefit_id").ok_or(Reason::Internal)?;
        let first = number * rows::CHUNK_ROWS as u32;
        let now = desk.exchange.clock().now();
        let protected = desk.indexes.protected(&state, vault, self.register, now);
        let is_protected = |row| self.ids.is_protected(row, &protected);
        let weights = told_weights(vault, linked, number, &decided, self.thresholds, is_protected)?;
        let row = |((at, engine), told): ((u32, &DecidedLine), i32)| {
            let line = self.book.line(first + at).ok_or(Reason::Internal)?;
            let best = engine.register_row;
            let weight = (best.is_some() && line.register_row == best).then_some(told);
            let probability = |weight| MatchWeight::from_millibits(weight).probability();
            Ok(v1::ResultRow {
                list_id: chunk.cell(id, at as usize).to_owned(),
                register_id: line
                    .register_row
                    .and_then(|row| self.ids.get(row))
                    .map(|id| self.naming.name(id))
                    .unwrap_or_default(),
                outcome: convert::outcome(line.outcome).into(),
                probability_ppb: weight
                    .map_or(0, |weight| convert::parts_per_billion(probability(weight))),
                match_weight_millibits: weight.unwrap_or_default(),
                reason: engine.reason.clone(),
                yen: line.yen,
            })
        };
        (0..).zip(&decided).zip(weights).map(row).collect()
    }
}

/// A chunk's rows from one on, in messages with the number of their first.
fn pages(
    from: u64,
    number: u32,
    rows: Vec<v1::ResultRow>,
) -> impl Iterator<Item = (u64, Vec<v1::ResultRow>)> {
    let first = u64::from(number) * rows::CHUNK_ROWS as u64;
    let skipped = usize::try_from(from.saturating_sub(first)).unwrap_or(usize::MAX);
    let mut rows = rows.into_iter().skip(skipped);
    let mut next = first + skipped as u64;
    std::iter::from_fn(move || {
        let page: Vec<_> = rows.by_ref().take(ROWS_MAX).collect();
        let at = next;
        next += page.len() as u64;
        (!page.is_empty()).then_some((at, page))
    })
}
