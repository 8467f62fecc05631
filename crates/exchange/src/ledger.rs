//! The ledger: one thread decides commands, makes their frames durable together, and answers.
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

mod opening;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError};
use std::thread::JoinHandle;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use renkei_journal::{AppendError, DataKey, FRAME_BYTES_MAX, Frame, Journal, Seq};
use renkei_tlog::{LogError, LogFolder, Standing};
use renkei_types::{Clock, Digest, Entropy, Reason};
use tokio::sync::{oneshot, watch};

use crate::audit::LeafFilter;
use crate::books::Books;
use crate::cache::Projection;
use crate::command::{Call, Command, Desk, Done};
use crate::dispute::{Dispute, NoteDispute};
use crate::log::{Appended, Cosigned, Log};
use crate::log_index::IndexedLeaf;
use crate::log_key;
use crate::log_year::{CloseYear, OpenYear};
use crate::manifest::Manifest;
use crate::pending::{Entry, Pending, Question, leaf_digest};
use crate::refusal::Refusal;
use crate::rotation::BrokerKey;
use crate::running::{ClockJumped, ClockWatch};
use crate::state::{Change, State};
use crate::store::{OpenError, StorePaths, Vault, key_refusal, keyed_body_digest};
use crate::subject_index::{Event, Waiting};
use crate::witnessed::Witnessed;
use crate::year_key::FiscalYear;

/// Commands that wait at most; above this callers are refused at once.
const QUEUE: usize = 4096;
/// Most frames in a group.
const GROUP: usize = 1024;

/// The handle through which everything is done. Clones share one ledger.
#[derive(Clone)]
pub struct Exchange {
    shared: Arc<Shared>,
    queue: SyncSender<Box<dyn Pending>>,
}

struct Shared {
    state: ArcSwap<State>,
    durable: watch::Sender<u64>,
    vault: Arc<Vault>,
    clock: Arc<dyn Clock + Send + Sync>,
    request_key: DataKey,
    log: Log,
    paths: StorePaths,
    subjects: Waiting,
    witnessed: Arc<Witnessed>,
}

/// What will be answered.
type Answered<T> = oneshot::Receiver<Result<T, Refusal>>;

/// The threads of a ledger; join them to know that everything is written.
pub struct Threads(Vec<JoinHandle<()>>);

impl Threads {
    /// Waits until every thread has ended, which they do when the last [`Exchange`] is dropped.
    pub fn join(self) {
        for thread in self.0 {
            let _ = thread.join();
        }
    }
}

impl Exchange {
    /// The state as far as it is durable.
    pub fn state(&self) -> Arc<State> {
        self.shared.state.load_full()
    }

    /// Blobs and keys.
    pub fn vault(&self) -> &Arc<Vault> {
        &self.shared.vault
    }

    /// Time.
    pub fn clock(&self) -> &Arc<dyn Clock + Send + Sync> {
        &self.shared.clock
    }

    /// Leaves that concern persons and are not in the side index yet.
    pub(crate) fn subjects_waiting(&self) -> &Waiting {
        &self.shared.subjects
    }

    /// Where the folders are.
    pub fn paths(&self) -> &StorePaths {
        &self.shared.paths
    }

    /// The number of the last durable frame, and a call back whenever it grows.
    pub fn durable(&self) -> watch::Receiver<u64> {
        self.shared.durable.subscribe()
    }

    /// Makes the log's next key, unless it was made before, and answers its fingerprint.
    pub(crate) fn prepare_log_key(&self) -> Result<Digest, Refusal> {
        let state = self.state();
        let founding = state.founding.get(&0).ok_or(Reason::Internal)?;
        let (paths, entropy) = (&self.shared.paths, self.shared.vault.entropy());
        if paths.handed.log.is_some() {
            // It would be in use until the next start, and then the older one again.
            return Err(Reason::WrongState.into());
        }
        log_key::prepare(paths, &founding.log_origin, entropy)
            .map_err(|error| Refusal::internal(&error))
    }

    /// The log's public key, as auditors are given it.
    pub fn log_verifier(&self) -> Result<String, Refusal> {
        let file = self.shared.paths.log_key().with_extension("vkey");
        fs_err::read_to_string(file).map_err(|error| Refusal::internal(&error))
    }

    /// Takes a key into use on which two have agreed.
    pub(crate) fn complete_rotation(&self, key: BrokerKey) -> Result<(), Refusal> {
        let state = self.state();
        let decided = *state.keys_in_use.get(&key).ok_or(Reason::Internal)?;
        match key {
            BrokerKey::Root => {
                self.vault().complete_root(decided).map_err(|error| key_refusal(&error))
            }
            // What announces it is signed with this at the latest, and the next key follows it.
            BrokerKey::Log => self.checkpoint_now().map(drop),
        }
    }

    /// A keyed digest of what a client sent, by which a repetition is recognised.
    pub fn body_digest(&self, body: &[u8]) -> Digest {
        keyed_body_digest(&self.shared.request_key, body)
    }

    /// Decides a command; answers when its frame is durable.
    pub async fn execute<C: Command>(
        &self,
        call: Call,
        command: C,
    ) -> Result<Done<C::Reply>, Refusal> {
        self.submit(call, command)?.await.unwrap_or(Err(Reason::Stopping.into()))
    }

    /// The same for threads that may wait.
    pub fn execute_now<C: Command>(
        &self,
        call: Call,
        command: C,
    ) -> Result<Done<C::Reply>, Refusal> {
        self.submit(call, command)?.blocking_recv().unwrap_or(Err(Reason::Stopping.into()))
    }

    /// Asks something of the state and the books together; answers when all that it has seen is durable.
    pub async fn ask<T, Q>(&self, question: Q) -> Result<T, Refusal>
    where
        T: Send + 'static,
        Q: Fn(&mut Desk<'_>) -> Result<T, Refusal> + Send + 'static,
    {
        self.enquire(question)?.await.unwrap_or(Err(Reason::Stopping.into()))
    }

    /// The same for threads that may wait.
    pub fn ask_now<T, Q>(&self, question: Q) -> Result<T, Refusal>
    where
        T: Send + 'static,
        Q: Fn(&mut Desk<'_>) -> Result<T, Refusal> + Send + 'static,
    {
        self.enquire(question)?.blocking_recv().unwrap_or(Err(Reason::Stopping.into()))
    }

    /// A signed checkpoint over every frame that is durable now.
    pub async fn checkpoint(&self) -> Result<String, Refusal> {
        // The log is told after callers are; behind one more turn of the ledger it has been told of everything.
        self.ask(|_| Ok(())).await?;
        self.shared.log.checkpoint().await.unwrap_or(Err(Reason::Stopping.into()))
    }

    /// Waits until every frame that is durable now stands in the log's folder, whether it may be signed or not.
    pub async fn catch_up_log(&self) -> Result<(), Refusal> {
        match self.checkpoint().await {
            Err(refusal) if is_unsigned(&refusal) => Ok(()),
            signed => signed.map(drop),
        }
    }

    /// What witnesses have said of the log so far.
    pub fn witnessed(&self) -> &Witnessed {
        &self.shared.witnessed
    }

    /// Puts what witnesses have said of a checkpoint of this log beside it: a note with their lines. Answers how it stands
    /// with the policy. A note of a past that this log does not have opens a dispute.
    pub async fn cosigned(&self, by: &str, note: String) -> Result<Standing, Refusal> {
        let size = renkei_tlog::checkpoint::claimed(note.as_bytes()).ok().map(|it| it.size);
        let year = size.and_then(|size| self.year_of_size(size));
        let answer = self.shared.log.cosigned(Cosigned { note: note.clone(), year }).await;
        if answer.as_ref().is_err_and(|refusal| refusal.reason == Reason::LogDisputed) {
            let dispute = Dispute {
                witness: by.to_owned(),
                cosigned_size: size,
                ours: self.signed_last().await?,
                theirs: Some(note),
            };
            self.dispute(dispute).await?;
        }
        answer
    }

    /// Stops signing and changing until an operator has accepted what a witness knows; the log tells of it.
    pub async fn dispute(&self, dispute: Dispute) -> Result<(), Refusal> {
        self.shared.witnessed.dispute();
        tell_of_dispute(&dispute);
        dispute.keep(&self.shared.paths).map_err(|error| Refusal::internal(&error))?;
        self.execute(Call::own(), NoteDispute { dispute, accepted: false }).await?;
        Ok(())
    }

    /// The note that was signed last, as it lies in the log's folder.
    pub async fn signed_last(&self) -> Result<String, Refusal> {
        let path = self.paths().log().join("checkpoint");
        self.read_log(move |_| Ok(fs_err::read_to_string(path)?)).await
    }

    /// A signed checkpoint over every frame that is durable now; where nothing is signed, since the log is disputed or its
    /// witnesses are not heard, the one that was signed last.
    pub async fn latest_checkpoint(&self) -> Result<String, Refusal> {
        match self.checkpoint().await {
            Err(refusal) if is_unsigned(&refusal) => self.signed_last().await,
            signed => signed,
        }
    }

    /// Reads the log as far as the last checkpoint goes, while nothing is written to it.
    pub async fn read_log<T: Send + 'static>(
        &self,
        reading: impl FnOnce(&LogFolder) -> Result<T, LogError> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.shared.log.read(reading).await
    }

    /// A signed checkpoint, for threads that may wait.
    pub fn checkpoint_now(&self) -> Result<String, Refusal> {
        self.ask_now(|_| Ok(()))?;
        self.shared.log.checkpoint().blocking_recv().unwrap_or(Err(Reason::Stopping.into()))
    }

    /// Reads the log, for threads that may wait.
    pub fn read_log_now<T: Send + 'static>(
        &self,
        reading: impl FnOnce(&LogFolder) -> Result<T, LogError> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.shared.log.read_now(reading)
    }

    /// Waits until every leaf that is durable now can be found.
    pub async fn index_log(&self) -> Result<(), Refusal> {
        // Likewise: behind one more turn of the ledger the index has been told of everything.
        self.ask(|_| Ok(())).await?;
        let durable = *self.shared.durable.borrow();
        self.shared.log.index().knows(durable).await
    }

    /// Leaves that fit, from an index on and so many at most, in their order. Wait for [`Exchange::index_log`] first to find all
    /// that are durable. Blocks: for threads that may wait.
    pub fn find_leaves(
        &self,
        filter: &LeafFilter,
        from: u64,
        most: usize,
    ) -> Result<Vec<IndexedLeaf>, Refusal> {
        let found = self.shared.log.index().find(filter, from, most);
        found.map_err(|error| Refusal::internal(&error))
    }

    fn submit<C: Command>(
        &self,
        call: Call,
        command: C,
    ) -> Result<Answered<Done<C::Reply>>, Refusal> {
        let (sender, receiver) = oneshot::channel();
        self.enqueue(Box::new(Entry { call, command, decided: None, answer: sender }))?;
        Ok(receiver)
    }

    fn enquire<T, Q>(&self, question: Q) -> Result<oneshot::Receiver<Result<T, Refusal>>, Refusal>
    where
        T: Send + 'static,
        Q: Fn(&mut Desk<'_>) -> Result<T, Refusal> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        self.enqueue(Box::new(Question { question, found: None, answer: sender }))?;
        Ok(receiver)
    }

    fn enqueue(&self, pending: Box<dyn Pending>) -> Result<(), Refusal> {
        self.queue.try_send(pending).map_err(|error| match error {
            TrySendError::Full(_) => Reason::Overloaded.into(),
            TrySendError::Disconnected(_) => Reason::Stopping.into(),
        })
    }
}

/// Tells whoever reads the process log, and may know nothing of disputes, what to do next.
fn tell_of_dispute(dispute: &Dispute) {
    tracing::error!(
        witness = %dispute.witness,
        "a witness knows another past of the log; only reading. Stop the broker, keep store and keys as they are, tell the auditor, \
         and put back the newest store; keys/log.dispute says what the witness knows (operations, section 9)"
    );
}

/// The last frame and its time; time in the log never goes back.
#[derive(Clone, Copy, Debug)]
struct Last {
    seq: Seq,
    time: Timestamp,
}

/// Carries over what the journal has beyond `last`; answers the leaves of those frames.
fn catch_up(
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

/// Whether there is no checkpoint because nothing is signed for now.
fn is_unsigned(refusal: &Refusal) -> bool {
    matches!(refusal.reason, Reason::LogDisputed | Reason::NotWitnessed)
}

/// The thread's own.
struct Ledger {
    journal: Box<dyn Journal>,
    state: State,
    watch: ClockWatch,
    last: Last,
    books: Books,
    shared: std::sync::Weak<Shared>,
    clock: Arc<dyn Clock + Send + Sync>,
    entropy: Arc<dyn Entropy>,
    projector: SyncSender<Projection>,
    log: Log,
    witnessed: Arc<Witnessed>,
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
    fn run(mut self, commands: &Receiver<Box<dyn Pending>>) {
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
