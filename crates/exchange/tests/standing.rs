//! Proposals that wait for their second signature while the register goes on.
//!
//! Each test of a fault names the line that, removed, makes it fail.

mod town;

use renkei_exchange::division::DivisionKind;
use renkei_types::Reason;
use town::families::{families, id, list_of, own, town};
use town::moves::{all_to, move_after, notice};
use town::stops::{divide, hold, leave_out};

/// Without `is_same` in `standing::look` both proposals are signed, and one household of the base date is paid twice.
#[test]
fn two_proposals_whose_payees_turn_out_to_be_one_household_are_not_both_signed() {
    let town = town();
    let families = families(&town);
    let (one, other) = (&families[0][0], &families[1][0]);
    let lists = [list_of(&town, "a", &own(&[one])), list_of(&town, "b", &own(&[other]))];
    let [first, second] =
        lists.map(|list| town.propose("certifier-1", list).expect("a proposal").batch);
    notice(&town, 1, &all_to(&families[1], &one["世帯番号"]), &[]);
    town.sign("certifier-2", lists[0], first).expect("nothing has happened to these");
    let refused = town.sign("certifier-2", lists[1], second).expect_err("another payee");
    assert_eq!((refused.reason, refused.field), (Reason::VersionOld, Some("batch_id")));
    let again = town.propose("certifier-1", lists[1]).expect_err("nobody is left to pay");
    assert_eq!(again.reason, Reason::AlreadyPaid);
}

/// Without `paid.has` in `standing::look` a proposal that keeps its payee is signed after that household was paid under another number.
#[test]
fn a_proposal_is_not_signed_whose_household_was_paid_under_another_number_in_between() {
    let town = town();
    let families = families(&town);
    let (one, other) = (&families[0][0], &families[1][0]);
    let lists = [list_of(&town, "a", &own(&[one])), list_of(&town, "b", &own(&[other]))];
    let [first, second] =
        lists.map(|list| town.propose("certifier-1", list).expect("a proposal").batch);
    town.sign("certifier-2", lists[1], second).expect("two signatures");
    notice(&town, 1, &all_to(&families[1], &one["世帯番号"]), &[]);
    let refused = town.sign("certifier-2", lists[0], first).expect_err("paid already");
    assert_eq!((refused.reason, refused.field), (Reason::VersionOld, Some("batch_id")));
}

/// With a refusal for every other register nothing is ever certified in a town whose register changes every few minutes. Without
/// `is_certified` a line that stands in the proposal itself would be taken for a payment already made.
#[test]
fn a_proposal_is_signed_though_the_register_has_changed_where_its_payees_are_the_same() {
    let town = town();
    let families = families(&town);
    let list = list_of(&town, "a", &own(&[&families[0][0], &families[1][0]]));
    let batch = town.propose("certifier-1", list).expect("a proposal").batch;
    notice(&town, 1, &all_to(&families[2], "900001"), &[]);
    // Households that part after the base date are the same ones.
    move_after(&town, 2, &all_to(&families[1], "900002"), &[]);
    town.sign("certifier-2", list, batch).expect("two signatures");
    assert_eq!(town.paid(batch).len(), 2);
}

/// Without `is_same` the household is paid under a number that it does not have any more; drawn up again it is paid once.
#[test]
fn a_proposal_whose_household_has_another_number_is_drawn_up_again_and_paid_once() {
    let town = town();
    let families = families(&town);
    let list = list_of(&town, "a", &own(&[&families[0][0], &families[1][0]]));
    let before = town.propose("certifier-1", list).expect("a proposal").batch;
    notice(&town, 1, &all_to(&families[0], "900001"), &[]);
    let refused = town.sign("certifier-2", list, before).expect_err("another payee");
    assert_eq!(refused.reason, Reason::VersionOld);
    let batch = town.propose("certifier-1", list).expect("a proposal").batch;
    town.sign("certifier-2", list, batch).expect("two signatures");
    let paid: Vec<_> = town.paid(batch).into_iter().map(|payment| payment.person).collect();
    assert_eq!(paid, [id(&families[0][0]), id(&families[1][0])]);
}

/// Without `held_up` in `standing::look` money goes to a household that somebody has joined, by a late notice, who is stopped.
#[test]
fn a_proposal_is_not_signed_whose_household_a_stop_reaches_by_a_late_notice() {
    for is_stop in [true, false] {
        let town = town();
        let families = families(&town);
        let (one, other, joins) = (&families[0][0], &families[1][0], &families[2][0]);
        match is_stop {
            true => {
                list_of(&town, "first", &own(&[joins]));
                hold(&town, &id(joins));
            }
            false => leave_out(&town, &id(joins)),
        }
        let list = list_of(&town, "a", &own(&[one, other]));
        let before = town.propose("certifier-1", list).expect("a proposal").batch;
        assert_eq!(town.paid(before).len(), 2);
        notice(&town, 1, &[(joins, &one["世帯番号"])], &[]);
        let refused = town.sign("certifier-2", list, before).expect_err("reached since");
        assert_eq!((refused.reason, refused.field), (Reason::VersionOld, Some("batch_id")));
        let found = town.propose("certifier-1", list).expect("a proposal");
        let paid: Vec<_> = town.paid(found.batch).into_iter().map(|one| one.person).collect();
        assert_eq!(paid, [id(other)]);
    }
}

/// Without `is_doubtful` in `standing::look` a line is signed of which a new proposal would say that nobody knows whom it pays.
#[test]
fn a_proposal_is_not_signed_of_whose_household_a_late_notice_leaves_in_doubt_which_it_is() {
    let town = town();
    let mut families = families(&town);
    let at = families.iter().position(|family| family.len() > 2).expect("three in a house");
    families.swap(0, at);
    let (parted, rest) = families[0].split_last().expect("a family");
    notice(&town, 1, &[(parted, "900005")], &[]);
    let still_one = [(parted, parted["世帯番号"].as_str())];
    divide(&town, "payments", DivisionKind::StillOne, &still_one).expect("a division");
    let list = list_of(&town, "a", &own(&[parted, &families[1][0]]));
    let before = town.propose("certifier-1", list).expect("a proposal").batch;
    notice(&town, 2, &all_to(rest, "900001"), &[]);
    let refused = town.sign("certifier-2", list, before).expect_err("in doubt");
    assert_eq!((refused.reason, refused.field), (Reason::VersionOld, Some("batch_id")));
    let found = town.propose("certifier-1", list).expect("a proposal");
    assert_eq!((found.held, town.paid(found.batch).len()), (1, 1));
}

/// Without `dissolve` in `NoteLeftOut` the proposal waits for ever, and whom it would have paid counts as paid.
#[test]
fn a_proposal_that_can_neither_be_signed_nor_drawn_up_again_hinders_nobody() {
    let town = town();
    let families = families(&town);
    let (one, other) = (&families[0][0], &families[0][1]);
    let [a, b] = [list_of(&town, "a", &own(&[one])), list_of(&town, "b", &own(&[other]))];
    let stale = town.propose("certifier-1", a).expect("a proposal").batch;
    // She lived elsewhere before the base date, and is not paid.
    notice(&town, 1, &[(one, "900001")], &[]);
    leave_out(&town, &id(one));
    let refused = town.sign("certifier-2", a, stale).expect_err("old");
    assert_eq!(refused.reason, Reason::VersionOld);
    let nothing = town.propose("certifier-1", a).expect_err("nothing is left");
    assert_eq!(nothing.reason, Reason::NothingToCertify);
    let found = town.propose("certifier-1", b).expect("a proposal");
    assert_eq!((found.already_paid, town.paid(found.batch).len()), (0, 1));
}

/// Without `signed_with` in `CertifyBatch` the payment counts as one to those whom the register had together at the first signature, and
/// the others, who were a household of their own, are left out as paid already.
#[test]
fn a_household_that_a_late_notice_parts_between_the_signatures_is_two_though_who_is_named_is_gone()
{
    let town = town();
    let families = families(&town);
    let (head, rest) = families[0].split_first().expect("a family");
    let [a, b] = [list_of(&town, "a", &own(&[head])), list_of(&town, "b", &own(&[&rest[0]]))];
    move_after(&town, 1, &[], &[head]);
    let waiting = town.propose("certifier-1", a).expect("a proposal").batch;
    notice(&town, 2, &all_to(rest, "900001"), &[]);
    town.sign("certifier-2", a, waiting).expect("the same payee");
    let found = town.propose("certifier-1", b).expect("a proposal");
    assert_eq!((found.already_paid, town.paid(found.batch).len()), (0, 1));
}

/// Without `signed_with` in `CertifyBatch` the household is paid again where the line of the others is drawn up after the signature; without
/// `was_signed_with_another` in `standing::look` where it is drawn up before that.
#[test]
fn a_household_whose_new_number_and_death_come_in_two_notices_is_paid_once_though_one_came_between_the_signatures()
 {
    for is_before in [true, false] {
        let town = town();
        let families = families(&town);
        let (head, rest) = families[0].split_first().expect("a family");
        let [a, b] = [list_of(&town, "a", &own(&[head])), list_of(&town, "b", &own(&[&rest[0]]))];
        notice(&town, 1, &all_to(rest, "900001"), &[]);
        let waiting = town.propose("certifier-1", a).expect("a proposal").batch;
        notice(&town, 2, &[], &[(head, "2026-08-20")]);
        let other = is_before.then(|| town.propose("certifier-1", b).expect("a proposal").batch);
        town.sign("certifier-2", a, waiting).expect("the same payee");
        if let Some(other) = other {
            let refused = town.sign("certifier-2", b, other).expect_err("paid by now");
            assert_eq!((refused.reason, refused.field), (Reason::VersionOld, Some("batch_id")));
        }
        let again = town.propose("certifier-1", b).expect_err("nobody is left to pay");
        assert_eq!(again.reason, Reason::AlreadyPaid, "before: {is_before}");
    }
}
