//! Client files: with which certificate a command calls which broker (`--as FILE.toml`).
//!
//! ```toml
//! address = "https://broker.city.example:8443"
//! ca = "../pki/ca.crt"
//! certificate = "payments.crt"
//! key = "payments.key"
//! log_key = "../log.vkey"      # optional: have every receipt proven, and keep the latest checkpoint
//! ```
//! Paths are relative to the file, so that a folder can be moved. Errors name the file and the key that is wrong, never
//! the contents. The certificate alone says who calls.

use std::path::{Path, PathBuf};

use renkei_types::{Classify, Kind, Language, Localised};
use rustls_pki_types::ServerName;
use serde::Deserialize;
use tonic::transport::Uri;

use crate::log_memory::{LogDoubt, LogMemory};

/// What a client file says, with its paths resolved.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClientFile {
    /// The file itself, for messages.
    file: PathBuf,
    /// Where the broker listens.
    pub(crate) address: Uri,
    /// The host of the address, which the broker's certificate must name.
    pub(crate) host: String,
    /// The port of the address.
    pub(crate) port: u16,
    /// Whose brokers are trusted.
    pub(crate) ca: PathBuf,
    /// What the client proves itself with; nothing where it has no certificate yet.
    pub(crate) own: Option<OwnFiles>,
    /// The public key of the broker's log, where receipts are to be proven.
    log_key: Option<PathBuf>,
}

/// With what a client proves itself. Both may be one file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OwnFiles {
    /// The client's certificate and those between it and the authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    address: String,
    ca: PathBuf,
    certificate: PathBuf,
    key: PathBuf,
    log_key: Option<PathBuf>,
}

/// Why a client file is of no use.
#[derive(Debug, thiserror::Error)]
pub enum ClientFileError {
    /// The file, or one that it names, cannot be read.
    #[error("{file}, key `{key}`: {path} cannot be read: {source}")]
    Unreadable {
        /// The client file.
        file: String,
        /// The key; `--as` for the client file itself.
        key: &'static str,
        /// The file that cannot be read.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// It is no TOML, or a key is missing or unknown.
    #[error("{file}{}: {what}; the keys are address, ca, certificate, key and, if wanted, log_key", at(*line))]
    Syntax {
        /// The client file.
        file: String,
        /// The line, from 1, where it is known.
        line: Option<usize>,
        /// What is wrong.
        what: String,
    },
    /// The address is none.
    #[error(
        "{file}, key `address`: an address is https://HOST:PORT, such as https://broker.city.example:8443"
    )]
    Address {
        /// The client file.
        file: String,
    },
    /// A file that is no PEM file with what is needed.
    #[error("{file}, key `{key}`: {path} holds no {} that can be used", noun(key))]
    Pem {
        /// The client file.
        file: String,
        /// The key.
        key: &'static str,
        /// The file that it names.
        path: String,
    },
    /// The private key is not that of the certificate.
    #[error(
        "{file}, key `key`: {key} is not the private key of the certificate, or of a kind that cannot be used"
    )]
    Pair {
        /// The client file.
        file: String,
        /// The file of the private key.
        key: String,
    },
    /// The TLS library cannot be set up.
    #[error("TLS 1.3 cannot be set up; please report this")]
    Tls,
}

fn at(line: Option<usize>) -> String {
    line.map(|line| format!(", line {line}")).unwrap_or_default()
}

fn noun(key: &str) -> &'static str {
    if key == "key" { "private key (PEM)" } else { "certificate (PEM)" }
}

impl ClientFile {
    /// Reads a client file. The files that it names are read when a connection is opened.
    pub fn read(path: &Path) -> Result<Self, ClientFileError> {
        let file = path.display().to_string();
        let text = fs_err::read_to_string(path).map_err(|source| ClientFileError::Unreadable {
            file: file.clone(),
            key: "--as",
            path: file.clone(),
            source,
        })?;
        Self::parse(&text, path)
    }

    /// Understands the text of a client file that stands at `path`.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ClientFileError> {
        let file = path.display().to_string();
        let written: Written = toml::from_str(text).map_err(|error| ClientFileError::Syntax {
            file: file.clone(),
            line: error.span().map(|span| line_of(text, span.start)),
            what: error.message().to_owned(),
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let (address, host, port) =
            parse_address(&written.address).ok_or(ClientFileError::Address { file })?;
        Ok(Self {
            file: path.to_path_buf(),
            address,
            host,
            port,
            ca: folder.join(written.ca),
            own: Some(OwnFiles {
                certificate: folder.join(written.certificate),
                key: folder.join(written.key),
            }),
            log_key: written.log_key.map(|path| folder.join(path)),
        })
    }

    /// What a client needs to ask for its first certificate: the address that enrolment has, and whose brokers are trusted.
    pub fn without_certificate(address: &str, ca: &Path) -> Result<Self, ClientFileError> {
        let file = PathBuf::from("--broker");
        let (address, host, port) = parse_address(address)
            .ok_or(ClientFileError::Address { file: file.display().to_string() })?;
        Ok(Self { file, address, host, port, ca: ca.to_path_buf(), own: None, log_key: None })
    }

    /// The same file, read again.
    pub(crate) fn again(&self) -> Result<Self, ClientFileError> {
        if self.own.is_none() { Ok(self.clone()) } else { Self::read(&self.file) }
    }

    /// Every file that it names.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Path> {
        let own = self.own.iter().flat_map(|own| [&own.certificate, &own.key]);
        std::iter::once(&self.ca).chain(own).map(PathBuf::as_path)
    }

    /// With what the client proves itself.
    pub fn own_files(&self) -> Option<&OwnFiles> {
        self.own.as_ref()
    }

    /// The public key of the broker's log, where receipts are to be proven.
    pub fn log_key(&self) -> Option<&Path> {
        self.log_key.as_deref()
    }

    /// Whose brokers are trusted.
    pub fn ca(&self) -> &Path {
        &self.ca
    }

    /// The host of the address.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The address of the broker.
    pub fn address(&self) -> String {
        let text = self.address.to_string();
        text.strip_suffix('/').unwrap_or(&text).to_owned()
    }

    /// What this client remembers of the broker's log: `NAME.log` beside the client file. Nothing where the file names no
    /// public key of the log.
    pub fn log_memory(&self) -> Result<Option<LogMemory>, LogDoubt> {
        let folder = self.file.with_extension("log");
        let key = self.log_key.as_ref().map(std::slice::from_ref);
        key.map(|key| LogMemory::open(&folder, key)).transpose()
    }

    pub(crate) fn name(&self) -> String {
        self.file.display().to_string()
    }

    pub(crate) fn wrong_pem(&self, key: &'static str, path: &Path) -> ClientFileError {
        ClientFileError::Pem { file: self.name(), key, path: path.display().to_string() }
    }

    pub(crate) fn server_name(&self) -> Result<ServerName<'static>, ClientFileError> {
        ServerName::try_from(self.host.clone())
            .map_err(|_| ClientFileError::Address { file: self.name() })
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|&byte| byte == b'\n').count() + 1
}

fn parse_address(text: &str) -> Option<(Uri, String, u16)> {
    let uri: Uri = text.parse().ok()?;
    let plain = uri.scheme_str() == Some("https")
        && matches!(uri.path(), "" | "/")
        && uri.query().is_none()
        && !uri.authority()?.as_str().contains('@');
    let host = uri.host()?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let port = uri.port_u16().filter(|port| *port > 0)?;
    ServerName::try_from(host).ok()?;
    let host = host.to_owned();
    plain.then_some((uri, host, port))
}

impl Classify for ClientFileError {
    fn kind(&self) -> Kind {
        match self {
            Self::Unreadable { .. }
            | Self::Syntax { .. }
            | Self::Address { .. }
            | Self::Pem { .. }
            | Self::Pair { .. } => Kind::InvalidArgument,
            Self::Tls => Kind::Internal,
        }
    }
}

impl Localised for ClientFileError {
    fn localised(&self, language: Language) -> String {
        if language == Language::English {
            return self.to_string();
        }
        match self {
            Self::Unreadable { file, key, path, source } => {
                let why = source.localised(language);
                format!(
                    "{file} の {key}: {path} を読み込めません（{why}）。場所と権限を確認してください"
                )
            }
            Self::Syntax { file, line, .. } => {
                let line = line.map(|line| format!(" {line} 行目")).unwrap_or_default();
                format!(
                    "{file}{line}: 書式が正しくありません。項目は address, ca, certificate, key と、必要なら log_key です"
                )
            }
            Self::Address { file } => format!(
                "{file} の address: https://ホスト名:ポート の形で指定してください（例 https://broker.city.example:8443）"
            ),
            Self::Pem { file, key, path } => {
                let noun = if *key == "key" { "秘密鍵" } else { "証明書" };
                format!("{file} の {key}: {path} に使用できる{noun}（PEM形式）がありません")
            }
            Self::Pair { file, key } => {
                format!("{file} の key: {key} は証明書に対応する秘密鍵ではありません")
            }
            Self::Tls => "TLS 1.3 を準備できません。開発元に連絡してください".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "address = \"https://broker.city.example:8443\"\nca = \"../pki/ca.crt\"\n\
                        certificate = \"a.crt\"\nkey = \"/keys/a.key\"\n";

    fn parse(text: &str) -> Result<ClientFile, ClientFileError> {
        ClientFile::parse(text, Path::new("clients/a.toml"))
    }

    #[test]
    fn paths_are_relative_to_the_file() {
        let file = parse(GOOD).expect("a client file");
        assert_eq!(file.ca, Path::new("clients/../pki/ca.crt"));
        let own = file.own_files().expect("files");
        assert_eq!(own.certificate, Path::new("clients/a.crt"));
        assert_eq!(own.key, Path::new("/keys/a.key"));
        assert_eq!(file.address(), "https://broker.city.example:8443");
        assert_eq!((file.host.as_str(), file.port), ("broker.city.example", 8443));
        assert_eq!(file.log_key, None);
        let file = parse(&format!("{GOOD}log_key = \"../log.vkey\"\n")).expect("a client file");
        assert_eq!(file.log_key.as_deref(), Some(Path::new("clients/../log.vkey")));
    }

    #[test]
    fn an_address_of_six_groups_loses_its_brackets_as_a_server_name() {
        let file = parse(&GOOD.replace("broker.city.example", "[2001:db8::1]")).expect("a file");
        assert_eq!(file.host, "2001:db8::1");
        file.server_name().expect("a server name");
    }

    #[test]
    fn an_address_that_is_none_is_refused_with_file_and_key() {
        for address in [
            "http://broker.city.example:8443",
            "https://broker.city.example",
            "https://broker.city.example:0",
            "https://broker.city.example:8443/path",
            "https://clerk@broker.city.example:8443",
            "broker.city.example:8443",
            "",
        ] {
            let error = parse(&GOOD.replace("https://broker.city.example:8443", address))
                .expect_err("no address");
            assert!(matches!(error, ClientFileError::Address { .. }), "{address}");
            assert!(error.to_string().starts_with("clients/a.toml, key `address`"));
        }
    }

    #[test]
    fn an_unknown_or_a_missing_key_is_named_with_its_line() {
        let error = parse(&format!("{GOOD}password = \"hunter2\"\n")).expect_err("unknown key");
        let text = error.to_string();
        assert!(text.contains("line 5") && text.contains("password"), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
        let error = parse(&GOOD.replace("ca = ", "# ")).expect_err("missing key");
        assert!(error.to_string().contains("`ca`"), "{error}");
    }

    #[test]
    fn every_error_speaks_japanese() {
        let error = parse("address = 1").expect_err("wrong");
        assert!(error.localised(Language::Japanese).contains("書式"));
        assert_eq!(error.kind(), Kind::InvalidArgument);
    }
}
