//! The broker of the demo: the real one, on threads of this process.
//!
//! It reads the same `broker.toml` that `renkei serve` reads, and its clients reach it over TLS like any others. Only the
//! process around it is missing: no signals, and no metrics, as nobody reads them during a tour.

use std::sync::Arc;
use std::thread::JoinHandle;

use renkei_broker::RunError;
use renkei_broker::config::BrokerConfig;
use renkei_types::{Clock, Entropy};
use tokio::sync::oneshot;

use super::error::DemoError;
use crate::environment::SystemClock;
use crate::failure::Failure;

/// A broker that serves.
pub(super) struct DemoBroker {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<Result<(), RunError>>,
}

impl DemoBroker {
    /// Starts a broker, and waits until it serves.
    pub(super) fn start(
        config: BrokerConfig,
        clock: SystemClock,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, Failure> {
        let (stop, stopped) = oneshot::channel::<()>();
        let (ready, serving) = std::sync::mpsc::channel();
        let thread = std::thread::Builder::new().name("demo-broker".to_owned()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            let clock: Arc<dyn Clock + Send + Sync> = Arc::new(clock);
            let ready = move |_| {
                // Nobody waits any more only if the demo has ended already.
                let _ = ready.send(());
            };
            let shutdown = async {
                // A tour that ended without a word stops its broker too.
                let _ = stopped.await;
            };
            let served =
                runtime.block_on(renkei_broker::run(config, clock, entropy, None, ready, shutdown));
            runtime.shutdown_background();
            served
        });
        let thread = thread.map_err(RunError::Thread)?;
        let broker = Self { stop, thread };
        // The sender is dropped when the broker ends without having served.
        match serving.recv() {
            Ok(()) => Ok(broker),
            Err(_) => match broker.stop() {
                Err(failure) => Err(failure),
                Ok(()) => Err(DemoError::BrokerEnded.into()),
            },
        }
    }

    /// Stops the broker; what it had answered is durable, and its folders are free again.
    pub(super) fn stop(self) -> Result<(), Failure> {
        // It may have stopped by itself, which the thread's result tells.
        let _ = self.stop.send(());
        match self.thread.join() {
            Ok(served) => Ok(served?),
            Err(_) => Err(DemoError::BrokerEnded.into()),
        }
    }
}
