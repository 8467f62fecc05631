//! Limits: what one client, one connection or one call may use up.
//!
//! A limit that is not set is a promise to serve whoever asks for most, so every limit has a value, none can be zero or
//! endless, and the defaults suit a broker on two cores that serves one municipality. Which part enforces a limit stands
//! beside it: the transport those of connections, the gate and the services those of calls and contents.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::duration;

/// The `[limits]` section.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Connections open at once, those in a handshake included (listener). Default 1024.
    pub connections_max: u32,
    /// Connections from one address, or one /64 of IPv6 (listener). Default 64: an agency often comes through one
    /// gateway.
    pub connections_per_peer_max: u32,
    /// From the accepted socket to the finished TLS handshake (listener). Default 5s.
    #[serde(with = "duration")]
    pub handshake_timeout: Duration,
    /// From the handshake to the whole HTTP/2 preface (connection). Default 5s. Without it a client that says nothing
    /// holds the server at shutdown.
    #[serde(with = "duration")]
    pub preface_timeout: Duration,
    /// Open streams of one connection (HTTP/2 settings); a client keeps further calls back by itself. Default 100, which RFC 9113 (6.5.2)
    /// calls the least: what many streams of one connection ask at once, all other callers wait for.
    pub streams_per_connection_max: u32,
    /// Calls of one connection that are being answered; more are refused at once with `RESOURCE_EXHAUSTED` (server).
    /// Default 100.
    pub requests_per_connection_max: u32,
    /// Calls that one caller may make in a minute, together with those before them (gate). Default 120,000; `[quotas]` has
    /// others for single callers.
    pub calls_per_minute_max: u32,
    /// How far the clock of a caller that says its time may be off before calls that change something are refused (gate).
    /// Default 10m.
    #[serde(with = "duration")]
    pub clock_skew_max: Duration,
    /// A call that is no stream (gate). Default 30s. A client's own shorter deadline wins.
    #[serde(with = "duration")]
    pub request_timeout: Duration,
    /// From the start of any call, uploads included, to the first byte of its answer (server). Default 1h. It ends what
    /// the finer timeouts missed.
    #[serde(with = "duration")]
    pub call_duration_max: Duration,
    /// A stream on which nothing moves in either direction (services), and what a sender may be behind the pace of
    /// `upload_bytes_per_second_min`, and how long an answer waits to be taken (server). Default 60s.
    #[serde(with = "duration")]
    pub stream_idle_timeout: Duration,
    /// How often a stream on which nothing happens is held against the rights of who reads it, which may end with a day
    /// (services). Default 30s. What is sent is held against them anyway.
    #[serde(with = "duration")]
    pub rights_interval: Duration,
    /// Between two HTTP/2 pings (server). Default 30s.
    #[serde(with = "duration")]
    pub keepalive_interval: Duration,
    /// How long a ping may stay unanswered (server). Default 10s.
    #[serde(with = "duration")]
    pub keepalive_timeout: Duration,
    /// After this age a connection takes no new calls and its client has to connect, and prove itself, again (server).
    /// Default 30m.
    #[serde(with = "duration")]
    pub connection_age_max: Duration,
    /// What calls that are open at that age may still take before the connection is cut (connection). Default 5m.
    #[serde(with = "duration")]
    pub connection_age_grace: Duration,
    /// One message, in and out (services). Default 4 MiB.
    pub message_bytes_max: u32,
    /// All headers of one call (HTTP/2 settings). Default 16 KiB.
    pub header_bytes_max: u32,
    /// Bytes on their way in one stream before the broker has read them (HTTP/2 settings). Default 1 MiB.
    pub stream_window_bytes: u32,
    /// The same for all streams of a connection together (HTTP/2 settings). Default 4 MiB. Times `connections_max` it is
    /// the most that clients can make the broker hold unread.
    pub connection_window_bytes: u32,
    /// Streams that a client opened and reset before the broker saw them, before the connection is cut (server).
    /// Default 20.
    pub pending_resets_max: u32,
    /// Streams that the broker had to reset because of the client's errors, before the connection is cut (server).
    /// Default 100.
    pub local_resets_max: u32,
    /// One uploaded file, which is read in memory when it is sealed (services). Default 1 GiB.
    pub upload_bytes_max: u64,
    /// What an upload may send ahead of the last durable byte, and so the most that a cut costs (services).
    /// Default 8 MiB.
    pub upload_window_bytes: u32,
    /// A request whose bytes come more slowly than this is cut once it is `stream_idle_timeout` behind; an upload may be
    /// resumed (connection). Default 1024.
    pub upload_bytes_per_second_min: u32,
    /// What open calls may still take after a signal to stop (server). Default 30s.
    #[serde(with = "duration")]
    pub shutdown_grace: Duration,
    /// How long a clerk holds a review task without a sign of life (review service). Default 15m.
    #[serde(with = "duration")]
    pub lease_duration: Duration,
    /// How old what is known of protected persons (支援措置) may be before addresses are withheld of everybody (services).
    /// Default 7d.
    #[serde(with = "duration")]
    pub protection_age_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        const KIB: u32 = 1024;
        const MIB: u32 = 1024 * KIB;
        let seconds = Duration::from_secs;
        Self {
            connections_max: 1024,
            connections_per_peer_max: 64,
            handshake_timeout: seconds(5),
            preface_timeout: seconds(5),
            streams_per_connection_max: 100,
            requests_per_connection_max: 100,
            calls_per_minute_max: 120_000,
            clock_skew_max: seconds(10 * 60),
            request_timeout: seconds(30),
            call_duration_max: seconds(3600),
            stream_idle_timeout: seconds(60),
            rights_interval: seconds(30),
            keepalive_interval: seconds(30),
            keepalive_timeout: seconds(10),
            connection_age_max: seconds(30 * 60),
            connection_age_grace: seconds(5 * 60),
            message_bytes_max: 4 * MIB,
            header_bytes_max: 16 * KIB,
            stream_window_bytes: MIB,
            connection_window_bytes: 4 * MIB,
            pending_resets_max: 20,
            local_resets_max: 100,
            upload_bytes_max: 1024 * u64::from(MIB),
            upload_window_bytes: 8 * MIB,
            upload_bytes_per_second_min: KIB,
            shutdown_grace: seconds(30),
            lease_duration: seconds(15 * 60),
            protection_age_max: seconds(7 * 24 * 3600),
        }
    }
}

/// The greatest quota that can be told from none.
pub(super) const CALLS_PER_MINUTE_MOST: u64 = 60_000_000;

/// A number of the section that lies outside its range.
pub(super) struct OutOfRange {
    /// The key with its section.
    pub(super) key: &'static str,
    /// The least allowed value.
    pub(super) least: u64,
    /// The greatest allowed value.
    pub(super) most: u64,
}

impl Limits {
    /// The same for those who have no certificate yet: a few calls of a few kilobytes, and no more.
    pub(crate) fn of_enrolment(&self) -> Self {
        let minute = Duration::from_secs(60);
        Self {
            connections_max: self.connections_max.min(32),
            connections_per_peer_max: self.connections_per_peer_max.min(4),
            streams_per_connection_max: self.streams_per_connection_max.min(4),
            requests_per_connection_max: self.requests_per_connection_max.min(4),
            call_duration_max: self.call_duration_max.min(self.request_timeout),
            connection_age_max: self.connection_age_max.min(minute),
            connection_age_grace: self.connection_age_grace.min(minute),
            stream_window_bytes: 65_535,
            connection_window_bytes: 65_535,
            ..self.clone()
        }
    }

    /// The first number outside its range. Durations need no check here: their text form has a range of its own.
    pub(super) fn out_of_range(&self) -> Option<OutOfRange> {
        const KIB: u64 = 1 << 10;
        const MIB: u64 = 1 << 20;
        const TIB: u64 = 1 << 40;
        // RFC 9113 begins with a window of 65,535 bytes and ends at 2^31 - 1.
        const WINDOW: (u64, u64) = (65_535, (1 << 31) - 1);
        let at = |key, value: u32, least, most| (key, u64::from(value), least, most);
        [
            at("limits.connections_max", self.connections_max, 1, 1_000_000),
            at("limits.connections_per_peer_max", self.connections_per_peer_max, 1, 1_000_000),
            at("limits.streams_per_connection_max", self.streams_per_connection_max, 1, 100_000),
            at("limits.requests_per_connection_max", self.requests_per_connection_max, 1, 100_000),
            at("limits.calls_per_minute_max", self.calls_per_minute_max, 1, CALLS_PER_MINUTE_MOST),
            at("limits.message_bytes_max", self.message_bytes_max, 64 * KIB, 64 * MIB),
            at("limits.header_bytes_max", self.header_bytes_max, 4 * KIB, MIB),
            at("limits.stream_window_bytes", self.stream_window_bytes, WINDOW.0, WINDOW.1),
            at("limits.connection_window_bytes", self.connection_window_bytes, WINDOW.0, WINDOW.1),
            at("limits.pending_resets_max", self.pending_resets_max, 1, 100_000),
            at("limits.local_resets_max", self.local_resets_max, 1, 100_000),
            ("limits.upload_bytes_max", self.upload_bytes_max, 1, 16 * TIB),
            at("limits.upload_window_bytes", self.upload_window_bytes, 64 * KIB, 1024 * MIB),
            at(
                "limits.upload_bytes_per_second_min",
                self.upload_bytes_per_second_min,
                1,
                1024 * MIB,
            ),
        ]
        .into_iter()
        .find(|&(_, value, least, most)| value < least || value > most)
        .map(|(key, _, least, most)| OutOfRange { key, least, most })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_in_range() {
        assert!(Limits::default().out_of_range().is_none());
    }

    #[test]
    fn zero_and_endless_are_out_of_range() {
        let none = Limits { connections_max: 0, ..Limits::default() };
        assert_eq!(none.out_of_range().map(|found| found.key), Some("limits.connections_max"));
        let endless = Limits { upload_bytes_max: u64::MAX, ..Limits::default() };
        assert_eq!(endless.out_of_range().map(|found| found.key), Some("limits.upload_bytes_max"));
    }
}
