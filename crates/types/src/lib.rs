//! Words that every crate shares: digests, money, time, reasons, field kinds and languages.
//!
//! Nothing here performs I/O. Time comes in through [`Clock`], so that a test can set it; the only real clock lives in
//! the command-line crate.

mod clock;
mod digest;
mod entropy;
mod failure;
mod field;
mod id;
mod identity;
mod io_error;
mod language;
mod legal_basis;
mod money;
mod reason;
mod register_id;

pub use clock::{Clock, FixedClock};
pub use digest::{Digest, DigestBuilder, InvalidDigest};
pub use entropy::{Entropy, SeededEntropy};
pub use failure::{Classify, Kind};
pub use field::{DateOrder, FieldKind, UnknownFieldKind};
pub use id::{
    AgreementId, BatchId, DataKeyId, DatasetId, EventId, InvalidId, LinkageJobId, ListId,
    ProgrammeId, RequestId, SnapshotId, TaskId, UploadId,
};
pub use identity::{AgencyId, Identity, IdentityKind, InvalidIdentity, InvalidSlug, Slug};
pub use io_error::with_file;
pub use language::{Language, Localised};
pub use legal_basis::{LegalBasis, UnknownLegalBasis};
pub use money::{UnreadableAmount, Yen};
pub use reason::Reason;
pub use register_id::without_zeros;
