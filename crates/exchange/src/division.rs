//! Divisions (世帯の分離・別世帯): persons whom a household programme counts to another household than the register does.
//!
//! A household benefit pays a household once, as it was on the base date. Registers go on: somebody moves out, a household is
//! divided at the same address to be paid twice, a wife who fled applies by herself where she lives now (list L7). So the
//! payee of a line is not simply the household that the register has today:
//!
//! | the person of the line | payee |
//! |---|---|
//! | was named in a division of the programme | the household that it gives |
//! | else lived in another household on the base date, as the register's deltas say | that household: a later division is none |
//! | else | the household that the register has |
//!
//! The number of a household that is still one is the one that the others had on the base date, as the register has it now. Where the
//! register has given all who are left of it others, nobody can say which is meant, and the line waits, as those on hold do, for a
//! division that names one of them (module `together`).
//!
//! | kind | what it is | who names them |
//! |---|---|---|
//! | `STILL_ONE` | divided on or after the base date: still one household (基準日以後の世帯分離) | submitters |
//! | `SEPARATE` | in one household of the register, and a household of their own all the same (別世帯) | submitters |
//! | `DV_SEPARATE` | fled, and applies by herself (DV等避難者の別申請), with those who fled with her | protectors |
//!
//! Whoever is divided away from a household may not be counted in it too: see `COUNTS_DIVIDED` and `PAID_WITH_OLD` in the
//! module `households`. Ids stand sealed under the programme's key.

use std::collections::{HashMap, HashSet};

use renkei_japanese::text::fold;
use renkei_journal::BlobRef;
use renkei_tlog::leaf::Operation;
use renkei_types::{AgencyId, ProgrammeId, Reason};
use serde::{Deserialize, Serialize};

use crate::batch::{BatchState, payments};
use crate::caller::Caller;
use crate::command::{Call, Command, Decision, Desk, Done};
use crate::ledger::Exchange;
use crate::mark::Mark;
use crate::permit::{Permit, SeparateProtected, Submit};
use crate::programme::Programme;
use crate::refusal::Refusal;
use crate::role::closed_list;
use crate::state::State;
use crate::store::{Vault, blob_refusal};
use crate::unknown_ids::without_zeros;

/// Most persons of one call.
pub const PERSONS_MAX: usize = 100_000;
/// Most divisions of a programme.
pub const DIVISIONS_MAX: usize = 32;

closed_list! {
    /// Why a person is counted to another household than the register does.
    DivisionKind {
        /// The household was divided on or after the base date, and is one still.
        StillOne = "STILL_ONE",
        /// A household of their own inside one of the register.
        Separate = "SEPARATE",
        /// Fled from the household, and applies by herself.
        DvSeparate = "DV_SEPARATE",
    }
}

/// Some persons whom a programme counts to other households.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Division {
    /// Their ids and households, sealed. Of which kind they are is sealed with them.
    pub persons: BlobRef,
}

/// One person of a division.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct DividedPerson {
    /// Id in the register.
    pub person: String,
    /// The household that is paid for the person. Empty for a person alone, where the kind makes a household of its own.
    pub household: String,
}

/// What a division came to.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Divided {
    /// How many persons.
    pub persons: u64,
    /// Payments to them that two people have certified already: they stand.
    pub already_certified: u64,
    /// Whether the ids were compared with a register; they cannot be as long as no list is linked.
    #[serde(default)]
    pub is_compared: bool,
}

/// All divisions of a programme, by person: the kind and the household that is paid. What was said last counts. A register that comes
/// without the zeros of its ids means the same persons.
#[derive(Clone, Debug, Default)]
pub(crate) struct Divisions(HashMap<String, (DivisionKind, String)>);

impl Divisions {
    /// Reads those of a programme.
    pub(crate) fn of(vault: &Vault, programme: &Programme) -> Result<Self, Refusal> {
        let mut all = HashMap::new();
        for division in &programme.divisions {
            let reader = vault.open_blob(&division.persons)?;
            for chunk in 0..division.persons.chunks {
                let bytes = reader.chunk(chunk).map_err(|error| Refusal::internal(&error))?;
                let (kind, persons): (DivisionKind, Vec<DividedPerson>) =
                    postcard::from_bytes(&bytes).map_err(|error| Refusal::internal(&error))?;
                all.extend(
                    persons
                        .into_iter()
                        .map(|one| (without_zeros(&one.person).to_owned(), (kind, one.household))),
                );
            }
        }
        Ok(Self(all))
    }

    fn of_person(&self, person: &str) -> Option<&(DivisionKind, String)> {
        self.0.get(without_zeros(person))
    }

    /// The household that is paid for a person, where a division says it.
    pub(crate) fn household(&self, person: &str) -> Option<&str> {
        self.of_person(person).map(|(_, household)| household.as_str())
    }

    /// Who is counted to which household, but for those who fled: whoever may name a household would learn who did. Persons without
    /// zeros in front.
    pub(crate) fn told(&self) -> impl Iterator<Item = (&str, DivisionKind, &str)> {
        let told = self.0.iter().filter(|(_, (kind, _))| *kind != DivisionKind::DvSeparate);
        told.map(|(person, (kind, household))| (person.as_str(), *kind, household.as_str()))
    }

    /// The numbers of households that are still one, without zeros in front. What others are counted to has a name that the register
    /// need not know.
    pub(crate) fn still_one(&self) -> HashSet<&str> {
        let still_one = self.0.values().filter(|(kind, _)| *kind == DivisionKind::StillOne);
        still_one.map(|(_, household)| without_zeros(household)).collect()
    }

    /// The number by which a person is counted to a household that is still one.
    pub(crate) fn still_one_of(&self, person: &str) -> Option<&str> {
        let of_person = self.of_person(person);
        let still_one = of_person.filter(|(kind, _)| *kind == DivisionKind::StillOne);
        still_one.map(|(_, household)| household.as_str())
    }

    /// Whether the person has a household of their own beside the register's.
    pub(crate) fn is_separate(&self, person: &str) -> bool {
        self.of_person(person).is_some_and(|(kind, _)| *kind != DivisionKind::StillOne)
    }

    /// Whether the person fled.
    pub(crate) fn has_fled(&self, person: &str) -> bool {
        self.of_person(person).is_some_and(|(kind, _)| *kind == DivisionKind::DvSeparate)
    }

    /// Whether nobody has a household of their own.
    pub(crate) fn separates_nobody(&self) -> bool {
        self.0.values().all(|(kind, _)| *kind == DivisionKind::StillOne)
    }
}

/// That somebody may name persons of a kind: who fled is for protectors alone.
#[derive(Clone, Debug)]
pub enum DividePermit {
    /// Divisions that are no secret.
    Submitter(Permit<Submit>),
    /// Who fled.
    Protector(Permit<SeparateProtected>),
}

impl DividePermit {
    /// May the caller name persons of this kind for a programme of this agency?
    pub fn of(
        state: &State,
        caller: &Caller,
        owner: Option<&AgencyId>,
        kind: Option<DivisionKind>,
    ) -> Result<Self, Refusal> {
        match kind {
            Some(DivisionKind::DvSeparate) => state.permit_own(caller, owner).map(Self::Protector),
            Some(DivisionKind::StillOne | DivisionKind::Separate) => {
                state.permit_own(caller, owner).map(Self::Submitter)
            }
            // Whether there is such a programme is not told to those who may not know.
            None => state.permit_own::<Submit>(caller, owner).and(Err(Refusal::field("kind"))),
        }
    }

    fn check(&self, desk: &Desk<'_>) -> Result<(), Refusal> {
        match self {
            Self::Submitter(permit) => permit.check(desk.state, desk.today),
            Self::Protector(permit) => permit.check(desk.state, desk.today),
        }
    }

    fn fits(&self, kind: DivisionKind) -> bool {
        matches!(self, Self::Protector(_)) == (kind == DivisionKind::DvSeparate)
    }
}

/// Counts persons to other households than the register does. `lines` are those of the caller's file, by which a person who is
/// refused is named. Blocks: for threads that may wait.
pub fn divide(
    exchange: &Exchange,
    call: Call,
    permit: DividePermit,
    programme: ProgrammeId,
    kind: DivisionKind,
    persons: Vec<DividedPerson>,
    lines: &[u64],
) -> Result<Done<Divided>, Refusal> {
    const CHUNK_PERSONS: usize = 4096;
    if !permit.fits(kind) {
        return Err(Reason::NoAgreement.into());
    }
    let persons = checked(kind, persons, lines)?;
    let (vault, state) = (exchange.vault(), exchange.state());
    let known = state.programmes.get(&programme).ok_or(Reason::NoAgreement)?;
    // A division that names nobody would be believed.
    let ids = persons.iter().flat_map(|one| named(kind, one).map(|(_, id)| id));
    let unknown = state.unknown_to_programme(vault, programme, ids)?;
    let is_compared = unknown.is_some();
    if let Some(unknown) = unknown.filter(|unknown| unknown.count().ids > 0) {
        let lines = numbered(lines)
            .zip(&persons)
            .flat_map(|(line, one)| named(kind, one).map(move |id| (line, id)));
        for (line, (field, id)) in lines {
            if unknown.has(id) {
                return Err(Refusal::new(Reason::UnknownPerson).in_field(field).at_line(line));
            }
        }
    }
    let people: HashSet<&str> = persons.iter().map(|one| one.person.as_str()).collect();
    let mut already_certified = 0;
    for (_, batch) in state.batches_of(known) {
        if batch.state != BatchState::Proposed {
            let payments = payments(vault, batch)?;
            let paid = payments.iter().filter(|payment| people.contains(payment.person.as_str()));
            already_certified += paid.count() as u64;
        }
    }
    let mut sorted = persons;
    sorted.sort_unstable_by(|one, other| one.person.cmp(&other.person));
    let mut writer = vault.blob_writer(&vault.key(known.key)?, known.key)?;
    for chunk in sorted.chunks(CHUNK_PERSONS) {
        let chunk = postcard::to_stdvec(&(kind, chunk));
        let bytes = chunk.map_err(|error| Refusal::internal(&error))?;
        writer.chunk(&bytes).map_err(|error| blob_refusal(&error))?;
    }
    let division = Division { persons: writer.finish().map_err(|error| blob_refusal(&error))? };
    let divided = Divided { persons: sorted.len() as u64, already_certified, is_compared };
    exchange.execute_now(call, Divide { permit, programme, division, divided })
}

/// The line of each person: that of the caller's file, or counted from 1.
fn numbered(lines: &[u64]) -> impl Iterator<Item = u64> {
    let of_file = |at: usize| lines.get(at).copied().filter(|line| *line > 0);
    (0usize..).map(move |at| of_file(at).unwrap_or(at as u64 + 1))
}

/// The persons of a call, each once, in its order.
fn checked(
    kind: DivisionKind,
    persons: Vec<DividedPerson>,
    lines: &[u64],
) -> Result<Vec<DividedPerson>, Refusal> {
    if persons.is_empty() {
        return Err(Refusal::field("persons"));
    }
    if persons.len() > PERSONS_MAX {
        return Err(Refusal::new(Reason::TooLarge).in_field("persons"));
    }
    let mut checked = Vec::with_capacity(persons.len());
    let mut seen = HashSet::with_capacity(persons.len());
    for (line, DividedPerson { person, household }) in numbered(lines).zip(persons) {
        let (person, household) = (fold(person.trim()), fold(household.trim()));
        let (person, household) = (person.as_ref(), household.as_ref());
        let refused = |reason| Err(Refusal::new(reason).in_field("persons").at_line(line));
        if person.is_empty() {
            return refused(Reason::IdMissing);
        }
        let household = match (kind, household) {
            // Only the old household's number says which household is still one.
            (DivisionKind::StillOne, "") => return refused(Reason::FieldInvalid),
            // Whoever stands alone is a household that no register can have.
            (_, "") => format!("person {person}"),
            (_, household) => household.to_owned(),
        };
        if !seen.insert(person.to_owned()) {
            return refused(Reason::IdRepeated);
        }
        checked.push(DividedPerson { person: person.to_owned(), household });
    }
    Ok(checked)
}

/// The ids of a line that the register has to have, each with its field. A household of their own need not be in it.
fn named(kind: DivisionKind, one: &DividedPerson) -> impl Iterator<Item = (&'static str, &str)> {
    let household = ("household", one.household.as_str());
    let household = (kind == DivisionKind::StillOne).then_some(household);
    [("persons", one.person.as_str())].into_iter().chain(household)
}

struct Divide {
    permit: DividePermit,
    programme: ProgrammeId,
    division: Division,
    divided: Divided,
}

impl Command for Divide {
    type Reply = Divided;
    const METHOD: &'static str = "Divide";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<Divided>, Refusal> {
        self.permit.check(desk)?;
        let known = desk.state.programmes.get(&self.programme).ok_or(Reason::NoAgreement)?;
        if known.divisions.len() >= DIVISIONS_MAX {
            return Err(Refusal::new(Reason::TooLarge).in_field("persons"));
        }
        desk.state.programmes.change(&self.programme, |known| {
            known.divisions.push(self.division.clone());
            // A batch that somebody is drawing up must be drawn up with it.
            known.batches += 1;
        });
        // How many they are could tell that somebody fled.
        let mark = Mark::ok(Operation::AdminAction).about(self.programme);
        Ok(Decision::new(self.divided, mark))
    }
}
