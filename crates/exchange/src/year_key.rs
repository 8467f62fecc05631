//! Keys of one agency and one fiscal year: made when they are first needed, destroyed when their time is over.
//!
//! What bears names that a key has made can be read as long as the key is there, and by nobody after that, in no backup
//! either. Two kinds of names live so: the link codes of a consumer, and the audit handles of a register's persons.
//!
//! ```text
//! first use in the year | key, durable | fact ... year's end ... | fact: destroyed | key gone | backup: destroyed again
//! ```
//! Invariant: an agency has one key of each use for a year, whoever asks first; and that it is destroyed is a fact before
//! it is done, so a start completes what a crash or a backup has left.

use jiff::civil::Date;
use renkei_tlog::leaf::Operation;
use renkei_types::{AgencyId, DataKeyId, Reason};
use serde::{Deserialize, Serialize};

use crate::agreement::fiscal_year_end;
use crate::command::{Call, Command, Decision, Desk, Done};
use crate::ledger::Exchange;
use crate::mark::Mark;
use crate::refusal::Refusal;
use crate::state::{State, Table};

/// A fiscal year (年度), by the year in which it begins: April 2026 to March 2027 is 2026.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct FiscalYear(i16);

impl FiscalYear {
    /// The one in which a day lies.
    pub fn of(day: Date) -> Self {
        Self(if day.month() <= 3 { day.year() - 1 } else { day.year() })
    }

    /// The one that begins in this year; nothing for years that no calendar has.
    pub fn beginning_in(year: u16) -> Option<Self> {
        i16::try_from(year).ok().filter(|year| Date::new(*year, 4, 1).is_ok()).map(Self)
    }

    /// The one before.
    #[must_use]
    pub fn previous(self) -> Self {
        Self(self.0 - 1)
    }

    /// The year in which it begins.
    pub fn begins_in(self) -> u32 {
        u32::try_from(self.0).unwrap_or_default()
    }

    pub(crate) fn first_day(self) -> Date {
        Date::new(self.0, 4, 1).unwrap_or(Date::MIN)
    }

    pub(crate) fn last_day(self) -> Date {
        fiscal_year_end(self.first_day())
    }
}

/// What the names are for that a key makes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum YearKeyUse {
    /// Link codes, by which a consumer knows residents.
    LinkCodes,
    /// Audit handles, by which the log knows persons; see `subject`.
    Subjects,
}

/// The key of an agency and a fiscal year.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct YearKey {
    /// The key.
    pub key: DataKeyId,
    /// Whether it has been destroyed.
    pub destroyed: bool,
}

/// By what the key of a year is known.
pub type YearPlace = (AgencyId, FiscalYear);

impl State {
    fn year_keys(&self, of: YearKeyUse) -> &Table<YearPlace, YearKey> {
        match of {
            YearKeyUse::LinkCodes => &self.link_keys,
            YearKeyUse::Subjects => &self.subject_keys,
        }
    }

    fn year_keys_to_change(&mut self, of: YearKeyUse) -> &mut Table<YearPlace, YearKey> {
        match of {
            YearKeyUse::LinkCodes => &mut self.link_keys,
            YearKeyUse::Subjects => &mut self.subject_keys,
        }
    }

    /// The last day on which a key is needed.
    fn year_ends(&self, of: YearKeyUse, (agency, year): &YearPlace) -> Date {
        match of {
            YearKeyUse::LinkCodes => self.codes_end(agency, *year),
            YearKeyUse::Subjects => crate::subject::kept_until(*year),
        }
    }

    /// The keys whose time is over.
    fn year_keys_due(&self, of: YearKeyUse, today: Date) -> Vec<YearPlace> {
        let keys = self.year_keys(of).iter();
        let due =
            keys.filter(|(place, known)| !known.destroyed && self.year_ends(of, place) < today);
        due.map(|(place, _)| place.clone()).collect()
    }

    /// Keys that were destroyed: a backup must not bring them back.
    pub(crate) fn destroyed_year_keys(&self) -> impl Iterator<Item = DataKeyId> {
        let keys = self.link_keys.iter().chain(self.subject_keys.iter());
        keys.filter(|(_, known)| known.destroyed).map(|(_, known)| known.key)
    }
}

/// The key of an agency for this fiscal year; the first to ask makes it. Where two begin at once, one key stays and the
/// other is destroyed. Blocks: for threads that may wait.
pub(crate) fn key_of(
    exchange: &Exchange,
    of: YearKeyUse,
    place: &YearPlace,
) -> Result<DataKeyId, Refusal> {
    if let Some(known) = exchange.state().year_keys(of).get(place) {
        return Ok(known.key);
    }
    let key = exchange.vault().create_key(exchange.clock().now())?;
    let begun = exchange.execute_now(Call::own(), BeginYear { of, place: place.clone(), key });
    match begun {
        Ok(Done { reply, .. }) if reply == key => Ok(key),
        other => {
            exchange.vault().destroy_key(key)?;
            other.map(|done| done.reply)
        }
    }
}

/// Takes a key into use for a year, unless there is one.
#[derive(Debug)]
struct BeginYear {
    of: YearKeyUse,
    place: YearPlace,
    key: DataKeyId,
}

impl Command for BeginYear {
    type Reply = DataKeyId;
    const METHOD: &'static str = "BeginYear";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<DataKeyId>, Refusal> {
        if let Some(known) = desk.state.year_keys(self.of).get(&self.place) {
            return Ok(Decision::nothing(known.key));
        }
        let begun = YearKey { key: self.key, destroyed: false };
        desk.state.year_keys_to_change(self.of).put(self.place.clone(), begun);
        let mark = Mark::ok(Operation::KeyRotate).about_agency(&self.place.0);
        Ok(Decision::new(self.key, mark))
    }
}

/// Destroys the keys of a use whose time is over; answers how many. To be called every day. Blocks: for threads that may
/// wait.
pub fn destroy_due(exchange: &Exchange, of: YearKeyUse) -> Result<usize, Refusal> {
    let due = exchange.state().year_keys_due(of, exchange.clock().today());
    for place in &due {
        let sealed = match of {
            YearKeyUse::LinkCodes => Vec::new(),
            YearKeyUse::Subjects => exchange.state().subject_blobs(place),
        };
        let command = EndYear { of, place: place.clone() };
        let key = exchange.execute_now(Call::own(), command)?.reply;
        // The next start destroys what a crash here has left.
        exchange.vault().destroy_key(key)?;
        exchange.vault().delete_blobs(&sealed);
    }
    Ok(due.len())
}

/// Marks the key of a year as destroyed.
#[derive(Debug)]
struct EndYear {
    of: YearKeyUse,
    place: YearPlace,
}

impl Command for EndYear {
    type Reply = DataKeyId;
    const METHOD: &'static str = "EndYear";

    fn decide(&self, desk: &mut Desk<'_>) -> Result<Decision<DataKeyId>, Refusal> {
        let known = desk.state.year_keys(self.of).get(&self.place).ok_or(Reason::Internal)?;
        let key = known.key;
        if known.destroyed || desk.state.year_ends(self.of, &self.place) >= desk.today {
            return Err(Reason::WrongState.into());
        }
        desk.state.year_keys_to_change(self.of).change(&self.place, |known| known.destroyed = true);
        let mut mark = Mark::ok(Operation::Delete).about_agency(&self.place.0);
        if self.of == YearKeyUse::Subjects {
            let entries = desk.state.drop_subject_index(&self.place);
            mark = mark.of_year_without(self.place.1, entries);
        }
        Ok(Decision::new(key, mark))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fiscal_year_is_named_by_its_april() {
        for (day, year) in [("2026-03-31", 2025), ("2026-04-01", 2026), ("2027-01-01", 2026)] {
            let year_of_day = FiscalYear::of(day.parse().expect("a day"));
            assert_eq!(year_of_day.begins_in(), year);
            let named = u16::try_from(year).ok().and_then(FiscalYear::beginning_in);
            assert_eq!(named, Some(year_of_day));
        }
        let year = FiscalYear::of("2026-05-01".parse().expect("a day"));
        assert_eq!(year.first_day().to_string(), "2026-04-01");
        assert_eq!(year.last_day().to_string(), "2027-03-31");
        assert_eq!(FiscalYear::beginning_in(u16::MAX), None);
    }
}
