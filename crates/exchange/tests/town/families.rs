//! The families of the town, and lists of payments to them.

use std::collections::{BTreeSet, HashMap};

use renkei_exchange::programme::{AmountRule, PayeeUnit, Rules};
use renkei_types::ListId;

use super::Town;
use super::records::table;

/// The record of somebody, by columns.
pub(crate) type Record = HashMap<String, String>;

/// A town whose programme pays households, and whose register says since when everything is so.
pub(crate) fn town() -> Town {
    Town::of_residents_and_rules(with_days, |rules| Rules { unit: PayeeUnit::Household, ..rules })
}

/// The same, paying persons.
pub(crate) fn town_of_persons() -> Town {
    Town::of_residents_and_rules(with_days, |rules| rules)
}

pub(crate) fn with_days(residents: String) -> String {
    let days = |(at, line): (usize, &str)| match at {
        0 => format!("{line},異動日,処理日\n"),
        _ => format!("{line},2020-04-01,2020-04-02\n"),
    };
    residents.lines().enumerate().map(days).collect()
}

/// The same, and whom the register flags as protected: nobody yet.
pub(crate) fn with_flags(residents: String) -> String {
    let flags = |(at, line): (usize, &str)| match at {
        0 => format!("{line},支援措置\n"),
        _ => format!("{line},0\n"),
    };
    with_days(residents).lines().enumerate().map(flags).collect()
}

/// Everybody, household by household, where two or more live together under readings of their own.
pub(crate) fn families(town: &Town) -> Vec<Vec<Record>> {
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
pub(crate) fn list_of(town: &Town, name: &str, lines: &[(&Record, &str, &str)]) -> ListId {
    let list = town.linked_list_of(name, &list_text(name, lines));
    town.decide_all(list, "clerk-1");
    list
}

pub(crate) fn list_text(name: &str, lines: &[(&Record, &str, &str)]) -> String {
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
pub(crate) fn own<'a>(people: &[&'a Record]) -> Vec<(&'a Record, &'a str, &'a str)> {
    people.iter().map(|one| (*one, one["氏名カナ"].as_str(), one["住所"].as_str())).collect()
}

/// So much for each member, as lines of a list: whom they mean, and how many they count.
pub(crate) fn counted(town: &Town, name: &str, lines: &[(&Record, u64)]) -> ListId {
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

pub(crate) fn town_of_members() -> Town {
    Town::of_residents_and_rules(with_days, |rules| Rules {
        unit: PayeeUnit::Household,
        amount: Some(AmountRule::Each { yen: 10_000, most: 9 }),
        ..rules
    })
}

/// How many lines of these people are left out as paid, as excluded and as held, and who is paid.
pub(crate) fn proposed(
    town: &Town,
    name: &str,
    people: &[&Record],
) -> (usize, usize, u64, Vec<String>) {
    let list = list_of(town, name, &own(people));
    let found = match town.propose("certifier-1", list) {
        Ok(found) => found,
        Err(refused) => panic!("nobody is paid: {:?}", refused.reason),
    };
    let paid = town.paid(found.batch).into_iter().map(|payment| payment.person).collect();
    (found.already_paid as usize, found.excluded as usize, found.held, paid)
}

pub(crate) fn id(one: &Record) -> String {
    one["宛名番号"].clone()
}
