//! Python with libraries from PyPI, for programs that shall share nothing with ours.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use super::shared_folder;

/// A Python of its own in this folder, with what a file of requirements names.
pub(crate) fn python_with(folder: &str, requirements: &Path) -> PathBuf {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let folder = shared_folder(folder);
    let python = folder.join("bin/python3");
    if !python.exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder));
    }
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "-r"]).arg(requirements));
    python
}

fn run(command: &mut Command) {
    let output = command.output().expect("Python runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
}
