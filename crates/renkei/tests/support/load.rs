//! Load: clients that call all the time, while something is done to the broker or to them.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use renkei_api::v1::ShowRequest;
use renkei_api::{ClientFile, Connection, Rejection};
use renkei_types::SeededEntropy;

/// Clients that ask all the time, and what became of it.
pub(crate) struct Load {
    answered: Arc<AtomicU64>,
    failed: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<Option<Rejection>>>,
}

/// As many as it takes for calls to be under way all the time.
const CLIENTS: usize = 4;

impl Load {
    /// A few clients.
    pub(crate) fn start(file: &Path) -> Self {
        Self::of(file, CLIENTS)
    }

    /// So many clients, each with a connection of its own.
    pub(crate) fn of(file: &Path, clients: usize) -> Self {
        let (answered, failed) = (Arc::<AtomicU64>::default(), Arc::<AtomicU64>::default());
        let stop = Arc::<AtomicBool>::default();
        let file = ClientFile::read(file).expect("a client file");
        let client = |seed: usize| {
            let (answered, failed, stop) = (answered.clone(), failed.clone(), stop.clone());
            let file = file.clone();
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.expect("a runtime").block_on(async {
                    let entropy = Arc::new(SeededEntropy::new(seed as u64));
                    let connection = Connection::open(&file, entropy).expect("a connection");
                    let mut last = None;
                    while !stop.load(Ordering::SeqCst) {
                        match connection.call(ShowRequest {}).await {
                            Ok(_) => drop(answered.fetch_add(1, Ordering::SeqCst)),
                            Err(rejection) => {
                                failed.fetch_add(1, Ordering::SeqCst);
                                last = Some(rejection);
                            }
                        }
                    }
                    last
                })
            })
        };
        let clients = (0..clients).map(client).collect();
        Self { answered, failed, stop, clients }
    }

    /// Waits until each client has, on average, been answered some more times.
    pub(crate) fn goes_on(&self) {
        let wanted = self.answered.load(Ordering::SeqCst) + 20 * self.clients.len() as u64;
        until("answers", || self.answered.load(Ordering::SeqCst) >= wanted);
    }

    /// Ends it; nothing may have failed.
    #[track_caller]
    pub(crate) fn stop_without_a_failure(self) {
        self.stop.store(true, Ordering::SeqCst);
        let last = self.clients.into_iter().filter_map(|client| client.join().expect("no panic"));
        let last: Vec<Rejection> = last.collect();
        let [answered, failed] =
            [&self.answered, &self.failed].map(|one| one.load(Ordering::SeqCst));
        eprintln!("under load: {answered} calls answered, {failed} failed");
        assert_eq!(failed, 0, "of {answered}: {last:?}");
    }
}

/// Waits for something that must come.
pub(crate) fn until(what: &str, holds: impl Fn() -> bool) {
    #[expect(clippy::disallowed_methods, reason = "a test that hangs must fail")]
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(120), "{what} never came");
        std::thread::sleep(Duration::from_millis(10));
    }
}
