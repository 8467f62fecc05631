//! The script that auditors get, run with Python and the one library that it names.

use std::path::Path;
use std::process::{Command, Output};

use crate::bundle::Bundle;
use crate::support::Folder;
use crate::support::python::python_with;

/// What the script says: its words, as an error where it refuses.
pub(crate) fn verdict(folder: &Folder, bundle: &Bundle, key: &str) -> Result<String, String> {
    verdict_by(folder, bundle, &[key.to_owned()])
}

/// The same with all keys that the log had, the oldest first.
pub(crate) fn verdict_by(
    folder: &Folder,
    bundle: &Bundle,
    keys: &[String],
) -> Result<String, String> {
    let (place, keys) = crate::written(folder, bundle, keys);
    let output = run(&[&[place][..], &keys].concat());
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    match output.status.code() {
        Some(0) => Ok(text(output.stdout)),
        Some(1) => Err(text(output.stderr)),
        code => panic!("the script ended with {code:?}: {}", text(output.stderr)),
    }
}

/// What the script says to whoever names nothing.
pub(crate) fn without_arguments() -> String {
    String::from_utf8(run(&[]).stderr).expect("UTF-8")
}

fn run(arguments: &[String]) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/auditor/verify_log.py");
    let text = fs_err::read_to_string(&script).expect("the script");
    assert!(text.lines().count() <= 120, "the script is to be read, so it stays short");
    static PYTHON: std::sync::OnceLock<std::path::PathBuf> = std::sync::OnceLock::new();
    let requirements = script.with_file_name("requirements.txt");
    let python = PYTHON.get_or_init(|| python_with("python-auditor", &requirements));
    let mut command = Command::new(python);
    command.arg(&script).args(arguments).env("PYTHONUTF8", "1").output().expect("Python runs")
}
