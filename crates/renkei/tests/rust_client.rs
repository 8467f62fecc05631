//! The example of a client in Rust, built and run as its reader would.

mod support;

use std::path::Path;
use std::process::Command;

use support::broker::Broker;
use support::renkei;

/// The example. `cargo test --workspace` builds it with the tests; where this test is run alone, it is built here.
fn built() -> std::path::PathBuf {
    let example = assert_cmd::cargo::cargo_bin!("renkei").with_file_name("examples");
    let example = example.join("send_list");
    if example.exists() {
        return example;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let output = Command::new(env!("CARGO"))
        .args(["build", "--workspace", "--example", "send_list", "--quiet"])
        .current_dir(root)
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    example
}

#[test]
fn ten_lines_of_rust_send_a_list_link_it_and_keep_the_receipt() {
    let broker = Broker::start();
    let (register, programme) = (broker.register(), broker.programme("rust"));
    let payments = broker.town("files/payments.csv");
    let checked = renkei(["check", payments.to_str().expect("a path"), "--json"]).json();
    let total = |what: &str| checked["totals"][what].as_u64().expect("a total").to_string();
    let run = |yen: &str| {
        let output = Command::new(built())
            .arg(broker.town("clients/payments.toml"))
            .args([&programme, &register])
            .arg(&payments)
            .args([&total("lines"), yen])
            .output();
        output.expect("the example runs")
    };
    let output = run(&total("yen"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{}", broker.log());
    let told = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(told.contains("OUTCOME_LINKED Totals { lines: ") && told.contains("leaf "), "{told}");
    let main = include_str!("../../../docs/examples/rust/send_list.rs");
    let body = main.split_once("async fn main").expect("a program").1;
    assert!(body.lines().count() <= 14, "ten lines are promised, without the braces");
    // What is refused is told by its reason.
    let refused = run("1");
    assert!(!refused.status.success());
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("ALREADY_EXISTS"), "{said}");
}
