//! The closed lists of a leaf. Words may be added with a new schema version, and are never renamed.

use std::fmt;
use std::str::FromStr;

use serde::de::{Error as _, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The text is not one of the list's words.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{list} has no such word; see the list in the log's schema")]
pub struct UnknownWord {
    /// The list.
    pub list: &'static str,
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $word:ident = $text:literal,)+ })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum $name { $($(#[$word_doc])* $word,)+ }

        impl $name {
            /// Every word of the list.
            pub const ALL: &'static [Self] = &[$(Self::$word,)+];

            /// The word as written.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$word => $text,)+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                match text {
                    $($text => Ok(Self::$word),)+
                    _ => Err(UnknownWord { list: stringify!($name) }),
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str(TextVisitor(std::marker::PhantomData))
            }
        }
    )+};
}

/// Reads anything that parses from text, without a copy of the text.
pub(super) struct TextVisitor<T>(pub(super) std::marker::PhantomData<T>);

impl<T: FromStr<Err: fmt::Display>> serde::de::Visitor<'_> for TextVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text of the log's schema")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

words! {
    /// What happened.
    Operation {
        /// A client was not recognised.
        AuthDenied = "AUTH_DENIED",
        /// A client was recognised and had no right.
        AuthzDenied = "AUTHZ_DENIED",
        /// An upload was begun.
        UploadOpen = "UPLOAD_OPEN",
        /// An upload was completed, with its control totals.
        UploadSeal = "UPLOAD_SEAL",
        /// A numbered delta of a register was applied.
        DeltaApply = "DELTA_APPLY",
        /// The provider of a register reported who is protected.
        ProtectionReport = "PROTECTION_REPORT",
        /// What was uploaded was checked.
        Validate = "VALIDATE",
        /// A list was linked to a register.
        LinkRun = "LINK_RUN",
        /// A clerk decided on one line.
        ReviewDecision = "REVIEW_DECISION",
        /// A person certified a batch.
        Certify = "CERTIFY",
        /// A certified batch was released.
        Release = "RELEASE",
        /// Something released was handed to its consumer.
        Deliver = "DELIVER",
        /// A consumer confirmed what it has.
        Ack = "ACK",
        /// The bank has told which transfers of a batch came back.
        Return = "RETURN",
        /// A payee has given money back.
        Refund = "REFUND",
        /// Something was withdrawn by its owner.
        Withdraw = "WITHDRAW",
        /// One person was looked up.
        QuerySingle = "QUERY_SINGLE",
        /// A file was written for use elsewhere.
        Export = "EXPORT",
        /// A person asked what was done with their data.
        SubjectAccess = "SUBJECT_ACCESS",
        /// The log itself was read.
        AuditRead = "AUDIT_READ",
        /// Data or their keys were destroyed.
        Delete = "DELETE",
        /// An agreement changed its state.
        AgreementChange = "AGREEMENT_CHANGE",
        /// A certificate was issued, renewed or revoked.
        CertChange = "CERT_CHANGE",
        /// A key was replaced.
        KeyRotate = "KEY_ROTATE",
        /// The configuration changed.
        ConfigChange = "CONFIG_CHANGE",
        /// An operator did something.
        AdminAction = "ADMIN_ACTION",
        /// The broker started.
        Start = "START",
        /// The broker stopped in good order.
        Stop = "STOP",
        /// The clock was found to have jumped.
        ClockJump = "CLOCK_JUMP",
        /// A backup was made.
        Backup = "BACKUP",
        /// A backup was restored.
        Restore = "RESTORE",
        /// The store is older than somebody else's knowledge of it.
        RollbackSuspected = "ROLLBACK_SUSPECTED",
        /// A fiscal year's log ended.
        ShardClose = "SHARD_CLOSE",
        /// A fiscal year's log began.
        ShardOpen = "SHARD_OPEN",
    }

    /// How it ended.
    LeafResult {
        /// As asked.
        Ok = "OK",
        /// A rule forbids it to this caller.
        Denied = "DENIED",
        /// What was brought was not acceptable.
        Rejected = "REJECTED",
        /// A fault.
        Failed = "FAILED",
        /// Some of it.
        Partial = "PARTIAL",
    }

    /// How far the clock is to be trusted.
    ClockState {
        /// Synchronised.
        Ok = "ok",
        /// Without a time source.
        Unsynced = "unsynced",
        /// It has jumped since the leaf before.
        Jumped = "jumped",
    }

    /// What is counted. Written in the order of the names.
    Counter {
        /// Lines whose consumer confirmed them.
        Acked = "acked",
        /// Lines with the outcome AMBIGUOUS.
        Ambiguous = "ambiguous",
        /// Lines certified.
        Certified = "certified",
        /// Lines delivered.
        Delivered = "delivered",
        /// Denials collapsed into this leaf.
        Denied = "denied",
        /// Lines with the outcome DUPLICATE.
        Duplicate = "duplicate",
        /// Lines that came in.
        In = "in",
        /// Lines with the outcome LINKED.
        Linked = "linked",
        /// Lines with the outcome LINKED_BY_CLERK.
        LinkedByClerk = "linked_by_clerk",
        /// Lines with the outcome NOT_FOUND.
        NotFound = "not_found",
        /// Lines that went out.
        Out = "out",
        /// Lines of which money was given back.
        Refunded = "refunded",
        /// Lines refused by the checks of an upload.
        Rejected = "rejected",
        /// Lines with the outcome REJECTED_INPUT.
        RejectedInput = "rejected_input",
        /// Lines whose transfer came back from the bank.
        Returned = "returned",
        /// Lines with the outcome REVIEW.
        Review = "review",
        /// Lines with the outcome UNLINKABLE.
        Unlinkable = "unlinkable",
        /// Lines that passed the checks of an upload.
        Valid = "valid",
    }

    /// How many people a leaf is about.
    SubjectMode {
        /// Nobody.
        None = "none",
        /// One person.
        One = "one",
        /// Several.
        Set = "set",
    }

    /// Who or what decided.
    DecidedBy {
        /// A person.
        Human = "human",
        /// The linkage model.
        Model = "model",
        /// A fixed rule.
        Rule = "rule",
    }

    /// What was decided.
    DecisionKind {
        /// Yes.
        Approve = "approve",
        /// Later.
        Defer = "defer",
        /// No.
        Deny = "deny",
        /// These are one person.
        Merge = "merge",
        /// These are different people.
        Split = "split",
    }
}

/// Whether the person concerned is shown a leaf. Written as 0, 1 or 2.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Disclosure {
    /// Shown.
    Show = 0,
    /// Shown after a date that the owner keeps.
    ShowLater = 1,
    /// Not shown: an exception of the law, an investigation, a protected person (支援措置).
    Withhold = 2,
}

impl Serialize for Disclosure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(*self as u8)
    }
}

impl<'de> Deserialize<'de> for Disclosure {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u8::deserialize(deserializer)? {
            0 => Ok(Self::Show),
            1 => Ok(Self::ShowLater),
            2 => Ok(Self::Withhold),
            other => Err(D::Error::invalid_value(Unexpected::Unsigned(other.into()), &"0, 1 or 2")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_sort_as_their_names_do() {
        let names: Vec<&str> = Counter::ALL.iter().map(|counter| counter.as_str()).collect();
        assert!(names.is_sorted() && Counter::ALL.is_sorted());
    }

    #[test]
    fn every_operation_reads_back_and_is_upper_snake() {
        for operation in Operation::ALL {
            let text = operation.as_str();
            assert_eq!(text.parse(), Ok(*operation));
            assert!(text.bytes().all(|c| c.is_ascii_uppercase() || c == b'_'), "{text}");
        }
        assert_eq!(Operation::ALL.len(), 34);
        assert_eq!("APPROVE".parse::<Operation>(), Err(UnknownWord { list: "Operation" }));
    }
}
