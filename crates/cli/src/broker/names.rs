//! Names of closed lists on the command line and in answers.

use clap::ValueEnum;
use renkei_api::v1;

macro_rules! arguments {
    ($($(#[$doc:meta])* $name:ident -> $wire:ident { $($(#[$value_doc:meta])* $value:ident,)+ })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
        pub(crate) enum $name { $($(#[$value_doc])* $value,)+ }

        impl From<$name> for v1::$wire {
            fn from(argument: $name) -> Self {
                match argument { $($name::$value => Self::$value,)+ }
            }
        }
    )+};
}

arguments! {
    /// What a system or a person may do.
    RoleArgument -> Role {
        /// Uploads registers and lists, and starts jobs
        Submitter,
        /// Decides doubtful lines
        Clerk,
        /// Looks at decisions of clerks
        Reviewer,
        /// Settles what clerks disagree about
        Adjudicator,
        /// Certifies batches for payment
        Certifier,
        /// Keeps the directory and the programmes
        Operator,
        /// Reads the log
        Auditor,
        /// Asks single questions and receives deliveries
        Consumer,
        /// Sees to payments to and beside protected persons (支援措置担当)
        Protector,
        /// Tells persons what was done with their data (開示担当)
        Discloser,
    }

    /// What an agreement allows.
    OperationArgument -> Operation {
        /// Linking whole lists
        Link,
        /// Asking about one person
        Identify,
        /// Showing records to clerks
        Review,
        /// Receiving deliveries
        Deliver,
        /// Receiving who was in the dataset on a day
        Extract,
    }

    /// How payees come to be on a list.
    KindArgument -> ListKind {
        /// They are known with their accounts and may decline (プッシュ型)
        Push,
        /// They have returned a form that was sent to them (確認書)
        Confirmation,
        /// They have applied (申請)
        Application,
    }

    /// Why a payee is not paid.
    ExclusionArgument -> ExclusionReason {
        /// Another municipality, employer or programme pays (既受給)
        PaidElsewhere,
        /// The payee declines (辞退)
        Declined,
        /// The payee is not entitled (施設 and the like)
        NotEntitled,
    }

    /// Why a person is counted to another household than the register does.
    DivisionArgument -> DivisionKind {
        /// The household was divided on or after the base date, and is one still (世帯分離)
        StillOne,
        /// A household of their own inside one of the register (別世帯)
        Separate,
        /// Fled, and applies by herself (DV等避難者の別申請); for protectors
        DvSeparate,
    }

    /// Why a task is set aside.
    ParkArgument -> ParkReason {
        /// The person is being asked
        AskingPerson,
        /// Another office is being asked
        AskingOffice,
        /// A colleague must look
        SecondOpinion,
    }

    /// Whom a programme pays.
    UnitArgument -> PayeeUnit {
        /// Each person once
        Person,
        /// Each household once
        Household,
    }
}

/// A name of the contract without the name of its list: `ROLE_CLERK` is `CLERK`.
pub(crate) fn short<'a>(name: &'a str, list: &str) -> &'a str {
    name.strip_prefix(list).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What can be typed, as the wire names it.
    fn typed<T: ValueEnum>(list: &str) -> Vec<String> {
        let name = |value: &T| {
            let value = value.to_possible_value().expect("no value is hidden");
            format!("{list}{}", value.get_name().to_uppercase().replace('-', "_"))
        };
        T::value_variants().iter().map(name).collect()
    }

    #[test]
    fn what_can_be_typed_is_what_the_contract_names() {
        for name in typed::<RoleArgument>("ROLE_") {
            assert!(v1::Role::from_str_name(&name).is_some(), "{name}");
        }
        for name in typed::<OperationArgument>("OPERATION_") {
            assert!(v1::Operation::from_str_name(&name).is_some(), "{name}");
        }
        for name in typed::<ParkArgument>("PARK_REASON_") {
            assert!(v1::ParkReason::from_str_name(&name).is_some(), "{name}");
        }
        for name in typed::<UnitArgument>("PAYEE_UNIT_") {
            assert!(v1::PayeeUnit::from_str_name(&name).is_some(), "{name}");
        }
        assert_eq!(short(v1::Role::Clerk.as_str_name(), "ROLE_"), "CLERK");
    }
}
