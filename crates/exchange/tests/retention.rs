//! Retention: what was superseded goes when its time is over, and not before anybody who needs it has done with it.

mod town;

use renkei_exchange::command::Call;
use renkei_exchange::permit::Operate;
use renkei_exchange::retention::{DestroySnapshot, Keeps, Superseded, destroy_due, superseded};
use renkei_exchange::withdraw::WithdrawDataset;
use renkei_exchange::{Permit, Refusal, run};
use renkei_linkage::Unwatched;
use renkei_types::{Reason, SnapshotId};
use town::years::{agree_until, all_is_paid};
use town::{Town, caller};

fn states(town: &Town) -> Vec<Superseded> {
    let register = town.register;
    town.exchange.ask_now(move |desk| superseded(desk, register)).expect("states")
}

fn kept(town: &Town) -> Option<Keeps> {
    states(town).first().expect("a superseded state").kept
}

fn permit(town: &Town) -> Permit<Operate> {
    let state = town.exchange.state();
    let owner = state.datasets.get(&town.register).map(|dataset| dataset.provider.clone());
    state.permit_own(&caller("residents-operator"), owner.as_ref()).expect("a permit")
}

/// Destroys a state; answers how many keys went with a leaf of their own.
fn destroy(town: &Town, file: SnapshotId) -> Result<usize, Refusal> {
    let command = DestroySnapshot { permit: Some(permit(town)), dataset: town.register, file };
    let done = command.destroy(&town.exchange, Call::read(caller("residents-operator")))?;
    assert!(done.receipt.is_some(), "it is in the log");
    Ok(done.reply.keys.len())
}

fn can_be_read(town: &Town, snapshot: SnapshotId) -> Result<(), Refusal> {
    let state = town.exchange.state();
    state.register_rows(snapshot)?.find(town.exchange.vault(), |_| true).map(|_| ())
}

fn in_use(town: &Town) -> SnapshotId {
    town.exchange.state().snapshot_in_use(town.register).expect("a register")
}

/// The register sent anew, on another day.
fn supersede(town: &mut Town, day: &str) {
    town.restart_on(day);
    let residents = town.residents().to_owned();
    town.replace_register(residents);
}

/// What fails without the comparison of `until` with today in `weigh`, and without `destroy_keys` in
/// `DestroySnapshot::destroy`.
#[test]
fn a_superseded_state_goes_with_its_deltas_after_the_last_day_that_agreements_give_it() {
    let mut town = Town::new();
    let header = town.residents().lines().next().expect("a header").to_owned();
    let file = in_use(&town);
    town.apply(1, &format!("operation,{header}\n")).expect("an empty delta");
    let delta = in_use(&town);
    assert_eq!(states(&town), [], "what is in use is no matter of retention");
    supersede(&mut town, "2026-11-30");
    let state = states(&town)[0];
    assert_eq!((state.file, state.deltas), (file, 1));
    // Received until 30 November 2026, and kept for 365 days.
    assert_eq!(state.until.map(|day| day.to_string()).as_deref(), Some("2027-11-30"));
    for day in ["2026-11-30", "2027-11-30"] {
        town.restart_on(day);
        assert_eq!(destroy_due(&town.exchange).expect("a look"), 0, "{day}");
        assert_eq!(destroy(&town, file).expect_err("early").reason, Reason::Retained);
        can_be_read(&town, delta).expect("it is there");
    }
    town.restart_on("2027-12-01");
    assert_eq!(destroy_due(&town.exchange).expect("a look"), 1);
    assert_eq!(destroy_due(&town.exchange).expect("a second look"), 0);
    assert_eq!(destroy(&town, file).expect_err("once").reason, Reason::DataDestroyed);
    for gone in [file, delta] {
        let refused = can_be_read(&town, gone).expect_err("no key");
        assert_eq!(refused.reason, Reason::DataDestroyed);
        let key = town.exchange.state().snapshots.get(&gone).expect("what the state says").key;
        assert!(town.exchange.vault().key(key).is_err(), "the key itself is gone");
    }
    can_be_read(&town, in_use(&town)).expect("what is in use");
    // Read from the journal alone, the state is the same, and it is still gone.
    let before = town.digest();
    town.close();
    fs_err::remove_dir_all(town.paths().store.join("cache")).expect("the cache is deleted");
    town.reopen();
    assert!(states(&town)[0].destroyed);
    assert_eq!(town.digest(), before);
    assert_eq!(can_be_read(&town, file).expect_err("no key").reason, Reason::DataDestroyed);
}

/// What fails without `waits` in `weigh`, and without `is_open`.
#[test]
fn a_state_stays_while_a_job_waits_for_it_and_until_the_last_list_is_done() {
    let mut town = Town::new();
    // On a later day than the town's own agreements: of those that fit, the newest counts.
    town.restart_on("2026-11-22");
    agree_until(&town, "2029-03-31");
    let first = town.linked_list("wave-1", 40);
    let (second, job) = town.queued_job("wave-2", 60);
    let file = in_use(&town);
    supersede(&mut town, "2026-11-30");
    // Long after every term.
    town.restart_on("2028-06-01");
    assert_eq!(kept(&town), Some(Keeps::Job));
    assert_eq!(destroy_due(&town.exchange).expect("a look"), 0);
    town.follow();
    run::run(&town.exchange, &town.indexes, job, &Unwatched).expect("a result");
    assert_eq!(kept(&town), Some(Keeps::List));
    assert_eq!(destroy(&town, file).expect_err("a list is open").reason, Reason::Retained);
    // Nothing is certified as long as it is not known who is protected.
    town.report(2, "宛名番号,支援措置\n").expect("nobody is protected");
    for list in [first, second] {
        town.decide_all(list, "clerk-1");
        let batch = town.pay(list);
        assert_eq!(kept(&town), Some(Keeps::List), "the bank has not answered");
        all_is_paid(&town, batch);
    }
    // Those whom the first list has paid are left out of the second: payable, and with no step to go.
    assert_eq!(kept(&town), None);
    assert_eq!(destroy(&town, file).expect("it is due"), 1);
}

/// What fails without `explained_until` in `weigh`.
#[test]
fn what_was_paid_can_be_explained_as_long_after_its_transfer_as_agreements_say() {
    let mut town = Town::of_rules(|rules| renkei_exchange::programme::Rules {
        transfer_date: "2027-02-10".parse().expect("a day"),
        ..rules
    });
    town.linked_list("wave-1", 40);
    supersede(&mut town, "2026-11-30");
    let until = states(&town)[0].until.map(|day| day.to_string());
    assert_eq!(until.as_deref(), Some("2028-02-10"));
}

/// What fails without `NoTerm` in `weigh`: when it was superseded is not known, so no time is over.
#[test]
fn the_last_state_of_a_withdrawn_register_goes_by_the_word_of_its_provider_alone() {
    let mut town = Town::new();
    let (permit, dataset) = (permit(&town), town.register);
    let command = WithdrawDataset { permit, dataset, destroy: false, dry_run: false };
    command.withdraw(&town.exchange, Call::read(caller("residents-operator"))).expect("withdrawn");
    town.restart_on("2036-01-01");
    assert_eq!(kept(&town), Some(Keeps::NoTerm));
    assert_eq!(destroy_due(&town.exchange).expect("a look"), 0);
    let file = states(&town)[0].file;
    assert_eq!(destroy(&town, file).expect_err("no term").reason, Reason::Retained);
    can_be_read(&town, file).expect("it is there");
}
