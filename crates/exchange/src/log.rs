//! The log folder: leaves as tiles, and signed checkpoints. A projection of the journal's public part.
//!
//! Leaf `n` is that of frame `n + 1`. A thread of its own integrates what is durable; a checkpoint that is asked for
//! covers every leaf that was durable at that moment.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use renkei_journal::{Journal, Seq};
use renkei_tlog::leaf::SeenCheckpoint;
use renkei_tlog::{LogError, LogFolder, SignedCheckpoint, Standing, TreeHead};
use renkei_types::{Clock, Digest, Entropy, Reason};

use crate::found_log::{FoundLog, JournalFrames};
use crate::kept_file;
use crate::log_fault::LogDifference;
use crate::log_head::{LogHead, LostHead};
use crate::log_index::LogIndex;
use crate::log_key::{KeptLogKey, KeyHistory};
use crate::log_signer::{EndedYear, Signer};
use crate::refusal::Refusal;
use crate::store::{OpenError, StorePaths};
use crate::witnessed::{Accepted, Counted, Witnessed};

/// Leaves that are gathered at most before they are written.
const WAITING_MAX: usize = 4096;

/// Leaves that wait at most; a slower disk slows callers down instead of filling memory.
const QUEUE: usize = 1024;

enum Work {
    Leaves(Appended),
    Checkpoint(tokio::sync::oneshot::Sender<Result<String, Refusal>>),
    Read(Reading),
    Cosign(Cosigned, tokio::sync::oneshot::Sender<Result<Standing, Refusal>>),
    EndYear(YearsEnd, tokio::sync::oneshot::Sender<Result<SeenCheckpoint, Refusal>>),
}

/// How many leaves a year has with the one that ends it, and where its final checkpoint is kept.
type YearsEnd = (u64, PathBuf);

/// Leaves that are durable in the journal.
pub(crate) struct Appended {
    pub(crate) leaves: Vec<Vec<u8>>,
    /// The log's key that was decided on last, as of these leaves: one of them may announce it.
    pub(crate) decided: Option<Digest>,
}

/// Something to be read while nothing is written.
type Reading = Box<dyn FnOnce(&LogFolder) + Send>;

/// What witnesses have said of a checkpoint.
pub(crate) struct Cosigned {
    /// The checkpoint with their lines.
    pub(crate) note: String,
    /// Where the final checkpoint of a year is kept, if one of this size is.
    pub(crate) year: Option<PathBuf>,
}

/// How a log is kept.
pub(crate) struct LogKeeping<'a> {
    /// Its name.
    pub(crate) origin: &'a str,
    /// The key that was decided on last, which may not be in use yet.
    pub(crate) decided: Option<Digest>,
    /// The year that ended last, whose final checkpoint may not be kept yet.
    pub(crate) ended: Option<EndedYear>,
    /// How often it is signed while leaves come.
    pub(crate) interval: Duration,
    pub(crate) clock: Arc<dyn Clock + Send + Sync>,
    pub(crate) witnessed: Arc<Witnessed>,
}

/// A log that was brought up to the journal.
pub(crate) struct Started {
    pub(crate) log: Log,
    pub(crate) threads: Vec<JoinHandle<()>>,
    /// What was signed once and is lost, as an operator has accepted.
    pub(crate) lost: Option<LostHead>,
}

/// Sends leaves to the log.
#[derive(Clone)]
pub(crate) struct Log {
    work: SyncSender<Work>,
    index: LogIndex,
}

impl Log {
    /// Brings the folder up to the journal and starts its thread. A folder that knows more than the journal, or
    /// something else, is refused: somebody has put an old journal back.
    pub(crate) fn start(
        paths: &StorePaths,
        journal: &dyn Journal,
        entropy: &dyn Entropy,
        keeping: LogKeeping<'_>,
    ) -> Result<Started, OpenError> {
        let LogKeeping { origin, decided, ended, interval, clock, witnessed } = keeping;
        let path = paths.log();
        let failed = |source| OpenError::Log { path: path.clone(), source };
        let history = KeyHistory { decided, has_begun: journal.last() > Seq(0) };
        let key = KeptLogKey::open(paths, origin, entropy, history)?;
        let found = FoundLog::look(paths, &key.verifiers()?, &JournalFrames::Open(journal))?;
        let (mut folder, size) = LogFolder::open(&path).map_err(failed)?;
        let mut leaves = Vec::new();
        for frame in journal.read(Seq(size + 1))? {
            leaves.push(frame?.1.leaf);
            if leaves.len() == WAITING_MAX {
                folder.append(&leaves).map_err(failed)?;
                leaves.clear();
            }
        }
        if !leaves.is_empty() {
            folder.append(&leaves).map_err(failed)?;
        }
        key.warn_if_unannounced();
        let FoundLog { head, lost, .. } = found;
        let head = LogHead::at(paths.log_head(), head);
        // Not before the head has shown that this is the key.
        key.write_verifier()?;
        let was_signed = head.size() > 0 || folder.published().is_some() || lost.is_some();
        witnessed.recall(&folder, &key.verifiers()?, clock.now()).map_err(failed)?;
        if was_signed {
            witnessed.hold_unless_heard(clock.now());
        }
        let mut signer = Signer::begin(path.clone(), key, head, &folder, (decided, ended))?;
        if folder.size() == 0 {
            signer.begin_head()?;
        } else if witnessed.check_signing().is_ok() {
            signer.sign(&mut folder)?;
        }
        let (sender, receiver) = sync_channel(QUEUE);
        let (index, index_thread) = LogIndex::start(path.clone(), &folder).map_err(failed)?;
        let told = index.clone();
        let thread =
            std::thread::Builder::new().name("renkei-log".to_owned()).spawn(move || {
                let own = Integrator { folder, signer, clock, witnessed, index: told };
                own.run(&receiver, interval);
            })?;
        Ok(Started { log: Self { work: sender, index }, threads: vec![thread, index_thread], lost })
    }

    /// The index of its leaves.
    pub(crate) fn index(&self) -> &LogIndex {
        &self.index
    }

    /// Adds leaves that are durable in the journal.
    pub(crate) fn append(&self, appended: Appended) {
        self.index.add(appended.leaves.clone());
        // The thread ends only after a fault that it has logged, and then at once stops the broker.
        let _ = self.work.send(Work::Leaves(appended));
    }

    /// Reads the log as far as it has been integrated. Ask for a checkpoint first to read everything that is durable.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        reading: impl FnOnce(&LogFolder) -> Result<T, LogError> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.start_reading(reading).await.unwrap_or(Err(Reason::Stopping.into()))
    }

    /// The same for threads that may wait.
    pub(crate) fn read_now<T: Send + 'static>(
        &self,
        reading: impl FnOnce(&LogFolder) -> Result<T, LogError> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.start_reading(reading).blocking_recv().unwrap_or(Err(Reason::Stopping.into()))
    }

    fn start_reading<T: Send + 'static>(
        &self,
        reading: impl FnOnce(&LogFolder) -> Result<T, LogError> + Send + 'static,
    ) -> tokio::sync::oneshot::Receiver<Result<T, Refusal>> {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let reading: Reading = Box::new(move |folder| {
            let _ = sender.send(reading(folder).map_err(|error| Refusal::internal(&error)));
        });
        let _ = self.work.send(Work::Read(reading));
        receiver
    }

    /// Puts what witnesses have said of a checkpoint of this log beside it, and answers how it stands with the policy.
    pub(crate) async fn cosigned(&self, cosigned: Cosigned) -> Result<Standing, Refusal> {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let _ = self.work.send(Work::Cosign(cosigned, sender));
        receiver.await.unwrap_or(Err(Reason::Stopping.into()))
    }

    /// Ends a year with everything appended so far, which is as many leaves. Its final checkpoint is signed and kept at once, or, where nothing is
    /// signed for now, before anything later is. Answers what it says. Blocks: for threads that may wait.
    pub(crate) fn end_year(&self, size: u64, place: PathBuf) -> Result<SeenCheckpoint, Refusal> {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let _ = self.work.send(Work::EndYear((size, place), sender));
        receiver.blocking_recv().unwrap_or(Err(Reason::Stopping.into()))
    }

    /// Asks for a checkpoint over everything appended so far.
    pub(crate) fn checkpoint(&self) -> tokio::sync::oneshot::Receiver<Result<String, Refusal>> {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let _ = self.work.send(Work::Checkpoint(sender));
        receiver
    }
}

/// The thread's own.
struct Integrator {
    folder: LogFolder,
    signer: Signer,
    clock: Arc<dyn Clock + Send + Sync>,
    witnessed: Arc<Witnessed>,
    index: LogIndex,
}

/// What was asked for while leaves were gathered.
#[derive(Default)]
struct Gathered {
    leaves: Vec<Vec<u8>>,
    /// The log's key that was decided on last, where leaves came that may say so.
    decided: Option<Digest>,
    checkpoints: Vec<tokio::sync::oneshot::Sender<Result<String, Refusal>>>,
    reading: Option<Reading>,
    cosigned: Option<(Cosigned, tokio::sync::oneshot::Sender<Result<Standing, Refusal>>)>,
    ended_year: Option<(YearsEnd, tokio::sync::oneshot::Sender<Result<SeenCheckpoint, Refusal>>)>,
    ended: bool,
}

impl Gathered {
    /// Takes one more; a wait that ends with nothing changes nothing.
    fn take(&mut self, work: Result<Work, RecvTimeoutError>) {
        match work {
            Ok(Work::Leaves(Appended { leaves, decided })) => {
                self.leaves.extend(leaves);
                self.decided = decided;
            }
            Ok(Work::Checkpoint(sender)) => self.checkpoints.push(sender),
            Ok(Work::Read(reading)) => self.reading = Some(reading),
            Ok(Work::Cosign(cosigned, sender)) => self.cosigned = Some((cosigned, sender)),
            Ok(Work::EndYear(year, sender)) => self.ended_year = Some((year, sender)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => self.ended = true,
        }
    }

    /// Whether somebody waits, so that no more is gathered.
    fn is_awaited(&self) -> bool {
        self.ended
            || !self.checkpoints.is_empty()
            || self.reading.is_some()
            || self.cosigned.is_some()
            || self.ended_year.is_some()
    }
}

impl Integrator {
    fn run(mut self, work: &Receiver<Work>, interval: Duration) {
        // Published at the start, so there is a checkpoint of what the folder has.
        let mut present: Option<SignedCheckpoint> = None;
        let mut published = 0;
        // Leaves that could not be written are tried again.
        let mut waiting: Vec<Vec<u8>> = Vec::new();
        loop {
            let mut gathered =
                Gathered { leaves: std::mem::take(&mut waiting), ..Gathered::default() };
            gathered.take(work.recv_timeout(interval));
            // Whatever comes within the interval goes into the same tiles: each file that is written is synced, and the disk
            // is the journal's too.
            let until = match gathered.leaves.is_empty() {
                true => Duration::ZERO,
                false => self.clock.monotonic() + interval,
            };
            while !gathered.is_awaited() && gathered.leaves.len() < WAITING_MAX {
                let left = until.saturating_sub(self.clock.monotonic());
                match work.recv_timeout(left) {
                    Err(RecvTimeoutError::Timeout) => break,
                    more => gathered.take(more),
                }
            }
            waiting = gathered.leaves;
            if gathered.decided.is_some() {
                self.signer.decide(gathered.decided);
            }
            let result = self.integrate(&mut waiting, &mut present, published);
            let answer = match result {
                Ok(size) => {
                    published = size;
                    let note = present.as_ref().map(|signed| signed.note().to_owned());
                    self.witnessed.check_signing().and(note.ok_or_else(|| Reason::Internal.into()))
                }
                Err(error) => {
                    tracing::error!(%error, "the log cannot be written; nothing is signed until it can");
                    Err(Reason::Internal.into())
                }
            };
            for sender in gathered.checkpoints {
                let _ = sender.send(answer.clone());
            }
            if let Some(reading) = gathered.reading {
                reading(&self.folder);
            }
            if let Some((cosigned, sender)) = gathered.cosigned {
                let _ = sender.send(self.cosign(&cosigned, &mut present));
            }
            if let Some((year, sender)) = gathered.ended_year {
                let _ = sender.send(self.end_year(year, &mut present));
            }
            if gathered.ended {
                return;
            }
        }
    }

    /// Writes leaves, and signs where something is new and nobody disputes the log. Answers the size that is signed.
    fn integrate(
        &mut self,
        waiting: &mut Vec<Vec<u8>>,
        present: &mut Option<SignedCheckpoint>,
        published: u64,
    ) -> Result<u64, OpenError> {
        self.recover(waiting)?;
        if !waiting.is_empty() {
            for (at, leaf) in (self.folder.size()..).zip(waiting.iter()) {
                self.signer.notice(at, leaf);
            }
            self.folder.append(waiting).map_err(|error| self.signer.failed(error))?;
            waiting.clear();
            self.index.integrated(self.folder.size());
        }
        if self.folder.size() <= published || self.witnessed.check_signing().is_err() {
            return Ok(published);
        }
        *present = Some(self.signer.sign(&mut self.folder)?);
        Ok(self.folder.size())
    }

    /// Goes on where a write failed before: of the leaves that wait some may have become durable.
    fn recover(&mut self, waiting: &mut Vec<Vec<u8>>) -> Result<(), OpenError> {
        let before = self.folder.size();
        let size = self.folder.recover().map_err(|error| self.signer.failed(error))?;
        let written = usize::try_from(size - before).unwrap_or(usize::MAX);
        let same = |(leaf, waits): (Result<Vec<u8>, LogError>, &Vec<u8>)| {
            leaf.map(|leaf| leaf == *waits).map_err(|error| self.signer.failed(error))
        };
        let mut found = self.folder.leaves(before..size).zip(&*waiting).map(same);
        if written > waiting.len()
            || !found.try_fold(true, |all, same| Ok::<_, OpenError>(all && same?))?
        {
            let (path, what) = (self.signer.folder().to_owned(), LogDifference::Leaves);
            return Err(OpenError::LogDiffers { path, what });
        }
        waiting.drain(..written);
        if written > 0 {
            self.index.integrated(size);
        }
        Ok(())
    }

    fn end_year(
        &mut self,
        (ended, place): YearsEnd,
        present: &mut Option<SignedCheckpoint>,
    ) -> Result<SeenCheckpoint, Refusal> {
        let TreeHead { size, root } = self.folder.head();
        if size != ended {
            tracing::error!(
                ended,
                size,
                "the log has not come to where its year ended; nothing is changed until it has"
            );
            return Err(Reason::Internal.into());
        }
        self.signer.end_year(EndedYear { size, root, place });
        if self.witnessed.check_signing().is_ok() {
            let signed = self.signer.sign(&mut self.folder);
            *present = Some(signed.map_err(|error| Refusal::internal(&error))?);
        }
        Ok(SeenCheckpoint { size, root: root.into() })
    }

    fn cosign(
        &mut self,
        cosigned: &Cosigned,
        present: &mut Option<SignedCheckpoint>,
    ) -> Result<Standing, Refusal> {
        let keys = self.signer.verifiers().map_err(|error| Refusal::internal(&error))?;
        let opened = |note: &[u8]| SignedCheckpoint::open(note, &keys);
        let offered = opened(cosigned.note.as_bytes()).map_err(|_| Refusal::field("checkpoint"))?;
        let year = cosigned.year.as_ref();
        let kept = year.and_then(|place| opened(&fs_err::read(place).ok()?).ok());
        let (folder, now) = (&mut self.folder, self.clock.now());
        match self.witnessed.accept(folder, &keys, &offered, present.as_ref(), kept.as_ref(), now) {
            Ok(Accepted::Counted(counted)) => {
                let Counted { standing, present: cosigned, year: with_lines } = *counted;
                if cosigned.is_some() {
                    *present = cosigned;
                }
                if let Some((place, with_lines)) = year.zip(with_lines) {
                    let kept = kept_file::keep(place, with_lines.note());
                    kept.map_err(|error| Refusal::internal(&error))?;
                }
                Ok(standing)
            }
            Ok(Accepted::NoRule) => Err(Reason::NoWitnessPolicy.into()),
            Ok(Accepted::OtherPast) => Err(Reason::LogDisputed.into()),
            Err(LogError::Checkpoint(_)) => Err(Refusal::field("checkpoint")),
            Err(error) => Err(Refusal::internal(&error)),
        }
    }
}
