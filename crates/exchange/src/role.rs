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
