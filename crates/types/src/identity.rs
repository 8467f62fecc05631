//! Who a client is, as its certificate says it.
//!
//! A certificate carries one SPIFFE URI (`spiffe://<trust domain>/<municipality code>/<body>/system/<name>` or
//! `.../person/<staff id>`; <https://spiffe.io/docs/latest/spiffe-about/spiffe-concepts/>). Nothing else in it names
//! anybody: a common name is decoration. Roles are not in the certificate but in the directory.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A short ASCII name: `a-z`, `0-9`, `-` and `_`, 1 to 64 of them, beginning with a letter or a digit.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Slug(Box<str>);

/// The text is not a slug.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a name is 1 to 64 of a-z, 0-9, - and _, and begins with a letter or a digit")]
pub struct InvalidSlug;

impl Slug {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Slug {
    type Err = InvalidSlug;

    fn from_str(text: &str) -> Result<Self, InvalidSlug> {
        let allowed =
            |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-' || c == b'_';
        let begins = text.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric);
        if text.len() > 64 || !begins || !text.bytes().all(allowed) {
            return Err(InvalidSlug);
        }
        Ok(Self(text.into()))
    }
}

/// A legal body: a municipality and one of its bodies. Text form `131016/benefits`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct AgencyId {
    municipality: Box<str>,
    body: Slug,
}

impl AgencyId {
    /// The municipality code (団体コード): 6 digits, the last a check digit.
    pub fn municipality(&self) -> &str {
        &self.municipality
    }

    /// The body within the municipality.
    pub fn body(&self) -> &Slug {
        &self.body
    }
}

/// Why a text names nobody.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidIdentity {
    /// Not a SPIFFE URI.
    #[error("an identity begins with spiffe://")]
    Scheme,
    /// The parts after the scheme are not as they should be.
    #[error(
        "an identity is spiffe://<trust domain>/<municipality code>/<body>/system/<name> or .../person/<staff id>"
    )]
    Shape,
    /// The municipality code has another length, another character or another check digit.
    #[error("a municipality code is 6 digits of which the last is a check digit")]
    Municipality,
    /// A part is not a slug.
    #[error(transparent)]
    Slug(#[from] InvalidSlug),
}

impl FromStr for AgencyId {
    type Err = InvalidIdentity;

    fn from_str(text: &str) -> Result<Self, InvalidIdentity> {
        let (municipality, body) = text.split_once('/').ok_or(InvalidIdentity::Shape)?;
        if !is_municipality_code(municipality) {
            return Err(InvalidIdentity::Municipality);
        }
        Ok(Self { municipality: municipality.into(), body: body.parse()? })
    }
}

impl fmt::Display for AgencyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.municipality, self.body.as_str())
    }
}

/// Weights 6 5 4 3 2; the check digit is (11 - sum mod 11) mod 10 (総務省 全国地方公共団体コード).
fn is_municipality_code(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(10)).collect();
    if text.len() != 6 || digits.len() != 6 {
        return false;
    }
    let sum: u32 = digits.iter().zip([6, 5, 4, 3, 2]).map(|(digit, weight)| digit * weight).sum();
    (11 - sum % 11) % 10 == digits[5]
}

/// A system or a person of an agency.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Identity {
    trust_domain: Box<str>,
    agency: AgencyId,
    kind: IdentityKind,
    name: Slug,
}

/// Whether a client is a machine or a human being.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum IdentityKind {
    /// A system.
    System,
    /// A person, named by an opaque staff id.
    Person,
}

impl Identity {
    /// The trust domain: whose certificates these are.
    pub fn trust_domain(&self) -> &str {
        &self.trust_domain
    }

    /// The agency it belongs to.
    pub fn agency(&self) -> &AgencyId {
        &self.agency
    }

    /// A system or a person.
    pub fn kind(&self) -> IdentityKind {
        self.kind
    }

    /// Its name within the agency.
    pub fn name(&self) -> &Slug {
        &self.name
    }
}

impl FromStr for Identity {
    type Err = InvalidIdentity;

    fn from_str(text: &str) -> Result<Self, InvalidIdentity> {
        let rest = text.strip_prefix("spiffe://").ok_or(InvalidIdentity::Scheme)?;
        let parts: Vec<&str> = rest.split('/').collect();
        let [trust_domain, municipality, body, kind, name] = parts[..] else {
            return Err(InvalidIdentity::Shape);
        };
        let in_domain =
            |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'.' | b'-' | b'_');
        if trust_domain.is_empty()
            || trust_domain.len() > 255
            || !trust_domain.bytes().all(in_domain)
        {
            return Err(InvalidIdentity::Shape);
        }
        let kind = match kind {
            "system" => IdentityKind::System,
            "person" => IdentityKind::Person,
            _ => return Err(InvalidIdentity::Shape),
        };
        let agency = format!("{municipality}/{body}").parse()?;
        Ok(Self { trust_domain: trust_domain.into(), agency, kind, name: name.parse()? })
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            IdentityKind::System => "system",
            IdentityKind::Person => "person",
        };
        write!(f, "spiffe://{}/{}/{kind}/{}", self.trust_domain, self.agency, self.name.as_str())
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! as_text {
    ($($name:ident),+) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}

as_text!(AgencyId, Identity, Slug);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_parses_back() {
        for text in [
            "spiffe://renkei.example/131016/benefits/system/payments",
            "spiffe://renkei.example/011002/residents/person/c-0042",
        ] {
            let identity: Identity = text.parse().expect("an identity");
            assert_eq!(identity.to_string(), text);
        }
    }

    #[test]
    fn what_is_not_an_identity_is_refused_with_the_part_that_is_wrong() {
        for (text, why) in [
            ("https://renkei.example/131016/benefits/system/x", InvalidIdentity::Scheme),
            ("spiffe://renkei.example/131016/benefits/system", InvalidIdentity::Shape),
            ("spiffe://renkei.example/131016/benefits/system/x/y", InvalidIdentity::Shape),
            ("spiffe://renkei.example/131016/benefits/robot/x", InvalidIdentity::Shape),
            ("spiffe:///131016/benefits/system/x", InvalidIdentity::Shape),
            ("spiffe://renkei.example/131017/benefits/system/x", InvalidIdentity::Municipality),
            ("spiffe://renkei.example/13101/benefits/system/x", InvalidIdentity::Municipality),
            ("spiffe://renkei.example/131016/Benefits/system/x", InvalidSlug.into()),
            ("spiffe://renkei.example/131016/benefits/system/田中", InvalidSlug.into()),
        ] {
            assert_eq!(text.parse::<Identity>(), Err(why), "{text}");
        }
    }
}
