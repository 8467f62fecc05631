//! The wire contract: generated code, conversions and the client channel.
