//! The reconciliation sheet: lines and yen of a list or a programme, for a terminal, for programs, and for the file of the
//! case.
//!
//! | ending | what |
//! |---|---|
//! | `.json` | the object of `--json` |
//! | `.html` | a page that needs nothing else |
//! | `.csv`, `.xlsx`, `.parquet` | one row for each list and step |
//!
//! Whoever reads it adds up again: a sheet says that it balances only if the broker says so and the sums are what was
//! declared. Invariant: it shows sums, ids and digests only; nothing of it is about a person.

use std::path::Path;

use askama::Template;
use renkei_api::v1::{
    Batch, ListKind, ListSheet, ReconcileRequest, ReconcileResponse, ReconcileStep, Totals,
};
use renkei_tables::{Column, TableWriter};
use renkei_types::{Language, Yen};
use serde_json::{Value, json};

use super::list::{batch_json, state};
use super::names::short;
use super::new_file::NewFile;
use super::session::{Session, plain, receipt_json, totals_json};
use crate::environment::Environment;
use crate::failure::{Exit, Failure};
use crate::json;
use crate::report::number::Count;
use crate::text_table::text_table;

/// Asks for a sheet, and shows or writes it.
pub(super) async fn run(
    session: &Session<'_>,
    call: ReconcileRequest,
    output: Option<&Path>,
) -> Result<Exit, Failure> {
    let subject = if call.list_id.is_empty() { &call.programme_id } else { &call.list_id }.clone();
    let answer = session.ask(call).await?;
    let environment = session.environment;
    let well = balances(&answer);
    if let Some(path) = output {
        write(&answer, &subject, path, environment.language)?;
    }
    if environment.json {
        json::print(&sheet_json(&answer));
    } else if output.is_none() {
        show(&answer, environment);
    }
    if well {
        environment.note("both sums are what was declared", "いずれの合計も申告値と一致しています");
        Ok(Exit::Done)
    } else {
        environment.warn(
            "a sum differs from what was declared; nothing of this list may be paid; tell the broker's operator",
            "合計が申告値と一致しません。このリストの支払を止め、運用者に連絡してください",
        );
        Ok(Exit::FoundWrong)
    }
}

/// Whether every sum of every list is what was declared.
fn balances(answer: &ReconcileResponse) -> bool {
    let sum = |steps: &[ReconcileStep]| {
        let totals = steps.iter().filter_map(|step| step.totals);
        totals.fold((0, 0), |(lines, yen), totals| (lines + totals.lines, yen + totals.yen))
    };
    let well = |declared: Option<Totals>, outcomes: &[ReconcileStep], steps: &[ReconcileStep]| {
        let Totals { lines, yen } = declared.unwrap_or_default();
        sum(steps) == (lines, yen) && (outcomes.is_empty() || sum(outcomes) == (lines, yen))
    };
    let lists = answer.lists.iter();
    // A list that is not linked yet has no outcomes, so those of a programme need not be all of its lines.
    let all_linked = answer.lists.iter().all(|list| !list.outcomes.is_empty());
    let outcomes = if all_linked { answer.outcomes.as_slice() } else { &[] };
    answer.balanced
        && well(answer.declared, outcomes, &answer.steps)
        && lists.into_iter().all(|list| well(list.declared, &list.outcomes, &list.steps))
}

fn steps_json(steps: &[ReconcileStep]) -> Vec<Value> {
    let step = |step: &ReconcileStep| {
        let totals = step.totals.unwrap_or_default();
        json!({"step": step.step, "lines": totals.lines, "yen": totals.yen})
    };
    steps.iter().map(step).collect()
}

fn list_json(list: &ListSheet) -> Value {
    let id = |id: &String| if id.is_empty() { Value::Null } else { json!(id) };
    json!({
        "list_id": list.list_id,
        "name": list.name,
        "declared": totals_json(list.declared.as_ref()),
        "outcomes": steps_json(&list.outcomes),
        "steps": steps_json(&list.steps),
        "batches": list.batches.iter().map(batch_json).collect::<Vec<_>>(),
        "balanced": list.balanced,
        "supersedes": id(&list.supersedes_list_id),
        "superseded_by": id(&list.superseded_by_list_id),
        "stop": list.stop.as_ref().map(super::programme_shown::stop_json),
        "kind": match list.kind() {
            ListKind::Unspecified => Value::Null,
            kind @ (ListKind::Push | ListKind::Confirmation | ListKind::Application) => json!(short(kind.as_str_name(), "LIST_KIND_")),
        },
        "differences": list.differences.map(|found| json!({
            "equal": found.equal,
            "changed": found.changed,
            "added": found.added,
            "removed": found.removed,
        })),
    })
}

pub(super) fn sheet_json(answer: &ReconcileResponse) -> Value {
    json!({
        "declared": totals_json(answer.declared.as_ref()),
        "outcomes": steps_json(&answer.outcomes),
        "steps": steps_json(&answer.steps),
        "batches": answer.batches.iter().map(batch_json).collect::<Vec<_>>(),
        "balanced": balances(answer),
        "lists": answer.lists.iter().map(list_json).collect::<Vec<_>>(),
        "receipt": receipt_json(answer.receipt.as_ref()),
    })
}

/// What a code means, for people.
pub(crate) fn step_name(code: &str, language: Language) -> &str {
    let names = match code {
        "DECLARED" => ("declared", "申告"),
        "RECEIVED" => ("received", "受領"),
        "LINKED" => ("linked", "自動で特定"),
        "LINKED_BY_CLERK" => ("linked by a clerk", "職員が特定"),
        "REVIEW" => ("to be reviewed", "要確認"),
        "AMBIGUOUS" => ("ambiguous", "候補複数"),
        "DUPLICATE" => ("duplicate", "重複"),
        "NOT_FOUND" => ("not found", "該当なし"),
        "UNLINKABLE" => ("nothing to go by", "照合不能"),
        "REJECTED_INPUT" => ("rejected", "受付不可"),
        "OPEN" => ("open", "照合・確認中"),
        "PAYABLE" => ("payable", "支給可"),
        "ALREADY_PAID" => ("payee is paid by another line", "他の行で支給済み"),
        "EXCLUDED" => ("payee is excluded", "除外"),
        "PROPOSED" => ("signed by one", "一人目確定"),
        "CERTIFIED" => ("signed by two", "確定"),
        "RELEASED" => ("released", "配信待ち・配信中"),
        "ACKNOWLEDGED" => ("acknowledged by the receiver", "会計課受領"),
        "PAID" => ("paid", "支給済み"),
        "RETURNED" => ("came back from the bank", "振込不能"),
        "REFUNDED" => ("given back", "返還"),
        "REPLACED" => ("replaced by a corrected list", "訂正リストに差替え"),
        "SENT_BACK" => ("back to the owner", "差戻し"),
        "WITHDRAWN" => ("fell before it was certified", "確定前に取消し"),
        other => (other, other),
    };
    language.pick(names.0, names.1)
}

fn show(answer: &ReconcileResponse, environment: &Environment) {
    let header = vec![
        environment.say("step", "段階"),
        "",
        environment.say("lines", "件数"),
        environment.say("yen", "金額（円）"),
    ];
    let mut table = text_table(header, &[2, 3]);
    let mut add = |code: &str, says: &str, totals: Option<Totals>| {
        let totals = totals.unwrap_or_default();
        let (lines, yen) = (totals.lines.to_string(), Yen(totals.yen).to_string());
        table.add_row(vec![plain(code), says.to_owned(), lines, yen]);
    };
    let several = answer.lists.len() > 1;
    for list in answer.lists.iter().filter(|_| several) {
        add(&list.list_id, &plain(&list.name), list.declared);
    }
    add("DECLARED", step_name("DECLARED", environment.language), answer.declared);
    for step in answer.outcomes.iter().chain(&answer.steps) {
        add(&step.step, step_name(&step.step, environment.language), step.totals);
    }
    for batch in &answer.batches {
        add(&batch.batch_id, step_name(state(batch), environment.language), batch.totals);
    }
    print_line!("{table}");
    for list in &answer.lists {
        if let Some(text) = succession(answer, list, environment.language) {
            let text = if several { format!("{}: {text}", plain(&list.name)) } else { text };
            environment.note(&text, &text);
        }
    }
}

/// What a list replaces, and how it differs. Other lists are called by their names where the sheet has them too.
fn succession(answer: &ReconcileResponse, list: &ListSheet, language: Language) -> Option<String> {
    let called = |id: &String| {
        let known = answer.lists.iter().find(|other| other.list_id == *id);
        plain(known.map_or(id, |other| &other.name))
    };
    let mut parts = Vec::new();
    if let Some(found) = &list.differences {
        let (earlier, renkei_api::v1::Differences { equal, changed, added, removed }) =
            (called(&list.supersedes_list_id), *found);
        parts.push(language.pick(
            format!("takes the place of {earlier}: {equal} lines equal, {changed} changed, {added} added, {removed} removed"),
            format!("{earlier} の差替え: 同一 {equal} 件、変更 {changed} 件、追加 {added} 件、削除 {removed} 件"),
        ));
    }
    if list.stop.is_some() {
        parts.push(language.pick("its releases are stopped", "支払停止中").to_owned());
    }
    if !list.superseded_by_list_id.is_empty() {
        let later = called(&list.superseded_by_list_id);
        parts.push(
            language
                .pick(format!("{later} has taken its place"), format!("{later} に差し替え済み")),
        );
    }
    (!parts.is_empty()).then(|| parts.join(language.pick("; ", "。")))
}

fn write(
    answer: &ReconcileResponse,
    subject: &str,
    path: &Path,
    language: Language,
) -> Result<(), Failure> {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let text = match ending.to_ascii_lowercase().as_str() {
        "json" => format!("{:#}\n", sheet_json(answer)),
        "html" => page(answer, subject, language),
        _ => return table(answer, path, language),
    };
    let mut file = NewFile::create(path)?;
    file.write(text.as_bytes())?;
    file.finish()
}

fn table(answer: &ReconcileResponse, path: &Path, language: Language) -> Result<(), Failure> {
    let columns = [
        ("list_id", false),
        ("list", false),
        ("kind", false),
        ("step", false),
        ("name", false),
        ("lines", true),
        ("yen", true),
    ];
    let columns = columns.map(
        |(name, number)| {
            if number { Column::integer(name) } else { Column::text(name) }
        },
    );
    let mut writer = TableWriter::create(path, &columns)?;
    for list in &answer.lists {
        let declared = ReconcileStep { step: "DECLARED".to_owned(), totals: list.declared };
        let parts =
            [("declared", &[declared][..]), ("outcome", &list.outcomes), ("step", &list.steps)];
        for (kind, steps) in parts {
            for step in steps {
                let totals = step.totals.unwrap_or_default();
                let (lines, yen) = (totals.lines.to_string(), totals.yen.to_string());
                let (code, says) = (step.step.as_str(), step_name(&step.step, language));
                writer.row([&list.list_id, &list.name, kind, code, says, &lines, &yen])?;
            }
        }
    }
    Ok(writer.finish()?)
}

/// The page.
#[derive(Debug, Template)]
#[template(path = "sheet.html")]
struct Page {
    language: Language,
    verdict: &'static str,
    subject: String,
    leaf: Option<u64>,
    sheets: Vec<Sheet>,
}

/// One list of the page, or all together.
#[derive(Debug)]
struct Sheet {
    title: String,
    succession: Option<String>,
    declared: (Count, Yen),
    /// By outcome and by step, each with its title.
    parts: Vec<(&'static str, Vec<Row>)>,
    batches: Vec<BatchRow>,
}

#[derive(Debug)]
struct Row {
    code: String,
    name: String,
    lines: Count,
    yen: Yen,
}

#[derive(Debug)]
struct BatchRow {
    id: String,
    state: String,
    lines: Count,
    yen: Yen,
    returned: Count,
    refunded: Yen,
    accounts: Count,
}

impl BatchRow {
    fn new(batch: &Batch, language: Language) -> Self {
        let totals = batch.totals.unwrap_or_default();
        let accounts = batch.accounts.unwrap_or_default();
        Self {
            id: batch.batch_id.clone(),
            state: step_name(state(batch), language).to_owned(),
            lines: Count(totals.lines),
            yen: Yen(totals.yen),
            returned: Count(batch.returned.unwrap_or_default().lines),
            refunded: Yen(batch.refunded.unwrap_or_default().yen),
            accounts: Count(
                accounts.holder_differs + accounts.family_account + accounts.shared_account,
            ),
        }
    }
}

impl Page {
    /// The text of the reader's language.
    fn say<'t>(&self, english: &'t str, japanese: &'t str) -> &'t str {
        self.language.pick(english, japanese)
    }

    fn language_tag(&self) -> &'static str {
        self.language.pick("en", "ja")
    }
}

fn page(answer: &ReconcileResponse, subject: &str, language: Language) -> String {
    let rows = |steps: &[ReconcileStep]| -> Vec<Row> {
        let row = |step: &ReconcileStep| {
            let totals = step.totals.unwrap_or_default();
            let (code, name) = (step.step.clone(), step_name(&step.step, language).to_owned());
            Row { code, name, lines: Count(totals.lines), yen: Yen(totals.yen) }
        };
        steps.iter().map(row).collect()
    };
    let parts = |outcomes: &[ReconcileStep], steps: &[ReconcileStep]| {
        let titles = [language.pick("By outcome", "結果別"), language.pick("By step", "段階別")];
        let parts = titles.into_iter().zip([rows(outcomes), rows(steps)]);
        parts.filter(|(_, rows)| !rows.is_empty()).collect()
    };
    let sum = |totals: Option<Totals>| {
        let totals = totals.unwrap_or_default();
        (Count(totals.lines), Yen(totals.yen))
    };
    let together = (answer.lists.len() > 1).then(|| Sheet {
        title: language.pick("All lists", "全リスト").to_owned(),
        succession: None,
        declared: sum(answer.declared),
        parts: parts(&answer.outcomes, &answer.steps),
        batches: Vec::new(),
    });
    let each = answer.lists.iter().map(|list| Sheet {
        title: list.name.clone(),
        succession: succession(answer, list, language),
        declared: sum(list.declared),
        parts: parts(&list.outcomes, &list.steps),
        batches: list.batches.iter().map(|batch| BatchRow::new(batch, language)).collect(),
    });
    let verdict = match balances(answer) {
        true => language
            .pick("Every sum is what was declared.", "すべての合計が申告値と一致しています。"),
        false => language.pick(
            "A sum differs from what was declared: nothing of this may be paid.",
            "申告値と一致しない合計があります。支払を行わないでください。",
        ),
    };
    let page = Page {
        language,
        verdict,
        subject: subject.to_owned(),
        leaf: answer.receipt.as_ref().map(|receipt| receipt.leaf_index),
        sheets: together.into_iter().chain(each).collect(),
    };
    // Unwrap safety: a template fails only where a value's `Display` does, and none here can.
    page.render().expect("every value of the page can be displayed")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer() -> ReconcileResponse {
        let step = |step: &str, lines, yen| ReconcileStep {
            step: step.to_owned(),
            totals: Some(Totals { lines, yen }),
        };
        let list = ListSheet {
            list_id: "list_1".to_owned(),
            name: "wave-<1>".to_owned(),
            declared: Some(Totals { lines: 3, yen: 30 }),
            outcomes: vec![step("LINKED", 3, 30)],
            steps: vec![step("PAID", 2, 20), step("RETURNED", 1, 10)],
            batches: vec![Batch { batch_id: "batch_1".to_owned(), ..Batch::default() }],
            balanced: true,
            ..ListSheet::default()
        };
        ReconcileResponse {
            declared: list.declared,
            outcomes: list.outcomes.clone(),
            steps: list.steps.clone(),
            balanced: true,
            lists: vec![list],
            ..ReconcileResponse::default()
        }
    }

    #[test]
    fn a_sheet_that_does_not_add_up_is_not_balanced_whatever_the_broker_says() {
        assert!(balances(&answer()));
        let mut wrong = answer();
        wrong.lists[0].steps[1].totals = Some(Totals { lines: 1, yen: 11 });
        assert!(!balances(&wrong));
        assert_eq!(sheet_json(&wrong)["balanced"], false);
        assert!(page(&wrong, "list_1", Language::English).contains("nothing of this may be paid"));
    }

    #[test]
    fn a_page_has_every_step_in_both_languages_and_escapes_names() {
        for (language, word) in [(Language::English, "came back"), (Language::Japanese, "振込不能")]
        {
            let page = page(&answer(), "list_1", language);
            assert!(page.contains(word) && page.contains("RETURNED") && page.contains("batch_1"));
            assert!(!page.contains("wave-<1>"), "a name is escaped");
        }
    }

    #[test]
    fn the_table_has_one_row_for_each_list_and_step() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("sheet.csv");
        write(&answer(), "list_1", &path, Language::Japanese)
            .map_err(|_| "write")
            .expect("written");
        let text = fs_err::read_to_string(&path).expect("read");
        assert_eq!(text.lines().count(), 5);
        assert!(text.contains("list_1,wave-<1>,step,RETURNED,振込不能,1,10"), "{text}");
        let path = folder.path().join("sheet.xlsx");
        write(&answer(), "list_1", &path, Language::English).map_err(|_| "write").expect("written");
        assert!(fs_err::read(&path).expect("read").starts_with(b"PK"));
    }

    #[test]
    fn lists_that_take_each_others_place_are_called_by_name_where_the_sheet_has_both() {
        let mut both = answer();
        both.lists[0].superseded_by_list_id = "list_2".to_owned();
        let later = ListSheet {
            list_id: "list_2".to_owned(),
            name: "corrected".to_owned(),
            ..ListSheet::default()
        };
        let alone = succession(&both, &both.lists[0], Language::English);
        assert_eq!(alone.as_deref(), Some("list_2 has taken its place"));
        both.lists.push(later);
        let named = succession(&both, &both.lists[0], Language::English);
        assert_eq!(named.as_deref(), Some("corrected has taken its place"));
    }

    #[test]
    fn a_reconciliation_keeps_the_order_of_its_steps() {
        let object = sheet_json(&answer());
        assert_eq!(object["steps"][1], json!({"step": "RETURNED", "lines": 1, "yen": 10}));
        assert_eq!(object["lists"][0]["superseded_by"], Value::Null);
    }
}
