//! Payments to and beside protected persons: found before anything is certified, shown to protectors alone, and made only after two of them
//! have seen to it.
//!
//! Each test of a fault names the line that, removed, makes it fail.

mod town;

use std::collections::{BTreeSet, HashMap};

use renkei_exchange::Refusal;
use renkei_exchange::command::Call;
use renkei_exchange::division::{self, DividePermit, Divided, DividedPerson, DivisionKind};
use renkei_exchange::exclusion::{ExclusionReason, exclude};
use renkei_exchange::hold::hold_payee;
use renkei_exchange::household_case::{self, CaseState, Cleared, HouseholdLine};
use renkei_exchange::households::HouseholdFinding;
use renkei_exchange::list::Totals;
use renkei_exchange::permit::{Readmit, SeeProtected, StopReleases, Submit};
use renkei_exchange::programme::{AmountRule, PayeeUnit, Rules};
use renkei_exchange::readmission::readmit;
use renkei_types::{ListId, Reason};
use town::records::{column, delta, table};
use town::{Town, caller};

/// The record of somebody, by columns.
type Record = HashMap<String, String>;

/// A town whose programme pays households, and whose register says since when everything is so.
fn town() -> Town {
    Town::of_residents_and_rules(with_days, |rules| Rules { unit: PayeeUnit::Household, ..rules })
}

/// The same, paying persons.
fn town_of_persons() -> Town {
    Town::of_residents_and_rules(with_days, |rules| rules)
}

fn with_days(residents: String) -> String {
    let days = |(at, line): (usize, &str)| match at {
        0 => format!("{line},異動日,処理日\n"),
        _ => format!("{line},2020-04-01,2020-04-02\n"),
    };
    residents.lines().enumerate().map(days).collect()
}

/// The same, and whom the register flags as protected: nobody yet.
fn with_flags(residents: String) -> String {
    let flags = |(at, line): (usize, &str)| match at {
        0 => format!("{line},支援措置\n"),
        _ => format!("{line},0\n"),
    };
    with_days(residents).lines().enumerate().map(flags).collect()
}

/// Everybody, household by household, where two or more live together under readings of their own.
fn families(town: &Town) -> Vec<Vec<Record>> {
    let (header, records) = table(town);
    let mut families: Vec<Vec<Record>> = Vec::new();
    for cells in records {
        let record: Record = header.iter().map(|name| name.trim().to_owned()).zip(cells).collect();
        match families.last_mut().filter(|family| family[0]["世帯番号"] == record["世帯番号"])
        {
            Some(family) => family.push(record),
            None => families.push(vec![record]),
        }
    }
    families.retain(|family| {
        let readings: BTreeSet<&str> = family.iter().map(|one| one["氏名カナ"].as_str()).collect();
        family.len() > 1 && readings.len() == family.len() && !readings.contains("")
    });
    families
}

/// A list with a line for each of these people: whom it means, who holds the account, and the address.
fn list_of(town: &Town, name: &str, lines: &[(&Record, &str, &str)]) -> ListId {
    let list = town.linked_list_of(name, &list_text(name, lines));
    town.decide_all(list, "clerk-1");
    list
}

fn list_text(name: &str, lines: &[(&Record, &str, &str)]) -> String {
    let mut text =
        "申請番号,氏名,氏名カナ,生年月日,性別,郵便番号,住所,支給額,口座名義カナ\n".to_owned();
    for (number, (person, holder, address)) in lines.iter().enumerate() {
        let of = |name: &str| person[name].as_str();
        let cells =
            [of("氏名"), of("氏名カナ"), of("生年月日"), of("性別"), of("郵便番号"), address];
        text.push_str(&format!("{name}-{number},{},30000,{holder}\n", cells.join(",")));
    }
    text
}

/// A line for each of these people with their own account and address.
fn own<'a>(people: &[&'a Record]) -> Vec<(&'a Record, &'a str, &'a str)> {
    people.iter().map(|one| (*one, one["氏名カナ"].as_str(), one["住所"].as_str())).collect()
}

fn protect(town: &Town, number: u64, people: &[&Record]) {
    let mut text = "宛名番号,支援措置\n".to_owned();
    people.iter().for_each(|one| text.push_str(&format!("{},1\n", one["宛名番号"])));
    town.report(number, &text).expect("a report");
}

fn look(town: &Town, list: ListId) -> Vec<HouseholdLine> {
    let permit = town.permit_over_list::<SeeProtected>("protector-1", list);
    household_case::look(&town.exchange, &town.indexes, permit, list).expect("lines").reply
}

fn findings(town: &Town, list: ListId) -> Vec<(String, BTreeSet<HouseholdFinding>)> {
    look(town, list).into_iter().map(|line| (line.line, line.findings)).collect()
}

fn clear(town: &Town, who: &str, list: ListId, line: &str) -> Result<Cleared, Refusal> {
    let permit = town.permit_over_list::<SeeProtected>(who, list);
    let (exchange, indexes) = (&town.exchange, &town.indexes);
    let call = Call::read(caller(who));
    household_case::clear(exchange, indexes, call, permit, list, line).map(|done| done.reply)
}

fn paid_lines(town: &Town, list: ListId) -> BTreeSet<String> {
    let batch = town.propose("certifier-1", list).expect("a proposal").batch;
    town.paid(batch).into_iter().map(|payment| payment.line).collect()
}

/// Without `watch.holds` in `batch::draw_up` the household of somebody protected is paid into the account of whom she is protected
/// from; without the comparison of `protected` in `CertifyBatch::decide` a proposal of the day before still is.
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

/// Somebody's record in another household since a day; without one nobody knows since when.
fn moved(
    header: &[String],
    records: &[Vec<String>],
    who: &Record,
    (household, day): (&str, &str),
) -> Vec<String> {
    let id = column(header, "宛名番号");
    let known = records.iter().find(|cells| cells[id] == who["宛名番号"]);
    let mut cells = known.expect("a record").clone();
    cells[column(header, "世帯番号")] = household.to_owned();
    cells[column(header, "異動日")] = day.to_owned();
    if day.is_empty() {
        cells[column(header, "処理日")].clear();
    }
    cells
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

fn divide(
    town: &Town,
    who: &str,
    kind: DivisionKind,
    persons: &[(&Record, &str)],
) -> Result<Divided, Refusal> {
    let state = town.exchange.state();
    let owner = &state.programmes.get(&town.programme).expect("the programme").agency;
    let permit = DividePermit::of(&state, &caller(who), Some(owner), Some(kind))?;
    let person = |(one, household): &(&Record, &str)| DividedPerson {
        person: one["宛名番号"].clone(),
        household: (*household).to_owned(),
    };
    let persons = persons.iter().map(person).collect();
    let call = Call::read(caller(who));
    division::divide(&town.exchange, call, permit, town.programme, kind, persons, &[])
        .map(|done| done.reply)
}

/// So much for each member, as lines of a list: whom they mean, and how many they count.
fn counted(town: &Town, name: &str, lines: &[(&Record, u64)]) -> ListId {
    let people: Vec<&Record> = lines.iter().map(|(one, _)| *one).collect();
    let mut text = list_text(name, &own(&people));
    for (at, (_, count)) in lines.iter().enumerate() {
        let (line, yen) = (format!("{name}-{at},"), count * 10_000);
        let change = |text: &str| match text.starts_with(&line) {
            true => text.replace(",30000,", &format!(",{yen},")),
            false => text.to_owned(),
        };
        text = text.lines().map(|line| change(line) + "\n").collect();
    }
    let list = town.linked_list_of(name, &text);
    town.decide_all(list, "clerk-1");
    list
}

fn town_of_members() -> Town {
    Town::of_residents_and_rules(with_days, |rules| Rules {
        unit: PayeeUnit::Household,
        amount: Some(AmountRule::Each { yen: 10_000, most: 9 }),
        ..rules
    })
}

/// Without the households in `State::extend_reach` a stop on the wife pays the household by the husband's line.
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

/// Without `Undated::SinceHandled` in `households_on` a paid household parts without a day, and is paid again.
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

/// The register's records after a change, as a file.
fn changed(town: &Town, change: impl Fn(&[String], &mut Vec<String>)) -> String {
    let (header, records) = table(town);
    let lines = records.into_iter().map(|mut cells| {
        change(&header, &mut cells);
        cells.join(",") + "\n"
    });
    header.join(",") + "\n" + &lines.collect::<String>()
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

fn hold(town: &Town, id: &str) {
    let permit = town.permit_own::<StopReleases>("certifier-1");
    let call = Call::read(caller("certifier-1"));
    hold_payee(&town.exchange, &call, &permit, town.programme, id).expect("a hold");
}

/// Without `members` in `Reach::has_line` a stop on a household ends for whoever moves out of it, where persons are paid; without
/// `renumbered` one on a household ends with its number, where households are.
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

fn leave_out(town: &Town, id: &str) {
    let (permit, call) = (town.permit_own::<Submit>("payments"), Call::read(caller("payments")));
    let (ids, reason) = ([id.to_owned()], ExclusionReason::Declined);
    exclude(&town.exchange, &call, &permit, town.programme, reason, &ids).expect("an exclusion");
}

/// A notice that comes late: to which households some people belonged before the base date, and who is gone since when.
fn notice(town: &Town, number: u64, moves: &[(&Record, &str)], gone: &[(&Record, &str)]) {
    let (header, records) = table(town);
    let of = |operation, who: &Record, place| (operation, moved(&header, &records, who, place));
    let moves = moves.iter().map(|(who, number)| of("変更", who, (*number, "2026-08-20")));
    let gone = gone.iter().map(|(who, day)| of("削除", who, (&who["世帯番号"], *day)));
    town.apply(number, &delta(&header, &moves.chain(gone).collect::<Vec<_>>())).expect("a delta");
}

/// Everybody under one number.
fn all_to<'a>(people: &'a [Record], household: &'a str) -> Vec<(&'a Record, &'a str)> {
    people.iter().map(|one| (one, household)).collect()
}

/// How many lines of these people are left out as paid, as excluded and as held, and who is paid.
fn proposed(town: &Town, name: &str, people: &[&Record]) -> (usize, usize, u64, Vec<String>) {
    let list = list_of(town, name, &own(people));
    let found = match town.propose("certifier-1", list) {
        Ok(found) => found,
        Err(refused) => panic!("nobody is paid: {:?}", refused.reason),
    };
    let paid = town.paid(found.batch).into_iter().map(|payment| payment.person).collect();
    (found.already_paid as usize, found.excluded as usize, found.held, paid)
}

fn id(one: &Record) -> String {
    one["宛名番号"].clone()
}

/// Without `now` in `PaidHouseholds::read`, which asks the register in use who is left, the survivors of a head of household are paid once more.
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

/// With `payee` in the place of `household_of_register` in `Together::renumbered` a division that changes nothing hides the new number.
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

/// Without `now` in `State::extend_reach` a stop ends with the number as soon as one member is gone.
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

/// Without `out` in `State::extend_reach` whoever fled loses her benefit because the household declines that she was of.
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

/// Without `out` in `Together::read` the household to which somebody went long before is excluded with the one that was left.
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

/// Without the question in `Together::renumbered` whether somebody is left, the household of strangers is taken for paid.
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

/// Without the snapshots in `Together` the strangers who have the number now hide that its household has another.
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

/// Everybody in another household since a day after the base date.
fn move_after(town: &Town, number: u64, moves: &[(&Record, &str)], gone: &[&Record]) {
    let (header, records) = table(town);
    let of = |operation, who: &Record, household| {
        (operation, moved(&header, &records, who, (household, "2026-10-05")))
    };
    let moves = moves.iter().map(|(who, household)| of("変更", who, *household));
    let gone = gone.iter().map(|who| of("削除", who, &who["世帯番号"]));
    town.apply(number, &delta(&header, &moves.chain(gone).collect::<Vec<_>>())).expect("a delta");
}

/// Without the households of the base date in `Together::read` the household is taken for paid from which somebody came who lived in a
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

/// Without `read_since` in `Together::paid` a household whose number changed between linking and signing is paid again under its next one,
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

/// The register sent anew: a family under another number, nobody knows since when.
fn renumber(town: &mut Town, family: &[Record], number: &str) {
    let (header, records) = table(town);
    let id = column(&header, "宛名番号");
    let mut text = header.join(",") + "\n";
    for cells in &records {
        let who = family.iter().find(|one| one["宛名番号"] == cells[id]);
        let cells = match who {
            Some(who) => moved(&header, &records, who, (number, "")),
            None => cells.clone(),
        };
        text.push_str(&(cells.join(",") + "\n"));
    }
    town.replace_register(text);
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
