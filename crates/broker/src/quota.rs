//! Quotas: how many calls a caller may make in a minute.
//!
//! One system that asks in a loop must not take from the others what they need on the day before a payment. Each caller
//! has a minute's worth of calls to spend at once, and they grow back evenly, so a burst passes and a loop does not. What
//! is kept of a caller is one moment: when its calls will have grown back. Invariant: only callers that are registered
//! have one, so strangers cannot make the table grow. How many records an agreement lets through in a day is a rule of the
//! exchange.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use parking_lot::Mutex;
use renkei_exchange::Refusal;
use renkei_types::{Identity, Reason};

use crate::config::BrokerConfig;

const MINUTE: Duration = Duration::from_secs(60);

/// What callers may still do.
#[derive(Debug)]
pub(crate) struct Quotas {
    calls_per_minute_max: u32,
    /// Callers with a quota of their own.
    own: BTreeMap<Identity, u32>,
    /// When all calls of a caller will have grown back.
    whole_at: Mutex<HashMap<Identity, Duration>>,
}

impl Quotas {
    /// As the configuration says.
    pub(crate) fn of(config: &BrokerConfig) -> Self {
        Self {
            calls_per_minute_max: config.limits.calls_per_minute_max,
            own: config.quotas.clone(),
            whole_at: Mutex::default(),
        }
    }

    /// Counts a call of a registered caller at a moment of the monotonic clock.
    pub(crate) fn admit(&self, caller: &Identity, now: Duration) -> Result<(), Refusal> {
        let calls = self.own.get(caller).copied().unwrap_or(self.calls_per_minute_max);
        let each = MINUTE / calls.max(1);
        let mut whole_at = self.whole_at.lock();
        let before = whole_at.get(caller).copied().unwrap_or_default().max(now);
        let after = before.saturating_add(each);
        if after.saturating_sub(now) > MINUTE {
            return Err(Reason::TooManyCalls.into());
        }
        if let Some(known) = whole_at.get_mut(caller) {
            *known = after;
        } else {
            whole_at.insert(caller.clone(), after);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(name: &str) -> Identity {
        format!("spiffe://renkei.example/131016/benefits/system/{name}")
            .parse()
            .expect("an identity")
    }

    fn quotas() -> Quotas {
        let own = BTreeMap::from([(identity("small"), 2)]);
        Quotas { calls_per_minute_max: 60, own, whole_at: Mutex::default() }
    }

    /// How many of so many calls at one moment are let through.
    fn admitted(quotas: &Quotas, caller: &str, second: u64, calls: usize) -> usize {
        let now = Duration::from_secs(1_000 + second);
        (0..calls).filter(|_| quotas.admit(&identity(caller), now).is_ok()).count()
    }

    #[test]
    fn a_burst_of_a_minutes_calls_passes_and_then_they_grow_back_evenly() {
        let quotas = quotas();
        assert_eq!(admitted(&quotas, "payments", 0, 1_000), 60);
        assert_eq!(admitted(&quotas, "payments", 0, 1), 0);
        assert_eq!(admitted(&quotas, "payments", 1, 1_000), 1);
        assert_eq!(admitted(&quotas, "payments", 11, 1_000), 10);
        assert_eq!(admitted(&quotas, "payments", 3_600, 1_000), 60, "they do not pile up");
    }

    #[test]
    fn callers_take_nothing_from_one_another_and_may_have_a_quota_of_their_own() {
        let quotas = quotas();
        assert_eq!(admitted(&quotas, "payments", 0, 1_000), 60);
        assert_eq!(admitted(&quotas, "counter", 0, 1_000), 60);
        assert_eq!(admitted(&quotas, "small", 0, 1_000), 2);
        assert_eq!(admitted(&quotas, "small", 29, 1_000), 0);
        assert_eq!(admitted(&quotas, "small", 30, 1_000), 1);
    }
}
