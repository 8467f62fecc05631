//! Whom a stop or an exclusion reaches that names somebody by what the register says today.
//!
//! Each test of a fault names the line that, removed, makes it fail.

mod town;

use town::families::{families, id, list_of, own, proposed, town, town_of_persons};
use town::moves::{all_to, move_after, moved, notice};
use town::records::{column, delta, table};
use town::stops::{hold, leave_out, stopped};

/// Without `in_use` in `Register::states` the stop is accepted, and the household is paid.
#[test]
fn a_stop_or_an_exclusion_by_the_number_of_today_reaches_a_list_that_was_linked_before() {
    for is_late in [false, true] {
        for is_stop in [true, false] {
            let town = town();
            let families = families(&town);
            let stranger = &families[1][0];
            let list = list_of(&town, "a", &own(&[&families[0][0], stranger]));
            let moves = all_to(&families[0], "900001");
            match is_late {
                true => notice(&town, 1, &moves, &[]),
                false => move_after(&town, 1, &moves, &[]),
            }
            match is_stop {
                true => hold(&town, "900001"),
                false => leave_out(&town, "900001"),
            }
            let found = town.propose("certifier-1", list).expect("a proposal");
            let (excluded, held) = if is_stop { (0, 1) } else { (1, 0) };
            assert_eq!((found.excluded, found.held), (excluded, held), "{is_late} {is_stop}");
            assert_eq!(found.unmet.stops + found.unmet.exclusions, 0);
            let paid: Vec<_> = town.paid(found.batch).into_iter().map(|one| one.person).collect();
            assert_eq!(paid, [id(stranger)]);
        }
    }
}

/// Without the same it reaches nobody of a list that is linked later either, as the household is paid under the number of the base date.
#[test]
fn a_stop_by_the_number_of_today_reaches_a_list_that_is_linked_later() {
    let town = town();
    let families = families(&town);
    let stranger = &families[1][0];
    list_of(&town, "a", &own(&[&families[0][0]]));
    move_after(&town, 1, &all_to(&families[0], "900001"), &[]);
    hold(&town, "900001");
    let found = proposed(&town, "b", &[&families[0][1], stranger]);
    assert_eq!(found, (0, 0, 1, vec![id(stranger)]));
}

/// Without the same nobody is stopped who is of the household only now, where persons are paid.
#[test]
fn a_stop_on_a_household_of_today_reaches_its_persons() {
    let town = town_of_persons();
    let families = families(&town);
    let list = list_of(&town, "a", &own(&[&families[0][0], &families[1][0]]));
    move_after(&town, 1, &all_to(&families[0], "900001"), &[]);
    hold(&town, "900001");
    let found = town.propose("certifier-1", list).expect("a proposal");
    assert_eq!((found.held, town.paid(found.batch).len()), (1, 1));
}

/// Without the same a stop on somebody of whom the register heard late stops nobody.
#[test]
fn a_stop_on_a_member_whom_a_late_notice_brings_reaches_the_household() {
    let town = town();
    let families = families(&town);
    let (member, home) = (&families[0][1], families[0][0]["世帯番号"].as_str());
    let list = list_of(&town, "a", &own(&[&families[0][0], &families[1][0]]));
    let (header, records) = table(&town);
    let mut cells = moved(&header, &records, member, (home, "2026-08-25"));
    cells[column(&header, "宛名番号")] = "77000001".to_owned();
    cells[column(&header, "氏名")] = "新井　花".to_owned();
    town.apply(1, &delta(&header, &[("追加", cells)])).expect("a delta");
    hold(&town, "77000001");
    let found = town.propose("certifier-1", list).expect("a proposal");
    assert_eq!((found.held, town.paid(found.batch).len()), (1, 1));
}

/// Without the same a batch goes out that somebody has stopped in time.
#[test]
fn a_stop_by_the_number_of_today_stops_the_certified_batch_that_pays_the_household() {
    let held = |by_number_of_today: bool| {
        let town = town();
        let families = families(&town);
        let list = list_of(&town, "a", &own(&[&families[0][0], &families[1][0]]));
        town.certify(list).expect("two signatures");
        move_after(&town, 1, &all_to(&families[0], "900001"), &[]);
        let then = families[0][0]["世帯番号"].as_str();
        stopped(&town, if by_number_of_today { "900001" } else { then })
    };
    let (today, then) = (held(true), held(false));
    assert_eq!(today, then);
}

/// Without `ever` in `Renumbering::of` the stop ends with the next number, though the one that it names was that of its day.
#[test]
fn a_stop_under_a_number_that_a_household_had_for_a_while_goes_with_the_next() {
    let town = town();
    let families = families(&town);
    let list = list_of(&town, "a", &own(&[&families[0][0], &families[1][0]]));
    notice(&town, 1, &all_to(&families[0], "900001"), &[]);
    hold(&town, "900001");
    notice(&town, 2, &all_to(&families[0], "900002"), &[]);
    let found = town.propose("certifier-1", list).expect("a proposal");
    assert_eq!((found.held, town.paid(found.batch).len()), (1, 1));
    assert_eq!(found.unmet.stops, 0);
}

/// Without `ever` in `Reach::add_members` the stop reaches nobody, where persons are paid, and counts as met.
#[test]
fn a_stop_under_a_number_that_persons_had_for_a_while_reaches_them() {
    let town = town_of_persons();
    let families = families(&town);
    let list = list_of(&town, "a", &own(&[&families[0][0], &families[1][0]]));
    move_after(&town, 1, &all_to(&families[0], "900001"), &[]);
    hold(&town, "900001");
    move_after(&town, 2, &all_to(&families[0], "900002"), &[]);
    let found = town.propose("certifier-1", list).expect("a proposal");
    assert_eq!((found.held, town.paid(found.batch).len()), (1, 1));
    assert_eq!(found.unmet.stops, 0);
}

/// With `own` in the place of `home` in `Reach::add_payees` she takes along the household that she moves to.
#[test]
fn who_is_stopped_does_not_take_along_the_household_that_she_moves_to_after_the_base_date() {
    let town = town();
    let families = families(&town);
    let (stays, goes, other) = (&families[0][0], &families[0][1], &families[1][0]);
    let list = list_of(&town, "a", &own(&[stays, other]));
    hold(&town, &id(goes));
    move_after(&town, 1, &[(goes, &other["世帯番号"])], &[]);
    let found = town.propose("certifier-1", list).expect("a proposal");
    let paid: Vec<_> = town.paid(found.batch).into_iter().map(|one| one.person).collect();
    assert_eq!((found.held, paid), (1, vec![id(other)]));
}

/// With members of today in `Reach::has_payment`, where households are paid, a batch waits for whoever moved into the household.
#[test]
fn a_stop_on_a_household_does_not_stop_the_batch_that_pays_another_for_whoever_moved_into_it_since()
{
    let town = town();
    let families = families(&town);
    let (one, other) = (&families[0][0], &families[1][0]);
    let list = list_of(&town, "a", &own(&[other]));
    town.certify(list).expect("two signatures");
    move_after(&town, 1, &[(other, &one["世帯番号"])], &[]);
    assert_eq!(stopped(&town, &one["世帯番号"]).batches, 0);
    assert_eq!(stopped(&town, &other["世帯番号"]).batches, 1);
}

/// Without `of_base_date` in `Reach::add_paid` a batch goes out that pays somebody of the stopped household, under the number that she had
/// when it was signed.
#[test]
fn a_stop_on_a_household_stops_the_batch_that_pays_whom_a_late_notice_has_brought_to_it() {
    let town = town();
    let families = families(&town);
    let (stays, goes, stranger) = (&families[0][0], &families[0][1], &families[1][0]);
    let list = list_of(&town, "a", &own(&[goes, stranger]));
    town.certify(list).expect("two signatures");
    notice(&town, 1, &[(goes, "900001")], &[]);
    assert_eq!(stopped(&town, "900001").batches, 1);
    assert_eq!(stopped(&town, &stays["世帯番号"]).batches, 1, "it pays these");
    assert_eq!(stopped(&town, &families[2][0]["世帯番号"]).batches, 0);
}

/// Without `strangers_under` in `Reach::add_payees` the stop holds those who had the number on the base date, and not who has it today, where
/// those live elsewhere; without `is_there` in `together::of_base_date` where they are gone.
#[test]
fn a_stop_by_a_number_of_today_reaches_who_has_it_though_strangers_had_it_on_the_base_date() {
    for (is_before, are_gone) in [(false, false), (false, true), (true, false), (true, true)] {
        let town = town();
        let families = families(&town);
        let (one, stranger) = (&families[0][0], &families[2][0]);
        let number = families[1][0]["世帯番号"].clone();
        let list = is_before.then(|| list_of(&town, "a", &own(&[one, stranger])));
        match are_gone {
            true => move_after(&town, 1, &[], &families[1].iter().collect::<Vec<_>>()),
            false => move_after(&town, 1, &all_to(&families[1], "900002"), &[]),
        }
        move_after(&town, 2, &all_to(&families[0], &number), &[]);
        let list = list.unwrap_or_else(|| list_of(&town, "a", &own(&[one, stranger])));
        hold(&town, &number);
        let found = town.propose("certifier-1", list).expect("a proposal");
        let paid: Vec<_> = town.paid(found.batch).into_iter().map(|one| one.person).collect();
        let told = format!("linked before: {is_before}, gone: {are_gone}");
        assert_eq!((found.held, paid), (1, vec![id(stranger)]), "{told}");
    }
}

/// Without `before` in `Reach::add_payees` her line is paid, which pays the stopped household under the number of before.
#[test]
fn a_stop_or_an_exclusion_of_a_household_reaches_the_line_of_who_was_gone_before_the_base_date() {
    for (is_stop, by_member) in [(true, true), (true, false), (false, true), (false, false)] {
        let town = town();
        let families = families(&town);
        let (head, rest) = families[0].split_first().expect("a family");
        let list = list_of(&town, "a", &own(&[head, &families[1][0]]));
        notice(&town, 1, &all_to(rest, "900001"), &[(head, "2026-08-20")]);
        let named = if by_member { id(&rest[0]) } else { "900001".to_owned() };
        match is_stop {
            true => hold(&town, &named),
            false => leave_out(&town, &named),
        }
        let found = town.propose("certifier-1", list).expect("a proposal");
        let paid: Vec<_> = town.paid(found.batch).into_iter().map(|one| one.person).collect();
        let told = format!("stop: {is_stop}, by member: {by_member}");
        assert_eq!((found.held + found.excluded, paid), (1, vec![id(&families[1][0])]), "{told}");
    }
}
