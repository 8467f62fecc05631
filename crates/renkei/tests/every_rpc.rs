//! Every call of the contract refuses strangers, wrong roles and those without an agreement.
//!
//! The calls come from the descriptor set: a new one without an entry here fails the test.

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use renkei_api::{ClientFile, Connection, Rejection, Rpc, rpcs};
use renkei_types::{Classify as _, Kind, Reason, SeededEntropy};
use support::broker::Broker;
use support::renkei;

/// Who may call, so that somebody else has the wrong role; and who has the right role and no agreement, or nothing of
/// their own that an id could mean. Operators need neither for the directory.
const ENTRIES: &[(&str, Wrong, Without)] = &[
    ("Directory/AddAgency", "auditor-1", None),
    ("Directory/AddParty", "auditor-1", None),
    ("Directory/GrantRole", "auditor-1", None),
    ("Directory/RevokeRole", "auditor-1", None),
    ("Directory/RevokeParty", "auditor-1", None),
    ("Directory/CreateDataset", "auditor-1", None),
    ("Directory/ProposeAgreement", "auditor-1", None),
    ("Directory/ApproveAgreement", "auditor-1", Some("operator-1")),
    ("Directory/ActivateAgreement", "auditor-1", Some("operator-1")),
    ("Directory/SuspendAgreement", "auditor-1", Some("operator-1")),
    ("Directory/ResumeAgreement", "auditor-1", Some("operator-1")),
    ("Directory/EndAgreement", "auditor-1", Some("operator-1")),
    ("Directory/Show", "clerk-1", None),
    ("Records/OpenUpload", "auditor-1", Some("payments")),
    ("Records/Upload", "auditor-1", Some("payments")),
    ("Records/GetUpload", "auditor-1", Some("payments")),
    ("Records/Seal", "auditor-1", Some("payments")),
    ("Records/Apply", "auditor-1", Some("payments")),
    ("Records/ReportProtected", "auditor-1", Some("payments")),
    ("Records/GetProtection", "auditor-1", Some("payments")),
    ("Records/Withdraw", "auditor-1", Some("operator-1")),
    ("Records/ListSuperseded", "auditor-1", Some("operator-1")),
    ("Records/DestroySnapshot", "auditor-1", Some("operator-1")),
    ("Records/StateOn", "clerk-1", Some("transfers")),
    ("Linkage/Identify", "clerk-1", Some("transfers")),
    ("Linkage/CreateJob", "clerk-1", Some("register")),
    ("Linkage/GetJob", "clerk-1", Some("register")),
    ("Linkage/WatchJob", "clerk-1", Some("register")),
    ("Linkage/Results", "clerk-1", Some("register")),
    ("Linkage/Explain", "clerk-1", Some("register")),
    ("Linkage/WhyNot", "clerk-1", Some("register")),
    ("Linkage/Estimate", "clerk-1", Some("register")),
    ("Linkage/Train", "clerk-1", Some("register")),
    ("Linkage/Evaluate", "clerk-1", Some("register")),
    ("Linkage/Promote", "clerk-1", Some("operator-1")),
    ("Linkage/GetModel", "clerk-1", Some("operator-1")),
    ("Linkage/TranslateCodes", "clerk-1", Some("transfers")),
    ("Review/Claim", "payments", Some("clerk-1")),
    ("Review/Renew", "payments", Some("clerk-1")),
    ("Review/Release", "payments", Some("clerk-1")),
    ("Review/Search", "payments", Some("clerk-1")),
    ("Review/Decide", "payments", Some("clerk-1")),
    ("Review/Park", "payments", Some("clerk-1")),
    ("Review/Revise", "payments", Some("clerk-1")),
    ("Review/WatchQueue", "payments", Some("clerk-1")),
    ("Benefits/CreateProgramme", "auditor-1", None),
    ("Benefits/GetProgramme", "auditor-1", Some("register")),
    ("Benefits/OpenList", "auditor-1", Some("register")),
    ("Benefits/Certify", "clerk-1", Some("certifier-1")),
    ("Benefits/Exclude", "auditor-1", Some("register")),
    ("Benefits/Divide", "clerk-1", Some("register")),
    ("Benefits/Readmit", "clerk-1", Some("residents-operator")),
    ("Benefits/Hold", "clerk-1", Some("residents-operator")),
    ("Benefits/ReleaseHold", "clerk-1", Some("residents-operator")),
    ("Benefits/Reconcile", "auditor-1", Some("register")),
    ("Benefits/CheckAccounts", "clerk-1", Some("certifier-1")),
    ("Benefits/CheckHouseholds", "certifier-1", Some("protector-1")),
    ("Benefits/ClearHousehold", "certifier-1", Some("protector-1")),
    ("Benefits/ExportTransfer", "clerk-1", Some("counter")),
    ("Benefits/ReportReturns", "clerk-1", Some("counter")),
    ("Benefits/Refund", "clerk-1", Some("counter")),
    ("Deliveries/Subscribe", "clerk-1", Some("counter")),
    ("Deliveries/Ack", "clerk-1", Some("counter")),
    ("Audit/Query", "operator-1", None),
    ("Audit/Sample", "operator-1", None),
    ("Audit/Checkpoint", "clerk-1", None),
    ("Audit/Proofs", "clerk-1", None),
    ("Audit/AddCosignatures", "clerk-1", None),
    ("Audit/ProveReceipt", "clerk-1", Some("payments")),
    ("Audit/ExportBundle", "operator-1", None),
    ("Audit/SubjectReport", "auditor-1", Some("discloser-9")),
    ("Audit/HeldSubjects", "auditor-1", Some("protector-1")),
    ("Audit/ReleaseSubject", "auditor-1", Some("protector-1")),
    ("Admin/Invite", "auditor-1", None),
    ("Admin/RequestCertificate", ANY_ROLE, None),
    ("Admin/GetCertificate", ANY_ROLE, None),
    ("Admin/ShowEnrolments", "auditor-1", None),
    ("Admin/GrantCertificate", "auditor-1", None),
    ("Admin/EndEnrolment", "auditor-1", None),
    ("Admin/RotateKey", "auditor-1", None),
];

/// Whoever has a role may, about nothing but themselves.
const ANY_ROLE: Wrong = "";

/// Not served to those who have a certificate, but on a port of its own to those who have none.
const ELSEWHERE: &str = "Enrolment/Join";

type Wrong = &'static str;
type Without = Option<&'static str>;

/// A message that is empty but for its request id; or, for an upload, names one.
fn message(rpc: &Rpc) -> Vec<u8> {
    let field = |number: u8, bytes: &[u8]| {
        let length = u8::try_from(bytes.len()).expect("a short field");
        [&[number << 3 | 2, length], bytes].concat()
    };
    if rpc.client_streaming {
        return field(1, &field(1, b"upload_06bpj3w4q8v1s9c2d5f7g0h1j2"));
    }
    if rpc.has_request_id { field(1, b"request_06bpj3w4q8v1s9c2d5f7g0h1j2") } else { Vec::new() }
}

async fn refused(broker: &Broker, client: &str, rpc: &Rpc) -> Rejection {
    let file = broker.town("clients").join(format!("{client}.toml"));
    let file = ClientFile::read(&file).expect("a client file");
    let connection =
        Connection::open(&file, Arc::new(SeededEntropy::new(1))).expect("a connection");
    match connection.raw(&rpc.path, message(rpc)).await {
        Err(rejection) => rejection,
        Ok(_) => panic!("{} lets {client} through", rpc.path),
    }
}

#[test]
fn every_call_refuses_strangers_wrong_roles_and_those_without_agreement() {
    let broker = Broker::start();
    // The demo has nobody who tells persons what was done with their data.
    broker.newcomer("131016/benefits", "discloser-9", "discloser");
    let (pki, clients) = (broker.town("pki"), broker.town("clients"));
    let place = |path: &std::path::Path| path.to_str().expect("a path").to_owned();
    // A certificate of the right authority, for somebody who is not in the directory.
    let identity = "spiffe://renkei.example/131016/benefits/system/stranger";
    let file = place(&clients.join("stranger.toml"));
    let options = [
        "pki",
        "issue",
        "--dir",
        &place(&pki),
        "--identity",
        identity,
        "--out",
        &place(&clients),
        "--client-file",
        &file,
        "--address",
        &broker.address,
    ];
    renkei(options).exits(0);

    let entries: BTreeMap<&str, (Wrong, Without)> =
        ENTRIES.iter().map(|(name, wrong, without)| (*name, (*wrong, *without))).collect();
    let rpcs = rpcs();
    for name in entries.keys() {
        let known = rpcs.iter().any(|rpc| format!("{}/{}", rpc.service, rpc.method) == *name);
        assert!(known, "{name} is not in the contract");
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        for rpc in &rpcs {
            let name = format!("{}/{}", rpc.service, rpc.method);
            if name == ELSEWHERE {
                let unknown = refused(&broker, "operator-1", rpc).await;
                assert_eq!(
                    (unknown.reason(), unknown.kind()),
                    (None, Kind::InvalidArgument),
                    "{unknown}"
                );
                continue;
            }
            let (wrong, without) =
                *entries.get(name.as_str()).unwrap_or_else(|| panic!("{name} has no entry"));
            let stranger = refused(&broker, "stranger", rpc).await;
            assert_eq!(stranger.reason(), Some(Reason::NotRegistered), "{name}: a stranger");
            if wrong != ANY_ROLE {
                let rejection = refused(&broker, wrong, rpc).await;
                let denied = [Some(Reason::RoleMissing), Some(Reason::NoAgreement)];
                assert!(denied.contains(&rejection.reason()), "{name}: {wrong}: {rejection}");
            }
            if let Some(without) = without {
                let rejection = refused(&broker, without, rpc).await;
                assert_eq!(rejection.reason(), Some(Reason::NoAgreement), "{name}: {without}");
            }
        }
    });
    // Refusals are in the log, by code.
    let denied = broker.as_client("auditor-1", &["audit", "query", "--results", "DENIED"]).exits(0);
    for code in ["NOT_REGISTERED", "ROLE_MISSING", "NO_AGREEMENT"] {
        assert!(denied.stdout.contains(code), "{code} is not in the log");
    }
}
