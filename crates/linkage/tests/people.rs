//! Who is linked, who is doubted and who is not, one hard case after the other.

mod common;

use common::{Row, crowd, decisions, linkable, row, run};
use renkei_linkage::{Cardinality, Decision, Outcome};
use renkei_types::Reason;

/// The decision on one line against the crowd and some residents.
fn decide(residents: &[&str], line: &str) -> (Decision, String) {
    let mut register = crowd(400);
    register.extend(residents.iter().map(|text| row(text)));
    let line = row(line);
    let id = line[0].clone();
    decisions(&register, &[line]).remove(&id).expect("every line has a decision")
}

const WATANABE: &str = "P1|渡邊　陽一|ワタナベ　ヨウイチ|1955-04-12|1|271-0001|千葉県若葉市緑ヶ丘１２番３号　メゾン緑２０１号室";

fn linked(line: &str) {
    let (decision, person) = decide(&[WATANABE], line);
    assert_eq!(
        (decision.outcome, person.as_str()),
        (Outcome::Linked, "P1"),
        "{line}: {decision:?}"
    );
}

#[test]
fn notation_does_not_matter() {
    linked(
        "L|渡邊　陽一|ワタナベ　ヨウイチ|1955-04-12|1|271-0001|千葉県若葉市緑ヶ丘１２番３号　メゾン緑２０１号室",
    );
    linked("L|渡辺陽一|ﾜﾀﾅﾍﾞ ﾖｳｲﾁ|S30.4.12|男|〒271ー0001|若葉市緑が丘12-3 ﾒｿﾞﾝ緑201");
    linked("L|渡邉 陽一|わたなべ　よういち|3300412|M|2710001|緑ガ丘十二番三号201");
    linked("L|渡辺　陽一|ワタナベ　ヨウイチ|20191|1|271-0001|千葉県若葉市緑ヶ丘2012/3/1");
}

#[test]
fn one_mistake_does_not_hide_a_person() {
    linked("L|渡?　陽一|ワタナベ　ヨウイチ|1955-04-12|1|271-0001|若葉市緑ヶ丘12-3-201");
    linked("L|渡辺　よういち|ワタナベ　ヨウイチ|1955-04-12|1|271-0001|若葉市緑ヶ丘12-3-201");
    linked("L||ワタナヘ ヨウイチ|1955-04-12|1|271-0001|若葉市緑ヶ丘12-3-201");
    linked("L|渡辺　陽一||1955-04-12||271-0001|若葉市緑ヶ丘12-3-201");
    linked("L|陽一　渡辺|ヨウイチ　ワタナベ|1955-04-12|1|271-0001|若葉市緑ヶ丘12-3-201");
    linked("L|渡辺　陽一|ワタナベ　ヨウイチ|1955-04-21|1|271-0001|若葉市緑ヶ丘12-3-201");
    linked("L|渡辺　陽一|ワタナベ　ヨウイチ|1955-12-04|1||若葉市緑ヶ丘12-3-201");
}

#[test]
fn a_stranger_is_not_found() {
    let (decision, person) =
        decide(&[WATANABE], "L|遠山　凜|トオヤマ　リン|1999-09-09|2|299-9999|長野県どこか町５番地");
    assert_eq!((decision.outcome, person.as_str()), (Outcome::NotFound, ""));
}

#[test]
fn a_line_without_any_evidence_is_unlinkable() {
    let (decision, _) = decide(&[WATANABE], "L|不明||||不明|");
    assert_eq!((decision.outcome, decision.reason), (Outcome::Unlinkable, Reason::NoEvidence));
}

#[test]
fn the_other_twin_is_never_linked() {
    let first = "T1|沢村　一郎|サワムラ　イチロウ|2015-07-07|1|271-0001|千葉県若葉市若松３番４号";
    let second = "T2|沢村　二郎|サワムラ　ジロウ|2015-07-07|1|271-0001|千葉県若葉市若松３番４号";
    let (decision, person) =
        decide(&[first, second], "L|沢村二郎|サワムラジロウ|2015-07-07|1|271-0001|若葉市若松3-4");
    assert_eq!((decision.outcome, person.as_str()), (Outcome::Linked, "T2"));
    // The one the line names is not in the register.
    let (decision, _) =
        decide(&[first], "L|沢村二郎|サワムラジロウ|2015-07-07|1|271-0001|若葉市若松3-4");
    assert_ne!(decision.outcome, Outcome::Linked, "{decision:?}");
    // The given name is lost: nobody can tell.
    let (decision, _) =
        decide(&[first, second], "L|沢村|サワムラ|2015-07-07|1|271-0001|若葉市若松3-4");
    assert_ne!(decision.outcome, Outcome::Linked, "{decision:?}");
}

#[test]
fn a_twin_of_another_name_is_never_paid_for_the_one_who_is_registered() {
    let twin = "T1|沢村　真理|サワムラ　マリ|2015-07-07|2|271-0001|千葉県若葉市若松３番４号";
    let (decision, person) =
        decide(&[twin], "L|沢村由美|サワムラユミ|2015-07-07|2|271-0001|若葉市若松3-4");
    assert!(matches!(decision.outcome, Outcome::Ambiguous | Outcome::Review), "{decision:?}");
    assert_eq!(person, "T1");
}

#[test]
fn a_line_that_gives_nothing_but_a_name_is_left_to_a_clerk() {
    let only =
        "S1|四月一日　朱鷺雄|ワタヌキ　トキオ|1980-01-20|1|271-0001|千葉県若葉市若松３番４号";
    let (decision, person) = decide(&[only], "L|四月一日朱鷺雄|ワタヌキトキオ||1||");
    assert_ne!(decision.outcome, Outcome::Linked, "{decision:?}");
    assert_eq!(person, "S1");
}

#[test]
fn strangers_of_one_name_and_birthday_are_told_apart_by_address_or_not_at_all() {
    let here = "S1|鈴木　花子|スズキ　ハナコ|1980-01-20|2|271-0001|千葉県若葉市若松３番４号";
    let there = "S2|鈴木　花子|スズキ　ハナコ|1980-01-20|2|273-0003|千葉県若葉市平和９番１号";
    let (decision, person) =
        decide(&[here, there], "L|鈴木花子|スズキハナコ|1980-01-20|2|273-0003|若葉市平和9-1");
    assert_eq!((decision.outcome, person.as_str()), (Outcome::Linked, "S2"), "{decision:?}");
    let (decision, person) = decide(&[there, here], "L|鈴木花子|スズキハナコ|1980-01-20|2||");
    assert_eq!((decision.reason, person.as_str()), (Reason::Tie, "S1"), "{decision:?}");
    assert!(matches!(decision.outcome, Outcome::Ambiguous | Outcome::Review));
}

#[test]
fn a_father_is_not_taken_for_his_son_of_the_same_reading() {
    let father = "F|岸本　博|キシモト　ヒロシ|1950-08-02|1|271-0001|千葉県若葉市若松８番８号";
    let son = "L|岸本　浩|キシモト　ヒロシ|1978-08-02|1|271-0001|若葉市若松8-8";
    let (decision, _) = decide(&[father], son);
    assert_ne!(decision.outcome, Outcome::Linked, "{decision:?}");
    let same_name = "L|岸本　博|キシモト　ヒロシ|1978-11-23|1|271-0001|若葉市若松8-8";
    let (decision, _) = decide(&[father], same_name);
    assert_ne!(decision.outcome, Outcome::Linked, "{decision:?}");
}

#[test]
fn a_second_application_spelled_differently_names_the_line_that_holds_the_person() {
    let mut register = crowd(400);
    register.push(row(WATANABE));
    let lines: [Row; 2] = [
        row("L1|渡邊　陽一|ワタナベ　ヨウイチ|1955-04-12|1|271-0001|若葉市緑ヶ丘12-3-201"),
        row("L2|渡辺陽一|ﾜﾀﾅﾍﾞ|S30.4.12|1||若葉市緑が丘12-3"),
    ];
    let decisions = decisions(&register, &lines);
    let (first, second) = (decisions["L1"].0, decisions["L2"].0);
    let (held, by) = if first.outcome == Outcome::Linked { (second, 0) } else { (first, 1) };
    assert_eq!((held.outcome, held.reason), (Outcome::Duplicate, Reason::HeldByLine));
    assert_eq!(held.holder, Some(by));
    assert_eq!(decisions.values().filter(|(d, _)| d.outcome == Outcome::Linked).count(), 1);
}

#[test]
fn a_surname_shared_by_all_says_nothing_and_hides_nobody() {
    let resident = |person: usize| {
        row(&format!(
            "R{person}|佐藤　{}|サトウ　{}|{}-0{}-1{}|1|271-0001|千葉県若葉市寿町{}番地",
            ["太", "次", "三", "四"][person % 4],
            ["タ", "ツギ", "ミツ", "ヨツ"][person % 4],
            1940 + person % 60,
            1 + person % 9,
            person % 9,
            person,
        ))
    };
    let register: Vec<Row> = (0..3_000).map(resident).collect();
    let list: Vec<Row> = (0..300)
        .map(|line| {
            let mut row = register[line * 10].clone();
            row[0] = format!("L{}", line * 10);
            row
        })
        .collect();
    for (id, (decision, person)) in decisions(&register, &list) {
        assert_eq!(decision.outcome, Outcome::Linked, "{id}");
        assert_eq!(person, id.replace('L', "R"));
    }
}

/// How many residents a line is compared with, and how many with whom it shares birthday and town are left to other rules.
fn compared(residents: &[&str], line: &str) -> (usize, u64) {
    let mut register = crowd(400);
    register.extend(residents.iter().map(|text| row(text)));
    let linkage = run(&linkable(&register, &[row(line)]), Cardinality::OneToOne, None);
    let rule = linkage.blocking.iter().find(|rule| rule.rule == "birth_date + town");
    (linkage.candidate_pairs, rule.expect("a rule of residents").pairs_left_out)
}

#[test]
fn many_who_share_birthday_and_town_are_compared_only_where_no_other_rule_finds_anybody() {
    let born_in_town = [
        "B1|渡邊　陽一|ワタナベ　ヨウイチ|2019-04-12|1|271-0001|千葉県若葉市緑ヶ丘１２番３号",
        "B2|沢村　由美|サワムラ　ユミ|2019-04-12|2|271-0001|千葉県若葉市緑ヶ丘２０番１号",
        "B3|遠山　凜|トオヤマ　リン|2019-04-12|2|271-0001|千葉県若葉市緑ヶ丘３１番９号",
        "B4|岸本　浩|キシモト　ヒロシ|2019-04-12|1|271-0001|千葉県若葉市緑ヶ丘４４番２号",
    ];
    let nobody_else =
        "L|四月一日　朱鷺雄|ワタヌキ　トキオ|2019-04-12|1|271-0001|千葉県若葉市緑ヶ丘";
    assert_eq!(compared(&born_in_town[..3], nobody_else), (3, 0), "three are few");
    assert_eq!(compared(&born_in_town, nobody_else), (4, 4), "the last resort");
    let elsewhere = "S1|鈴木　朱鷺雄|スズキ　トキオ|2019-04-12|1|273-0003|千葉県若葉市平和９番１号";
    let all = [&born_in_town[..], &[elsewhere]].concat();
    assert_eq!(compared(&all, nobody_else), (1, 4), "another rule finds one");
}
