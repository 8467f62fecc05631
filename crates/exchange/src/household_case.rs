//! Household cases: lines that the broker holds back because somebody in or near the household is protected, and how two
//! people clear them.
//!
//! Protectors (支援措置担当) alone are told which lines these are and why; they clear a line after they have seen to it that
//! the money goes where it should: one signs, another clears. What they have cleared is what they saw: with another account,
//! address or protected member the line is held back again. The state knows keyed digests, never who or why.

use std::collections::{BTreeSet, HashMap};

use renkei_journal::DataKey;
use renkei_tlog::leaf::Operation;
use renkei_types::{BatchId, Digest, Identity, ListId, ProgrammeId, Reason};
use serde::{Deserialize, Serialize};

use crate::batch::{PAYMENT_FIELDS, is_proposal};
use crate::command::{Call, Command, Decision, Desk, Done};
use crate::division::Divisions;
use crate::households::{HouseholdFinding, Paid, Registers, Surroundings};
use crate::index::Indexes;
use crate::ledger::Exchange;
use crate::mark::Mark;
use crate::payee::{PayeeRule, Resident, Residents};
use crate::permit::{Permit, SeeProtected};
use crate::programme::{PayeeUnit, Programme};
use crate::programme_homes::ProgrammeHomes;
use crate::protection::Protected;
use crate::refusal::Refusal;
use crate::remainder::Remainders;
use crate::role::closed_list;
use crate::rows::{self, Chunk, Rows};
use crate::state::State;
use crate::unknown_ids::without_zeros;

/// A line that was looked at by one or two protectors.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct HouseholdCase {
    /// Keyed digest of what they saw.
    pub seen: Digest,
    /// The first of them.
    pub first: Identity,
    /// The second: the line is cleared.
    pub second: Option<Identity>,
}

closed_list! {
    /// How far a case is.
    CaseState {
        /// Nobody has signed.
        Open = "OPEN",
        /// One person has.
        Signed = "SIGNED",
        /// Two have: the line may be paid.
        Cleared = "CLEARED",
    }
}

/// A line that must be looked at.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HouseholdLine {
    /// Row in the list.
    pub row: u32,
    /// Id of the line.
    pub line: String,
    /// Why.
    pub findings: BTreeSet<HouseholdFinding>,
    /// How far it is.
    pub state: CaseState,
    /// The batch that has it already: it was certified before somebody became protected.
    pub batch: Option<BatchId>,
}

/// What is needed to look at the lines of a list.
pub(crate) struct Watch {
    surroundings: Surroundings,
    unit: PayeeUnit,
    programme: ProgrammeId,
    key: DataKey,
    /// Keyed digest of everybody who was protected then.
    pub(crate) protected: Digest,
}

/// The columns of a list that are looked at.
pub(crate) struct WatchedColumns {
    account: [Option<usize>; PAYMENT_FIELDS.len()],
    holder: Option<usize>,
    address: Option<usize>,
    building: Option<usize>,
}

impl WatchedColumns {
    /// Those of these rows.
    pub(crate) fn of(rows: &Rows) -> Self {
        let mut account = [None; PAYMENT_FIELDS.len()];
        for (column, name) in account.iter_mut().zip(PAYMENT_FIELDS) {
            *column = rows.column(name);
        }
        let [holder, address, building] =
            ["account_holder_kana", "address", "building"].map(|name| rows.column(name));
        Self { account, holder, address, building }
    }

    /// A line of a chunk as a payment to somebody.
    pub(crate) fn paid<'a>(
        &self,
        chunk: &'a Chunk,
        at: usize,
        resident: &'a Resident,
        (payee, yen): (&'a str, u64),
    ) -> Paid<'a> {
        let cell = |column: Option<usize>| column.map_or("", |column| chunk.cell(column, at));
        Paid {
            person: &resident.person,
            household: &resident.household,
            payee,
            yen,
            kana: &resident.kana,
            holder: cell(self.holder),
            address: cell(self.address),
            building: cell(self.building),
        }
    }

    /// What the line says of the account: one cell for each of [`PAYMENT_FIELDS`].
    pub(crate) fn account(&self, chunk: &Chunk, at: usize) -> Vec<String> {
        let cell = |column: &Option<usize>| column.map_or("", |column| chunk.cell(column, at));
        self.account.iter().map(|column| cell(column).to_owned()).collect()
    }
}

/// Who of the register behind a list is protected, for a decision that needs to know: not known or not known lately enough is
/// a refusal.
pub(crate) fn protected(
    exchange: &Exchange,
    indexes: &Indexes,
    state: &State,
    list: ListId,
) -> Result<Protected, Refusal> {
    let (_, linked) = state.linked_list(list)?;
    let dataset = state.snapshots.get(&linked.snapshot).ok_or(Reason::DataDestroyed)?.dataset;
    // A register that is being loaded is not one of which nothing is known.
    indexes.get(state.snapshot_in_use(dataset)?)?;
    let now = exchange.clock().now();
    let protected = indexes.protected(state, exchange.vault(), dataset, now);
    if protected.is_stale { Err(Reason::ProtectionStale.into()) } else { Ok(protected) }
}

/// What some households were paid by certified batches of a programme, in yen.
fn paid_to(
    exchange: &Exchange,
    programme: ProgrammeId,
    households: Vec<String>,
) -> Result<HashMap<String, u64>, Refusal> {
    if households.is_empty() {
        return Ok(HashMap::new());
    }
    exchange.ask_now(move |desk| {
        let payees = desk.payees(programme)?;
        let mut paid = HashMap::new();
        for household in &households {
            let Some((list, row)) = payees.line(household) else { continue };
            let book = desk.book(list)?;
            // A proposal may still be drawn up anew.
            let batch = book.batch_of(row).filter(|batch| !is_proposal(desk.state, *batch));
            if let Some(line) = book.line(row).filter(|_| batch.is_some()) {
                paid.insert(household.clone(), line.yen);
            }
        }
        Ok(paid)
    })
}

impl Watch {
    /// Reads what is known around the protected persons of the register behind a list. Blocks: for threads that may wait.
    pub(crate) fn over(
        exchange: &Exchange,
        indexes: &Indexes,
        state: &State,
        homes: &ProgrammeHomes,
        list: ListId,
    ) -> Result<Self, Refusal> {
        let vault = exchange.vault();
        let protected = protected(exchange, indexes, state, list)?;
        let (known, linked) = state.linked_list(list)?;
        let programme = state.programmes.get(&known.programme).ok_or(Reason::NoAgreement)?;
        let dataset = state.snapshots.get(&linked.snapshot).ok_or(Reason::DataDestroyed)?.dataset;
        let in_use = state.snapshot_in_use(dataset)?;
        let indexed = indexes.get(in_use)?;
        let registers = Registers {
            linked: linked.snapshot,
            in_use,
            index: &indexed.index,
            base_date: programme.rules.base_date,
            homes: homes.now(list),
        };
        let divisions = Divisions::of(vault, programme)?;
        let register = state.register_rows(linked.snapshot)?;
        let then = homes_of_separate(homes, &divisions);
        let remainders = Remainders::read(vault, &register, &programme.rules, &divisions, &then)?;
        let paid = paid_to(exchange, known.programme, remainders.households())?;
        let remainders = remainders.with_paid(paid);
        let surroundings =
            Surroundings::read(vault, state, &protected, &registers, divisions, remainders)?;
        let key = vault.key(programme.key)?;
        let protected = protected.digest(&key);
        let (unit, programme) = (programme.rules.unit, known.programme);
        Ok(Self { surroundings, unit, programme, key, protected })
    }

    /// What about a payment must be looked at, and what exactly that is; nothing where nothing must. `account` is what the
    /// line says of it.
    fn look(
        &self,
        paid: &Paid<'_>,
        account: &[String],
    ) -> Option<(BTreeSet<HouseholdFinding>, Seen)> {
        let findings = self.surroundings.look(self.unit, paid);
        if findings.is_empty() {
            return None;
        }
        let case = self.key.keyed_digest("renkei household case", paid.person.as_bytes());
        let mut seen = self.key.keyed_digest_of_parts("renkei household case seen");
        let yen = paid.yen.to_string();
        let codes = findings.iter().map(|finding| finding.as_str());
        let concerned = self.surroundings.concerned(paid);
        let line = account.iter().map(String::as_str);
        let places = [paid.household, paid.payee, &yen, paid.address, paid.building].into_iter();
        for part in codes.chain(concerned).chain(line).chain(places) {
            seen.update(&(part.len() as u64).to_be_bytes());
            seen.update(part.as_bytes());
        }
        Some((findings, Seen { case, what: seen.finish() }))
    }

    /// Whether a payment is held back: something about it must be looked at, and two people have not done so yet.
    pub(crate) fn holds(&self, state: &State, paid: &Paid<'_>, account: &[String]) -> bool {
        let found = self.look(paid, account);
        found.is_some_and(|(_, seen)| self.state_of(state, seen) != CaseState::Cleared)
    }

    fn state_of(&self, state: &State, seen: Seen) -> CaseState {
        match state.household_cases.get(&(self.programme, seen.case)) {
            Some(case) if case.seen != seen.what => CaseState::Open,
            Some(HouseholdCase { second: Some(_), .. }) => CaseState::Cleared,
            Some(_) => CaseState::Signed,
            None => CaseState::Open,
        }
    }
}

/// Who has a household of their own, and in which they lived on the base date by some state of the register: whoever was paid was paid
/// by what that said then.
fn homes_of_separate(homes: &ProgrammeHomes, divisions: &Divisions) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    if divisions.separates_nobody() {
        return found;
    }
    for register in homes.registers() {
        let homes = &register.homes;
        let is_separate = |person: &u32| divisions.is_separate(homes.person_id(*person));
        for person in homes.persons().filter(is_separate) {
            let households = register.states().filter_map(|state| state.on_base_date(person));
            for household in households.filter(|household| *household > 0) {
                let ids = [homes.person_id(person), homes.household_id(household)];
                found.insert(ids.map(|id| without_zeros(id).to_owned()).into());
            }
        }
    }
    found
}

/// A case, and what there was to see.
#[derive(Clone, Copy, Debug)]
struct Seen {
    case: Digest,
    what: Digest,
}

/// The lines of a list that are held back, or would be if they were not certified already, for a protector. Blocks: for threads
/// that may wait.
pub fn look(
    exchange: &Exchange,
    indexes: &Indexes,
    permit: Permit<SeeProtected>,
    list: ListId,
) -> Result<Done<Vec<HouseholdLine>>, Refusal> {
    let (vault, state) = (exchange.vault(), exchange.state());
    let (programme, homes) = homes_of(exchange, &state, list)?;
    let watch = Watch::over(exchange, indexes, &state, &homes, list)?;
    let book = exchange.ask_now(move |desk| desk.book(list))?;
    let residents = Residents::read(vault, &state, &book, list)?;
    let rule = PayeeRule::read(vault, programme, &homes, list)?;
    let (_, sealed) = state.sealed_list(list)?;
    let columns = WatchedColumns::of(&sealed.rows);
    let id = sealed.rows.column("benefit_id");
    let reader = sealed.rows.open(vault)?;
    let mut lines = Vec::new();
    for number in 0..sealed.rows.chunks() {
        let chunk = rows::chunk(&reader, number)?;
        for at in 0..chunk.rows() {
            let row = number * rows::CHUNK_ROWS as u32 + at as u32;
            let line = book.line(row).ok_or(Reason::Internal)?;
            if !line.is_payable() || book.is_replaced(row) {
                continue;
            }
            let resident = line.register_row.and_then(|row| residents.get(row));
            let resident = resident.ok_or(Reason::Internal)?;
            let paid = columns.paid(&chunk, at, resident, (rule.payee(resident), line.yen));
            if let Some((findings, seen)) = watch.look(&paid, &columns.account(&chunk, at)) {
                let line = id.map_or("", |column| chunk.cell(column, at)).to_owned();
                let (case, batch) = (watch.state_of(&state, seen), book.batch_of(row));
                lines.push(HouseholdLine { row, line, findings, state: case, batch });
            }
        }
    }
    let call = Call::read(permit.caller().clone());
    let done = exchange.execute_now(call, LookAtHouseholds { permit, list })?;
    Ok(Done { reply: lines, receipt: done.receipt })
}

/// The programme of a list, and its homes.
fn homes_of<'a>(
    exchange: &Exchange,
    state: &'a State,
    list: ListId,
) -> Result<(&'a Programme, ProgrammeHomes), Refusal> {
    let id = state.linked_list(list)?.0.programme;
    let programme = state.programmes.get(&id).ok_or(Reason::NoAgreement)?;
    let today = exchange.clock().today();
    Ok((programme, ProgrammeHomes::for_lines(exchange.vault(), state, today, id)?))
}

/// Notes that the lines are handed out. How many they are is nobody's business who reads the log.
struct LookAtHouseholds {
    permit: Permit<SeeProtected>,
    list: ListId,
}

impl Command for LookAtHouseholds {
    type Reply = ();
    const METHOD: &'static str = "CheckHouseholds";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        let mark = Mark::ok(Operation::Export).about(self.list).under(&self.permit);
        Ok(Decision::new((), mark))
    }
}

/// What became of a protector's signature.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Cleared {
    /// Whether the line is cleared; otherwise another protector must clear it too.
    pub cleared: bool,
}

/// Clears a line, by its id: the first of two protectors signs, the second clears. Blocks: for threads that may wait.
pub fn clear(
    exchange: &Exchange,
    indexes: &Indexes,
    call: Call,
    permit: Permit<SeeProtected>,
    list: ListId,
    line: &str,
) -> Result<Done<Cleared>, Refusal> {
    // A repeated request is answered as before, though there may be nothing left to clear.
    let seen = see(exchange, indexes, list, line);
    exchange.execute_now(call, ClearHousehold { permit, list, seen })
}

/// What there is to see about a line.
fn see(exchange: &Exchange, indexes: &Indexes, list: ListId, line: &str) -> Result<Seen, Refusal> {
    let (vault, state) = (exchange.vault(), exchange.state());
    let (programme, homes) = homes_of(exchange, &state, list)?;
    let watch = Watch::over(exchange, indexes, &state, &homes, list)?;
    let (_, linked) = state.linked_list(list)?;
    let (_, sealed) = state.sealed_list(list)?;
    let unknown = || Refusal::new(Reason::UnknownLine).in_field("line_id");
    let row = rows::find(vault, &sealed.rows, line)?.ok_or_else(unknown)?;
    let book = exchange.ask_now(move |desk| desk.book(list))?;
    let known = book.line(row).filter(|line| line.is_payable() && !book.is_replaced(row));
    let line = known.ok_or(Reason::WrongState)?;
    let resident = line.register_row.ok_or(Reason::Internal)?;
    let resident = Resident::read(vault, &state.register_rows(linked.snapshot)?, resident)?;
    let rule = PayeeRule::read(vault, programme, &homes, list)?;
    let (number, at) = rows::place(u64::from(row));
    let chunk = rows::chunk(&sealed.rows.open(vault)?, number)?;
    let columns = WatchedColumns::of(&sealed.rows);
    let paid = columns.paid(&chunk, at, &resident, (rule.payee(&resident), line.yen));
    let found = watch.look(&paid, &columns.account(&chunk, at));
    Ok(found.map(|(_, seen)| seen).ok_or(Reason::WrongState)?)
}

struct ClearHousehold {
    permit: Permit<SeeProtected>,
    list: ListId,
    seen: Result<Seen, Refusal>,
}

impl Command for ClearHousehold {
    type Reply = Cleared;
    const METHOD: &'static str = "ClearHousehold";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<Cleared>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        let Seen { case, what } = self.seen?;
        let programme = desk.state.lists.get(&self.list).ok_or(Reason::NoAgreement)?.programme;
        let key = (programme, case);
        let caller = self.permit.caller().identity.clone();
        let known = desk.state.household_cases.get(&key).filter(|known| known.seen == what);
        let cleared = match known {
            None => {
                let case = HouseholdCase { seen: what, first: caller, second: None };
                desk.state.household_cases.put(key, case);
                false
            }
            Some(known) if known.second.is_some() => return Err(Reason::WrongState.into()),
            Some(known) if known.first == caller => return Err(Reason::SamePerson.into()),
            Some(_) => {
                desk.state.household_cases.change(&key, |case| case.second = Some(caller));
                true
            }
        };
        let mark = Mark::ok(Operation::AdminAction).about(programme).under(&self.permit);
        Ok(Decision::new(Cleared { cleared }, mark))
    }
}
