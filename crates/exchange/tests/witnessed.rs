//! What leaves while witnesses are silent, and what happens when one of them knows another past.

mod town;

use std::sync::Arc;
use std::time::Duration;

use renkei_exchange::audit::ReadLeaves;
use renkei_exchange::command::Call;
use renkei_exchange::directory::{AddAgency, ChangeParty, PartyChange};
use renkei_exchange::hold::{Hold, ReleaseHold, Target};
use renkei_exchange::permit::{Operate, ReadLog, Receive, StopReleases};
use renkei_exchange::transfer::ExportTransfer;
use renkei_exchange::{Refusal, Role, WitnessRule};
use renkei_tlog::hash::leaf_hash;
use renkei_tlog::leaf::{LeafResult, Operation};
use renkei_tlog::{LogKey, Policy, SignedCheckpoint, Standing, WitnessKey};
use renkei_types::{BatchId, Digest, Reason, RequestId, SeededEntropy};
use town::{Town, caller};

const HOUR: u64 = 3_600;

fn witness(number: u64) -> WitnessKey {
    let name = format!("pref.example/w{number}").parse().expect("a name");
    WitnessKey::generate(name, &SeededEntropy::new(number))
}

/// Two of three, within four hours.
fn two_of_three() -> WitnessRule {
    let witnesses = (1..=3).map(|n| format!("witness w{n} {}\n", witness(n).cosigner()));
    let text = witnesses.collect::<String>() + "group g 2 w1 w2 w3\nquorum g\n";
    let policy = Policy::parse(text.as_bytes()).expect("a policy");
    WitnessRule { policy: Arc::new(policy), grace: Duration::from_secs(4 * HOUR), unheard: false }
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
}

/// Hands the town cosignatures of its present checkpoint, by these witnesses whose clocks are so many seconds ahead.
fn cosign(town: &Town, by: &[u64], ahead_seconds: u64) -> Standing {
    let now = town.exchange.clock().now().as_second().unsigned_abs() + ahead_seconds;
    let note = wait(town.exchange.checkpoint()).expect("a checkpoint");
    let key = log_key(town).verifier();
    let signed = SignedCheckpoint::open(note.as_bytes(), &[key]).expect("signed");
    let lines: Vec<_> = by.iter().map(|&n| witness(n).cosign(signed.checkpoint(), now)).collect();
    let note = signed.with_cosignatures(&lines).note().to_owned();
    wait(town.exchange.cosigned("w", note)).expect("counted")
}

fn log_key(town: &Town) -> LogKey {
    let pem = fs_err::read_to_string(town.keys().join("log.key")).expect("a key");
    let origin = "renkei.example/renkei-audit/131016".parse().expect("an origin");
    LogKey::from_pem(origin, &pem).expect("a key")
}

fn export(town: &Town, batch: BatchId) -> Result<(), Refusal> {
    let permit = town.permit_dataset::<Receive>("transfers", town.deliveries());
    let export = ExportTransfer { permit, batch };
    town.exchange.execute_now(Call::read(caller("transfers")), export).map(drop)
}

fn refused<T: std::fmt::Debug>(result: Result<T, Refusal>) -> Reason {
    result.expect_err("a refusal").reason
}

/// A1: held by `check_release` in `CertifyBatch`, `ExportTransfer` and `ReleaseHold`.
#[test]
fn releases_and_exports_stop_when_witnesses_are_silent_beyond_the_grace_and_all_else_goes_on() {
    let (mut town, rule) = (Town::new(), two_of_three());
    let list = town.linked_list("wave-1", 60);
    town.decide_all(list, "clerk-1");
    town.restart_witnessed(0, &rule);
    let proposed = town.propose("certifier-1", list).expect("the first signature releases nothing");
    // Nobody has cosigned, then one of the two that are needed.
    assert_eq!(refused(town.sign("certifier-2", list, proposed.batch)), Reason::NotWitnessed);
    let standing = cosign(&town, &[2], 0);
    assert_eq!((standing.met, standing.by), (false, vec!["w2".to_owned()]));
    assert_eq!(refused(town.sign("certifier-2", list, proposed.batch)), Reason::NotWitnessed);
    assert!(cosign(&town, &[1, 2], 0).met);
    let batch = town.sign("certifier-2", list, proposed.batch).expect("released");
    export(&town, batch).expect("exported");

    // The witnesses are gone for an hour, and the broker is restarted meanwhile: what they said is remembered.
    town.restart_witnessed(1, &rule);
    export(&town, batch).expect("within the grace");
    // And for a day.
    town.restart_witnessed(23, &rule);
    assert_eq!(refused(export(&town, batch)), Reason::NotWitnessed);
    town.deliver_and_acknowledge();
    let next = town.linked_list_of("wave-2", &town.payments(90));
    town.decide_all(next, "clerk-1");
    let proposed = town.propose("certifier-1", next).expect("drawn up").batch;
    assert_eq!(refused(town.sign("certifier-2", next, proposed)), Reason::NotWitnessed);
    // They are back.
    assert!(cosign(&town, &[3, 1], 0).met);
    town.sign("certifier-2", next, proposed).expect("released");
}

#[test]
fn lifting_a_hold_releases_nothing_while_witnesses_are_silent() {
    let (mut town, rule) = (Town::new(), two_of_three());
    let list = town.linked_list("wave-1", 60);
    town.decide_all(list, "clerk-1");
    town.restart_witnessed(0, &rule);
    assert!(cosign(&town, &[1, 2], 0).met);
    let (programme, target) = (town.programme, Target::Programme);
    let permit = town.permit_own::<StopReleases>("certifier-1");
    let hold = Hold { permit, programme, list: None };
    town.exchange.execute_now(Call::read(caller("certifier-1")), hold).expect("stopped");
    town.certify(list).expect("certified, and not released");
    town.restart_witnessed(5, &rule);
    let lift = |who: &str| {
        let permit = town.permit_own::<StopReleases>(who);
        let lift = ReleaseHold { permit, programme, target };
        town.exchange.execute_now(Call::read(caller(who)), lift).map(|done| done.reply.released)
    };
    assert_eq!(lift("certifier-1"), Ok(Vec::new()), "the first only signs");
    assert_eq!(lift("certifier-2").map_err(|it| it.reason), Err(Reason::NotWitnessed));
    assert!(cosign(&town, &[2, 3], 0).met);
    assert_eq!(lift("certifier-2").map(|released| released.len()), Ok(1));
}

#[test]
fn a_witness_whose_clock_is_ahead_does_not_vouch_for_days_that_have_not_come() {
    let (mut town, rule) = (Town::new(), two_of_three());
    let list = town.linked_list("wave-1", 60);
    town.decide_all(list, "clerk-1");
    town.restart_witnessed(0, &rule);
    assert!(!cosign(&town, &[1, 2], 24 * HOUR).met);
    let batch = town.propose("certifier-1", list).expect("drawn up").batch;
    assert_eq!(refused(town.sign("certifier-2", list, batch)), Reason::NotWitnessed);
    assert!(cosign(&town, &[1, 3], 60).met, "a minute is no day");
    town.sign("certifier-2", list, batch).expect("released");
}

#[test]
fn cosignatures_stand_in_the_checkpoint_that_is_handed_out_and_those_of_strangers_do_not() {
    let (mut town, rule) = (Town::new(), two_of_three());
    town.restart_witnessed(0, &rule);
    assert_eq!(cosign(&town, &[1, 2, 9], 0).by, ["w1", "w2"]);
    let note = wait(town.exchange.checkpoint()).expect("a checkpoint");
    assert!(note.contains("pref.example/w1") && note.contains("pref.example/w2"), "{note}");
    assert!(!note.contains("pref.example/w9"), "{note}");
    let file = fs_err::read_to_string(town.paths().log().join("checkpoint")).expect("a file");
    assert_eq!(file, note);
    // The log grows; the checkpoint that was cosigned is kept beside the next one.
    let kept = town.paths().log().join("cosigned");
    town.restart();
    assert_ne!(wait(town.exchange.checkpoint()).expect("a checkpoint"), note);
    assert_eq!(fs_err::read_to_string(kept).expect("a file"), note);
    let changed = note.replacen("pref.example/w1 ", "pref.example/w2 ", 1);
    assert!(wait(town.exchange.cosigned("w", changed)).is_ok(), "a line of an unknown key id");
    let nonsense = wait(town.exchange.cosigned("w", "nothing".to_owned()));
    assert_eq!(refused(nonsense), Reason::FieldInvalid);
}

fn agency(town: &Town, name: &str, number: u8) -> Result<(), Refusal> {
    let permit = town.permit::<Operate>("operator-1");
    let agency = format!("131016/{name}").parse().expect("an agency");
    let command = AddAgency { permit, agency, title: name.to_owned() };
    let request = RequestId::from_bytes([number; 16]);
    let call = Call::mutation(caller("operator-1"), request, Digest::of(name.as_bytes()));
    town.exchange.execute_now(call, command).map(drop)
}

fn read(town: &Town) -> Result<(), Refusal> {
    let permit = town.exchange.state().permit::<ReadLog>(&caller("operator-2"))?;
    let read = ReadLeaves { permit, leaves: Some(1) };
    town.exchange.execute_now(Call::read(caller("operator-2")), read).map(drop)
}

/// Every suspicion that the log tells of: result, code, size that was seen.
fn suspicions(town: &Town) -> Vec<(LeafResult, Option<String>, u64)> {
    let leaves = town.leaves_unsigned();
    let told = leaves.iter().filter(|leaf| leaf.op == Operation::RollbackSuspected);
    told.map(|leaf| {
        let seen = leaf.seen.as_ref().expect("a checkpoint").size;
        (leaf.res, leaf.code.as_ref().map(ToString::to_string), seen)
    })
    .collect()
}

/// A2 and O7: held by `root_at` in `Witnessed::accept`, `check_change` in `Entry::stage`, `is_disputed` in the log.
#[test]
fn another_past_under_the_same_key_stops_changing_and_signing_until_an_operator_accepts_it() {
    let (mut town, rule) = (Town::new(), two_of_three());
    let permit = town.permit::<Operate>("operator-1");
    let change = PartyChange::Grant(Role::Auditor);
    let grant = ChangeParty { permit, identity: town::identity("operator-2"), change };
    town.exchange.execute_now(Call::read(caller("operator-1")), grant).expect("an auditor");
    town.restart_witnessed(0, &rule);
    agency(&town, "before", 1).expect("added");
    let signed = wait(town.exchange.checkpoint()).expect("a checkpoint");
    // Somebody with the log's key has shown a witness another log, which is longer.
    let forged = SignedCheckpoint::sign(&log_key(&town), 9_999, leaf_hash(b"another past"));
    let line = witness(1).cosign(forged.checkpoint(), 1_795_219_200);
    let evidence = forged.with_cosignatures(&[line]).note().to_owned();
    let told = wait(town.exchange.cosigned("w1", evidence.clone()));
    assert_eq!(refused(told), Reason::LogDisputed);

    for restarted in [false, true] {
        if restarted {
            town.restart();
        }
        assert_eq!(refused(agency(&town, "after", 2)), Reason::LogDisputed);
        agency(&town, "before", 1).expect("what was answered is answered again");
        read(&town).expect("reading goes on, and is noted");
        assert_eq!(refused(wait(town.exchange.checkpoint())), Reason::LogDisputed);
        let file = fs_err::read_to_string(town.paths().log().join("checkpoint")).expect("a file");
        assert_eq!(file, signed, "nothing was signed since");
    }
    let failed = (LeafResult::Failed, Some("LOG_DISPUTED".to_owned()), 9_999);
    assert_eq!(suspicions(&town), [failed.clone(), failed.clone()], "one for each start as well");
    let dispute = town.keys().join("log.dispute");
    let kept = fs_err::read_to_string(&dispute).expect("the evidence is kept");
    assert!(kept.contains("\"witness\": \"w1\"") && kept.contains("9999"), "{kept}");

    town.close();
    fs_err::rename(&dispute, town.keys().join("log.dispute.accepted")).expect("renamed");
    town.reopen();
    agency(&town, "after", 2).expect("added");
    assert!(wait(town.exchange.checkpoint()).is_ok());
    assert_eq!(suspicions(&town), [failed.clone(), failed, (LeafResult::Ok, None, 9_999)]);
    assert!(town.keys().join("log.dispute.settled-9999").exists());
}
