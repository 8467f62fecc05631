//! The witness protocol (C2SP tlog-witness): a log asks others to cosign its checkpoints, and cosigns those of others.
//!
//! Whoever runs a broker has its key, and could put an old state back or show each reader another log. A witness at another
//! office remembers the largest checkpoint that it was shown, and cosigns only what continues it. It sees name, size and
//! root of a log, never an entry, so anybody may be one.
//!
//! ```text
//! broker                                   witness
//!   old size, proof, checkpoint  ───────>    remembers that size?   no: 409 and the size it has
//!                                            proof leads there?     no: 422
//!                                            remembers the new one, durably
//!   checkpoint with one line more  <───────  cosigns
//! ```
//! The same texts travel as files where there is no network. Invariant: what a witness has cosigned is durable before the
//! line leaves it, and two requests at once are decided one after the other.

mod client;
mod error;
pub mod key_file;
mod server;
mod submission;
mod witness;

pub use client::{Answer, NoAnswer, WitnessClient, WitnessUrlError};
pub use error::{Refused, WitnessError};
pub use server::{ServerIdentity, ServerIdentityError, serve};
pub use submission::{MalformedSubmission, PROOF_LINES_MAX, SUBMISSION_BYTES_MAX, Submission};
pub use witness::{Witness, origin_name};
