//! Agreements: who stops them and who lifts the stop, how they end, and what their end does to what is under way.

mod town;

use std::collections::BTreeSet;
use std::sync::Mutex;

use renkei_exchange::agreement::{AgreementState, LegalBasis, ProposeAgreement, Terms};
use renkei_exchange::command::Call;
use renkei_exchange::delivery::{Deliver, entry_chunk};
use renkei_exchange::directory::{AddAgency, AddParty};
use renkei_exchange::identify::Asked;
use renkei_exchange::job::{CreateJob, JobState};
use renkei_exchange::link_code::Naming;
use renkei_exchange::permit::{AskIdentity, DecideLines, Link, Operate, Receive};
use renkei_exchange::review::Claim;
use renkei_exchange::suspension::{EndAgreement, ResumeAgreement, SuspendAgreement};
use renkei_exchange::{Caller, Operation, Refusal, Role, run, shown};
use renkei_linkage::{Stage, Unwatched, Watcher};
use renkei_types::{AgreementId, Identity, LinkageJobId, ListId, Reason};
use town::{Town, caller, identity};

/// A second operator of the register's agency, an operator who has nothing to do with it, and a counter.
const MORE: [(&str, &str, Role); 3] = [
    ("second-operator", "spiffe://renkei.example/131016/residents/person/r-2", Role::Operator),
    ("elsewhere", "spiffe://renkei.example/131016/elsewhere/person/e-1", Role::Operator),
    ("counter", "spiffe://renkei.example/131016/benefits/system/counter", Role::Consumer),
];

fn who(name: &str) -> Caller {
    match MORE.iter().find(|(known, ..)| *known == name) {
        Some((_, identity, _)) => {
            let identity: Identity = identity.parse().expect("an identity");
            Caller { identity, ..caller(name) }
        }
        None => caller(name),
    }
}

fn town() -> Town {
    let town = Town::new();
    let permit = || town.permit::<Operate>("operator-1");
    let call = || Call::read(caller("operator-1"));
    let agency = "131016/elsewhere".parse().expect("an agency");
    let agency = AddAgency { permit: permit(), agency, title: "elsewhere".to_owned() };
    town.exchange.execute_now(call(), agency).expect("an agency");
    for (name, _, role) in MORE {
        let identity = who(name).identity;
        let party = AddParty { permit: permit(), identity, roles: [role].into() };
        town.exchange.execute_now(call(), party).expect("a party");
    }
    town
}

/// The agreement of the benefits office on the register.
fn agreement(town: &Town) -> AgreementId {
    let state = town.exchange.state();
    let mut all = state.agreements.iter().filter(|(_, one)| one.terms.dataset == town.register);
    *all.next().expect("an agreement").0
}

fn suspend(town: &Town, name: &str) -> Result<(), Refusal> {
    let permit = town.exchange.state().permit::<Operate>(&who(name))?;
    let command = SuspendAgreement { permit, agreement: agreement(town) };
    town.exchange.execute_now(Call::read(who(name)), command).map(|_| ())
}

fn resume(town: &Town, name: &str) -> Result<(), Refusal> {
    let permit = town.exchange.state().permit::<Operate>(&who(name))?;
    let command = ResumeAgreement { permit, agreement: agreement(town) };
    town.exchange.execute_now(Call::read(who(name)), command).map(|_| ())
}

fn end(town: &Town, name: &str) -> Result<String, Refusal> {
    let permit = town.exchange.state().permit::<Operate>(&who(name))?;
    let command = EndAgreement { permit, agreement: agreement(town) };
    town.exchange.execute_now(Call::read(who(name)), command).map(|done| done.reply.to_string())
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, Refusal>, reason: Reason) {
    assert_eq!(result.expect_err("a refusal").reason, reason);
}

fn state_of(town: &Town) -> AgreementState {
    town.exchange.state().agreements.get(&agreement(town)).expect("the agreement").state
}

/// Held by the sides in `suspension::of_caller`, and in `ResumeAgreement` by `SamePerson` and the line after it.
#[test]
fn one_operator_of_either_agency_or_the_broker_suspends_and_another_person_lifts_it() {
    let town = town();
    refused(suspend(&town, "elsewhere"), Reason::NoAgreement);
    refused(suspend(&town, "clerk-1"), Reason::RoleMissing);
    refused(resume(&town, "operator-1"), Reason::WrongState);
    // The provider stops it: the consumer cannot lift that.
    suspend(&town, "residents-operator").expect("the provider stops it");
    assert_eq!(state_of(&town), AgreementState::Suspended);
    refused(suspend(&town, "operator-1"), Reason::WrongState);
    refused(resume(&town, "residents-operator"), Reason::SamePerson);
    refused(resume(&town, "certifier-2"), Reason::NoAgreement);
    refused(resume(&town, "elsewhere"), Reason::NoAgreement);
    resume(&town, "second-operator").expect("another operator of the provider");
    assert_eq!(state_of(&town), AgreementState::Active);
    // The consumer stops it, the broker's operator lifts it.
    suspend(&town, "certifier-2").expect("the consumer stops it");
    resume(&town, "operator-2").expect("the broker's operator");
    // And the other way round.
    suspend(&town, "operator-1").expect("the broker's operator stops it");
    refused(resume(&town, "certifier-2"), Reason::NoAgreement);
    resume(&town, "residents-operator").expect("the provider");
}

/// Held by the state in `Agreement::is_in_force`, which `Permit::check` asks again when a command is decided.
#[test]
fn a_permit_given_before_a_suspension_or_an_end_is_worth_nothing_after_it() {
    for stop in [suspend, |town: &Town, name: &str| end(town, name).map(|_| ())] {
        let town = town();
        let list = town.linked_list("wave-1", 40);
        let claim = Claim {
            permit: town.permit_review("clerk-1", list),
            list,
            parked: false,
            duration: std::time::Duration::from_secs(60),
            records_max: 10,
        };
        let state = town.exchange.state();
        let today = town.exchange.clock().today();
        let ask = || {
            state.permit_dataset::<AskIdentity>(&who("counter"), Some(town.register), None, today)
        };
        let indexed = state.snapshot_in_use(town.register).expect("a snapshot");
        let asked = Asked {
            permit: ask().expect("a permit"),
            dataset: town.register,
            snapshot: indexed,
            model: renkei_types::Digest::of(b"model"),
            candidates: town.answered(["1"]),
        };
        stop(&town, "residents-operator").expect("stopped");
        refused(
            town.exchange.execute_now(Call::read(caller("clerk-1")), claim),
            Reason::NoAgreement,
        );
        refused(town.exchange.execute_now(Call::read(who("counter")), asked), Reason::NoAgreement);
        let state = town.exchange.state();
        let owner = state.owner_of_list(list);
        let link = state.permit_own_with_dataset::<Link>(
            &caller("payments"),
            owner,
            Some(town.register),
            today,
        );
        refused(link, Reason::NoAgreement);
        let review = state.permit_own_with_dataset::<DecideLines>(
            &caller("clerk-1"),
            owner,
            Some(town.register),
            today,
        );
        refused(review, Reason::NoAgreement);
    }
}

/// Held by `check_register_agreed` in both signatures: what was learned under a suspended agreement pays nobody.
#[test]
fn nothing_is_certified_while_the_register_s_agreement_is_suspended() {
    let town = town();
    let list = town.linked_list("wave-1", 40);
    let proposed = town.propose("certifier-1", list).expect("a proposal").batch;
    suspend(&town, "residents-operator").expect("the provider stops it");
    refused(town.sign("certifier-2", list, proposed), Reason::NoAgreement);
    refused(town.propose("certifier-1", list), Reason::NoAgreement);
    resume(&town, "second-operator").expect("lifted");
    end(&town, "residents-operator").expect("the provider ends it");
    refused(town.sign("certifier-2", list, proposed), Reason::NoAgreement);
    refused(town.propose("certifier-1", list), Reason::NoAgreement);
}

/// Held by `EndAgreement`, which no command leads out of; the day by `Agreement::destroy_by`.
#[test]
fn an_end_is_final_and_says_until_when_the_data_must_be_gone() {
    let town = town();
    refused(end(&town, "elsewhere"), Reason::NoAgreement);
    suspend(&town, "operator-1").expect("suspended");
    // Today is 2026-11-21 in Japan, and what was received is kept for 365 days.
    assert_eq!(end(&town, "residents-operator").expect("the provider ends it"), "2027-11-21");
    refused(end(&town, "residents-operator"), Reason::WrongState);
    refused(resume(&town, "second-operator"), Reason::WrongState);
    refused(suspend(&town, "second-operator"), Reason::WrongState);
    assert_eq!(state_of(&town), AgreementState::Ended);
}

/// Held by the dates in `Agreement::is_in_force`.
#[test]
fn an_agreement_begins_on_its_first_day_and_ends_after_its_last() {
    let town = Town::new();
    let state = town.exchange.state();
    let permit = |day: &str| {
        let day = day.parse().expect("a day");
        state.permit_dataset::<Receive>(&caller("transfers"), Some(town.deliveries()), None, day)
    };
    for day in ["2026-01-01", "2027-03-31"] {
        permit(day).expect("a day on which it is in force");
    }
    for day in ["2025-12-31", "2027-04-01"] {
        refused(permit(day), Reason::NoAgreement);
    }
}

fn job_of(town: &Town, list: ListId) -> Result<LinkageJobId, Refusal> {
    let state = town.exchange.state();
    let today = town.exchange.clock().today();
    let owner = state.owner_of_list(list);
    let permit = state.permit_own_with_dataset::<Link>(
        &caller("payments"),
        owner,
        Some(town.register),
        today,
    )?;
    let command = CreateJob { permit, list, dataset: town.register };
    town.exchange.execute_now(Call::read(caller("payments")), command).map(|done| done.reply)
}

fn sealed_list(town: &Town) -> ListId {
    let payments = town.payments(40);
    town.try_seal_list("wave-1", &payments, town.totals_of(&payments)).expect("a sealed list")
}

/// Held by `job::permitted` in `StartJob`.
#[test]
fn a_job_that_waits_while_its_agreement_is_suspended_fails_and_can_be_asked_for_again() {
    let town = town();
    let list = sealed_list(&town);
    let job = job_of(&town, list).expect("a job");
    suspend(&town, "residents-operator").expect("suspended");
    refused(run::run(&town.exchange, &town.indexes, job, &Unwatched), Reason::NoAgreement);
    let state = town.exchange.state();
    let known = state.jobs.get(&job).expect("the job");
    assert_eq!(known.state, JobState::Failed("NO_AGREEMENT".to_owned()));
    assert_eq!(known.attempt, 0, "it was never started");
    refused(job_of(&town, list), Reason::NoAgreement);
    resume(&town, "second-operator").expect("lifted");
    let again = job_of(&town, list).expect("another job");
    run::run(&town.exchange, &town.indexes, again, &Unwatched).expect("a result");
}

/// Suspends when a stage begins, and does not stop the engine by itself.
struct Suspends<'a> {
    town: &'a Town,
    at: Stage,
    asked: Mutex<Option<Result<(), Refusal>>>,
}

impl Watcher for Suspends<'_> {
    fn stage(&self, stage: Stage, _: usize) {
        if stage == self.at {
            let asked = Some(suspend(self.town, "residents-operator"));
            *self.asked.lock().expect("one thread") = asked;
        }
    }

    fn done(&self, _: usize) {}
}

/// Held by `job::permitted` in `FinishJob`.
#[test]
fn a_job_whose_agreement_is_suspended_while_it_runs_leaves_no_result() {
    let town = town();
    let list = sealed_list(&town);
    let job = job_of(&town, list).expect("a job");
    let watcher = Suspends { town: &town, at: Stage::Assign, asked: Mutex::new(None) };
    refused(run::run(&town.exchange, &town.indexes, job, &watcher), Reason::NoAgreement);
    assert_eq!(
        watcher.asked.into_inner().expect("one thread"),
        Some(Ok(())),
        "it was suspended while the job ran"
    );
    let state = town.exchange.state();
    assert_eq!(
        state.jobs.get(&job).expect("the job").state,
        JobState::Failed("NO_AGREEMENT".to_owned())
    );
    refused(state.linked_list(list).map(|_| ()), Reason::WrongState);
}

fn propose(town: &Town, terms: Terms) -> Result<AgreementId, Refusal> {
    let permit = town.permit::<Operate>("operator-1");
    let command = ProposeAgreement { permit, terms };
    town.exchange.execute_now(Call::read(caller("operator-1")), command).map(|done| done.reply)
}

fn terms(town: &Town) -> Terms {
    town.exchange.state().agreements.get(&agreement(town)).expect("the agreement").terms.clone()
}

/// Held by `LegalBasis::is_within_municipality` in `Terms::check`.
#[test]
fn a_basis_for_use_within_a_municipality_gives_a_neighbour_nothing() {
    let town = town();
    let neighbour: renkei_types::AgencyId = "011002/benefits".parse().expect("an agency");
    let permit = town.permit::<Operate>("operator-1");
    let add = AddAgency { permit, agency: neighbour.clone(), title: "neighbour".to_owned() };
    town.exchange.execute_now(Call::read(caller("operator-1")), add).expect("an agency");
    for &basis in LegalBasis::ALL {
        let terms = Terms { consumer: neighbour.clone(), basis, ..terms(&town) };
        match propose(&town, terms) {
            Ok(_) => assert!(!basis.is_within_municipality(), "{basis}"),
            Err(refusal) => {
                assert!(basis.is_within_municipality(), "{basis}");
                assert_eq!(refusal.field, Some("terms.legal_basis"));
            }
        }
    }
}

/// Held by `holds_personal_number` in `Terms::check`: whatever was done under such an agreement could not be logged.
#[test]
fn a_purpose_that_could_be_the_number_of_a_person_is_refused_when_it_is_proposed() {
    let town = town();
    let purpose = |text: &str| text.parse().expect("a slug");
    for digits in ["benefit-123456789018", "123456789018"] {
        let terms = Terms { purpose: purpose(digits), ..terms(&town) };
        assert_eq!(propose(&town, terms).expect_err("digits").field, Some("terms.purpose"));
    }
    let terms = Terms { purpose: purpose("benefit-2026"), ..terms(&town) };
    propose(&town, terms).expect("a year");
}

/// Held by `use_volume`, which counts before anything is shown.
#[test]
fn no_more_records_are_shown_on_a_day_than_was_agreed() {
    let town = town();
    let list = town.linked_list("wave-1", 90);
    end(&town, "residents-operator").expect("another one shall take its place");
    let terms = Terms { daily_records_max: 25, ..terms(&town) };
    let fields = terms.fields.clone();
    // The same agreement, with a smaller volume.
    let id = propose(&town, terms).expect("a proposal");
    let call = |who: &str| Call::read(caller(who));
    let approve = renkei_exchange::agreement::ApproveAgreement {
        permit: town.permit("residents-operator"),
        agreement: id,
    };
    town.exchange.execute_now(call("residents-operator"), approve).expect("approved");
    let activate = renkei_exchange::agreement::ActivateAgreement {
        permit: town.permit("operator-2"),
        agreement: id,
    };
    town.exchange.execute_now(call("operator-2"), activate).expect("in force");
    assert!(!fields.is_empty());
    let claim = || Claim {
        permit: town.permit_review("clerk-1", list),
        list,
        parked: false,
        duration: std::time::Duration::from_secs(60),
        records_max: 10,
    };
    for _ in 0..2 {
        town.exchange.execute_now(call("clerk-1"), claim()).expect("ten records each");
    }
    refused(town.exchange.execute_now(call("clerk-1"), claim()), Reason::DailyLimit);
}

/// Held by `Permit::disclose`, which is the only maker of `Disclosed` cells.
#[test]
fn a_field_outside_of_the_agreement_is_in_no_delivery_and_on_no_screen() {
    let mut town = town();
    let list = town.linked_list("wave-1", 90);
    // On a later day than the town's own agreements: of those that fit, the newest counts.
    town.restart_on("2026-11-22");
    town.follow();
    // The treasury may see banks and branches, and nothing else; the clerk one name.
    let deliveries = town.deliveries();
    let receive = agreement_on(&town, deliveries);
    end_of(&town, receive, "certifier-2");
    let some =
        |fields: &[&str]| fields.iter().map(|&field| field.to_owned()).collect::<BTreeSet<_>>();
    let allowed = some(&["bank_code", "branch_code"]);
    town.agree("treasury", deliveries, allowed.clone(), &[Operation::Deliver], "certifier-2")
        .expect("an agreement");
    let use_register = [Operation::Link, Operation::Review];
    town.agree(
        "benefits",
        town.register,
        some(&["name_kana"]),
        &use_register,
        "residents-operator",
    )
    .expect("a newer agreement");

    let permit = town.permit_review("clerk-1", list);
    let book = town.exchange.ask_now(move |desk| desk.book(list)).expect("the book");
    let state = town.exchange.state();
    let naming = Naming::under(&town.exchange, &permit, town.register).expect("names");
    let mut seen = 0;
    for (place, row) in state.tasks(list).map(|(place, _)| place).zip(book.task_rows()) {
        let withheld = shown::Withheld { naming: &naming, protected: &town.protected() };
        let shown = shown::task(town.exchange.vault(), &state, &permit, withheld, place, *row);
        for candidate in shown.expect("a task").candidates {
            for cell in candidate.cells {
                assert_eq!(cell.cell.field(), "name_kana");
                seen += 1;
            }
        }
    }
    assert!(seen > 0, "somebody was shown");

    town.decide_all(list, "clerk-1");
    let batch = town.certify(list).expect("two signatures");
    let permit = town.permit_dataset::<Receive>("transfers", deliveries);
    let deliver = Deliver { permit: permit.clone(), programme: town.programme, number: 1 };
    town.exchange.execute_now(Call::read(caller("transfers")), deliver).expect("an entry");
    let state = town.exchange.state();
    let known = state.batches.get(&batch).expect("the batch");
    let naming = Naming::under(&town.exchange, &permit, town.register).expect("names");
    let mut paid = 0;
    for chunk in 0..known.payments.chunks {
        let payments = entry_chunk(town.exchange.vault(), &permit, &naming, known, chunk);
        for payment in payments.expect("payments") {
            let fields = payment.cells.iter().map(|cell| cell.field().to_owned());
            assert_eq!(fields.collect::<BTreeSet<_>>(), allowed);
            paid += 1;
        }
    }
    assert_eq!(paid, known.totals.lines);
}

fn agreement_on(town: &Town, dataset: renkei_types::DatasetId) -> AgreementId {
    let state = town.exchange.state();
    let found = state.agreements.iter().find(|(_, one)| one.terms.dataset == dataset);
    *found.expect("an agreement").0
}

fn end_of(town: &Town, agreement: AgreementId, name: &str) {
    let permit = town.permit::<Operate>(name);
    let command = EndAgreement { permit, agreement };
    town.exchange.execute_now(Call::read(caller(name)), command).expect("it ends");
}

/// Held by `State::runs_the_broker`, which knows the agencies of the founders and nobody else.
#[test]
fn the_agencies_that_run_the_broker_are_those_of_its_founders() {
    let town = town();
    let founding = town.exchange.state();
    let founding = founding.founding.get(&0).expect("a founding");
    let agencies: Vec<String> = founding.agencies.iter().map(ToString::to_string).collect();
    assert_eq!(agencies, [identity("operator-1").agency().to_string()]);
}
