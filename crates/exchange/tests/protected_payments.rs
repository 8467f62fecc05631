//! Payments to and beside protected persons: found before anything is certified, shown to protectors alone, and made only after two of them
//! have seen to it.
//!
//! Each test of a fault names the line that, removed, makes it fail.

mod town;

use std::collections::BTreeSet;

use renkei_exchange::household_case::CaseState;
use renkei_exchange::households::HouseholdFinding;
use renkei_exchange::programme::{PayeeUnit, Rules};
use renkei_types::Reason;
use town::Town;
use town::cases::{clear, findings, look, paid_lines, protect};
use town::families::{Record, families, list_of, own, town, town_of_persons, with_flags};
use town::moves::moved;
use town::records::{column, delta, table};

/// Without `watch.holds` in `batch::draw_up` the household of somebody protected is paid into the account of whom she is protected
/// from; without `batch.protected` in `standing::look` a proposal of the day before still is.
#[test]
fn a_household_of_protected_and_other_persons_is_paid_only_after_two_protectors_have_cleared_it() {
    let town = town();
    let families = families(&town);
    let list = list_of(&town, "a", &own(&[&families[0][0], &families[1][0], &families[2][0]]));
    let before = town.propose("certifier-1", list).expect("a proposal");
    assert_eq!((before.held, town.paid(before.batch).len()), (0, 3));
    protect(&town, 2, &[&families[1][1]]);
    let late = town.sign("certifier-2", list, before.batch).expect_err("drawn up before");
    assert_eq!((late.reason, late.field), (Reason::VersionOld, Some("batch_id")));

    let proposed = town.propose("certifier-1", list).expect("a proposal");
    assert_eq!(proposed.held, 1);
    assert_eq!(paid_lines(&town, list), ["a-0", "a-2"].map(str::to_owned).into());
    let found = look(&town, list);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].line.as_str(), found[0].state), ("a-1", CaseState::Open));
    assert!(found[0].findings.contains(&HouseholdFinding::ProtectedMember));

    assert!(!clear(&town, "protector-1", list, "a-1").expect("the first").cleared);
    let alone = clear(&town, "protector-1", list, "a-1").expect_err("alone");
    assert_eq!(alone.reason, Reason::SamePerson);
    assert_eq!(look(&town, list)[0].state, CaseState::Signed);
    assert_eq!(paid_lines(&town, list).len(), 2);
    assert!(clear(&town, "protector-2", list, "a-1").expect("the second").cleared);
    assert_eq!(look(&town, list)[0].state, CaseState::Cleared);
    assert_eq!(paid_lines(&town, list).len(), 3);
    let none = clear(&town, "protector-1", list, "a-0").expect_err("nothing to clear");
    assert_eq!(none.reason, Reason::WrongState);
    // The state knows neither whom nor why.
    let state = town.exchange.state();
    let known = serde_json::to_string(&state.household_cases.iter().collect::<Vec<_>>());
    let known = known.expect("text");
    let member = &families[1];
    assert!(member.iter().all(|one| !known.contains(one["宛名番号"].as_str())));
    assert!(!known.contains(member[0]["世帯番号"].as_str()) && !known.contains("PROTECTED"));
    // Somebody else in the house is protected since: that is another thing to look at.
    protect(&town, 3, &[&families[1][0]]);
    assert_ne!(look(&town, list)[0].state, CaseState::Cleared);
}

#[test]
fn a_household_of_protected_persons_alone_is_paid_like_every_other() {
    let town = town();
    let families = families(&town);
    let list = list_of(&town, "a", &own(&[&families[0][0], &families[1][0]]));
    protect(&town, 2, &families[1].iter().collect::<Vec<_>>());
    assert_eq!(findings(&town, list), []);
    assert_eq!(paid_lines(&town, list).len(), 2);
}

/// Without `members.kana` in `Surroundings::look` a child cannot be paid into her mother's account; without the finding it is paid into
/// anybody's.
#[test]
fn somebody_protected_is_paid_into_her_own_account_or_that_of_somebody_protected_with_her() {
    let town = town_of_persons();
    let families = families(&town);
    let family = families.iter().find(|family| family.len() > 2).expect("three in a house");
    let (child, mother, other) = (&family[0], &family[1], &family[2]);

    let account = |name: &str, holder: &Record| {
        let list = list_of(&town, name, &[(child, &holder["氏名カナ"], &child["住所"])]);
        findings(&town, list)
    };
    protect(&town, 2, &[child, mother]);
    assert_eq!(account("own", child), []);
    assert_eq!(account("mother", mother), []);
    let held = BTreeSet::from([HouseholdFinding::HolderIsOther]);
    assert_eq!(account("other", other), [("other-0".to_owned(), held)]);
}

/// Without `left` in `Surroundings::read` the household that she fled from is paid for her too.
#[test]
fn a_household_that_somebody_protected_has_left_is_looked_at_if_she_was_of_it_when_it_counted() {
    let town = town();
    let families = families(&town);
    let list = list_of(&town, "a", &own(&[&families[0][0], &families[1][0], &families[2][0]]));
    let (header, records) = table(&town);
    let entries = [
        ("変更", moved(&header, &records, &families[0][1], ("900001", "2026-10-05"))),
        ("変更", moved(&header, &records, &families[1][1], ("900002", "2026-08-20"))),
    ];
    town.apply(1, &delta(&header, &entries)).expect("a delta");
    protect(&town, 2, &[&families[0][1], &families[1][1]]);
    // The list was linked before both moves, so both households were counted with them.
    let left = BTreeSet::from([HouseholdFinding::MemberLeft]);
    let of = |line: &str| (line.to_owned(), left.clone());
    assert_eq!(findings(&town, list), [of("a-0"), of("a-1")]);
    // A list that is linked now knows of both; of the first she was a member on the base date, 2026-09-01.
    let again = list_of(&town, "b", &own(&[&families[0][0], &families[1][0], &families[2][0]]));
    assert_eq!(findings(&town, again), [of("b-0")]);
}

/// Without `on_base_date` in `Surroundings::read` the household that she fled from is paid for her as soon as the town sends its
/// register anew.
#[test]
fn a_household_that_somebody_protected_has_left_is_looked_at_also_where_a_whole_file_says_so() {
    let mut town = town();
    let families = families(&town);
    let (header, records) = table(&town);
    // Dated after the base date, dated before it, not dated, gone from the file, and still there.
    protect(&town, 2, &families[..5].iter().map(|family| &family[1]).collect::<Vec<_>>());
    let new = [("900001", "2026-10-05"), ("900002", "2026-08-20"), ("900003", "")];
    let id = column(&header, "宛名番号");
    let mut text = header.join(",") + "\n";
    for cells in &records {
        let number = families[..4].iter().position(|family| family[1]["宛名番号"] == cells[id]);
        let cells = match number {
            Some(3) => continue,
            Some(number) => moved(&header, &records, &families[number][1], new[number]),
            None => cells.clone(),
        };
        text.push_str(&(cells.join(",") + "\n"));
    }
    town.replace_register(text);
    let payees: Vec<&Record> = families[..5].iter().map(|family| &family[0]).collect();
    let list = list_of(&town, "a", &own(&payees));
    let left = BTreeSet::from([HouseholdFinding::MemberLeft]);
    let of = |line: &str| (line.to_owned(), left.clone());
    let beside = BTreeSet::from([HouseholdFinding::ProtectedMember]);
    let found = [of("a-0"), of("a-2"), of("a-3"), ("a-4".to_owned(), beside)];
    assert_eq!(findings(&town, list), found);
    assert_eq!(paid_lines(&town, list), ["a-1".to_owned()].into());
}

/// Without the zeros taken off in `Flagged::has` a household is paid for her whom the register itself flags.
#[test]
fn a_household_that_somebody_left_whom_the_register_flags_is_looked_at() {
    let household = |rules| Rules { unit: PayeeUnit::Household, ..rules };
    let mut town = Town::of_residents_and_rules(with_flags, household);
    let families = families(&town);
    let (header, records) = table(&town);
    let (id, flag) = (column(&header, "宛名番号"), column(&header, "支援措置"));
    let her = &families[0][1];
    assert!(her["宛名番号"].starts_with('0'));
    let mut text = header.join(",") + "\n";
    for cells in &records {
        let mut cells = cells.clone();
        if cells[id] == her["宛名番号"] {
            cells = moved(&header, &records, her, ("900001", "2026-10-05"));
            cells[flag] = "1".to_owned();
        }
        text.push_str(&(cells.join(",") + "\n"));
    }
    town.replace_register(text);
    let protected = town.protected();
    let bare = her["宛名番号"].trim_start_matches('0');
    assert!(protected.covers(&her["宛名番号"]) && protected.covers(bare));
    assert!(!protected.covers(&families[0][0]["宛名番号"]));
    let list = list_of(&town, "a", &own(&[&families[0][0], &families[1][0]]));
    let left = BTreeSet::from([HouseholdFinding::MemberLeft]);
    assert_eq!(findings(&town, list), [("a-0".to_owned(), left)]);
}

/// Without `is_at` in `Surroundings::look` letters go where she is not any more.
#[test]
fn the_line_of_somebody_protected_that_has_an_address_of_before_is_looked_at() {
    let town = town_of_persons();
    let families = families(&town);
    let (one, elsewhere) = (&families[0][0], &families[1][0]);
    protect(&town, 2, &[one]);
    let of = |name: &str, address: &str| {
        findings(&town, list_of(&town, name, &[(one, &one["氏名カナ"], address)]))
    };
    assert_eq!(of("now", &one["住所"]), []);
    assert_eq!(of("none", ""), []);
    let held = BTreeSet::from([HouseholdFinding::OtherAddress]);
    assert_eq!(of("before", &elsewhere["住所"]), [("before-0".to_owned(), held)]);
}

/// With a refusal in the place of the look that `standing::look` takes a city in which somebody is protected every day certifies nothing.
#[test]
fn a_proposal_is_signed_though_others_are_protected_since() {
    let town = town();
    let families = families(&town);
    let list = list_of(&town, "a", &own(&[&families[0][0], &families[1][0]]));
    let batch = town.propose("certifier-1", list).expect("a proposal").batch;
    protect(&town, 2, &[&families[4][0]]);
    protect(&town, 3, &[&families[4][0], &families[5][0]]);
    assert_eq!(town.sign("certifier-2", list, batch), Ok(batch));
}

/// Without `is_stale` in `household_case::protected` both signatures are taken though nobody knows who is protected.
#[test]
fn nothing_is_certified_as_long_as_it_is_not_known_who_is_protected() {
    let mut town = Town::new();
    let list = town.linked_list("wave-1", 40);
    let batch = town.propose("certifier-1", list).expect("a proposal").batch;
    town.restart_on("2026-12-05");
    let refused = town.propose("certifier-1", list).expect_err("too old");
    assert_eq!(refused.reason, Reason::ProtectionStale);
    let refused = town.sign("certifier-2", list, batch).expect_err("too old");
    assert_eq!(refused.reason, Reason::ProtectionStale);
    town.report(2, "宛名番号,支援措置\n").expect("nothing has changed");
    town.sign("certifier-2", list, batch).expect("the second signature");
}
