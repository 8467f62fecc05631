//! Words that every crate shares: digests, money, time, reasons, field kinds and languages.
//!
//! Nothing here performs I/O. Time comes in through [`Clock`], so that a test can set it; the only real clock lives in
//! the command-line crate.

mod clock;
mod digest;
mod failure;
mod field;
mod language;
mod money;
mod reason;

pub use clock::{Clock, FixedClock};
pub use digest::{Digest, DigestBuilder, InvalidDigest};
pub use failure::{Classify, Kind};
pub use field::{DateOrder, FieldKind, UnknownFieldKind};
pub use language::{Language, Localised};
pub use money::{UnreadableAmount, Yen};
pub use reason::Reason;
