//! Protected persons (DV等支援措置): who is protected, known from a feed that comes before everything else.
//!
//! Towns have leaked addresses because a list was made where the flag was not. So the flags travel by themselves: a
//! small numbered feed, sent whenever something changes and at least so often, empty if need be. What is known is the
//! feed and the flags of the register in use, whatever the register said when a list was linked to it.
//!
//! ```text
//! flag of the record in use --+
//! feed, all numbers so far ---+--> protected?  --> address, previous address, household withheld
//! neither, or too old --------+--> of everybody
//! ```
//! Nobody is protected less because something is missing: what cannot be read is a yes, who is not named again stays
//! protected, a period that has ended protects until the provider says that it is over and is told of meanwhile, and if
//! nothing was heard for too long, everybody is treated as protected (`PROTECTION_STALE`).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::Date;
use renkei_journal::{BlobRef, DataKey};
use renkei_tables::{Admission, Schema, Side, built_in_column};
use renkei_tlog::leaf::{Counter, Operation};
use renkei_types::{DatasetId, Digest, DigestBuilder, Reason, UploadId};
use serde::{Deserialize, Serialize};

use crate::command::{Call, Command, Decision, Desk, Done};
use crate::flagged::Flagged;
use crate::index::Indexes;
use crate::ledger::Exchange;
use crate::mark::Mark;
use crate::permit::{Permit, SeeProtection, Submit};
use crate::refusal::Refusal;
use crate::seal::{self, Declaration, DestroyUpload};
use crate::shown::{PROTECTED, is_protected};
use crate::state::State;
use crate::store::{Vault, blob_refusal};
use crate::unknown_ids::{UnknownIds, without_zeros};
use crate::upload::{Spools, Target, Upload, UploadState};

/// The names of the column that says until when somebody is protected.
const UNTIL: &[&str] = &["protected_until", "until", "支援措置期限", "期限"];

/// Most persons in a chunk of the sealed list.
const CHUNK_PERSONS: usize = 4096;

/// How old what is known may be, where nothing else is configured.
pub const AGE_MAX: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// What the feed of a register has said so far.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Protection {
    /// Number of the last report.
    pub number: u64,
    /// Keyed digest of its file, by which a repetition is recognised.
    pub digest: Digest,
    /// When it came.
    pub reported_at: Timestamp,
    /// How many persons are protected.
    pub persons: u64,
    /// Of how many the period had ended by then.
    pub overdue: u64,
    /// How many ids of the report meant nobody in the register by then.
    #[serde(default)]
    pub unknown: Option<UnknownIds>,
    /// Who, sealed.
    pub list: BlobRef,
}

/// Who is protected, by id without its leading zeros, and until when as far as that was said.
pub type Periods = BTreeMap<String, Option<Date>>;

/// How many days ahead the end of a period is told: an extension may be asked for from a month before.
const SOON_DAYS: i64 = 31;

/// What comes of the periods of protected persons.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Outlook {
    /// Persons whose period has ended without the provider saying that it is over. They stay protected.
    pub overdue: u64,
    /// Persons whose period ends within the next 31 days, today included.
    pub ending_soon: u64,
    /// The next day on which a period ends.
    pub next_end: Option<Date>,
    /// Nothing was heard for too long, or never.
    pub is_stale: bool,
}

impl Outlook {
    /// Whether somebody must do something.
    pub const fn is_warning(&self) -> bool {
        self.overdue > 0 || self.ending_soon > 0 || self.is_stale
    }
}

/// Warns in the process log of periods that have ended or will, and of feeds that have fallen silent: which register, how many
/// and when, never who.
pub fn warn_of_ends(exchange: &Exchange, indexes: &Indexes) {
    let (state, now, today) = (exchange.state(), exchange.clock().now(), exchange.clock().today());
    for (dataset, protection) in state.protections.iter() {
        let outlook = indexes.protected(&state, exchange.vault(), *dataset, now).outlook(today);
        if outlook.is_warning() && state.check_provided(*dataset).is_ok() {
            let Outlook { overdue, ending_soon, next_end, is_stale } = outlook;
            let (report, reported_at) = (protection.number, protection.reported_at);
            let next_end = next_end.map(|day| day.to_string()).unwrap_or_default();
            tracing::warn!(
                %dataset, report, %reported_at, overdue, ending_soon, next_end, is_stale,
                "protection of persons ends or is not known: ask the provider for a report"
            );
        }
    }
}

/// Who is protected at this moment, as far as it is known.
#[derive(Clone, Debug, Default)]
pub struct Protected {
    /// Nothing was heard for too long, or never.
    pub is_stale: bool,
    reported: Arc<Periods>,
    flagged: Arc<Flagged>,
}

impl Protected {
    pub(crate) fn new(is_stale: bool, reported: Arc<Periods>, flagged: Arc<Flagged>) -> Self {
        Self { is_stale, reported, flagged }
    }

    /// Nothing is known, so everybody is protected.
    pub(crate) fn unknown() -> Self {
        Self { is_stale: true, ..Self::default() }
    }

    /// Whether what says where this resident lives is withheld.
    pub fn covers(&self, id: &str) -> bool {
        // Both are looked up whatever the first says.
        let reported = self.reported.contains_key(without_zeros(id));
        let flagged = self.flagged.has(id);
        self.is_stale | reported | flagged
    }

    /// What comes of the periods: how many have ended and will end, and when the next does. It names nobody.
    pub fn outlook(&self, today: Date) -> Outlook {
        let soon = today.checked_add(jiff::Span::new().days(SOON_DAYS)).unwrap_or(Date::MAX);
        let coming = self.reported.values().flatten().filter(|until| **until >= today);
        Outlook {
            overdue: self.overdue(today) as u64,
            ending_soon: coming.clone().filter(|until| **until <= soon).count() as u64,
            next_end: coming.min().copied(),
            is_stale: self.is_stale,
        }
    }

    /// Whether it is known of nobody that they are protected.
    pub(crate) fn is_nobody(&self) -> bool {
        !self.is_stale && self.reported.is_empty() && self.flagged.is_nobody()
    }

    /// Keyed digest of everybody who is known to be protected.
    pub(crate) fn digest(&self, key: &DataKey) -> Digest {
        let reported = self.reported.keys().map(String::as_str);
        let mut ids: Vec<&str> = reported.chain(self.flagged.ids()).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut digest = key.keyed_digest_of_parts("renkei protected persons");
        for id in ids {
            digest.update(&(id.len() as u64).to_be_bytes());
            digest.update(id.as_bytes());
        }
        digest.finish()
    }

    /// How many persons' periods have ended without the provider saying that they are over. They stay protected.
    pub fn overdue(&self, today: Date) -> usize {
        self.reported.values().flatten().filter(|until| **until < today).count()
    }
}

impl State {
    /// Whether what is known of protected persons is missing or too old.
    pub(crate) fn protection_is_stale(
        &self,
        dataset: DatasetId,
        now: Timestamp,
        age_max: Duration,
    ) -> bool {
        let fed = self.protections.get(&dataset).map(|protection| protection.reported_at);
        let in_use = self.snapshot_in_use(dataset).ok();
        let in_use = in_use.and_then(|id| self.snapshots.get(&id));
        let says = in_use.filter(|snapshot| snapshot.rows.column(PROTECTED).is_some());
        // Where there is a feed the flags of the register alone are not enough.
        let known = fed.or_else(|| says.and_then(|snapshot| snapshot.sealed_at));
        known.is_none_or(|known| {
            let age = now.duration_since(known);
            age > jiff::SignedDuration::try_from(age_max).unwrap_or(jiff::SignedDuration::MAX)
        })
    }
}

/// A report that has been read.
struct Ready {
    before: u64,
    list: BlobRef,
    persons: u64,
    overdue: u64,
    unknown: Option<UnknownIds>,
}

/// What a report came to.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Reported {
    /// Its number.
    pub number: u64,
    /// How many persons are protected now.
    pub persons: u64,
    /// Of how many the period has ended without the provider saying that it is over. They stay protected.
    pub overdue: u64,
    /// How many ids of the report mean nobody in the register.
    #[serde(default)]
    pub unknown: Option<UnknownIds>,
}

/// Takes an uploaded report of who is protected. Blocks: for threads that may wait.
pub fn report(
    exchange: &Exchange,
    spools: &Spools,
    call: Call,
    permit: Permit<Submit>,
    id: UploadId,
    declared: Declaration,
) -> Result<Done<Reported>, Refusal> {
    let state = exchange.state();
    let upload = state.uploads.get_shared(&id).ok_or(Reason::NoAgreement)?;
    let Target::Protection(dataset, number) = upload.target else {
        return Err(Reason::WrongState.into());
    };
    let mut digest = DigestBuilder::new();
    digest.field(&declared.sha256).number(declared.bytes).number(declared.totals.lines);
    let digest = exchange.body_digest(digest.finish().as_bytes());
    let before = state.protections.get(&dataset);
    let ready = match upload.state {
        UploadState::Sealed | UploadState::Destroyed => None,
        UploadState::Open => {
            let bytes = seal::received(exchange.vault(), spools, id, &upload, declared)?;
            let last = before.map_or(0, |before| before.number);
            if number == last + 1 {
                let today = exchange.clock().today();
                match read(exchange.vault(), &upload, before, &bytes, declared, today) {
                    Err(refusal) if refusal.reason == Reason::MyNumber => {
                        let caller = permit.caller().clone();
                        let destroy = DestroyUpload { permit, upload: id };
                        exchange.execute_now(Call::read(caller), destroy)?;
                        exchange.vault().destroy_key(upload.key)?;
                        spools.discard(id);
                        return Err(refusal);
                    }
                    read => {
                        let (ready, named) = read?;
                        let ids = named.iter().map(String::as_str);
                        let unknown = state.unknown_to_register(exchange.vault(), dataset, ids)?;
                        let unknown = unknown.map(|unknown| unknown.count());
                        Some(Ready { unknown, ..ready })
                    }
                }
            } else {
                None
            }
        }
    };
    let command = Report { permit, upload: id, dataset, number, digest, ready };
    let done = exchange.execute_now(call, command)?;
    spools.discard(id);
    Ok(done)
}

/// Reads a report, and keeps everybody who is protected with it. Answers the ids that it names too.
fn read(
    vault: &Vault,
    upload: &Upload,
    before: Option<&Protection>,
    bytes: &Bytes,
    declared: Declaration,
    today: Date,
) -> Result<(Ready, HashSet<String>), Refusal> {
    let mut periods = before.map(|before| open(vault, before)).transpose()?.unwrap_or_default();
    let mut named = HashSet::new();
    let mut reader = seal::open_table(upload, bytes)?;
    let missing = |field| Refusal::new(Reason::ColumnMissing).in_field(field);
    let (id, flag, until, schema) = {
        let header = reader.header();
        let id = built_in_column(header, "resident_id").ok_or(missing("resident_id"))?;
        let flag = built_in_column(header, "protected").ok_or(missing("protected"))?;
        let until = header.iter().position(|name| UNTIL.contains(&name.trim()));
        (id, flag, until, schema(&header[id], &header[flag])?)
    };
    // Ids are checked, and My Numbers looked for, as in every file.
    let binding = reader.bind(&schema, Side::Register).map_err(|error| seal::unbound(&error))?;
    let mut admission =
        Admission::of(&reader, &binding).map_err(|error| seal::not_admitted(&error))?;
    while let Some(batch) = reader.next_batch().map_err(|error| seal::unreadable(&error))? {
        admission.observe(&batch).map_err(|error| seal::not_admitted(&error))?;
        for row in 0..batch.rows() {
            let person = batch.cell(id, row).trim();
            named.insert(person.to_owned());
            // Whoever is flagged is protected, whatever became of the zeros in front of the id.
            let person = without_zeros(person);
            if !is_protected(batch.cell(flag, row)) {
                periods.remove(person);
                continue;
            }
            let until = until.map_or("", |until| batch.cell(until, row)).trim();
            let until = match until {
                "" => None,
                text => Some(text.parse::<Date>().map_err(|_| {
                    let line = batch.lines.get(row).copied().unwrap_or_default();
                    Refusal::field("protected_until").at_line(line)
                })?),
            };
            periods.insert(person.to_owned(), until);
        }
    }
    let admitted = admission.finish().map_err(|error| seal::not_admitted(&error))?;
    if let Some(found) = admitted.rejections().first() {
        return Err(Refusal::new(found.reason).at_line(found.line));
    }
    if admitted.lines() != declared.totals.lines || declared.totals.yen != 0 {
        return Err(Refusal::new(Reason::TotalsDiffer).in_field("declared.lines"));
    }
    let key = vault.key(upload.key)?;
    let mut writer = vault.blob_writer(&key, upload.key)?;
    let persons: Vec<(&String, &Option<Date>)> = periods.iter().collect();
    for chunk in persons.chunks(CHUNK_PERSONS) {
        let bytes = postcard::to_stdvec(chunk).map_err(|error| Refusal::internal(&error))?;
        writer.chunk(&bytes).map_err(|error| blob_refusal(&error))?;
    }
    let list = writer.finish().map_err(|error| blob_refusal(&error))?;
    let overdue = periods.values().flatten().filter(|until| **until < today).count() as u64;
    let before = before.map_or(0, |before| before.number);
    let persons = persons.len() as u64;
    Ok((Ready { before, list, persons, overdue, unknown: None }, named))
}

/// The schema of a report: an id and a flag.
fn schema(id: &str, flag: &str) -> Result<Schema, Refusal> {
    let quoted = |name: &str| format!("{name:?}");
    let (id, flag) = (quoted(id), quoted(flag));
    let text = format!(
        "id = {{ register = {id}, list = {id} }}\n[[field]]\nname = \"protected\"\nkind = \"category\"\n\
         register = {flag}\nlist = {flag}\n"
    );
    Schema::parse(&text, "report").map_err(|_| Reason::HeaderInvalid.into())
}

/// Who is protected by what was reported.
pub(crate) fn open(vault: &Vault, protection: &Protection) -> Result<Periods, Refusal> {
    let reader = vault.open_blob(&protection.list)?;
    let mut periods = Periods::new();
    for number in 0..protection.list.chunks {
        let bytes = reader.chunk(number).map_err(|error| Refusal::internal(&error))?;
        let chunk: Vec<(String, Option<Date>)> =
            postcard::from_bytes(&bytes).map_err(|error| Refusal::internal(&error))?;
        periods.extend(chunk.into_iter().map(|(id, until)| (without_zeros(&id).to_owned(), until)));
    }
    Ok(periods)
}

/// What was read of the feeds that are in use.
#[derive(Debug, Default)]
pub(crate) struct Feeds(parking_lot::Mutex<HashMap<DatasetId, (u64, Arc<Periods>)>>);

impl Feeds {
    /// What the feed of a register has said, where nothing has to be read for it.
    fn known(&self, state: &State, dataset: DatasetId) -> Option<Arc<Periods>> {
        let Some(protection) = state.protections.get(&dataset) else { return Some(Arc::default()) };
        let feeds = self.0.lock();
        let (number, periods) = feeds.get(&dataset)?;
        (*number == protection.number).then(|| Arc::clone(periods))
    }

    /// Whether what the feed of a register has said is in memory.
    pub(crate) fn is_known(&self, state: &State, dataset: DatasetId) -> bool {
        self.known(state, dataset).is_some()
    }

    /// What the feed of a register has said; nothing was said where there is none.
    pub(crate) fn of(
        &self,
        state: &State,
        vault: &Vault,
        dataset: DatasetId,
    ) -> Result<Arc<Periods>, Refusal> {
        if let Some(periods) = self.known(state, dataset) {
            return Ok(periods);
        }
        let protection = state.protections.get(&dataset).ok_or(Reason::Internal)?;
        let periods = Arc::new(open(vault, protection)?);
        self.0.lock().insert(dataset, (protection.number, Arc::clone(&periods)));
        Ok(periods)
    }
}

/// A look at what the feed of a register has said.
#[derive(Debug)]
pub struct LookAtProtection {
    /// That the caller may.
    pub permit: Permit<SeeProtection>,
    /// The register.
    pub dataset: DatasetId,
}

impl Command for LookAtProtection {
    type Reply = ();
    const METHOD: &'static str = "GetProtection";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        let mark = Mark::ok(Operation::Export).of_dataset(self.dataset);
        Ok(Decision::new((), mark))
    }
}

struct Report {
    permit: Permit<Submit>,
    upload: UploadId,
    dataset: DatasetId,
    number: u64,
    digest: Digest,
    ready: Option<Ready>,
}

impl Command for Report {
    type Reply = Reported;
    const METHOD: &'static str = "ReportProtected";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<Reported>, Refusal> {
        self.permit.check(desk.state, desk.today)?;
        let upload = desk.state.uploads.get(&self.upload).ok_or(Reason::NoAgreement)?;
        upload.check_open()?;
        desk.state.check_provided(self.dataset)?;
        let before = desk.state.protections.get(&self.dataset);
        let last = before.map_or(0, |before| before.number);
        let refused = |reason| Refusal::new(reason).in_field("protection").expecting(last + 1);
        let (persons, overdue, unknown) = match before {
            Some(before) if before.number == self.number => {
                if before.digest != self.digest {
                    return Err(refused(Reason::DeltaDiffers));
                }
                (before.persons, before.overdue, before.unknown)
            }
            _ if self.number != last + 1 => return Err(refused(Reason::DeltaGap)),
            _ => {
                let ready = self.ready.as_ref().ok_or(Reason::VersionOld)?;
                if ready.before != last {
                    return Err(Reason::VersionOld.into());
                }
                let protection = Protection {
                    number: self.number,
                    digest: self.digest,
                    reported_at: desk.now,
                    persons: ready.persons,
                    overdue: ready.overdue,
                    unknown: ready.unknown,
                    list: ready.list,
                };
                desk.state.protections.put(self.dataset, protection);
                (ready.persons, ready.overdue, ready.unknown)
            }
        };
        desk.state.uploads.change(&self.upload, |upload| upload.state = UploadState::Sealed);
        let reported = Reported { number: self.number, persons, overdue, unknown };
        let mark = Mark::ok(Operation::ProtectionReport)
            .about(self.upload)
            .of_dataset(self.dataset)
            .count(Counter::In, persons);
        Ok(Decision::new(reported, mark))
    }
}
