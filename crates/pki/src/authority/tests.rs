//! What was issued equals its profile, and the folder never says less than what exists.

use std::num::NonZeroU16;
use std::path::Path;

use proptest::prelude::*;
use renkei_types::{Classify, FixedClock, Kind, Language, Localised, SeededEntropy};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};
use tempfile::TempDir;
use x509_parser::prelude::{CertificateRevocationList, FromDer as _, X509Certificate};

use super::*;
use crate::folder::CertificateFiles;
use crate::issued::State;
use crate::misissue::{Fault, Misissuer};
use crate::profile::{KeyUsage, NameKind, ProfileRules};

const DOMAIN: &str = "renkei.example";
const SYSTEM: &str = "spiffe://renkei.example/131016/benefits/system/payments";
const PERSON: &str = "spiffe://renkei.example/131016/benefits/person/c-0042";

fn at(text: &str) -> FixedClock {
    FixedClock(text.parse().expect("a timestamp"))
}

fn today() -> FixedClock {
    at("2026-11-21T09:00:00.5Z")
}

fn days(days: u16) -> Validity {
    Validity::Days(NonZeroU16::new(days).expect("not zero"))
}

fn client(identity: &str) -> Profile {
    Profile::Client { identity: identity.parse().expect("an identity") }
}

fn broker() -> Profile {
    Profile::Broker {
        dns: vec!["broker.renkei.example".parse().expect("a name")],
        ips: vec!["192.0.2.7".parse().expect("an address"), "::1".parse().expect("an address")],
    }
}

/// A folder, a clock and a seed.
struct Place {
    dir: TempDir,
    clock: FixedClock,
    entropy: SeededEntropy,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        Self { dir, clock: today(), entropy: SeededEntropy::new(1) }
    }

    fn dir(&self) -> std::path::PathBuf {
        self.dir.path().join("pki")
    }

    fn init(&self) -> Authority<'_> {
        Authority::init(&self.dir(), DOMAIN, &self.clock, &self.entropy).expect("an authority")
    }

    fn open(&self) -> Result<Authority<'_>, PkiError> {
        Authority::open(&self.dir(), &self.clock, &self.entropy)
    }
}

fn facts(issued: &Issued) -> CertificateFacts {
    CertificateFacts::from_pem(issued.certificate_pem.as_bytes()).expect("a certificate")
}

/// Whether the authority signed it, and names itself as the issuer.
fn is_signed_by(certificate_pem: &str, authority_pem: &str) -> bool {
    let der = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).expect("PEM");
    let (leaf, authority) = (der(certificate_pem), der(authority_pem));
    let (_, leaf) = X509Certificate::from_der(&leaf).expect("a certificate");
    let (_, authority) = X509Certificate::from_der(&authority).expect("a certificate");
    leaf.issuer() == authority.subject()
        && leaf.verify_signature(Some(authority.public_key())).is_ok()
}

/// Everything that a profile says, of one certificate.
#[track_caller]
fn assert_equals_profile(facts: &CertificateFacts, rules: &ProfileRules) {
    let profiles = Profiles::built_in();
    assert_eq!((facts.ca, facts.path_length), (rules.ca, rules.path_length.map(u32::from)));
    assert_eq!(facts.key_usage, rules.key_usage);
    assert_eq!(facts.extended_key_usage, rules.extended_key_usage);
    assert!(facts.constraints_critical);
    let names = [
        (NameKind::Dns, facts.dns.len()),
        (NameKind::Ip, facts.ips.len()),
        (NameKind::Uri, facts.uris.len()),
        (NameKind::Other, facts.other_names),
    ];
    for (kind, count) in names {
        assert_eq!(count > 0, rules.subject_alternative_names.contains(&kind), "{kind:?}");
    }
    assert_eq!(facts.serial.as_bytes().len(), usize::from(profiles.serial_bytes));
    assert!(facts.serial.as_bytes()[0] < 0x80, "a negative serial number");
    let seconds = facts.not_after.as_second() - facts.not_before.as_second();
    let wanted = i64::from(rules.validity_days.get()) * 24 * 60 * 60
        + i64::from(profiles.backdate_minutes) * 60;
    assert_eq!(seconds, wanted);
    // An uncompressed point of a curve of 256 bits.
    assert_eq!((facts.public_key.len(), facts.public_key[0]), (65, 4));
}

#[test]
fn issued_certificates_equal_their_profiles() {
    let place = Place::new();
    let mut authority = place.init();
    let profiles = Profiles::built_in();
    assert_equals_profile(authority.certificate_facts(), &profiles.authority);
    assert_eq!(authority.certificate_facts().uris, ["spiffe://renkei.example"]);
    assert!(is_signed_by(authority.certificate_pem(), authority.certificate_pem()));
    for (profile, rules) in [
        (broker(), &profiles.broker),
        (client(SYSTEM), &profiles.client),
        (client(PERSON), &profiles.client),
    ] {
        let issued = authority.issue(&profile, Validity::Standard).expect("issued");
        assert_equals_profile(&facts(&issued), rules);
        assert!(is_signed_by(&issued.certificate_pem, authority.certificate_pem()));
        assert_eq!(facts(&issued).serial, issued.serial);
        assert_eq!(facts(&issued).not_after, issued.not_after);
    }
}

#[test]
fn names_are_those_that_were_asked_for() {
    let place = Place::new();
    let mut authority = place.init();
    let issued = facts(&authority.issue(&broker(), Validity::Standard).expect("issued"));
    assert_eq!(issued.dns, ["broker.renkei.example"]);
    let addresses: Vec<String> = issued.ips.iter().map(ToString::to_string).collect();
    assert_eq!(addresses, ["192.0.2.7", "::1"]);
    let issued = facts(&authority.issue(&client(PERSON), Validity::Standard).expect("issued"));
    assert_eq!(issued.uris, [PERSON]);
    assert_eq!(issued.common_name.as_deref(), Some("c-0042"));
}

#[test]
fn what_cannot_be_believed_is_not_issued() {
    let place = Place::new();
    let mut authority = place.init();
    let nameless = Profile::Broker { dns: Vec::new(), ips: Vec::new() };
    let foreign = client("spiffe://other.example/131016/benefits/system/payments");
    for (profile, validity, kind) in [
        (nameless, Validity::Standard, Kind::InvalidArgument),
        (foreign, Validity::Standard, Kind::Refused),
        (client(SYSTEM), days(3651), Kind::Refused),
    ] {
        let error = authority.issue(&profile, validity).expect_err("refused");
        assert_eq!(error.kind(), kind, "{error}");
    }
    let ca = "ca".parse().expect("a name");
    let error = authority.issue_as(&ca, &client(SYSTEM), Validity::Standard).expect_err("reserved");
    assert_eq!(error.kind(), Kind::Refused);
    assert_eq!(authority.issued().iter().count(), 0);
    authority.issue(&client(SYSTEM), days(3650)).expect("to the authority's last day");
}

#[test]
fn trust_domains_fit_a_common_name() {
    let place = Place::new();
    for domain in ["", "Renkei.example", "renkei example", &"a".repeat(65)] {
        let made = Authority::init(&place.dir(), domain, &place.clock, &place.entropy);
        assert!(matches!(made, Err(PkiError::TrustDomain)), "{domain}");
    }
    assert!(!place.dir().exists());
    let longest = "a".repeat(64);
    Authority::init(&place.dir(), &longest, &place.clock, &place.entropy).expect("an authority");
}

#[test]
fn a_folder_with_anything_in_it_is_never_overwritten() {
    let place = Place::new();
    let before = place.init().certificate_pem().to_owned();
    let again = Authority::init(&place.dir(), DOMAIN, &place.clock, &place.entropy);
    assert_eq!(again.expect_err("refused").kind(), Kind::Refused);
    assert_eq!(place.open().expect("an authority").certificate_pem(), before);

    let other = tempfile::tempdir().expect("a folder");
    fs_err::write(other.path().join("letter.txt"), "").expect("written");
    let made = Authority::init(other.path(), DOMAIN, &place.clock, &place.entropy);
    assert!(matches!(made, Err(PkiError::NotEmpty { .. })));
    assert_eq!(fs_err::read_dir(other.path()).expect("read").count(), 1);
}

#[cfg(unix)]
#[test]
fn keys_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let mut authority = place.init();
    let name = "payments".parse().expect("a name");
    let files = CertificateFiles::new(&place.dir(), &name);
    files.require_absent().expect("absent");
    let issued = authority.issue(&client(SYSTEM), Validity::Standard).expect("issued");
    files.write(&issued).expect("written");
    assert!(matches!(files.require_absent(), Err(PkiError::FileExists { .. })));
    let mode = |file: &Path| fs_err::metadata(file).expect("metadata").permissions().mode() & 0o777;
    assert_eq!(mode(&authority.files().key), 0o600);
    assert_eq!(mode(&files.key), 0o600);
    assert_eq!(mode(&place.dir()), 0o700);
    drop(authority);

    let key = AuthorityFiles::new(&place.dir()).key;
    fs_err::set_permissions(&key, std::fs::Permissions::from_mode(0o640)).expect("set");
    assert!(matches!(place.open(), Err(PkiError::ExposedKey { .. })));
}

#[test]
fn the_record_outlives_the_process() {
    let place = Place::new();
    let mut authority = place.init();
    let first = authority.issue(&broker(), Validity::Standard).expect("issued").serial;
    let second = authority.issue(&client(SYSTEM), days(7)).expect("issued").serial;
    authority.revoke("broker").expect("revoked");
    let before = authority.issued().clone();
    drop(authority);

    let authority = place.open().expect("an authority");
    assert_eq!(authority.issued(), &before);
    assert_eq!(authority.trust_domain(), DOMAIN);
    let serials: Vec<_> = authority.issued().iter().map(|entry| entry.serial.clone()).collect();
    assert_eq!(serials, [first, second]);
    let profiles: Vec<_> = authority.issued().iter().map(|entry| entry.profile.clone()).collect();
    assert_eq!(profiles, [broker(), client(SYSTEM)]);
}

#[test]
fn a_serial_number_is_never_used_twice_even_if_chance_begins_anew() {
    let place = Place::new();
    drop(place.init());
    for name in ["a", "b", "c"] {
        let entropy = SeededEntropy::new(1);
        let mut authority =
            Authority::open(&place.dir(), &place.clock, &entropy).expect("an authority");
        let name = name.parse().expect("a name");
        authority.issue_as(&name, &client(SYSTEM), Validity::Standard).expect("issued");
    }
    let record = AuthorityFiles::new(&place.dir()).issued_certificates().expect("a record");
    let mut serials: Vec<_> = record.iter().map(|entry| entry.serial.clone()).collect();
    serials.push(place.open().expect("an authority").certificate_facts().serial.clone());
    serials.sort();
    serials.dedup();
    assert_eq!(serials.len(), 4);
}

#[test]
fn an_authority_in_use_is_busy_and_can_still_be_read() {
    let place = Place::new();
    let authority = place.init();
    let error = place.open().expect_err("in use");
    assert_eq!(error.kind(), Kind::Unavailable);
    let files = AuthorityFiles::new(&place.dir());
    assert_eq!(&files.certificate_facts().expect("facts"), authority.certificate_facts());
    drop(authority);
    place.open().expect("free again");
}

#[test]
fn a_renewal_keeps_name_and_profile_and_leaves_the_older_valid() {
    let place = Place::new();
    let mut authority = place.init();
    let older = authority.issue(&client(SYSTEM), Validity::Standard).expect("issued");
    let taken = authority.issue(&client(SYSTEM), Validity::Standard).expect_err("taken");
    assert_eq!(taken.kind(), Kind::Conflict);
    let newer = authority.renew("payments", Validity::Standard).expect("renewed");
    assert_ne!((&older.serial, &older.key_pem), (&newer.serial, &newer.key_pem));
    assert_eq!(facts(&older).uris, facts(&newer).uris);
    let record = authority.issued();
    let states: Vec<_> = record.iter().map(|entry| record.state(entry, today().0)).collect();
    assert_eq!(states, [State::Replaced, State::Valid]);
    assert!(crl(&authority).revoked.is_empty());
}

fn crl(authority: &Authority<'_>) -> CrlFacts {
    authority.files().crl_facts().expect("a revocation list")
}

#[test]
fn revoking_a_name_revokes_its_renewals_and_a_serial_number_only_itself() {
    let place = Place::new();
    let mut authority = place.init();
    let one = authority.issue(&client(SYSTEM), Validity::Standard).expect("issued").serial;
    let two = authority.renew("payments", Validity::Standard).expect("renewed").serial;
    let three = authority.issue(&client(PERSON), Validity::Standard).expect("issued").serial;
    let four = authority.renew(&three.to_string(), Validity::Standard).expect("renewed").serial;

    let revoked = authority.revoke(&three.to_string().to_uppercase()).expect("revoked");
    assert_eq!(revoked.len(), 1);
    assert_eq!(crl(&authority).revoked, std::slice::from_ref(&three));
    authority.revoke("payments").expect("revoked");
    let mut wanted = vec![one, two, three];
    wanted.sort();
    assert_eq!(crl(&authority).revoked, wanted);
    assert!(!wanted.contains(&four));

    for again in ["payments", &wanted[0].to_string()] {
        assert!(matches!(authority.revoke(again), Err(PkiError::Revoked)));
    }
    assert!(matches!(authority.renew("payments", Validity::Standard), Err(PkiError::Revoked)));
    assert!(matches!(authority.revoke("nobody"), Err(PkiError::Unknown { .. })));
    authority.issue(&client(SYSTEM), Validity::Standard).expect("the name is free again");
}

#[test]
fn a_revocation_list_is_signed_numbered_upwards_and_due_in_thirty_days() {
    let place = Place::new();
    let mut authority = place.init();
    assert_eq!(crl(&authority).number, Some(1));
    authority.issue(&broker(), Validity::Standard).expect("issued");
    authority.revoke("broker").expect("revoked");
    let facts = crl(&authority);
    assert_eq!(facts.number, Some(3));
    assert_eq!(facts.this_update.to_string(), "2026-11-21T08:55:00Z");
    assert_eq!(facts.next_update.to_string(), "2026-12-21T09:00:00Z");

    let next = authority.next_crl_update(days(7)).expect("a date");
    let pem = authority.crl_pem(next).expect("a revocation list");
    assert_eq!(pem, fs_err::read_to_string(&authority.files().crl).expect("read"));
    assert_eq!(crl(&authority).next_update.to_string(), "2026-11-28T09:00:00Z");
    assert_eq!((crl(&authority).number, crl(&authority).revoked.len()), (Some(4), 1));
    assert!(matches!(authority.crl_pem(today().0), Err(PkiError::CrlInThePast)));

    let list = CertificateRevocationListDer::from_pem_slice(pem.as_bytes()).expect("PEM");
    let (_, list) = CertificateRevocationList::from_der(&list).expect("a list");
    let ca = CertificateDer::from_pem_slice(authority.certificate_pem().as_bytes()).expect("PEM");
    let (_, ca) = X509Certificate::from_der(&ca).expect("a certificate");
    list.verify_signature(ca.public_key()).expect("signed by the authority");
}

#[test]
fn certificates_run_out_unless_they_were_replaced_or_revoked() {
    let place = Place::new();
    let mut authority = place.init();
    for (name, validity) in [("short", days(1)), ("soon", days(32)), ("long", days(60))] {
        let name = name.parse().expect("a name");
        authority.issue_as(&name, &client(SYSTEM), validity).expect("issued");
    }
    let state = |authority: &Authority<'_>, name: &str, now: &str| {
        let record = authority.issued();
        let entry = record.find(name).expect("an entry")[0];
        (record.state(entry, at(now).0), entry.days_left(at(now).0))
    };
    let (before, after) = ("2026-11-22T08:59:59Z", "2026-11-23T09:00:01Z");
    assert_eq!(state(&authority, "short", before), (State::ExpiresSoon, 0));
    assert_eq!(state(&authority, "short", after), (State::Expired, -2));
    assert_eq!(state(&authority, "soon", before), (State::Valid, 31));
    assert_eq!(state(&authority, "soon", after), (State::ExpiresSoon, 29));
    assert_eq!(state(&authority, "long", after), (State::Valid, 57));
    authority.revoke("short").expect("revoked");
    assert_eq!(state(&authority, "short", after).0, State::Revoked);
    authority.renew("soon", Validity::Standard).expect("renewed");
    assert_eq!(state(&authority, "soon", after).0, State::Replaced);
}

#[test]
fn an_expired_name_is_free_again() {
    let mut place = Place::new();
    let mut authority = place.init();
    authority.issue(&client(SYSTEM), days(1)).expect("issued");
    drop(authority);
    place.clock = at("2026-11-23T00:00:00Z");
    let mut authority = place.open().expect("an authority");
    authority.issue(&client(SYSTEM), days(1)).expect("issued");
}

#[test]
fn damage_to_the_folder_is_named_with_its_file() {
    let damage: [(&str, Option<&str>); 6] = [
        ("ca.crt", None),
        ("ca.crt", Some("not a certificate")),
        ("ca.key", Some("not a key")),
        ("issued.toml", Some("crl_number = 1\nunknown = 2\n")),
        ("issued.toml", Some("crl_number = \n")),
        ("issued.toml", None),
    ];
    for (name, text) in damage {
        let place = Place::new();
        drop(place.init());
        let file = place.dir().join(name);
        match text {
            // Written in place, so that the mode stays.
            Some(text) => fs_err::write(&file, text).expect("written"),
            None => fs_err::remove_file(&file).expect("removed"),
        }
        let error = place.open().expect_err("damaged");
        assert!(error.to_string().contains(name), "{error}");
        assert!(error.localised(Language::Japanese).contains(name), "{error}");
        assert_eq!(error.kind(), Kind::InvalidArgument);
    }
}

#[test]
fn a_key_of_another_authority_signs_nothing() {
    let (place, other) = (Place::new(), Place::new());
    drop((place.init(), other.init()));
    let key = fs_err::read(other.dir().join("ca.key")).expect("read");
    fs_err::write(place.dir().join("ca.key"), key).expect("written");
    assert!(matches!(place.open(), Err(PkiError::OtherKey { .. })));
}

#[test]
fn what_could_not_be_recorded_was_not_issued() {
    let place = Place::new();
    let mut authority = place.init();
    let before = authority.issued().clone();
    // A folder where the record's new text would go.
    fs_err::create_dir_all(place.dir().join("issued.toml.part")).expect("a folder");
    authority.issue(&client(SYSTEM), Validity::Standard).expect_err("no record");
    assert_eq!(authority.issued(), &before);
    assert_eq!(crl(&authority).number, Some(1));
}

#[test]
fn no_private_key_is_shown_or_recorded() {
    let place = Place::new();
    let mut authority = place.init();
    let issued = authority.issue(&client(SYSTEM), Validity::Standard).expect("issued");
    assert!(issued.key_pem.as_ref().is_some_and(|key| key.contains("PRIVATE KEY")));
    assert!(!format!("{issued:?}{authority:?}").contains("PRIVATE"));
    let record = fs_err::read_to_string(&authority.files().issued).expect("read");
    assert!(!record.contains("PRIVATE"));
}

#[test]
fn a_misissued_certificate_has_its_fault_and_no_other() {
    let (clock, entropy) = (today(), SeededEntropy::new(1));
    let misissuer = Misissuer::throw_away(DOMAIN, &clock, &entropy).expect("an authority");
    let identity = SYSTEM.parse().expect("an identity");
    let good = misissuer.good(&client(SYSTEM), Validity::Standard).expect("issued");
    let good_facts = facts(&good);
    let now = clock.0;
    for fault in Fault::ALL {
        let bad = misissuer.bad(fault, &identity).expect("issued");
        let is_ours = is_signed_by(&bad.certificate_pem, misissuer.authority_pem());
        assert_eq!(is_ours, fault != Fault::ForeignAuthority);
        let bad = facts(&bad);
        let is_now = (bad.not_before..bad.not_after).contains(&now);
        assert_eq!(is_now, !matches!(fault, Fault::Expired | Fault::NotYetValid), "{fault:?}");
        assert!(bad.not_before < bad.not_after);
        let uris = match fault {
            Fault::CommonNameOnly => 0,
            Fault::TwoIdentities => 2,
            Fault::Expired | Fault::NotYetValid | Fault::ServerOnly | Fault::ForeignAuthority => 1,
        };
        assert_eq!(bad.uris.len(), uris, "{fault:?}");
        let is_client = bad.extended_key_usage == good_facts.extended_key_usage;
        assert_eq!(is_client, fault != Fault::ServerOnly);
        assert_eq!(bad.key_usage, [KeyUsage::DigitalSignature]);
    }
}

#[test]
fn a_test_can_misissue_with_the_authority_of_a_folder() {
    let place = Place::new();
    let authority = place.init();
    let key = fs_err::read_to_string(&authority.files().key).expect("read");
    let (clock, entropy) = (today(), SeededEntropy::new(2));
    let misissuer = Misissuer::from_pem(authority.certificate_pem(), &key, &clock, &entropy)
        .expect("an authority");
    let bad = misissuer.bad(Fault::Expired, &SYSTEM.parse().expect("an identity")).expect("issued");
    assert!(is_signed_by(&bad.certificate_pem, authority.certificate_pem()));
    let overdue = at("2026-01-01T00:00:00Z").0;
    let pem = misissuer.crl_pem(9, overdue, std::slice::from_ref(&bad.serial)).expect("a list");
    let list = CrlFacts::from_pem(pem.as_bytes()).expect("a list");
    assert_eq!((list.number, list.revoked), (Some(9), vec![bad.serial]));
    assert!(list.next_update < clock.0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever is done, in whatever order: the list of revoked certificates is that of the record, and every number on it
    /// was issued.
    #[test]
    fn the_revocation_list_always_equals_the_record(steps in prop::collection::vec((0..4_u8, 0..3_u8), 1..10)) {
        let place = Place::new();
        let mut authority = place.init();
        for (step, who) in steps {
            let name = format!("s{who}");
            let profile = client(&format!("spiffe://{DOMAIN}/131016/benefits/system/{name}"));
            // Refusals are part of the game: what is refused changes nothing.
            match step {
                0 => drop(authority.issue(&profile, Validity::Standard)),
                1 => drop(authority.renew(&name, Validity::Standard)),
                2 => drop(authority.revoke(&name)),
                _ => {
                    drop(authority);
                    authority = place.open().expect("an authority");
                }
            }
        }
        let mut revoked: Vec<Serial> = authority
            .issued()
            .iter()
            .filter(|entry| entry.revoked_at.is_some())
            .map(|entry| entry.serial.clone())
            .collect();
        revoked.sort();
        prop_assert_eq!(crl(&authority).revoked, revoked);
        let record = authority.files().issued_certificates().expect("a record");
        prop_assert_eq!(&record, authority.issued());
    }
}

#[test]
fn a_certificate_for_a_request_has_the_requests_key_and_nothing_else_of_it() {
    let place = Place::new();
    let mut authority = place.init();
    // A request of somebody who would like to be somebody else.
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a key");
    let mut claims = rcgen::CertificateParams::default();
    claims.subject_alt_names = vec![crate::signer::uri(PERSON).expect("a URI")];
    claims.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let pem = claims.serialize_request(&key).expect("a request").pem().expect("PEM");
    let request = crate::CertificateRequest::from_pem(&pem).expect("a request");

    let name = "payments".parse().expect("a name");
    let issued =
        authority.issue_requested(&name, &client(SYSTEM), days(30), &request).expect("issued");
    assert_eq!(issued.key_pem, None);
    let said = facts(&issued);
    assert_eq!((said.uris.as_slice(), said.ca), (&[SYSTEM.to_owned()][..], false));
    assert_eq!(said.fingerprint, request.fingerprint());
    assert_eq!(said.public_key, key.public_key_raw());

    let next = crate::NewKey::generate().expect("a key");
    let request = next.request_pem().expect("a request");
    let request = crate::CertificateRequest::from_pem(&request).expect("a request");
    let renewed = authority.renew_requested("payments", days(30), &request).expect("renewed");
    assert_eq!(facts(&renewed).fingerprint, next.fingerprint());
    // Only the certificate is written: the key stays where it was made.
    let files = CertificateFiles::new(&place.dir(), &name);
    files.write(&renewed).expect("written");
    assert!(files.certificate.is_file() && !files.key.exists());
}
