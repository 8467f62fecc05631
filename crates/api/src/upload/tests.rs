//! Uploads against a broker in memory that breaks off.

use renkei_types::Reason;

use super::*;
use crate::fake_broker::FakeBroker;
use crate::v1::{OpenUploadRequest, SealRequest};

/// Bytes of no pattern that a chunk's length divides.
fn content(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|place| u8::try_from(place % 251).expect("below 251")).collect()
}

async fn sent(broker: &FakeBroker, file: &[u8]) -> Result<Uploaded, UploadError> {
    upload(&broker.connect(), "upload_1", file, |_| {}).await
}

fn assert_whole(broker: &FakeBroker, file: &[u8], uploaded: Uploaded) {
    assert!(broker.store().durable == file, "the broker has other bytes");
    assert_eq!(uploaded, Uploaded { bytes: file.len() as u64, sha256: Digest::of(file) });
}

#[tokio::test(start_paused = true)]
async fn a_file_arrives_whole_in_chunks_that_follow_each_other() {
    let broker = FakeBroker::default();
    let file = content(11 * CHUNK_BYTES + 17);
    let mut heard = Vec::new();
    let uploaded =
        upload(&broker.connect(), "upload_1", file.as_slice(), |at| heard.push(at)).await;
    assert_whole(&broker, &file, uploaded.expect("uploaded"));
    assert!(heard.is_sorted() && heard.last() == Some(&(file.len() as u64)), "{heard:?}");
    assert_eq!(broker.store().offsets.len(), 12);
    assert_eq!(broker.store().streams, 1);
}

#[tokio::test(start_paused = true)]
async fn an_empty_file_needs_no_stream() {
    let broker = FakeBroker::default();
    let uploaded = sent(&broker, b"").await.expect("uploaded");
    assert_whole(&broker, b"", uploaded);
    assert_eq!(broker.store().streams, 0);
}

#[tokio::test(start_paused = true)]
async fn a_cut_stream_is_resumed_where_the_durable_bytes_end() {
    let broker = FakeBroker::default();
    broker.store().cuts = vec![3, 0, 5];
    let file = content(20 * CHUNK_BYTES + 1);
    let uploaded = sent(&broker, &file).await.expect("uploaded");
    assert_whole(&broker, &file, uploaded);
    let store = broker.store();
    assert_eq!(store.streams, 4);
    // No byte that was durable was sent a second time.
    assert_eq!(store.offsets.len(), 21);
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_an_earlier_run_began_is_finished_from_the_middle_of_a_chunk() {
    let broker = FakeBroker::default();
    let file = content(4 * CHUNK_BYTES);
    broker.store().durable = file[..CHUNK_BYTES + 99].to_vec();
    let uploaded = sent(&broker, &file).await.expect("uploaded");
    assert_whole(&broker, &file, uploaded);
    assert_eq!(broker.store().offsets.first(), Some(&(CHUNK_BYTES as u64 + 99)));
}

#[tokio::test(start_paused = true)]
async fn a_finished_upload_is_digested_and_not_sent_again_even_when_sealed() {
    let broker = FakeBroker::default();
    let file = content(CHUNK_BYTES + 5);
    broker.store().durable.clone_from(&file);
    broker.store().sealed = true;
    let uploaded = sent(&broker, &file).await.expect("uploaded");
    assert_whole(&broker, &file, uploaded);
    assert_eq!(broker.store().streams, 0);
}

#[tokio::test(start_paused = true)]
async fn another_file_than_the_one_that_was_begun_is_refused() {
    let broker = FakeBroker::default();
    broker.store().durable = content(100);
    let error = sent(&broker, &content(99)).await.expect_err("too short");
    assert!(matches!(error, UploadError::OtherFile));
    broker.store().sealed = true;
    let error = sent(&broker, &content(101)).await.expect_err("sealed");
    assert!(matches!(error, UploadError::Sealed));
    assert_eq!(error.kind(), Kind::Refused);
}

#[tokio::test(start_paused = true)]
async fn resuming_ends_when_no_byte_becomes_durable() {
    let broker = FakeBroker::default();
    broker.store().cuts = vec![0; 100];
    let error = sent(&broker, &content(10)).await.expect_err("never sent");
    assert_eq!(error.kind(), Kind::Unavailable);
    assert_eq!(broker.store().streams, 9);
}

#[tokio::test(start_paused = true)]
async fn a_refused_chunk_is_not_sent_again() {
    let broker = FakeBroker::default();
    broker.store().refuses = Some(Reason::TooLarge);
    let error = sent(&broker, &content(10)).await.expect_err("refused");
    let UploadError::Rejected(rejection) = &error else { panic!("{error:?}") };
    assert_eq!(rejection.reason(), Some(Reason::TooLarge));
    assert_eq!((error.kind(), broker.store().streams), (Kind::Refused, 1));
}

fn open(request_id: &str) -> OpenUploadRequest {
    OpenUploadRequest { request_id: request_id.to_owned(), ..OpenUploadRequest::default() }
}

#[tokio::test(start_paused = true)]
async fn a_call_is_repeated_with_the_same_request_id() {
    let broker = FakeBroker::default();
    broker.store().unavailable_calls = 3;
    broker.connect().call(open("request_1")).await.expect("answered");
    assert_eq!(broker.store().request_ids, ["request_1"; 4]);
}

#[tokio::test(start_paused = true)]
async fn a_call_is_repeated_five_times_at_most_and_then_leaves_doubt() {
    let broker = FakeBroker::default();
    broker.store().unavailable_calls = 100;
    let rejection = broker.connect().call(open("request_1")).await.expect_err("unavailable");
    assert_eq!(rejection.kind(), Kind::Unavailable);
    assert!(rejection.leaves_doubt());
    assert_eq!(broker.store().request_ids.len(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_refused_call_is_not_repeated_and_names_its_field() {
    let broker = FakeBroker::default();
    broker.store().refuses = Some(Reason::NoAgreement);
    let rejection = broker.connect().call(open("request_1")).await.expect_err("refused");
    assert_eq!((rejection.kind(), rejection.leaves_doubt()), (Kind::Refused, false));
    assert_eq!(rejection.field(), Some("dataset_id"));
    assert_eq!(broker.store().request_ids.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_without_an_answer_ends_at_its_deadline_and_leaves_doubt() {
    let broker = FakeBroker::default();
    let rejection = broker.connect().call(SealRequest::default()).await.expect_err("too late");
    assert_eq!(rejection.reason(), Some(Reason::DeadlineExceeded));
    assert_eq!(rejection.kind(), Kind::Unavailable);
    assert!(rejection.leaves_doubt());
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_is_not_there_is_unavailable_without_doubt() {
    let nowhere = tower::service_fn(|_| async {
        Err::<hyper_util::rt::TokioIo<tokio::io::DuplexStream>, _>(std::io::Error::from(
            std::io::ErrorKind::ConnectionRefused,
        ))
    });
    let endpoint = tonic::transport::Endpoint::from_static("http://broker.example:1");
    let channel = endpoint.connect_with_connector_lazy(nowhere);
    let entropy = std::sync::Arc::new(renkei_types::SeededEntropy::new(1));
    let connection = Connection::over(channel, entropy);
    let rejection = connection.call(open("request_1")).await.expect_err("nobody there");
    assert_eq!((rejection.kind(), rejection.leaves_doubt()), (Kind::Unavailable, false));
    assert!(rejection.to_string().contains("cannot be reached"), "{rejection}");
}
