//! Lists: lines to be linked and paid, from open to paid.

use std::collections::BTreeMap;

use renkei_linkage::Outcome;
use renkei_types::{
    AgencyId, BatchId, DataKeyId, Digest, LinkageJobId, ListId, ProgrammeId, Slug, SnapshotId,
    TaskId, UploadId,
};
use serde::{Deserialize, Serialize};

use crate::hold::Stop;
use crate::programme::ListKind;
use crate::refusal::Refusal;
use crate::rows::Rows;
use crate::state::State;
use crate::supersede::{Differences, Supersedes};

/// So many lines, worth so many yen.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Totals {
    /// Lines.
    pub lines: u64,
    /// Whole yen.
    pub yen: u64,
}

impl Totals {
    /// Adds one line. Sums stay below the total of the sealed list, which was added with overflow checked.
    pub fn add(&mut self, yen: u64) {
        self.lines += 1;
        self.yen += yen;
    }
}

impl std::ops::AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.lines += other.lines;
        self.yen += other.yen;
    }
}

impl std::iter::Sum for Totals {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |mut sum, one| {
            sum += one;
            sum
        })
    }
}

/// A list of a programme.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct List {
    /// The programme.
    pub programme: ProgrammeId,
    /// Its short name.
    pub name: Slug,
    /// The upload that brings its file.
    pub upload: UploadId,
    /// The key that seals everything about its lines.
    pub key: DataKeyId,
    /// What it holds, once sealed.
    pub sealed: Option<SealedList>,
    /// The job that linked it or will.
    pub job: Option<LinkageJobId>,
    /// What became of its lines, once linked.
    pub linked: Option<LinkedList>,
    /// Its batches in order.
    pub batches: Vec<BatchId>,
    /// Whether its releases are stopped, by whom, and why.
    pub hold: Option<Stop>,
    /// How its payees come to be on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<ListKind>,
    /// The list whose place it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<Supersedes>,
    /// The list that has taken its place as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded_by: Option<ListId>,
    /// How its file differs from that of the list whose place it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub differences: Option<Differences>,
}

/// What a sealed list holds.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SealedList {
    /// What was declared, and counted.
    pub declared: Totals,
    /// Lines that were rejected.
    pub rejected: Totals,
    /// The rows.
    pub rows: Rows,
    /// The file's own bytes.
    pub file: renkei_journal::BlobRef,
    /// Digest of the file under the programme's key: the same file is recognised within a programme.
    pub file_digest: Digest,
}

/// What became of a list's lines.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct LinkedList {
    /// The register's snapshot.
    pub snapshot: SnapshotId,
    /// The decisions of the engine, one for each line; see [`crate::book`].
    pub result: renkei_journal::BlobRef,
    /// Digest of the decisions, equal whenever the job runs again.
    pub result_digest: Digest,
    /// Digest of the model.
    pub model_digest: Digest,
    /// The model's file, sealed as the decisions are: what explains them. Earlier results have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<renkei_journal::BlobRef>,
    /// Lines by outcome, as the engine left them and clerks changed them.
    pub lines: BTreeMap<OutcomeCode, u64>,
    /// First id of the series of tasks.
    pub tasks: TaskId,
    /// How many tasks.
    pub task_count: u32,
    /// Counts every decision and batch: what is prepared on an older state is refused.
    pub version: u64,
    /// How many frames changed the book; see [`BookPage`].
    pub book_frames: u32,
}

/// Numbers of frames that changed a list's book, in order, so many a page: a decision rewrites one page, not all.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct BookPage {
    /// The frames.
    pub frames: Vec<u64>,
}

/// Frames in a page.
const PAGE_FRAMES: u32 = 64;

impl State {
    /// Notes that a frame changes a list's book.
    pub(crate) fn add_book_frame(&mut self, list: ListId, frame: u64) {
        let mut page = None;
        self.lists.change(&list, |list| {
            if let Some(linked) = &mut list.linked {
                page = Some(linked.book_frames / PAGE_FRAMES);
                linked.book_frames += 1;
            }
        });
        if let Some(page) = page {
            let mut known = self.book_pages.get(&(list, page)).cloned().unwrap_or_default();
            known.frames.push(frame);
            self.book_pages.put((list, page), known);
        }
    }

    /// The frames that changed a list's book, in order.
    pub(crate) fn book_frames(&self, list: ListId) -> impl Iterator<Item = u64> {
        let pages = self.book_pages.range((list, 0), (list, u32::MAX));
        pages.flat_map(|(_, page)| page.frames.iter().copied())
    }
}

/// An outcome in the state.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct OutcomeCode(pub Outcome);

impl Serialize for OutcomeCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

impl<'de> Deserialize<'de> for OutcomeCode {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

impl State {
    /// Counts a line of a linked list under another outcome.
    pub(crate) fn move_line(&mut self, list: ListId, before: Outcome, after: Outcome) {
        self.lists.change(&list, |list| {
            if let Some(linked) = &mut list.linked {
                if let Some(lines) = linked.lines.get_mut(&OutcomeCode(before)) {
                    *lines -= 1;
                }
                *linked.lines.entry(OutcomeCode(after)).or_default() += 1;
            }
        });
    }

    /// The batches of a programme that stand, with their ids.
    pub(crate) fn batches_of(
        &self,
        programme: &crate::programme::Programme,
    ) -> impl Iterator<Item = (BatchId, &crate::batch::Batch)> {
        let lists = programme.lists.iter().filter_map(|list| self.lists.get(list));
        let ids = lists.flat_map(|list| list.batches.iter());
        ids.filter_map(|id| Some((*id, self.batches.get(id)?)))
            .filter(|(_, batch)| batch.state != crate::batch::BatchState::Withdrawn)
    }

    /// The agency that a list belongs to.
    pub fn owner_of_list(&self, list: ListId) -> Option<&AgencyId> {
        let list = self.lists.get(&list)?;
        self.programmes.get(&list.programme).map(|programme| &programme.agency)
    }

    /// A list that has been sealed.
    pub fn sealed_list(&self, list: ListId) -> Result<(&List, &SealedList), Refusal> {
        let list = self.lists.get(&list).ok_or(renkei_types::Reason::NoAgreement)?;
        let sealed = list.sealed.as_ref().ok_or(renkei_types::Reason::WrongState)?;
        Ok((list, sealed))
    }

    /// A list that has been linked.
    pub fn linked_list(&self, list: ListId) -> Result<(&List, &LinkedList), Refusal> {
        let list = self.lists.get(&list).ok_or(renkei_types::Reason::NoAgreement)?;
        let linked = list.linked.as_ref().ok_or(renkei_types::Reason::WrongState)?;
        Ok((list, linked))
    }
}
