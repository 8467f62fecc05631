//! `renkei compare`: a shadow run beside the old hand-made result.
//!
//! Ids and counts are told; what a single person is paid only where `--with-records` asks for it. That two results
//! differ is what the command is for, so the exit code stays 0.

use std::collections::BTreeMap;

use renkei_tables::{Column, TableWriter};
use renkei_types::Yen;
use serde_json::{Map, Value, json};

use super::distinct_files;
use crate::arguments::CompareArguments;
use crate::environment::Environment;
use crate::failure::{CommandError, Exit, Failure};
use crate::json;
use crate::shadow::{Comparison, Difference, Key, Paid, Pair, open};
use crate::text_table::text_table;

/// So many ids of a group stand on the screen.
const SHOWN_MAX: usize = 20;

pub(crate) fn run(
    arguments: &CompareArguments,
    environment: &Environment,
) -> Result<Exit, Failure> {
    let CompareArguments { old, new, key, output, with_records } = arguments;
    distinct_files([old.as_path(), new.as_path()].into_iter(), output.as_deref().into_iter())?;
    let common = || -> Result<Key, Failure> {
        let found = Key::common(open(old)?.header(), open(new)?.header());
        Ok(found.ok_or_else(|| no_common_column(arguments, environment))?)
    };
    let key = key.map_or_else(common, Ok)?;
    let old = Paid::read(old, key, environment)?;
    let new = Paid::read(new, key, environment)?;
    let comparison = Comparison::of(&old, &new);
    if let Some(output) = output {
        write(output, &comparison, &old, &new, *with_records)?;
    }
    if environment.json {
        json::print(&object(key, &comparison, &old, &new, *with_records));
    } else {
        print(key, &comparison, &old, &new, environment);
    }
    warn(&comparison, &old, &new, environment);
    Ok(Exit::Done)
}

fn no_common_column(arguments: &CompareArguments, environment: &Environment) -> CommandError {
    let (old, new) = (arguments.old.display(), arguments.new.display());
    CommandError::Plain(environment.language.pick(
        format!("{old} and {new} have no column in common that names payees: resident_id (宛名番号, register_id), benefit_id (申請番号, list_id) or household_id (世帯番号)"),
        format!("{old} と {new} に、支給先を表す共通の列（宛名番号・register_id、申請番号・list_id、世帯番号）がありません"),
    ))
}

/// Tells what may be wrong with the comparison itself.
fn warn(comparison: &Comparison<'_>, old: &Paid, new: &Paid, environment: &Environment) {
    if !(old.has_amounts && new.has_amounts) {
        environment.warn(
            "a file has no column of amounts: amounts were not compared (link --keep-columns keeps them)",
            "金額の列がないファイルがあるため、金額は比べていません（link --keep-columns で残せます）",
        );
    }
    for paid in [old, new] {
        let (file, left_out, without) = (&paid.file, paid.left_out, paid.without_id);
        if left_out > 0 {
            environment.warn(
                &format!(
                    "{file}: {left_out} lines are broken or carry a My Number and were left out"
                ),
                &format!("{file}: 壊れた行または個人番号を含む行が {left_out} 行あり、除きました"),
            );
        }
        if without > 0 {
            environment.warn(
                &format!("{file}: {without} lines are paid and name nobody"),
                &format!("{file}: 支給先の番号が空の行が {without} 行あります"),
            );
        }
    }
    let zeros = comparison.differ_by_zeros();
    if zeros > 0 {
        environment.warn(
            &format!("{zeros} ids differ by leading zeros alone, as after a spreadsheet; `check --repair` brings them back"),
            &format!("{zeros} 件の番号は先頭の0だけが違います（表計算ソフトで失われた可能性）。`check --repair` で戻せます"),
        );
    }
    let both = old.payees.len() + new.payees.len() > comparison.pairs.len();
    if !both && !old.payees.is_empty() && !new.payees.is_empty() {
        environment.warn(
            "no id stands in both files: do they mean the same numbers? Name another column with --key",
            "両方のファイルにある番号が一つもありません。同じ番号でしょうか。--key で別の列を指定できます",
        );
    }
}

fn is_equal(comparison: &Comparison<'_>, old: &Paid, new: &Paid) -> bool {
    comparison.group(Difference::Same).payees == comparison.pairs.len() as u64
        && old.twice().is_empty()
        && new.twice().is_empty()
}

fn object(
    key: Key,
    comparison: &Comparison<'_>,
    old: &Paid,
    new: &Paid,
    with_records: bool,
) -> Value {
    let mut object = Map::new();
    object.insert("key".to_owned(), json!(key.as_str()));
    object.insert("amounts_compared".to_owned(), json!(old.has_amounts && new.has_amounts));
    object.insert("equal".to_owned(), json!(is_equal(comparison, old, new)));
    object.insert("old".to_owned(), side(old));
    object.insert("new".to_owned(), side(new));
    for difference in Difference::ALL {
        let group = group(comparison, difference, with_records);
        object.insert(difference.as_str().to_owned(), group);
    }
    object.insert("twice".to_owned(), json!({"old": twice(old), "new": twice(new)}));
    Value::Object(object)
}

fn side(paid: &Paid) -> Value {
    let not_paid = paid.not_paid.iter();
    json!({
        "file": paid.file,
        "rows": paid.rows,
        "lines": paid.lines(),
        "payees": paid.payees.len(),
        "yen": paid.has_amounts.then(|| paid.yen()),
        "not_paid": not_paid
            .map(|(outcome, lines)| (outcome.as_str().to_owned(), json!(lines)))
            .collect::<Map<_, _>>(),
        "without_id": paid.without_id,
        "left_out": paid.left_out,
        "amounts_unreadable": paid.amounts_unreadable,
    })
}

fn group(comparison: &Comparison<'_>, difference: Difference, with_records: bool) -> Value {
    let known = comparison.group(difference);
    let mut object =
        json!({"payees": known.payees, "yen_old": known.yen_old, "yen_new": known.yen_new});
    if difference == Difference::Same {
        return object;
    }
    let pairs = || comparison.of_group(difference);
    object["ids"] = pairs().map(|pair| pair.id).collect();
    if matches!(difference, Difference::OnlyOld | Difference::OnlyNew) {
        object["by_outcome"] = json!(by_outcome(pairs()));
    }
    if with_records {
        let yen = |pair: &Pair<'_>| {
            json!({
                "id": pair.id,
                "old": pair.old.map(|payee| payee.yen),
                "new": pair.new.map(|payee| payee.yen),
            })
        };
        object["records"] = pairs().map(yen).collect();
    }
    object
}

/// What became of those whom the other result does not pay: their outcome there, or that they are absent.
fn by_outcome<'a>(pairs: impl Iterator<Item = &'a Pair<'a>>) -> BTreeMap<&'static str, u64> {
    let mut counts = BTreeMap::new();
    for pair in pairs {
        *counts.entry(pair.unpaid.map_or("ABSENT", |outcome| outcome.as_str())).or_default() += 1;
    }
    counts
}

fn twice(paid: &Paid) -> Value {
    let several = paid.twice();
    json!({
        "payees": several.len(),
        "lines": several.iter().map(|(_, payee)| payee.lines).sum::<u64>(),
        "ids": several.iter().map(|(id, _)| id).collect::<Vec<_>>(),
    })
}

fn print(key: Key, comparison: &Comparison<'_>, old: &Paid, new: &Paid, environment: &Environment) {
    let say = |english: &'static str, japanese: &'static str| {
        environment.language.pick(english, japanese)
    };
    let title = |difference| match difference {
        Difference::Same => say("the same in both", "一致"),
        Difference::OnlyOld => say("only in the old", "旧のみ"),
        Difference::OnlyNew => say("only in the new", "新のみ"),
        Difference::OtherAmount => say("another amount", "金額が違う"),
        Difference::AmountUnreadable => say("an amount cannot be read", "金額が読めない"),
    };
    let yen = |paid: &Paid, yen: u64| {
        if paid.has_amounts { Yen(yen).to_string() } else { String::new() }
    };
    let header =
        vec!["", say("payees", "支給先"), say("yen, old", "旧 円"), say("yen, new", "新 円")];
    let mut table = text_table(header, &[1, 2, 3]);
    let payees = |paid: &Paid| paid.payees.len().to_string();
    table.add_row(vec![
        say("old", "旧").to_owned(),
        payees(old),
        yen(old, old.yen()),
        String::new(),
    ]);
    table.add_row(vec![
        say("new", "新").to_owned(),
        payees(new),
        String::new(),
        yen(new, new.yen()),
    ]);
    for difference in Difference::ALL {
        let group = comparison.group(difference);
        table.add_row(vec![
            title(difference).to_owned(),
            group.payees.to_string(),
            yen(old, group.yen_old),
            yen(new, group.yen_new),
        ]);
    }
    for (words, paid) in [
        (say("twice or more in the old", "旧で二重"), old),
        (say("twice or more in the new", "新で二重"), new),
    ] {
        let several = paid.twice();
        table.add_row(vec![words.to_owned(), several.len().to_string()]);
    }
    print_line!("{}: {}\n\n{table}", say("payees by", "突合の番号"), key.as_str());
    for difference in Difference::ALL.into_iter().filter(|known| *known != Difference::Same) {
        let outcomes = by_outcome(comparison.of_group(difference));
        let told = match difference {
            Difference::OnlyOld | Difference::OnlyNew => {
                let counts = outcomes.iter().map(|(name, count)| format!("{name} {count}"));
                format!(" ({})", counts.collect::<Vec<_>>().join(", "))
            }
            Difference::Same | Difference::OtherAmount | Difference::AmountUnreadable => {
                String::new()
            }
        };
        let ids: Vec<&str> = comparison.of_group(difference).map(|pair| pair.id).collect();
        print_ids(&format!("{}{told}", title(difference)), &ids, environment);
    }
    for (words, paid) in [
        (say("twice or more in the old", "旧で二重"), old),
        (say("twice or more in the new", "新で二重"), new),
    ] {
        let ids: Vec<&str> = paid.twice().into_iter().map(|(id, _)| id).collect();
        print_ids(words, &ids, environment);
    }
}

fn print_ids(title: &str, ids: &[&str], environment: &Environment) {
    if ids.is_empty() {
        return;
    }
    // Text of others cannot steer a terminal.
    let plain = |id: &&str| -> String {
        id.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
    };
    let shown: Vec<String> = ids.iter().take(SHOWN_MAX).map(plain).collect();
    print_line!("\n{title}:\n  {}", shown.join(" "));
    if ids.len() > SHOWN_MAX {
        let more = ids.len() - SHOWN_MAX;
        let words = environment.language.pick(
            format!("  and {more} more: --output FILE writes all of them"),
            format!("  ほか {more} 件。--output FILE で全件を書き出せます"),
        );
        print_line!("{words}");
    }
}

/// Writes everybody about whom the results differ, and who is paid more than once.
fn write(
    path: &std::path::Path,
    comparison: &Comparison<'_>,
    old: &Paid,
    new: &Paid,
    with_records: bool,
) -> Result<(), Failure> {
    let mut columns = vec![
        Column::text("id"),
        Column::text("difference"),
        Column::text("outcome"),
        Column::integer("old_lines"),
        Column::integer("new_lines"),
        Column::integer("old_first_line"),
        Column::integer("new_first_line"),
    ];
    if with_records {
        columns.extend([Column::integer("old_amount"), Column::integer("new_amount")]);
    }
    let several =
        |pair: &Pair<'_>| [pair.old, pair.new].iter().flatten().any(|payee| payee.lines > 1);
    let mut writer = TableWriter::for_people(path, &columns)?;
    for pair in &comparison.pairs {
        if pair.difference == Difference::Same && !several(pair) {
            continue;
        }
        let number = |of: Option<crate::shadow::Payee>, value: fn(crate::shadow::Payee) -> u64| {
            of.map(|payee| value(payee).to_string()).unwrap_or_default()
        };
        let mut cells = vec![
            pair.id.to_owned(),
            pair.difference.as_str().to_owned(),
            pair.unpaid.map(|outcome| outcome.as_str().to_owned()).unwrap_or_default(),
            number(pair.old, |payee| payee.lines),
            number(pair.new, |payee| payee.lines),
            number(pair.old, |payee| payee.first_line),
            number(pair.new, |payee| payee.first_line),
        ];
        if with_records {
            let amount = |paid: &Paid, of| match of {
                Some(_) if !paid.has_amounts => String::new(),
                of => number(of, |payee| payee.yen),
            };
            cells.extend([amount(old, pair.old), amount(new, pair.new)]);
        }
        writer.row(cells.iter().map(String::as_str))?;
    }
    writer.finish()?;
    Ok(())
}
