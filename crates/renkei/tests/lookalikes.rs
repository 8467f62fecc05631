//! People who look like one another: twins, namesakes, a father and his son, one person twice.
//!
//! Whoever is linked must be the right one. Where a line does not tell two people apart, a clerk must see it.

mod support;

use support::Sheet;
use support::people::{Line, Pair, Person, lines, list, register, town};

/// A town of 200 with these people in it, of whom some ask for money and others besides them.
fn links(among: &[Person], asking: &[Line]) -> Sheet {
    let mut people = town(200);
    let mut all = lines(&people, 4);
    // In the middle, so that nothing depends on being first or last.
    people.splice(90..90, among.iter().cloned());
    all.splice(20..20, asking.iter().cloned());
    let pair = Pair::of(&register(&people), &list(&all));
    let run = pair.link(&[]).exits(0);
    assert_eq!(run.json()["list_lines"], all.len());
    let links = pair.links();
    let linked = links.cells("outcome").into_iter().filter(|&outcome| outcome == "LINKED").count();
    assert!(linked >= 45, "only {linked} of the others are linked");
    links
}

/// A line's person and outcome.
#[track_caller]
fn of<'a>(links: &'a Sheet, line: &str) -> (&'a str, &'a str) {
    let row = links.cells("list_id").iter().position(|&id| id == line).expect("the line");
    (links.cell(row, "register_id"), links.cell(row, "outcome"))
}

/// Expects that a line is linked to this person, or else a clerk sees it.
#[track_caller]
fn assert_never_wrong(links: &Sheet, line: &str, person: &str) {
    let (found, outcome) = of(links, line);
    assert!(outcome != "LINKED" || found == person, "{line} is linked to {found}");
    assert!(outcome != "DUPLICATE", "{line} is held for a second application of {found}");
}

/// Expects that a line, which fits two people, is linked to none by itself.
#[track_caller]
fn assert_undecided(links: &Sheet, line: &str) {
    let (found, outcome) = of(links, line);
    assert!(["AMBIGUOUS", "REVIEW", "NOT_FOUND"].contains(&outcome), "{line}: {outcome} {found}");
}

fn family() -> Person {
    Person {
        id: "000000700000011".to_owned(),
        household: "000000000700000".to_owned(),
        kanji: "大野　智子".to_owned(),
        kana: "オオノ　トモコ".to_owned(),
        birth: "1979-02-11".to_owned(),
        sex: "2",
        postal: "273-0383".to_owned(),
        address: "千葉県若葉市緑が丘7丁目26番3号".to_owned(),
        building: "緑ハイツ203号室".to_owned(),
    }
}

fn born(mut person: Person, birth: &str, sex: &'static str) -> Person {
    birth.clone_into(&mut person.birth);
    person.sex = sex;
    person
}

/// Twin girls whose names share a letter, their mother and their brother.
fn twins() -> [Person; 4] {
    let mother = family();
    let girl = |id, given, kana| born(mother.relative(id, given, kana), "2011-06-30", "2");
    let boy = born(mother.relative("000000700000044", "陸", "リク"), "2014-01-05", "1");
    [
        girl("000000700000022", "美咲", "ミサキ"),
        girl("000000700000033", "美月", "ミツキ"),
        boy,
        mother,
    ]
}

#[test]
fn twins_who_are_written_as_registered_are_each_themselves() {
    let twins = twins();
    let asking: Vec<Line> =
        twins.iter().zip(["T1", "T2", "T3", "T4"]).map(|(twin, id)| twin.line(id)).collect();
    let links = links(&twins, &asking);
    for (twin, line) in twins.iter().zip(&asking) {
        assert_never_wrong(&links, &line.id, &twin.id);
        assert_eq!(of(&links, &line.id).0, twin.id, "{}", line.id);
    }
}

#[test]
fn a_twin_is_never_taken_for_the_other() {
    let twins = twins();
    let [first, second, ..] = &twins;
    let spelled = |id: &str, change: fn(&mut Line)| {
        let mut line = first.line(id);
        change(&mut line);
        line
    };
    let asking = [
        spelled("T1", |line| line.kanji = "大野美崎".to_owned()),
        spelled("T2", |line| line.kana = "オオノ　ミサギ".to_owned()),
        spelled("T3", |line| {
            line.kanji = String::new();
            line.kana = "ｵｵﾉ ﾐｻｷ".to_owned();
        }),
        spelled("T4", |line| line.birth = "2011-06-03".to_owned()),
    ];
    for line in asking {
        let id = line.id.clone();
        let links = links(&twins, &[line, second.line("T9")]);
        assert_never_wrong(&links, &id, &first.id);
        assert_never_wrong(&links, "T9", &second.id);
    }
}

#[test]
fn a_twin_without_a_given_name_is_left_to_a_clerk() {
    let twins = twins();
    let mut line = twins[0].line("T1");
    line.kanji = "大野".to_owned();
    line.kana = "オオノ".to_owned();
    line.holder = String::new();
    assert_undecided(&links(&twins, &[line]), "T1");
}

#[test]
fn a_twin_who_is_not_registered_is_not_taken_for_the_one_who_is() {
    let [first, second, brother, mother] = twins();
    let links = links(&[first, brother, mother], &[second.line("T1")]);
    let (found, outcome) = of(&links, "T1");
    assert!(outcome != "LINKED" && outcome != "DUPLICATE", "{outcome} {found}");
}

#[test]
fn a_twin_of_quite_another_name_who_is_not_registered_is_not_taken_for_the_one_who_is() {
    let [first, _, brother, mother] = twins();
    let absent = born(mother.relative("000000700000088", "彩花", "アヤカ"), "2011-06-30", "2");
    let links = links(&[first, brother, mother], &[absent.line("T1")]);
    let (found, outcome) = of(&links, "T1");
    assert!(outcome != "LINKED" && outcome != "DUPLICATE", "{outcome} {found}");
}

/// Two women of one name and birthday, at two addresses.
fn namesakes() -> [Person; 2] {
    let one = family();
    let other = Person {
        id: "000000700000555".to_owned(),
        household: "000000000700055".to_owned(),
        postal: "275-5375".to_owned(),
        address: "千葉県若葉市渡辺通3丁目32番30号".to_owned(),
        building: String::new(),
        ..one.clone()
    };
    [one, other]
}

#[test]
fn namesakes_of_one_birthday_are_told_apart_by_their_address() {
    let people = namesakes();
    let links = links(&people, &[people[0].line("N1"), people[1].line("N2")]);
    assert_never_wrong(&links, "N1", &people[0].id);
    assert_never_wrong(&links, "N2", &people[1].id);
    assert_eq!(of(&links, "N1").0, people[0].id);
    assert_eq!(of(&links, "N2").0, people[1].id);
}

#[test]
fn namesakes_of_one_birthday_are_left_to_a_clerk_without_an_address_of_either() {
    let people = namesakes();
    let mut moved = people[0].line("N1");
    moved.postal = "060-0001".to_owned();
    moved.address = "北海道札幌市中央区北一条西2丁目5番".to_owned();
    let mut without = people[0].line("N2");
    without.postal = String::new();
    without.address = String::new();
    for line in [moved, without] {
        let id = line.id.clone();
        assert_undecided(&links(&people, &[line]), &id);
    }
}

/// A father and his son at one address, both read ケンイチ.
fn father_and_son() -> [Person; 2] {
    let father = family().relative("000000700000066", "健一", "ケンイチ");
    let son = family().relative("000000700000077", "賢一", "ケンイチ");
    [born(father, "1951-03-08", "1"), born(son, "1983-03-18", "1")]
}

#[test]
fn a_father_and_a_son_of_one_reading_are_told_apart_by_their_birthdays() {
    let people = father_and_son();
    let by_kana = |person: &Person, id: &str| {
        let mut line = person.line(id);
        line.kanji = String::new();
        line
    };
    let asking = [people[0].line("F1"), people[1].line("S1")];
    let written = links(&people, &asking);
    assert_never_wrong(&written, "F1", &people[0].id);
    assert_never_wrong(&written, "S1", &people[1].id);
    assert_eq!(of(&written, "F1").0, people[0].id);
    assert_eq!(of(&written, "S1").0, people[1].id);
    let read = links(&people, &[by_kana(&people[0], "F2"), by_kana(&people[1], "S2")]);
    assert_never_wrong(&read, "F2", &people[0].id);
    assert_never_wrong(&read, "S2", &people[1].id);
}

#[test]
fn a_father_and_a_son_of_one_reading_are_left_to_a_clerk_without_kanji_and_birthday() {
    let people = father_and_son();
    for birth in ["", "1967-02-30"] {
        let mut line = people[0].line("F1");
        line.kanji = String::new();
        birth.clone_into(&mut line.birth);
        assert_undecided(&links(&people, &[line]), "F1");
    }
}

#[test]
fn a_second_application_spelled_differently_names_the_line_that_holds_the_person() {
    let person = family();
    let first = person.line("D1");
    let mut second = person.line("D2");
    second.kanji = "大野智子".to_owned();
    second.kana = "ｵｵﾉﾄﾓｺ".to_owned();
    second.birth = "昭和54年2月11日".to_owned();
    second.sex = "女".to_owned();
    second.postal = "2730383".to_owned();
    second.address = "若葉市緑ヶ丘７－２６－３－２０３".to_owned();
    // The better line holds the person, whichever comes first.
    for asking in [[first.clone(), second.clone()], [second, first]] {
        let links = links(std::slice::from_ref(&person), &asking);
        let outcomes = ["D1", "D2"].map(|line| of(&links, line));
        let row = links.cells("outcome").iter().position(|&outcome| outcome == "DUPLICATE");
        let row = row.unwrap_or_else(|| panic!("no duplicate: {outcomes:?}"));
        let (duplicate, holder) = match links.cell(row, "list_id") {
            "D1" => ("D1", "D2"),
            "D2" => ("D2", "D1"),
            other => panic!("{other} is no second application"),
        };
        assert_eq!(links.cell(row, "reason"), format!("HELD_BY_LINE:{holder}"));
        assert_eq!(of(&links, holder), (person.id.as_str(), "LINKED"));
        assert_eq!(of(&links, duplicate).0, person.id);
    }
}

#[test]
fn of_two_equal_residents_the_first_by_bytes_is_named_and_neither_is_linked() {
    // By bytes `9` comes behind `10`; the register has them the other way round.
    let one = Person { id: "9".to_owned(), ..family() };
    let other = Person { id: "10".to_owned(), ..family() };
    for among in [[one.clone(), other.clone()], [other, one]] {
        let links = links(&among, &[family().line("A1")]);
        let row = links.cells("list_id").iter().position(|&id| id == "A1").expect("the line");
        let cells = ["register_id", "outcome", "reason"].map(|column| links.cell(row, column));
        assert_eq!(cells, ["10", "AMBIGUOUS", "TIE"]);
    }
}
