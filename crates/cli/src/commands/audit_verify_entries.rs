//! `renkei audit verify-entries`: what a person was told of the use of their data, checked against the log's public key,
//! offline.
//!
//! Each file is a proof of one entry, as `audit subject --proofs` writes it. docs/auditor/verify_entry.py does the same
//! with none of this code.

use std::path::PathBuf;

use clap::Args;
use renkei_tlog::VerifierKey;
use renkei_tlog::commitment::{EntryProof, EntryProofError};
use renkei_types::{Language, Localised as _};
use serde_json::{Value, json};

use super::audit_verify::read_key;
use crate::environment::Environment;
use crate::failure::{CommandError, Exit, Failure};
use crate::json;

#[derive(Args, Debug)]
pub(crate) struct VerifyEntriesArguments {
    /// The folder that `audit subject --proofs` has written
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,

    /// The log's public key (log.vkey), as its operator handed it over; several after a rotation
    #[arg(long = "key", value_name = "FILE", required = true)]
    keys: Vec<PathBuf>,
}

/// What was found of one file.
struct Checked {
    file: String,
    proven: Result<(u64, String), EntryProofError>,
}

pub(crate) fn run(
    arguments: &VerifyEntriesArguments,
    environment: &Environment,
) -> Result<Exit, Failure> {
    let keys: Vec<VerifierKey> =
        arguments.keys.iter().map(|file| read_key(file)).collect::<Result<_, _>>()?;
    let unreadable = |error| CommandError::file(&arguments.folder, error);
    let mut files = Vec::new();
    for entry in fs_err::read_dir(&arguments.folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|ending| ending == "json") {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        // Nothing that was checked must not look like everything that was proven.
        let nothing = std::io::Error::from(std::io::ErrorKind::NotFound);
        return Err(CommandError::file(&arguments.folder, nothing).into());
    }
    let mut checked = Vec::new();
    for path in files {
        let text = fs_err::read(&path).map_err(|error| CommandError::file(&path, error))?;
        let proven = EntryProof::parse(&text).and_then(|proof| {
            let leaf = proof.verify(&keys)?;
            Ok((leaf.t.0, proof.person.said))
        });
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        checked.push(Checked { file, proven });
    }
    let ok = checked.iter().all(|one| one.proven.is_ok());
    if environment.json {
        let entries: Vec<Value> =
            checked.iter().map(|one| one.json(environment.language)).collect();
        json::print(&json!({"ok": ok, "entries": entries}));
    } else {
        checked.iter().for_each(|one| one.show(environment));
    }
    Ok(if ok { Exit::Done } else { Exit::FoundWrong })
}

impl Checked {
    fn json(&self, language: Language) -> Value {
        match &self.proven {
            Ok((time, said)) => json!({"file": self.file, "ok": true, "t": time, "said": said}),
            Err(error) => {
                json!({"file": self.file, "ok": false, "what": error.localised(language)})
            }
        }
    }

    fn show(&self, environment: &Environment) {
        match &self.proven {
            Ok((_, said)) => {
                print_line!("{}: {} ({said})", self.file, environment.say("proven", "証明済み"));
            }
            Err(error) => print_line!(
                "{}: {}: {}",
                self.file,
                environment.say("not proven", "証明できません"),
                error.localised(environment.language)
            ),
        }
    }
}
