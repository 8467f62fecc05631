//! The data of the demo: a synthetic register and payment list, with bank accounts added to the list.
//!
//! The testkit's lists have no accounts, because linking needs none; a transfer file does. The accounts follow from the
//! line's number: nobody's, at a bank that does not exist. Where a line has no account holder (a form left blank), its own
//! kana is put in, which adds no evidence that the line did not have.

use std::io::{BufWriter, Write as _};
use std::path::Path;

use encoding_rs::SHIFT_JIS;
use renkei_api::v1::Cell;
use renkei_japanese::zengin::to_zengin;
use renkei_linkage::evaluation::Truth;
use renkei_tables::{ReadOptions, TableReader, built_in_column};
use renkei_testkit::{FILE_NAMES, Files, GenerateError, Mix, Recipe, Totals, generate};

use super::folder::DemoFolder;
use crate::commands::evaluate::read_truth;
use crate::commands::generate::recipe_error;
use crate::environment::Environment;
use crate::failure::{CommandError, Failure};
use crate::progress::Progress;

/// The same people in every demo of one size.
const SEED: u64 = 2026;
/// A bank code that no bank has.
const BANK: &str = "9001";
/// Whom the money goes to where a line names nobody that a bank file can name.
const COUNTER: &str = "ﾐﾎﾝｼ ｼｸｼﾖ ﾏﾄﾞｸﾞﾁ";
const ACCOUNT_HEADER: &str = ",銀行コード,支店コード,預金種目,口座番号";
const LINE_END: &str = "\r\n";

/// The columns that a register may have.
const REGISTER_FIELDS: [&str; 15] = [
    "resident_id",
    "household_id",
    "name_kanji",
    "name_kana",
    "birth_date",
    "sex",
    "postal_code",
    "address",
    "building",
    "former_name",
    "alias",
    "previous_address",
    "date_of_event",
    "date_processed",
    "protected",
];

/// The fields of a question at the counter.
const QUESTION_FIELDS: [&str; 6] =
    ["name_kanji", "name_kana", "birth_date", "sex", "postal_code", "address"];

/// What was made, and what is known about it.
pub(super) struct Data {
    pub(super) totals: Totals,
    /// The columns that the register has, under their canonical names.
    pub(super) register_fields: Vec<String>,
    /// Who each line really is.
    pub(super) truth: Truth,
    /// Some residents as somebody would describe them at the counter.
    pub(super) questions: Vec<Question>,
}

/// A resident, described.
pub(super) struct Question {
    pub(super) resident_id: String,
    pub(super) record: Vec<Cell>,
}

/// Makes the files, and reads what is to be known of them.
pub(super) fn make(
    folder: &DemoFolder,
    environment: &Environment,
    residents: usize,
    lines: usize,
    questions: usize,
) -> Result<Data, Failure> {
    let totals = write_files(folder, environment, residents, lines)?;
    let (register_fields, questions) =
        read_register(&folder.file(FILE_NAMES[0]), residents, questions)?;
    let truth = read_truth(&folder.file(FILE_NAMES[2]))?;
    Ok(Data { totals, register_fields, truth, questions })
}

fn write_files(
    folder: &DemoFolder,
    environment: &Environment,
    residents: usize,
    lines: usize,
) -> Result<Totals, Failure> {
    let [residents_csv, payments_csv, truth_csv, classes_csv] =
        FILE_NAMES.map(|name| folder.file(name));
    let create = |path: &Path| {
        let file = fs_err::File::create(path).map(BufWriter::new);
        file.map_err(|error| CommandError::file(path, error))
    };
    let mut register = create(&residents_csv)?;
    let (mut truth, mut classes) = (create(&truth_csv)?, create(&classes_csv)?);
    let mut list = Vec::new();
    let recipe = Recipe { residents, lines, mix: Mix::Typical, seed: SEED };
    let mut shown: Option<(renkei_testkit::Stage, Progress)> = None;
    let files = Files {
        residents: &mut register,
        payments: &mut list,
        truth: &mut truth,
        classes: &mut classes,
    };
    let totals = generate(&recipe, files, &mut |stage, done, total| {
        if shown.as_ref().is_none_or(|(current, _)| *current != stage) {
            let bar = Progress::lines(environment, "making data", "データの作成", total as u64);
            shown = Some((stage, bar));
        }
        if let Some((_, bar)) = &shown {
            bar.set(done as u64);
        }
    });
    let totals = totals.map_err(|error| match error {
        GenerateError::Recipe(error) => CommandError::Plain(recipe_error(&error, environment)),
        GenerateError::Write { file, source } => CommandError::file(&folder.file(file), source),
    })?;
    for (path, file) in
        [(&residents_csv, &mut register), (&truth_csv, &mut truth), (&classes_csv, &mut classes)]
    {
        file.flush().map_err(|error| CommandError::file(path, error))?;
    }
    // The list is CP932, as lists of offices are; what the testkit writes has a letter for everything.
    let (text, _, _) = SHIFT_JIS.decode(&list);
    let text = with_accounts(&text);
    let (bytes, _, _) = SHIFT_JIS.encode(&text);
    fs_err::write(&payments_csv, bytes)
        .map_err(|error| CommandError::file(&payments_csv, error))?;
    Ok(totals)
}

/// The list with a bank account on every line.
fn with_accounts(list: &str) -> String {
    let mut text = String::with_capacity(list.len() * 5 / 4);
    let mut rows = list.split_terminator(LINE_END);
    text.extend(rows.next());
    text.push_str(ACCOUNT_HEADER);
    text.push_str(LINE_END);
    for (number, row) in (1_u64..).zip(rows) {
        let (row, holder) = row.rsplit_once(',').unwrap_or((row, ""));
        let kana = row.split(',').nth(2).unwrap_or_default();
        let payee = [holder, kana].into_iter().find_map(payee);
        let holder = payee.unwrap_or_else(|| COUNTER.to_owned());
        let (branch, account) = (number % 900 + 100, number % 10_000_000);
        text.push_str(&format!("{row},{holder},{BANK},{branch},1,{account:07}{LINE_END}"));
    }
    text
}

/// A name as banks take it; nothing where there is none.
fn payee(name: &str) -> Option<String> {
    let written = to_zengin(name).ok()?;
    let written = written.trim();
    (!written.is_empty()).then(|| written.to_owned())
}

/// The columns of the register, and residents at equal distances as questions.
fn read_register(
    path: &Path,
    residents: usize,
    questions: usize,
) -> Result<(Vec<String>, Vec<Question>), Failure> {
    let mut reader = TableReader::open(path, &ReadOptions::default())?;
    let header = reader.header().to_vec();
    let places = |names: &[&str]| -> Vec<(String, usize)> {
        let place = |name: &&str| Some(((*name).to_owned(), built_in_column(&header, name)?));
        names.iter().filter_map(place).collect()
    };
    let (fields, asked) = (places(&REGISTER_FIELDS), places(&QUESTION_FIELDS));
    let id = built_in_column(&header, REGISTER_FIELDS[0]);
    let step = (residents / questions.max(1)).max(1);
    let (mut row, mut described) = (0, Vec::new());
    while let Some(batch) = reader.next_batch()? {
        for at in 0..batch.rows() {
            if row % step == 0 && described.len() < questions {
                let cell = |(field, column): &(String, usize)| {
                    let value = batch.cell(*column, at).trim().to_owned();
                    (!value.is_empty()).then(|| Cell { field: field.clone(), value })
                };
                let resident_id = id.map_or("", |column| batch.cell(column, at)).trim().to_owned();
                let record = asked.iter().filter_map(cell).collect();
                described.push(Question { resident_id, record });
            }
            row += 1;
        }
    }
    Ok((fields.into_iter().map(|(field, _)| field).collect(), described))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_gains_an_account_and_a_holder() {
        let list = "申請番号,氏名,氏名カナ,生年月日,性別,郵便番号,住所,支給額,口座名義カナ\r\n\
                    B1,見本　花子,ミホン　ハナコ,,,,,30000,ﾐﾎﾝ ﾀﾛｳ\r\n\
                    B2,見本　次郎,ミホン　ジロウ,,,,,30000,\r\n\
                    B3,見本,見本,,,,,30000,\r\n";
        let lines: Vec<String> = with_accounts(list).lines().map(str::to_owned).collect();
        assert!(lines[0].ends_with("口座名義カナ,銀行コード,支店コード,預金種目,口座番号"));
        assert!(lines[1].ends_with(",30000,ﾐﾎﾝ ﾀﾛｳ,9001,101,1,0000001"), "{}", lines[1]);
        assert!(lines[2].ends_with(",30000,ﾐﾎﾝ ｼﾞﾛｳ,9001,102,1,0000002"), "{}", lines[2]);
        assert!(lines[3].contains(COUNTER));
        assert_eq!(lines.len(), 4);
    }
}
