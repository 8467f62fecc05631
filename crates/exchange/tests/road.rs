//! The whole road below the network: register, list, job, review, batch, delivery; and what must survive it.

mod town;

use renkei_exchange::Operation;
use renkei_exchange::batch::{self, BatchState, Signed};
use renkei_exchange::command::Call;
use renkei_exchange::delivery::{Acknowledge, Deliver};
use renkei_exchange::directory::{AddAgency, ChangeParty, PartyChange};
use renkei_exchange::hold::{Hold, Lifted, ReleaseHold, Target};
use renkei_exchange::list::Totals;
use renkei_exchange::permit::{Operate, Receive, StopReleases};
use renkei_exchange::reconcile::{Step, reconcile};
use renkei_exchange::review::{Claim, Decide, Verdict};
use renkei_journal::{Frame, Journal as _, MemoryJournal, Seq};
use renkei_linkage::Outcome;
use renkei_types::Reason;
use town::{Town, caller};

#[test]
fn a_list_goes_from_upload_to_the_treasury_and_every_yen_is_accounted_for() {
    let town = Town::new();
    let list = town.linked_list("wave-1", 90);
    let declared = town.totals_of(&town.payments(90));
    let counted = town.exchange.ask_now(move |desk| reconcile(desk, list)).expect("totals");
    assert!(counted.is_balanced() && counted.declared == declared);
    assert!(counted.outcomes[&Outcome::Linked].lines > 60);

    town.decide_all(list, "clerk-1");
    let batch = town.certify(list).expect("two signatures");
    let state = town.exchange.state();
    let known = state.batches.get(&batch).expect("the batch");
    assert_eq!(known.state, BatchState::Released);
    let payments = batch::payments(town.exchange.vault(), known).expect("payments");
    let sum = payments.iter().map(|payment| Totals { lines: 1, yen: payment.yen }).sum::<Totals>();
    assert_eq!(sum, known.totals);

    let permit = || town.permit_dataset::<Receive>("transfers", town.deliveries());
    let programme = town.programme;
    let deliver = Deliver { permit: permit(), programme, number: 1 };
    let call = || Call::read(caller("transfers"));
    assert_eq!(town.exchange.execute_now(call(), deliver).expect("an entry").reply, batch);
    let ack = |totals| Acknowledge { permit: permit(), programme, number: 1, totals };
    for wrong in [
        Totals { lines: sum.lines - 1, yen: sum.yen },
        Totals { lines: sum.lines, yen: sum.yen + 1 },
    ] {
        let refused = town.exchange.execute_now(call(), ack(wrong)).expect_err("a wrong sum");
        assert_eq!(refused.reason, Reason::TotalsDiffer);
    }
    town.exchange.execute_now(call(), ack(sum)).expect("the right sum");
    let counted = town.exchange.ask_now(move |desk| reconcile(desk, list)).expect("totals");
    assert!(counted.is_balanced());
    assert_eq!(counted.steps[&Step::Acknowledged], sum);
    assert!(!counted.steps.contains_key(&Step::Open));
}

#[test]
fn a_payee_is_paid_once_in_a_programme_whatever_the_list() {
    let town = Town::new();
    let first = town.linked_list("wave-1", 90);
    town.decide_all(first, "clerk-1");
    town.certify(first).expect("two signatures");
    // The same people apply again, in another order: another file, the same persons.
    let second = town.linked_list_of("wave-2", &town.shuffled_payments(90));
    town.decide_all(second, "clerk-1");
    let payable = town.sheet(second).steps[&Step::Payable];
    let refused = town.certify(second).expect_err("everybody is paid");
    assert_eq!(refused.reason, Reason::AlreadyPaid);
    // The sheet says so too, and adds up; asking again tells nothing new.
    let frames = *town.exchange.durable().borrow();
    let sheet = town.sheet(second);
    assert_eq!(sheet.steps[&Step::AlreadyPaid], payable);
    assert!(sheet.is_balanced() && !sheet.steps.contains_key(&Step::Payable));
    town.certify(second).expect_err("everybody is paid still");
    assert_eq!(*town.exchange.durable().borrow(), frames);
}

#[test]
fn the_same_file_is_not_taken_twice() {
    let town = Town::new();
    town.linked_list("wave-1", 40);
    let payments = town.payments(40);
    let refused = town.try_seal_list("wave-2", &payments, town.totals_of(&payments));
    assert_eq!(refused.expect_err("the same file").reason, Reason::SameFile);
}

#[test]
fn a_total_off_by_one_line_or_one_yen_is_refused_and_the_upload_stays_open() {
    let town = Town::new();
    let payments = town.payments(40);
    let Totals { lines, yen } = town.totals_of(&payments);
    for (at, (wrong, field)) in [
        (Totals { lines: lines + 1, yen }, "declared.lines"),
        (Totals { lines: lines - 1, yen }, "declared.lines"),
        (Totals { lines, yen: yen + 1 }, "declared.yen"),
        (Totals { lines, yen: yen - 1 }, "declared.yen"),
    ]
    .into_iter()
    .enumerate()
    {
        let refused = town.try_seal_list(&format!("wrong-{at}"), &payments, wrong);
        let refused = refused.expect_err("a wrong total");
        assert_eq!((refused.reason, refused.field), (Reason::TotalsDiffer, Some(field)));
    }
    town.try_seal_list("right", &payments, Totals { lines, yen }).expect("the right total");
}

#[test]
fn my_numbers_destroy_what_had_arrived() {
    let town = Town::new();
    let mut payments = town.payments(40);
    payments = payments.replacen("性別", "個人番号", 1);
    let refused = town.try_seal_list("wave-1", &payments, town.totals_of(&town.payments(40)));
    assert_eq!(refused.expect_err("My Numbers").reason, Reason::MyNumber);
    let state = town.exchange.state();
    let (_, upload) = state
        .uploads
        .iter()
        .find(|(_, upload)| upload.state == renkei_exchange::upload::UploadState::Destroyed)
        .expect("the upload is marked");
    let gone = town.exchange.vault().key(upload.key).expect_err("the key is gone");
    assert_eq!(gone.reason, Reason::DataDestroyed);
}

#[test]
fn who_decided_a_line_cannot_certify_it_and_one_person_cannot_sign_twice() {
    let town = Town::new();
    let list = town.linked_list("wave-1", 90);
    town.decide_all(list, "certifying-clerk");
    let sign = |who: &str| town.propose(who, list);
    assert_eq!(sign("certifying-clerk").expect_err("a decider").reason, Reason::OwnDecision);
    let batch = sign("certifier-1").expect("the first signature").batch;
    let digest = town.exchange.state().batches.get(&batch).expect("the batch").digest;
    let second = |who: &str, digest| town.sign_digest(who, Signed { list, batch, digest });
    assert_eq!(second("certifier-1", digest).expect_err("twice").reason, Reason::SamePerson);
    assert_eq!(
        second("certifying-clerk", digest).expect_err("a decider").reason,
        Reason::OwnDecision
    );
    let other = renkei_types::Digest::of(b"another batch");
    assert_eq!(second("certifier-2", other).expect_err("unseen").reason, Reason::DigestDiffers);
    second("certifier-2", digest).expect("the second signature");
}

#[test]
fn a_proposal_falls_with_a_line_that_is_revised_and_gives_way_to_another_proposal() {
    let town = Town::new();
    let list = town.linked_list("wave-1", 90);
    town.decide_all(list, "clerk-1");
    let sign = || town.propose("certifier-1", list).expect("the first signature").batch;
    let state = |batch| town.exchange.state().batches.get(&batch).expect("the batch").clone();
    let first = sign();
    let second = sign();
    assert_eq!(state(first).state, BatchState::Withdrawn);
    assert_eq!(state(second).totals, state(first).totals, "the same lines are proposed again");

    // A clerk notices that a line means nobody.
    let now = town.exchange.state();
    let (place, task) = now
        .tasks(list)
        .find(|(place, task)| {
            let (list, number) = (place.list, place.number);
            let line = town.exchange.ask_now(move |desk| {
                let book = desk.book(list)?;
                Ok(book.line(book.task_rows()[number as usize]))
            });
            task.state == renkei_exchange::review::TaskState::Decided
                && line.expect("the book").is_some_and(|line| line.is_payable())
        })
        .expect("a line that a clerk has linked");
    let permit = town.permit_review("clerk-1", list);
    let (version, verdict) = (task.version, Verdict::Nobody);
    let revise = Decide { permit, place, version, verdict, revises: true };
    town.exchange.execute_now(Call::read(caller("clerk-1")), revise).expect("a revision");
    assert_eq!(state(second).state, BatchState::Withdrawn);
    let counted = town.exchange.ask_now(move |desk| reconcile(desk, list)).expect("totals");
    assert!(counted.is_balanced() && !counted.steps.contains_key(&Step::Proposed));
    let refused = town.sign("certifier-2", list, second);
    assert_eq!(refused.expect_err("a fallen proposal").reason, Reason::WrongState);
    let batch = town.certify(list).expect("two signatures");
    assert_eq!(state(batch).totals.lines, state(first).totals.lines - 1);
}

#[test]
fn a_signature_of_somebody_who_is_shut_out_does_not_count() {
    let town = Town::new();
    let list = town.linked_list("wave-1", 40);
    let batch = town.propose("certifier-1", list).expect("the first signature").batch;
    let permit = town.permit::<Operate>("operator-1");
    let (identity, change) = (town::identity("certifier-1"), PartyChange::ShutOut);
    let shut_out = ChangeParty { permit, identity, change };
    town.exchange.execute_now(Call::read(caller("operator-1")), shut_out).expect("shut out");
    let refused = town.sign("certifier-2", list, batch);
    assert_eq!(refused.expect_err("one signature").reason, Reason::RoleMissing);
}

#[test]
fn a_feed_has_one_receiver() {
    let town = Town::new();
    let fields = ["bank_code".to_owned()].into();
    let operations = [Operation::Deliver];
    let second = town.agree("operations", town.deliveries(), fields, &operations, "certifier-2");
    assert_eq!(second.expect_err("the treasury receives it").reason, Reason::AlreadyExists);
}

#[test]
fn an_entry_cannot_be_acknowledged_before_it_was_delivered() {
    let town = Town::new();
    let list = town.linked_list("wave-1", 40);
    let batch = town.certify(list).expect("two signatures");
    let totals = town.exchange.state().batches.get(&batch).expect("the batch").totals;
    let permit = town.permit_dataset::<Receive>("transfers", town.deliveries());
    let ack = Acknowledge { permit, programme: town.programme, number: 1, totals };
    let refused = town.exchange.execute_now(Call::read(caller("transfers")), ack);
    assert_eq!(refused.expect_err("never delivered").reason, Reason::NotDelivered);
}

#[test]
fn an_acknowledgement_with_a_wrong_sum_is_refused_and_the_entry_stays_to_be_acknowledged() {
    let town = Town::new();
    let list = town.linked_list("wave-1", 40);
    let batch = town.certify(list).expect("two signatures");
    let permit = || town.permit_dataset::<Receive>("transfers", town.deliveries());
    let (programme, call) = (town.programme, || Call::read(caller("transfers")));
    let deliver = Deliver { permit: permit(), programme, number: 1 };
    town.exchange.execute_now(call(), deliver).expect("an entry");
    let totals = town.exchange.state().batches.get(&batch).expect("the batch").totals;
    let Totals { lines, yen } = totals;
    let ack = |totals| {
        let ack = Acknowledge { permit: permit(), programme, number: 1, totals };
        town.exchange.execute_now(call(), ack).map(|done| done.reply)
    };
    for (lines, yen) in [(lines + 1, yen), (lines - 1, yen), (lines, yen + 1), (lines, yen - 1)] {
        let refused = ack(Totals { lines, yen }).expect_err("a wrong sum");
        assert_eq!((refused.reason, refused.field), (Reason::TotalsDiffer, Some("totals")));
        let state = town.exchange.state();
        assert_eq!(state.programmes.get(&programme).expect("it").acknowledged, 0);
        assert_eq!(state.batches.get(&batch).expect("it").state, BatchState::Released);
    }
    ack(totals).expect("the right sum");
}

#[test]
fn nothing_is_released_while_a_hold_stands_and_two_people_lift_it() {
    let town = Town::new();
    let list = town.linked_list("wave-1", 40);
    town.decide_all(list, "clerk-1");
    let programme = town.programme;
    let permit = |who: &str| town.permit_own::<StopReleases>(who);
    let call = |who: &str| Call::read(caller(who));
    let hold = Hold { permit: permit("certifier-1"), programme, list: None };
    town.exchange.execute_now(call("certifier-1"), hold).expect("a hold");
    let batch = town.certify(list).expect("two signatures");
    let state = |batch| town.exchange.state().batches.get(&batch).expect("the batch").state;
    assert_eq!(state(batch), BatchState::Certified);
    let lift = |who: &str| {
        let lift = ReleaseHold { permit: permit(who), programme, target: Target::Programme };
        town.exchange.execute_now(call(who), lift).map(|done| done.reply)
    };
    let first = lift("certifier-1").expect("the first signature");
    assert_eq!(first, Lifted { lifted: false, released: Vec::new() });
    assert_eq!(state(batch), BatchState::Certified);
    assert_eq!(lift("certifier-1").expect_err("the same person").reason, Reason::SamePerson);
    // Somebody stops it again: the first signature is void.
    let again = Hold { permit: permit("certifier-2"), programme, list: None };
    town.exchange.execute_now(call("certifier-2"), again).expect("it stands again");
    assert!(!lift("certifier-2").expect("a first signature again").lifted);
    let second = lift("certifier-1").expect("another person");
    assert_eq!(second, Lifted { lifted: true, released: vec![batch] });
    assert_eq!(state(batch), BatchState::Released);
}

#[test]
fn a_decision_can_be_revised_until_the_line_is_in_a_batch() {
    let town = Town::new();
    let list = town.linked_list("wave-1", 90);
    let permit = || town.permit_review("clerk-1", list);
    let claim = Claim {
        permit: permit(),
        list,
        parked: false,
        duration: std::time::Duration::from_secs(60),
        records_max: 10,
    };
    let call = || Call::read(caller("clerk-1"));
    let claimed = town.exchange.execute_now(call(), claim).expect("a task").reply.expect("one");
    let decide = |version, verdict, revises| {
        let decide = Decide { permit: permit(), place: claimed.place, version, verdict, revises };
        town.exchange.execute_now(call(), decide).map(|done| done.reply)
    };
    let first = decide(claimed.version, Verdict::Nobody, false).expect("a decision");
    assert_eq!(first.outcome.0, Outcome::NotFound);
    let late = decide(claimed.version, Verdict::Duplicate, true);
    assert_eq!(late.expect_err("an old version").reason, Reason::VersionOld);
    let second = decide(first.version, Verdict::Duplicate, true).expect("a revision");
    assert_eq!(second.outcome.0, Outcome::Duplicate);
    let counted = town.exchange.ask_now(move |desk| reconcile(desk, list)).expect("totals");
    assert!(counted.is_balanced());
}

#[test]
fn a_deleted_cache_is_built_again_to_an_equal_digest() {
    let mut town = Town::new();
    let list = town.linked_list("wave-1", 90);
    town.decide_all(list, "clerk-1");
    town.certify(list).expect("two signatures");
    let before = town.digest();
    town.restart();
    assert_eq!(town.digest(), before, "from the cache");
    town.close();
    fs_err::remove_dir_all(town.paths().store.join("cache")).expect("the cache is deleted");
    town.reopen();
    assert_eq!(town.digest(), before, "from the journal");
}

#[test]
fn a_destroyed_key_changes_nothing_that_the_state_says() {
    let mut town = Town::new();
    let list = town.linked_list("wave-1", 90);
    town.decide_all(list, "clerk-1");
    let before = town.digest();
    let key = town.exchange.state().lists.get(&list).expect("the list").key;
    town.exchange.vault().destroy_key(key).expect("the key is destroyed");
    town.close();
    fs_err::remove_dir_all(town.paths().store.join("cache")).expect("the cache is deleted");
    town.reopen();
    assert_eq!(town.digest(), before);
    let gone = town.exchange.ask_now(move |desk| reconcile(desk, list)).expect_err("unreadable");
    assert_eq!(gone.reason, Reason::DataDestroyed);
}

#[test]
fn a_rival_writer_is_noticed_and_its_facts_come_first() {
    let journal = MemoryJournal::new();
    let town = Town::over(journal.clone());
    let add = |agency: &str| {
        let permit = town.permit::<Operate>("operator-1");
        let agency = agency.parse().expect("an agency");
        let command = AddAgency { permit, agency, title: "x".to_owned() };
        town.exchange.execute_now(Call::read(caller("operator-1")), command)
    };
    add("131016/before").expect("nobody is in the way");
    let (_, last) = journal
        .read(journal.last())
        .expect("the journal is read")
        .next()
        .expect("a frame")
        .expect("a sound frame");
    let facts = br#"[{"t":"agencies","k":"131016/rival","v":{"title":"rival"}}]"#.to_vec();
    let rival = |facts| Frame { leaf: last.leaf.clone(), facts, sealed: Vec::new() };
    journal.rival(&[rival(facts)]);
    assert_eq!(add("131016/rival").expect_err("the rival was first").reason, Reason::AlreadyExists);
    journal.rival(&[rival(b"[]".to_vec())]);
    let before = journal.last();
    let done = add("131016/after").expect("decided anew");
    assert_eq!(done.receipt.expect("a leaf").leaf_index, before.0);
    assert_eq!(journal.last(), Seq(before.0 + 1));
    let agencies = town.exchange.state();
    assert!(agencies.agencies.iter().any(|(id, _)| id.to_string() == "131016/rival"));
}

#[test]
fn the_same_request_has_one_effect_and_another_body_under_its_id_is_refused() {
    let town = Town::new();
    let request = renkei_types::RequestId::from_bytes([7; 16]);
    let add = |title: &str| {
        let permit = town.permit::<Operate>("operator-1");
        let agency = "131016/once".parse().expect("an agency");
        let body = town.exchange.body_digest(title.as_bytes());
        let command = AddAgency { permit, agency, title: title.to_owned() };
        town.exchange.execute_now(Call::mutation(caller("operator-1"), request, body), command)
    };
    let first = add("Once").expect("the first time");
    // One more turn of the ledger, and everybody has been told of the last.
    let told = || town.exchange.ask_now(|_| Ok(())).expect("an answer");
    told();
    let frames = *town.exchange.durable().borrow();
    let again = add("Once").expect("the stored answer");
    assert_eq!(again, first);
    told();
    assert_eq!(*town.exchange.durable().borrow(), frames);
    assert_eq!(add("Twice").expect_err("another body").reason, Reason::RequestReused);
}

#[test]
fn a_full_disk_refuses_and_changes_nothing() {
    let journal = MemoryJournal::new();
    let town = Town::over(journal.clone());
    let before = town.digest();
    let add = || {
        let permit = town.permit::<Operate>("operator-1");
        let agency = "131016/full".parse().expect("an agency");
        let command = AddAgency { permit, agency, title: "x".to_owned() };
        town.exchange.execute_now(Call::read(caller("operator-1")), command)
    };
    journal.fail_next_append(renkei_journal::AppendFault::StorageFull);
    assert_eq!(add().expect_err("no space").reason, Reason::StorageFull);
    assert_eq!(town.digest(), before);
    add().expect("space again");
}
