//! Persons whom a programme counts to other households than the register does, and who are paid once all the same.
//!
//! Each test of a fault names the line that, removed, makes it fail.

mod town;

use std::collections::BTreeSet;

use renkei_exchange::command::Call;
use renkei_exchange::division::{Divided, DivisionKind};
use renkei_exchange::hold::hold_payee;
use renkei_exchange::households::HouseholdFinding;
use renkei_exchange::permit::StopReleases;
use renkei_types::Reason;
use town::cases::{clear, findings, paid_lines, protect};
use town::families::{Record, counted, families, list_of, own, town, town_of_members};
use town::moves::{all_to, changed, move_after, notice, renumber};
use town::records::column;
use town::stops::divide;
use town::{Town, caller};

/// Without `divided` in `PayeeRule::payee` both are paid; without the comparison of `divisions` in `CertifyBatch::decide` a proposal from
/// before is.
#[test]
fn a_household_that_was_divided_after_the_base_date_is_one_still_and_paid_once() {
    let town = town();
    let families = families(&town);
    let (one, other) = (&families[0][0], &families[1][0]);
    let list = list_of(&town, "a", &own(&[one, other]));
    let before = town.propose("certifier-1", list).expect("a proposal");
    assert_eq!(town.paid(before.batch).len(), 2);
    // The register has them in two households; they were one.
    let still_one = [(other, one["世帯番号"].as_str())];
    let divided =
        divide(&town, "payments", DivisionKind::StillOne, &still_one).expect("a division");
    assert_eq!(divided, Divided { persons: 1, already_certified: 0, is_compared: true });
    let late = town.sign("certifier-2", list, before.batch).expect_err("drawn up before");
    assert_eq!(late.reason, Reason::VersionOld);
    let proposed = town.propose("certifier-1", list).expect("a proposal");
    assert_eq!((proposed.already_paid, town.paid(proposed.batch).len()), (1, 1));
    let nobody = divide(&town, "payments", DivisionKind::StillOne, &[(one, "no such household")]);
    let nobody = nobody.expect_err("of a household that nobody knows");
    assert_eq!((nobody.reason, nobody.line), (Reason::UnknownPerson, Some(1)));
    let missing = divide(&town, "payments", DivisionKind::StillOne, &[(other, "")]);
    let missing = missing.expect_err("of which household?");
    assert_eq!((missing.reason, missing.line), (Reason::FieldInvalid, Some(1)));
    let twice = divide(&town, "payments", DivisionKind::Separate, &[(other, ""), (other, "x")]);
    assert_eq!(twice.expect_err("one of both").line, Some(2));
}

/// Without `line_of_person` in `AlreadyPaid::has` whoever was paid for the old household is paid for the new one too.
#[test]
fn a_person_who_was_named_by_a_paid_line_is_not_paid_again_for_another_household() {
    let town = town();
    let families = families(&town);
    let (one, other) = (&families[0][0], &families[0][1]);
    let first = list_of(&town, "a", &own(&[one]));
    town.pay(first);
    let separate = divide(&town, "payments", DivisionKind::Separate, &[(one, ""), (other, "")]);
    let divided = Divided { persons: 2, already_certified: 1, is_compared: true };
    assert_eq!(separate.expect("a division"), divided);
    let second = list_of(&town, "b", &own(&[one, other]));
    let proposed = town.propose("certifier-1", second).expect("a proposal");
    assert_eq!(proposed.already_paid, 1);
    let paid = town.paid(proposed.batch);
    assert_eq!(paid.len(), 1);
    assert_eq!(paid[0].person, other["宛名番号"]);
    // Whoever certifies is told that somebody made a household of its own of it.
    let batch = town.exchange.state().batches.get_shared(&proposed.batch).expect("the batch");
    assert_eq!(batch.separate_households, 1);
}

/// What is taken from the old household is what is added at the new place (L7). Without `counts_divided` in
/// `Surroundings::look` she is counted in both; without `has_fled` she can be paid only after two protectors have looked.
#[test]
fn who_fled_is_paid_by_herself_and_not_counted_where_she_fled_from() {
    let town = town_of_members();
    let families = families(&town);
    let family = families.iter().find(|family| family.len() > 2).expect("three in a house");
    let people = family.len() as u64;
    let (stays, fled, child) = (&family[0], &family[1], &family[2]);
    protect(&town, 2, &[fled, child]);
    let mine = counted(&town, "mine", &[(fled, 2)]);
    let held = findings(&town, mine);
    assert!(held[0].1.contains(&HouseholdFinding::ProtectedMember), "{held:?}");
    let not_theirs = divide(&town, "payments", DivisionKind::DvSeparate, &[(fled, "")]);
    assert_eq!(not_theirs.expect_err("for protectors").reason, Reason::RoleMissing);
    let together = [(fled, "refuge-1"), (child, "refuge-1")];
    divide(&town, "protector-1", DivisionKind::DvSeparate, &together).expect("a division");
    assert_eq!(findings(&town, mine), []);
    let theirs = counted(&town, "theirs", &[(stays, people)]);
    let counts = BTreeSet::from([HouseholdFinding::CountsDivided]);
    assert_eq!(findings(&town, theirs), [("theirs-0".to_owned(), counts)]);
    let without = counted(&town, "without", &[(stays, people - 2)]);
    assert_eq!(findings(&town, without), []);
    assert_eq!(paid_lines(&town, without).len() + paid_lines(&town, mine).len(), 2);
}

/// Without `paid_with_old` in `Surroundings::look` she is paid for twice where her husband was quicker.
#[test]
fn who_fled_after_the_old_household_was_paid_for_her_is_looked_at() {
    let town = town_of_members();
    let families = families(&town);
    let family = &families[0];
    let old = counted(&town, "old", &[(&family[0], family.len() as u64)]);
    town.pay(old);
    protect(&town, 2, &[&family[1]]);
    divide(&town, "protector-1", DivisionKind::DvSeparate, &[(&family[1], "")])
        .expect("a division");
    let mine = counted(&town, "mine", &[(&family[1], 1)]);
    let paid = BTreeSet::from([HouseholdFinding::PaidWithOld]);
    assert_eq!(findings(&town, mine), [("mine-0".to_owned(), paid)]);
    assert!(!clear(&town, "protector-1", mine, "mine-0").expect("the first").cleared);
    assert!(clear(&town, "protector-2", mine, "mine-0").expect("the second").cleared);
    assert_eq!(paid_lines(&town, mine).len(), 1);
}

/// Without `paid.household` in `Surroundings::look`, and without `on_base_date` in `Remainders::read`, who fled is paid for twice as soon
/// as the town gives the old household another number.
#[test]
fn who_fled_is_not_counted_twice_where_the_old_household_has_another_number_since() {
    for is_paid_before in [false, true] {
        let mut town = town_of_members();
        let families = families(&town);
        let family = families.iter().find(|family| family.len() > 2).expect("three in a house");
        let (stays, fled, people) = (&family[0], &family[1], family.len() as u64);
        if is_paid_before {
            let old = counted(&town, "old", &[(stays, people)]);
            town.pay(old);
        }
        divide(&town, "protector-1", DivisionKind::DvSeparate, &[(fled, "")]).expect("a division");
        renumber(&mut town, family, "900001");
        let (name, who, count, finding) = match is_paid_before {
            true => ("mine", fled, 1, HouseholdFinding::PaidWithOld),
            false => ("theirs", stays, people, HouseholdFinding::CountsDivided),
        };
        let list = counted(&town, name, &[(who, count)]);
        assert_eq!(findings(&town, list), [(format!("{name}-0"), BTreeSet::from([finding]))]);
    }
}

/// Without the households as every linked snapshot had them in `Remainders::read` she is paid for twice where a later file says that she was
/// of none of those that the register knows now.
#[test]
fn who_fled_after_the_old_household_was_paid_for_her_is_looked_at_though_a_later_file_knows_another()
 {
    let mut town = town_of_members();
    let families = families(&town);
    let (stays, fled) = (&families[0][0], &families[0][1]);
    move_after(&town, 1, &all_to(&families[0], "900001"), &[]);
    town.pay(counted(&town, "old", &[(stays, families[0].len() as u64)]));
    divide(&town, "protector-1", DivisionKind::DvSeparate, &[(fled, "")]).expect("a division");
    let anew = changed(&town, |header, cells| {
        if cells[column(header, "宛名番号")] == fled["宛名番号"] {
            cells[column(header, "世帯番号")] = "900002".to_owned();
            cells[column(header, "異動日")] = "2026-08-20".to_owned();
        }
    });
    town.replace_register(anew);
    let mine = counted(&town, "mine", &[(fled, 1)]);
    let paid = BTreeSet::from([HouseholdFinding::PaidWithOld]);
    assert_eq!(findings(&town, mine), [("mine-0".to_owned(), paid)]);
}

/// Without the kind in `Divisions::households` whoever may stop a payment finds out who fled, by asking.
#[test]
fn who_has_a_household_of_her_own_because_she_fled_is_told_to_nobody_who_names_it() {
    let town = town();
    let families = families(&town);
    let (fled, other) = (&families[0][1], &families[1][1]);
    list_of(&town, "a", &own(&[&families[0][0]]));
    divide(&town, "protector-1", DivisionKind::DvSeparate, &[(fled, "")]).expect("a division");
    let permit = town.permit_own::<StopReleases>("certifier-1");
    for who in [fled, other] {
        let call = Call::read(caller("certifier-1"));
        let id = format!("person {}", who["宛名番号"]);
        let refused = hold_payee(&town.exchange, &call, &permit, town.programme, &id);
        assert_eq!(refused.expect_err("no register has it").reason, Reason::UnknownPerson);
        let again = divide(&town, "payments", DivisionKind::StillOne, &[(other, id.as_str())]);
        assert_eq!(again.expect_err("no household").reason, Reason::UnknownPerson);
    }
}

/// Without `is_doubtful` in `Sieve::obstacle` who parted is paid under the number of the division, and the others under the one that the
/// register has given them since.
#[test]
fn who_is_counted_to_a_household_that_has_another_number_since_waits_for_a_division_that_names_it()
{
    // Whether the household is paid before it gets the number, and whether by the line of whom the division names.
    for (is_paid_before, is_divided_first) in
        [(false, true), (false, false), (true, true), (true, false)]
    {
        let (town, families) = parted();
        let (parted, rest) = families[0].split_last().expect("a family");
        let give_number = || notice(&town, 2, &all_to(rest, "900001"), &[]);
        let both = [parted, &rest[0]];
        let (first, second) = if is_divided_first { (0, 1) } else { (1, 0) };
        let (stranger, other) = (&families[1][0], &families[2][0]);
        if !is_paid_before {
            give_number();
        }
        town.pay(list_of(&town, "a", &own(&[both[first], other])));
        if is_paid_before {
            give_number();
        }
        let list = list_of(&town, "b", &own(&[both[second], stranger]));
        let found = town.propose("certifier-1", list).expect("a proposal");
        let paid = town.paid(found.batch).len();
        // Of the two lines of the household one is paid at most.
        let is_second_paid = !is_paid_before && is_divided_first;
        assert_eq!(paid, 1 + usize::from(is_second_paid), "{is_paid_before} {is_divided_first}");
        assert_eq!(found.held + found.already_paid, u64::from(!is_second_paid));
    }
}

/// Without the same one list pays both.
#[test]
fn who_is_counted_to_a_household_with_another_number_is_not_paid_beside_it_in_a_list() {
    let (town, families) = parted();
    let (parted, rest) = families[0].split_last().expect("a family");
    notice(&town, 2, &all_to(rest, "900001"), &[]);
    let stranger = &families[1][0];
    let list = list_of(&town, "a", &own(&[parted, &rest[0], stranger]));
    let found = town.propose("certifier-1", list).expect("a proposal");
    assert_eq!((found.held, found.already_paid, town.paid(found.batch).len()), (1, 0, 2));
    divide(&town, "payments", DivisionKind::StillOne, &[(parted, "900001")]).expect("a division");
    let found = town.propose("certifier-1", list).expect("a proposal");
    assert_eq!((found.held, found.already_paid, town.paid(found.batch).len()), (0, 1, 2));
}

/// Without `is_doubtful` in `Sieve::obstacle` who parted is paid beside all of those who are left.
#[test]
fn who_is_counted_to_a_household_that_is_several_by_now_waits_for_a_division_that_names_one() {
    let (town, families) = parted();
    let (parted, rest) = families[0].split_last().expect("a family");
    let (one, others) = rest.split_first().expect("two more");
    let moves: Vec<_> = all_to(others, "900002").into_iter().chain([(one, "900001")]).collect();
    notice(&town, 2, &moves, &[]);
    let list = list_of(&town, "a", &own(&[one, parted]));
    let found = town.propose("certifier-1", list).expect("a proposal");
    assert_eq!((found.held, found.already_paid, town.paid(found.batch).len()), (1, 0, 1));
    divide(&town, "payments", DivisionKind::StillOne, &[(parted, "900001")]).expect("a division");
    let found = town.propose("certifier-1", list).expect("a proposal");
    assert_eq!((found.held, found.already_paid, town.paid(found.batch).len()), (0, 1, 1));
}

/// Without `follow` in `Renumbering::by_state` it is not known who was of the household that was paid, and it is paid once more.
#[test]
fn a_household_that_was_paid_by_the_line_of_who_is_counted_to_it_is_paid_already_under_every_later_number()
 {
    let (town, families) = parted();
    let (parted, rest) = families[0].split_last().expect("a family");
    town.pay(list_of(&town, "a", &own(&[parted])));
    notice(&town, 2, &all_to(rest, "900001"), &[]);
    list_of(&town, "b", &own(&[&families[2][0]]));
    notice(&town, 3, &all_to(rest, "900002"), &[]);
    let list = list_of(&town, "c", &own(&[&rest[0], &families[1][0]]));
    let found = town.propose("certifier-1", list).expect("a proposal");
    assert_eq!((found.already_paid, town.paid(found.batch).len()), (1, 1));
}

/// Without `own` in `payee::doubtful` she is paid as a household that is still one with nobody, and the others wait in vain.
#[test]
fn who_is_counted_to_the_number_that_she_has_herself_since_she_parted_waits_for_one_that_means_others()
 {
    let town = town();
    let families = families(&town);
    let (one, parted) = (&families[0][0], &families[0][1]);
    move_after(&town, 1, &[(parted, "900002")], &[]);
    let list = list_of(&town, "a", &own(&[parted, &families[1][0]]));
    // The number that stands on the screen, instead of the one of before.
    divide(&town, "payments", DivisionKind::StillOne, &[(parted, "900002")]).expect("a division");
    let found = town.propose("certifier-1", list).expect("a proposal");
    assert_eq!((found.held, town.paid(found.batch).len()), (1, 1));
    let number = one["世帯番号"].as_str();
    divide(&town, "payments", DivisionKind::StillOne, &[(parted, number)]).expect("a division");
    let found = town.propose("certifier-1", list).expect("a proposal");
    assert_eq!((found.held, town.paid(found.batch).len()), (0, 2));
}

/// Without `counted_since` in `PaidHouseholds::of` the household is paid again that a division makes of two, one of which was paid; without
/// `follow` it is paid again under its next number.
#[test]
fn a_division_that_comes_after_a_payment_counts_that_payment_for_the_household_that_is_still_one() {
    for is_renumbered in [false, true] {
        let town = town();
        let families = families(&town);
        let (one, parted, stranger) = (&families[0][0], &families[1][0], &families[2][0]);
        town.certify(list_of(&town, "a", &own(&[parted]))).expect("two signatures");
        let number = one["世帯番号"].as_str();
        let persons: Vec<_> = families[1].iter().map(|who| (who, number)).collect();
        let divided = divide(&town, "payments", DivisionKind::StillOne, &persons);
        assert_eq!(divided.expect("a division").already_certified, 1);
        if is_renumbered {
            notice(&town, 1, &all_to(&families[0], "900001"), &[]);
        }
        let list = list_of(&town, "b", &own(&[one, stranger]));
        let found = town.propose("certifier-1", list).expect("a proposal");
        assert_eq!(
            (found.already_paid, town.paid(found.batch).len()),
            (1, 1),
            "renumbered: {is_renumbered}"
        );
    }
}

/// A town whose first family has three or more, of whom the last parted before the base date and is counted to it all the same.
fn parted() -> (Town, Vec<Vec<Record>>) {
    let town = town();
    let mut families = families(&town);
    let at = families.iter().position(|family| family.len() > 2).expect("three in a house");
    families.swap(0, at);
    let parted = families[0].last().expect("the last");
    notice(&town, 1, &[(parted, "900005")], &[]);
    let still_one = [(parted, parted["世帯番号"].as_str())];
    divide(&town, "payments", DivisionKind::StillOne, &still_one).expect("a division");
    (town, families)
}
