//! Who may call what: the one table, from which the gate decides before a handler is reached.
//!
//! A row is a call, the right that it needs, and, where one person alone must not do it, who the second one is. Roles and
//! operations of an agreement are those of the right, so that they are written once, in `renkei_exchange::permit`. A call
//! without a row is refused to everybody. The page docs/roles.md is this table, printed.
//!
//! A role is needed and not enough: whose thing it is, and under which agreement, is decided by the permit that the handler
//! asks for. `Enrolment/Join` has no row, for those who call it have no role yet: it needs a one-time token.

use renkei_exchange::permit::{
    AskIdentity, Certify, DecideLines, Divide, KeepCertificate, Link, Operate, Promote,
    ProveReceipt, ReadDirectory, ReadLog, ReadState, Readmit, Receive, ReleaseSubject, Right,
    SeeCheckpoints, SeeProgramme, SeeProtected, SeeProtection, SeeTotals, StopReleases, Submit,
    TellSubject, TranslateCodes,
};
use renkei_exchange::{Operation, Role};
use renkei_types::{Language, Localised};

/// The second of two people, where a call takes two.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Second {
    /// Another person than who proposed it.
    NotWhoProposed,
    /// Another person than who stopped it.
    NotWhoStopped,
    /// Two different people sign.
    TwoSignatures,
    /// Another person than who asked.
    NotWhoAsked,
    /// Another person than who invited, and never the owner.
    NotWhoInvited,
    /// One person withdraws; destroying takes another one after that.
    DestroysNotWhoWithdrew,
}

impl Localised for Second {
    fn localised(&self, language: Language) -> String {
        let (english, japanese) = match self {
            Self::NotWhoProposed => ("another person than who proposed it", "提案した人とは別の人"),
            Self::NotWhoStopped => ("another person than who stopped it", "停止した人とは別の人"),
            Self::TwoSignatures => ("two different people sign", "別々の二人が署名"),
            Self::NotWhoAsked => ("another person than who asked", "質問した人とは別の人"),
            Self::DestroysNotWhoWithdrew => (
                "to destroy: another person than who withdrew it",
                "消去は、提供をやめた人とは別の人",
            ),
            Self::NotWhoInvited => {
                ("another person than who invited or asks", "招待した人・本人とは別の人")
            }
        };
        language.pick(english, japanese).to_owned()
    }
}

/// A row: a call and who may make it.
#[derive(Clone, Copy, Debug)]
pub struct CallRule {
    /// The service.
    pub service: &'static str,
    /// The call.
    pub method: &'static str,
    /// One of these roles is needed.
    pub roles: &'static [Role],
    /// The agreement must allow one of these, where the call rests on one.
    pub operations: &'static [Operation],
    /// Who the second person is, where it takes two.
    pub second: Option<Second>,
}

macro_rules! calls {
    ($($service:ident { $($method:ident: $right:ident $(, $second:ident)?;)+ })+) => {
        /// Every call that is made with a certificate, in the order of the contract.
        pub const CALL_RULES: &[CallRule] = &[$($(CallRule {
            service: stringify!($service),
            method: stringify!($method),
            roles: <$right as Right>::ROLES,
            operations: <$right as Right>::OPERATIONS,
            second: calls!(@second $($second)?),
        },)+)+];
    };
    (@second) => { None };
    (@second $second:ident) => { Some(Second::$second) };
}

calls! {
    Directory {
        AddAgency: Operate;
        AddParty: Operate;
        GrantRole: Operate;
        RevokeRole: Operate;
        RevokeParty: Operate;
        CreateDataset: Operate;
        ProposeAgreement: Operate;
        ApproveAgreement: Operate;
        ActivateAgreement: Operate, NotWhoProposed;
        SuspendAgreement: Operate;
        ResumeAgreement: Operate, NotWhoStopped;
        EndAgreement: Operate;
        Show: ReadDirectory;
    }
    Records {
        OpenUpload: Submit;
        Upload: Submit;
        GetUpload: Submit;
        Seal: Submit;
        Apply: Submit;
        ReportProtected: Submit;
        GetProtection: SeeProtection;
        Withdraw: Operate, DestroysNotWhoWithdrew;
        ListSuperseded: Operate;
        DestroySnapshot: Operate;
        StateOn: ReadState;
    }
    Linkage {
        Identify: AskIdentity;
        CreateJob: Link;
        GetJob: Link;
        WatchJob: Link;
        Results: Link;
        Explain: Link;
        WhyNot: Link;
        Estimate: Link;
        Train: Link;
        Evaluate: Link;
        Promote: Promote;
        GetModel: Promote;
        TranslateCodes: TranslateCodes;
    }
    Review {
        Claim: DecideLines;
        Renew: DecideLines;
        Release: DecideLines;
        Search: DecideLines;
        Decide: DecideLines;
        Park: DecideLines;
        Revise: DecideLines;
        WatchQueue: DecideLines;
    }
    Benefits {
        CreateProgramme: Operate;
        GetProgramme: SeeProgramme;
        OpenList: Submit;
        Certify: Certify, TwoSignatures;
        Exclude: Submit;
        Readmit: Readmit, TwoSignatures;
        Divide: Divide;
        Hold: StopReleases;
        ReleaseHold: StopReleases, TwoSignatures;
        Reconcile: SeeTotals;
        CheckAccounts: Certify;
        CheckHouseholds: SeeProtected;
        ClearHousehold: SeeProtected, TwoSignatures;
        ExportTransfer: Receive;
        ReportReturns: Receive;
        Refund: Receive;
    }
    Deliveries {
        Subscribe: Receive;
        Ack: Receive;
    }
    Audit {
        Query: ReadLog;
        Sample: ReadLog;
        Checkpoint: SeeCheckpoints;
        Proofs: SeeCheckpoints;
        AddCosignatures: SeeCheckpoints;
        ProveReceipt: ProveReceipt;
        ExportBundle: ReadLog;
        SubjectReport: TellSubject;
        HeldSubjects: ReleaseSubject;
        ReleaseSubject: ReleaseSubject, NotWhoAsked;
    }
    Admin {
        Invite: Operate;
        RequestCertificate: KeepCertificate;
        GetCertificate: KeepCertificate;
        ShowEnrolments: Operate;
        GrantCertificate: Operate, NotWhoInvited;
        EndEnrolment: Operate;
        RotateKey: Operate, NotWhoProposed;
    }
}

/// The names of all roles.
pub fn role_names() -> impl Iterator<Item = &'static str> {
    Role::ALL.iter().map(|role| role.as_str())
}

/// The row of a call.
pub fn call_rule(service: &str, method: &str) -> Option<&'static CallRule> {
    CALL_RULES.iter().find(|rule| rule.service == service && rule.method == method)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_of_the_contract_has_one_row_and_no_row_is_of_another_call() {
        let mut contract: Vec<_> = renkei_api::rpcs()
            .into_iter()
            .filter(|rpc| rpc.service != "Enrolment")
            .map(|rpc| format!("{}/{}", rpc.service, rpc.method))
            .collect();
        let mut rows: Vec<_> =
            CALL_RULES.iter().map(|rule| format!("{}/{}", rule.service, rule.method)).collect();
        contract.sort();
        rows.sort();
        assert_eq!(rows, contract);
    }
}
