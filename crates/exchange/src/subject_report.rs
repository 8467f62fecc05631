//! What a person is told who asks what was done with their data: by whom, when, for what, under which basis.
//!
//! The agency whose register it is has made sure who asks and under which ids the register knows or has known them; the
//! broker looks for their handles in every year that is still kept, reads the leaves and tells what may be told. A row is
//! about the asker's own line alone: no id, no name and no line of anybody else is in it.
//!
//! ```text
//! ids -> handles, year by year -> entries -> leaves -> told? --> rows
//!                                                       |  agreement says never, or not yet: left out
//!                                                       |  protected (支援措置), or asked by an agent: held
//!                                                       +--> no rows
//! ```
//! Nobody at the counter can tell the four empty answers apart: nothing was done, nothing may be told, and held for either
//! reason have one shape, so that nobody learns from asking that somebody is protected. What is held waits for protectors,
//! who tell it by another way; it takes another person than the one who asked. Invariant: every question is a leaf before
//! it is answered, and that leaf is shown to auditors, never to persons.

use jiff::Timestamp;
use jiff::civil::Date;
use renkei_journal::Seq;
use renkei_tlog::checkpoint::claimed;
use renkei_tlog::commitment::{EntryProof, OpenedPerson, OpenedRecord};
use renkei_tlog::leaf::{Counter, Disclosure, ObjectId, Operation as LeafOperation, Peer};
use renkei_tlog::proof::inclusion_proof;
use renkei_tlog::tile::TILE_WIDTH;
use renkei_tlog::{Leaf, LogError, LogFolder};
use renkei_types::{AgencyId, DatasetId, Digest, EventId, Identity, LegalBasis, Reason, Slug};
use serde::{Deserialize, Serialize};

use crate::agreement::Agreement;
use crate::command::{Call, Command, Decision, Desk, Done, Receipt};
use crate::index::Indexes;
use crate::ledger::Exchange;
use crate::mark::Mark;
use crate::permit::{Permit, ReleaseSubject, TellSubject};
use crate::refusal::Refusal;
use crate::role::closed_list;
use crate::sealed_parts::persons_part;
use crate::state::State;
use crate::subject::{Handles, Said, SubjectSet, digest_of, place_of};
use crate::subject_index::{self, Entry};
use crate::year_key::YearPlace;

/// Most ids of one person in a question.
pub const IDS_MAX: usize = 16;
/// Longest id, in bytes.
const ID_BYTES_MAX: usize = 64;

closed_list! {
    /// What was done with a person's data, as they are told.
    Use {
        /// A line of a list was linked to them.
        Linked = "LINKED",
        /// They were compared with a line that was not linked to them, or not yet.
        Compared = "COMPARED",
        /// They were among the answers to a question.
        Answered = "ANSWERED",
    }
}

impl Use {
    /// Nothing for what persons are not told of.
    fn of(said: Said) -> Option<Self> {
        match said {
            Said::Linked | Said::LinkedByClerk => Some(Self::Linked),
            Said::Answered => Some(Self::Answered),
            Said::Review
            | Said::Ambiguous
            | Said::Duplicate
            | Said::NotFound
            | Said::Unlinkable
            | Said::RejectedInput => Some(Self::Compared),
            Said::Reported => None,
        }
    }
}

/// A question of a person that is held for protectors.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SubjectRequest {
    /// The register.
    pub dataset: DatasetId,
    /// Who asked.
    pub asked_by: Identity,
    /// When.
    pub asked_at: Timestamp,
    /// Whether an agent asked for the person.
    pub by_proxy: bool,
    /// The year of the handles.
    place: YearPlace,
    /// Digest of the handles.
    persons: Digest,
    /// Who released it.
    pub released_by: Option<Identity>,
}

/// What a person asks.
#[derive(Clone, Debug)]
pub struct Question {
    /// The register.
    pub dataset: DatasetId,
    /// Every id under which the register knows or has known the person.
    pub ids: Vec<String>,
    /// Whether an agent asks for the person.
    pub by_proxy: bool,
    /// Whether each row is to be proven.
    pub with_proofs: bool,
}

/// One thing that was done with a person's data.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Row {
    /// When.
    pub time: Timestamp,
    /// For whom (照会者).
    pub requester: Option<AgencyId>,
    /// Whose register it is (提供者).
    pub provider: AgencyId,
    /// The fields that the requester may see.
    pub fields: Vec<String>,
    /// The purpose (事務).
    pub purpose: Option<Slug>,
    /// The law.
    pub basis: Option<LegalBasis>,
    /// What was done.
    pub done: Use,
    /// The operation, as the log names it.
    pub operation: LeafOperation,
    /// The leaf's index.
    pub leaf_index: u64,
    /// Proof of the row, where it was wanted.
    pub proof: Option<EntryProof>,
}

/// What a person is told.
#[derive(Clone, Debug)]
pub struct Told {
    /// By which the question is known.
    pub access: EventId,
    /// Oldest first. Empty also where there is something that is not told.
    pub rows: Vec<Row>,
    /// Nothing was heard of protected persons for too long, so everything is held.
    pub is_stale: bool,
    /// Where it stands in the log.
    pub receipt: Option<Receipt>,
}

impl Question {
    fn check(&self) -> Result<(), Refusal> {
        let fits = |id: &String| !id.trim().is_empty() && id.len() <= ID_BYTES_MAX;
        if (1..=IDS_MAX).contains(&self.ids.len()) && self.ids.iter().all(fits) {
            Ok(())
        } else {
            Err(Refusal::field("resident_ids"))
        }
    }

    fn ids(&self) -> impl Iterator<Item = &str> {
        self.ids.iter().map(|id| id.trim())
    }

    /// Answers a person. Blocks: for threads that may wait.
    pub fn ask(
        &self,
        exchange: &Exchange,
        indexes: &Indexes,
        call: Call,
        permit: Permit<TellSubject>,
    ) -> Result<Told, Refusal> {
        self.check()?;
        let (state, now) = (exchange.state(), exchange.clock().now());
        let protected = indexes.protected(&state, exchange.vault(), self.dataset, now);
        // All are looked up, and everything is looked for, whatever comes out. Each id is held by itself: were all held because of
        // one, whoever asks could learn of any id whether it is protected, by naming it beside one of which there is something.
        let covered: Vec<bool> = self.ids().map(|id| protected.covers(id)).collect();
        let hold = covered.contains(&true) | self.by_proxy;
        let is_shown = |of: usize| !self.by_proxy && covered.get(of) == Some(&false);
        let rows = self.rows(exchange, &state, is_shown)?;
        let asked = Asked {
            permit,
            dataset: self.dataset,
            by_proxy: self.by_proxy,
            persons: self.persons(exchange)?,
            rows: rows.len() as u64,
            hold,
        };
        let Done { reply: access, receipt } = exchange.execute_now(call, asked)?;
        // Where the request is a repeated one, what was decided then counts too.
        let held_then = !hold && exchange.state().subject_requests.contains(&access);
        let rows = if held_then { Vec::new() } else { rows };
        Ok(Told { access, rows, is_stale: protected.is_stale, receipt })
    }

    /// Tells a protector what was held back. Blocks: for threads that may wait.
    pub fn release(
        &self,
        exchange: &Exchange,
        call: Call,
        permit: Permit<ReleaseSubject>,
        access: EventId,
    ) -> Result<Told, Refusal> {
        self.check()?;
        let state = exchange.state();
        let known = state.subject_requests.get(&access).ok_or(Reason::NoAgreement)?;
        let key = state.subject_keys.get(&known.place).ok_or(Reason::Internal)?.key;
        let handles = Handles::of_year(exchange.vault(), known.place.clone(), key, self.dataset)?;
        let rows = self.rows(exchange, &state, |_| true)?;
        let release = Release {
            permit,
            dataset: self.dataset,
            access,
            digest: digest_of(self.ids().map(|id| handles.person(id))),
            persons: self.persons(exchange)?,
            rows: rows.len() as u64,
        };
        let Done { receipt, .. } = exchange.execute_now(call, release)?;
        Ok(Told { access, rows, is_stale: false, receipt })
    }

    /// Whom the question is about, for its own leaf.
    fn persons(&self, exchange: &Exchange) -> Result<SubjectSet, Refusal> {
        let handles = Handles::of_today(exchange, self.dataset)?;
        let entropy = exchange.vault().entropy();
        Ok(SubjectSet::new(&handles, entropy, Said::Reported, self.ids()))
    }

    /// What may be told of those ids, by their places, that may be shown.
    fn rows(
        &self,
        exchange: &Exchange,
        state: &State,
        is_shown: impl Fn(usize) -> bool,
    ) -> Result<Vec<Row>, Refusal> {
        let agency = &state.datasets.get(&self.dataset).ok_or(Reason::NoAgreement)?.provider;
        let mut entries: Vec<(Entry, bool)> = Vec::new();
        for (place, known) in state.subject_keys.iter() {
            if place.0 != *agency || known.destroyed {
                continue;
            }
            let handles =
                Handles::of_year(exchange.vault(), place.clone(), known.key, self.dataset)?;
            for (of, id) in self.ids().enumerate() {
                let found = subject_index::find(exchange, place, &handles.person(id))?;
                entries.extend(found.into_iter().map(|entry| (entry, is_shown(of))));
            }
        }
        // A person of two ids is told once of what concerns both.
        entries.sort_unstable_by_key(|(entry, shown)| (entry.leaf, entry.number, !shown));
        entries.dedup_by_key(|(entry, _)| (entry.leaf, entry.number));
        let (entries, shown): (Vec<Entry>, Vec<bool>) = entries.into_iter().unzip();
        let read = read_leaves(exchange, &entries, self.with_proofs)?;
        let today = exchange.clock().today();
        let mut rows = Vec::new();
        for ((entry, shown), ReadLeaf { bytes, receipt }) in entries.iter().zip(shown).zip(read) {
            let leaf = Leaf::parse(&bytes).map_err(|error| Refusal::internal(&error))?;
            let done = entry.said().and_then(Use::of);
            let Some(done) = done.filter(|_| is_told(state, &leaf, today)) else { continue };
            let mut row = row(state, agency, &leaf, done, entry.leaf)?;
            if let Some(receipt) = receipt {
                let (person, decision) = opened(exchange, state, &leaf, entry)?;
                let leaf = String::from_utf8(bytes).map_err(|error| Refusal::internal(&error))?;
                row.proof =
                    Some(EntryProof { v: EntryProof::VERSION, leaf, receipt, person, decision });
            }
            if shown {
                rows.push(row);
            }
        }
        Ok(rows)
    }
}

/// A leaf, and the proof that it is in the log.
struct ReadLeaf {
    bytes: Vec<u8>,
    receipt: Option<String>,
}

/// Reads the leaves of entries, in their order.
fn read_leaves(
    exchange: &Exchange,
    entries: &[Entry],
    with_proofs: bool,
) -> Result<Vec<ReadLeaf>, Refusal> {
    let Some(last) = entries.iter().map(|entry| entry.leaf).max() else { return Ok(Vec::new()) };
    let integrated = exchange.read_log_now(|log| Ok(log.size()))?;
    let note =
        if with_proofs || last >= integrated { Some(exchange.checkpoint_now()?) } else { None };
    let note = note.filter(|_| with_proofs);
    let indexes: Vec<u64> = entries.iter().map(|entry| entry.leaf).collect();
    exchange.read_log_now(move |log: &LogFolder| {
        let size = match &note {
            Some(note) => claimed(note.as_bytes())?.size,
            None => log.size(),
        };
        let mut read = Vec::with_capacity(indexes.len());
        // Leaves lie in bundles, each of which is read and checked as a whole.
        for of_bundle in indexes.chunk_by(|one, next| one / TILE_WIDTH == next / TILE_WIDTH) {
            let (Some(first), Some(last)) = (of_bundle.first(), of_bundle.last()) else { continue };
            let leaves: Vec<Vec<u8>> =
                log.leaves(*first..last + 1).collect::<Result<_, LogError>>()?;
            for index in of_bundle {
                let proof = match &note {
                    Some(note) => inclusion_proof(log, *index, size)?.map(|proof| (proof, note)),
                    None => None,
                };
                let receipt = proof
                    .map(|(proof, note)| renkei_tlog::Receipt::of_note(&proof, note).to_text());
                let bytes = leaves.get((index - first) as usize).cloned().unwrap_or_default();
                read.push(ReadLeaf { bytes, receipt });
            }
        }
        Ok(read)
    })
}

/// The agreement that a leaf rests on.
fn agreement_of<'a>(state: &'a State, leaf: &Leaf) -> Option<&'a Agreement> {
    state.agreements.get(&leaf.agr.as_ref()?.id)
}

/// Whether persons are told of a leaf today.
fn is_told(state: &State, leaf: &Leaf, today: Date) -> bool {
    match leaf.disc {
        None | Some(Disclosure::Show) => true,
        Some(Disclosure::ShowLater) => {
            agreement_of(state, leaf).is_some_and(|known| known.terms.told.allows(today))
        }
        Some(Disclosure::Withhold) => false,
    }
}

fn row(
    state: &State,
    provider: &AgencyId,
    leaf: &Leaf,
    done: Use,
    leaf_index: u64,
) -> Result<Row, Refusal> {
    let terms = agreement_of(state, leaf).map(|agreement| &agreement.terms);
    let peer = match &leaf.peer {
        Some(Peer::Agency(agency)) => Some(agency.clone()),
        Some(Peer::Client(client)) => Some(client.agency().clone()),
        None => None,
    };
    let millis = i64::try_from(leaf.t.0).map_err(|error| Refusal::internal(&error))?;
    Ok(Row {
        time: Timestamp::from_millisecond(millis).map_err(|error| Refusal::internal(&error))?,
        // The broker runs jobs by itself, for the agency that the leaf names.
        requester: leaf.actor.agency.clone().or(peer),
        provider: provider.clone(),
        fields: terms.map(|terms| terms.fields.iter().cloned().collect()).unwrap_or_default(),
        purpose: leaf.purpose.clone(),
        basis: terms.map(|terms| terms.basis),
        done,
        operation: leaf.op,
        leaf_index,
        proof: None,
    })
}

/// Opens the commitments of a leaf to the person of an entry.
fn opened(
    exchange: &Exchange,
    state: &State,
    leaf: &Leaf,
    entry: &Entry,
) -> Result<(OpenedPerson, Option<OpenedRecord>), Refusal> {
    if let (Some(_), Some(ObjectId::LinkageJob(job))) = (&leaf.man, leaf.job) {
        let manifest = state.manifests.get(&job).ok_or(Reason::Internal)?;
        let (person, record) = manifest.open(exchange.vault(), entry.number)?;
        return Ok((person, Some(record)));
    }
    // The others whom the leaf concerns, of whom the way to the root needs the hashes, stand in its frame alone.
    let seq = Seq(entry.leaf + 1);
    let frame = exchange.ask_now(move |desk| {
        let mut frames = desk.journal.read(seq).map_err(|error| Refusal::internal(&error))?;
        let frame = frames.next().ok_or(Reason::Internal)?;
        frame.map(|(_, frame)| frame).map_err(|error| Refusal::internal(&error))
    })?;
    let dataset = leaf.ds.ok_or(Reason::Internal)?.id;
    let epoch = leaf.subj.ok_or(Reason::Internal)?.epoch;
    let place = place_of(state, dataset, epoch).ok_or(Reason::Internal)?;
    let sealed = persons_part(&frame)?.ok_or(Reason::Internal)?;
    let set = SubjectSet::open(state, exchange.vault(), place, sealed)?;
    Ok((set.opened(entry.number).ok_or(Reason::Internal)?, None))
}

/// Notes that a person has asked, before they are answered.
#[derive(Debug)]
struct Asked {
    permit: Permit<TellSubject>,
    dataset: DatasetId,
    by_proxy: bool,
    persons: SubjectSet,
    rows: u64,
    hold: bool,
}

impl Command for Asked {
    type Reply = EventId;
    const METHOD: &'static str = "SubjectReport";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<EventId>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        let access = desk.new_event();
        if self.hold {
            let request = SubjectRequest {
                dataset: self.dataset,
                asked_by: self.permit.caller().identity.clone(),
                asked_at: desk.now,
                by_proxy: self.by_proxy,
                place: self.persons.place().clone(),
                persons: self.persons.digest(),
                released_by: None,
            };
            desk.state.subject_requests.put(access, request);
        }
        Ok(told(access, self.dataset, self.rows, &self.persons))
    }
}

/// The leaf of an answer: how much was told, never to whom.
fn told(access: EventId, dataset: DatasetId, rows: u64, persons: &SubjectSet) -> Decision<EventId> {
    let mark = Mark::ok(LeafOperation::SubjectAccess)
        .about(access)
        .of_dataset(dataset)
        .count(Counter::Out, rows)
        .withheld();
    Decision::concerning(access, mark, persons.clone())
}

/// Notes that what was held back is told.
#[derive(Debug)]
struct Release {
    permit: Permit<ReleaseSubject>,
    dataset: DatasetId,
    access: EventId,
    digest: Digest,
    persons: SubjectSet,
    rows: u64,
}

impl Command for Release {
    type Reply = EventId;
    const METHOD: &'static str = "ReleaseSubject";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<EventId>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        let request = desk.state.subject_requests.get(&self.access).ok_or(Reason::NoAgreement)?;
        if request.dataset != self.dataset {
            return Err(Reason::NoAgreement.into());
        }
        let caller = self.permit.caller().identity.clone();
        if request.asked_by == caller {
            return Err(Reason::SamePerson.into());
        }
        // Another person's history must not be told under this question.
        if request.persons != self.digest {
            return Err(Refusal::field("resident_ids"));
        }
        if request.released_by.is_some() {
            return Err(Reason::WrongState.into());
        }
        desk.state
            .subject_requests
            .change(&self.access, |request| request.released_by = Some(caller));
        Ok(told(self.access, self.dataset, self.rows, &self.persons))
    }
}

/// Questions about a register that wait for protectors, oldest first.
pub fn held(state: &State, dataset: DatasetId) -> Vec<(EventId, SubjectRequest)> {
    let requests = state.subject_requests.iter();
    let waiting =
        requests.filter(|(_, request)| request.dataset == dataset && request.released_by.is_none());
    let mut waiting: Vec<_> = waiting.map(|(access, request)| (*access, request.clone())).collect();
    waiting.sort_by_key(|(access, request)| (request.asked_at, *access));
    waiting
}

/// Notes that a protector looks at what is held.
#[derive(Debug)]
pub struct LookAtHeld {
    /// That the caller may.
    pub permit: Permit<ReleaseSubject>,
    /// The register.
    pub dataset: DatasetId,
}

impl Command for LookAtHeld {
    type Reply = ();
    const METHOD: &'static str = "HeldSubjects";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        let mark = Mark::ok(LeafOperation::AuditRead).of_dataset(self.dataset);
        Ok(Decision::new((), mark))
    }
}
