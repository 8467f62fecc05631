//! Link codes: what a consumer calls a resident whose id it may not know.
//!
//! A register's id is the same for everybody who is given it, so two consumers could lay their files side by side. An
//! agreement that does not name `resident_id` therefore gets codes instead: HMAC-SHA-256 of the id, cut to 80 bits, under a
//! key of one consumer and one fiscal year. One person has one code in all that a consumer receives in a year, and unrelated
//! ones elsewhere and in other years; among a million residents two share a code once in two million million years of keys.
//! Last year's codes are translated into this year's on request, under the agreement, counted and logged.
//!
//! Invariant: a code says nothing without its key, which never leaves the broker; once the key is destroyed, when the time
//! of the last record that bears its codes is over, nobody can tell any more whom they meant.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use renkei_journal::KeyedDigest;
use renkei_linkage::RegisterIndex;
use renkei_tlog::leaf::{Counter, Operation};
use renkei_types::{AgencyId, DataKeyId, DatasetId, Reason};
use serde::{Deserialize, Serialize};

use crate::agreement::{Agreement, AgreementState, fiscal_year_end, use_volume};
use crate::command::{Call, Command, Decision, Desk, Done};
use crate::ledger::Exchange;
use crate::mark::Mark;
use crate::permit::{Permit, Right, TranslateCodes};
use crate::refusal::Refusal;
use crate::state::State;

/// The field whose absence from an agreement calls for codes.
const RESIDENT_ID: &str = "resident_id";

/// Most codes that are translated at once.
pub const CODES_MAX: usize = 10_000;

/// A fiscal year (年度), by the year in which it begins: April 2026 to March 2027 is 2026.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct FiscalYear(i16);

impl FiscalYear {
    /// The one in which a day lies.
    pub fn of(day: Date) -> Self {
        Self(if day.month() <= 3 { day.year() - 1 } else { day.year() })
    }

    /// The one before.
    #[must_use]
    pub fn previous(self) -> Self {
        Self(self.0 - 1)
    }

    /// The year in which it begins.
    pub fn begins_in(self) -> u32 {
        u32::try_from(self.0).unwrap_or_default()
    }

    fn first_day(self) -> Date {
        Date::new(self.0, 4, 1).unwrap_or(Date::MIN)
    }

    fn last_day(self) -> Date {
        fiscal_year_end(self.first_day())
    }
}

const PREFIX: &str = "link_";
/// Sixteen consonants: no code is a word, or a number that a spreadsheet or a firewall could take for one.
const ALPHABET: &[u8; 16] = b"bcdfghjkmnprstvz";
const CODE_BYTES: usize = 10;

/// A resident's name for one consumer in one fiscal year: `link_`, 20 letters and a check letter.
///
/// The check letter finds every wrong letter, and any two neighbours that changed places.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct LinkCode([u8; CODE_BYTES]);

/// The text is no link code, or one with a slip.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a link code: `link_` and 21 letters, of which the last checks the others")]
pub struct InvalidLinkCode;

impl LinkCode {
    /// The four bits of each letter.
    fn nibbles(self) -> impl Iterator<Item = u8> {
        self.0.into_iter().flat_map(|byte| [byte >> 4, byte & 15])
    }
}

/// One more letter in a sum over GF(16), where each place counts for a power of x (x⁴ = x + 1).
fn carry(sum: u8, nibble: u8) -> u8 {
    let shifted = sum << 1;
    let reduced = if shifted & 16 == 0 { shifted } else { shifted ^ 0b1_0011 };
    reduced ^ nibble
}

impl fmt::Display for LinkCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // With it the sum becomes zero.
        let check = carry(self.nibbles().fold(0, carry), 0);
        let letter = |nibble: u8| char::from(ALPHABET[usize::from(nibble & 15)]);
        let letters: String = self.nibbles().chain([check]).map(letter).collect();
        write!(f, "{PREFIX}{letters}")
    }
}

impl FromStr for LinkCode {
    type Err = InvalidLinkCode;

    fn from_str(text: &str) -> Result<Self, InvalidLinkCode> {
        let letters = text.trim().strip_prefix(PREFIX).ok_or(InvalidLinkCode)?;
        let nibble = |letter: u8| {
            let place = ALPHABET.iter().position(|&known| known == letter.to_ascii_lowercase());
            place.and_then(|place| u8::try_from(place).ok()).ok_or(InvalidLinkCode)
        };
        let nibbles = letters.bytes().map(nibble).collect::<Result<Vec<u8>, _>>()?;
        if nibbles.len() != CODE_BYTES * 2 + 1 || nibbles.iter().copied().fold(0, carry) != 0 {
            return Err(InvalidLinkCode);
        }
        let mut bytes = [0; CODE_BYTES];
        for (byte, pair) in bytes.iter_mut().zip(nibbles.chunks_exact(2)) {
            *byte = pair[0] << 4 | pair[1];
        }
        Ok(Self(bytes))
    }
}

/// The key of one consumer and one fiscal year.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct LinkKey {
    /// The key.
    pub key: DataKeyId,
    /// Whether it has been destroyed.
    pub destroyed: bool,
}

/// Names residents of one register for one consumer in one fiscal year.
#[derive(Clone, Debug)]
pub struct Codes {
    keyed: KeyedDigest,
    year: FiscalYear,
}

impl Codes {
    fn new(
        exchange: &Exchange,
        key: DataKeyId,
        register: DatasetId,
        year: FiscalYear,
    ) -> Result<Self, Refusal> {
        let key = exchange.vault().key(key)?;
        let mut keyed = key.keyed_digest_of_parts("renkei link code 1");
        keyed.update(register.as_bytes());
        Ok(Self { keyed, year })
    }

    /// The code of a resident.
    pub fn code(&self, resident: &str) -> LinkCode {
        let mut keyed = self.keyed.clone();
        keyed.update(resident.as_bytes());
        let digest = keyed.finish();
        let mut bytes = [0; CODE_BYTES];
        bytes.copy_from_slice(&digest.as_bytes()[..CODE_BYTES]);
        LinkCode(bytes)
    }
}

/// How residents are named to a caller: what the agreement decides.
#[derive(Clone, Debug)]
pub enum Naming {
    /// By their ids in the register.
    ResidentIds,
    /// By codes.
    Codes(Codes),
}

impl Naming {
    /// How the agreement of a permit has residents of a register named today. The first time in a fiscal year this makes
    /// a key. Blocks: for threads that may wait.
    pub fn under<R: Right>(
        exchange: &Exchange,
        permit: &Permit<R>,
        register: DatasetId,
    ) -> Result<Self, Refusal> {
        if permit.allows_field(RESIDENT_ID) {
            return Ok(Self::ResidentIds);
        }
        let agency = permit.caller().identity.agency().clone();
        let year = FiscalYear::of(exchange.clock().today());
        let known = exchange.state().link_keys.get(&(agency.clone(), year)).copied();
        let key = match known {
            Some(known) => known.key,
            None => begin(exchange, agency, year)?,
        };
        Ok(Self::Codes(Codes::new(exchange, key, register, year)?))
    }

    /// What a resident is called.
    pub fn name(&self, resident: &str) -> String {
        match self {
            Self::ResidentIds => resident.to_owned(),
            Self::Codes(codes) => codes.code(resident).to_string(),
        }
    }

    /// The row of the resident that is called so. Looks through the whole register where there are codes.
    pub fn row(&self, index: &RegisterIndex, name: &str) -> Option<u32> {
        match self {
            Self::ResidentIds => index.row(name),
            Self::Codes(codes) => {
                let code: LinkCode = name.parse().ok()?;
                // A record that a delta has changed has an old row too.
                let (_, id) = index.ids().find(|(_, id)| codes.code(id) == code)?;
                index.row(id)
            }
        }
    }

    /// Whether a resident is called so.
    pub fn is(&self, resident: &str, name: &str) -> bool {
        match self {
            Self::ResidentIds => resident == name,
            Self::Codes(codes) => name.parse() == Ok(codes.code(resident)),
        }
    }

    /// The fiscal year of the codes; nothing where there are none.
    pub fn year(&self) -> Option<FiscalYear> {
        match self {
            Self::ResidentIds => None,
            Self::Codes(codes) => Some(codes.year),
        }
    }
}

/// Makes the key of a year. Where two begin at once, one key stays and the other is destroyed.
fn begin(exchange: &Exchange, agency: AgencyId, year: FiscalYear) -> Result<DataKeyId, Refusal> {
    let key = exchange.vault().create_key(exchange.clock().now())?;
    let begun = exchange.execute_now(Call::own(), BeginLinkYear { agency, year, key });
    match begun {
        Ok(Done { reply, .. }) if reply == key => Ok(key),
        other => {
            exchange.vault().destroy_key(key)?;
            other.map(|done| done.reply)
        }
    }
}

/// Takes a key into use for a consumer's fiscal year, unless there is one.
#[derive(Debug)]
struct BeginLinkYear {
    agency: AgencyId,
    year: FiscalYear,
    key: DataKeyId,
}

impl Command for BeginLinkYear {
    type Reply = DataKeyId;
    const METHOD: &'static str = "BeginLinkYear";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<DataKeyId>, Refusal> {
        let place = (self.agency.clone(), self.year);
        if let Some(known) = desk.state.link_keys.get(&place) {
            return Ok(Decision::nothing(known.key));
        }
        desk.state.link_keys.put(place, LinkKey { key: self.key, destroyed: false });
        let mark = Mark::ok(Operation::KeyRotate).about_agency(&self.agency);
        Ok(Decision::new(self.key, mark))
    }
}

/// Codes of last year in this year's.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Translated {
    /// In the order in which they were asked for; nothing where the register has nobody of this code.
    pub codes: Vec<Option<LinkCode>>,
    /// The year of the new codes.
    pub year: FiscalYear,
}

/// Translates last year's codes. Blocks: for threads that may wait.
pub fn translate(
    exchange: &Exchange,
    permit: &Permit<TranslateCodes>,
    register: DatasetId,
    index: &RegisterIndex,
    old: &[LinkCode],
) -> Result<(Translated, Done<()>), Refusal> {
    let Naming::Codes(new) = Naming::under(exchange, permit, register)? else {
        // Who may know ids was never given codes.
        return Err(Reason::WrongState.into());
    };
    let agency = permit.caller().identity.agency().clone();
    let before = exchange.state().link_keys.get(&(agency, new.year.previous())).copied();
    let mut wanted: HashMap<LinkCode, Option<LinkCode>> =
        old.iter().map(|code| (*code, None)).collect();
    // Without a key of last year no code was ever given.
    if let Some(before) = before {
        let before = Codes::new(exchange, before.key, register, new.year.previous())?;
        for (_, id) in index.ids() {
            if let Some(found) = wanted.get_mut(&before.code(id)) {
                *found = Some(new.code(id));
            }
        }
    }
    let codes: Vec<Option<LinkCode>> =
        old.iter().map(|code| wanted.get(code).copied().flatten()).collect();
    let found = codes.iter().flatten().count() as u64;
    let asked = codes.len() as u64;
    let note = NoteTranslated { permit: permit.clone(), register, asked, found };
    let done = exchange.execute_now(Call::read(permit.caller().clone()), note)?;
    Ok((Translated { codes, year: new.year }, done))
}

/// Notes that codes are translated, before they are answered.
#[derive(Debug)]
struct NoteTranslated {
    permit: Permit<TranslateCodes>,
    register: DatasetId,
    asked: u64,
    found: u64,
}

impl Command for NoteTranslated {
    type Reply = ();
    const METHOD: &'static str = "TranslateCodes";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        // Every code that is asked for counts, or guessing would cost nothing.
        use_volume(desk, &self.permit, self.asked.max(1))?;
        let mark = Mark::ok(Operation::Export)
            .of_dataset(self.register)
            .under(&self.permit)
            .count(Counter::In, self.asked)
            .count(Counter::Out, self.found);
        Ok(Decision::new((), mark))
    }
}

impl State {
    /// The register whose residents a dataset names: itself, or that of the programme whose deliveries it is.
    pub fn register_behind(&self, dataset: DatasetId) -> Option<DatasetId> {
        match self.datasets.get(&dataset)?.content {
            crate::directory::Content::Register(_) => Some(dataset),
            crate::directory::Content::Deliveries(programme) => {
                self.programmes.get(&programme)?.register
            }
        }
    }

    /// The day by which everything that bears a consumer's codes of a year must be destroyed.
    fn codes_end(&self, agency: &AgencyId, year: FiscalYear) -> Date {
        let was_in_force = |agreement: &&Agreement| {
            let begun =
                !matches!(agreement.state, AgreementState::Proposed | AgreementState::Approved);
            begun
                && agreement.terms.consumer == *agency
                && agreement.terms.valid_from <= year.last_day()
                && agreement.last_day() >= year.first_day()
        };
        let agreements = self.agreements.iter().map(|(_, agreement)| agreement);
        let ends = agreements
            .filter(was_in_force)
            .map(|agreement| agreement.retained_until(agreement.last_day().min(year.last_day())));
        ends.max().unwrap_or(year.last_day()).max(year.last_day())
    }

    /// The keys whose time is over.
    fn link_keys_due(&self, today: Date) -> Vec<(AgencyId, FiscalYear)> {
        let due = self.link_keys.iter().filter(|((agency, year), known)| {
            !known.destroyed && self.codes_end(agency, *year) < today
        });
        due.map(|(place, _)| place.clone()).collect()
    }

    /// Keys that were destroyed: a backup must not bring them back.
    pub(crate) fn destroyed_link_keys(&self) -> impl Iterator<Item = DataKeyId> {
        self.link_keys.iter().filter(|(_, known)| known.destroyed).map(|(_, known)| known.key)
    }
}

/// Destroys the keys of codes whose time is over; answers how many. To be called every day. Blocks: for threads that may
/// wait.
pub fn destroy_due(exchange: &Exchange) -> Result<usize, Refusal> {
    let due = exchange.state().link_keys_due(exchange.clock().today());
    for (agency, year) in &due {
        let command = EndLinkYear { agency: agency.clone(), year: *year };
        let key = exchange.execute_now(Call::own(), command)?.reply;
        // The next start destroys what a crash here has left.
        exchange.vault().destroy_key(key)?;
    }
    Ok(due.len())
}

/// Marks the key of a year as destroyed.
#[derive(Debug)]
struct EndLinkYear {
    agency: AgencyId,
    year: FiscalYear,
}

impl Command for EndLinkYear {
    type Reply = DataKeyId;
    const METHOD: &'static str = "EndLinkYear";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<DataKeyId>, Refusal> {
        let place = (self.agency.clone(), self.year);
        let known = desk.state.link_keys.get(&place).ok_or(Reason::Internal)?;
        let key = known.key;
        if known.destroyed || desk.state.codes_end(&self.agency, self.year) >= desk.today {
            return Err(Reason::WrongState.into());
        }
        desk.state.link_keys.change(&place, |known| known.destroyed = true);
        Ok(Decision::new(key, Mark::ok(Operation::Delete).about_agency(&self.agency)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_code_reads_back_and_no_slip_of_a_letter_or_of_two_neighbours_does(
            bytes in any::<[u8; CODE_BYTES]>(), place in 0usize..21, other in 1usize..16,
        ) {
            let code = LinkCode(bytes);
            let text = code.to_string();
            prop_assert_eq!(text.parse(), Ok(code));
            prop_assert!(!text.bytes().any(|byte| byte.is_ascii_digit()));
            let mut letters: Vec<u8> = text.bytes().collect();
            let at = PREFIX.len() + place;
            let known = ALPHABET.iter().position(|&letter| letter == letters[at]);
            let known = known.expect("a letter");
            letters[at] = ALPHABET[(known + other) % 16];
            let slip = String::from_utf8(letters).expect("ASCII");
            prop_assert_eq!(slip.parse::<LinkCode>(), Err(InvalidLinkCode));
            let mut swapped: Vec<u8> = text.bytes().collect();
            if place > 0 && swapped[at] != swapped[at - 1] {
                swapped.swap(at, at - 1);
                let slip = String::from_utf8(swapped).expect("ASCII");
                prop_assert_eq!(slip.parse::<LinkCode>(), Err(InvalidLinkCode));
            }
        }
    }

    #[test]
    fn a_fiscal_year_is_named_by_its_april() {
        for (day, year) in [("2026-03-31", 2025), ("2026-04-01", 2026), ("2027-01-01", 2026)] {
            let year_of_day = FiscalYear::of(day.parse().expect("a day"));
            assert_eq!(year_of_day.begins_in(), year);
        }
        let year = FiscalYear::of("2026-05-01".parse().expect("a day"));
        assert_eq!(year.first_day().to_string(), "2026-04-01");
        assert_eq!(year.last_day().to_string(), "2027-03-31");
    }
}
