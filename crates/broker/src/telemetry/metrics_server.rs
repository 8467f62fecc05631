//! The metrics port: `/metrics` for Prometheus, `/healthz` for a supervisor.
//!
//! Plain HTTP without a password, for the loopback or the network of operations. It never shows more than numbers.

use std::io;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;

use super::log::TelemetryError;
use super::metrics::{SECONDS, describe};

/// The metrics of this process, once installed.
#[derive(Clone, Debug)]
pub struct MetricsRecorder(PrometheusHandle);

/// How often samples are folded into histograms, so that they do not pile up while nobody reads them.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

impl MetricsRecorder {
    /// Records metrics from now on. Without it, writing a metric does nothing.
    pub fn install() -> Result<Self, TelemetryError> {
        let handle = builder().install_recorder().map_err(|_| TelemetryError::MetricsInstalled)?;
        describe();
        Ok(Self(handle))
    }

    /// The metrics in the text form of Prometheus.
    pub fn render(&self) -> String {
        self.0.render()
    }
}

fn builder() -> PrometheusBuilder {
    let buckets = |builder: PrometheusBuilder, name: &str| {
        builder.set_buckets_for_metric(Matcher::Suffix(name.to_owned()), SECONDS)
    };
    // Unwrap safety: it fails only for an empty list of bounds.
    buckets(PrometheusBuilder::new(), "_seconds").unwrap_or_default()
}

/// Serves the metrics on `listener` for as long as it is polled. `healthy` is asked at every look at `/healthz`.
pub async fn serve_metrics(
    listener: TcpListener,
    recorder: MetricsRecorder,
    healthy: impl Fn() -> bool + Clone + Send + Sync + 'static,
) -> io::Result<()> {
    let upkeep = recorder.0.clone();
    let routes = Router::new()
        .route(
            "/metrics",
            get(async move || {
                ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], recorder.render())
            }),
        )
        .route(
            "/healthz",
            get(async move || {
                if healthy() {
                    (StatusCode::OK, "ok\n")
                } else {
                    (StatusCode::SERVICE_UNAVAILABLE, "not serving\n")
                }
            }),
        );
    let fold = async {
        let mut ticks = tokio::time::interval(UPKEEP_INTERVAL);
        loop {
            ticks.tick().await;
            upkeep.run_upkeep();
        }
    };
    tokio::select! {
        served = async { axum::serve(listener, routes).await } => served,
        () = fold => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    use super::*;
    use crate::telemetry::{audit_log_grew, handshake_refused, rpc_finished};
    use crate::transport::Refusal;
    use renkei_types::Kind;

    fn rendered(record: impl FnOnce()) -> MetricsRecorder {
        let recorder = builder().build_recorder();
        let handle = recorder.handle();
        ::metrics::with_local_recorder(&recorder, || {
            describe();
            record();
        });
        MetricsRecorder(handle)
    }

    #[test]
    fn labels_come_from_closed_lists() {
        let text = rendered(|| {
            handshake_refused(Refusal::CertificateRevoked);
            rpc_finished("List", "Seal", Some(Kind::Conflict), Duration::from_millis(3));
            rpc_finished("List", "Seal", None, Duration::from_millis(3));
            audit_log_grew((1 << 40) + 1);
        })
        .render();
        for line in [
            r#"renkei_handshake_refusals_total{code="CERTIFICATE_REVOKED"} 1"#,
            r#"renkei_rpc_seconds_bucket{service="List",method="Seal",kind="Conflict",le="0.005"} 1"#,
            r#"renkei_rpc_seconds_count{service="List",method="Seal",kind="Ok"} 1"#,
            "renkei_audit_log_leaves 1099511627777",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }

    async fn get(address: std::net::SocketAddr, path: &str) -> String {
        let mut socket = TcpStream::connect(address).await.expect("a port");
        let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
        socket.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.expect("an answer");
        answer
    }

    #[tokio::test]
    async fn the_metrics_port_shows_metrics_and_health_and_nothing_else() {
        let recorder = rendered(|| handshake_refused(Refusal::HandshakeTimeout));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let server = tokio::spawn(serve_metrics(listener, recorder, || false));
        let metrics = get(address, "/metrics").await;
        assert!(metrics.starts_with("HTTP/1.1 200") && metrics.contains("HANDSHAKE_TIMEOUT"));
        assert!(get(address, "/healthz").await.starts_with("HTTP/1.1 503"));
        assert!(get(address, "/").await.starts_with("HTTP/1.1 404"));
        server.abort();
    }
}
