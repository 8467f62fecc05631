//! Metrics: what is counted, by name.
//!
//! Names are `renkei_<noun>_<unit>`. Every metric is written through a function of this file, whose parameters are all
//! that can become a label.

use std::time::Duration;

use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use renkei_types::{Kind, Reason};

use crate::transport::Refusal;

/// A call was answered: `failure` is none if it went well. `service` and `method` are the names in the descriptor.
pub fn rpc_finished(
    service: &'static str,
    method: &'static str,
    failure: Option<Kind>,
    took: Duration,
) {
    let kind = failure.map_or_else(|| "Ok".to_owned(), |kind| format!("{kind:?}"));
    histogram!("renkei_rpc_seconds", "service" => service, "method" => method, "kind" => kind)
        .record(took);
}

/// Calls were refused to who may not make them.
pub fn calls_denied(reason: Reason, count: u64) {
    counter!("renkei_denials_total", "reason" => reason.as_str()).increment(count);
}

/// An open connection more, handshakes included.
pub fn connection_opened() {
    gauge!("renkei_connections_count").increment(1.0);
}

/// An open connection less.
pub fn connection_closed() {
    gauge!("renkei_connections_count").decrement(1.0);
}

/// A client was not let in.
pub fn handshake_refused(refusal: Refusal) {
    counter!("renkei_handshake_refusals_total", "code" => refusal.code()).increment(1);
}

/// A client finished the handshake and then said nothing.
pub fn silent_connection_closed() {
    counter!("renkei_silent_connections_total").increment(1);
}

/// A client asked and did not take the answer.
pub fn answer_left_unread() {
    counter!("renkei_unread_answers_total").increment(1);
}

/// The system had no connection to give.
pub fn accept_failed() {
    counter!("renkei_accept_errors_total").increment(1);
}

/// New TLS files were found, and taken into use or not.
pub fn tls_reloaded(replaced: bool) {
    let result = if replaced { "replaced" } else { "kept" };
    counter!("renkei_tls_reloads_total", "result" => result).increment(1);
}

/// What the broker's certificate has left.
pub fn certificate_ends_in(remaining: Duration) {
    gauge!("renkei_certificate_remaining_seconds").set(remaining);
}

/// What the first authority of clients to end has left.
pub fn authority_ends_in(remaining: Duration) {
    gauge!("renkei_authority_remaining_seconds").set(remaining);
}

/// What the first revocation list to end has left; at zero nobody is let in.
pub fn revocation_list_ends_in(remaining: Duration) {
    gauge!("renkei_revocation_list_remaining_seconds").set(remaining);
}

/// Bytes of an upload became durable.
pub fn upload_received(bytes: u64) {
    counter!("renkei_upload_bytes_total").increment(bytes);
}

/// How many leaves the audit log has.
pub fn audit_log_grew(leaves: u64) {
    gauge!("renkei_audit_log_leaves").set(approximately(leaves));
}

/// As of when enough witnesses have cosigned the log.
pub fn log_cosigned(since: jiff::Timestamp) {
    let seconds = u64::try_from(since.as_second()).unwrap_or_default();
    gauge!("renkei_audit_log_cosigned_timestamp_seconds").set(approximately(seconds));
}

/// A gauge is a float, exact up to 2^53.
fn approximately(count: u64) -> f64 {
    let [high, low] = [count >> 32, count & u64::from(u32::MAX)];
    let part = |half: u64| f64::from(u32::try_from(half).unwrap_or(u32::MAX));
    part(high) * 4_294_967_296.0 + part(low)
}

/// Bounds of histograms in seconds: from a unary call on the same machine to an upload.
pub(super) const SECONDS: &[f64] = &[
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
    120.0, 600.0,
];

/// Tells the recorder what each metric is.
pub(super) fn describe() {
    describe_histogram!(
        "renkei_rpc_seconds",
        Unit::Seconds,
        "Calls by service, method and kind of failure."
    );
    describe_counter!(
        "renkei_denials_total",
        "Refusals that stand in the audit log, by reason; many of one caller are one entry there."
    );
    describe_gauge!(
        "renkei_audit_log_cosigned_timestamp_seconds",
        Unit::Seconds,
        "When enough witnesses last cosigned the log, in seconds since 1970; absent without witnesses."
    );
    describe_gauge!("renkei_connections_count", "Open connections, handshakes included.");
    describe_counter!("renkei_handshake_refusals_total", "Clients that were not let in, by code.");
    describe_counter!(
        "renkei_silent_connections_total",
        "Connections closed because the client said nothing."
    );
    describe_counter!(
        "renkei_unread_answers_total",
        "Answers that were dropped because the client did not take them."
    );
    describe_counter!(
        "renkei_accept_errors_total",
        "Failures of the system to accept a connection."
    );
    describe_counter!("renkei_tls_reloads_total", "Changed TLS files, replaced or kept.");
    describe_gauge!(
        "renkei_certificate_remaining_seconds",
        Unit::Seconds,
        "Until the broker's certificate ends."
    );
    describe_gauge!(
        "renkei_authority_remaining_seconds",
        Unit::Seconds,
        "Until the first authority of clients ends."
    );
    describe_gauge!(
        "renkei_revocation_list_remaining_seconds",
        Unit::Seconds,
        "Until the first revocation list ends and everybody is refused."
    );
    describe_counter!(
        "renkei_upload_bytes_total",
        Unit::Bytes,
        "Bytes of uploads that are durable."
    );
    describe_gauge!("renkei_audit_log_leaves", "Leaves of the audit log.");
}
