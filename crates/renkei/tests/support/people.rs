//! Invented towns of a few hundred people, for what the sample cannot show.
//!
//! People live in pairs of one surname at one address, as households do. All of them are made up by counting; two towns
//! of one size are equal.

use super::{Folder, Run, Sheet, renkei};
use std::path::PathBuf;

/// One resident.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) household: String,
    pub(crate) kanji: String,
    pub(crate) kana: String,
    pub(crate) birth: String,
    pub(crate) sex: &'static str,
    pub(crate) postal: String,
    pub(crate) address: String,
    pub(crate) building: String,
}

/// One payment line.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) id: String,
    pub(crate) kanji: String,
    pub(crate) kana: String,
    pub(crate) birth: String,
    pub(crate) sex: String,
    pub(crate) postal: String,
    pub(crate) address: String,
    pub(crate) amount: String,
    pub(crate) holder: String,
}

const SURNAMES: [(&str, &str); 24] = [
    ("佐藤", "サトウ"),
    ("鈴木", "スズキ"),
    ("高橋", "タカハシ"),
    ("田中", "タナカ"),
    ("伊藤", "イトウ"),
    ("渡辺", "ワタナベ"),
    ("小川", "オガワ"),
    ("中村", "ナカムラ"),
    ("小林", "コバヤシ"),
    ("加藤", "カトウ"),
    ("吉田", "ヨシダ"),
    ("山口", "ヤマグチ"),
    ("松本", "マツモト"),
    ("井上", "イノウエ"),
    ("木村", "キムラ"),
    ("清水", "シミズ"),
    ("山崎", "ヤマザキ"),
    ("森", "モリ"),
    ("池田", "イケダ"),
    ("橋本", "ハシモト"),
    ("石川", "イシカワ"),
    ("前田", "マエダ"),
    ("藤田", "フジタ"),
    ("岡本", "オカモト"),
];

const MEN: [(&str, &str); 13] = [
    ("大輔", "ダイスケ"),
    ("浩", "ヒロシ"),
    ("翔太", "ショウタ"),
    ("隆", "タカシ"),
    ("拓也", "タクヤ"),
    ("和夫", "カズオ"),
    ("誠", "マコト"),
    ("悠斗", "ユウト"),
    ("正雄", "マサオ"),
    ("直樹", "ナオキ"),
    ("蓮", "レン"),
    ("茂", "シゲル"),
    ("亮介", "リョウスケ"),
];

const WOMEN: [(&str, &str); 13] = [
    ("花子", "ハナコ"),
    ("陽菜", "ヒナ"),
    ("恵子", "ケイコ"),
    ("美穂", "ミホ"),
    ("由美", "ユミ"),
    ("千代", "チヨ"),
    ("さくら", "サクラ"),
    ("真由美", "マユミ"),
    ("和子", "カズコ"),
    ("彩", "アヤ"),
    ("葵", "アオイ"),
    ("節子", "セツコ"),
    ("奈々", "ナナ"),
];

const TOWNS: [(&str, &str); 8] = [
    ("北町", "273-0101"),
    ("南台", "273-0102"),
    ("緑が丘", "273-0383"),
    ("平和", "272-1411"),
    ("渡辺通", "275-5375"),
    ("栄", "273-0105"),
    ("若松", "273-0106"),
    ("桜木", "273-0107"),
];

/// So many people.
pub(crate) fn town(people: usize) -> Vec<Person> {
    (0..people)
        .map(|number| {
            let home = number / 2;
            let (surname, surname_kana) = SURNAMES[home * 7 % SURNAMES.len()];
            let given = (home * 5 + home / SURNAMES.len()) % MEN.len();
            let is_man = number % 2 == 0;
            let (given, given_kana) = if is_man { MEN[given] } else { WOMEN[given] };
            let (place, postal) = TOWNS[home * 3 % TOWNS.len()];
            let building = if home % 4 == 0 {
                format!("コーポ緑{}号室", 101 + home)
            } else {
                String::new()
            };
            Person {
                id: format!("{:015}", 100_000_007 + number * 7_919),
                household: format!("{:015}", 500_000 + home * 13),
                kanji: format!("{surname}　{given}"),
                kana: format!("{surname_kana}　{given_kana}"),
                birth: format!(
                    "{}-{:02}-{:02}",
                    1938 + number * 37 % 66,
                    1 + number * 5 % 12,
                    1 + number * 11 % 28
                ),
                sex: if is_man { "1" } else { "2" },
                postal: postal.to_owned(),
                address: format!(
                    "千葉県若葉市{place}{}丁目{}番{}号",
                    1 + home % 5,
                    1 + home * 11 % 37,
                    1 + home * 17 % 29
                ),
                building,
            }
        })
        .collect()
}

impl Person {
    /// The line of a person who writes everything as it is registered, and asks for 50,000 yen.
    pub(crate) fn line(&self, id: &str) -> Line {
        Line {
            id: id.to_owned(),
            kanji: self.kanji.clone(),
            kana: self.kana.clone(),
            birth: self.birth.clone(),
            sex: self.sex.to_owned(),
            postal: self.postal.clone(),
            address: format!("{}{}", self.address, self.building),
            amount: "50000".to_owned(),
            holder: self.kana.clone(),
        }
    }

    /// Another person at the same address, of the same family name.
    pub(crate) fn relative(&self, id: &str, given: &str, given_kana: &str) -> Self {
        let family = |name: &str| name.split('　').next().unwrap_or_default().to_owned();
        Self {
            id: id.to_owned(),
            kanji: format!("{}　{given}", family(&self.kanji)),
            kana: format!("{}　{given_kana}", family(&self.kana)),
            ..self.clone()
        }
    }
}

/// The register as a table, with the contract's Japanese headers.
pub(crate) fn register(people: &[Person]) -> Sheet {
    let header = [
        "宛名番号",
        "世帯番号",
        "氏名",
        "氏名カナ",
        "生年月日",
        "性別",
        "郵便番号",
        "住所",
        "方書",
    ];
    let row = |person: &Person| {
        let Person { id, household, kanji, kana, birth, sex, postal, address, building } = person;
        let cells: [&str; 9] = [id, household, kanji, kana, birth, sex, postal, address, building];
        cells.map(str::to_owned).to_vec()
    };
    Sheet::new(&header, people.iter().map(row).collect())
}

/// The list as a table, with the contract's Japanese headers.
pub(crate) fn list(lines: &[Line]) -> Sheet {
    let header = [
        "申請番号",
        "氏名",
        "氏名カナ",
        "生年月日",
        "性別",
        "郵便番号",
        "住所",
        "支給額",
        "口座名義カナ",
    ];
    let row = |line: &Line| {
        let Line { id, kanji, kana, birth, sex, postal, address, amount, holder } = line;
        [id, kanji, kana, birth, sex, postal, address, amount, holder].map(String::clone).to_vec()
    };
    Sheet::new(&header, lines.iter().map(row).collect())
}

/// Every so many-th person asks for 50,000 yen under `B0001`, `B0002` and so on.
pub(crate) fn lines(people: &[Person], every: usize) -> Vec<Line> {
    let asking = people.iter().step_by(every);
    asking
        .zip(1..)
        .map(|(person, number): (_, u32)| person.line(&format!("B{number:04}")))
        .collect()
}

/// A register and a list in a folder, ready to be linked.
#[derive(Debug)]
pub(crate) struct Pair {
    pub(crate) folder: Folder,
    pub(crate) register: PathBuf,
    pub(crate) list: PathBuf,
}

impl Pair {
    /// Writes both as UTF-8 CSV.
    pub(crate) fn of(register: &Sheet, list: &Sheet) -> Self {
        Self::bytes(register.csv(), list.csv())
    }

    /// Writes both as they are given.
    pub(crate) fn bytes(register: impl AsRef<[u8]>, list: impl AsRef<[u8]>) -> Self {
        let folder = Folder::new();
        let register = folder.write("register.csv", register);
        let list = folder.write("list.csv", list);
        Self { folder, register, list }
    }

    pub(crate) fn output(&self) -> PathBuf {
        self.folder.path("links.csv")
    }

    /// Runs `link --json` with more arguments.
    pub(crate) fn link(&self, more: &[&str]) -> Run {
        self.link_to("links.csv", more)
    }

    /// Runs `link --json` into this file of the folder.
    pub(crate) fn link_to(&self, output: &str, more: &[&str]) -> Run {
        let output = self.folder.path(output);
        let files = [
            "link".as_ref(),
            "--register".as_ref(),
            self.register.as_os_str(),
            "--list".as_ref(),
            self.list.as_os_str(),
            "--output".as_ref(),
            output.as_os_str(),
            "--json".as_ref(),
        ];
        renkei(files.into_iter().chain(more.iter().map(std::ffi::OsStr::new)))
    }

    /// The links that were written.
    #[track_caller]
    pub(crate) fn links(&self) -> Sheet {
        Sheet::read(&self.output())
    }
}
