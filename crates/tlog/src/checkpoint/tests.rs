use proptest::prelude::*;
use renkei_types::SeededEntropy;
use signed_note::{Note, StandardVerifier, VerifierList};

use super::*;
use crate::hash::leaf_hash;

fn key(seed: u64) -> LogKey {
    let origin = "kita.example/renkei-audit/131016/2026".parse().expect("an origin");
    LogKey::generate(origin, &SeededEntropy::new(seed))
}

fn signed() -> (SignedCheckpoint, VerifierKey) {
    let key = key(1);
    (SignedCheckpoint::sign(&key, 600, leaf_hash(b"root")), key.verifier())
}

#[test]
fn a_signed_checkpoint_opens_with_its_key_and_no_other() {
    let (signed, verifier) = signed();
    let note = signed.note().as_bytes();
    assert_eq!(SignedCheckpoint::open(note, &[key(2).verifier(), verifier]), Ok(signed.clone()));
    assert_eq!(signed.checkpoint().size, 600);
    let other = SignedCheckpoint::open(note, &[key(2).verifier()]);
    assert_eq!(other, Err(CheckpointError::UnknownKey));
}

#[test]
fn the_note_opens_with_the_oracle_and_the_oracles_checkpoint_reads_it() {
    let (signed, verifier) = signed();
    let oracle = StandardVerifier::new(&verifier.to_string()).expect("a verifier key");
    let note = Note::from_bytes(signed.note().as_bytes()).expect("a note");
    let (verified, unverified) =
        note.verify(&VerifierList::new(vec![Box::new(oracle)])).expect("a good signature");
    assert_eq!((verified.len(), unverified.len()), (1, 0));
    let read = tlog_tiles::Checkpoint::from_bytes(note.text()).expect("a checkpoint");
    assert_eq!(read.origin(), signed.checkpoint().origin.as_str());
    assert_eq!(read.size(), 600);
    assert_eq!(read.hash().0, *signed.checkpoint().root.as_bytes());
}

#[test]
fn changing_any_bit_of_the_note_is_noticed() {
    let (signed, verifier) = signed();
    let note = signed.note().as_bytes();
    let keys = [verifier];
    for at in 0..note.len() {
        for bit in 0..8 {
            let mut changed = note.to_vec();
            changed[at] ^= 1 << bit;
            assert!(SignedCheckpoint::open(&changed, &keys).is_err(), "byte {at}, bit {bit}");
        }
        assert!(SignedCheckpoint::open(&note[..at], &keys).is_err(), "cut at {at}");
    }
}

#[test]
fn lines_of_unknown_witnesses_are_ignored_and_extension_lines_refused() {
    let (signed, verifier) = signed();
    let keys = [verifier];
    let witness = format!("{}\u{2014} witness.example AAAAAAEBAQE=\n", signed.note());
    assert!(SignedCheckpoint::open(witness.as_bytes(), &keys).is_ok());

    let key = key(1);
    let text = format!("{}extension\n", signed.checkpoint().to_text());
    let mut bytes = key.id().to_be_bytes().to_vec();
    bytes.extend_from_slice(&key.sign(text.as_bytes()));
    let note = format!("{text}\n\u{2014} {} {}\n", key.origin(), STANDARD.encode(bytes));
    let opened = SignedCheckpoint::open(note.as_bytes(), &keys);
    assert_eq!(opened, Err(CheckpointError::NotACheckpoint));
}

#[test]
fn a_key_file_reads_back_and_is_never_printed() {
    let key = key(1);
    let pem = key.to_pem();
    assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    let again = LogKey::from_pem(key.origin().clone(), &pem).expect("its own file");
    assert_eq!(again.verifier(), key.verifier());
    let printed = format!("{key:?}");
    assert_eq!(printed, "LogKey(kita.example/renkei-audit/131016/2026, [redacted])");
    let refused = LogKey::from_pem(key.origin().clone(), "-----BEGIN PRIVATE KEY-----\n");
    assert_eq!(refused.err(), Some(InvalidKey::Private));
}

#[test]
fn a_verifier_key_reads_back_and_contradictions_are_refused() {
    let verifier = key(1).verifier();
    let text = verifier.to_string();
    assert_eq!(text.parse(), Ok(verifier.clone()));
    assert_eq!(format!("{text}\n").parse(), Ok(verifier));
    assert_eq!(text.replace("131016", "131024").parse::<VerifierKey>(), Err(InvalidKey::Id));
    for wrong in ["", "a+b", "a+00000000+", "a b+00000000+AQ==", "a+0000000g+AQ=="] {
        assert!(wrong.parse::<VerifierKey>().is_err(), "{wrong}");
    }
}

#[test]
fn other_spellings_of_a_checkpoint_are_refused() {
    let text = signed().0.checkpoint().to_text();
    for changed in [
        text.replace("\n600\n", "\n0600\n"),
        text.replace("\n600\n", "\n+600\n"),
        text.replace("\n600\n", "\n600 \n"),
        text.replace("\n600\n", "\n18446744073709551616\n"),
        text.trim_end().to_owned(),
        format!("{text}\n"),
        String::new(),
    ] {
        assert_eq!(Checkpoint::parse(&changed), Err(CheckpointError::NotACheckpoint), "{changed}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_refused_without_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..300), text in "(\\PC|\n){0,80}",
    ) {
        let keys = [key(1).verifier()];
        prop_assert!(SignedCheckpoint::open(&bytes, &keys).is_err());
        prop_assert!(SignedCheckpoint::open(text.as_bytes(), &keys).is_err());
        let _ = text.parse::<VerifierKey>();
        let _ = Checkpoint::parse(&text);
    }
}
