//! One file per command.

pub(crate) mod audit_verify;
pub(crate) mod audit_verify_entries;
pub(crate) mod check;
pub(crate) mod check_config;
pub(crate) mod compare;
pub(crate) mod dedupe;
pub(crate) mod evaluate;
pub(crate) mod explain;
pub(crate) mod generate;
pub(crate) mod link;
pub(crate) mod manual;
pub(crate) mod pki;
mod repeated_fields;
pub(crate) mod roles;
pub(crate) mod selfcheck;
pub(crate) mod serve;
mod shown_pairs;
mod weight_texts;

use std::path::Path;

use rayon::ThreadPool;
use renkei_linkage::{Cardinality, Model};

use crate::arguments::InputArguments;
use crate::failure::{CommandError, Failure};
use crate::table_input::read_text;

/// The threads a command may use.
fn threads(wanted: Option<u16>) -> Result<ThreadPool, Failure> {
    let threads = wanted.map_or(0, usize::from);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    Ok(pool.map_err(|error| CommandError::Plain(error.to_string()))?)
}

fn cardinality(arguments: &InputArguments) -> Cardinality {
    if arguments.many_to_one { Cardinality::ManyToOne } else { Cardinality::OneToOne }
}

fn read_model(path: &Path) -> Result<Model, Failure> {
    let model = Model::from_toml(&read_text(path)?);
    Ok(model.map_err(|error| CommandError::Model { file: path.display().to_string(), error })?)
}

/// Refuses outputs that are inputs, or the same file twice.
fn distinct_files<'a>(
    inputs: impl Iterator<Item = &'a Path>,
    outputs: impl Iterator<Item = &'a Path>,
) -> Result<(), CommandError> {
    // A file that is not there yet is known by its folder and name.
    let place = |path: &Path| {
        fs_err::canonicalize(path).unwrap_or_else(|_| {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            let folder = fs_err::canonicalize(folder.unwrap_or(Path::new(".")));
            match (folder, path.file_name()) {
                (Ok(folder), Some(name)) => folder.join(name),
                _ => path.to_path_buf(),
            }
        })
    };
    let inputs: Vec<_> = inputs.map(place).collect();
    let mut seen = Vec::new();
    for output in outputs {
        let file = output.display().to_string();
        let output = place(output);
        if inputs.contains(&output) {
            return Err(CommandError::OverwritesInput { file });
        }
        if seen.contains(&output) {
            return Err(CommandError::SameOutput { file });
        }
        seen.push(output);
    }
    Ok(())
}

/// Writes a whole text file: beside its place first, then into it.
pub(crate) fn write_text(path: &Path, text: &str) -> Result<(), Failure> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    let beside = Path::new(&beside);
    let written = fs_err::write(beside, text).and_then(|()| fs_err::rename(beside, path));
    if written.is_err() {
        // Best effort: the error that matters is the one that follows.
        let _ = fs_err::remove_file(beside);
    }
    Ok(written.map_err(|error| CommandError::file(path, error))?)
}
