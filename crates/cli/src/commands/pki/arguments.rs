//! The arguments of `renkei pki`.

use std::net::IpAddr;
use std::num::NonZeroU16;
use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};
use renkei_pki::{BrokerAddress, HostName, Profile};
use renkei_types::{Digest, Identity, Slug};

#[derive(Debug, Subcommand)]
pub(crate) enum PkiCommand {
    /// Make an authority in a new folder
    Init(InitArguments),
    /// Issue a certificate and its key to a broker, a system or a person
    Issue(IssueArguments),
    /// Issue a certificate once more, for a new key; the older one stays valid
    Renew(RenewArguments),
    /// Revoke a certificate, or all of a name
    Revoke(RevokeArguments),
    /// Make the revocation list anew
    Crl(CrlArguments),
    /// Say what was issued and what expires; exit with 1 if something has expired
    Status(StatusArguments),
}

#[derive(Args, Debug)]
pub(crate) struct InitArguments {
    /// The folder, new or empty
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: PathBuf,

    /// The trust domain: the first part of every identity, such as renkei.city.example
    #[arg(long, value_name = "D")]
    pub(crate) trust_domain: String,
}

#[derive(Args, Debug)]
#[command(group = ArgGroup::new("profile").required(true).args(["broker", "identity"]))]
pub(crate) struct IssueArguments {
    /// The authority's folder
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: PathBuf,

    /// To a broker; needs --dns or --ip
    #[arg(long)]
    pub(crate) broker: bool,

    /// A DNS name by which clients call the broker; may be repeated
    #[arg(long, value_name = "N", conflicts_with = "identity")]
    pub(crate) dns: Vec<HostName>,

    /// An address by which clients call the broker; may be repeated
    #[arg(long, value_name = "A", conflicts_with = "identity")]
    pub(crate) ip: Vec<IpAddr>,

    /// To a system or a person: spiffe://D/CODE/BODY/system/NAME or .../person/STAFF_ID
    #[arg(long, value_name = "SPIFFE_ID")]
    pub(crate) identity: Option<Identity>,

    /// Name of the certificate and its files; `broker` or the last part of the identity otherwise
    #[arg(long, value_name = "FILE_NAME")]
    pub(crate) name: Option<Slug>,

    /// Days of validity; those of certs/profiles.toml otherwise
    #[arg(long, value_name = "N")]
    pub(crate) days: Option<NonZeroU16>,

    /// Where NAME.crt and NAME.key go; the authority's folder otherwise
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) request: RequestFileArguments,

    /// Also write a file for `--as`
    #[arg(long, value_name = "FILE.toml", requires = "address", conflicts_with_all = ["broker", "csr"])]
    pub(crate) client_file: Option<PathBuf>,

    /// The broker that the client file names
    #[arg(long, value_name = "https://HOST:PORT", requires = "client_file")]
    pub(crate) address: Option<BrokerAddress>,
}

/// A request for a certificate of a key that its owner has made and keeps.
#[derive(Args, Debug)]
pub(crate) struct RequestFileArguments {
    /// Certify the key of this request (PKCS#10, PEM) instead of making one; only NAME.crt is written
    #[arg(long, value_name = "FILE.csr", requires = "fingerprint")]
    pub(crate) csr: Option<PathBuf>,

    /// The key's fingerprint as its owner told you, not as it came with the request
    #[arg(long, value_name = "sha256:...", requires = "csr")]
    pub(crate) fingerprint: Option<Digest>,
}

impl IssueArguments {
    /// What the certificate is issued for.
    pub(super) fn profile(&self) -> Profile {
        match &self.identity {
            Some(identity) => Profile::Client { identity: identity.clone() },
            None => Profile::Broker { dns: self.dns.clone(), ips: self.ip.clone() },
        }
    }
}

#[derive(Args, Debug)]
pub(crate) struct RenewArguments {
    /// The authority's folder
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: PathBuf,

    /// Name or serial number
    #[arg(value_name = "NAME")]
    pub(crate) name: String,

    /// Days of validity; those of certs/profiles.toml otherwise
    #[arg(long, value_name = "N")]
    pub(crate) days: Option<NonZeroU16>,

    #[command(flatten)]
    pub(crate) request: RequestFileArguments,

    /// Where NAME.crt and NAME.key are replaced or go; otherwise they are replaced in the authority's folder
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct RevokeArguments {
    /// The authority's folder
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: PathBuf,

    /// Name, which means its renewals too, or serial number
    #[arg(value_name = "NAME|SERIAL")]
    pub(crate) name: String,

    /// Revoke; without it only say what would be revoked
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Args, Debug)]
pub(crate) struct CrlArguments {
    /// The authority's folder
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: PathBuf,

    /// Days until the next one is due; those of certs/profiles.toml otherwise
    #[arg(long, value_name = "N")]
    pub(crate) days: Option<NonZeroU16>,
}

#[derive(Args, Debug)]
pub(crate) struct StatusArguments {
    /// The authority's folder
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: PathBuf,
}
