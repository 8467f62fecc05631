//! The broker as a whole: everything opened, joined, served, and closed again.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use renkei_exchange::command::Call;
use renkei_exchange::index::Indexes;
use renkei_exchange::running::{Ended, NoteEquipment};
use renkei_exchange::upload::Spools;
use renkei_exchange::{Charter, Equipment, Exchange, OpenError, Store, StorePaths};
use renkei_types::{Classify, Clock, Digest, DigestBuilder, Entropy, Kind, Language, Localised};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tonic::service::Routes;

use crate::config::BrokerConfig;
use crate::gate::Gate;
use crate::jobs::{self, JobBoard};
use crate::services::{self, Desk};
use crate::telemetry::{self, MetricsRecorder, ServiceManager};
use crate::transport::{self, CredentialStore, Drained, Listener, ServeError, TlsError};
use crate::witnessing::{WitnessSetupError, Witnesses};

/// How often refusals that were collected are written to the log.
const DENIALS_INTERVAL: Duration = Duration::from_secs(60);

/// How often the ledger is asked whether it lives, and how long it may take to answer.
const PULSE_INTERVAL: Duration = Duration::from_secs(2);
const PULSE_PATIENCE: Duration = Duration::from_secs(10);

/// How often the length of the log is shown at most.
const LEAVES_INTERVAL: Duration = Duration::from_secs(1);

/// Why a broker does not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Its folders cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Its certificates cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The witnesses cannot be asked.
    #[error(transparent)]
    Witness(#[from] WitnessSetupError),
    /// A port cannot be opened.
    #[error("{address} cannot be listened on: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// It ended by itself.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// A thread cannot be started.
    #[error("a thread cannot be started: {0}")]
    Thread(#[from] std::io::Error),
}

impl Classify for RunError {
    fn kind(&self) -> Kind {
        match self {
            Self::Open(error) => error.kind(),
            Self::Tls(error) => error.kind(),
            Self::Witness(error) => error.kind(),
            Self::Listen { .. } => Kind::Unavailable,
            Self::Serve(error) => error.kind(),
            Self::Thread(_) => Kind::Internal,
        }
    }
}

impl Localised for RunError {
    fn localised(&self, language: Language) -> String {
        match self {
            Self::Tls(error) => error.localised(language),
            Self::Witness(error) => error.localised(language),
            Self::Open(error) => error.localised(language),
            Self::Listen { address, source } => language.pick(
                format!("{address} cannot be listened on: {source}"),
                format!("{address} で待ち受けできません: {}", source.localised(language)),
            ),
            Self::Serve(error) => {
                language.pick(error.to_string(), format!("サーバーが停止しました: {error}"))
            }
            Self::Thread(error) => language.pick(
                self.to_string(),
                format!("スレッドを開始できません: {}", error.localised(language)),
            ),
        }
    }
}

/// Whether a broker is at work on this store.
pub fn is_in_use(store: &std::path::Path) -> bool {
    let journal = store.join("journal");
    journal.exists() && renkei_journal::Lock::take(&journal).is_err()
}

/// What whoever started a broker is told once it serves.
#[derive(Clone, Copy, Debug)]
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where metrics are read.
    pub metrics: Option<SocketAddr>,
    /// Where first certificates are asked for.
    pub enrolment: Option<SocketAddr>,
}

/// Runs a broker until `shutdown`. `recorder` is what its metrics are read from, `ready` is called once it serves.
pub async fn run(
    config: BrokerConfig,
    clock: Arc<dyn Clock + Send + Sync>,
    entropy: Arc<dyn Entropy>,
    recorder: Option<MetricsRecorder>,
    ready: impl FnOnce(Running),
    shutdown: impl Future<Output = ()>,
) -> Result<(), RunError> {
    let credentials = Arc::new(CredentialStore::open(
        config.tls.clone(),
        &config.trust_domain,
        Arc::clone(&clock),
    )?);
    let paths = config.store_paths();
    let mut witnesses = config.witness.as_ref().map(Witnesses::open).transpose()?;
    if let Some(witnesses) = &mut witnesses {
        check_log(paths.clone()).await?;
        witnesses.compare(&paths).await?;
    }
    let charter = Charter {
        founders: config.founders.clone(),
        log_origin: config.log.origin.clone(),
        checkpoint_interval: config.log.checkpoint_interval,
        equipment: Equipment {
            config: in_force(&config, witnesses.as_ref()),
            credentials: *credentials.in_use().borrow(),
        },
        witnesses: witnesses.as_ref().map(|witnesses| witnesses.rule().clone()),
    };
    let opened = tokio::task::spawn_blocking(move || {
        Exchange::open(Store::open(paths, clock, entropy)?, &charter)
    });
    let (exchange, threads) = opened.await.map_err(std::io::Error::other)??;
    let limits = &config.limits;
    let gate = Gate::new(exchange.clone(), Arc::clone(&credentials), &config);
    let (indexes, board) =
        (Arc::new(Indexes::new(limits.protection_age_max)), Arc::new(JobBoard::default()));
    let desk = Desk {
        gate: gate.clone(),
        exchange: exchange.clone(),
        credentials: Arc::clone(&credentials),
        indexes: Arc::clone(&indexes),
        spools: Arc::new(Spools::default()),
        jobs: Arc::clone(&board),
        lease: limits.lease_duration,
        upload_bytes_max: limits.upload_bytes_max,
        upload_window_bytes: u64::from(limits.upload_window_bytes),
        stream_idle: limits.stream_idle_timeout,
        rights_interval: limits.rights_interval,
        studies: Arc::new(tokio::sync::Semaphore::new(1)),
        stopping: CancellationToken::new(),
    };
    let (health, health_service) = tonic_health::server::health_reporter();
    let message_bytes_max = usize::try_from(limits.message_bytes_max).unwrap_or(usize::MAX);
    let routes = services::routes(&desk, message_bytes_max, Routes::new(health_service));
    let listener =
        Listener::bind(config.listen, Arc::clone(&credentials), Arc::new(gate.clone()), limits)
            .await
            .map_err(|source| RunError::Listen { address: config.listen, source })?;
    let address = listener.local_addr()?;
    let (enrolment, enrolling) = match config.enrolment_listen {
        None => (None, None),
        Some(wanted) => {
            let limits = limits.of_enrolment();
            let refusals = Arc::new(gate.clone());
            let bound =
                Listener::bind_enrolment(wanted, Arc::clone(&credentials), refusals, &limits);
            let listener =
                bound.await.map_err(|source| RunError::Listen { address: wanted, source })?;
            let routes = services::enrolment_routes(gate.clone(), exchange.clone(), address.port());
            let at = listener.local_addr()?;
            let stopping = desk.stopping.clone().cancelled_owned();
            let served = async move { transport::serve(listener, routes, stopping, &limits).await };
            (Some(at), Some(AbortOnDropHandle::new(tokio::spawn(served))))
        }
    };
    let pulse = Arc::new(AtomicBool::new(true));
    let alive = {
        let pulse = Arc::clone(&pulse);
        move || pulse.load(Ordering::Relaxed)
    };
    let mut tasks = vec![
        AbortOnDropHandle::new(tokio::spawn(Arc::clone(&credentials).keep_fresh())),
        AbortOnDropHandle::new(tokio::spawn(note_credentials(
            exchange.clone(),
            credentials.in_use(),
        ))),
        AbortOnDropHandle::new(tokio::spawn(flush_denials(gate.clone()))),
        AbortOnDropHandle::new(tokio::spawn(count_leaves(exchange.durable()))),
        AbortOnDropHandle::new(tokio::spawn(feel_pulse(exchange.clone(), Arc::clone(&pulse)))),
        AbortOnDropHandle::new(tokio::spawn(ServiceManager.watchdog(alive.clone()))),
    ];
    let metrics = match config.metrics_listen.zip(recorder) {
        None => None,
        Some((address, recorder)) => {
            let listen = |source| RunError::Listen { address, source };
            let listener = tokio::net::TcpListener::bind(address).await.map_err(listen)?;
            let address = listener.local_addr().map_err(listen)?;
            tasks.push(AbortOnDropHandle::new(tokio::spawn(async move {
                if let Err(error) = telemetry::serve_metrics(listener, recorder, alive).await {
                    tracing::error!(%error, "metrics are no longer served");
                }
            })));
            Some(address)
        }
    };
    if let Some(witnesses) = witnesses {
        let kept = witnesses.keep_cosigned(exchange.clone());
        tasks.push(AbortOnDropHandle::new(tokio::spawn(kept)));
    }
    let driver = jobs::start(exchange.clone(), indexes, Arc::clone(&board))?;
    health.set_service_status("", tonic_health::ServingStatus::Serving).await;
    ServiceManager.ready();
    ready(Running { address, metrics, enrolment });
    let stopping = desk.stopping.clone();
    let shutdown = async move {
        shutdown.await;
        stopping.cancel();
    };
    let drained = transport::serve(listener, routes, shutdown, limits).await;
    ServiceManager.stopping();
    if matches!(drained, Ok(Drained::Cut)) {
        tracing::warn!("calls that took too long were cut");
    }
    if let Some(enrolling) = enrolling
        && let Ok(Err(error)) = enrolling.await
    {
        tracing::error!(%error, "enrolment was no longer served");
    }
    board.stop();
    drop(tasks);
    drop(desk);
    gate.flush_denials().await;
    drop(gate);
    // The threads end when the last handle is gone; calls that were cut may hold one for a moment.
    let closed = tokio::task::spawn_blocking(move || {
        let _ = driver.join();
        if let Err(error) = exchange.execute_now(Call::own(), Ended) {
            tracing::warn!(%error, "the stop could not be noted in the log");
        }
        drop(exchange);
        threads.join();
    });
    if tokio::time::timeout(limits.shutdown_grace, closed).await.is_err() {
        tracing::warn!(
            "some work did not end in time; the next start finds everything that was promised"
        );
    }
    drained.map(|_| ()).map_err(Into::into)
}

/// Refuses what a start would refuse of the log, before witnesses are asked: what they say to another key, or to a damaged log, would
/// be taken for a dispute and kept.
async fn check_log(paths: StorePaths) -> Result<(), RunError> {
    let checked = tokio::task::spawn_blocking(move || paths.check_log_head().map(drop));
    Ok(checked.await.map_err(std::io::Error::other)??)
}

/// The digest of all that is in force: the configuration, and the policy that stands in a file of its own.
fn in_force(config: &BrokerConfig, witnesses: Option<&Witnesses>) -> Digest {
    match witnesses {
        None => config.digest(),
        Some(witnesses) => {
            let mut digest = DigestBuilder::new();
            digest.field(config.digest().as_bytes());
            digest.field(witnesses.rule().policy.digest().as_bytes());
            digest.finish()
        }
    }
}

/// Asks the ledger something every now and then, for as long as it is polled: a broker whose ledger does not answer is not
/// alive, whatever its ports say.
async fn feel_pulse(exchange: Exchange, pulse: Arc<AtomicBool>) {
    let mut ticks = tokio::time::interval(PULSE_INTERVAL);
    loop {
        ticks.tick().await;
        let answer = tokio::time::timeout(PULSE_PATIENCE, exchange.ask(|_| Ok(()))).await;
        let beats = matches!(answer, Ok(Ok(())));
        if !beats {
            tracing::error!("the ledger does not answer");
        }
        pulse.store(beats, Ordering::Relaxed);
    }
}

/// Shows how long the log is, for as long as it is polled.
async fn count_leaves(mut durable: tokio::sync::watch::Receiver<u64>) {
    loop {
        telemetry::audit_log_grew(*durable.borrow_and_update());
        if durable.changed().await.is_err() {
            return;
        }
        tokio::time::sleep(LEAVES_INTERVAL).await;
    }
}

async fn flush_denials(gate: Gate) {
    let mut ticks = tokio::time::interval(DENIALS_INTERVAL);
    loop {
        ticks.tick().await;
        gate.flush_denials().await;
    }
}

/// Notes in the log whenever other certificates or revocation lists are in use, for as long as it is polled.
async fn note_credentials(
    exchange: Exchange,
    mut in_use: tokio::sync::watch::Receiver<renkei_types::Digest>,
) {
    while in_use.changed().await.is_ok() {
        let note = NoteEquipment::Credentials(*in_use.borrow_and_update());
        if let Err(error) = exchange.execute(Call::own(), note).await {
            tracing::warn!(%error, "new certificates could not be noted in the log");
        }
    }
}
