//! A DNS name in a certificate.

use std::fmt;
use std::str::FromStr;

use renkei_types::{Classify, Kind, Language, Localised};
use rustls_pki_types::DnsName;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A DNS name by which a broker is called, in lower case. No wildcard: a certificate names what it is for.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct HostName(Box<str>);

/// The text is not a DNS name.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "a host name is a DNS name such as broker.city.example, without a wildcard; give an address with --ip"
)]
pub struct InvalidHostName;

impl HostName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for HostName {
    type Err = InvalidHostName;

    fn from_str(text: &str) -> Result<Self, InvalidHostName> {
        // A name in a certificate has no final dot; a client would compare it in vain.
        match DnsName::try_from(text) {
            Ok(_) if !text.ends_with('.') => Ok(Self(text.to_ascii_lowercase().into())),
            Ok(_) | Err(_) => Err(InvalidHostName),
        }
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for HostName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for HostName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Classify for InvalidHostName {
    fn kind(&self) -> Kind {
        Kind::InvalidArgument
    }
}

impl Localised for InvalidHostName {
    fn localised(&self, language: Language) -> String {
        language.pick(
            self.to_string(),
            "ホスト名は broker.city.example のようなDNS名で指定してください（ワイルドカード不可。アドレスは --ip）".to_owned(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_host_in_lower_case() {
        let name: HostName = "Broker.City.Example".parse().expect("a name");
        assert_eq!(name.as_str(), "broker.city.example");
        for text in ["", "*.city.example", "city.example.", "192.0.2.1", "a b", "区.example", "::1"]
        {
            assert_eq!(text.parse::<HostName>(), Err(InvalidHostName), "{text}");
        }
    }
}
