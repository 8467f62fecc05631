//! Two processes on one folder.
//!
//! Apart from the other tests, because a child holds every lock of its parent for a moment, between its birth and the
//! start of its program: a test beside it would find its own folder locked.

use std::path::PathBuf;
use std::process::Command;

use renkei_journal::{LocalJournal, LockError, OpenError, Options};

const FOLDER: &str = "RENKEI_JOURNAL_TEST_FOLDER";

/// Run as a child by the test below; alone it has nothing to do.
#[test]
fn child_opens_the_folder_of_its_parent() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let error = LocalJournal::open(&folder, Options::default()).expect_err("it is locked");
    assert!(matches!(error, OpenError::Locked(LockError::Held { .. })));
}

#[test]
fn a_second_open_in_a_child_process_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let _first = LocalJournal::open(folder.path(), Options::default()).expect("a journal");
    let child = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "child_opens_the_folder_of_its_parent"])
        .env(FOLDER, folder.path())
        .output()
        .expect("a child process");
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
    assert!(String::from_utf8_lossy(&child.stdout).contains("1 passed"));
}
