//! Roles and operations: the closed lists of what parties may be asked to do and agreements may allow.

macro_rules! closed_list {
    ($(#[$doc:meta])* $name:ident { $($(#[$item_doc:meta])* $variant:ident = $code:literal,)+ }) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, serde::Deserialize,
            serde::Serialize,
        )]
        pub enum $name { $($(#[$item_doc])* #[serde(rename = $code)] $variant,)+ }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The code.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }
        }
    };
}
pub(crate) use closed_list;

closed_list! {
    /// What a party may be asked to do. Roles live in the directory, never in a certificate.
    Role {
        /// Uploads registers and lists, and starts linkage jobs.
        Submitter = "submitter",
        /// Decides doubtful lines.
        Clerk = "clerk",
        /// Looks at decisions of clerks.
        Reviewer = "reviewer",
        /// Settles what clerks disagree about.
        Adjudicator = "adjudicator",
        /// Certifies batches.
        Certifier = "certifier",
        /// Keeps the directory and the programmes.
        Operator = "operator",
        /// Reads the log.
        Auditor = "auditor",
        /// Asks single questions and receives deliveries.
        Consumer = "consumer",
        /// Sees to payments to and beside protected persons (支援措置担当).
        Protector = "protector",
        /// Tells persons what was done with their data (開示担当).
        Discloser = "discloser",
    }
}

closed_list! {
    /// What an agreement allows.
    Operation {
        /// Linking whole lists to the dataset.
        Link = "LINK",
        /// Asking about one person.
        Identify = "IDENTIFY",
        /// Showing records to clerks.
        Review = "REVIEW",
        /// Receiving deliveries.
        Deliver = "DELIVER",
        /// Receiving who was in the dataset on a day.
        Extract = "EXTRACT",
    }
}

/// Roles that one person should not hold together, because the rules that take two people mean to part them: whoever holds
/// both could be both of the two in effect, though each rule is kept to the letter.
///
/// They are warned of and not refused: a small office may have nobody else, and each act is still held against who did the
/// one before. What one person must never do alone is refused where it is done (`SAME_PERSON`, `OWN_DECISION`).
pub const PARTED_ROLES: &[(Role, Role)] = &[
    // Who decides whom a line means, or clears a line that is held back, must not sign its payment.
    (Role::Clerk, Role::Certifier),
    (Role::Protector, Role::Certifier),
    (Role::Submitter, Role::Certifier),
    // Who sees why lines are held back must not meet them as doubtful ones.
    (Role::Clerk, Role::Protector),
    // Who answers a person must not also tell what was held back of the answer.
    (Role::Protector, Role::Discloser),
    // Who answers persons must not be the one who looks at what they were answered.
    (Role::Auditor, Role::Discloser),
    // Who signs payments must not report what the bank made of them.
    (Role::Certifier, Role::Consumer),
    // Who appoints must not be among those whom it takes two of, nor look at what they themselves did.
    (Role::Certifier, Role::Operator),
    (Role::Protector, Role::Operator),
    (Role::Operator, Role::Auditor),
    (Role::Certifier, Role::Auditor),
];

/// Which of them a set of roles unites.
pub fn united_roles(roles: &std::collections::BTreeSet<Role>) -> Vec<(Role, Role)> {
    let held = |(one, other): &&(Role, Role)| roles.contains(one) && roles.contains(other);
    PARTED_ROLES.iter().filter(held).copied().collect()
}
