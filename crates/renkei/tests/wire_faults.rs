//! What goes wrong on the wire: requests twice, changed, unreadable or from the future, chunks that do not fit, and a right
//! that ends while an answer is read. Each test names what, removed, makes it fail; docs/faults.md has them all.

mod support;

use std::sync::Arc;

use renkei_api::v1::{
    AddAgencyRequest, AddPartyRequest, Agency, OpenUploadRequest, ResultsRequest, UploadChunk,
    UploadRequest, UploadStart, upload_request::Part,
};
use renkei_api::{ClientFile, Connection, Rejection, encoded};
use renkei_types::{Reason, SeededEntropy};
use support::broker::Broker;
use support::{Folder, renkei};
use tokio::runtime::Runtime;

const REQUEST: &str = "request_06bpj3w4q8v1s9c2d5f7g0h1j2";
const ADD_AGENCY: &str = "/renkei.v1.Directory/AddAgency";

fn connection(broker: &Broker, client: &str) -> Connection {
    let file = broker.town("clients").join(format!("{client}.toml"));
    let file = ClientFile::read(&file).expect("a client file");
    Connection::open(&file, Arc::new(SeededEntropy::new(1))).expect("a connection")
}

fn agency(title: &str) -> AddAgencyRequest {
    let agency = Agency { agency: "131016/welfare".to_owned(), title: title.to_owned() };
    AddAgencyRequest { request_id: REQUEST.to_owned(), agency: Some(agency) }
}

fn is_there(broker: &Broker) -> usize {
    let listed = broker.done("operator-1", &["agency", "list"]);
    let all = listed["agencies"].as_array().expect("agencies");
    all.iter().filter(|one| one["agency"] == "131016/welfare").count()
}

fn refused(broker: &Broker, message: Vec<u8>) -> Rejection {
    let runtime = Runtime::new().expect("a runtime");
    let answer =
        runtime.block_on(async { connection(broker, "operator-1").raw(ADD_AGENCY, message).await });
    answer.expect_err("a refusal")
}

/// G11 and G12. What fails without the stored answers in `Entry::stage`, and without the comparison of `body` in
/// `Answer::replay`.
#[test]
fn the_same_request_on_two_connections_at_once_has_one_effect_and_another_body_is_refused() {
    let broker = Broker::start();
    let runtime = Runtime::new().expect("a runtime");
    let (one, other, third) = runtime.block_on(async {
        let (first, second) =
            (connection(&broker, "operator-1"), connection(&broker, "operator-1"));
        let (one, other) =
            tokio::join!(first.call(agency("福祉課")), second.call(agency("福祉課")));
        (one, other, first.call(agency("福祉")).await)
    });
    let (one, other) = (one.expect("an answer"), other.expect("an answer"));
    assert_eq!(one.receipt, other.receipt);
    assert_eq!(is_there(&broker), 1);
    assert_eq!(third.expect_err("another body").reason(), Some(Reason::RequestReused));
    let log = broker.as_client("auditor-1", &["audit", "query", "--results", "DENIED"]).exits(0);
    assert!(log.stdout.contains("REQUEST_REUSED"), "{}", log.stdout);
}

/// G13. What fails without the decoder in `codec.rs`: the stock one calls it a fault of the broker's.
#[test]
fn text_that_is_not_utf_8_is_refused_as_the_senders_mistake_and_not_repeated() {
    let broker = Broker::start();
    let mut message = encoded(&agency("KANARIYA"));
    let at = message.windows(8).position(|bytes| bytes == b"KANARIYA").expect("the title");
    message[at] = 0xff;
    let rejection = refused(&broker, message);
    assert_eq!(rejection.reason(), Some(Reason::FieldInvalid));
    let said = format!("{rejection} {rejection:?}");
    assert!(said.contains("InvalidArgument") && !said.contains("ANARIYA"), "{said}");
    assert!(!broker.log().contains("ANARIYA"));
    assert_eq!(is_there(&broker), 0);
}

/// G14. What fails without the comparison of lengths in `WholeRequest::decode`, and without `Err(_)` in `convert::role`.
#[test]
fn an_unknown_value_and_a_field_of_a_newer_client_are_refused_and_never_left_out() {
    let broker = Broker::start();
    // Field 15, a text: what a newer contract may say there, the broker cannot know.
    let mut message = encoded(&agency("福祉課"));
    message.extend([15 << 3 | 2, 4]);
    message.extend(b"when");
    assert_eq!(refused(&broker, message).reason(), Some(Reason::FieldInvalid));
    assert_eq!(is_there(&broker), 0);
    let runtime = Runtime::new().expect("a runtime");
    let party = AddPartyRequest {
        request_id: REQUEST.to_owned(),
        identity: "spiffe://renkei.example/131016/benefits/system/new".to_owned(),
        roles: vec![99],
    };
    let answer = runtime.block_on(async { connection(&broker, "operator-1").call(party).await });
    let rejection = answer.expect_err("an unknown role");
    assert_eq!(
        (rejection.reason(), rejection.field()),
        (Some(Reason::FieldInvalid), Some("roles"))
    );
}

/// G16. What fails without the comparison of `offset` in `Spool::append`, and without `crc32c` in `Desk::append`.
#[test]
fn a_gap_an_overlap_and_a_wrong_checksum_are_refused_with_the_place_to_go_on_from() {
    let broker = Broker::start();
    let programme = broker.programme("chunks");
    let opened = broker.done("payments", &["list", "open", &programme, "--name", "one"]);
    let upload_id = opened["upload_id"].as_str().expect("an upload").to_owned();
    let chunk = |offset: u64, data: &[u8], crc32c: u32| {
        let data = data.to_vec().into();
        UploadRequest { part: Some(Part::Chunk(UploadChunk { offset, crc32c, data })) }
    };
    let right = |offset, data: &[u8]| chunk(offset, data, crc32c::crc32c(data));
    let start = UploadRequest { part: Some(Part::Start(UploadStart { upload_id })) };
    let runtime = Runtime::new().expect("a runtime");
    let sent = |chunks: Vec<UploadRequest>| -> Result<u64, Rejection> {
        runtime.block_on(async {
            let messages = [start.clone()].into_iter().chain(chunks);
            let mut client = connection(&broker, "payments").records();
            let mut answers = client.upload(tokio_stream::iter(messages)).await?.into_inner();
            let mut durable = 0;
            while let Some(answer) = answers.message().await? {
                durable = answer.durable_through;
            }
            Ok(durable)
        })
    };
    assert_eq!(sent(vec![right(0, b"12345")]).expect("a chunk"), 5);
    for (wrong, reason) in [
        (right(6, b"7"), Reason::OffsetWrong),
        (right(4, b"56"), Reason::OffsetWrong),
        (chunk(5, b"67", 1), Reason::ChecksumWrong),
    ] {
        let rejection = sent(vec![wrong]).expect_err("a chunk that does not fit");
        assert_eq!(rejection.reason(), Some(reason));
        assert_eq!(rejection.expected(), Some(5), "where to go on");
        assert!(format!("{rejection:?}").contains("OutOfRange"), "{rejection:?}");
    }
    assert_eq!(sent(vec![right(5, b"67")]).expect("the next chunk"), 7);
}

/// T10. What fails without the comparison with the caller's agency in `State::permit_own`.
#[test]
fn a_body_that_names_another_agencys_register_gives_no_right_to_it_and_is_in_the_log() {
    let broker = Broker::start();
    let request = OpenUploadRequest {
        request_id: REQUEST.to_owned(),
        dataset_id: broker.register(),
        ..OpenUploadRequest::default()
    };
    let runtime = Runtime::new().expect("a runtime");
    let answer = runtime.block_on(async { connection(&broker, "payments").call(request).await });
    let rejection = answer.expect_err("the residents' office alone sends its register");
    assert_eq!(rejection.reason(), Some(Reason::NoAgreement));
    let log = broker.as_client("auditor-1", &["audit", "query", "--results", "DENIED"]).exits(0);
    let denied = log.stdout.lines().find(|line| line.contains("NO_AGREEMENT"));
    assert!(denied.expect("a leaf").contains("system/payments"), "{}", log.stdout);
}

/// Lines of a list that is longer than what may be under way to a reader who does not read.
const LINES: u64 = 20_000;

/// What fails without `results_permit` in the loop of `results`.
#[test]
fn results_end_where_the_right_to_them_ends_while_they_are_read() {
    let broker = Broker::start();
    let register = broker.register();
    let folder = Folder::new();
    let place = folder.path("large");
    let lines = LINES.to_string();
    let options =
        ["generate", "--mix", "typical", "--seed", "3", "--residents", &lines, "--lines", &lines];
    let options = options.map(std::ffi::OsString::from).into_iter();
    renkei(options.chain(["--dir".into(), place.clone().into()])).exits(0);
    let payments = place.join("payments.csv");
    let file = payments.to_str().expect("a path");
    let programme = broker.programme("results");
    let opened = broker.done("payments", &["list", "open", &programme, "--name", "one"]);
    let text = |key: &str| opened[key].as_str().expect("an id").to_owned();
    let (list_id, upload) = (text("list_id"), text("upload_id"));
    broker.done("payments", &["list", "seal", &upload, file]);
    let create = ["job", "create", "--list", &list_id, "--dataset", &register];
    let job = broker.done("payments", &create);
    broker
        .as_client("payments", &["job", "watch", job["job_id"].as_str().expect("a job")])
        .exits(0);

    let runtime = Runtime::new().expect("a runtime");
    let (mut results, mut rows, connected) = runtime.block_on(async {
        let connected = connection(&broker, "payments");
        let request = ResultsRequest { list_id: list_id.clone(), from_row: 0 };
        let mut results = connected.stream(request).await.expect("results");
        let first = results.next().await.expect("an answer").expect("rows");
        (results, first.rows.len() as u64, connected)
    });
    let listed = broker.done("operator-1", &["agreement", "list"]);
    let all = listed["agreements"].as_array().expect("agreements");
    let links = all.iter().filter(|one| one["operations"].to_string().contains("LINK"));
    for agreement in links.filter_map(|one| one["agreement_id"].as_str()) {
        broker.done("residents-operator", &["agreement", "suspend", agreement]);
    }
    let cut = runtime.block_on(async {
        loop {
            match results.next().await {
                Ok(Some(answer)) => rows += answer.rows.len() as u64,
                Ok(None) => panic!("all {rows} rows were sent"),
                Err(rejection) => return rejection,
            }
        }
    });
    drop(connected);
    assert_eq!(cut.reason(), Some(Reason::NoAgreement));
    assert!(rows < LINES, "what was under way arrived, {rows} rows");
}
