//! Rights at the broker as others see it: what is not permitted looks like what is not there, and a right that ends cuts
//! what is open.

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use renkei_api::v1::{SubscribeRequest, WatchQueueRequest};
use renkei_api::{ClientFile, Connection, Rejection, Rpc, rpcs};
use renkei_types::{Reason, SeededEntropy};
use support::broker::Broker;
use support::renkei;

const UNKNOWN: &str = "06bpj3w4q8v1s9c2d5f7g0h1j2";

/// Calls that rest on no agreement and name nothing of anybody: whoever has the role may.
const FREE: &[&str] = &[
    "Admin/EndEnrolment",
    "Admin/GetCertificate",
    "Admin/GrantCertificate",
    "Admin/Invite",
    "Admin/RequestCertificate",
    "Admin/RotateKey",
    "Admin/ShowEnrolments",
    "Audit/Checkpoint",
    "Audit/ExportBundle",
    "Audit/Proofs",
    "Audit/ProveReceipt",
    "Audit/Query",
    "Audit/Sample",
    "Audit/AddCosignatures",
    "Benefits/CreateProgramme",
    "Directory/AddAgency",
    "Directory/AddParty",
    "Directory/CreateDataset",
    "Directory/GrantRole",
    "Directory/ProposeAgreement",
    "Directory/RevokeParty",
    "Directory/RevokeRole",
    "Directory/Show",
    "Enrolment/Join",
];

fn connection(broker: &Broker, client: &str) -> Connection {
    let file = broker.town("clients").join(format!("{client}.toml"));
    let file = ClientFile::read(&file).expect("a client file");
    Connection::open(&file, Arc::new(SeededEntropy::new(1))).expect("a connection")
}

/// Somebody with every role, of an agency that has nothing and has agreed on nothing.
fn outsider(broker: &Broker) {
    let place = |name: &str| broker.town(name).to_str().expect("a path").to_owned();
    let identity = "spiffe://renkei.example/131016/elsewhere/system/outsider";
    let file = format!("{}/outsider.toml", place("clients"));
    let (pki, clients) = (place("pki"), place("clients"));
    let issue = ["pki", "issue", "--dir", &pki, "--identity", identity, "--out", &clients];
    let more = ["--client-file", &file, "--address", &broker.address];
    renkei(issue.iter().chain(&more)).exits(0);
    broker.done("operator-1", &["agency", "add", "131016/elsewhere", "--title", "elsewhere"]);
    let roles = "submitter,clerk,reviewer,adjudicator,certifier,operator,auditor,consumer,protector,discloser";
    broker.done("operator-1", &["system", "add", identity, "--role", roles]);
}

/// A thing of each kind that the demo has left, from its log.
fn things(broker: &Broker) -> BTreeMap<String, String> {
    let log = broker.as_client("auditor-1", &["audit", "query"]).exits(0).stdout;
    let mut things = BTreeMap::new();
    for word in log.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
        if let Some((noun, letters)) = word.split_once('_')
            && letters.len() == UNKNOWN.len()
        {
            things.entry(noun.to_owned()).or_insert_with(|| word.to_owned());
        }
    }
    for noun in
        ["agreement", "batch", "dataset", "event", "job", "list", "programme", "task", "upload"]
    {
        assert!(things.contains_key(noun), "no {noun} in the log of the demo: {things:?}");
    }
    things
}

fn field(number: u32, bytes: &[u8]) -> Vec<u8> {
    let key = u8::try_from(number << 3 | 2).expect("a low number");
    let length = u8::try_from(bytes.len()).expect("a short field");
    [&[key, length], bytes].concat()
}

/// The calls that take one of several ids.
const EITHER: [&str; 1] = ["Benefits/Reconcile"];

/// Every way to ask a call: with all its ids, or with each where it takes one of them.
fn ways(rpc: &Rpc) -> Vec<Rpc> {
    if !EITHER.contains(&&*format!("{}/{}", rpc.service, rpc.method)) {
        return vec![rpc.clone()];
    }
    rpc.ids.iter().map(|id| Rpc { ids: vec![id.clone()], ..rpc.clone() }).collect()
}

/// A message in which every id names a thing.
fn message(rpc: &Rpc, thing: &dyn Fn(&str) -> String) -> Vec<u8> {
    if rpc.client_streaming {
        return field(1, &field(1, thing("upload").as_bytes()));
    }
    let mut message = Vec::new();
    if rpc.has_request_id {
        message.extend(field(1, format!("request_{UNKNOWN}").as_bytes()));
    }
    for (noun, number) in &rpc.ids {
        message.extend(field(*number, thing(noun).as_bytes()));
    }
    if rpc.method == "Identify" {
        message.extend(field(2, b"benefit-2026"));
    }
    message
}

async fn asked(connection: &Connection, rpc: &Rpc, message: Vec<u8>) -> Rejection {
    match connection.raw(&rpc.path, message).await {
        Err(rejection) => rejection,
        Ok(_) => panic!("{} lets the outsider through", rpc.path),
    }
}

/// Held in each handler by the permit that is asked for before anything else is looked at, and in `State::permit_own` and
/// `State::permit_dataset` by one `NO_AGREEMENT` for both.
#[test]
fn what_is_unknown_and_what_is_not_permitted_are_answered_alike_by_every_call() {
    let broker = Broker::start();
    outsider(&broker);
    let things = things(&broker);
    let connection = |runtime: &tokio::runtime::Runtime| {
        let _guard = runtime.enter();
        connection(&broker, "outsider")
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let connection = connection(&runtime);
    let mut compared = 0;
    runtime.block_on(async {
        for rpc in &rpcs().iter().flat_map(ways).collect::<Vec<_>>() {
            let name = format!("{}/{}", rpc.service, rpc.method);
            if FREE.contains(&name.as_str()) {
                continue;
            }
            let there = message(rpc, &|noun| things[noun].clone());
            let unknown = message(rpc, &|noun| format!("{noun}_{UNKNOWN}"));
            assert_ne!(there, unknown, "{name} names nothing; it belongs into FREE");
            let there = asked(&connection, rpc, there).await;
            let unknown = asked(&connection, rpc, unknown).await;
            assert_eq!(there.reason(), Some(Reason::NoAgreement), "{name}: {there}");
            // Status, reason, field, line and words.
            assert_eq!(there, unknown, "{name} tells what is there");
            compared += 1;
        }
    });
    assert!(compared >= 35, "{compared} calls were compared");
}

/// The agreement that allows an operation.
fn agreement(broker: &Broker, operation: &str) -> String {
    let listed = broker.done("operator-1", &["agreement", "list"]);
    let all = listed["agreements"].as_array().expect("agreements");
    let allows = |one: &&serde_json::Value| {
        one["operations"].as_array().is_some_and(|all| all.iter().any(|known| *known == operation))
    };
    let found = all.iter().find(allows).expect("an agreement");
    found["agreement_id"].as_str().expect("an id").to_owned()
}

/// Held by the check at the head of the loop in `deliveries.rs`, and by the one in `watch_queue`.
#[test]
fn a_suspension_cuts_streams_that_are_open_and_lifting_it_lets_them_open_again() {
    let broker = Broker::start();
    let things = things(&broker);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let patience = Duration::from_secs(20);
    let programme_id = things["programme"].clone();
    let subscribe =
        || SubscribeRequest { programme_id: programme_id.clone(), after: 0, once: false };
    let queue = WatchQueueRequest { list_id: things["list"].clone(), once: false };
    let (mut feed, mut tasks, connections) = runtime.block_on(async {
        let transfers = connection(&broker, "transfers");
        let clerk = connection(&broker, "clerk-1");
        let mut feed = transfers.stream(subscribe()).await.expect("the feed");
        let mut tasks = clerk.stream(queue).await.expect("the queue");
        feed.next().await.expect("an answer").expect("an entry");
        tasks.next().await.expect("an answer").expect("a count");
        (feed, tasks, (transfers, clerk))
    });
    let delivers = agreement(&broker, "DELIVER");
    let reviews = agreement(&broker, "REVIEW");
    broker.done("benefits-operator", &["agreement", "suspend", &delivers]);
    broker.done("residents-operator", &["agreement", "suspend", &reviews]);
    runtime.block_on(async {
        let feed = tokio::time::timeout(patience, async {
            loop {
                match feed.next().await {
                    Ok(Some(_)) => {}
                    Ok(None) => panic!("the feed ended without a word"),
                    Err(rejection) => return rejection,
                }
            }
        });
        assert_eq!(feed.await.expect("in time").reason(), Some(Reason::NoAgreement));
        let tasks = tokio::time::timeout(patience, tasks.next()).await.expect("in time");
        let rejection = tasks.expect_err("the queue is cut");
        assert_eq!(rejection.reason(), Some(Reason::NoAgreement));
        let again = connections.0.stream(subscribe()).await;
        let Err(refused) = again else { panic!("a suspended agreement opens a stream") };
        assert_eq!(refused.reason(), Some(Reason::NoAgreement));
    });
    // Who suspended cannot lift it; somebody else can.
    let same = broker.as_client("benefits-operator", &["agreement", "resume", &delivers]).exits(3);
    assert!(same.stderr.contains("another person"), "{}", same.stderr);
    broker.done("operator-2", &["agreement", "resume", &delivers]);
    runtime.block_on(async {
        let mut feed = connections.0.stream(subscribe()).await.expect("the feed");
        feed.next().await.expect("an answer").expect("an entry");
    });
}

#[test]
fn an_agreement_without_a_last_day_ends_with_the_fiscal_year_and_is_reported_before() {
    let broker = Broker::start();
    let register = broker.register();
    #[rustfmt::skip]
    let propose = [
        "agreement", "propose", "--consumer", "131016/treasury", "--dataset", &register,
        "--legal-basis", "KOJOHO_61_1", "--purpose", "benefit-2026", "--fields", "name_kana",
        "--operations", "identify", "--valid-from", "2090-01-15", "--daily-records-max", "10",
        "--retention-days", "30",
    ];
    let proposed = broker.done("operator-1", &propose);
    assert_eq!(proposed["valid_until"], "2090-03-31");
    let words = broker.as_client("operator-1", &["agreement", "list"]).exits(0);
    let all = words.json();
    let all = all["agreements"].as_array().expect("agreements");
    let known = all.iter().find(|one| one["agreement_id"] == proposed["agreement_id"]);
    assert_eq!(known.expect("the proposal")["destroy_by"], "2090-04-30");
    // Those of the demo end after 365 days, and their data is due 365 days later.
    let ending = |days: &str| {
        let listed = broker.done("operator-1", &["agreement", "list", "--ending", days]);
        listed["agreements"].as_array().expect("agreements").len()
    };
    assert_eq!((ending("300"), ending("366")), (0, 2));
    // A dry run changes nothing; the provider ends it for good.
    let reviews = agreement(&broker, "REVIEW");
    let dry = broker.done("residents-operator", &["agreement", "end", &reviews]);
    assert_eq!(dry["done"], false);
    let ended = broker.done("residents-operator", &["agreement", "end", &reviews, "--yes"]);
    assert_eq!(ended["state"], "ENDED");
    let again = broker.as_client("operator-1", &["agreement", "resume", &reviews]);
    again.exits(3);
    let job = ["identify", &register, "--purpose", "benefit-2026", "name_kana=ヤマダ"];
    let refused = broker.as_client("counter", &job).exits(3);
    assert!(refused.stderr.contains("no agreement"), "{}", refused.stderr);
}

#[test]
fn a_plan_needs_no_broker_and_names_laws_of_the_closed_list() {
    let bases = renkei(["agreement", "bases", "--json"]).exits(0).json();
    let bases: Vec<&str> = bases["bases"]
        .as_array()
        .expect("bases")
        .iter()
        .map(|basis| basis["code"].as_str().expect("a code"))
        .collect();
    let plan = renkei(["agreement", "plan", "tax-exempt-household", "--json"]).exits(0).json();
    let needs = plan["needs"].as_array().expect("needs");
    assert!(needs.len() >= 5);
    for need in needs {
        for basis in need["legal_bases"].as_array().expect("bases") {
            assert!(bases.contains(&basis.as_str().expect("a code")), "{basis}");
        }
    }
    renkei(["agreement", "plan", "no-such-plan"]).exits(2);
}

/// Held by `Naming` in each handler that names residents: results, screens of clerks, explanations and deliveries.
#[test]
fn who_may_not_know_ids_works_with_link_codes_from_screen_to_delivery() {
    let broker = Broker::start();
    let register = broker.register();
    // A newer agreement of the benefits office, without ids.
    let listed = broker.done("operator-1", &["agreement", "list"]);
    let all = listed["agreements"].as_array().expect("agreements");
    let known = all.iter().find(|one| one["dataset_id"] == *register).expect("the agreement");
    let fields = known["fields"].as_array().expect("fields").iter();
    let fields: Vec<&str> =
        fields.filter_map(|field| field.as_str()).filter(|field| *field != "resident_id").collect();
    let fields = fields.join(",");
    #[rustfmt::skip]
    let propose = [
        "agreement", "propose", "--consumer", "131016/benefits", "--dataset", &register,
        "--legal-basis", "KOJOHO_69_2_2", "--purpose", "benefit-2026", "--fields", &fields,
        "--operations", "link,review,identify", "--valid-from", "2026-01-01", "--valid-until",
        "2090-03-31", "--daily-records-max", "100000", "--retention-days", "365",
    ];
    let proposed = broker.done("operator-1", &propose);
    let id = proposed["agreement_id"].as_str().expect("an id");
    broker.done("residents-operator", &["agreement", "approve", id]);
    broker.done("operator-2", &["agreement", "activate", id]);

    let programme = broker.programme("codes");
    let opened = broker.done("payments", &["list", "open", &programme, "--name", "one"]);
    let text = |value: &serde_json::Value, key: &str| value[key].as_str().expect("text").to_owned();
    let (list, upload) = (text(&opened, "list_id"), text(&opened, "upload_id"));
    let file = broker.town("files/payments.csv");
    let file = file.to_str().expect("a path");
    broker.done("payments", &["list", "upload", &upload, file]);
    broker.done("payments", &["list", "seal", &upload, file]);
    let create = ["job", "create", "--list", &list, "--dataset", &register];
    let job = text(&broker.done("payments", &create), "job_id");
    broker.as_client("payments", &["job", "watch", &job]).exits(0);

    let is_code = |name: &str| name.starts_with("link_") && name.len() == 26;
    let output = broker.folder.path("results.csv");
    let place = output.to_str().expect("a path");
    let results = broker.done("payments", &["job", "results", &list, "--output", place]);
    assert!(results["code_year"].as_u64().is_some_and(|year| year >= 2026));
    let sheet = support::Sheet::read(&output);
    let named: Vec<&str> =
        sheet.cells("register_id").into_iter().filter(|id| !id.is_empty()).collect();
    assert!(named.len() > 50 && named.iter().all(|name| is_code(name)), "{named:?}");

    // The clerk decides by a code, and a real id means nobody.
    let task = broker.done("clerk-1", &["review", "next", &list]);
    let (task, version) = (&task["task"], task["task"]["version"].as_u64().expect("a version"));
    let candidates = task["candidates"].as_array().expect("candidates");
    let free = candidates.iter().find(|one| one["held"] == false).expect("somebody");
    let code = text(free, "register_id");
    assert!(is_code(&code), "{code}");
    let (task, version) = (text(task, "task_id"), version.to_string());
    let decide = |name: &str| {
        broker.as_client(
            "clerk-1",
            &["review", "decide", &task, "--version", &version, "--link", name],
        )
    };
    let residents = support::Sheet::read(&broker.town("files/residents.csv"));
    decide(&residents.rows[0][0]).exits(3).says(&["UNKNOWN_PERSON"]);
    decide(&code).exits(0);

    // The line's explanation names the same people by the same codes.
    let linked = (0..sheet.rows.len()).find(|&row| sheet.cell(row, "outcome") == "LINKED");
    let row = linked.expect("a linked line");
    let (line, person) = (sheet.cell(row, "list_id"), sheet.cell(row, "register_id"));
    let explained = broker.as_client("payments", &["job", "explain", &job, line, person]).exits(0);
    assert!(explained.stdout.contains(person), "{}", explained.stdout);

    // And so does the treasury's feed, by other codes: it is another agency.
    let things = things(&broker);
    let payments = broker.folder.path("payments.csv");
    let place = payments.to_str().expect("a path");
    let read =
        broker.done("transfers", &["delivery", "read", &things["programme"], "--output", place]);
    assert!(read["entries"][0]["code_year"].is_u64());
    let delivered = support::Sheet::read(&payments);
    let theirs = delivered.cells("register_id");
    assert!(theirs.iter().all(|name| is_code(name)), "{theirs:?}");
    assert!(!theirs.iter().any(|name| named.contains(name)), "a code is in both");

    // Nobody had codes last year.
    let translated = broker.folder.path("translated.csv");
    let out = translated.to_str().expect("a path");
    let deliveries = agreement_dataset(&broker, "DELIVER");
    let translate = ["code", "translate", &deliveries, "--input", place, "--output", out];
    let told = broker.done("transfers", &translate);
    assert_eq!(
        (&told["translated"], told["codes"].as_u64()),
        (&0.into(), Some(theirs.len() as u64))
    );
    let slip = format!("register_id\n{code}\n{code}\n{}x\n", &code[..25]);
    let slip = broker.folder.write("slip.csv", slip);
    let slip = slip.to_str().expect("a path");
    let translate = ["code", "translate", &deliveries, "--input", slip, "--output", out];
    let refused = broker.as_client("transfers", &translate);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(refused.stderr.contains("slip.csv, line 4: "), "{}", refused.stderr);
}

fn agreement_dataset(broker: &Broker, operation: &str) -> String {
    let id = agreement(broker, operation);
    let listed = broker.done("operator-1", &["agreement", "list"]);
    let all = listed["agreements"].as_array().expect("agreements");
    let known = all.iter().find(|one| one["agreement_id"] == *id).expect("the agreement");
    known["dataset_id"].as_str().expect("an id").to_owned()
}
