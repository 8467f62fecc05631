//! The wire contract: generated code, conversions, and the client's side of a connection.
//!
//! ```text
//! ClientFile -> Connection -> call(request)   one answer, repeated under its request id where the way broke
//!                          -> stream(request) answers one by one
//!                          -> upload(..)      a file's bytes, resumed where the broker's durable bytes end
//!            -> LogMemory  receipts proven, and the checkpoint that the next one must continue
//! ```
//! This is the only crate that knows prost. What a broker refuses becomes a [`Rejection`], whose reason is one of the
//! closed list and speaks both languages; a broker makes the same thing with [`refusal_status`], so that the two sides
//! cannot drift apart. Invariant: nothing is sent twice unless the broker can tell that it is the same request. What the
//! messages mean is left to the broker, and what is shown of them to the command line.

mod body;
mod call;
mod client_file;
mod codec;
mod connection;
mod contract;
mod log_memory;
mod outcome;
mod raw;
mod receipt;
mod rejection;
mod renewed;
mod request_id;
mod retry;
mod tls;
mod upload;

/// The generated messages, clients and servers of `renkei.v1`. The comments are those of `proto/renkei/v1`.
pub mod v1 {
    #![allow(
        missing_docs,
        unreachable_pub,
        unused_qualifications,
        clippy::all,
        clippy::unwrap_used,
        clippy::wildcard_enum_match_arm,
        clippy::cast_lossless,
        rustdoc::all,
        reason = "generated from the contract"
    )]
    tonic::include_proto!("renkei.v1");
    include!(concat!(env!("OUT_DIR"), "/clients/renkei.v1.rs"));
}

/// The descriptor set of the contract, encoded: every service and call, for reflection and for tests that must not
/// forget one.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptor.bin"));

/// Metadata of a call: what time the caller has, in RFC 3339. A broker whose clock says something else by far refuses calls
/// that would change something; who says nothing is not asked.
pub const CLIENT_TIME: &str = "renkei-time";

/// Most bytes of one message, on both sides.
pub const MESSAGE_BYTES_MAX: usize = 16 << 20;

pub use body::encoded;
pub use call::{Call, StreamCall};
pub use client_file::{ClientFile, ClientFileError, OwnFiles};
pub use connection::{Answers, Connection};
pub use contract::{Rpc, rpcs};
pub use log_memory::{KeyFiles, LogDoubt, LogMemory};
pub use outcome::outcome_text;
pub use receipt::hex;
pub use rejection::{DOMAIN, Places, Rejection, refusal_status};
pub use request_id::{following_request_id, new_request_id};
pub use retry::{Backoff, Repeats};
pub use upload::{CHUNK_BYTES, UploadError, Uploaded, upload};

#[cfg(test)]
mod fake_broker;
