//! The answering side: a witness over HTTP, for logs that are not on this machine over HTTPS.
//!
//! Anybody may ask; what is cosigned is decided by signatures and proofs alone. So a connection is worth little, and the
//! limits are tight: few at once, a short time for each, no body beyond what a request can be.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use renkei_types::{Classify, Kind, Language, Localised};
use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

use crate::error::{Refused, WitnessError};
use crate::submission::SUBMISSION_BYTES_MAX;
use crate::witness::Witness;

/// Connections at once.
const CONNECTIONS_MAX: usize = 64;
/// How long a handshake may take, and how long the head of a request.
const HEAD_PATIENCE: Duration = Duration::from_secs(5);
/// How long a connection may stay; it may carry several requests.
const CONNECTION_PATIENCE: Duration = Duration::from_secs(60);
/// How long nothing is accepted after the system had no more connections to give.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// The certificate of a witness, and its key.
#[derive(Clone)]
pub struct ServerIdentity(TlsAcceptor);

/// A certificate and a key that are none, or do not belong together.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the certificate and the key of the witness are not PEM files that belong together")]
pub struct ServerIdentityError;

impl Classify for ServerIdentityError {
    fn kind(&self) -> Kind {
        Kind::InvalidArgument
    }
}

impl Localised for ServerIdentityError {
    fn localised(&self, language: Language) -> String {
        language.pick(
            self.to_string(),
            "立会者の証明書と鍵が、対になるPEMファイルではありません".to_owned(),
        )
    }
}

impl ServerIdentity {
    /// Reads both from PEM.
    pub fn from_pem(certificate: &[u8], key: &[u8]) -> Result<Self, ServerIdentityError> {
        let wrong = |_| ServerIdentityError;
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate).collect();
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| ServerIdentityError)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(wrong)?;
        let chain = chain.map_err(|_| ServerIdentityError)?;
        let mut config =
            builder.with_no_client_auth().with_single_cert(chain, key).map_err(wrong)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }
}

/// Answers on a listener until `shutdown`. Without an identity it speaks plain HTTP, which is for this machine alone.
pub async fn serve(
    listener: TcpListener,
    identity: Option<ServerIdentity>,
    witness: Arc<Witness>,
    shutdown: impl Future<Output = ()>,
) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    tokio::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => return,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // A full house is told by closing the door.
        let Ok(place) = Arc::clone(&room).try_acquire_owned() else { continue };
        let (witness, identity) = (Arc::clone(&witness), identity.clone());
        tokio::spawn(async move {
            let _place = place;
            let served = async {
                match identity {
                    None => converse(stream, witness).await,
                    Some(ServerIdentity(acceptor)) => {
                        let secured = tokio::time::timeout(HEAD_PATIENCE, acceptor.accept(stream));
                        if let Ok(Ok(stream)) = secured.await {
                            converse(stream, witness).await;
                        }
                    }
                }
            };
            let _ = tokio::time::timeout(CONNECTION_PATIENCE, served).await;
        });
    }
}

async fn converse(stream: impl AsyncRead + AsyncWrite + Unpin, witness: Arc<Witness>) {
    let answer = service_fn(move |request: Request<Incoming>| {
        let witness = Arc::clone(&witness);
        async move { Ok::<_, Infallible>(answer(request, witness).await) }
    });
    let mut connection = hyper::server::conn::http1::Builder::new();
    connection.timer(TokioTimer::new()).header_read_timeout(HEAD_PATIENCE);
    if let Err(error) = connection.serve_connection(TokioIo::new(stream), answer).await {
        tracing::debug!(%error, "a connection ended early");
    }
}

type Reply = Response<Full<Bytes>>;

fn reply(status: u16, kind: &'static str, text: String) -> Reply {
    let mut reply = Response::new(Full::new(Bytes::from(text)));
    *reply.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    reply.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static(kind));
    reply
}

const TEXT: &str = "text/plain; charset=utf-8";
/// What a witness says its size in.
const SIZE: &str = "text/x.tlog.size";

async fn answer(request: Request<Incoming>, witness: Arc<Witness>) -> Reply {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    if path == "/add-checkpoint" {
        if method != Method::POST {
            return reply(405, TEXT, String::new());
        }
        let body = Limited::new(request.into_body(), SUBMISSION_BYTES_MAX).collect().await;
        let Ok(body) = body else { return reply(413, TEXT, String::new()) };
        let decided = off_thread(move || witness.add_checkpoint(&body.to_bytes())).await;
        return match decided {
            Ok(lines) => reply(200, TEXT, lines),
            Err(WitnessError::Refused(refused @ Refused::OtherSize { size })) => {
                reply(refused.status(), SIZE, format!("{size}\n"))
            }
            Err(WitnessError::Refused(refused)) => {
                match refused {
                    Refused::Inconsistent { size } => {
                        tracing::error!(size, "a log does not continue what was cosigned");
                    }
                    Refused::ReplacedKey => tracing::error!(%refused, "a checkpoint is refused"),
                    Refused::Malformed
                    | Refused::UnknownLog
                    | Refused::WrongSignature
                    | Refused::OtherSize { .. } => {}
                }
                reply(refused.status(), TEXT, format!("{refused}\n"))
            }
            Err(error) => failed(&error),
        };
    }
    let name = path.strip_prefix('/').and_then(|rest| rest.strip_suffix("/checkpoint"));
    let Some(name) = name.map(str::to_owned) else { return reply(404, TEXT, String::new()) };
    if method != Method::GET {
        return reply(405, TEXT, String::new());
    }
    match off_thread(move || witness.checkpoint(&name)).await {
        Ok(Some(note)) => reply(200, TEXT, note),
        Ok(None) => reply(404, TEXT, String::new()),
        Err(error) => failed(&error),
    }
}

/// The witness waits for its disk and its turn.
async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, WitnessError> + Send + 'static,
) -> Result<T, WitnessError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(io::Error::other(error).into()))
}

fn failed(error: &WitnessError) -> Reply {
    tracing::error!(%error, "the witness cannot answer");
    reply(500, TEXT, String::new())
}
