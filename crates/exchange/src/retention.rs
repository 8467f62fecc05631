//! Retention: states of a register that were superseded are destroyed when nobody needs them and their time is over.
//!
//! A file that is sent anew supersedes the one before, with all deltas that were applied to it. They go together, since a
//! delta's rows stand behind those of its file:
//!
//! ```text
//! file 1, delta 1, delta 2 | superseded on 2026-04-01, agreements keep it for 30 days | destroyed from 2026-05-02 on
//! file 2, delta 3          | in use: never
//! ```
//! Agreements say how long what was received may be kept, and the longest of those under which the state could be used
//! counts; what was paid with it can be explained for as long after its transfer date. A state stays beyond that while a job
//! waits for it or a list that was linked to it still has a step to go. Where no agreement says anything, nothing is
//! destroyed. Invariant: what is destroyed was due when the frame was written, whoever asked for it, so nobody can destroy
//! early; and the leaf is durable before the first key goes.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;
use renkei_linkage::Outcome;
use renkei_tlog::leaf::{Counter, Operation};
use renkei_types::{DataKeyId, DatasetId, ListId, Reason, SnapshotId};
use serde::{Deserialize, Serialize};

use crate::agreement::AgreementState;
use crate::batch::BatchState;
use crate::command::{Call, Command, Decision, Desk, Done};
use crate::directory::Content;
use crate::job::JobState;
use crate::ledger::Exchange;
use crate::list::{OutcomeCode, Totals};
use crate::mark::Mark;
use crate::permit::{Operate, Permit};
use crate::reconcile::{Step, reconcile};
use crate::refusal::Refusal;
use crate::role::closed_list;
use crate::snapshot::Snapshot;
use crate::state::State;
use crate::upload::UploadState;

closed_list! {
    /// Why a superseded state of a register stays.
    Keeps {
        /// No agreement says how long it may be kept.
        NoTerm = "NO_TERM",
        /// The time that agreements give it is not over.
        Term = "TERM",
        /// A job waits for it.
        Job = "JOB",
        /// A list that was linked to it still has a step to go.
        List = "LIST",
    }
}

/// A state of a register that is in use no more: a file, and the deltas that were applied to it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Superseded {
    /// The file.
    pub file: SnapshotId,
    /// How many deltas were applied to it.
    pub deltas: u64,
    /// When it was superseded; nothing where that is not known.
    pub on: Option<Date>,
    /// The last day on which it may be needed to explain what was done with it.
    pub until: Option<Date>,
    /// Why it stays; nothing where it is due.
    pub kept: Option<Keeps>,
    /// Whether it has been destroyed.
    pub destroyed: bool,
}

/// A file and its deltas.
struct Generation<'a> {
    file: SnapshotId,
    segments: Vec<(SnapshotId, &'a Snapshot)>,
}

impl Generation<'_> {
    fn has(&self, snapshot: SnapshotId) -> bool {
        self.segments.iter().any(|(id, _)| *id == snapshot)
    }

    /// The day on which its file was sealed.
    fn sealed_on(&self) -> Option<Date> {
        let file = self.segments.iter().find(|(id, _)| *id == self.file);
        file.and_then(|(_, snapshot)| snapshot.sealed_on())
    }
}

impl State {
    /// The files that a register has had, the newest first, each with its deltas.
    fn generations(&self, dataset: DatasetId) -> Vec<Generation<'_>> {
        let mut roots: HashMap<SnapshotId, SnapshotId> = HashMap::new();
        let mut found: BTreeMap<SnapshotId, Generation<'_>> = BTreeMap::new();
        for (id, snapshot) in self.snapshots.iter().filter(|(_, one)| one.dataset == dataset) {
            let mut passed = vec![*id];
            let mut root = *id;
            // Back to the file, or to a delta whose file is known.
            while let Some(follows) = self.snapshots.get(&root).and_then(|known| known.follows) {
                if let Some(known) = roots.get(&root) {
                    root = *known;
                    break;
                }
                root = follows.previous;
                passed.push(root);
            }
            roots.extend(passed.into_iter().map(|passed| (passed, root)));
            let new = || Generation { file: root, segments: Vec::new() };
            found.entry(root).or_insert_with(new).segments.push((*id, snapshot));
        }
        let mut all: Vec<Generation<'_>> = found.into_values().collect();
        let sealed = |one: &Generation<'_>| {
            self.snapshots.get(&one.file).and_then(|snapshot| snapshot.sealed_at)
        };
        all.sort_by_key(|one| Reverse((sealed(one), one.file)));
        all
    }

    /// The last day on which agreements let somebody keep what was received of a state while it was in use.
    fn term_end(&self, dataset: DatasetId, from: Date, until: Date) -> Option<Date> {
        let used = self.agreements.iter().map(|(_, agreement)| agreement).filter(|agreement| {
            let begun =
                !matches!(agreement.state, AgreementState::Proposed | AgreementState::Approved);
            begun
                && agreement.terms.dataset == dataset
                && agreement.terms.valid_from <= until
                && agreement.last_day() >= from
        });
        used.map(|agreement| agreement.retained_until(agreement.last_day().min(until))).max()
    }

    /// The last day on which it may have to be explained why a list's lines were paid.
    fn explained_until(&self, list: ListId) -> Option<Date> {
        let list = self.lists.get(&list)?;
        let paid = self.programmes.get(&list.programme)?.rules.transfer_date;
        let (agreement, _) = self.jobs.get(&list.job?)?.agreement?;
        Some(self.agreements.get(&agreement)?.retained_until(paid))
    }

    /// Whether a list that is linked still has a step to go. Nothing: only its book can tell.
    fn has_a_step_to_go(&self, id: ListId) -> Option<bool> {
        let Ok((list, linked)) = self.linked_list(id) else { return Some(false) };
        let batches = || list.batches.iter().filter_map(|batch| self.batches.get(batch));
        let on_its_way =
            batches().any(|batch| !matches!(batch.state, BatchState::Withdrawn | BatchState::Paid));
        // A correction that is not linked yet is held against this list.
        let corrected = self.lists.iter().any(|(_, other)| {
            other.supersedes.is_some_and(|earlier| earlier.list == id)
                && other.linked.is_none()
                && other.superseded_by.is_none()
        });
        if on_its_way || corrected || list.hold.is_some() {
            return Some(true);
        }
        if list.superseded_by.is_some() {
            return Some(false);
        }
        let lines = |outcomes: &[Outcome]| -> u64 {
            let lines = outcomes.iter().map(|outcome| linked.lines.get(&OutcomeCode(*outcome)));
            lines.flatten().sum()
        };
        if lines(&[Outcome::Review, Outcome::Ambiguous]) > 0 {
            return Some(true);
        }
        let standing = batches().filter(|batch| batch.state != BatchState::Withdrawn);
        let gathered: u64 = standing.map(|batch| batch.totals.lines).sum();
        let payable = lines(&[Outcome::Linked, Outcome::LinkedByClerk]);
        (payable == gathered).then_some(false)
    }
}

/// The states of a register that are in use no more, the newest first.
pub fn superseded(desk: &mut Desk<'_>, dataset: DatasetId) -> Result<Vec<Superseded>, Refusal> {
    let state = desk.state.clone();
    let in_use = match state.datasets.get(&dataset).ok_or(Reason::NoAgreement)?.content {
        Content::Register(in_use) => in_use,
        Content::Deliveries(_) => return Err(Refusal::field("dataset_id")),
    };
    let mut found = Vec::new();
    let mut next: Option<Date> = None;
    for generation in state.generations(dataset) {
        let sealed = generation.sealed_on();
        if !in_use.is_some_and(|in_use| generation.has(in_use)) {
            found.push(weigh(desk, &state, dataset, &generation, next)?);
        }
        next = sealed;
    }
    Ok(found)
}

/// How long a state stays that was superseded on some day.
fn weigh(
    desk: &mut Desk<'_>,
    state: &State,
    dataset: DatasetId,
    generation: &Generation<'_>,
    on: Option<Date>,
) -> Result<Superseded, Refusal> {
    let linked = state.lists.iter().filter_map(|(id, list)| {
        list.linked.as_ref().filter(|linked| generation.has(linked.snapshot)).map(|_| *id)
    });
    let lists: Vec<ListId> = linked.collect();
    let term = generation.sealed_on().zip(on).and_then(|(sealed, on)| {
        let term = state.term_end(dataset, sealed, on)?;
        lists.iter().filter_map(|list| state.explained_until(*list)).chain([term]).max()
    });
    let destroyed = generation.segments.iter().all(|(_, snapshot)| snapshot.destroyed);
    let waits = || {
        let mut jobs = state.jobs.iter().map(|(_, job)| job);
        jobs.any(|job| job.state == JobState::Queued && generation.has(job.snapshot))
    };
    let kept = match term {
        _ if destroyed => None,
        None => Some(Keeps::NoTerm),
        Some(until) if until >= desk.today => Some(Keeps::Term),
        Some(_) if waits() => Some(Keeps::Job),
        Some(_) => {
            let mut open = false;
            for list in lists {
                open = open || is_open(desk, list)?;
            }
            open.then_some(Keeps::List)
        }
    };
    let deltas = generation.segments.len() as u64 - 1;
    Ok(Superseded { file: generation.file, deltas, on, until: term, kept, destroyed })
}

/// Whether a list that is linked still has a step to go.
fn is_open(desk: &mut Desk<'_>, list: ListId) -> Result<bool, Refusal> {
    if let Some(known) = desk.state.has_a_step_to_go(list) {
        return Ok(known);
    }
    match reconcile(desk, list) {
        Ok(sheet) => {
            let lines = |step| sheet.steps.get(&step).map_or(0, |totals: &Totals| totals.lines);
            Ok(lines(Step::Payable) + lines(Step::Open) > 0)
        }
        // What it said of its lines is gone itself.
        Err(refusal) if refusal.reason == Reason::DataDestroyed => Ok(false),
        Err(refusal) => Err(refusal),
    }
}

/// Destroys a superseded state of a register that is due.
#[derive(Clone, Debug)]
pub struct DestroySnapshot {
    /// That the caller may; nothing where the broker does it by itself.
    pub permit: Option<Permit<Operate>>,
    /// The register.
    pub dataset: DatasetId,
    /// The file.
    pub file: SnapshotId,
}

/// What was destroyed.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct DestroyedSnapshot {
    /// The keys that are to be destroyed: of the file and of its deltas.
    pub keys: Vec<DataKeyId>,
}

impl DestroySnapshot {
    /// Destroys it. Blocks: for threads that may wait.
    pub fn destroy(
        self,
        exchange: &Exchange,
        call: Call,
    ) -> Result<Done<DestroyedSnapshot>, Refusal> {
        let done = exchange.execute_now(call, self)?;
        exchange.vault().destroy_keys(&done.reply.keys)?;
        Ok(done)
    }
}

impl Command for DestroySnapshot {
    type Reply = DestroyedSnapshot;
    const METHOD: &'static str = "DestroySnapshot";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<DestroyedSnapshot>, Refusal> {
        if let Some(permit) = &self.permit {
            permit.check(desk.state, desk.today)?;
        }
        let all = superseded(desk, self.dataset)?;
        let of_it = all.into_iter().find(|one| one.file == self.file);
        let state = of_it.ok_or(Refusal::new(Reason::Retained).in_field("snapshot_id"))?;
        if state.destroyed {
            return Err(Reason::DataDestroyed.into());
        }
        if state.kept.is_some() {
            return Err(Refusal::new(Reason::Retained).in_field("snapshot_id"));
        }
        let generations = desk.state.generations(self.dataset);
        let of_it = generations.into_iter().find(|one| one.file == self.file);
        let segments = of_it.ok_or(Reason::Internal)?.segments;
        let (ids, keys): (Vec<SnapshotId>, Vec<DataKeyId>) =
            segments.into_iter().map(|(id, snapshot)| (id, snapshot.key)).unzip();
        for id in &ids {
            desk.state.snapshots.change(id, |snapshot| snapshot.destroyed = true);
        }
        // What a crash leaves of the keys, the next start destroys: it goes by the uploads.
        let of_keys = desk.state.uploads.iter().filter(|(_, upload)| keys.contains(&upload.key));
        let uploads: Vec<_> = of_keys.map(|(id, _)| *id).collect();
        for id in &uploads {
            desk.state.uploads.change(id, |upload| upload.state = UploadState::Destroyed);
        }
        let mark = Mark::ok(Operation::Delete)
            .of_dataset(self.dataset)
            .of_snapshot(self.file)
            .count(Counter::Out, keys.len() as u64);
        Ok(Decision::new(DestroyedSnapshot { keys }, mark))
    }
}

/// Destroys every superseded state that is due; answers how many. To be called every day. Blocks: for threads that may
/// wait.
pub fn destroy_due(exchange: &Exchange) -> Result<usize, Refusal> {
    let state = exchange.state();
    let registers = state.datasets.iter().filter_map(|(id, dataset)| match dataset.content {
        Content::Register(_) => Some(*id),
        Content::Deliveries(_) => None,
    });
    let mut count = 0;
    for dataset in registers {
        let all = exchange.ask_now(move |desk| superseded(desk, dataset))?;
        for due in all.into_iter().filter(|one| !one.destroyed && one.kept.is_none()) {
            let command = DestroySnapshot { permit: None, dataset, file: due.file };
            command.destroy(exchange, Call::own())?;
            count += 1;
        }
    }
    Ok(count)
}
