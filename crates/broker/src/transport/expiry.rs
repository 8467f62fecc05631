//! Expiry: what of the TLS files ends soon, told 30, 14, 7 and 1 days ahead.
//!
//! A broker whose certificate ends on a Monday at half past eight serves nobody on payment day. So each end is told in the
//! log when a notice becomes due, once for each notice, and shown as a metric all the time. Time is passed in.

use jiff::Timestamp;
use renkei_pki::expiry_notice;

/// Something that ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Ending {
    /// The broker's own certificate.
    Certificate,
    /// An authority whose clients are let in: the first one to end.
    Authority,
    /// The revocation list of one of them: the first one to end.
    RevocationList,
}

impl Ending {
    const ALL: [Self; 3] = [Self::Certificate, Self::Authority, Self::RevocationList];

    /// The notice that is due. A revocation list lives for 30 days, so the first one would be due of every new list.
    fn notice(self, now: Timestamp, end: Timestamp) -> Option<u16> {
        let notice = expiry_notice(now, end);
        match self {
            Self::Certificate | Self::Authority => notice,
            Self::RevocationList => notice.filter(|days| *days <= 14),
        }
    }

    fn what(self) -> &'static str {
        match self {
            Self::Certificate => "the broker's certificate: renew it and put it in place",
            Self::Authority => {
                "an authority of clients: make a new one and let both be trusted for a while"
            }
            Self::RevocationList => {
                "a revocation list, after which every client is refused: publish a new one"
            }
        }
    }
}

/// When each of them ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    pub(super) certificate: Timestamp,
    pub(super) authority: Timestamp,
    pub(super) revocation_list: Timestamp,
}

impl Ends {
    fn of(&self, ending: Ending) -> Timestamp {
        match ending {
            Ending::Certificate => self.certificate,
            Ending::Authority => self.authority,
            Ending::RevocationList => self.revocation_list,
        }
    }
}

/// Which notices were given.
#[derive(Debug, Default)]
pub(super) struct Notices([Option<u16>; 3]);

impl Notices {
    /// The notices that have become due since the last look, in days; 0 for what is over.
    fn due(&mut self, now: Timestamp, ends: &Ends) -> Vec<(Ending, u16)> {
        let mut due = Vec::new();
        for (given, ending) in self.0.iter_mut().zip(Ending::ALL) {
            let notice = ending.notice(now, ends.of(ending));
            if let Some(days) = notice
                && given.is_none_or(|given| days < given)
            {
                due.push((ending, days));
            }
            // Where the end was moved away, its notices are due again.
            *given = notice;
        }
        due
    }

    /// Gives the notices that have become due.
    pub(super) fn give(&mut self, now: Timestamp, ends: &Ends) {
        for (ending, days) in self.due(now, ends) {
            let (what, end) = (ending.what(), ends.of(ending));
            match days {
                0 => tracing::error!(%end, "has ended: {what}"),
                1 => tracing::error!(%end, days, "ends within a day: {what}"),
                _ => tracing::warn!(%end, days, "ends soon: {what}"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a timestamp")
    }

    #[test]
    fn each_notice_is_given_once_and_anew_after_a_renewal() {
        let far = at("2036-01-01T00:00:00Z");
        let ends = |certificate| Ends {
            certificate: at(certificate),
            authority: far,
            revocation_list: far,
        };
        let (mut notices, end) = (Notices::default(), "2026-12-31T00:00:00Z");
        let mut told = Vec::new();
        for day in ["11-01", "12-01", "12-05", "12-17", "12-20", "12-24", "12-30", "12-31"] {
            let now = at(&format!("2026-{day}T00:00:00Z"));
            told.extend(notices.due(now, &ends(end)).into_iter().map(|(_, days)| (day, days)));
        }
        let wanted = [("12-01", 30), ("12-17", 14), ("12-24", 7), ("12-30", 1), ("12-31", 0)];
        assert_eq!(told, wanted);
        let now = at("2027-01-01T00:00:00Z");
        assert_eq!(notices.due(now, &ends("2028-01-01T00:00:00Z")), []);
        let now = at("2027-12-20T00:00:00Z");
        assert_eq!(notices.due(now, &ends("2028-01-01T00:00:00Z")), [(Ending::Certificate, 14)]);
    }

    #[test]
    fn a_new_revocation_list_is_not_told_of() {
        let far = at("2036-01-01T00:00:00Z");
        let revocation_list = at("2026-12-31T00:00:00Z");
        let ends = Ends { certificate: far, authority: far, revocation_list };
        let mut notices = Notices::default();
        assert_eq!(notices.due(at("2026-12-01T00:00:00Z"), &ends), []);
        let due = notices.due(at("2026-12-17T00:00:00Z"), &ends);
        assert_eq!(due, [(Ending::RevocationList, 14)]);
    }

    #[test]
    fn whatever_ends_is_told_by_its_name() {
        let soon = at("2026-12-31T00:00:00Z");
        let ends = Ends { certificate: soon, authority: soon, revocation_list: soon };
        let due = Notices::default().due(at("2026-12-30T12:00:00Z"), &ends);
        assert_eq!(due, Ending::ALL.map(|ending| (ending, 1)));
    }
}
