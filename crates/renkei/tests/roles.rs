//! The table of roles and calls, held against a broker: every call, by somebody with each role and no other.

mod support;

use std::sync::Arc;

use renkei_api::{ClientFile, Connection, Rpc, rpcs};
use renkei_types::{Reason, SeededEntropy};
use serde_json::Value;
use support::broker::Broker;
use support::renkei;

/// Who has this role alone: of the town, or to be added to it.
const HOLDERS: [(&str, &str); 9] = [
    ("submitter", "payments"),
    ("clerk", "clerk-1"),
    ("reviewer", "reviewer-1"),
    ("adjudicator", "adjudicator-1"),
    ("certifier", "certifier-1"),
    ("operator", "operator-2"),
    ("auditor", "auditor-1"),
    ("consumer", "transfers"),
    ("protector", "protector-1"),
];

/// Where the right depends on what the message says, so that an empty one asks for one of its roles alone.
const BY_MESSAGE: &str = "Divide";

/// A message that is empty but for its request id.
fn message(rpc: &Rpc) -> Vec<u8> {
    if rpc.has_request_id {
        [&[10, 34], &b"request_06bpj3w4q8v1s9c2d5f7g0h1j2"[..]].concat()
    } else {
        Vec::new()
    }
}

/// Held by the look at the table in `Gate::admit`, and by the permit that each handler asks for.
#[test]
fn every_call_lets_those_roles_through_that_the_table_names_and_no_others() {
    let broker = Broker::start();
    for (role, name) in HOLDERS {
        if !broker.town(&format!("clients/{name}.toml")).exists() {
            broker.newcomer("131016/benefits", name, role);
        }
    }
    let table = renkei(["roles", "--json"]).exits(0).json();
    let table = table["calls"].as_array().expect("calls").clone();
    let may = |rpc: &Rpc, role: &str| {
        let name = format!("{}/{}", rpc.service, rpc.method);
        let row = table.iter().find(|row| row["call"] == name.as_str()).expect("a row");
        row["roles"].as_array().expect("roles").contains(&Value::from(role))
    };
    let rpcs: Vec<_> = rpcs().into_iter().filter(|rpc| rpc.service != "Enrolment").collect();
    assert_eq!(table.len(), rpcs.len());
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        for (role, name) in HOLDERS {
            let file = ClientFile::read(&broker.town(&format!("clients/{name}.toml")));
            let connection =
                Connection::open(&file.expect("a client file"), Arc::new(SeededEntropy::new(1)))
                    .expect("a connection");
            for rpc in &rpcs {
                let answer = connection.raw(&rpc.path, message(rpc)).await;
                let refused =
                    answer.is_err_and(|refusal| refusal.reason() == Some(Reason::RoleMissing));
                if rpc.method != BY_MESSAGE || !may(rpc, role) {
                    assert_eq!(!refused, may(rpc, role), "{} by a {role}", rpc.path);
                }
            }
        }
    });
}

#[test]
fn what_releases_money_lifts_a_stop_or_lets_somebody_in_takes_two_people() {
    let table = renkei(["roles", "--json"]).exits(0).json();
    let calls = table["calls"].as_array().expect("calls");
    let two: Vec<&str> = calls
        .iter()
        .filter(|row| !row["second_person"].is_null())
        .map(|row| row["call"].as_str().expect("a call"))
        .collect();
    assert_eq!(
        two,
        [
            "Directory/ActivateAgreement",
            "Directory/ResumeAgreement",
            "Records/Withdraw",
            "Benefits/Certify",
            "Benefits/Readmit",
            "Benefits/ReleaseHold",
            "Benefits/ClearHousehold",
            "Audit/ReleaseSubject",
            "Admin/GrantCertificate",
            "Admin/RotateKey",
        ]
    );
}
