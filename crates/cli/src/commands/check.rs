//! `renkei check`: what is wrong with a file.

use std::collections::BTreeMap;

use renkei_tables::check::{CheckOptions, CheckReport, Repair, check_file};
use renkei_tables::damage::{Class, Severity};
use renkei_tables::{ReadOptions, Schema, Side};
use renkei_types::{Clock, Localised};
use serde_json::{Value, json};

use super::distinct_files;
use crate::arguments::CheckArguments;
use crate::environment::Environment;
use crate::failure::{Exit, Failure};
use crate::json;
use crate::table_input::{read_layout, read_text};
use crate::text_table::text_table;

pub(crate) fn run(arguments: &CheckArguments, environment: &Environment) -> Result<Exit, Failure> {
    distinct_files(
        std::iter::once(arguments.file.as_path()),
        arguments.repair.iter().map(std::path::PathBuf::as_path),
    )?;
    let (schema, side) = match arguments.schema.as_deref() {
        None => (None, None),
        Some("resident") => (Some(Schema::resident_payment()), Some(Side::Register)),
        Some("payment-list") => (Some(Schema::resident_payment()), Some(Side::List)),
        Some(path) => {
            let path = std::path::Path::new(path);
            (Some(Schema::parse(&read_text(path)?, &path.display().to_string())?), None)
        }
    };
    let layout = arguments.layout.as_deref().map(read_layout).transpose()?;
    let options = CheckOptions {
        read: ReadOptions { layout, ..ReadOptions::default() },
        schema,
        side,
        today: environment.clock.today(),
    };
    let report = check_file(&arguments.file, &options, arguments.repair.as_deref())?;
    if environment.json {
        json::print(&json_of(&report));
    } else {
        print(&report, environment);
    }
    if report.side.is_none() && arguments.schema.is_none() {
        environment.warn(
            "the header is neither a resident register's nor a payment list's: dates, amounts and codes were not checked; name a schema with --schema",
            "見出しが住民台帳とも支給対象者リストとも一致しないため、日付・金額・番号は確認していません。--schema を指定してください",
        );
    }
    say_repair(&report, arguments, environment);
    let wrong = report.findings.iter().any(|finding| finding.severity > Severity::Info);
    let not_repaired = matches!(report.repair, Repair::NotPossible { .. });
    Ok(if wrong || not_repaired { Exit::FoundWrong } else { Exit::Done })
}

fn json_of(report: &CheckReport) -> Value {
    let finding = |finding: &renkei_tables::check::Finding| {
        json!({
            "class": finding.class.as_str(),
            "severity": finding.severity.as_str(),
            "line": finding.line,
            "column": finding.column.as_deref(),
        })
    };
    json!({
        "file": report.file.file,
        "format": report.file.format.as_str(),
        "encoding": report.file.encoding.map(|encoding| encoding.as_str()),
        "bom": report.file.bom,
        "rows": report.rows,
        "schema": report.side.map(|side| side.to_string()),
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
        "totals": {
            "lines": report.totals.lines,
            "yen": report.totals.yen.map(|yen| yen.0),
            "yen_unreadable": report.totals.yen_unreadable,
        },
    })
}

/// Lines that are named for each class and column; the rest is counted.
const LINES_SHOWN: usize = 5;

fn print(report: &CheckReport, environment: &Environment) {
    let file = &report.file;
    let encoding = file.encoding.map_or("", |encoding| encoding.as_str());
    let bom = if file.bom { " BOM" } else { "" };
    print_line!("{}: {} {encoding}{bom}", file.file, file.format.as_str());
    let rows = report.rows;
    let yen = report
        .totals
        .yen
        .map(|yen| environment.language.pick(format!(", {yen} yen"), format!("、{yen} 円")));
    let lines = environment.language.pick(format!("{rows} lines"), format!("{rows} 行"));
    print_line!("{lines}{}", yen.unwrap_or_default());
    let mut grouped: BTreeMap<(Severity, Class, Option<&str>), Vec<u64>> = BTreeMap::new();
    for finding in &report.findings {
        let key = (finding.severity, finding.class, finding.column.as_deref());
        grouped.entry(key).or_default().push(finding.line);
    }
    if grouped.is_empty() {
        print_line!("{}", environment.say("nothing found", "問題は見つかりませんでした"));
        return;
    }
    let header = vec![
        environment.say("severity", "重要度"),
        environment.say("class", "種類"),
        environment.say("column", "列"),
        environment.say("count", "件数"),
        environment.say("lines", "行"),
        "",
    ];
    let mut table = text_table(header, &[3]);
    for ((severity, class, column), lines) in grouped {
        let mut shown: Vec<String> =
            lines.iter().filter(|line| **line > 0).take(LINES_SHOWN).map(u64::to_string).collect();
        if lines.len() > LINES_SHOWN {
            shown.push("…".to_owned());
        }
        table.add_row(vec![
            environment.say(severity.as_str(), severity_word(severity)).to_owned(),
            class.as_str().to_owned(),
            column.unwrap_or_default().to_owned(),
            lines.len().to_string(),
            shown.join(", "),
            class.localised(environment.language),
        ]);
    }
    print_line!("\n{table}");
}

fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "情報",
        Severity::Warning => "注意",
        Severity::Error => "エラー",
    }
}

fn say_repair(report: &CheckReport, arguments: &CheckArguments, environment: &Environment) {
    let Some(path) = &arguments.repair else {
        return;
    };
    let path = path.display();
    match report.repair {
        Repair::NotAsked => {}
        Repair::Written { cells } => environment.note(
            &format!("{path}: written, {cells} cells repaired"),
            &format!("{path}: {cells} 個のセルを修復して書き出しました"),
        ),
        Repair::NotPossible { line } => environment.warn(
            &format!("{path}: not written because of line {line}: its cells cannot all be read, or hold a My Number, which is never copied"),
            &format!("{path}: {line} 行目に読めないセルまたは個人番号があるため書き出しませんでした"),
        ),
    }
}
