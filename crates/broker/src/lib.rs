//! The server: identity, gate, services, jobs, configuration and telemetry.
//!
//! ```text
//! socket -> transport (who) -> gate (caller, deadline) -> service (permit, domain call) -> exchange (rules, journal)
//! ```
//! What may be done is decided in `exchange`, what is said on the wire in `api`; here the two are joined. Invariant: no
//! call reaches the exchange but through the gate, and no byte of an answer leaves before its leaf is durable.

mod broker;
pub mod config;
mod convert;
mod failure;
mod gate;
mod jobs;
mod quota;
mod services;
pub mod telemetry;
pub mod transport;
pub mod who_may;
mod witnessing;

pub use broker::{RunError, Running, is_in_use, run};
pub use failure::refusal_status_of;
pub use renkei_exchange::LogBeside;
pub use renkei_exchange::log_head::HeadFound;
pub use witnessing::WitnessSetupError;
