//! Holds: stopping releases at once, and lifting the stop with two people.
//!
//! Anybody who may stop does so alone, because stopping costs hours and paying wrongly costs months. Lifting takes two
//! different people, whoever placed the hold: the first signs, the second lifts; who stops again in between, voids the
//! first signature. A hold is on a programme, on one list, or on one payee.
//!
//! The broker places holds on lists itself, when they are sealed and something about them is unusual (`unusual` below). A list
//! on hold is linked, reviewed and certified as any other; nothing of it is released.
//!
//! A payee on hold is left out of batches that are drawn up. What is signed cannot be taken apart, so a batch that has the
//! payee already waits as a whole. The state knows a keyed digest of the payee's id, never the id.

use std::collections::{BTreeSet, HashSet};

use renkei_japanese::text::fold;
use renkei_journal::KeyedDigest;
use renkei_tlog::leaf::Operation;
use renkei_types::{BatchId, Digest, Identity, ListId, ProgrammeId, Reason};
use serde::{Deserialize, Serialize};

use crate::batch::{Batch, BatchState, payments};
use crate::command::{Call, Command, Decision, Desk, Done, until_undisturbed};
use crate::ledger::Exchange;
use crate::list::Totals;
use crate::mark::Mark;
use crate::permit::{Permit, StopReleases};
use crate::programme::ChangeLimits;
use crate::programme_homes::ProgrammeHomes;
use crate::reach::Reach;
use crate::refusal::Refusal;
use crate::role::closed_list;
use crate::state::State;
use crate::store::Vault;
use crate::unknown_ids::without_zeros;

closed_list! {
    /// Why the broker stops a list by itself.
    Unusual {
        /// More of the earlier list's lines are gone than the programme expects.
        PayeesVanished = "PAYEES_VANISHED",
        /// The sum differs more from the earlier list's than the programme expects.
        TotalMoved = "TOTAL_MOVED",
        /// One line pays as much as all others together, or as a whole earlier list.
        LineIsTotal = "LINE_IS_TOTAL",
        /// More than half of the lines pay into one account.
        OneAccount = "ONE_ACCOUNT",
    }
}

/// A stop.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Stop {
    /// Who placed it; nothing where the broker did.
    pub by: Option<Identity>,
    /// What the broker found unusual.
    pub unusual: BTreeSet<Unusual>,
    /// The first of the two who lift it.
    pub lifted_by: Option<Identity>,
}

impl Stop {
    fn of(by: &Identity) -> Self {
        Self { by: Some(by.clone()), unusual: BTreeSet::new(), lifted_by: None }
    }
}

/// As it is read: journals of earlier builds say who placed a hold, and nothing else.
#[derive(Deserialize)]
#[serde(untagged)]
enum ReadStop {
    Holder(Identity),
    Stop { by: Option<Identity>, unusual: BTreeSet<Unusual>, lifted_by: Option<Identity> },
}

impl<'de> Deserialize<'de> for Stop {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match ReadStop::deserialize(deserializer)? {
            ReadStop::Holder(holder) => Self::of(&holder),
            ReadStop::Stop { by, unusual, lifted_by } => Self { by, unusual, lifted_by },
        })
    }
}

/// A hold on a payee.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct PayeeHold {
    /// The stop.
    pub stop: Stop,
    /// Batches that have the payee: they wait as a whole.
    pub batches: BTreeSet<BatchId>,
}

/// What is stopped.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Target {
    /// All releases of the programme.
    Programme,
    /// Those of one list.
    List(ListId),
    /// Those to one payee, by [`payee_digest`].
    Payee(Digest),
}

/// What digests of ids on hold are for.
const PAYEE_ON_HOLD: &str = "renkei payee on hold";

/// The digests of a programme's payees on hold, and what an id becomes one by.
pub(crate) struct HeldPayees {
    /// Nothing is in it yet: every id of a register goes through it, and its key is derived once.
    empty: KeyedDigest,
    held: HashSet<Digest>,
}

impl HeldPayees {
    /// Those of a programme.
    pub(crate) fn of(
        vault: &Vault,
        state: &State,
        programme: ProgrammeId,
    ) -> Result<Self, Refusal> {
        let known = state.programmes.get(&programme).ok_or(Reason::NoAgreement)?;
        let held = state.held_payees(programme).map(|(payee, _)| payee).collect();
        Ok(Self { empty: vault.key(known.key)?.keyed_digest_of_parts(PAYEE_ON_HOLD), held })
    }

    /// Whether nobody is on hold.
    pub(crate) fn is_nobody(&self) -> bool {
        self.held.is_empty()
    }

    /// How many stops there are, and how many of them some ids of the register stand under.
    pub(crate) fn count<'a>(&self, met: impl IntoIterator<Item = &'a str>) -> (u64, u64) {
        let met: HashSet<Digest> = met.into_iter().map(|id| self.digest(id)).collect();
        (self.held.len() as u64, met.intersection(&self.held).count() as u64)
    }

    /// Whether an id of the register, a person's or a household's, was named.
    pub(crate) fn has(&self, id: &str) -> bool {
        !self.held.is_empty() && self.held.contains(&self.digest(id))
    }

    /// The digest under which an id is on hold, or would be. Width and leading zeros make no difference; holds of earlier builds were
    /// placed with them, and stand.
    fn digest(&self, id: &str) -> Digest {
        let digest = |id: &str| {
            let mut digest = self.empty.clone();
            digest.update(id.as_bytes());
            digest.finish()
        };
        let id = fold(id.trim());
        let (id, bare) = (&*id, without_zeros(&id));
        let as_written = (bare != id).then(|| digest(id));
        as_written.filter(|digest| self.held.contains(digest)).unwrap_or_else(|| digest(bare))
    }
}

/// What a payee on hold is known by: a keyed digest of the id.
pub fn payee_digest(
    vault: &Vault,
    state: &State,
    programme: ProgrammeId,
    id: &str,
) -> Result<Digest, Refusal> {
    Ok(HeldPayees::of(vault, state, programme)?.digest(id))
}

const FIRST: Digest = Digest::from_bytes([0; 32]);
const LAST: Digest = Digest::from_bytes([0xff; 32]);

impl State {
    /// The holds on payees of a programme, each under the digest of the id that was named.
    pub fn held_payees(
        &self,
        programme: ProgrammeId,
    ) -> impl Iterator<Item = (Digest, &PayeeHold)> {
        let held = self.payee_holds.range((programme, FIRST), (programme, LAST));
        held.map(|((_, payee), hold)| (*payee, hold))
    }
}

/// What about a list is unusual.
pub(crate) fn unusual(
    state: &State,
    id: ListId,
    limits: ChangeLimits,
    amounts: &Amounts,
) -> BTreeSet<Unusual> {
    let mut found = BTreeSet::new();
    let Ok((list, sealed)) = state.sealed_list(id) else { return found };
    let programme = state.programmes.get(&list.programme);
    let lists = programme.map(|known| known.lists.as_slice()).unwrap_or_default();
    let others = lists.iter().filter(|other| **other != id);
    let whole_list = others
        .filter_map(|other| state.sealed_list(*other).ok())
        .map(|(_, sealed)| sealed.declared)
        .any(|declared| declared.lines > 1 && declared.yen == amounts.greatest);
    let Totals { lines, yen } = sealed.declared;
    let rest = (lines > 2 && amounts.greatest == yen - amounts.greatest)
        || (lines > 1 && amounts.greatest == yen);
    if amounts.greatest > 0 && (rest || whole_list) {
        found.insert(Unusual::LineIsTotal);
    }
    if lines >= ONE_ACCOUNT_LINES_MIN && amounts.into_one_account > lines / 2 {
        found.insert(Unusual::OneAccount);
    }
    let earlier = list.supersedes.filter(|supersedes| supersedes.whole);
    if let Some((earlier, differences)) = earlier.zip(list.differences)
        && let Ok((_, earlier)) = state.sealed_list(earlier.list)
    {
        let before = earlier.declared;
        if share_above(differences.removed, before.lines, limits.vanished_percent) {
            found.insert(Unusual::PayeesVanished);
        }
        if share_above(yen.abs_diff(before.yen), before.yen, limits.total_percent) {
            found.insert(Unusual::TotalMoved);
        }
    }
    found
}

/// Whether a part is more than so many percent of the whole.
fn share_above(part: u64, whole: u64, percent: u32) -> bool {
    u128::from(part) * 100 > u128::from(whole) * u128::from(percent)
}

/// Of how many lines a list must be for one account of them to be unusual: the children of one house share theirs.
const ONE_ACCOUNT_LINES_MIN: u64 = 10;

/// What sealing has seen of a list's amounts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Amounts {
    /// The greatest.
    pub(crate) greatest: u64,
    /// How many lines pay into the account that most of them pay into.
    pub(crate) into_one_account: u64,
}

/// Appends every certified batch of a programme to its feed, unless something about it is on hold. Answers which.
pub(crate) fn release_what_may_go(state: &mut State, programme: ProgrammeId) -> Vec<BatchId> {
    let Some(known) = state.programmes.get_shared(&programme) else { return Vec::new() };
    let mut released = Vec::new();
    for list in &known.lists {
        let Some(list) = state.lists.get_shared(list) else { continue };
        for &id in &list.batches {
            let Some(batch) = state.batches.get(&id) else { continue };
            if batch.state != BatchState::Certified || check(state, id, batch).is_err() {
                continue;
            }
            let number = known.feed_length + released.len() as u64 + 1;
            state.feed.put((programme, number), id);
            state.batches.change(&id, |batch| {
                batch.state = BatchState::Released;
                batch.feed_number = Some(number);
            });
            released.push(id);
        }
    }
    if !released.is_empty() {
        state.programmes.change(&programme, |known| known.feed_length += released.len() as u64);
    }
    released
}

/// A hold also stops what is released but not handed out yet: whoever places one wants nothing more to leave.
pub(crate) fn check(state: &State, id: BatchId, batch: &Batch) -> Result<(), Refusal> {
    let programme = state.programmes.get(&batch.programme).is_some_and(|it| it.hold.is_some());
    let list = state.lists.get(&batch.list).is_some_and(|it| it.hold.is_some());
    let mut payees = state.held_payees(batch.programme);
    let held = programme || list || payees.any(|(_, hold)| hold.batches.contains(&id));
    if held { Err(Reason::OnHold.into()) } else { Ok(()) }
}

/// Stops releases of a programme or of one of its lists.
#[derive(Debug)]
pub struct Hold {
    /// That the caller may.
    pub permit: Permit<StopReleases>,
    /// The programme.
    pub programme: ProgrammeId,
    /// One list of it.
    pub list: Option<ListId>,
}

impl Command for Hold {
    type Reply = ();
    const METHOD: &'static str = "Hold";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        let target = self.list.map_or(Target::Programme, Target::List);
        place(desk.state, self.programme, target, &self.permit)?;
        Ok(Decision::new((), mark(Operation::AdminAction, self.programme, target)))
    }
}

/// Places a hold; a hold that somebody was about to lift stands again.
fn place(
    state: &mut State,
    programme: ProgrammeId,
    target: Target,
    permit: &Permit<StopReleases>,
) -> Result<(), Refusal> {
    let stop = match stop_of(state, programme, target)? {
        None => Stop::of(&permit.caller().identity),
        Some(stop) if stop.lifted_by.is_some() => Stop { lifted_by: None, ..stop },
        Some(_) => return Err(Reason::WrongState.into()),
    };
    set(state, programme, target, Some(stop));
    Ok(())
}

/// Stops payments to one payee, named by an id of the register: a person's, or a household's. Blocks: for threads that may
/// wait.
pub fn hold_payee(
    exchange: &Exchange,
    call: &Call,
    permit: &Permit<StopReleases>,
    programme: ProgrammeId,
    payee: &str,
) -> Result<Done<Held>, Refusal> {
    let payee = fold(payee.trim());
    if payee.is_empty() {
        return Err(Refusal::field("payee"));
    }
    until_undisturbed(|| hold_once(exchange, call.clone(), permit.clone(), programme, &payee))
}

fn hold_once(
    exchange: &Exchange,
    call: Call,
    permit: Permit<StopReleases>,
    programme: ProgrammeId,
    payee: &str,
) -> Result<Done<Held>, Refusal> {
    let state = exchange.state();
    let known = state.programmes.get(&programme).ok_or(Reason::NoAgreement)?;
    let digest = payee_digest(exchange.vault(), &state, programme, payee)?;
    // A stop that stops nobody would be believed.
    let unknown = state.unknown_to_programme(exchange.vault(), programme, [payee])?;
    if unknown.as_ref().is_some_and(|unknown| !unknown.means(payee)) {
        return Err(Refusal::new(Reason::UnknownPerson).in_field("payee"));
    }
    let today = exchange.clock().today();
    let homes = ProgrammeHomes::read(exchange.vault(), &state, today, known)?;
    let reach = Reach::of_stop(exchange.vault(), known, &homes, payee)?;
    let mut batches = BTreeSet::new();
    for (id, batch) in state.batches_of(known) {
        let payments = payments(exchange.vault(), batch)?;
        if payments.iter().any(|payment| reach.has_payment(&payment.payee, &payment.person)) {
            batches.insert(id);
        }
    }
    let seen = known.batches;
    let is_compared = unknown.is_some();
    let command = HoldPayee { permit, programme, payee: digest, batches, seen, is_compared };
    exchange.execute_now(call, command)
}

struct HoldPayee {
    permit: Permit<StopReleases>,
    programme: ProgrammeId,
    payee: Digest,
    batches: BTreeSet<BatchId>,
    /// How many batches and holds the programme had.
    seen: u64,
    is_compared: bool,
}

/// What a hold on a payee came to.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Held {
    /// Batches that have the payee and wait.
    pub batches: u64,
    /// Whether the id was compared with a register; it cannot be as long as no list is linked.
    pub is_compared: bool,
}

impl Command for HoldPayee {
    type Reply = Held;
    const METHOD: &'static str = "HoldPayee";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<Held>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        let known = desk.state.programmes.get(&self.programme).ok_or(Reason::NoAgreement)?;
        if known.batches != self.seen {
            return Err(Reason::VersionOld.into());
        }
        let target = Target::Payee(self.payee);
        place(desk.state, self.programme, target, &self.permit)?;
        desk.state.payee_holds.change(&(self.programme, self.payee), |hold| {
            hold.batches = self.batches.clone();
        });
        // A batch that somebody is drawing up must not have the payee.
        desk.state.programmes.change(&self.programme, |known| known.batches += 1);
        let held = Held { batches: self.batches.len() as u64, is_compared: self.is_compared };
        Ok(Decision::new(held, mark(Operation::AdminAction, self.programme, target)))
    }
}

/// What became of a wish to lift a hold.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Lifted {
    /// Whether it is lifted; otherwise another person must wish it too.
    pub lifted: bool,
    /// What is released now.
    pub released: Vec<BatchId>,
}

/// Lifts a hold, and releases what was certified meanwhile; the first of two people only signs.
#[derive(Debug)]
pub struct ReleaseHold {
    /// That the caller may.
    pub permit: Permit<StopReleases>,
    /// The programme.
    pub programme: ProgrammeId,
    /// What of it.
    pub target: Target,
}

impl Command for ReleaseHold {
    type Reply = Lifted;
    const METHOD: &'static str = "ReleaseHold";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<Lifted>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        let stop = stop_of(desk.state, self.programme, self.target)?.ok_or(Reason::NotOnHold)?;
        let caller = self.permit.caller().identity.clone();
        let action = mark(Operation::AdminAction, self.programme, self.target);
        match &stop.lifted_by {
            None => {
                let stop = Stop { lifted_by: Some(caller), ..stop };
                set(desk.state, self.programme, self.target, Some(stop));
                Ok(Decision::new(Lifted { lifted: false, released: Vec::new() }, action))
            }
            Some(first) if *first == caller => Err(Reason::SamePerson.into()),
            Some(_) => {
                set(desk.state, self.programme, self.target, None);
                let released = release_what_may_go(desk.state, self.programme);
                if !released.is_empty() {
                    desk.witnessed.check_release(desk.now)?;
                }
                let mark = match released.is_empty() {
                    true => action,
                    false => mark(Operation::Release, self.programme, self.target),
                };
                Ok(Decision::new(Lifted { lifted: true, released }, mark))
            }
        }
    }
}

fn stop_of(state: &State, programme: ProgrammeId, target: Target) -> Result<Option<Stop>, Refusal> {
    let known = state.programmes.get(&programme).ok_or(Reason::NoAgreement)?;
    match target {
        Target::Programme => Ok(known.hold.clone()),
        Target::List(list) => {
            let list = state.lists.get(&list).filter(|list| list.programme == programme);
            Ok(list.ok_or(Reason::NoAgreement)?.hold.clone())
        }
        Target::Payee(payee) => {
            Ok(state.payee_holds.get(&(programme, payee)).map(|hold| hold.stop.clone()))
        }
    }
}

fn set(state: &mut State, programme: ProgrammeId, target: Target, stop: Option<Stop>) {
    match target {
        Target::Programme => state.programmes.change(&programme, |programme| programme.hold = stop),
        Target::List(list) => state.lists.change(&list, |list| list.hold = stop),
        Target::Payee(payee) => match stop {
            Some(stop) => {
                let known = state.payee_holds.get(&(programme, payee));
                let batches = known.map(|hold| hold.batches.clone()).unwrap_or_default();
                state.payee_holds.put((programme, payee), PayeeHold { stop, batches });
            }
            None => state.payee_holds.remove(&(programme, payee)),
        },
    }
}

fn mark(operation: Operation, programme: ProgrammeId, target: Target) -> Mark {
    let mark = Mark::ok(operation);
    match target {
        // Which payee is nobody's business who reads the log.
        Target::Programme | Target::Payee(_) => mark.about(programme),
        Target::List(list) => mark.about(list),
    }
}
