//! Both sides of the protocol, over a real connection and as files, against logs in folders.

use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use jiff::Timestamp;
use renkei_tlog::leaf::{LeafResult, Operation, UtcMillis};
use renkei_tlog::proof::consistency_proof;
use renkei_tlog::{Leaf, LogFolder, LogKey, SignedCheckpoint, WitnessKey};
use renkei_types::{Clock, EventId, FixedClock, SeededEntropy};
use renkei_witness::{
    Answer, NoAnswer, Refused, ServerIdentity, Submission, Witness, WitnessClient, WitnessError,
    origin_name, serve,
};
use tokio::net::TcpListener;

const NOW: i64 = 1_795_219_200;

fn log_key() -> LogKey {
    LogKey::generate("kita.example/log".parse().expect("an origin"), &SeededEntropy::new(1))
}

fn witness_key() -> WitnessKey {
    WitnessKey::generate("pref.example/w1".parse().expect("a name"), &SeededEntropy::new(2))
}

/// A log that grows, and requests for its checkpoints.
struct Log {
    _folder: tempfile::TempDir,
    log: LogFolder,
    /// Which history: leaves of another one differ.
    history: u64,
}

impl Log {
    fn of(history: u64) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (log, _) = LogFolder::open(folder.path()).expect("a log");
        Self { _folder: folder, log, history }
    }

    /// Grows to a size, and signs it.
    fn grow_by(&mut self, size: u64, key: &LogKey) -> SignedCheckpoint {
        let leaf = |index: u64| {
            let mut id = [3; 16];
            id[8..].copy_from_slice(&(index + self.history * 1_000).to_be_bytes());
            let time = UtcMillis(1_795_219_200_000 + index);
            let leaf = Leaf::new(EventId::from_bytes(id), time, Operation::Start, LeafResult::Ok);
            leaf.to_bytes().expect("a leaf")
        };
        let leaves: Vec<_> = (self.log.size()..size).map(leaf).collect();
        self.log.append(&leaves).expect("appended");
        self.log.publish(key).expect("signed")
    }

    /// A request for a size that the log has now, from an older one.
    fn request(&mut self, old_size: u64, size: u64) -> Submission {
        self.request_by(old_size, size, &log_key())
    }

    fn request_by(&mut self, old_size: u64, size: u64, key: &LogKey) -> Submission {
        let note = self.grow_by(size, key).note().to_owned();
        let proof = consistency_proof(&self.log, old_size, size).expect("read").expect("in range");
        Submission { old_size, proof: proof.hashes, note }
    }
}

fn witness_with(folder: &Path, clock: Arc<dyn Clock + Send + Sync>) -> Witness {
    Witness::open(folder, witness_key(), vec![log_key().verifier()], clock).expect("a witness")
}

/// A witness that was given these keys of one log.
fn witness_given(folder: &Path, keys: &[&LogKey]) -> Witness {
    let now = Timestamp::from_second(NOW).expect("a time");
    let keys = keys.iter().map(|key| key.verifier()).collect();
    Witness::open(folder, witness_key(), keys, Arc::new(FixedClock(now))).expect("a witness")
}

fn witness(folder: &Path) -> Witness {
    witness_given(folder, &[&log_key()])
}

fn refusal(witness: &Witness, request: &Submission) -> Refused {
    match witness.add_checkpoint(request.to_text().as_bytes()) {
        Err(WitnessError::Refused(refused)) => refused,
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_rule_of_the_protocol_has_its_refusal_and_none_of_them_is_remembered() {
    let folder = tempfile::tempdir().expect("a folder");
    let witness = witness(folder.path());
    let mut log = Log::of(0);
    let first = log.request(0, 5);
    assert_eq!(refusal(&witness, &Submission { old_size: 6, ..first.clone() }), Refused::Malformed);
    assert_eq!(
        refusal(&witness, &Submission { old_size: 2, ..first.clone() }),
        Refused::OtherSize { size: 0 }
    );
    let proof_from_nothing = Submission { proof: log.request(3, 5).proof, ..first.clone() };
    assert_eq!(refusal(&witness, &proof_from_nothing), Refused::Inconsistent { size: 0 });
    let stranger = LogKey::generate(log_key().origin().clone(), &SeededEntropy::new(9));
    let root = log.log.head().root;
    let forged = SignedCheckpoint::sign(&stranger, 5, root).note().to_owned();
    assert_eq!(
        refusal(&witness, &Submission { note: forged, ..first.clone() }),
        Refused::WrongSignature
    );
    let changed = first.note.replacen("\n5\n", "\n4\n", 1);
    assert_eq!(
        refusal(&witness, &Submission { note: changed, ..first.clone() }),
        Refused::WrongSignature
    );
    let minami = LogKey::generate("minami.example/log".parse().expect("o"), &SeededEntropy::new(1));
    let unknown = SignedCheckpoint::sign(&minami, 5, root).note().to_owned();
    assert_eq!(
        refusal(&witness, &Submission { note: unknown, ..first.clone() }),
        Refused::UnknownLog
    );
    // A log without entries whose root is not the hash of nothing.
    let hollow = SignedCheckpoint::sign(&log_key(), 0, root).note().to_owned();
    assert_eq!(
        refusal(&witness, &Submission { note: hollow, ..first.clone() }),
        Refused::Inconsistent { size: 0 }
    );
    assert_eq!(witness.checkpoint(&origin_name(log_key().origin())).expect("asked"), None);

    let line = witness.add_checkpoint(first.to_text().as_bytes()).expect("cosigned");
    let signed = SignedCheckpoint::open(first.note.as_bytes(), &[log_key().verifier()]);
    let found = signed.expect("signed").cosignatures_in(&line, &[witness_key().cosigner()]);
    assert_eq!(found.expect("it holds")[0].seconds(), NOW.unsigned_abs());
}

#[test]
fn a_log_is_cosigned_as_it_grows_and_again_at_the_same_size_with_a_later_time() {
    #[derive(Default)]
    struct Running(AtomicI64);
    impl Clock for Running {
        fn now(&self) -> Timestamp {
            let passed = self.0.fetch_add(60, Ordering::Relaxed);
            Timestamp::from_second(NOW + passed).expect("a time")
        }
        fn monotonic(&self) -> Duration {
            Duration::ZERO
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    let witness = witness_with(folder.path(), Arc::new(Running::default()));
    let mut log = Log::of(0);
    let mut old = 0;
    for (nth, size) in (0..).zip([1, 2, 7, 7, 256, 300, 900]) {
        let request = log.request(old, size);
        let line = witness.add_checkpoint(request.to_text().as_bytes()).expect("cosigned");
        let signed = SignedCheckpoint::open(request.note.as_bytes(), &[log_key().verifier()]);
        let found = signed.expect("signed").cosignatures_in(&line, &[witness_key().cosigner()]);
        assert_eq!(found.expect("it holds")[0].seconds(), NOW.unsigned_abs() + nth * 60);
        old = size;
    }
    // Another witness on the same folder, as after a restart, remembers the same.
    let again = self::witness(folder.path());
    assert_eq!(refusal(&again, &log.request(300, 900)), Refused::OtherSize { size: 900 });
}

#[test]
fn another_history_under_the_same_key_is_never_cosigned_at_any_size() {
    let folder = tempfile::tempdir().expect("a folder");
    let witness = witness(folder.path());
    let request = Log::of(0).request(0, 300);
    witness.add_checkpoint(request.to_text().as_bytes()).expect("cosigned");
    let mut other = Log::of(1);
    for size in [300, 301, 700] {
        let request = other.request(300, size);
        assert_eq!(refusal(&witness, &request), Refused::Inconsistent { size: 300 }, "{size}");
    }
    // And an older state of the first history cannot be passed off as news.
    let set_back = Log::of(0).request(0, 200);
    assert_eq!(refusal(&witness, &set_back), Refused::OtherSize { size: 300 });
}

/// The race of the specification: N was checked, N + K is checked and remembered, N must not be written over it. The second
/// request comes while the first is between its check and its memory, which is where a witness asks what time it is.
#[test]
fn a_smaller_checkpoint_never_replaces_a_larger_one_that_was_cosigned_meanwhile() {
    struct Meddler {
        asked: AtomicU32,
        meddle: Mutex<Option<(mpsc::Sender<()>, mpsc::Receiver<()>)>>,
    }
    impl Clock for Meddler {
        fn now(&self) -> Timestamp {
            if self.asked.fetch_add(1, Ordering::SeqCst) == 0
                && let Some((go, done)) = self.meddle.lock().expect("no panic").take()
            {
                go.send(()).expect("somebody waits");
                // Where the turn is kept nothing can come within it; where it is not, the answer does.
                let _ = done.recv_timeout(Duration::from_millis(300));
            }
            Timestamp::from_second(NOW).expect("a time")
        }
        fn monotonic(&self) -> Duration {
            Duration::ZERO
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    let mut log = Log::of(0);
    let (smaller, larger) = (log.request(0, 5), log.request(0, 9));
    let ((go, gone), (done, is_done)) = (mpsc::channel(), mpsc::channel());
    let meddle = Mutex::new(Some((go, is_done)));
    let clock = Arc::new(Meddler { asked: AtomicU32::new(0), meddle });
    let witness = Arc::new(witness_with(folder.path(), clock));
    let second = std::thread::spawn({
        let witness = Arc::clone(&witness);
        move || {
            gone.recv().expect("the first is under way");
            let answer = witness
                .add_checkpoint(larger.to_text().as_bytes())
                .map_err(|error| error.to_string());
            let _ = done.send(());
            answer
        }
    });
    let first = witness.add_checkpoint(smaller.to_text().as_bytes());
    let second = second.join().expect("no panic");
    assert!(first.is_ok(), "{first:?}");
    assert!(second.is_err_and(|told| told.contains("--old 5")), "both went on from nothing");
    assert_eq!(refusal(&witness, &log.request(0, 9)), Refused::OtherSize { size: 5 });
}

#[test]
fn of_requests_at_once_exactly_one_goes_on_from_each_size() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut log = Log::of(0);
    let requests: Vec<String> = (1..=8).map(|size| log.request(0, size).to_text()).collect();
    let answers: Vec<bool> = std::thread::scope(|scope| {
        let ask = |request: &String| {
            // Each a witness of its own on one folder, as processes are.
            let (witness, request) = (witness(folder.path()), request.clone());
            scope.spawn(move || witness.add_checkpoint(request.as_bytes()).is_ok())
        };
        let asked: Vec<_> = requests.iter().map(ask).collect();
        asked.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert_eq!(answers.iter().filter(|cosigned| **cosigned).count(), 1, "{answers:?}");
    let winner = (1..).zip(&answers).find(|(_, won)| **won).map(|(size, _)| size).expect("one");
    let witness = witness(folder.path());
    assert_eq!(refusal(&witness, &log.request(0, 9)), Refused::OtherSize { size: winner });
}

/// The key that takes the place of another.
fn newer_key() -> LogKey {
    LogKey::generate(log_key().origin().clone(), &SeededEntropy::new(3))
}

fn cosign(witness: &Witness, request: &Submission) {
    witness.add_checkpoint(request.to_text().as_bytes()).expect("cosigned");
}

#[test]
fn behind_a_checkpoint_of_a_newer_key_the_older_one_has_nothing_cosigned_in_whatever_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let (older, newer) = (log_key(), newer_key());
    let mut log = Log::of(0);
    // Given before it is in use, as an operator who is told of it does.
    let given = witness_given(folder.path(), &[&older, &newer]);
    cosign(&given, &log.request_by(0, 5, &older));
    cosign(&given, &log.request_by(5, 7, &older));
    cosign(&given, &log.request_by(7, 7, &newer));
    let forked = Log::of(0).request_by(7, 9, &older);
    assert_eq!(refusal(&given, &forked), Refused::ReplacedKey);
    // What is replaced stays so when the witness is started again, with the lines the other way round.
    let turned = witness_given(folder.path(), &[&newer, &older]);
    assert_eq!(refusal(&turned, &forked), Refused::ReplacedKey);
    // And when what was cosigned is put away after a dispute.
    let memory = folder.path().join(origin_name(older.origin()));
    fs_err::rename(memory, folder.path().join("evidence")).expect("put away");
    let from_nothing = Log::of(0).request_by(0, 9, &older);
    assert_eq!(refusal(&turned, &from_nothing), Refused::ReplacedKey);
    cosign(&turned, &log.request_by(0, 12, &newer));
    let alone = witness_given(folder.path(), &[&newer]);
    cosign(&alone, &log.request_by(12, 15, &newer));
}

#[test]
fn a_witness_that_began_with_the_newer_key_accepts_no_key_that_was_given_before_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let (older, newer) = (log_key(), newer_key());
    let given = witness_given(folder.path(), &[&older, &newer]);
    cosign(&given, &Log::of(0).request_by(0, 5, &newer));
    let forked = Log::of(0).request_by(5, 9, &older);
    assert_eq!(refusal(&given, &forked), Refused::ReplacedKey);
}

#[test]
fn a_newer_key_that_was_given_first_is_refused_until_the_order_is_put_right() {
    let folder = tempfile::tempdir().expect("a folder");
    let (older, newer) = (log_key(), newer_key());
    let turned = witness_given(folder.path(), &[&newer, &older]);
    let mut log = Log::of(0);
    cosign(&turned, &log.request_by(0, 5, &older));
    let next = log.request_by(5, 9, &newer);
    assert_eq!(refusal(&turned, &next), Refused::ReplacedKey);
    assert!(Refused::ReplacedKey.to_string().contains("newest key last"));
    cosign(&witness_given(folder.path(), &[&older, &newer]), &next);
}

#[test]
fn a_memory_that_somebody_else_has_written_stops_the_witness() {
    let folder = tempfile::tempdir().expect("a folder");
    let witness = witness(folder.path());
    let mut log = Log::of(0);
    let request = log.request(0, 5);
    witness.add_checkpoint(request.to_text().as_bytes()).expect("cosigned");
    let file = folder.path().join(origin_name(log_key().origin())).join("checkpoint");
    // Signed by the log, as an operator who has its key could, and not by the witness.
    fs_err::write(&file, Log::of(1).request(0, 3).note).expect("written");
    let answer = witness.add_checkpoint(log.request(3, 9).to_text().as_bytes());
    assert!(matches!(answer, Err(WitnessError::Damaged { .. })), "{answer:?}");
    fs_err::remove_file(&file).expect("removed");
    fs_err::write(folder.path().join("replaced"), "nothing\n").expect("written");
    let answer = witness.add_checkpoint(log.request(0, 9).to_text().as_bytes());
    assert!(matches!(answer, Err(WitnessError::Damaged { .. })), "{answer:?}");
}

/// Runs a test beside a witness that serves on this machine.
fn beside<T>(identity: Option<ServerIdentity>, test: impl AsyncFnOnce(u16) -> T) -> T {
    let folder = tempfile::tempdir().expect("a folder");
    let witness = Arc::new(witness(folder.path()));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let served = serve(listener, identity, witness, async {
            let _ = stopped.await;
        });
        let served = tokio::spawn(served);
        let told = test(port).await;
        drop(stop);
        served.await.expect("it ends");
        told
    })
}

#[test]
fn over_a_connection_the_answers_are_those_of_the_protocol() {
    beside(None, async |port| {
        let url = format!("http://127.0.0.1:{port}");
        let client = WitnessClient::new(&url, None, Duration::from_secs(10)).expect("a client");
        let origin = log_key().origin().clone();
        assert_eq!(client.checkpoint(&origin).await.expect("answered"), None);
        let mut log = Log::of(0);
        let first = log.request(0, 5);
        let Answer::Cosigned(line) = client.add_checkpoint(&first).await.expect("answered") else {
            panic!("not cosigned");
        };
        let kept = client.checkpoint(&origin).await.expect("answered").expect("kept");
        assert_eq!(kept, format!("{}{line}", first.note));
        let conflict = client.add_checkpoint(&first).await.expect("answered");
        assert_eq!(conflict, Answer::OtherSize(5));
        let other = Log::of(1).request(5, 8);
        assert_eq!(client.add_checkpoint(&other).await.expect("answered"), Answer::Inconsistent);
        let nonsense = Submission { note: "nothing\n".to_owned(), ..first };
        let refused = client.add_checkpoint(&nonsense).await;
        assert!(matches!(refused, Err(NoAnswer::Status(400))), "{refused:?}");
        let elsewhere =
            WitnessClient::new(&format!("{url}/elsewhere"), None, Duration::from_secs(10));
        let refused = elsewhere.expect("a client").add_checkpoint(&other).await;
        assert!(matches!(refused, Err(NoAnswer::UnknownLog)), "{refused:?}");
    });
}

#[test]
fn over_tls_the_witness_must_be_who_its_authority_says() {
    let (own, stranger) = (rcgen::KeyPair::generate(), rcgen::KeyPair::generate());
    let (own, stranger) = (own.expect("a key"), stranger.expect("a key"));
    let certificate = |host: &str, key: &rcgen::KeyPair| {
        let names = vec![host.to_owned()];
        rcgen::CertificateParams::new(names).expect("a name").self_signed(key).expect("signed")
    };
    let right = certificate("127.0.0.1", &own);
    let (other_host, other_key) =
        (certificate("127.0.0.2", &own), certificate("127.0.0.1", &stranger));
    let identity = |shown: &rcgen::Certificate| {
        let key = own.serialize_pem();
        ServerIdentity::from_pem(shown.pem().as_bytes(), key.as_bytes()).expect("an identity")
    };
    let ask = async |port: u16, trusted: &rcgen::Certificate| {
        let url = format!("https://127.0.0.1:{port}/");
        let authority = trusted.pem();
        let client = WitnessClient::new(&url, Some(authority.as_bytes()), Duration::from_secs(10));
        client.expect("a client").add_checkpoint(&Log::of(0).request(0, 5)).await
    };
    let answer = beside(Some(identity(&right)), async |port| ask(port, &right).await);
    assert!(matches!(answer, Ok(Answer::Cosigned(_))), "{answer:?}");
    for (shown, trusted) in [(&other_host, &other_host), (&right, &other_key)] {
        let answer = beside(Some(identity(shown)), async |port| ask(port, trusted).await);
        assert!(matches!(answer, Err(NoAnswer::Unreachable(_))), "{answer:?}");
    }
    assert!(ServerIdentity::from_pem(right.pem().as_bytes(), b"").is_err());
}

#[test]
fn a_witness_that_is_gone_or_silent_is_told_as_such() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let client = |patience| {
            let url = format!("http://127.0.0.1:{port}");
            WitnessClient::new(&url, None, patience).expect("a client")
        };
        // It accepts, and says nothing.
        let silent = client(Duration::from_millis(50)).checkpoint(log_key().origin()).await;
        assert!(matches!(silent, Err(NoAnswer::TooSlow)), "{silent:?}");
        drop(listener);
        let gone = client(Duration::from_secs(10)).checkpoint(log_key().origin()).await;
        assert!(matches!(gone, Err(NoAnswer::Unreachable(_))), "{gone:?}");
    });
}
