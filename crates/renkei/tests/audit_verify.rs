//! The offline check of a log, as an auditor runs it on what a demo has exported.

mod support;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::Value;
use support::{Folder, Run, renkei, renkei_in, shared_folder};

/// A demo's folder, made once.
fn demo() -> &'static Path {
    static DEMO: OnceLock<PathBuf> = OnceLock::new();
    DEMO.get_or_init(|| {
        let dir = shared_folder("audit-verify").join("city");
        let text = dir.display().to_string();
        renkei(["demo", "--residents", "120", "--lines", "30", "--dir", &text]).exits(0);
        dir
    })
}

fn copy(from: &Path, to: &Path) {
    fs_err::create_dir_all(to).expect("a folder");
    for entry in fs_err::read_dir(from).expect("a folder") {
        let from = entry.expect("an entry").path();
        let to = to.join(from.file_name().expect("a name"));
        if from.is_dir() {
            copy(&from, &to)
        } else {
            fs_err::copy(&from, &to).map(|_| ()).expect("copied")
        }
    }
}

/// A copy of the demo's bundle that may be damaged.
struct Bundle(Folder);

impl Bundle {
    fn new() -> Self {
        let bundle = Self(Folder::new());
        copy(&demo().join("bundle"), &bundle.0.path("bundle"));
        bundle
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path("bundle").join(name)
    }

    /// Flips a bit in the middle of a file.
    fn damage(&self, name: &str) {
        let path = self.path(name);
        let mut bytes = fs_err::read(&path).expect("a file");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs_err::write(&path, bytes).expect("written");
    }

    fn verify(&self, more: &[&str]) -> Run {
        let folder = self.0.path("bundle").display().to_string();
        let key = demo().join("log.vkey").display().to_string();
        let fixed = ["audit", "verify", &folder, "--key", &key];
        renkei(fixed.iter().chain(more))
    }

    fn what_is_bad(&self) -> String {
        let found: Value = self.verify(&["--json"]).exits(1).json();
        assert_eq!(found["ok"], false);
        found["first_bad"]["what"].as_str().expect("words").to_owned()
    }
}

/// The files of one kind of tile.
fn tiles(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs_err::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { tiles(&path, found) } else { found.push(path) }
    }
}

#[test]
fn an_intact_bundle_verifies_with_the_key_that_the_auditor_was_given() {
    let bundle = Bundle::new();
    let found = bundle.verify(&["--json"]).exits(0).json();
    assert_eq!((&found["ok"], &found["first_bad"]), (&Value::Bool(true), &Value::Null));
    assert!(found["size"].as_u64().expect("a number") > 20);
    assert!(found["root"].is_string());
    // A key in the bundle is not looked at, even one that is none.
    fs_err::write(bundle.path("log.vkey"), "put here by somebody").expect("written");
    let told = bundle.verify(&[]).exits(0);
    assert!(told.stdout.contains("intact"));
    assert!(told.stderr.contains("not signed and not looked at: log.vkey"), "{}", told.stderr);
    assert_eq!(bundle.verify(&["--json"]).exits(0).json()["beside"][0], "log.vkey");
    assert_eq!(found["beside"], serde_json::json!([]));
    // A policy that asks for nobody's cosignature names nobody as having given one.
    let policy = bundle.path("policy");
    fs_err::write(&policy, "quorum none\n").expect("written");
    let policy = policy.display().to_string();
    let told = bundle.verify(&["--policy", &policy]).exits(0);
    assert!(told.stdout.contains("cosigned by nobody, as the policy allows"), "{}", told.stdout);
}

#[test]
fn a_flipped_bit_in_any_tile_is_found_and_its_file_or_entry_named() {
    let mut files = Vec::new();
    tiles(&demo().join("bundle/tile"), &mut files);
    assert!(files.len() >= 2, "{files:?}");
    for file in files {
        let bundle = Bundle::new();
        let name = file.strip_prefix(demo().join("bundle")).expect("inside").display().to_string();
        bundle.damage(&name);
        let what = bundle.what_is_bad();
        assert!(what.contains("tile/") || what.contains("entry"), "{name}: {what}");
    }
}

#[test]
fn a_changed_checkpoint_and_a_missing_file_are_found() {
    let bundle = Bundle::new();
    bundle.damage("checkpoint");
    assert!(bundle.what_is_bad().contains("checkpoint"));
    let bundle = Bundle::new();
    fs_err::remove_file(bundle.path("checkpoint")).expect("removed");
    assert!(bundle.what_is_bad().contains("checkpoint"));
}

#[test]
fn damage_is_told_in_japanese_too() {
    let bundle = Bundle::new();
    bundle.damage("checkpoint");
    let folder = bundle.path(".").display().to_string();
    let key = demo().join("log.vkey").display().to_string();
    let run = renkei_in("ja_JP.UTF-8", ["audit", "verify", &folder, "--key", &key]).exits(1);
    assert!(run.stdout.contains("改変あり"), "{}", run.stdout);
}

#[test]
fn a_key_or_a_folder_that_cannot_be_read_is_no_verdict() {
    let folder = Folder::new();
    let key = demo().join("log.vkey").display().to_string();
    let bundle = demo().join("bundle").display().to_string();
    let none = folder.path("none").display().to_string();
    renkei(["audit", "verify", &none, "--key", &key]).exits(2).says(&["none"]);
    renkei(["audit", "verify", &bundle, "--key", &none]).exits(2).says(&["none"]);
    let wrong = folder.write("wrong.vkey", "no key").display().to_string();
    renkei(["audit", "verify", &bundle, "--key", &wrong]).exits(2).says(&["wrong.vkey"]);
    let other = "renkei.example/audit/131016+00000000+AAAA";
    let other = folder.write("other.vkey", other).display().to_string();
    renkei(["audit", "verify", &bundle, "--key", &other]).exits(2);
}
