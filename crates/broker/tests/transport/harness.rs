//! A broker's transport on a free port, a service behind it, and clients of every kind.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use renkei_broker::config::{Limits, TlsConfig};
use renkei_broker::transport::{
    CredentialStore, Drained, Listener, Peer, Refusal, Refusals, RefusedHandshake, ServeError,
    serve,
};
use renkei_types::Clock;
use rustls::pki_types::{ServerName, UnixTime};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_stream::{Stream, StreamExt as _};
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status};
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use crate::pki::{Authority, Holder};

/// Longer than anything that works can take, so that a test that hangs fails.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("it takes far too long")
}

/// A clock that the test sets.
#[derive(Debug)]
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn set(&self, time: &str) {
        let time: Timestamp = time.parse().expect("a timestamp");
        self.0.store(time.as_second(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::SeqCst)).expect("in range")
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

impl rustls::time_provider::TimeProvider for TestClock {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = self.0.load(Ordering::SeqCst).try_into().ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

struct Told(mpsc::UnboundedSender<RefusedHandshake>);

impl Refusals for Told {
    fn refused(&self, _: SocketAddr, refused: RefusedHandshake) {
        // Nobody listens once the test is over.
        let _ = self.0.send(refused);
    }
}

/// Answers at once, unless it is asked about `slow`: then it says that it was asked and waits for a permit.
#[derive(Clone)]
struct TestHealth {
    asked: mpsc::UnboundedSender<()>,
    answers: Arc<Semaphore>,
}

fn serving() -> HealthCheckResponse {
    HealthCheckResponse { status: 1 }
}

#[tonic::async_trait]
impl Health for TestHealth {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        let peer = request.extensions().get::<Arc<Peer>>().expect("every call has a peer").clone();
        if request.get_ref().service == "slow" {
            let _ = self.asked.send(());
            self.answers.acquire().await.expect("never closed").forget();
        }
        let mut response = Response::new(serving());
        let identity = peer.identity().to_string().parse().expect("ASCII");
        response.metadata_mut().insert("identity", identity);
        Ok(response)
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn watch(
        &self,
        _: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let once = tokio_stream::once(Ok(serving()));
        Ok(Response::new(Box::pin(once.chain(tokio_stream::pending()))))
    }
}

/// A running transport.
pub(crate) struct Broker {
    pub(crate) address: SocketAddr,
    pub(crate) credentials: Arc<CredentialStore>,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) authority: Authority,
    pub(crate) asked: mpsc::UnboundedReceiver<()>,
    pub(crate) answers: Arc<Semaphore>,
    refused: mpsc::UnboundedReceiver<RefusedHandshake>,
    stop: CancellationToken,
    served: JoinHandle<Result<Drained, ServeError>>,
    folder: TempDir,
}

impl Broker {
    pub(crate) async fn start(limits: Limits) -> Self {
        let clock = Arc::new(TestClock(AtomicI64::new(0)));
        clock.set("2026-06-01T00:00:00Z");
        let authority = Authority::new("test authority");
        let folder = TempDir::new().expect("a folder");
        let server = authority.server();
        write(folder.path(), "broker.crt", &server.chain_pem);
        write(folder.path(), "broker.key", &server.key_pem());
        write(folder.path(), "ca.crt", &authority.pem());
        write(folder.path(), "crl.pem", &authority.crl(&[]));
        let credentials =
            CredentialStore::open(files(folder.path()), "renkei.example", clock.clone())
                .expect("usable files");
        let credentials = Arc::new(credentials);

        let (told, refused) = mpsc::unbounded_channel();
        let listener = Listener::bind(
            "127.0.0.1:0".parse().expect("an address"),
            credentials.clone(),
            Arc::new(Told(told)),
            &limits,
        )
        .await
        .expect("a free port");
        let address = listener.local_addr().expect("an address");

        let (asked_sender, asked) = mpsc::unbounded_channel();
        let answers = Arc::new(Semaphore::new(0));
        let health = TestHealth { asked: asked_sender, answers: answers.clone() };
        let health = HealthServer::new(health)
            .max_decoding_message_size(usize::try_from(limits.message_bytes_max).expect("it fits"));
        let (gate_credentials, gate_clock) = (credentials.clone(), clock.clone());
        let gate = move |request: Request<()>| {
            let peer = request.extensions().get::<Arc<Peer>>().expect("every call has a peer");
            match peer.check(&gate_credentials, gate_clock.now()) {
                Ok(()) => Ok(request),
                Err(refusal) => Err(Status::unauthenticated(refusal.code())),
            }
        };
        let routes = Routes::new(InterceptedService::new(health, gate));
        let stop = CancellationToken::new();
        let stopping = stop.clone().cancelled_owned();
        let served = tokio::spawn(async move { serve(listener, routes, stopping, &limits).await });
        Self {
            address,
            credentials,
            clock,
            authority,
            asked,
            answers,
            refused,
            stop,
            served,
            folder,
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn replace(&self, name: &str, content: &str) {
        write(self.folder.path(), name, content);
    }

    /// Why the last client was refused.
    pub(crate) async fn refusal(&mut self) -> RefusedHandshake {
        soon(self.refused.recv()).await.expect("the broker runs")
    }

    /// Asserts that the client is refused for this reason, is told so, and that nobody else notices.
    pub(crate) async fn refuses(&mut self, client: &Holder, refusal: Refusal) -> RefusedHandshake {
        assert!(self.call(client).await.is_err(), "{refusal:?}");
        let refused = self.refusal().await;
        assert_eq!(refused.refusal, refusal);
        refused
    }

    pub(crate) async fn stop(self) -> Drained {
        self.stop.cancel();
        soon(self.served).await.expect("no panic").expect("a server that was asked to stop")
    }

    /// Says that the broker stops, and waits for nothing.
    pub(crate) fn begin_to_stop(&self) {
        self.stop.cancel();
    }

    pub(crate) fn client_config(&self, client: Option<&Holder>) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.der()).expect("an authority");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_details(provider, self.clock.clone())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("TLS 1.3")
            .with_root_certificates(roots);
        let mut config = match client {
            Some(client) => {
                builder.with_client_auth_cert(client.chain.clone(), client.key()).expect("a key")
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        config
    }

    /// A connection after the handshake, with nothing said on it.
    pub(crate) async fn handshake(
        &self,
        config: ClientConfig,
    ) -> std::io::Result<TlsStream<TcpStream>> {
        handshake(self.address, Arc::new(config)).await
    }

    async fn connect(&self, client: &Holder) -> Result<HealthClient<Channel>, Status> {
        let config = Arc::new(self.client_config(Some(client)));
        let address = self.address;
        let connector = tower::service_fn(move |_| {
            let config = config.clone();
            async move { handshake(address, config).await.map(TokioIo::new) }
        });
        let channel = Endpoint::from_static("http://localhost")
            .connect_with_connector(connector)
            .await
            .map_err(|error| Status::unavailable(error.to_string()))?;
        Ok(HealthClient::new(channel))
    }

    /// A connection that has been served. Before the first answer the broker may not have seen the certificate yet.
    pub(crate) async fn open(&self, client: &Holder) -> HealthClient<Channel> {
        let mut client = soon(self.connect(client)).await.expect("a connection");
        check(&mut client, "").await.expect("an answer");
        client
    }

    /// Connects and makes one call; the identity that the service saw.
    pub(crate) async fn call(&self, client: &Holder) -> Result<String, Status> {
        let mut client = soon(self.connect(client)).await?;
        check(&mut client, "").await
    }
}

/// One call; the identity that the service saw.
pub(crate) async fn check(
    client: &mut HealthClient<Channel>,
    about: &str,
) -> Result<String, Status> {
    let response = soon(client.check(HealthCheckRequest { service: about.to_owned() })).await?;
    Ok(response
        .metadata()
        .get("identity")
        .expect("an identity")
        .to_str()
        .expect("ASCII")
        .to_owned())
}

async fn handshake(
    address: SocketAddr,
    config: Arc<ClientConfig>,
) -> std::io::Result<TlsStream<TcpStream>> {
    let socket = TcpStream::connect(address).await?;
    let name = ServerName::try_from("localhost").expect("a name");
    TlsConnector::from(config).connect(name, socket).await
}

pub(crate) fn files(folder: &Path) -> TlsConfig {
    let file = |name: &str| -> PathBuf { folder.join(name) };
    TlsConfig {
        certificate: file("broker.crt"),
        key: file("broker.key"),
        client_ca: file("ca.crt"),
        crl: file("crl.pem"),
        reload_interval: Duration::from_millis(10),
    }
}

fn write(folder: &Path, name: &str, content: &str) {
    fs_err::write(folder.join(name), content).expect("a file");
}
