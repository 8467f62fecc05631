//! What witnesses have said of the log, as far as it decides what may leave.
//!
//! A release is believed in by people who were not there, so it needs somebody else's word that the log it stands in has one
//! past. Where a policy is configured, money leaves only while its quorum has cosigned the log within the grace; uploads,
//! linkage and review go on. Once a witness has seen another past, nothing is changed and nothing is signed until an
//! operator has accepted what is known: see [`crate::dispute`]. A store that was put back is in itself without fault, so where
//! the quorum has not cosigned within the grace and is silent at the start, nothing is signed before it has been heard: work
//! goes on, and what it leaves is signed later, or never.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use renkei_tlog::{
    LogError, LogFolder, Policy, SignedCheckpoint, Standing, VerifierKey, proof::root_at,
};
use renkei_types::Reason;

use crate::refusal::Refusal;

/// Who has to cosign, and how long ago that may be.
#[derive(Clone, Debug)]
pub struct WitnessRule {
    /// Who.
    pub policy: Arc<Policy>,
    /// How long releases go on after the quorum has cosigned.
    pub grace: Duration,
    /// Whether a quorum that can be asked was asked about what was signed last, and was silent.
    pub unheard: bool,
}

/// How far a witness's clock may be ahead of ours for its word to count.
const AHEAD_MAX_SECONDS: u64 = 10 * 60;

/// What is known at this moment, shared by everybody who asks.
#[derive(Debug, Default)]
pub struct Witnessed {
    rule: Option<WitnessRule>,
    /// As of when the quorum has cosigned, in seconds since 1970; 0 where it never has.
    since: AtomicU64,
    disputed: AtomicBool,
    /// Nothing is signed until the quorum has been heard.
    held: AtomicBool,
}

fn seconds(time: Timestamp) -> u64 {
    u64::try_from(time.as_second()).unwrap_or_default()
}

impl Witnessed {
    /// Nothing is known yet but the rule, and whether a dispute is open.
    pub(crate) fn begin(rule: Option<WitnessRule>, disputed: bool) -> Self {
        Self {
            rule,
            since: AtomicU64::new(0),
            disputed: AtomicBool::new(disputed),
            held: AtomicBool::new(false),
        }
    }

    /// The rule, where there is one.
    pub fn rule(&self) -> Option<&WitnessRule> {
        self.rule.as_ref()
    }

    /// As of when the quorum has cosigned.
    pub fn since(&self) -> Option<Timestamp> {
        let since = self.since.load(Ordering::SeqCst);
        i64::try_from(since)
            .ok()
            .filter(|since| *since > 0)
            .and_then(|since| Timestamp::from_second(since).ok())
    }

    /// Whether a witness knows another past than this log has.
    pub fn is_disputed(&self) -> bool {
        self.disputed.load(Ordering::SeqCst)
    }

    pub(crate) fn dispute(&self) {
        self.disputed.store(true, Ordering::SeqCst);
    }

    /// Whether nothing is signed before the quorum has been heard.
    pub fn is_held(&self) -> bool {
        self.held.load(Ordering::SeqCst)
    }

    /// The quorum has been heard, or was waited for long enough.
    pub fn release_signing(&self) {
        self.held.store(false, Ordering::SeqCst);
    }

    /// Begins to hold signatures back, where the quorum is silent and has not cosigned within the grace.
    pub(crate) fn hold_unless_heard(&self, now: Timestamp) {
        let unheard = self.rule.as_ref().is_some_and(|rule| rule.unheard);
        if unheard && self.check_release(now).is_err() {
            tracing::warn!(
                "too few witnesses are heard; nothing is signed until they are, or the grace is over"
            );
            self.held.store(true, Ordering::SeqCst);
        }
    }

    /// Refuses to sign while a dispute is open or the quorum has not been heard.
    pub(crate) fn check_signing(&self) -> Result<(), Refusal> {
        self.check_change()?;
        if self.is_held() { Err(Reason::NotWitnessed.into()) } else { Ok(()) }
    }

    /// Refuses whatever changes something while a dispute is open.
    pub(crate) fn check_change(&self) -> Result<(), Refusal> {
        if self.is_disputed() { Err(Reason::LogDisputed.into()) } else { Ok(()) }
    }

    /// Refuses what lets money leave, unless the quorum has cosigned within the grace.
    pub(crate) fn check_release(&self, now: Timestamp) -> Result<(), Refusal> {
        self.check_change()?;
        let Some(rule) = self.rule.as_ref().filter(|rule| rule.policy.needs_witnesses()) else {
            return Ok(());
        };
        let age = seconds(now).saturating_sub(self.since.load(Ordering::SeqCst));
        if age > rule.grace.as_secs() { Err(Reason::NotWitnessed.into()) } else { Ok(()) }
    }

    /// Takes over what the log kept when it was last served.
    pub(crate) fn recall(
        &self,
        folder: &LogFolder,
        keys: &[VerifierKey],
        now: Timestamp,
    ) -> Result<(), LogError> {
        let (Some(rule), Some(note)) = (&self.rule, folder.cosigned()?) else { return Ok(()) };
        // Without it nothing leaves until the witnesses have cosigned anew, which is no reason not to start.
        let counted = SignedCheckpoint::open(&note, keys)
            .map_err(LogError::from)
            .and_then(|kept| self.count(rule, &kept, now));
        if let Err(error) = counted {
            tracing::warn!(%error, "the checkpoint that was cosigned last cannot be used");
        }
        Ok(())
    }

    fn count(
        &self,
        rule: &WitnessRule,
        checkpoint: &SignedCheckpoint,
        now: Timestamp,
    ) -> Result<Standing, LogError> {
        let latest = seconds(now).saturating_add(AHEAD_MAX_SECONDS);
        let standing = rule.policy.standing(checkpoint, Some(latest))?;
        self.since.fetch_max(standing.since.unwrap_or_default(), Ordering::SeqCst);
        if self.check_release(now).is_ok() {
            self.release_signing();
        }
        Ok(standing)
    }

    /// Puts what witnesses have said of a checkpoint of this log beside it. `log` are all keys that have signed it, `year` is
    /// the final checkpoint of a year, where that is meant. Answers how the checkpoint stands now.
    pub(crate) fn accept(
        &self,
        folder: &mut LogFolder,
        log: &[VerifierKey],
        offered: &SignedCheckpoint,
        present: Option<&SignedCheckpoint>,
        year: Option<&SignedCheckpoint>,
        now: Timestamp,
    ) -> Result<Accepted, LogError> {
        let Some(rule) = &self.rule else { return Ok(Accepted::NoRule) };
        let known = offered.checkpoint();
        let continues = known.size <= folder.size() && root_at(folder, known.size)? == known.root;
        if !continues {
            return Ok(Accepted::OtherPast);
        }
        let cosigners = rule.policy.cosigners();
        // Lines of nobody who is known are left behind, and lines of the same checkpoint that came before stay.
        let kept = folder.cosigned()?;
        let kept = kept.and_then(|note| SignedCheckpoint::open(&note, log).ok());
        let mut lines = offered.cosignatures(&cosigners)?;
        let same = |it: &&SignedCheckpoint| it.checkpoint() == known;
        for before in kept.iter().chain(present).chain(year).filter(same) {
            lines.extend(before.cosignatures(&cosigners).unwrap_or_default());
        }
        // The key that signed it then: a later one must not sign what is older than the leaf that announces it.
        let whole = offered.without_others_lines(log).with_cosignatures(&lines);
        // The later one stays, and of one second the larger.
        let before = match &kept {
            Some(kept) => {
                let since = rule.policy.standing(kept, None).ok().and_then(|it| it.since);
                (since, kept.checkpoint().size)
            }
            None => (None, 0),
        };
        let standing = self.count(rule, &whole, now)?;
        if standing.since.is_some() && (standing.since, known.size) >= before {
            folder.keep_cosigned(&whole)?;
        }
        let cosigned =
            |plain: Option<&SignedCheckpoint>| Some(plain.filter(same)?.with_cosignatures(&lines));
        let (present, year) = (cosigned(present), cosigned(year));
        if let Some(present) = &present {
            folder.cosign(present)?;
        }
        Ok(Accepted::Counted(Box::new(Counted { standing, present, year })))
    }
}

/// What became of something that witnesses have said.
pub(crate) enum Accepted {
    /// No policy says who they are.
    NoRule,
    /// It is about a past that this log does not have.
    OtherPast,
    /// It counts.
    Counted(Box<Counted>),
}

/// What counts, and under which checkpoints it stands now.
pub(crate) struct Counted {
    /// How far it counts.
    pub(crate) standing: Standing,
    /// The checkpoint that is published now, with the lines, where it is the one that they are about.
    pub(crate) present: Option<SignedCheckpoint>,
    /// The same of the final checkpoint of a year.
    pub(crate) year: Option<SignedCheckpoint>,
}
