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

use crate::broker::plain;
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

/// A file that holds no public key of a log, or more than one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyFileError {
    #[error("{file}: {error}")]
    Invalid { file: String, error: InvalidKey },
    #[error(
        "{file}: holds {lines} lines, and a key is one. Give each key in a file of its own, in the order in which they came into use: --key OLD --key NEW"
    )]
    Several { file: String, lines: usize },
}

impl Classify for KeyFileError {
    fn kind(&self) -> Kind {
        Kind::InvalidArgument
    }
}

impl Localised for KeyFileError {
    fn localised(&self, language: Language) -> String {
        match self {
            Self::Invalid { file, error } => format!("{file}: {}", error.localised(language)),
            Self::Several { file, lines } => language.pick(
                self.to_string(),
                format!(
                    "{file}: {lines}行ありますが、鍵は1行です。鍵ごとに別のファイルに分け、使われた順に指定してください（--key 旧 --key 新）"
                ),
            ),
        }
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
    if !found.beside.is_empty() {
        let names: Vec<String> = found.beside.iter().map(|name| plain(name)).collect();
        let names = names.join(", ");
        environment.warn(
            &format!("beside the log, not signed and not looked at: {names}"),
            &format!("ログのほかに、署名されておらず検証の対象でもないものがあります: {names}"),
        );
    }
    Ok(if found.ok { Exit::Done } else { Exit::FoundWrong })
}

/// Reads a log's public key: one line.
pub(crate) fn read_key(path: &Path) -> Result<VerifierKey, Failure> {
    let text = read_text(path)?;
    let file = path.display().to_string();
    let lines = text.trim().lines().count();
    if lines > 1 {
        return Err(KeyFileError::Several { file, lines }.into());
    }
    let key = text.trim().parse();
    Ok(key.map_err(|error| KeyFileError::Invalid { file, error })?)
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
        "beside": found.beside,
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
                Some(standing) if standing.by.is_empty() => (
                    ", cosigned by nobody, as the policy allows".to_owned(),
                    "、連署なし（方針が認めています）".to_owned(),
                ),
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
        let (size, root, cosigned, beside) = (0, None, None, vec!["log.vkey".to_owned()]);
        let found = Verification { ok: false, size, root, first_bad, cosigned, beside };
        let told = verification_json(&found, Language::English);
        assert_eq!(told["ok"], false);
        assert_eq!(told["root"], Value::Null);
        assert_eq!(told["first_bad"]["index"], Value::Null);
        assert_eq!(told["first_bad"]["what"], "checkpoint is missing");
        assert_eq!(told["beside"][0], "log.vkey");
    }

    #[test]
    fn an_intact_log_has_nothing_bad() {
        let cosigned = Some(Standing { by: vec!["w1".to_owned()], met: true, since: Some(60) });
        let (first_bad, beside) = (None, Vec::new());
        let found = Verification { ok: true, size: 3, root: None, first_bad, cosigned, beside };
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
        // As clients keep both after a rotation.
        let key = "kita.example/log+1a2b3c4d+AQ==\n";
        fs_err::write(&path, key.repeat(2)).expect("written");
        let failure = read_key(&path).expect_err("two keys");
        assert_eq!(failure.exit(), Exit::Unusable);
        for language in [Language::English, Language::Japanese] {
            assert!(failure.message(language).contains("--key"), "{failure:?}");
        }
    }
}
