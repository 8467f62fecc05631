//! Reading the log: which leaves fit a question. Every reading is a leaf of its own.

use std::collections::BTreeSet;

use jiff::Timestamp;
use renkei_tlog::Leaf;
use renkei_tlog::leaf::{Counter, LeafResult, ObjectId, Operation};
use renkei_types::Identity;

use crate::command::{Command, Decision, Desk};
use crate::mark::Mark;
use crate::permit::{Permit, ReadLog};
use crate::refusal::Refusal;
use crate::state::State;

/// Which leaves are wanted.
#[derive(Clone, Debug, Default)]
pub struct LeafFilter {
    /// Of these operations; all where empty.
    pub operations: BTreeSet<Operation>,
    /// With these results; all where empty.
    pub results: BTreeSet<LeafResult>,
    /// From this time on.
    pub from: Option<Timestamp>,
    /// Before this time.
    pub until: Option<Timestamp>,
    /// Of this system or person.
    pub actor: Option<Identity>,
    /// About one of these; all where nothing is given.
    pub about: Option<BTreeSet<String>>,
}

impl LeafFilter {
    /// Whether a leaf is wanted.
    pub fn fits(&self, leaf: &Leaf) -> bool {
        let millis = |time: Timestamp| u64::try_from(time.as_millisecond()).unwrap_or_default();
        (self.operations.is_empty() || self.operations.contains(&leaf.op))
            && (self.results.is_empty() || self.results.contains(&leaf.res))
            && self.from.is_none_or(|from| leaf.t.0 >= millis(from))
            && self.until.is_none_or(|until| leaf.t.0 < millis(until))
            && self.actor.as_ref().is_none_or(|actor| leaf.actor.sys.as_ref() == Some(actor))
            && self.about.as_ref().is_none_or(|about| names(leaf).any(|name| about.contains(&name)))
    }
}

fn names(leaf: &Leaf) -> impl Iterator<Item = String> {
    [
        leaf.job.map(|object| object.to_string()),
        leaf.ds.map(|dataset| dataset.id.to_string()),
        leaf.snap.map(|snapshot| snapshot.id.to_string()),
        leaf.agr.map(|agreement| agreement.id.to_string()),
        leaf.peer.as_ref().map(|peer| peer.to_string()),
    ]
    .into_iter()
    .flatten()
}

impl State {
    /// What belongs to a thing: of a list also its upload, job, tasks and batches.
    pub fn names_about(&self, object: &ObjectId) -> BTreeSet<String> {
        let mut names = BTreeSet::from([object.to_string()]);
        match object {
            ObjectId::List(id) => {
                let Some(list) = self.lists.get(id) else { return names };
                names.insert(list.upload.to_string());
                names.extend(list.job.map(|job| job.to_string()));
                names.extend(list.batches.iter().map(|batch| batch.to_string()));
                let tasks = self.tasks(*id).filter_map(|(place, _)| self.task_id(place));
                names.extend(tasks.map(|task| task.to_string()));
            }
            ObjectId::Programme(id) => {
                let Some(programme) = self.programmes.get(id) else { return names };
                names.insert(programme.dataset.to_string());
                for list in &programme.lists {
                    names.extend(self.names_about(&ObjectId::List(*list)));
                }
            }
            ObjectId::Agreement(_)
            | ObjectId::Batch(_)
            | ObjectId::DataKey(_)
            | ObjectId::Dataset(_)
            | ObjectId::Event(_)
            | ObjectId::LinkageJob(_)
            | ObjectId::Request(_)
            | ObjectId::Snapshot(_)
            | ObjectId::Task(_)
            | ObjectId::Upload(_) => {}
        }
        names
    }
}

/// Notes that somebody reads the log.
#[derive(Debug)]
pub struct ReadLeaves {
    /// That the caller may.
    pub permit: Permit<ReadLog>,
    /// How many leaves are handed out, where known.
    pub leaves: Option<u64>,
}

impl Command for ReadLeaves {
    type Reply = ();
    const METHOD: &'static str = "ReadLog";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        let mark = Mark::ok(Operation::AuditRead);
        Ok(Decision::new(
            (),
            match self.leaves {
                Some(leaves) => mark.count(Counter::Out, leaves),
                None => mark,
            },
        ))
    }
}
