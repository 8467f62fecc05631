use proptest::prelude::*;
use renkei_types::SeededEntropy;

use super::*;
use crate::checkpoint::{LogKey, WitnessKey};
use crate::hash::leaf_hash;

fn witness(seed: u64) -> WitnessKey {
    let name = format!("pref.example/w{seed}").parse().expect("a name");
    WitnessKey::generate(name, &SeededEntropy::new(seed))
}

fn log() -> LogKey {
    LogKey::generate("kita.example/log".parse().expect("an origin"), &SeededEntropy::new(90))
}

fn lines(tail: &str) -> String {
    let witnesses: String =
        (1..=6).map(|n| format!("witness w{n} {}\n", witness(n).cosigner())).collect();
    format!("# of the town\n\nlog {} https://kita.example/\n{witnesses}{tail}", log().verifier())
}

fn policy(tail: &str) -> Policy {
    Policy::parse(lines(tail).as_bytes()).unwrap_or_else(|flaw| panic!("{tail}: {flaw:?}"))
}

/// A checkpoint with cosignatures, each by a witness at a time.
fn cosigned(by: &[(u64, u64)]) -> SignedCheckpoint {
    let signed = SignedCheckpoint::sign(&log(), 7, leaf_hash(b"root"));
    let added: Vec<_> =
        by.iter().map(|&(n, time)| witness(n).cosign(signed.checkpoint(), time)).collect();
    signed.with_cosignatures(&added)
}

fn since(policy: &Policy, by: &[(u64, u64)]) -> Option<u64> {
    policy.standing(&cosigned(by), None).expect("good lines").since
}

#[test]
fn any_one_all_and_two_of_three_are_met_by_that_many() {
    let any = policy("group g any w1 w2 w3\nquorum g\n");
    assert_eq!(since(&any, &[]), None);
    assert_eq!(since(&any, &[(2, 50)]), Some(50));
    assert_eq!(since(&any, &[(4, 50)]), None, "a witness that the quorum does not need");
    let two = policy("group g 2 w1 w2 w3\nquorum g\n");
    assert_eq!(since(&two, &[(1, 50)]), None);
    assert_eq!(since(&two, &[(1, 50), (3, 70)]), Some(50));
    assert_eq!(since(&two, &[(1, 50), (3, 70), (2, 60)]), Some(60), "the two latest count");
    let all = policy("group g all w1 w2\nquorum g\n");
    assert_eq!(since(&all, &[(1, 50)]), None);
    assert_eq!(since(&all, &[(1, 50), (2, 40)]), Some(40));
}

#[test]
fn groups_of_groups_need_every_organisation() {
    let policy =
        policy("group x 2 w1 w2 w3\n\tgroup  y any\tw4 w5 w6 \ngroup both all x y\nquorum both\n");
    assert_eq!(since(&policy, &[(1, 10), (2, 20), (3, 30)]), None);
    assert_eq!(since(&policy, &[(1, 10), (3, 30), (5, 20)]), Some(10));
}

#[test]
fn no_quorum_is_met_by_nobody_and_says_nothing_of_time() {
    let policy = policy("quorum none\n");
    let standing = policy.standing(&cosigned(&[(1, 10)]), None).expect("good lines");
    assert_eq!(standing, Standing { by: vec!["w1".to_owned()], met: true, since: None });
    assert!(!policy.needs_witnesses());
}

#[test]
fn a_cosignature_of_a_day_that_has_not_come_does_not_count() {
    let policy = policy("quorum w1\n");
    let note = cosigned(&[(1, 1_000)]);
    assert!(!policy.standing(&note, Some(999)).expect("good lines").met);
    assert!(policy.standing(&note, Some(1_000)).expect("good lines").met);
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let (key, other) = (witness(7).cosigner(), witness(1).cosigner());
    let log_key = log().verifier();
    for (tail, flaw) in [
        ("quorum w9\n".to_owned(), PolicyFlaw::UnknownName),
        ("quorum w1\nquorum w1\n".to_owned(), PolicyFlaw::SecondQuorum),
        ("# nothing\n".to_owned(), PolicyFlaw::NoQuorum),
        ("group g 0 w1\n".to_owned(), PolicyFlaw::Threshold),
        ("group g 2 w1\n".to_owned(), PolicyFlaw::Threshold),
        ("group g +1 w1\n".to_owned(), PolicyFlaw::Threshold),
        ("group g most w1\n".to_owned(), PolicyFlaw::Threshold),
        ("group g all\n".to_owned(), PolicyFlaw::UnknownLine),
        ("group g any w1 w1\n".to_owned(), PolicyFlaw::MemberTwice),
        ("group g any w1\ngroup h any w1\n".to_owned(), PolicyFlaw::MemberTwice),
        ("group g any h\n".to_owned(), PolicyFlaw::UnknownName),
        ("group w1 any w2\n".to_owned(), PolicyFlaw::RepeatedName),
        ("group none any w2\n".to_owned(), PolicyFlaw::RepeatedName),
        ("group g any none\n".to_owned(), PolicyFlaw::UnknownName),
        (format!("witness w1 {key}\n"), PolicyFlaw::RepeatedName),
        (format!("witness again {other}\n"), PolicyFlaw::RepeatedKey),
        (format!("log {log_key}\n"), PolicyFlaw::RepeatedKey),
        (format!("log {key}\n"), PolicyFlaw::Key(crate::checkpoint::InvalidKey::Algorithm)),
        (
            format!("witness w7 {log_key}\n"),
            PolicyFlaw::Key(crate::checkpoint::InvalidKey::Algorithm),
        ),
        ("quorum w1\r\n".to_owned(), PolicyFlaw::ControlCharacter),
        ("mirror w1\n".to_owned(), PolicyFlaw::UnknownLine),
    ] {
        let (line, found) = Policy::parse(lines(&tail).as_bytes()).expect_err(&tail);
        assert_eq!(found, flaw, "{tail}");
        assert!(line >= 10, "{tail}: line {line}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused_without_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        tail in "(group|quorum|witness|log|g|w1|w2|any|all|1|none| |\t|\n){0,30}",
    ) {
        let _ = Policy::parse(&bytes);
        if let Ok(policy) = Policy::parse(lines(&tail).as_bytes()) {
            // Whatever reads can be asked, and no more witnesses count than have signed.
            let standing = policy.standing(&cosigned(&[(1, 5)]), None).expect("good lines");
            prop_assert!(standing.by.len() <= 1);
        }
    }
}
