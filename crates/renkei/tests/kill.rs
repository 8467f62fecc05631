//! kill -9 at every step of the road, and again during recovery.
//!
//! Whatever was acknowledged is kept, totals are equal, nothing happens twice, and the log continues every checkpoint that
//! was ever seen. The command that was under way repeats its request under the same id and is answered.

mod support;

use renkei_tlog::Hash;
use renkei_tlog::checkpoint::Checkpoint;
use renkei_tlog::proof::ConsistencyProof;
use renkei_types::Digest;
use serde_json::Value;
use support::broker::Broker;

/// A broker, and every checkpoint that was seen.
struct Watched {
    broker: Broker,
    checkpoints: Vec<(u64, Hash)>,
    kills: u32,
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("no {key} in {value}"))
}

impl Watched {
    /// Does something through a kill at each of these moments; `arguments` are made anew for each.
    #[track_caller]
    fn through_kills(
        &mut self,
        moments: &[u64],
        client: &str,
        mut arguments: impl FnMut(usize) -> Vec<String>,
    ) -> Vec<Value> {
        let mut answers = Vec::new();
        for (at, &moment) in moments.iter().enumerate() {
            let arguments = arguments(at);
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            answers.push(self.broker.done_through_a_kill(moment, client, &arguments));
            self.kills += 1;
        }
        self.look();
        answers
    }

    /// The log continues every checkpoint that was ever seen.
    fn look(&mut self) {
        let said = self.broker.done("auditor-1", &["audit", "checkpoint"]);
        let note = text(&said, "checkpoint");
        let head = note.split("\n\n").next().expect("a head");
        let checkpoint = Checkpoint::parse(&format!("{head}\n")).expect("a checkpoint");
        for &(old_size, old_root) in &self.checkpoints {
            let (old, new) = (old_size.to_string(), checkpoint.size.to_string());
            let options = ["audit", "proof", "--old-size", &old, "--size", &new];
            let proof = self.broker.done("auditor-1", &options);
            let hashes = proof["hashes"].as_array().expect("hashes").iter();
            let digest = |hash: &Value| -> Digest {
                format!("sha256:{}", hash.as_str().expect("a hash")).parse().expect("hexadecimal")
            };
            let hashes = hashes.map(|hash| Hash::from(digest(hash)));
            let new_size = checkpoint.size;
            let proof = ConsistencyProof { old_size, new_size, hashes: hashes.collect() };
            proof.verify(&old_root, &checkpoint.root).expect("one log");
        }
        self.checkpoints.push((checkpoint.size, checkpoint.root));
    }
}

fn owned(arguments: &[&str]) -> Vec<String> {
    arguments.iter().map(|&argument| argument.to_owned()).collect()
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_happens_twice_whenever_the_broker_is_killed() {
    let mut town = Watched { broker: Broker::start(), checkpoints: Vec::new(), kills: 0 };
    town.look();
    let payments = town.broker.town("files/payments.csv");
    let payments = payments.to_str().expect("a path").to_owned();
    let register = town.broker.register();

    // 1: the directory.
    town.through_kills(&[0, 5, 20], "operator-1", |at| {
        owned(&["agency", "add", &format!("131016/office-{at}"), "--title", "Office"])
    });
    // 2: a programme.
    let made = town.through_kills(&[2, 10], "operator-1", |at| {
        owned(&Broker::create_programme(&format!("second-{at}")))
    });
    let programme = text(&made[0], "programme_id").to_owned();
    // 3: a list.
    let opened = town.through_kills(&[0, 5, 20], "payments", |at| {
        owned(&["list", "open", &programme, "--name", &format!("wave-{at}")])
    });
    let (list, upload) =
        (text(&opened[0], "list_id").to_owned(), text(&opened[0], "upload_id").to_owned());
    // 4: the upload, several times: it goes on where the durable bytes end.
    town.through_kills(&[1, 5, 15], "payments", |_| owned(&["list", "upload", &upload, &payments]));
    // 5: the seal.
    town.through_kills(&[5, 20, 60], "payments", |_| {
        let id = "request_06bpj3w4q8v1s9c2d5f7g0h1j2";
        owned(&["list", "seal", &upload, &payments, "--request-id", id])
    });
    // 6: the job is asked for.
    let created = town.through_kills(&[2, 10], "payments", |_| {
        let id = "request_06bpj3w4q8v1s9c2d5f7g0h1j3";
        owned(&["job", "create", "--list", &list, "--dataset", &register, "--request-id", id])
    });
    assert_eq!(created[0]["job_id"], created[1]["job_id"], "one request, one job");
    let job = text(&created[0], "job_id").to_owned();
    // 7: the job runs, and is taken over by the next start.
    let watched =
        town.through_kills(&[10, 40, 120], "payments", |_| owned(&["job", "watch", &job]));
    assert!(watched.iter().all(|job| job["stage"] == "DONE"), "{watched:?}");
    assert!(watched.windows(2).all(|pair| pair[0]["result_digest"] == pair[1]["result_digest"]));
    // 8: a model is trained on the list, and taken into use.
    let trained = town.through_kills(&[10, 60], "payments", |_| {
        let id = "request_06bpj3w4q8v1s9c2d5f7g0h1j6";
        owned(&["model", "train", "--list", &list, "--dataset", &register, "--request-id", id])
    });
    assert_eq!(trained[0]["model_digest"], trained[1]["model_digest"], "one list, one model");
    let model = text(&trained[0], "model_digest").to_owned();
    town.through_kills(&[0, 4, 12, 40], "residents-operator", |_| {
        let id = "request_06bpj3w4q8v1s9c2d5f7g0h1j7";
        owned(&["model", "promote", &register, &model, "--request-id", id])
    });
    let shown = town.broker.done("residents-operator", &["model", "show", &register]);
    assert_eq!(shown["digest_in_use"], model.as_str(), "promoted once, and for good");
    // 9: tasks are claimed and decided.
    let mut kill = [3_u64, 9, 27].into_iter().cycle();
    for clerk in ["clerk-1", "clerk-2"].into_iter().cycle() {
        let claim = owned(&["review", "next", &list]);
        let claim: Vec<&str> = claim.iter().map(String::as_str).collect();
        let moment = kill.next().unwrap_or_default();
        let many = town.kills > 60;
        let claimed = if many {
            town.broker.done(clerk, &claim)
        } else {
            town.kills += 1;
            town.broker.done_through_a_kill(moment, clerk, &claim)
        };
        let task = &claimed["task"];
        if task.is_null() {
            break;
        }
        let version = task["version"].to_string();
        let id = text(task, "task_id").to_owned();
        let free = task["candidates"]
            .as_array()
            .and_then(|all| all.iter().find(|one| one["held"] == false))
            .map(|one| text(one, "register_id").to_owned());
        let mut decide = vec!["review", "decide", &id, "--version", &version];
        match &free {
            Some(person) => decide.extend(["--link", person]),
            None => decide.push("--none"),
        }
        if many {
            town.broker.done(clerk, &decide);
        } else {
            town.kills += 1;
            town.broker.done_through_a_kill(moment, clerk, &decide);
        }
    }
    town.look();
    let queue = town.broker.done("clerk-1", &["review", "queue", &list]);
    let decided = queue["decided"].as_u64().or(queue["queue"]["decided"].as_u64());
    assert!(decided.is_some_and(|decided| decided > 3), "{queue}");
    // 10: two signatures.
    let proposed = town.through_kills(&[8, 30], "certifier-1", |_| {
        owned(&["list", "certify", &list, "--request-id", "request_06bpj3w4q8v1s9c2d5f7g0h1j4"])
    });
    assert_eq!(proposed[0]["batch_id"], proposed[1]["batch_id"], "one request, one batch");
    let (batch, digest) =
        (text(&proposed[0], "batch_id").to_owned(), text(&proposed[0], "digest").to_owned());
    town.through_kills(&[8, 30], "certifier-2", |_| {
        let id = "request_06bpj3w4q8v1s9c2d5f7g0h1j5";
        owned(&[
            "list",
            "certify",
            &list,
            "--batch",
            &batch,
            "--digest",
            &digest,
            "--request-id",
            id,
        ])
    });
    // 11: the checkpoint.
    town.through_kills(&[1, 10], "auditor-1", |_| owned(&["audit", "checkpoint"]));
    // 12: recovery itself, several times in a row, also while the cache is built again.
    for moment in [1, 5, 20, 60] {
        town.broker.kill();
        if moment == 20 {
            fs_err::remove_dir_all(town.broker.town("store/cache")).expect("the cache is deleted");
        }
        let mut starting = town.broker.command().spawn().expect("the broker starts");
        std::thread::sleep(std::time::Duration::from_millis(moment));
        starting.kill().expect("the broker is killed");
        starting.wait().expect("the broker is gone");
        town.kills += 1;
    }
    town.broker.restart();
    town.look();

    let counted = town.broker.done("payments", &["list", "reconcile", &list]);
    assert_eq!(counted["balanced"], true, "{counted}");
    assert_eq!(counted["batches"].as_array().map(Vec::len), Some(1), "{counted}");
    let verified = town.broker.audit("bundle");
    assert_eq!(verified["ok"], true, "{verified}");
    let leaves = verified["size"].as_u64().expect("a size");
    assert!(leaves >= town.checkpoints.last().expect("a checkpoint").0);
    eprintln!("{} kills, {leaves} leaves", town.kills);
}

#[test]
fn a_second_broker_on_the_same_folder_is_refused() {
    let broker = Broker::start();
    let output = broker.command().output().expect("the second broker ends");
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_broker_that_is_asked_to_stop_stops() {
    let mut broker = Broker::start();
    assert_eq!(broker.stop(), 0, "{}", broker.log());
    broker.restart();
    assert_eq!(broker.audit("bundle")["ok"], true);
}
