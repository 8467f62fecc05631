//! The asking side: one request to one witness over HTTPS.
//!
//! The witness's authority is named by whoever configures it: offices trust authorities of their own, and a closed network
//! knows no others. Plain HTTP is spoken with this machine alone. Invariant: no answer is waited for longer than the patience
//! that was given, nor read beyond its limit.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::rt::TokioIo;
use renkei_tlog::Origin;
use renkei_types::{Classify, Kind, Language, Localised};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::submission::{SUBMISSION_BYTES_MAX, Submission};
use crate::witness::origin_name;

/// A witness that can be asked.
#[derive(Clone)]
pub struct WitnessClient {
    host: String,
    port: u16,
    /// What comes before `/add-checkpoint`.
    prefix: String,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    patience: Duration,
}

/// What a witness says to a checkpoint.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Answer {
    /// Its lines.
    Cosigned(String),
    /// The size that it has cosigned last, which is another than the request goes on from.
    OtherSize(u64),
    /// The checkpoint does not continue what it has cosigned last.
    Inconsistent,
}

/// Why a witness said nothing that can be used.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// It cannot be reached.
    #[error("the witness cannot be reached: {0}")]
    Unreachable(#[from] io::Error),
    /// It did not answer in time.
    #[error("the witness did not answer in time")]
    TooSlow,
    /// The connection ended within the answer.
    #[error("the connection to the witness ended too early")]
    Broken,
    /// It does not know the log.
    #[error(
        "the witness refuses this log (status 404): give its operator log.vkey, and the witness a --log with it"
    )]
    UnknownLog,
    /// It does not cosign under the key that has signed the checkpoint.
    #[error(
        "the witness refuses the key that signed the checkpoint (status 403). Where the log's key was replaced, the witness needs a --log for both keys, the newer one last. Where keys/log.head was put back, put the newest checkpoint there instead. Where neither is so, somebody may have signed with another key: keep store and keys as they are, and tell the auditor"
    )]
    KeyRefused,
    /// It answers with a status that the protocol does not have here.
    #[error(
        "the witness answers with status {0}, which is not one of the protocol; ask its operator"
    )]
    Status(u16),
    /// Its answer is not what the protocol says.
    #[error("the answer of the witness is not one of the protocol")]
    Unreadable,
}

/// The address of a witness cannot be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum WitnessUrlError {
    /// Not an address.
    #[error("the address of a witness is https://HOST[:PORT][/PATH] without a question mark")]
    Shape,
    /// Plain HTTP to another machine.
    #[error("a witness on another machine is asked over https; http is for this machine alone")]
    Plain,
    /// There is no authority to trust.
    #[error("a witness over https needs the certificate of its authority (PEM)")]
    NoAuthority,
}

impl Classify for WitnessUrlError {
    fn kind(&self) -> Kind {
        match self {
            Self::Shape | Self::Plain | Self::NoAuthority => Kind::InvalidArgument,
        }
    }
}

impl Localised for WitnessUrlError {
    fn localised(&self, language: Language) -> String {
        let japanese = match self {
            Self::Shape => "立会者のアドレスは https://ホスト[:ポート][/パス] の形で書いてください",
            Self::Plain => "他の機器の立会者には https を使ってください。http は同じ機器だけです",
            Self::NoAuthority => "https の立会者には認証局の証明書（PEM）が必要です",
        };
        language.pick(self.to_string(), japanese.to_owned())
    }
}

impl WitnessClient {
    /// A client for a submission prefix. `authorities` are certificates in PEM form.
    pub fn new(
        url: &str,
        authorities: Option<&[u8]>,
        patience: Duration,
    ) -> Result<Self, WitnessUrlError> {
        let uri: Uri = url.parse().map_err(|_| WitnessUrlError::Shape)?;
        let host = uri.host().ok_or(WitnessUrlError::Shape)?;
        let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        if uri.query().is_some() || uri.authority().is_some_and(|it| it.as_str().contains('@')) {
            return Err(WitnessUrlError::Shape);
        }
        let (tls, usual) = match uri.scheme_str() {
            Some("https") => {
                let config = tls_config(authorities.ok_or(WitnessUrlError::NoAuthority)?)?;
                let name =
                    ServerName::try_from(bare.clone()).map_err(|_| WitnessUrlError::Shape)?;
                (Some((TlsConnector::from(Arc::new(config)), name)), 443)
            }
            Some("http") if is_this_machine(&bare) => (None, 80),
            Some("http") => return Err(WitnessUrlError::Plain),
            Some(_) | None => return Err(WitnessUrlError::Shape),
        };
        let prefix = uri.path().trim_end_matches('/').to_owned();
        Ok(Self { host: bare, port: uri.port_u16().unwrap_or(usual), prefix, tls, patience })
    }

    /// Asks for a cosignature.
    pub async fn add_checkpoint(&self, submission: &Submission) -> Result<Answer, NoAnswer> {
        let body = Bytes::from(submission.to_text());
        let (status, text) = self.ask(Method::POST, "/add-checkpoint", body).await?;
        match status {
            StatusCode::OK => Ok(Answer::Cosigned(text)),
            StatusCode::CONFLICT => {
                let size = text.strip_suffix('\n').and_then(|size| size.parse().ok());
                size.map(Answer::OtherSize).ok_or(NoAnswer::Unreadable)
            }
            StatusCode::UNPROCESSABLE_ENTITY => Ok(Answer::Inconsistent),
            StatusCode::FORBIDDEN => Err(NoAnswer::KeyRefused),
            StatusCode::NOT_FOUND => Err(NoAnswer::UnknownLog),
            other => Err(NoAnswer::Status(other.as_u16())),
        }
    }

    /// Asks what the witness remembers of a log; nothing where it remembers none, or does not tell.
    pub async fn checkpoint(&self, origin: &Origin) -> Result<Option<String>, NoAnswer> {
        let path = format!("/{}/checkpoint", origin_name(origin));
        let (status, text) = self.ask(Method::GET, &path, Bytes::new()).await?;
        match status {
            StatusCode::OK => Ok(Some(text)),
            StatusCode::NOT_FOUND => Ok(None),
            other => Err(NoAnswer::Status(other.as_u16())),
        }
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<(StatusCode, String), NoAnswer> {
        let asked = async {
            let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
            match &self.tls {
                Some((tls, name)) => {
                    let stream = tls.connect(name.clone(), stream).await?;
                    self.exchange(stream, method, path, body).await
                }
                None => self.exchange(stream, method, path, body).await,
            }
        };
        tokio::time::timeout(self.patience, asked).await.unwrap_or(Err(NoAnswer::TooSlow))
    }

    async fn exchange(
        &self,
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<(StatusCode, String), NoAnswer> {
        let broken = |_| NoAnswer::Broken;
        let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream));
        let (mut sender, connection) = handshake.await.map_err(broken)?;
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.prefix))
            .header(http::header::HOST, self.authority())
            .body(Full::new(body))
            .map_err(|_| NoAnswer::Unreadable)?;
        let answered = async {
            let response = sender.send_request(request).await.map_err(broken)?;
            let status = response.status();
            let body = Limited::new(response.into_body(), SUBMISSION_BYTES_MAX).collect().await;
            let bytes = body.map_err(|_| NoAnswer::Unreadable)?.to_bytes();
            let text = String::from_utf8(bytes.to_vec()).map_err(|_| NoAnswer::Unreadable)?;
            Ok((status, text))
        };
        tokio::pin!(answered);
        tokio::select! {
            answer = &mut answered => answer,
            // The end of the connection may come first; what had arrived is still read.
            _ = connection => answered.await,
        }
    }

    fn authority(&self) -> String {
        let host =
            if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        format!("{host}:{}", self.port)
    }
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn tls_config(authorities: &[u8]) -> Result<ClientConfig, WitnessUrlError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(authorities) {
        let certificate = certificate.map_err(|_| WitnessUrlError::NoAuthority)?;
        roots.add(certificate).map_err(|_| WitnessUrlError::NoAuthority)?;
    }
    if roots.is_empty() {
        return Err(WitnessUrlError::NoAuthority);
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|_| WitnessUrlError::NoAuthority)?;
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_https_or_this_machine() {
        let open = |url| {
            WitnessClient::new(url, None, Duration::from_secs(1)).map(|client| client.authority())
        };
        assert_eq!(open("http://127.0.0.1:81/w"), Ok("127.0.0.1:81".to_owned()));
        assert_eq!(open("http://localhost"), Ok("localhost:80".to_owned()));
        assert_eq!(open("http://[::1]:8080/"), Ok("[::1]:8080".to_owned()));
        assert_eq!(open("http://pref.example/"), Err(WitnessUrlError::Plain));
        assert_eq!(open("http://127.0.0.1.pref.example/"), Err(WitnessUrlError::Plain));
        assert_eq!(open("https://pref.example/"), Err(WitnessUrlError::NoAuthority));
        for url in
            ["", "pref.example", "ftp://127.0.0.1/", "http://127.0.0.1/?a", "http://a@127.0.0.1/"]
        {
            assert_eq!(open(url), Err(WitnessUrlError::Shape), "{url}");
        }
    }
}
