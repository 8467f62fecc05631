//! A client's memory of the log, before brokers that are honest and brokers that are not.

use renkei_api::{LogDoubt, LogMemory, v1};
use renkei_tlog::hash::leaf_hash;
use renkei_tlog::proof::{consistency_proof, inclusion_proof};
use renkei_tlog::{Checkpoint, LogFolder, LogKey, Receipt};
use renkei_types::{Language, Localised as _, SeededEntropy};

/// A broker's log, and the client's memory of it.
struct Pair {
    folder: tempfile::TempDir,
    log: LogFolder,
    memory: LogMemory,
}

fn key(seed: u64) -> LogKey {
    let origin = "kita.example/renkei-audit/131016".parse().expect("an origin");
    LogKey::generate(origin, &SeededEntropy::new(seed))
}

/// The leaf of this number in a log of this name. What it says is nobody's business here.
fn leaf(name: &str, index: u64) -> Vec<u8> {
    format!("{name} {index}").into_bytes()
}

impl Pair {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (log, _) = LogFolder::open(&folder.path().join("log")).expect("a log");
        let key_file = folder.path().join("log.vkey");
        fs_err::write(&key_file, format!("{}\n", key(1).verifier())).expect("a key");
        let memory = LogMemory::open(&folder.path().join("memory"), &[key_file]).expect("a memory");
        Self { folder, log, memory }
    }

    fn grow(&mut self, name: &str, leaves: u64) {
        let first = self.log.size();
        let leaves: Vec<_> = (first..first + leaves).map(|index| leaf(name, index)).collect();
        self.log.append(&leaves).expect("appended");
    }

    /// The same client with a broker that has another log.
    fn with_log_of(mut self, name: &str, leaves: u64) -> Self {
        let place = self.folder.path().join(format!("{name}-{leaves}"));
        self.log = LogFolder::open(&place).expect("a log").0;
        self.grow(name, leaves);
        self
    }

    fn question(&self, name: &str, index: u64) -> v1::ProveReceiptRequest {
        let hash = *leaf_hash(&leaf(name, index)).as_bytes();
        self.memory.question(&v1::Receipt::of_leaf(index, hash)).expect("a question")
    }

    /// What an honest broker answers, signed by this key.
    fn answer(&mut self, asked: &v1::ProveReceiptRequest, seed: u64) -> v1::ProveReceiptResponse {
        let signed = self.log.publish(&key(seed)).expect("signed");
        let size = signed.checkpoint().size;
        let proof = inclusion_proof(&self.log, asked.leaf_index, size).expect("read");
        let proof = Receipt::new(&proof.expect("in range"), &signed).to_text();
        let consistency = match (1..size).contains(&asked.known_size) {
            true => consistency_proof(&self.log, asked.known_size, size)
                .expect("read")
                .map_or_else(Vec::new, |proof| proof.hashes),
            false => Vec::new(),
        };
        let consistency = consistency.iter().map(|hash| hash.as_bytes().to_vec()).collect();
        v1::ProveReceiptResponse { proof, consistency }
    }

    /// Asks and checks.
    fn prove(&mut self, name: &str, index: u64) -> Result<Checkpoint, LogDoubt> {
        let asked = self.question(name, index);
        let answer = self.answer(&asked, 1);
        self.memory.accept(&asked, &answer)
    }

    fn kept(&self) -> u64 {
        self.memory.kept().expect("readable").map_or(0, |kept| kept.checkpoint().size)
    }
}

#[test]
fn a_log_that_only_grows_is_believed_and_its_latest_checkpoint_kept() {
    let mut pair = Pair::new();
    for (more, index) in [(5, 3), (1, 5), (600, 300), (0, 0)] {
        pair.grow("ours", more);
        let size = pair.log.size();
        assert_eq!(pair.prove("ours", index).expect("believed").size, size);
        assert_eq!(pair.kept(), size);
    }
    let proof = pair.folder.path().join("memory/000300.tlog-proof");
    let receipt = Receipt::parse(&fs_err::read_to_string(proof).expect("kept")).expect("a receipt");
    receipt.verify(&leaf("ours", 300), &[key(1).verifier()]).expect("it proves the leaf");
}

#[test]
fn an_older_log_that_was_put_back_is_told_and_the_newer_checkpoint_stays() {
    let mut pair = Pair::new();
    pair.grow("ours", 40);
    pair.prove("ours", 3).expect("believed");
    let mut pair = pair.with_log_of("ours", 30);
    let doubt = pair.prove("ours", 3).expect_err("a rollback");
    assert!(matches!(doubt, LogDoubt::RolledBack { kept: 40, shown: 30, .. }), "{doubt}");
    assert_eq!(pair.kept(), 40);
    assert!(pair.folder.path().join("memory/contradiction").exists(), "the evidence is kept");
    assert!(doubt.localised(Language::Japanese).contains("監査人"));
}

#[test]
fn another_past_is_told_whether_the_log_is_longer_or_of_the_same_length() {
    for length in [40, 41, 300] {
        let mut pair = Pair::new();
        pair.grow("ours", 40);
        pair.prove("ours", 3).expect("believed");
        let mut pair = pair.with_log_of("another", length);
        let doubt = pair.prove("another", 3).expect_err("a fork");
        assert!(
            matches!(doubt, LogDoubt::Forked { kept: 40, shown, .. } if shown == length),
            "{doubt}"
        );
        assert_eq!(pair.kept(), 40);
    }
}

/// Held by `check_continues` and `is_newer`.
#[test]
fn a_log_that_goes_on_under_a_key_that_was_replaced_is_not_believed_though_it_continues() {
    let mut pair = Pair::new();
    let key_file = pair.folder.path().join("log.vkey");
    let lines = [1, 2].map(|seed| format!("{}\n", key(seed).verifier()));
    fs_err::write(&key_file, lines.concat()).expect("both keys");
    let memory = LogMemory::open(&pair.folder.path().join("memory"), &[key_file]);
    pair.memory = memory.expect("a memory");
    let mut prove = |more: u64, seed: u64| {
        pair.grow("ours", more);
        let asked = pair.question("ours", 3);
        let answer = pair.answer(&asked, seed);
        let told = pair.memory.accept(&asked, &answer);
        (told.map(|told| told.size), pair.kept())
    };
    assert!(matches!(prove(10, 1), (Ok(10), 10)));
    // The newer key signs the same log first of all.
    assert!(matches!(prove(0, 2), (Ok(10), 10)));
    let (refused, kept) = prove(5, 1);
    assert!(matches!(refused, Err(LogDoubt::ReplacedKey { kept: 10, shown: 15, .. })));
    assert_eq!(kept, 10);
    assert!(matches!(prove(0, 2), (Ok(15), 15)));
    let evidence = fs_err::read_to_string(pair.folder.path().join("memory/contradiction"));
    assert_eq!(evidence.expect("kept").lines().nth(1), Some("15"));
}

#[test]
fn a_proof_for_another_leaf_or_under_another_key_is_not_believed() {
    let mut pair = Pair::new();
    pair.grow("ours", 10);
    let asked = pair.question("ours", 3);
    let of_another = pair.answer(&pair.question("ours", 4), 1);
    let doubt = pair.memory.accept(&asked, &of_another).expect_err("another leaf");
    assert!(matches!(doubt, LogDoubt::Proof(_)), "{doubt}");
    let asked_wrong = pair.question("another", 3);
    let answer = pair.answer(&asked, 1);
    let doubt = pair.memory.accept(&asked_wrong, &answer).expect_err("another leaf's hash");
    assert!(matches!(doubt, LogDoubt::Proof(_)), "{doubt}");
    let mut pair = pair.with_log_of("ours", 12);
    let by_a_stranger = pair.answer(&asked, 2);
    let doubt = pair.memory.accept(&asked, &by_a_stranger).expect_err("another key");
    // It may be one that the operator has handed over, and that nobody has added: the file is named.
    assert!(matches!(doubt, LogDoubt::ByOther { .. }), "{doubt}");
    assert!(doubt.to_string().contains("log.vkey"), "{doubt}");
    assert_eq!(pair.kept(), 0);
}

#[test]
fn keys_stand_in_one_file_or_in_several_and_who_takes_the_older_one_out_is_told() {
    let mut pair = Pair::new();
    pair.grow("ours", 10);
    pair.prove("ours", 3).expect("believed");
    let (older, newer) = (pair.folder.path().join("log.vkey"), pair.folder.path().join("new.vkey"));
    fs_err::write(&newer, format!("{}\n", key(2).verifier())).expect("a key");
    let folder = pair.folder.path().join("memory");
    let asked = pair.question("ours", 4);
    let by_newer = pair.answer(&asked, 2);
    let memory = LogMemory::open(&folder, std::slice::from_ref(&newer)).expect("a memory");
    let doubt = memory.accept(&asked, &by_newer).expect_err("what is kept is by the older key");
    assert!(matches!(doubt, LogDoubt::KeptByOther { .. }), "{doubt}");
    assert!(doubt.localised(Language::Japanese).contains("new.vkey"), "{doubt}");
    let memory = LogMemory::open(&folder, &[older, newer]).expect("a memory");
    memory.accept(&asked, &by_newer).expect("both are known");
}

#[test]
fn an_answer_that_was_overtaken_by_a_later_one_does_not_take_its_place() {
    let mut pair = Pair::new();
    pair.grow("ours", 10);
    let early = pair.question("ours", 1);
    let early_answer = pair.answer(&early, 1);
    pair.grow("ours", 10);
    pair.prove("ours", 15).expect("believed");
    pair.memory.accept(&early, &early_answer).expect("it was true when it was said");
    assert_eq!(pair.kept(), 20);
}
