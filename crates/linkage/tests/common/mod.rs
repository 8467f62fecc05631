//! Small registers and lists for the tests of the engine.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use renkei_linkage::{
    Cardinality, Decision, Field, Fields, Linkable, Linkage, ListIntake, Model, Options,
    RegisterIndex, RegisterIntake, Rows, Serves, Unwatched, link,
};
use renkei_types::{FieldKind, FixedClock};

/// Columns of the records in these tests, after the id.
const COLUMNS: [(&str, FieldKind); 6] = [
    ("name_kanji", FieldKind::PersonName),
    ("name_kana", FieldKind::KanaName),
    ("birth_date", FieldKind::Date),
    ("sex", FieldKind::Sex),
    ("postal_code", FieldKind::PostalCode),
    ("address", FieldKind::Address),
];

/// A record: id, then the columns above.
pub(crate) type Row = [String; 7];

/// A record from text with `|` between the values.
pub(crate) fn row(text: &str) -> Row {
    let mut values = text.split('|').map(str::to_owned);
    std::array::from_fn(|_| values.next().unwrap_or_default())
}

pub(crate) struct Table<'a>(pub(crate) &'a [Row]);

impl Rows for Table<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn id(&self, row: usize) -> &str {
        &self.0[row][0]
    }

    fn text<'a>(&'a self, field: usize, row: usize, _: &'a mut String) -> &'a str {
        &self.0[row][field + 1]
    }
}

/// A register of so many made-up people in households of two, none of whom the tests name.
pub(crate) fn crowd(people: usize) -> Vec<Row> {
    const FAMILIES: [(&str, &str); 8] = [
        ("青浜", "アオハマ"),
        ("石森", "イシモリ"),
        ("上沢", "ウエサワ"),
        ("江岸", "エギシ"),
        ("奥瀬", "オクセ"),
        ("片倉", "カタクラ"),
        ("北畑", "キタハタ"),
        ("草野", "クサノ"),
    ];
    const GIVENS: [(&str, &str); 10] = [
        ("一馬", "カズマ"),
        ("千夏", "チナツ"),
        ("恒夫", "ツネオ"),
        ("智子", "トモコ"),
        ("直人", "ナオト"),
        ("久美", "クミ"),
        ("博", "ヒロシ"),
        ("舞", "マイ"),
        ("康介", "コウスケ"),
        ("理恵", "リエ"),
    ];
    (0..people)
        .map(|person| {
            let household = person / 2;
            let (family, family_kana) = FAMILIES[household * 5 % FAMILIES.len()];
            let (given, given_kana) = GIVENS[(person * 7 + household) % GIVENS.len()];
            let (year, month, day) = (1930 + person * 13 % 85, 1 + person * 5 % 12, 1 + person * 11 % 28);
            let (town, block) = (["寿町", "緑ヶ丘", "若松", "平和"][household % 4], 1 + household / 4 % 40);
            row(&format!(
                "R{person:05}|{family}　{given}|{family_kana}　{given_kana}|{year}-{month:02}-{day:02}|{}|27{}-000{}|千葉県若葉市{town}{block}番{}号",
                1 + person % 2,
                household % 4,
                household % 4,
                1 + household % 30,
            ))
        })
        .collect()
}

/// The fields of these records.
fn fields() -> Fields {
    let field = |(name, kind): (&str, FieldKind)| Field {
        name: name.to_owned(),
        kind,
        in_register: true,
        in_list: true,
    };
    Fields { fields: COLUMNS.map(field).into(), ..Fields::default() }
}

/// A register, taken in.
pub(crate) fn intake(register: &[Row]) -> RegisterIntake {
    let mut intake = RegisterIntake::new(fields());
    intake.extend(&Table(register));
    intake
}

/// A register, indexed.
pub(crate) fn index(register: &[Row]) -> Arc<RegisterIndex> {
    Arc::new(intake(register).seal(
        &[],
        Serves::AnyLists,
        &FixedClock(Timestamp::UNIX_EPOCH),
        &Unwatched,
    ))
}

/// A list read against a register.
pub(crate) fn against(index: &Arc<RegisterIndex>, list: &[Row]) -> Linkable {
    let mut intake = ListIntake::new(Arc::clone(index));
    intake.extend(&Table(list));
    intake.seal()
}

/// Takes records in and normalises them.
pub(crate) fn linkable(register: &[Row], list: &[Row]) -> Linkable {
    against(&index(register), list)
}

/// Links with nothing rejected.
pub(crate) fn run(linkable: &Linkable, cardinality: Cardinality, model: Option<Model>) -> Linkage {
    let options = Options { cardinality, model, ..Options::default() };
    let clock = FixedClock(Timestamp::UNIX_EPOCH);
    link(linkable, &BTreeMap::new(), options, &clock, &Unwatched).expect("the model fits")
}

/// Links one to one; the decision on each line by its id.
pub(crate) fn decisions(register: &[Row], list: &[Row]) -> BTreeMap<String, (Decision, String)> {
    let linkable = linkable(register, list);
    let linkage = run(&linkable, Cardinality::OneToOne, None);
    (0u32..)
        .zip(&linkage.decisions)
        .map(|(line, decision)| {
            let person =
                decision.best.map(|(resident, _)| linkable.register_id(resident).to_owned());
            (linkable.list_id(line).to_owned(), (*decision, person.unwrap_or_default()))
        })
        .collect()
}
