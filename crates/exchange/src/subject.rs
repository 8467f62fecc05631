//! Subjects: whom an entry of the log concerns, known by handles that say nothing without a key.
//!
//! A person may ask "who used my data, when, under which basis?", years after. The log must answer and must not know
//! anybody. So each person has a **handle** for one register's agency and one fiscal year, the keyed hash
//!
//! ```text
//! S = HMAC-SHA256(K[agency, year], "subj/v1" || register || id in the register)
//! ```
//! and a leaf holds no handle either, but a salted commitment to it ([`renkei_tlog::commitment`]). Salts and handles are
//! kept sealed with a key of the same agency and year, from which K is derived: seven years after the year has ended the
//! key is destroyed, and nobody can open the commitments any more, with no backup either ([`crate::year_key`]).
//!
//! Here are the handles, and sets of few persons: those of a question, which stand sealed in the frame of its leaf. The
//! lines of a job are in `manifest`, finding what concerns a handle in `subject_index`.

use jiff::Span;
use jiff::civil::Date;
use renkei_journal::{DataKey, KeyedDigest};
use renkei_linkage::Outcome;
use renkei_tlog::Hash;
use renkei_tlog::commitment::{Handle, HashRow, OpenedPerson, Salt, person_hash};
use renkei_tlog::leaf::{SubjectMode, Subjects};
use renkei_tlog::tree::tree_root;
use renkei_types::{AgencyId, DataKeyId, DatasetId, Digest, Entropy, Reason};
use serde::{Deserialize, Serialize};

use crate::ledger::Exchange;
use crate::refusal::Refusal;
use crate::role::closed_list;
use crate::state::State;
use crate::store::Vault;
use crate::year_key::{self, FiscalYear, YearKeyUse, YearPlace};

/// Years after the end of a fiscal year in which a person can still be told: as long as for My Number linkage (番号法23条).
const YEARS_KEPT: i8 = 7;

/// The last day on which what concerns a person in a year can be told.
pub(crate) fn kept_until(year: FiscalYear) -> Date {
    year.last_day().checked_add(Span::new().years(YEARS_KEPT)).unwrap_or(Date::MAX)
}

closed_list! {
    /// What a commitment says of a person beside the handle.
    Said {
        /// The line that means them was linked.
        Linked = "LINKED",
        /// A clerk linked it.
        LinkedByClerk = "LINKED_BY_CLERK",
        /// They are the best candidate of a doubtful line.
        Review = "REVIEW",
        /// They are one of several whom the line may mean.
        Ambiguous = "AMBIGUOUS",
        /// Another line of the list means them.
        Duplicate = "DUPLICATE",
        /// They were compared and are not meant.
        NotFound = "NOT_FOUND",
        /// The line is no evidence of anybody.
        Unlinkable = "UNLINKABLE",
        /// The line took no part.
        RejectedInput = "REJECTED_INPUT",
        /// They were among the answers to a question.
        Answered = "ANSWERED",
        /// Somebody asked for what the log says of them.
        Reported = "REPORTED",
    }
}

impl From<Outcome> for Said {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Linked => Self::Linked,
            Outcome::LinkedByClerk => Self::LinkedByClerk,
            Outcome::Review => Self::Review,
            Outcome::Ambiguous => Self::Ambiguous,
            Outcome::Duplicate => Self::Duplicate,
            Outcome::NotFound => Self::NotFound,
            Outcome::Unlinkable => Self::Unlinkable,
            Outcome::RejectedInput => Self::RejectedInput,
        }
    }
}

impl Said {
    /// Its number in sealed parts.
    pub(crate) fn number(self) -> u8 {
        Self::ALL.iter().position(|known| *known == self).map_or(u8::MAX, |at| at as u8)
    }

    /// What has this number.
    pub(crate) fn of_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

/// Makes the handles of the persons of one register in one fiscal year.
#[derive(Clone, Debug)]
pub struct Handles {
    place: YearPlace,
    key: DataKeyId,
    persons: KeyedDigest,
    lines: KeyedDigest,
}

impl Handles {
    /// Those of this fiscal year. The first time in a year this makes a key. Blocks: for threads that may wait.
    pub fn of_today(exchange: &Exchange, register: DatasetId) -> Result<Self, Refusal> {
        let state = exchange.state();
        let agency = state.datasets.get(&register).ok_or(Reason::NoAgreement)?.provider.clone();
        let place = (agency, FiscalYear::of(exchange.clock().today()));
        let key = year_key::key_of(exchange, YearKeyUse::Subjects, &place)?;
        Self::of_year(exchange.vault(), place, key, register)
    }

    /// Those of a year that has a key.
    pub(crate) fn of_year(
        vault: &Vault,
        place: YearPlace,
        key: DataKeyId,
        register: DatasetId,
    ) -> Result<Self, Refusal> {
        let opened = vault.key(key)?;
        let begin = |noun: &[u8]| {
            let mut keyed = opened.keyed_digest_of_parts("renkei audit handle 1");
            keyed.update(noun);
            keyed.update(register.as_bytes());
            keyed
        };
        let (persons, lines) = (begin(b"subj/v1"), begin(b"line/v1"));
        Ok(Self { place, key, persons, lines })
    }

    /// The agency and the year.
    pub(crate) fn place(&self) -> &YearPlace {
        &self.place
    }

    /// The key that seals what bears these handles.
    pub(crate) fn key(&self) -> DataKeyId {
        self.key
    }

    /// The handle of a person, by the id in the register.
    pub fn person(&self, id: &str) -> Handle {
        named(&self.persons, id)
    }

    /// The handle of a line of a list, by its id.
    pub(crate) fn line(&self, id: &str) -> [u8; 16] {
        let mut handle = [0; 16];
        handle.copy_from_slice(&named(&self.lines, id)[..16]);
        handle
    }
}

fn named(keyed: &KeyedDigest, id: &str) -> [u8; 32] {
    let mut keyed = keyed.clone();
    keyed.update(id.as_bytes());
    *keyed.finish().as_bytes()
}

/// A person in a set.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct Member {
    pub(crate) handle: Handle,
    pub(crate) salt: Salt,
    /// Number of what was said; see [`Said`].
    said: u8,
}

impl Member {
    pub(crate) fn said(&self) -> Option<Said> {
        Said::of_number(self.said)
    }

    fn hash(&self) -> Hash {
        let said = self.said().map_or("", Said::as_str);
        person_hash(&self.salt, &self.handle, said)
    }
}

/// The few persons whom one leaf concerns. The leaf says how many; who, stands sealed in its frame.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SubjectSet {
    place: YearPlace,
    key: DataKeyId,
    members: Vec<Member>,
}

/// The label under which sets are sealed.
const SEAL_LABEL: &[u8] = b"renkei subjects of a leaf";

impl SubjectSet {
    /// A set of these persons, by their ids in the register.
    pub fn new<'a>(
        handles: &Handles,
        entropy: &dyn Entropy,
        said: Said,
        persons: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let member = |id: &str| {
            let mut salt = Salt::default();
            entropy.fill(&mut salt);
            Member { handle: handles.person(id), salt, said: said.number() }
        };
        let members = persons.into_iter().map(member).collect();
        Self { place: handles.place.clone(), key: handles.key, members }
    }

    /// What the leaf says of them.
    pub(crate) fn subjects(&self) -> Subjects {
        let hashes = self.hashes();
        let mode = match hashes.len() {
            0 => SubjectMode::None,
            1 => SubjectMode::One,
            _ => SubjectMode::Set,
        };
        Subjects {
            epoch: epoch(self.place.1),
            mode,
            n: hashes.len() as u64,
            root: (!hashes.is_empty()).then(|| tree_root(&hashes).into()),
        }
    }

    fn hashes(&self) -> Vec<Hash> {
        self.members.iter().map(Member::hash).collect()
    }

    /// How many.
    pub fn len(&self) -> u64 {
        self.members.len() as u64
    }

    /// Whether it is nobody.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Who.
    pub(crate) fn members(&self) -> &[Member] {
        &self.members
    }

    /// The agency and the year of the handles.
    pub(crate) fn place(&self) -> &YearPlace {
        &self.place
    }

    /// Digest of the handles, whatever their order.
    pub(crate) fn digest(&self) -> Digest {
        digest_of(self.members.iter().map(|member| member.handle))
    }

    /// Opens the commitment to one of them.
    pub(crate) fn opened(&self, number: u32) -> Option<OpenedPerson> {
        let member = self.members.get(number as usize)?;
        let path = HashRow(&self.hashes()).proof(u64::from(number))?.into();
        let said = member.said()?.as_str().to_owned();
        Some(OpenedPerson { salt: member.salt, handle: member.handle, said, path })
    }

    /// Seals the set for its frame; a set of nobody is nothing.
    pub(crate) fn seal(&self, vault: &Vault) -> Result<Vec<u8>, Refusal> {
        if self.members.is_empty() {
            return Ok(Vec::new());
        }
        let bytes =
            postcard::to_stdvec(&self.members).map_err(|error| Refusal::internal(&error))?;
        Ok(vault.key(self.key)?.seal(vault.entropy(), SEAL_LABEL, &bytes))
    }

    /// Opens what a frame has sealed.
    pub(crate) fn open(
        state: &State,
        vault: &Vault,
        place: YearPlace,
        sealed: &[u8],
    ) -> Result<Self, Refusal> {
        let key = state.subject_keys.get(&place).ok_or(Reason::DataDestroyed)?.key;
        let opened: DataKey = vault.key(key)?;
        let bytes = opened.open(SEAL_LABEL, sealed).map_err(|error| Refusal::internal(&error))?;
        let members = postcard::from_bytes(&bytes).map_err(|error| Refusal::internal(&error))?;
        Ok(Self { place, key, members })
    }
}

/// Digest of handles, in any order.
pub(crate) fn digest_of(handles: impl Iterator<Item = Handle>) -> Digest {
    let mut handles: Vec<Handle> = handles.collect();
    handles.sort_unstable();
    handles.dedup();
    Digest::of(&handles.concat())
}

/// The year as leaves write it.
pub(crate) fn epoch(year: FiscalYear) -> Option<u16> {
    u16::try_from(year.begins_in()).ok()
}

/// The agency and the year of the handles behind a leaf that is about this register.
pub(crate) fn place_of(
    state: &State,
    register: DatasetId,
    epoch: Option<u16>,
) -> Option<(AgencyId, FiscalYear)> {
    let agency = state.datasets.get(&register)?.provider.clone();
    Some((agency, FiscalYear::beginning_in(epoch?)?))
}
