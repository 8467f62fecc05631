//! The ledger behind the town: what it has written, and ending and opening it again.

use std::sync::Arc;

use jiff::Timestamp;
use renkei_exchange::command::Call;
use renkei_exchange::denial::NoteDenials;
use renkei_exchange::ledger::Threads;
use renkei_exchange::store::Vault;
use renkei_exchange::{
    Charter, Equipment, Exchange, HandedKeys, OpenError, Store, StorePaths, WitnessRule,
};
use renkei_journal::{Frame, Journal, LocalJournal, MemoryJournal, Options, Seq};
use renkei_tlog::{Leaf, LogFolder, Policy, WitnessKey};
use renkei_types::{Clock, Digest, FixedClock, Reason, SeededEntropy};

use super::{Town, caller, identity};

impl Town {
    pub(crate) fn paths(&self) -> StorePaths {
        paths(self.folder.path())
    }

    /// Every leaf of the log so far.
    pub(crate) fn leaves(&self) -> Vec<Leaf> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(self.exchange.checkpoint()).expect("a checkpoint");
        self.leaves_unsigned()
    }

    /// The same where nothing is signed. Whoever has asked for a checkpoint knows that all that was before it is there.
    pub(crate) fn leaves_unsigned(&self) -> Vec<Leaf> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let leaves = runtime.block_on(async {
            let _ = self.exchange.checkpoint().await;
            let all = |log: &LogFolder| log.leaves(0..log.size()).collect::<Result<Vec<_>, _>>();
            self.exchange.read_log(all).await.expect("leaves")
        });
        leaves.iter().map(|leaf| Leaf::parse(leaf).expect("a leaf")).collect()
    }

    /// Digest of everything that the state says, but for the starts of the broker.
    pub(crate) fn digest(&self) -> Digest {
        self.exchange.state().digest().expect("a digest")
    }

    /// Ends the ledger and waits until everything is written.
    pub(crate) fn close(&mut self) {
        let journal = MemoryJournal::new();
        let elsewhere = tempfile::tempdir().expect("a folder");
        let (other, other_threads) = open(elsewhere.path(), Some(&journal), self.now, None);
        drop(std::mem::replace(&mut self.exchange, other));
        if let Some(threads) = self.threads.replace(other_threads) {
            threads.join();
        }
    }

    /// Where the keys are.
    pub(crate) fn keys(&self) -> std::path::PathBuf {
        paths(self.folder.path()).keys
    }

    /// Opens the ledger again.
    pub(crate) fn reopen(&mut self) {
        let rule = self.witnesses.clone();
        let (exchange, threads) = open(self.folder.path(), self.memory.as_ref(), self.now, rule);
        self.exchange = exchange;
        self.threads = Some(threads);
    }

    pub(crate) fn restart(&mut self) {
        self.close();
        self.reopen();
    }

    /// The same on another day, at noon in Japan.
    pub(crate) fn restart_on(&mut self, day: &str) {
        self.now = format!("{day}T03:00:00Z").parse().expect("a day");
        self.restart();
    }

    /// The same so many hours later, with witnesses who have to cosign from now on.
    pub(crate) fn restart_witnessed(&mut self, hours: i64, rule: &WitnessRule) {
        self.now += jiff::SignedDuration::from_hours(hours);
        self.witnesses = Some(rule.clone());
        self.restart();
    }
}

/// Where the folders of a broker are.
pub(crate) fn paths(folder: &std::path::Path) -> StorePaths {
    StorePaths {
        store: folder.join("store"),
        keys: folder.join("keys"),
        handed: HandedKeys::default(),
    }
}

pub(super) fn open(
    folder: &std::path::Path,
    memory: Option<&MemoryJournal>,
    now: Timestamp,
    witnesses: Option<WitnessRule>,
) -> (Exchange, Threads) {
    let clock = Arc::new(FixedClock(now));
    open_witnessed(folder, memory, clock, equipment("usual"), witnesses)
}

/// Digests of a configuration and of certificates that go by this name.
pub(crate) fn equipment(name: &str) -> Equipment {
    let digest = |what: &str| Digest::of(format!("{what} {name}").as_bytes());
    Equipment { config: digest("configuration"), credentials: digest("certificates") }
}

/// One witness that can be asked, and was silent when it was.
pub(crate) fn silent_witness() -> WitnessRule {
    let name = "pref.example/w1".parse().expect("a name");
    let witness = WitnessKey::generate(name, &SeededEntropy::new(1));
    let text = format!("witness w1 {}\nquorum w1\n", witness.cosigner());
    let policy = Policy::parse(text.as_bytes()).expect("a policy");
    let grace = std::time::Duration::from_secs(4 * 3_600);
    WitnessRule { policy: Arc::new(policy), grace, unheard: true }
}

/// Writes frames as the journal of a broker, in the place of the one that is there, for those who look at it from outside.
pub(crate) fn keep_journal(folder: &std::path::Path, frames: &[Frame]) {
    let journal = paths(folder).store.join("journal");
    if journal.exists() {
        fs_err::remove_dir_all(&journal).expect("removed");
    }
    fs_err::create_dir_all(&journal).expect("a folder");
    let mut opened = LocalJournal::open(&journal, Options::default()).expect("a journal").journal;
    opened.append(Seq(0), frames).expect("appended");
}

/// Copies a folder and all below it.
pub(crate) fn copy(from: &std::path::Path, to: &std::path::Path) {
    fs_err::create_dir_all(to).expect("a folder");
    for entry in fs_err::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs_err::copy(from, to).expect("copied");
        }
    }
}

/// Leaves a leaf that says nothing else.
pub(crate) fn work(exchange: &Exchange) {
    let denials =
        NoteDenials { reason: Reason::NoAgreement, count: 1, unknown: false, certificate: None };
    exchange.execute_now(Call::read(caller("payments")), denials).expect("a leaf");
}

/// The frames of a journal.
pub(crate) fn frames(journal: &MemoryJournal) -> Vec<Frame> {
    journal.read(Seq(1)).expect("frames").map(|frame| frame.expect("a frame").1).collect()
}

/// A journal of these frames.
pub(crate) fn memory(frames: &[Frame]) -> MemoryJournal {
    let mut journal = MemoryJournal::new();
    journal.append(Seq(0), frames).expect("appended");
    journal
}

/// Opens an exchange with its own clock and equipment.
pub(crate) fn open_with(
    folder: &std::path::Path,
    memory: Option<&MemoryJournal>,
    clock: Arc<dyn Clock + Send + Sync>,
    equipment: Equipment,
) -> (Exchange, Threads) {
    open_witnessed(folder, memory, clock, equipment, None)
}

/// The same with witnesses who have to cosign.
pub(crate) fn open_witnessed(
    folder: &std::path::Path,
    memory: Option<&MemoryJournal>,
    clock: Arc<dyn Clock + Send + Sync>,
    equipment: Equipment,
    witnesses: Option<WitnessRule>,
) -> (Exchange, Threads) {
    try_open(folder, memory, clock, equipment, witnesses).expect("an exchange")
}

/// The same where the exchange may refuse.
pub(crate) fn try_open(
    folder: &std::path::Path,
    memory: Option<&MemoryJournal>,
    clock: Arc<dyn Clock + Send + Sync>,
    equipment: Equipment,
    witnesses: Option<WitnessRule>,
) -> Result<(Exchange, Threads), OpenError> {
    let paths = paths(folder);
    // Another seed at each start: ids must not come again.
    let starts = fs_err::read_dir(folder).map_or(0, Iterator::count) as u64;
    let seed = starts + memory.map_or(0, |journal| journal.last().0);
    let entropy = Arc::new(SeededEntropy::new(seed));
    let vault = Vault::open(&paths, entropy.clone()).expect("a vault");
    let journal: Box<dyn Journal> = match memory {
        Some(journal) => Box::new(journal.clone()),
        None => {
            let folder = paths.store.join("journal");
            fs_err::create_dir_all(&folder).expect("a folder");
            Box::new(LocalJournal::open(&folder, Options::default()).expect("a journal").journal)
        }
    };
    let store = Store { journal, vault: Arc::new(vault), paths, clock, entropy };
    let charter = Charter {
        founders: vec![identity("operator-1")],
        log_origin: "renkei.example/renkei-audit/131016".to_owned(),
        checkpoint_interval: std::time::Duration::from_millis(50),
        equipment,
        witnesses,
    };
    Exchange::open(store, &charter)
}
