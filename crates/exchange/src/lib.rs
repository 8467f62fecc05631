//! The rules: who may do what, and what becomes of lists, lines and yen.
//!
//! ```text
//! command --decide--> facts + leaf --journal, durable--> state --> reply
//!                                        |
//!                                        +--> log folder (tiles), cache (sled): projections, rebuilt at will
//! ```
//! A [`Command`] decides on a draft of the [`State`]; what it changed, and the leaf that tells of it, are one frame of the
//! journal. The reply waits until the frame is durable. Everything else that lives on disk is a projection of the journal
//! or a sealed blob that a frame refers to.
//!
//! Invariant: the state depends on the public parts of frames alone, so destroying a data key and rebuilding gives an
//! equal digest. What says something about a person stands in sealed blobs and sealed parts of frames, and is held in
//! memory as a [`book`] of lines. This crate knows no network and no wire format.

pub mod accounts;
pub mod agreement;
mod already_paid;
pub mod audit;
mod balance;
pub mod batch;
pub mod book;
pub mod books;
mod cache;
pub mod caller;
pub mod command;
pub mod delivery;
pub mod delta;
pub mod denial;
pub mod directory;
pub mod disclosed;
pub mod dispute;
pub mod division;
mod draft;
pub mod enrolment;
pub mod exclusion;
pub mod explain;
pub mod extract;
mod flagged;
mod found_log;
pub mod founding;
pub mod history;
pub mod hold;
mod homes;
pub mod household_case;
pub mod households;
pub mod identify;
pub mod index;
pub mod job;
mod kept_file;
mod key_standing;
mod leaf_index;
pub mod ledger;
mod left_out;
pub mod lines;
pub mod link_code;
pub mod list;
mod log;
mod log_beside;
mod log_fault;
pub mod log_head;
mod log_index;
mod log_key;
mod log_signer;
pub mod log_year;
pub mod manifest;
pub mod mark;
pub mod model;
mod payee;
mod pending;
pub mod permit;
pub mod programme;
mod programme_homes;
pub mod protection;
mod public_half;
pub mod reach;
pub mod readmission;
pub mod reconcile;
pub mod refund;
pub mod refusal;
mod register_ids;
mod remainder;
pub mod results;
pub mod retention;
pub mod returns;
pub mod review;
pub mod role;
pub mod rotation;
pub mod rows;
pub mod run;
pub mod running;
pub mod seal;
mod sealed_parts;
pub mod shown;
mod sieve;
pub mod snapshot;
mod standing;
pub mod state;
pub mod store;
pub mod subject;
pub mod subject_index;
pub mod subject_report;
pub mod supersede;
pub mod suspension;
mod together;
pub mod trainer;
pub mod transfer;
pub mod unknown_ids;
pub mod upload;
pub mod withdraw;
pub mod witnessed;
pub mod year_key;

pub use caller::Caller;
pub use command::{Command, Decision, Desk, Done, Receipt};
pub use founding::Charter;
pub use ledger::Exchange;
pub use log_beside::LogBeside;
pub use log_fault::{LogDifference, LogKeyFault};
pub use mark::Mark;
pub use permit::Permit;
pub use refusal::Refusal;
pub use role::{Operation, Role, united_roles};
pub use running::Equipment;
pub use state::State;
pub use store::{HandedKeys, OpenError, Store, StorePaths};
pub use witnessed::{WitnessRule, Witnessed};
