//! The thread of a ledger: it decides commands in their turn, makes their frames durable together, and answers.
//!
//! While one group of frames is being synced the next commands queue up; they become the next group. So one caller waits
//! for one sync, and 256 callers wait for one or two, not for 256.
//!
//! ```text
//! queue --> decide on a draft --> frames --append, one sync--> publish the state --> answer all
//!                 ^                             |
//!                 +------ another writer was first: read its frames, decide again
//! ```
//! Invariant: readers see only what is durable. After a failed sync nothing is known, so the process ends and verifies
//! at its next start.

use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Arc, Weak};

use jiff::Timestamp;
use renkei_journal::{AppendError, FRAME_BYTES_MAX, Frame, Journal, Seq};
use renkei_types::{Clock, Entropy, Reason};

use super::{Shared, is_unsigned};
use crate::books::Books;
use crate::cache::Projection;
use crate::command::{Command, Desk};
use crate::log::{Appended, Log};
use crate::log_year::{CloseYear, OpenYear};
use crate::manifest::Manifest;
use crate::pending::{Entry, Pending, leaf_digest};
use crate::refusal::Refusal;
use crate::rotation::BrokerKey;
use crate::running::{ClockJumped, ClockWatch};
use crate::state::{Change, State};
use crate::store::{OpenError, Vault};
use crate::subject_index::Event;
use crate::witnessed::Witnessed;
use crate::year_key::FiscalYear;

/// Most frames in a group.
const GROUP: usize = 1024;

/// The thread's own.
pub(super) struct Ledger {
    pub(super) journal: Box<dyn Journal>,
    pub(super) state: State,
    pub(super) watch: ClockWatch,
    pub(super) last: Last,
    pub(super) books: Books,
    pub(super) shared: Weak<Shared>,
    pub(super) clock: Arc<dyn Clock + Send + Sync>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) projector: SyncSender<Projection>,
    pub(super) log: Log,
    pub(super) witnessed: Arc<Witnessed>,
}

/// What a group of commands came to.
struct Group {
    state: State,
    frames: Vec<Frame>,
    changes: Vec<Change>,
    /// Which of the leaves concern persons.
    events: Vec<Event>,
    time: Timestamp,
}

impl Ledger {
    pub(super) fn run(mut self, commands: &Receiver<Box<dyn Pending>>) {
        while let Ok(first) = commands.recv() {
            if let Err(refusal) = self.turn_year() {
                first.answer(Some(refusal));
                continue;
            }
            let mut group = Vec::new();
            if self.watch.jumped(self.clock.now(), self.clock.monotonic()) {
                tracing::warn!("the clock has jumped");
                group.push(Box::new(Entry::own(ClockJumped)) as Box<dyn Pending>);
            }
            group.push(first);
            while group.len() < GROUP {
                match commands.try_recv() {
                    Ok(next) => group.push(next),
                    Err(_) => break,
                }
            }
            let (overruled, news) = self.commit(&mut group);
            // Callers first: the projections have time.
            group.into_iter().for_each(|pending| pending.answer(overruled));
            self.tell(news);
        }
    }

    /// Ends the fiscal year of the log and begins the next one, where the clock says so. What waits for the new year waits until
    /// the final checkpoint of the old one is kept, or, where nothing is signed for now, until it will be signed before anything
    /// later is: a year that has ended must be followed, whoever is silent.
    fn turn_year(&mut self) -> Result<(), Refusal> {
        if self.state.year_to_follow().is_none() {
            let year = FiscalYear::at(self.last.time);
            if self.last.seq == Seq(0) || year >= FiscalYear::at(self.clock.now()) {
                return Ok(());
            }
            // While witnesses dispute the log or are not heard nothing is signed, and its year stays open.
            match self.signed_so_far() {
                Err(refusal) if is_unsigned(&refusal) => return Ok(()),
                signed => signed.map(drop)?,
            }
            self.commit_own(CloseYear(year))?;
        }
        // Another writer may have turned it.
        let Some((ended, size)) = self.state.year_to_follow() else { return Ok(()) };
        let shared = self.shared.upgrade().ok_or(Reason::Stopping)?;
        let place = shared.paths.year_checkpoint(ended);
        let last = self.log.end_year(size, place)?;
        tracing::info!(year = ended.begins_in(), leaves = size, "a year of the log has ended");
        self.commit_own(OpenYear { ended, last })
    }

    /// A checkpoint over all that is durable.
    fn signed_so_far(&self) -> Result<String, Refusal> {
        self.log.checkpoint().blocking_recv().unwrap_or(Err(Reason::Stopping.into()))
    }

    /// A command of the ledger's own, alone in its group.
    fn commit_own<C: Command>(&mut self, command: C) -> Result<(), Refusal> {
        let mut group = [Box::new(Entry::own(command)) as Box<dyn Pending>];
        let (overruled, news) = self.commit(&mut group);
        self.tell(news);
        overruled.map_or(Ok(()), Err)
    }

    /// Decides a group and makes it durable. Answers why it is not, where it is not, and what is new.
    fn commit(&mut self, commands: &mut [Box<dyn Pending>]) -> (Option<Refusal>, News) {
        let mut news = News::default();
        let Some(shared) = self.shared.upgrade() else {
            return (Some(Reason::Stopping.into()), news);
        };
        loop {
            let group = match self.decide(commands, &shared.vault) {
                Ok(group) => group,
                Err(error) => {
                    self.books.clear();
                    return (Some(Refusal::internal(&error)), news);
                }
            };
            if group.frames.is_empty() {
                return (None, news);
            }
            match self.journal.append(self.last.seq, &group.frames) {
                Ok(seq) => {
                    self.last = Last { seq, time: group.time };
                    self.state = group.state;
                    shared.state.store(Arc::new(self.state.clone()));
                    // Before anybody is answered: what was answered can be found.
                    shared.subjects.extend(group.events);
                    news.changes.extend(group.changes);
                    news.leaves.extend(group.frames.into_iter().map(|frame| frame.leaf));
                    return (None, news);
                }
                Err(AppendError::Conflict { .. }) => {
                    // Another writer was first. Its facts come before ours, so everything is decided anew.
                    self.books.clear();
                    self.take_over(&shared, &mut news).unwrap_or_else(|error| fatal(&error));
                }
                Err(AppendError::StorageFull) => {
                    self.books.clear();
                    tracing::error!("the storage is full; nothing was changed");
                    return (Some(Reason::StorageFull.into()), news);
                }
                Err(AppendError::TooLarge { .. }) => {
                    self.books.clear();
                    return (Some(Reason::TooLarge.into()), news);
                }
                Err(error) => fatal(&error),
            }
        }
    }

    fn decide(
        &mut self,
        commands: &mut [Box<dyn Pending>],
        vault: &Vault,
    ) -> Result<Group, serde_json::Error> {
        let mut group = Group {
            state: self.state.clone(),
            frames: Vec::new(),
            changes: Vec::new(),
            events: Vec::new(),
            time: self.last.time,
        };
        self.books.trim();
        for command in commands {
            let now = self.clock.now();
            let tick = jiff::SignedDuration::from_millis(1);
            let time = now.max(group.time.checked_add(tick).unwrap_or(group.time));
            let mut draft = group.state.clone();
            let index = self.last.seq.0 + group.frames.len() as u64;
            let mut desk = Desk {
                state: &mut draft,
                now,
                today: self.clock.today(),
                entropy: self.entropy.as_ref(),
                books: &mut self.books,
                journal: self.journal.as_ref(),
                witnessed: &self.witnessed,
            };
            let Some(staged) = command.decide(&mut desk, vault, index, time) else { continue };
            let moved = draft.batches.touched().to_vec();
            let manifests = draft.manifests.touched().iter();
            let manifests: Vec<Manifest> =
                manifests.filter_map(|job| draft.manifests.get(job).cloned()).collect();
            let changes = draft.take_changes()?;
            let facts = serde_json::to_vec(&changes)?;
            let frame = Frame { leaf: staged.leaf, facts, sealed: staged.sealed };
            // Alone: whoever happens to be in the same group has nothing to do with it.
            let settled = if frame.bytes() > FRAME_BYTES_MAX {
                Err(Reason::TooLarge.into())
            } else {
                let journal = self.journal.as_ref();
                self.books.settle(&draft, journal, &moved, staged.book.as_ref())
            };
            if let Err(refusal) = settled {
                // What was opened for a list that is not linked after all would be another list's tomorrow.
                if let Some((list, _)) = &staged.book
                    && group.state.linked_list(*list).is_err()
                {
                    self.books.forget(*list);
                }
                command.refuse(refusal);
                continue;
            }
            group.frames.push(frame);
            group.state = draft;
            group.changes.extend(changes);
            group.events.extend(staged.persons.map(|set| Event::of_few(index, set)));
            group.events.extend(manifests.into_iter().map(|one| Event::of_job(index, one)));
            group.time = time;
        }
        Ok(group)
    }

    /// Takes over what another writer has added.
    fn take_over(&mut self, shared: &Shared, news: &mut News) -> Result<(), OpenError> {
        let known = self.last.seq.0;
        news.leaves.extend(catch_up(self.journal.as_ref(), &mut self.state, &mut self.last)?);
        let changes =
            self.state.take_changes().map_err(|error| OpenError::Cache(error.to_string()))?;
        news.changes.extend(changes);
        shared.state.store(Arc::new(self.state.clone()));
        shared.subjects.extend_from(self.journal.as_ref(), &self.state, &shared.vault, known)
    }

    /// Gives the projections, and those who wait for something new, what is durable.
    fn tell(&self, news: News) {
        let News { changes, leaves } = news;
        let Some(last) = leaves.last() else { return };
        let applied = (self.last.seq, leaf_digest(last));
        if let Some(shared) = self.shared.upgrade() {
            shared.durable.send_replace(self.last.seq.0);
        }
        // A cache that has stopped is built again at the next start.
        let _ = self.projector.send(Projection { changes, applied });
        let decided = self.state.keys_in_use.get(&BrokerKey::Log).copied();
        self.log.append(Appended { leaves, decided });
    }
}

/// The last frame and its time; time in the log never goes back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Last {
    pub(super) seq: Seq,
    pub(super) time: Timestamp,
}

/// Carries over what the journal has beyond `last`; answers the leaves of those frames.
pub(super) fn catch_up(
    journal: &dyn Journal,
    state: &mut State,
    last: &mut Last,
) -> Result<Vec<Vec<u8>>, OpenError> {
    let mut leaves = Vec::new();
    // The last leaf is read even where nothing is new: it has the time.
    for frame in journal.read(Seq(last.seq.0.max(1)))? {
        let (seq, frame) = frame?;
        last.time = last.time.max(crate::mark::time_of(&frame.leaf).unwrap_or(Timestamp::MIN));
        if seq <= last.seq {
            continue;
        }
        let unreadable = |source| OpenError::Facts { seq: seq.0, source };
        state.apply_facts(&frame.facts).map_err(unreadable)?;
        last.seq = seq;
        leaves.push(frame.leaf);
    }
    Ok(leaves)
}

/// What became durable.
#[derive(Default)]
struct News {
    changes: Vec<Change>,
    leaves: Vec<Vec<u8>>,
}

/// Nothing that was not synced can be trusted, and nothing more can be promised.
fn fatal(error: &dyn std::fmt::Display) -> ! {
    tracing::error!(%error, "the journal cannot be written; stopping at once, the next start verifies it");
    std::process::abort()
}
