//! The configuration of one broker: one TOML file, read once at the start.
//!
//! A typo must never become a default: unknown keys are refused, durations carry their unit, and what makes no sense is
//! refused before a port is open, with file, line and key. Paths are meant from the folder of the file. A secret is only
//! ever the path of a file, so the configuration itself may be printed and committed.
//! Whether the files exist is left to those who open them.

mod duration;
mod error;
mod limits;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use renkei_exchange::{HandedKeys, StorePaths};
use renkei_types::{Digest, Identity};
use serde::{Deserialize, Serialize};

pub use duration::{DurationText, InvalidDuration};
pub use error::{ConfigError, Place, Rule};
pub use limits::Limits;

/// Everything that an operator decides about one broker.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct BrokerConfig {
    /// Where clients connect; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where metrics are read, in plain HTTP and without a password; absent: nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics_listen: Option<SocketAddr>,
    /// Where those ask for their first certificate who have none, with a one-time token; absent: nowhere. Nothing else is
    /// answered there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enrolment_listen: Option<SocketAddr>,
    /// Whose certificates these are: the domain of every identity.
    pub trust_domain: String,
    /// The folder of the journal, the blobs, the cache and the log.
    pub store: PathBuf,
    /// The folder of `root.key` and `log.key`, outside the store.
    pub keys: PathBuf,
    /// The root key, where a service manager hands it over: `$CREDENTIALS_DIRECTORY/NAME`. Absent: `root.key` in `keys`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_key: Option<PathBuf>,
    /// The same for the log's key. Absent: `log.key` in `keys`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_key: Option<PathBuf>,
    /// Identities that are operators before anybody was registered.
    pub founders: Vec<Identity>,
    /// Certificates.
    pub tls: TlsConfig,
    /// The audit log.
    pub log: LogConfig,
    /// Who has to cosign the log before money leaves; absent: nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witness: Option<WitnessConfig>,
    /// What clients may use up.
    #[serde(default)]
    pub limits: Limits,
    /// Calls per minute of single callers, in the place of `limits.calls_per_minute_max`.
    #[serde(default)]
    pub quotas: BTreeMap<Identity, u32>,
    /// Logs of the process and metrics.
    #[serde(default)]
    pub telemetry: TelemetryConfig,
}

/// The `[tls]` section. All files are PEM and are read again when they change.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// The broker's certificate, then the intermediates if there are any.
    pub certificate: PathBuf,
    /// The private key of that certificate; `$CREDENTIALS_DIRECTORY/NAME` for a credential of systemd.
    pub key: PathBuf,
    /// The authorities that issue clients' certificates; two while one replaces the other.
    pub client_ca: PathBuf,
    /// A revocation list of each of them.
    pub crl: PathBuf,
    /// How often the files are looked at, at most every 30s: that is how long a revoked client may still be served.
    /// Default 5s.
    #[serde(with = "duration", default = "reload_interval")]
    pub reload_interval: Duration,
}

/// The `[log]` section.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LogConfig {
    /// The name of the log in checkpoints, which never changes.
    pub origin: String,
    /// How often a checkpoint is signed, if anything was written. Default 1s.
    #[serde(with = "duration", default = "checkpoint_interval")]
    pub checkpoint_interval: Duration,
}

/// The `[witness]` section.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WitnessConfig {
    /// The policy (C2SP tlog-policy): the witnesses, where they are asked, and how many have to cosign.
    pub policy: PathBuf,
    /// The authorities that issue the certificates of the witnesses (PEM); absent where all of them are on this machine or
    /// brought by courier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// How long releases and exports go on after enough witnesses have cosigned. Default 4h.
    #[serde(with = "duration", default = "grace")]
    pub grace: Duration,
    /// How often witnesses are asked at most while the log grows. Default 30s.
    #[serde(with = "duration", default = "witness_interval")]
    pub interval: Duration,
    /// How long one answer may take. Default 10s.
    #[serde(with = "duration", default = "witness_patience")]
    pub patience: Duration,
}

/// The `[telemetry]` section.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct TelemetryConfig {
    /// For machines or for eyes. Default json.
    pub log_format: LogFormat,
    /// A level, or pairs of module and level. Default info.
    pub log_level: String,
}

/// The form of the process log.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// One JSON object a line.
    #[default]
    Json,
    /// One sentence a line.
    Text,
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self { log_format: LogFormat::default(), log_level: "info".to_owned() }
    }
}

/// Where systemd tells a service in which folder its credentials are. A path that begins with this variable lies there.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// The longest a revocation list may lie unread.
const RELOAD_INTERVAL_MAX: Duration = Duration::from_secs(30);

fn reload_interval() -> Duration {
    Duration::from_secs(5)
}

fn grace() -> Duration {
    Duration::from_secs(4 * 60 * 60)
}

fn witness_interval() -> Duration {
    Duration::from_secs(30)
}

fn witness_patience() -> Duration {
    Duration::from_secs(10)
}

fn checkpoint_interval() -> Duration {
    Duration::from_secs(1)
}

impl BrokerConfig {
    /// Reads and checks the file at `path`.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let unreadable = |source| ConfigError::Unreadable { file: path.to_owned(), source };
        let text = fs_err::read_to_string(path)
            .map_err(|error| unreadable(std::io::Error::from(error.kind())))?;
        let credentials = std::env::var_os(CREDENTIALS).map(PathBuf::from);
        Self::parse_with(&text, path, credentials.as_deref())
    }

    /// Reads and checks `text` as the content of `file`, whose folder relative paths are meant from.
    pub fn parse(text: &str, file: &Path) -> Result<Self, ConfigError> {
        Self::parse_with(text, file, None)
    }

    /// The same where a service manager hands over secrets in a folder, `credentials`.
    fn parse_with(
        text: &str,
        file: &Path,
        credentials: Option<&Path>,
    ) -> Result<Self, ConfigError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut config: Self =
            toml::from_str(text).map_err(|error| ConfigError::of_toml(file, text, &error))?;
        if let Some((key, rule)) = config.broken_rule() {
            return Err(ConfigError::of_key(file, text, key, rule));
        }
        let folder = file.parent().unwrap_or(Path::new(""));
        for (key, path) in config.paths_mut() {
            *path = match (path.strip_prefix(format!("${CREDENTIALS}")), credentials) {
                (Err(_), _) => folder.join(&*path),
                (Ok(name), Some(credentials)) => credentials.join(name),
                (Ok(_), None) => {
                    return Err(ConfigError::of_key(file, text, key, Rule::Credentials));
                }
            };
        }
        Ok(config)
    }

    /// Where the folders and keys of this broker are.
    pub fn store_paths(&self) -> StorePaths {
        StorePaths {
            store: self.store.clone(),
            keys: self.keys.clone(),
            handed: HandedKeys { root: self.root_key.clone(), log: self.log_key.clone() },
        }
    }

    /// The digest of what is in force, defaults included. There is no secret in it, only where secrets are.
    pub fn digest(&self) -> Digest {
        // A path that is no text has no TOML form.
        let text = toml::to_string(self).unwrap_or_else(|_| format!("{self:?}"));
        Digest::of(text.as_bytes())
    }

    fn paths_mut(&mut self) -> impl Iterator<Item = (&'static str, &mut PathBuf)> {
        let Self { store, keys, root_key, log_key, tls, witness, .. } = self;
        let always = [
            ("store", store),
            ("keys", keys),
            ("tls.certificate", &mut tls.certificate),
            ("tls.key", &mut tls.key),
            ("tls.client_ca", &mut tls.client_ca),
            ("tls.crl", &mut tls.crl),
        ];
        let (policy, ca) = match witness {
            Some(witness) => (Some(&mut witness.policy), witness.ca.as_mut()),
            None => (None, None),
        };
        let perhaps = [
            ("root_key", root_key.as_mut()),
            ("log_key", log_key.as_mut()),
            ("witness.policy", policy),
            ("witness.ca", ca),
        ];
        always.into_iter().chain(perhaps.into_iter().filter_map(|(key, path)| Some((key, path?))))
    }

    /// The first rule that does not hold, and its key.
    fn broken_rule(&self) -> Option<(&'static str, Rule)> {
        // The grammar of a trust domain is that of identities, which therefore decide.
        let sample = format!("spiffe://{}/131016/broker/system/sample", self.trust_domain);
        if sample.parse::<Identity>().is_err() {
            return Some(("trust_domain", Rule::TrustDomain));
        }
        if self.founders.is_empty() {
            return Some(("founders", Rule::NoFounder));
        }
        for (index, founder) in self.founders.iter().enumerate() {
            if founder.trust_domain() != self.trust_domain {
                return Some(("founders", Rule::ForeignFounder));
            }
            if self.founders[..index].contains(founder) {
                return Some(("founders", Rule::RepeatedFounder));
            }
        }
        if self.metrics_listen.is_some_and(|metrics| metrics == self.listen && metrics.port() != 0)
        {
            return Some(("metrics_listen", Rule::SamePort));
        }
        let enrolment = self.enrolment_listen.filter(|enrolment| enrolment.port() != 0);
        if enrolment.is_some_and(|it| it == self.listen || Some(it) == self.metrics_listen) {
            return Some(("enrolment_listen", Rule::SamePort));
        }
        for (key, path) in [("root_key", &self.root_key), ("log_key", &self.log_key)] {
            // A file beside the others would only be another place to forget.
            let is_handed = |path: &PathBuf| path.starts_with(format!("${CREDENTIALS}"));
            if path.as_ref().is_some_and(|path| !is_handed(path)) {
                return Some((key, Rule::NoCredential));
            }
        }
        if self.keys.starts_with(&self.store) {
            return Some(("keys", Rule::KeysInsideStore));
        }
        let origin = &self.log.origin;
        let forbidden = |c: char| c.is_whitespace() || c.is_control() || c == '+';
        if origin.is_empty() || origin.len() > 255 || origin.contains(forbidden) {
            return Some(("log.origin", Rule::Origin));
        }
        if crate::telemetry::log_filter(&self.telemetry.log_level).is_err() {
            return Some(("telemetry.log_level", Rule::LogLevel));
        }
        if self.tls.reload_interval > RELOAD_INTERVAL_MAX {
            // Revocation is to work within a minute.
            return Some(("tls.reload_interval", Rule::ReloadInterval));
        }
        for (caller, calls) in &self.quotas {
            if caller.trust_domain() != self.trust_domain {
                return Some(("quotas", Rule::ForeignCaller));
            }
            let most = limits::CALLS_PER_MINUTE_MOST;
            if *calls == 0 || u64::from(*calls) > most {
                return Some(("quotas", Rule::Range { least: 1, most }));
            }
        }
        if self.witness.as_ref().is_some_and(|it| it.interval + it.patience > it.grace / 2) {
            // One answer that is missed must not stop releases.
            return Some(("witness.grace", Rule::Grace));
        }
        let found = self.limits.out_of_range()?;
        Some((found.key, Rule::Range { least: found.least, most: found.most }))
    }
}
