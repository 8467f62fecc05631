//! `renkei serve`: runs a broker until it is told to stop.
//!
//! Everything about the broker stands in its configuration file; here the process around it is set up: the log on
//! standard error, metrics, signals, the real clock and the real chance. SIGTERM and SIGINT end it after the calls that
//! are open; SIGHUP is only noted, as certificates are read again by themselves when their files change.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use renkei_broker::Running;
use renkei_broker::config::BrokerConfig;
use renkei_broker::telemetry::{MetricsRecorder, install_log};
use renkei_types::{Clock, Entropy};
use serde_json::json;

use super::pki::system_entropy::SystemEntropy;
use crate::environment::Environment;
use crate::failure::{CommandError, Exit, Failure};
use crate::json;

#[derive(Args, Debug)]
pub(crate) struct ServeArguments {
    /// The broker's configuration (TOML); see `check-config`
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
}

pub(crate) fn run(arguments: &ServeArguments, environment: &Environment) -> Result<Exit, Failure> {
    let config = BrokerConfig::read(&arguments.config)?;
    install_log(&config.telemetry)?;
    let recorder = config.metrics_listen.map(|_| MetricsRecorder::install()).transpose()?;
    let clock: Arc<dyn Clock + Send + Sync> = Arc::new(environment.clock);
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::open()?);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(CommandError::System)?;
    let served = runtime.block_on(async {
        let shutdown = shutdown_signal().map_err(CommandError::System)?;
        let ready = |running: Running| tell(running, environment);
        let served = renkei_broker::run(config, clock, entropy, recorder, ready, shutdown).await;
        served.map_err(Failure::from)
    });
    // What does not end in time has no promise to keep: everything acknowledged is durable.
    runtime.shutdown_background();
    served.map(|()| Exit::Done)
}

fn tell(running: Running, environment: &Environment) {
    let Running { address, metrics, enrolment } = running;
    environment.note(
        &format!("the broker listens on {address}"),
        &format!("連携サーバーは {address} で待ち受けています"),
    );
    if let Some(enrolment) = enrolment {
        environment.note(
            &format!("first certificates are asked for at {enrolment}"),
            &format!("初回の証明書の申請は {enrolment} で受け付けています"),
        );
    }
    if let Some(metrics) = metrics {
        environment.note(
            &format!("metrics: http://{metrics}/metrics"),
            &format!("メトリクス: http://{metrics}/metrics"),
        );
    }
    if environment.json {
        json::print(&json!({
            "listening": address.to_string(),
            "metrics": metrics.map(|metrics| metrics.to_string()),
            "enrolment": enrolment.map(|enrolment| enrolment.to_string()),
        }));
    }
}

/// Ends when the process is told to stop.
#[cfg(unix)]
pub(crate) fn shutdown_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => return,
                _ = interrupt.recv() => return,
                _ = hangup.recv() => {
                    tracing::info!("SIGHUP: certificates are read again when their files change");
                }
            }
        }
    })
}

/// Ends when the process is told to stop.
#[cfg(not(unix))]
pub(crate) fn shutdown_signal() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        // Without the signal nobody can ask, and the broker runs on.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
