//! `renkei audit verify`: an exported log against its public key, offline.
//!
//! The key is the one that the auditor was given, never one that lies in the folder: whoever changed the log could have
//! put it there. What is checked, and what is blamed, is decided by `renkei-tlog`.

use std::path::{Path, PathBuf};

use clap::Args;
use renkei_tlog::checkpoint::InvalidKey;
use renkei_tlog::{Policy, Standing, Verification, VerifierKey, verify_folder_with};
use renkei_types::{Classify, Kind, Language, Localised};
use serde_json::{Value, json};

use crate::environment::Environment;
use crate::failure::{Exit, Failure};
use crate::json;
use crate::table_input::read_text;

#[derive(Args, Debug)]
pub(crate) struct VerifyArguments {
    /// The folder with `checkpoint` and `tile`
    #[arg(value_name = "FOLDER")]
    pub(crate) folder: PathBuf,

    /// The log's public key (log.vkey), as its operator handed it over; one inside the folder is not looked at. After a
    /// rotation the older key first, then the newer: the log must announce it
    #[arg(long = "key", value_name = "FILE", required = true)]
    pub(crate) keys: Vec<PathBuf>,

    /// A witness policy (C2SP tlog-policy): the checkpoint must carry cosignatures of its quorum
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
}

/// A file that holds no public key of a log.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {error}")]
pub(crate) struct KeyFileError {
    file: String,
    error: InvalidKey,
}

impl Classify for KeyFileError {
    fn kind(&self) -> Kind {
        self.error.kind()
    }
}

impl Localised for KeyFileError {
    fn localised(&self, language: Language) -> String {
        format!("{}: {}", self.file, self.error.localised(language))
    }
}

pub(crate) fn run(arguments: &VerifyArguments, environment: &Environment) -> Result<Exit, Failure> {
    let keys: Vec<VerifierKey> =
        arguments.keys.iter().map(|file| read_key(file)).collect::<Result<_, _>>()?;
    let policy = arguments.policy.as_deref().map(Policy::read).transpose()?;
    let found = verify_folder_with(&arguments.folder, &keys, policy.as_ref())?;
    if environment.json {
        json::print(&verification_json(&found, environment.language));
    } else {
        show(&found, environment);
    }
    Ok(if found.ok { Exit::Done } else { Exit::FoundWrong })
}

/// Reads a log's public key: one line.
pub(crate) fn read_key(path: &Path) -> Result<VerifierKey, Failure> {
    let text = read_text(path)?;
    let key = text.trim().parse();
    Ok(key.map_err(|error| KeyFileError { file: path.display().to_string(), error })?)
}

fn verification_json(found: &Verification, language: Language) -> Value {
    let first_bad = found
        .first_bad
        .as_ref()
        .map(|bad| json!({"index": bad.index, "what": bad.localised(language)}));
    let mut told = json!({
        "ok": found.ok,
        "size": found.size,
        "root": found.root.map(|root| root.to_string()),
        "first_bad": first_bad,
    });
    if let Some(standing) = &found.cosigned {
        told["cosigned"] = standing_json(standing);
    }
    told
}

/// Who has cosigned a checkpoint, whether that is enough, and as of when.
pub(crate) fn standing_json(standing: &Standing) -> Value {
    let seconds = standing.since.and_then(|seconds| i64::try_from(seconds).ok());
    let since = seconds.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    json!({
        "by": standing.by,
        "met": standing.met,
        "since": since.map(|since| since.to_string()),
    })
}

fn show(found: &Verification, environment: &Environment) {
    let (size, root) = (found.size, found.root.map(|root| root.to_string()));
    let root = root.unwrap_or_default();
    match &found.first_bad {
        None => {
            let (english, japanese) = match &found.cosigned {
                None => (String::new(), String::new()),
                Some(standing) => (
                    format!(", cosigned by {}", standing.by.join(", ")),
                    format!("、連署 {}", standing.by.join("、")),
                ),
            };
            print_line!(
                "{}",
                environment.language.pick(
                    format!("intact: {size} entries, root {root}{english}"),
                    format!("改変なし: {size} 件、ルート {root}{japanese}"),
                )
            );
        }
        Some(bad) => print_line!(
            "{}: {}",
            environment.say("damaged", "改変あり"),
            bad.localised(environment.language)
        ),
    }
}

#[cfg(test)]
mod tests {
    use renkei_tlog::verify::{FirstBad, Flaw};

    use super::*;

    #[test]
    fn damage_is_told_with_its_entry_or_without_one() {
        let flaw = Flaw::Missing { file: "checkpoint".to_owned() };
        let first_bad = Some(FirstBad { index: None, flaw });
        let found = Verification { ok: false, size: 0, root: None, first_bad, cosigned: None };
        let told = verification_json(&found, Language::English);
        assert_eq!(told["ok"], false);
        assert_eq!(told["root"], Value::Null);
        assert_eq!(told["first_bad"]["index"], Value::Null);
        assert_eq!(told["first_bad"]["what"], "checkpoint is missing");
    }

    #[test]
    fn an_intact_log_has_nothing_bad() {
        let cosigned = Some(Standing { by: vec!["w1".to_owned()], met: true, since: Some(60) });
        let found = Verification { ok: true, size: 3, root: None, first_bad: None, cosigned };
        let told = verification_json(&found, Language::English);
        assert_eq!(told["first_bad"], Value::Null);
        assert_eq!(told["cosigned"]["since"], "1970-01-01T00:01:00Z");
    }

    #[test]
    fn a_file_that_is_no_key_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log.vkey");
        fs_err::write(&path, "no key").expect("written");
        let failure = read_key(&path).expect_err("no key");
        assert_eq!(failure.exit(), Exit::Unusable);
        assert!(failure.message(Language::English).contains("log.vkey"));
    }
}
