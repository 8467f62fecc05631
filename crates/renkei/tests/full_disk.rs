//! A disk that is full while something is committed: refused, nothing half done, and usable again with space.

mod support;

use std::process::{Command, Stdio};

use support::broker::Broker;

#[cfg(unix)]
#[test]
fn a_full_disk_refuses_what_it_cannot_keep_and_loses_nothing() {
    let mut broker = Broker::start();
    let before = broker.audit("before");
    broker.kill();
    // No file may grow past what the largest has: the system refuses every further byte, as a full disk does.
    let journal = broker.town("store/journal");
    let largest = fs_err::read_dir(&journal)
        .expect("the journal")
        .map(|entry| entry.expect("an entry").metadata().expect("its size").len())
        .max()
        .expect("a segment");
    let serve = broker.command();
    let blocks = (largest + 24 * 1024) / 512;
    let mut limited = Command::new("bash");
    let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$@\"", blocks / 2);
    limited.args(["-c", &script, "bash"]).arg(serve.get_program()).args(serve.get_args());
    limited.stdin(Stdio::null()).stdout(Stdio::piped());
    broker.restart_with(limited);
    let add = |broker: &Broker, name: String| {
        let agency = format!("131016/{name}");
        broker.as_client("operator-1", &["agency", "add", &agency, "--title", "Office"])
    };
    let mut kept = Vec::new();
    let mut refused = None;
    for at in 0..200 {
        let name = format!("full-{at}");
        let run = add(&broker, name.clone());
        if run.code == 0 {
            kept.push(name);
        } else {
            refused = Some((name, run));
            break;
        }
    }
    let (name, run) = refused.expect("the disk is full at some time");
    assert_eq!(run.code, 75, "{}", run.stderr);
    // Reading goes on.
    broker.done("operator-1", &["agency", "list"]);
    // With space again everything acknowledged is there, the refused is not, and it can be done.
    broker.restart();
    let listed = broker.done("operator-1", &["agency", "list"]).to_string();
    for kept in &kept {
        assert!(listed.contains(kept), "{kept} was acknowledged and is gone");
    }
    assert!(!listed.contains(&format!("131016/{name}\"")), "{name} was refused and is there");
    add(&broker, name).exits(0);
    let after = broker.audit("after");
    assert_eq!(after["ok"], true);
    assert!(after["size"].as_u64() > before["size"].as_u64());
}
