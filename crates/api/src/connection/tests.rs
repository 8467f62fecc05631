//! Mutual TLS over a real socket, with certificates made for the test.

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use renkei_types::{Classify as _, Kind, SeededEntropy};
use rustls::RootCertStore;
use rustls::server::WebPkiClientVerifier;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::fake_broker::FakeBroker;
use crate::v1::GetUploadRequest;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("signed")
}

/// A certificate for `localhost` and its key, as PEM.
fn issue(authority: &Authority) -> (String, String) {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
    (params.signed_by(&key, authority).expect("signed").pem(), key.serialize_pem())
}

/// Serves a fake broker on a port of its own that trusts clients of `clients`; answers the port.
async fn serve(broker: &FakeBroker, authority: &Authority, clients: &Authority) -> u16 {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(clients.pem().as_bytes()).expect("a certificate");
    roots.add(root).expect("a root");
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .expect("a verifier");
    let (certificate, key) = issue(authority);
    let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).expect("PEM");
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("PEM");
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![certificate], key)
        .expect("a pair");
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (accept, accepted) = mpsc::unbounded_channel();
    broker.serve(accepted);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(stream) = acceptor.accept(stream).await {
                let _ = accept.send(Ok(stream));
            }
        }
    });
    port
}

fn connect(folder: &Path, port: u16, ca: &Authority, issuer: &Authority) -> Connection {
    let (certificate, key) = issue(issuer);
    for (name, text) in [("ca.crt", ca.pem()), ("a.crt", certificate), ("a.key", key)] {
        fs_err::write(folder.join(name), text).expect("written");
    }
    let text = format!(
        "address = \"https://localhost:{port}\"\nca = \"ca.crt\"\ncertificate = \"a.crt\"\nkey = \"a.key\"\n"
    );
    let file = ClientFile::parse(&text, &folder.join("a.toml")).expect("a client file");
    Connection::open(&file, Arc::new(SeededEntropy::new(1))).expect("prepared")
}

async fn ask(connection: &Connection) -> Result<u64, Rejection> {
    let call = GetUploadRequest { upload_id: "upload_1".to_owned() };
    connection.call(call).await.map(|answer| answer.durable_through)
}

#[tokio::test]
async fn a_call_goes_through_mutual_tls() {
    let (folder, authority) = (tempfile::tempdir().expect("a folder"), authority());
    let broker = FakeBroker::default();
    broker.store().durable = vec![0; 7];
    let port = serve(&broker, &authority, &authority).await;
    let connection = connect(folder.path(), port, &authority, &authority);
    assert_eq!(ask(&connection).await, Ok(7));
}

#[tokio::test]
async fn a_broker_of_another_authority_is_refused_at_once() {
    let (folder, ours, theirs) = (tempfile::tempdir().expect("a folder"), authority(), authority());
    let port = serve(&FakeBroker::default(), &theirs, &ours).await;
    let rejection = ask(&connect(folder.path(), port, &ours, &ours)).await.expect_err("a stranger");
    assert_eq!((rejection.kind(), rejection.leaves_doubt()), (Kind::Refused, false));
}

#[tokio::test]
async fn a_client_that_the_broker_does_not_accept_is_told_so() {
    let (folder, ours, theirs) = (tempfile::tempdir().expect("a folder"), authority(), authority());
    let port = serve(&FakeBroker::default(), &ours, &ours).await;
    let rejection =
        ask(&connect(folder.path(), port, &ours, &theirs)).await.expect_err("not accepted");
    assert_eq!(rejection.kind(), Kind::Refused);
    assert!(rejection.to_string().contains("certificate"), "{rejection}");
}

#[test]
fn a_key_of_another_certificate_is_refused_before_anything_is_sent() {
    let (folder, authority) = (tempfile::tempdir().expect("a folder"), authority());
    let ((certificate, _), (_, key)) = (issue(&authority), issue(&authority));
    for (name, text) in [("ca.crt", authority.pem()), ("a.crt", certificate), ("a.key", key)] {
        fs_err::write(folder.path().join(name), text).expect("written");
    }
    let text = "address = \"https://localhost:1\"\nca = \"ca.crt\"\ncertificate = \"a.crt\"\nkey = \"a.key\"\n";
    let file = ClientFile::parse(text, &folder.path().join("a.toml")).expect("a client file");
    let error = Connection::open(&file, Arc::new(SeededEntropy::new(1))).expect_err("no pair");
    assert!(matches!(error, ClientFileError::Pair { .. }), "{error}");
    fs_err::write(folder.path().join("a.key"), "no key").expect("written");
    let error = Connection::open(&file, Arc::new(SeededEntropy::new(1))).expect_err("no PEM");
    assert!(error.to_string().contains("key `key`"), "{error}");
    fs_err::remove_file(folder.path().join("ca.crt")).expect("removed");
    let error = Connection::open(&file, Arc::new(SeededEntropy::new(1))).expect_err("no file");
    assert!(matches!(error, ClientFileError::Unreadable { key: "ca", .. }), "{error}");
}
