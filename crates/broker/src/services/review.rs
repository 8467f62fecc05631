//! Review: doubtful lines for clerks.

use std::time::Duration;

use jiff::Timestamp;
use renkei_api::v1;
use renkei_exchange::book::outcome;
use renkei_exchange::command::Call;
use renkei_exchange::identify::Query;
use renkei_exchange::link_code::Naming;
use renkei_exchange::permit::{DecideLines, Permit, Right};
use renkei_exchange::protection::Protected;
use renkei_exchange::review::{
    ChangeLease, Claim, Claimed, Decide, LeaseChange, ParkReason, Searched, TaskPlace, TaskState,
    Verdict,
};
use renkei_exchange::shown::{self, Difference, Withheld};
use renkei_exchange::subject::{Handles, Said, SubjectSet};
use renkei_exchange::{Caller, Refusal, State, review};
use renkei_linkage::Beginnings;
use renkei_types::{ListId, Reason, TaskId};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, async_trait};

use super::{Answers, Desk, method};
use crate::{convert, failure};

/// How often a queue that is watched is counted at most.
const QUEUE_INTERVAL: Duration = Duration::from_secs(1);

impl Desk {
    /// A right to lines of a list of one's own agency, beside the register that it is linked to.
    pub(super) fn over_list<R: Right>(
        &self,
        state: &State,
        caller: &Caller,
        list: Option<ListId>,
    ) -> Result<Permit<R>, Refusal> {
        let owner = list.and_then(|list| state.owner_of_list(list));
        let job = list.and_then(|list| state.lists.get(&list)?.job);
        let dataset = job.and_then(|job| state.jobs.get(&job)).map(|job| job.dataset);
        state.permit_own_with_dataset::<R>(caller, owner, dataset, self.today())
    }

    /// A task that the caller may work on.
    fn task_of(
        &self,
        caller: &Caller,
        id: &str,
    ) -> Result<(Permit<DecideLines>, TaskPlace), Refusal> {
        let state = self.exchange.state();
        let place = id.parse::<TaskId>().ok().and_then(|id| state.task_place(id));
        let permit = self.over_list(&state, caller, place.map(|place| place.list))?;
        Ok((permit, place.ok_or(Reason::NoAgreement)?))
    }

    async fn change_lease(
        &self,
        caller: Caller,
        call: Call,
        task: &str,
        change: impl FnOnce() -> Result<LeaseChange, Refusal>,
    ) -> Result<(Timestamp, Option<v1::Receipt>), Refusal> {
        let (permit, place) = self.task_of(&caller, task)?;
        let change = change()?;
        let done = self.exchange.execute(call, ChangeLease { permit, place, change }).await?;
        Ok((done.reply, convert::receipt(done.receipt)))
    }

    /// What a clerk is shown of a task that is theirs.
    async fn show(
        &self,
        permit: Permit<DecideLines>,
        claimed: Claimed,
    ) -> Result<v1::Task, Refusal> {
        let place = claimed.place;
        let book = self.exchange.ask(move |desk| desk.book(place.list)).await?;
        let row = *book.task_rows().get(place.number as usize).ok_or(Reason::Internal)?;
        self.blocking(move |desk| {
            let state = desk.exchange.state();
            let naming = desk.names_of_list(&permit, place.list)?;
            let protected = desk.protected(&state, place.list)?;
            let vault = desk.exchange.vault();
            let withheld = Withheld { naming: &naming, protected: &protected };
            let shown = shown::task(vault, &state, &permit, withheld, place, row)?;
            let id = state.task_id(place).ok_or(Reason::Internal)?;
            let held = |resident| book.holder(resident).is_some_and(|holder| holder != row);
            Ok(v1::Task {
                task_id: id.to_string(),
                outcome: convert::outcome(outcome(shown.decided.outcome)).into(),
                reason: shown.decided.reason.clone(),
                line: shown.line.iter().map(|(field, value)| convert::cell(field, value)).collect(),
                candidates: shown
                    .candidates
                    .iter()
                    .map(|candidate| candidate_message(candidate, held(candidate.row)))
                    .collect(),
                lease_until: claimed.until.to_string(),
                version: claimed.version,
                notice: notice(&protected),
            })
        })
        .await
    }

    /// How a clerk has residents named. Blocks.
    fn names_of_list(&self, permit: &Permit<DecideLines>, list: ListId) -> Result<Naming, Refusal> {
        let register = self.exchange.state().register_of_list(list).ok_or(Reason::NoAgreement)?;
        Naming::under(&self.exchange, permit, register)
    }

    async fn decide_task(
        &self,
        caller: Caller,
        call: Call,
        task: &str,
        version: u64,
        verdict: Option<v1::Verdict>,
        revises: bool,
    ) -> Result<(v1::Outcome, u64, Option<v1::Receipt>), Refusal> {
        let (permit, place) = self.task_of(&caller, task)?;
        let verdict = match verdict.and_then(|verdict| verdict.verdict) {
            Some(v1::verdict::Verdict::RegisterId(name)) => {
                let (row, id) = self.register_row(permit.clone(), place, name).await?;
                let subject = self.subjects(place.list, Said::LinkedByClerk, vec![id.clone()]);
                Verdict::Person { row, id, subject: subject.await? }
            }
            Some(v1::verdict::Verdict::Nobody(true)) => Verdict::Nobody,
            Some(v1::verdict::Verdict::Duplicate(true)) => Verdict::Duplicate,
            _ => return Err(Refusal::field("verdict")),
        };
        let command = Decide { permit, place, version, verdict, revises };
        let done = self.exchange.execute(call, command).await?;
        let receipt = convert::receipt(done.receipt);
        Ok((convert::outcome(done.reply.outcome.0), done.reply.version, receipt))
    }

    /// Persons of the register that a list is linked to, as the log knows them.
    async fn subjects(
        &self,
        list: ListId,
        said: Said,
        ids: Vec<String>,
    ) -> Result<SubjectSet, Refusal> {
        let register = self.exchange.state().register_of_list(list).ok_or(Reason::NoAgreement)?;
        self.blocking(move |desk| {
            let handles = Handles::of_today(&desk.exchange, register)?;
            let entropy = desk.exchange.vault().entropy();
            Ok(SubjectSet::new(&handles, entropy, said, ids.iter().map(String::as_str)))
        })
        .await
    }

    /// Who of the register that a list was linked to is protected now.
    fn protected(&self, state: &State, list: ListId) -> Result<Protected, Refusal> {
        let (_, linked) = state.linked_list(list)?;
        let snapshot = state.snapshots.get(&linked.snapshot).ok_or(Reason::DataDestroyed)?;
        let (vault, now) = (self.exchange.vault(), self.exchange.clock().now());
        Ok(self.indexes.protected(state, vault, snapshot.dataset, now))
    }

    /// The row and the id of a person in the register that the list was linked to.
    async fn register_row(
        &self,
        permit: Permit<DecideLines>,
        place: TaskPlace,
        name: String,
    ) -> Result<(u32, String), Refusal> {
        let state = self.exchange.state();
        let snapshot_id = state.linked_list(place.list)?.1.snapshot;
        let unknown = Refusal::new(Reason::UnknownPerson).in_field("verdict.register_id");
        self.blocking(move |desk| {
            let naming = desk.names_of_list(&permit, place.list)?;
            if let Ok(indexed) = desk.indexes.get(snapshot_id) {
                let row = naming.row(&indexed.index, &name).ok_or(unknown)?;
                return Ok((row, indexed.index.id(row).to_owned()));
            }
            // An older snapshot than the one in memory: its rows are read through.
            let register = state.register_rows(snapshot_id)?;
            let is_named = |id: &str| naming.is(id, &name);
            register.find(desk.exchange.vault(), is_named)?.ok_or(unknown)
        })
        .await
    }
}

/// Why addresses are withheld of everybody, as a code; empty where they are not.
pub(super) fn notice(protected: &Protected) -> String {
    let stale = protected.is_stale.then_some(Reason::ProtectionStale.as_str());
    stale.unwrap_or_default().to_owned()
}

fn candidate_message(candidate: &shown::Candidate, held: bool) -> v1::CandidateRecord {
    let difference = |difference| match difference {
        Difference::Same => v1::Difference::Same,
        Difference::Other => v1::Difference::Other,
        Difference::LineOnly => v1::Difference::LineOnly,
        Difference::CandidateOnly => v1::Difference::CandidateOnly,
    };
    let cells = candidate.cells.iter().map(|cell| v1::ComparedCell {
        field: cell.cell.field().to_owned(),
        value: cell.cell.value().to_owned(),
        difference: difference(cell.difference).into(),
    });
    v1::CandidateRecord { register_id: candidate.name.clone(), cells: cells.collect(), held }
}

fn queue(queue: review::Queue) -> v1::Queue {
    let review::Queue { open, leased, parked, decided } = queue;
    v1::Queue { open, leased, parked, decided }
}

#[async_trait]
impl v1::review_server::Review for Desk {
    async fn claim(
        &self,
        request: Request<v1::ClaimRequest>,
    ) -> Result<Response<v1::ClaimResponse>, Status> {
        let handler = |caller: Caller, call, body: v1::ClaimRequest| async move {
            let list: Option<ListId> = body.list_id.parse().ok();
            let permit = self.over_list(&self.exchange.state(), &caller, list)?;
            let list = list.ok_or(Reason::NoAgreement)?;
            let command = Claim {
                permit: permit.clone(),
                list,
                parked: body.parked,
                duration: self.lease,
                records_max: shown::CANDIDATES_MAX as u64,
            };
            let done = self.exchange.execute(call, command).await?;
            // A repeated request shows the task again only as long as it is the caller's.
            let mine = |claimed: &Claimed| {
                let state = self.exchange.state();
                let task = state.task(claimed.place);
                task.is_some_and(|task| {
                    let now = self.exchange.clock().now();
                    matches!(&task.state, TaskState::Leased { by, until } if *by == caller.identity && *until > now)
                })
            };
            let task = match done.reply.filter(mine) {
                Some(claimed) => Some(self.show(permit, claimed).await?),
                None => None,
            };
            let counted = self.exchange.state().queue(list, self.exchange.clock().now());
            let receipt = convert::receipt(done.receipt);
            Ok(v1::ClaimResponse { task, queue: Some(queue(counted)), receipt })
        };
        self.gate.mutate(method!("Review", "Claim"), request, handler).await
    }

    async fn renew(
        &self,
        request: Request<v1::RenewRequest>,
    ) -> Result<Response<v1::RenewResponse>, Status> {
        let handler = |caller, call, body: v1::RenewRequest| async move {
            let change = || Ok(LeaseChange::Renew(self.lease));
            let (until, receipt) = self.change_lease(caller, call, &body.task_id, change).await?;
            Ok(v1::RenewResponse { lease_until: until.to_string(), receipt })
        };
        self.gate.mutate(method!("Review", "Renew"), request, handler).await
    }

    async fn release(
        &self,
        request: Request<v1::ReleaseRequest>,
    ) -> Result<Response<v1::ReleaseResponse>, Status> {
        let handler = |caller, call, body: v1::ReleaseRequest| async move {
            let change = || Ok(LeaseChange::GiveBack);
            let (_, receipt) = self.change_lease(caller, call, &body.task_id, change).await?;
            Ok(v1::ReleaseResponse { receipt })
        };
        self.gate.mutate(method!("Review", "Release"), request, handler).await
    }

    async fn search(
        &self,
        request: Request<v1::SearchRequest>,
    ) -> Result<Response<v1::SearchResponse>, Status> {
        let handler = |caller: Caller, body: v1::SearchRequest| async move {
            let (permit, place) = self.task_of(&caller, &body.task_id)?;
            let values = body.record.iter().map(|cell| (cell.field.as_str(), cell.value.as_str()));
            let query = Query::new(values)?;
            let state = self.exchange.state();
            let snapshot = state.linked_list(place.list)?.1.snapshot;
            let indexed = self.indexes.get(snapshot)?;
            let register = state.snapshots.get(&snapshot).ok_or(Reason::DataDestroyed)?.dataset;
            let protected = self.protected_now(&state, register).await?;
            let notice = notice(&protected);
            let may_be_shown = |field: &str| permit.allows_field(field);
            let Beginnings { rows: found, more } =
                query.search(&indexed, &protected, may_be_shown, shown::CANDIDATES_MAX);
            let ids = found.iter().map(|row| indexed.index.id(*row).to_owned()).collect();
            let shown = self.subjects(place.list, Said::Answered, ids).await?;
            let searched = Searched { permit: permit.clone(), place, shown };
            let done = self.exchange.execute(Call::read(caller), searched).await?;
            let book = self.exchange.ask(move |desk| desk.book(place.list)).await?;
            let candidates = self
                .blocking(move |desk| {
                    let row =
                        *book.task_rows().get(place.number as usize).ok_or(Reason::Internal)?;
                    let vault = desk.exchange.vault();
                    let naming = desk.names_of_list(&permit, place.list)?;
                    let line = shown::line(vault, &state, place, row)?;
                    let withheld = Withheld { naming: &naming, protected: &protected };
                    let shown =
                        shown::candidates(vault, &state, &permit, withheld, place, &line, &found)?;
                    let held = |resident| book.holder(resident).is_some_and(|holder| holder != row);
                    Ok(shown.iter().map(|one| candidate_message(one, held(one.row))).collect())
                })
                .await?;
            let receipt = convert::receipt(done.receipt);
            Ok(v1::SearchResponse { candidates, receipt, notice, more })
        };
        self.gate.handle(method!("Review", "Search"), request, handler).await
    }

    async fn decide(
        &self,
        request: Request<v1::DecideRequest>,
    ) -> Result<Response<v1::DecideResponse>, Status> {
        let handler = |caller, call, body: v1::DecideRequest| async move {
            let v1::DecideRequest { task_id, version, verdict, .. } = body;
            let (outcome, version, receipt) =
                self.decide_task(caller, call, &task_id, version, verdict, false).await?;
            Ok(v1::DecideResponse { outcome: outcome.into(), version, receipt })
        };
        self.gate.mutate(method!("Review", "Decide"), request, handler).await
    }

    async fn park(
        &self,
        request: Request<v1::ParkRequest>,
    ) -> Result<Response<v1::ParkResponse>, Status> {
        let handler = |caller, call, body: v1::ParkRequest| async move {
            let reason = body.reason();
            let change = || match reason {
                v1::ParkReason::AskingPerson => Ok(LeaseChange::Park(ParkReason::AskingPerson)),
                v1::ParkReason::AskingOffice => Ok(LeaseChange::Park(ParkReason::AskingOffice)),
                v1::ParkReason::SecondOpinion => Ok(LeaseChange::Park(ParkReason::SecondOpinion)),
                v1::ParkReason::Unspecified => Err(Refusal::field("reason")),
            };
            let (_, receipt) = self.change_lease(caller, call, &body.task_id, change).await?;
            Ok(v1::ParkResponse { receipt })
        };
        self.gate.mutate(method!("Review", "Park"), request, handler).await
    }

    async fn revise(
        &self,
        request: Request<v1::ReviseRequest>,
    ) -> Result<Response<v1::ReviseResponse>, Status> {
        let handler = |caller, call, body: v1::ReviseRequest| async move {
            let v1::ReviseRequest { task_id, version, verdict, .. } = body;
            let (outcome, version, receipt) =
                self.decide_task(caller, call, &task_id, version, verdict, true).await?;
            Ok(v1::ReviseResponse { outcome: outcome.into(), version, receipt })
        };
        self.gate.mutate(method!("Review", "Revise"), request, handler).await
    }

    type WatchQueueStream = Answers<v1::WatchQueueResponse>;

    async fn watch_queue(
        &self,
        request: Request<v1::WatchQueueRequest>,
    ) -> Result<Response<Self::WatchQueueStream>, Status> {
        let handler = |caller: Caller, body: v1::WatchQueueRequest| async move {
            let list: Option<ListId> = body.list_id.parse().ok();
            self.over_list::<DecideLines>(&self.exchange.state(), &caller, list)?;
            let list = list.ok_or(Reason::NoAgreement)?;
            let (sender, receiver) = mpsc::channel(1);
            let desk = self.clone();
            tokio::spawn(async move {
                let mut durable = desk.exchange.durable();
                let mut last = None;
                loop {
                    let state = desk.exchange.state();
                    // The right may end while the stream is open.
                    if let Err(refusal) = desk.over_list::<DecideLines>(&state, &caller, Some(list))
                    {
                        let _ = sender.send(Err(failure::status(&refusal))).await;
                        return;
                    }
                    let counted = state.queue(list, desk.exchange.clock().now());
                    if last != Some(counted) {
                        last = Some(counted);
                        let answer = v1::WatchQueueResponse { queue: Some(queue(counted)) };
                        if sender.send(Ok(answer)).await.is_err() || body.once {
                            return;
                        }
                    }
                    tokio::select! {
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
                    tokio::time::sleep(QUEUE_INTERVAL).await;
                }
            });
            Ok(Box::pin(ReceiverStream::new(receiver)) as Self::WatchQueueStream)
        };
        self.gate.handle(method!("Review", "WatchQueue"), request, handler).await
    }
}
