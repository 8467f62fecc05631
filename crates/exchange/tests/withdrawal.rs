//! Withdrawing a register ends every use of it, also what is under way; destroying its keys ends it for good.

mod town;

use renkei_exchange::command::Call;
use renkei_exchange::directory::AddParty;
use renkei_exchange::index::Indexes;
use renkei_exchange::permit::{AskIdentity, Operate};
use renkei_exchange::run;
use renkei_exchange::withdraw::WithdrawDataset;
use renkei_exchange::{Caller, Refusal, Role};
use renkei_linkage::{Stage, Watcher};
use renkei_types::{Identity, Reason};
use town::{Town, caller};

/// A second operator of the register's agency.
fn second_operator(town: &Town) -> Caller {
    let identity = "spiffe://renkei.example/131016/residents/person/r-2";
    let identity: Identity = identity.parse().expect("an identity");
    if town.exchange.state().parties.get(&identity).is_none() {
        let (permit, roles) = (town.permit::<Operate>("operator-1"), [Role::Operator].into());
        let add = AddParty { permit, identity: identity.clone(), roles };
        town.exchange.execute_now(Call::read(caller("operator-1")), add).expect("a party");
    }
    Caller { identity, ..caller("residents-operator") }
}

fn ask(town: &Town, who: &Caller, destroy: bool, dry_run: bool) -> Result<usize, Refusal> {
    let state = town.exchange.state();
    let owner = state.datasets.get(&town.register).map(|dataset| dataset.provider.clone());
    let permit = state.permit_own::<Operate>(who, owner.as_ref())?;
    let command = WithdrawDataset { permit, dataset: town.register, destroy, dry_run };
    let done = command.withdraw(&town.exchange, Call::read(who.clone()))?;
    Ok(done.reply.keys.len())
}

fn try_withdraw(town: &Town, who: &Caller, destroy: bool) -> Result<usize, Refusal> {
    ask(town, who, destroy, false)
}

/// One withdraws, and another destroys where that is wanted; answers how many keys are gone.
fn withdraw(town: &Town, destroy: bool) -> usize {
    try_withdraw(town, &caller("residents-operator"), false).expect("a withdrawal");
    if !destroy {
        return 0;
    }
    let second = second_operator(town);
    try_withdraw(town, &second, true).expect("a destruction")
}

/// How many frames are durable. Callers are answered before that is told, so it is asked behind one more turn of the ledger.
fn frames(town: &Town) -> u64 {
    town.exchange.ask_now(|_| Ok(())).expect("an answer");
    *town.exchange.durable().borrow()
}

#[test]
fn a_dry_run_is_refused_as_the_real_one_would_be_and_changes_nothing() {
    let town = Town::new();
    let (first, second) = (caller("residents-operator"), second_operator(&town));
    let of_another_agency = caller("certifier-2");
    let dry = |who: &Caller, destroy| ask(&town, who, destroy, true).map_err(|no| no.reason);
    let frames = frames(&town);
    assert_eq!(dry(&of_another_agency, false), Err(Reason::NoAgreement));
    assert_eq!(dry(&first, true), Err(Reason::WrongState));
    assert_eq!(dry(&first, false), Ok(0));
    assert_eq!(self::frames(&town), frames);
    try_withdraw(&town, &first, false).expect("withdrawn");
    assert_eq!(dry(&first, true), Err(Reason::SamePerson));
    let keys = dry(&second, true).expect("what would be destroyed");
    assert!(keys > 0);
    assert_eq!(try_withdraw(&town, &second, true).expect("destroyed"), keys);
}

/// Held by `SamePerson` and `WrongState` in `WithdrawDataset::decide`.
#[test]
fn destroying_takes_another_person_than_withdrawing_and_comes_after_it() {
    let town = Town::new();
    let (first, second) = (caller("residents-operator"), second_operator(&town));
    let refused =
        |who: &Caller, destroy| try_withdraw(&town, who, destroy).expect_err("a refusal").reason;
    assert_eq!(refused(&first, true), Reason::WrongState);
    try_withdraw(&town, &first, false).expect("withdrawn");
    assert_eq!(refused(&second, false), Reason::Withdrawn);
    assert_eq!(refused(&first, true), Reason::SamePerson);
    assert!(try_withdraw(&town, &second, true).expect("destroyed") > 0);
}

/// Withdraws as soon as the engine compares.
struct WithdrawsMeanwhile<'a>(&'a Town);

impl Watcher for WithdrawsMeanwhile<'_> {
    fn stage(&self, stage: Stage, _: usize) {
        if stage == Stage::Compare {
            withdraw(self.0, false);
        }
    }

    fn done(&self, _: usize) {}

    fn stopped(&self) -> bool {
        false
    }
}

/// What fails without `check_provided` in `FinishJob::decide`.
#[test]
fn a_provider_that_withdraws_during_a_job_leaves_no_result() {
    let town = Town::new();
    let (list, job) = town.queued_job("wave-1", 60);
    let refused = run::run(&town.exchange, &town.indexes, job, &WithdrawsMeanwhile(&town));
    assert_eq!(refused.expect_err("the register is gone").reason, Reason::Withdrawn);
    let state = town.exchange.state();
    assert!(state.lists.get(&list).expect("the list").linked.is_none());
    assert!(state.queued_jobs().is_empty(), "nobody tries again");
}

/// What fails without `check_provided` in `permit_dataset` and in `Permit::check`.
#[test]
fn a_withdrawn_register_is_asked_nothing_and_leaves_the_memory() {
    let town = Town::new();
    let permit = town.permit_dataset::<AskIdentity>("payments-consumer", town.register);
    let snapshot = town.exchange.state().snapshot_in_use(town.register).expect("a register");
    withdraw(&town, false);
    town.follow();
    assert_eq!(town.indexes.get(snapshot).expect_err("gone").reason, Reason::IndexLoading);
    let (state, today) = (town.exchange.state(), town.exchange.clock().today());
    let who = caller("payments-consumer");
    let again = state.permit_dataset::<AskIdentity>(&who, Some(town.register), None, today);
    assert_eq!(again.expect_err("withdrawn").reason, Reason::Withdrawn);
    let asked = renkei_exchange::identify::Asked {
        permit,
        dataset: town.register,
        snapshot,
        model: renkei_types::Digest::of(b"model"),
        candidates: town.answered(["1"]),
    };
    let refused = town.exchange.execute_now(Call::read(who), asked);
    assert_eq!(refused.expect_err("a permit from before").reason, Reason::Withdrawn);
    assert_eq!(town.apply(1, "x\n").expect_err("no more deltas").reason, Reason::Withdrawn);
}

/// What fails without the loop over `keys` in `WithdrawDataset::withdraw`.
#[test]
fn destroyed_keys_make_files_and_deltas_unreadable_and_the_state_says_the_same() {
    let mut town = Town::new();
    let header = town.residents().lines().next().expect("a header").to_owned();
    town.apply(1, &format!("operation,{header}\n")).expect("an empty delta");
    let snapshot = town.exchange.state().snapshot_in_use(town.register).expect("a register");
    // Of the file, the delta, and the report of protected persons.
    assert_eq!(withdraw(&town, true), 3);
    let read = |town: &Town| {
        let state = town.exchange.state();
        let rows = state.register_rows(snapshot).expect("what the state says");
        rows.find(town.exchange.vault(), |_| true).expect_err("no key").reason
    };
    assert_eq!(read(&town), Reason::DataDestroyed);
    town.restart();
    town.indexes = Indexes::default();
    town.follow();
    assert_eq!(read(&town), Reason::DataDestroyed);
    assert!(town.exchange.state().datasets.get(&town.register).expect("it").withdrawn);
}

/// Copies a folder with all that is in it.
fn copy(from: &std::path::Path, to: &std::path::Path) {
    fs_err::create_dir_all(to).expect("a folder");
    for entry in fs_err::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs_err::copy(entry.path(), &target).expect("copied");
        }
    }
}

/// What fails without `Vault::sweep` in `Exchange::open`: a folder from before the destruction has no tombstones.
#[test]
fn a_key_folder_from_before_a_destruction_brings_nothing_back() {
    let mut town = Town::new();
    let snapshot = town.exchange.state().snapshot_in_use(town.register).expect("a register");
    let backup = tempfile::tempdir().expect("a folder");
    copy(&town.keys(), backup.path());
    let keys = |folder: &std::path::Path| {
        let entries = fs_err::read_dir(folder.join("data")).expect("a folder");
        entries
            .filter(|entry| {
                let path = entry.as_ref().expect("an entry").path();
                path.extension().is_some_and(|ending| ending == "key")
            })
            .count()
    };
    let before = keys(backup.path());
    let destroyed = withdraw(&town, true);
    assert_eq!(keys(&town.keys()), before - destroyed);

    town.close();
    fs_err::remove_dir_all(town.keys()).expect("removed");
    copy(backup.path(), &town.keys());
    assert_eq!(keys(&town.keys()), before, "the backup has them all");
    town.reopen();
    assert_eq!(keys(&town.keys()), before - destroyed, "opening destroys them again");
    let state = town.exchange.state();
    let rows = state.register_rows(snapshot).expect("what the state says");
    let refused = rows.find(town.exchange.vault(), |_| true).expect_err("no key");
    assert_eq!(refused.reason, Reason::DataDestroyed);
}
