use renkei_types::SeededEntropy;
use signed_note::{Note, StandardVerifier, VerifierList};

use super::*;
use crate::checkpoint::LogKey;
use crate::hash::leaf_hash;

fn log() -> LogKey {
    LogKey::generate("kita.example/log".parse().expect("an origin"), &SeededEntropy::new(1))
}

fn witness(seed: u64) -> WitnessKey {
    WitnessKey::generate("pref.example/w".parse().expect("a name"), &SeededEntropy::new(seed))
}

fn signed() -> SignedCheckpoint {
    SignedCheckpoint::sign(&log(), 600, leaf_hash(b"root"))
}

#[test]
fn a_cosignature_is_found_by_its_key_and_passed_over_by_others() {
    let signed = signed();
    let line = witness(2).cosign(signed.checkpoint(), 1_795_219_200);
    let note = signed.with_cosignatures(std::slice::from_ref(&line));
    assert_eq!(note.cosignatures(&[witness(2).cosigner()]), Ok(vec![line.clone()]));
    assert_eq!(note.cosignatures(&[witness(3).cosigner()]), Ok(Vec::new()));
    assert_eq!(line.seconds(), 1_795_219_200);
    assert!(line.is_by(&witness(2).cosigner()) && !line.is_by(&witness(3).cosigner()));
    let reopened = SignedCheckpoint::open(note.note().as_bytes(), &[log().verifier()]);
    assert_eq!(reopened, Ok(note), "the log's own readers pass the line over");
}

#[test]
fn the_spelling_is_that_of_the_format_as_another_reader_has_it() {
    let signed = signed();
    let note = signed.with_cosignatures(&[witness(2).cosign(signed.checkpoint(), 77)]);
    let expected = format!("cosignature/v1\ntime 77\n{}", signed.checkpoint().to_text());
    assert_eq!(message(signed.checkpoint(), 77), expected);
    let oracle = StandardVerifier::new(&log().verifier().to_string()).expect("a verifier key");
    let read = Note::from_bytes(note.note().as_bytes()).expect("a note for the published crate");
    let (verified, unverified) =
        read.verify(&VerifierList::new(vec![Box::new(oracle)])).expect("a good signature");
    assert_eq!((verified.len(), unverified.len()), (1, 1));
    // Key id: the first four bytes of SHA-256(name, newline, 0x04, key).
    let line = note.note().lines().last().expect("a line");
    let bytes = STANDARD.decode(line.rsplit(' ').next().expect("base64")).expect("base64");
    assert_eq!(bytes.len(), 4 + 8 + 64);
    assert_eq!(bytes[4..12], 77_u64.to_be_bytes());
    let key = witness(2).cosigner();
    let named = [key.name().as_str().as_bytes(), b"\n\x04", &key.public_bytes()].concat();
    assert_eq!(bytes[..4], renkei_types::Digest::of(&named).as_bytes()[..4]);
}

#[test]
fn changing_any_bit_of_a_known_cosignature_refuses_the_note_or_makes_it_unknown() {
    let signed = signed();
    let key = witness(2).cosigner();
    let line = witness(2).cosign(signed.checkpoint(), 77);
    let bytes = STANDARD.decode(line.to_string().rsplit(' ').next().expect("b")).expect("base64");
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            let answer = format!("\u{2014} {} {}\n", key.name(), STANDARD.encode(changed));
            let found = signed.cosignatures_in(&answer, std::slice::from_ref(&key));
            // Another key id is another key's; anything else is this key's and wrong.
            let expected =
                if at < 4 { Ok(Vec::new()) } else { Err(CheckpointError::WrongSignature) };
            assert_eq!(found, expected, "byte {at}, bit {bit}");
        }
    }
}

#[test]
fn a_cosignature_of_another_checkpoint_is_wrong_for_this_one() {
    let other = SignedCheckpoint::sign(&log(), 601, leaf_hash(b"root"));
    let line = witness(2).cosign(other.checkpoint(), 77);
    let found = signed().cosignatures_in(&format!("{line}\n"), &[witness(2).cosigner()]);
    assert_eq!(found, Err(CheckpointError::WrongSignature));
}

#[test]
fn the_latest_cosignature_of_each_witness_stays_and_those_of_others_too() {
    let signed = signed();
    let [early, late] = [10, 20].map(|time| witness(2).cosign(signed.checkpoint(), time));
    let other = witness(3).cosign(signed.checkpoint(), 5);
    let known = [witness(2).cosigner(), witness(3).cosigner()];
    let note = signed.with_cosignatures(&[early.clone(), other.clone()]);
    let note = note.with_cosignatures(&[late.clone(), early]);
    assert_eq!(note.cosignatures(&known), Ok(vec![other, late]));
    assert!(note.note().starts_with(signed.note()), "the log's own line stays first");
}

#[test]
fn lines_of_others_are_kept_for_the_same_text_and_never_for_another() {
    let signed = signed();
    let line = witness(2).cosign(signed.checkpoint(), 77);
    let note = signed.with_cosignatures(&[line]);
    assert_eq!(signed.keeping_others_lines(note.note().as_bytes()), note);
    let next = SignedCheckpoint::sign(&log(), 601, leaf_hash(b"next"));
    assert_eq!(next.keeping_others_lines(note.note().as_bytes()), next);
}

#[test]
fn keys_of_witnesses_read_back_and_are_no_keys_of_logs() {
    let key = witness(2);
    let text = key.cosigner().to_string();
    assert_eq!(text.parse(), Ok(key.cosigner()));
    assert_eq!(text.parse::<crate::VerifierKey>(), Err(InvalidKey::Algorithm));
    let log_text = log().verifier().to_string();
    assert_eq!(log_text.parse::<CosignerKey>(), Err(InvalidKey::Algorithm));
    let name = "pref.example/w".parse::<Origin>().expect("a name");
    let again = WitnessKey::from_pem(name.clone(), &key.to_pem()).expect("its own file");
    assert_eq!(again.cosigner(), key.cosigner());
    assert_eq!(WitnessKey::from_pem(name, "nothing").err(), Some(InvalidKey::Witness));
    assert_eq!(format!("{key:?}"), "WitnessKey(pref.example/w, [redacted])");
}
