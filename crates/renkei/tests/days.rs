//! What a day's end does: a broker of this process, whose clock the tests move.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use renkei_api::v1::{
    AddAgencyRequest, Agency, ShowRequest, SubscribeRequest, WatchQueueRequest,
    subscribe_response::Part,
};
use renkei_api::{Answers, ClientFile, Connection, Rejection, encoded};
use renkei_broker::config::BrokerConfig;
use renkei_tlog::{Policy, SignedCheckpoint, VerifierKey};
use renkei_types::{Clock, Reason, SeededEntropy};
use serde_json::Value;
use support::broker::Broker;
use support::renkei;
use support::witness_host::{WitnessHost, keep_policy};
use tokio::sync::oneshot;

const DAY_SECONDS: i64 = 24 * 60 * 60;

/// The real time, and so many seconds more, by both ways of telling it: a day that ends is no clock that was set.
#[derive(Debug, Default)]
struct MovedClock(AtomicI64);

impl MovedClock {
    fn ahead_by(days: i64) -> Self {
        Self(AtomicI64::new(days * DAY_SECONDS))
    }

    fn a_day_later(&self) {
        self.0.fetch_add(DAY_SECONDS, Ordering::SeqCst);
    }
}

impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        Timestamp::now() + SignedDuration::from_secs(self.0.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> Duration {
        Duration::try_from(self.now().duration_since(Timestamp::UNIX_EPOCH)).expect("after 1970")
    }
}

/// Serves a town in this process until the end of `test`.
fn serve<T>(broker: &mut Broker, test: impl AsyncFnOnce(&Broker, &MovedClock) -> T) -> T {
    serve_from(broker, MovedClock::default(), test)
}

/// The same from another time on.
fn serve_from<T>(
    broker: &mut Broker,
    clock: MovedClock,
    test: impl AsyncFnOnce(&Broker, &MovedClock) -> T,
) -> T {
    broker.stop();
    let config = BrokerConfig::read(&broker.town("broker.toml")).expect("a configuration");
    let clock = Arc::new(clock);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let (ready, is_ready) = oneshot::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async {
            let _ = stopped.await;
        };
        let (time, chance) = (Arc::clone(&clock), Arc::new(SeededEntropy::new(97)));
        let is_up = |_| ready.send(()).unwrap_or_default();
        let running = renkei_broker::run(config, time, chance, None, is_up, shutdown);
        let testing = async {
            is_ready.await.expect("the broker serves");
            let told = test(broker, &clock).await;
            drop(stop);
            told
        };
        let (ended, told) = tokio::join!(running, testing);
        ended.expect("it ends well");
        told
    })
}

fn connection(broker: &Broker, client: &str) -> Connection {
    let file = broker.town("clients").join(format!("{client}.toml"));
    let file = ClientFile::read(&file).expect("a client file");
    Connection::open(&file, Arc::new(SeededEntropy::new(1))).expect("a connection")
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_else(|| panic!("no {key} in {value}")).to_owned()
}

/// Ends the agreement that allows an operation, and has one like it that ends today.
fn ends_today(broker: &Broker, operation: &str, approver: &str) {
    let listed = broker.done("operator-1", &["agreement", "list"]);
    let all = listed["agreements"].as_array().expect("agreements");
    let allows = |one: &&Value| one["operations"].to_string().contains(operation);
    let known = all.iter().find(allows).expect("an agreement");
    let words = |key: &str| {
        let words = known[key].as_array().expect("words").iter();
        words
            .map(|word| word.as_str().expect("a word").to_lowercase())
            .collect::<Vec<_>>()
            .join(",")
    };
    broker.done(approver, &["agreement", "end", &text(known, "agreement_id"), "--yes"]);
    let today = MovedClock::default().today().to_string();
    let (consumer, dataset) = (text(known, "consumer"), text(known, "dataset_id"));
    let (basis, purpose) = (text(known, "legal_basis"), text(known, "purpose"));
    #[rustfmt::skip]
    let propose = [
        "agreement", "propose", "--consumer", &consumer, "--dataset", &dataset, "--legal-basis", &basis,
        "--purpose", &purpose, "--fields", &words("fields"), "--operations", &words("operations"),
        "--valid-from", "2026-01-01", "--valid-until", &today, "--daily-records-max", "100000",
        "--retention-days", "30",
    ];
    let id = text(&broker.done("operator-1", &propose), "agreement_id");
    broker.done(approver, &["agreement", "approve", &id]);
    broker.done("operator-2", &["agreement", "activate", &id]);
}

/// How a stream ends on which nothing more is sent.
async fn end<T>(stream: &mut Answers<T>) -> Rejection {
    let ended = async {
        loop {
            match stream.next().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("it ended without a word"),
                Err(rejection) => return rejection,
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), ended).await.expect("in time")
}

/// What fails without `rights_interval` in `subscribe`: nothing else happens, so nobody looks.
#[test]
fn an_agreement_that_ends_with_its_day_closes_streams_on_which_nothing_happens() {
    let mut broker =
        Broker::start_with(|config| format!("{config}\n[limits]\nrights_interval = \"50ms\"\n"));
    ends_today(&broker, "DELIVER", "benefits-operator");
    ends_today(&broker, "REVIEW", "residents-operator");
    let log = broker.as_client("auditor-1", &["audit", "query"]).exits(0).stdout;
    let noun = |noun: &str| -> String {
        let mut words = log.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let id = words.find(|word| word.strip_prefix(noun).is_some_and(|rest| rest.len() == 27));
        id.unwrap_or_else(|| panic!("no {noun}")).to_owned()
    };
    let (programme_id, list_id) = (noun("programme"), noun("list"));
    serve(&mut broker, async |broker, clock| {
        let (transfers, clerk) = (connection(broker, "transfers"), connection(broker, "clerk-1"));
        let subscribe = SubscribeRequest { programme_id, after: 0, once: false };
        let mut feed = transfers.stream(subscribe).await.expect("the feed");
        // To the end of the entry: from here on there is nothing to send.
        loop {
            let answer = feed.next().await.expect("an answer").expect("a part");
            if matches!(answer.part, Some(Part::Trailer(_))) {
                break;
            }
        }
        let queue = WatchQueueRequest { list_id, once: false };
        let mut queue = clerk.stream(queue).await.expect("the queue");
        queue.next().await.expect("an answer").expect("a count");
        clock.a_day_later();
        assert_eq!(end(&mut feed).await.reason(), Some(Reason::NoAgreement));
        assert_eq!(end(&mut queue).await.reason(), Some(Reason::NoAgreement));
    });
}

/// G15. What fails without the stored answers in `Entry::stage`.
#[test]
fn a_recorded_request_that_is_sent_again_a_day_later_gets_the_stored_answer() {
    let mut broker = Broker::start();
    let agency = Agency { agency: "131016/welfare".to_owned(), title: "福祉課".to_owned() };
    let recorded = encoded(&AddAgencyRequest {
        request_id: "request_06bpj3w4q8v1s9c2d5f7g0h1j2".to_owned(),
        agency: Some(agency),
    });
    serve(&mut broker, async |broker, clock| {
        let path = "/renkei.v1.Directory/AddAgency";
        let operator = connection(broker, "operator-1");
        let first = operator.raw(path, recorded.clone()).await.expect("an answer");
        clock.a_day_later();
        // Another connection, as a thief of the bytes would need one.
        let again = connection(broker, "operator-1").raw(path, recorded).await.expect("an answer");
        assert!(first.is_some() && first == again, "the receipt is that of the first time");
        let shown = operator.call(ShowRequest::default()).await.expect("the directory");
        let known = shown.agencies.iter().filter(|one| one.agency == "131016/welfare");
        assert_eq!(known.count(), 1);
    });
}

/// Held by `year_to_cosign` in the broker's round, and `year` in `Witnessed::accept`.
#[test]
fn the_final_checkpoint_of_a_fiscal_year_is_kept_with_the_lines_of_witnesses() {
    let mut broker = Broker::start();
    let line = fs_err::read_to_string(broker.town("log.vkey")).expect("a key");
    let key: VerifierKey = line.parse().expect("a key");
    let mut host = WitnessHost::new(1, key.clone());
    host.start();
    let policy = Policy::read(&keep_policy(&broker, &host.line(), "quorum w1\n"));
    let policy = policy.expect("a policy");
    // A year and more later, so one has ended, whenever this is run.
    let (today, later) = (MovedClock::default(), MovedClock::ahead_by(366));
    let ended = today.today().year() - i16::from(today.today().month() < 4);
    let place = broker.town("keys").join(format!("log-{ended}.checkpoint"));
    serve_from(&mut broker, later, async |broker, _| {
        let config = broker.town("broker.toml");
        let cosigned = |_| {
            // Something that takes a moment: the broker asks its witness by itself.
            renkei(["check-config".as_ref(), config.as_os_str()]);
            let note = fs_err::read(&place).expect("the year has ended");
            let signed = SignedCheckpoint::open(&note, std::slice::from_ref(&key));
            policy.standing(&signed.expect("by the log's key"), None).expect("good lines").met
        };
        assert!((0..500).any(cosigned), "no line came");
    });
}
