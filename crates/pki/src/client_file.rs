//! Client files: with which certificate a command or a program calls which broker (`--as FILE.toml`).
//!
//! ```toml
//! address = "https://broker.city.example:8443"
//! ca = "../pki/ca.crt"
//! certificate = "payments.crt"
//! key = "payments.key"
//! ```
//!
//! Paths are relative to the file, so that a folder can be moved or mounted elsewhere.

use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

use renkei_types::{Classify, Kind, Language, Localised};
use rustls_pki_types::ServerName;
use serde::{Deserialize, Serialize};

use crate::error::PkiError;
use crate::folder::{self, Readers, folder_of};

/// Where a broker listens: `https://HOST:PORT`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct BrokerAddress(String);

/// The text is not the address of a broker.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("an address is https://HOST:PORT, such as https://broker.city.example:8443")]
pub struct InvalidAddress;

impl BrokerAddress {
    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for BrokerAddress {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let rest = text.strip_prefix("https://").ok_or(InvalidAddress)?;
        let (host, port) = rest.rsplit_once(':').ok_or(InvalidAddress)?;
        // An IPv6 address stands in brackets, as its colons could be those of the port.
        let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let is_host = match bracketed {
            Some(host) => host.parse::<std::net::Ipv6Addr>().is_ok(),
            None => !host.contains(':') && ServerName::try_from(host).is_ok(),
        };
        let is_port = port.bytes().all(|c| c.is_ascii_digit())
            && port.parse::<u16>().is_ok_and(|port| port > 0);
        if is_host && is_port { Ok(Self(text.to_owned())) } else { Err(InvalidAddress) }
    }
}

impl TryFrom<String> for BrokerAddress {
    type Error = InvalidAddress;

    fn try_from(text: String) -> Result<Self, InvalidAddress> {
        text.parse()
    }
}

impl From<BrokerAddress> for String {
    fn from(address: BrokerAddress) -> Self {
        address.0
    }
}

impl fmt::Display for BrokerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Classify for InvalidAddress {
    fn kind(&self) -> Kind {
        Kind::InvalidArgument
    }
}

impl Localised for InvalidAddress {
    fn localised(&self, language: Language) -> String {
        language.pick(
            self.to_string(),
            "アドレスは https://ホスト名:ポート の形で指定してください（例 https://broker.city.example:8443）".to_owned(),
        )
    }
}

/// What a client file says. The paths are as they stand in it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ClientFile {
    /// Where the broker listens.
    pub address: BrokerAddress,
    /// The authority whose brokers are trusted.
    pub ca: PathBuf,
    /// The client's certificate.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// The public key of the broker's log, by which receipts are proven. It may come later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_key: Option<PathBuf>,
}

impl ClientFile {
    /// Writes a new client file, its paths relative to it; one that is there is not overwritten. Makes the folder.
    pub fn write(self, at: &Path) -> Result<(), PkiError> {
        Self::require_absent(at)?;
        self.replace(at)
    }

    /// The same, in one step in the place of one that is there.
    pub fn replace(self, at: &Path) -> Result<(), PkiError> {
        let dir = folder_of(at);
        fs_err::create_dir_all(dir).map_err(|error| PkiError::file(dir, error))?;
        let client = Self {
            ca: relative(dir, &self.ca)?,
            certificate: relative(dir, &self.certificate)?,
            key: relative(dir, &self.key)?,
            log_key: self.log_key.map(|key| relative(dir, &key)).transpose()?,
            address: self.address,
        };
        // The paths are text, as `relative` made sure.
        let text = toml::to_string(&client)
            .map_err(|_| PkiError::file(at, std::io::ErrorKind::InvalidFilename.into()))?;
        folder::write(at, text.as_bytes(), Readers::Anybody)
    }

    /// Refuses if the file is there: ask before issuing.
    pub fn require_absent(at: &Path) -> Result<(), PkiError> {
        if at.symlink_metadata().is_ok() {
            return Err(PkiError::FileExists { file: at.to_path_buf() });
        }
        Ok(())
    }
}

/// The way from a folder to a file, both of which exist.
fn relative(dir: &Path, file: &Path) -> Result<PathBuf, PkiError> {
    let real =
        |path: &Path| fs_err::canonicalize(path).map_err(|error| PkiError::file(path, error));
    let (from, to) = (real(dir)?, real(file)?);
    let (from, to): (Vec<_>, Vec<_>) = (from.components().collect(), to.components().collect());
    let shared = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
    if shared == 0 {
        // Another drive has no relative way.
        return Ok(to.iter().collect());
    }
    let up = from[shared..].iter().map(|_| Component::ParentDir);
    let way: PathBuf = up.chain(to[shared..].iter().copied()).collect();
    match way.to_str() {
        Some(_) => Ok(way),
        None => Err(PkiError::file(file, std::io::ErrorKind::InvalidFilename.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_scheme_host_and_port() {
        for text in
            ["https://broker.city.example:8443", "https://192.0.2.1:443", "https://[2001:db8::1]:1"]
        {
            assert_eq!(text.parse::<BrokerAddress>().expect("an address").as_str(), text);
        }
        for text in [
            "broker.city.example:8443",
            "http://broker.city.example:8443",
            "https://broker.city.example",
            "https://broker.city.example:0",
            "https://broker.city.example:+1",
            "https://broker.city.example:99999",
            "https://broker.city.example:8443/",
            "https://clerk@broker.city.example:8443",
            "https://2001:db8::1:443",
            "https://:443",
        ] {
            assert_eq!(text.parse::<BrokerAddress>(), Err(InvalidAddress), "{text}");
        }
    }

    #[test]
    fn a_client_file_names_its_neighbours_and_is_not_overwritten() {
        let dir = tempfile::tempdir().expect("a folder");
        let place = |name: &str| dir.path().join(name);
        fs_err::create_dir_all(place("pki")).expect("a folder");
        for name in ["pki/ca.crt", "pki/a.crt", "pki/a.key"] {
            fs_err::write(place(name), "").expect("written");
        }
        let client = ClientFile {
            address: "https://localhost:1".parse().expect("an address"),
            ca: place("pki/ca.crt"),
            certificate: place("pki/../pki/a.crt"),
            key: place("pki/a.key"),
            log_key: None,
        };
        let at = place("clients/deep/a.toml");
        client.clone().write(&at).expect("written");
        let read: ClientFile =
            toml::from_str(&fs_err::read_to_string(&at).expect("read")).expect("a client file");
        assert_eq!(read.ca, Path::new("../../pki/ca.crt"));
        assert_eq!(read.certificate, Path::new("../../pki/a.crt"));
        assert_eq!(read.key, Path::new("../../pki/a.key"));
        assert!(matches!(client.write(&at), Err(PkiError::FileExists { .. })));
    }
}
