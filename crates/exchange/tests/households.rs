//! Households that a programme pays, stops or excludes, whoever of them a line names and whatever number they have since.
//!
//! Each test of a fault names the line that, removed, makes it fail.

mod town;

use renkei_exchange::command::Call;
use renkei_exchange::division::DivisionKind;
use renkei_exchange::exclusion::{ExclusionReason, exclude};
use renkei_exchange::hold::hold_payee;
use renkei_exchange::list::Totals;
use renkei_exchange::permit::{Readmit, StopReleases, Submit};
use renkei_exchange::programme::{PayeeUnit, Rules};
use renkei_exchange::readmission::readmit;
use renkei_types::Reason;
use town::families::{families, id, list_of, own, proposed, town, town_of_persons, with_days};
use town::moves::{all_to, changed, move_after, moved, notice, renumber};
use town::records::{column, delta, table};
use town::stops::{divide, hold, leave_out};
use town::{Town, caller};

/// Without the households of persons in `Reach::add_payees` a stop on the wife pays the household by the husband's line.
#[test]
fn a_stop_or_an_exclusion_of_one_member_reaches_the_household_that_another_one_s_line_pays() {
    let town = town();
    let families = families(&town);
    let (applicant, member) = (&families[0][0], &families[0][1]);
    let (second, excluded) = (&families[1][0], &families[1][1]);
    // The hold is placed before there is a list, with the zeros eaten: the register is not known yet.
    let permit = town.permit_own::<StopReleases>("certifier-1");
    let call = Call::read(caller("certifier-1"));
    let id = member["宛名番号"].trim_start_matches('0');
    let held =
        hold_payee(&town.exchange, &call, &permit, town.programme, id).expect("a hold").reply;
    assert!(!held.is_compared);
    let list = list_of(&town, "a", &own(&[applicant, second, &families[2][0]]));
    let proposed = town.propose("certifier-1", list).expect("a proposal");
    assert_eq!((proposed.held, town.paid(proposed.batch).len()), (1, 2));
    let (permit, call) = (town.permit_own::<Submit>("payments"), Call::read(caller("payments")));
    let ids = [excluded["宛名番号"].clone()];
    exclude(&town.exchange, &call, &permit, town.programme, ExclusionReason::Declined, &ids)
        .expect("an exclusion");
    let proposed = town.propose("certifier-1", list).expect("a proposal");
    assert_eq!((proposed.held, proposed.excluded, town.paid(proposed.batch).len()), (1, 1, 1));
}

/// Without `handled` in `Standpoint::on_base_date`, for a version that has no day of its own, a paid household parts without a day, and is paid again.
#[test]
fn a_change_of_household_that_nobody_has_dated_does_not_make_a_second_payee_of_a_paid_household() {
    let town = town();
    let families = families(&town);
    let (one, other) = (&families[0][0], &families[0][1]);
    town.pay(list_of(&town, "a", &own(&[one])));
    let (header, records) = table(&town);
    let id = column(&header, "宛名番号");
    let mut parted = records.into_iter().find(|cells| cells[id] == other["宛名番号"]);
    let cells = parted.as_mut().expect("the record");
    for (name, value) in [("世帯番号", "parted"), ("異動日", ""), ("処理日", "")] {
        cells[column(&header, name)] = value.to_owned();
    }
    town.apply(1, &delta(&header, &[("変更", parted.expect("the record"))])).expect("a delta");
    let second = list_of(&town, "b", &own(&[other]));
    let refused = town.propose("certifier-1", second).expect_err("the household is paid");
    assert_eq!(refused.reason, Reason::AlreadyPaid);
}

/// Without `without_zeros` in `Payees` everybody is a new payee as soon as a spreadsheet has eaten the zeros of a register.
#[test]
fn who_is_paid_is_not_paid_again_when_the_register_comes_without_the_zeros_of_its_ids() {
    for mut town in [town_of_persons(), town()] {
        let families = families(&town);
        let person = &families[0][0];
        town.pay(list_of(&town, "a", &own(&[person])));
        let bare = changed(&town, |header, cells| {
            for name in ["宛名番号", "世帯番号"] {
                let cell = &mut cells[column(header, name)];
                *cell = cell.trim_start_matches('0').to_owned();
            }
        });
        assert!(!bare.contains(&person["宛名番号"]), "the register had zeros");
        town.replace_register(bare);
        let second = list_of(&town, "b", &own(&[person]));
        let refused = town.propose("certifier-1", second).expect_err("the person is paid");
        assert_eq!(refused.reason, Reason::AlreadyPaid);
    }
}

/// Without `numbers` in `AlreadyPaid::has` a household that got another number is paid by the line of another of its members.
#[test]
fn a_household_that_was_paid_is_not_paid_again_under_the_number_that_a_late_notice_gives_it() {
    let town = town();
    let families = families(&town);
    let (one, other) = (&families[0][0], &families[0][1]);
    town.pay(list_of(&town, "a", &own(&[one])));
    // Handled after that, but of a day before the base date: all of them were the other household then.
    let (header, records) = table(&town);
    let members = families[0].iter();
    let late = |who| ("変更", moved(&header, &records, who, ("900001", "2026-08-20")));
    let late: Vec<_> = members.map(late).collect();
    town.apply(1, &delta(&header, &late)).expect("a delta");
    let second = list_of(&town, "b", &own(&[other, &families[1][0]]));
    let proposed = town.propose("certifier-1", second).expect("a proposal");
    assert_eq!((proposed.already_paid, town.paid(proposed.batch).len()), (1, 1));
}

/// Without `own` in `Reach::add_members` a stop on a household ends for whoever moves out of it, where persons are paid; without
/// `Renumbering::of` in `Reach::add_payees` one on a household ends with its number, where households are.
#[test]
fn a_stop_on_a_household_goes_with_whoever_moves_and_with_its_number() {
    for (town, day) in [(town_of_persons(), "2026-10-05"), (town(), "2026-08-20")] {
        let families = families(&town);
        let (one, other) = (&families[0][0], &families[0][1]);
        list_of(&town, "a", &own(&[one]));
        hold(&town, &one["世帯番号"]);
        let (header, records) = table(&town);
        let late = |who| ("変更", moved(&header, &records, who, ("900001", day)));
        let late: Vec<_> = families[0].iter().map(late).collect();
        town.apply(1, &delta(&header, &late)).expect("a delta");
        let second = list_of(&town, "b", &own(&[other, &families[1][0]]));
        let proposed = town.propose("certifier-1", second).expect("a proposal");
        assert_eq!((proposed.held, town.paid(proposed.batch).len()), (1, 1));
    }
}

/// Without `own` in `Renumbering::now_of`, which asks the register in use who is left, the survivors of a head of household are paid once more.
#[test]
fn a_paid_household_is_paid_already_under_its_new_number_though_whom_the_line_named_is_gone() {
    for gone in ["2026-08-25", "2026-10-05", "not in the file"] {
        let mut town = town();
        let families = families(&town);
        let (named, others) = families[0].split_first().expect("a family");
        town.pay(list_of(&town, "a", &own(&[named])));
        if gone == "not in the file" {
            let file = changed(&town, |header, cells| {
                if others.iter().any(|one| one["宛名番号"] == cells[column(header, "宛名番号")])
                {
                    cells[column(header, "世帯番号")] = "900001".to_owned();
                    cells[column(header, "異動日")] = "2026-08-20".to_owned();
                }
            });
            let is_left = |line: &&str| !line.starts_with(named["宛名番号"].as_str());
            let left = file.lines().filter(is_left).map(|line| format!("{line}\n")).collect();
            town.replace_register(left);
        } else {
            notice(&town, 1, &all_to(others, "900001"), &[(named, gone)]);
        }
        let stranger = &families[1][0];
        let found = proposed(&town, "b", &[&others[0], stranger]);
        assert_eq!(found, (1, 0, 0, vec![id(stranger)]), "{gone}");
    }
}

/// Where `Renumbering::is_divided` is so also for the household itself, a division that changes nothing hides the new number.
#[test]
fn a_paid_household_is_paid_already_under_its_new_number_though_a_division_counts_somebody_to_it() {
    let town = town();
    let families = families(&town);
    let (named, other, stranger) = (&families[0][0], &families[0][1], &families[1][0]);
    divide(&town, "payments", DivisionKind::StillOne, &[(named, &named["世帯番号"])])
        .expect("a division");
    town.pay(list_of(&town, "a", &own(&[named])));
    notice(&town, 1, &all_to(&families[0], "900001"), &[]);
    let found = proposed(&town, "b", &[other, stranger]);
    assert_eq!(found, (1, 0, 0, vec![id(stranger)]));
}

/// Without `own` in `Renumbering::now_of` a stop ends with the number as soon as one member is gone.
#[test]
fn a_stop_or_an_exclusion_goes_with_the_new_number_of_a_household_that_has_lost_a_member() {
    let (household, person) = ("世帯番号", "宛名番号");
    for (is_stop, named) in [(true, household), (false, household), (true, person)] {
        let town = town();
        let families = families(&town);
        let (gone, left) = families[0].split_first().expect("a family");
        list_of(&town, "a", &own(&[gone]));
        if is_stop {
            hold(&town, &gone[named])
        } else {
            leave_out(&town, &gone[named])
        }
        notice(&town, 1, &all_to(left, "900001"), &[(gone, "2026-10-05")]);
        let stranger = &families[1][0];
        let found = proposed(&town, "b", &[&left[0], stranger]);
        let (excluded, held) = if is_stop { (0, 1) } else { (1, 0) };
        assert_eq!(found, (0, excluded, held, vec![id(stranger)]), "{is_stop} {named}");
    }
}

/// With all households of a person in the place of the last one in `Standpoint::own` whoever fled loses her benefit because the household declines that she was of.
#[test]
fn a_stop_or_an_exclusion_of_a_household_leaves_out_who_left_it_before_any_list_was_linked() {
    for is_stop in [true, false] {
        let town = town_of_persons();
        let families = families(&town);
        let (stays, left) = (&families[0][0], &families[0][1]);
        let (header, records) = table(&town);
        let moves = ("変更", moved(&header, &records, left, ("900001", "2026-03-05")));
        town.apply(1, &delta(&header, &[moves])).expect("a delta");
        list_of(&town, "a", &own(&[stays, left]));
        let household = &stays["世帯番号"];
        if is_stop {
            hold(&town, household)
        } else {
            leave_out(&town, household)
        }
        let found = proposed(&town, "b", &[stays, left]);
        let (excluded, held) = if is_stop { (0, 1) } else { (1, 0) };
        assert_eq!(found, (0, excluded, held, vec![id(left)]));
    }
}

/// With `ever` in the place of `Together::of` in `Renumbering::by_state` the household to which somebody went long before is excluded with the one that was left.
#[test]
fn an_excluded_household_that_gets_another_number_does_not_take_along_the_household_of_who_left_it()
{
    let town = town();
    let families = families(&town);
    let (left, rest) = families[0].split_last().expect("a family");
    let stranger = &families[1][0];
    notice(&town, 1, &[(left, &stranger["世帯番号"])], &[]);
    list_of(&town, "a", &own(&[stranger]));
    leave_out(&town, &left["世帯番号"]);
    notice(&town, 2, &all_to(rest, "900001"), &[]);
    let found = proposed(&town, "b", &[&rest[0], stranger]);
    assert_eq!(found, (0, 1, 0, vec![id(stranger)]));
}

/// Without `has_somebody` in `Renumbering::follow`, which says whether somebody is left, the household of strangers is taken for paid.
#[test]
fn a_household_is_not_paid_because_somebody_was_of_it_whose_line_paid_another_that_is_still_there()
{
    let town = town();
    let families = families(&town);
    let (named, other, stranger) = (&families[0][0], &families[0][1], &families[1][0]);
    town.pay(list_of(&town, "a", &own(&[named])));
    notice(&town, 1, &[(named, &stranger["世帯番号"])], &[]);
    let found = proposed(&town, "b", &[other, stranger]);
    assert_eq!(found, (1, 0, 0, vec![id(stranger)]));
}

/// With one `Together` of all states in the place of one for each in `Renumbering::of` the strangers who have the number now hide that its household has another.
#[test]
fn a_number_that_is_given_to_strangers_still_means_the_household_that_had_it() {
    for is_paid in [true, false] {
        let town = town();
        let families = families(&town);
        let (named, other) = (&families[0][0], &families[0][1]);
        let (newcomer, stranger) = (&families[1][0], &families[2][0]);
        let first = list_of(&town, "a", &own(&[named]));
        if is_paid {
            town.pay(first);
        } else {
            hold(&town, &named["世帯番号"]);
        }
        notice(&town, 1, &all_to(&families[0], "900001"), &[]);
        notice(&town, 2, &all_to(&families[1], &named["世帯番号"]), &[]);
        list_of(&town, "b", &own(&[newcomer]));
        let found = proposed(&town, "c", &[other, stranger]);
        let (paid, held) = if is_paid { (1, 0) } else { (0, 1) };
        assert_eq!(found, (paid, 0, held, vec![id(stranger)]));
    }
}

/// With `own` in the place of `of_base_date` in `Together::seen_from` the household is taken for paid from which somebody came who lived in a
/// paid one when the list was linked, as soon as she alone is left of it.
#[test]
fn a_household_is_not_paid_because_somebody_of_it_moved_into_a_paid_one_after_the_base_date() {
    let town = town();
    let families = families(&town);
    let (came, stays, stranger) = (&families[1][1], &families[1][0], &families[2][0]);
    move_after(&town, 1, &[(came, &families[0][0]["世帯番号"])], &[]);
    town.pay(list_of(&town, "a", &own(&[&families[0][0]])));
    move_after(&town, 2, &[], &families[0].iter().collect::<Vec<_>>());
    let found = proposed(&town, "b", &[stays, stranger]);
    assert_eq!(found, (0, 0, 0, vec![id(stays), id(stranger)]));
}

/// Without the same a household that moved as a whole before it was paid is paid again under its next number, once whom its line named
/// is gone.
#[test]
fn a_household_that_moved_after_the_base_date_is_paid_already_under_every_later_number() {
    for is_stop in [false, true] {
        let town = town();
        let families = families(&town);
        let (named, others) = families[0].split_first().expect("a family");
        move_after(&town, 1, &all_to(&families[0], "900001"), &[]);
        let first = list_of(&town, "a", &own(&[named]));
        if is_stop {
            hold(&town, &named["世帯番号"])
        } else {
            town.pay(first);
        }
        notice(&town, 2, &all_to(others, "900002"), &[(named, "2026-10-06")]);
        let stranger = &families[1][0];
        let found = proposed(&town, "b", &[&others[0], stranger]);
        let (paid, held) = if is_stop { (0, 1) } else { (1, 0) };
        assert_eq!(found, (paid, 0, held, vec![id(stranger)]));
    }
}

/// Without `counts_with` in `ProgrammeHomes::read` a household whose number changed between linking and signing is paid again under its next one,
/// once whom its line named is gone; with others in it than those who were of that number a household is never paid because somebody of it
/// was put right to be of another.
#[test]
fn a_household_that_got_its_number_after_the_list_was_linked_is_paid_already_under_later_ones() {
    for is_whole in [true, false] {
        let town = town();
        let families = families(&town);
        let (named, others) = families[0].split_first().expect("a family");
        let first = list_of(&town, "a", &own(&[named]));
        let late = if is_whole { &families[0][..] } else { &families[0][..1] };
        notice(&town, 1, &all_to(late, "900001"), &[]);
        town.pay(first);
        notice(&town, 2, &all_to(others, "900002"), &[(named, "2026-10-06")]);
        let stranger = &families[1][0];
        let found = proposed(&town, "b", &[&others[0], stranger]);
        let expected = match is_whole {
            true => (1, 0, 0, vec![id(stranger)]),
            false => (0, 0, 0, vec![id(&others[0]), id(stranger)]),
        };
        assert_eq!(found, expected);
    }
}

/// Without those who have a number in the snapshot, where nobody had it on the base date, a stop under the number of today is lost with
/// the next one.
#[test]
fn a_stop_under_a_number_that_a_household_has_had_since_the_base_date_goes_with_the_next() {
    let town = town();
    let families = families(&town);
    move_after(&town, 1, &all_to(&families[0], "900001"), &[]);
    list_of(&town, "a", &own(&[&families[0][0]]));
    hold(&town, "900001");
    move_after(&town, 2, &all_to(&families[0], "900002"), &[]);
    let stranger = &families[1][0];
    let found = proposed(&town, "b", &[&families[0][1], stranger]);
    assert_eq!(found, (0, 0, 1, vec![id(stranger)]));
}

/// Without `AlreadyPaid` in `open_again` whoever readmits is told of yen that nobody can be paid.
#[test]
fn who_is_taken_off_the_exclusions_is_open_again_only_where_the_household_is_not_paid_under_another_number()
 {
    let town = town();
    let families = families(&town);
    let (named, other, stranger) = (&families[0][0], &families[0][1], &families[1][0]);
    town.pay(list_of(&town, "a", &own(&[named])));
    notice(&town, 1, &all_to(&families[0], "900001"), &[]);
    list_of(&town, "b", &own(&[other, stranger, &families[1][1]]));
    let ids = [id(other), id(stranger)];
    ids.iter().for_each(|id| leave_out(&town, id));
    let (permit, call) =
        (town.permit_own::<Readmit>("certifier-1"), Call::read(caller("certifier-1")));
    let readmitted = readmit(&town.exchange, call, permit, town.programme, &ids);
    let open_again = readmitted.expect("the first signature").reply.open_again;
    // A household is paid once, however many lines name one of its members.
    assert_eq!(open_again, Totals { lines: 1, yen: 30_000 });
}

/// Without the zero that `without_zeros` leaves, everybody without a household is excluded and stopped.
#[test]
fn an_id_of_zeros_alone_means_nobody_who_has_no_household() {
    let mut town = town_of_persons();
    let families = families(&town);
    let lonely = &families[0][0];
    let bare = changed(&town, |header, cells| {
        if cells[column(header, "宛名番号")] == lonely["宛名番号"] {
            cells[column(header, "世帯番号")].clear();
        }
    });
    town.replace_register(bare);
    hold(&town, "000");
    leave_out(&town, "0");
    let list = list_of(&town, "a", &own(&[lonely, &families[1][0]]));
    let found = town.propose("certifier-1", list).expect("a proposal");
    assert_eq!((found.excluded, found.held, town.paid(found.batch).len()), (0, 0, 2));
    assert_eq!((found.unmet.stops, found.unmet.exclusions), (1, 1));
}

/// Without the check of the payee in `open_again` whoever readmits is told of yen that nobody can be paid.
#[test]
fn who_has_no_household_is_not_open_again_where_households_are_paid() {
    let mut town = town();
    let families = families(&town);
    let lonely = &families[0][0];
    let bare = changed(&town, |header, cells| {
        if cells[column(header, "宛名番号")] == lonely["宛名番号"] {
            cells[column(header, "世帯番号")].clear();
        }
    });
    town.replace_register(bare);
    list_of(&town, "a", &own(&[lonely, &families[1][0]]));
    leave_out(&town, &id(lonely));
    let (permit, call) =
        (town.permit_own::<Readmit>("certifier-1"), Call::read(caller("certifier-1")));
    let readmitted = readmit(&town.exchange, call, permit, town.programme, &[id(lonely)]);
    let open_again = readmitted.expect("the first signature").reply.open_again;
    assert_eq!(open_again, Totals::default());
}

/// Where `Standpoint::on_base_date` does not look at the only file since the base date, whoever is known from a file before it keeps the household
/// of that one: two lines pay two numbers of one household.
#[test]
fn lists_that_were_linked_to_files_before_the_base_date_pay_the_households_of_the_last_of_them() {
    let future = |rules| Rules {
        unit: PayeeUnit::Household,
        base_date: "2026-12-01".parse().expect("a day"),
        ..rules
    };
    for is_newer_first in [false, true] {
        let mut town = Town::of_residents_and_rules(with_days, future);
        let families = families(&town);
        let (one, other) = (&families[0][0], &families[0][1]);
        let older = list_of(&town, "a", &own(&[one, &families[1][0]]));
        renumber(&mut town, &families[0], "900001");
        let newer = list_of(&town, "b", &own(&[other, &families[2][0]]));
        let (first, second) = if is_newer_first { (newer, older) } else { (older, newer) };
        town.pay(first);
        let found = town.propose("certifier-1", second).expect("a proposal");
        assert_eq!((found.already_paid, town.paid(found.batch).len()), (1, 1), "{is_newer_first}");
    }
}

/// Without `is_there` in `Homes::read_part` whoever comes under another id leaves the household of the base date with it, and is paid for by the one
/// to which she went later.
#[test]
fn who_is_removed_and_added_in_one_delta_to_put_the_zeros_right_is_of_the_same_household_still() {
    // The days of the removal and of the addition.
    let days = [("2026-08-20", "2026-08-20"), ("2020-04-01", "2020-04-01")];
    for (removed, added) in
        days.into_iter().chain([("2026-10-01", "2026-10-01"), ("2026-08-20", "2020-04-01")])
    {
        let town = town();
        let families = families(&town);
        let (one, other) = (&families[0][0], &families[0][1]);
        let (header, records) = table(&town);
        let old = moved(&header, &records, other, (&one["世帯番号"], removed));
        let mut new = moved(&header, &records, other, (&one["世帯番号"], added));
        let id = &mut new[column(&header, "宛名番号")];
        *id = id.trim_start_matches('0').to_owned();
        assert_ne!(*id, other["宛名番号"], "the register had zeros");
        town.apply(1, &delta(&header, &[("削除", old), ("追加", new.clone())])).expect("a delta");
        new[column(&header, "世帯番号")] = "900009".to_owned();
        new[column(&header, "異動日")] = "2026-10-05".to_owned();
        town.apply(2, &delta(&header, &[("変更", new)])).expect("a delta");
        town.pay(list_of(&town, "a", &own(&[one])));
        let list = list_of(&town, "b", &own(&[other, &families[1][0]]));
        let found = town.propose("certifier-1", list).expect("a proposal");
        assert_eq!((found.already_paid, town.paid(found.batch).len()), (1, 1), "{removed} {added}");
    }
}
