//! The index of the log, kept up with it by a thread of its own, and read beside it.
//!
//! Leaves come as they become durable, long before their tiles are. So the newest are kept whole, until the bundle that they
//! belong to is full and on the disk; all others are read from there. At a start the index is made from the folder, the newest
//! leaves first, while the broker already serves; a question waits until it is whole.
//!
//! Invariant: an answer has every leaf that was durable when the question came. The index is a projection and nothing else:
//! it is in memory alone, some 20 bytes a leaf and 50 more for each id that occurs nowhere else.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;

use parking_lot::RwLock;
use renkei_tlog::{Leaf, LogError, LogFolder, PlacedLeaves};
use renkei_types::Reason;
use tokio::sync::watch;

use crate::audit::LeafFilter;
use crate::leaf_index::{Block, LeafIndex, Place};
use crate::refusal::Refusal;

/// Groups of leaves that wait at most; see [`crate::log`].
const QUEUE: usize = 1024;

/// Candidates that are looked at together.
const CANDIDATES: usize = 256;

/// A leaf and its index in the log.
pub(crate) type IndexedLeaf = (u64, Vec<u8>);

/// The index, for those who ask and those who tell.
#[derive(Clone)]
pub(crate) struct LogIndex {
    shared: Arc<Shared>,
    news: SyncSender<Vec<Vec<u8>>>,
    /// How many leaves it knows; 0 until it knows all.
    whole: watch::Receiver<u64>,
}

struct Shared {
    folder: PathBuf,
    known: RwLock<Known>,
    /// Leaves that the folder has.
    integrated: AtomicU64,
}

struct Known {
    index: LeafIndex,
    /// The newest leaves, whole.
    newest: VecDeque<Vec<u8>>,
    /// The index of the first of them.
    newest_from: u64,
}

impl Known {
    fn size(&self) -> u64 {
        self.newest_from + self.newest.len() as u64
    }

    fn add(&mut self, leaves: Vec<Vec<u8>>, integrated: u64) {
        for leaf in leaves {
            self.index.add(self.size(), &leaf);
            self.newest.push_back(leaf);
        }
        let on_disk = integrated / PlacedLeaves::BUNDLE * PlacedLeaves::BUNDLE;
        while self.newest_from < on_disk && self.newest.pop_front().is_some() {
            self.newest_from += 1;
        }
    }

    /// A leaf, where it is kept whole.
    fn kept(&self, index: u64) -> Option<Vec<u8>> {
        let place = usize::try_from(index.checked_sub(self.newest_from)?).ok()?;
        self.newest.get(place).cloned()
    }
}

impl LogIndex {
    /// Starts the thread for a log as it is now. It ends when nobody can tell it anything any more.
    pub(crate) fn start(
        folder: PathBuf,
        log: &LogFolder,
    ) -> Result<(Self, JoinHandle<()>), LogError> {
        let size = log.size();
        let full = size / PlacedLeaves::BUNDLE;
        let newest =
            log.leaves(full * PlacedLeaves::BUNDLE..size).collect::<Result<Vec<_>, _>>()?;
        let first = Block::first(Block::of(full * PlacedLeaves::BUNDLE));
        let known =
            Known { index: LeafIndex::default(), newest: VecDeque::new(), newest_from: first };
        let shared = Shared { folder, known: RwLock::new(known), integrated: AtomicU64::new(size) };
        let shared = Arc::new(shared);
        let (news, receiver) = sync_channel(QUEUE);
        let (knows, whole) = watch::channel(0);
        let keeper = Keeper { shared: Arc::clone(&shared), receiver, knows };
        let thread = std::thread::Builder::new().name("renkei-log-index".to_owned()).spawn(
            move || {
                if let Err(error) = keeper.run(full, newest) {
                    tracing::error!(%error, "the log cannot be read; it cannot be asked until the next start");
                }
            },
        )?;
        Ok((Self { shared, news, whole }, thread))
    }

    /// Tells of leaves that are durable in the journal.
    pub(crate) fn add(&self, leaves: Vec<Vec<u8>>) {
        // The thread ends early only where it could not read the log, which it has said.
        let _ = self.news.send(leaves);
    }

    /// Tells how many leaves the folder has.
    pub(crate) fn integrated(&self, size: u64) {
        self.shared.integrated.store(size, Ordering::Release);
    }

    /// Waits until so many leaves are known.
    pub(crate) async fn knows(&self, size: u64) -> Result<(), Refusal> {
        let mut whole = self.whole.clone();
        let known = whole.wait_for(|known| *known >= size).await;
        known.map(drop).map_err(|_| Reason::Internal.into())
    }

    /// Leaves that fit, from an index on and so many at most. Blocks.
    pub(crate) fn find(
        &self,
        filter: &LeafFilter,
        from: u64,
        most: usize,
    ) -> Result<Vec<IndexedLeaf>, LogError> {
        let question = filter.question();
        let mut placed = PlacedLeaves::in_folder(&self.shared.folder);
        let (mut found, mut next) = (Vec::new(), from);
        while found.len() < most {
            let candidates: Vec<(Place, Option<Vec<u8>>)> = {
                let known = self.shared.known.read();
                let most = CANDIDATES.min(most - found.len());
                let places = known.index.candidates(&question, next, most);
                places.into_iter().map(|place| (place, known.kept(place.index))).collect()
            };
            let Some((last, _)) = candidates.last() else { break };
            next = last.index + 1;
            for (place, kept) in candidates {
                let leaf = match kept {
                    Some(leaf) => leaf,
                    None => placed.read(place.index, place.offset)?,
                };
                // What this version cannot read it cannot have asked for.
                if Leaf::parse(&leaf).is_ok_and(|leaf| filter.fits(&leaf)) {
                    found.push((place.index, leaf));
                }
            }
        }
        Ok(found)
    }
}

/// The thread's own.
struct Keeper {
    shared: Arc<Shared>,
    receiver: Receiver<Vec<Vec<u8>>>,
    knows: watch::Sender<u64>,
}

impl Keeper {
    /// Makes the index of the full bundles and the leaves behind them, and goes on with what comes.
    fn run(self, full: u64, newest: Vec<Vec<u8>>) -> Result<(), LogError> {
        let placed = PlacedLeaves::in_folder(&self.shared.folder);
        let bundles = |block| Block::first(block) / PlacedLeaves::BUNDLE;
        let current = Block::of(full * PlacedLeaves::BUNDLE);
        for bundle in bundles(current)..full {
            self.add(placed.bundle(bundle)?);
        }
        self.add(newest);
        for number in (0..current).rev() {
            let mut block = Block::default();
            for bundle in bundles(number)..bundles(number + 1) {
                placed.bundle(bundle)?.iter().for_each(|leaf| block.add(leaf));
                loop {
                    match self.receiver.try_recv() {
                        Ok(leaves) => self.add(leaves),
                        Err(TryRecvError::Empty) => break,
                        Err(TryRecvError::Disconnected) => return Ok(()),
                    }
                }
            }
            self.shared.known.write().index.put(number, block);
        }
        self.tell();
        while let Ok(leaves) = self.receiver.recv() {
            self.add(leaves);
            self.tell();
        }
        Ok(())
    }

    fn add(&self, leaves: Vec<Vec<u8>>) {
        let integrated = self.shared.integrated.load(Ordering::Acquire);
        self.shared.known.write().add(leaves, integrated);
    }

    fn tell(&self) {
        self.knows.send_replace(self.shared.known.read().size());
    }
}
