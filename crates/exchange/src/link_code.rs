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

use crate::agreement::{Agreement, AgreementState, use_volume};
use crate::command::{Call, Command, Decision, Desk, Done};
use crate::ledger::Exchange;
use crate::mark::Mark;
use crate::permit::{Permit, Right, TranslateCodes};
use crate::refusal::Refusal;
use crate::state::State;
pub use crate::year_key::FiscalYear;
use crate::year_key::{self, YearKeyUse};

/// The field whose absence from an agreement calls for codes.
const RESIDENT_ID: &str = "resident_id";

/// Most codes that are translated at once.
pub const CODES_MAX: usize = 10_000;

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
        let key = year_key::key_of(exchange, YearKeyUse::LinkCodes, &(agency, year))?;
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
    pub(crate) fn codes_end(&self, agency: &AgencyId, year: FiscalYear) -> Date {
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
}
