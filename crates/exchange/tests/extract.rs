//! Extracts: who was in a register on a day, in the fields of an agreement and no others.

mod town;

use std::collections::BTreeSet;

use renkei_exchange::agreement::{LegalBasis, Telling, Terms};
use renkei_exchange::command::Call;
use renkei_exchange::extract::{Extract, Extracted, NoteExtract, Shown};
use renkei_exchange::history::StateAt;
use renkei_exchange::link_code::Naming;
use renkei_exchange::permit::{Permit, ReadState};
use renkei_exchange::{Operation, Refusal};
use renkei_types::Reason;
use town::{Town, caller};

/// A town whose benefits office may have extracts: readings and addresses, no ids, 400 records a day.
fn town() -> Town {
    let town = Town::new();
    let terms = Terms {
        consumer: "131016/benefits".parse().expect("an agency"),
        dataset: town.register,
        basis: LegalBasis::OwnDuties,
        purpose: "base-date".parse().expect("a code"),
        fields: ["name_kana", "address"].map(str::to_owned).into(),
        operations: [Operation::Extract].into(),
        valid_from: "2026-01-01".parse().expect("a day"),
        valid_until: "2027-03-31".parse().expect("a day"),
        daily_records_max: 400,
        retention_days: 30,
        told: Telling::AtOnce,
    };
    town.agree_on(terms, "residents-operator").expect("an agreement");
    town
}

fn permit(town: &Town) -> Result<Permit<ReadState>, Refusal> {
    let (state, purpose) = (town.exchange.state(), "base-date".parse().expect("a code"));
    let who = caller("payments-consumer");
    state.permit_dataset(&who, Some(town.register), Some(&purpose), town.today())
}

fn open(town: &Town) -> Extract {
    let at = StateAt { on: town.today(), known: town.today() };
    Extract::open(town.exchange.state(), town.exchange.vault(), town.register, at)
        .expect("an extract")
}

/// Everybody of an extract.
fn everybody(town: &Town, extract: &Extract) -> Vec<Extracted> {
    let permit = permit(town).expect("a permit");
    let naming = Naming::under(&town.exchange, &permit, town.register).expect("names");
    let protected = town.protected();
    let shown = Shown { permit: &permit, naming: &naming, protected: &protected };
    let mut all = Vec::new();
    loop {
        let next = extract.chunk_from(town.exchange.vault(), shown, all.len() as u64);
        let next = next.expect("a chunk");
        if next.is_empty() {
            return all;
        }
        all.extend(next);
    }
}

fn value<'a>(one: &'a Extracted, field: &str) -> &'a str {
    let cell = one.cells.iter().find(|cell| cell.field() == field);
    cell.map(|cell| cell.value()).expect("a field of the agreement")
}

/// Held by `Permit::disclose` and `Naming` in `person`.
#[test]
fn an_extract_has_everybody_once_in_the_fields_of_the_agreement_and_by_code() {
    let town = town();
    let extract = open(&town);
    let all = everybody(&town, &extract);
    assert_eq!((all.len() as u64, all.len()), (extract.records(), 300));
    let fields = extract.fields(&permit(&town).expect("a permit")).expect("fields");
    for one in &all {
        let told: Vec<&str> = one.cells.iter().map(|cell| cell.field()).collect();
        assert_eq!(told, fields);
        assert!(one.person.starts_with("link_"), "an id is told");
    }
    assert_eq!(
        fields.iter().map(String::as_str).collect::<BTreeSet<_>>(),
        ["address", "name_kana"].into()
    );
    let people: BTreeSet<&str> = all.iter().map(|one| one.person.as_str()).collect();
    assert_eq!(people.len(), all.len(), "somebody stands there twice");
}

/// What fails without `withheld` in `person`.
#[test]
fn where_a_protected_person_lives_is_in_no_extract() {
    let town = town();
    let someone = town.residents().lines().nth(1).expect("a record");
    let someone = someone.split(',').next().expect("an id").to_owned();
    let without =
        |all: &[Extracted]| all.iter().filter(|one| value(one, "address").is_empty()).count();
    let extract = open(&town);
    let before = everybody(&town, &extract);
    town.report(2, &format!("宛名番号,支援措置\n{someone},1\n")).expect("a report");
    // Also out of an extract that was opened before.
    let after = everybody(&town, &extract);
    assert_eq!(without(&after), without(&before) + 1);
    let changed: Vec<usize> = (0..after.len()).filter(|at| after[*at] != before[*at]).collect();
    let [one] = changed[..] else { panic!("{changed:?} are not the one that was reported") };
    assert_eq!(value(&after[one], "name_kana"), value(&before[one], "name_kana"));
}

/// What fails without the order of names in `chunk_from`: a register lies in the order of its households.
#[test]
fn who_stands_beside_whom_says_nothing() {
    let town = town();
    let all = everybody(&town, &open(&town));
    let names: Vec<&str> = all.iter().map(|one| one.person.as_str()).collect();
    assert!(names.is_sorted(), "people stand in another order than that of their codes");
    let houses =
        all.windows(2).filter(|two| value(&two[0], "address") == value(&two[1], "address"));
    assert!(houses.count() < 30, "households stand together");
}

/// What fails without `use_volume` in `NoteExtract::decide`.
#[test]
fn every_record_counts_against_the_daily_volume() {
    let town = town();
    let note = |records| {
        let permit = permit(&town).expect("a permit");
        let snapshot = open(&town).snapshot;
        let note = NoteExtract { permit, dataset: town.register, snapshot, records };
        town.exchange.execute_now(Call::read(caller("payments-consumer")), note)
    };
    assert!(note(300).expect("the first").receipt.is_some());
    assert_eq!(note(101).expect_err("too many").reason, Reason::DailyLimit);
    note(100).expect("what is left");
}

/// What fails without `Extract` of its own in `rights!`.
#[test]
fn who_may_ask_about_one_person_may_not_have_everybody() {
    let town = Town::new();
    let state = town.exchange.state();
    let who = caller("payments-consumer");
    let today = town.today();
    let register = Some(town.register);
    state
        .permit_dataset::<renkei_exchange::permit::AskIdentity>(&who, register, None, today)
        .expect("one person");
    let refused = state.permit_dataset::<ReadState>(&who, register, None, today);
    assert_eq!(refused.expect_err("everybody").reason, Reason::NoAgreement);
}

/// What fails without `rejected` in `State::in_force`.
#[test]
fn a_record_that_took_no_part_in_the_register_is_in_no_extract() {
    let mut town = town();
    let residents = town.residents().to_owned();
    let mut lines: Vec<&str> = residents.lines().collect();
    let cut = lines[5].rsplit_once(',').expect("cells").0;
    lines[5] = cut;
    town.restart_on("2026-11-22");
    town.replace_register(lines.join("\n") + "\n");
    assert_eq!(open(&town).records(), 299);
}
