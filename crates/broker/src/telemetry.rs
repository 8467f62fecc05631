//! Telemetry: the log of the process and the metrics.
//!
//! Neither may say anything about a person. The log gets spans with ids, and metrics get labels from closed lists only:
//! the functions here take kinds, refusals and static names, so no record content can become a label,
//! and the number of series cannot grow with the number of clients. What happened to whose data stands in the audit log,
//! which is another thing altogether.

mod log;
mod metrics;
mod metrics_server;
mod service_manager;

pub use log::{TelemetryError, install_log, log_filter};
pub use metrics::*;
pub use metrics_server::{MetricsRecorder, serve_metrics};
pub use service_manager::ServiceManager;
