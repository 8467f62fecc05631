//! Cells that an agreement allows to be shown.
//!
//! A filter in front of every encoder would be forgotten in front of one. So what leaves under an agreement is a
//! [`Disclosed`] cell, and only a permit makes one, for the fields that its agreement names. The wire side turns nothing
//! else into cells of a register or of a payment: a field outside of the agreement cannot be encoded.
//!
//! ```compile_fail
//! // Its fields are private, and there is no constructor.
//! let cell = renkei_exchange::disclosed::Disclosed { field: "address".into(), value: "x".into() };
//! ```

use crate::permit::{Permit, Right};

/// One cell that may be shown.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Disclosed {
    field: String,
    value: String,
}

impl Disclosed {
    /// Canonical name of the field.
    pub fn field(&self) -> &str {
        &self.field
    }

    /// The text.
    pub fn value(&self) -> &str {
        &self.value
    }
}

impl<R: Right> Permit<R> {
    /// The cell, if the agreement of the permit names its field; without an agreement nothing.
    pub fn disclose(&self, field: &str, value: String) -> Option<Disclosed> {
        self.allows_field(field).then(|| Disclosed { field: field.to_owned(), value })
    }
}
