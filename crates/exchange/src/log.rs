//! The log folder: leaves as tiles, and signed checkpoints. A projection of the journal's public part.
//!
//! Leaf `n` is that of frame `n + 1`. A thread of its own integrates what is durable; a checkpoint that is asked for
//! covers every leaf that was durable at that moment.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use renkei_journal::{Journal, Seq};
use renkei_tlog::{LogError, LogFolder};
use renkei_types::{Clock, Digest, Entropy, Reason};

use crate::log_head::{LogHead, LostHead};
use crate::log_index::LogIndex;
use crate::log_key::KeptLogKey;
use crate::refusal::Refusal;
use crate::store::{OpenError, StorePaths};

/// Leaves that are gathered at most before they are written.
const WAITING_MAX: usize = 4096;

/// Leaves that wait at most; a slower disk slows callers down instead of filling memory.
const QUEUE: usize = 1024;

enum Work {
    Leaves(Vec<Vec<u8>>),
    Checkpoint(tokio::sync::oneshot::Sender<Result<String, Refusal>>),
    Read(Reading),
    Rotate(Digest, tokio::sync::oneshot::Sender<Result<bool, OpenError>>),
}

/// Something to be read while nothing is written.
type Reading = Box<dyn FnOnce(&LogFolder) + Send>;

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
        origin: &str,
        journal: &dyn Journal,
        entropy: &dyn Entropy,
        decided: Option<Digest>,
        interval: Duration,
        clock: Arc<dyn Clock + Send + Sync>,
    ) -> Result<Started, OpenError> {
        let path = paths.log();
        let failed = |source| OpenError::Log { path: path.clone(), source };
        let differs =
            |what: &str| OpenError::LogDiffers { path: path.clone(), what: what.to_owned() };
        let mut key = KeptLogKey::open(paths, origin, entropy)?;
        let (mut folder, size) = LogFolder::open(&path).map_err(failed)?;
        if size > journal.last().0 {
            return Err(differs("it has more leaves than the journal has frames"));
        }
        if size > 0 {
            let known = folder.read_leaf(size - 1).map_err(failed)?;
            let frame = journal.read(Seq(size))?.next().transpose()?;
            if frame.is_none_or(|(_, frame)| frame.leaf != known) {
                return Err(differs("its last leaf is not that of the journal"));
            }
        }
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
        let (mut head, lost) = LogHead::open(paths, &key.verifiers()?, &folder)?;
        if folder.size() > 0 {
            folder.publish_after(key.key(), |signed| head.advance(signed)).map_err(failed)?;
        }
        if let Some(decided) = decided {
            // Of a process that died between the decision and the change.
            key.rotate(decided, &mut folder, &mut head)?;
        }
        let (sender, receiver) = sync_channel(QUEUE);
        let (index, index_thread) = LogIndex::start(path.clone(), &folder).map_err(failed)?;
        let told = index.clone();
        let thread =
            std::thread::Builder::new().name("renkei-log".to_owned()).spawn(move || {
                integrate(folder, key, head, &receiver, interval, clock.as_ref(), &told);
            })?;
        Ok(Started { log: Self { work: sender, index }, threads: vec![thread, index_thread], lost })
    }

    /// The index of its leaves.
    pub(crate) fn index(&self) -> &LogIndex {
        &self.index
    }

    /// Adds leaves that are durable in the journal.
    pub(crate) fn append(&self, leaves: Vec<Vec<u8>>) {
        self.index.add(leaves.clone());
        // The thread ends only after a fault that it has logged, and then at once stops the broker.
        let _ = self.work.send(Work::Leaves(leaves));
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

    /// Takes the next key into use if it is the one that was decided on. Ask for a checkpoint first, so that the older key
    /// signs the decision. Blocks: for threads that may wait.
    pub(crate) fn rotate(&self, decided: Digest) -> Result<bool, Refusal> {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let _ = self.work.send(Work::Rotate(decided, sender));
        match receiver.blocking_recv() {
            Ok(rotated) => rotated.map_err(|error| Refusal::internal(&error)),
            Err(_) => Err(Reason::Stopping.into()),
        }
    }

    /// Asks for a checkpoint over everything appended so far.
    pub(crate) fn checkpoint(&self) -> tokio::sync::oneshot::Receiver<Result<String, Refusal>> {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let _ = self.work.send(Work::Checkpoint(sender));
        receiver
    }
}

fn integrate(
    mut folder: LogFolder,
    mut key: KeptLogKey,
    mut head: LogHead,
    work: &Receiver<Work>,
    interval: Duration,
    clock: &dyn Clock,
    index: &LogIndex,
) {
    // Published at the start, so there is a checkpoint of what the folder has.
    let mut note: Option<String> = None;
    let mut published = 0;
    let mut waiting: Vec<Vec<u8>> = Vec::new();
    loop {
        let (mut asked, mut ended, mut rotate) = (Vec::new(), false, None);
        match work.recv_timeout(interval) {
            Ok(Work::Leaves(leaves)) => waiting.extend(leaves),
            Ok(Work::Checkpoint(sender)) => asked.push(sender),
            Ok(Work::Read(reading)) => reading(&folder),
            Ok(Work::Rotate(decided, sender)) => rotate = Some((decided, sender)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => ended = true,
        }
        // Whatever comes within the interval goes into the same tiles: each file that is written is synced, and the disk is
        // the journal's too.
        let until = if waiting.is_empty() { Duration::ZERO } else { clock.monotonic() + interval };
        let mut reading = None;
        while asked.is_empty()
            && reading.is_none()
            && rotate.is_none()
            && !ended
            && waiting.len() < WAITING_MAX
        {
            match work.recv_timeout(until.saturating_sub(clock.monotonic())) {
                Ok(Work::Leaves(leaves)) => waiting.extend(leaves),
                Ok(Work::Checkpoint(sender)) => asked.push(sender),
                Ok(Work::Read(read)) => reading = Some(read),
                Ok(Work::Rotate(decided, sender)) => rotate = Some((decided, sender)),
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => ended = true,
            }
        }
        let result = (|| {
            if !waiting.is_empty() {
                folder.append(&waiting)?;
                waiting.clear();
                index.integrated(folder.size());
            }
            if folder.size() > published {
                let signed = folder.publish_after(key.key(), |signed| head.advance(signed))?;
                note = Some(signed.note().to_owned());
                published = folder.size();
            }
            Ok::<_, LogError>(())
        })();
        let answer = match result {
            Ok(()) => note.clone().ok_or_else(|| Reason::Internal.into()),
            Err(error) => {
                tracing::error!(%error, "the log cannot be written; it catches up at the next start");
                Err(Reason::Internal.into())
            }
        };
        for sender in asked {
            let _ = sender.send(answer.clone());
        }
        if let Some(reading) = reading {
            reading(&folder);
        }
        if let Some((decided, sender)) = rotate {
            let _ = sender.send(key.rotate(decided, &mut folder, &mut head));
            // The next checkpoint is asked of the next key.
            published = 0;
        }
        if ended {
            return;
        }
    }
}
