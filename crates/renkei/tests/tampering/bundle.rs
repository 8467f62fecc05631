//! A bundle in memory, as files that can be changed at will, and logs to take bundles from.
//!
//! What an attacker has differs: here somebody may even have the key, so any text can be signed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use renkei_tlog::checkpoint::claimed;
use renkei_tlog::leaf::{LeafResult, Operation, SeenCheckpoint, UtcMillis};
use renkei_tlog::{Leaf, LogFolder, LogKey, SignedCheckpoint, WitnessKey};
use renkei_types::{Entropy as _, EventId, SeededEntropy};
use signed_note::{Note, StandardSigner};

/// The files of a bundle, by their names, and what only points elsewhere.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Bundle {
    files: BTreeMap<String, Vec<u8>>,
    /// Links: where to, from their folder.
    links: BTreeMap<String, String>,
    /// Pipes, from which nothing ever comes.
    pipes: BTreeSet<String>,
}

impl Bundle {
    /// Reads a folder.
    pub(crate) fn read(folder: &Path) -> Self {
        let (mut files, mut folders) = (BTreeMap::new(), vec![folder.to_owned()]);
        while let Some(next) = folders.pop() {
            for entry in fs_err::read_dir(next).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let name = path.strip_prefix(folder).expect("below").to_string_lossy();
                files.insert(name.into_owned(), fs_err::read(&path).expect("a file"));
            }
        }
        Self { files, ..Self::default() }
    }

    /// Writes it as a folder.
    pub(crate) fn write(&self, folder: &Path) {
        if folder.exists() {
            fs_err::remove_dir_all(folder).expect("removed");
        }
        fs_err::create_dir_all(folder).expect("a folder");
        for (name, bytes) in &self.files {
            let path = folder.join(name);
            fs_err::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs_err::write(path, bytes).expect("a file");
        }
        for (name, target) in &self.links {
            std::os::unix::fs::symlink(target, folder.join(name)).expect("a link");
        }
        for name in &self.pipes {
            let made = std::process::Command::new("mkfifo").arg(folder.join(name)).status();
            assert!(made.expect("it runs").success());
        }
    }

    pub(crate) fn file(&self, name: &str) -> Option<&[u8]> {
        self.files.get(name).map(Vec::as_slice)
    }

    /// The name of a bundle of entries.
    pub(crate) fn entries_name(index: u64, width: u64) -> String {
        match width {
            256 => format!("tile/entries/{index:03}"),
            _ => format!("tile/entries/{index:03}.p/{width}"),
        }
    }

    pub(crate) fn put(&mut self, name: &str, bytes: impl Into<Vec<u8>>) {
        self.files.insert(name.to_owned(), bytes.into());
    }

    pub(crate) fn link(&mut self, name: &str, target: &str) {
        self.links.insert(name.to_owned(), target.to_owned());
    }

    pub(crate) fn pipe(&mut self, name: &str) {
        self.pipes.insert(name.to_owned());
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.files.remove(name).expect("a file to remove");
    }

    pub(crate) fn rename(&mut self, name: &str, new_name: &str) {
        let bytes = self.files.remove(name).expect("a file to rename");
        self.put(new_name, bytes);
    }

    pub(crate) fn exchange(&mut self, one: &str, other: &str) {
        let (first, second) = (self.files[one].clone(), self.files[other].clone());
        self.put(one, second);
        self.put(other, first);
    }

    /// Takes a file over from another bundle.
    pub(crate) fn take(&mut self, other: &Self, name: &str) {
        self.put(name, other.files[name].clone());
    }

    /// Changes the bytes of a file.
    pub(crate) fn change(&mut self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        change(self.files.get_mut(name).expect("a file to change"));
    }

    /// Changes the text of the checkpoint.
    pub(crate) fn note(&mut self, change: impl FnOnce(String) -> String) {
        let note = String::from_utf8(self.files["checkpoint"].clone()).expect("text");
        self.put("checkpoint", change(note));
    }

    /// Changes the entries of a bundle and gives them their lengths.
    pub(crate) fn entries(&mut self, name: &str, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
        let mut entries = entries_of(&self.files[name]).expect("entries");
        change(&mut entries);
        let length = |entry: &Vec<u8>| u16::try_from(entry.len()).expect("short").to_be_bytes();
        let bytes = entries.iter().flat_map(|entry| [&length(entry)[..], entry].concat());
        self.put(name, bytes.collect::<Vec<u8>>());
    }
}

/// The entries of a bundle: each has its length before it.
pub(crate) fn entries_of(mut bytes: &[u8]) -> Result<Vec<Vec<u8>>, ()> {
    let mut entries = Vec::new();
    while !bytes.is_empty() {
        let (length, rest) = bytes.split_first_chunk::<2>().ok_or(())?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (entry, rest) = rest.split_at_checked(length).ok_or(())?;
        entries.push(entry.to_vec());
        bytes = rest;
    }
    Ok(entries)
}

/// Who signs, under which name, which leaves.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Log {
    seed: u64,
    origin: &'static str,
    later_by: u64,
}

impl Log {
    /// The log whose key the auditor has.
    pub(crate) const fn ours() -> Self {
        Self { seed: 1, origin: "kita.example/renkei-audit/131016", later_by: 0 }
    }

    /// Our leaves, signed by somebody else under our name.
    pub(crate) const fn signed_by_a_stranger() -> Self {
        Self { seed: 2, ..Self::ours() }
    }

    /// Our leaves and our key under another name.
    pub(crate) const fn under_another_name() -> Self {
        Self { origin: "minami.example/renkei-audit/131024", ..Self::ours() }
    }

    /// Our key and name over other leaves: what a rewritten past would look like.
    pub(crate) const fn of_another_past() -> Self {
        Self { later_by: 1, ..Self::ours() }
    }

    fn log_key(self) -> LogKey {
        LogKey::generate(self.origin.parse().expect("an origin"), &SeededEntropy::new(self.seed))
    }

    /// The public key as auditors get it.
    pub(crate) fn key(self) -> String {
        self.log_key().verifier().to_string()
    }

    /// The entry of this number.
    pub(crate) fn leaf(self, index: u64) -> Vec<u8> {
        let mut id = [7; 16];
        id[8..].copy_from_slice(&(index + self.later_by).to_be_bytes());
        let time = UtcMillis(1_795_219_200_000 + index + self.later_by);
        let id = EventId::from_bytes(id);
        let leaf = Leaf::new(id, time, Operation::QuerySingle, LeafResult::Ok);
        leaf.to_bytes().expect("a leaf")
    }

    /// The same entry as a leaf, changed.
    pub(crate) fn leaf_with(self, index: u64, change: impl FnOnce(&mut Leaf)) -> Vec<u8> {
        let mut leaf = Leaf::parse(&self.leaf(index)).expect("a leaf");
        change(&mut leaf);
        leaf.to_bytes().expect("a leaf")
    }

    /// Size and root of the log that has these entries.
    pub(crate) fn seen(self, entries: &[Vec<u8>]) -> SeenCheckpoint {
        let bundle = self.bundle_of(entries);
        let note = bundle.file("checkpoint").expect("a checkpoint");
        (&claimed(note).expect("a checkpoint")).into()
    }

    /// Its first entries as they are published.
    pub(crate) fn bundle(self, entries: u64) -> Bundle {
        static USUAL: OnceLock<Bundle> = OnceLock::new();
        let make =
            || self.bundle_of(&(0..entries).map(|index| self.leaf(index)).collect::<Vec<_>>());
        match (self == Self::ours(), entries) {
            (true, 600) => USUAL.get_or_init(make).clone(),
            _ => make(),
        }
    }

    /// Any entries, published as they are.
    pub(crate) fn bundle_of(self, entries: &[Vec<u8>]) -> Bundle {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut log, _) = LogFolder::open(folder.path()).expect("a log");
        log.append(entries).expect("appended");
        log.publish(&self.log_key()).expect("signed");
        Bundle::read(folder.path())
    }

    /// The line of a witness under a checkpoint of this log.
    pub(crate) fn cosignature(self, bundle: &Bundle, witness: &WitnessKey) -> String {
        let note = bundle.file("checkpoint").expect("a checkpoint");
        let keys = [self.log_key().verifier()];
        let signed = SignedCheckpoint::open(note, &keys).expect("a checkpoint of this log");
        format!("{}\n", witness.cosign(signed.checkpoint(), 1_795_219_200))
    }

    /// Signs any text.
    pub(crate) fn sign(self, text: &str) -> Vec<u8> {
        let mut secret = [0; 32];
        SeededEntropy::new(self.seed).fill(&mut secret);
        let id = self.key().split('+').nth(1).expect("a key id").to_owned();
        let secret = STANDARD.encode([&[1][..], &secret].concat());
        let signer = format!("PRIVATE+KEY+{}+{id}+{secret}", self.origin);
        let signer = StandardSigner::new(&signer).expect("a signer");
        let mut note = Note::new(text.as_bytes(), &[]).expect("a note");
        note.add_sigs(&[&signer]).expect("signed");
        note.to_bytes()
    }
}
