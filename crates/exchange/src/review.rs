//! Review: doubtful lines, leased one by one to clerks who decide them.
//!
//! A task is public: who holds it, until when, who decided it. What was decided about whom is not: it stands in the sealed
//! part of the frame, and in the [`crate::book`].

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use renkei_linkage::Outcome;
use renkei_tlog::leaf::{Counter, DecidedBy, Decision as LeafDecision, DecisionKind, Operation};
use renkei_types::{DatasetId, Identity, ListId, Reason, TaskId};
use serde::{Deserialize, Serialize};

use crate::agreement::use_volume;
use crate::book::{BookChange, outcome_code};
use crate::command::{Command, Decision, Desk};
use crate::list::OutcomeCode;
use crate::mark::Mark;
use crate::permit::{DecideLines, Permit};
use crate::programme::PayeeUnit;
use crate::refusal::Refusal;
use crate::role::closed_list;
use crate::state::State;
use crate::subject::SubjectSet;

/// Tasks in a page: what changes when one of them does.
const PAGE_TASKS: u32 = 16;

closed_list! {
    /// Why a task is set aside.
    ParkReason {
        /// The person is being asked.
        AskingPerson = "ASKING_PERSON",
        /// Another office is being asked.
        AskingOffice = "ASKING_OFFICE",
        /// A colleague must look.
        SecondOpinion = "SECOND_OPINION",
    }
}

/// Where a task stands.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum TaskState {
    /// Nobody works on it.
    Open,
    /// Somebody works on it.
    Leased {
        /// Who.
        by: Identity,
        /// How long.
        until: Timestamp,
    },
    /// It was set aside.
    Parked {
        /// By whom.
        by: Identity,
        /// Why.
        reason: ParkReason,
    },
    /// It is decided.
    Decided,
}

/// A question to a clerk about one line.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Task {
    /// Where it stands.
    pub state: TaskState,
    /// Counts its decisions and leases.
    pub version: u64,
    /// Everybody who has decided it.
    pub deciders: BTreeSet<Identity>,
}

/// Some tasks of a list.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct TaskPage {
    /// In order.
    pub tasks: Vec<Task>,
}

/// A task that nobody has touched.
static OPEN: Task = Task { state: TaskState::Open, version: 1, deciders: BTreeSet::new() };

impl TaskPage {
    /// A page of open tasks. It stands for every page that is not in the state: a job with a hundred thousand tasks writes
    /// none of them.
    fn open() -> Self {
        Self { tasks: vec![OPEN.clone(); PAGE_TASKS as usize] }
    }
}

/// How many tasks stand where.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Queue {
    /// Nobody works on them.
    pub open: u64,
    /// Somebody works on them.
    pub leased: u64,
    /// Set aside.
    pub parked: u64,
    /// Decided.
    pub decided: u64,
}

/// Which task of which list.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct TaskPlace {
    /// The list.
    pub list: ListId,
    /// The task's number in the list, from 0.
    pub number: u32,
}

impl State {
    /// Where a task is.
    pub fn task_place(&self, id: TaskId) -> Option<TaskPlace> {
        let mut series = *id.as_bytes();
        let mut number = [0; 4];
        number.copy_from_slice(&series[12..]);
        series[12..].fill(0);
        let list = *self.task_series.get(&TaskId::from_bytes(series))?;
        let number = u32::from_be_bytes(number);
        let known = self.lists.get(&list)?.linked.as_ref()?.task_count;
        (number < known).then_some(TaskPlace { list, number })
    }

    /// The register that a list is linked to.
    pub fn register_of_list(&self, list: ListId) -> Option<DatasetId> {
        Some(self.jobs.get(&self.lists.get(&list)?.job?)?.dataset)
    }

    /// The id of a task.
    pub fn task_id(&self, place: TaskPlace) -> Option<TaskId> {
        let mut bytes = *self.lists.get(&place.list)?.linked.as_ref()?.tasks.as_bytes();
        bytes[12..].copy_from_slice(&place.number.to_be_bytes());
        Some(TaskId::from_bytes(bytes))
    }

    /// A task.
    pub fn task(&self, place: TaskPlace) -> Option<&Task> {
        let known = self.lists.get(&place.list)?.linked.as_ref()?.task_count;
        if place.number >= known {
            return None;
        }
        match self.task_pages.get(&(place.list, place.number / PAGE_TASKS)) {
            Some(page) => page.tasks.get((place.number % PAGE_TASKS) as usize),
            None => Some(&OPEN),
        }
    }

    /// Every task of a list, in order.
    pub fn tasks(&self, list: ListId) -> impl Iterator<Item = (TaskPlace, &Task)> {
        let linked = self.lists.get(&list).and_then(|list| list.linked.as_ref());
        let count = linked.map_or(0, |linked| linked.task_count);
        let pages =
            (0..count.div_ceil(PAGE_TASKS)).map(move |page| self.task_pages.get(&(list, page)));
        let tasks = pages.flat_map(|page| {
            (0..PAGE_TASKS as usize)
                .map(move |at| page.and_then(|page| page.tasks.get(at)).unwrap_or(&OPEN))
        });
        (0..count).zip(tasks).map(move |(number, task)| (TaskPlace { list, number }, task))
    }

    /// How many tasks of a list stand where at this time.
    pub fn queue(&self, list: ListId, now: Timestamp) -> Queue {
        let mut queue = Queue::default();
        for (_, task) in self.tasks(list) {
            match &task.state {
                TaskState::Leased { until, .. } if *until > now => queue.leased += 1,
                TaskState::Open | TaskState::Leased { .. } => queue.open += 1,
                TaskState::Parked { .. } => queue.parked += 1,
                TaskState::Decided => queue.decided += 1,
            }
        }
        queue
    }

    /// Tasks whose decisions were made on an earlier list, by number: decided, by the same clerks.
    pub(crate) fn carry_tasks(
        &mut self,
        list: ListId,
        decided: impl IntoIterator<Item = (u32, BTreeSet<Identity>)>,
    ) {
        for (number, deciders) in decided {
            self.change_task(TaskPlace { list, number }, |task| {
                task.state = TaskState::Decided;
                task.deciders = deciders;
            });
        }
    }

    fn change_task(&mut self, place: TaskPlace, change: impl FnOnce(&mut Task)) {
        let key = (place.list, place.number / PAGE_TASKS);
        let mut page = self.task_pages.get(&key).cloned().unwrap_or_else(TaskPage::open);
        if let Some(task) = page.tasks.get_mut((place.number % PAGE_TASKS) as usize) {
            task.version += 1;
            change(task);
        }
        self.task_pages.put(key, page);
    }
}

/// The task, if the caller holds it.
fn leased<'a>(
    desk: &'a Desk<'_>,
    permit: &Permit<DecideLines>,
    place: TaskPlace,
) -> Result<&'a Task, Refusal> {
    let task = desk.state.task(place).ok_or(Reason::NoAgreement)?;
    match &task.state {
        TaskState::Leased { by, until } if *by == permit.caller().identity && *until > desk.now => {
            Ok(task)
        }
        TaskState::Open
        | TaskState::Leased { .. }
        | TaskState::Parked { .. }
        | TaskState::Decided => Err(Reason::LeaseLost.into()),
    }
}

fn lease(desk: &Desk<'_>, duration: Duration) -> Timestamp {
    let duration =
        jiff::SignedDuration::try_from(duration).unwrap_or(jiff::SignedDuration::from_mins(15));
    desk.now.checked_add(duration).unwrap_or(Timestamp::MAX)
}

/// A task that was taken.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Claimed {
    /// Which.
    pub place: TaskPlace,
    /// Its version.
    pub version: u64,
    /// When the lease ends.
    pub until: Timestamp,
}

/// Takes the next task. A clerk who holds one already is given that one again.
#[derive(Debug)]
pub struct Claim {
    /// That the caller may.
    pub permit: Permit<DecideLines>,
    /// The list.
    pub list: ListId,
    /// Take one that was set aside.
    pub parked: bool,
    /// How long the lease lasts.
    pub duration: Duration,
    /// Most records that will be shown, against the agreement's volume.
    pub records_max: u64,
}

impl Command for Claim {
    type Reply = Option<Claimed>;
    const METHOD: &'static str = "Claim";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<Option<Claimed>>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        desk.state.linked_list(self.list)?;
        let caller = &self.permit.caller().identity;
        let now = desk.now;
        let own = |task: &Task| matches!(&task.state, TaskState::Leased { by, until } if by == caller && *until > now);
        let free = |task: &Task| match &task.state {
            TaskState::Open => !self.parked,
            TaskState::Leased { until, .. } => !self.parked && *until <= now,
            TaskState::Parked { .. } => self.parked,
            TaskState::Decided => false,
        };
        let found = desk.state.tasks(self.list).find(|(_, task)| own(task));
        let found = found.or_else(|| desk.state.tasks(self.list).find(|(_, task)| free(task)));
        let Some((place, _)) = found else { return Ok(Decision::nothing(None)) };
        use_volume(desk, &self.permit, self.records_max)?;
        let until = lease(desk, self.duration);
        let by = caller.clone();
        desk.state.change_task(place, |task| task.state = TaskState::Leased { by, until });
        let version = desk.state.task(place).map_or(0, |task| task.version);
        let task = desk.state.task_id(place).ok_or(Reason::Internal)?;
        let mark = Mark::ok(Operation::QuerySingle).about(task).under(&self.permit);
        Ok(Decision::new(Some(Claimed { place, version, until }), mark))
    }
}

/// Extends a lease, or gives a task back, or sets it aside.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LeaseChange {
    /// So much longer from now.
    Renew(Duration),
    /// Back to the queue.
    GiveBack,
    /// Set aside.
    Park(ParkReason),
}

/// Changes a lease.
#[derive(Debug)]
pub struct ChangeLease {
    /// That the caller may.
    pub permit: Permit<DecideLines>,
    /// The task.
    pub place: TaskPlace,
    /// What.
    pub change: LeaseChange,
}

impl Command for ChangeLease {
    /// When the lease ends now.
    type Reply = Timestamp;
    const METHOD: &'static str = "ChangeLease";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<Timestamp>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        leased(desk, &self.permit, self.place)?;
        let by = self.permit.caller().identity.clone();
        let (state, until) = match self.change {
            LeaseChange::Renew(duration) => {
                let until = lease(desk, duration);
                (TaskState::Leased { by, until }, until)
            }
            LeaseChange::GiveBack => (TaskState::Open, desk.now),
            LeaseChange::Park(reason) => (TaskState::Parked { by, reason }, desk.now),
        };
        // A longer lease is the same task: what the clerk has been shown still counts.
        let version = desk.state.task(self.place).map_or(0, |task| task.version);
        desk.state.change_task(self.place, |task| {
            task.state = state;
            task.version = version;
        });
        let task = desk.state.task_id(self.place).ok_or(Reason::Internal)?;
        let kind = LeafDecision { act: DecisionKind::Defer, by: DecidedBy::Human, rule: None };
        let mark =
            Mark::ok(Operation::ReviewDecision).about(task).under(&self.permit).decided(kind);
        Ok(Decision::new(until, mark))
    }
}

/// What a clerk decides.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// The line means this person.
    Person {
        /// Row in the register's snapshot of the job.
        row: u32,
        /// Id in the register.
        id: String,
        /// The same person, as the log knows them.
        subject: SubjectSet,
    },
    /// It means nobody in the register.
    Nobody,
    /// It repeats another line.
    Duplicate,
}

/// What became of a line.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Decided {
    /// Its outcome.
    pub outcome: OutcomeCode,
    /// The task's version now.
    pub version: u64,
}

/// Decides a task that the caller holds, or changes a decision as long as the line is in no batch.
#[derive(Debug)]
pub struct Decide {
    /// That the caller may.
    pub permit: Permit<DecideLines>,
    /// The task.
    pub place: TaskPlace,
    /// The version that was shown.
    pub version: u64,
    /// What is decided.
    pub verdict: Verdict,
    /// Whether it changes a decision.
    pub revises: bool,
}

impl Command for Decide {
    type Reply = Decided;
    const METHOD: &'static str = "Decide";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<Decided>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        let list_id = self.place.list;
        let task = desk.state.task(self.place).ok_or(Reason::NoAgreement)?;
        let version = task.version;
        if self.revises {
            if task.state != TaskState::Decided {
                return Err(Reason::WrongState.into());
            }
        } else {
            leased(desk, &self.permit, self.place)?;
        }
        if version != self.version {
            return Err(Reason::VersionOld.into());
        }
        let book = desk.book(list_id)?;
        let row = *book.task_rows().get(self.place.number as usize).ok_or(Reason::Internal)?;
        let before = book.line(row).ok_or(Reason::Internal)?;
        let (list, _) = desk.state.linked_list(list_id)?;
        if list.superseded_by.is_some() || book.is_replaced(row) {
            return Err(Reason::Superseded.into());
        }
        // A proposal that nobody has certified yet falls with the line that is revised.
        let dissolved = match book.batch_of(row) {
            Some(batch) if crate::batch::is_proposal(desk.state, batch) => Some(batch),
            Some(_) => return Err(Reason::InBatch.into()),
            None => None,
        };
        let (list, _) = desk.state.linked_list(list_id)?;
        let programme_id = list.programme;
        let programme = desk.state.programmes.get(&programme_id).ok_or(Reason::NoAgreement)?;
        let (key, unit) = (list.key, programme.rules.unit);
        let (outcome, register_row) = match &self.verdict {
            Verdict::Person { row: resident, id, .. } => {
                let refused = |reason| Refusal::new(reason).in_field("verdict.register_id");
                if unit == PayeeUnit::Person {
                    if book.holder(*resident).is_some_and(|holder| holder != row) {
                        return Err(refused(Reason::HeldByLine));
                    }
                    // A line that is in a batch never comes here, so whoever is paid is paid by another.
                    if desk.payees(programme_id)?.line(id).is_some() {
                        return Err(refused(Reason::AlreadyPaid));
                    }
                }
                (Outcome::LinkedByClerk, Some(*resident))
            }
            Verdict::Nobody => (Outcome::NotFound, None),
            Verdict::Duplicate => (Outcome::Duplicate, before.register_row),
        };
        if let Some(batch) = dissolved {
            crate::batch::dissolve(desk.state, batch);
        }
        let by = self.permit.caller().identity.clone();
        desk.state.change_task(self.place, |task| {
            task.state = TaskState::Decided;
            task.deciders.insert(by);
        });
        desk.state.lists.change(&list_id, |list| {
            if let Some(linked) = &mut list.linked {
                linked.version += 1;
            }
        });
        desk.state.move_line(list_id, before.outcome, outcome);
        let decided = Decided { outcome: OutcomeCode(outcome), version: version + 1 };
        let task = desk.state.task_id(self.place).ok_or(Reason::Internal)?;
        let act = match self.verdict {
            Verdict::Person { .. } => DecisionKind::Merge,
            Verdict::Nobody => DecisionKind::Split,
            Verdict::Duplicate => DecisionKind::Deny,
        };
        let kind = LeafDecision { act, by: DecidedBy::Human, rule: None };
        let mark =
            Mark::ok(Operation::ReviewDecision).about(task).under(&self.permit).decided(kind);
        let register = desk.state.register_of_list(list_id).ok_or(Reason::Internal)?;
        let outcome = outcome_code(outcome);
        let change = BookChange::Decided { row, register_row, outcome, dissolved };
        let decision = match &self.verdict {
            Verdict::Person { subject, .. } => {
                Decision::concerning(decided, mark.of_dataset(register), subject.clone())
            }
            Verdict::Nobody | Verdict::Duplicate => Decision::new(decided, mark),
        };
        Ok(decision.with_book(list_id, key, change))
    }
}

/// Notes that a clerk looks for further candidates of a task they hold.
#[derive(Debug)]
pub struct Searched {
    /// That the caller may.
    pub permit: Permit<DecideLines>,
    /// The task.
    pub place: TaskPlace,
    /// Whose records will be shown.
    pub shown: SubjectSet,
}

impl Command for Searched {
    type Reply = ();
    const METHOD: &'static str = "Search";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        leased(desk, &self.permit, self.place)?;
        let records = self.shown.len();
        use_volume(desk, &self.permit, records.max(1))?;
        let task = desk.state.task_id(self.place).ok_or(Reason::Internal)?;
        let register = desk.state.register_of_list(self.place.list).ok_or(Reason::Internal)?;
        let mark = Mark::ok(Operation::QuerySingle)
            .about(task)
            .of_dataset(register)
            .under(&self.permit)
            .count(Counter::Out, records);
        Ok(Decision::concerning((), mark, self.shown.clone()))
    }
}
