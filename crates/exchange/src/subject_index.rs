//! The side index: from a person's handle to every leaf that concerns them.
//!
//! A log of seven years has a million leaves and thirty million lines behind them; a person asks at a counter and waits.
//! So entries are kept sorted by handle in sealed **runs**, some for each agency and fiscal year, and what is newer waits
//! in memory until it is worth a run:
//!
//! ```text
//! waiting (memory, read again from the journal at a start) --4,096 entries--> run --a quarter of the next one's--> larger run
//! ```
//! A run takes in those that are less than four times as large, so there are few of them and each entry is written a few
//! times. Finding is one chunk of each run. All is sealed with the key of the year and is deletable: without that key it
//! is nothing, and nothing else depends on it. Invariant: an entry is waiting or in a run, since a run and the place in
//! the journal up to which runs reach are one frame.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use renkei_journal::{BlobReader, BlobRef, Frame, Journal, Seq};
use renkei_tlog::Leaf;
use renkei_tlog::commitment::{Handle, SALT_BYTES, Salt};
use renkei_tlog::leaf::{Counter, ObjectId, Operation};
use renkei_types::Reason;
use serde::{Deserialize, Serialize};

use crate::command::{Call, Command, Decision, Desk};
use crate::ledger::Exchange;
use crate::manifest::Manifest;
use crate::mark::Mark;
use crate::refusal::Refusal;
use crate::sealed_parts::{concerns_anybody, persons_part};
use crate::state::State;
use crate::store::{OpenError, Vault, blob_refusal};
use crate::subject::{Said, SubjectSet, place_of};
use crate::year_key::YearPlace;

/// Entries in a chunk of a run, and so many must wait before they become a run.
const CHUNK_ENTRIES: usize = 4096;
/// Leaves of jobs that wait at most: each is a blob to be opened.
const JOBS_MAX: usize = 64;
/// Frames behind the runs at most: a start reads them again.
const FRAMES_MAX: u64 = 100_000;
/// A run takes in those that are less than so many times as large.
const GROWTH: u64 = 4;

/// So much of a handle is kept: enough that no two persons of the world share it.
const PREFIX_BYTES: usize = 16;
const ENTRY_BYTES: usize = PREFIX_BYTES + 8 + 4 + SALT_BYTES + 1;

/// One leaf that concerns a person, in the order in which runs have them.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Entry {
    prefix: [u8; PREFIX_BYTES],
    /// The leaf's index.
    pub leaf: u64,
    /// The person's number among those of the leaf: the line of a job.
    pub number: u32,
    salt: Salt,
    said: u8,
}

impl Entry {
    fn new(handle: &Handle, leaf: u64, number: u32, salt: Salt, said: u8) -> Self {
        Self { prefix: prefix(handle), leaf, number, salt, said }
    }

    /// What was said of the person.
    pub fn said(&self) -> Option<Said> {
        Said::of_number(self.said)
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.prefix);
        bytes.extend(self.leaf.to_be_bytes());
        bytes.extend(self.number.to_be_bytes());
        bytes.extend(self.salt);
        bytes.push(self.said);
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (prefix, rest) = bytes.split_first_chunk()?;
        let (leaf, rest) = rest.split_first_chunk()?;
        let (number, rest) = rest.split_first_chunk()?;
        let (salt, rest) = rest.split_first_chunk()?;
        let [said] = rest else { return None };
        Some(Self {
            prefix: *prefix,
            leaf: u64::from_be_bytes(*leaf),
            number: u32::from_be_bytes(*number),
            salt: *salt,
            said: *said,
        })
    }
}

fn prefix(handle: &Handle) -> [u8; PREFIX_BYTES] {
    let mut prefix = [0; PREFIX_BYTES];
    prefix.copy_from_slice(&handle[..PREFIX_BYTES]);
    prefix
}

/// Entries of one agency and year, sorted and sealed.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Run {
    /// The chunks, and behind them the first handle of each.
    pub blob: BlobRef,
    /// How many entries.
    pub entries: u64,
}

/// A leaf that concerns persons and is in no run yet.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    leaf: u64,
    concerns: Concerns,
    /// Read when they are first asked for: every question asks for those of every leaf that waits.
    entries: Arc<OnceLock<Vec<Entry>>>,
}

#[derive(Clone, Debug)]
enum Concerns {
    Few(Arc<SubjectSet>),
    Job(Arc<Manifest>),
}

impl Event {
    pub(crate) fn of_few(leaf: u64, set: SubjectSet) -> Self {
        Self { leaf, concerns: Concerns::Few(Arc::new(set)), entries: Arc::default() }
    }

    pub(crate) fn of_job(leaf: u64, manifest: Manifest) -> Self {
        Self { leaf, concerns: Concerns::Job(Arc::new(manifest)), entries: Arc::default() }
    }

    /// What a frame that is read again concerns.
    fn of_frame(state: &State, vault: &Vault, seq: Seq, frame: &Frame) -> Option<Self> {
        if !concerns_anybody(&frame.leaf) {
            return None;
        }
        let leaf = Leaf::parse(&frame.leaf).ok()?;
        let index = seq.0.checked_sub(1)?;
        if leaf.man.is_some() {
            let Some(ObjectId::LinkageJob(job)) = leaf.job else { return None };
            let manifest = state.manifests.get(&job)?;
            return Some(Self::of_job(index, manifest.clone()));
        }
        let subjects = leaf.subj?;
        let place = place_of(state, leaf.ds?.id, subjects.epoch)?;
        let persons = persons_part(frame).transpose()?;
        match persons.and_then(|sealed| SubjectSet::open(state, vault, place, sealed)) {
            Ok(set) => Some(Self::of_few(index, set)),
            Err(refusal) => {
                if refusal.reason != Reason::DataDestroyed {
                    tracing::error!(leaf = index, %refusal, "whom a leaf concerns cannot be read");
                }
                None
            }
        }
    }

    fn place(&self) -> &YearPlace {
        match &self.concerns {
            Concerns::Few(set) => set.place(),
            Concerns::Job(manifest) => &manifest.place,
        }
    }

    fn size(&self) -> u64 {
        match &self.concerns {
            Concerns::Few(set) => set.members().len() as u64,
            Concerns::Job(manifest) => manifest.lines,
        }
    }

    fn entries(&self, vault: &Vault) -> Result<&[Entry], Refusal> {
        if let Some(known) = self.entries.get() {
            return Ok(known);
        }
        let mut entries = Vec::new();
        match &self.concerns {
            Concerns::Few(set) => {
                for (number, member) in (0..).zip(set.members()) {
                    let said = member.said().map_or(u8::MAX, Said::number);
                    let (handle, salt) = (&member.handle, member.salt);
                    entries.push(Entry::new(handle, self.leaf, number, salt, said));
                }
            }
            Concerns::Job(manifest) => {
                manifest.each_person(vault, |row, handle, salt, outcome| {
                    let said = Said::ALL.iter().find(|said| said.as_str() == outcome);
                    let said = said.map_or(u8::MAX, |said| said.number());
                    entries.push(Entry::new(&handle, self.leaf, row, salt, said));
                })?
            }
        }
        Ok(self.entries.get_or_init(|| entries))
    }
}

/// The leaves that are in no run yet.
#[derive(Debug, Default)]
pub(crate) struct Waiting(Mutex<Vec<Event>>);

impl Waiting {
    /// Reads what waits from the journal, from behind the runs on.
    pub(crate) fn recover(
        journal: &dyn Journal,
        state: &State,
        vault: &Vault,
    ) -> Result<Self, OpenError> {
        let waiting = Self::default();
        waiting.extend_from(journal, state, vault, gathered(state))?;
        Ok(waiting)
    }

    /// Adds what the journal has behind so many frames.
    pub(crate) fn extend_from(
        &self,
        journal: &dyn Journal,
        state: &State,
        vault: &Vault,
        frames: u64,
    ) -> Result<(), OpenError> {
        for frame in journal.read(Seq(frames + 1))? {
            let (seq, frame) = frame?;
            self.extend(Event::of_frame(state, vault, seq, &frame));
        }
        Ok(())
    }

    pub(crate) fn extend(&self, events: impl IntoIterator<Item = Event>) {
        self.0.lock().extend(events);
    }

    fn all(&self) -> Vec<Event> {
        self.0.lock().clone()
    }

    fn forget_until(&self, frames: u64) {
        self.0.lock().retain(|event| event.leaf >= frames);
    }
}

/// So many frames are behind the runs.
fn gathered(state: &State) -> u64 {
    state.subjects_gathered.get(&0).copied().unwrap_or_default()
}

impl State {
    fn runs_of(&self, (agency, year): &YearPlace) -> impl Iterator<Item = (u32, Run)> {
        let place = |number| (agency.clone(), *year, number);
        let runs = self.subject_runs.range(place(0), place(u32::MAX));
        runs.map(|((_, _, number), run)| (*number, *run))
    }

    /// The blobs that bear the handles of a year.
    pub(crate) fn subject_blobs(&self, place: &YearPlace) -> Vec<BlobRef> {
        let runs = self.runs_of(place).map(|(_, run)| run.blob);
        let of_year = |manifest: &&Manifest| manifest.place == *place;
        let manifests = self.manifests.iter().map(|(_, manifest)| manifest).filter(of_year);
        runs.chain(manifests.map(|manifest| manifest.blob)).collect()
    }

    /// Drops all runs of a year; answers how many entries they had.
    pub(crate) fn drop_subject_index(&mut self, (agency, year): &YearPlace) -> u64 {
        let runs: Vec<(u32, Run)> = self.runs_of(&(agency.clone(), *year)).collect();
        for (number, _) in &runs {
            self.subject_runs.remove(&(agency.clone(), *year, *number));
        }
        runs.iter().map(|(_, run)| run.entries).sum()
    }
}

/// Makes runs of what waits, where enough does; answers whether it did. To be called now and then, by one thread. Blocks:
/// for threads that may wait.
pub fn gather_due(exchange: &Exchange) -> Result<bool, Refusal> {
    // What another broker has made runs of need not be done again.
    exchange.subjects_waiting().forget_until(gathered(&exchange.state()));
    let frames = *exchange.durable().borrow();
    let events = exchange.subjects_waiting().all();
    // Read after them, so it has the keys of all of them.
    let state = exchange.state();
    let entries: u64 = events.iter().map(Event::size).sum();
    let jobs = events.iter().filter(|event| matches!(event.concerns, Concerns::Job(_))).count();
    let is_due = entries >= CHUNK_ENTRIES as u64
        || jobs >= JOBS_MAX
        || frames.saturating_sub(gathered(&state)) >= FRAMES_MAX;
    if is_due {
        gather(exchange, &state, frames, &events)?;
    }
    Ok(is_due)
}

/// Makes runs of these events, which are all that concerns persons in so many frames.
fn gather(
    exchange: &Exchange,
    state: &State,
    frames: u64,
    events: &[Event],
) -> Result<(), Refusal> {
    let vault = exchange.vault();
    let mut by_place: BTreeMap<YearPlace, Vec<Entry>> = BTreeMap::new();
    for event in events {
        match event.entries(vault) {
            Ok(added) => by_place.entry(event.place().clone()).or_default().extend(added),
            // Its year is over.
            Err(refusal) if refusal.reason == Reason::DataDestroyed => {}
            Err(refusal) => return Err(refusal),
        }
    }
    // The frames were counted before the events, some of which may be newer.
    let last = events.iter().map(|event| event.leaf + 1).max();
    let until = last.unwrap_or_default().max(frames);
    let mut command = Gather { until, added: Vec::new(), replaced: Vec::new() };
    for (place, mut entries) in by_place {
        entries.sort_unstable();
        let mut runs: Vec<(u32, Run)> = state.runs_of(&place).collect();
        runs.sort_by_key(|(_, run)| run.entries);
        let mut size = entries.len() as u64;
        let mut taken_in = Vec::new();
        for (number, run) in runs {
            if run.entries >= GROWTH * size {
                break;
            }
            size += run.entries;
            taken_in.push((number, run));
        }
        let readers = taken_in.iter().map(|(_, run)| vault.open_blob(&run.blob));
        let readers = readers.collect::<Result<Vec<BlobReader>, Refusal>>()?;
        let key = state.subject_keys.get(&place).ok_or(Reason::Internal)?.key;
        let mut writer = RunWriter::new(vault.blob_writer(&vault.key(key)?, key)?);
        let mut streams: Vec<Entries<'_>> = readers.iter().map(Entries::of_run).collect();
        streams.push(Entries { more: None, ready: entries.into_iter() });
        merge(streams, &mut writer)?;
        command.added.push((place.clone(), writer.finish()?));
        let replaced = taken_in.into_iter().map(|(number, run)| (place.clone(), number, run));
        command.replaced.extend(replaced);
    }
    let old: Vec<BlobRef> = command.replaced.iter().map(|(_, _, run)| run.blob).collect();
    exchange.execute_now(Call::own(), command)?;
    exchange.subjects_waiting().forget_until(until);
    // A reader that has just opened one asks again. What a crash leaves is sealed and is nobody's.
    vault.delete_blobs(&old);
    Ok(())
}

/// Entries in order: those of a run, chunk by chunk, or those in memory.
struct Entries<'a> {
    more: Option<(&'a BlobReader, u32)>,
    ready: std::vec::IntoIter<Entry>,
}

impl<'a> Entries<'a> {
    fn of_run(reader: &'a BlobReader) -> Self {
        Self { more: Some((reader, 0)), ready: Vec::new().into_iter() }
    }

    fn next(&mut self) -> Result<Option<Entry>, Refusal> {
        if let Some(entry) = self.ready.next() {
            return Ok(Some(entry));
        }
        // The last chunk is no entries.
        let Some((reader, next)) = self.more.filter(|(run, next)| next + 1 < run.blob().chunks)
        else {
            return Ok(None);
        };
        self.more = Some((reader, next + 1));
        self.ready = read_chunk(reader, next)?.into_iter();
        Ok(self.ready.next())
    }
}

fn merge(mut streams: Vec<Entries<'_>>, writer: &mut RunWriter) -> Result<(), Refusal> {
    let mut heads = streams.iter_mut().map(Entries::next).collect::<Result<Vec<_>, _>>()?;
    // There are few streams, so looking at each head is as quick as a heap.
    while let Some((at, entry)) = (0..)
        .zip(&heads)
        .filter_map(|(at, head)| Some((at, (*head)?)))
        .min_by_key(|(_, head)| *head)
    {
        writer.push(entry)?;
        let at: usize = at;
        heads[at] = streams[at].next()?;
    }
    Ok(())
}

fn read_chunk(reader: &BlobReader, number: u32) -> Result<Vec<Entry>, Refusal> {
    let bytes = reader.chunk(number).map_err(|error| blob_refusal(&error))?;
    let entries = bytes.chunks(ENTRY_BYTES).map(|entry| Entry::read(entry).ok_or(Reason::Internal));
    Ok(entries.collect::<Result<Vec<Entry>, Reason>>()?)
}

/// Writes a run.
struct RunWriter {
    writer: renkei_journal::BlobWriter,
    chunk: Vec<u8>,
    /// The first handle of each chunk.
    firsts: Vec<u8>,
    entries: u64,
}

impl RunWriter {
    fn new(writer: renkei_journal::BlobWriter) -> Self {
        Self { writer, chunk: Vec::new(), firsts: Vec::new(), entries: 0 }
    }

    fn push(&mut self, entry: Entry) -> Result<(), Refusal> {
        if self.chunk.is_empty() {
            self.firsts.extend(entry.prefix);
        }
        entry.write(&mut self.chunk);
        self.entries += 1;
        if self.chunk.len() == CHUNK_ENTRIES * ENTRY_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), Refusal> {
        let written = self.writer.chunk(&self.chunk).map_err(|error| blob_refusal(&error));
        self.chunk.clear();
        written
    }

    fn finish(mut self) -> Result<Run, Refusal> {
        if !self.chunk.is_empty() {
            self.flush()?;
        }
        self.writer.chunk(&self.firsts).map_err(|error| blob_refusal(&error))?;
        let blob = self.writer.finish().map_err(|error| blob_refusal(&error))?;
        Ok(Run { blob, entries: self.entries })
    }
}

/// The entries of a run that bear this handle.
fn find_in_run(vault: &Vault, run: &Run, handle: &Handle) -> Result<Vec<Entry>, Refusal> {
    let wanted = prefix(handle);
    let reader = vault.open_blob(&run.blob)?;
    let last = run.blob.chunks.saturating_sub(1);
    let firsts = reader.chunk(last).map_err(|error| blob_refusal(&error))?;
    let firsts: Vec<&[u8]> = firsts.chunks(PREFIX_BYTES).collect();
    // It may begin in the chunk before the first that begins with it.
    let begin = firsts.partition_point(|first| *first < &wanted[..]).saturating_sub(1);
    let end = firsts.partition_point(|first| *first <= &wanted[..]);
    let mut found = Vec::new();
    for number in begin..end {
        let number = u32::try_from(number).map_err(|error| Refusal::internal(&error))?;
        let chunk = read_chunk(&reader, number)?;
        let from = chunk.partition_point(|entry| entry.prefix < wanted);
        found.extend(chunk[from..].iter().take_while(|entry| entry.prefix == wanted));
    }
    Ok(found)
}

/// Every leaf that concerns the person of this handle, oldest first. Blocks: for threads that may wait.
pub fn find(
    exchange: &Exchange,
    place: &YearPlace,
    handle: &Handle,
) -> Result<Vec<Entry>, Refusal> {
    // First what waits: what leaves it meanwhile is in the runs of the state that is read afterwards.
    let waiting = exchange.subjects_waiting().all();
    let mut found = match find_in_runs(exchange, place, handle) {
        // Replaced by a larger one just now.
        Err(refusal) if refusal.reason != Reason::DataDestroyed => {
            find_in_runs(exchange, place, handle)?
        }
        found => found?,
    };
    let wanted = prefix(handle);
    for event in waiting.iter().filter(|event| event.place() == place) {
        let entries = event.entries(exchange.vault())?.iter();
        found.extend(entries.filter(|entry| entry.prefix == wanted));
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

fn find_in_runs(
    exchange: &Exchange,
    place: &YearPlace,
    handle: &Handle,
) -> Result<Vec<Entry>, Refusal> {
    let mut found = Vec::new();
    for (_, run) in exchange.state().runs_of(place) {
        found.extend(find_in_run(exchange.vault(), &run, handle)?);
    }
    Ok(found)
}

/// Takes runs into use.
#[derive(Debug)]
struct Gather {
    /// So many frames are behind the runs now.
    until: u64,
    added: Vec<(YearPlace, Run)>,
    replaced: Vec<(YearPlace, u32, Run)>,
}

impl Command for Gather {
    type Reply = ();
    const METHOD: &'static str = "GatherSubjects";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        if self.until < gathered(desk.state) {
            return Err(Reason::VersionOld.into());
        }
        for ((agency, year), number, run) in &self.replaced {
            let place = (agency.clone(), *year, *number);
            if desk.state.subject_runs.get(&place) != Some(run) {
                return Err(Reason::VersionOld.into());
            }
            desk.state.subject_runs.remove(&place);
        }
        let mut entries = 0;
        for (place, run) in &self.added {
            let key = desk.state.subject_keys.get(place).ok_or(Reason::Internal)?;
            if key.destroyed {
                return Err(Reason::VersionOld.into());
            }
            let number = desk.state.runs_of(place).last().map_or(0, |(number, _)| number + 1);
            let (agency, year) = place.clone();
            desk.state.subject_runs.put((agency, year, number), *run);
            entries += run.entries;
        }
        desk.state.subjects_gathered.put(0, self.until);
        let mark = Mark::ok(Operation::AdminAction).count(Counter::In, entries);
        Ok(Decision::new((), mark))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_reads_back_and_sorts_as_its_bytes_do() {
        let entry = |first: u8, leaf, number| {
            let mut handle = [0; 32];
            handle[0] = first;
            Entry::new(&handle, leaf, number, [7; 16], Said::Answered.number())
        };
        let entries = [entry(0, 9, 9), entry(1, 2, 300), entry(1, 256, 1), entry(2, 0, 0)];
        let bytes = entries.map(|entry| {
            let mut bytes = Vec::new();
            entry.write(&mut bytes);
            bytes
        });
        for (entry, bytes) in entries.iter().zip(&bytes) {
            assert_eq!(bytes.len(), ENTRY_BYTES);
            assert_eq!(Entry::read(bytes).as_ref(), Some(entry));
            assert_eq!(entry.said(), Some(Said::Answered));
        }
        assert!(entries.is_sorted() && bytes.is_sorted());
        assert_eq!(Entry::read(&[0; ENTRY_BYTES - 1]), None);
    }
}
