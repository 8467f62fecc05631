//! A connection to a broker.
//!
//! Mutual TLS 1.3 over HTTP/2, kept alive by pings, opened when it is first needed and again after it broke. Every call
//! has a deadline. A call that may be repeated is repeated up to five times when the broker is not there, waiting longer
//! each time; its request id stays the same, so that the broker does nothing twice.

use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use renkei_types::{Clock, Entropy};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint, Uri};
use tonic::{Request, Streaming};

use crate::call::{Call, StreamCall};
use crate::client_file::{ClientFile, ClientFileError};
use crate::rejection::Rejection;
use crate::renewed::Renewed;
use crate::retry::{Backoff, Repeats};
use crate::{CLIENT_TIME, MESSAGE_BYTES_MAX, tls, v1};

/// How often a call is repeated.
const REPEATS: Repeats = Repeats(5);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the first answer of a stream may take.
const STREAM_PATIENCE: Duration = Duration::from_secs(300);
/// A dead peer is noticed after the sum of the two.
const PING_EVERY: Duration = Duration::from_secs(20);
const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// A connection to a broker; cheap to clone.
#[derive(Clone)]
pub struct Connection {
    way: Way,
    entropy: Arc<dyn Entropy>,
    clock: Option<Arc<dyn Clock + Send + Sync>>,
}

/// Over what calls are made.
#[derive(Clone)]
enum Way {
    /// One channel for good.
    Fixed(Channel),
    /// The channel of a client file's present content.
    Renewed(Arc<Renewed>),
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}

macro_rules! clients {
    ($($(#[$doc:meta])* $name:ident: $module:ident::$client:ident;)+) => {$(
        $(#[$doc])*
        pub fn $name(&self) -> v1::$module::$client<Channel> {
            v1::$module::$client::new(self.channel())
                .max_decoding_message_size(MESSAGE_BYTES_MAX)
                .max_encoding_message_size(MESSAGE_BYTES_MAX)
        }
    )+};
}

impl Connection {
    /// Prepares a connection with the certificate of a client file; the first call opens it. When the files change, calls
    /// go over a new connection with the new certificate. `entropy` spreads the waits between attempts.
    ///
    /// # Errors
    /// A file that the client file names is missing or of no use.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn open(file: &ClientFile, entropy: Arc<dyn Entropy>) -> Result<Self, ClientFileError> {
        Ok(Self { way: Way::Renewed(Arc::new(Renewed::open(file)?)), entropy, clock: None })
    }

    /// A connection over a channel that was made elsewhere, such as one in memory.
    pub fn over(channel: Channel, entropy: Arc<dyn Entropy>) -> Self {
        Self { way: Way::Fixed(channel), entropy, clock: None }
    }

    /// The same, telling the broker with every call what time it is here: it changes nothing for whose clock is wrong.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock + Send + Sync>) -> Self {
        Self { clock: Some(clock), ..self }
    }

    /// A request as it is sent now.
    fn request<C>(&self, call: C) -> Request<C> {
        let mut request = Request::new(call);
        let now = self.clock.as_ref().map(|clock| clock.now().to_string());
        if let Some(now) = now.and_then(|now| now.parse().ok()) {
            request.metadata_mut().insert(CLIENT_TIME, now);
        }
        request
    }

    /// Makes a call, and repeats it where it may be repeated and the broker is not there.
    pub async fn call<C: Call>(&self, call: C) -> Result<C::Answer, Rejection> {
        let repeats = if C::REPEATABLE { REPEATS } else { Repeats(0) };
        self.repeating(repeats, async || {
            let mut request = self.request(call.clone());
            request.set_timeout(C::PATIENCE);
            match tokio::time::timeout(C::PATIENCE, C::send(request, self)).await {
                Ok(answer) => Ok(answer?.into_inner()),
                Err(_) => Err(Rejection::too_late()),
            }
        })
        .await
    }

    /// Opens a stream of answers.
    pub async fn stream<C: StreamCall>(&self, call: C) -> Result<Answers<C::Part>, Rejection> {
        self.repeating(REPEATS, async || {
            let opened = C::open(Request::new(call.clone()), self);
            match tokio::time::timeout(STREAM_PATIENCE, opened).await {
                Ok(answer) => Ok(Answers { stream: answer?.into_inner() }),
                Err(_) => Err(Rejection::too_late()),
            }
        })
        .await
    }

    /// The waits of something that is tried again.
    pub fn backoff(&self) -> Backoff {
        Backoff::new(Arc::clone(&self.entropy))
    }

    pub(crate) fn channel(&self) -> Channel {
        match &self.way {
            Way::Fixed(channel) => channel.clone(),
            Way::Renewed(renewed) => renewed.channel(),
        }
    }

    /// How often the certificate was exchanged; looks again if it was refused.
    fn certificates(&self, refused: bool) -> u64 {
        let Way::Renewed(renewed) = &self.way else { return 0 };
        if refused {
            renewed.look();
        }
        renewed.generation()
    }

    async fn repeating<A>(
        &self,
        repeats: Repeats,
        attempt: impl AsyncFn() -> Result<A, Rejection>,
    ) -> Result<A, Rejection> {
        let mut backoff = self.backoff();
        let mut doubt = false;
        loop {
            let before = self.certificates(false);
            let rejection = match attempt().await {
                Ok(answer) => return Ok(answer),
                Err(rejection) => rejection.after_doubt(doubt),
            };
            if rejection.refuses_certificate() && self.certificates(true) != before {
                // It was renewed meanwhile. Nothing was done: who calls is looked at before what is called.
                continue;
            }
            if !rejection.is_passing() || backoff.attempt() == repeats.0 {
                return Err(rejection);
            }
            doubt = rejection.leaves_doubt();
            backoff.wait().await;
        }
    }

    clients! {
        /// The directory.
        directory: directory_client::DirectoryClient;
        /// Uploads.
        records: records_client::RecordsClient;
        /// Linkage.
        linkage: linkage_client::LinkageClient;
        /// Clerks' tasks.
        review: review_client::ReviewClient;
        /// Programmes, lists and money.
        benefits: benefits_client::BenefitsClient;
        /// The delivery feed.
        deliveries: deliveries_client::DeliveriesClient;
        /// The log.
        audit: audit_client::AuditClient;
        /// Certificates.
        admin: admin_client::AdminClient;
        /// The first certificate, on a port of its own.
        enrolment: enrolment_client::EnrolmentClient;
    }
}

/// The channel that a client file describes; the first call opens it.
pub(crate) fn channel_of(file: &ClientFile) -> Result<Channel, ClientFileError> {
    let tls = TlsConnector::from(Arc::new(tls::client_config(file)?));
    let server_name = file.server_name()?;
    let place = (file.host.clone(), file.port);
    let connector = tower::service_fn(move |_: Uri| {
        let (tls, server_name, place) = (tls.clone(), server_name.clone(), place.clone());
        async move {
            let stream = TcpStream::connect(place).await?;
            stream.set_nodelay(true)?;
            let stream = tls.connect(server_name, stream).await?;
            Ok::<_, std::io::Error>(TokioIo::new(stream))
        }
    });
    // tonic refuses https without its own TLS, which knows neither our provider nor our versions: it is told http and
    // given a connection that is encrypted, while the requests name the true origin.
    let authority = file.address.authority().map_or("", |authority| authority.as_str());
    let endpoint = Endpoint::from_shared(format!("http://{authority}"))
        .map_err(|_| ClientFileError::Address { file: file.name() })?
        .origin(file.address.clone());
    Ok(limits(endpoint).connect_with_connector_lazy(connector))
}

/// Time limits and keepalive of every connection.
pub(crate) fn limits(endpoint: Endpoint) -> Endpoint {
    endpoint
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_TIMEOUT)
        .http2_adaptive_window(true)
        .user_agent(concat!("renkei/", env!("CARGO_PKG_VERSION")))
        // Unwrap safety: name and version are ASCII.
        .expect("a user agent of ASCII letters")
}

/// Answers that come one by one.
#[derive(Debug)]
pub struct Answers<T> {
    stream: Streaming<T>,
}

impl<T> Answers<T> {
    /// The next answer; nothing at the end.
    pub async fn next(&mut self) -> Result<Option<T>, Rejection> {
        Ok(self.stream.message().await?)
    }
}

#[cfg(test)]
mod tests;
