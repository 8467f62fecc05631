//! The log's key is replaced, and the broker dies at each step of it.

mod town;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use renkei_exchange::command::Call;
use renkei_exchange::directory::AddParty;
use renkei_exchange::dispute::is_own_note;
use renkei_exchange::permit::Operate;
use renkei_exchange::rotation::{BrokerKey, RotateKey, Rotation};
use renkei_exchange::{Exchange, Refusal, Role};
use renkei_journal::{Frame, MemoryJournal};
use renkei_tlog::leaf::Operation;
use renkei_tlog::proof::{consistency_proof, root_at};
use renkei_tlog::{
    Leaf, LogFolder, LogKey, SignedCheckpoint, VerifierKey, WitnessKey, verify_folder_by,
};
use renkei_types::{Digest, FixedClock, SeededEntropy};
use renkei_witness::{Submission, Witness};
use town::ledger::{
    copy, equipment, frames, keep_journal, memory, open_with, paths, try_open, work,
};
use town::{caller, identity};

fn clock() -> Arc<FixedClock> {
    Arc::new(FixedClock("2026-11-21T03:00:00Z".parse().expect("a time")))
}

fn read(file: impl AsRef<Path>) -> String {
    fs_err::read_to_string(file.as_ref()).expect("a file")
}

fn write(file: impl AsRef<Path>, text: &str) {
    fs_err::write(file.as_ref(), text).expect("written");
}

/// A key is read only where nobody else can read it.
#[cfg(unix)]
fn private(file: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs_err::set_permissions(file, std::fs::Permissions::from_mode(0o600)).expect("changed");
}

#[cfg(not(unix))]
fn private(_: &Path) {}

fn rotate_key(exchange: &Exchange, key: BrokerKey, operator: &str) -> Result<Rotation, Refusal> {
    let permit = exchange.state().permit::<Operate>(&caller(operator)).expect("a permit");
    let rotate = RotateKey { permit, key };
    rotate.rotate(exchange, Call::read(caller(operator))).map(|done| done.reply)
}

fn rotate(exchange: &Exchange, operator: &str) -> Rotation {
    rotate_key(exchange, BrokerKey::Log, operator).expect("allowed")
}

/// A second operator, without whom no key is replaced.
fn add_operator(exchange: &Exchange) {
    let permit = exchange.state().permit::<Operate>(&caller("operator-1")).expect("a permit");
    let (identity, roles) = (identity("operator-2"), [Role::Operator].into());
    let second = AddParty { permit, identity, roles };
    exchange.execute_now(Call::read(caller("operator-1")), second).expect("another operator");
}

/// A broker whose log's key is replaced, and what its keys were when the second operator agreed.
struct Replaced {
    folder: tempfile::TempDir,
    /// The folder of keys before.
    before: PathBuf,
    /// As far as two leaves behind the announcement.
    frames: Vec<Frame>,
    older: VerifierKey,
    newer: VerifierKey,
    /// The log as it ends with the announcement, signed by the older key.
    announced: SignedCheckpoint,
    /// All of it, signed by the newer one.
    went_on: SignedCheckpoint,
}

impl Replaced {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let place = |name: &str| folder.path().join(name);
        let journal = MemoryJournal::new();
        let usual = equipment("usual");
        let (exchange, threads) = open_with(&place("broker"), Some(&journal), clock(), usual);
        add_operator(&exchange);
        assert_eq!(rotate(&exchange, "operator-1"), Rotation::Proposed);
        exchange.checkpoint_now().expect("signed by the older key");
        copy(&place("broker/keys"), &place("before"));
        assert_eq!(rotate(&exchange, "operator-2"), Rotation::Decided);
        (0..2).for_each(|_| work(&exchange));
        exchange.checkpoint_now().expect("signed by the newer key");
        drop(exchange);
        threads.join();

        let frames = frames(&journal);
        let announces = |frame: &Frame| {
            let leaf = Leaf::parse(&frame.leaf).expect("a leaf");
            leaf.op == Operation::KeyRotate && leaf.cfg.is_some()
        };
        let announced = frames.iter().position(announces).expect("an announcement") as u64 + 1;
        let (log, size) = LogFolder::open(&place("broker/store/log")).expect("a log");
        assert_eq!((size, frames.len() as u64), (announced + 2, announced + 2));
        let key = |file: &str| {
            let origin = "renkei.example/renkei-audit/131016".parse().expect("an origin");
            LogKey::from_pem(origin, &read(place(file))).expect("a key")
        };
        let (older, newer) = (key("before/log.key"), key("broker/keys/log.key"));
        let sign = |key: &LogKey, size| {
            SignedCheckpoint::sign(key, size, root_at(&log, size).expect("a root"))
        };
        Self {
            before: place("before"),
            announced: sign(&older, announced),
            went_on: sign(&newer, size),
            older: older.verifier(),
            newer: newer.verifier(),
            frames,
            folder,
        }
    }

    fn keys(&self) -> [VerifierKey; 2] {
        [self.older.clone(), self.newer.clone()]
    }

    fn older_file(&self, ending: &str) -> String {
        let older = self.older.to_string();
        format!("log-{}.{ending}", older.split('+').nth(1).expect("an id"))
    }

    /// The folder of a broker that died when so many of the steps of the change were done.
    fn died_after(&self, steps: usize) -> PathBuf {
        let place = self.folder.path().join(format!("died-{steps}"));
        copy(&self.folder.path().join("broker"), &place);
        let keys = place.join("keys");
        fs_err::remove_dir_all(&keys).expect("removed");
        copy(&self.before, &keys);
        for gone in ["store/log", "store/cache"] {
            fs_err::remove_dir_all(place.join(gone)).expect("removed");
        }
        let step: [&dyn Fn(); 6] = [
            &|| write(keys.join("log.head"), self.announced.note()),
            &|| write(keys.join(self.older_file("vkey")), &format!("{}\n", self.older)),
            &|| write(keys.join(self.older_file("checkpoint")), self.announced.note()),
            &|| fs_err::rename(keys.join("log.key.next"), keys.join("log.key")).expect("renamed"),
            &|| write(keys.join("log.vkey"), &format!("{}\n", self.newer)),
            &|| write(keys.join("log.head"), self.went_on.note()),
        ];
        step[..steps].iter().for_each(|step| step());
        place
    }
}

/// Shows a witness a checkpoint, from wherever it is.
fn cosign(witness: &Witness, exchange: &Exchange, old_size: u64, note: String) {
    let size = renkei_tlog::checkpoint::claimed(note.as_bytes()).expect("a checkpoint").size;
    let proof = exchange.read_log_now(move |log| consistency_proof(log, old_size, size));
    let proof = proof.expect("a proof").expect("a proof").hashes;
    let request = Submission { old_size, proof, note }.to_text();
    witness.add_checkpoint(request.as_bytes()).expect("cosigned");
}

/// Held by `Signer::take_next_key` and `KeptLogKey::replace`.
#[test]
fn wherever_a_broker_dies_while_its_logs_key_is_replaced_the_older_key_signs_the_announcement_last()
{
    let replaced = Replaced::new();
    let [older, newer] = replaced.keys();
    for steps in 0..=6 {
        let place = replaced.died_after(steps);
        let journal = memory(&replaced.frames);
        let begun = read(place.join("keys/log.head"));
        assert_eq!(said_beside(&place, &replaced.frames), None, "after {steps} steps");
        let (exchange, threads) = open_with(&place, Some(&journal), clock(), equipment("usual"));
        work(&exchange);
        let note = exchange.checkpoint_now().expect("a checkpoint");

        let witness =
            WitnessKey::generate("w.example".parse().expect("a name"), &SeededEntropy::new(1));
        let memory = place.join("witness");
        let witness = Witness::open(&memory, witness, replaced.keys().into(), clock());
        let witness = witness.expect("a witness");
        // It has seen what was signed before the broker died.
        let size = renkei_tlog::checkpoint::claimed(begun.as_bytes()).expect("a checkpoint").size;
        cosign(&witness, &exchange, 0, begun);
        cosign(&witness, &exchange, size, note.clone());
        drop(exchange);
        threads.join();

        let signed = SignedCheckpoint::open(note.as_bytes(), std::slice::from_ref(&newer));
        assert!(signed.is_ok(), "after {steps} steps: {note}");
        let found = verify_folder_by(&place.join("store/log"), &[older.clone(), newer.clone()]);
        let found = found.expect("a folder");
        assert!(found.ok, "after {steps} steps: {found:?}");
        assert_eq!(read(place.join("keys/log.vkey")), format!("{newer}\n"));
        let last = read(place.join("keys").join(replaced.older_file("checkpoint")));
        assert_eq!(last, replaced.announced.note(), "after {steps} steps");
    }
}

/// Why a broker does not start; `selfcheck` says the same before.
fn refused(place: &Path, frames: &[Frame]) -> String {
    let journal = memory(frames);
    let said_before = said_beside(place, frames);
    let why = match try_open(place, Some(&journal), clock(), equipment("usual"), None) {
        Ok(_) => panic!("it has started"),
        Err(error) => error.to_string(),
    };
    assert_eq!(said_before.as_ref(), Some(&why));
    why
}

/// What is said of the log by whoever looks at it from outside; nothing where all is well.
fn said_beside(place: &Path, frames: &[Frame]) -> Option<String> {
    keep_journal(place, frames);
    paths(place).check_log_head().err().map(|error| error.to_string())
}

/// Held by `key_standing::standing`.
#[test]
fn a_key_that_was_replaced_is_not_signed_with_when_it_is_put_back() {
    let replaced = Replaced::new();
    for with_log in [true, false] {
        // From a safe or a backup, all of them; the store is the newest.
        let place = replaced.died_after(0);
        fs_err::remove_file(place.join("keys/log.key.next")).expect("removed");
        if with_log {
            copy(&replaced.folder.path().join("broker/store/log"), &place.join("store/log"));
        }
        let head = read(place.join("keys/log.head"));
        let why = refused(&place, &replaced.frames);
        let fingerprint = Digest::of(replaced.newer.to_string().as_bytes());
        assert!(why.contains(&format!("was replaced by {fingerprint}")), "{why}");
        assert_eq!(read(place.join("keys/log.head")), head, "nothing was signed");
        assert_eq!(read(place.join("keys/log.vkey")), format!("{}\n", replaced.older));
        fs_err::remove_dir_all(place).expect("removed");
    }
}

/// Held by `KeptLogKey::open`, `key_standing::standing` and the order in `Log::start`.
#[test]
fn a_wrong_or_missing_log_key_leaves_the_public_half_and_is_told() {
    let replaced = Replaced::new();
    let place = replaced.died_after(6);
    let key = place.join("keys/log.key");
    let newer = fs_err::read(&key).expect("a key");
    let vkey = format!("{}\n", replaced.newer);
    // Only the older key is put back from the safe, then none is there.
    fs_err::copy(replaced.before.join("log.key"), &key).expect("copied");
    let refused_for = |what: &str| {
        for _ in 0..2 {
            let why = refused(&place, &replaced.frames);
            assert!(why.contains(what), "{why}");
            assert_eq!(read(place.join("keys/log.vkey")), vkey);
        }
    };
    refused_for("was replaced by");
    fs_err::remove_file(&key).expect("removed");
    refused_for("log.key is gone");
    assert!(!key.exists(), "none is made");
    fs_err::write(&key, &newer).expect("put back");
    private(&key);
    let journal = memory(&replaced.frames);
    let (exchange, threads) = open_with(&place, Some(&journal), clock(), equipment("usual"));
    exchange.checkpoint_now().expect("signed again");
    drop(exchange);
    threads.join();
}

/// The journal knows the key before the last one; an operator has accepted what is lost. Held by `has_followed` in `key_standing`.
#[test]
fn a_store_from_before_the_last_rotation_goes_on_under_the_key_that_is_in_use_once_its_loss_is_accepted()
 {
    let replaced = Replaced::new();
    let place = replaced.died_after(6);
    let keys = place.join("keys");
    let origin = "renkei.example/renkei-audit/131016".parse().expect("an origin");
    let last = LogKey::generate(origin, &SeededEntropy::new(7));
    write(keys.join("log-before.vkey"), &format!("{}\n", replaced.newer));
    write(keys.join("log.key"), &last.to_pem());
    private(&keys.join("log.key"));
    write(keys.join("log.vkey"), &format!("{}\n", last.verifier()));
    fs_err::rename(keys.join("log.head"), keys.join("log.head.accepted")).expect("renamed");
    let journal = memory(&replaced.frames);
    assert_eq!(said_beside(&place, &replaced.frames), None);
    let (exchange, threads) = open_with(&place, Some(&journal), clock(), equipment("usual"));
    exchange.checkpoint_now().expect("signed");
    drop(exchange);
    threads.join();
    let head = read(keys.join("log.head"));
    assert!(SignedCheckpoint::open(head.as_bytes(), &[last.verifier()]).is_ok());
    // Back under the key before it, it does not start.
    fs_err::copy(replaced.before.join("log.key"), keys.join("log.key")).expect("copied");
    let why = refused(&place, &replaced.frames);
    assert!(why.contains("was replaced by"), "{why}");
}

/// Held by `key_standing::standing` and `HeadKeyUnknown`.
#[test]
fn another_key_in_the_place_of_the_logs_first_one_signs_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let (place, keys) = (folder.path(), folder.path().join("keys"));
    let journal = MemoryJournal::new();
    let (exchange, threads) = open_with(place, Some(&journal), clock(), equipment("usual"));
    exchange.checkpoint_now().expect("signed");
    drop(exchange);
    threads.join();
    let frames = frames(&journal);
    // What lies beside the key and cannot be read is named.
    let head = read(keys.join("log.head"));
    for garbled in ["", "no note"] {
        write(keys.join("log.head"), garbled);
        let why = refused(place, &frames);
        assert!(why.contains("log.head is empty or damaged"), "{why}");
    }
    write(keys.join("log.head"), &head);
    let vkey = read(keys.join("log.vkey"));
    let origin = "renkei.example/renkei-audit/131016".parse().expect("an origin");
    let other = LogKey::generate(origin, &SeededEntropy::new(99));
    write(keys.join("log.key"), &other.to_pem());
    private(&keys.join("log.key"));
    let why = refused(place, &frames);
    assert!(why.contains("is not the key that log.vkey"), "{why}");
    assert_eq!(read(keys.join("log.vkey")), vkey);
    fs_err::remove_file(keys.join("log.vkey")).expect("removed");
    let why = refused(place, &frames);
    assert!(why.contains("log.head is signed by a key that is not"), "{why}");
    assert!(!keys.join("log.vkey").exists(), "nobody is handed the wrong one");
}

/// The older key has signed the announcement and its public half cannot be kept, as on a full disk; the operators agree again.
/// Held by `RotateTo::decide`.
#[test]
fn a_key_that_is_agreed_on_twice_is_announced_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = MemoryJournal::new();
    let usual = || equipment("usual");
    let (exchange, threads) = open_with(folder.path(), Some(&journal), clock(), usual());
    add_operator(&exchange);
    let keys = folder.path().join("keys");
    let older: VerifierKey = read(keys.join("log.vkey")).parse().expect("a key");
    let id = older.to_string().split('+').nth(1).expect("an id").to_owned();
    let full = keys.join(format!("log-{id}.vkey.part"));
    fs_err::create_dir(&full).expect("made");
    let rotate = |operator: &str| rotate_key(&exchange, BrokerKey::Log, operator);
    assert_eq!(rotate("operator-1"), Ok(Rotation::Proposed));
    assert!(rotate("operator-2").is_err(), "agreed on, and not in use");
    // Told that it failed, they do it once more.
    assert!(rotate("operator-2").is_err());
    assert!(rotate("operator-1").is_err());
    fs_err::remove_dir(&full).expect("space again");
    drop(exchange);
    threads.join();
    let (exchange, threads) = open_with(folder.path(), Some(&journal), clock(), usual());
    exchange.checkpoint_now().expect("a checkpoint");
    drop(exchange);
    threads.join();
    let (log, _) = LogFolder::open(&folder.path().join("store/log")).expect("a log");
    let announced = (0..log.size()).filter(|at| {
        let leaf = Leaf::parse(&log.read_leaf(*at).expect("a leaf")).expect("a leaf");
        leaf.op == Operation::KeyRotate
    });
    let announced: Vec<u64> = announced.collect();
    let last = read(keys.join(format!("log-{id}.checkpoint")));
    let last: u64 = last.lines().nth(1).expect("a size").parse().expect("a number");
    assert_eq!(announced, [last - 1], "the older key has signed behind the announcement");
}

/// Held by `log_verifiers`.
#[test]
fn a_public_half_that_is_gone_or_damaged_is_derived_from_the_key_before_anybody_is_asked() {
    let replaced = Replaced::new();
    let place = replaced.died_after(6);
    let vkey = place.join("keys/log.vkey");
    let (own, older) = (replaced.went_on.note(), replaced.announced.note());
    let knows = || [own, older].map(|note| is_own_note(&paths(&place), note));
    assert_eq!(knows(), [true, true]);
    fs_err::write(&vkey, "damaged").expect("written");
    assert_eq!(knows(), [true, true]);
    fs_err::remove_file(&vkey).expect("removed");
    assert_eq!(knows(), [true, true]);
    assert_eq!(said_beside(&place, &replaced.frames), None);
    assert!(!vkey.exists(), "whoever only asks writes nothing");
    // No note of a key that is not this log's is one of its own.
    let origin = replaced.newer.origin().clone();
    let other = LogKey::generate(origin, &SeededEntropy::new(99));
    write(place.join("keys/log.key"), &other.to_pem());
    assert_eq!(knows(), [false, true]);
}

/// Held by `Signer::notice` and `Signer::begin`.
#[test]
fn a_next_log_key_that_cannot_be_read_hinders_neither_a_rotation_of_the_root_key_nor_a_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = MemoryJournal::new();
    let open = || open_with(folder.path(), Some(&journal), clock(), equipment("usual"));
    let next = folder.path().join("keys/log.key.next");
    let garble = || {
        write(&next, "no key");
        private(&next);
    };
    let (exchange, threads) = open();
    add_operator(&exchange);
    garble();
    for (operator, came_to) in
        [("operator-1", Rotation::Proposed), ("operator-2", Rotation::Decided)]
    {
        assert_eq!(rotate_key(&exchange, BrokerKey::Root, operator), Ok(came_to));
        exchange.checkpoint_now().expect("the log goes on");
    }
    assert!(rotate_key(&exchange, BrokerKey::Log, "operator-1").is_err(), "that one is hindered");
    fs_err::remove_file(&next).expect("removed");
    for operator in ["operator-1", "operator-2"] {
        rotate(&exchange, operator);
    }
    drop(exchange);
    threads.join();
    // Nobody has agreed on what lies there now.
    garble();
    let (exchange, threads) = open();
    work(&exchange);
    exchange.checkpoint_now().expect("the log goes on");
    drop(exchange);
    threads.join();
}

/// Store and keys of before a rotation are put back over what is there, and somebody takes what was signed last away. Held by
/// `LogKeyOlder` in `key_standing::standing`.
#[test]
fn a_key_that_was_replaced_signs_nothing_where_its_successor_and_what_was_signed_last_are_gone() {
    let replaced = Replaced::new();
    let place = replaced.died_after(6);
    let keys = place.join("keys");
    copy(&replaced.before, &keys);
    fs_err::remove_file(keys.join("log.key.next")).expect("removed");
    fs_err::remove_file(keys.join("log.head")).expect("removed");
    write(keys.join("log.head.accepted"), "");
    let proposed = replaced.frames.len() - 3;
    let why = refused(&place, &replaced.frames[..proposed]);
    assert!(why.contains(&replaced.older_file("vkey")), "{why}");
    assert!(!keys.join("log.head").exists(), "nothing was signed");
}

/// Held by `is_announced` in `log_beside`.
#[test]
fn a_key_that_the_log_does_not_announce_is_told_from_outside_until_another_one_is_announced() {
    let replaced = Replaced::new();
    let place = replaced.died_after(6);
    let is_announced = |frames: &[Frame]| {
        keep_journal(&place, frames);
        paths(&place).check_log_head().expect("it starts").is_key_announced
    };
    assert!(is_announced(&replaced.frames));
    // Also where the last note of the older key is lost, which tells where the announcement is.
    let last = place.join("keys").join(replaced.older_file("checkpoint"));
    let note = read(&last);
    fs_err::remove_file(&last).expect("removed");
    assert!(is_announced(&replaced.frames));
    write(&last, &note);

    // A store of before the announcement, and a loss that was accepted.
    let head = place.join("keys/log.head");
    fs_err::rename(&head, head.with_extension("head.accepted")).expect("renamed");
    let journal = memory(&replaced.frames[..replaced.frames.len() - 3]);
    assert!(!is_announced(&frames(&journal)));
    let open = || open_with(&place, Some(&journal), clock(), equipment("usual"));
    let (exchange, threads) = open();
    exchange.checkpoint_now().expect("signed");
    assert!(!is_announced(&frames(&journal)));
    for operator in ["operator-1", "operator-2"] {
        rotate(&exchange, operator);
    }
    assert!(is_announced(&frames(&journal)));
    work(&exchange);
    exchange.checkpoint_now().expect("signed");
    drop(exchange);
    threads.join();
    assert!(is_announced(&frames(&journal)));
}
