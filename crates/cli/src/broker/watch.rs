//! `renkei audit watch`: follows a log from checkpoint to checkpoint, for whoever does not trust its operator.
//!
//! What was seen last is kept in a folder of the watcher's own. Every later checkpoint must be proven to continue it; one
//! that does not is kept beside it as evidence, and the command ends with exit code 1. So it does where the broker itself says
//! that a witness disputes its log; the evidence is what it signed last. A broker that cannot be reached is no such thing: it
//! is told, and asked again.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use renkei_api::v1::{CheckpointRequest, ProofsRequest, proofs_request};
use renkei_api::{LogDoubt, LogMemory};
use renkei_broker::config::DurationText;
use renkei_tlog::proof::consistency_proof;
use renkei_tlog::{Checkpoint, LogCopy, Policy, SignedCheckpoint};
use renkei_types::{Classify as _, Clock as _, Kind, Language, Localised as _, Reason};
use serde_json::{Value, json};

use super::session::{self, Session};
use crate::commands::audit_verify::standing_json;
use crate::environment::Environment;
use crate::failure::{Exit, Failure};
use crate::json;

#[derive(Args, Debug)]
pub(crate) struct WatchArguments {
    /// Where the last checkpoint is kept; made when there is one
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
    /// The log's public key (log.vkey), as its operator handed it over; where it was replaced, each of its keys, the older ones first
    #[arg(long, value_name = "FILE", required = true)]
    key: Vec<PathBuf>,
    /// Watch this folder, a bundle or a broker's store/log, instead of asking the broker of --as
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Also tell which witnesses of this policy have cosigned
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// How long to wait between two looks
    #[arg(long, value_name = "DURATION", default_value = "60s")]
    interval: DurationText,
    /// Look once and end
    #[arg(long)]
    once: bool,
}

/// A checkpoint as it was shown, with the proof that it continues the one that is kept.
struct Shown {
    note: String,
    consistency: Vec<Vec<u8>>,
    /// Whether the broker says that a witness knows another past. Then nothing newer is signed.
    disputed: bool,
}

/// Most readings of a folder that its broker goes on writing to.
const READINGS_MAX: u32 = 20;

pub(super) fn run(arguments: &WatchArguments, environment: &Environment) -> Result<Exit, Failure> {
    let memory = LogMemory::open(&arguments.state, &arguments.key)?;
    let policy = arguments.policy.as_deref().map(Policy::read).transpose()?;
    let watch = Watch { environment, memory, policy, arguments };
    match &arguments.folder {
        Some(folder) => loop {
            let shown = watch.read(folder);
            if let Some(exit) = watch.look(shown)? {
                return Ok(exit);
            }
            std::thread::sleep(arguments.interval.0);
        },
        None => session::with(environment, async |session| {
            loop {
                let shown = watch.ask(session).await;
                if let Some(exit) = watch.look(shown)? {
                    return Ok(exit);
                }
                tokio::time::sleep(arguments.interval.0).await;
            }
        }),
    }
}

struct Watch<'a> {
    environment: &'a Environment,
    memory: LogMemory,
    policy: Option<Policy>,
    arguments: &'a WatchArguments,
}

impl Watch<'_> {
    /// Takes one look into account; answers how the command ends, if it does.
    fn look(&self, shown: Result<Shown, Failure>) -> Result<Option<Exit>, Failure> {
        let shown = match shown {
            Ok(shown) => shown,
            Err(failure) if failure.exit() == Exit::Unavailable && !self.arguments.once => {
                self.environment.error(&failure);
                return Ok(None);
            }
            Err(failure) => return Err(failure),
        };
        let before = self.memory.kept()?;
        let followed = match shown.disputed {
            true => self.memory.follow_disputed(&shown.note, &shown.consistency),
            false => self.memory.follow(&shown.note, &shown.consistency),
        };
        let known = before.map(|before| before.checkpoint().size);
        let (alarm, english, japanese) = match followed {
            Ok(_) if shown.disputed => {
                let words = |language| Reason::LogDisputed.localised(language);
                ("DISPUTED", words(Language::English), words(Language::Japanese))
            }
            Ok(checkpoint) => {
                if known != Some(checkpoint.size) || self.arguments.once {
                    json::print(&self.told(&shown.note, &checkpoint, known)?);
                }
                return Ok(self.arguments.once.then_some(Exit::Done));
            }
            Err(doubt) => {
                let alarm = match &doubt {
                    LogDoubt::RolledBack { .. } => "ROLLED_BACK",
                    LogDoubt::Forked { .. } => "FORKED",
                    LogDoubt::ReplacedKey { .. } => "REPLACED_KEY",
                    LogDoubt::Proof(_) | LogDoubt::ByOther { .. } => "UNSIGNED",
                    LogDoubt::File { .. }
                    | LogDoubt::Key { .. }
                    | LogDoubt::Kept { .. }
                    | LogDoubt::KeptByOther { .. } => {
                        return Err(doubt.into());
                    }
                };
                (alarm, doubt.to_string(), doubt.localised(Language::Japanese))
            }
        };
        json::print(&json!({
            "alarm": alarm,
            "kept_size": known,
            "checkpoint": shown.note,
            "at": self.environment.clock.now().to_string(),
        }));
        self.environment.note(&format!("ALARM: {english}"), &format!("警報: {japanese}"));
        Ok(Some(Exit::FoundWrong))
    }

    fn told(
        &self,
        note: &str,
        checkpoint: &Checkpoint,
        continues: Option<u64>,
    ) -> Result<Value, Failure> {
        let mut told = json!({
            "size": checkpoint.size,
            "root": checkpoint.root.to_string(),
            "continues": continues,
            "at": self.environment.clock.now().to_string(),
        });
        if let Some(policy) = &self.policy {
            let signed = SignedCheckpoint::open(note.as_bytes(), self.memory.keys())?;
            told["cosigned"] = standing_json(&policy.standing(&signed, None)?);
        }
        Ok(told)
    }

    /// The present checkpoint of the broker, with a proof from the size that is kept.
    async fn ask(&self, session: &Session<'_>) -> Result<Shown, Failure> {
        let (note, disputed) = match session.connection.call(CheckpointRequest {}).await {
            // Nothing new is signed; what was signed last is still shown.
            Err(rejection) if rejection.reason() == Some(Reason::LogDisputed) => {
                let first = Some(proofs_request::Proof::OldSize(1));
                let latest = ProofsRequest { tree_size: 0, proof: first };
                (session.ask(latest).await?.checkpoint, true)
            }
            answer => (answer?.checkpoint, false),
        };
        let size = claimed_size(&note);
        let old = self.memory.kept()?.map_or(0, |kept| kept.checkpoint().size);
        let mut consistency = Vec::new();
        if (1..size).contains(&old) {
            let proof = Some(proofs_request::Proof::OldSize(old));
            consistency = session.ask(ProofsRequest { tree_size: size, proof }).await?.hashes;
        }
        Ok(Shown { note, consistency, disputed })
    }

    /// The same of a folder. A broker may replace files between two readings, so it is read until it holds still.
    fn read(&self, folder: &std::path::Path) -> Result<Shown, Failure> {
        let old = self.memory.kept()?.map_or(0, |kept| kept.checkpoint().size);
        let mut left = READINGS_MAX;
        loop {
            left -= 1;
            let read = LogCopy::open(folder, self.memory.keys()).and_then(|log| {
                let size = log.size();
                let proof = match (1..size).contains(&old) {
                    true => consistency_proof(&log, old, size)?,
                    false => None,
                };
                let hashes = proof.map(|proof| proof.hashes).unwrap_or_default();
                let consistency = hashes.iter().map(|hash| hash.as_bytes().to_vec()).collect();
                let note = log.signed().note().to_owned();
                Ok(Shown { note, consistency, disputed: false })
            });
            match read {
                Err(error) if error.kind() == Kind::Internal && left > 0 => {
                    std::thread::sleep(Duration::from_millis(50));
                }
                Err(renkei_tlog::LogError::Checkpoint(_)) => {
                    // Not signed by the key: told as an alarm, with what lies there.
                    let note = fs_err::read(folder.join("checkpoint")).unwrap_or_default();
                    let note = String::from_utf8_lossy(&note).into_owned();
                    return Ok(Shown { note, consistency: Vec::new(), disputed: false });
                }
                read => return Ok(read?),
            }
        }
    }
}

fn claimed_size(note: &str) -> u64 {
    renkei_tlog::checkpoint::claimed(note.as_bytes()).map_or(0, |checkpoint| checkpoint.size)
}
