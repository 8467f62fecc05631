//! What a command leaves in the log.

use jiff::Timestamp;
use renkei_linkage::Outcome;
use renkei_tlog::leaf::{
    Actor, AgreementRef, Amount, ClockState, Counter, Counts, DatasetRef, Decision, Disclosure,
    LeafResult, Manifest as ManifestInLeaf, ModelRef, ObjectId, Operation, Peer, SeenCheckpoint,
    SnapshotRef, SubjectMode, Subjects, Sums, UtcMillis,
};
use renkei_tlog::{Leaf, LeafError};
use renkei_types::{
    AgencyId, AgreementId, DatasetId, Digest, DigestBuilder, EventId, Identity, LegalBasis, Reason,
    RequestId, Slug, SnapshotId, Yen,
};

use crate::agreement::Agreement;
use crate::caller::Caller;
use crate::manifest::Manifest;
use crate::permit::{Permit, Right};
use crate::refusal::Refusal;
use crate::subject::{SubjectSet, epoch};
use crate::year_key::FiscalYear;

/// What the leaf of a frame says beyond who and when. It can hold no free text: only ids, codes, counts and digests.
#[derive(Clone, Debug)]
pub struct Mark {
    operation: Operation,
    result: LeafResult,
    reason: Option<Reason>,
    object: Option<ObjectId>,
    dataset: Option<DatasetId>,
    snapshot: Option<SnapshotId>,
    peer: Option<Peer>,
    agreement: Option<(AgreementId, Digest)>,
    basis: Option<LegalBasis>,
    purpose: Option<Slug>,
    counts: Counts,
    sums: Sums,
    decision: Option<Decision>,
    model: Option<Digest>,
    attempt: Option<u32>,
    configuration: Option<Digest>,
    clock: ClockState,
    seen: Option<SeenCheckpoint>,
    certificate: Option<Digest>,
    subjects: Option<Subjects>,
    manifest: Option<ManifestInLeaf>,
    disclosure: Option<Disclosure>,
}

/// Who and when.
pub(crate) struct Stamp<'a> {
    pub(crate) event: EventId,
    pub(crate) time: Timestamp,
    pub(crate) caller: Option<&'a Caller>,
    pub(crate) request: Option<RequestId>,
}

impl Mark {
    /// An event that ended well.
    pub fn ok(operation: Operation) -> Self {
        Self {
            operation,
            result: LeafResult::Ok,
            reason: None,
            object: None,
            dataset: None,
            snapshot: None,
            peer: None,
            agreement: None,
            basis: None,
            purpose: None,
            counts: Counts::new(),
            sums: Sums::default(),
            decision: None,
            model: None,
            attempt: None,
            configuration: None,
            clock: ClockState::Ok,
            seen: None,
            certificate: None,
            subjects: None,
            manifest: None,
            disclosure: None,
        }
    }

    /// An event that ended otherwise, and why.
    pub fn ended(operation: Operation, result: LeafResult, reason: Reason) -> Self {
        Self { result, reason: Some(reason), ..Self::ok(operation) }
    }

    /// The same, about a thing.
    #[must_use]
    pub fn about(self, object: impl Into<ObjectId>) -> Self {
        Self { object: Some(object.into()), ..self }
    }

    /// The same, about an agency.
    #[must_use]
    pub fn about_agency(self, agency: &AgencyId) -> Self {
        Self { peer: Some(Peer::Agency(agency.clone())), ..self }
    }

    /// The same, about a party.
    #[must_use]
    pub fn about_party(self, identity: &Identity) -> Self {
        Self { peer: Some(Peer::Client(identity.clone())), ..self }
    }

    /// The same, of a dataset.
    #[must_use]
    pub fn of_dataset(self, dataset: DatasetId) -> Self {
        Self { dataset: Some(dataset), ..self }
    }

    /// The same, of a snapshot.
    #[must_use]
    pub fn of_snapshot(self, snapshot: SnapshotId) -> Self {
        Self { snapshot: Some(snapshot), ..self }
    }

    /// The same, resting on the agreement of a permit.
    #[must_use]
    pub fn under<R: Right>(self, permit: &Permit<R>) -> Self {
        Self {
            agreement: permit.agreement(),
            purpose: permit.purpose().cloned(),
            basis: permit.basis(),
            disclosure: permit.telling().in_leaf(),
            ..self
        }
    }

    /// The same, resting on an agreement without a permit: the broker's own doing for its consumer.
    #[must_use]
    pub fn for_consumer_of(self, id: AgreementId, agreement: &Agreement) -> Self {
        let terms = &agreement.terms;
        Self {
            agreement: Some((id, agreement.digest)),
            purpose: Some(terms.purpose.clone()),
            basis: Some(terms.basis),
            disclosure: terms.told.in_leaf(),
            ..self.about_agency(&terms.consumer)
        }
    }

    /// The same, about these persons. Whoever they are stands sealed in the frame; see [`crate::command::Decision`].
    #[must_use]
    pub fn concerning(self, persons: &SubjectSet) -> Self {
        Self { subjects: Some(persons.subjects()), ..self }
    }

    /// The same, about the lines of a job.
    pub fn with_manifest(self, manifest: &Manifest) -> Result<Self, Refusal> {
        let (subjects, manifest) = (Some(manifest.subjects()), Some(manifest.in_leaf()?));
        Ok(Self { subjects, manifest, ..self })
    }

    /// The same, about a year of whose persons nothing can be told any more, and how many entries went.
    #[must_use]
    pub fn of_year_without(self, year: FiscalYear, entries: u64) -> Self {
        let gone = Subjects { epoch: epoch(year), mode: SubjectMode::None, n: entries, root: None };
        Self { subjects: Some(gone), ..self }
    }

    /// The same, never shown to the persons whom it concerns.
    #[must_use]
    pub fn withheld(self) -> Self {
        Self { disclosure: Some(Disclosure::Withhold), ..self }
    }

    /// The same, with an agreement.
    #[must_use]
    pub fn with_agreement(self, id: AgreementId, digest: Digest) -> Self {
        Self { agreement: Some((id, digest)), ..self }
    }

    /// The same, with a count.
    #[must_use]
    pub fn count(mut self, counter: Counter, count: u64) -> Self {
        self.counts.insert(counter, count);
        self
    }

    /// The same, with lines by outcome.
    #[must_use]
    pub fn outcomes(self, outcomes: impl IntoIterator<Item = (Outcome, u64)>) -> Self {
        let counter = |outcome| match outcome {
            Outcome::Linked => Counter::Linked,
            Outcome::LinkedByClerk => Counter::LinkedByClerk,
            Outcome::Review => Counter::Review,
            Outcome::Ambiguous => Counter::Ambiguous,
            Outcome::Duplicate => Counter::Duplicate,
            Outcome::NotFound => Counter::NotFound,
            Outcome::Unlinkable => Counter::Unlinkable,
            Outcome::RejectedInput => Counter::RejectedInput,
        };
        outcomes
            .into_iter()
            .fold(self, |mark, (outcome, lines)| mark.count(counter(outcome), lines))
    }

    /// The same, with yen that came in over so many lines. Of few lines the leaf holds a commitment only.
    #[must_use]
    pub fn yen_in(mut self, yen: u64, lines: u64, salt: &[u8; 16]) -> Self {
        self.sums.yen_in = Some(Amount::of_lines(Yen(yen), lines, salt));
        self
    }

    /// The same, with yen that went out.
    #[must_use]
    pub fn yen_out(mut self, yen: u64, lines: u64, salt: &[u8; 16]) -> Self {
        self.sums.yen_out = Some(Amount::of_lines(Yen(yen), lines, salt));
        self
    }

    /// The same, with a decision.
    #[must_use]
    pub fn decided(self, decision: Decision) -> Self {
        Self { decision: Some(decision), ..self }
    }

    /// The same, with the model that decided.
    #[must_use]
    pub fn by_model(self, model: Digest) -> Self {
        Self { model: Some(model), ..self }
    }

    /// The same, with how often it has been tried.
    #[must_use]
    pub fn attempt(self, attempt: u32) -> Self {
        Self { attempt: Some(attempt), ..self }
    }

    /// The same, with the fingerprint of a key that is to be used from now on.
    #[must_use]
    pub fn naming(self, key: Digest) -> Self {
        Self { configuration: Some(key), ..self }
    }

    /// The same, with the digest of a configuration.
    #[must_use]
    pub fn configuration(self, digest: Digest) -> Self {
        Self { configuration: Some(digest), ..self }
    }

    /// The same, with how far the clock is to be trusted.
    #[must_use]
    pub fn clock(self, clock: ClockState) -> Self {
        Self { clock, ..self }
    }

    /// The same, with a checkpoint that was known.
    #[must_use]
    pub fn seen(self, checkpoint: SeenCheckpoint) -> Self {
        Self { seen: Some(checkpoint), ..self }
    }

    /// The same, with the certificate that somebody showed whom nobody knows.
    #[must_use]
    pub fn showing(self, certificate: Digest) -> Self {
        Self { certificate: Some(certificate), ..self }
    }

    pub(crate) fn leaf(self, stamp: &Stamp<'_>) -> Result<Vec<u8>, LeafError> {
        let mut leaf =
            Leaf::new(stamp.event, UtcMillis::from(stamp.time), self.operation, self.result);
        leaf.actor.cert = self.certificate;
        if let Some(caller) = stamp.caller {
            let actor = Actor::of(&caller.identity);
            leaf.actor =
                Actor { cert: Some(caller.certificate), ca: Some(caller.authority), ..actor };
        }
        leaf.agr = self.agreement.map(|(id, digest)| AgreementRef { digest, id, ver: 1 });
        leaf.basis = self.basis.map(basis_in_log);
        leaf.att = self.attempt;
        leaf.cfg = self.configuration;
        leaf.clk = self.clock;
        leaf.cnt = self.counts;
        leaf.code = self.reason.map(Into::into);
        leaf.dec = self.decision;
        leaf.disc = self.disclosure;
        leaf.ds = self.dataset.map(|id| DatasetRef { id, layout: 1 });
        leaf.idem = stamp.request.map(|request| {
            let mut digest = DigestBuilder::new();
            digest.field(request.as_bytes());
            digest.finish()
        });
        leaf.job = self.object;
        leaf.man = self.manifest;
        leaf.model =
            self.model.map(|digest| ModelRef { digest: Some(digest), ..ModelRef::default() });
        leaf.peer = self.peer;
        leaf.purpose = self.purpose;
        leaf.seen = self.seen;
        leaf.snap = self.snapshot.map(|id| SnapshotRef { digest: None, id });
        leaf.subj = self.subjects;
        leaf.sum = (self.sums != Sums::default()).then_some(self.sums);
        leaf.to_bytes()
    }
}

/// The code in the log, where names are in lower case.
fn basis_in_log(basis: LegalBasis) -> Slug {
    // Unwrap safety: a test of the list shows that every code is a name.
    basis.as_str().to_ascii_lowercase().parse().expect("codes in lower case are names")
}

/// The time that a leaf states.
pub(crate) fn time_of(leaf: &[u8]) -> Option<Timestamp> {
    let leaf = Leaf::parse(leaf).ok()?;
    Timestamp::from_millisecond(i64::try_from(leaf.t.0).ok()?).ok()
}
