//! Manifests: what was decided on each line of a job, and of whom, provable under the one leaf that the job has.
//!
//! The leaf holds two roots ([`renkei_tlog::commitment`]); salts and records are in a sealed blob, 4,096 lines a chunk:
//!
//! ```text
//! chunk    for each line: length (2) | record | salt of the record (16) | salt of the person (16)
//! last     for each chunk: root over its records (32) | root over its persons (32)
//! ```
//! A chunk is a perfect subtree, so the way from one line to the root takes one chunk and the last one, whatever the size
//! of the list. 300,000 lines are some 30 MB and 210 MB to hash, half a second of one core (0.45 s measured). Invariant: line
//! `n` of the list is number `n` of both trees. A line that means nobody has the handle of nobody.

use renkei_journal::{BlobReader, BlobRef};
use renkei_linkage::Outcome;
use renkei_tlog::Hash;
use renkei_tlog::commitment::{
    Handle, HashRow, LineRecord, NOBODY, OpenedPerson, OpenedRecord, Path, RECORDS_ALGORITHM,
    SALT_BYTES, Salt, person_hash, record_hash,
};
use renkei_tlog::leaf::{Manifest as ManifestInLeaf, SubjectMode, Subjects};
use renkei_tlog::proof::InclusionProof;
use renkei_tlog::tree::tree_root;
use renkei_types::{Digest, Reason};
use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;
use crate::rows::CHUNK_ROWS;
use crate::store::{Vault, blob_refusal};
use crate::subject::{Handles, epoch};
use crate::year_key::YearPlace;

/// How the records are sealed, as leaves name it.
const SEALED_HOW: &str = "xchacha20poly1305";

/// What is public of a manifest, and where the rest is.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Manifest {
    /// The agency whose register was linked to, and the year of the handles.
    pub place: YearPlace,
    /// Records and salts, sealed with the key of that year.
    pub blob: BlobRef,
    /// How many lines.
    pub lines: u64,
    /// The root over the persons.
    pub persons: Digest,
    /// The root over the records.
    pub records: Digest,
}

/// A line, and what was decided on it.
#[derive(Clone, Copy, Debug)]
pub struct DecidedOn<'a> {
    /// Id of the line.
    pub line: &'a str,
    /// Id of the best candidate in the register.
    pub person: Option<&'a str>,
    /// The outcome.
    pub outcome: Outcome,
    /// Weight of the pair, in thousandths of a bit.
    pub weight: i32,
    /// The reason.
    pub reason: Reason,
}

/// Writes the manifest of a job. Blocks: for threads that may wait.
pub fn write<'a>(
    vault: &Vault,
    handles: &Handles,
    lines: impl ExactSizeIterator<Item = DecidedOn<'a>>,
) -> Result<Manifest, Refusal> {
    let key = vault.key(handles.key())?;
    let mut writer = vault.blob_writer(&key, handles.key())?;
    let mut roots = Roots::default();
    let count = lines.len() as u64;
    let mut chunk = ChunkWriter::default();
    for (row, decided) in (0u32..).zip(lines) {
        chunk.push(vault, handles, row, &decided);
        if chunk.records.len() == CHUNK_ROWS {
            writer.chunk(&chunk.finish(&mut roots)).map_err(|error| blob_refusal(&error))?;
        }
    }
    if !chunk.records.is_empty() {
        writer.chunk(&chunk.finish(&mut roots)).map_err(|error| blob_refusal(&error))?;
    }
    writer.chunk(&roots.to_bytes()).map_err(|error| blob_refusal(&error))?;
    Ok(Manifest {
        place: handles.place().clone(),
        blob: writer.finish().map_err(|error| blob_refusal(&error))?,
        lines: count,
        persons: tree_root(&roots.persons).into(),
        records: tree_root(&roots.records).into(),
    })
}

/// The roots of the chunks.
#[derive(Default)]
struct Roots {
    records: Vec<Hash>,
    persons: Vec<Hash>,
}

impl Roots {
    fn to_bytes(&self) -> Vec<u8> {
        let pairs = self.records.iter().zip(&self.persons);
        pairs
            .flat_map(|(record, person)| [*record.as_bytes(), *person.as_bytes()].concat())
            .collect()
    }

    fn read(bytes: &[u8]) -> Self {
        let hash = |bytes: &[u8]| {
            let mut hash = [0; Hash::BYTES];
            hash.copy_from_slice(bytes);
            Hash::from_bytes(hash)
        };
        let pairs = bytes.chunks_exact(2 * Hash::BYTES).map(|pair| pair.split_at(Hash::BYTES));
        let (records, persons) = pairs.map(|(record, person)| (hash(record), hash(person))).unzip();
        Self { records, persons }
    }
}

/// A chunk that grows.
#[derive(Default)]
struct ChunkWriter {
    bytes: Vec<u8>,
    salted: Vec<u8>,
    /// Drawn for a whole chunk at once: asking the system for each takes longer than hashing it.
    salts: Vec<u8>,
    records: Vec<Hash>,
    persons: Vec<Hash>,
}

impl ChunkWriter {
    fn push(&mut self, vault: &Vault, handles: &Handles, row: u32, decided: &DecidedOn<'_>) {
        if self.records.is_empty() {
            self.salts.resize(2 * SALT_BYTES * CHUNK_ROWS, 0);
            vault.entropy().fill(&mut self.salts);
        }
        let at = 2 * SALT_BYTES * self.records.len();
        let (mut of_record, mut of_person) = (Salt::default(), Salt::default());
        of_record.copy_from_slice(&self.salts[at..at + SALT_BYTES]);
        of_person.copy_from_slice(&self.salts[at + SALT_BYTES..at + 2 * SALT_BYTES]);
        let person = decided.person.map_or(NOBODY, |id| handles.person(id));
        let (line, outcome) = (handles.line(decided.line), decided.outcome.as_str());
        let words = (outcome, decided.reason.as_str());
        self.salted.clear();
        self.salted.extend(of_record);
        let numbers = (row, decided.weight);
        LineRecord::write(numbers, (&line, &person), words, &mut self.salted);
        self.records.push(record_hash(&self.salted));
        self.persons.push(person_hash(&of_person, &person, outcome));
        let record = &self.salted[SALT_BYTES..];
        // A record has 58 bytes and two codes.
        self.bytes.extend((record.len() as u16).to_be_bytes());
        self.bytes.extend(record);
        self.bytes.extend(of_record);
        self.bytes.extend(of_person);
    }

    fn finish(&mut self, roots: &mut Roots) -> Vec<u8> {
        roots.records.push(tree_root(&self.records));
        roots.persons.push(tree_root(&self.persons));
        self.records.clear();
        self.persons.clear();
        std::mem::take(&mut self.bytes)
    }
}

/// A line as it was kept.
pub(crate) struct KeptLine {
    pub(crate) record: LineRecord,
    salt_of_record: Salt,
    pub(crate) salt_of_person: Salt,
}

impl KeptLine {
    /// The lines of a chunk; an error where the bytes are none.
    fn all(mut bytes: &[u8]) -> Result<Vec<Self>, Refusal> {
        let mut lines = Vec::new();
        while !bytes.is_empty() {
            let line = Self::next(&mut bytes).ok_or(Reason::Internal)?;
            lines.push(line);
        }
        Ok(lines)
    }

    fn next(bytes: &mut &[u8]) -> Option<Self> {
        let (length, rest) = bytes.split_first_chunk()?;
        let (record, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        let (salt_of_record, rest) = rest.split_first_chunk()?;
        let (salt_of_person, rest) = rest.split_first_chunk()?;
        *bytes = rest;
        Some(Self {
            record: LineRecord::read(record)?,
            salt_of_record: *salt_of_record,
            salt_of_person: *salt_of_person,
        })
    }

    fn record_hash(&self) -> Hash {
        record_hash(&[self.salt_of_record.as_slice(), &self.record.to_bytes()].concat())
    }

    fn person_hash(&self) -> Hash {
        person_hash(&self.salt_of_person, &self.record.person, &self.record.outcome)
    }
}

impl Manifest {
    /// What the leaf says of persons.
    pub(crate) fn subjects(&self) -> Subjects {
        let mode = if self.lines == 0 { SubjectMode::None } else { SubjectMode::Set };
        Subjects { epoch: epoch(self.place.1), mode, n: self.lines, root: Some(self.persons) }
    }

    /// What the leaf says of the records.
    pub(crate) fn in_leaf(&self) -> Result<ManifestInLeaf, Refusal> {
        Ok(ManifestInLeaf {
            alg: RECORDS_ALGORITHM.parse().map_err(|error| Refusal::internal(&error))?,
            enc: SEALED_HOW.parse().map_err(|error| Refusal::internal(&error))?,
            n: self.lines,
            root: self.records,
        })
    }

    /// Every line that means somebody, or may: its number, the person, the salt, and the outcome.
    pub(crate) fn each_person(
        &self,
        vault: &Vault,
        mut of: impl FnMut(u32, Handle, Salt, &str),
    ) -> Result<(), Refusal> {
        let reader = vault.open_blob(&self.blob)?;
        for number in 0..self.chunks_of_lines() {
            for line in read_chunk(&reader, number)? {
                if line.record.person != NOBODY {
                    let record = &line.record;
                    of(record.row, record.person, line.salt_of_person, &record.outcome);
                }
            }
        }
        Ok(())
    }

    /// Opens the commitments to one line. Blocks: for threads that may wait.
    pub fn open(&self, vault: &Vault, row: u32) -> Result<(OpenedPerson, OpenedRecord), Refusal> {
        let reader = vault.open_blob(&self.blob)?;
        let (number, at) = crate::rows::place(u64::from(row));
        if u64::from(row) >= self.lines {
            return Err(Reason::Internal.into());
        }
        let mut lines = read_chunk(&reader, number)?;
        let bytes =
            reader.chunk(self.chunks_of_lines()).map_err(|error| Refusal::internal(&error))?;
        let roots = Roots::read(&bytes);
        let way = |hash: fn(&KeptLine) -> Hash, roots: &[Hash]| -> Option<Path> {
            let hashes: Vec<Hash> = lines.iter().map(hash).collect();
            let below = HashRow(&hashes).proof(at as u64)?.hashes;
            let above = HashRow(roots).proof(u64::from(number))?.hashes;
            let hashes = [below, above].concat();
            Some(InclusionProof { index: row.into(), tree_size: self.lines, hashes }.into())
        };
        let of_person = way(KeptLine::person_hash, &roots.persons).ok_or(Reason::Internal)?;
        let of_record = way(KeptLine::record_hash, &roots.records).ok_or(Reason::Internal)?;
        let KeptLine { record, salt_of_record, salt_of_person } = lines.swap_remove(at);
        let person = OpenedPerson {
            salt: salt_of_person,
            handle: record.person,
            said: record.outcome.clone(),
            path: of_person,
        };
        Ok((person, OpenedRecord { salt: salt_of_record, record, path: of_record }))
    }

    fn chunks_of_lines(&self) -> u32 {
        u32::try_from(self.lines.div_ceil(CHUNK_ROWS as u64)).unwrap_or(u32::MAX)
    }
}

fn read_chunk(reader: &BlobReader, number: u32) -> Result<Vec<KeptLine>, Refusal> {
    KeptLine::all(&reader.chunk(number).map_err(|error| Refusal::internal(&error))?)
}
