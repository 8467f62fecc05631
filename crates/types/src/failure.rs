//! What an error means to the one who receives it.

/// The kinds of failure a caller can tell apart.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Kind {
    /// The input, the configuration or the usage is wrong; the same call will fail again.
    InvalidArgument,
    /// A rule forbids it.
    Refused,
    /// It is not there.
    NotFound,
    /// Somebody else was first.
    Conflict,
    /// A limit or the storage is used up.
    Exhausted,
    /// Not now; the same call may work later.
    Unavailable,
    /// A fault of ours.
    Internal,
}

/// An error that knows what kind it is.
pub trait Classify: std::error::Error {
    /// What kind of failure this is.
    fn kind(&self) -> Kind;
}
