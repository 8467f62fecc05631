//! A month counted, leaf by leaf.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use renkei_tlog::Leaf;
use renkei_tlog::leaf::{Counter, LeafResult, Operation, SubjectMode};

use super::month::{Month, OfficeHours, japan};

/// Counts of a month, exact. A look-up is a leaf that says that one person's records were shown or searched for.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    pub(crate) month: Month,
    pub(crate) hours: OfficeHours,
    pub(crate) leaves: u64,
    pub(crate) look_ups: u64,
    pub(crate) off_hours: u64,
    pub(crate) refusals: u64,
    /// Look-ups whose leaf commits to the person; see the note of the page.
    pub(crate) with_subject: u64,
    pub(crate) by_day: BTreeMap<Date, u64>,
    pub(crate) by_hour: [u64; 24],
    /// Those of them that were off hours: at ten in the morning, for one, on a Sunday.
    pub(crate) off_by_hour: [u64; 24],
    pub(crate) by_code: BTreeMap<String, u64>,
    pub(crate) actors: BTreeMap<String, ActorFigures>,
}

/// What one system or person did.
#[derive(Clone, Debug, Default)]
pub(crate) struct ActorFigures {
    pub(crate) look_ups: u64,
    pub(crate) off_hours: u64,
    pub(crate) refusals: u64,
    hours: BTreeMap<DateTime, u64>,
}

impl ActorFigures {
    /// The hour with the most look-ups, the first of equals.
    pub(crate) fn busiest(&self) -> Option<(DateTime, u64)> {
        let most = self.hours.values().max()?;
        self.hours.iter().find(|(_, count)| *count == most).map(|(hour, count)| (*hour, *count))
    }
}

impl Figures {
    /// Nothing counted yet.
    pub(crate) fn new(month: Month, hours: OfficeHours) -> Self {
        Self {
            month,
            hours,
            leaves: 0,
            look_ups: 0,
            off_hours: 0,
            refusals: 0,
            with_subject: 0,
            by_day: month.days().map(|day| (day, 0)).collect(),
            by_hour: [0; 24],
            off_by_hour: [0; 24],
            by_code: BTreeMap::new(),
            actors: BTreeMap::new(),
        }
    }

    /// What the off hours have beyond the hours at which offices are closed on every day, and beyond the days on which they
    /// are closed: these could be reckoned from tables that show both.
    pub(crate) fn off_hours_beyond_hours_and_days(&self) -> [u64; 2] {
        let hours = (0..).zip(self.by_hour).filter(|(hour, _)| self.hours.closed_in_hour(*hour));
        let days = self.by_day.iter().filter(|(day, _)| self.hours.closed_on(**day));
        let beyond = |counted: u64| self.off_hours.saturating_sub(counted);
        [beyond(hours.map(|(_, count)| count).sum()), beyond(days.map(|(_, count)| count).sum())]
    }

    /// What the off hours within hours at which offices are open on some days, and the days on which they are closed, would tell
    /// of each other where both are shown.
    pub(crate) fn off_by_hour_beside_days(&self) -> [u64; 3] {
        let sum = |counted: &dyn Fn(i8) -> bool| -> u64 {
            let hours = (0..).zip(self.off_by_hour).filter(|(hour, _)| counted(*hour));
            hours.map(|(_, count)| count).sum()
        };
        let some = sum(&|hour| !self.hours.closed_in_hour(hour));
        let whole = sum(&|hour| self.hours.open_in_hour(hour));
        let days = self.by_day.iter().filter(|(day, _)| self.hours.closed_on(**day));
        let days: u64 = days.map(|(_, count)| count).sum();
        [some.saturating_sub(days), days.saturating_sub(some), days.saturating_sub(whole)]
    }

    /// Counts a leaf, if it is of the month.
    pub(crate) fn add(&mut self, leaf: &Leaf) {
        let Some(moment) = i64::try_from(leaf.t.0)
            .ok()
            .and_then(|millis| Timestamp::from_millisecond(millis).ok().map(japan))
        else {
            return;
        };
        let Some(of_day) = self.by_day.get_mut(&moment.date()) else { return };
        self.leaves += 1;
        let looked_up = leaf.op == Operation::QuerySingle && leaf.res == LeafResult::Ok;
        let refused = match leaf.res {
            // Refusals of one kind within a minute are one leaf.
            LeafResult::Denied => leaf.cnt.get(&Counter::Denied).copied().unwrap_or(1),
            LeafResult::Ok | LeafResult::Rejected | LeafResult::Failed | LeafResult::Partial => 0,
        };
        if !looked_up && refused == 0 {
            return;
        }
        let actor = leaf.actor.sys.as_ref().map(ToString::to_string).unwrap_or_default();
        let actor = self.actors.entry(actor).or_default();
        if refused > 0 {
            let code = leaf.code.as_ref().map(|code| code.as_str().to_owned());
            *self.by_code.entry(code.unwrap_or_default()).or_default() += refused;
            self.refusals += refused;
            actor.refusals += refused;
            return;
        }
        *of_day += 1;
        let of_clock = usize::from(moment.hour().unsigned_abs()) % 24;
        self.by_hour[of_clock] += 1;
        self.look_ups += 1;
        actor.look_ups += 1;
        let hour = moment.date().at(moment.hour(), 0, 0, 0);
        *actor.hours.entry(hour).or_default() += 1;
        if self.hours.closed_at(moment) {
            self.off_hours += 1;
            self.off_by_hour[of_clock] += 1;
            actor.off_hours += 1;
        }
        let committed = leaf.subj.is_some_and(|subjects| subjects.mode != SubjectMode::None);
        self.with_subject += u64::from(committed);
    }
}

#[cfg(test)]
mod tests {
    use renkei_tlog::leaf::{Actor, UtcMillis};
    use renkei_types::{EventId, Language, Reason};
    use serde_json::Value;

    use super::super::{Published, render};
    use super::*;

    fn leaf(time: &str, who: &str, operation: Operation, result: LeafResult) -> Leaf {
        let time: Timestamp = time.parse().expect("a time");
        let id = EventId::from_bytes([7; 16]);
        let mut leaf = Leaf::new(id, UtcMillis::from(time), operation, result);
        let identity = format!("spiffe://kita.example/131016/benefits/person/{who}");
        leaf.actor = Actor::of(&identity.parse().expect("an identity"));
        leaf
    }

    /// A night of 150 look-ups, a working day of 40, three by somebody else, and 25 refusals in two leaves.
    fn november() -> Figures {
        let hours = "08:30-17:15".parse().expect("hours");
        let mut figures = Figures::new("2026-11".parse().expect("a month"), hours);
        let (query, ok) = (Operation::QuerySingle, LeafResult::Ok);
        for n in 0..150 {
            let time = format!("2026-11-12T23:{:02}:00+09:00", n % 60);
            figures.add(&leaf(&time, "night-owl", query, ok));
        }
        for n in 0..40 {
            let time = format!("2026-11-12T{:02}:30:00+09:00", 9 + n % 8);
            figures.add(&leaf(&time, "clerk", query, ok));
        }
        for day in ["2026-11-03", "2026-11-14", "2026-11-16"] {
            figures.add(&leaf(&format!("{day}T10:00:00+09:00"), "rarely", query, ok));
        }
        for (count, reason) in [(22, Reason::NoAgreement), (3, Reason::RoleMissing)] {
            let (operation, denied) = (Operation::AuthzDenied, LeafResult::Denied);
            let mut refused = leaf("2026-11-13T10:00:00+09:00", "clerk", operation, denied);
            refused.code = Some(reason.into());
            refused.cnt.insert(Counter::Denied, count);
            figures.add(&refused);
        }
        // Of the last moment before and the first moment after.
        figures.add(&leaf("2026-10-31T23:59:59+09:00", "clerk", query, ok));
        figures.add(&leaf("2026-12-01T00:00:00+09:00", "clerk", query, ok));
        figures
    }

    #[test]
    fn look_ups_are_counted_by_day_hour_and_person_and_refusals_as_often_as_they_came() {
        let figures = november();
        assert_eq!((figures.look_ups, figures.off_hours, figures.refusals), (193, 151, 25));
        assert_eq!(figures.by_hour[23], 150);
        // A public holiday that was not given is a working day; the 14th is a Saturday.
        assert_eq!((figures.by_hour[10], figures.off_by_hour[10]), (8, 1));
        assert_eq!(figures.by_day.values().sum::<u64>(), 193);
        assert_eq!(figures.by_code["NO_AGREEMENT"], 22);
        let owl = "spiffe://kita.example/131016/benefits/person/night-owl";
        let night = "2026-11-12T23:00:00".parse().expect("an hour");
        assert_eq!(figures.actors[owl].busiest(), Some((night, 150)));
    }

    #[test]
    fn what_is_passed_on_hides_small_counts_and_what_would_tell_them() {
        let figures = november();
        let shown = Published::new(&figures, false, 100).json();
        let counts = |table: &str, part: &str| -> Vec<Option<u64>> {
            shown[table].as_array().expect("rows").iter().map(|row| row[part].as_u64()).collect()
        };
        assert_eq!(counts("by_code", "refusals"), [None, None], "3 would follow from 22");
        assert_eq!(counts("actors", "look_ups"), [Some(150), None, None], "3 would follow from 40");
        assert_eq!(shown["look_ups"], 193);
        assert_eq!(shown["actors"][0]["mass"], true);
        assert_eq!(shown["actors"][1]["busiest_hour"]["look_ups"], Value::Null);
        // 151 in all, 150 of them at night: one by day on a day when offices are closed.
        assert_eq!((&shown["off_hours"], &shown["in_hours"]), (&Value::Null, &Value::Null));
        assert_eq!(counts("actors", "off_hours"), [None, None, None]);
        assert_eq!(shown["actors"][0]["busiest_hour"]["at"], Value::Null);
        let page = render(&Published::new(&figures, false, 100), Language::Japanese);
        assert!(page.contains("照会193件（うち時間外は非表示）、拒否25件。"), "{page:.3000}");
        let exact = Published::new(&figures, true, 100).json();
        assert_eq!(exact["actors"][2]["look_ups"], 3);
        assert_eq!(exact["by_code"][1]["refusals"], 3);
    }

    #[test]
    fn an_hour_of_a_sunday_is_drawn_as_off_hours_and_only_what_may_be_told_is_divided() {
        let hours = "08:30-17:15".parse().expect("hours");
        let mut figures = Figures::new("2026-11".parse().expect("a month"), hours);
        // The 15th is a Sunday, the 16th a Monday.
        for (day, hour, count) in
            [(15, 10, 30), (16, 10, 50), (15, 11, 3), (16, 11, 40), (16, 14, 20)]
        {
            for minute in 0..count {
                let time = format!("2026-11-{day}T{hour}:{minute:02}:00+09:00");
                figures.add(&leaf(&time, "clerk", Operation::QuerySingle, LeafResult::Ok));
            }
        }
        let off = |exact| {
            let shown = Published::new(&figures, exact, 100).json();
            let hours = shown["by_hour"].as_array().expect("hours").clone();
            [9, 10, 11, 14].map(|hour: usize| hours[hour]["off_hours"].as_u64())
        };
        assert_eq!(off(true), [Some(0), Some(30), Some(3), Some(0)]);
        // 3 would follow from 33 less 30; nothing can be reckoned of an hour without look-ups.
        assert_eq!(off(false), [Some(0), None, None, None]);
        let bars = |exact, class: &str| {
            let page = render(&Published::new(&figures, exact, 100), Language::English);
            let by_hour = page.split("<figure>").nth(2).expect("the second plot");
            let plot = by_hour.split("</figure>").next().expect("its end");
            plot.matches(&format!("class=\"{class}\"")).count()
        };
        assert_eq!((bars(true, "in-hours"), bars(true, "off-hours")), (3, 2));
        assert_eq!((bars(false, "undivided"), bars(false, "off-hours")), (3, 0));
    }

    #[test]
    fn the_page_has_three_plots_in_both_languages_and_says_what_it_cannot() {
        let figures = november();
        let report = Published::new(&figures, false, 100);
        for (language, cannot) in [
            (Language::English, "and never whom"),
            (Language::Japanese, "だれについてかはありません"),
        ] {
            let page = render(&report, language);
            assert_eq!(page.matches("<figure>").count(), 3);
            for text in [cannot, "night-owl", "2026-11"] {
                assert!(page.contains(text), "{text}");
            }
        }
    }
}
