//! Stops and exclusions of households that divisions part: whoever divides is one person, and whoever lifts a stop must be two.
//!
//! Each test names the line that, removed, makes it fail.

mod town;

use renkei_exchange::division::DivisionKind;
use town::families::{families, id, list_of, own, town};
use town::moves::renumber;
use town::stops::{divide, hold, leave_out, stopped};

/// Without the loop over `told` in `Reach::add_payees` the batch that pays her goes out.
#[test]
fn a_stop_on_a_household_stops_the_batch_of_who_has_one_of_her_own_by_a_division() {
    let town = town();
    let families = families(&town);
    let (one, parted, stranger) = (&families[0][0], &families[0][1], &families[1][0]);
    let list = list_of(&town, "a", &own(&[parted, stranger]));
    divide(&town, "payments", DivisionKind::Separate, &[(parted, "")]).expect("a division");
    let batch = town.propose("certifier-1", list).expect("a proposal").batch;
    assert_eq!(town.paid(batch).len(), 2);
    assert_eq!(stopped(&town, &one["世帯番号"]).batches, 1, "the batch waits");
}

/// Without `Separate` in `Reach::add_payees` she is paid, though all of her household are excluded.
#[test]
fn an_exclusion_of_a_household_reaches_who_has_one_of_her_own_by_a_division() {
    for is_first in [true, false] {
        let town = town();
        let families = families(&town);
        let (one, parted, stranger) = (&families[0][0], &families[0][1], &families[1][0]);
        let list = list_of(&town, "a", &own(&[parted, stranger]));
        if is_first {
            leave_out(&town, &one["世帯番号"]);
        }
        divide(&town, "payments", DivisionKind::Separate, &[(parted, "")]).expect("a division");
        if !is_first {
            leave_out(&town, &one["世帯番号"]);
        }
        let found = town.propose("certifier-1", list).expect("a proposal");
        let paid: Vec<_> = town.paid(found.batch).into_iter().map(|one| one.person).collect();
        assert_eq!((found.excluded, paid), (1, vec![id(stranger)]), "first: {is_first}");
    }
}

/// Without `Said::Stopped` in `is_meant` of `Reach::add_payees` a division lifts the stop, and nobody is told that it reaches nobody.
#[test]
fn a_stop_on_a_number_reaches_who_is_counted_elsewhere_as_still_one() {
    for is_first in [true, false] {
        let town = town();
        let families = families(&town);
        // The register has two households since before the base date; a division says they are one.
        let (one, parted, stranger) = (&families[0], &families[1][0], &families[2][0]);
        let list = list_of(&town, "a", &own(&[parted, stranger]));
        let number = parted["世帯番号"].as_str();
        if is_first {
            hold(&town, number);
        }
        let persons: Vec<_> =
            families[1].iter().map(|who| (who, one[0]["世帯番号"].as_str())).collect();
        divide(&town, "payments", DivisionKind::StillOne, &persons).expect("a division");
        if !is_first {
            hold(&town, number);
        }
        let found = town.propose("certifier-1", list).expect("a proposal");
        let paid: Vec<_> = town.paid(found.batch).into_iter().map(|one| one.person).collect();
        assert_eq!(
            (found.held, found.unmet.stops, paid),
            (1, 0, vec![id(stranger)]),
            "stop first: {is_first}"
        );
    }
}

/// Without `Said::Excluded` before `continue` in `Reach::add_payees` a division of the stopped person lets the household go.
#[test]
fn a_division_does_not_take_the_household_out_of_a_stop_on_a_member() {
    for kind in [DivisionKind::Separate, DivisionKind::StillOne] {
        let town = town();
        let families = families(&town);
        let (named, other, stranger) = (&families[0][0], &families[0][1], &families[1][0]);
        let list = list_of(&town, "a", &own(&[other, stranger]));
        hold(&town, &id(named));
        let to = if kind == DivisionKind::Separate { "" } else { &families[2][0]["世帯番号"] };
        divide(&town, "payments", kind, &[(named, to)]).expect("a division");
        let found = town.propose("certifier-1", list).expect("a proposal");
        let paid: Vec<_> = town.paid(found.batch).into_iter().map(|one| one.person).collect();
        assert_eq!((found.held, paid), (1, vec![id(stranger)]), "{kind:?}");
    }
}

/// With `named` in the place of `reached` in the loop over `told` only the number itself holds up who is parted from it.
#[test]
fn a_stop_by_a_member_or_by_the_number_of_today_holds_who_has_a_household_of_her_own() {
    for by_member in [true, false] {
        let mut town = town();
        let families = families(&town);
        let (one, parted, stranger) = (&families[0][0], &families[0][1], &families[1][0]);
        let list = list_of(&town, "a", &own(&[parted, stranger]));
        if by_member {
            hold(&town, &id(one));
        } else {
            renumber(&mut town, &families[0], "900001");
            hold(&town, "900001");
        }
        divide(&town, "payments", DivisionKind::Separate, &[(parted, "")]).expect("a division");
        let found = town.propose("certifier-1", list).expect("a proposal");
        let paid: Vec<_> = town.paid(found.batch).into_iter().map(|one| one.person).collect();
        assert_eq!((found.held, paid), (1, vec![id(stranger)]), "by member: {by_member}");
    }
}

/// Without `counted` in `Reach::add_paid` the batch goes out that pays who is counted to the stopped household since.
#[test]
fn a_stop_on_a_household_stops_the_batch_that_paid_who_was_counted_to_it_afterwards() {
    let town = town();
    let families = families(&town);
    let (one, parted) = (&families[0][0], &families[1][0]);
    let list = list_of(&town, "a", &own(&[parted]));
    town.certify(list).expect("two signatures");
    let number = one["世帯番号"].as_str();
    let persons: Vec<_> = families[1].iter().map(|who| (who, number)).collect();
    divide(&town, "payments", DivisionKind::StillOne, &persons).expect("a division");
    assert_eq!(stopped(&town, number).batches, 1, "the batch waits");
}
