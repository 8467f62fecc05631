//! Whether the log's key that lies there is the one that is to sign: the one place that decides it, for a start and for
//! `selfcheck`.
//!
//! ```text
//! decided on last            the key that lies there                        it
//! this one, or none ever     is that of log.vkey                            signs
//! another one                and the other one lies there as the next one   signs until that is announced
//! an older one               has followed it, and the journal is older      signs; auditors are told that nobody announced it
//! another one                anything else                                  does not sign
//! whichever                  is that of a log-<id>.vkey, no next one there  does not sign
//! ```
//! Invariant: a key that was replaced never signs again, whoever puts it back.

use std::path::Path;

use renkei_tlog::VerifierKey;
use renkei_types::Digest;

use crate::log_key::has_next;
use crate::public_half::{PublicHalves, beside, fingerprint};
use crate::store::OpenError;

/// How a key that may sign stands to what was decided.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum KeyStanding {
    /// It is the one that was decided on last, or the first one.
    InUse,
    /// Another one was decided on, which takes its place once that is announced.
    Leaving,
    /// It has taken the place of another one, and the journal was rolled back past that.
    Unannounced,
}

/// How a key stands that lies at a path, whose public half is `own`. `next` answers the fingerprint of the key that lies there as the
/// next one, and is asked only where that matters: what is wrong with it is not wrong with the one that signs.
pub(crate) fn standing(
    path: &Path,
    own: &VerifierKey,
    halves: &PublicHalves,
    decided: Option<Digest>,
    next: impl FnOnce() -> Result<Option<Digest>, OpenError>,
) -> Result<KeyStanding, OpenError> {
    let is_written = halves.written.as_ref().is_none_or(|written| written == own);
    // Whoever puts back what was before a change may leave there what tells that there was one. Where it was not completed, the next
    // key still lies there.
    if halves.is_older(fingerprint(own))
        && !has_next(path)
        && decided.is_none_or(|decided| decided == fingerprint(own))
    {
        return Err(OpenError::LogKeyOlder {
            path: path.to_owned(),
            half: beside(path, own, "vkey"),
        });
    }
    let standing = match decided {
        // The public half is written behind the change, and the process may have died before.
        Some(decided) if decided == fingerprint(own) => return Ok(KeyStanding::InUse),
        Some(decided) if has_followed(own, halves, decided) => KeyStanding::Unannounced,
        Some(decided) if next()? == Some(decided) => KeyStanding::Leaving,
        Some(decided) => {
            return Err(OpenError::LogKeyReplaced { path: path.to_owned(), decided });
        }
        None if !halves.older.is_empty() => KeyStanding::Unannounced,
        None => KeyStanding::InUse,
    };
    if is_written { Ok(standing) } else { Err(OpenError::LogKeyOther { path: path.to_owned() }) }
}

/// Whether this key has taken the place of another one in a later rotation than the journal knows: that was rolled back past it,
/// and the other one is no more.
fn has_followed(own: &VerifierKey, halves: &PublicHalves, older: Digest) -> bool {
    let is_last = halves.written.as_ref() == Some(own) && !halves.is_older(fingerprint(own));
    is_last && halves.is_older(older)
}
