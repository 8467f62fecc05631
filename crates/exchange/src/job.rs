//! Jobs: one run of the engine over one list and one register.
//!
//! A job pins its list, the snapshot of the register and the engine, so that it can be run again by anybody and comes to
//! equal digests. Who runs it is no fact: a broker that dies leaves the job as it was, and the next start runs it again.

use std::collections::BTreeMap;

use jiff::civil::Date;
use renkei_journal::BlobRef;
use renkei_linkage::Outcome;
use renkei_tlog::leaf::{Counter, LeafResult, Operation as LeafOperation};
use renkei_types::{
    AgreementId, DatasetId, Digest, LinkageJobId, ListId, Reason, SnapshotId, TaskId,
};
use serde::{Deserialize, Serialize};

use crate::command::{Command, Decision, Desk};
use crate::directory::Content;
use crate::list::{LinkedList, OutcomeCode, Totals};
use crate::manifest::Manifest;
use crate::mark::Mark;
use crate::permit::{Link, Permit};
use crate::refusal::Refusal;
use crate::role::Operation;
use crate::state::State;
use crate::supersede::Kept;

/// How a job stands.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum JobState {
    /// Waits, or is being run.
    Queued,
    /// Has ended well.
    Done,
    /// Has ended badly: code of the reason.
    Failed(String),
}

/// One run of the engine.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Job {
    /// The list.
    pub list: ListId,
    /// The register.
    pub dataset: DatasetId,
    /// Its snapshot.
    pub snapshot: SnapshotId,
    /// The agreement under which it runs, and the digest of its terms.
    pub agreement: Option<(AgreementId, Digest)>,
    /// Version of the engine.
    pub engine: String,
    /// The model that it must use; nothing: it trains its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<Digest>,
    /// How it stands.
    pub state: JobState,
    /// How often it was started.
    pub attempt: u32,
}

impl State {
    /// The jobs that wait, oldest first.
    pub fn queued_jobs(&self) -> Vec<LinkageJobId> {
        let queued = self.jobs.iter().filter(|(_, job)| job.state == JobState::Queued);
        queued.map(|(id, _)| *id).collect()
    }

    /// Whether the agency of a linked list may still use the register, under the job's agreement or another: what was
    /// learned under an agreement that is suspended pays nobody.
    pub(crate) fn check_register_agreed(&self, list: ListId, today: Date) -> Result<(), Refusal> {
        let (list, linked) = self.linked_list(list)?;
        let consumer = self.programmes.get(&list.programme).map(|programme| &programme.agency);
        let dataset = self.snapshots.get(&linked.snapshot).map(|snapshot| snapshot.dataset);
        let (consumer, dataset) = consumer.zip(dataset).ok_or(Reason::NoAgreement)?;
        let is_agreed = self.agreements.iter().any(|(_, agreement)| {
            agreement.terms.consumer == *consumer
                && agreement.is_in_force(dataset, Operation::Link, today)
        });
        let refused = Refusal::new(Reason::NoAgreement).in_field("register");
        if is_agreed { Ok(()) } else { Err(refused) }
    }

    /// Whether the agreement under which a job runs is still in force.
    pub fn job_is_permitted(&self, id: LinkageJobId, today: Date) -> bool {
        let Some(job) = self.jobs.get(&id) else { return false };
        // Without an agreement no job is made.
        job.agreement.is_some_and(|(id, digest)| {
            self.agreements.get(&id).is_some_and(|agreement| {
                agreement.digest == digest
                    && agreement.is_in_force(job.dataset, Operation::Link, today)
            })
        })
    }
}

/// Asks for a list to be linked.
#[derive(Debug)]
pub struct CreateJob {
    /// That the caller may.
    pub permit: Permit<Link>,
    /// The list.
    pub list: ListId,
    /// The register.
    pub dataset: DatasetId,
}

impl Command for CreateJob {
    type Reply = LinkageJobId;
    const METHOD: &'static str = "CreateJob";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<LinkageJobId>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        let (list, sealed) = desk.state.sealed_list(self.list)?;
        if list.superseded_by.is_some() {
            return Err(Reason::Superseded.into());
        }
        let lines = sealed.declared.lines;
        let failed = |id: &LinkageJobId| {
            let job = desk.state.jobs.get(id);
            job.is_some_and(|job| matches!(job.state, JobState::Failed(_)))
        };
        if list.job.is_some_and(|job| !failed(&job)) {
            return Err(Reason::AlreadyExists.into());
        }
        // Payee keys are ids of one register: those of another would name other people.
        let programme = list.programme;
        let known = desk.state.programmes.get(&programme).ok_or(Reason::NoAgreement)?;
        if known.register.is_some_and(|register| register != self.dataset) {
            return Err(Refusal::new(Reason::WrongState).in_field("dataset_id"));
        }
        let dataset = desk.state.datasets.get(&self.dataset).ok_or(Reason::NoAgreement)?;
        let snapshot = match dataset.content {
            Content::Register(snapshot) => snapshot.ok_or(Reason::NoRegister)?,
            Content::Deliveries(_) => return Err(Refusal::field("dataset_id")),
        };
        let id = desk.new_job();
        let model = desk.state.model_in_use(self.dataset);
        let job = Job {
            list: self.list,
            dataset: self.dataset,
            snapshot,
            agreement: self.permit.agreement(),
            engine: renkei_linkage::ENGINE_VERSION.to_string(),
            model,
            state: JobState::Queued,
            attempt: 0,
        };
        desk.state.jobs.put(id, job);
        desk.state.lists.change(&self.list, |list| list.job = Some(id));
        let register = self.dataset;
        desk.state.programmes.change(&programme, |known| known.register = Some(register));
        let mut mark = Mark::ok(LeafOperation::Validate)
            .about(id)
            .of_dataset(self.dataset)
            .of_snapshot(snapshot)
            .under(&self.permit)
            .count(Counter::In, lines);
        if let Some(model) = model {
            mark = mark.by_model(model);
        }
        Ok(Decision::new(id, mark))
    }
}

/// Notes that a job is being run.
#[derive(Debug)]
pub struct StartJob {
    /// The job.
    pub job: LinkageJobId,
}

impl Command for StartJob {
    type Reply = u32;
    const METHOD: &'static str = "StartJob";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<u32>, Refusal> {
        let job = permitted(desk.state, self.job, desk.today)?;
        let attempt = job.attempt + 1;
        let snapshot = job.snapshot;
        desk.state.jobs.change(&self.job, |job| job.attempt = attempt);
        let mark =
            Mark::ok(LeafOperation::LinkRun).about(self.job).of_snapshot(snapshot).attempt(attempt);
        Ok(Decision::new(attempt, mark))
    }
}

fn queued(state: &State, job: LinkageJobId) -> Result<&Job, Refusal> {
    let job = state.jobs.get(&job).ok_or(Reason::NoAgreement)?;
    if job.state == JobState::Queued { Ok(job) } else { Err(Reason::WrongState.into()) }
}

/// The job, if it waits and what it was allowed by is still in force: a right that ended while it ran yields nothing.
fn permitted(state: &State, id: LinkageJobId, today: Date) -> Result<&Job, Refusal> {
    let job = queued(state, id)?;
    if state.job_is_permitted(id, today) { Ok(job) } else { Err(Reason::NoAgreement.into()) }
}

/// What a job came to.
#[derive(Debug)]
pub struct JobResult {
    /// The decisions, sealed with the list's key.
    pub result: BlobRef,
    /// Digest of the decisions.
    pub result_digest: Digest,
    /// Digest of the model.
    pub model_digest: Digest,
    /// The model's file, sealed with the list's key.
    pub model: BlobRef,
    /// Lines and yen by outcome.
    pub totals: BTreeMap<Outcome, Totals>,
    /// Decisions of clerks on the list whose place this one takes.
    pub kept: Kept,
    /// What was decided on each line, and of whom.
    pub manifest: Manifest,
}

/// Keeps the result of a job.
#[derive(Debug)]
pub struct FinishJob {
    /// The job.
    pub job: LinkageJobId,
    /// What it came to.
    pub result: JobResult,
}

impl Command for FinishJob {
    type Reply = ();
    const METHOD: &'static str = "FinishJob";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        let job = permitted(desk.state, self.job, desk.today)?;
        let (list_id, snapshot, dataset, attempt) =
            (job.list, job.snapshot, job.dataset, job.attempt);
        let agreement = job.agreement;
        desk.state.check_provided(dataset)?;
        let (_, sealed) = desk.state.sealed_list(list_id)?;
        let result = &self.result;
        // No line and no yen is lost: what comes out is what was declared, and each line is in the manifest.
        if result.totals.values().copied().sum::<Totals>() != sealed.declared
            || result.manifest.lines != sealed.declared.lines
        {
            tracing::error!(job = %self.job, "a job's outcomes do not add up to its list");
            return Err(Reason::TotalsDiffer.into());
        }
        let lines = |outcome| result.totals.get(&outcome).map_or(0, |totals: &Totals| totals.lines);
        let tasks = lines(Outcome::Review) + lines(Outcome::Ambiguous);
        let task_count = u32::try_from(tasks).map_err(|error| Refusal::internal(&error))?;
        let series = first_of_series(desk.new_task_series());
        desk.state.task_series.put(series, list_id);
        let linked = LinkedList {
            snapshot,
            result: result.result,
            result_digest: result.result_digest,
            model_digest: result.model_digest,
            model: Some(result.model),
            lines: result
                .totals
                .iter()
                .map(|(&outcome, totals)| (OutcomeCode(outcome), totals.lines))
                .collect(),
            tasks: series,
            task_count,
            version: 1,
            book_frames: 0,
        };
        desk.state.lists.change(&list_id, |list| list.linked = Some(linked));
        desk.state.jobs.change(&self.job, |job| job.state = JobState::Done);
        desk.state.manifests.put(self.job, result.manifest.clone());
        let by_outcome = result.totals.iter().map(|(&outcome, totals)| (outcome, totals.lines));
        let mut mark = Mark::ok(LeafOperation::LinkRun)
            .about(self.job)
            .of_dataset(dataset)
            .of_snapshot(snapshot)
            .outcomes(by_outcome)
            .by_model(result.model_digest)
            .attempt(attempt)
            .with_manifest(&result.manifest)?;
        if let Some((id, _)) = agreement {
            let known = desk.state.agreements.get(&id).ok_or(Reason::NoAgreement)?;
            mark = mark.for_consumer_of(id, known);
        }
        let decision = Decision::new((), mark);
        if result.kept.decisions.is_empty() {
            return Ok(decision);
        }
        // Opened before it changes, so that the change can be held against it.
        let book = desk.book(list_id)?;
        let mut tasks = Vec::new();
        for ((row, _, outcome), deciders) in result.kept.decisions.iter().zip(&result.kept.deciders)
        {
            let before = book.line(*row).ok_or(Reason::Internal)?;
            let number = book.task_rows().binary_search(row).map_err(|_| Reason::Internal)?;
            let number = u32::try_from(number).map_err(|error| Refusal::internal(&error))?;
            tasks.push((number, deciders.clone()));
            desk.state.move_line(list_id, before.outcome, *outcome);
        }
        desk.state.carry_tasks(list_id, tasks);
        let key = desk.state.lists.get(&list_id).ok_or(Reason::Internal)?.key;
        Ok(decision.with_book(list_id, key, result.kept.change()))
    }
}

/// The number of a task is in the last four bytes of its id; a series begins at 0.
fn first_of_series(id: TaskId) -> TaskId {
    let mut bytes = *id.as_bytes();
    bytes[12..].fill(0);
    TaskId::from_bytes(bytes)
}

/// Notes that a job cannot be run.
#[derive(Debug)]
pub struct FailJob {
    /// The job.
    pub job: LinkageJobId,
    /// Why.
    pub reason: Reason,
}

impl Command for FailJob {
    type Reply = ();
    const METHOD: &'static str = "FailJob";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        queued(desk.state, self.job)?;
        let code = self.reason.as_str().to_owned();
        desk.state.jobs.change(&self.job, |job| job.state = JobState::Failed(code));
        let mark =
            Mark::ended(LeafOperation::LinkRun, LeafResult::Failed, self.reason).about(self.job);
        Ok(Decision::new((), mark))
    }
}
