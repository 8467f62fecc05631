//! Households that have another number since they were paid or stopped, where the register cannot say it all by itself.
//!
//! Each test of a fault names the line that, removed, makes it fail.

mod town;

use renkei_exchange::division::DivisionKind;
use renkei_exchange::programme::{PayeeUnit, Rules};
use renkei_exchange::retention::destroy_due;
use renkei_types::{ListId, Reason};
use town::Town;
use town::cases::{findings, protect};
use town::families::{Record, families, id, list_of, own, proposed, town, town_of_persons};
use town::moves::{all_to, changed, move_after, moved, notice, renumber};
use town::records::{column, delta, table};
use town::stops::{divide, hold, leave_out};
use town::years::{agree_until, all_is_paid};

/// A town whose agreements hold for years.
fn town_for_years() -> Town {
    let mut town = town();
    town.restart_on("2026-11-22");
    agree_until(&town, "2029-03-31");
    town
}

/// Goes on to a day on which the states that were superseded are due, and destroys them, or not.
fn go_on_to_the_end(town: &mut Town, is_destroyed: bool, report: u64) {
    town.restart_on("2028-06-01");
    if is_destroyed {
        assert_eq!(destroy_due(&town.exchange).expect("a look"), 1);
    }
    town.follow();
    town.report(report, "宛名番号,支援措置\n").expect("nobody is protected");
}

/// Without `now_of` in `already_paid::renumbered_in` nobody knows the number any more that was paid, once the state is destroyed that the
/// list was linked to, and the household is paid again.
#[test]
fn a_paid_household_is_paid_already_under_its_new_number_though_the_state_that_it_was_paid_by_is_destroyed()
 {
    for is_destroyed in [false, true] {
        let mut town = town_for_years();
        let families = families(&town);
        let (named, other, stranger) = (&families[0][0], &families[0][1], &families[1][0]);
        let batch = town.pay(list_of(&town, "a", &own(&[named])));
        all_is_paid(&town, batch);
        town.restart_on("2026-11-30");
        renumber(&mut town, &families[0], "900001");
        go_on_to_the_end(&mut town, is_destroyed, 2);
        let found = proposed(&town, "b", &[other, stranger]);
        assert_eq!(found, (1, 0, 0, vec![id(stranger)]), "destroyed: {is_destroyed}");
    }
}

/// With `home` in the place of `of_base_date` in `Together` whoever came to the town after the base date counts to the household that she has
/// by the rows, as if she had been of it on that day: she is left under the number when all others have another, and hides it.
#[test]
fn who_comes_to_the_town_after_the_base_date_does_not_hide_the_new_number_of_a_paid_household() {
    for is_stop in [false, true] {
        let town = town();
        let families = families(&town);
        let (named, other, stranger) = (&families[0][0], &families[0][1], &families[1][0]);
        let home = named["世帯番号"].as_str();
        let (header, records) = table(&town);
        let mut cells = moved(&header, &records, other, (home, "2026-10-05"));
        cells[column(&header, "宛名番号")] = "77000001".to_owned();
        cells[column(&header, "氏名")] = "新井　花".to_owned();
        town.apply(1, &delta(&header, &[("追加", cells)])).expect("a delta");
        let first = list_of(&town, "a", &own(&[named]));
        match is_stop {
            true => hold(&town, home),
            false => drop(town.pay(first)),
        }
        notice(&town, 2, &all_to(&families[0], "900001"), &[]);
        let found = proposed(&town, "b", &[other, stranger]);
        let (paid, held) = if is_stop { (0, 1) } else { (1, 0) };
        assert_eq!(found, (paid, 0, held, vec![id(stranger)]), "stop: {is_stop}");
    }
}

/// Without `is_there` in `Reach::meet` every id counts as met that some file ever had, also of somebody who is in no state of the register
/// that counts.
#[test]
fn a_stop_or_an_exclusion_of_somebody_who_is_in_an_earlier_file_alone_counts_as_reaching_nobody() {
    for (is_stop, of_persons) in [(true, false), (false, false), (true, true), (false, true)] {
        let mut town = if of_persons { town_of_persons() } else { town() };
        let families = families(&town);
        let gone = &families[0][0];
        match is_stop {
            true => hold(&town, &id(gone)),
            false => leave_out(&town, &id(gone)),
        }
        let file = changed(&town, |_, _| {});
        let is_left = |line: &&str| !line.starts_with(gone["宛名番号"].as_str());
        let left = file.lines().filter(is_left).map(|line| format!("{line}\n")).collect();
        town.replace_register(left);
        let list = list_of(&town, "a", &own(&[&families[0][1], &families[1][0]]));
        let found = town.propose("certifier-1", list).expect("a proposal");
        let unmet = found.unmet.stops + found.unmet.exclusions;
        assert_eq!((found.held + found.excluded, unmet), (0, 1), "{is_stop} {of_persons}");
    }
}

/// Without the same a stop on somebody whom a delta has removed before a list was linked reaches nobody, and nobody is told.
#[test]
fn a_stop_on_somebody_who_is_removed_before_a_list_is_linked_reaches_the_household_or_nobody() {
    let town = town();
    let families = families(&town);
    let gone = &families[0][0];
    hold(&town, &id(gone));
    move_after(&town, 1, &[], &[gone]);
    let list = list_of(&town, "a", &own(&[&families[0][1], &families[1][0]]));
    let found = town.propose("certifier-1", list).expect("a proposal");
    assert_eq!(found.held + found.unmet.stops, 1);
}

/// Without `is_undated` in `Homes::add` a later file with another number for a household and the 異動日 of before counts as put right for whoever
/// has an 異動日, and as a change of the day on which it was handled for whoever has none: one household is two, and both are paid.
#[test]
fn a_household_with_another_number_in_a_later_file_is_one_though_one_of_its_rows_has_no_day() {
    let every_second_day = |residents: String| -> String {
        let lines = residents.lines().enumerate();
        let days = lines.map(|(at, line)| match at {
            0 => format!("{line},異動日,処理日\n"),
            at if at % 2 == 0 => format!("{line},,\n"),
            _ => format!("{line},2020-04-01,2020-04-02\n"),
        });
        days.collect()
    };
    for is_stop in [false, true] {
        let mut town = Town::of_residents_and_rules(every_second_day, |rules| Rules {
            unit: PayeeUnit::Household,
            ..rules
        });
        let families = families(&town);
        let (dated, undated, stranger) = match (&families[0][0], &families[0][1], &families[1][0]) {
            (one, other, stranger) if one["異動日"].is_empty() => (other, one, stranger),
            all => all,
        };
        let number = families[0][0]["世帯番号"].as_str();
        let file = changed(&town, |header, cells| {
            let cell = &mut cells[column(header, "世帯番号")];
            if cell == number {
                *cell = "900001".to_owned();
            }
        });
        town.replace_register(file);
        let first = list_of(&town, "a", &own(&[dated]));
        match is_stop {
            true => hold(&town, &id(dated)),
            false => drop(town.pay(first)),
        }
        let found = proposed(&town, "b", &[undated, stranger]);
        let (paid, held) = if is_stop { (0, 1) } else { (1, 0) };
        assert_eq!(found, (paid, 0, held, vec![id(stranger)]), "stop: {is_stop}");
    }
}

/// Without the household of the register in `Sieve::obstacle` one person, who divides, lifts a stop that takes two.
#[test]
fn a_division_that_comes_after_a_stop_does_not_take_anybody_out_of_it() {
    let town = town();
    let families = families(&town);
    let (one, parted, stranger) = (&families[0][0], &families[0][1], &families[1][0]);
    let list = list_of(&town, "a", &own(&[parted, stranger]));
    hold(&town, &one["世帯番号"]);
    divide(&town, "payments", DivisionKind::Separate, &[(parted, "")]).expect("a division");
    let found = town.propose("certifier-1", list).expect("a proposal");
    let paid: Vec<_> = town.paid(found.batch).into_iter().map(|one| one.person).collect();
    assert_eq!((found.held, paid), (1, vec![id(stranger)]));
}

/// Without `Watch` in `standing::look` a line is signed at which two protectors would have to look, since somebody protected has joined or
/// left the household between the two signatures.
#[test]
fn a_proposal_is_not_signed_whose_household_somebody_protected_has_joined_or_left_since() {
    for is_joined in [true, false] {
        let town = town();
        let families = families(&town);
        let (one, other) = (&families[0], &families[1]);
        protect(&town, 2, &other.iter().collect::<Vec<_>>());
        let paid = if is_joined { &one[0] } else { &other[1] };
        let list = list_of(&town, "a", &own(&[paid, &families[2][0]]));
        let batch = town.propose("certifier-1", list).expect("a proposal").batch;
        assert_eq!(town.paid(batch).len(), 2);
        let to = if is_joined { one[0]["世帯番号"].as_str() } else { "900001" };
        move_after(&town, 1, &[(&other[0], to)], &[]);
        assert_eq!(findings(&town, list).len(), 1, "a new proposal leaves the line out");
        let refused = town.sign("certifier-2", list, batch).map(|_| ()).err();
        let reason = refused.map(|refused| refused.reason);
        assert_eq!(reason, Some(Reason::VersionOld), "joined: {is_joined}");
    }
}

/// Without `keys` in `AlreadyPaid::has` her line pays the number of before once more, where that of today was paid.
#[test]
fn a_line_of_who_was_gone_before_the_base_date_does_not_pay_her_household_again() {
    for dead_first in [true, false] {
        let town = town();
        let families = families(&town);
        let (head, rest) = families[0].split_first().expect("a family");
        let old = list_of(&town, "a", &own(&[head, &families[1][0]]));
        notice(&town, 1, &all_to(rest, "900001"), &[(head, "2026-08-20")]);
        let new = list_of(&town, "b", &own(&[&rest[0], &families[2][0]]));
        let (first, second) = if dead_first { (old, new) } else { (new, old) };
        assert_eq!(
            paid_one_after_another(&town, first, second),
            (1, 1),
            "dead first: {dead_first}"
        );
    }
}

/// Without `keys` in `Taking::take` both are paid by one batch.
#[test]
fn a_list_with_who_was_gone_before_the_base_date_and_with_who_is_left_pays_the_household_once() {
    for dead_first in [true, false] {
        let town = town();
        let families = families(&town);
        let (head, rest) = families[0].split_first().expect("a family");
        let people = if dead_first { [head, &rest[0]] } else { [&rest[0], head] };
        let list = list_of(&town, "a", &own(&people));
        notice(&town, 1, &all_to(rest, "900001"), &[(head, "2026-08-20")]);
        let found = town.propose("certifier-1", list).expect("a proposal");
        assert_eq!(town.paid(found.batch).len(), 1, "dead first: {dead_first}");
    }
}

/// Without `keys` in `AlreadyPaid::has` newcomers who were paid under the number of today are paid again under that of before.
#[test]
fn a_household_of_newcomers_is_paid_once_whichever_list_comes_first() {
    for old_first in [true, false] {
        let town = town();
        let families = families(&town);
        let stranger = &families[1][0];
        let (header, records) = table(&town);
        // Two newcomers with other ids, reported late without 異動日.
        let newcomer = |who: &Record, id: &str, household: &str, day: &str| {
            let mut cells = moved(&header, &records, who, (household, day));
            cells[column(&header, "宛名番号")] = id.to_owned();
            cells
        };
        let (one, other) = (&families[0][0], &families[0][1]);
        let add = |household: &str, day: &str, operation: &'static str| {
            [
                (operation, newcomer(one, "77000001", household, day)),
                (operation, newcomer(other, "77000002", household, day)),
            ]
        };
        let gone = families[0].iter().map(|who| {
            ("削除", moved(&header, &records, who, (who["世帯番号"].as_str(), "2026-10-05")))
        });
        town.apply(1, &delta(&header, &gone.collect::<Vec<_>>())).expect("a delta");
        town.apply(2, &delta(&header, &add("800001", "2026-10-06", "追加"))).expect("a delta");
        let old = list_of(&town, "a", &own(&[one, stranger]));
        town.apply(3, &delta(&header, &add("800002", "2026-10-20", "変更"))).expect("a delta");
        let new = list_of(&town, "b", &own(&[other, &families[2][0]]));
        let (first, second) = if old_first { (old, new) } else { (new, old) };
        assert_eq!(paid_one_after_another(&town, first, second), (1, 1), "old first: {old_first}");
    }
}

/// Without `payees.line` in `AlreadyPaid::has` the line of who is gone pays the household again.
#[test]
fn a_late_notice_that_removes_the_named_person_before_the_base_date_keeps_the_household_paid_once()
{
    let town = town();
    let families = families(&town);
    let (head, rest) = families[0].split_first().expect("a family");
    let old = list_of(&town, "a", &own(&[head, &families[1][0]]));
    notice(&town, 1, &[], &[(head, "2026-08-20")]);
    let new = list_of(&town, "b", &own(&[&rest[0], &families[2][0]]));
    assert_eq!(paid_one_after_another(&town, new, old), (1, 1));
}

/// Of the second list, once the first is paid: lines whose payees are paid already, and lines that are paid.
fn paid_one_after_another(town: &Town, first: ListId, second: ListId) -> (u64, usize) {
    town.certify(first).expect("two signatures");
    let found = town.propose("certifier-1", second).expect("a proposal");
    (found.already_paid, town.paid(found.batch).len())
}

/// Without `seen_from` in `Register::seen_with` nobody knows who was together, and the household is paid again.
#[test]
fn a_paid_household_is_known_by_the_state_that_it_was_drawn_up_with_though_the_linked_one_is_destroyed()
 {
    for is_destroyed in [false, true] {
        let mut town = town_for_years();
        let families = families(&town);
        let (named, other, stranger) = (&families[0][0], &families[0][1], &families[1][0]);
        let list = list_of(&town, "a", &own(&[named]));
        town.restart_on("2026-11-30");
        renumber(&mut town, &families[2], "900009");
        town.follow();
        town.report(2, "宛名番号,支援措置\n").expect("nobody is protected");
        let batch = town.pay(list);
        all_is_paid(&town, batch);
        town.restart_on("2028-05-15");
        let gone = named["宛名番号"].clone();
        let file = changed(&town, |header, cells| {
            if cells[column(header, "世帯番号")] == families[0][0]["世帯番号"] {
                cells[column(header, "世帯番号")] = "900001".to_owned();
                cells[column(header, "異動日")] = "2026-08-20".to_owned();
            }
        });
        let file: String = file
            .lines()
            .filter(|line| !line.starts_with(&gone))
            .map(|line| format!("{line}\n"))
            .collect();
        town.replace_register(file);
        go_on_to_the_end(&mut town, is_destroyed, 3);
        let found = proposed(&town, "b", &[other, stranger]);
        assert_eq!(found, (1, 0, 0, vec![id(stranger)]), "destroyed: {is_destroyed}");
    }
}
