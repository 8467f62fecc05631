//! The transport over real sockets: who gets in, who does not, and what one client can do to the others.

mod harness;
mod pki;
mod revocation;

use std::time::Duration;

use harness::{Broker, check, soon};
use pki::{Authority, PAYMENTS, Profile};
use rcgen::ExtendedKeyUsagePurpose;
use renkei_broker::config::{BrokerConfig, Limits};
use renkei_broker::transport::{CredentialStore, Drained, Refusal, Reload, TlsError};
use renkei_types::Digest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;

const SHORT: Duration = Duration::from_millis(50);
const LONG: Duration = Duration::from_secs(3600);

async fn broker() -> Broker {
    Broker::start(Limits::default()).await
}

#[tokio::test]
async fn a_client_with_a_good_certificate_is_served_as_who_it_is() {
    let broker = broker().await;
    let client = broker.authority.client(&Profile::default());
    assert_eq!(broker.call(&client).await.expect("an answer"), PAYMENTS);
    assert_eq!(broker.stop().await, Drained::Completely);
}

#[tokio::test]
async fn a_certificate_out_of_its_time_is_refused_with_its_fingerprint_and_others_go_on() {
    let mut broker = broker().await;
    let good = broker.authority.client(&Profile::default());
    for (years, refusal) in [
        ((2024, 2025), Refusal::CertificateExpired),
        ((2030, 2031), Refusal::CertificateNotYetValid),
    ] {
        let client = broker.authority.client(&Profile { years, ..Profile::default() });
        let refused = broker.refuses(&client, refusal).await;
        assert_eq!(refused.certificate, Some(Digest::of(&client.chain[0])));
        assert!(broker.call(&good).await.is_ok());
    }
}

#[tokio::test]
async fn another_authority_of_the_same_name_vouches_for_nobody() {
    let mut broker = broker().await;
    let stranger = Authority::new("test authority").client(&Profile::default());
    broker.refuses(&stranger, Refusal::AuthorityUnknown).await;
}

#[tokio::test]
async fn what_a_certificate_has_to_say_is_one_identity_of_ours_for_clients() {
    let mut broker = broker().await;
    let profile = Profile::default;
    for (profile, refusal) in [
        (
            Profile { usage: ExtendedKeyUsagePurpose::ServerAuth, ..profile() },
            Refusal::PurposeWrong,
        ),
        (Profile { uris: vec![], ..profile() }, Refusal::IdentityMissing),
        (
            Profile { uris: vec![PAYMENTS, "https://renkei.example/"], ..profile() },
            Refusal::IdentityAmbiguous,
        ),
        (
            Profile { uris: vec!["https://renkei.example/payments"], ..profile() },
            Refusal::IdentityMalformed,
        ),
        (
            Profile {
                uris: vec!["spiffe://other.example/131016/benefits/system/payments"],
                ..profile()
            },
            Refusal::TrustDomainForeign,
        ),
    ] {
        let client = broker.authority.client(&profile);
        broker.refuses(&client, refusal).await;
    }
}

#[tokio::test]
async fn a_client_without_a_certificate_is_refused() {
    let mut broker = broker().await;
    let config = broker.client_config(None);
    // In TLS 1.3 a client is done before the server has seen its certificate, so it may learn of it by reading.
    if let Ok(mut stream) = broker.handshake(config).await {
        assert!(soon(stream.read(&mut [0; 1])).await.is_err());
    }
    let refused = broker.refusal().await;
    assert_eq!((refused.refusal, refused.certificate), (Refusal::CertificateMissing, None));
}

/// The first message of a client of TLS 1.2, as it stands in RFC 5246: no version extension, one suite, one curve.
fn hello_of_tls_1_2() -> Vec<u8> {
    let extensions: &[u8] = &[
        0, 10, 0, 4, 0, 2, 0, 23, // groups: secp256r1
        0, 11, 0, 2, 1, 0, // points: uncompressed
        0, 13, 0, 4, 0, 2, 4, 3, // signatures: ECDSA with SHA-256
    ];
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.extend([0, 0, 2, 0xc0, 0x2b, 1, 0, 0, u8::try_from(extensions.len()).expect("short")]);
    body.extend(extensions);
    let length = u8::try_from(body.len()).expect("short");
    let mut message = vec![22, 3, 1, 0, length + 4, 1, 0, 0, length];
    message.extend(body);
    message
}

#[tokio::test]
async fn tls_1_2_is_refused_with_an_alert() {
    let mut broker = broker().await;
    let mut socket = TcpStream::connect(broker.address).await.expect("a port");
    socket.write_all(&hello_of_tls_1_2()).await.expect("sent");
    let mut answer = Vec::new();
    soon(socket.read_to_end(&mut answer)).await.expect("an alert");
    // A fatal alert: protocol_version.
    assert_eq!((answer[0], &answer[5..]), (21, &[2, 70][..]));
    assert_eq!(broker.refusal().await.refusal, Refusal::TlsUnsupported);
}

#[tokio::test]
async fn a_long_chain_is_refused_before_it_costs_time() {
    let mut broker = broker().await;
    let mut client = broker.authority.client(&Profile::default());
    client.chain.extend(std::iter::repeat_n(broker.authority.der(), 100));
    broker.refuses(&client, Refusal::ChainTooLong).await;
}

#[tokio::test]
async fn a_client_has_to_offer_http_2() {
    let mut broker = broker().await;
    let client = broker.authority.client(&Profile::default());
    let mut config = broker.client_config(Some(&client));
    config.alpn_protocols = vec![];
    let mut stream = broker.handshake(config.clone()).await.expect("a handshake");
    let _ = soon(stream.read_to_end(&mut Vec::new())).await;
    assert_eq!(broker.refusal().await.refusal, Refusal::H2NotOffered);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    assert!(broker.handshake(config).await.is_err());
    assert_eq!(broker.refusal().await.refusal, Refusal::H2NotOffered);
}

#[tokio::test]
async fn http_1_on_an_open_connection_is_cut() {
    let broker = broker().await;
    let client = broker.authority.client(&Profile::default());
    let mut stream =
        broker.handshake(broker.client_config(Some(&client))).await.expect("a handshake");
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("sent");
    let mut answer = Vec::new();
    let _ = soon(stream.read_to_end(&mut answer)).await;
    assert!(!answer.starts_with(b"HTTP/1.1 200"));
}

#[tokio::test]
async fn a_revoked_client_loses_its_open_connection_and_gets_no_new_one() {
    let mut broker = broker().await;
    let client = broker.authority.client(&Profile::default());
    let other = broker.authority.client(&Profile { serial: 7, ..Profile::default() });
    let mut open = broker.open(&client).await;
    let mut open_of_other = broker.open(&other).await;
    assert!(check(&mut open, "").await.is_ok());

    broker.replace("crl.pem", &broker.authority.crl(&[201]));
    assert!(matches!(broker.credentials.reload(), Reload::Replaced));

    let refused = check(&mut open, "").await.expect_err("a refusal");
    assert_eq!(refused.message(), Refusal::CertificateRevoked.code());
    assert!(check(&mut open_of_other, "").await.is_ok());
    broker.refuses(&client, Refusal::CertificateRevoked).await;
    assert!(broker.call(&other).await.is_ok());
}

#[tokio::test]
async fn a_certificate_that_expires_on_an_open_connection_is_refused_at_the_next_call() {
    let broker = broker().await;
    let client = broker.authority.client(&Profile::default());
    let mut open = broker.open(&client).await;
    broker.clock.set("2027-01-02T00:00:00Z");
    let refused = check(&mut open, "").await.expect_err("a refusal");
    assert_eq!(refused.message(), Refusal::CertificateExpired.code());
}

#[tokio::test]
async fn a_revocation_list_past_its_end_refuses_everybody() {
    let mut broker = broker().await;
    let client = broker.authority.client(&Profile::default());
    let mut open = broker.open(&client).await;
    broker.clock.set("2026-12-31T00:00:01Z");
    assert!(matches!(broker.credentials.reload(), Reload::Unchanged));
    broker.refuses(&client, Refusal::RevocationUnknown).await;
    let refused = check(&mut open, "").await.expect_err("a refusal");
    assert_eq!(refused.message(), Refusal::RevocationUnknown.code());
}

#[tokio::test]
async fn a_new_server_certificate_is_used_without_cutting_anybody() {
    let broker = broker().await;
    let client = broker.authority.client(&Profile::default());
    let mut open = broker.open(&client).await;
    let fresh = tokio::spawn(broker.credentials.clone().keep_fresh());

    let new = broker.authority.server();
    broker.replace("broker.crt", &new.chain_pem);
    broker.replace("broker.key", &new.key_pem());
    let rotated = async {
        loop {
            let config = broker.client_config(Some(&client));
            let stream = broker.handshake(config).await.expect("never a failed handshake");
            let shown = stream.get_ref().1.peer_certificates().expect("a certificate");
            if shown == new.chain {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    soon(rotated).await;
    assert!(check(&mut open, "").await.is_ok());
    fresh.abort();
}

#[tokio::test]
async fn an_authority_is_replaced_with_an_overlap_and_then_trusted_no_more() {
    // `renkei pki init` names every authority of a trust domain alike.
    for name in ["next authority", "test authority"] {
        is_replaced_by(Authority::new(name)).await;
    }
}

async fn is_replaced_by(next: Authority) {
    let mut broker = broker().await;
    let old_client = broker.authority.client(&Profile::default());
    let mut open = broker.open(&old_client).await;
    let new_client = next.client(&Profile::default());

    broker.replace("ca.crt", &(broker.authority.pem() + &next.pem()));
    assert!(matches!(
        broker.credentials.reload(),
        Reload::Kept(TlsError::RevocationListMissing { .. })
    ));
    broker.replace("crl.pem", &(broker.authority.crl(&[]) + &next.crl(&[])));
    assert!(matches!(broker.credentials.reload(), Reload::Replaced));
    assert!(broker.call(&old_client).await.is_ok() && broker.call(&new_client).await.is_ok());

    // The serial is revoked at the new authority only.
    broker.replace("crl.pem", &(broker.authority.crl(&[]) + &next.crl(&[201])));
    assert!(matches!(broker.credentials.reload(), Reload::Replaced));
    assert!(check(&mut open, "").await.is_ok());
    broker.refuses(&new_client, Refusal::CertificateRevoked).await;

    broker.replace("ca.crt", &next.pem());
    assert!(matches!(broker.credentials.reload(), Reload::Replaced));
    let refused = check(&mut open, "").await.expect_err("a refusal");
    assert_eq!(refused.message(), Refusal::AuthorityUnknown.code());
}

#[tokio::test]
async fn files_that_do_not_fit_together_change_nothing() {
    let broker = broker().await;
    let client = broker.authority.client(&Profile::default());
    let stranger = Authority::new("test authority");
    let good = [
        ("broker.crt", fs_err::read_to_string(broker.folder().join("broker.crt")).expect("it")),
        ("ca.crt", broker.authority.pem()),
        ("crl.pem", broker.authority.crl(&[])),
    ];
    for (name, bad) in [
        ("broker.crt", broker.authority.server().chain_pem),
        ("broker.crt", "no certificate".to_owned()),
        ("broker.crt", String::new()),
        ("ca.crt", client.chain_pem.clone()),
        ("ca.crt", stranger.pem()),
        ("crl.pem", stranger.crl(&[])),
        ("crl.pem", broker.authority.crl(&[])[..80].to_owned()),
    ] {
        broker.replace(name, &bad);
        assert!(matches!(broker.credentials.reload(), Reload::Kept(_)), "{name}");
        assert!(matches!(broker.credentials.reload(), Reload::Unchanged), "said once: {name}");
        assert!(broker.call(&client).await.is_ok(), "{name}");
        good.iter().for_each(|(name, content)| broker.replace(name, content));
        assert!(matches!(broker.credentials.reload(), Reload::Replaced), "{name}");
    }
}

#[tokio::test]
async fn a_broker_does_not_start_with_files_that_do_not_fit_together() {
    let broker = broker().await;
    broker.replace("broker.key", &broker.authority.server().key_pem());
    let files = harness::files(broker.folder());
    let opened = CredentialStore::open(files, "renkei.example", broker.clock.clone());
    assert!(matches!(opened, Err(TlsError::KeyUnusable { .. })));
}

#[tokio::test]
async fn a_client_that_says_nothing_is_closed() {
    let limits = Limits { preface_timeout: SHORT, ..Limits::default() };
    let broker = Broker::start(limits).await;
    let client = broker.authority.client(&Profile::default());
    let mut silent =
        broker.handshake(broker.client_config(Some(&client))).await.expect("a handshake");
    // Part of a preface is as good as none.
    silent.write_all(b"PRI * HTTP/2.0").await.expect("sent");
    let _ = soon(silent.read_to_end(&mut Vec::new())).await;
    assert_eq!(broker.stop().await, Drained::Completely);
}

#[tokio::test]
async fn a_client_that_says_nothing_does_not_hold_the_shutdown() {
    let limits = Limits { preface_timeout: LONG, shutdown_grace: LONG, ..Limits::default() };
    let broker = Broker::start(limits).await;
    let client = broker.authority.client(&Profile::default());
    let mut silent =
        broker.handshake(broker.client_config(Some(&client))).await.expect("a handshake");
    // The server's settings: it has the connection and waits for the preface.
    soon(silent.read_exact(&mut [0; 9])).await.expect("settings");
    assert_eq!(broker.stop().await, Drained::Completely);
}

#[tokio::test]
async fn an_open_call_is_answered_during_the_shutdown() {
    let limits = Limits { shutdown_grace: LONG, ..Limits::default() };
    let mut broker = Broker::start(limits).await;
    let client = broker.authority.client(&Profile::default());
    let mut open = broker.open(&client).await;
    let call = tokio::spawn(async move { check(&mut open, "slow").await });
    soon(broker.asked.recv()).await.expect("the call has begun");
    broker.begin_to_stop();
    broker.answers.add_permits(1);
    assert!(soon(call).await.expect("no panic").is_ok());
    assert_eq!(broker.stop().await, Drained::Completely);
}

#[tokio::test]
async fn a_call_that_does_not_end_is_cut_after_the_grace() {
    let limits = Limits { shutdown_grace: SHORT, ..Limits::default() };
    let mut broker = Broker::start(limits).await;
    let client = broker.authority.client(&Profile::default());
    let mut open = broker.open(&client).await;
    let call = tokio::spawn(async move { check(&mut open, "slow").await });
    soon(broker.asked.recv()).await.expect("the call has begun");
    assert_eq!(broker.stop().await, Drained::Cut);
    assert!(soon(call).await.expect("no panic").is_err());
}

#[tokio::test]
async fn an_old_connection_is_renewed_without_a_failed_call_and_cut_after_its_grace() {
    // A call that is under way must be answered within the grace, however busy the machine is.
    let limits =
        Limits { connection_age_max: SHORT, connection_age_grace: 20 * SHORT, ..Limits::default() };
    let mut broker = Broker::start(limits).await;
    let client = broker.authority.client(&Profile::default());
    let mut open = broker.open(&client).await;
    let began = tokio::time::Instant::now();
    while began.elapsed() < 6 * SHORT {
        assert!(check(&mut open, "").await.is_ok());
    }
    // The call stays open beyond age and grace, so the cut ends it.
    assert!(check(&mut open, "slow").await.is_err());
    soon(broker.asked.recv()).await.expect("it was asked");
}

#[tokio::test]
async fn a_half_open_handshake_ends_and_holds_only_its_own_place() {
    let limits =
        Limits { handshake_timeout: SHORT, connections_per_peer_max: 2, ..Limits::default() };
    let mut broker = Broker::start(limits).await;
    let client = broker.authority.client(&Profile::default());
    let _half_open = TcpStream::connect(broker.address).await.expect("a port");
    assert!(broker.call(&client).await.is_ok());
    assert_eq!(broker.refusal().await.refusal, Refusal::HandshakeTimeout);
}

#[tokio::test]
async fn one_address_gets_no_more_than_its_places() {
    let limits = Limits { connections_per_peer_max: 1, ..Limits::default() };
    let mut broker = Broker::start(limits).await;
    let client = broker.authority.client(&Profile::default());
    let mut open = broker.open(&client).await;
    broker.refuses(&client, Refusal::TooManyFromAddress).await;
    assert!(check(&mut open, "").await.is_ok());
}

#[tokio::test]
async fn a_message_that_is_too_large_is_refused_and_the_connection_goes_on() {
    let limits = Limits { message_bytes_max: 64 * 1024, ..Limits::default() };
    let broker = Broker::start(limits).await;
    let client = broker.authority.client(&Profile::default());
    let mut open = broker.open(&client).await;
    let refused = check(&mut open, &"x".repeat(65 * 1024)).await.expect_err("a refusal");
    assert_eq!(refused.code(), Code::OutOfRange);
    assert!(check(&mut open, "").await.is_ok());
}

#[tokio::test]
async fn headers_that_are_too_large_are_refused() {
    let broker = broker().await;
    let client = broker.authority.client(&Profile::default());
    let mut open = broker.open(&client).await;
    let mut request = tonic::Request::new(HealthCheckRequest::default());
    request.metadata_mut().insert("bomb", "x".repeat(20 * 1024).parse().expect("ASCII"));
    assert!(soon(open.check(request)).await.is_err());
    assert!(broker.call(&client).await.is_ok());
}

#[tokio::test]
async fn more_calls_than_a_connection_may_have_are_refused_at_once() {
    let limits = Limits { requests_per_connection_max: 1, ..Limits::default() };
    let mut broker = Broker::start(limits).await;
    let client = broker.authority.client(&Profile::default());
    let mut open = broker.open(&client).await;
    let mut same = open.clone();
    let call = tokio::spawn(async move { check(&mut same, "slow").await });
    soon(broker.asked.recv()).await.expect("the call has begun");
    let refused = check(&mut open, "").await.expect_err("a refusal");
    assert_eq!(refused.code(), Code::ResourceExhausted);
    broker.answers.add_permits(1);
    assert!(soon(call).await.expect("no panic").is_ok());
    assert!(check(&mut open, "").await.is_ok());
}

#[tokio::test]
async fn more_streams_than_a_connection_may_have_wait_for_a_place() {
    let limits = Limits { streams_per_connection_max: 2, ..Limits::default() };
    let broker = Broker::start(limits).await;
    let client = broker.authority.client(&Profile::default());
    let open = broker.open(&client).await;
    let watch = async |mut client: tonic_health::pb::health_client::HealthClient<_>| {
        client.watch(HealthCheckRequest::default()).await
    };
    let first = soon(watch(open.clone())).await.expect("a stream");
    let _second = soon(watch(open.clone())).await.expect("a stream");
    let mut third = Box::pin(watch(open.clone()));
    assert!(tokio::time::timeout(SHORT, &mut third).await.is_err(), "there is no place");
    drop(first);
    assert!(soon(third).await.is_ok());
}

#[tokio::test]
async fn a_thousand_reset_streams_cut_the_connection_and_nobody_else() {
    let limits = Limits { pending_resets_max: 1, local_resets_max: 1, ..Limits::default() };
    let broker = Broker::start(limits).await;
    let client = broker.authority.client(&Profile::default());
    let mut stream =
        broker.handshake(broker.client_config(Some(&client))).await.expect("a handshake");
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.expect("sent");
    // Settings, then streams that are opened and reset at once.
    let mut frames = vec![0, 0, 0, 4, 0, 0, 0, 0, 0];
    for stream in (1..2000_u32).step_by(2) {
        let id = stream.to_be_bytes();
        // HPACK, static table: POST, http, /.
        frames.extend([0, 0, 3, 1, 4]);
        frames.extend(id);
        frames.extend([0x83, 0x86, 0x84]);
        frames.extend([0, 0, 4, 3, 0]);
        frames.extend(id);
        frames.extend([0, 0, 0, 8]);
    }
    let _ = stream.write_all(&frames).await;
    // The end comes from the broker: the client keeps its side open.
    let _ = soon(stream.read_to_end(&mut Vec::new())).await;
    assert!(broker.call(&client).await.is_ok());
}

#[test]
fn the_sample_configuration_is_good_and_shows_the_defaults() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/broker.toml");
    let config = BrokerConfig::read(&file).expect("a configuration");
    assert_eq!(config.limits, Limits::default());
    let text = fs_err::read_to_string(&file).expect("text");
    let all = toml::to_string(&Limits::default()).expect("text");
    for key in all.lines().filter_map(|line| line.split_once(" = ")).map(|(key, _)| key) {
        assert!(text.contains(&format!("\n{key} = ")), "{key} is not shown");
    }
}
