//! Other keys in the place of the broker's own: the root key, which wraps the data keys, and the log's key, which signs it.
//!
//! ```text
//! one operator        prepares the next key and proposes it          ADMIN_ACTION
//! another, in a day   agrees: the key with this fingerprint is it    KEY_ROTATE, with the fingerprint
//!                     and from here on it is completed, at the next start where the process died
//! ```
//! A key that one person can exchange is a key that one person can put out of use, and a log whose key one person can
//! exchange can be continued by that person alone. So it takes two. The leaf of the log's rotation is signed by the older
//! key before the next one is used, so whoever has the older one can see that the next one was announced.
//!
//! Invariant: what is decided is the fingerprint of a key that exists; nothing else is ever taken into use.

use renkei_tlog::leaf::Operation;
use renkei_types::{Digest, Identity, Reason};
use serde::{Deserialize, Serialize};

use crate::command::{Call, Command, Decision, Desk, Done};
use crate::ledger::Exchange;
use crate::mark::Mark;
use crate::permit::{Operate, Permit};
use crate::refusal::Refusal;
use crate::role::closed_list;

closed_list! {
    /// A key of the broker's own.
    BrokerKey {
        /// Wraps the data keys.
        Root = "ROOT",
        /// Signs the checkpoints of the log.
        Log = "LOG",
    }
}

/// How long a proposal waits for the second person.
const PROPOSAL_HOURS: i64 = 24;

/// A key that one person has proposed.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct RotationProposal {
    /// Who.
    pub by: Identity,
    /// The last moment at which somebody else may agree.
    pub until: jiff::Timestamp,
    /// The key.
    pub fingerprint: Digest,
}

/// What a call came to.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Rotation {
    /// It waits for another person.
    Proposed,
    /// The next key is in use.
    Decided,
}

/// Proposes the next key, or agrees to it.
#[derive(Debug)]
pub struct RotateKey {
    /// That the caller may.
    pub permit: Permit<Operate>,
    /// Which key.
    pub key: BrokerKey,
}

/// The same with the fingerprint of the key that was prepared.
#[derive(Debug)]
struct RotateTo {
    permit: Permit<Operate>,
    key: BrokerKey,
    fingerprint: Digest,
}

impl RotateKey {
    /// Prepares the next key, proposes it or agrees to it, and takes it into use where two have agreed. Blocks: for threads
    /// that may wait.
    pub fn rotate(self, exchange: &Exchange, call: Call) -> Result<Done<Rotation>, Refusal> {
        let Self { permit, key } = self;
        // Only somebody who may makes a file.
        permit.check(&exchange.state(), exchange.clock().today())?;
        let fingerprint = match key {
            BrokerKey::Root => exchange.vault().prepare_root()?,
            BrokerKey::Log => {
                // The older key signs the announcement before the next one is used.
                exchange.witnessed().check_signing()?;
                exchange.prepare_log_key()?
            }
        };
        let done = exchange.execute_now(call, RotateTo { permit, key, fingerprint })?;
        if done.reply == Rotation::Decided {
            exchange.complete_rotation(key)?;
        }
        Ok(done)
    }
}

impl Command for RotateTo {
    type Reply = Rotation;
    const METHOD: &'static str = "RotateKey";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<Rotation>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        if desk.state.keys_in_use.get(&self.key) == Some(&self.fingerprint) {
            // Announced, and not in use yet: a second announcement would be one that the older key must not sign.
            return Ok(Decision::nothing(Rotation::Decided));
        }
        let caller = &self.permit.caller().identity;
        let waiting = desk.state.rotation_proposals.get(&self.key).filter(|proposal| {
            desk.now <= proposal.until && proposal.fingerprint == self.fingerprint
        });
        if let Some(proposal) = waiting {
            if proposal.by == *caller {
                return Err(Reason::SamePerson.into());
            }
            desk.state.rotation_proposals.remove(&self.key);
            desk.state.keys_in_use.put(self.key, self.fingerprint);
            let mark = Mark::ok(Operation::KeyRotate).naming(self.fingerprint);
            return Ok(Decision::new(Rotation::Decided, mark));
        }
        let wait = jiff::SignedDuration::from_hours(PROPOSAL_HOURS);
        let until = desk.now.checked_add(wait).map_err(|error| Refusal::internal(&error))?;
        let (by, fingerprint) = (caller.clone(), self.fingerprint);
        desk.state.rotation_proposals.put(self.key, RotationProposal { by, until, fingerprint });
        let mark = Mark::ok(Operation::AdminAction).naming(fingerprint);
        Ok(Decision::new(Rotation::Proposed, mark))
    }
}
