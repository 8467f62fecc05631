//! The job driver: loads registers, runs waiting jobs one after the other, and tells how far they are.
//!
//! Which jobs wait is in the state, so a broker that dies leaves nothing to clean up: the next start finds the job still
//! waiting and runs it again. How far a job is, is only in memory.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use renkei_exchange::index::Indexes;
use renkei_exchange::year_key::{self, YearKeyUse};
use renkei_exchange::{Exchange, protection, retention, run, subject_index};
use renkei_linkage::{Stage, Watcher};
use renkei_types::{Clock, LinkageJobId};
use tokio::sync::watch;

/// How long the driver waits before it tries again what could not be done.
const PAUSE: Duration = Duration::from_secs(1);

/// How far a job is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Progress {
    pub(crate) stage: Option<Stage>,
    pub(crate) lines: usize,
    pub(crate) done: usize,
    since: Duration,
}

impl Progress {
    /// Lines a second in this stage, and seconds until it ends.
    pub(crate) fn rate(&self, now: Duration) -> (u64, u32) {
        let seconds = now.saturating_sub(self.since).as_secs_f64();
        if self.done == 0 || seconds <= 0.0 {
            return (0, 0);
        }
        let rate = self.done as f64 / seconds;
        let left = self.lines.saturating_sub(self.done) as f64 / rate;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "both are positive and small"
        )]
        let rounded = (rate as u64, left.ceil() as u32);
        rounded
    }
}

/// What is known of jobs that run, and the bell that wakes the driver.
pub(crate) struct JobBoard {
    running: Mutex<HashMap<LinkageJobId, Progress>>,
    changed: watch::Sender<u64>,
    stopping: AtomicBool,
    bell: (Mutex<bool>, parking_lot::Condvar),
}

impl Default for JobBoard {
    fn default() -> Self {
        Self {
            running: Mutex::default(),
            changed: watch::channel(0).0,
            stopping: AtomicBool::new(false),
            bell: (Mutex::new(true), parking_lot::Condvar::new()),
        }
    }
}

impl JobBoard {
    /// How far a job is, if it runs.
    pub(crate) fn progress(&self, job: LinkageJobId) -> Option<Progress> {
        self.running.lock().get(&job).copied()
    }

    /// Told whenever some job is further.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// A register was switched: its index must be loaded.
    pub(crate) fn registers_changed(&self) {
        self.ring();
    }

    /// A job waits.
    pub(crate) fn job_created(&self) {
        self.ring();
    }

    /// Jobs that run are given up; they wait for the next start.
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        self.ring();
    }

    /// Whether the broker stops.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    fn ring(&self) {
        *self.bell.0.lock() = true;
        self.bell.1.notify_all();
    }

    fn wait(&self) {
        let mut rung = self.bell.0.lock();
        if !*rung {
            self.bell.1.wait_for(&mut rung, PAUSE);
        }
        *rung = false;
    }

    fn set(&self, job: LinkageJobId, progress: Option<Progress>) {
        match progress {
            Some(progress) => self.running.lock().insert(job, progress),
            None => self.running.lock().remove(&job),
        };
        self.changed.send_modify(|count| *count += 1);
    }
}

/// Starts the driver; it ends when the board says stop.
pub(crate) fn start(
    exchange: Exchange,
    indexes: Arc<Indexes>,
    board: Arc<JobBoard>,
) -> std::io::Result<std::thread::JoinHandle<()>> {
    std::thread::Builder::new().name("renkei-jobs".to_owned()).spawn(move || {
        let (mut swept, mut warned) = (None, false);
        while !board.stopping.load(Ordering::Relaxed) {
            let today = exchange.clock().today();
            // What a dispute is about may be evidence: nothing ends by itself, and nothing new is decided.
            let disputed = exchange.witnessed().is_disputed();
            if swept != Some(today) && !disputed {
                // What fails is tried again tomorrow, and when the broker starts.
                swept = Some(today);
                for of in [YearKeyUse::LinkCodes, YearKeyUse::Subjects] {
                    if let Err(refusal) = year_key::destroy_due(&exchange, of) {
                        tracing::error!(?of, %refusal, "keys of a fiscal year are due and stay");
                    }
                }
                if let Err(refusal) = retention::destroy_due(&exchange) {
                    tracing::error!(%refusal, "superseded states of registers are due and stay");
                }
                warned = false;
            }
            let state = exchange.state();
            if let Err(refusal) =
                indexes.follow(&state, exchange.vault(), exchange.clock().as_ref())
            {
                tracing::error!(%refusal, "a register cannot be loaded");
            }
            if !warned {
                // Once a day, and when the broker starts: registers are loaded by now.
                warned = true;
                protection::warn_of_ends(&exchange, &indexes);
            }
            for job in state.queued_jobs().into_iter().filter(|_| !disputed) {
                let clock = exchange.clock().as_ref();
                let reporter = Reporter {
                    job,
                    board: &board,
                    exchange: &exchange,
                    clock,
                    lines: Mutex::default(),
                };
                reporter.stage_begins(None, 0);
                if let Err(refusal) = run::run(&exchange, &indexes, job, &reporter) {
                    tracing::warn!(%job, %refusal, "a job did not end well");
                }
                board.set(job, None);
            }
            if !disputed && let Err(refusal) = subject_index::gather_due(&exchange) {
                tracing::error!(%refusal, "the side index of persons cannot be written");
            }
            board.wait();
        }
    })
}

/// Writes a job's progress on the board.
struct Reporter<'a> {
    job: LinkageJobId,
    board: &'a JobBoard,
    exchange: &'a Exchange,
    clock: &'a dyn Clock,
    lines: Mutex<Option<Progress>>,
}

impl Reporter<'_> {
    fn stage_begins(&self, stage: Option<Stage>, lines: usize) {
        let progress = Progress { stage, lines, done: 0, since: self.clock.monotonic() };
        *self.lines.lock() = Some(progress);
        self.board.set(self.job, Some(progress));
    }
}

impl Watcher for Reporter<'_> {
    fn stage(&self, stage: Stage, lines: usize) {
        self.stage_begins(Some(stage), lines);
    }

    fn done(&self, lines: usize) {
        let mut progress = self.lines.lock();
        if let Some(progress) = progress.as_mut() {
            progress.done += lines;
            self.board.set(self.job, Some(*progress));
        }
    }

    fn stopped(&self) -> bool {
        // A job whose agreement was suspended or ended stops here; `run` says why.
        self.board.stopping.load(Ordering::Relaxed)
            || !self.exchange.state().job_is_permitted(self.job, self.clock.today())
    }
}
