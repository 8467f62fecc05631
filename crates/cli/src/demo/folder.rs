//! The folder that a demo leaves: a broker's configuration, keys and store, client files, and what the tour produced.
//!
//! ```text
//! DIR/broker.toml  pki/  keys/  store/  clients/NAME.{toml,crt,key}  files/  bundle/  log.vkey  report.html
//! ```
//! An earlier demo is known by the first line of its `broker.toml` and replaced; anything else is left alone. All paths
//! inside are relative, so the folder may be moved and `renkei serve --config DIR/broker.toml` goes on where the tour
//! ended.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use super::city::{FOUNDERS, LOG_ORIGIN, TRUST_DOMAIN, member};
use super::error::DemoError;
use crate::commands::write_text;
use crate::failure::{CommandError, Failure};

/// What the first line of a demo's `broker.toml` begins with.
const MARKER: &str = "# renkei demo";

/// What a demo writes, and so may remove.
const ENTRIES: [&str; 9] = [
    "pki",
    "keys",
    "store",
    "clients",
    "files",
    "bundle",
    "log.vkey",
    "report.html",
    "broker.toml",
];

/// The port on which a demo's broker listens if nobody else does.
const USUAL_PORT: u16 = 7443;

/// The ports of a demo's broker.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Ports {
    pub(super) broker: u16,
    pub(super) metrics: u16,
}

impl Ports {
    /// The usual ones, or others that are free.
    pub(super) fn choose() -> Result<Self, DemoError> {
        // Port 0 is any free one; the one above it may be taken, so several are tried.
        let candidates = [USUAL_PORT].into_iter().chain([0; 32]);
        candidates.into_iter().find_map(Self::free_from).ok_or(DemoError::NoFreePort)
    }

    fn free_from(port: u16) -> Option<Self> {
        let local = Ipv4Addr::LOCALHOST;
        let broker = TcpListener::bind((local, port)).ok()?;
        let port = broker.local_addr().ok()?.port();
        let metrics = port.checked_add(1)?;
        TcpListener::bind((local, metrics)).ok()?;
        Some(Self { broker: port, metrics })
    }
}

/// A demo's folder.
#[derive(Clone, Debug)]
pub(super) struct DemoFolder {
    dir: PathBuf,
}

impl DemoFolder {
    /// Makes the folder, or empties that of an earlier demo.
    pub(super) fn prepare(dir: &Path) -> Result<Self, Failure> {
        let folder = Self { dir: dir.to_owned() };
        let failed = |error| CommandError::file(dir, error);
        if dir.symlink_metadata().is_ok() {
            let empty = fs_err::read_dir(dir).map_err(failed)?.next().is_none();
            if !empty {
                if !folder.is_demo() {
                    return Err(
                        DemoError::ForeignFolder { folder: dir.display().to_string() }.into()
                    );
                }
                if renkei_broker::is_in_use(&dir.join("store")) {
                    return Err(DemoError::InUse { folder: dir.display().to_string() }.into());
                }
                folder.clear().map_err(failed)?;
            }
        }
        for part in [folder.dir.clone(), folder.files(), folder.clients()] {
            fs_err::create_dir_all(&part).map_err(failed)?;
        }
        Ok(folder)
    }

    fn is_demo(&self) -> bool {
        let text = fs_err::read_to_string(self.config());
        text.is_ok_and(|text| text.starts_with(MARKER))
    }

    /// Removes what a demo writes; the configuration last, so that a demo that was cut short is still known as one.
    fn clear(&self) -> std::io::Result<()> {
        for entry in ENTRIES {
            let path = self.dir.join(entry);
            match path.symlink_metadata() {
                Ok(metadata) if metadata.is_dir() => fs_err::remove_dir_all(&path)?,
                Ok(_) => fs_err::remove_file(&path)?,
                Err(_) => {}
            }
        }
        Ok(())
    }

    /// Writes the broker's configuration.
    pub(super) fn write_config(&self, ports: Ports) -> Result<(), Failure> {
        write_text(&self.config(), &config_text(ports))
    }

    pub(super) fn config(&self) -> PathBuf {
        self.dir.join("broker.toml")
    }

    pub(super) fn pki(&self) -> PathBuf {
        self.dir.join("pki")
    }

    pub(super) fn clients(&self) -> PathBuf {
        self.dir.join("clients")
    }

    pub(super) fn client_file(&self, name: &str) -> PathBuf {
        self.clients().join(format!("{name}.toml"))
    }

    pub(super) fn files(&self) -> PathBuf {
        self.dir.join("files")
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.files().join(name)
    }

    pub(super) fn bundle(&self) -> PathBuf {
        self.dir.join("bundle")
    }

    /// The log's public key, as the broker wrote it.
    pub(super) fn broker_vkey(&self) -> PathBuf {
        self.dir.join("keys").join("log.vkey")
    }

    /// The log's public key, as an auditor is given it.
    pub(super) fn vkey(&self) -> PathBuf {
        self.dir.join("log.vkey")
    }

    pub(super) fn report(&self) -> PathBuf {
        self.dir.join("report.html")
    }
}

fn config_text(ports: Ports) -> String {
    let founders = FOUNDERS.map(|name| format!("  \"{}\",\n", member(name).identity())).concat();
    let Ports { broker, metrics } = ports;
    format!(
        "{MARKER}: synthetic data only. The next `renkei demo` in this folder replaces everything.\n\
         # Start it again with: renkei serve --config broker.toml\n\
         listen = \"127.0.0.1:{broker}\"\n\
         metrics_listen = \"127.0.0.1:{metrics}\"\n\
         trust_domain = \"{TRUST_DOMAIN}\"\n\
         store = \"store\"\n\
         keys = \"keys\"\n\
         founders = [\n{founders}]\n\
         \n[tls]\n\
         certificate = \"pki/broker.crt\"\n\
         key = \"pki/broker.key\"\n\
         client_ca = \"pki/ca.crt\"\n\
         crl = \"pki/crl.pem\"\n\
         \n[log]\n\
         origin = \"{LOG_ORIGIN}\"\n\
         \n[telemetry]\n\
         log_format = \"text\"\n"
    )
}

#[cfg(test)]
mod tests {
    use renkei_broker::config::BrokerConfig;

    use super::*;
    use crate::failure::Exit;

    #[test]
    fn the_configuration_is_one_that_a_broker_accepts() {
        let text = config_text(Ports { broker: 7443, metrics: 7444 });
        let config = BrokerConfig::parse(&text, Path::new("demo/broker.toml")).expect("accepted");
        assert_eq!(config.store, Path::new("demo/store"));
        assert_eq!(config.founders.len(), 2);
        assert_eq!(config.listen.port(), 7443);
    }

    #[test]
    fn a_foreign_folder_is_refused_and_an_earlier_demo_is_emptied() {
        let dir = tempfile::tempdir().expect("a folder");
        fs_err::write(dir.path().join("thesis.txt"), "years of work").expect("written");
        let failure = DemoFolder::prepare(dir.path()).expect_err("foreign");
        assert_eq!(failure.exit(), Exit::Refused);
        assert!(dir.path().join("thesis.txt").is_file());

        let at = dir.path().join("demo");
        let prepare = || DemoFolder::prepare(&at).map_err(|_| "refused").expect("a demo");
        let folder = prepare();
        let ports = Ports { broker: 1, metrics: 2 };
        folder.write_config(ports).map_err(|_| "write").expect("written");
        fs_err::write(folder.file("payments.csv"), "old").expect("written");
        let folder = prepare();
        assert!(!folder.file("payments.csv").exists());
        assert!(folder.clients().is_dir());
    }

    #[test]
    fn two_neighbouring_ports_are_found() {
        let ports = Ports::choose().expect("free ports");
        assert_eq!(ports.metrics, ports.broker + 1);
    }
}
