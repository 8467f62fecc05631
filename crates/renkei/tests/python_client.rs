//! A client that has nothing but Python, the stock gRPC library and the folder proto/.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use support::broker::Broker;
use support::python::python_with;

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples/python")
}

#[test]
fn the_stock_grpc_library_and_the_contract_are_enough_to_upload_link_and_identify() {
    let broker = Broker::start();
    let (register, programme) = (broker.register(), broker.programme("python"));
    let python = python_with("python-client", &examples().join("requirements.txt"));
    let output = Command::new(python)
        .arg(examples().join("send_list.py"))
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto"))
        .arg(broker.town("clients/payments.toml"))
        .arg(broker.town("clients/counter.toml"))
        .args([&programme, &register, "benefit-2026"])
        .arg(broker.town("files/payments.csv"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .expect("Python runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{}", broker.log());
    let answer: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(answer["rows"], 120, "{answer}");
    assert!(answer["outcomes"]["LINKED"]["lines"].as_u64().is_some_and(|lines| lines > 90));
    assert_eq!(answer["identified"][0], answer["first"], "{answer}");
}
