//! The ledger: the one place through which everything is done, and by which everybody knows what is durable.
//!
//! [`Exchange`] is the handle of it. One thread decides (`deciding.rs`); how it starts stands in `opening.rs`. What is asked here waits for
//! its turn, and is answered when all that it rests on is durable.

mod deciding;
mod opening;

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::thread::JoinHandle;

use arc_swap::ArcSwap;
use renkei_journal::DataKey;
use renkei_tlog::{LogError, LogFolder, Standing};
use renkei_types::{Clock, Digest, Reason};
use tokio::sync::{oneshot, watch};

use crate::audit::LeafFilter;
use crate::command::{Call, Command, Desk, Done};
use crate::dispute::{Dispute, NoteDispute};
use crate::log::{Cosigned, Log};
use crate::log_index::IndexedLeaf;
use crate::log_key;
use crate::pending::{Entry, Pending, Question};
use crate::refusal::Refusal;
use crate::rotation::BrokerKey;
use crate::state::State;
use crate::store::{StorePaths, Vault, key_refusal, keyed_body_digest};
use crate::subject_index::Waiting;
use crate::witnessed::Witnessed;

/// Commands that wait at most; above this callers are refused at once.
const QUEUE: usize = 4096;

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

/// Whether there is no checkpoint because nothing is signed for now.
fn is_unsigned(refusal: &Refusal) -> bool {
    matches!(refusal.reason, Reason::LogDisputed | Reason::NotWitnessed)
}
