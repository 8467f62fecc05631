//! The server: identity, gate, services, jobs, configuration and telemetry.
