//! The city of the demo: who takes part, with which certificate and in which role.
//!
//! 131016 is a real municipality code, because an invented one would fail its check digit; everything that it names here
//! is made up and called 見本市, the sample city.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use renkei_api::v1::Role;
use renkei_api::{Call, ClientFile, Connection, StreamCall, new_request_id};
use renkei_pki::{Authority, BrokerAddress, CertificateFiles, Profile, Validity};
use renkei_types::{Entropy, Identity, Slug};

use super::folder::{DemoFolder, Ports};
use crate::environment::{Environment, SystemClock};
use crate::failure::Failure;

pub(super) const TRUST_DOMAIN: &str = "renkei.example";
pub(super) const MUNICIPALITY: &str = "131016";
pub(super) const LOG_ORIGIN: &str = "renkei.example/audit/131016";
/// Operators from the start.
pub(super) const FOUNDERS: [&str; 2] = ["operator-1", "operator-2"];

/// Bodies of the city, with their names for people.
pub(super) const BODIES: [(&str, &str); 5] = [
    ("operations", "見本市 情報政策課"),
    ("residents", "見本市 市民課"),
    ("benefits", "見本市 給付金室"),
    ("treasury", "見本市 会計課"),
    ("audit", "見本市 監査委員事務局"),
];

/// A system or a person of the city.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: &'static str,
    pub(super) body: &'static str,
    kind: &'static str,
    pub(super) role: Role,
}

const fn person(name: &'static str, body: &'static str, role: Role) -> Member {
    Member { name, body, kind: "person", role }
}

const fn system(name: &'static str, body: &'static str, role: Role) -> Member {
    Member { name, body, kind: "system", role }
}

/// Everybody who calls the broker.
pub(super) const MEMBERS: [Member; 15] = [
    person("operator-1", "operations", Role::Operator),
    person("operator-2", "operations", Role::Operator),
    person("residents-operator", "residents", Role::Operator),
    person("benefits-operator", "benefits", Role::Operator),
    system("register", "residents", Role::Submitter),
    system("payments", "benefits", Role::Submitter),
    person("clerk-1", "benefits", Role::Clerk),
    person("clerk-2", "benefits", Role::Clerk),
    person("certifier-1", "benefits", Role::Certifier),
    person("certifier-2", "benefits", Role::Certifier),
    person("protector-1", "benefits", Role::Protector),
    person("protector-2", "benefits", Role::Protector),
    system("counter", "benefits", Role::Consumer),
    system("transfers", "treasury", Role::Consumer),
    person("auditor-1", "audit", Role::Auditor),
];

/// A body as the directory names it.
pub(super) fn agency(body: &str) -> String {
    format!("{MUNICIPALITY}/{body}")
}

/// The member of this name.
pub(super) fn member(name: &str) -> &'static Member {
    // Unwrap safety: names are written in this crate only, and a test looks every one of them up.
    MEMBERS.iter().find(|member| member.name == name).expect("a member of the city")
}

impl Member {
    /// Its identity.
    pub(super) fn identity(&self) -> Identity {
        let Self { name, body, kind, .. } = self;
        let text = format!("spiffe://{TRUST_DOMAIN}/{MUNICIPALITY}/{body}/{kind}/{name}");
        // Unwrap safety: the table above holds names only, which a test reads one by one.
        text.parse().expect("a name of the table makes an identity")
    }

    fn slug(&self) -> Slug {
        // Unwrap safety: as above.
        self.name.parse().expect("a name of the table is a name")
    }
}

/// Makes the authority, and a certificate for the broker and for every member; answers how many there are.
pub(super) fn issue_certificates(
    folder: &DemoFolder,
    clock: SystemClock,
    entropy: &dyn Entropy,
) -> Result<usize, Failure> {
    let mut authority = Authority::init(&folder.pki(), TRUST_DOMAIN, &clock, entropy)?;
    let localhost = "localhost".parse();
    let broker = Profile::Broker {
        // Unwrap safety: the word is a host name.
        dns: vec![localhost.expect("a host name")],
        ips: vec![IpAddr::V4(Ipv4Addr::LOCALHOST)],
    };
    let issued = authority.issue(&broker, Validity::Standard)?;
    CertificateFiles::new(&folder.pki(), &broker.default_name()).write(&issued)?;
    for member in &MEMBERS {
        let profile = Profile::Client { identity: member.identity() };
        let issued = authority.issue_as(&member.slug(), &profile, Validity::Standard)?;
        CertificateFiles::new(&folder.clients(), &member.slug()).write(&issued)?;
    }
    Ok(MEMBERS.len() + 1)
}

/// Writes the client file of every member.
pub(super) fn write_client_files(folder: &DemoFolder, ports: Ports) -> Result<(), Failure> {
    let address: BrokerAddress = format!("https://127.0.0.1:{}", ports.broker).parse()?;
    for member in &MEMBERS {
        let files = CertificateFiles::new(&folder.clients(), &member.slug());
        let client = renkei_pki::ClientFile {
            address: address.clone(),
            ca: folder.pki().join("ca.crt"),
            certificate: files.certificate,
            key: files.key,
            log_key: None,
        };
        client.write(&folder.client_file(member.name))?;
    }
    Ok(())
}

/// Connects members to the broker.
pub(super) struct City<'e> {
    pub(super) environment: &'e Environment,
    pub(super) folder: DemoFolder,
    pub(super) entropy: Arc<dyn Entropy>,
}

impl City<'_> {
    /// A connection with the certificate of a member.
    pub(super) fn connect(&self, name: &str) -> Result<Client, Failure> {
        let file = ClientFile::read(&self.folder.client_file(member(name).name))?;
        let entropy = Arc::clone(&self.entropy);
        let connection = Connection::open(&file, Arc::clone(&entropy))?;
        Ok(Client { connection, clock: self.environment.clock, entropy })
    }
}

/// A member that is connected.
pub(super) struct Client {
    pub(super) connection: Connection,
    clock: SystemClock,
    entropy: Arc<dyn Entropy>,
}

impl Client {
    /// An id for a call that changes something.
    pub(super) fn request_id(&self) -> String {
        new_request_id(&self.clock, &*self.entropy).to_string()
    }

    /// Makes a call.
    pub(super) async fn ask<C: Call>(&self, call: C) -> Result<C::Answer, Failure> {
        Ok(self.connection.call(call).await?)
    }

    /// Asks for a stream, and passes every answer on.
    pub(super) async fn each<C: StreamCall>(
        &self,
        call: C,
        mut take: impl FnMut(C::Part) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut answers = self.connection.stream(call).await?;
        while let Some(answer) = answers.next().await? {
            take(answer)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_has_an_identity_in_a_body_of_the_city() {
        for one in &MEMBERS {
            assert_eq!(one.identity().name().as_str(), one.name);
            assert_eq!(one.slug().as_str(), one.name);
            assert!(BODIES.iter().any(|(body, _)| *body == one.body), "{}", one.name);
        }
        for founder in FOUNDERS {
            assert_eq!(member(founder).role, Role::Operator);
        }
    }

    #[test]
    fn whoever_is_connected_by_name_is_a_member() {
        let sources = [
            include_str!("directory.rs"),
            include_str!("upload.rs"),
            include_str!("linkage.rs"),
            include_str!("review.rs"),
            include_str!("money.rs"),
            include_str!("counter.rs"),
            include_str!("audit.rs"),
        ];
        let mut found = 0;
        for source in sources {
            for rest in source.split("connect(\"").skip(1) {
                let name = rest.split('"').next().unwrap_or_default();
                assert!(MEMBERS.iter().any(|member| member.name == name), "{name}");
                found += 1;
            }
        }
        assert!(found >= 8, "the calls have moved");
    }
}
