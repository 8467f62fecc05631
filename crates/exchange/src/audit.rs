//! Reading the log: which leaves fit a question. Every reading is a leaf of its own.

use std::collections::BTreeSet;
use std::fmt::Display;

use jiff::Timestamp;
use renkei_tlog::Leaf;
use renkei_tlog::leaf::{Code, Counter, LeafResult, ObjectId, Operation, Peer};
use renkei_types::{AgencyId, AgreementId, DatasetId, Identity, Slug};

use crate::command::{Command, Decision, Desk};
use crate::leaf_index::{Facet, Question, Word};
use crate::mark::Mark;
use crate::permit::{Permit, ReadLog};
use crate::refusal::Refusal;
use crate::state::State;

/// Which leaves are wanted: those that fit each part which is set. A part that is empty leaves all open.
#[derive(Clone, Debug, Default)]
pub struct LeafFilter {
    /// Of these operations.
    pub operations: BTreeSet<Operation>,
    /// With these results.
    pub results: BTreeSet<LeafResult>,
    /// With these reason codes.
    pub codes: BTreeSet<Code>,
    /// From this time on.
    pub from: Option<Timestamp>,
    /// Before this time.
    pub until: Option<Timestamp>,
    /// Of these systems and persons.
    pub actors: BTreeSet<Identity>,
    /// Of persons with these staff ids.
    pub staff: BTreeSet<Slug>,
    /// Of these agencies, on either side.
    pub agencies: BTreeSet<AgencyId>,
    /// Under these agreements, or about them.
    pub agreements: BTreeSet<AgreementId>,
    /// For these purposes.
    pub purposes: BTreeSet<Slug>,
    /// Of these datasets.
    pub datasets: BTreeSet<DatasetId>,
    /// About one of these; all where nothing is given.
    pub about: Option<BTreeSet<String>>,
}

/// Whether a part of a filter lets any of these through.
fn admits<T: Ord>(wanted: &BTreeSet<T>, had: impl IntoIterator<Item = Option<T>>) -> bool {
    wanted.is_empty() || had.into_iter().flatten().any(|had| wanted.contains(&had))
}

fn millis(time: Timestamp) -> u64 {
    u64::try_from(time.as_millisecond()).unwrap_or_default()
}

impl LeafFilter {
    /// Whether a leaf is wanted.
    pub fn fits(&self, leaf: &Leaf) -> bool {
        let actor = &leaf.actor;
        admits(&self.operations, [Some(leaf.op)])
            && admits(&self.results, [Some(leaf.res)])
            && admits(&self.codes, [leaf.code.clone()])
            && self.from.is_none_or(|from| leaf.t.0 >= millis(from))
            && self.until.is_none_or(|until| leaf.t.0 < millis(until))
            && admits(&self.actors, [actor.sys.clone()])
            && admits(&self.staff, [actor.user.clone()])
            && admits(&self.agencies, [actor.agency.clone(), leaf.peer.as_ref().map(agency_of)])
            && admits(&self.agreements, [leaf.agr.map(|agreement| agreement.id)])
            && admits(&self.purposes, [leaf.purpose.clone()])
            && admits(&self.datasets, [leaf.ds.map(|dataset| dataset.id)])
            && self.about.as_ref().is_none_or(|about| names(leaf).any(|name| about.contains(&name)))
    }

    /// The filter as words of the index: whatever fits has one of each group.
    pub(crate) fn question(&self) -> Question {
        let groups = [
            words(Facet::Operation, &self.operations),
            words(Facet::Result, &self.results),
            words(Facet::Code, &self.codes),
            words(Facet::Actor, &self.actors),
            words(Facet::Staff, &self.staff),
            words(Facet::Agency, &self.agencies),
            words(Facet::About, &self.agreements),
            words(Facet::Purpose, &self.purposes),
            words(Facet::About, &self.datasets),
            self.about
                .as_ref()
                .map(|about| about.iter().map(|name| Word::new(Facet::About, name)).collect()),
        ];
        Question {
            groups: groups.into_iter().flatten().collect(),
            from: self.from.map_or(0, millis),
            until: self.until.map_or(u64::MAX, millis),
        }
    }
}

/// The group of a part of a filter; nothing where it leaves all open.
fn words<T: Display>(facet: Facet, wanted: &BTreeSet<T>) -> Option<Vec<Word>> {
    let words = || wanted.iter().map(|text| Word::new(facet, &text.to_string())).collect();
    (!wanted.is_empty()).then(words)
}

fn agency_of(peer: &Peer) -> AgencyId {
    match peer {
        Peer::Agency(agency) => agency.clone(),
        Peer::Client(identity) => identity.agency().clone(),
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
