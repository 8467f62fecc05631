//! Link codes: what two consumers are given cannot be laid side by side, and what is destroyed stays so.

mod town;

use std::collections::BTreeSet;

use renkei_exchange::agreement::{LegalBasis, Telling, Terms};
use renkei_exchange::command::Call;
use renkei_exchange::delivery::entry_chunk;
use renkei_exchange::directory::{AddAgency, AddParty};
use renkei_exchange::index::Indexed;
use renkei_exchange::link_code::{LinkCode, Naming, translate};
use renkei_exchange::permit::{Link, Operate, Permit, Receive, TranslateCodes};
use renkei_exchange::suspension::EndAgreement;
use renkei_exchange::year_key::{self, FiscalYear, YearKeyUse};
use renkei_exchange::{Caller, Operation, Refusal, Role};
use renkei_types::{DatasetId, Identity, Reason};
use town::{Town, caller};

/// Submitters of two agencies that are given no ids.
const CONSUMERS: [&str; 2] = ["welfare", "childcare"];

fn who(name: &str) -> Caller {
    if CONSUMERS.contains(&name) {
        let identity = format!("spiffe://renkei.example/131016/{name}/system/{name}");
        let identity: Identity = identity.parse().expect("an identity");
        Caller { identity, ..caller(name) }
    } else {
        caller(name)
    }
}

fn terms(consumer: &str, dataset: DatasetId, until: &str, operation: Operation) -> Terms {
    Terms {
        consumer: format!("131016/{consumer}").parse().expect("an agency"),
        dataset,
        basis: LegalBasis::OwnDuties,
        purpose: "benefit-2026".parse().expect("a code"),
        fields: ["name_kana".to_owned()].into(),
        operations: [operation].into(),
        valid_from: "2026-01-01".parse().expect("a day"),
        valid_until: until.parse().expect("a day"),
        daily_records_max: 400,
        retention_days: 100,
        told: Telling::AtOnce,
    }
}

/// A town in which two more agencies may link, without knowing ids.
fn town(until: &str) -> Town {
    let town = Town::new();
    let permit = || town.permit::<Operate>("operator-1");
    let call = || Call::read(caller("operator-1"));
    for name in CONSUMERS {
        let agency = format!("131016/{name}").parse().expect("an agency");
        let add = AddAgency { permit: permit(), agency, title: name.to_owned() };
        town.exchange.execute_now(call(), add).expect("an agency");
        let identity = who(name).identity;
        let add = AddParty { permit: permit(), identity, roles: [Role::Submitter].into() };
        town.exchange.execute_now(call(), add).expect("a party");
        let terms = terms(name, town.register, until, Operation::Link);
        town.agree_on(terms, "residents-operator").expect("an agreement");
    }
    town
}

fn permit(town: &Town, name: &str) -> Result<Permit<Link>, Refusal> {
    let today = town.exchange.clock().today();
    town.exchange.state().permit_dataset(&who(name), Some(town.register), None, today)
}

fn naming(town: &Town, name: &str) -> Naming {
    let permit = permit(town, name).expect("a permit");
    Naming::under(&town.exchange, &permit, town.register).expect("names")
}

fn indexed(town: &Town) -> std::sync::Arc<Indexed> {
    let snapshot = town.exchange.state().snapshot_in_use(town.register).expect("a snapshot");
    town.indexes.get(snapshot).expect("an index")
}

/// What a consumer calls everybody, in the order of the register.
fn export(town: &Town, name: &str) -> Vec<LinkCode> {
    let (naming, indexed) = (naming(town, name), indexed(town));
    let ids = indexed.index.ids();
    ids.map(|(_, id)| naming.name(id).parse().expect("a code")).collect()
}

/// How many of the 80 bits of two codes are equal.
fn equal_bits(one: LinkCode, other: LinkCode) -> u32 {
    let letters = |code: LinkCode| -> Vec<u8> {
        let text = code.to_string();
        text.bytes()
            .skip("link_".len())
            .take(20)
            .map(|letter| {
                let known = b"bcdfghjkmnprstvz".iter().position(|&known| known == letter);
                u8::try_from(known.expect("a letter")).expect("four bits")
            })
            .collect()
    };
    letters(one).iter().zip(letters(other)).map(|(a, b)| 4 - (a ^ b).count_ones()).sum()
}

/// How far two rankings agree (Spearman): 1 the same, 0 nothing to do with each other.
fn rank_correlation(one: &[LinkCode], other: &[LinkCode]) -> f64 {
    let ranks = |codes: &[LinkCode]| {
        let mut order: Vec<usize> = (0..codes.len()).collect();
        order.sort_by_key(|&at| codes[at]);
        let mut ranks = vec![0.0; codes.len()];
        order.iter().enumerate().for_each(|(rank, &at)| ranks[at] = rank as f64);
        ranks
    };
    let n = one.len() as f64;
    let squares: f64 = ranks(one).iter().zip(ranks(other)).map(|(a, b)| (a - b) * (a - b)).sum();
    1.0 - 6.0 * squares / (n * (n * n - 1.0))
}

/// Held by the key of each consumer and year in `Naming::under`: with one key for all, every code is in both.
#[test]
fn the_exports_of_two_consumers_or_of_two_years_cannot_be_joined() {
    let mut town = town("2028-03-31");
    let (welfare, childcare) = (export(&town, "welfare"), export(&town, "childcare"));
    town.restart_on("2027-05-10");
    let next_year = export(&town, "welfare");
    for (one, other) in [(&welfare, &childcare), (&welfare, &next_year)] {
        assert_eq!(one.len(), 300);
        let set = |codes: &[LinkCode]| codes.iter().copied().collect::<BTreeSet<_>>();
        assert_eq!(set(one).len(), 300, "everybody has a code of their own");
        assert!(set(one).is_disjoint(&set(other)), "a code is in both");
        // Nor does a person's code tell anything of the same person's other code: over 300 people and 80 bits, 40 are
        // equal by chance, and the mean strays by more than 1.3 (five times its standard deviation) in no test of ours.
        let mean = |shift: usize| {
            let pairs = (0..300).map(|at| equal_bits(one[at], other[(at + shift) % 300]));
            f64::from(pairs.sum::<u32>()) / 300.0
        };
        assert!((mean(0) - 40.0).abs() < 1.3, "equal people: {}", mean(0));
        assert!((mean(1) - 40.0).abs() < 1.3, "others: {}", mean(1));
        assert!(rank_correlation(one, other).abs() < 0.3, "the order says something");
    }
    // The measure finds what there is to be found.
    assert_eq!(equal_bits(welfare[0], welfare[0]), 80);
    assert!((rank_correlation(&welfare, &welfare) - 1.0).abs() < 1e-9);
}

/// Held by `Naming::under`, which takes the key that the state knows.
#[test]
fn one_person_has_one_code_in_a_year_whatever_happens_to_the_broker() {
    let mut town = town("2028-03-31");
    let before = export(&town, "welfare");
    town.restart_on("2027-03-31");
    assert_eq!(export(&town, "welfare"), before);
    town.close();
    fs_err::remove_dir_all(town.paths().store.join("cache")).expect("the cache is deleted");
    town.reopen();
    assert_eq!(export(&town, "welfare"), before);
    let keys = town.exchange.state().link_keys.len();
    assert_eq!(keys, 1, "one consumer has asked, in one year");
}

/// Held by `Naming::name` in `entry_chunk`.
#[test]
fn a_delivery_names_people_by_code_unless_the_agreement_names_ids() {
    let town = Town::new();
    let list = town.linked_list("wave-1", 60);
    town.decide_all(list, "clerk-1");
    let batch = town.certify(list).expect("two signatures");
    let state = town.exchange.state();
    let known = state.batches.get(&batch).expect("the batch");
    let payments =
        renkei_exchange::batch::payments(town.exchange.vault(), known).expect("payments");
    let delivered = |town: &Town| {
        let permit = town.permit_dataset::<Receive>("transfers", town.deliveries());
        let naming = Naming::under(&town.exchange, &permit, town.register).expect("names");
        let chunk = entry_chunk(town.exchange.vault(), &permit, &naming, known, 0);
        chunk.expect("payments").into_iter().map(|payment| payment.person).collect::<Vec<_>>()
    };
    let people = delivered(&town);
    assert_eq!(people.len(), payments.len());
    for (person, payment) in people.iter().zip(&payments) {
        assert!(person.parse::<LinkCode>().is_ok(), "not a code");
        assert!(!person.contains(&payment.person));
    }
    // Where the agreement names ids, ids are delivered.
    let state = town.exchange.state();
    let mut agreements = state.agreements.iter();
    let old = agreements.find(|(_, one)| one.terms.dataset == town.deliveries());
    let (&agreement, _) = old.expect("the agreement");
    let end = EndAgreement { permit: town.permit::<Operate>("certifier-2"), agreement };
    town.exchange.execute_now(Call::read(caller("certifier-2")), end).expect("it ends");
    let fields = ["resident_id".to_owned(), "bank_code".to_owned()].into();
    town.agree("treasury", town.deliveries(), fields, &[Operation::Deliver], "certifier-2")
        .expect("a newer agreement");
    let ids: Vec<String> = payments.into_iter().map(|payment| payment.person).collect();
    assert_eq!(delivered(&town), ids);
}

fn translated(
    town: &Town,
    name: &str,
    codes: &[LinkCode],
) -> Result<Vec<Option<LinkCode>>, Refusal> {
    let state = town.exchange.state();
    let today = town.exchange.clock().today();
    let permit =
        state.permit_dataset::<TranslateCodes>(&who(name), Some(town.register), None, today)?;
    let indexed = indexed(town);
    let done = translate(&town.exchange, &permit, town.register, &indexed.index, codes);
    done.map(|(translated, _)| translated.codes)
}

/// Held by the keys that `translate` takes: the caller's own of last year and of this; by `use_volume` in `NoteTranslated`.
#[test]
fn last_years_codes_become_this_years_for_their_owner_alone_and_are_counted() {
    let mut town = town("2028-03-31");
    let (welfare, childcare) = (export(&town, "welfare"), export(&town, "childcare"));
    // In the year in which they are given there is nothing to translate.
    assert_eq!(translated(&town, "welfare", &welfare[..1]).expect("an answer"), [None]);
    town.restart_on("2027-04-01");
    let asked: Vec<LinkCode> = welfare[..100].iter().rev().copied().collect();
    let answered = translated(&town, "welfare", &asked).expect("codes");
    let now = export(&town, "welfare");
    let wanted: Vec<Option<LinkCode>> = now[..100].iter().rev().copied().map(Some).collect();
    assert_eq!(answered, wanted);
    // Another's codes mean nobody.
    let others = translated(&town, "welfare", &childcare[..100]).expect("an answer");
    assert!(others.iter().all(Option::is_none));
    // 200 of the day's 400 are used.
    let refused = translated(&town, "welfare", &welfare[..201]).expect_err("the day's volume");
    assert_eq!(refused.reason, Reason::DailyLimit);
    translated(&town, "welfare", &welfare[..200]).expect("just as many as are left");
    // Who is given ids was never given codes.
    let refused = translated(&town, "payments", &welfare[..1]).expect_err("who has ids");
    assert!([Reason::WrongState, Reason::NoAgreement].contains(&refused.reason));
}

/// Held by `State::codes_end`, `EndLinkYear`, and the tombstone of the key.
#[test]
fn a_key_is_destroyed_when_the_last_record_with_its_codes_must_be() {
    let mut town = town("2028-03-31");
    let before = export(&town, "welfare");
    let place = ("131016/welfare".parse().expect("an agency"), FiscalYear::of(town.today()));
    let key = town.exchange.state().link_keys.get(&place).expect("a key").key;
    // Records of fiscal year 2026 may be kept for 100 days after its end: until 9 July 2027.
    town.restart_on("2027-07-09");
    export(&town, "welfare");
    assert_eq!(year_key::destroy_due(&town.exchange, YearKeyUse::LinkCodes).expect("a look"), 0);
    town.exchange.vault().key(key).expect("it is there");
    town.restart_on("2027-07-10");
    assert_eq!(year_key::destroy_due(&town.exchange, YearKeyUse::LinkCodes).expect("a look"), 1);
    assert_eq!(
        year_key::destroy_due(&town.exchange, YearKeyUse::LinkCodes).expect("a second look"),
        0
    );
    let gone = |town: &Town| town.exchange.vault().key(key).expect_err("it is gone").reason;
    assert_eq!(gone(&town), Reason::DataDestroyed);
    let refused = translated(&town, "welfare", &before[..1]).expect_err("nobody can tell");
    assert_eq!(refused.reason, Reason::DataDestroyed);
    // This year's key stays, and a restart from the journal alone says the same.
    export(&town, "welfare");
    town.close();
    fs_err::remove_dir_all(town.paths().store.join("cache")).expect("the cache is deleted");
    town.reopen();
    assert_eq!(gone(&town), Reason::DataDestroyed);
    assert!(town.exchange.state().link_keys.get(&place).expect("a mark").destroyed);
}
