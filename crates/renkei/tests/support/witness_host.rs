//! Witnesses in the test's own process, on ports of this machine, and the policies that name them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use renkei_tlog::{VerifierKey, WitnessKey};
use renkei_types::{Clock, SeededEntropy};
use renkei_witness::{Witness, serve};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::Folder;
use super::broker::Broker;

/// The machine's time.
struct Now;

impl Clock for Now {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

/// The key of a witness of this number.
pub(crate) fn key(number: u64) -> WitnessKey {
    let name = format!("pref.example/w{number}").parse().expect("a name");
    WitnessKey::generate(name, &SeededEntropy::new(1_000 + number))
}

/// Writes a policy, and has the broker keep it from its next start on.
pub(crate) fn keep_policy(broker: &Broker, witnesses: &str, quorum: &str) -> PathBuf {
    let policy = broker.town("witness.policy");
    fs_err::write(&policy, format!("{witnesses}{quorum}")).expect("a policy");
    let config = broker.town("broker.toml");
    let text = fs_err::read_to_string(&config).expect("the configuration");
    let section = "\n[witness]\npolicy = \"witness.policy\"\ninterval = \"100ms\"\npatience = \"2s\"\ngrace = \"1h\"\n";
    fs_err::write(&config, text + section).expect("written");
    policy
}

/// A witness that serves until it is dropped, and may be started again on its folder and port.
pub(crate) struct WitnessHost {
    number: u64,
    /// Of a log the older key before the newer.
    logs: Vec<VerifierKey>,
    address: SocketAddr,
    folder: Folder,
    serving: Option<(tokio::runtime::Runtime, oneshot::Sender<()>)>,
}

impl WitnessHost {
    /// A witness for a log, which has its port and does not serve yet.
    pub(crate) fn new(number: u64, log: VerifierKey) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        Self { number, logs: vec![log], address, folder: Folder::new(), serving: None }
    }

    pub(crate) fn start(&mut self) {
        let (key, logs) = (key(self.number), self.logs.clone());
        let witness = Witness::open(&self.memory(), key, logs, Arc::new(Now)).expect("a witness");
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind(self.address)).expect("its port");
        let (stop, stopped) = oneshot::channel();
        runtime.spawn(serve(listener, None, Arc::new(witness), async {
            let _ = stopped.await;
        }));
        self.serving = Some((runtime, stop));
    }

    /// Is given a newer key of the log, from its next start on.
    pub(crate) fn learn(&mut self, log: VerifierKey) {
        self.logs.push(log);
    }

    pub(crate) fn stop(&mut self) {
        if let Some((runtime, stop)) = self.serving.take() {
            drop(stop);
            runtime.shutdown_timeout(Duration::from_secs(5));
        }
    }

    /// Where it keeps what it has cosigned.
    pub(crate) fn memory(&self) -> PathBuf {
        self.folder.path("memory")
    }

    /// Its line in a policy.
    pub(crate) fn line(&self) -> String {
        let (number, key) = (self.number, key(self.number).cosigner());
        format!("witness w{number} {key} http://{}\n", self.address)
    }
}

impl Drop for WitnessHost {
    fn drop(&mut self) {
        self.stop();
    }
}
