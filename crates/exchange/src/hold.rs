//! Holds: stopping releases at once, and lifting the stop with a second person.

use renkei_tlog::leaf::Operation;
use renkei_types::{BatchId, Identity, ListId, ProgrammeId, Reason};

use crate::batch::{Batch, BatchState};
use crate::command::{Command, Decision, Desk};
use crate::mark::Mark;
use crate::permit::{Permit, StopReleases};
use crate::refusal::Refusal;
use crate::state::State;

/// Appends every certified batch of a programme to its feed, unless the programme or the list is on hold. Answers which.
pub(crate) fn release_what_may_go(state: &mut State, programme: ProgrammeId) -> Vec<BatchId> {
    let Some(known) = state.programmes.get_shared(&programme) else { return Vec::new() };
    if known.hold.is_some() {
        return Vec::new();
    }
    let mut released = Vec::new();
    for list in &known.lists {
        let Some(list) = state.lists.get_shared(list).filter(|list| list.hold.is_none()) else {
            continue;
        };
        for &batch in &list.batches {
            let certified =
                state.batches.get(&batch).is_some_and(|batch| batch.state == BatchState::Certified);
            if !certified {
                continue;
            }
            let number = known.feed_length + released.len() as u64 + 1;
            state.feed.put((programme, number), batch);
            state.batches.change(&batch, |batch| {
                batch.state = BatchState::Released;
                batch.feed_number = Some(number);
            });
            released.push(batch);
        }
    }
    if !released.is_empty() {
        state.programmes.change(&programme, |known| known.feed_length += released.len() as u64);
    }
    released
}

/// A hold also stops what is released but not handed out yet: whoever places one wants nothing more to leave.
pub(crate) fn check(state: &State, batch: &Batch) -> Result<(), Refusal> {
    let programme = state.programmes.get(&batch.programme).and_then(|known| known.hold.as_ref());
    let list = state.lists.get(&batch.list).and_then(|known| known.hold.as_ref());
    if programme.or(list).is_some() { Err(Reason::OnHold.into()) } else { Ok(()) }
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
        if held_by(desk.state, self.programme, self.list)?.is_some() {
            return Err(Reason::WrongState.into());
        }
        let caller = self.permit.caller().identity.clone();
        set(desk.state, self.programme, self.list, Some(caller));
        Ok(Decision::new((), mark(Operation::AdminAction, self.programme, self.list)))
    }
}

/// Lifts a hold, and releases what was certified meanwhile.
#[derive(Debug)]
pub struct ReleaseHold {
    /// That the caller may.
    pub permit: Permit<StopReleases>,
    /// The programme.
    pub programme: ProgrammeId,
    /// One list of it.
    pub list: Option<ListId>,
}

impl Command for ReleaseHold {
    type Reply = Vec<BatchId>;
    const METHOD: &'static str = "ReleaseHold";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<Vec<BatchId>>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        let holder = held_by(desk.state, self.programme, self.list)?.ok_or(Reason::WrongState)?;
        if holder == self.permit.caller().identity {
            return Err(Reason::SamePerson.into());
        }
        set(desk.state, self.programme, self.list, None);
        let released = release_what_may_go(desk.state, self.programme);
        let operation =
            if released.is_empty() { Operation::AdminAction } else { Operation::Release };
        Ok(Decision::new(released, mark(operation, self.programme, self.list)))
    }
}

fn held_by(
    state: &State,
    programme: ProgrammeId,
    list: Option<ListId>,
) -> Result<Option<Identity>, Refusal> {
    let known = state.programmes.get(&programme).ok_or(Reason::NoAgreement)?;
    match list {
        None => Ok(known.hold.clone()),
        Some(list) => {
            let list = state.lists.get(&list).filter(|list| list.programme == programme);
            Ok(list.ok_or(Reason::NoAgreement)?.hold.clone())
        }
    }
}

fn set(state: &mut State, programme: ProgrammeId, list: Option<ListId>, holder: Option<Identity>) {
    match list {
        None => state.programmes.change(&programme, |programme| programme.hold = holder),
        Some(list) => state.lists.change(&list, |list| list.hold = holder),
    }
}

fn mark(operation: Operation, programme: ProgrammeId, list: Option<ListId>) -> Mark {
    let mark = Mark::ok(operation);
    match list {
        None => mark.about(programme),
        Some(list) => mark.about(list),
    }
}
