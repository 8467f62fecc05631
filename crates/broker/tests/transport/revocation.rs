//! Revocation: what is taken back reaches what is open, and without a current list nobody is let in.

use renkei_broker::transport::{CredentialStore, Refusal, Reload, TlsError};
use tonic_health::pb::HealthCheckRequest;

use crate::harness::{self, Broker, check, soon};
use crate::pki::Profile;

async fn broker() -> Broker {
    Broker::start(renkei_broker::config::Limits::default()).await
}

/// Held by `Connection::poll_over`, which looks at the visitor again when new files are in use.
#[tokio::test]
async fn a_stream_that_is_open_is_cut_when_the_new_list_is_in_use_and_others_go_on() {
    let broker = broker().await;
    let client = broker.authority.client(&Profile::default());
    let other = broker.authority.client(&Profile { serial: 7, ..Profile::default() });
    let mut open = broker.open(&client).await;
    let mut open_of_other = broker.open(&other).await;
    let watch = HealthCheckRequest::default();
    let mut stream = soon(open.watch(watch.clone())).await.expect("a stream").into_inner();
    let mut stream_of_other =
        soon(open_of_other.watch(watch)).await.expect("a stream").into_inner();
    for stream in [&mut stream, &mut stream_of_other] {
        soon(stream.message()).await.expect("an answer").expect("it serves");
    }

    broker.replace("crl.pem", &broker.authority.crl(&[201]));
    assert!(matches!(broker.credentials.reload(), Reload::Replaced));
    // Nothing is sent on it, and yet it ends.
    assert!(soon(stream.message()).await.is_err());
    assert!(check(&mut open_of_other, "").await.is_ok());
    let quiet = std::time::Duration::from_millis(100);
    assert!(tokio::time::timeout(quiet, stream_of_other.message()).await.is_err(), "it is open");
}

/// Held by the read of the list in `Contents::load`.
#[tokio::test]
async fn a_broker_does_not_start_without_a_revocation_list() {
    let broker = broker().await;
    fs_err::remove_file(broker.folder().join("crl.pem")).expect("removed");
    let files = harness::files(broker.folder());
    let opened = CredentialStore::open(files, "renkei.example", broker.clock.clone());
    assert!(matches!(opened, Err(TlsError::Unreadable { .. })));
}

/// Held by `Authority::check`: the list that was read last stays in use, and ends.
#[tokio::test]
async fn a_list_that_is_deleted_while_the_broker_runs_counts_until_its_end_and_then_nobody_is_let_in()
 {
    let mut broker = broker().await;
    let client = broker.authority.client(&Profile::default());
    let revoked = broker.authority.client(&Profile { serial: 7, ..Profile::default() });
    broker.replace("crl.pem", &broker.authority.crl(&[7]));
    assert!(matches!(broker.credentials.reload(), Reload::Replaced));
    fs_err::remove_file(broker.folder().join("crl.pem")).expect("removed");
    assert!(matches!(broker.credentials.reload(), Reload::Kept(TlsError::Unreadable { .. })));
    assert!(broker.call(&client).await.is_ok());
    broker.refuses(&revoked, Refusal::CertificateRevoked).await;
    broker.clock.set("2026-12-31T00:00:01Z");
    broker.refuses(&client, Refusal::RevocationUnknown).await;
}

/// Held by `with_crls` and by `CredentialStore::vouch` asking the same verifier that handshakes ask.
#[tokio::test]
async fn only_a_certificate_that_would_be_let_in_at_this_moment_is_vouched_for() {
    let broker = broker().await;
    let good = broker.authority.client(&Profile::default());
    let (peer, _) = broker.credentials.vouch(&good.chain_pem).expect("vouched for");
    assert_eq!(peer.identity().to_string(), crate::pki::PAYMENTS);
    let stranger = crate::pki::Authority::new("test authority").client(&Profile::default());
    let unknown = broker.credentials.vouch(&stranger.chain_pem).expect_err("a stranger");
    assert_eq!(unknown, Refusal::AuthorityUnknown);
    broker.replace("crl.pem", &broker.authority.crl(&[201]));
    assert!(matches!(broker.credentials.reload(), Reload::Replaced));
    let revoked = broker.credentials.vouch(&good.chain_pem).expect_err("revoked");
    assert_eq!(revoked, Refusal::CertificateRevoked);
    assert_eq!(broker.credentials.vouch("").expect_err("nothing"), Refusal::CertificateMalformed);
}
