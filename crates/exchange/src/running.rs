//! The broker's own life: what it started with, what changed under it, and that it stopped in good order.
//!
//! A log in which nothing happened for a day looks the same whether nobody worked or somebody ran another program on the
//! same folders. So a start and a stop are leaves: a start without a stop before it was a crash, and nothing else. The
//! configuration stands in the leaf as a digest; which file has it, the operator keeps.

use std::time::Duration;

use jiff::Timestamp;
use renkei_tlog::leaf::{ClockState, Operation, SeenCheckpoint};
use renkei_types::Digest;
use serde::{Deserialize, Serialize};

use crate::command::{Command, Decision, Desk};
use crate::mark::Mark;
use crate::refusal::Refusal;

/// What a broker runs with.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Equipment {
    /// The digest of the configuration in force, with its defaults.
    pub config: Digest,
    /// The digest of the certificates and revocation lists in use.
    pub credentials: Digest,
}

/// Notes that the broker has started, and with which configuration.
pub(crate) struct Began {
    pub(crate) equipment: Equipment,
}

impl Command for Began {
    type Reply = ();
    const METHOD: &'static str = "Began";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        if desk.state.founding.get(&0).is_some_and(|founding| founding.equipment.is_none()) {
            keep(desk, self.equipment);
        }
        Ok(Decision::new((), Mark::ok(Operation::Start).configuration(self.equipment.config)))
    }
}

/// Notes what the broker runs with from now on. Nothing where it ran with the same before.
#[derive(Clone, Copy, Debug)]
pub enum NoteEquipment {
    /// A configuration.
    Config(Digest),
    /// Certificates and revocation lists.
    Credentials(Digest),
}

impl Command for NoteEquipment {
    type Reply = ();
    const METHOD: &'static str = "NoteEquipment";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        let founding = desk.state.founding.get(&0);
        let Some(known) = founding.and_then(|founding| founding.equipment) else {
            return Ok(Decision::nothing(()));
        };
        let (now, operation, digest) = match *self {
            Self::Config(config) => {
                (Equipment { config, ..known }, Operation::ConfigChange, config)
            }
            Self::Credentials(credentials) => {
                (Equipment { credentials, ..known }, Operation::CertChange, credentials)
            }
        };
        if now == known {
            return Ok(Decision::nothing(()));
        }
        keep(desk, now);
        Ok(Decision::new((), Mark::ok(operation).configuration(digest)))
    }
}

/// Notes that the broker stops in good order. Nothing comes after it but a start.
#[derive(Clone, Copy, Debug)]
pub struct Ended;

impl Command for Ended {
    type Reply = ();
    const METHOD: &'static str = "Ended";

    fn decide(&self, _: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        Ok(Decision::new((), Mark::ok(Operation::Stop)))
    }
}

/// Notes that the log was once longer, or another, and up to where it had been signed; nothing where that is not known.
pub(crate) struct RollbackSuspected(pub(crate) Option<SeenCheckpoint>);

impl Command for RollbackSuspected {
    type Reply = ();
    const METHOD: &'static str = "RollbackSuspected";

    fn decide(&self, _: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        let mark = Mark::ok(Operation::RollbackSuspected);
        Ok(Decision::new(
            (),
            match self.0 {
                Some(seen) => mark.seen(seen),
                None => mark,
            },
        ))
    }
}

/// Notes that the clock has jumped.
pub(crate) struct ClockJumped;

impl Command for ClockJumped {
    type Reply = ();
    const METHOD: &'static str = "ClockJumped";

    fn decide(&self, _: &mut Desk<'_>) -> Result<Decision<()>, Refusal> {
        Ok(Decision::new((), Mark::ok(Operation::ClockJump).clock(ClockState::Jumped)))
    }
}

fn keep(desk: &mut Desk<'_>, equipment: Equipment) {
    desk.state.founding.change(&0, |founding| founding.equipment = Some(equipment));
}

/// Watches the wall clock by the one that only runs. Slow drift is no jump: each look is held against the one before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClockWatch {
    wall: Timestamp,
    monotonic: Option<Duration>,
}

impl ClockWatch {
    /// How far the clocks may come apart between two looks.
    const TOLERANCE: Duration = Duration::from_secs(5);

    /// Begins with the time of the last leaf: how long ago that was, only the wall clock could tell.
    pub(crate) const fn since(last_leaf: Timestamp) -> Self {
        Self { wall: last_leaf, monotonic: None }
    }

    /// Whether the wall clock has jumped since the last look.
    pub(crate) fn jumped(&mut self, wall: Timestamp, monotonic: Duration) -> bool {
        let tolerance = jiff::SignedDuration::try_from(Self::TOLERANCE).unwrap_or_default();
        let moved = wall.duration_since(self.wall);
        let jumped = match self.monotonic {
            Some(before) => {
                let ran = monotonic.saturating_sub(before);
                (moved - jiff::SignedDuration::try_from(ran).unwrap_or_default()).abs() > tolerance
            }
            // After a pause of any length a clock that is behind is wrong, one that is ahead may be right.
            None => moved < -tolerance,
        };
        *self = Self { wall, monotonic: Some(monotonic) };
        jumped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_219_200 + second).expect("a time")
    }

    #[test]
    fn a_clock_that_runs_as_time_does_has_not_jumped_however_long_the_pause() {
        let mut watch = ClockWatch::since(at(0));
        assert!(!watch.jumped(at(90_000), Duration::from_secs(7)));
        assert!(!watch.jumped(at(90_100), Duration::from_secs(107)));
        // Four seconds too many, then four too few: neither alone is a jump, nor are they one together.
        assert!(!watch.jumped(at(90_114), Duration::from_secs(117)));
        assert!(!watch.jumped(at(90_120), Duration::from_secs(127)));
    }

    #[test]
    fn a_jump_ahead_or_back_is_one_and_is_told_once() {
        let mut watch = ClockWatch::since(at(0));
        assert!(!watch.jumped(at(10), Duration::from_secs(1)));
        assert!(watch.jumped(at(3_611), Duration::from_secs(2)));
        assert!(!watch.jumped(at(3_612), Duration::from_secs(3)));
        assert!(watch.jumped(at(13), Duration::from_secs(4)));
    }

    #[test]
    fn a_clock_behind_the_last_leaf_has_jumped_while_nobody_looked() {
        assert!(ClockWatch::since(at(100)).jumped(at(90), Duration::ZERO));
        assert!(!ClockWatch::since(at(100)).jumped(at(96), Duration::ZERO));
        assert!(!ClockWatch::since(Timestamp::MIN).jumped(at(0), Duration::ZERO));
    }
}
