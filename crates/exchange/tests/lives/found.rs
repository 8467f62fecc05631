//! Lives that broke a law once, or would where a line is removed that chance seldom asks for.
//!
//! Each test names the line that, removed, makes it fail.

use crate::Law;
use crate::laws::{early, on_the_way, order, stop};
use crate::life::Day::{After, Before};
use crate::life::Event::{
    Apart, Certified, Delta, Excluded, Gone, Linked, Proposed, StillOne, Succeeded,
};
use crate::life::House::{New, Old};
use crate::life::People::{Family, One};
use crate::life::Which::{First, Second};
use crate::life::{Life, Named, life};
use crate::village::KeptVillage;

fn keeps(life: &Life, laws: &[Law]) {
    let start = KeptVillage::new();
    for law in laws {
        assert_eq!(law(&start, life), Ok(()), "{life}");
    }
}

/// Without `before` in `Reach::add_payees` a stop on who is left reaches the line of who is gone where that is proposed already, and
/// not where it is yet to be. Without `keys` in `AlreadyPaid::has` both are paid where the line of who is gone comes second.
#[test]
fn the_others_of_a_household_have_another_number_by_the_late_notice_of_a_death() {
    keeps(&life([0, 1], &[Succeeded(0, New(0), Before)]), &[order, stop]);
}

/// Without `counted_since` in `PaidHouseholds::of` the household is paid to which somebody who was paid is counted afterwards.
#[test]
fn somebody_who_was_paid_is_counted_to_another_household() {
    let events = [Linked(Second), Certified(First), Linked(First), Certified(First)];
    let events = [&events[..], &[StillOne(0, Old(1))]].concat();
    keeps(&life([0, 3], &events), &[on_the_way]);
}

/// Without `signed_with` in `CertifyBatch` what was proposed as that of all of them counts for all of them, though a late notice says of the
/// others that they were elsewhere.
#[test]
fn a_household_is_proposed_of_which_only_who_is_gone_was_there() {
    let events = [Gone(1, After), Proposed(Second), Delta(Family(0), New(0), Before)];
    keeps(&life([0, 1], &events), &[early, stop]);
}

/// Without `before` in the loop over `told` in `Reach::add_payees` a division takes the line of who is gone out of a stop on who is left.
#[test]
fn somebody_is_counted_elsewhere_who_was_gone_before_the_others_had_another_number() {
    for divided in [Apart(0), StillOne(0, Old(1))] {
        keeps(&life([0, 1], &[divided, Succeeded(0, New(0), Before)]), &[stop]);
    }
}

/// Without `of_base_date` in `Reach::add_paid` what was proposed as another household's goes out where it is signed already.
#[test]
fn somebody_is_proposed_who_was_of_the_stopped_household_by_a_late_notice() {
    keeps(&life([0, 1], &[Proposed(First), Delta(One(0), New(0), Before)]), &[stop]);
    let events = [Succeeded(1, Old(1), Before), Proposed(First), Succeeded(2, New(0), Before)];
    keeps(&life([0, 2], &events), &[stop]);
}

/// Without `of_batches` in `Reach::add_paid` what was proposed goes out: its number is neither that of when the list was linked nor one of
/// today.
#[test]
fn a_household_is_proposed_under_a_number_that_it_had_for_a_while() {
    let events = [Linked(First), Delta(Family(0), New(0), Before), Proposed(First)];
    let events = [&events[..], &[Succeeded(0, New(1), Before)]].concat();
    keeps(&life([0, 1], &events), &[stop]);
}

/// Without `counted` in `Reach::add_paid` what was proposed goes out where it is signed already.
#[test]
fn somebody_is_counted_to_a_stopped_household_after_her_own_was_proposed() {
    keeps(&life([0, 3], &[Proposed(First), StillOne(0, Old(1))]), &[stop]);
}

/// Without `dissolve` in `NoteLeftOut` a proposal of which nothing is left keeps the other line from being paid.
#[test]
fn somebody_is_excluded_who_was_proposed_and_of_another_household_by_a_late_notice() {
    let moved = Delta(One(0), New(0), Before);
    let events = [Proposed(First), moved, Excluded(Named::Person(0))];
    keeps(&life([0, 1], &events), &[early]);
}
